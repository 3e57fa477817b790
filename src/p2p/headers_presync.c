#include "p2p/headers_presync.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/rules.h"
#include "p2p/message.h"

/* The rule of the median time past lets six blocks have times within a second. */
#define BLOCKS_PER_SECOND_MAX 6

/* A header whose parent is the one before it in the list. */
struct short_header {
    int32_t version;
    struct merkle_root merkle_root;
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};
_Static_assert(sizeof(struct short_header) == 48, "the bound in docs/p2p.md counts on this");

struct presync {
    struct presync_options options;
    enum presync_phase phase;

    /* Bits of the first pass, taken from the front in the second. */
    uint8_t *bits; /* Owned. */
    size_t bits_capacity;
    uint64_t bits_n;
    uint64_t bits_taken;
    uint64_t bits_max;

    /* Where the first pass stands. */
    struct u256 work;
    struct block_hash last_hash;
    uint32_t last_bits;
    uint32_t last_time;
    int64_t height;

    /* The second pass: a ring of what is not given out yet. */
    struct short_header *ring; /* Owned. */
    size_t ring_first;
    size_t ring_n;
    struct block_hash ring_prev; /* What the first of the ring builds on. */
    struct block_hash again_hash;
    uint32_t again_bits;
    int64_t again_height;
    struct u256 again_work;
    bool is_proven; /* As much work as the first time: all may go out. */

    /* Neighbours mostly have equal bits: their work is worked out once. */
    uint32_t known_bits;
    struct u256 known_work;
};

struct presync_limits presync_limits_of(const struct params *params)
{
    /* The figures of Bitcoin Core's contrib/devtools/headerssync-params.py for chains of
     * about these lengths: less than one header of a worthless chain per attack. */
    static const struct presync_limits limits[NETWORK_COUNT] = {
        [NETWORK_MAIN] = {641, 15218},     [NETWORK_TEST] = {673, 14460},
        [NETWORK_TESTNET4] = {606, 16092}, [NETWORK_SIGNET] = {620, 15724},
        [NETWORK_REGTEST] = {275, 7017},
    };

    return limits[params->network];
}

struct presync *presync_new(const struct presync_options *options)
{
    const struct header_node *start = options->start;
    struct presync *presync = alloc_zero(sizeof(*presync));
    int64_t seconds = options->now_s - (int64_t)header_median_time(start) + HEADER_FUTURE_MAX_S;

    CHECK(options->limits.stride > 0 && options->offset < options->limits.stride);
    presync->options = *options;
    presync->bits_max = (uint64_t)MAX(seconds, 0) * BLOCKS_PER_SECOND_MAX / options->limits.stride;
    presync->work = header_work(start);
    presync->last_hash = start->hash;
    presync->last_bits = start->bits;
    presync->last_time = start->time;
    presync->height = start->height;
    presync->known_bits = start->bits;
    presync->known_work = work_of_bits(start->bits);
    return presync;
}

void presync_free(struct presync *own_presync)
{
    if (own_presync == NULL)
        return;
    free(own_presync->bits);
    free(own_presync->ring);
    free(own_presync);
}

static void end(struct presync *presync)
{
    presync->phase = PRESYNC_OVER;
    free(presync->bits);
    free(presync->ring);
    presync->bits = NULL;
    presync->ring = NULL;
    presync->bits_capacity = 0;
    presync->ring_n = 0;
}

static bool note(struct presync_result *result, const char *format, ...) PRINTF_LIKE(2, 3);

/* Always false: what the caller found wrong. */
static bool note(struct presync_result *result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(result->note, sizeof(result->note), format, args);
    va_end(args);
    return false;
}

static const struct u256 *work_of(struct presync *presync, uint32_t bits)
{
    if (presync->known_bits != bits) {
        presync->known_bits = bits;
        presync->known_work = work_of_bits(bits);
    }
    return &presync->known_work;
}

static bool is_committed(const struct presync *presync, int64_t height)
{
    return (uint64_t)height % presync->options.limits.stride == presync->options.offset;
}

static bool bit_of(const struct presync *presync, const struct block_hash *hash)
{
    return (siphash_id(&presync->options.salt, hash->b) & 1) != 0;
}

static void keep_bit(struct presync *presync, bool bit)
{
    size_t at = (size_t)(presync->bits_n / 8);

    if (at == presync->bits_capacity) {
        presync->bits_capacity = MAX(2 * presync->bits_capacity, 64);
        presync->bits = realloc_array(presync->bits, presync->bits_capacity, 1);
    }
    if (presync->bits_n % 8 == 0)
        presync->bits[at] = 0;
    presync->bits[at] |= (uint8_t)(bit << presync->bits_n % 8);
    presync->bits_n++;
}

static bool take_bit(struct presync *presync)
{
    uint64_t at = presync->bits_taken++;

    return (presync->bits[at / 8] >> at % 8 & 1) != 0;
}

static bool count_one(struct presync *presync, struct presync_result *result,
                      const struct header *header, const struct block_hash *hash)
{
    int64_t height = presync->height + 1;

    if (height >= (int64_t)HEADER_TREE_MAX ||
        !pow_transition_allowed((int32_t)height, presync->last_bits, header->bits,
                                presync->options.params))
        return note(result, "invalid difficulty transition at height=%" PRId64 " (presync phase)",
                    height);
    if (is_committed(presync, height)) {
        if (presync->bits_n >= presync->bits_max)
            return note(result, "exceeded max commitments at height=%" PRId64 " (presync phase)",
                        height);
        keep_bit(presync, bit_of(presync, hash));
    }
    presync->work = u256_add(&presync->work, work_of(presync, header->bits));
    presync->last_hash = *hash;
    presync->last_bits = header->bits;
    presync->last_time = header->time;
    presync->height = height;
    return true;
}

static void begin_second_pass(struct presync *presync)
{
    const struct header_node *start = presync->options.start;

    presync->phase = PRESYNC_RECEIVE;
    presync->again_hash = start->hash;
    presync->again_bits = start->bits;
    presync->again_height = start->height;
    presync->again_work = header_work(start);
    presync->ring_prev = start->hash;
    presync->ring =
        alloc_array(presync->options.limits.window + HEADERS_N_MAX, sizeof(*presync->ring));
}

static bool count(struct presync *presync, struct presync_result *result,
                  const struct header *headers, const struct block_hash *hashes, size_t n,
                  bool is_full)
{
    if (!block_hash_equal(&headers[0].prev, &presync->last_hash))
        return note(result, "non-continuous headers at height=%" PRId64 " (presync phase)",
                    presync->height);
    for (size_t i = 0; i < n; i++) {
        if (!count_one(presync, result, &headers[i], &hashes[i]))
            return false;
    }
    result->wants_more = is_full;
    if (u256_compare(&presync->work, &presync->options.work_wanted) >= 0) {
        begin_second_pass(presync);
        result->wants_more = true;
        note(result,
             "reached sufficient work at height=%" PRId64 ", redownloading from height=%" PRId64,
             presync->height, presync->again_height);
    } else if (!is_full) {
        note(result, "incomplete headers message at height=%" PRId64 " (presync phase)",
             presync->height);
    }
    return true;
}

static bool receive_one(struct presync *presync, struct presync_result *result,
                        const struct header *header, const struct block_hash *hash)
{
    int64_t height = presync->again_height + 1;
    size_t room = presync->options.limits.window + HEADERS_N_MAX;

    if (!block_hash_equal(&header->prev, &presync->again_hash))
        return note(result, "non-continuous headers at height=%" PRId64 " (redownload phase)",
                    height);
    if (!pow_transition_allowed((int32_t)height, presync->again_bits, header->bits,
                                presync->options.params))
        return note(result,
                    "invalid difficulty transition at height=%" PRId64 " (redownload phase)",
                    height);
    presync->again_work = u256_add(&presync->again_work, work_of(presync, header->bits));
    if (u256_compare(&presync->again_work, &presync->options.work_wanted) >= 0)
        presync->is_proven = true;
    /* Behind the work that was wanted the chain may have grown since the first pass. */
    if (!presync->is_proven && is_committed(presync, height)) {
        if (presync->bits_taken == presync->bits_n)
            return note(result, "commitment overrun at height=%" PRId64 " (redownload phase)",
                        height);
        if (take_bit(presync) != bit_of(presync, hash))
            return note(result, "commitment mismatch at height=%" PRId64 " (redownload phase)",
                        height);
    }
    CHECK(presync->ring_n < room);
    presync->ring[(presync->ring_first + presync->ring_n++) % room] = (struct short_header){
        header->version, header->merkle_root, header->time, header->bits, header->nonce};
    presync->again_hash = *hash;
    presync->again_bits = header->bits;
    presync->again_height = height;
    return true;
}

static void give_out(struct presync *presync, struct presync_result *result)
{
    size_t window = presync->is_proven ? 0 : presync->options.limits.window;
    size_t room = presync->options.limits.window + HEADERS_N_MAX;
    size_t n = presync->ring_n > window ? presync->ring_n - window : 0;

    if (n == 0)
        return;
    result->headers = alloc_array(n, sizeof(*result->headers));
    for (size_t i = 0; i < n; i++) {
        const struct short_header *from = &presync->ring[(presync->ring_first + i) % room];
        struct header *to = &result->headers[i];

        *to = (struct header){from->version, presync->ring_prev, from->merkle_root,
                              from->time,    from->bits,         from->nonce};
        presync->ring_prev = header_hash(to);
    }
    result->headers_n = n;
    presync->ring_first = (presync->ring_first + n) % room;
    presync->ring_n -= n;
}

static bool receive(struct presync *presync, struct presync_result *result,
                    const struct header *headers, const struct block_hash *hashes, size_t n,
                    bool is_full)
{
    for (size_t i = 0; i < n; i++) {
        if (!receive_one(presync, result, &headers[i], &hashes[i]))
            return false;
    }
    give_out(presync, result);
    if (presync->is_proven) {
        note(result, "releasing all at height=%" PRId64 " (redownload phase)",
             presync->again_height);
    } else if (is_full) {
        result->wants_more = true;
    } else {
        note(result, "incomplete headers message at height=%" PRId64 " (redownload phase)",
             presync->again_height);
    }
    return true;
}

void presync_feed(struct presync *presync, struct presync_result *ret_result,
                  const struct header *headers, const struct block_hash *hashes, size_t n,
                  bool is_full)
{
    CHECK(n > 0 && n <= HEADERS_N_MAX && presync->phase != PRESYNC_OVER);
    *ret_result = (struct presync_result){.is_ok = false};
    if (presync->phase == PRESYNC_COUNT)
        ret_result->is_ok = count(presync, ret_result, headers, hashes, n, is_full);
    else
        ret_result->is_ok = receive(presync, ret_result, headers, hashes, n, is_full);
    if (!ret_result->is_ok || !ret_result->wants_more)
        end(presync);
}

size_t presync_locator(const struct presync *presync, struct block_hash *ret_hashes)
{
    CHECK(presync->phase != PRESYNC_OVER);
    ret_hashes[0] = presync->phase == PRESYNC_COUNT ? presync->last_hash : presync->again_hash;
    return 1 + header_locator(presync->options.start, ret_hashes + 1);
}

enum presync_phase presync_phase_of(const struct presync *presync)
{
    return presync->phase;
}

int64_t presync_height(const struct presync *presync)
{
    return presync->height;
}

uint32_t presync_time(const struct presync *presync)
{
    return presync->last_time;
}

struct u256 presync_work(const struct presync *presync)
{
    return presync->work;
}

size_t presync_memory(const struct presync *presync)
{
    size_t ring = presync->ring == NULL ? 0 : presync->options.limits.window + HEADERS_N_MAX;

    return sizeof(*presync) + presync->bits_capacity + ring * sizeof(struct short_header);
}

uint64_t presync_bits_max(const struct presync *presync)
{
    return presync->bits_max;
}
