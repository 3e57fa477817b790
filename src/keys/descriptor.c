#include "keys/descriptor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "keys/descriptor_priv.h"
#include "keys/text.h"

/* BIP 380: every character a descriptor can have, in groups of 32 so that the
 * commonest share a group. */
static const char input_chars[] = "0123456789()[],'/*abcdefgh@:$%{}"
                                  "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
                                  "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
static const char checksum_chars[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

bool parser_say(struct descriptor_parser *parser, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    text = alloc((size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    parser->why->len = 0;
    buf_add_string(parser->why, text);
    free(text);
    return false;
}

bool parser_say_before(struct descriptor_parser *parser, const char *prefix)
{
    size_t len = strlen(prefix);
    size_t old_len = parser->why->len;

    (void)buf_extend(parser->why, len);
    memmove(parser->why->data + len, parser->why->data, old_len);
    memcpy(parser->why->data, prefix, len);
    return false;
}

/* BIP 380: the generator of its BCH code over GF(32). */
static uint64_t checksum_step(uint64_t c, uint64_t value)
{
    static const uint64_t generator[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
                                          0x644d626ffd};
    uint64_t top = c >> 35;

    c = (c & UINT64_C(0x7ffffffff)) << 5 ^ value;
    for (size_t i = 0; i < 5; i++) {
        if ((top >> i & 1) != 0)
            c ^= generator[i];
    }
    return c;
}

static bool checksum_of(char *ret_checksum, struct span text)
{
    uint64_t c = 1;
    uint64_t group = 0;
    size_t groups_n = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *found = text.data[i] == 0 ? NULL : strchr(input_chars, (char)text.data[i]);
        uint64_t at;

        if (found == NULL)
            return false;
        at = (uint64_t)(found - input_chars);
        c = checksum_step(c, at & 31);
        group = group * 3 + (at >> 5);
        if (++groups_n == 3) {
            c = checksum_step(c, group);
            group = 0;
            groups_n = 0;
        }
    }
    if (groups_n > 0)
        c = checksum_step(c, group);
    for (size_t i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        c = checksum_step(c, 0);
    c ^= 1;
    for (size_t i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        ret_checksum[i] = checksum_chars[c >> (5 * (DESCRIPTOR_CHECKSUM_CHARS - 1 - i)) & 31];
    ret_checksum[DESCRIPTOR_CHECKSUM_CHARS] = '\0';
    return true;
}

/* Cuts a checksum off text and compares it; ret_checksum: what it should be. */
static bool check_checksum(struct descriptor_parser *parser, char *ret_checksum, struct span *text,
                           bool require)
{
    bool has_checksum;
    bool has_second = false;
    struct span rest = *text;
    struct span payload = text_take_part(&rest, '#', &has_checksum);
    struct span given = text_take_part(&rest, '#', &has_second);

    if (has_second)
        return parser_say(parser, "Multiple '#' symbols");
    if (!has_checksum && require)
        return parser_say(parser, "Missing checksum");
    if (has_checksum && given.len != DESCRIPTOR_CHECKSUM_CHARS)
        return parser_say(parser, "Expected 8 character checksum, not %zu characters", given.len);
    if (!checksum_of(ret_checksum, payload))
        return parser_say(parser, "Invalid characters in payload");
    if (has_checksum && !text_equal(given, ret_checksum))
        return parser_say(parser, "Provided checksum '%.*s' does not match computed checksum '%s'",
                          TEXT_ARGS(given), ret_checksum);
    *text = payload;
    return true;
}

bool descriptor_checksum(char ret_checksum[DESCRIPTOR_CHECKSUM_CHARS + 1], struct span text)
{
    struct buf why = {0};
    struct descriptor_parser parser = {.why = &why};
    bool ok = check_checksum(&parser, ret_checksum, &text, false);

    buf_clear(&why);
    return ok;
}

void descriptor_add_checksum(struct buf *text, size_t from)
{
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];

    CHECK(checksum_of(checksum, span_of(text->data + from, text->len - from)));
    buf_add_byte(text, '#');
    buf_add_string(text, checksum);
}

static bool parse(struct descriptor_parser *parser, struct descriptor *descriptor, struct span text,
                  bool require_checksum)
{
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    struct span first;

    if (text.len > DESCRIPTOR_TEXT_MAX)
        return parser_say(parser, "Descriptor has more than %d characters", DESCRIPTOR_TEXT_MAX);
    if (!check_checksum(parser, checksum, &text, require_checksum))
        return false;
    first = text_take_expression(&text);
    if (!descriptor_node_parse(parser, &descriptor->root, first, PLACE_TOP))
        return false;
    descriptor->branches_n = descriptor_node_branches(&descriptor->root);
    return text.len == 0;
}

int descriptor_parse(struct descriptor **ret_descriptor, struct keyring *ring, struct span text,
                     bool require_checksum, const struct params *params, struct buf *why)
{
    struct descriptor *descriptor = alloc_zero(sizeof(*descriptor));
    struct buf unused = {0};
    struct descriptor_parser parser = {
        .arena = &descriptor->arena,
        .ring = ring,
        .params = params,
        .why = why == NULL ? &unused : why,
    };
    int rc = 0;

    arena_init(&descriptor->arena);
    descriptor->params = params;
    parser.why->len = 0;
    if (parse(&parser, descriptor, text, require_checksum)) {
        *ret_descriptor = descriptor;
        descriptor = NULL;
    } else {
        rc = E_MALFORMED;
    }
    buf_clear(&unused);
    descriptor_free(descriptor);
    return rc;
}

void descriptor_free(struct descriptor *descriptor)
{
    if (descriptor == NULL)
        return;
    arena_clear(&descriptor->arena);
    free(descriptor);
}

size_t descriptor_branches(const struct descriptor *descriptor)
{
    return descriptor->branches_n;
}

size_t descriptor_node_branches(const struct descriptor_node *node)
{
    size_t most = 1;

    for (size_t i = 0; i < node->keys_n; i++)
        most = MAX(most, key_expr_branches(&node->keys[i]));
    for (size_t i = 0; i < node->subs_n; i++)
        most = MAX(most, descriptor_node_branches(&node->subs[i]));
    return most;
}

static bool node_is_range(const struct descriptor_node *node)
{
    for (size_t i = 0; i < node->keys_n; i++) {
        if (key_expr_is_range(&node->keys[i]))
            return true;
    }
    for (size_t i = 0; i < node->subs_n; i++) {
        if (node_is_range(&node->subs[i]))
            return true;
    }
    return false;
}

bool descriptor_is_range(const struct descriptor *descriptor)
{
    return node_is_range(&descriptor->root);
}

bool descriptor_is_solvable(const struct descriptor *descriptor)
{
    return descriptor->root.function != FUNCTION_ADDR && descriptor->root.function != FUNCTION_RAW;
}

static enum output_type type_of_destination(const struct destination *destination)
{
    switch (destination->kind) {
    case DESTINATION_PUBKEY_HASH:
    case DESTINATION_SCRIPT_HASH:
        return OUTPUT_TYPE_LEGACY;
    case DESTINATION_WITNESS_V0_KEY_HASH:
    case DESTINATION_WITNESS_V0_SCRIPT_HASH:
        return OUTPUT_TYPE_BECH32;
    case DESTINATION_TAPROOT:
    case DESTINATION_WITNESS_UNKNOWN:
        return OUTPUT_TYPE_BECH32M;
    case DESTINATION_NONE:
    case DESTINATION_ANCHOR:
    case DESTINATION_PUBKEY:
        break;
    }
    return OUTPUT_TYPE_NONE;
}

enum output_type descriptor_output_type(const struct descriptor *descriptor)
{
    const struct descriptor_node *root = &descriptor->root;
    struct destination destination;

    switch (root->function) {
    case FUNCTION_PKH:
        return OUTPUT_TYPE_LEGACY;
    case FUNCTION_WPKH:
    case FUNCTION_WSH:
        return OUTPUT_TYPE_BECH32;
    case FUNCTION_SH:
        return root->subs[0].function == FUNCTION_WPKH || root->subs[0].function == FUNCTION_WSH
                   ? OUTPUT_TYPE_P2SH_SEGWIT
                   : OUTPUT_TYPE_LEGACY;
    case FUNCTION_TR:
    case FUNCTION_RAWTR:
        return OUTPUT_TYPE_BECH32M;
    case FUNCTION_ADDR:
        return type_of_destination(&root->destination);
    case FUNCTION_RAW:
        destination = destination_of_script(root->raw);
        return type_of_destination(&destination);
    case FUNCTION_PK:
    case FUNCTION_COMBO:
    case FUNCTION_MULTI:
    case FUNCTION_SORTEDMULTI:
    case FUNCTION_MULTI_A:
    case FUNCTION_SORTEDMULTI_A:
    case FUNCTION_UNUSED:
    case FUNCTION_MINISCRIPT:
        break;
    }
    return OUTPUT_TYPE_NONE;
}

void script_list_clear(struct script_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        buf_clear(&list->scripts[i]);
    free(list->scripts);
    list->scripts = NULL;
    list->n = 0;
}
