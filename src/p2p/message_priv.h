/* Private to p2p: what the readers of messages share. */
#ifndef P2P_MESSAGE_PRIV_H
#define P2P_MESSAGE_PRIV_H

#include <stdint.h>

#include "base/error.h"
#include "codec/reader.h"
#include "primitives/ids.h"

/* The answer of a reader that has read everything it wants: 0, or the reader's
 * failure in words. */
NODISCARD int message_end(const struct reader *r, struct error *err) NONNULL(1);

/* A list's count, for items of at least item_bytes_min bytes. Returns 0, E_LIMIT
 * with "<what> = <count>" if it is over max, or as message_end if the payload
 * cannot hold that many. */
NODISCARD int message_read_count(uint32_t *ret_n, struct reader *r, uint32_t max,
                                 size_t item_bytes_min, const char *what, struct error *err)
    NONNULL(1, 2, 5);

#endif /* P2P_MESSAGE_PRIV_H */
