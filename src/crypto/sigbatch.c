#include "crypto/sigbatch.h"

#include <pthread.h>
#include <stdatomic.h>
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
#include "crypto/sigbatch_priv.h"
#include "crypto/siphash.h"

/* Fewer than this are quicker one by one. */
#define SIGBATCH_LEAST 4

static lanes_run_fn *_Atomic engine;
static struct g_tables *tables;
static struct sha256 challenge_midstate;
static uint32_t recheck_share = SIGBATCH_SHARE_DEFAULT;
static struct siphash_key recheck_key;
static _Atomic uint64_t recheck_counter;
static void (*difference_handler)(const struct sigbatch_item *);
static _Atomic uint64_t count_lanes;
static _Atomic uint64_t count_again;
static _Atomic uint64_t count_directly;
static _Atomic uint64_t count_tried;
static _Atomic uint64_t count_shares;
static _Atomic uint64_t count_differences;

/* --- What libsecp256k1 says --- */

static bool decide(const struct sigbatch_item *item)
{
    switch (item->kind) {
    case SIGBATCH_ECDSA: {
        struct secp_pubkey pubkey;
        struct ecdsa_sig sig;

        memcpy(sig.r, item->r, sizeof(sig.r));
        memcpy(sig.s, item->s, sizeof(sig.s));
        return secp_pubkey_read(&pubkey, item->pubkey, item->pubkey_len) &&
               ecdsa_sig_verify(&sig, item->hash, &pubkey);
    }
    case SIGBATCH_SCHNORR: {
        uint8_t sig[SECP_SCHNORR_BYTES];

        memcpy(sig, item->r, 32);
        memcpy(sig + 32, item->s, 32);
        return schnorr_verify(sig, item->hash, sizeof(item->hash), item->pubkey);
    }
    case SIGBATCH_TWEAK:
        return secp_xonly_tweak_check(item->r, item->odd, item->pubkey, item->s);
    }
    return false;
}

/* --- Preparing a lane --- */

static const uint64_t field_prime[4] = {0xfffffffefffffc2f, 0xffffffffffffffff, 0xffffffffffffffff,
                                        0xffffffffffffffff};
/* p - n */
static const uint64_t prime_less_order[4] = {0x402da1722fc9baee, 0x4551231950b75fc4, 1, 0};

static bool below(const uint64_t *a, const uint64_t *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a[i] != b[i])
            return a[i] < b[i];
    }
    return false;
}

/* False if the number is not below p. */
static bool read_field(uint64_t *ret_limbs, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++)
        ret_limbs[3 - i] = get_be64(bytes + 8 * i);
    return below(ret_limbs, field_prime);
}

static void recode_g_half(int16_t *ret_digits, uint64_t low, uint64_t high)
{
    int carry = 0;

    for (int i = 0; i < G_DIGITS; i++) {
        int value = (int)(low & (2 * G_ENTRIES - 1)) + carry;

        carry = value > G_ENTRIES;
        ret_digits[i] = (int16_t)(value - carry * 2 * G_ENTRIES);
        low = low >> G_WINDOW | high << (64 - G_WINDOW);
        high >>= G_WINDOW;
    }
}

static void set_scalars(struct lane *lane, const struct scalar *u1, const struct scalar *u2)
{
    struct scalar_halves halves;

    recode_g_half(lane->g_low, u1->d[0], u1->d[1]);
    recode_g_half(lane->g_high, u1->d[2], u1->d[3]);
    scalar_split(&halves, u2);
    memcpy(lane->k1, halves.k1, sizeof(lane->k1));
    memcpy(lane->k2, halves.k2, sizeof(lane->k2));
    lane->k1_negative = halves.k1_negative;
    lane->k2_negative = halves.k2_negative;
}

static bool prepare_pubkey(struct lane *lane, const struct sigbatch_item *item)
{
    uint8_t form = item->pubkey[0];

    lane->has_y = item->pubkey_len == SECP_PUBKEY_LONG_BYTES;
    lane->odd = false;
    memset(lane->y, 0, sizeof(lane->y));
    if (item->kind != SIGBATCH_ECDSA)
        return item->pubkey_len == SECP_XONLY_BYTES && read_field(lane->x, item->pubkey);
    if (item->pubkey_len == SECP_PUBKEY_BYTES) {
        lane->odd = form == 3;
        return (form == 2 || form == 3) && read_field(lane->x, item->pubkey + 1);
    }
    if (!lane->has_y || (form != 4 && form != 6 && form != 7))
        return false;
    if (!read_field(lane->x, item->pubkey + 1) || !read_field(lane->y, item->pubkey + 33))
        return false;
    return form == 4 || (lane->y[0] & 1) == (form & 1);
}

/* Everything but the scalars of ECDSA, which wait for their common inversion. False:
 * the lanes can not say, mostly because the item is malformed. */
static bool prepare(struct lane *lane, struct scalar *ret_s, const struct sigbatch_item *item)
{
    struct scalar e;

    if (!prepare_pubkey(lane, item) || !read_field(lane->r, item->r) ||
        !scalar_read(ret_s, item->s))
        return false;
    lane->or_r_plus_n = false;
    lane->parity = PARITY_ANY;
    switch (item->kind) {
    case SIGBATCH_ECDSA: {
        struct scalar r;

        lane->or_r_plus_n = below(lane->r, prime_less_order);
        return scalar_read(&r, item->r) && !scalar_is_zero(&r) && !scalar_is_zero(ret_s);
    }
    case SIGBATCH_SCHNORR: {
        struct sha256 hash = challenge_midstate;
        uint8_t digest[SHA256_BYTES];

        sha256_add(&hash, item->r, 32);
        sha256_add(&hash, item->pubkey, 32);
        sha256_add(&hash, item->hash, 32);
        sha256_finish(&hash, digest);
        (void)scalar_read(&e, digest);
        scalar_negate(&e, &e);
        lane->parity = PARITY_EVEN;
        break;
    }
    case SIGBATCH_TWEAK:
        e = (struct scalar){{1, 0, 0, 0}};
        lane->parity = item->odd ? PARITY_ODD : PARITY_EVEN;
        break;
    }
    set_scalars(lane, ret_s, &e);
    return true;
}

/* u1 = hash / s, u2 = r / s for every ECDSA item, with one inversion for all. */
static void finish_ecdsa(struct lane *lanes, const struct scalar *s,
                         const struct sigbatch_item *const *items, size_t n)
{
    struct scalar product[SIGBATCH_LANES_MAX];
    struct scalar inverse = {{1, 0, 0, 0}};

    for (size_t i = 0; i < n; i++) {
        product[i] = inverse;
        if (items[i]->kind == SIGBATCH_ECDSA)
            scalar_mul(&inverse, &inverse, &s[i]);
    }
    scalar_inverse(&inverse, &inverse);
    for (size_t i = n; i-- > 0;) {
        struct scalar s_inverse;
        struct scalar u1;
        struct scalar u2;

        if (items[i]->kind != SIGBATCH_ECDSA)
            continue;
        scalar_mul(&s_inverse, &inverse, &product[i]);
        scalar_mul(&inverse, &inverse, &s[i]);
        (void)scalar_read(&u1, items[i]->hash);
        scalar_mul(&u1, &u1, &s_inverse);
        memcpy(u2.d, lanes[i].r, sizeof(u2.d));
        scalar_mul(&u2, &u2, &s_inverse);
        set_scalars(&lanes[i], &u1, &u2);
    }
}

/* --- The batch --- */

static bool is_chosen(void)
{
    uint8_t number[8];

    if (recheck_share == 0)
        return false;
    put_le64(number, atomic_fetch_add_explicit(&recheck_counter, 1, memory_order_relaxed));
    return siphash_of(&recheck_key, number, sizeof(number)) % recheck_share == 0;
}

static void default_difference(const struct sigbatch_item *item)
{
    char text[2 * sizeof(*item) + 1];

    hex_write(text, (const uint8_t *)item, sizeof(*item));
    (void)fprintf(stderr, "assay: the signature lanes accept what libsecp256k1 refuses: %s\n",
                  text);
    abort();
}

/* Decided by libsecp256k1, for the lanes did not find it valid. */
static void settle_exactly(struct sigbatch_item *item, enum lane_result result)
{
    atomic_fetch_add_explicit(result == LANE_UNASKED ? &count_directly : &count_again, 1,
                              memory_order_relaxed);
    item->is_valid = decide(item);
}

static void settle_valid(struct sigbatch_item *item)
{
    item->is_valid = true;
    if (!is_chosen())
        return;
    atomic_fetch_add_explicit(&count_shares, 1, memory_order_relaxed);
    item->is_valid = decide(item);
    if (item->is_valid)
        return;
    atomic_store(&engine, NULL);
    if (atomic_fetch_add(&count_differences, 1) == 0)
        (difference_handler == NULL ? default_difference : difference_handler)(item);
}

/* A lane that nothing is asked of: 1 G + 1 G is 2 G. */
static void fill_idle(struct lane *lane)
{
    static const struct lane idle = {
        .x = {0x59f2815b16f81798, 0x029bfcdb2dce28d9, 0x55a06295ce870b07, 0x79be667ef9dcbbac},
        .k1 = {2, 0},
        .r = {0xabac09b95c709ee5, 0x5c778e4b8cef3ca7, 0x3045406e95c07cd8, 0xc6047f9441ed7d6d},
        .parity = PARITY_ANY,
    };

    *lane = idle;
}

void sigbatch_ask(lanes_run_fn *run, const struct sigbatch_item *items, size_t n,
                  enum lane_result *ret_results)
{
    struct lane lanes[SIGBATCH_LANES_MAX];
    struct scalar s[SIGBATCH_LANES_MAX];
    const struct sigbatch_item *item_of[SIGBATCH_LANES_MAX];
    size_t lanes_n = 0;
    size_t filled;

    CHECK(n <= SIGBATCH_LANES_MAX);
    for (size_t i = 0; i < n; i++) {
        ret_results[i] = LANE_UNASKED;
        if (prepare(&lanes[lanes_n], &s[lanes_n], &items[i]))
            item_of[lanes_n++] = &items[i];
    }
    finish_ecdsa(lanes, s, item_of, lanes_n);
    for (filled = lanes_n; filled % LANES != 0; filled++)
        fill_idle(&lanes[filled]);
    run(lanes, filled, tables);
    for (size_t i = 0; i < lanes_n; i++)
        ret_results[item_of[i] - items] = lanes[i].result;
}

static void verify_chunk(lanes_run_fn *run, struct sigbatch_item *items, size_t n, bool is_try)
{
    enum lane_result results[SIGBATCH_LANES_MAX];
    uint64_t valid_n = 0;
    uint64_t tried_n = 0;

    sigbatch_ask(run, items, n, results);
    for (size_t i = 0; i < n; i++) {
        if (results[i] == LANE_VALID) {
            valid_n++;
            settle_valid(&items[i]);
        } else if (is_try) {
            tried_n++;
            items[i].is_valid = false;
        } else {
            settle_exactly(&items[i], results[i]);
        }
    }
    atomic_fetch_add_explicit(&count_lanes, valid_n, memory_order_relaxed);
    atomic_fetch_add_explicit(&count_tried, tried_n, memory_order_relaxed);
}

static void verify_all(struct sigbatch_item *items, size_t n, bool is_try)
{
    lanes_run_fn *run = engine;

    while (n >= SIGBATCH_LEAST && run != NULL) {
        size_t take = n < SIGBATCH_LANES_MAX ? n : SIGBATCH_LANES_MAX;

        verify_chunk(run, items, take, is_try);
        items += take;
        n -= take;
        run = engine;
    }
    for (size_t i = 0; i < n; i++)
        settle_exactly(&items[i], LANE_UNASKED);
}

void sigbatch_verify(struct sigbatch_item *items, size_t n)
{
    verify_all(items, n, false);
}

void sigbatch_try(struct sigbatch_item *items, size_t n)
{
    verify_all(items, n, true);
}

/* --- Choosing the engine --- */

static void fill_table(struct g_entry *table, const secp256k1_pubkey *step)
{
    secp256k1_pubkey at = *step;

    for (size_t i = 0; i < G_ENTRIES; i++) {
        secp256k1_pubkey last = at;
        const secp256k1_pubkey *both[2] = {&last, step};
        uint8_t bytes[SECP_PUBKEY_LONG_BYTES];
        size_t len = sizeof(bytes);

        CHECK(secp256k1_ec_pubkey_serialize(secp256k1_context_static, bytes, &len, &at,
                                            SECP256K1_EC_UNCOMPRESSED));
        CHECK(read_field(table[i].xy, bytes + 1) && read_field(table[i].xy + 4, bytes + 33));
        CHECK(secp256k1_ec_pubkey_combine(secp256k1_context_static, &at, both, 2));
    }
}

/* By libsecp256k1, so that the tables do not rest on the arithmetic they serve. */
static void make_tables(void)
{
    static const uint8_t generator[SECP_PUBKEY_BYTES] = {
        0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
        0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d,
        0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98};
    uint8_t factor[32] = {0};
    secp256k1_pubkey g;
    secp256k1_pubkey high;

    tables = aligned_alloc(64, sizeof(*tables));
    CHECK(tables != NULL);
    tables->b = 7;
    CHECK(secp256k1_ec_pubkey_parse(secp256k1_context_static, &g, generator, sizeof(generator)));
    fill_table(tables->low, &g);
    high = g;
    factor[15] = 1; /* 2^128 */
    CHECK(secp256k1_ec_pubkey_tweak_mul(secp256k1_context_static, &high, factor));
    fill_table(tables->high, &high);
}

static bool processor_has_lanes(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

/* One true and seven false equations in every place of a group. */
static bool self_test(lanes_run_fn *run)
{
    struct lane lanes[LANES];

    for (size_t good = 0; good < LANES; good++) {
        for (size_t i = 0; i < LANES; i++) {
            fill_idle(&lanes[i]);
            if (i != good)
                lanes[i].r[i % 4] ^= UINT64_C(1) << (7 * i + good);
        }
        run(lanes, LANES, tables);
        for (size_t i = 0; i < LANES; i++) {
            if ((lanes[i].result == LANE_VALID) != (i == good))
                return false;
        }
    }
    return true;
}

static void prepare_once(void)
{
    sha256_tagged_init(&challenge_midstate, "BIP0340/challenge");
    make_tables();
}

bool sigbatch_use(lanes_run_fn *run)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    atomic_store(&engine, NULL);
    if (run == NULL)
        return true;
    (void)pthread_once(&once, prepare_once);
    if (!self_test(run))
        return false;
    engine = run;
    return true;
}

const char *sigbatch_select(bool allow_vector)
{
    lanes_run_fn *run = NULL;

#if defined(__x86_64__)
    if (allow_vector && processor_has_lanes())
        run = lanes_run_ifma;
#endif
    (void)sigbatch_use(run);
    return sigbatch_engine();
}

const char *sigbatch_engine(void)
{
    return engine == NULL ? "libsecp256k1" : "avx512-ifma";
}

bool sigbatch_has_lanes(void)
{
    return engine != NULL;
}

void sigbatch_set_share(uint32_t share, const uint8_t *seed)
{
    recheck_share = share;
    recheck_key = (struct siphash_key){get_le64(seed), get_le64(seed + 8)};
}

uint32_t sigbatch_share(void)
{
    return recheck_share;
}

void sigbatch_on_difference(void (*handler)(const struct sigbatch_item *item))
{
    difference_handler = handler;
}

struct sigbatch_stats sigbatch_stats(void)
{
    return (struct sigbatch_stats){
        .lanes = atomic_load(&count_lanes),
        .again = atomic_load(&count_again),
        .directly = atomic_load(&count_directly),
        .tried = atomic_load(&count_tried),
        .shares = atomic_load(&count_shares),
        .differences = atomic_load(&count_differences),
    };
}
