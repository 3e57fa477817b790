/* Key expressions of descriptors: an origin, a key and steps down from it; or
 * musig(). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "keys/descriptor_priv.h"
#include "keys/text.h"
#include "keys/wif.h"

/* More steps than a depth byte could count lead nowhere. */
#define PATH_STEPS_MAX 4096
#define PATH_CHOICES_MAX 4096
#define MUSIG_PARTS_MAX 4096

static size_t count_of(struct span text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += (char)text.data[i] == c ? 1 : 0;
    return n;
}

/* "7", "7h" or "7'". */
static bool parse_step(struct descriptor_parser *parser, uint32_t *ret_step, struct span text,
                       bool *apostrophe, bool *has_hardened)
{
    bool hardened = false;

    if (text.len > 0 && (text.data[text.len - 1] == '\'' || text.data[text.len - 1] == 'h')) {
        *apostrophe = text.data[text.len - 1] == '\'';
        hardened = true;
        text.len--;
    }
    if (!text_read_u32(text, ret_step))
        return parser_say(parser, "Key path value '%.*s' is not a valid uint32", TEXT_ARGS(text));
    if (*ret_step >= BIP32_HARDENED)
        return parser_say(parser, "Key path value %u is out of range", *ret_step);
    if (hardened) {
        *has_hardened = true;
        *ret_step |= BIP32_HARDENED;
    }
    return true;
}

/* Is the last of n items one of those before it? */
static bool repeats(const uint32_t *list, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (list[i] == list[n - 1])
            return true;
    }
    return false;
}

/* "<0;1h>". */
static bool parse_choices(struct descriptor_parser *parser, struct key_path *path, struct span text,
                          bool *apostrophe, bool *has_hardened)
{
    struct span rest = span_of(text.data + 1, text.len - 2);
    size_t n = count_of(rest, ';') + 1;
    uint32_t seen[PATH_CHOICES_MAX];
    bool more = true;

    if (path->choices_n > 0)
        return parser_say(parser, "Multiple multipath key path specifiers found");
    if (n < 2)
        return parser_say(parser, "Multipath key path specifiers must have at least two items");
    if (n > PATH_CHOICES_MAX)
        return parser_say(parser, "Multipath key path specifier has more than %d items",
                          PATH_CHOICES_MAX);
    for (size_t i = 0; more; i++) {
        if (!parse_step(parser, &seen[i], text_take_part(&rest, ';', &more), apostrophe,
                        has_hardened))
            return false;
        if (repeats(seen, i + 1))
            return parser_say(parser, "Duplicated key path value %u in multipath specifier",
                              seen[i]);
    }
    path->choices = arena_array(parser->arena, n, sizeof(*path->choices));
    memcpy(path->choices, seen, n * sizeof(*seen));
    path->choices_n = n;
    path->choice_at = path->steps_n;
    return true;
}

/* rest: what follows the first '/', if has_steps. */
static bool parse_path(struct descriptor_parser *parser, struct key_path *ret_path,
                       struct span rest, bool has_steps, bool allow_choices, bool *apostrophe,
                       bool *has_hardened)
{
    size_t most = has_steps ? count_of(rest, '/') + 1 : 0;

    memset(ret_path, 0, sizeof(*ret_path));
    if (most > PATH_STEPS_MAX)
        return parser_say(parser, "Key path has more than %d steps", PATH_STEPS_MAX);
    ret_path->steps = arena_array(parser->arena, most, sizeof(*ret_path->steps));
    while (has_steps) {
        struct span step = text_take_part(&rest, '/', &has_steps);

        if (step.len > 0 && step.data[0] == '<' && step.data[step.len - 1] == '>') {
            if (!allow_choices)
                return parser_say(parser,
                                  "Key path value '%.*s' specifies multipath in a section where "
                                  "multipath is not allowed",
                                  TEXT_ARGS(step));
            if (!parse_choices(parser, ret_path, step, apostrophe, has_hardened))
                return false;
            ret_path->steps[ret_path->steps_n++] = 0;
            continue;
        }
        if (!parse_step(parser, &ret_path->steps[ret_path->steps_n], step, apostrophe,
                        has_hardened))
            return false;
        ret_path->steps_n++;
    }
    return true;
}

/* Takes a final "*", "*h" or "*'" off a path. */
static enum key_range take_range(struct span *rest, bool *has_steps, bool *apostrophe)
{
    size_t last = rest->len;
    struct span step;
    enum key_range range;

    if (!*has_steps)
        return KEY_RANGE_NONE;
    while (last > 0 && rest->data[last - 1] != '/')
        last--;
    step = text_from(*rest, last);
    if (text_equal(step, "*")) {
        range = KEY_RANGE_PLAIN;
    } else if (text_equal(step, "*'") || text_equal(step, "*h")) {
        range = KEY_RANGE_HARDENED;
        *apostrophe = step.data[1] == '\'';
    } else {
        return KEY_RANGE_NONE;
    }
    *has_steps = last > 0;
    rest->len = last > 0 ? last - 1 : 0;
    return range;
}

static bool permits_uncompressed(enum descriptor_place place)
{
    return place == PLACE_TOP || place == PLACE_P2SH;
}

static bool parse_hex_key(struct descriptor_parser *parser, struct key_expr *key, struct span text,
                          enum descriptor_place place)
{
    struct buf bytes = {0};
    bool is_xonly;
    bool ok;

    CHECK(hex_read_buf(&bytes, (const char *)text.data, text.len));
    ok = pubkey_read(&key->pubkey, span_of_buf(&bytes));
    is_xonly = !ok && bytes.len == XONLY_BYTES && place == PLACE_P2TR;
    if (is_xonly) {
        key->pubkey = pubkey_of_xonly(bytes.data);
        ok = true;
    }
    buf_clear(&bytes);
    key->form = is_xonly ? KEY_XONLY : KEY_PLAIN;
    if (ok && pubkey_is_hybrid(&key->pubkey))
        return parser_say(parser, "Hybrid public keys are not allowed");
    if (!ok || !pubkey_is_on_curve(&key->pubkey))
        return parser_say(parser, "Pubkey '%.*s' is invalid", TEXT_ARGS(text));
    if (!permits_uncompressed(place) && !pubkey_is_compressed(&key->pubkey))
        return parser_say(parser, "Uncompressed keys are not allowed");
    return true;
}

static bool parse_secret_key(struct descriptor_parser *parser, struct key_expr *key,
                             const struct seckey *secret, enum descriptor_place place)
{
    if (!permits_uncompressed(place) && !secret->is_compressed)
        return parser_say(parser, "Uncompressed keys are not allowed");
    key->pubkey = pubkey_of_seckey(secret);
    key->form = place == PLACE_P2TR ? KEY_XONLY : KEY_PLAIN;
    keyring_add_secret(parser->ring, secret);
    return true;
}

static bool parse_extended_key(struct descriptor_parser *parser, struct key_expr *key,
                               struct span text, struct xprv *scratch)
{
    if (xprv_read(scratch, text, parser->params)) {
        key->xpub = xpub_of_xprv(scratch);
        return true;
    }
    if (xpub_read(&key->xpub, text, parser->params))
        return true;
    return parser_say(parser, "key '%.*s' is not valid", TEXT_ARGS(text));
}

/* What can stand behind the origin. */
static bool parse_inner(struct descriptor_parser *parser, struct key_expr *key, struct span text,
                        enum descriptor_place place, bool *apostrophe)
{
    bool has_steps;
    bool has_hardened = false;
    struct span first = text_take_part(&text, '/', &has_steps);
    struct xprv *secret = NULL;
    bool ok = false;

    if (first.len == 0)
        return parser_say(parser, "No key provided");
    if (first.data[0] == ' ' || first.data[first.len - 1] == ' ')
        return parser_say(parser, "Key '%.*s' is invalid due to whitespace", TEXT_ARGS(first));
    if (!has_steps && text_is_hex(first))
        return parse_hex_key(parser, key, first, place);

    secret = secret_alloc(sizeof(*secret));
    if (!has_steps && wif_read(&secret->key, first, parser->params)) {
        ok = parse_secret_key(parser, key, &secret->key, place);
        goto done;
    }
    key->form = KEY_BIP32;
    if (!parse_extended_key(parser, key, first, secret))
        goto done;
    key->range = take_range(&text, &has_steps, apostrophe);
    ok = parse_path(parser, &key->path, text, has_steps, true, apostrophe, &has_hardened);
    /* A key that was no xprv left the secret wiped. */
    if (ok && secp_seckey_is_valid(secret->key.b))
        keyring_add_secret(parser->ring, &secret->key);
    key->apostrophe = *apostrophe;

done:
    secret_free(secret, sizeof(*secret));
    return ok;
}

/* "d34db33f/84h/0h", without the brackets. */
static bool parse_origin(struct descriptor_parser *parser, struct key_expr *key, struct span text,
                         bool *apostrophe)
{
    bool has_steps;
    bool has_hardened = false;
    struct span fingerprint = text_take_part(&text, '/', &has_steps);

    if (fingerprint.len != 2 * BIP32_FINGERPRINT_BYTES)
        return parser_say(parser,
                          "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)",
                          fingerprint.len);
    if (!text_is_hex(fingerprint))
        return parser_say(parser, "Fingerprint '%.*s' is not hex", TEXT_ARGS(fingerprint));
    CHECK(hex_read(key->fingerprint, BIP32_FINGERPRINT_BYTES, (const char *)fingerprint.data,
                   fingerprint.len));
    return parse_path(parser, &key->origin, text, has_steps, false, apostrophe, &has_hardened);
}

/* What follows "musig(...)", from the '/' on. */
static bool parse_musig_path(struct descriptor_parser *parser, struct key_expr *key,
                             struct span text)
{
    bool apostrophe = false;
    bool has_hardened = false;
    bool has_steps = true;
    struct span rest = text_from(text, 1);

    for (size_t i = 0; i < key->parts_n; i++) {
        if (key->parts[i].form != KEY_BIP32)
            return parser_say(parser, "musig(): derivation requires all participants to be "
                                      "xpubs or xprvs");
    }
    if (key_expr_is_range(key))
        return parser_say(parser, "musig(): Cannot have ranged participant keys if musig() also "
                                  "has derivation");
    key->range = take_range(&rest, &has_steps, &apostrophe);
    if (key->range == KEY_RANGE_HARDENED)
        return parser_say(parser, "musig(): Cannot have hardened child derivation");
    if (!parse_path(parser, &key->path, rest, has_steps, true, &apostrophe, &has_hardened))
        return parser_say_before(parser, "musig(): ");
    if (has_hardened)
        return parser_say(parser, "musig(): cannot have hardened derivation steps");
    return true;
}

static bool check_musig_branches(struct descriptor_parser *parser, const struct key_expr *key)
{
    size_t most = 1;

    for (size_t i = 0; i < key->parts_n; i++)
        most = MAX(most, key_expr_branches(&key->parts[i]));
    if (most > 1 && key->path.choices_n > 1)
        return parser_say(parser, "musig(): Cannot have multipath participant keys if musig() is "
                                  "also multipath");
    for (size_t i = 0; i < key->parts_n; i++) {
        size_t n = key_expr_branches(&key->parts[i]);

        if (n != 1 && n != most)
            return parser_say(parser,
                              "musig(): Multipath derivation paths have mismatched lengths");
    }
    return true;
}

static bool parse_musig_parts(struct descriptor_parser *parser, struct key_expr *key,
                              struct span text)
{
    size_t most = count_of(text, ',') + 1;

    if (most > MUSIG_PARTS_MAX)
        return parser_say(parser, "musig(): more than %d participants", MUSIG_PARTS_MAX);
    key->parts = arena_array(parser->arena, most, sizeof(*key->parts));
    while (text.len > 0) {
        if (key->parts_n > 0 && !text_skip(&text, ","))
            return parser_say(parser, "musig(): expected ',', got '%c'", text.data[0]);
        if (!key_expr_parse(parser, &key->parts[key->parts_n], text_take_expression(&text),
                            PLACE_MUSIG))
            return parser_say_before(parser, "musig(): ");
        key->parts_n++;
    }
    if (key->parts_n == 0)
        return parser_say(parser, "musig(): Must contain key expressions");
    return true;
}

static bool parse_musig(struct descriptor_parser *parser, struct key_expr *key, struct span text,
                        enum descriptor_place place)
{
    size_t closing = count_of(text, ')');
    struct span inner;
    struct span rest = text;
    bool more;

    key->form = KEY_MUSIG;
    if (place != PLACE_P2TR)
        return parser_say(parser, "musig() is only allowed in tr() and rawtr()");
    if (closing > 1)
        return parser_say(parser, "Too many ')' in musig() expression");
    inner = text_take_part(&rest, ')', &more);
    if (closing == 0)
        return parser_say(parser, "Invalid musig() expression");
    inner.len++;
    if (!text_enter(&inner, "musig"))
        return parser_say(parser, "Invalid musig() expression");
    if (!parse_musig_parts(parser, key, inner))
        return false;
    if (text_begins(rest, "/") && !parse_musig_path(parser, key, rest))
        return false;
    return check_musig_branches(parser, key);
}

bool key_expr_parse(struct descriptor_parser *parser, struct key_expr *ret_key, struct span text,
                    enum descriptor_place place)
{
    bool apostrophe = false;
    bool has_more;
    struct span rest = text;
    struct span origin;

    memset(ret_key, 0, sizeof(*ret_key));
    if (text_begins(text, "musig("))
        return parse_musig(parser, ret_key, text, place);
    if (count_of(text, ']') > 1)
        return parser_say(parser, "Multiple ']' characters found for a single pubkey");
    origin = text_take_part(&rest, ']', &has_more);
    if (!has_more)
        return parse_inner(parser, ret_key, text, place, &apostrophe);
    if (origin.len == 0 || origin.data[0] != '[')
        return parser_say(parser,
                          "Key origin start '[ character expected but not found, got '%c' instead",
                          origin.len == 0 ? ']' : origin.data[0]);
    ret_key->has_origin = true;
    if (!parse_origin(parser, ret_key, text_from(origin, 1), &apostrophe) ||
        !parse_inner(parser, ret_key, rest, place, &apostrophe))
        return false;
    ret_key->apostrophe = apostrophe;
    return true;
}

size_t key_expr_branches(const struct key_expr *key)
{
    size_t most = MAX(1, key->path.choices_n);

    for (size_t i = 0; i < key->parts_n; i++)
        most = MAX(most, key_expr_branches(&key->parts[i]));
    return most;
}

bool key_expr_is_range(const struct key_expr *key)
{
    for (size_t i = 0; i < key->parts_n; i++) {
        if (key_expr_is_range(&key->parts[i]))
            return true;
    }
    return key->range != KEY_RANGE_NONE;
}

size_t key_expr_pubkey_bytes(const struct key_expr *key)
{
    if (key->form == KEY_MUSIG)
        return XONLY_BYTES;
    return key->form == KEY_BIP32 ? PUBKEY_COMPRESSED_BYTES : key->pubkey.len;
}

static uint32_t path_step(const struct key_path *path, size_t at, size_t branch)
{
    if (path->choices_n > 0 && at == path->choice_at)
        return path->choices[branch];
    return path->steps[at];
}

/* How many steps lead to the last hardened one. */
static size_t hardened_steps(const struct key_path *path, size_t branch)
{
    size_t n = path->steps_n;

    while (n > 0 && path_step(path, n - 1, branch) < BIP32_HARDENED)
        n--;
    return n;
}

static void write_steps(struct buf *text, const struct key_path *path, size_t from, size_t end,
                        size_t branch, bool apostrophe)
{
    for (size_t i = from; i < end; i++) {
        uint32_t step = path_step(path, i, branch);

        bip32_path_write(text, &step, 1, apostrophe);
    }
}

static void write_range(struct buf *text, enum key_range range, bool apostrophe)
{
    if (range != KEY_RANGE_NONE)
        buf_add_string(text, "/*");
    if (range == KEY_RANGE_HARDENED)
        buf_add_byte(text, apostrophe ? '\'' : 'h');
}

/* The extended secret key at the root of a key, if ring has it. */
static bool root_secret(const struct key_expr *key, struct xprv *ret_secret,
                        const struct keyring *ring)
{
    struct key_id id = pubkey_id(&key->xpub.pubkey);
    const struct seckey *secret = ring == NULL ? NULL : keyring_secret(ring, &id);

    if (secret == NULL)
        return false;
    ret_secret->place = key->xpub.place;
    ret_secret->key = *secret;
    return true;
}

/* steps_n steps down from the root. */
static bool secret_at(const struct key_expr *key, struct xprv *ret_secret, size_t steps_n,
                      size_t branch, const struct keyring *ring)
{
    if (!root_secret(key, ret_secret, ring))
        return false;
    for (size_t i = 0; i < steps_n; i++) {
        if (!xprv_derive(ret_secret, ret_secret, path_step(&key->path, i, branch)))
            return false;
    }
    return true;
}

static void write_origin(const struct key_expr *key, struct buf *text, bool apostrophe)
{
    hex_write_buf(text, span_of(key->fingerprint, sizeof(key->fingerprint)));
    write_steps(text, &key->origin, 0, key->origin.steps_n, 0, apostrophe);
}

/* A BIP 32 key whose text starts behind its last hardened step. */
static bool write_normalized(const struct key_expr *key, struct buf *text, size_t branch,
                             const struct keyring *ring, const struct params *params)
{
    size_t hardened = hardened_steps(&key->path, branch);
    uint8_t fingerprint[BIP32_FINGERPRINT_BYTES];
    struct xprv *secret = secret_alloc(sizeof(*secret));
    struct xpub xpub;
    bool ok = secret_at(key, secret, hardened, branch, ring);

    if (ok) {
        xpub = xpub_of_xprv(secret);
        buf_add_byte(text, '[');
        if (key->has_origin) {
            write_origin(key, text, false);
        } else {
            pubkey_fingerprint(fingerprint, &key->xpub.pubkey);
            hex_write_buf(text, span_of(fingerprint, sizeof(fingerprint)));
        }
        write_steps(text, &key->path, 0, hardened, branch, false);
        buf_add_byte(text, ']');
        xpub_write(text, &xpub, params);
        write_steps(text, &key->path, hardened, key->path.steps_n, branch, false);
        write_range(text, key->range, false);
    }
    secret_free(secret, sizeof(*secret));
    return ok;
}

static bool write_bip32(const struct key_expr *key, struct buf *text, size_t branch,
                        enum descriptor_form form, const struct keyring *ring,
                        const struct params *params)
{
    struct xprv *secret = secret_alloc(sizeof(*secret));
    bool is_secret = form == DESCRIPTOR_PRIVATE && root_secret(key, secret, ring);
    bool apostrophe =
        form == DESCRIPTOR_COMPAT || (key->apostrophe && form != DESCRIPTOR_NORMALIZED);

    if (is_secret)
        xprv_write(text, secret, params);
    else
        xpub_write(text, &key->xpub, params);
    write_steps(text, &key->path, 0, key->path.steps_n, branch, apostrophe);
    write_range(text, key->range, apostrophe);
    secret_free(secret, sizeof(*secret));
    return is_secret || form != DESCRIPTOR_PRIVATE;
}

static const struct seckey *secret_of(const struct key_expr *key, const struct keyring *ring)
{
    struct key_id id = pubkey_id(&key->pubkey);

    if (ring == NULL)
        return NULL;
    return key->form == KEY_XONLY ? keyring_secret_by_xonly(ring, pubkey_xonly(&key->pubkey))
                                  : keyring_secret(ring, &id);
}

static bool write_plain(const struct key_expr *key, struct buf *text, enum descriptor_form form,
                        const struct keyring *ring, const struct params *params)
{
    const struct seckey *secret = form == DESCRIPTOR_PRIVATE ? secret_of(key, ring) : NULL;

    if (secret != NULL)
        wif_write(text, secret, params);
    else if (key->form == KEY_XONLY)
        hex_write_buf(text, span_of(pubkey_xonly(&key->pubkey), XONLY_BYTES));
    else
        hex_write_buf(text, span_of_pubkey(&key->pubkey));
    return secret != NULL || form != DESCRIPTOR_PRIVATE;
}

static bool write_musig(const struct key_expr *key, struct buf *text, size_t branch,
                        enum descriptor_form form, const struct keyring *ring,
                        const struct params *params)
{
    bool any = form != DESCRIPTOR_PRIVATE;

    buf_add_string(text, "musig(");
    for (size_t i = 0; i < key->parts_n; i++) {
        bool ok;

        if (i > 0)
            buf_add_byte(text, ',');
        ok = key_expr_write(&key->parts[i], text, branch, form, ring, params);
        if (!ok && form != DESCRIPTOR_PRIVATE)
            return false;
        any = any || ok;
    }
    buf_add_byte(text, ')');
    write_steps(text, &key->path, 0, key->path.steps_n, branch, false);
    write_range(text, key->range, false);
    return any;
}

bool key_expr_write(const struct key_expr *key, struct buf *text, size_t branch,
                    enum descriptor_form form, const struct keyring *ring,
                    const struct params *params)
{
    /* A key with one branch is the same in all of them. */
    if (key_expr_branches(key) == 1)
        branch = 0;
    if (key->form == KEY_MUSIG)
        return write_musig(key, text, branch, form, ring, params);
    if (key->form == KEY_BIP32 && form == DESCRIPTOR_NORMALIZED &&
        key->range != KEY_RANGE_HARDENED && hardened_steps(&key->path, branch) > 0)
        return write_normalized(key, text, branch, ring, params);
    if (key->has_origin) {
        buf_add_byte(text, '[');
        write_origin(key, text,
                     form == DESCRIPTOR_COMPAT ||
                         (key->apostrophe && form != DESCRIPTOR_NORMALIZED));
        buf_add_byte(text, ']');
    }
    if (key->form == KEY_BIP32)
        return write_bip32(key, text, branch, form, ring, params);
    return write_plain(key, text, form, ring, params);
}

/* Tells out where a derived key comes from: the origin given in the text, or the
 * key that the path starts at. */
static void add_origin(const struct key_expr *key, const struct pubkey *root,
                       const struct pubkey *pubkey, struct keyring *out, size_t branch,
                       uint32_t index)
{
    size_t most = key->origin.steps_n + key->path.steps_n + 1;
    uint32_t *path = alloc_array(most, sizeof(*path));
    struct key_origin origin = {.path = path};
    size_t n = 0;

    if (key->has_origin)
        memcpy(origin.fingerprint, key->fingerprint, sizeof(origin.fingerprint));
    else
        pubkey_fingerprint(origin.fingerprint, root);
    for (size_t i = 0; i < key->origin.steps_n; i++)
        path[n++] = key->origin.steps[i];
    for (size_t i = 0; i < key->path.steps_n; i++)
        path[n++] = path_step(&key->path, i, branch);
    if (key->range != KEY_RANGE_NONE)
        path[n++] = key->range == KEY_RANGE_HARDENED ? index | BIP32_HARDENED : index;
    origin.path_n = n;
    keyring_add_origin(out, pubkey, &origin);
    free(path);
}

static bool derive_public(struct xpub *key, const struct key_path *path, enum key_range range,
                          size_t branch, uint32_t index)
{
    for (size_t i = 0; i < path->steps_n; i++) {
        if (!xpub_derive(key, key, path_step(path, i, branch), NULL))
            return false;
    }
    return range == KEY_RANGE_NONE || xpub_derive(key, key, index, NULL);
}

/* The extended secret key of an index. */
static bool derive_secret(const struct key_expr *key, struct xprv *ret_secret, size_t branch,
                          uint32_t index, const struct keyring *ring)
{
    uint32_t last = key->range == KEY_RANGE_HARDENED ? index | BIP32_HARDENED : index;

    return secret_at(key, ret_secret, key->path.steps_n, branch, ring) &&
           (key->range == KEY_RANGE_NONE || xprv_derive(ret_secret, ret_secret, last));
}

static bool derive_bip32(const struct key_expr *key, struct pubkey *ret_pubkey, size_t branch,
                         uint32_t index, const struct keyring *ring)
{
    struct xprv *secret = NULL;
    struct xpub xpub = key->xpub;
    bool ok;

    if (key->range != KEY_RANGE_HARDENED && hardened_steps(&key->path, branch) == 0) {
        ok = derive_public(&xpub, &key->path, key->range, branch, index);
        *ret_pubkey = xpub.pubkey;
        return ok;
    }
    secret = secret_alloc(sizeof(*secret));
    ok = derive_secret(key, secret, branch, index, ring);
    if (ok)
        *ret_pubkey = pubkey_of_seckey(&secret->key);
    secret_free(secret, sizeof(*secret));
    return ok;
}

static int compare_pubkeys(const void *a, const void *b)
{
    return pubkey_compare(a, b);
}

static bool derive_musig(const struct key_expr *key, struct pubkey *ret_pubkey, struct keyring *out,
                         size_t branch, uint32_t index, const struct keyring *ring)
{
    struct pubkey *parts = alloc_array(key->parts_n, sizeof(*parts));
    struct pubkey aggregate = {0};
    struct xpub synthetic;
    bool ok = true;

    for (size_t i = 0; ok && i < key->parts_n; i++)
        ok = key_expr_derive(&key->parts[i], &parts[i], out, branch, index, ring);
    if (ok) {
        qsort(parts, key->parts_n, sizeof(*parts), compare_pubkeys);
        ok = musig_aggregate(&aggregate, parts, key->parts_n);
    }
    *ret_pubkey = aggregate;
    if (ok && (key->path.steps_n > 0 || key->range != KEY_RANGE_NONE)) {
        synthetic = xpub_of_musig(&aggregate);
        ok = derive_public(&synthetic, &key->path, key->range, key->path.choices_n > 0 ? branch : 0,
                           index);
        *ret_pubkey = synthetic.pubkey;
    }
    if (ok && out != NULL)
        add_origin(key, &aggregate, ret_pubkey, out, branch, index);
    free(parts);
    return ok;
}

bool key_expr_derive(const struct key_expr *key, struct pubkey *ret_pubkey, struct keyring *out,
                     size_t branch, uint32_t index, const struct keyring *ring)
{
    const struct pubkey *root = &key->pubkey;

    if (key_expr_branches(key) == 1)
        branch = 0;
    if (key->form == KEY_MUSIG)
        return derive_musig(key, ret_pubkey, out, branch, index, ring);
    if (key->form == KEY_BIP32) {
        root = &key->xpub.pubkey;
        if (!derive_bip32(key, ret_pubkey, branch, index, ring))
            return false;
    } else {
        *ret_pubkey = key->pubkey;
    }
    if (out != NULL)
        add_origin(key, root, ret_pubkey, out, branch, index);
    return true;
}

void key_expr_derive_secret(const struct key_expr *key, struct keyring *out, size_t branch,
                            uint32_t index, const struct keyring *ring)
{
    const struct seckey *plain = NULL;
    struct xprv *secret = NULL;

    if (key_expr_branches(key) == 1)
        branch = 0;
    for (size_t i = 0; i < key->parts_n; i++)
        key_expr_derive_secret(&key->parts[i], out, branch, index, ring);
    if (key->form == KEY_PLAIN || key->form == KEY_XONLY) {
        plain = secret_of(key, ring);
        if (plain != NULL)
            keyring_add_secret(out, plain);
    } else if (key->form == KEY_BIP32) {
        secret = secret_alloc(sizeof(*secret));
        if (derive_secret(key, secret, branch, index, ring))
            keyring_add_secret(out, &secret->key);
        secret_free(secret, sizeof(*secret));
    }
}

void key_expr_of_pubkey(struct key_expr *ret_key, const struct pubkey *pubkey, bool is_xonly,
                        const struct key_origin *origin, struct arena *arena)
{
    memset(ret_key, 0, sizeof(*ret_key));
    ret_key->form = is_xonly ? KEY_XONLY : KEY_PLAIN;
    ret_key->pubkey = *pubkey;
    if (origin == NULL)
        return;
    ret_key->has_origin = true;
    memcpy(ret_key->fingerprint, origin->fingerprint, sizeof(ret_key->fingerprint));
    ret_key->origin.steps_n = origin->path_n;
    ret_key->origin.steps = arena_array(arena, origin->path_n, sizeof(*ret_key->origin.steps));
    if (origin->path_n > 0)
        memcpy(ret_key->origin.steps, origin->path, origin->path_n * sizeof(*origin->path));
}
