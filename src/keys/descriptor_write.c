/* Descriptors as text. */
#include "base/check.h"
#include "base/hex.h"
#include "keys/descriptor_priv.h"
#include "keys/miniscript.h"

static const char *const function_names[] = {
    [FUNCTION_PK] = "pk",           [FUNCTION_PKH] = "pkh",
    [FUNCTION_WPKH] = "wpkh",       [FUNCTION_COMBO] = "combo",
    [FUNCTION_MULTI] = "multi",     [FUNCTION_SORTEDMULTI] = "sortedmulti",
    [FUNCTION_MULTI_A] = "multi_a", [FUNCTION_SORTEDMULTI_A] = "sortedmulti_a",
    [FUNCTION_SH] = "sh",           [FUNCTION_WSH] = "wsh",
    [FUNCTION_TR] = "tr",           [FUNCTION_RAWTR] = "rawtr",
    [FUNCTION_UNUSED] = "unused",   [FUNCTION_ADDR] = "addr",
    [FUNCTION_RAW] = "raw",
};

/* The leaves of tr with the braces that give their depths. */
static bool write_tree(const struct descriptor_node *node, struct buf *text, size_t branch,
                       enum descriptor_form form, const struct keyring *ring,
                       const struct params *params)
{
    bool is_right[TAPROOT_DEPTH_MAX + 1];
    bool any = form != DESCRIPTOR_PRIVATE;
    size_t depth = 0;

    for (size_t i = 0; i < node->subs_n; i++) {
        bool ok;

        buf_add_byte(text, ',');
        while (depth < node->depths[i]) {
            buf_add_byte(text, '{');
            is_right[depth++] = false;
        }
        ok = descriptor_node_write(&node->subs[i], text, branch, form, ring, params);
        if (!ok && form != DESCRIPTOR_PRIVATE)
            return false;
        any = any || ok;
        while (depth > 0 && is_right[depth - 1]) {
            buf_add_byte(text, '}');
            depth--;
        }
        if (depth > 0)
            is_right[depth - 1] = true;
    }
    return any;
}

/* What stands between the parentheses before keys and subexpressions. */
static bool write_extra(const struct descriptor_node *node, struct buf *text,
                        const struct params *params)
{
    switch (node->function) {
    case FUNCTION_MULTI:
    case FUNCTION_SORTEDMULTI:
    case FUNCTION_MULTI_A:
    case FUNCTION_SORTEDMULTI_A:
        buf_add_printf(text, "%u", node->threshold);
        return true;
    case FUNCTION_ADDR:
        CHECK(address_write(text, &node->destination, params));
        return true;
    case FUNCTION_RAW:
        hex_write_buf(text, node->raw);
        return true;
    default:
        return false;
    }
}

bool descriptor_node_write(const struct descriptor_node *node, struct buf *text, size_t branch,
                           enum descriptor_form form, const struct keyring *ring,
                           const struct params *params)
{
    bool any = form != DESCRIPTOR_PRIVATE;
    bool needs_comma;
    bool ok;

    if (descriptor_node_branches(node) == 1)
        branch = 0;
    if (node->function == FUNCTION_MINISCRIPT)
        return miniscript_write(node, text, branch, form, ring, params);
    buf_add_string(text, function_names[node->function]);
    buf_add_byte(text, '(');
    needs_comma = write_extra(node, text, params);
    for (size_t i = 0; i < node->keys_n; i++) {
        if (needs_comma)
            buf_add_byte(text, ',');
        needs_comma = true;
        ok = key_expr_write(&node->keys[i], text, branch, form, ring, params);
        if (!ok && form != DESCRIPTOR_PRIVATE)
            return false;
        any = any || ok;
    }
    if (node->subs_n > 0) {
        if (node->function == FUNCTION_TR)
            ok = write_tree(node, text, branch, form, ring, params);
        else
            ok = descriptor_node_write(&node->subs[0], text, branch, form, ring, params);
        if (!ok && form != DESCRIPTOR_PRIVATE)
            return false;
        any = any || ok;
    }
    buf_add_byte(text, ')');
    return any;
}

bool descriptor_write(const struct descriptor *descriptor, struct buf *text, size_t branch,
                      enum descriptor_form form, const struct keyring *ring)
{
    size_t from = text->len;
    bool ok =
        descriptor_node_write(&descriptor->root, text, branch, form, ring, descriptor->params);

    if (!ok && form == DESCRIPTOR_NORMALIZED) {
        text->len = from;
        return false;
    }
    descriptor_add_checksum(text, from);
    return ok;
}
