/* Miniscript from text. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "keys/miniscript.h"
#include "keys/text.h"
#include "script/parse.h"

/* State of one parse. */
struct ms_parser {
    struct descriptor_parser *parser;
    struct arena *arena;
    struct span rest;
    bool is_tap;
    bool key_failed;
    uint64_t bytes;        /* Script bytes of the leaves so far. */
    struct key_expr *keys; /* Owned until the end; then copied to the arena. */
    size_t keys_n;
    size_t keys_capacity;
    uint32_t depth;
};

static struct miniscript *parse_wrapped(struct ms_parser *p);

struct miniscript *miniscript_make(struct arena *arena, const struct miniscript *form,
                                   const struct miniscript *const *subs, size_t subs_n)
{
    struct miniscript *node = arena_array(arena, 1, sizeof(*node));

    *node = *form;
    node->depth = 0;
    node->subs_n = (uint32_t)subs_n;
    node->subs = arena_array(arena, subs_n, sizeof(*node->subs));
    for (size_t i = 0; i < subs_n; i++) {
        node->subs[i] = subs[i];
        node->depth = MAX(node->depth, subs[i]->depth);
    }
    if (++node->depth > MINISCRIPT_DEPTH_MAX)
        return NULL;
    miniscript_analyse(node);
    return node;
}

static struct miniscript *make(struct ms_parser *p, enum fragment fragment,
                               const struct miniscript *const *subs, size_t subs_n, uint32_t k)
{
    struct miniscript form = {.fragment = fragment, .is_tap = p->is_tap, .k = k};

    return miniscript_make(p->arena, &form, subs, subs_n);
}

/* A leaf adds to the least size of the script, which is bounded before more is
 * read. */
static struct miniscript *make_leaf(struct ms_parser *p, const struct miniscript *form)
{
    struct miniscript *node = miniscript_make(p->arena, form, NULL, 0);

    p->bytes += node->script_bytes;
    return p->bytes > miniscript_bytes_max(p->is_tap) ? NULL : node;
}

static bool parse_key(struct ms_parser *p, struct span text, uint32_t *ret_index)
{
    enum descriptor_place place = p->is_tap ? PLACE_P2TR : PLACE_P2WSH;

    if (p->keys_n == p->keys_capacity) {
        p->keys_capacity = MAX(8, p->keys_capacity * 2);
        p->keys = realloc_array(p->keys, p->keys_capacity, sizeof(*p->keys));
    }
    if (!key_expr_parse(p->parser, &p->keys[p->keys_n], text, place)) {
        p->key_failed = true;
        return false;
    }
    *ret_index = (uint32_t)p->keys_n++;
    return true;
}

/* Is the rest "name(...)" up to where its expression ends? Then it is cut off and
 * ret_inner what is between. */
static bool take_call(struct ms_parser *p, const char *name, struct span *ret_inner)
{
    *ret_inner = text_take_expression(&p->rest);
    return text_enter(ret_inner, name);
}

static struct miniscript *parse_key_leaf(struct ms_parser *p, const char *name,
                                         enum fragment fragment, bool check)
{
    struct miniscript form = {.fragment = fragment, .is_tap = p->is_tap, .keys_n = 1};
    const struct miniscript *leaf;
    struct span inner;

    if (!take_call(p, name, &inner) || !parse_key(p, inner, &form.key))
        return NULL;
    leaf = make_leaf(p, &form);
    if (leaf == NULL || !check)
        return (struct miniscript *)leaf;
    return make(p, FRAGMENT_C, &leaf, 1, 0);
}

static struct miniscript *parse_hash(struct ms_parser *p, const char *name, enum fragment fragment,
                                     size_t len)
{
    struct miniscript form = {.fragment = fragment, .is_tap = p->is_tap};
    struct span inner;
    uint8_t *hash;

    if (!take_call(p, name, &inner) || !text_is_hex(inner) || inner.len != 2 * len)
        return NULL;
    hash = arena_alloc(p->arena, len);
    CHECK(hex_read(hash, len, (const char *)inner.data, inner.len));
    form.hash = span_of(hash, len);
    return make_leaf(p, &form);
}

static struct miniscript *parse_lock(struct ms_parser *p, const char *name, enum fragment fragment)
{
    struct miniscript form = {.fragment = fragment, .is_tap = p->is_tap};
    struct span inner;
    int64_t number;

    if (!take_call(p, name, &inner) || !text_read_i64(inner, &number) || number < 1 ||
        number > INT32_MAX)
        return NULL;
    form.k = (uint32_t)number;
    return make_leaf(p, &form);
}

/* Cut off up to the next c, which is dropped; false if a ')' comes first. */
static bool take_until(struct span *text, char c, struct span *ret_part)
{
    for (size_t i = 0; i < text->len; i++) {
        if ((char)text->data[i] == c) {
            *ret_part = span_of(text->data, i);
            *text = text_from(*text, i + 1);
            return i > 0;
        }
        if (text->data[i] == ')')
            break;
    }
    return false;
}

/* "k,key,...)", behind the opening bracket. */
static struct miniscript *parse_multi(struct ms_parser *p, enum fragment fragment)
{
    struct miniscript form = {.fragment = fragment, .is_tap = p->is_tap};
    uint32_t most =
        fragment == FRAGMENT_MULTI ? SCRIPT_MULTISIG_KEYS_MAX : MINISCRIPT_MULTI_A_KEYS_MAX;
    struct span part;
    int64_t k;
    bool more = true;

    if (p->is_tap != (fragment == FRAGMENT_MULTI_A))
        return NULL;
    if (!take_until(&p->rest, ',', &part) || !text_read_i64(part, &k))
        return NULL;
    while (more) {
        uint32_t index;

        more = take_until(&p->rest, ',', &part);
        if (!more && !take_until(&p->rest, ')', &part))
            return NULL;
        if (!parse_key(p, part, &index))
            return NULL;
        if (form.keys_n++ == 0)
            form.key = index;
    }
    if (form.keys_n > most || k < 1 || k > form.keys_n)
        return NULL;
    form.k = (uint32_t)k;
    return make_leaf(p, &form);
}

static struct miniscript *parse_thresh(struct ms_parser *p)
{
    const struct miniscript **subs = NULL;
    struct miniscript *node = NULL;
    struct span part;
    size_t capacity = 0;
    size_t n = 0;
    int64_t k;

    if (!take_until(&p->rest, ',', &part) || !text_read_i64(part, &k) || k < 1)
        return NULL;
    do {
        if (n == capacity) {
            capacity = MAX(4, capacity * 2);
            subs = realloc_array(subs, capacity, sizeof(*subs));
        }
        subs[n] = parse_wrapped(p);
        if (subs[n] == NULL)
            goto done;
        n++;
    } while (text_skip(&p->rest, ","));
    if (text_skip(&p->rest, ")") && k <= (int64_t)n)
        node = make(p, FRAGMENT_THRESH, subs, n, (uint32_t)k);

done:
    free(subs);
    return node;
}

/* subs_n expressions and the closing bracket. and_n: andor with 0 last. */
static struct miniscript *parse_combination(struct ms_parser *p, enum fragment fragment,
                                            size_t subs_n, bool is_and_n)
{
    const struct miniscript *subs[3];

    for (size_t i = 0; i < subs_n; i++) {
        if (i > 0 && !text_skip(&p->rest, ","))
            return NULL;
        subs[i] = parse_wrapped(p);
        if (subs[i] == NULL)
            return NULL;
    }
    if (!text_skip(&p->rest, ")"))
        return NULL;
    if (is_and_n) {
        subs[subs_n] = make(p, FRAGMENT_0, NULL, 0, 0);
        subs_n++;
    }
    return make(p, fragment, subs, subs_n, 0);
}

static struct miniscript *parse_leaf(struct ms_parser *p, bool *ret_found)
{
    struct miniscript constant = {.is_tap = p->is_tap};

    *ret_found = true;
    if (text_skip(&p->rest, "0")) {
        constant.fragment = FRAGMENT_0;
        return make_leaf(p, &constant);
    }
    if (text_skip(&p->rest, "1")) {
        constant.fragment = FRAGMENT_1;
        return make_leaf(p, &constant);
    }
    if (text_begins(p->rest, "pk("))
        return parse_key_leaf(p, "pk", FRAGMENT_PK_K, true);
    if (text_begins(p->rest, "pkh("))
        return parse_key_leaf(p, "pkh", FRAGMENT_PK_H, true);
    if (text_begins(p->rest, "pk_k("))
        return parse_key_leaf(p, "pk_k", FRAGMENT_PK_K, false);
    if (text_begins(p->rest, "pk_h("))
        return parse_key_leaf(p, "pk_h", FRAGMENT_PK_H, false);
    if (text_begins(p->rest, "sha256("))
        return parse_hash(p, "sha256", FRAGMENT_SHA256, 32);
    if (text_begins(p->rest, "ripemd160("))
        return parse_hash(p, "ripemd160", FRAGMENT_RIPEMD160, 20);
    if (text_begins(p->rest, "hash256("))
        return parse_hash(p, "hash256", FRAGMENT_HASH256, 32);
    if (text_begins(p->rest, "hash160("))
        return parse_hash(p, "hash160", FRAGMENT_HASH160, 20);
    if (text_begins(p->rest, "after("))
        return parse_lock(p, "after", FRAGMENT_AFTER);
    if (text_begins(p->rest, "older("))
        return parse_lock(p, "older", FRAGMENT_OLDER);
    if (text_skip(&p->rest, "multi("))
        return parse_multi(p, FRAGMENT_MULTI);
    if (text_skip(&p->rest, "multi_a("))
        return parse_multi(p, FRAGMENT_MULTI_A);
    *ret_found = false;
    return NULL;
}

static struct miniscript *parse_expression(struct ms_parser *p)
{
    static const struct {
        const char *name;
        enum fragment fragment;
        size_t subs_n;
    } combinations[] = {
        {"andor(", FRAGMENT_ANDOR, 3}, {"and_n(", FRAGMENT_ANDOR, 2}, {"and_b(", FRAGMENT_AND_B, 2},
        {"and_v(", FRAGMENT_AND_V, 2}, {"or_b(", FRAGMENT_OR_B, 2},   {"or_c(", FRAGMENT_OR_C, 2},
        {"or_d(", FRAGMENT_OR_D, 2},   {"or_i(", FRAGMENT_OR_I, 2},
    };
    struct miniscript *node;
    bool found;

    node = parse_leaf(p, &found);
    if (found)
        return node;
    if (text_skip(&p->rest, "thresh("))
        return parse_thresh(p);
    for (size_t i = 0; i < ARRAY_LEN(combinations); i++) {
        bool is_and_n = combinations[i].fragment == FRAGMENT_ANDOR && combinations[i].subs_n == 2;

        if (text_skip(&p->rest, combinations[i].name))
            return parse_combination(p, combinations[i].fragment, combinations[i].subs_n, is_and_n);
    }
    return NULL;
}

/* One letter in front of the colon around what is behind it. */
static struct miniscript *wrap(struct ms_parser *p, char letter, const struct miniscript *inner)
{
    static const char letters[] = "ascdvjn";
    static const enum fragment fragments[] = {FRAGMENT_A, FRAGMENT_S, FRAGMENT_C, FRAGMENT_D,
                                              FRAGMENT_V, FRAGMENT_J, FRAGMENT_N};
    const struct miniscript *subs[2] = {inner, inner};
    const char *found = strchr(letters, letter);

    if (found != NULL)
        return make(p, fragments[found - letters], &inner, 1, 0);
    if (letter == 't') {
        subs[1] = make(p, FRAGMENT_1, NULL, 0, 0);
        return make(p, FRAGMENT_AND_V, subs, 2, 0);
    }
    subs[letter == 'l' ? 0 : 1] = make(p, FRAGMENT_0, NULL, 0, 0);
    return make(p, FRAGMENT_OR_I, subs, 2, 0);
}

/* How many letters stand before a ':'; ret_ok: all of them wrappers? */
static size_t count_wrappers(struct span text, bool *ret_ok)
{
    size_t n = 0;

    *ret_ok = true;
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == ':') {
            n = i;
            break;
        }
        if (text.data[i] < 'a' || text.data[i] > 'z')
            break;
    }
    for (size_t i = 0; i < n; i++) {
        bool again_v = i > 0 && text.data[i] == 'v' && text.data[i - 1] == 'v';

        if (text.data[i] == 0 || strchr("ascdvjntlu", (char)text.data[i]) == NULL || again_v)
            *ret_ok = false;
    }
    return n;
}

static struct miniscript *parse_wrapped(struct ms_parser *p)
{
    struct span letters = p->rest;
    struct miniscript *node = NULL;
    bool ok;
    size_t n = count_wrappers(letters, &ok);

    if (!ok || n > MINISCRIPT_DEPTH_MAX || p->depth == MINISCRIPT_DEPTH_MAX)
        return NULL;
    if (n > 0)
        p->rest = text_from(p->rest, n + 1);
    p->depth++;
    node = parse_expression(p);
    p->depth--;
    while (node != NULL && n > 0)
        node = wrap(p, (char)letters.data[--n], node);
    return node;
}

bool miniscript_parse(struct descriptor_parser *parser, struct descriptor_node *node,
                      struct span text, bool *ret_is_miniscript)
{
    struct ms_parser p = {
        .parser = parser,
        .arena = parser->arena,
        .rest = text,
        .is_tap = node->place != PLACE_P2WSH,
    };
    const struct miniscript *root = parse_wrapped(&p);

    *ret_is_miniscript =
        root != NULL && p.rest.len == 0 && root->script_bytes <= miniscript_bytes_max(p.is_tap);
    if (*ret_is_miniscript) {
        node->miniscript = root;
        node->keys_n = p.keys_n;
        node->keys = arena_array(parser->arena, p.keys_n, sizeof(*node->keys));
        if (p.keys_n > 0)
            memcpy(node->keys, p.keys, p.keys_n * sizeof(*node->keys));
    }
    free(p.keys);
    return !p.key_failed;
}
