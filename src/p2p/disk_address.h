/* An address as Core's files have it (peers.dat, anchors.dat): a form, the time, the
 * services, the address. Pure. */
#ifndef P2P_DISK_ADDRESS_H
#define P2P_DISK_ADDRESS_H

#include "p2p/addrman.h"

void disk_address_write(struct buf *buf, const struct addrman_address *known);
/* has_v2: BIP155 may be in the file. */
void disk_address_read(struct addrman_address *ret, struct reader *r, bool has_v2);

#endif /* P2P_DISK_ADDRESS_H */
