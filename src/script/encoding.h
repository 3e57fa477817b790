/* The forms of public keys and ECDSA signatures that scripts ask for. */
#ifndef SCRIPT_ENCODING_H
#define SCRIPT_ENCODING_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/verdict.h"

/* Does the length fit the first byte (2, 3: 33 bytes; 4, 6, 7: 65)? What fits not
 * verifies nothing. */
bool pubkey_length_fits(struct span pubkey);
/* 33 bytes from 2 or 3 on, or 65 from 4 on: STRICTENC. */
bool pubkey_is_strict(struct span pubkey);
/* 33 bytes from 2 or 3 on. */
bool pubkey_is_compressed(struct span pubkey);

/* BIP 66: strict DER, followed by the hash type. */
bool sig_is_strict_der(struct span sig);
/* ALL, NONE or SINGLE, with or without ANYONECANPAY, at the end. */
bool sig_has_defined_hash_type(struct span sig);

/* A signature with hash type, held to those of DERSIG, LOW_S and STRICTENC that
 * are in flags. An empty one always passes.
 *
 * Returns: V_VALID, V_SCRIPT_SIG_DER, V_SCRIPT_SIG_HIGH_S or
 *          V_SCRIPT_SIG_HASHTYPE. */
enum verdict sig_encoding_verdict(struct span sig, uint64_t flags);

#endif /* SCRIPT_ENCODING_H */
