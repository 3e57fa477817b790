/* Types and costs of miniscript nodes, from those of their subexpressions: the
 * tables of BIP 379. */
#include "base/alloc.h"
#include "base/check.h"
#include "keys/miniscript.h"
#include "primitives/tx.h"

#define BASE_TYPES (TYPE_B | TYPE_V | TYPE_K | TYPE_W)

static bool has(uint32_t type, uint32_t bits)
{
    return (type & bits) == bits;
}

static uint32_t when(bool condition, uint32_t bits)
{
    return condition ? bits : 0;
}

/* Would satisfying both need a lock by time and one by height of the same kind? */
static bool locks_clash(uint32_t x, uint32_t y)
{
    return (has(x, TYPE_REL_TIME) && has(y, TYPE_REL_HEIGHT)) ||
           (has(x, TYPE_REL_HEIGHT) && has(y, TYPE_REL_TIME)) ||
           (has(x, TYPE_ABS_TIME) && has(y, TYPE_ABS_HEIGHT)) ||
           (has(x, TYPE_ABS_HEIGHT) && has(y, TYPE_ABS_TIME));
}

/* Lock bits of something that needs both x and y. */
static uint32_t locks_of_both(uint32_t x, uint32_t y)
{
    return ((x | y) & TYPE_LOCKS) |
           when(has(x & y, TYPE_NO_MIX) && !locks_clash(x, y), TYPE_NO_MIX);
}

/* ... that needs one of them. */
static uint32_t locks_of_either(uint32_t x, uint32_t y)
{
    return ((x | y) & TYPE_LOCKS) | (x & y & TYPE_NO_MIX);
}

static uint32_t type_of_leaf(const struct miniscript *node)
{
    const uint32_t lock = TYPE_B | TYPE_Z | TYPE_F | TYPE_M | TYPE_X | TYPE_NO_MIX;
    const uint32_t key =
        TYPE_K | TYPE_N | TYPE_U | TYPE_D | TYPE_E | TYPE_M | TYPE_S | TYPE_X | TYPE_NO_MIX;
    const uint32_t multi = TYPE_B | TYPE_U | TYPE_D | TYPE_E | TYPE_M | TYPE_S | TYPE_NO_MIX;

    switch (node->fragment) {
    case FRAGMENT_0:
        return TYPE_B | TYPE_Z | TYPE_U | TYPE_D | TYPE_E | TYPE_M | TYPE_S | TYPE_X | TYPE_NO_MIX;
    case FRAGMENT_1:
        return lock | TYPE_U;
    case FRAGMENT_PK_K:
        return key | TYPE_O;
    case FRAGMENT_PK_H:
        return key;
    case FRAGMENT_OLDER:
        return lock |
               ((node->k & SEQUENCE_LOCKTIME_TYPE_FLAG) != 0 ? TYPE_REL_TIME : TYPE_REL_HEIGHT);
    case FRAGMENT_AFTER:
        return lock | (node->k >= LOCKTIME_THRESHOLD ? TYPE_ABS_TIME : TYPE_ABS_HEIGHT);
    case FRAGMENT_MULTI:
        return multi | TYPE_N;
    case FRAGMENT_MULTI_A:
        return multi;
    default:
        return TYPE_B | TYPE_O | TYPE_N | TYPE_U | TYPE_D | TYPE_M | TYPE_NO_MIX;
    }
}

static uint32_t type_of_wrapper(const struct miniscript *node)
{
    uint32_t x = node->subs[0]->type;
    uint32_t locks = x & (TYPE_LOCKS | TYPE_NO_MIX);
    uint32_t kept = TYPE_U | TYPE_D | TYPE_F | TYPE_E | TYPE_M | TYPE_S;

    switch (node->fragment) {
    case FRAGMENT_A:
        return when(has(x, TYPE_B), TYPE_W) | locks | (x & kept) | TYPE_X;
    case FRAGMENT_S:
        return when(has(x, TYPE_B | TYPE_O), TYPE_W) | locks | (x & (kept | TYPE_X));
    case FRAGMENT_C:
        return when(has(x, TYPE_K), TYPE_B) | locks |
               (x & (TYPE_O | TYPE_N | TYPE_D | TYPE_F | TYPE_E | TYPE_M)) | TYPE_U | TYPE_S;
    case FRAGMENT_D:
        /* MINIMALIF is a rule in tapscript but only policy before. */
        return when(has(x, TYPE_V | TYPE_Z), TYPE_B) | when(has(x, TYPE_Z), TYPE_O) |
               when(has(x, TYPE_F), TYPE_E) | locks | (x & (TYPE_M | TYPE_S)) |
               when(node->is_tap, TYPE_U) | TYPE_N | TYPE_D | TYPE_X;
    case FRAGMENT_V:
        return when(has(x, TYPE_B), TYPE_V) | locks |
               (x & (TYPE_Z | TYPE_O | TYPE_N | TYPE_M | TYPE_S)) | TYPE_F | TYPE_X;
    case FRAGMENT_J:
        return when(has(x, TYPE_B | TYPE_N), TYPE_B) | when(has(x, TYPE_F), TYPE_E) | locks |
               (x & (TYPE_O | TYPE_U | TYPE_M | TYPE_S)) | TYPE_N | TYPE_D | TYPE_X;
    default:
        return locks |
               (x &
                (TYPE_B | TYPE_Z | TYPE_O | TYPE_N | TYPE_D | TYPE_F | TYPE_E | TYPE_M | TYPE_S)) |
               TYPE_U | TYPE_X;
    }
}

static uint32_t type_of_and(const struct miniscript *node)
{
    uint32_t x = node->subs[0]->type;
    uint32_t y = node->subs[1]->type;
    uint32_t shared = when(has(x | y, TYPE_Z), (x | y) & TYPE_O) | (x & TYPE_N) |
                      when(has(x, TYPE_Z), y & TYPE_N) | (x & y & (TYPE_Z | TYPE_M)) |
                      ((x | y) & TYPE_S) | locks_of_both(x, y);

    if (node->fragment == FRAGMENT_AND_V)
        return shared | when(has(x, TYPE_V), y & (TYPE_K | TYPE_V | TYPE_B)) |
               when(has(y, TYPE_F) || has(x, TYPE_S), TYPE_F) | (y & (TYPE_U | TYPE_X));
    return shared | when(has(y, TYPE_W), x & TYPE_B) | when(has(x & y, TYPE_S), x & y & TYPE_E) |
           (x & y & TYPE_D) |
           when(has(x & y, TYPE_F) || has(x, TYPE_S | TYPE_F) || has(y, TYPE_S | TYPE_F), TYPE_F) |
           TYPE_U | TYPE_X;
}

static uint32_t type_of_or(const struct miniscript *node)
{
    uint32_t x = node->subs[0]->type;
    uint32_t z = node->subs[1]->type;
    uint32_t both_m = x & z & TYPE_M;
    uint32_t locks = locks_of_either(x, z);
    bool any_s = has(x | z, TYPE_S);

    switch (node->fragment) {
    case FRAGMENT_OR_B:
        return when(has(x, TYPE_B | TYPE_D) && has(z, TYPE_W | TYPE_D), TYPE_B) |
               when(has(x | z, TYPE_Z), (x | z) & TYPE_O) |
               when(any_s && has(x & z, TYPE_E), both_m) | (x & z & (TYPE_Z | TYPE_S | TYPE_E)) |
               TYPE_D | TYPE_U | TYPE_X | locks;
    case FRAGMENT_OR_C:
    case FRAGMENT_OR_D: {
        bool is_d = node->fragment == FRAGMENT_OR_D;

        return when(has(x, TYPE_B | TYPE_D | TYPE_U), z & (is_d ? TYPE_B : TYPE_V)) |
               when(has(z, TYPE_Z), x & TYPE_O) | when(has(x, TYPE_E) && any_s, both_m) |
               (x & z & (TYPE_Z | TYPE_S)) |
               (is_d ? z & (TYPE_U | TYPE_F | TYPE_D | TYPE_E) : TYPE_F) | TYPE_X | locks;
    }
    default:
        return (x & z & (TYPE_V | TYPE_B | TYPE_K | TYPE_U | TYPE_F | TYPE_S)) |
               when(has(x & z, TYPE_Z), TYPE_O) | when(has(x | z, TYPE_F), (x | z) & TYPE_E) |
               when(any_s, both_m) | ((x | z) & TYPE_D) | TYPE_X | locks;
    }
}

static uint32_t type_of_andor(const struct miniscript *node)
{
    uint32_t x = node->subs[0]->type;
    uint32_t y = node->subs[1]->type;
    uint32_t z = node->subs[2]->type;
    uint32_t all = x & y & z;

    return when(has(x, TYPE_B | TYPE_D | TYPE_U), y & z & (TYPE_B | TYPE_K | TYPE_V)) |
           (all & TYPE_Z) | when(has(x | (y & z), TYPE_Z), (x | (y & z)) & TYPE_O) |
           (y & z & TYPE_U) | when(has(x, TYPE_S) || has(y, TYPE_F), z & (TYPE_F | TYPE_E)) |
           (z & TYPE_D) | when(has(x, TYPE_E) && has(x | y | z, TYPE_S), all & TYPE_M) |
           (z & (x | y) & TYPE_S) | TYPE_X | ((x | y | z) & TYPE_LOCKS) |
           when(has(all, TYPE_NO_MIX) && !locks_clash(x, y), TYPE_NO_MIX);
}

static uint32_t type_of_thresh(const struct miniscript *node)
{
    uint32_t locks = TYPE_NO_MIX;
    bool all_e = true;
    bool all_m = true;
    uint32_t args = 0;
    uint32_t signed_n = 0;

    for (uint32_t i = 0; i < node->subs_n; i++) {
        uint32_t t = node->subs[i]->type;

        if (!has(t, (i == 0 ? TYPE_B : TYPE_W) | TYPE_D | TYPE_U))
            return 0;
        all_e = all_e && has(t, TYPE_E);
        all_m = all_m && has(t, TYPE_M);
        signed_n += has(t, TYPE_S) ? 1 : 0;
        args += has(t, TYPE_Z) ? 0 : has(t, TYPE_O) ? 1 : 2;
        locks = node->k > 1 ? locks_of_both(locks, t) : locks_of_either(locks, t);
    }
    return TYPE_B | TYPE_D | TYPE_U | when(args == 0, TYPE_Z) | when(args == 1, TYPE_O) |
           when(all_e && signed_n == node->subs_n, TYPE_E) |
           when(all_e && all_m && signed_n >= node->subs_n - node->k, TYPE_M) |
           when(signed_n >= node->subs_n - node->k + 1, TYPE_S) | locks;
}

uint32_t miniscript_type(const struct miniscript *node)
{
    uint32_t type;

    if (node->fragment == FRAGMENT_THRESH)
        type = type_of_thresh(node);
    else if (node->subs_n == 0)
        type = type_of_leaf(node);
    else if (node->subs_n == 1)
        type = type_of_wrapper(node);
    else if (node->subs_n == 3)
        type = type_of_andor(node);
    else if (node->fragment == FRAGMENT_AND_V || node->fragment == FRAGMENT_AND_B)
        type = type_of_and(node);
    else
        type = type_of_or(node);
    return (type & BASE_TYPES) == 0 ? 0 : type;
}

static uint64_t number_bytes(uint32_t k)
{
    return 1U + (k > 16) + (k > 0x7f) + (k > 0x7fff) + (k > 0x7fffff) + (k > 0x7fffffff);
}

static uint64_t script_bytes_of(const struct miniscript *node)
{
    uint64_t subs = 0;

    for (uint32_t i = 0; i < node->subs_n; i++)
        subs += node->subs[i]->script_bytes;
    switch (node->fragment) {
    case FRAGMENT_0:
    case FRAGMENT_1:
        return 1;
    case FRAGMENT_PK_K:
        return node->is_tap ? 33 : 34;
    case FRAGMENT_PK_H:
        return 24;
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
        return 1 + number_bytes(node->k);
    case FRAGMENT_SHA256:
    case FRAGMENT_HASH256:
    case FRAGMENT_RIPEMD160:
    case FRAGMENT_HASH160:
        return 7 + node->hash.len;
    case FRAGMENT_MULTI:
        return 1 + number_bytes(node->keys_n) + number_bytes(node->k) + UINT64_C(34) * node->keys_n;
    case FRAGMENT_MULTI_A:
        return 1 + number_bytes(node->k) + UINT64_C(34) * node->keys_n;
    case FRAGMENT_AND_V:
        return subs;
    case FRAGMENT_V:
        return subs + (miniscript_has(node->subs[0], TYPE_X) ? 1 : 0);
    case FRAGMENT_S:
    case FRAGMENT_C:
    case FRAGMENT_N:
    case FRAGMENT_AND_B:
    case FRAGMENT_OR_B:
        return subs + 1;
    case FRAGMENT_A:
    case FRAGMENT_OR_C:
        return subs + 2;
    case FRAGMENT_D:
    case FRAGMENT_OR_D:
    case FRAGMENT_OR_I:
    case FRAGMENT_ANDOR:
        return subs + 3;
    case FRAGMENT_J:
        return subs + 4;
    case FRAGMENT_THRESH:
        return subs + node->subs_n + number_bytes(node->k);
    }
    CHECK_NEVER("a fragment");
    return 0;
}

static uint32_t ops_of(const struct miniscript *node)
{
    uint32_t subs = 0;

    for (uint32_t i = 0; i < node->subs_n; i++)
        subs += node->subs[i]->ops;
    switch (node->fragment) {
    case FRAGMENT_0:
    case FRAGMENT_1:
    case FRAGMENT_PK_K:
    case FRAGMENT_AND_V:
        return subs;
    case FRAGMENT_PK_H:
        return 3;
    case FRAGMENT_SHA256:
    case FRAGMENT_HASH256:
    case FRAGMENT_RIPEMD160:
    case FRAGMENT_HASH160:
        return 4;
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
    case FRAGMENT_MULTI:
    case FRAGMENT_S:
    case FRAGMENT_C:
    case FRAGMENT_N:
    case FRAGMENT_AND_B:
    case FRAGMENT_OR_B:
        return subs + 1;
    case FRAGMENT_A:
    case FRAGMENT_OR_C:
        return subs + 2;
    case FRAGMENT_D:
    case FRAGMENT_OR_D:
    case FRAGMENT_OR_I:
    case FRAGMENT_ANDOR:
        return subs + 3;
    case FRAGMENT_J:
        return subs + 4;
    case FRAGMENT_V:
        return subs + (miniscript_has(node->subs[0], TYPE_X) ? 1 : 0);
    case FRAGMENT_THRESH:
        return subs + node->subs_n;
    case FRAGMENT_MULTI_A:
        return node->keys_n + 1;
    }
    CHECK_NEVER("a fragment");
    return 0;
}

/* Sums and choices of costs where -1 means there is no way. */
static int64_t plus(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a + b;
}

static int64_t most(int64_t a, int64_t b)
{
    return MAX(a, b);
}

typedef struct miniscript_cost cost_fn(const struct miniscript *node);

static struct miniscript_cost multisig_ops(const struct miniscript *node)
{
    return node->multisig_ops;
}

static struct miniscript_cost witness_bytes(const struct miniscript *node)
{
    return node->witness;
}

/* Satisfying k subs of thresh and dissatisfying the others, at most; and all. */
static struct miniscript_cost thresh_cost(const struct miniscript *node, cost_fn *of)
{
    int64_t *best = alloc_array(node->subs_n + 1, sizeof(*best)); /* By number satisfied. */
    struct miniscript_cost cost;

    for (uint32_t i = 0; i < node->subs_n; i++) {
        struct miniscript_cost sub = of(node->subs[i]);

        best[i + 1] = plus(best[i], sub.satisfy);
        for (uint32_t j = i; j > 0; j--)
            best[j] = most(plus(best[j], sub.dissatisfy), plus(best[j - 1], sub.satisfy));
        best[0] = plus(best[0], sub.dissatisfy);
    }
    cost.satisfy = best[node->k];
    cost.dissatisfy = best[0];
    free(best);
    return cost;
}

/* Fragments whose costs are sums of those of their subs, whatever is counted. */
static struct miniscript_cost combined_cost(const struct miniscript *node, cost_fn *of)
{
    const struct miniscript_cost none = {-1, -1};
    struct miniscript_cost x = of(node->subs[0]);
    struct miniscript_cost y = node->subs_n > 1 ? of(node->subs[1]) : none;
    struct miniscript_cost z = node->subs_n > 2 ? of(node->subs[2]) : none;
    struct miniscript_cost cost = none;

    switch (node->fragment) {
    case FRAGMENT_AND_V:
        cost.satisfy = plus(x.satisfy, y.satisfy);
        break;
    case FRAGMENT_AND_B:
        cost.satisfy = plus(x.satisfy, y.satisfy);
        cost.dissatisfy = plus(x.dissatisfy, y.dissatisfy);
        break;
    case FRAGMENT_OR_B:
        cost.satisfy = most(plus(x.satisfy, y.dissatisfy), plus(x.dissatisfy, y.satisfy));
        cost.dissatisfy = plus(x.dissatisfy, y.dissatisfy);
        break;
    case FRAGMENT_OR_C:
        cost.satisfy = most(x.satisfy, plus(x.dissatisfy, y.satisfy));
        break;
    case FRAGMENT_OR_D:
        cost.satisfy = most(x.satisfy, plus(x.dissatisfy, y.satisfy));
        cost.dissatisfy = plus(x.dissatisfy, y.dissatisfy);
        break;
    case FRAGMENT_OR_I:
        cost.satisfy = most(x.satisfy, y.satisfy);
        cost.dissatisfy = most(x.dissatisfy, y.dissatisfy);
        break;
    case FRAGMENT_ANDOR:
        cost.satisfy = most(plus(x.satisfy, y.satisfy), plus(x.dissatisfy, z.satisfy));
        cost.dissatisfy = plus(x.dissatisfy, z.dissatisfy);
        break;
    case FRAGMENT_THRESH:
        return thresh_cost(node, of);
    case FRAGMENT_V:
        cost.satisfy = x.satisfy;
        break;
    default: /* The other wrappers. */
        return x;
    }
    return cost;
}

static struct miniscript_cost multisig_ops_of(const struct miniscript *node)
{
    switch (node->fragment) {
    case FRAGMENT_0:
        return (struct miniscript_cost){-1, 0};
    case FRAGMENT_PK_K:
    case FRAGMENT_PK_H:
    case FRAGMENT_MULTI_A:
        return (struct miniscript_cost){0, 0};
    case FRAGMENT_MULTI:
        return (struct miniscript_cost){node->keys_n, node->keys_n};
    case FRAGMENT_D:
    case FRAGMENT_J:
        return (struct miniscript_cost){node->subs[0]->multisig_ops.satisfy, 0};
    default:
        if (node->subs_n > 0)
            return combined_cost(node, multisig_ops);
        return (struct miniscript_cost){0, -1};
    }
}

static struct miniscript_cost witness_of(const struct miniscript *node)
{
    const int64_t sig = node->is_tap ? 1 + 65 : 1 + 72;
    const int64_t key = node->is_tap ? 1 + 32 : 1 + 33;
    const struct miniscript *const *subs = node->subs;

    switch (node->fragment) {
    case FRAGMENT_0:
        return (struct miniscript_cost){-1, 0};
    case FRAGMENT_1:
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
        return (struct miniscript_cost){0, -1};
    case FRAGMENT_PK_K:
        return (struct miniscript_cost){sig, 1};
    case FRAGMENT_PK_H:
        return (struct miniscript_cost){sig + key, 1 + key};
    case FRAGMENT_SHA256:
    case FRAGMENT_HASH256:
    case FRAGMENT_RIPEMD160:
    case FRAGMENT_HASH160:
        return (struct miniscript_cost){1 + 32, -1};
    case FRAGMENT_MULTI:
        return (struct miniscript_cost){node->k * sig + 1, (int64_t)node->k + 1};
    case FRAGMENT_MULTI_A:
        return (struct miniscript_cost){node->k * sig + node->keys_n - node->k, node->keys_n};
    case FRAGMENT_OR_I:
        return (struct miniscript_cost){
            most(plus(subs[0]->witness.satisfy, 2), plus(subs[1]->witness.satisfy, 1)),
            most(plus(subs[0]->witness.dissatisfy, 2), plus(subs[1]->witness.dissatisfy, 1))};
    case FRAGMENT_D:
        return (struct miniscript_cost){plus(subs[0]->witness.satisfy, 2), 1};
    case FRAGMENT_J:
        return (struct miniscript_cost){subs[0]->witness.satisfy, 1};
    default:
        return combined_cost(node, witness_bytes);
    }
}

/* The stack use of single opcodes. */
static const struct stack_use use_none = {false, 0, 0};
static const struct stack_use use_empty = {true, 0, 0};
static const struct stack_use use_push = {true, -1, 0}; /* Also OP_DUP, OP_SIZE. */
static const struct stack_use use_take = {true, 1, 1};  /* One away, or two for one. */
static const struct stack_use use_two = {true, 2, 2};   /* OP_EQUALVERIFY. */

/* One after the other. */
static struct stack_use then(struct stack_use a, struct stack_use b)
{
    if (!a.exists || !b.exists)
        return use_none;
    return (struct stack_use){true, a.net + b.net, MAX(b.peak, b.net + a.peak)};
}

/* One or the other. */
static struct stack_use either(struct stack_use a, struct stack_use b)
{
    if (!a.exists || !b.exists)
        return a.exists ? a : b;
    return (struct stack_use){true, MAX(a.net, b.net), MAX(a.peak, b.peak)};
}

static void thresh_stack(struct miniscript *node)
{
    struct stack_use *best = alloc_array(node->subs_n + 1, sizeof(*best));

    best[0] = use_empty;
    for (uint32_t i = 0; i < node->subs_n; i++) {
        const struct miniscript *sub = node->subs[i];
        struct stack_use add = i == 0 ? use_empty : use_take;

        best[i + 1] = then(then(best[i], sub->satisfy), add);
        for (uint32_t j = i; j > 0; j--)
            best[j] =
                then(either(then(best[j], sub->dissatisfy), then(best[j - 1], sub->satisfy)), add);
        best[0] = then(then(best[0], sub->dissatisfy), add);
    }
    node->satisfy = then(then(best[node->k], use_push), use_take);
    node->dissatisfy = then(then(best[0], use_push), use_take);
    free(best);
}

static void leaf_stack(struct miniscript *node)
{
    struct stack_use keyhash = then(then(use_push, use_push), use_two);
    struct stack_use hash = then(then(then(use_push, use_push), use_two), then(use_push, use_take));
    int32_t keys = (int32_t)node->keys_n;

    node->satisfy = use_none;
    node->dissatisfy = use_none;
    switch (node->fragment) {
    case FRAGMENT_0:
        node->dissatisfy = use_push;
        break;
    case FRAGMENT_1:
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
        node->satisfy = use_push;
        break;
    case FRAGMENT_PK_K:
        node->satisfy = node->dissatisfy = use_push;
        break;
    case FRAGMENT_PK_H:
        node->satisfy = node->dissatisfy = keyhash;
        break;
    case FRAGMENT_MULTI:
        /* The keys and both numbers go on top of k signatures and a zero. */
        node->satisfy = (struct stack_use){true, (int32_t)node->k, (int32_t)node->k + keys + 2};
        node->dissatisfy = node->satisfy;
        break;
    case FRAGMENT_MULTI_A:
        node->satisfy = node->dissatisfy = (struct stack_use){true, keys - 1, keys};
        break;
    default:
        node->satisfy = hash;
        break;
    }
}

static void wrapper_stack(struct miniscript *node)
{
    struct stack_use sat = node->subs[0]->satisfy;
    struct stack_use dissat = node->subs[0]->dissatisfy;
    struct stack_use dup_if = then(use_push, use_take); /* Also OP_SIZE OP_0NOTEQUAL OP_IF. */

    switch (node->fragment) {
    case FRAGMENT_C:
        node->satisfy = then(sat, use_take);
        node->dissatisfy = then(dissat, use_take);
        break;
    case FRAGMENT_D:
    case FRAGMENT_J:
        node->satisfy = then(dup_if, sat);
        node->dissatisfy = dup_if;
        break;
    case FRAGMENT_V:
        node->satisfy = then(sat, use_take);
        node->dissatisfy = use_none;
        break;
    default:
        node->satisfy = sat;
        node->dissatisfy = dissat;
        break;
    }
}

static void combined_stack(struct miniscript *node)
{
    struct stack_use xs = node->subs[0]->satisfy;
    struct stack_use xd = node->subs[0]->dissatisfy;
    struct stack_use ys = node->subs[1]->satisfy;
    struct stack_use yd = node->subs[1]->dissatisfy;

    node->dissatisfy = use_none;
    switch (node->fragment) {
    case FRAGMENT_AND_V:
        node->satisfy = then(xs, ys);
        break;
    case FRAGMENT_AND_B:
        node->satisfy = then(then(xs, ys), use_take);
        node->dissatisfy = then(then(xd, yd), use_take);
        break;
    case FRAGMENT_OR_B:
        node->satisfy = then(either(then(xs, yd), then(xd, ys)), use_take);
        node->dissatisfy = then(then(xd, yd), use_take);
        break;
    case FRAGMENT_OR_C:
        node->satisfy = either(then(xs, use_take), then(then(xd, use_take), ys));
        break;
    case FRAGMENT_OR_D:
        /* OP_IFDUP pushes only what is true. */
        node->satisfy = either(then(then(xs, use_push), use_take), then(then(xd, use_take), ys));
        node->dissatisfy = then(then(xd, use_take), yd);
        break;
    case FRAGMENT_OR_I:
        node->satisfy = then(use_take, either(xs, ys));
        node->dissatisfy = then(use_take, either(xd, yd));
        break;
    default: /* andor */
        node->satisfy =
            either(then(then(xs, use_take), ys), then(then(xd, use_take), node->subs[2]->satisfy));
        node->dissatisfy = then(then(xd, use_take), node->subs[2]->dissatisfy);
        break;
    }
}

void miniscript_analyse(struct miniscript *node)
{
    node->type = miniscript_type(node);
    node->script_bytes = script_bytes_of(node);
    node->ops = ops_of(node);
    node->multisig_ops = multisig_ops_of(node);
    node->witness = witness_of(node);
    if (node->fragment == FRAGMENT_THRESH)
        thresh_stack(node);
    else if (node->subs_n == 0)
        leaf_stack(node);
    else if (node->subs_n == 1)
        wrapper_stack(node);
    else
        combined_stack(node);
}
