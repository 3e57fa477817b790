/* The part of peers_ops that is about addresses and bans: private to the p2p room. */
#ifndef P2P_KNOWN_IFACE_PRIV_H
#define P2P_KNOWN_IFACE_PRIV_H

#include "iface/peers.h"

/* Contracts: iface/peers.h. */
enum peers_answer known_ban(struct peers *peers, const char *subnet, int64_t until_s);
enum peers_answer known_unban(struct peers *peers, const char *subnet);
void known_bans(struct peers *peers, struct peers_ban **ret_list, size_t *ret_n,
                struct arena *arena);
void known_clear_bans(struct peers *peers);
void known_addresses(struct peers *peers, struct peers_address **ret_list, size_t *ret_n, size_t n,
                     const char *network, struct arena *arena);
void known_raw_addresses(struct peers *peers, struct peers_address **ret_list, size_t *ret_n,
                         struct arena *arena);
void known_address_counts(struct peers *peers, struct peers_counts **ret_list, size_t *ret_n,
                          struct arena *arena);
enum peers_answer known_add_address(struct peers *peers, const char *address, uint16_t port,
                                    bool tried, char *ret_why, size_t why_size);

#endif /* P2P_KNOWN_IFACE_PRIV_H */
