/* Outbound peers whose chain is not up to ours are let go: so that we are never left with
 * peers of one bad chain only. */
#include <inttypes.h>

#include "base/log.h"
#include "p2p/headers_receive_priv.h"
#include "p2p/p2p_priv.h"

#define LAG_S (20 * 60)       /* To catch up with our tip. */
#define LAG_ANSWER_S (2 * 60) /* To answer the last question. */
#define PROTECTED_MAX 4

static bool is_up_to(const struct peer *peer, const struct header_node *node)
{
    const struct header_node *known = peer->headers.best_known;

    return known != NULL && header_work_compare(known, node) >= 0;
}

static const char *known_text(const struct peer *peer, struct hash_hex *hex)
{
    if (peer->headers.best_known == NULL)
        return "<none>";
    *hex = hash_hex(peer->headers.best_known->hash.b);
    return hex->text;
}

static void ask_once_more(struct peer *peer, int64_t now_s)
{
    struct peer_lag *lag = &peer->headers.lag;
    struct hash_hex hex;

    (void)headers_ask(peer, lag->tip->prev != NULL ? lag->tip->prev : lag->tip);
    log_debug("net",
              "sending getheaders to outbound peer=%" PRId64
              " to verify chain work (current best known block:%s, benchmark blockhash: %s)",
              peer->id, known_text(peer, &hex), hash_hex(lag->tip->hash.b).text);
    lag->was_asked = true;
    lag->deadline_s = now_s + LAG_ANSWER_S;
}

void headers_watch_lag(struct peer *peer)
{
    struct peer_lag *lag = &peer->headers.lag;
    const struct header_node *tip = headers_tip(peer->p2p);
    int64_t now_s = p2p_now_s(peer->p2p);
    struct hash_hex hex;

    if (lag->is_protected || !peer->headers.is_sync_started ||
        (peer->kind != PEER_FULL_RELAY && peer->kind != PEER_BLOCK_RELAY))
        return;
    if (is_up_to(peer, tip)) {
        lag->deadline_s = 0;
        lag->tip = NULL;
        lag->was_asked = false;
    } else if (lag->deadline_s == 0 || is_up_to(peer, lag->tip)) {
        /* New, or it reached what was our tip then: the time begins again. */
        lag->deadline_s = now_s + LAG_S;
        lag->tip = tip;
        lag->was_asked = false;
    } else if (now_s > lag->deadline_s) {
        if (lag->was_asked)
            peer_disconnect(peer, "Outbound peer has old chain, best known block = %s",
                            known_text(peer, &hex));
        else
            ask_once_more(peer, now_s);
    }
}

void headers_judge_chain(struct peer *peer, bool may_have_more)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *known = peer->headers.best_known;
    const struct p2p_ground *ground = &p2p->options.ground;
    struct u256 work;

    if (known == NULL || peer->is_doomed)
        return;
    if (!may_have_more && ground->is_initial_block_download(ground->context) &&
        (peer->kind == PEER_FULL_RELAY || peer->kind == PEER_BLOCK_RELAY)) {
        work = header_work(known);
        if (u256_compare(&work, &p2p->options.minimum_chain_work) < 0) {
            peer_disconnect(peer, "outbound peer headers chain has insufficient work");
            return;
        }
    }
    if (peer->kind == PEER_FULL_RELAY && p2p->headers.protected_n < PROTECTED_MAX &&
        !peer->headers.lag.is_protected && is_up_to(peer, headers_tip(p2p))) {
        log_debug("net", "Protecting outbound peer=%" PRId64 " from eviction", peer->id);
        peer->headers.lag.is_protected = true;
        p2p->headers.protected_n++;
    }
}

void headers_tip_moved(struct p2p *p2p)
{
    p2p->headers.tip_moved_s = p2p_now_s(p2p);
}

void headers_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)now_ms;
    headers_watch_tip(p2p);
}
