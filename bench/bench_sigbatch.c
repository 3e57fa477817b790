/* Time of one verification in the lanes and in libsecp256k1, same run, CPU time,
 * median of several rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/secp.h"
#include "crypto/sigbatch.h"

#define ITEMS 4096
#define ROUNDS 7

static uint64_t state = 1;

static void fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        data[i] = (uint8_t)(state >> 56);
    }
}

static void make_item(struct sigbatch_item *item, enum sigbatch_kind kind)
{
    struct secp_pubkey pubkey;
    uint8_t seckey[32];
    bool odd;

    fill(seckey, sizeof(seckey));
    fill(item->hash, sizeof(item->hash));
    CHECK(secp_pubkey_of(&pubkey, seckey));
    item->kind = kind;
    if (kind == SIGBATCH_ECDSA) {
        struct ecdsa_sig sig;

        CHECK(ecdsa_sign(&sig, item->hash, seckey, false));
        memcpy(item->r, sig.r, 32);
        memcpy(item->s, sig.s, 32);
        item->pubkey_len = SECP_PUBKEY_BYTES;
        secp_pubkey_write(item->pubkey, &pubkey);
        return;
    }
    item->pubkey_len = SECP_XONLY_BYTES;
    secp_xonly_of(item->pubkey, &odd, &pubkey);
    if (kind == SIGBATCH_TWEAK) {
        fill(item->s, sizeof(item->s));
        CHECK(secp_xonly_tweak_add(item->r, &item->odd, item->pubkey, item->s));
    } else {
        uint8_t sig[SECP_SCHNORR_BYTES];

        CHECK(schnorr_sign(sig, item->hash, seckey, NULL));
        memcpy(item->r, sig, 32);
        memcpy(item->s, sig + 32, 32);
    }
}

static double cpu_us(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_us(struct sigbatch_item *items)
{
    double times[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        double began = cpu_us();

        sigbatch_verify(items, ITEMS);
        times[round] = (cpu_us() - began) / ITEMS;
        for (size_t i = 0; i < ITEMS; i++)
            CHECK(items[i].is_valid);
    }
    qsort(times, ROUNDS, sizeof(times[0]), compare);
    return times[ROUNDS / 2];
}

int main(void)
{
    static const char *const names[] = {"ecdsa", "schnorr", "tweak"};
    struct sigbatch_item *items = alloc_array(ITEMS, sizeof(*items));
    uint8_t seed[32] = {1};

    secp_init(seed);
    for (int kind = SIGBATCH_ECDSA; kind <= SIGBATCH_TWEAK; kind++) {
        double lanes;
        double alone;

        for (size_t i = 0; i < ITEMS; i++)
            make_item(&items[i], (enum sigbatch_kind)kind);
        (void)sigbatch_select(true);
        lanes = median_us(items);
        (void)sigbatch_select(false);
        alone = median_us(items);
        (void)printf("%-8s lanes %6.2f us  libsecp256k1 %6.2f us  ratio %.2f\n", names[kind], lanes,
                     alone, alone / lanes);
    }
    (void)sigbatch_select(true);
    (void)printf("engine %s\n", sigbatch_engine());
    secp_clear();
    free(items);
    return 0;
}
