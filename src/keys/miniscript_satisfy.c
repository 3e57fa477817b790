/* Satisfying miniscript: for every node the best way to satisfy it and to
 * dissatisfy it, from those of its subs (BIP 379, "Satisfaction"). Only ways
 * whose witness nobody else can change are given out. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "keys/miniscript.h"
#include "keys/sign_priv.h"

/* A way, as elements from the bottom of the stack up. Shared between ways, never
 * changed. */
struct piece {
    const struct piece *before; /* NULL: the first. */
    struct span element;
};

struct way {
    bool exists;
    bool has_sig;
    bool is_malleable; /* A third party could make another of it. */
    size_t bytes;      /* In a witness. */
    const struct piece *top;
};

struct ways {
    struct way no;
    struct way yes;
};

struct satisfier {
    struct signer *signer;
    struct arena *arena;
    const struct descriptor_node *node;
    struct span script;
    enum script_rules rules;
    uint8_t leaf_hash[32];
};

static const struct way impossible = {.exists = false};
static const struct way nothing = {.exists = true};

static struct way one(struct satisfier *s, struct span element)
{
    struct piece *piece = arena_array(s->arena, 1, sizeof(*piece));

    piece->element = element;
    return (struct way){.exists = true, .bytes = element.len + 1, .top = piece};
}

static struct way zero(struct satisfier *s)
{
    return one(s, span_of(NULL, 0));
}

static struct way number_one(struct satisfier *s)
{
    static const uint8_t one_byte[1] = {1};

    return one(s, span_of(one_byte, 1));
}

/* below, then above: a new chain that ends in that of below. */
static struct way both(struct satisfier *s, struct way below, struct way above)
{
    struct way out = {.exists = true};
    const struct piece *from = above.top;
    struct piece *last = NULL;

    if (!below.exists || !above.exists)
        return impossible;
    out.has_sig = below.has_sig || above.has_sig;
    out.is_malleable = below.is_malleable || above.is_malleable;
    out.bytes = below.bytes + above.bytes;
    out.top = above.top == NULL ? below.top : NULL;
    for (; from != NULL; from = from->before) {
        struct piece *copy = arena_array(s->arena, 1, sizeof(*copy));

        copy->element = from->element;
        if (last == NULL)
            out.top = copy;
        else
            last->before = copy;
        last = copy;
    }
    if (last != NULL)
        last->before = below.top;
    return out;
}

/* The better of two. */
static struct way either(struct way a, struct way b)
{
    if (!a.exists || !b.exists)
        return a.exists ? a : b;
    /* A way without a signature is open to everybody; it is then the only one that
     * does not lead to another. */
    if (a.has_sig != b.has_sig)
        return a.has_sig ? b : a;
    if (!a.has_sig) {
        a.is_malleable = true;
        b.is_malleable = true;
    } else if (a.is_malleable != b.is_malleable) {
        return a.is_malleable ? b : a;
    }
    return a.bytes <= b.bytes ? a : b;
}

static struct way malleable(struct way way)
{
    way.is_malleable = true;
    return way;
}

static struct way signed_by(struct satisfier *s, const struct pubkey *pubkey)
{
    struct span sig;
    struct way way;
    bool ok;

    if (s->rules == RULES_TAPSCRIPT)
        ok = signer_sign_schnorr(s->signer, &sig, pubkey_xonly(pubkey), s->leaf_hash, NULL);
    else
        ok = signer_sign_ecdsa(s->signer, &sig, pubkey, s->script, s->rules);
    if (!ok)
        return impossible;
    way = one(s, sig);
    way.has_sig = true;
    return way;
}

static const struct pubkey *key_at(const struct satisfier *s, uint32_t index)
{
    return &s->node->keys[index].pubkey;
}

static struct ways of_key_hash(struct satisfier *s, const struct miniscript *ms)
{
    const struct pubkey *pubkey = key_at(s, ms->key);
    struct span bytes = s->rules == RULES_TAPSCRIPT ? span_of(pubkey_xonly(pubkey), XONLY_BYTES)
                                                    : span_of_pubkey(pubkey);
    struct way shown = one(s, bytes);

    return (struct ways){.no = both(s, zero(s), shown),
                         .yes = both(s, signed_by(s, pubkey), shown)};
}

/* k of the keys, in order; the rest left out (multi) or zero (multi_a). */
static struct ways of_multi(struct satisfier *s, const struct miniscript *ms)
{
    bool is_a = ms->fragment == FRAGMENT_MULTI_A;
    struct way *best = alloc_array(ms->k + 2, sizeof(*best)); /* By signatures. */
    struct ways ways = {.no = nothing};

    best[0] = is_a ? nothing : zero(s);
    for (uint32_t i = 0; i < ms->keys_n; i++) {
        /* multi_a takes the signature of its first key from the top. */
        uint32_t index = ms->key + (is_a ? ms->keys_n - 1 - i : i);
        struct way sig = signed_by(s, key_at(s, index));

        for (uint32_t j = ms->k + 1; j-- > 0;) {
            struct way without = is_a ? both(s, best[j], zero(s)) : best[j];

            best[j] = j == 0 ? without : either(without, both(s, best[j - 1], sig));
        }
    }
    for (uint32_t i = 0; i < (is_a ? ms->keys_n : ms->k + 1); i++)
        ways.no = both(s, ways.no, zero(s));
    ways.yes = best[ms->k];
    free(best);
    return ways;
}

static bool lock_holds(const struct satisfier *s, const struct miniscript *ms)
{
    const struct tx *tx = s->signer->spend->tx;
    uint32_t sequence = tx->in[s->signer->in_index].sequence;
    uint32_t mask = SEQUENCE_LOCKTIME_TYPE_FLAG | SEQUENCE_LOCKTIME_MASK;

    if (ms->fragment == FRAGMENT_AFTER)
        return (ms->k < LOCKTIME_THRESHOLD) == (tx->lock_time < LOCKTIME_THRESHOLD) &&
               ms->k <= tx->lock_time && sequence != SEQUENCE_FINAL;
    if (tx->version < 2 || (sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) != 0)
        return false;
    return (ms->k & SEQUENCE_LOCKTIME_TYPE_FLAG) == (sequence & SEQUENCE_LOCKTIME_TYPE_FLAG) &&
           (ms->k & mask) <= (sequence & mask);
}

static struct ways of_leaf(struct satisfier *s, const struct miniscript *ms)
{
    static const uint8_t no_preimage[32];

    switch (ms->fragment) {
    case FRAGMENT_0:
        return (struct ways){.no = nothing, .yes = impossible};
    case FRAGMENT_1:
        return (struct ways){.no = impossible, .yes = nothing};
    case FRAGMENT_PK_K:
        return (struct ways){.no = zero(s), .yes = signed_by(s, key_at(s, ms->key))};
    case FRAGMENT_PK_H:
        return of_key_hash(s, ms);
    case FRAGMENT_OLDER:
    case FRAGMENT_AFTER:
        return (struct ways){.no = impossible, .yes = lock_holds(s, ms) ? nothing : impossible};
    case FRAGMENT_MULTI:
    case FRAGMENT_MULTI_A:
        return of_multi(s, ms);
    default:
        /* Any 32 bytes but the preimage dissatisfy a hash; preimages are not known
         * here. */
        return (struct ways){.no = malleable(one(s, span_of(no_preimage, 32))), .yes = impossible};
    }
}

static struct ways of_wrapper(struct satisfier *s, const struct miniscript *ms, struct ways x)
{
    switch (ms->fragment) {
    case FRAGMENT_D:
        return (struct ways){.no = zero(s), .yes = both(s, x.yes, number_one(s))};
    case FRAGMENT_J:
        /* If x can be dissatisfied without a signature, so can this in another way. */
        return (struct ways){.no = x.no.exists && !x.no.has_sig ? malleable(zero(s)) : zero(s),
                             .yes = x.yes};
    case FRAGMENT_V:
        return (struct ways){.no = impossible, .yes = x.yes};
    default:
        return x;
    }
}

/* What the second sub takes lies below what the first takes. */
static struct ways of_pair(struct satisfier *s, const struct miniscript *ms, struct ways x,
                           struct ways y)
{
    struct way yes;

    switch (ms->fragment) {
    case FRAGMENT_AND_V:
        return (struct ways){.no = both(s, y.no, x.yes), .yes = both(s, y.yes, x.yes)};
    case FRAGMENT_AND_B:
        return (struct ways){
            .no = either(both(s, y.no, x.no),
                         either(malleable(both(s, y.yes, x.no)), malleable(both(s, y.no, x.yes)))),
            .yes = both(s, y.yes, x.yes)};
    case FRAGMENT_OR_B:
        yes = either(either(both(s, y.no, x.yes), both(s, y.yes, x.no)),
                     malleable(both(s, y.yes, x.yes)));
        return (struct ways){.no = both(s, y.no, x.no), .yes = yes};
    case FRAGMENT_OR_C:
        return (struct ways){.no = impossible, .yes = either(x.yes, both(s, y.yes, x.no))};
    case FRAGMENT_OR_D:
        return (struct ways){.no = both(s, y.no, x.no), .yes = either(x.yes, both(s, y.yes, x.no))};
    default: /* or_i */
        return (struct ways){.no = either(both(s, x.no, number_one(s)), both(s, y.no, zero(s))),
                             .yes = either(both(s, x.yes, number_one(s)), both(s, y.yes, zero(s)))};
    }
}

static struct ways ways_of(struct satisfier *s, const struct miniscript *ms);

static struct ways of_thresh(struct satisfier *s, const struct miniscript *ms)
{
    struct way *best = alloc_array(ms->subs_n + 1, sizeof(*best)); /* By subs satisfied. */
    struct ways out = {.no = impossible};

    best[0] = nothing;
    /* The last sub's elements lie lowest. */
    for (uint32_t i = ms->subs_n; i-- > 0;) {
        uint32_t done = ms->subs_n - i;
        struct ways sub = ways_of(s, ms->subs[i]);

        best[done] = both(s, best[done - 1], sub.yes);
        for (uint32_t j = done - 1; j > 0; j--)
            best[j] = either(both(s, best[j], sub.no), both(s, best[j - 1], sub.yes));
        best[0] = both(s, best[0], sub.no);
    }
    for (uint32_t j = 0; j <= ms->subs_n; j++) {
        if (j == ms->k)
            continue;
        /* Too many or too few also dissatisfy, if not as the only way. */
        out.no = either(out.no, j == 0 ? best[0] : malleable(best[j]));
    }
    out.yes = best[ms->k];
    free(best);
    return out;
}

static struct ways ways_of(struct satisfier *s, const struct miniscript *ms)
{
    struct ways x;
    struct ways y;
    struct ways z;

    if (ms->fragment == FRAGMENT_THRESH)
        return of_thresh(s, ms);
    if (ms->subs_n == 0)
        return of_leaf(s, ms);
    x = ways_of(s, ms->subs[0]);
    if (ms->subs_n == 1)
        return of_wrapper(s, ms, x);
    y = ways_of(s, ms->subs[1]);
    if (ms->subs_n == 2)
        return of_pair(s, ms, x, y);
    z = ways_of(s, ms->subs[2]);
    return (struct ways){.no = either(both(s, y.no, x.yes), both(s, z.no, x.no)),
                         .yes = either(both(s, y.yes, x.yes), both(s, z.yes, x.no))};
}

bool miniscript_satisfy(struct signer *signer, struct element_list *ret_elements,
                        struct span script, enum script_rules rules)
{
    struct descriptor_node node;
    struct satisfier s = {.signer = signer, .script = script, .rules = rules, .node = &node};
    struct ways ways;
    struct arena arena;
    size_t n = 0;
    bool ok;

    arena_init(&arena);
    s.arena = &arena;
    ok = miniscript_infer(&node, &arena, script,
                          rules == RULES_TAPSCRIPT ? PLACE_P2TR : PLACE_P2WSH, signer->ring);
    if (ok) {
        tapleaf_hash(s.leaf_hash, TAPROOT_LEAF_TAPSCRIPT, script);
        ways = ways_of(&s, node.miniscript);
        ok = ways.yes.exists && ways.yes.has_sig && !ways.yes.is_malleable;
    }
    if (ok) {
        for (const struct piece *p = ways.yes.top; p != NULL; p = p->before) {
            uint8_t *copy = arena_alloc(signer->arena, p->element.len);

            if (p->element.len > 0)
                memcpy(copy, p->element.data, p->element.len);
            element_add(signer, ret_elements, span_of(copy, p->element.len));
            n++;
        }
        for (size_t i = 0; i < n / 2; i++) {
            struct span swapped = ret_elements->items[ret_elements->n - n + i];

            ret_elements->items[ret_elements->n - n + i] =
                ret_elements->items[ret_elements->n - 1 - i];
            ret_elements->items[ret_elements->n - 1 - i] = swapped;
        }
    }
    arena_clear(&arena);
    return ok;
}
