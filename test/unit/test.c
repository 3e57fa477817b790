#include "test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static int failures_in_test;
static const char *skip_reason;
static uint64_t random_state;
static uint64_t random_seed;
static char folder[256];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (folder[0] != '\0')
        (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
    static int number;
    static char path[sizeof(folder) + 16];

    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");

        (void)snprintf(folder, sizeof(folder), "%s/assay-test.XXXXXX",
                       base == NULL ? "/tmp" : base);
        CHECK(mkdtemp(folder) != NULL);
        (void)atexit(remove_folder);
    }
    (void)snprintf(path, sizeof(path), "%s/%d", folder, number++);
    CHECK(mkdir(path, 0700) == 0);
    return path;
}

void test_skip(const char *why)
{
    skip_reason = why;
}

const char *test_data_path(const char *relative)
{
    static _Thread_local char path[4][1024];
    static _Thread_local unsigned next;
    const char *base = getenv("ASSAY_DATA");
    char *slot = path[next++ % ARRAY_LEN(path)];

    (void)snprintf(slot, sizeof(path[0]), "%s/%s", base == NULL ? TEST_DATA_DEFAULT : base,
                   relative);
    return access(slot, R_OK) == 0 ? slot : NULL;
}

bool test_read_file(struct buf *buf, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t part[65536];
    size_t len;
    bool good;

    if (file == NULL)
        return false;
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(buf, part, len);
    good = ferror(file) == 0;
    (void)fclose(file);
    return good;
}

/* splitmix64: equal on every machine, which rand() is not. */
uint64_t test_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void test_random_seed(uint64_t seed)
{
    random_seed = seed;
    random_state = seed;
}

uint64_t test_random_below(uint64_t bound)
{
    CHECK(bound > 0);
    return test_random() % bound;
}

void test_random_fill(void *data, size_t len)
{
    uint8_t *at = data;

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)test_random();
}

static bool report(bool good, const char *file, int line, const char *label)
{
    if (good)
        return true;
    failures_in_test++;
    (void)printf("%s:%d: %s: ", file, line, label);
    return false;
}

bool expect_int(const char *file, int line, const char *label, const char *what, int64_t got,
                int64_t want)
{
    if (report(got == want, file, line, label))
        return true;
    (void)printf("%s is %" PRId64 ", want %" PRId64 "\n", what, got, want);
    return false;
}

bool expect_u64(const char *file, int line, const char *label, const char *what, uint64_t got,
                uint64_t want)
{
    if (report(got == want, file, line, label))
        return true;
    (void)printf("%s is %" PRIu64 " (0x%" PRIx64 "), want %" PRIu64 " (0x%" PRIx64 ")\n", what, got,
                 got, want, want);
    return false;
}

bool expect_string(const char *file, int line, const char *label, const char *what, const char *got,
                   const char *want)
{
    if (report(got != NULL && want != NULL && strcmp(got, want) == 0, file, line, label))
        return true;
    (void)printf("%s is '%s', want '%s'\n", what, got == NULL ? "(null)" : got,
                 want == NULL ? "(null)" : want);
    return false;
}

static void print_bytes(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && i < 64; i++)
        (void)printf("%02x", data[i]);
    if (len > 64)
        (void)printf("...");
    (void)printf(" (%zu bytes)", len);
}

bool expect_bytes(const char *file, int line, const char *label, const char *what, const void *got,
                  size_t got_len, const void *want, size_t want_len)
{
    bool same = got_len == want_len && (got_len == 0 || memcmp(got, want, got_len) == 0);

    if (report(same, file, line, label))
        return true;
    (void)printf("%s is ", what);
    print_bytes(got, got_len);
    (void)printf(", want ");
    print_bytes(want, want_len);
    (void)printf("\n");
    return false;
}

bool expect_true(const char *file, int line, const char *label, const char *what, bool got)
{
    if (report(got, file, line, label))
        return true;
    (void)printf("%s does not hold\n", what);
    return false;
}

static bool is_asked_for(const char *name, int argc, char **argv)
{
    if (argc < 2)
        return true;
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i]) != NULL)
            return true;
    }
    return false;
}

int test_main(const struct test *tests, size_t n, int argc, char **argv)
{
    const char *seed = getenv("ASSAY_SEED");
    int passed = 0;
    int failed = 0;
    int skipped = 0;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    random_seed = seed == NULL ? 20261121 : strtoull(seed, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        if (!is_asked_for(tests[i].name, argc, argv))
            continue;
        random_state = random_seed;
        failures_in_test = 0;
        skip_reason = NULL;
        tests[i].run();
        if (failures_in_test > 0) {
            (void)printf("FAILED %s: %d expectations, seed %" PRIu64 "\n", tests[i].name,
                         failures_in_test, random_seed);
            failed++;
        } else if (skip_reason != NULL) {
            (void)printf("skipped %s: %s\n", tests[i].name, skip_reason);
            skipped++;
        } else {
            passed++;
        }
    }
    (void)printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed > 0 ? 1 : 0;
}
