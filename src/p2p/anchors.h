/* anchors.dat: the block-relay-only peers at shutdown, which are tried again first, so
 * that a restart does not give an attacker another draw. Core's format. */
#ifndef P2P_ANCHORS_H
#define P2P_ANCHORS_H

#include "os/disk.h"
#include "p2p/addrman.h"

#define ANCHORS_MAX 2

/* Reads "<folder>/anchors.dat" and removes it: who was tried and made us stop is not
 * tried for ever. A file that is not there or not right gives none.
 * Returns how many, the first of them at ret_anchors (ANCHORS_MAX). */
size_t anchors_load(struct addrman_address *ret_anchors, struct disk *disk, const char *folder,
                    const uint8_t *magic);
NODISCARD int anchors_save(const struct addrman_address *anchors, size_t n, struct disk *disk,
                           const char *folder, const uint8_t *magic, struct error *err);

#endif /* P2P_ANCHORS_H */
