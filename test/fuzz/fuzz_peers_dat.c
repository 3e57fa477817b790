/* Target: peers.dat, from behind the magic number to before the checksum. Whatever is
 * read keeps all rules of the tables, and is read again from what it is written as. */
#include <string.h>

#include "base/check.h"
#include "crypto/sha256.h"
#include "p2p/addrman.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t magic[4] = {1, 2, 3, 4};
static const uint8_t seed[RANDOM_SEED_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct addrman_options options = {.seed = seed};
    struct addrman *man = NULL;
    struct addrman *again = NULL;
    struct addrman_address known;
    uint8_t digest[SHA256_BYTES];
    struct buf file = {0};

    buf_add(&file, magic, sizeof(magic));
    buf_add(&file, data, len);
    sha256d(digest, file.data, file.len);
    buf_add(&file, digest, sizeof(digest));
    if (addrman_read(&man, &options, span_of_buf(&file), magic, NULL) == 0) {
        CHECK(addrman_check(man) == 0);
        file.len = 0;
        addrman_write(&file, man, magic);
        CHECK(addrman_read(&again, &options, span_of_buf(&file), magic, NULL) == 0);
        CHECK(addrman_size(man) == addrman_size(again));
        if (addrman_size(man) > 0)
            CHECK(addrman_select(man, &known, NULL, false, 0, 1700000000));
        addrman_resolve_collisions(man, 1700000000);
        CHECK(addrman_check(man) == 0);
    }
    addrman_free(man);
    addrman_free(again);
    buf_clear(&file);
    return 0;
}
