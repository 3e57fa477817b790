#include "mining/scan.h"

#include "base/check.h"
#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"

#define NONCE_AT 76

static bool is_good(const uint8_t *header, const struct u256 *target)
{
    uint8_t digest[SHA256_BYTES];
    struct u256 value;

    sha256d(digest, header, HEADER_BYTES);
    value = u256_of_hash(digest);
    return u256_compare(&value, target) <= 0;
}

/* Of `count` nonces from where the header stands on, how many stand before the first good
 * one. The scan looks at the highest word only: few pass it and fail. */
static uint64_t scan_some(const struct sha256_scan *scan, uint8_t *header,
                          const struct u256 *target, uint64_t count)
{
    uint32_t first = get_le32(header + NONCE_AT);
    uint64_t done = 0;

    for (;;) {
        done += sha256_scan_run(scan, first + (uint32_t)done, count - done,
                                (uint32_t)(target->limb[3] >> 32));
        put_le32(header + NONCE_AT, first + (uint32_t)done);
        if (done == count || is_good(header, target))
            return done;
        done++;
    }
}

enum scan_result nonce_scan(uint8_t *header, const struct u256 *target, uint64_t *tries,
                            bool (*go_on)(void *context), void *context)
{
    uint64_t left = UINT32_MAX - get_le32(header + NONCE_AT);
    struct sha256_scan scan;

    left = MIN(left, *tries);
    sha256_scan_init(&scan, header);
    while (left > 0) {
        uint64_t count = MIN(left, SCAN_ASK_EVERY);
        uint64_t done = scan_some(&scan, header, target, count);

        *tries -= done;
        left -= done;
        if (done < count)
            return SCAN_FOUND;
        if (left > 0 && go_on != NULL && !go_on(context))
            return SCAN_STOPPED;
    }
    return *tries == 0 ? SCAN_NO_TRIES : SCAN_NO_NONCES;
}
