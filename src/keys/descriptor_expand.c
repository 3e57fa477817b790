/* From descriptors to scripts. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "keys/descriptor_priv.h"
#include "keys/miniscript.h"
#include "keys/script_write.h"

/* The arguments of an expansion, for all nodes. */
struct expansion {
    struct keyring *out; /* May be NULL. */
    size_t branch;
    uint32_t index;
    const struct keyring *ring;
};

static struct buf *add_script(struct script_list *list)
{
    list->scripts = realloc_array(list->scripts, list->n + 1, sizeof(*list->scripts));
    memset(&list->scripts[list->n], 0, sizeof(*list->scripts));
    return &list->scripts[list->n++];
}

static void know_script(const struct expansion *expansion, struct span script)
{
    if (expansion->out != NULL)
        keyring_add_script(expansion->out, script);
}

static int compare_pubkeys(const void *a, const void *b)
{
    return pubkey_compare(a, b);
}

static int compare_xonly(const void *a, const void *b)
{
    return memcmp(pubkey_xonly(a), pubkey_xonly(b), XONLY_BYTES);
}

static void expand_combo(const struct expansion *expansion, struct script_list *scripts,
                         const struct pubkey *key)
{
    struct key_id id = pubkey_id(key);
    struct buf *segwit;
    struct span segwit_script;

    script_add_p2pk(add_script(scripts), span_of_pubkey(key));
    script_add_p2pkh(add_script(scripts), id.b);
    if (!pubkey_is_compressed(key))
        return;
    segwit = add_script(scripts);
    script_write_p2wpkh_of(segwit, key);
    segwit_script = span_of_buf(segwit);
    know_script(expansion, segwit_script);
    script_write_p2sh_of(add_script(scripts), segwit_script);
}

static bool expand_node(const struct descriptor_node *node, const struct expansion *expansion,
                        struct script_list *scripts);

static bool expand_tr(const struct descriptor_node *node, const struct expansion *expansion,
                      struct script_list *scripts, const struct pubkey *key)
{
    struct taproot_leaf *leaves = alloc_array(node->subs_n, sizeof(*leaves));
    struct script_list leaf_scripts = {0};
    struct taproot taproot;
    struct arena arena;
    bool ok = true;

    arena_init(&arena);
    for (size_t i = 0; ok && i < node->subs_n; i++)
        ok = expand_node(&node->subs[i], expansion, &leaf_scripts);
    for (size_t i = 0; ok && i < node->subs_n; i++) {
        leaves[i].depth = node->depths[i];
        leaves[i].version = TAPROOT_LEAF_TAPSCRIPT;
        leaves[i].script = span_of_buf(&leaf_scripts.scripts[i]);
    }
    if (ok)
        ok = taproot_build(&taproot, pubkey_xonly(key), leaves, node->subs_n, &arena);
    if (ok) {
        script_add_witness_program(add_script(scripts), 1,
                                   span_of(taproot.output_key, XONLY_BYTES));
        if (expansion->out != NULL)
            keyring_add_taproot(expansion->out, &taproot);
    }
    script_list_clear(&leaf_scripts);
    arena_clear(&arena);
    free(leaves);
    return ok;
}

/* sh and wsh. */
static bool expand_wrapped(const struct descriptor_node *node, const struct expansion *expansion,
                           struct script_list *scripts)
{
    struct script_list inner = {0};
    bool ok = expand_node(&node->subs[0], expansion, &inner);

    if (ok) {
        struct span script = span_of_buf(&inner.scripts[0]);

        CHECK(inner.n == 1);
        know_script(expansion, script);
        if (node->function == FUNCTION_SH)
            script_write_p2sh_of(add_script(scripts), script);
        else
            script_write_p2wsh_of(add_script(scripts), script);
    }
    script_list_clear(&inner);
    return ok;
}

static void expand_pk(const struct descriptor_node *node, struct buf *script,
                      const struct pubkey *key)
{
    if (node->place != PLACE_P2TR) {
        script_add_p2pk(script, span_of_pubkey(key));
        return;
    }
    script_add_push(script, span_of(pubkey_xonly(key), XONLY_BYTES));
    script_add_op(script, OP_CHECKSIG);
}

/* A node whose keys are known. */
static bool expand_keys(const struct descriptor_node *node, const struct expansion *expansion,
                        struct script_list *scripts, struct pubkey *keys)
{
    struct key_id id = {0};

    switch (node->function) {
    case FUNCTION_PK:
        expand_pk(node, add_script(scripts), &keys[0]);
        return true;
    case FUNCTION_PKH:
        id = pubkey_id(&keys[0]);
        script_add_p2pkh(add_script(scripts), id.b);
        return true;
    case FUNCTION_WPKH:
        script_write_p2wpkh_of(add_script(scripts), &keys[0]);
        return true;
    case FUNCTION_COMBO:
        expand_combo(expansion, scripts, &keys[0]);
        return true;
    case FUNCTION_SORTEDMULTI:
        qsort(keys, node->keys_n, sizeof(*keys), compare_pubkeys);
        script_write_multisig(add_script(scripts), node->threshold, keys, node->keys_n);
        return true;
    case FUNCTION_MULTI:
        script_write_multisig(add_script(scripts), node->threshold, keys, node->keys_n);
        return true;
    case FUNCTION_SORTEDMULTI_A:
        qsort(keys, node->keys_n, sizeof(*keys), compare_xonly);
        script_write_multi_a(add_script(scripts), node->threshold, keys, node->keys_n);
        return true;
    case FUNCTION_MULTI_A:
        script_write_multi_a(add_script(scripts), node->threshold, keys, node->keys_n);
        return true;
    case FUNCTION_TR:
        return expand_tr(node, expansion, scripts, &keys[0]);
    case FUNCTION_RAWTR:
        script_add_witness_program(add_script(scripts), 1,
                                   span_of(pubkey_xonly(&keys[0]), XONLY_BYTES));
        return true;
    case FUNCTION_MINISCRIPT:
        miniscript_write_script(node, add_script(scripts), keys);
        return true;
    case FUNCTION_UNUSED:
        return true;
    case FUNCTION_SH:
    case FUNCTION_WSH:
    case FUNCTION_ADDR:
    case FUNCTION_RAW:
        break;
    }
    CHECK_NEVER("a function without keys");
    return false;
}

static bool expand_node(const struct descriptor_node *node, const struct expansion *expansion,
                        struct script_list *scripts)
{
    struct pubkey *keys = NULL;
    struct buf *script;
    bool ok = true;

    if (node->function == FUNCTION_SH || node->function == FUNCTION_WSH)
        return expand_wrapped(node, expansion, scripts);
    if (node->function == FUNCTION_ADDR) {
        destination_write_script(add_script(scripts), &node->destination);
        return true;
    }
    if (node->function == FUNCTION_RAW) {
        script = add_script(scripts);
        buf_add(script, node->raw.data, node->raw.len);
        return true;
    }
    keys = alloc_array(node->keys_n, sizeof(*keys));
    for (size_t i = 0; ok && i < node->keys_n; i++)
        ok = key_expr_derive(&node->keys[i], &keys[i], expansion->out, expansion->branch,
                             expansion->index, expansion->ring);
    if (ok)
        ok = expand_keys(node, expansion, scripts, keys);
    free(keys);
    return ok;
}

bool descriptor_expand(const struct descriptor *descriptor, struct script_list *scripts,
                       struct keyring *out, size_t branch, uint32_t index,
                       const struct keyring *ring)
{
    struct expansion expansion = {.out = out, .branch = branch, .index = index, .ring = ring};

    CHECK(branch < descriptor->branches_n);
    return expand_node(&descriptor->root, &expansion, scripts);
}
