/* Miniscript (BIP 379): private to the keys room. A structured part of script,
 * with a type system that tells whether it can be satisfied, within the limits,
 * and so that nobody else can change the witness.
 */
#ifndef KEYS_MINISCRIPT_H
#define KEYS_MINISCRIPT_H

#include "keys/descriptor_priv.h"

/* Deeper expressions are refused, so that recursion is bounded. In wsh() the limits
 * on opcodes and bytes allow none that is a third as deep. */
#define MINISCRIPT_DEPTH_MAX 2000
/* Policy: a standard witness has a script of at most this. */
#define MINISCRIPT_WSH_BYTES_MAX 3600
#define MINISCRIPT_WSH_STACK_MAX 100
/* What is left for a leaf script in a transaction of standard weight, with the
 * largest witness and control block beside it. */
#define MINISCRIPT_TAP_BYTES_MAX 329482
#define MINISCRIPT_MULTI_A_KEYS_MAX 999

enum fragment {
    FRAGMENT_0,
    FRAGMENT_1,
    FRAGMENT_PK_K,
    FRAGMENT_PK_H,
    FRAGMENT_OLDER,
    FRAGMENT_AFTER,
    FRAGMENT_SHA256,
    FRAGMENT_HASH256,
    FRAGMENT_RIPEMD160,
    FRAGMENT_HASH160,
    FRAGMENT_A, /* Wrappers, one sub each. */
    FRAGMENT_S,
    FRAGMENT_C,
    FRAGMENT_D,
    FRAGMENT_V,
    FRAGMENT_J,
    FRAGMENT_N,
    FRAGMENT_AND_V,
    FRAGMENT_AND_B,
    FRAGMENT_OR_B,
    FRAGMENT_OR_C,
    FRAGMENT_OR_D,
    FRAGMENT_OR_I,
    FRAGMENT_ANDOR,
    FRAGMENT_THRESH,
    FRAGMENT_MULTI,
    FRAGMENT_MULTI_A,
};

/* Type bits, by the letters of BIP 379; x, g to k as in its reference: x: the
 * last opcode has no VERIFY form; g, h: relative lock by time, height; i, j:
 * absolute; k: no branch mixes the two kinds. No bits: not valid. */
enum {
    TYPE_B = 1 << 0,
    TYPE_V = 1 << 1,
    TYPE_K = 1 << 2,
    TYPE_W = 1 << 3,
    TYPE_Z = 1 << 4,
    TYPE_O = 1 << 5,
    TYPE_N = 1 << 6,
    TYPE_D = 1 << 7,
    TYPE_U = 1 << 8,
    TYPE_E = 1 << 9,
    TYPE_F = 1 << 10,
    TYPE_S = 1 << 11,
    TYPE_M = 1 << 12,
    TYPE_X = 1 << 13,
    TYPE_REL_TIME = 1 << 14,   /* g */
    TYPE_REL_HEIGHT = 1 << 15, /* h */
    TYPE_ABS_TIME = 1 << 16,   /* i */
    TYPE_ABS_HEIGHT = 1 << 17, /* j */
    TYPE_NO_MIX = 1 << 18,     /* k */
    TYPE_LOCKS = TYPE_REL_TIME | TYPE_REL_HEIGHT | TYPE_ABS_TIME | TYPE_ABS_HEIGHT,
};

/* What one way through a script does to the stack at most. */
struct stack_use {
    bool exists;
    int32_t net;  /* Elements more at the start than at the end. */
    int32_t peak; /* Elements more in between than at the end. */
};

/* Sizes, for satisfying and for dissatisfying; -1: there is no way. */
struct miniscript_cost {
    int64_t satisfy;
    int64_t dissatisfy;
};

struct miniscript {
    enum fragment fragment;
    bool is_tap;
    uint32_t k;       /* Threshold or lock. */
    struct span hash; /* 20 or 32 bytes. */
    uint32_t key;     /* First key: index into the descriptor node's keys. */
    uint32_t keys_n;  /* They follow each other. */
    uint32_t subs_n;
    uint32_t depth;
    const struct miniscript **subs;
    uint32_t type;
    uint64_t script_bytes;
    uint32_t ops;                        /* Counted ones, but for keys of CHECKMULTISIG. */
    struct miniscript_cost multisig_ops; /* Those. */
    struct miniscript_cost witness;      /* Bytes, lengths included. */
    struct stack_use satisfy;
    struct stack_use dissatisfy;
};

/* Make a node; subs (copied) and the rest of it are final. The result's type may
 * be empty. NULL: too deep. */
struct miniscript *miniscript_make(struct arena *arena, const struct miniscript *form,
                                   const struct miniscript *const *subs, size_t subs_n);
/* Fills in type and costs. */
void miniscript_analyse(struct miniscript *node);
uint32_t miniscript_type(const struct miniscript *node);

static inline bool miniscript_has(const struct miniscript *node, uint32_t bits)
{
    return (node->type & bits) == bits;
}

/* Parse text into node->miniscript and node->keys.
 *
 * Returns: false if a key in it is bad; the parser knows why.
 * Out:     ret_is_miniscript: false if text is something else. */
bool miniscript_parse(struct descriptor_parser *parser, struct descriptor_node *node,
                      struct span text, bool *ret_is_miniscript);

/* Is it one that a user should trust money to? Otherwise the parser says why
 * not. */
bool miniscript_check_sane(struct descriptor_parser *parser, struct descriptor_node *node);
bool miniscript_is_sane(const struct miniscript *root, const struct descriptor_node *node);

bool miniscript_write(const struct descriptor_node *node, struct buf *text, size_t branch,
                      enum descriptor_form form, const struct keyring *ring,
                      const struct params *params);

/* keys: of the descriptor node, derived. */
void miniscript_write_script(const struct descriptor_node *node, struct buf *script,
                             const struct pubkey *keys);

/* Recognise a script; fills node->miniscript and node->keys. place: P2WSH or
 * P2TR. False: it is none, or a key it hashes is not in ring. */
bool miniscript_infer(struct descriptor_node *node, struct arena *arena, struct span script,
                      enum descriptor_place place, const struct keyring *ring);

static inline size_t miniscript_bytes_max(bool is_tap)
{
    return is_tap ? MINISCRIPT_TAP_BYTES_MAX : MINISCRIPT_WSH_BYTES_MAX;
}

#endif /* KEYS_MINISCRIPT_H */
