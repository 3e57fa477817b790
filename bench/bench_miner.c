/* How many headers a core tries in a second.
 *
 *   bench_miner [SECONDS]
 *
 * For each engine of SHA-256 that this processor has. CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/sha256_priv.h"
#include "mining/scan.h"

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void measure(const char *name, double seconds)
{
    const struct u256 target = {{0}}; /* None is as good. */
    uint8_t header[80] = {1};
    double begin = cpu_s();
    double passed;
    uint64_t tried = 0;

    do {
        uint64_t tries = 1000000;

        put_le32(header + 76, 0);
        nonce_scan(header, &target, &tries, NULL, NULL);
        tried += 1000000;
        passed = cpu_s() - begin;
    } while (passed < seconds);
    printf("%-10s %7.2f MH/s\n", name, (double)tried / passed * 1e-6);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    const struct sha256_lanes *const engines[] = {sha256_lanes_shani(), sha256_lanes_avx2(),
                                                  sha256_lanes_avx512()};

    sha256_use(sha256_blocks_portable, NULL, NULL);
    measure("portable", seconds);
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (engines[i] == NULL)
            continue;
        sha256_use(sha256_blocks_portable, engines[i], NULL);
        measure(engines[i]->name, seconds);
    }
    return 0;
}
