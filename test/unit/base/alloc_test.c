#include "base/alloc.h"

#include <setjmp.h>
#include <stdint.h>

#include "test.h"

static void sizes(void)
{
    uint8_t *memory = alloc(0);

    free(memory);
    memory = alloc_zero(1000);
    for (size_t i = 0; i < 1000; i++)
        EXPECT_INT("zero", memory[i], 0);
    memset(memory, 7, 1000);
    memory = realloc_array(memory, 500, 4);
    for (size_t i = 0; i < 1000; i++)
        EXPECT_INT("kept", memory[i], 7);
    memory = realloc_array(memory, 0, 4);
    free(memory);
    memory = alloc_array(10, 10);
    for (size_t i = 0; i < 100; i++)
        EXPECT_INT("zero", memory[i], 0);
    free(memory);
}

static void texts(void)
{
    char *text = alloc_string("");

    EXPECT_STR("empty", text, "");
    free(text);
    text = alloc_string("abc");
    EXPECT_STR("copied", text, "abc");
    free(text);
    text = alloc_printf("%s-%05d", "x", 42);
    EXPECT_STR("formatted", text, "x-00042");
    free(text);
}

static void secrets(void)
{
    uint8_t *secret = secret_alloc(32);

    for (size_t i = 0; i < 32; i++)
        EXPECT_INT("zero", secret[i], 0);
    memset(secret, 1, 32);
    secret_wipe(secret, 31);
    for (size_t i = 0; i < 31; i++)
        EXPECT_INT("wiped", secret[i], 0);
    EXPECT_INT("no further", secret[31], 1);
    secret_free(secret, 32);
    secret_free(NULL, 32);
}

/* Against a naive count, with sizes from nothing to more than is held ready. */
static void secrets_are_counted(void)
{
    static const size_t sizes[] = {1, 32, 33, 100, 4096, 0, 300000};
    uint8_t *held[64][7] = {{NULL}};
    struct secret_usage before;
    struct secret_usage usage;
    size_t least = 0;

    secret_usage(&before);
    for (size_t k = 0; k < 64; k++) {
        for (size_t i = 0; i < 7; i++) {
            held[k][i] = secret_alloc(sizes[i]);
            least += sizes[i];
            for (size_t b = 0; b < sizes[i]; b++) {
                if (held[k][i][b] != 0)
                    EXPECT_INT("zero", held[k][i][b], 0);
            }
            memset(held[k][i], (int)(k + i + 1), sizes[i]);
        }
    }
    secret_usage(&usage);
    EXPECT_TRUE("used", usage.used_bytes >= before.used_bytes + least);
    EXPECT_U64("chunks", usage.used_chunks, before.used_chunks + 64 * 7);
    for (size_t k = 0; k < 64; k++) {
        for (size_t i = 0; i < 7; i++) {
            size_t wrong = 0;

            for (size_t b = 0; b < sizes[i]; b++)
                wrong += held[k][i][b] != (uint8_t)(k + i + 1);
            EXPECT_U64("nobody else wrote there", wrong, 0);
            if ((k + i) % 2 == 0)
                secret_free(held[k][i], sizes[i]);
        }
    }
    secret_usage(&usage);
    EXPECT_TRUE("gaps", usage.free_chunks > 1);
    for (size_t k = 0; k < 64; k++) {
        for (size_t i = 0; i < 7; i++) {
            if ((k + i) % 2 != 0)
                secret_free(held[k][i], sizes[i]);
        }
    }
    secret_usage(&usage);
    EXPECT_U64("all back", usage.used_chunks, before.used_chunks);
    EXPECT_U64("all back", usage.used_bytes, before.used_bytes);
    EXPECT_U64("one gap", usage.free_chunks, 1);
}

static jmp_buf out;
static volatile size_t asked;

static void leave(size_t size_bytes)
{
    asked = size_bytes;
    longjmp(out, 1);
}

/* A product that does not fit ends in the handler, never in a small block. */
static void overflow_is_out_of_memory(void)
{
    volatile size_t huge = SIZE_MAX / 2;

    set_oom_handler(leave);
    if (setjmp(out) == 0) {
        void *memory = realloc_array(NULL, huge, 3);

        free(memory);
        EXPECT_TRUE("not reached", false);
    }
    EXPECT_U64("asked", asked, SIZE_MAX);
    asked = 0;
    set_oom_handler(NULL);
}

TEST_LIST(TEST(sizes), TEST(texts), TEST(secrets), TEST(secrets_are_counted),
          TEST(overflow_is_out_of_memory))
