/* Reading the functions of descriptors. The order of the tests decides which
 * error a bad text gets. */
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "keys/descriptor_priv.h"
#include "keys/miniscript.h"
#include "keys/text.h"
#include "script/parse.h"

#define BARE_MULTISIG_KEYS_MAX 3 /* Standard outputs have no more. */
#define MULTI_A_KEYS_MAX 999     /* One stack element each. */

static bool in_legacy_or_v0(enum descriptor_place place)
{
    return place == PLACE_TOP || place == PLACE_P2SH || place == PLACE_P2WSH;
}

/* A function of one key. */
static bool parse_one_key(struct descriptor_parser *parser, struct descriptor_node *node,
                          enum descriptor_function function, struct span text,
                          enum descriptor_place key_place, const char *prefix)
{
    node->function = function;
    node->keys = arena_array(parser->arena, 1, sizeof(*node->keys));
    node->keys_n = 1;
    if (!key_expr_parse(parser, &node->keys[0], text, key_place))
        return parser_say_before(parser, prefix);
    return true;
}

static bool multi_is_tap(enum descriptor_function function)
{
    return function == FUNCTION_MULTI_A || function == FUNCTION_SORTEDMULTI_A;
}

static bool check_multi(struct descriptor_parser *parser, const struct descriptor_node *node,
                        size_t script_bytes)
{
    bool is_tap = multi_is_tap(node->function);
    size_t most = is_tap ? MULTI_A_KEYS_MAX : SCRIPT_MULTISIG_KEYS_MAX;
    size_t branches = descriptor_node_branches(node);

    if (node->keys_n == 0 || node->keys_n > most)
        return parser_say(parser,
                          "Cannot have %zu keys in %s; must have between 1 and %zu keys, inclusive",
                          node->keys_n, is_tap ? "multi_a" : "multisig", most);
    if (node->threshold < 1)
        return parser_say(parser, "Multisig threshold cannot be %u, must be at least 1",
                          node->threshold);
    if (node->threshold > node->keys_n)
        return parser_say(parser,
                          "Multisig threshold cannot be larger than the number of keys; threshold "
                          "is %u but only %zu keys specified",
                          node->threshold, node->keys_n);
    if (node->place == PLACE_TOP && node->keys_n > BARE_MULTISIG_KEYS_MAX)
        return parser_say(parser,
                          "Cannot have %zu pubkeys in bare multisig; only at most 3 pubkeys",
                          node->keys_n);
    if (node->place == PLACE_P2SH && script_bytes + 3 > SCRIPT_ELEMENT_BYTES_MAX)
        return parser_say(parser, "P2SH script is too large, %zu bytes is larger than %d bytes",
                          script_bytes + 3, SCRIPT_ELEMENT_BYTES_MAX);
    for (size_t i = 0; i < node->keys_n; i++) {
        size_t n = key_expr_branches(&node->keys[i]);

        if (n != 1 && n != branches)
            return parser_say(parser,
                              "multi(): Multipath derivation paths have mismatched lengths");
    }
    return true;
}

/* One more than can be valid; the text may hold any number. */
static size_t keys_room(struct span text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == ',' ? 1 : 0;
    return n;
}

static bool parse_multi(struct descriptor_parser *parser, struct descriptor_node *node,
                        enum descriptor_function function, struct span text)
{
    struct span threshold = text_take_expression(&text);
    size_t script_bytes = 0;

    node->function = function;
    if (!text_read_u32(threshold, &node->threshold))
        return parser_say(parser, "Multi threshold '%.*s' is not valid", TEXT_ARGS(threshold));
    node->keys = arena_array(parser->arena, keys_room(text), sizeof(*node->keys));
    while (text.len > 0) {
        if (!text_skip(&text, ","))
            return parser_say(parser, "Multi: expected ',', got '%c'", text.data[0]);
        if (!key_expr_parse(parser, &node->keys[node->keys_n], text_take_expression(&text),
                            node->place))
            return parser_say_before(parser, "Multi: ");
        script_bytes += key_expr_pubkey_bytes(&node->keys[node->keys_n]) + 1;
        node->keys_n++;
    }
    return check_multi(parser, node, script_bytes);
}

/* multi and its kin; *ret_done: text was one of them. */
static bool parse_any_multi(struct descriptor_parser *parser, struct descriptor_node *node,
                            struct span text, bool *ret_done)
{
    static const struct {
        const char *name;
        enum descriptor_function function;
    } rows[] = {
        {"multi", FUNCTION_MULTI},
        {"sortedmulti", FUNCTION_SORTEDMULTI},
        {"multi_a", FUNCTION_MULTI_A},
        {"sortedmulti_a", FUNCTION_SORTEDMULTI_A},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!text_enter(&text, rows[i].name))
            continue;
        *ret_done = true;
        if (multi_is_tap(rows[i].function) && node->place != PLACE_P2TR)
            return parser_say(parser, "Can only have multi_a/sortedmulti_a inside tr()");
        if (!multi_is_tap(rows[i].function) && !in_legacy_or_v0(node->place))
            return parser_say(parser,
                              "Can only have multi/sortedmulti at top level, in sh(), or in wsh()");
        return parse_multi(parser, node, rows[i].function, text);
    }
    return true;
}

/* sh and wsh. */
static bool parse_wrapped(struct descriptor_parser *parser, struct descriptor_node *node,
                          enum descriptor_function function, struct span text,
                          enum descriptor_place place)
{
    struct span inner = text_take_expression(&text);

    node->function = function;
    node->subs = arena_array(parser->arena, 1, sizeof(*node->subs));
    node->subs_n = 1;
    return descriptor_node_parse(parser, &node->subs[0], inner, place) && text.len == 0;
}

/* Where a walk through a tree stands: is_right[d]: right of the branch at depth d. */
struct tree_walk {
    bool is_right[TAPROOT_DEPTH_MAX];
    size_t depth;
};

/* The brackets and commas behind a leaf. */
static bool leave_leaf(struct descriptor_parser *parser, struct tree_walk *walk, struct span *text)
{
    while (walk->depth > 0 && walk->is_right[walk->depth - 1]) {
        if (!text_skip(text, "}"))
            return parser_say(parser, "tr(): expected '}' after script expression");
        walk->depth--;
    }
    if (walk->depth > 0) {
        if (!text_skip(text, ","))
            return parser_say(parser, "tr(): expected ',' after script expression");
        walk->is_right[walk->depth - 1] = true;
    }
    return true;
}

static bool parse_tree(struct descriptor_parser *parser, struct descriptor_node *node,
                       struct span text)
{
    struct tree_walk walk = {.depth = 0};
    size_t most = keys_room(text);

    node->subs = arena_array(parser->arena, most, sizeof(*node->subs));
    node->depths = arena_array(parser->arena, most, 1);
    do {
        while (text_skip(&text, "{")) {
            if (walk.depth == TAPROOT_DEPTH_MAX)
                return parser_say(parser, "tr() supports at most %d nesting levels",
                                  TAPROOT_DEPTH_MAX);
            walk.is_right[walk.depth++] = false;
        }
        CHECK(node->subs_n < most);
        if (!descriptor_node_parse(parser, &node->subs[node->subs_n], text_take_expression(&text),
                                   PLACE_P2TR))
            return false;
        node->depths[node->subs_n++] = (uint8_t)walk.depth;
        if (!leave_leaf(parser, &walk, &text))
            return false;
    } while (walk.depth > 0);
    if (text.len > 0)
        return parser_say(parser, "tr(): expected ')' after script expression");
    return true;
}

static bool parse_tr(struct descriptor_parser *parser, struct descriptor_node *node,
                     struct span text)
{
    size_t most = 1;
    size_t key_branches;

    if (!parse_one_key(parser, node, FUNCTION_TR, text_take_expression(&text), PLACE_P2TR,
                       "tr(): "))
        return false;
    if (text.len > 0) {
        if (!text_skip(&text, ","))
            return parser_say(parser, "tr: expected ',', got '%c'", text.data[0]);
        if (!parse_tree(parser, node, text))
            return false;
    }
    most = descriptor_node_branches(node);
    for (size_t i = 0; i < node->subs_n; i++) {
        size_t n = descriptor_node_branches(&node->subs[i]);

        if (n != 1 && n != most)
            return parser_say(parser, "tr(): Multipath subscripts have mismatched lengths");
    }
    key_branches = key_expr_branches(&node->keys[0]);
    if (key_branches > 1 && key_branches != most)
        return parser_say(parser,
                          "tr(): Multipath internal key mismatches multipath subscripts lengths");
    return true;
}

static bool parse_rawtr(struct descriptor_parser *parser, struct descriptor_node *node,
                        struct span text)
{
    struct span key = text_take_expression(&text);

    if (text.len > 0)
        return parser_say(parser, "rawtr(): only one key expected.");
    return parse_one_key(parser, node, FUNCTION_RAWTR, key, PLACE_P2TR, "rawtr(): ");
}

static bool parse_unused(struct descriptor_parser *parser, struct descriptor_node *node,
                         struct span text)
{
    struct span key = text_take_expression(&text);

    if (text.len > 0)
        return parser_say(parser, "unused(): only one key expected");
    if (!parse_one_key(parser, node, FUNCTION_UNUSED, key, PLACE_TOP, ""))
        return false;
    if (key_expr_is_range(&node->keys[0]))
        return parser_say(parser, "unused(): key cannot be ranged");
    return true;
}

static bool parse_addr(struct descriptor_parser *parser, struct descriptor_node *node,
                       struct span text)
{
    node->function = FUNCTION_ADDR;
    if (!address_read(&node->destination, text, parser->params, NULL))
        return parser_say(parser, "Address is not valid");
    return true;
}

static bool parse_raw(struct descriptor_parser *parser, struct descriptor_node *node,
                      struct span text)
{
    uint8_t *bytes;

    node->function = FUNCTION_RAW;
    if (!text_is_hex(text))
        return parser_say(parser, "Raw script is not hex");
    bytes = arena_alloc(parser->arena, text.len / 2);
    CHECK(hex_read(bytes, text.len / 2, (const char *)text.data, text.len));
    node->raw = span_of(bytes, text.len / 2);
    return true;
}

static bool parse_miniscript(struct descriptor_parser *parser, struct descriptor_node *node,
                             struct span text)
{
    bool is_miniscript = false;

    node->function = FUNCTION_MINISCRIPT;
    if (!miniscript_parse(parser, node, text, &is_miniscript))
        return false;
    if (is_miniscript) {
        if (node->place != PLACE_P2WSH && node->place != PLACE_P2TR)
            return parser_say(parser, "Miniscript expressions can only be used in wsh or tr.");
        return miniscript_check_sane(parser, node);
    }
    if (node->place == PLACE_P2SH)
        return parser_say(parser, "A function is needed within P2SH");
    if (node->place == PLACE_P2WSH)
        return parser_say(parser, "A function is needed within P2WSH");
    return parser_say(parser, "'%.*s' is not a valid descriptor function", TEXT_ARGS(text));
}

/* The functions that are told apart behind multi. */
static bool parse_output(struct descriptor_parser *parser, struct descriptor_node *node,
                         struct span text)
{
    bool at_top = node->place == PLACE_TOP;
    bool at_top_or_sh = at_top || node->place == PLACE_P2SH;
    struct span inner = text;

    if (text_enter(&inner, "wpkh")) {
        if (!at_top_or_sh)
            return parser_say(parser, "Can only have wpkh() at top level or inside sh()");
        return parse_one_key(parser, node, FUNCTION_WPKH, inner, PLACE_P2WPKH, "wpkh(): ");
    }
    if (text_enter(&inner, "sh")) {
        if (!at_top)
            return parser_say(parser, "Can only have sh() at top level");
        return parse_wrapped(parser, node, FUNCTION_SH, inner, PLACE_P2SH);
    }
    if (text_enter(&inner, "wsh")) {
        if (!at_top_or_sh)
            return parser_say(parser, "Can only have wsh() at top level or inside sh()");
        return parse_wrapped(parser, node, FUNCTION_WSH, inner, PLACE_P2WSH);
    }
    if (text_enter(&inner, "addr"))
        return at_top ? parse_addr(parser, node, inner)
                      : parser_say(parser, "Can only have addr() at top level");
    if (text_enter(&inner, "tr"))
        return at_top ? parse_tr(parser, node, inner)
                      : parser_say(parser, "Can only have tr at top level");
    if (text_enter(&inner, "rawtr"))
        return at_top ? parse_rawtr(parser, node, inner)
                      : parser_say(parser, "Can only have rawtr at top level");
    if (text_enter(&inner, "unused"))
        return at_top ? parse_unused(parser, node, inner)
                      : parser_say(parser, "Can only have unused at top level");
    if (text_enter(&inner, "raw"))
        return at_top ? parse_raw(parser, node, inner)
                      : parser_say(parser, "Can only have raw() at top level");
    return parse_miniscript(parser, node, text);
}

bool descriptor_node_parse(struct descriptor_parser *parser, struct descriptor_node *ret_node,
                           struct span text, enum descriptor_place place)
{
    struct span inner = text;
    bool is_done = false;
    bool ok;

    memset(ret_node, 0, sizeof(*ret_node));
    ret_node->place = place;
    if (text_enter(&inner, "pk"))
        return parse_one_key(parser, ret_node, FUNCTION_PK, inner, place, "pk(): ");
    if (in_legacy_or_v0(place) && text_enter(&inner, "pkh"))
        return parse_one_key(parser, ret_node, FUNCTION_PKH, inner, place, "pkh(): ");
    if (text_enter(&inner, "combo")) {
        if (place != PLACE_TOP)
            return parser_say(parser, "Can only have combo() at top level");
        return parse_one_key(parser, ret_node, FUNCTION_COMBO, inner, place, "combo(): ");
    }
    ok = parse_any_multi(parser, ret_node, text, &is_done);
    return is_done ? ok : parse_output(parser, ret_node, text);
}
