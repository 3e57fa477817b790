/* Headers and blocks with played peers: what is asked of whom, who has to go, what is
 * told and served. */
#include "stage.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "consensus/pow.h"
#include "p2p/p2p_priv.h"
#include "test.h"

#define FULL (NODE_NETWORK | NODE_WITNESS)
#define LIMITED (NODE_NETWORK_LIMITED | NODE_WITNESS)

static struct header chain[4000];

/* Headers on top of genesis that p2p does not know. */
static void make_chain(struct stage *stage, uint32_t n, uint32_t tag)
{
    struct header_node prev = *header_tree_genesis(stage->tree);

    for (uint32_t i = 0; i < n; i++) {
        chain[i] = stage_header(&prev, tag);
        prev.hash = header_hash(&chain[i]);
        prev.time = chain[i].time;
    }
}

static struct peer *peer_of(const struct actor *actor)
{
    return peer_find(actor->stage->p2p, actor->id);
}

static const struct header_node *node_of(struct stage *stage, const struct inv *inv)
{
    struct block_hash hash;

    memcpy(hash.b, inv->hash, HASH_BYTES);
    return header_tree_find(stage->tree, &hash);
}

static void send_block_of(struct actor *actor, const struct inv *inv)
{
    const struct header_node *node = node_of(actor->stage, inv);
    struct header header = header_of_node(node);
    struct buf bytes = {0};

    stage_block(&bytes, &header);
    actor_send_block(actor, span_of_buf(&bytes));
    buf_clear(&bytes);
}

/* --- Announced blocks --- */

static void an_announced_block_is_fetched_at_once(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    struct wire_message message;
    struct inv inv[2];

    make_chain(stage, 3, 1);
    actor_send_headers(actor, chain, 2);
    EXPECT_INT("both", actor_asked(actor, inv), 2);
    EXPECT_U64("type", inv[0].type, INV_WITNESS_BLOCK);
    EXPECT_INT("first", node_of(stage, &inv[0])->height, 1);
    send_block_of(actor, &inv[0]);
    send_block_of(actor, &inv[1]);
    EXPECT_INT("height", stage->tip->height, 2);
    EXPECT_INT("nothing in flight", peer_of(actor)->blocks.n, 0);
    /* One that does not connect: its parents are asked for. */
    actor_forget(actor);
    chain[2].prev.b[0] ^= 1;
    while (true) {
        struct block_hash hash = header_hash(&chain[2]);

        if (pow_check(&hash, chain[2].bits, stage->params))
            break;
        chain[2].nonce++;
    }
    actor_send_headers(actor, &chain[2], 1);
    EXPECT_TRUE("getheaders", actor_next(actor, MESSAGE_GETHEADERS, &message));
    EXPECT_TRUE("stays", !actor->is_gone);
    stage_free(stage);
}

static void bad_headers_end_the_connection(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    struct header two[2];

    make_chain(stage, 3, 1);
    two[0] = chain[0];
    two[1] = chain[2];
    actor_send_headers(actor, two, 2);
    EXPECT_TRUE("not continuous", actor->is_gone);
    actor = stage_join(stage, true, FULL);
    chain[0].bits = 0x1d00ffff;
    actor_send_headers(actor, chain, 1);
    EXPECT_TRUE("no work", actor->is_gone);
    EXPECT_U64("the chain saw none", stage->headers_offered, 0);
    stage_free(stage);
}

/* --- Low work --- */

static void ask_much(struct p2p_options *options)
{
    u256_from_hex(&options->minimum_chain_work, "1000"); /* 2,048 headers of regtest. */
}

static void low_work_is_not_stored(void)
{
    struct stage *stage = stage_new(ask_much);
    struct wire_message message;
    struct actor *actor;

    stage->is_initial = true;
    make_chain(stage, 3000, 1);
    sim_clock_set_wall_ms(&stage->clock, ((int64_t)chain[2999].time + 60) * 1000);
    actor = stage_join(stage, true, FULL);
    actor_send_headers(actor, chain, 1000);
    EXPECT_U64("none offered", stage->headers_offered, 0);
    EXPECT_TRUE("no presync", peer_of(actor)->headers.presync == NULL);
    actor_forget(actor);
    actor_send_headers(actor, chain, 2000);
    EXPECT_TRUE("presync", peer_of(actor)->headers.presync != NULL);
    EXPECT_TRUE("more", actor_next(actor, MESSAGE_GETHEADERS, &message));
    actor_send_headers(actor, &chain[2000], 1000);
    EXPECT_TRUE("again", actor_next(actor, MESSAGE_GETHEADERS, &message));
    EXPECT_U64("still none", stage->headers_offered, 0);
    actor_send_headers(actor, chain, 2000);
    actor_send_headers(actor, &chain[2000], 1000);
    EXPECT_U64("all", stage->headers_offered, 3000);
    EXPECT_INT("tree", header_tree_best(stage->tree)->height, 3000);
    EXPECT_TRUE("over", peer_of(actor)->headers.presync == NULL);
    stage_free(stage);
}

/* --- The window --- */

#define PEERS 5
#define LONG 2600

struct asked {
    bool is_asked;
    size_t by;
};

/* What is in flight, as the peers have heard it. */
struct watch {
    struct stage *stage;
    struct actor *actor[PEERS];
    struct inv queue[PEERS][64];
    uint32_t queue_n[PEERS];
    struct asked asked[LONG + 1];
};

static void listen(struct watch *watch, size_t p)
{
    struct inv inv[64];
    uint32_t n;

    while ((n = actor_asked(watch->actor[p], inv)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            int32_t height = node_of(watch->stage, &inv[i])->height;

            EXPECT_TRUE("only once", !watch->asked[height].is_asked);
            EXPECT_TRUE("in the window", height <= watch->stage->tip->height + BLOCKS_WINDOW);
            watch->asked[height] = (struct asked){true, p};
            watch->queue[p][watch->queue_n[p]++] = inv[i];
        }
        EXPECT_TRUE("so many at a time", watch->queue_n[p] <= BLOCKS_PER_PEER_MAX);
    }
}

static void answer_one(struct watch *watch, size_t p)
{
    uint32_t at = (uint32_t)test_random_below(watch->queue_n[p]);
    struct inv inv = watch->queue[p][at];

    watch->queue[p][at] = watch->queue[p][--watch->queue_n[p]];
    send_block_of(watch->actor[p], &inv);
}

/* Any order, any peer: all blocks come, none twice, none too early. */
static void blocks_come_in_any_order(void)
{
    struct watch *watch = alloc_zero(sizeof(*watch));
    struct stage *stage = stage_new(NULL);

    watch->stage = stage;
    stage->is_initial = true;
    make_chain(stage, LONG, 1);
    sim_clock_set_wall_ms(&stage->clock, ((int64_t)chain[LONG - 1].time + 1000000) * 1000);
    for (size_t p = 0; p < PEERS; p++) {
        watch->actor[p] = stage_join(stage, false, FULL);
        actor_send_headers(watch->actor[p], chain, 2000);
        actor_send_headers(watch->actor[p], &chain[2000], LONG - 2000);
    }
    for (int round = 0; round < 200000 && stage->tip->height < LONG; round++) {
        size_t p = (size_t)test_random_below(PEERS);

        listen(watch, p);
        if (watch->queue_n[p] > 0)
            answer_one(watch, p);
        if (test_random_below(50) == 0)
            stage_wait_ms(stage, 100);
    }
    EXPECT_INT("all", stage->tip->height, LONG);
    EXPECT_U64("each once", stage->blocks_offered, LONG);
    for (size_t p = 0; p < PEERS; p++)
        EXPECT_TRUE("nobody is to blame", !watch->actor[p]->is_gone);
    stage_free(stage);
    free(watch);
}

static void who_holds_up_the_window_goes(void)
{
    struct watch *watch = alloc_zero(sizeof(*watch));
    struct stage *stage = stage_new(NULL);
    int32_t height;

    watch->stage = stage;
    stage->is_initial = true;
    make_chain(stage, LONG, 1);
    sim_clock_set_wall_ms(&stage->clock, ((int64_t)chain[LONG - 1].time + 1000000) * 1000);
    for (size_t p = 0; p < 2; p++) {
        watch->actor[p] = stage_join(stage, false, FULL);
        actor_send_headers(watch->actor[p], chain, 2000);
    }
    listen(watch, 0);
    EXPECT_INT("as many as one may have", watch->queue_n[0], BLOCKS_PER_PEER_MAX);
    /* The first one sends nothing; the other one all it is asked for. */
    for (int round = 0; round < 2000; round++) {
        listen(watch, 1);
        if (watch->queue_n[1] == 0)
            break;
        answer_one(watch, 1);
    }
    height = node_of(stage, &watch->queue[0][0])->height;
    EXPECT_TRUE("it stalls", peer_of(watch->actor[0])->blocks.stalling_ms != 0);
    stage_wait_ms(stage, 1900);
    EXPECT_TRUE("not yet", !watch->actor[0]->is_gone);
    stage_wait_ms(stage, 300);
    EXPECT_TRUE("gone", watch->actor[0]->is_gone);
    EXPECT_INT("longer for the next", stage->p2p->blocks.stall_ms, 4000);
    memset(watch->asked, 0, sizeof(watch->asked));
    listen(watch, 1);
    EXPECT_TRUE("the other one is asked", watch->queue_n[1] > 0);
    EXPECT_TRUE("for those", watch->asked[height].is_asked);
    stage_free(stage);
    free(watch);
}

static void a_block_must_come_in_time(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, false, FULL);

    make_chain(stage, 1, 1);
    actor_send_headers(actor, chain, 1);
    stage_wait_ms(stage, 599000);
    EXPECT_TRUE("ten minutes", !actor->is_gone);
    stage_wait_ms(stage, 2000);
    EXPECT_TRUE("no more", actor->is_gone);
    stage_free(stage);
}

/* Two strangers announce a block first and do not send it: who was chosen by us is asked
 * next, if he has it, and the other stranger soon if nobody else has. */
static void chosen_peers_are_asked_after_a_stranger(void)
{
    for (int has_it = 0; has_it < 2; has_it++) {
        struct stage *stage = stage_new(NULL);
        struct actor *strangers[2];
        struct actor *chosen;
        struct inv inv[2];

        make_chain(stage, 1, 1);
        for (int i = 0; i < 2; i++)
            strangers[i] = stage_join(stage, true, FULL);
        chosen = stage_join(stage, false, FULL);
        for (int i = 0; i < 2; i++)
            actor_send_headers(strangers[i], chain, 1);
        if (has_it != 0)
            actor_send_headers(chosen, chain, 1);
        EXPECT_INT("the first is asked", actor_asked(strangers[0], inv), 1);
        stage_wait_ms(stage, 599000);
        EXPECT_TRUE("ten minutes", !strangers[0]->is_gone);
        stage_wait_ms(stage, 2000);
        EXPECT_TRUE("no more", strangers[0]->is_gone);
        EXPECT_INT("the chosen one, if it has it", actor_asked(chosen, inv), has_it);
        EXPECT_INT("not the stranger", actor_asked(strangers[1], inv), 0);
        stage_wait_ms(stage, 2000);
        EXPECT_INT("but before long", actor_asked(strangers[1], inv), 1 - has_it);
        stage_free(stage);
    }
}

static void limited_peers_are_asked_for_the_last_ones_only(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor;
    struct inv inv[16];

    make_chain(stage, 400, 1);
    sim_clock_set_wall_ms(&stage->clock, ((int64_t)chain[399].time + 1000000) * 1000);
    actor = stage_join(stage, true, LIMITED);
    actor_send_headers(actor, chain, 400);
    EXPECT_INT("some", actor_asked(actor, inv), BLOCKS_PER_PEER_MAX);
    EXPECT_INT("from", node_of(stage, &inv[0])->height, 400 - 288 + 2 + 1);
    stage_free(stage);
}

static void without_room_nothing_is_asked(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor;

    stage->is_full = true;
    stage->is_initial = true;
    make_chain(stage, 400, 1);
    sim_clock_set_wall_ms(&stage->clock, ((int64_t)chain[399].time + 1000000) * 1000);
    actor = stage_join(stage, false, FULL);
    actor_send_headers(actor, chain, 400);
    EXPECT_INT("none", actor_asked(actor, NULL), 0);
    stage->is_full = false;
    stage_wait_ms(stage, 200);
    EXPECT_INT("some", actor_asked(actor, NULL), BLOCKS_PER_PEER_MAX);
    stage_free(stage);
}

/* --- Judged blocks --- */

static void an_invalid_block_is_its_senders_fault(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    struct inv inv[1];

    make_chain(stage, 1, 1);
    actor_send_headers(actor, chain, 1);
    EXPECT_INT("asked", actor_asked(actor, inv), 1);
    stage->next_verdict = V_BAD_CB_AMOUNT;
    send_block_of(actor, inv);
    EXPECT_TRUE("gone", actor->is_gone);
    stage_free(stage);
}

/* While blocks are judged they are neither asked for again nor waited for. */
static void what_is_being_judged_is_not_asked_again(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *one = stage_join(stage, true, FULL);
    struct actor *two = stage_join(stage, true, FULL);
    struct wire_message message;
    struct inv inv[1];

    make_chain(stage, 1, 1);
    actor_send_headers(one, chain, 1);
    EXPECT_INT("asked", actor_asked(one, inv), 1);
    stage->holds_answers = true;
    stage->next_verdict = V_BAD_MERKLE_ROOT;
    stage->next_is_mutated = true;
    send_block_of(one, inv);
    EXPECT_INT("not in flight", peer_of(one)->blocks.n, 0);
    actor_send_headers(two, chain, 1);
    EXPECT_INT("not asked", actor_asked(two, NULL), 0);
    /* Its next message waits for the answer. */
    message_write_nonce(actor_begin(one, MESSAGE_PING), 77);
    actor_end(one);
    EXPECT_TRUE("waits", !actor_next(one, MESSAGE_PONG, &message));
    stage->holds_answers = false;
    stage_answer(stage);
    EXPECT_TRUE("a mutated copy", one->is_gone);
    stage_wait_ms(stage, 200);
    EXPECT_INT("the other one is asked", actor_asked(two, inv), 1);
    send_block_of(two, inv);
    EXPECT_INT("height", stage->tip->height, 1);
    stage_free(stage);
}

/* It had come whole: nothing else waits behind it. */
static void the_message_behind_a_judged_block_is_answered(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    struct wire_message message;
    struct inv inv[1];

    make_chain(stage, 1, 1);
    actor_send_headers(actor, chain, 1);
    EXPECT_INT("asked", actor_asked(actor, inv), 1);
    stage->holds_answers = true;
    send_block_of(actor, inv);
    message_write_nonce(actor_begin(actor, MESSAGE_PING), 78);
    actor_end(actor);
    EXPECT_TRUE("waits", !actor_next(actor, MESSAGE_PONG, &message));
    EXPECT_TRUE("it is held", peer_of(actor)->has_held);
    EXPECT_INT("nothing behind it", peer_of(actor)->inbox.len, 0);
    stage_answer(stage);
    EXPECT_TRUE("answered", actor_next(actor, MESSAGE_PONG, &message));
    EXPECT_TRUE("still there", !actor->is_gone);
    stage_free(stage);
}

/* --- Lagging --- */

static void an_outbound_peer_must_keep_up(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, false, FULL);
    struct wire_message message;

    stage_set_tip(stage, stage_grow(stage, stage->tip, 5, true));
    stage_wait_ms(stage, 19 * 60 * 1000);
    actor_forget(actor);
    stage_wait_ms(stage, 2 * 60 * 1000);
    EXPECT_TRUE("asked once more", actor_next(actor, MESSAGE_GETHEADERS, &message));
    EXPECT_TRUE("still there", !actor->is_gone);
    stage_wait_ms(stage, 3 * 60 * 1000);
    EXPECT_TRUE("gone", actor->is_gone);
    /* One that shows our tip is never looked at again. */
    actor = stage_join(stage, false, FULL);
    make_chain(stage, 1, 7);
    for (int32_t i = 0; i < 5; i++)
        chain[i] = header_of_node(header_ancestor(stage->tip, i + 1));
    actor_send_headers(actor, chain, 5);
    stage_set_tip(stage, stage_grow(stage, stage->tip, 5, true));
    stage_wait_ms(stage, 30 * 60 * 1000);
    EXPECT_TRUE("protected", !actor->is_gone);
    stage_free(stage);
}

/* --- Serving --- */

static void ask_headers(struct actor *actor, const struct block_hash *have, uint32_t n,
                        const struct block_hash *stop)
{
    struct message_locator locator = {.version = PROTOCOL_VERSION, .n = n};

    locator.have = (struct block_hash *)(uintptr_t)have;
    if (stop != NULL)
        locator.stop = *stop;
    message_write_locator(actor_begin(actor, MESSAGE_GETHEADERS), &locator);
    actor_end(actor);
}

static uint32_t headers_heard_n(struct actor *actor)
{
    struct message_headers headers = {.n = 0};
    struct wire_message message;
    struct arena arena;
    uint32_t n;

    arena_init(&arena);
    if (!actor_next(actor, MESSAGE_HEADERS, &message) ||
        message_read_headers(&headers, message.payload, &arena, NULL) < 0)
        headers.n = UINT32_MAX;
    n = headers.n;
    arena_clear(&arena);
    return n;
}

static void headers_are_served(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    const struct header_node *fork;
    const struct header_node *side;
    struct block_hash have;

    stage_set_tip(stage, stage_grow(stage, stage->tip, 2500, true));
    have = header_tree_genesis(stage->tree)->hash;
    actor_forget(actor);
    ask_headers(actor, &have, 1, NULL);
    EXPECT_U64("as many as fit", headers_heard_n(actor), 2000);
    have = header_ancestor(stage->tip, 2490)->hash;
    ask_headers(actor, &have, 1, NULL);
    EXPECT_U64("to the end", headers_heard_n(actor), 10);
    ask_headers(actor, &have, 1, &header_ancestor(stage->tip, 2493)->hash);
    EXPECT_U64("to the stop", headers_heard_n(actor), 3);
    ask_headers(actor, &stage->tip->hash, 1, NULL);
    EXPECT_U64("none", headers_heard_n(actor), 0);
    memset(&have, 9, sizeof(have));
    ask_headers(actor, &have, 1, NULL);
    EXPECT_U64("unknown: from the start", headers_heard_n(actor), 2000);
    /* A branch: from where it left. */
    fork = header_ancestor(stage->tip, 2400);
    side = stage_grow(stage, fork, 3, false);
    ask_headers(actor, &side->hash, 1, NULL);
    EXPECT_U64("nobody has its hash", headers_heard_n(actor), 2000);
    ask_headers(actor, NULL, 0, &side->hash);
    EXPECT_U64("not verified: silent", headers_heard_n(actor), UINT32_MAX);
    ask_headers(actor, NULL, 0, &stage->tip->hash);
    EXPECT_U64("one", headers_heard_n(actor), 1);
    stage_free(stage);
}

static bool is_served(struct actor *actor, const struct header_node *node)
{
    struct inv inv = {.type = INV_WITNESS_BLOCK};
    struct wire_message message;

    memcpy(inv.hash, node->hash.b, HASH_BYTES);
    message_write_inv(actor_begin(actor, MESSAGE_GETDATA), &inv, 1);
    actor_end(actor);
    return actor_next(actor, MESSAGE_BLOCK, &message) &&
           span_equal(message.payload, span_of_buf(&actor->stage->blocks[node->index]));
}

static void stale_blocks_are_not_for_strangers(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    const struct header_node *genesis = stage->tip;
    const struct header_node *side = stage_grow(stage, genesis, 2, true);
    const struct header_node *top;

    top = stage_grow(stage, header_ancestor(side, 1), 5, false);
    (void)top;
    stage_set_tip(stage, stage_grow(stage, genesis, 0, true));
    stage_set_tip(stage, side);
    EXPECT_TRUE("of our chain", is_served(actor, header_ancestor(side, 1)));
    stage_set_tip(stage, stage_grow(stage, header_ancestor(side, 1), 3, true));
    EXPECT_TRUE("stale, but young", is_served(actor, side));
    /* 4,400 blocks of work are more than a month. */
    stage_set_tip(stage, stage_grow(stage, stage->tip, 3500, true));
    EXPECT_TRUE("stale, 24 days", is_served(actor, side));
    stage_free(stage);
}

static void getblocks_goes_on(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *actor = stage_join(stage, true, FULL);
    struct message_locator locator = {.version = PROTOCOL_VERSION, .n = 1};
    struct block_hash have = stage->tip->hash;
    struct wire_message message;
    struct message_inv inv;
    struct arena arena;

    arena_init(&arena);
    stage_set_tip(stage, stage_grow(stage, stage->tip, 600, true));
    actor_forget(actor);
    locator.have = &have;
    message_write_locator(actor_begin(actor, MESSAGE_GETBLOCKS), &locator);
    actor_end(actor);
    EXPECT_TRUE("inv", actor_next(actor, MESSAGE_INV, &message));
    EXPECT_INT("read", message_read_inv(&inv, message.payload, MESSAGE_INV, &arena, NULL), 0);
    EXPECT_U64("so many", inv.n, 500);
    EXPECT_TRUE("the last one", is_served(actor, header_ancestor(stage->tip, 500)));
    EXPECT_TRUE("go on", actor_next(actor, MESSAGE_INV, &message));
    EXPECT_INT("read", message_read_inv(&inv, message.payload, MESSAGE_INV, &arena, NULL), 0);
    EXPECT_BYTES("the tip", inv.inv[0].hash, 32, stage->tip->hash.b, 32);
    arena_clear(&arena);
    stage_free(stage);
}

/* --- Announcing --- */

static void new_blocks_are_told_as_wished(void)
{
    struct stage *stage = stage_new(NULL);
    struct actor *by_inv = stage_join(stage, true, FULL);
    struct actor *by_headers = stage_join(stage, true, FULL);
    struct actor *by_compact = stage_join(stage, true, FULL);
    struct message_sendcmpct sendcmpct = {.high_bandwidth = true, .version = 2};
    struct wire_message message;
    const struct header_node *old = stage->tip;

    actor_send(by_headers, MESSAGE_SENDHEADERS, span_of(NULL, 0));
    message_write_sendcmpct(actor_begin(by_compact, MESSAGE_SENDCMPCT), &sendcmpct);
    actor_end(by_compact);
    /* They show that they have the chain so far. */
    chain[0] = header_of_node(stage_grow(stage, old, 1, true));
    actor_send_headers(by_headers, chain, 1);
    actor_send_headers(by_compact, chain, 1);
    stage_set_tip(stage, header_tree_best(stage->tree));
    stage_run(stage);
    actor_forget(by_inv);
    actor_forget(by_headers);
    actor_forget(by_compact);
    stage_set_tip(stage, stage_grow(stage, stage->tip, 1, true));
    stage_run(stage);
    EXPECT_TRUE("inv", actor_next(by_inv, MESSAGE_INV, &message));
    EXPECT_TRUE("headers", actor_next(by_headers, MESSAGE_HEADERS, &message));
    EXPECT_TRUE("compact", actor_next(by_compact, MESSAGE_CMPCTBLOCK, &message));
    stage_set_tip(stage, stage_grow(stage, stage->tip, 3, true));
    stage_run(stage);
    EXPECT_U64("three at once", headers_heard_n(by_headers), 3);
    EXPECT_TRUE("too many to be compact", actor_next(by_compact, MESSAGE_INV, &message));
    stage_set_tip(stage, stage_grow(stage, stage->tip, 9, true));
    stage_run(stage);
    EXPECT_U64("no more than eight", headers_heard_n(by_headers), UINT32_MAX);
    stage_free(stage);
}

TEST_LIST(TEST(an_announced_block_is_fetched_at_once), TEST(bad_headers_end_the_connection),
          TEST(low_work_is_not_stored), TEST(blocks_come_in_any_order),
          TEST(who_holds_up_the_window_goes), TEST(a_block_must_come_in_time),
          TEST(chosen_peers_are_asked_after_a_stranger),
          TEST(limited_peers_are_asked_for_the_last_ones_only), TEST(without_room_nothing_is_asked),
          TEST(an_invalid_block_is_its_senders_fault),
          TEST(what_is_being_judged_is_not_asked_again),
          TEST(the_message_behind_a_judged_block_is_answered), TEST(an_outbound_peer_must_keep_up),
          TEST(headers_are_served), TEST(stale_blocks_are_not_for_strangers),
          TEST(getblocks_goes_on), TEST(new_blocks_are_told_as_wished))
