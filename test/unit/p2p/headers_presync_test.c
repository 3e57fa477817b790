/* Headers fetched twice: an honest chain comes out whole, whatever the batches; another
 * chain in the second pass is noticed, and memory stays within its bounds. */
#include "p2p/headers_presync.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "headers/tree.h"
#include "p2p/message.h"
#include "test.h"

#define CHAIN_N 6000
#define STRIDE 7
#define WINDOW 100

static const uint64_t tree_salt[2] = {3, 4};
static struct header chain[CHAIN_N];
static struct block_hash hashes[CHAIN_N];
static struct header other[CHAIN_N];
static struct block_hash other_hashes[CHAIN_N];

/* From genesis on, no work done for it: the presync does not ask for that. */
static void make_chain(struct header *headers, struct block_hash *ret_hashes,
                       const struct header_node *start, uint32_t tag)
{
    struct block_hash prev = start->hash;

    for (uint32_t i = 0; i < CHAIN_N; i++) {
        headers[i] = (struct header){.version = 4, .prev = prev, .bits = start->bits};
        headers[i].time = start->time + i;
        headers[i].nonce = tag;
        prev = ret_hashes[i] = header_hash(&headers[i]);
    }
}

static struct header_tree *new_tree(enum network network)
{
    struct header_tree *tree = header_tree_new(params_of(network), tree_salt);

    make_chain(chain, hashes, header_tree_genesis(tree), 1);
    make_chain(other, other_hashes, header_tree_genesis(tree), 2);
    return tree;
}

/* Work of the first n headers on top of the start. */
static struct u256 work_of_n(const struct header_node *start, uint32_t n)
{
    struct u256 work = header_work(start);
    struct u256 one = work_of_bits(start->bits);

    while (n-- > 0)
        work = u256_add(&work, &one);
    return work;
}

static struct presync *new_presync(const struct header_tree *tree, uint32_t work_n)
{
    struct header_node *start = header_tree_genesis(tree);
    struct presync_options options = {.params = params_of(NETWORK_REGTEST),
                                      .start = start,
                                      .work_wanted = work_of_n(start, work_n),
                                      .limits = {STRIDE, WINDOW},
                                      .salt = {test_random(), test_random()},
                                      .offset = (uint32_t)test_random_below(STRIDE),
                                      .now_s = (int64_t)start->time + 100000};

    return presync_new(&options);
}

/* Where in the chain the presync wants to go on. */
static uint32_t wanted_from(const struct presync *presync, const struct block_hash *list)
{
    struct block_hash locator[LOCATOR_MAX + 1];
    size_t n = presync_locator(presync, locator);

    EXPECT_TRUE("locator", n > 0 && n <= LOCATOR_MAX + 1);
    for (uint32_t i = 0; i < CHAIN_N; i++) {
        if (block_hash_equal(&list[i], &locator[0]))
            return i + 1;
    }
    return 0;
}

static void an_honest_chain_comes_out_whole(void)
{
    struct header_tree *tree = new_tree(NETWORK_REGTEST);

    for (int round = 0; round < 40; round++) {
        uint32_t work_n = 1 + (uint32_t)test_random_below(CHAIN_N - HEADERS_N_MAX);
        struct presync *presync = new_presync(tree, work_n);
        struct presync_result result = {.wants_more = true};
        uint32_t out_n = 0;

        while (result.wants_more) {
            uint32_t from = wanted_from(presync, hashes);
            uint32_t n = 1 + (uint32_t)test_random_below(HEADERS_N_MAX);

            n = MIN(n, CHAIN_N - from);
            presync_feed(presync, &result, &chain[from], &hashes[from], n, true);
            EXPECT_TRUE("ok", result.is_ok);
            for (size_t i = 0; i < result.headers_n; i++, out_n++) {
                if (memcmp(&result.headers[i], &chain[out_n], sizeof(chain[0])) != 0)
                    EXPECT_INT("as sent", i, -1);
            }
            EXPECT_TRUE("memory", presync_memory(presync) <
                                      (WINDOW + HEADERS_N_MAX) * 48 + CHAIN_N / STRIDE / 4 + 1000);
            free(result.headers);
        }
        EXPECT_TRUE("enough", out_n >= work_n);
        EXPECT_INT("over", presync_phase_of(presync), PRESYNC_OVER);
        presync_free(presync);
    }
    header_tree_free(tree);
}

/* First pass with one chain, second with another. */
static uint32_t cheat(const struct header_tree *tree)
{
    struct presync *presync = new_presync(tree, 3000);
    struct presync_result result = {.wants_more = true};
    uint32_t out_n = 0;

    while (result.wants_more) {
        bool is_first = presync_phase_of(presync) == PRESYNC_COUNT;
        const struct block_hash *list = is_first ? hashes : other_hashes;
        uint32_t from = wanted_from(presync, list);

        presync_feed(presync, &result, is_first ? &chain[from] : &other[from], &list[from],
                     MIN(200, CHAIN_N - from), true);
        out_n += (uint32_t)result.headers_n;
        free(result.headers);
    }
    EXPECT_TRUE("noticed", !result.is_ok);
    presync_free(presync);
    return out_n;
}

static void another_chain_the_second_time_is_noticed(void)
{
    struct header_tree *tree = new_tree(NETWORK_REGTEST);
    uint32_t out_n = 0;

    /* Each commitment is a coin: what gets through needs WINDOW / STRIDE right ones. */
    for (int round = 0; round < 300; round++)
        out_n += cheat(tree);
    EXPECT_TRUE("next to nothing", out_n < 500);
    header_tree_free(tree);
}

static void what_is_wrong_ends_it(void)
{
    struct header_tree *tree = new_tree(NETWORK_REGTEST);
    struct presync_result result;
    struct presync *presync = new_presync(tree, 3000);

    presync_feed(presync, &result, &chain[1], &hashes[1], 10, true);
    EXPECT_TRUE("does not connect", !result.is_ok && !result.wants_more);
    EXPECT_STR("note", result.note, "non-continuous headers at height=0 (presync phase)");
    presync_free(presync);

    presync = new_presync(tree, 3000);
    presync_feed(presync, &result, chain, hashes, 10, false);
    EXPECT_TRUE("ends too early", result.is_ok && !result.wants_more);
    EXPECT_INT("over", presync_phase_of(presync), PRESYNC_OVER);
    presync_free(presync);

    presync = new_presync(tree, 2000);
    presync_feed(presync, &result, chain, hashes, 2000, true);
    EXPECT_INT("second pass", presync_phase_of(presync), PRESYNC_RECEIVE);
    EXPECT_INT("height", presync_height(presync), 2000);
    presync_feed(presync, &result, chain, hashes, 500, false);
    EXPECT_TRUE("declines", result.is_ok && !result.wants_more);
    EXPECT_STR("note", result.note, "incomplete headers message at height=500 (redownload phase)");
    EXPECT_U64("what was proven", result.headers_n, 400);
    free(result.headers);
    presync_free(presync);
    header_tree_free(tree);
}

/* No chain can be longer than time has allowed. */
static void the_number_of_bits_is_bounded(void)
{
    struct header_tree *tree = new_tree(NETWORK_REGTEST);
    struct header_node *start = header_tree_genesis(tree);
    struct presync_options options = {.params = params_of(NETWORK_REGTEST),
                                      .start = start,
                                      .work_wanted = work_of_n(start, 5000),
                                      .limits = {1, WINDOW},
                                      .now_s = (int64_t)start->time - 7200 + 100};
    struct presync *presync = presync_new(&options);
    struct presync_result result;

    EXPECT_U64("bits", presync_bits_max(presync), 600);
    presync_feed(presync, &result, chain, hashes, 600, true);
    EXPECT_TRUE("as many as can be", result.is_ok && result.wants_more);
    presync_feed(presync, &result, &chain[600], &hashes[600], 1, true);
    EXPECT_TRUE("one more", !result.is_ok);
    EXPECT_STR("note", result.note, "exceeded max commitments at height=601 (presync phase)");
    presync_free(presync);
    header_tree_free(tree);
}

static void difficulty_may_not_jump(void)
{
    struct header_tree *tree = new_tree(NETWORK_MAIN);
    struct header_node *start = header_tree_genesis(tree);
    struct presync_options options = {.params = params_of(NETWORK_MAIN),
                                      .start = start,
                                      .work_wanted = work_of_n(start, 5000),
                                      .limits = presync_limits_of(params_of(NETWORK_MAIN)),
                                      .now_s = (int64_t)start->time + 100000000};
    struct presync *presync = presync_new(&options);
    struct presync_result result;

    chain[5].bits = 0x1c00ffff;
    hashes[5] = header_hash(&chain[5]);
    presync_feed(presync, &result, chain, hashes, 6, true);
    EXPECT_TRUE("a jump", !result.is_ok);
    EXPECT_STR("note", result.note, "invalid difficulty transition at height=6 (presync phase)");
    presync_free(presync);
    header_tree_free(tree);
}

TEST_LIST(TEST(an_honest_chain_comes_out_whole), TEST(another_chain_the_second_time_is_noticed),
          TEST(what_is_wrong_ends_it), TEST(the_number_of_bits_is_bounded),
          TEST(difficulty_may_not_jump))
