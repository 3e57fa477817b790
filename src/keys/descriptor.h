/* Output descriptors (BIP 380 to 390, 328; miniscript: BIP 379): texts that say
 * which scripts belong to which keys.
 *
 * A descriptor is immutable once parsed; it and all reads of it may be shared by
 * threads. A multipath descriptor (<0;1>, BIP 389) is one descriptor with
 * several branches.
 */
#ifndef KEYS_DESCRIPTOR_H
#define KEYS_DESCRIPTOR_H

#include "base/bytes.h"
#include "consensus/params.h"
#include "keys/address.h"
#include "keys/keyring.h"

#define DESCRIPTOR_CHECKSUM_CHARS 8
/* Longer texts are refused. */
#define DESCRIPTOR_TEXT_MAX 2000000

struct descriptor;

/* Parse.
 *
 * Returns: 0, or E_MALFORMED.
 * Out:     ret_descriptor: owned by the caller; descriptor_free.
 *          why:            on failure, what is wrong with it, as Bitcoin Core
 *                          words it; may stay empty. May be NULL.
 * In/out:  ring:           takes the secret keys that are in the text.
 * In:      params:         whose keys and addresses; outlives the descriptor. */
NODISCARD int descriptor_parse(struct descriptor **ret_descriptor, struct keyring *ring,
                               struct span text, bool require_checksum, const struct params *params,
                               struct buf *why) NONNULL(1, 2, 5);

void descriptor_free(struct descriptor *descriptor);

/* The checksum a text should have (terminated); false for one that has
 * characters no descriptor has, or a wrong checksum already. */
bool descriptor_checksum(char ret_checksum[DESCRIPTOR_CHECKSUM_CHARS + 1], struct span text)
    NONNULL(1);

/* At least 1; more for multipath. */
size_t descriptor_branches(const struct descriptor *descriptor) NONNULL(1);
bool descriptor_is_range(const struct descriptor *descriptor) NONNULL(1);
/* Does it say enough to sign, given the keys? Not for addr() and raw(). */
bool descriptor_is_solvable(const struct descriptor *descriptor) NONNULL(1);

/* Which kind of address it makes. */
enum output_type {
    OUTPUT_TYPE_NONE,
    OUTPUT_TYPE_LEGACY,
    OUTPUT_TYPE_P2SH_SEGWIT,
    OUTPUT_TYPE_BECH32,
    OUTPUT_TYPE_BECH32M,
};
enum output_type descriptor_output_type(const struct descriptor *descriptor) NONNULL(1);

enum descriptor_form {
    DESCRIPTOR_PUBLIC,     /* Canonical. */
    DESCRIPTOR_PRIVATE,    /* With the secrets that ring has. */
    DESCRIPTOR_NORMALIZED, /* Extended keys behind the last hardened step. */
    DESCRIPTOR_COMPAT,     /* As public, but hardened steps always written '. */
};

/* Append the text of a branch, with checksum. ring: for PRIVATE and NORMALIZED,
 * else NULL.
 *
 * Returns: false if no secret was known (PRIVATE; the text is then public) or one
 *          was missing (NORMALIZED; text is unchanged). */
bool descriptor_write(const struct descriptor *descriptor, struct buf *text, size_t branch,
                      enum descriptor_form form, const struct keyring *ring) NONNULL(1, 2);

/* A list of scripts; zero it to start. */
struct script_list {
    struct buf *scripts; /* n of them. */
    size_t n;
};
void script_list_clear(struct script_list *list) NONNULL(1);

/* The scripts of a branch at an index (0 for a descriptor without range).
 *
 * Returns: false if a secret key is missing for a hardened step, or the index has
 *          no key (one in 2^127).
 * Out:     scripts: appended.
 *          out:     takes public keys, origins, scripts and trees; may be NULL.
 * In:      ring:    the secrets from descriptor_parse. May be the same as out. */
bool descriptor_expand(const struct descriptor *descriptor, struct script_list *scripts,
                       struct keyring *out, size_t branch, uint32_t index,
                       const struct keyring *ring) NONNULL(1, 2, 6);

/* The descriptor that says most about a script, given what ring knows; at least
 * addr() or raw(). Owned by the caller. */
struct descriptor *descriptor_infer(struct span script, const struct keyring *ring,
                                    const struct params *params) NONNULL(2, 3);

#endif /* KEYS_DESCRIPTOR_H */
