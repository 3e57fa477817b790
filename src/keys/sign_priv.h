/* A signing under way: private to the keys room. */
#ifndef KEYS_SIGN_PRIV_H
#define KEYS_SIGN_PRIV_H

#include "keys/descriptor_priv.h"
#include "keys/sign.h"

/* Which rules a script that is to be satisfied runs under. */
enum script_rules { RULES_LEGACY, RULES_V0, RULES_TAPSCRIPT };

struct known_sig {
    struct pubkey pubkey;
    struct span sig; /* With hash type. */
};

/* Elements for script_sig or witness, bottom first; in the arena. */
struct element_list {
    struct span *items;
    size_t n;
    size_t capacity;
};

struct signer {
    const struct spend *spend;
    const struct keyring *ring;
    struct arena *arena;
    uint32_t in_index;
    uint8_t hash_type;
    int64_t amount_sat;
    struct sighash_input sighash;
    struct known_sig *sigs; /* ECDSA, found or made. */
    size_t sigs_n;
    size_t sigs_capacity;
    struct span redeem_script; /* From the input as it was; empty: none. */
    struct span witness_script;
};

void element_add(struct signer *signer, struct element_list *list, struct span element);

/* A signature of pubkey for script; found ones first. False: no secret key. */
bool signer_sign_ecdsa(struct signer *signer, struct span *ret_sig, const struct pubkey *pubkey,
                       struct span script, enum script_rules rules);
/* By the key with this x. leaf_hash NULL: key path, with merkle_root as in
 * seckey_sign_schnorr. */
bool signer_sign_schnorr(struct signer *signer, struct span *ret_sig, const uint8_t *xonly,
                         const uint8_t *leaf_hash, const uint8_t *merkle_root);

/* Satisfy a script that is miniscript, in a way that nobody can change.
 *
 * Returns: false if something is missing, or it is none.
 * In:      rules: RULES_V0 or RULES_TAPSCRIPT. */
bool miniscript_satisfy(struct signer *signer, struct element_list *ret_elements,
                        struct span script, enum script_rules rules);

#endif /* KEYS_SIGN_PRIV_H */
