/* A host that speaks the peer-to-peer protocol and follows a script: for those who lie,
 * stall and flood. It answers handshakes and pings; everything else is the script's.
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/params.h"
#include "p2p/wire.h"
#include "sim_net.h"

#define SIM_TALKS_MAX 64

struct sim_peer;

/* One connection. */
struct sim_talk {
    struct sim_peer *peer;
    net_conn conn;
    struct wire *wire;
    bool is_ready;    /* Both verack's are there. */
    uint32_t heard_n; /* Messages since then. */
};

struct sim_peer_script {
    /* All may be NULL. context is the one of sim_peer_new. */
    void (*ready)(void *context, struct sim_talk *talk);
    void (*message)(void *context, struct sim_talk *talk, const struct wire_message *message);
    /* The connection ended; talk is gone after the call. */
    void (*ended)(void *context, struct sim_talk *talk);
};

struct sim_peer *sim_peer_new(struct sim_net *net, const struct params *params, uint64_t seed,
                              const uint8_t *ip4, const struct sim_peer_script *script,
                              void *context);
void sim_peer_free(struct sim_peer *own_peer);

/* What its version says. */
void sim_peer_claim(struct sim_peer *peer, uint64_t services, int32_t start_height);
/* It can be called. */
void sim_peer_listen(struct sim_peer *peer, uint16_t port);
/* Calls an address, over v2 or v1. False: it has SIM_TALKS_MAX. */
bool sim_peer_call(struct sim_peer *peer, const uint8_t *ip4, uint16_t port, bool v2);
size_t sim_peer_talks_n(const struct sim_peer *peer);
/* The i-th of them; any order, changes as connections end. */
struct sim_talk *sim_peer_talk(struct sim_peer *peer, size_t i);

/* Sending: as wire_begin and wire_end; what is put in goes out with the second. */
struct buf *sim_talk_begin(struct sim_talk *talk, enum message_type type);
void sim_talk_end(struct sim_talk *talk);
void sim_talk_send(struct sim_talk *talk, enum message_type type, struct span payload);
void sim_talk_close(struct sim_talk *talk);

#endif /* SIM_PEER_H */
