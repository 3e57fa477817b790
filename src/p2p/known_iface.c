/* Addresses and bans as RPC sees them: every call is asked of the net thread. */
#include "p2p/known_iface_priv.h"

#include <stdio.h>

#include "p2p/p2p_priv.h"

/* What a question and its answer need; each uses what it needs of it. */
struct question {
    struct arena *arena;
    const char *text;
    int64_t number;
    uint16_t port;
    bool flag;
    size_t wanted;
    enum peers_answer answer;
    const char *why;
    struct peers_ban *bans;
    struct peers_address *addresses;
    struct peers_counts *counts;
    size_t n;
};

static struct p2p *p2p_of(struct peers *peers)
{
    return (struct p2p *)peers;
}

static enum peers_answer ask(struct peers *peers, void (*run)(struct p2p *p2p, void *argument),
                             struct question *q)
{
    q->answer = PEERS_OFF;
    return p2p_ask(p2p_of(peers), run, q) ? q->answer : PEERS_OFF;
}

static void run_ban(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_ban(p2p, q->text, q->number);
}

enum peers_answer known_ban(struct peers *peers, const char *subnet, int64_t until_s)
{
    struct question q = {.text = subnet, .number = until_s};

    return ask(peers, run_ban, &q);
}

static void run_unban(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_unban(p2p, q->text);
}

enum peers_answer known_unban(struct peers *peers, const char *subnet)
{
    struct question q = {.text = subnet};

    return ask(peers, run_unban, &q);
}

static void run_bans(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->n = connect_bans(p2p, &q->bans, q->arena);
}

void known_bans(struct peers *peers, struct peers_ban **ret_list, size_t *ret_n,
                struct arena *arena)
{
    struct question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_bans, &q);
    *ret_list = q.bans;
    *ret_n = q.n;
}

static void run_clear_bans(struct p2p *p2p, void *argument)
{
    (void)argument;
    connect_clear_bans(p2p);
}

void known_clear_bans(struct peers *peers)
{
    (void)p2p_ask(p2p_of(peers), run_clear_bans, NULL);
}

static void run_addresses(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->n = connect_addresses(p2p, &q->addresses, q->wanted, q->text, q->arena);
}

void known_addresses(struct peers *peers, struct peers_address **ret_list, size_t *ret_n, size_t n,
                     const char *network, struct arena *arena)
{
    struct question q = {.arena = arena, .text = network, .wanted = n};

    (void)p2p_ask(p2p_of(peers), run_addresses, &q);
    *ret_list = q.addresses;
    *ret_n = q.n;
}

static void run_raw_addresses(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->n = connect_raw_addresses(p2p, &q->addresses, q->arena);
}

void known_raw_addresses(struct peers *peers, struct peers_address **ret_list, size_t *ret_n,
                         struct arena *arena)
{
    struct question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_raw_addresses, &q);
    *ret_list = q.addresses;
    *ret_n = q.n;
}

static void run_address_counts(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->n = connect_address_counts(p2p, &q->counts, q->arena);
}

void known_address_counts(struct peers *peers, struct peers_counts **ret_list, size_t *ret_n,
                          struct arena *arena)
{
    struct question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_address_counts, &q);
    *ret_list = q.counts;
    *ret_n = q.n;
}

static void run_add_address(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_add_address(p2p, q->text, q->port, q->flag, &q->why);
}

enum peers_answer known_add_address(struct peers *peers, const char *address, uint16_t port,
                                    bool tried, char *ret_why, size_t why_size)
{
    struct question q = {.text = address, .port = port, .flag = tried};
    enum peers_answer answer = ask(peers, run_add_address, &q);

    (void)snprintf(ret_why, why_size, "%s", q.why == NULL ? "" : q.why);
    return answer;
}
