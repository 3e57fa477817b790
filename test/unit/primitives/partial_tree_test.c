#include "primitives/partial_tree.h"

#include "base/alloc.h"
#include "primitives/merkle.h"
#include "test.h"

static struct merkle_root root_of(const struct txid *leaves, uint32_t n)
{
    uint8_t *copy = alloc((size_t)n * HASH_BYTES);
    struct merkle_root root;

    memcpy(copy, leaves, (size_t)n * HASH_BYTES);
    merkle_root_of(root.b, NULL, copy, n);
    free(copy);
    return root;
}

/* Every size up to some, marks of every density: the marked leaves come back, and one
 * bent bit is always seen or leads to the same leaves. */
static void trees_lead_to_their_leaves(void)
{
    struct txid leaves[70];

    for (uint32_t n = 1; n <= 70; n++) {
        for (uint64_t density = 0; density <= 4; density++) {
            bool marks[70];
            uint32_t marked_n = 0;
            struct txid *found;
            uint32_t found_n;
            struct partial_tree tree;
            struct merkle_root root;
            struct arena arena;

            arena_init(&arena);
            test_random_fill(leaves, sizeof(leaves));
            for (uint32_t i = 0; i < n; i++) {
                marks[i] = test_random_below(4) < density;
                marked_n += marks[i];
            }
            partial_tree_make(&tree, leaves, marks, n, &arena);
            root = root_of(leaves, n);
            EXPECT_TRUE("good", partial_tree_check(&tree, &root, &found, &found_n, &arena));
            EXPECT_U64("all marked", found_n, marked_n);
            for (uint32_t i = 0, k = 0; i < n; i++)
                if (marks[i])
                    EXPECT_BYTES("leaf", found[k++].b, 32, leaves[i].b, 32);
            {
                uint8_t *bent = arena_alloc(&arena, tree.hashes.len);

                memcpy(bent, tree.hashes.data, tree.hashes.len);
                bent[test_random_below(tree.hashes.len)] ^= 1;
                tree.hashes.data = bent;
                EXPECT_TRUE("bent", !partial_tree_check(&tree, &root, &found, &found_n, &arena));
            }
            {
                uint8_t *more = arena_alloc(&arena, tree.hashes.len + HASH_BYTES);
                struct partial_tree longer;

                partial_tree_make(&longer, leaves, marks, n, &arena);
                memcpy(more, longer.hashes.data, longer.hashes.len);
                memset(more + longer.hashes.len, 1, HASH_BYTES);
                longer.hashes = span_of(more, longer.hashes.len + HASH_BYTES);
                EXPECT_TRUE("a hash too many",
                            !partial_tree_check(&longer, &root, &found, &found_n, &arena));
            }
            tree.hashes.len -= HASH_BYTES;
            EXPECT_TRUE("short", !partial_tree_check(&tree, &root, &found, &found_n, &arena));
            arena_clear(&arena);
        }
    }
}

static void sizes_are_bounded(void)
{
    struct arena arena;
    struct merkle_root root = {{0}};
    struct txid *found;
    uint32_t found_n;
    struct partial_tree tree = {.leaves_n = 0};
    uint8_t zeros[64] = {0};

    arena_init(&arena);
    tree.hashes = span_of(zeros, 32);
    tree.flags = span_of(zeros, 1);
    EXPECT_TRUE("no leaves", !partial_tree_check(&tree, &root, &found, &found_n, &arena));
    tree.leaves_n = PARTIAL_TREE_LEAVES_MAX + 1;
    EXPECT_TRUE("too many", !partial_tree_check(&tree, &root, &found, &found_n, &arena));
    tree.leaves_n = 0xffffffff;
    EXPECT_TRUE("too many", !partial_tree_check(&tree, &root, &found, &found_n, &arena));
    EXPECT_U64("nothing taken", arena.total_bytes, 0);
    arena_clear(&arena);
}

TEST_LIST(TEST(trees_lead_to_their_leaves), TEST(sizes_are_bounded))
