/* Hashes a second of CPU time, for each SHA-256 engine this processor has:
 * 64-byte double hashes (merkle trees), double hashes of messages as long as
 * transactions, and one long stream. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/hash160.h"
#include "crypto/muhash.h"
#include "crypto/sha256_priv.h"

#define ROW ((size_t)4096)
#define TX_N ((size_t)2000)
#define DATA_BYTES ((size_t)1 << 20)
#define LEAST_SECONDS 0.4

static uint8_t *data;
static uint8_t *digests;
static struct sha256_job jobs[TX_N];
static size_t job_bytes;

static double cpu_seconds(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void row_of_pairs(void)
{
    sha256d_64_many(digests, data, ROW);
}

static void transactions(void)
{
    sha256d_many(jobs, TX_N);
}

static void stream(void)
{
    sha256(digests, data, DATA_BYTES);
}

static void keys(void)
{
    for (size_t i = 0; i < ROW; i++)
        hash160(digests + 20 * i, data + 33 * i, 33);
}

static void members(void)
{
    struct muhash set;

    muhash_init(&set);
    for (size_t i = 0; i < 100; i++)
        muhash_insert(&set, data + 80 * i, 80);
    muhash_write(digests, &set);
}

/* Runs a second of CPU time is worth; the best of five, since other programs
 * only ever take away. */
static double rate(void (*run)(void))
{
    double best = 0;

    for (int i = 0; i < 5; i++) {
        double start = cpu_seconds();
        double spent;
        uint64_t n = 0;

        do {
            run();
            n++;
            spent = cpu_seconds() - start;
        } while (spent < LEAST_SECONDS / 5);
        best = MAX(best, (double)n / spent);
    }
    return best;
}

static void measure(const char *name)
{
    (void)printf("%-22s 64-byte double: %6.2f MH/s   transactions: %6.0f MB/s   "
                 "stream: %6.0f MB/s   hash160: %5.2f MH/s\n",
                 name, rate(row_of_pairs) * (double)ROW / 1e6,
                 rate(transactions) * (double)job_bytes / 1e6,
                 rate(stream) * (double)DATA_BYTES / 1e6, rate(keys) * (double)ROW / 1e6);
}

static void make_jobs(void)
{
    static const size_t usual[] = {191, 222, 226, 258, 340, 372, 405, 520, 666, 820};
    size_t at = 0;

    for (size_t i = 0; i < TX_N; i++) {
        size_t len = i % 200 == 7 ? 9000 : usual[i * 7 % ARRAY_LEN(usual)];

        if (at + len > DATA_BYTES)
            at = 0;
        /* As a txid is hashed: version, body, lock time. */
        jobs[i] = (struct sha256_job){
            .piece = {span_of(data + at, 4), span_of(data + at + 4, len - 8),
                      span_of(data + at + len - 4, 4)},
            .ret_digest = digests + 32 * i,
        };
        at += len;
        job_bytes += len;
    }
}

int main(void)
{
    const struct sha256_lanes *all[] = {sha256_lanes_shani(), sha256_lanes_avx2(),
                                        sha256_lanes_avx512()};

    data = alloc(DATA_BYTES);
    digests = alloc(32 * ROW);
    for (size_t i = 0; i < DATA_BYTES; i++)
        data[i] = (uint8_t)(i * i >> 5);
    make_jobs();
    sha256_use(sha256_blocks_portable, NULL, NULL);
    measure("portable");
    if (sha256_blocks_shani() != NULL) {
        sha256_use(sha256_blocks_shani(), NULL, NULL);
        measure("sha-ni, one stream");
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] == NULL)
            continue;
        sha256_use(sha256_blocks_shani() == NULL ? sha256_blocks_portable : sha256_blocks_shani(),
                   all[i], NULL);
        measure(all[i]->name);
    }
    measure(sha256_select(true));
    (void)printf("muhash insert: %.0f a second\n", rate(members) * 100);
    free(data);
    free(digests);
    return 0;
}
