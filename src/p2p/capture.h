/* What peers say and hear, kept in files (-capturemessages): for those who study the
 * protocol. Each peer has a folder <folder>/message_capture/<address> with two files,
 * msgs_recv.dat and msgs_sent.dat, messages one behind the other: time in microseconds
 * since 1970 (8 bytes), name (12, zeros behind), length (4), payload; numbers
 * little-endian. Files grow without bound, and nothing is synced. Net thread.
 */
#ifndef P2P_CAPTURE_H
#define P2P_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "os/disk.h"
#include "p2p/address.h"

/* Append one message. name: at most MESSAGE_NAME_BYTES bytes. folder: of the network's
 * data. */
NODISCARD int capture_message(struct disk *disk, const char *folder,
                              const struct net_address *address, bool is_received, int64_t time_us,
                              const char *name, struct span payload, struct error *err)
    NONNULL(1, 2, 3, 6);

#endif /* P2P_CAPTURE_H */
