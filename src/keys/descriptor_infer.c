/* From scripts to descriptors. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/hash160.h"
#include "crypto/ripemd160.h"
#include "keys/descriptor_priv.h"
#include "keys/miniscript.h"
#include "keys/script_write.h"
#include "script/number.h"
#include "script/parse.h"
#include "script/solver.h"

/* What inferring needs to know everywhere. */
struct inference {
    struct arena *arena;
    const struct keyring *ring;
};

static bool in_legacy_or_v0(enum descriptor_place place)
{
    return place == PLACE_TOP || place == PLACE_P2SH || place == PLACE_P2WSH;
}

/* A key of node, if it may stand there. */
static bool infer_key(const struct inference *in, struct key_expr *ret_key,
                      const struct pubkey *pubkey, enum descriptor_place place)
{
    struct key_id id = pubkey_id(pubkey);

    if (pubkey->len == 0 || pubkey_is_hybrid(pubkey))
        return false;
    if (place != PLACE_TOP && place != PLACE_P2SH && !pubkey_is_compressed(pubkey))
        return false;
    key_expr_of_pubkey(ret_key, pubkey, false, keyring_origin(in->ring, &id), in->arena);
    return true;
}

static void infer_xonly(const struct inference *in, struct key_expr *ret_key, const uint8_t *xonly)
{
    struct pubkey pubkey = pubkey_of_xonly(xonly);

    key_expr_of_pubkey(ret_key, &pubkey, true, keyring_origin_by_xonly(in->ring, xonly), in->arena);
}

static void start(const struct inference *in, struct descriptor_node *node,
                  enum descriptor_function function, enum descriptor_place place, size_t keys_n)
{
    memset(node, 0, sizeof(*node));
    node->function = function;
    node->place = place;
    node->keys_n = keys_n;
    node->keys = arena_array(in->arena, keys_n, sizeof(*node->keys));
}

static bool infer_one_key(const struct inference *in, struct descriptor_node *node,
                          enum descriptor_function function, enum descriptor_place place,
                          const struct pubkey *pubkey)
{
    start(in, node, function, place, 1);
    return pubkey != NULL &&
           infer_key(in, &node->keys[0], pubkey, function == FUNCTION_WPKH ? PLACE_P2WPKH : place);
}

/* <key> OP_CHECKSIG <key> OP_CHECKSIGADD ... <k> OP_NUMEQUAL, keys of 32 bytes. */
static bool infer_multi_a(const struct inference *in, struct descriptor_node *node,
                          struct span script)
{
    struct script_iter iter = script_iter_of(script);
    const size_t key_bytes = 1 + XONLY_BYTES + 1;
    size_t n = 0;
    struct span push;
    int64_t k = -1;
    uint8_t op;

    while (script.len >= (n + 1) * key_bytes && script.data[n * key_bytes] == XONLY_BYTES &&
           script.data[(n + 1) * key_bytes - 1] == (n == 0 ? OP_CHECKSIG : OP_CHECKSIGADD))
        n++;
    iter.at += n * key_bytes;
    if (n == 0 || n > MINISCRIPT_MULTI_A_KEYS_MAX || !script_next(&iter, &op, &push))
        return false;
    if (opcode_small_number(op) > 0)
        k = opcode_small_number(op);
    else if (op > OP_PUSHDATA4 || !script_push_is_minimal(op, push) ||
             !script_number_read(&k, push, SCRIPT_NUMBER_BYTES, true))
        return false;
    if (k < 1 || k > (int64_t)n || iter.end - iter.at != 1 || *iter.at != OP_NUMEQUAL)
        return false;
    start(in, node, FUNCTION_MULTI_A, PLACE_P2TR, n);
    node->threshold = (uint32_t)k;
    for (size_t i = 0; i < n; i++)
        infer_xonly(in, &node->keys[i], script.data + i * key_bytes + 1);
    return true;
}

static bool infer_node(const struct inference *in, struct descriptor_node *ret_node,
                       struct span script, enum descriptor_place place);

static bool infer_wrapped(const struct inference *in, struct descriptor_node *node,
                          enum descriptor_function function, enum descriptor_place place,
                          const uint8_t *hash)
{
    struct span inner;

    if (!keyring_script(in->ring, &inner, hash))
        return false;
    start(in, node, function, place, 0);
    node->subs_n = 1;
    node->subs = arena_array(in->arena, 1, sizeof(*node->subs));
    return infer_node(in, &node->subs[0], inner,
                      function == FUNCTION_SH ? PLACE_P2SH : PLACE_P2WSH);
}

static bool infer_tr(const struct inference *in, struct descriptor_node *node,
                     const uint8_t *output_key)
{
    const struct taproot *taproot = keyring_taproot(in->ring, output_key);
    bool ok = taproot != NULL;

    if (ok) {
        start(in, node, FUNCTION_TR, PLACE_TOP, 1);
        infer_xonly(in, &node->keys[0], taproot->internal_key);
        node->subs_n = taproot->leaves_n;
        node->subs = arena_array(in->arena, node->subs_n, sizeof(*node->subs));
        node->depths = arena_array(in->arena, node->subs_n, 1);
        for (size_t i = 0; ok && i < node->subs_n; i++) {
            node->depths[i] = taproot->leaves[i].depth;
            ok = taproot->leaves[i].version == TAPROOT_LEAF_TAPSCRIPT &&
                 infer_node(in, &node->subs[i], taproot->leaves[i].script, PLACE_P2TR);
        }
    }
    if (ok)
        return true;
    if (!xonly_is_on_curve(output_key))
        return false;
    start(in, node, FUNCTION_RAWTR, PLACE_TOP, 1);
    infer_xonly(in, &node->keys[0], output_key);
    return true;
}

static bool infer_multi(const struct inference *in, struct descriptor_node *node,
                        const struct solution *solution, enum descriptor_place place)
{
    struct pubkey pubkey;
    bool ok = true;

    start(in, node, FUNCTION_MULTI, place, solution->keys_n);
    node->threshold = solution->required;
    for (size_t i = 0; ok && i < node->keys_n; i++)
        ok = pubkey_read(&pubkey, solution->keys[i]) &&
             infer_key(in, &node->keys[i], &pubkey, place);
    return ok;
}

/* The standard forms. */
static bool infer_standard(const struct inference *in, struct descriptor_node *node,
                           struct span script, enum descriptor_place place)
{
    uint8_t hash[HASH160_BYTES];
    struct solution solution;
    struct pubkey pubkey;
    struct key_id id;

    script_solve(&solution, script);
    if (solution.data.len == KEY_ID_BYTES)
        memcpy(id.b, solution.data.data, KEY_ID_BYTES);
    switch (solution.type) {
    case SCRIPT_TYPE_PUBKEY:
        return in_legacy_or_v0(place) && pubkey_read(&pubkey, solution.data) &&
               infer_one_key(in, node, FUNCTION_PK, place, &pubkey);
    case SCRIPT_TYPE_PUBKEYHASH:
        return in_legacy_or_v0(place) &&
               infer_one_key(in, node, FUNCTION_PKH, place, keyring_pubkey(in->ring, &id));
    case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
        return (place == PLACE_TOP || place == PLACE_P2SH) &&
               infer_one_key(in, node, FUNCTION_WPKH, place, keyring_pubkey(in->ring, &id));
    case SCRIPT_TYPE_MULTISIG:
        return in_legacy_or_v0(place) && infer_multi(in, node, &solution, place);
    case SCRIPT_TYPE_SCRIPTHASH:
        return place == PLACE_TOP && infer_wrapped(in, node, FUNCTION_SH, place, id.b);
    case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
        ripemd160(hash, solution.data.data, solution.data.len);
        return (place == PLACE_TOP || place == PLACE_P2SH) &&
               infer_wrapped(in, node, FUNCTION_WSH, place, hash);
    case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
        return place == PLACE_TOP && infer_tr(in, node, solution.data.data);
    default:
        return false;
    }
}

/* addr() or raw(). */
static void infer_opaque(const struct inference *in, struct descriptor_node *node,
                         struct span script)
{
    struct destination destination = destination_of_script(script);
    struct buf again = {0};

    destination_write_script(&again, &destination);
    start(in, node, FUNCTION_RAW, PLACE_TOP, 0);
    node->raw = script;
    if (destination_has_address(&destination) && span_equal(span_of_buf(&again), script)) {
        node->function = FUNCTION_ADDR;
        node->destination = destination;
    }
    buf_clear(&again);
}

static bool infer_node(const struct inference *in, struct descriptor_node *ret_node,
                       struct span script, enum descriptor_place place)
{
    if (place == PLACE_P2TR) {
        if (script.len == 1 + XONLY_BYTES + 1 && script.data[0] == XONLY_BYTES &&
            script.data[script.len - 1] == OP_CHECKSIG) {
            start(in, ret_node, FUNCTION_PK, place, 1);
            infer_xonly(in, &ret_node->keys[0], script.data + 1);
            return true;
        }
        if (infer_multi_a(in, ret_node, script))
            return true;
    }
    if (infer_standard(in, ret_node, script, place))
        return true;
    if (place == PLACE_P2WSH || place == PLACE_P2TR)
        return miniscript_infer(ret_node, in->arena, script, place, in->ring) &&
               miniscript_is_sane(ret_node->miniscript, ret_node);
    return false;
}

struct descriptor *descriptor_infer(struct span script, const struct keyring *ring,
                                    const struct params *params)
{
    struct descriptor *descriptor = alloc_zero(sizeof(*descriptor));
    struct inference in = {.arena = &descriptor->arena, .ring = ring};
    uint8_t *copy;

    arena_init(&descriptor->arena);
    descriptor->params = params;
    descriptor->branches_n = 1;
    copy = arena_alloc(&descriptor->arena, script.len);
    if (script.len > 0)
        memcpy(copy, script.data, script.len);
    script = span_of(copy, script.len);
    if (!infer_node(&in, &descriptor->root, script, PLACE_TOP))
        infer_opaque(&in, &descriptor->root, script);
    return descriptor;
}
