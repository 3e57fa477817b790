#include "hostile_signatures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/scalar_priv.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"

/* A point with its logarithm, and what signing with it as a nonce needs. */
struct known {
    struct scalar log;
    struct scalar inverse;
    uint8_t bytes[SECP_PUBKEY_LONG_BYTES];
    bool is_odd;
};

/* A valid ECDSA signature whose R has an x of n or more. */
struct overflown {
    uint8_t pubkey[SECP_PUBKEY_LONG_BYTES];
    uint8_t r[32];
    uint8_t s[32];
    uint8_t hash[32];
};

#define RANDOM_POINTS 2048
#define OVERFLOWN 64

static struct scalar edges[700];
static size_t edges_n;
static struct known *edge_points; /* edges_n of them. */
static struct known *random_points;
static struct overflown overflown[OVERFLOWN];

/* Numbers at which something is compared, split or folded: p, n, p - n, lambda, beta,
 * the basis of the lattice, and powers of two. */
static const char *const edge_numbers[] = {
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0",
    "000000000000000000000000000000014551231950b75fc4402da1722fc9baee",
    "5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72",
    "ac9c52b33fa3cf1f5ad9e3fd77ed9ba4a880b9fc8ec739c2e0cfc810b51283ce",
    "7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee",
    "000000000000000000000000000000003086d221a7d46bcde86c90e49284eb15",
    "00000000000000000000000000000000e4437ed6010e88286f547fa90abfe4c3",
    "0000000000000000000000000000000114ca50f7a8e2f3f657c1108d9d44cfd8",
    "0000000000000000000000000000000100000000000000000000000000000000",
    "8000000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
};

static void scalar_write(uint8_t *ret_bytes, const struct scalar *a)
{
    for (size_t i = 0; i < 4; i++)
        put_be64(ret_bytes + 8 * i, a->d[3 - i]);
}

static uint64_t pick(const struct hostile_source *source, uint64_t bound)
{
    return source->below(source->context, bound);
}

static void pick_bytes(uint8_t *ret_bytes, size_t len, const struct hostile_source *source)
{
    for (size_t i = 0; i < len; i += 8) {
        uint8_t eight[8];

        put_le64(eight, pick(source, UINT64_MAX));
        memcpy(ret_bytes + i, eight, MIN(len - i, sizeof(eight)));
    }
}

/* An edge, or near one, or a power of two, as bytes that need not be a scalar. */
static void pick_edge_bytes(uint8_t *ret_bytes, const struct hostile_source *source)
{
    unsigned carry = 0;
    int off;

    if (pick(source, 4) == 0) {
        memset(ret_bytes, 0, 32);
        ret_bytes[pick(source, 32)] = (uint8_t)(1U << pick(source, 8));
    } else {
        CHECK(hex_read(ret_bytes, 32, edge_numbers[pick(source, ARRAY_LEN(edge_numbers))], 64));
    }
    off = (int)pick(source, 5) - 2;
    for (size_t i = 32; i-- > 0;) {
        unsigned add = i == 31 ? (unsigned)off : (off < 0 ? 0xffU : 0U);

        carry += ret_bytes[i] + (add & 0xffU);
        ret_bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void add_edge(const struct scalar *a)
{
    if (scalar_is_zero(a))
        return;
    for (size_t i = 0; i < edges_n; i++) {
        if (memcmp(&edges[i], a, sizeof(*a)) == 0)
            return;
    }
    CHECK(edges_n < ARRAY_LEN(edges));
    edges[edges_n++] = *a;
}

static void add_edge_both(const struct scalar *a)
{
    struct scalar minus;

    scalar_negate(&minus, a);
    add_edge(a);
    add_edge(&minus);
}

static void gather_edges(void)
{
    edges_n = 0;
    for (uint64_t i = 1; i <= 33; i++)
        add_edge_both(&(struct scalar){{i, 0, 0, 0}});
    for (size_t bit = 4; bit < 256; bit += bit >= 120 && bit < 136 ? 1 : 4) {
        struct scalar a = {{0}};

        a.d[bit / 64] = UINT64_C(1) << (bit % 64);
        add_edge_both(&a);
    }
    for (size_t i = 0; i < ARRAY_LEN(edge_numbers); i++) {
        static const struct scalar one = {{1, 0, 0, 0}};
        static const struct scalar minus_one = {
            {0xbfd25e8cd0364140, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
        uint8_t bytes[32];
        struct scalar a;

        CHECK(hex_read(bytes, 32, edge_numbers[i], 64));
        (void)scalar_read(&a, bytes);
        add_edge_both(&a);
        scalar_add(&a, &a, &one);
        add_edge_both(&a);
        scalar_add(&a, &a, &minus_one);
        scalar_add(&a, &a, &minus_one);
        add_edge_both(&a);
        /* Odd multiples of lambda are in the second table. */
        for (uint64_t k = 1; i == 4 && k < 32; k++) {
            (void)scalar_read(&a, bytes);
            scalar_mul(&a, &a, &(struct scalar){{k, 0, 0, 0}});
            add_edge_both(&a);
        }
    }
}

static void known_init(struct known *known, const struct scalar *log)
{
    struct secp_pubkey pubkey;
    uint8_t seckey[32];

    known->log = *log;
    scalar_inverse(&known->inverse, log);
    scalar_write(seckey, log);
    CHECK(secp_pubkey_of(&pubkey, seckey));
    secp_pubkey_write_long(known->bytes, &pubkey);
    known->is_odd = (known->bytes[64] & 1) != 0;
}

/* R = u1 G + u2 P for an R nobody knows the logarithm of: P = (R - u1 G) / u2. */
static void make_overflown(struct overflown *ret, uint64_t above, const struct scalar *u1,
                           const struct scalar *u2)
{
    uint8_t x[SECP_PUBKEY_BYTES] = {2};
    secp256k1_pubkey both[2];
    const secp256k1_pubkey *parts[2] = {&both[0], &both[1]};
    secp256k1_pubkey sum;
    struct scalar inverse;
    struct scalar minus_u1;
    struct scalar s;
    struct scalar z;
    uint8_t bytes[32];
    size_t len = sizeof(ret->pubkey);

    CHECK(hex_read(x + 1, 32, edge_numbers[1], 64));
    put_be64(x + 25, get_be64(x + 25) + above); /* Stays below p; the sum has no carry. */
    while (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &both[0], x, sizeof(x)))
        put_be64(x + 25, get_be64(x + 25) + 1);
    scalar_negate(&minus_u1, u1);
    scalar_write(bytes, &minus_u1);
    CHECK(secp_pubkey_of((struct secp_pubkey *)&both[1], bytes));
    CHECK(secp256k1_ec_pubkey_combine(secp256k1_context_static, &sum, parts, 2));
    scalar_inverse(&inverse, u2);
    scalar_write(bytes, &inverse);
    CHECK(secp256k1_ec_pubkey_tweak_mul(secp256k1_context_static, &sum, bytes));
    CHECK(secp256k1_ec_pubkey_serialize(secp256k1_context_static, ret->pubkey, &len, &sum,
                                        SECP256K1_EC_UNCOMPRESSED));
    CHECK(!scalar_read(&s, x + 1)); /* It is reduced: r. */
    scalar_write(ret->r, &s);
    scalar_mul(&s, &s, &inverse);
    scalar_write(ret->s, &s);
    scalar_mul(&z, u1, &s);
    scalar_write(ret->hash, &z);
}

void hostile_prepare(void)
{
    struct hostile_dice dice = {.state = 88172645463325252};
    struct hostile_source source = hostile_dice_source(&dice);

    gather_edges();
    edge_points = alloc_array(edges_n, sizeof(*edge_points));
    for (size_t i = 0; i < edges_n; i++)
        known_init(&edge_points[i], &edges[i]);
    random_points = alloc_array(RANDOM_POINTS, sizeof(*random_points));
    for (size_t i = 0; i < RANDOM_POINTS; i++) {
        struct scalar log;
        uint8_t bytes[32];

        pick_bytes(bytes, sizeof(bytes), &source);
        (void)scalar_read(&log, bytes);
        known_init(&random_points[i], &log);
    }
    for (size_t i = 0; i < OVERFLOWN; i++)
        make_overflown(&overflown[i], 1 + 7 * i, &random_points[i].log,
                       i % 2 == 0 ? &random_points[i + OVERFLOWN].log : &edges[i]);
}

void hostile_clear(void)
{
    free(edge_points);
    free(random_points);
    edge_points = NULL;
    random_points = NULL;
}

static const struct known *pick_known(const struct hostile_source *source)
{
    if (pick(source, 4) == 0)
        return &random_points[pick(source, RANDOM_POINTS)];
    return &edge_points[pick(source, edges_n)];
}

static void pick_scalar(struct scalar *ret, const struct hostile_source *source)
{
    uint8_t bytes[32];

    switch (pick(source, 4)) {
    case 0:
        pick_bytes(bytes, sizeof(bytes), source);
        (void)scalar_read(ret, bytes);
        return;
    case 1:
        pick_edge_bytes(bytes, source);
        (void)scalar_read(ret, bytes);
        return;
    default:
        *ret = edges[pick(source, edges_n)];
    }
}

static void set_pubkey(struct sigbatch_item *item, const uint8_t *point, uint64_t form)
{
    bool is_odd = (point[64] & 1) != 0;

    if (form == 0) {
        item->pubkey_len = SECP_PUBKEY_BYTES;
        item->pubkey[0] = (uint8_t)(2 + is_odd);
        memcpy(item->pubkey + 1, point + 1, 32);
        return;
    }
    item->pubkey_len = SECP_PUBKEY_LONG_BYTES;
    memcpy(item->pubkey, point, SECP_PUBKEY_LONG_BYTES);
    if (form == 2)
        item->pubkey[0] = (uint8_t)(6 + is_odd);
}

/* s and the message for a nonce and a key: s = (z + r d) / k. */
static void sign(struct sigbatch_item *item, const struct known *key, const struct known *nonce)
{
    struct scalar r;
    struct scalar s;
    struct scalar z;

    (void)scalar_read(&r, nonce->bytes + 1);
    scalar_mul(&s, &r, &key->log);
    (void)scalar_read(&z, item->hash);
    scalar_add(&s, &s, &z);
    scalar_mul(&s, &s, &nonce->inverse);
    scalar_write(item->r, &r);
    scalar_write(item->s, &s);
}

/* R = u1 G + u2 P for chosen u1 and u2. */
static enum hostile_hope ecdsa_of(struct sigbatch_item *item, const struct known *key,
                                  const struct scalar *u1, const struct scalar *u2)
{
    struct scalar log;
    struct known nonce;
    struct scalar r;
    struct scalar s;
    enum hostile_hope hope = HOSTILE_VALID;

    scalar_mul(&log, u2, &key->log);
    scalar_add(&log, &log, u1);
    if (scalar_is_zero(&log) || scalar_is_zero(u2)) {
        log = key->log;
        hope = HOSTILE_UNKNOWN;
    }
    known_init(&nonce, &log);
    (void)scalar_read(&r, nonce.bytes + 1);
    scalar_inverse(&s, u2);
    scalar_mul(&s, &s, &r);
    scalar_write(item->r, &r);
    scalar_write(item->s, &s);
    scalar_mul(&s, &s, u1);
    scalar_write(item->hash, &s);
    return hope;
}

static enum hostile_hope make_ecdsa(struct sigbatch_item *item, const struct hostile_source *source)
{
    const struct known *key = pick_known(source);
    struct scalar u1;
    struct scalar u2;

    item->kind = SIGBATCH_ECDSA;
    switch (pick(source, 4)) {
    case 0: {
        const struct overflown *over = &overflown[pick(source, OVERFLOWN)];

        memcpy(item->r, over->r, 32);
        memcpy(item->s, over->s, 32);
        memcpy(item->hash, over->hash, 32);
        set_pubkey(item, over->pubkey, pick(source, 3));
        return HOSTILE_VALID;
    }
    case 1:
        pick_edge_bytes(item->hash, source);
        set_pubkey(item, key->bytes, pick(source, 3));
        sign(item, key, pick_known(source));
        return HOSTILE_UNKNOWN; /* s may have come out as zero. */
    default:
        pick_scalar(&u1, source);
        pick_scalar(&u2, source);
        set_pubkey(item, key->bytes, pick(source, 3));
        return ecdsa_of(item, key, &u1, &u2);
    }
}

static void even_log(struct scalar *ret, const struct known *known)
{
    *ret = known->log;
    if (known->is_odd)
        scalar_negate(ret, ret);
}

static void challenge(struct scalar *ret, const struct sigbatch_item *item)
{
    struct sha256 hash;
    uint8_t digest[32];

    sha256_tagged_init(&hash, "BIP0340/challenge");
    sha256_add(&hash, item->r, 32);
    sha256_add(&hash, item->pubkey, 32);
    sha256_add(&hash, item->hash, 32);
    sha256_finish(&hash, digest);
    (void)scalar_read(ret, digest);
}

/* With odd, R has the y that BIP 340 refuses. */
static enum hostile_hope make_schnorr(struct sigbatch_item *item, const struct known *key,
                                      const struct known *nonce, bool odd)
{
    struct scalar d;
    struct scalar k;
    struct scalar e;

    item->kind = SIGBATCH_SCHNORR;
    item->pubkey_len = SECP_XONLY_BYTES;
    memcpy(item->pubkey, key->bytes + 1, 32);
    memcpy(item->r, nonce->bytes + 1, 32);
    even_log(&d, key);
    even_log(&k, nonce);
    if (odd)
        scalar_negate(&k, &k);
    challenge(&e, item);
    scalar_mul(&e, &e, &d);
    scalar_add(&e, &e, &k);
    scalar_write(item->s, &e);
    return odd ? HOSTILE_UNKNOWN : HOSTILE_VALID;
}

static enum hostile_hope make_tweak(struct sigbatch_item *item, const struct known *key,
                                    const struct scalar *tweak)
{
    struct scalar sum;
    struct known output;

    item->kind = SIGBATCH_TWEAK;
    item->pubkey_len = SECP_XONLY_BYTES;
    memcpy(item->pubkey, key->bytes + 1, 32);
    scalar_write(item->s, tweak);
    even_log(&sum, key);
    scalar_add(&sum, &sum, tweak);
    if (scalar_is_zero(&sum)) {
        memcpy(item->r, item->pubkey, 32);
        return HOSTILE_UNKNOWN;
    }
    known_init(&output, &sum);
    memcpy(item->r, output.bytes + 1, 32);
    item->odd = output.is_odd;
    return HOSTILE_VALID;
}

/* Change one part: a bit, an edge in its place, the key's form, its other y. */
static void spoil(struct sigbatch_item *item, const struct hostile_source *source)
{
    uint8_t *x = item->pubkey + (item->pubkey_len == SECP_XONLY_BYTES ? 0 : 1);
    uint8_t *parts[] = {item->r, item->s, item->hash, x};
    uint8_t *part = parts[pick(source, ARRAY_LEN(parts))];

    switch (pick(source, 6)) {
    case 0:
        pick_edge_bytes(part, source);
        break;
    case 1:
        item->odd = !item->odd;
        item->pubkey[0] ^= 1;
        break;
    case 2:
        item->pubkey[0] = (uint8_t)pick(source, 9);
        break;
    case 3:
        if (item->kind == SIGBATCH_ECDSA)
            item->pubkey_len = (uint8_t)pick(source, SECP_PUBKEY_LONG_BYTES + 1);
        break;
    case 4:
        if (item->pubkey_len == SECP_PUBKEY_LONG_BYTES)
            pick_edge_bytes(item->pubkey + 33, source);
        else
            memcpy(part, parts[pick(source, ARRAY_LEN(parts))], 32);
        break;
    default:
        part[pick(source, 32)] ^= (uint8_t)(1U << pick(source, 8));
    }
}

/* The other s, which is as good. */
static void flip_s(struct sigbatch_item *item)
{
    struct scalar s;

    if (scalar_read(&s, item->s)) {
        scalar_negate(&s, &s);
        scalar_write(item->s, &s);
    }
}

enum hostile_hope hostile_structured(struct sigbatch_item *ret_item,
                                     const struct hostile_source *source)
{
    enum hostile_hope hope;
    struct scalar tweak;

    *ret_item = (struct sigbatch_item){.kind = SIGBATCH_ECDSA};
    switch (pick(source, 8)) {
    case 0:
        pick_edge_bytes(ret_item->hash, source);
        hope = make_schnorr(ret_item, pick_known(source), pick_known(source), pick(source, 4) == 0);
        break;
    case 1:
        pick_scalar(&tweak, source);
        hope = make_tweak(ret_item, pick_known(source), &tweak);
        break;
    case 2: { /* The tweak that doubles the key, or that leads to infinity. */
        const struct known *key = pick_known(source);

        even_log(&tweak, key);
        if (pick(source, 2) == 0)
            scalar_negate(&tweak, &tweak);
        hope = make_tweak(ret_item, key, &tweak);
        break;
    }
    default:
        hope = make_ecdsa(ret_item, source);
        if (pick(source, 4) == 0)
            flip_s(ret_item);
    }
    if (pick(source, 3) == 0) {
        spoil(ret_item, source);
        hope = HOSTILE_UNKNOWN;
    }
    return hope;
}

enum hostile_hope hostile_random(struct sigbatch_item *ret_item,
                                 const struct hostile_source *source)
{
    const struct known *key = &random_points[pick(source, RANDOM_POINTS)];
    const struct known *other = &random_points[pick(source, RANDOM_POINTS)];
    enum hostile_hope hope = HOSTILE_VALID;

    *ret_item = (struct sigbatch_item){.kind = SIGBATCH_ECDSA};
    pick_bytes(ret_item->hash, sizeof(ret_item->hash), source);
    if (pick(source, 2) == 0) {
        set_pubkey(ret_item, key->bytes, pick(source, 3));
        sign(ret_item, key, other);
    } else {
        hope = make_schnorr(ret_item, key, other, false);
    }
    if (pick(source, 8) == 0) {
        spoil(ret_item, source);
        hope = HOSTILE_UNKNOWN;
    }
    return hope;
}

static uint64_t roll(void *context, uint64_t bound)
{
    struct hostile_dice *dice = context;

    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (dice->state * UINT64_C(0x2545f4914f6cdd1d) >> 3) % bound;
}

struct hostile_source hostile_dice_source(struct hostile_dice *dice)
{
    return (struct hostile_source){.below = roll, .context = dice};
}

static void print_difference(const struct sigbatch_item *item, enum lane_result result, bool valid)
{
    char text[2 * sizeof(*item) + 1];

    hex_write(text, (const uint8_t *)item, sizeof(*item));
    (void)printf("lanes say %d, libsecp256k1 says %d: %s\n", (int)result, (int)valid, text);
}

bool hostile_compare(lanes_run_fn *run, const struct sigbatch_item *items,
                     const enum hostile_hope *hopes, size_t n, struct hostile_counts *counts)
{
    enum lane_result results[SIGBATCH_LANES_MAX];
    uint64_t before = counts->differences;

    sigbatch_ask(run, items, n, results);
    for (size_t i = 0; i < n; i++) {
        struct sigbatch_item alone = items[i];
        bool agree;

        sigbatch_verify(&alone, 1); /* One alone is never the lanes'. */
        agree = results[i] == LANE_UNSURE || (results[i] == LANE_VALID) == alone.is_valid;
        if (!agree || (hopes[i] == HOSTILE_VALID && !alone.is_valid)) {
            print_difference(&items[i], results[i], alone.is_valid);
            counts->differences++;
        }
        counts->items++;
        counts->valid += alone.is_valid;
        counts->unsure += results[i] == LANE_UNSURE;
        counts->unasked += results[i] == LANE_UNASKED;
    }
    return counts->differences == before;
}
