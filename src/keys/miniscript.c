#include "keys/miniscript.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/hash160.h"
#include "keys/script_write.h"
#include "script/parse.h"

/* --- Text --- */

/* What stays the same over the whole text. */
struct writer_state {
    const struct descriptor_node *node;
    struct buf *text;
    size_t branch;
    enum descriptor_form form;
    const struct keyring *ring;
    const struct params *params;
    bool any_secret;
    bool failed;
};

static void write_key(struct writer_state *w, uint32_t index)
{
    bool ok =
        key_expr_write(&w->node->keys[index], w->text, w->branch, w->form, w->ring, w->params);

    if (w->form == DESCRIPTOR_PRIVATE)
        w->any_secret = w->any_secret || ok;
    else
        w->failed = w->failed || !ok;
}

static bool is_zero(const struct miniscript *ms)
{
    return ms->fragment == FRAGMENT_0;
}

/* The letter that ms is written with, and the sub behind it; 0: it has none. */
static char wrapper_letter(const struct miniscript *ms, const struct miniscript **ret_inner)
{
    static const char letters[] = {
        [FRAGMENT_A] = 'a', [FRAGMENT_S] = 's', [FRAGMENT_C] = 'c', [FRAGMENT_D] = 'd',
        [FRAGMENT_V] = 'v', [FRAGMENT_J] = 'j', [FRAGMENT_N] = 'n',
    };

    if (ms->subs_n == 0)
        return 0;
    *ret_inner = ms->subs[0];
    if (ms->fragment == FRAGMENT_C &&
        (ms->subs[0]->fragment == FRAGMENT_PK_K || ms->subs[0]->fragment == FRAGMENT_PK_H))
        return 0;
    if (ms->fragment >= FRAGMENT_A && ms->fragment <= FRAGMENT_N)
        return letters[ms->fragment];
    if (ms->fragment == FRAGMENT_AND_V && ms->subs[1]->fragment == FRAGMENT_1)
        return 't';
    if (ms->fragment == FRAGMENT_OR_I && is_zero(ms->subs[0])) {
        *ret_inner = ms->subs[1];
        return 'l';
    }
    return ms->fragment == FRAGMENT_OR_I && is_zero(ms->subs[1]) ? 'u' : 0;
}

static const char *const names[] = {
    [FRAGMENT_0] = "0",
    [FRAGMENT_1] = "1",
    [FRAGMENT_PK_K] = "pk_k(",
    [FRAGMENT_PK_H] = "pk_h(",
    [FRAGMENT_OLDER] = "older(",
    [FRAGMENT_AFTER] = "after(",
    [FRAGMENT_SHA256] = "sha256(",
    [FRAGMENT_HASH256] = "hash256(",
    [FRAGMENT_RIPEMD160] = "ripemd160(",
    [FRAGMENT_HASH160] = "hash160(",
    [FRAGMENT_AND_V] = "and_v(",
    [FRAGMENT_AND_B] = "and_b(",
    [FRAGMENT_OR_B] = "or_b(",
    [FRAGMENT_OR_C] = "or_c(",
    [FRAGMENT_OR_D] = "or_d(",
    [FRAGMENT_OR_I] = "or_i(",
    [FRAGMENT_ANDOR] = "andor(",
    [FRAGMENT_THRESH] = "thresh(",
    [FRAGMENT_MULTI] = "multi(",
    [FRAGMENT_MULTI_A] = "multi_a(",
};

static void write_ms(struct writer_state *w, const struct miniscript *ms, bool is_wrapped);

static void write_inner(struct writer_state *w, const struct miniscript *ms)
{
    bool is_and_n = ms->fragment == FRAGMENT_ANDOR && is_zero(ms->subs[2]);
    bool needs_comma = false;

    if (ms->fragment == FRAGMENT_C) {
        buf_add_string(w->text, ms->subs[0]->fragment == FRAGMENT_PK_K ? "pk(" : "pkh(");
        write_key(w, ms->subs[0]->key);
        buf_add_byte(w->text, ')');
        return;
    }
    buf_add_string(w->text, is_and_n ? "and_n(" : names[ms->fragment]);
    if (ms->fragment == FRAGMENT_0 || ms->fragment == FRAGMENT_1)
        return;
    if (ms->k > 0) {
        buf_add_printf(w->text, "%u", ms->k);
        needs_comma = true;
    }
    hex_write_buf(w->text, ms->hash);
    for (uint32_t i = 0; i < ms->keys_n; i++) {
        if (needs_comma)
            buf_add_byte(w->text, ',');
        needs_comma = true;
        write_key(w, ms->key + i);
    }
    for (uint32_t i = 0; i < (is_and_n ? 2 : ms->subs_n); i++) {
        if (needs_comma)
            buf_add_byte(w->text, ',');
        needs_comma = true;
        write_ms(w, ms->subs[i], false);
    }
    buf_add_byte(w->text, ')');
}

static void write_ms(struct writer_state *w, const struct miniscript *ms, bool is_wrapped)
{
    const struct miniscript *inner = NULL;
    char letter = wrapper_letter(ms, &inner);

    if (letter != 0) {
        buf_add_byte(w->text, (uint8_t)letter);
        write_ms(w, inner, true);
        return;
    }
    if (is_wrapped)
        buf_add_byte(w->text, ':');
    write_inner(w, ms);
}

bool miniscript_write(const struct descriptor_node *node, struct buf *text, size_t branch,
                      enum descriptor_form form, const struct keyring *ring,
                      const struct params *params)
{
    struct writer_state w = {
        .node = node, .text = text, .branch = branch, .form = form, .ring = ring, .params = params};

    write_ms(&w, node->miniscript, false);
    return form == DESCRIPTOR_PRIVATE ? w.any_secret : !w.failed;
}

/* --- Sanity --- */

static bool is_valid(const struct miniscript *ms)
{
    return ms->type != 0 && ms->script_bytes <= miniscript_bytes_max(ms->is_tap);
}

static bool is_satisfiable(const struct miniscript *ms)
{
    return ms->satisfy.exists;
}

static bool within_limits(const struct miniscript *ms)
{
    int32_t result = (ms->type & (TYPE_B | TYPE_K | TYPE_W)) != 0 ? 1 : 0;

    if (!is_valid(ms))
        return false;
    if (!ms->is_tap && ms->multisig_ops.satisfy >= 0 &&
        ms->ops + ms->multisig_ops.satisfy > SCRIPT_OPS_MAX)
        return false;
    if (!is_satisfiable(ms))
        return true;
    /* Before tapscript, policy bounds the stack lower than consensus does. */
    return ms->is_tap ? ms->satisfy.peak + result <= SCRIPT_STACK_MAX
                      : ms->satisfy.net + result <= MINISCRIPT_WSH_STACK_MAX;
}

/* A key as the check for duplicates sees it; keys that need a secret to be known
 * are all the same to it. */
static struct pubkey comparable_key(const struct key_expr *key, const struct keyring *nothing)
{
    struct pubkey pubkey = {0};

    if (!key_expr_derive(key, &pubkey, NULL, 0, 0, nothing))
        pubkey.len = 0;
    return pubkey;
}

static int compare_pubkeys(const void *a, const void *b)
{
    return pubkey_compare(a, b);
}

static void collect_keys(const struct miniscript *ms, const struct pubkey *keys,
                         struct pubkey *ret_found, size_t *n)
{
    for (uint32_t i = 0; i < ms->keys_n; i++)
        ret_found[(*n)++] = keys[ms->key + i];
    for (uint32_t i = 0; i < ms->subs_n; i++)
        collect_keys(ms->subs[i], keys, ret_found, n);
}

/* keys: comparable, by index; scratch: as many. */
static bool repeats_a_key(const struct miniscript *ms, const struct pubkey *keys,
                          struct pubkey *scratch)
{
    size_t n = 0;

    collect_keys(ms, keys, scratch, &n);
    qsort(scratch, n, sizeof(*scratch), compare_pubkeys);
    for (size_t i = 1; i < n; i++) {
        if (pubkey_compare(&scratch[i - 1], &scratch[i]) == 0)
            return true;
    }
    return false;
}

/* Good in itself, wherever it stands; its keys are looked at elsewhere. */
static bool is_good_part(const struct miniscript *ms)
{
    return within_limits(ms) && miniscript_has(ms, TYPE_M) && miniscript_has(ms, TYPE_NO_MIX);
}

/* Innermost and first that is not good; NULL: all are. */
static const struct miniscript *find_bad_part(const struct miniscript *ms,
                                              const struct pubkey *keys, struct pubkey *scratch,
                                              bool any_repeats)
{
    for (uint32_t i = 0; i < ms->subs_n; i++) {
        const struct miniscript *bad = find_bad_part(ms->subs[i], keys, scratch, any_repeats);

        if (bad != NULL)
            return bad;
    }
    if (!is_good_part(ms) || (any_repeats && repeats_a_key(ms, keys, scratch)))
        return ms;
    return NULL;
}

/* The keys of node, comparable; twice as much room. */
static struct pubkey *comparable_keys(const struct descriptor_node *node)
{
    struct pubkey *keys = alloc_array(2 * node->keys_n, sizeof(*keys));
    struct keyring nothing;

    keyring_init(&nothing);
    for (size_t i = 0; i < node->keys_n; i++)
        keys[i] = comparable_key(&node->keys[i], &nothing);
    keyring_clear(&nothing);
    return keys;
}

static bool is_sane_with(const struct miniscript *root, bool repeats)
{
    return miniscript_has(root, TYPE_B) && is_good_part(root) && !repeats &&
           miniscript_has(root, TYPE_S);
}

bool miniscript_is_sane(const struct miniscript *root, const struct descriptor_node *node)
{
    struct pubkey *keys = comparable_keys(node);
    bool sane = is_sane_with(root, repeats_a_key(root, keys, keys + node->keys_n));

    free(keys);
    return sane;
}

/* What is wrong with bad, as a part of root. */
static const char *flaw_of(const struct miniscript *root, const struct miniscript *bad,
                           bool root_is_sane, bool repeats)
{
    if (!is_valid(bad))
        return " is invalid";
    if (root_is_sane)
        return " is not satisfiable";
    if (!miniscript_has(bad, TYPE_M))
        return " is not sane: malleable witnesses exist";
    if (bad == root && !miniscript_has(bad, TYPE_S))
        return " is not sane: witnesses without signature exist";
    if (!miniscript_has(bad, TYPE_NO_MIX))
        return " is not sane: contains mixes of timelocks expressed in blocks and seconds";
    if (repeats)
        return " is not sane: contains duplicate public keys";
    if (!within_limits(bad))
        return " is not sane: needs witnesses that may exceed resource limits";
    return " is not sane";
}

bool miniscript_check_sane(struct descriptor_parser *parser, struct descriptor_node *node)
{
    const struct miniscript *root = node->miniscript;
    const struct miniscript *bad = root;
    struct pubkey *keys = comparable_keys(node);
    struct pubkey *scratch = keys + node->keys_n;
    size_t branches = descriptor_node_branches(node);
    bool repeats = repeats_a_key(root, keys, scratch);
    bool sane = is_sane_with(root, repeats);
    struct writer_state w = {
        .node = node, .text = parser->why, .form = DESCRIPTOR_PUBLIC, .params = parser->params};
    bool ok = sane && is_satisfiable(root);

    if (!ok) {
        bad = find_bad_part(root, keys, scratch, repeats);
        if (bad == NULL)
            bad = root;
        parser->why->len = 0;
        write_ms(&w, bad, false);
        buf_add_string(parser->why, flaw_of(root, bad, sane, repeats_a_key(bad, keys, scratch)));
    }
    free(keys);
    for (size_t i = 0; ok && i < node->keys_n; i++) {
        size_t n = key_expr_branches(&node->keys[i]);

        if (n != 1 && n != branches)
            ok = parser_say(parser, "Miniscript: Multipath derivation paths have mismatched "
                                    "lengths");
    }
    return ok;
}

/* --- Script --- */

static void write_script(const struct miniscript *ms, struct buf *script, const struct pubkey *keys,
                         bool verify);

static void write_pubkey(const struct miniscript *ms, struct buf *script, const struct pubkey *key)
{
    if (ms->is_tap)
        script_add_push(script, span_of(pubkey_xonly(key), XONLY_BYTES));
    else
        script_add_push(script, span_of_pubkey(key));
}

static void write_pubkey_hash(const struct miniscript *ms, struct buf *script,
                              const struct pubkey *key)
{
    uint8_t hash[HASH160_BYTES];

    if (ms->is_tap)
        hash160(hash, pubkey_xonly(key), XONLY_BYTES);
    else
        hash160(hash, key->b, key->len);
    script_add_op(script, OP_DUP);
    script_add_op(script, OP_HASH160);
    script_add_push(script, span_of(hash, sizeof(hash)));
    script_add_op(script, OP_EQUALVERIFY);
}

static void write_leaf_script(const struct miniscript *ms, struct buf *script,
                              const struct pubkey *keys, bool verify)
{
    static const enum opcode hash_ops[] = {[FRAGMENT_SHA256] = OP_SHA256,
                                           [FRAGMENT_HASH256] = OP_HASH256,
                                           [FRAGMENT_RIPEMD160] = OP_RIPEMD160,
                                           [FRAGMENT_HASH160] = OP_HASH160};

    switch (ms->fragment) {
    case FRAGMENT_0:
    case FRAGMENT_1:
        script_add_op(script, ms->fragment == FRAGMENT_0 ? OP_0 : OP_1);
        return;
    case FRAGMENT_PK_K:
        write_pubkey(ms, script, &keys[ms->key]);
        return;
    case FRAGMENT_PK_H:
        write_pubkey_hash(ms, script, &keys[ms->key]);
        return;
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
        script_add_number(script, ms->k);
        script_add_op(script, ms->fragment == FRAGMENT_OLDER ? OP_CHECKSEQUENCEVERIFY
                                                             : OP_CHECKLOCKTIMEVERIFY);
        return;
    case FRAGMENT_MULTI:
        script_write_multisig(script, ms->k, &keys[ms->key], ms->keys_n);
        if (verify)
            script->data[script->len - 1] = OP_CHECKMULTISIGVERIFY;
        return;
    case FRAGMENT_MULTI_A:
        script_write_multi_a(script, ms->k, &keys[ms->key], ms->keys_n);
        if (verify)
            script->data[script->len - 1] = OP_NUMEQUALVERIFY;
        return;
    default:
        script_add_op(script, OP_SIZE);
        script_add_number(script, 32);
        script_add_op(script, OP_EQUALVERIFY);
        script_add_op(script, (uint8_t)hash_ops[ms->fragment]);
        script_add_push(script, ms->hash);
        script_add_op(script, verify ? OP_EQUALVERIFY : OP_EQUAL);
        return;
    }
}

/* Opcodes before the sub of a wrapper and behind it; 0: none. */
static void write_wrapper_script(const struct miniscript *ms, struct buf *script,
                                 const struct pubkey *keys, bool verify)
{
    const struct miniscript *sub = ms->subs[0];

    switch (ms->fragment) {
    case FRAGMENT_A:
        script_add_op(script, OP_TOALTSTACK);
        write_script(sub, script, keys, false);
        script_add_op(script, OP_FROMALTSTACK);
        return;
    case FRAGMENT_S:
        script_add_op(script, OP_SWAP);
        write_script(sub, script, keys, verify);
        return;
    case FRAGMENT_C:
        write_script(sub, script, keys, false);
        script_add_op(script, verify ? OP_CHECKSIGVERIFY : OP_CHECKSIG);
        return;
    case FRAGMENT_D:
        script_add_op(script, OP_DUP);
        script_add_op(script, OP_IF);
        write_script(sub, script, keys, false);
        script_add_op(script, OP_ENDIF);
        return;
    case FRAGMENT_V:
        write_script(sub, script, keys, true);
        if (miniscript_has(sub, TYPE_X))
            script_add_op(script, OP_VERIFY);
        return;
    case FRAGMENT_J:
        script_add_op(script, OP_SIZE);
        script_add_op(script, OP_0NOTEQUAL);
        script_add_op(script, OP_IF);
        write_script(sub, script, keys, false);
        script_add_op(script, OP_ENDIF);
        return;
    default:
        write_script(sub, script, keys, false);
        script_add_op(script, OP_0NOTEQUAL);
        return;
    }
}

static void write_thresh_script(const struct miniscript *ms, struct buf *script,
                                const struct pubkey *keys, bool verify)
{
    for (uint32_t i = 0; i < ms->subs_n; i++) {
        write_script(ms->subs[i], script, keys, false);
        if (i > 0)
            script_add_op(script, OP_ADD);
    }
    script_add_number(script, ms->k);
    script_add_op(script, verify ? OP_EQUALVERIFY : OP_EQUAL);
}

static void write_combined_script(const struct miniscript *ms, struct buf *script,
                                  const struct pubkey *keys, bool verify)
{
    if (ms->fragment == FRAGMENT_OR_I) {
        script_add_op(script, OP_IF);
        write_script(ms->subs[0], script, keys, false);
        script_add_op(script, OP_ELSE);
        write_script(ms->subs[1], script, keys, false);
        script_add_op(script, OP_ENDIF);
        return;
    }
    write_script(ms->subs[0], script, keys, false);
    if (ms->fragment == FRAGMENT_AND_V) {
        write_script(ms->subs[1], script, keys, verify);
        return;
    }
    if (ms->fragment == FRAGMENT_AND_B || ms->fragment == FRAGMENT_OR_B) {
        write_script(ms->subs[1], script, keys, false);
        script_add_op(script, ms->fragment == FRAGMENT_AND_B ? OP_BOOLAND : OP_BOOLOR);
        return;
    }
    if (ms->fragment == FRAGMENT_OR_D)
        script_add_op(script, OP_IFDUP);
    script_add_op(script, OP_NOTIF);
    if (ms->fragment == FRAGMENT_ANDOR) {
        write_script(ms->subs[2], script, keys, false);
        script_add_op(script, OP_ELSE);
    }
    write_script(ms->subs[1], script, keys, false);
    script_add_op(script, OP_ENDIF);
}

/* verify: a VERIFY follows, which the last opcode takes into itself if it can. */
static void write_script(const struct miniscript *ms, struct buf *script, const struct pubkey *keys,
                         bool verify)
{
    if (ms->fragment == FRAGMENT_THRESH)
        write_thresh_script(ms, script, keys, verify);
    else if (ms->subs_n == 0)
        write_leaf_script(ms, script, keys, verify);
    else if (ms->subs_n == 1)
        write_wrapper_script(ms, script, keys, verify);
    else
        write_combined_script(ms, script, keys, verify);
}

void miniscript_write_script(const struct descriptor_node *node, struct buf *script,
                             const struct pubkey *keys)
{
    size_t from = script->len;

    write_script(node->miniscript, script, keys, false);
    VERIFY(script->len - from == node->miniscript->script_bytes);
    (void)from;
}
