/* The header tree against naive walks over parent pointers. */
#include "headers/accept.h"
#include "headers/tree.h"
#include "test.h"

#define NODES 3000

static const uint64_t salt[2] = {UINT64_C(0x0123456789abcdef), 42};

/* Headers without proof of work: the tree does not ask for it. */
static struct header_node *add(struct header_tree *tree, struct header_node *prev, uint32_t time)
{
    static uint32_t nonce;
    struct header header = {.version = 4, .prev = prev->hash, .bits = 0x207fffff};
    struct header_node *node = NULL;
    struct block_hash hash;

    header.time = time;
    header.nonce = nonce++;
    hash = header_hash(&header);
    EXPECT_INT("add", header_tree_add(tree, &node, &header, &hash, NULL), 0);
    CHECK(node != NULL);
    return node;
}

static struct header_node *some_node(const struct header_tree *tree)
{
    return header_tree_at(tree, (uint32_t)test_random_below(header_tree_count(tree)));
}

/* Long branches with some forks. */
static struct header_tree *random_tree(size_t n)
{
    struct header_tree *tree = header_tree_new(params_of(NETWORK_REGTEST), salt);
    struct header_node *top = header_tree_genesis(tree);

    for (size_t i = 0; i < n; i++) {
        if (test_random_below(20) == 0)
            top = some_node(tree);
        top = add(tree, top, (uint32_t)test_random());
    }
    return tree;
}

static const struct header_node *walk_to(const struct header_node *node, int32_t height)
{
    while (node != NULL && node->height > height)
        node = node->prev;
    return node;
}

static const struct header_node *walk_fork(const struct header_node *a, const struct header_node *b)
{
    while (a != b) {
        if (a->height > b->height)
            a = a->prev;
        else
            b = b->prev;
    }
    return a;
}

static void ancestors_and_forks_are_found(void)
{
    struct header_tree *tree = random_tree(NODES);

    for (int i = 0; i < 3000; i++) {
        const struct header_node *a = some_node(tree);
        const struct header_node *b = some_node(tree);
        int32_t height = (int32_t)test_random_below((uint64_t)a->height + 1);

        if (!EXPECT_TRUE("ancestor", header_ancestor(a, height) == walk_to(a, height)) ||
            !EXPECT_TRUE("fork", header_fork(a, b) == walk_fork(a, b)))
            break;
    }
    EXPECT_TRUE("below genesis", header_ancestor(some_node(tree), -1) == NULL);
    EXPECT_TRUE("above itself", header_ancestor(header_tree_genesis(tree), 1) == NULL);
    header_tree_free(tree);
}

static void every_hash_is_found_and_no_other(void)
{
    struct header_tree *tree = random_tree(NODES);

    for (uint32_t i = 0; i < header_tree_count(tree); i++) {
        struct header_node *node = header_tree_at(tree, i);
        struct block_hash other = node->hash;

        EXPECT_TRUE("there", header_tree_find(tree, &node->hash) == node);
        other.b[i % 32] ^= 1;
        EXPECT_TRUE("not there", header_tree_find(tree, &other) == NULL);
        EXPECT_INT("index", node->index, i);
    }
    header_tree_free(tree);
}

static uint32_t naive_median(const struct header_node *node)
{
    uint32_t times[11];
    size_t n = 0;

    for (; node != NULL && n < 11; node = node->prev)
        times[n++] = node->time;
    /* The one with as many below it as above, equals in order. */
    for (size_t i = 0; i < n; i++) {
        size_t below = 0;

        for (size_t j = 0; j < n; j++)
            below += times[j] < times[i] || (times[j] == times[i] && j < i);
        if (below == n / 2)
            return times[i];
    }
    return 0;
}

static void medians_and_work_add_up(void)
{
    struct header_tree *tree = random_tree(500);

    for (uint32_t i = 0; i < header_tree_count(tree); i++) {
        const struct header_node *node = header_tree_at(tree, i);
        struct u256 work = header_work(node);
        uint32_t most = 0;

        EXPECT_U64("median", header_median_time(node), naive_median(node));
        EXPECT_U64("work", work.limb[0], 2 * ((uint64_t)node->height + 1));
        for (const struct header_node *at = node; at != NULL; at = at->prev)
            most = MAX(most, at->time);
        EXPECT_U64("time_max", node->time_max, most);
    }
    header_tree_free(tree);
}

static bool is_in_line(const struct header_node *a, const struct header_node *b)
{
    const struct header_node *low = a->height < b->height ? a : b;
    const struct header_node *high = low == a ? b : a;

    while (high->height > low->height)
        high = high->prev;
    return high == low;
}

/* The naive truth: failing reaches whatever rests on the node, then and later;
 * reconsidering clears its line and nothing else. */
static void marks_reach_descendants_and_the_best_follows(void)
{
    struct header_tree *tree = random_tree(800);
    bool failed[1000] = {false};

    for (int step = 0; step < 60; step++) {
        struct header_node *node = some_node(tree);
        bool is_failing = test_random_below(2) == 0;
        int32_t highest = 0;

        if (node->height == 0)
            continue;
        if (is_failing)
            header_tree_fail(tree, node);
        else
            header_tree_reconsider(tree, node);
        for (uint32_t i = 0; i < header_tree_count(tree); i++) {
            const struct header_node *at = header_tree_at(tree, i);

            if (is_in_line(node, at) && (!is_failing || at->height >= node->height))
                failed[i] = is_failing;
        }
        if (test_random_below(3) == 0) {
            struct header_node *child = add(tree, some_node(tree), 7);

            failed[child->index] = failed[child->prev->index];
        }
        for (uint32_t i = 0; i < header_tree_count(tree); i++) {
            const struct header_node *at = header_tree_at(tree, i);

            if (!EXPECT_INT("failed", header_is_failed(at), failed[i]))
                step = 60;
            if (!failed[i])
                highest = MAX(highest, at->height);
        }
        EXPECT_TRUE("best is valid", !header_is_failed(header_tree_best(tree)));
        EXPECT_INT("best height", header_tree_best(tree)->height, highest);
    }
    header_tree_free(tree);
}

static void reconsidering_clears_the_whole_line(void)
{
    struct header_tree *tree = header_tree_new(params_of(NETWORK_REGTEST), salt);
    struct header_node *a = add(tree, header_tree_genesis(tree), 1);
    struct header_node *b = add(tree, a, 2);
    struct header_node *c = add(tree, b, 3);

    EXPECT_TRUE("fail c", header_tree_fail(tree, c));
    EXPECT_TRUE("fail a", header_tree_fail(tree, a));
    EXPECT_TRUE("nothing to do", !header_tree_fail(tree, a));
    EXPECT_TRUE("best", header_tree_best(tree) == header_tree_genesis(tree));
    EXPECT_TRUE("reconsider b", header_tree_reconsider(tree, b));
    EXPECT_TRUE("all good", !header_is_failed(a) && !header_is_failed(b) && !header_is_failed(c));
    EXPECT_TRUE("best again", header_tree_best(tree) == c);
    header_tree_free(tree);
}

static void locators_thin_out(void)
{
    struct header_tree *tree = header_tree_new(params_of(NETWORK_REGTEST), salt);
    struct header_node *top = header_tree_genesis(tree);
    struct block_hash hashes[LOCATOR_MAX];
    int32_t last = INT32_MAX;
    size_t n;

    for (int i = 0; i < 2000; i++)
        top = add(tree, top, (uint32_t)i);
    n = header_locator(top, hashes);
    for (size_t i = 0; i < n; i++) {
        const struct header_node *node = header_tree_find(tree, &hashes[i]);

        EXPECT_TRUE("falls", node->height < last);
        if (i <= 10)
            EXPECT_INT("one by one", node->height, 2000 - (int32_t)i);
        last = node->height;
    }
    EXPECT_INT("ends at genesis", last, 0);
    EXPECT_TRUE("short", n < 25);
    header_tree_free(tree);
}

/* A nonce whose work is enough, or is not. */
static struct block_hash solve(struct header *header, const struct params *params, bool enough)
{
    struct block_hash hash;

    for (hash = header_hash(header); pow_check(&hash, header->bits, params) != enough;
         hash = header_hash(header))
        header->nonce++;
    return hash;
}

static enum verdict accept(struct header_tree *tree, struct header_node **ret_node,
                           const struct header *header, int64_t now_s, bool want_new)
{
    struct finding finding = {0};
    enum verdict verdict = V_COUNT;
    bool is_new;

    EXPECT_INT("rc",
               header_accept(tree, ret_node, &is_new, &verdict, header, params_of(NETWORK_REGTEST),
                             now_s, &finding, NULL),
               0);
    EXPECT_INT("new", is_new, want_new);
    return verdict;
}

static void acceptance_has_its_reasons(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct header_tree *tree = header_tree_new(params, salt);
    struct header header = {
        .version = 4, .prev = params->genesis_hash, .time = 1296688602 + 600, .bits = 0x207fffff};
    struct header_node *node = NULL;
    struct block_hash hash;

    solve(&header, params, false);
    EXPECT_INT("work", accept(tree, &node, &header, 2000000000, false), V_HIGH_HASH);
    hash = solve(&header, params, true);
    EXPECT_INT("early", accept(tree, &node, &header, 1000000000, false), V_TIME_TOO_NEW);
    EXPECT_INT("forgotten", header_tree_count(tree), 1);
    EXPECT_INT("good", accept(tree, &node, &header, 2000000000, true), V_VALID);
    EXPECT_INT("again", accept(tree, &node, &header, 2000000000, false), V_VALID);
    header_tree_fail(tree, node);
    EXPECT_INT("marked", accept(tree, &node, &header, 2000000000, false), V_DUPLICATE_INVALID);
    header.prev = hash;
    header.time += 600;
    solve(&header, params, true);
    EXPECT_INT("on a bad one", accept(tree, &node, &header, 2000000000, false), V_BAD_PREV);
    header.prev.b[0] ^= 1;
    solve(&header, params, true);
    EXPECT_INT("on nothing", accept(tree, &node, &header, 2000000000, false), V_PREV_NOT_FOUND);
    header_tree_free(tree);
}

static const struct header_node *naive_best(const struct header_tree *tree)
{
    const struct header_node *best = header_tree_genesis(tree);

    for (uint32_t i = 1; i < header_tree_count(tree); i++) {
        const struct header_node *at = header_tree_at(tree, i);

        if (!header_is_failed(at) && header_work_compare(at, best) > 0)
            best = at;
    }
    return best;
}

static void naive_children(const struct header_tree *tree, const struct header_node *root)
{
    uint32_t want = 0;
    uint32_t got = 0;

    for (uint32_t i = root->index + 1; i < header_tree_count(tree); i++)
        want += is_in_line(root, header_tree_at(tree, i)) &&
                header_tree_at(tree, i)->height > root->height;
    for (struct header_node *at = header_tree_below(tree, root, root, false); at != NULL;
         at = header_tree_below(tree, root, at, false)) {
        EXPECT_TRUE("below", at->height > root->height && is_in_line(root, at));
        got++;
    }
    EXPECT_INT("all of them", got, want);
}

/* Block after block at the top fails, down to where the nodes at hand end and further,
 * while others come. */
static void the_best_fails_again_and_again(void)
{
    struct header_tree *tree = random_tree(20);
    struct header_node *tip = header_tree_best(tree);

    for (uint32_t i = 0; i < 3000; i++) {
        struct header_node *node = add(tree, tip, i);

        if (i > 2500 && i % 3 == 0)
            add(tree, node->prev, 5000 + i);
        tip = node;
    }
    for (uint32_t i = 0; i < 500; i++) {
        struct header_node *best = header_tree_best(tree);

        if (i % 50 == 0)
            best = header_ancestor(best, best->height - 3);
        header_tree_fail(tree, best);
        if (!EXPECT_TRUE("best", header_tree_best(tree) == naive_best(tree)))
            break;
        if (i % 7 == 0)
            add(tree, header_tree_best(tree), 10000 + i);
        EXPECT_TRUE("best", header_tree_best(tree) == naive_best(tree));
    }
    naive_children(tree, header_ancestor(tip, 2600));
    naive_children(tree, tip);
    header_tree_free(tree);
}

TEST_LIST(TEST(ancestors_and_forks_are_found), TEST(every_hash_is_found_and_no_other),
          TEST(medians_and_work_add_up), TEST(marks_reach_descendants_and_the_best_follows),
          TEST(the_best_fails_again_and_again), TEST(reconsidering_clears_the_whole_line),
          TEST(locators_thin_out), TEST(acceptance_has_its_reasons))
