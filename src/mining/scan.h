/* The search for a nonce. Pure. */
#ifndef MINING_SCAN_H
#define MINING_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/pow.h"

enum scan_result {
    SCAN_FOUND,
    SCAN_NO_TRIES,  /* max_tries are used up (even if by the last one found). */
    SCAN_NO_NONCES, /* All nonces but the greatest, which counts as the end, fail. */
    SCAN_STOPPED
};

/* Count header's nonce up from where it stands until its hash is at or below
 * target. Each step takes one of *tries. go_on (may be NULL) is asked every
 * SCAN_ASK_EVERY steps.
 *
 * In and out: header: 80 bytes. tries. */
#define SCAN_ASK_EVERY 65536U
enum scan_result nonce_scan(uint8_t *header, const struct u256 *target, uint64_t *tries,
                            bool (*go_on)(void *context), void *context);

#endif /* MINING_SCAN_H */
