/* The parsed form of descriptors: private to the keys room. All of it lies in
 * the descriptor's arena.
 */
#ifndef KEYS_DESCRIPTOR_PRIV_H
#define KEYS_DESCRIPTOR_PRIV_H

#include "base/arena.h"
#include "keys/descriptor.h"

struct miniscript;

/* Where an expression stands; it decides which keys and functions may be there. */
enum descriptor_place {
    PLACE_TOP,
    PLACE_P2SH,
    PLACE_P2WPKH,
    PLACE_P2WSH,
    PLACE_P2TR,
    PLACE_MUSIG,
};

/* Steps down from a key; one of them may have alternatives (BIP 389). */
struct key_path {
    uint32_t *steps;
    size_t steps_n;
    size_t choice_at;  /* Which step has alternatives, if choices_n > 0. */
    uint32_t *choices; /* One for each branch. */
    size_t choices_n;
};

enum key_range { KEY_RANGE_NONE, KEY_RANGE_PLAIN, KEY_RANGE_HARDENED };

enum key_form {
    KEY_PLAIN, /* pubkey. */
    KEY_XONLY, /* pubkey, of which only x counts. */
    KEY_BIP32, /* xpub, path, range. */
    KEY_MUSIG, /* parts, path, range. */
};

struct key_expr {
    enum key_form form;
    bool has_origin;
    bool apostrophe; /* Hardened steps are written ' and not h. */
    uint8_t fingerprint[BIP32_FINGERPRINT_BYTES];
    struct key_path origin;
    struct pubkey pubkey;
    struct xpub xpub;
    struct key_path path;
    enum key_range range;
    struct key_expr *parts;
    size_t parts_n;
};

enum descriptor_function {
    FUNCTION_PK,
    FUNCTION_PKH,
    FUNCTION_WPKH,
    FUNCTION_COMBO,
    FUNCTION_MULTI,
    FUNCTION_SORTEDMULTI,
    FUNCTION_MULTI_A,
    FUNCTION_SORTEDMULTI_A,
    FUNCTION_SH,
    FUNCTION_WSH,
    FUNCTION_TR,
    FUNCTION_RAWTR,
    FUNCTION_UNUSED,
    FUNCTION_ADDR,
    FUNCTION_RAW,
    FUNCTION_MINISCRIPT,
};

struct descriptor_node {
    enum descriptor_function function;
    enum descriptor_place place;
    uint32_t threshold;
    struct key_expr *keys;
    size_t keys_n;
    struct descriptor_node *subs; /* sh, wsh: one; tr: the leaves, left to right. */
    size_t subs_n;
    uint8_t *depths; /* tr: of the leaves. */
    struct destination destination;
    struct span raw;
    const struct miniscript *miniscript; /* Its keys are indexes into keys. */
};

struct descriptor {
    struct arena arena;
    const struct params *params;
    struct descriptor_node root;
    size_t branches_n;
};

/* What parsing needs and leaves behind. */
struct descriptor_parser {
    struct arena *arena;
    struct keyring *ring;
    const struct params *params;
    struct buf *why; /* Never NULL. */
};

/* Sets or extends the reason; both return false, so that a caller can end so. */
bool parser_say(struct descriptor_parser *parser, const char *format, ...) PRINTF_LIKE(2, 3);
bool parser_say_before(struct descriptor_parser *parser, const char *prefix);

bool key_expr_parse(struct descriptor_parser *parser, struct key_expr *ret_key, struct span text,
                    enum descriptor_place place);
size_t key_expr_branches(const struct key_expr *key);
bool key_expr_is_range(const struct key_expr *key);
/* Of its public key in a script: 33 or 65; musig counts 32. */
size_t key_expr_pubkey_bytes(const struct key_expr *key);
/* As descriptor_write, for one key. */
bool key_expr_write(const struct key_expr *key, struct buf *text, size_t branch,
                    enum descriptor_form form, const struct keyring *ring,
                    const struct params *params);
/* As descriptor_expand, for one key. */
bool key_expr_derive(const struct key_expr *key, struct pubkey *ret_pubkey, struct keyring *out,
                     size_t branch, uint32_t index, const struct keyring *ring);
void key_expr_derive_secret(const struct key_expr *key, struct keyring *out, size_t branch,
                            uint32_t index, const struct keyring *ring);
/* A key as it is; origin may be NULL. */
void key_expr_of_pubkey(struct key_expr *ret_key, const struct pubkey *pubkey, bool is_xonly,
                        const struct key_origin *origin, struct arena *arena);

/* text is one whole expression. */
bool descriptor_node_parse(struct descriptor_parser *parser, struct descriptor_node *ret_node,
                           struct span text, enum descriptor_place place);
size_t descriptor_node_branches(const struct descriptor_node *node);
/* Without the checksum. */
bool descriptor_node_write(const struct descriptor_node *node, struct buf *text, size_t branch,
                           enum descriptor_form form, const struct keyring *ring,
                           const struct params *params);
void descriptor_add_checksum(struct buf *text, size_t from);

#endif /* KEYS_DESCRIPTOR_PRIV_H */
