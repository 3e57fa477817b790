/* Miniscript from script: read from the end, since the last opcode tells most. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "keys/miniscript.h"
#include "script/number.h"
#include "script/parse.h"

/* One opcode; of the VERIFY forms two. */
struct step {
    uint8_t op;
    struct span push; /* Also the number of OP_1 .. OP_16. */
};

struct reading {
    struct arena *arena;
    const struct keyring *ring;
    const struct step *steps; /* Last opcode first. */
    size_t at;
    size_t n;
    bool is_tap;
    uint32_t depth;
    struct key_expr *keys; /* Owned until the end. */
    size_t keys_n;
    size_t keys_capacity;
};

static const uint8_t small_numbers[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* The opcode whose VERIFY form op is; 0: it is none. */
static uint8_t without_verify(uint8_t op)
{
    switch (op) {
    case OP_CHECKSIGVERIFY:
        return OP_CHECKSIG;
    case OP_CHECKMULTISIGVERIFY:
        return OP_CHECKMULTISIG;
    case OP_EQUALVERIFY:
        return OP_EQUAL;
    case OP_NUMEQUALVERIFY:
        return OP_NUMEQUAL;
    default:
        return 0;
    }
}

static bool has_verify_form(uint8_t op)
{
    return op == OP_CHECKSIG || op == OP_CHECKMULTISIG || op == OP_EQUAL || op == OP_NUMEQUAL;
}

/* Twice as much room as script has bytes. False: not the shortest encoding, so no
 * miniscript makes it. */
static bool split(struct step *ret_steps, size_t *ret_n, struct span script)
{
    struct script_iter iter = script_iter_of(script);
    size_t n = 0;

    while (!script_iter_done(&iter)) {
        struct step step;
        uint8_t plain;

        if (!script_next(&iter, &step.op, &step.push))
            return false;
        plain = without_verify(step.op);
        if (plain != 0) {
            ret_steps[n++] = (struct step){.op = plain};
            step.op = OP_VERIFY;
        } else if (step.op >= OP_1 && step.op <= OP_16) {
            step.push = span_of(&small_numbers[step.op - OP_1], 1);
        } else if (step.op <= OP_PUSHDATA4) {
            if (!script_push_is_minimal(step.op, step.push))
                return false;
        } else if (has_verify_form(step.op) && !script_iter_done(&iter) && *iter.at == OP_VERIFY) {
            return false;
        }
        ret_steps[n++] = step;
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct step swapped = ret_steps[i];

        ret_steps[i] = ret_steps[n - 1 - i];
        ret_steps[n - 1 - i] = swapped;
    }
    *ret_n = n;
    return true;
}

/* Are there k steps left, and is the one offset ahead this opcode? */
static bool ahead(const struct reading *r, size_t offset, uint8_t op)
{
    return r->n - r->at > offset && r->steps[r->at + offset].op == op;
}

static bool take(struct reading *r, uint8_t op)
{
    if (!ahead(r, 0, op))
        return false;
    r->at++;
    return true;
}

static struct span push_ahead(const struct reading *r, size_t offset)
{
    return r->n - r->at > offset ? r->steps[r->at + offset].push : span_of(NULL, 0);
}

static bool number_ahead(const struct reading *r, size_t offset, int64_t *ret_number)
{
    struct span push = push_ahead(r, offset);

    if (ahead(r, offset, OP_0)) {
        *ret_number = 0;
        return true;
    }
    return push.len > 0 && script_number_read(ret_number, push, SCRIPT_NUMBER_BYTES, true);
}

static struct miniscript *finish(struct reading *r, const struct miniscript *form,
                                 const struct miniscript *const *subs, size_t subs_n)
{
    struct miniscript *ms = miniscript_make(r->arena, form, subs, subs_n);

    if (ms == NULL || ms->type == 0 || ms->script_bytes > miniscript_bytes_max(r->is_tap))
        return NULL;
    return ms;
}

static struct miniscript *make(struct reading *r, enum fragment fragment,
                               const struct miniscript *x, const struct miniscript *y,
                               const struct miniscript *z)
{
    struct miniscript form = {.fragment = fragment, .is_tap = r->is_tap};
    const struct miniscript *subs[3] = {x, y, z};
    size_t n = x == NULL ? 0 : y == NULL ? 1 : z == NULL ? 2 : 3;

    return finish(r, &form, subs, n);
}

static bool add_key(struct reading *r, const struct pubkey *pubkey, bool is_xonly,
                    uint32_t *ret_index)
{
    struct key_expr *key;
    const struct key_origin *origin = NULL;
    struct key_id id = pubkey_id(pubkey);

    if (r->keys_n == r->keys_capacity) {
        r->keys_capacity = MAX(8, r->keys_capacity * 2);
        r->keys = realloc_array(r->keys, r->keys_capacity, sizeof(*r->keys));
    }
    key = &r->keys[r->keys_n];
    origin = is_xonly ? keyring_origin_by_xonly(r->ring, pubkey_xonly(pubkey))
                      : keyring_origin(r->ring, &id);
    key_expr_of_pubkey(key, pubkey, is_xonly, origin, r->arena);
    *ret_index = (uint32_t)r->keys_n++;
    return true;
}

static bool key_of_push(struct reading *r, struct span push, uint32_t *ret_index)
{
    struct pubkey pubkey;

    if (r->is_tap) {
        if (push.len != XONLY_BYTES)
            return false;
        pubkey = pubkey_of_xonly(push.data);
        return add_key(r, &pubkey, true, ret_index);
    }
    return push.len == PUBKEY_COMPRESSED_BYTES && pubkey_read(&pubkey, push) &&
           add_key(r, &pubkey, false, ret_index);
}

static struct miniscript *read_pk_h(struct reading *r)
{
    struct miniscript form = {.fragment = FRAGMENT_PK_H, .is_tap = r->is_tap, .keys_n = 1};
    const struct pubkey *pubkey;
    struct key_id id;

    memcpy(id.b, push_ahead(r, 2).data, KEY_ID_BYTES);
    pubkey = keyring_pubkey(r->ring, &id);
    if (pubkey == NULL || !pubkey_is_compressed(pubkey) ||
        !add_key(r, pubkey, r->is_tap, &form.key))
        return NULL;
    r->at += 5;
    return finish(r, &form, NULL, 0);
}

static struct miniscript *read_lock(struct reading *r, enum fragment fragment, int64_t number)
{
    struct miniscript form = {.fragment = fragment, .is_tap = r->is_tap};

    r->at += 2;
    if (number < 1 || number > INT32_MAX)
        return NULL;
    form.k = (uint32_t)number;
    return finish(r, &form, NULL, 0);
}

/* OP_SIZE 32 OP_EQUALVERIFY <op> <hash> OP_EQUAL. *ret_found: it is one. */
static struct miniscript *read_hash(struct reading *r, bool *ret_found)
{
    static const struct {
        uint8_t op;
        enum fragment fragment;
        size_t len;
    } rows[] = {
        {OP_SHA256, FRAGMENT_SHA256, 32},
        {OP_RIPEMD160, FRAGMENT_RIPEMD160, 20},
        {OP_HASH256, FRAGMENT_HASH256, 32},
        {OP_HASH160, FRAGMENT_HASH160, 20},
    };
    struct miniscript form = {.is_tap = r->is_tap, .hash = push_ahead(r, 1)};
    int64_t size;

    *ret_found = false;
    if (!ahead(r, 0, OP_EQUAL) || !ahead(r, 3, OP_VERIFY) || !ahead(r, 4, OP_EQUAL) ||
        !number_ahead(r, 5, &size) || size != 32 || !ahead(r, 6, OP_SIZE))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!ahead(r, 2, rows[i].op) || form.hash.len != rows[i].len)
            continue;
        *ret_found = true;
        form.fragment = rows[i].fragment;
        r->at += 7;
        return finish(r, &form, NULL, 0);
    }
    return NULL;
}

/* Keys were read last first. */
static void reverse_keys(struct reading *r, size_t from)
{
    for (size_t i = from, k = r->keys_n - 1; i < k; i++, k--) {
        struct key_expr swapped = r->keys[i];

        r->keys[i] = r->keys[k];
        r->keys[k] = swapped;
    }
}

static struct miniscript *read_multi(struct reading *r)
{
    struct miniscript form = {.fragment = FRAGMENT_MULTI, .key = (uint32_t)r->keys_n};
    int64_t n;
    int64_t k;
    uint32_t index;

    if (r->is_tap || !number_ahead(r, 1, &n) || n < 1 || n > SCRIPT_MULTISIG_KEYS_MAX)
        return NULL;
    for (size_t i = 0; i < (size_t)n; i++) {
        if (!key_of_push(r, push_ahead(r, 2 + i), &index))
            return NULL;
    }
    if (!number_ahead(r, 2 + (size_t)n, &k) || k < 1 || k > n)
        return NULL;
    r->at += 3 + (size_t)n;
    reverse_keys(r, form.key);
    form.keys_n = (uint32_t)n;
    form.k = (uint32_t)k;
    return finish(r, &form, NULL, 0);
}

static struct miniscript *read_multi_a(struct reading *r)
{
    struct miniscript form = {
        .fragment = FRAGMENT_MULTI_A, .is_tap = r->is_tap, .key = (uint32_t)r->keys_n};
    size_t at = 2;
    int64_t k;
    uint32_t index;
    bool is_last = false;

    if (!r->is_tap || !number_ahead(r, 1, &k) || k < 1 || k > MINISCRIPT_MULTI_A_KEYS_MAX)
        return NULL;
    while (!is_last) {
        is_last = ahead(r, at, OP_CHECKSIG);
        if ((!is_last && !ahead(r, at, OP_CHECKSIGADD)) ||
            !key_of_push(r, push_ahead(r, at + 1), &index) ||
            ++form.keys_n > MINISCRIPT_MULTI_A_KEYS_MAX)
            return NULL;
        at += 2;
    }
    if (k > form.keys_n)
        return NULL;
    r->at += at;
    reverse_keys(r, form.key);
    form.k = (uint32_t)k;
    return finish(r, &form, NULL, 0);
}

static struct miniscript *read_single(struct reading *r);
static struct miniscript *read_chain(struct reading *r);

/* The W expression that an earlier opcode asks for. */
static struct miniscript *read_w(struct reading *r)
{
    bool is_alt = take(r, OP_FROMALTSTACK);
    struct miniscript *x = read_chain(r);

    if (x == NULL || !take(r, is_alt ? OP_TOALTSTACK : OP_SWAP))
        return NULL;
    return make(r, is_alt ? FRAGMENT_A : FRAGMENT_S, x, NULL, NULL);
}

static struct miniscript *read_thresh(struct reading *r, int64_t k)
{
    struct miniscript form = {.fragment = FRAGMENT_THRESH, .is_tap = r->is_tap};
    const struct miniscript **subs = NULL;
    struct miniscript *ms = NULL;
    size_t capacity = 0;
    size_t n = 0;
    bool is_last = false;

    r->at += 2;
    while (!is_last) {
        is_last = !take(r, OP_ADD);
        if (n == capacity) {
            capacity = MAX(4, capacity * 2);
            subs = realloc_array(subs, capacity, sizeof(*subs));
        }
        subs[n] = is_last ? read_single(r) : read_w(r);
        if (subs[n] == NULL)
            goto done;
        n++;
    }
    if (k < 1 || k > (int64_t)n)
        goto done;
    for (size_t i = 0; i < n / 2; i++) {
        const struct miniscript *swapped = subs[i];

        subs[i] = subs[n - 1 - i];
        subs[n - 1 - i] = swapped;
    }
    form.k = (uint32_t)k;
    ms = finish(r, &form, subs, n);

done:
    free(subs);
    return ms;
}

/* Behind an OP_ENDIF. */
static struct miniscript *read_conditional(struct reading *r)
{
    struct miniscript *x = read_chain(r);
    struct miniscript *y;

    if (x == NULL)
        return NULL;
    if (take(r, OP_ELSE)) {
        y = read_chain(r);
        if (y == NULL)
            return NULL;
        if (take(r, OP_IF))
            return make(r, FRAGMENT_OR_I, y, x, NULL);
        if (take(r, OP_NOTIF)) {
            struct miniscript *condition = read_single(r);

            return condition == NULL ? NULL : make(r, FRAGMENT_ANDOR, condition, x, y);
        }
        return NULL;
    }
    if (take(r, OP_IF)) {
        if (take(r, OP_DUP))
            return make(r, FRAGMENT_D, x, NULL, NULL);
        if (take(r, OP_0NOTEQUAL) && take(r, OP_SIZE))
            return make(r, FRAGMENT_J, x, NULL, NULL);
        return NULL;
    }
    if (take(r, OP_NOTIF)) {
        bool is_d = take(r, OP_IFDUP);

        y = read_single(r);
        return y == NULL ? NULL : make(r, is_d ? FRAGMENT_OR_D : FRAGMENT_OR_C, y, x, NULL);
    }
    return NULL;
}

static struct miniscript *read_leaf(struct reading *r, bool *ret_found)
{
    struct miniscript form = {.is_tap = r->is_tap};
    struct span push = push_ahead(r, 0);
    struct miniscript *ms;
    int64_t number;

    *ret_found = true;
    if (take(r, OP_1))
        return make(r, FRAGMENT_1, NULL, NULL, NULL);
    if (take(r, OP_0))
        return make(r, FRAGMENT_0, NULL, NULL, NULL);
    if (push.len == PUBKEY_COMPRESSED_BYTES || push.len == XONLY_BYTES) {
        form.fragment = FRAGMENT_PK_K;
        form.keys_n = 1;
        r->at++;
        return key_of_push(r, push, &form.key) ? finish(r, &form, NULL, 0) : NULL;
    }
    if (ahead(r, 0, OP_VERIFY) && ahead(r, 1, OP_EQUAL) && push_ahead(r, 2).len == KEY_ID_BYTES &&
        ahead(r, 3, OP_HASH160) && ahead(r, 4, OP_DUP))
        return read_pk_h(r);
    if (ahead(r, 0, OP_CHECKSEQUENCEVERIFY) && number_ahead(r, 1, &number))
        return read_lock(r, FRAGMENT_OLDER, number);
    if (ahead(r, 0, OP_CHECKLOCKTIMEVERIFY) && number_ahead(r, 1, &number))
        return read_lock(r, FRAGMENT_AFTER, number);
    ms = read_hash(r, ret_found);
    if (*ret_found)
        return ms;
    *ret_found = true;
    if (r->n - r->at >= 3 && ahead(r, 0, OP_CHECKMULTISIG))
        return read_multi(r);
    if (r->n - r->at >= 4 && ahead(r, 0, OP_NUMEQUAL))
        return read_multi_a(r);
    *ret_found = false;
    return NULL;
}

static struct miniscript *read_wrapped(struct reading *r, enum fragment fragment)
{
    struct miniscript *x;

    r->at++;
    x = read_single(r);
    return x == NULL ? NULL : make(r, fragment, x, NULL, NULL);
}

/* One expression of type B, K or V that is no and_v. */
static struct miniscript *read_one(struct reading *r)
{
    struct miniscript *ms;
    struct miniscript *w;
    int64_t number;
    bool found;

    if (r->at >= r->n)
        return NULL;
    ms = read_leaf(r, &found);
    if (found)
        return ms;
    if (ahead(r, 0, OP_CHECKSIG))
        return read_wrapped(r, FRAGMENT_C);
    if (ahead(r, 0, OP_VERIFY))
        return read_wrapped(r, FRAGMENT_V);
    if (ahead(r, 0, OP_0NOTEQUAL))
        return read_wrapped(r, FRAGMENT_N);
    if (r->n - r->at >= 3 && ahead(r, 0, OP_EQUAL) && number_ahead(r, 1, &number))
        return read_thresh(r, number);
    if (take(r, OP_ENDIF))
        return read_conditional(r);
    if (ahead(r, 0, OP_BOOLAND) || ahead(r, 0, OP_BOOLOR)) {
        bool is_and = ahead(r, 0, OP_BOOLAND);

        r->at++;
        w = read_w(r);
        ms = w == NULL ? NULL : read_single(r);
        return ms == NULL ? NULL : make(r, is_and ? FRAGMENT_AND_B : FRAGMENT_OR_B, ms, w, NULL);
    }
    return NULL;
}

static struct miniscript *read_single(struct reading *r)
{
    struct miniscript *ms;

    if (r->depth == MINISCRIPT_DEPTH_MAX)
        return NULL;
    r->depth++;
    ms = read_one(r);
    r->depth--;
    return ms;
}

/* Any expression but W: and_v has no opcode of its own, so whatever stands before
 * an expression belongs to it. */
static struct miniscript *read_chain(struct reading *r)
{
    struct miniscript *last = read_single(r);
    struct miniscript *before;

    if (last == NULL)
        return NULL;
    if (r->at >= r->n || ahead(r, 0, OP_IF) || ahead(r, 0, OP_ELSE) || ahead(r, 0, OP_NOTIF) ||
        ahead(r, 0, OP_TOALTSTACK) || ahead(r, 0, OP_SWAP))
        return last;
    if (r->depth == MINISCRIPT_DEPTH_MAX)
        return NULL;
    r->depth++;
    before = read_chain(r);
    r->depth--;
    return before == NULL ? NULL : make(r, FRAGMENT_AND_V, before, last, NULL);
}

bool miniscript_infer(struct descriptor_node *node, struct arena *arena, struct span script,
                      enum descriptor_place place, const struct keyring *ring)
{
    struct reading r = {.arena = arena, .ring = ring, .is_tap = place == PLACE_P2TR};
    struct step *steps = NULL;
    const struct miniscript *root = NULL;

    if (script.len > miniscript_bytes_max(r.is_tap))
        return false;
    steps = alloc_array(2 * script.len, sizeof(*steps));
    r.steps = steps;
    if (split(steps, &r.n, script))
        root = read_chain(&r);
    if (root != NULL && r.at == r.n && miniscript_has(root, TYPE_B)) {
        memset(node, 0, sizeof(*node));
        node->function = FUNCTION_MINISCRIPT;
        node->place = place;
        node->miniscript = root;
        node->keys_n = r.keys_n;
        node->keys = arena_array(arena, r.keys_n, sizeof(*node->keys));
        if (r.keys_n > 0)
            memcpy(node->keys, r.keys, r.keys_n * sizeof(*node->keys));
    } else {
        root = NULL;
    }
    free(r.keys);
    free(steps);
    return root != NULL;
}
