/* What other threads ask of the net thread: p2p_post and p2p_ask, from inside. */
#ifndef P2P_INBOX_PRIV_H
#define P2P_INBOX_PRIV_H

#include <stdint.h>

struct inbox;
struct p2p;

struct inbox *inbox_new(void);
/* It must be empty. NULL is fine. */
void inbox_free(struct inbox *own_inbox);
/* Runs what is there; net thread. */
void inbox_run(struct p2p *p2p);
/* Nobody waits for the net thread any more, nor will; what is posted is still kept for
 * inbox_run. */
void inbox_close(struct p2p *p2p);
/* For threads that ask again: waits a while, or less. */
void inbox_pause(struct p2p *p2p, uint64_t pause_us);

#endif /* P2P_INBOX_PRIV_H */
