#include "base/arena.h"

#include "test.h"

#define PIECES 2000

/* Pieces are aligned, do not overlap and keep what is written to them. */
static void pieces_are_apart(void)
{
    static uint8_t *piece[PIECES];
    static size_t len[PIECES];
    struct arena arena;

    arena_init(&arena);
    for (int round = 0; round < 5; round++) {
        size_t sum = 0;

        for (size_t i = 0; i < PIECES; i++) {
            len[i] = test_random_below(test_random_below(40) == 0 ? 100000 : 200);
            piece[i] = arena_alloc(&arena, len[i]);
            sum += len[i];
            EXPECT_U64("aligned", (uintptr_t)piece[i] % 16, 0);
            memset(piece[i], (int)(i & 0xff), len[i]);
        }
        EXPECT_TRUE("counted", arena.total_bytes >= sum);
        for (size_t i = 0; i < PIECES; i++) {
            bool kept = true;

            for (size_t k = 0; k < len[i]; k++)
                kept = kept && piece[i][k] == (uint8_t)i;
            EXPECT_TRUE("kept", kept);
        }
        arena_reset(&arena);
    }
    arena_clear(&arena);
    EXPECT_U64("cleared", arena.total_bytes, 0);
    arena_clear(&arena);
}

/* Reused over and over for the same work, an arena comes to rest. */
static void reset_stops_allocating(void)
{
    struct arena arena;
    size_t before = 0;

    arena_init(&arena);
    arena_reset(&arena);
    for (int round = 0; round < 10; round++) {
        arena_reset(&arena);
        for (int i = 0; i < 1000; i++)
            memset(arena_alloc(&arena, 500), 1, 500);
        if (round >= 2)
            EXPECT_U64("rest", arena.total_bytes, before);
        before = arena.total_bytes;
    }
    arena_clear(&arena);
}

static void arrays_are_zero(void)
{
    struct arena arena;

    arena_init(&arena);
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_reset(&arena);
    for (size_t n = 0; n < 100; n++) {
        const uint8_t *array = arena_array(&arena, n, 3);

        for (size_t i = 0; i < 3 * n; i++)
            EXPECT_INT("zero", array[i], 0);
    }
    arena_clear(&arena);
}

TEST_LIST(TEST(pieces_are_apart), TEST(reset_stops_allocating), TEST(arrays_are_zero))
