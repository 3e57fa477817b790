/* The unit tests' frame: a test file lists its tests in TEST_LIST and calls
 * nothing else. A failing expectation prints file, line, label, found and wanted
 * value, and the test goes on, so that a table shows all its bad rows.
 *
 * Files under ASSAY_DATA (environment; default ../shared/data seen from the
 * project) are found with test_data_path; a test without them calls
 * test_skip("why") and returns.
 */
#ifndef TEST_H
#define TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(function)      \
    {                       \
#function, function \
    }
#define TEST_LIST(...)                                         \
    int main(int argc, char **argv)                            \
    {                                                          \
        static const struct test tests[] = {__VA_ARGS__};      \
        return test_main(tests, ARRAY_LEN(tests), argc, argv); \
    }

/* Runs all tests, or those whose names contain an argument. Prints
 * "N passed, N failed, N skipped". */
int test_main(const struct test *tests, size_t n, int argc, char **argv);

void test_skip(const char *why);
/* NULL when the file is not there; else a static string per call site's thread. */
const char *test_data_path(const char *relative);
/* A fresh folder for this test run, removed at exit. */
const char *test_folder(void);
/* Reads a whole file into buf; false if it cannot be read. */
bool test_read_file(struct buf *buf, const char *path);
/* A small deterministic generator for property tests; the seed is printed on
 * failure and can be set with ASSAY_SEED. */
uint64_t test_random(void);
/* Begins another sequence in the middle of a test. */
void test_random_seed(uint64_t seed);
uint64_t test_random_below(uint64_t bound);
void test_random_fill(void *data, size_t len);

bool expect_int(const char *file, int line, const char *label, const char *what, int64_t got,
                int64_t want);
bool expect_u64(const char *file, int line, const char *label, const char *what, uint64_t got,
                uint64_t want);
bool expect_string(const char *file, int line, const char *label, const char *what, const char *got,
                   const char *want);
bool expect_bytes(const char *file, int line, const char *label, const char *what, const void *got,
                  size_t got_len, const void *want, size_t want_len);
bool expect_true(const char *file, int line, const char *label, const char *what, bool got);

#define EXPECT_INT(label, got, want) \
    expect_int(__FILE__, __LINE__, label, #got, (int64_t)(got), (int64_t)(want))
#define EXPECT_U64(label, got, want) \
    expect_u64(__FILE__, __LINE__, label, #got, (uint64_t)(got), (uint64_t)(want))
#define EXPECT_STR(label, got, want) expect_string(__FILE__, __LINE__, label, #got, got, want)
#define EXPECT_BYTES(label, got, got_len, want, want_len) \
    expect_bytes(__FILE__, __LINE__, label, #got, got, got_len, want, want_len)
#define EXPECT_TRUE(label, condition) expect_true(__FILE__, __LINE__, label, #condition, condition)

#endif /* TEST_H */
