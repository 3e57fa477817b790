/* Scripts as text, as RPC shows them. */
#ifndef SCRIPT_ASM_H
#define SCRIPT_ASM_H

#include <stdbool.h>

#include "base/bytes.h"

/* Append a script's operations, a space between: pushes of up to four bytes as
 * the number they are, longer ones in hexadecimal, other operations by name. Ends
 * with "[error]" where a push runs past the end. show_hash_types (for
 * script_sig): what looks like a signature loses its last byte and gets "[ALL]"
 * and the like. */
void script_asm(struct buf *text, struct span script, bool show_hash_types) NONNULL(1);

/* "ALL", "NONE|ANYONECANPAY", ...; NULL for a byte that is no defined type. */
const char *sighash_type_name(uint8_t hash_type);

/* The hash type that RPC users write: those above and "DEFAULT" (0). -1 for any
 * other text. */
int sighash_type_of(const char *name) NONNULL(1);

#endif /* SCRIPT_ASM_H */
