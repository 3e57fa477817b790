/* Whom we do not want: bans, which an operator sets (an address, a network of addresses
 * or a whole autonomous system, until a time), and discouragement, which misbehaviour
 * brings (by address, forgotten when enough others were added).
 *
 * Bans are kept in banlist.json in Core's format; those of systems ("AS64496") are a
 * kind of entry Core does not know and drops. Owner thread: net.
 */
#ifndef P2P_BAN_LIST_H
#define P2P_BAN_LIST_H

#include "os/disk.h"
#include "p2p/random.h"
#include "p2p/subnet.h"

#define BAN_DEFAULT_S (24 * 60 * 60)
/* At least the last so many discouraged addresses are remembered (rolling_set). */
#define DISCOURAGED_N 50000
#define BAN_LIST_BYTES_MAX ((size_t)64 << 20) /* Of the file. */

/* What is banned: a subnet, or where asn is not 0 a system. */
struct ban_target {
    struct net_subnet subnet;
    uint32_t asn;
};

struct ban {
    struct ban_target target;
    int64_t created_s;
    int64_t until_s;
};

/* "1.2.3.0/24", "::1", "....onion", "AS64496". False for anything else. */
NODISCARD bool ban_target_read(struct ban_target *ret, const char *text, bool to_cjdns);
/* NET_ADDRESS_TEXT_SIZE bytes; returns ret_text. */
const char *ban_target_text(char *ret_text, const struct ban_target *target);

struct ban_list;

struct ban_list *ban_list_new(const uint8_t *seed);
void ban_list_free(struct ban_list *own_list); /* NULL is fine. */

/* Lasts until until_s, or longer if it did before. Returns: whether that is news. */
bool ban_list_add(struct ban_list *list, const struct ban_target *target, int64_t until_s,
                  int64_t now_s);
/* Exactly this one. Returns: whether there was one. */
bool ban_list_remove(struct ban_list *list, const struct ban_target *target);
void ban_list_clear(struct ban_list *list);

/* asn: of the address, 0 if it is not known. */
bool ban_list_has(const struct ban_list *list, const struct net_address *address, uint32_t asn,
                  int64_t now_s);
/* Exactly this one? */
bool ban_list_has_target(const struct ban_list *list, const struct ban_target *target,
                         int64_t now_s);

/* Drops what is over, and shows the rest in order. Borrowed until the next change.
 * Returns how many. */
size_t ban_list_get(struct ban_list *list, const struct ban **ret_bans, int64_t now_s);

void ban_list_discourage(struct ban_list *list, const struct net_address *address);
bool ban_list_is_discouraged(const struct ban_list *list, const struct net_address *address);

/* "<folder>/banlist.json". A file that cannot be used is said in the log, and the list is
 * empty then. */
void ban_list_load(struct ban_list *list, struct disk *disk, const char *folder, bool to_cjdns,
                   int64_t now_s);
/* Writes it if anything changed since. */
NODISCARD int ban_list_save(struct ban_list *list, struct disk *disk, const char *folder,
                            int64_t now_s, struct error *err);

/* The content of the file. Read: E_MALFORMED; what is no entry we know is dropped. */
NODISCARD int ban_list_read(struct ban_list *list, struct span text, bool to_cjdns,
                            struct error *err);
void ban_list_write(struct buf *buf, const struct ban_list *list);

#endif /* P2P_BAN_LIST_H */
