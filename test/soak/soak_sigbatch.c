/* The signature lanes against libsecp256k1 for as long as one likes.
 *
 *   soak_sigbatch [-plain] [-seed=N] STRUCTURED RANDOM
 *
 * compares that many structured and random items and prints counts as it goes, so that
 * an interrupted run still says what it did. Exit code 1 at the first difference.
 */
#include <stdlib.h>
#include <time.h>

#include "crypto/hostile_signatures.h"
#include "crypto/secp.h"
#include "test.h"

#define REPORT_EVERY 200000

typedef enum hostile_hope make_fn(struct sigbatch_item *ret_item,
                                  const struct hostile_source *source);

static void report(const char *kind, const struct hostile_counts *counts)
{
    (void)printf("%s items=%" PRIu64 " valid=%" PRIu64 " unsure=%" PRIu64 " malformed=%" PRIu64
                 " differences=%" PRIu64 " cpu_s=%ld\n",
                 kind, counts->items, counts->valid, counts->unsure, counts->unasked,
                 counts->differences, (long)(clock() / CLOCKS_PER_SEC));
    (void)fflush(stdout);
}

static bool soak(const char *kind, lanes_run_fn *run, make_fn *make, uint64_t wanted,
                 const struct hostile_source *source)
{
    struct hostile_counts counts = {0};
    uint64_t next_report = REPORT_EVERY;
    bool is_good = true;

    while (is_good && counts.items < wanted) {
        struct sigbatch_item items[SIGBATCH_LANES_MAX];
        enum hostile_hope hopes[SIGBATCH_LANES_MAX];

        for (size_t i = 0; i < SIGBATCH_LANES_MAX; i++)
            hopes[i] = make(&items[i], source);
        is_good = hostile_compare(run, items, hopes, SIGBATCH_LANES_MAX, &counts);
        if (counts.items >= next_report) {
            report(kind, &counts);
            next_report += REPORT_EVERY;
        }
    }
    report(kind, &counts);
    return is_good;
}

int main(int argc, char **argv)
{
    lanes_run_fn *run = lanes_run_plain;
    struct hostile_dice dice = {.state = 1};
    struct hostile_source source = hostile_dice_source(&dice);
    uint64_t wanted[2] = {100000, 100000};
    uint8_t seed[32] = {1};
    size_t at = 0;
    bool is_plain = false;
    bool is_good;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-plain") == 0)
            is_plain = true;
        else if (strncmp(argv[i], "-seed=", 6) == 0)
            dice.state = strtoull(argv[i] + 6, NULL, 10) | UINT64_C(1) << 63;
        else if (at < ARRAY_LEN(wanted))
            wanted[at++] = strtoull(argv[i], NULL, 10);
    }
#if defined(__x86_64__)
    if (!is_plain && strcmp(sigbatch_select(true), "avx512-ifma") == 0)
        run = lanes_run_ifma;
#else
    (void)is_plain;
#endif
    secp_init(seed);
    hostile_prepare();
    CHECK(sigbatch_use(run));
    (void)printf("engine %s, seed %" PRIu64 "\n", run == lanes_run_plain ? "plain" : "avx512-ifma",
                 dice.state);
    is_good = soak("structured", run, hostile_structured, wanted[0], &source) &&
              soak("random", run, hostile_random, wanted[1], &source);
    hostile_clear();
    secp_clear();
    return is_good ? 0 : 1;
}
