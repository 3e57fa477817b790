/* Target: headers below the minimum work. The input says in which portions and with which
 * tampering a chain arrives. Whatever comes out builds on the start without a gap, and
 * no more is held than the bound. */
#include <stdlib.h>

#include "base/check.h"
#include "p2p/headers_presync.h"
#include "p2p/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHAIN_N 600
#define STRIDE 5
#define WINDOW 40
#define MEMORY_MAX ((WINDOW + HEADERS_N_MAX) * 48 + 2000)

static struct header chain[CHAIN_N];
static struct block_hash hashes[CHAIN_N];

static void make_chain(const struct header_node *start)
{
    struct block_hash prev = start->hash;

    for (uint32_t i = 0; i < CHAIN_N; i++) {
        chain[i] = (struct header){
            .version = 4, .prev = prev, .time = start->time + i, .bits = start->bits};
        prev = hashes[i] = header_hash(&chain[i]);
    }
}

/* Tampers with header i of the portion, and with what builds on it. */
static void tamper(struct header *headers, struct block_hash *list, size_t i, size_t n)
{
    headers[i].nonce++;
    list[i] = header_hash(&headers[i]);
    for (; i + 1 < n; i++) {
        headers[i + 1].prev = list[i];
        list[i + 1] = header_hash(&headers[i + 1]);
    }
}

static size_t begin_of(const struct presync *presync)
{
    struct block_hash locator[LOCATOR_MAX + 1];
    size_t n = presync_locator(presync, locator);

    CHECK(n > 0 && n <= ARRAY_LEN(locator));
    for (size_t i = 0; i < CHAIN_N; i++) {
        if (block_hash_equal(&hashes[i], &locator[0]))
            return i + 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint64_t tree_salt[2] = {1, 2};
    struct header_tree *tree = header_tree_new(params_of(NETWORK_REGTEST), tree_salt);
    struct header_node *start = header_tree_genesis(tree);
    struct presync_options options = {.params = params_of(NETWORK_REGTEST),
                                      .start = start,
                                      .limits = {STRIDE, WINDOW},
                                      .salt = {7, len},
                                      .offset = (uint32_t)(len % STRIDE),
                                      .now_s = (int64_t)start->time + 1000};
    struct block_hash out = start->hash;
    struct presync *presync;

    make_chain(start);
    for (size_t i = 0; i < (len > 0 ? data[0] : 1); i++) {
        struct u256 one = work_of_bits(start->bits);

        options.work_wanted = u256_add(&options.work_wanted, &one);
    }
    presync = presync_new(&options);
    for (size_t at = 1; at + 2 < len && presync_phase_of(presync) != PRESYNC_OVER; at += 3) {
        size_t from = (begin_of(presync) + (data[at + 2] >> 6 == 3 ? 1 : 0)) % CHAIN_N;
        size_t n = MIN(1 + (size_t)data[at], CHAIN_N - from);
        struct header headers[CHAIN_N];
        struct block_hash list[CHAIN_N];
        struct presync_result result;

        memcpy(headers, &chain[from], n * sizeof(headers[0]));
        memcpy(list, &hashes[from], n * sizeof(list[0]));
        if (data[at + 1] != 0 && data[at + 1] < n)
            tamper(headers, list, data[at + 1], n);
        presync_feed(presync, &result, headers, list, n, (data[at + 2] & 1) == 0);
        CHECK(result.is_ok || result.headers_n == 0);
        for (size_t i = 0; i < result.headers_n; i++) {
            CHECK(block_hash_equal(&result.headers[i].prev, &out));
            out = header_hash(&result.headers[i]);
        }
        CHECK(presync_memory(presync) <= MEMORY_MAX);
        free(result.headers);
    }
    presync_free(presync);
    header_tree_free(tree);
    return 0;
}
