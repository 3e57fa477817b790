#include "net_stories.h"

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "mining/scan.h"
#include "mining/template.h"
#include "p2p/compact_block.h"
#include "primitives/amount.h"

/* What a stranger is up to. */
enum intent {
    STALLS,         /* Tells of blocks, never sends one. */
    SENDS_BENT,     /* Sends every block with a bit changed. */
    MINES_INVALID,  /* Blocks with work, but a coinbase of too much. */
    FLOODS_HEADERS, /* Long chains of no work from genesis. */
    FLOODS_ADDRS,   /* Addresses of nobody. */
    FLOODS_TXS,     /* Tells of transactions it does not have; sends some that spend nothing. */
    BABBLES,        /* Messages of every type, filled by chance. */
    BENDS_COMPACT,  /* Compact blocks whose names are wrong, and then wrong transactions. */
    HANGS_UP,       /* Ends every connection as soon as it stands. */
    INTENTS_N
};

struct stranger {
    struct world *world;
    size_t number; /* Of the world's strangers. */
    enum intent intent;
    size_t target; /* The node it calls. */
    uint64_t until_us;
};

/* --- Honest words, as others would say them --- */

/* The branch that ends in the best block, from above a height, at most n. */
static size_t best_branch(const struct world *world, const struct mined **ret_list, size_t n)
{
    const struct mined *at = world_best(world);
    size_t have = 0;

    while (at != NULL && have < n) {
        ret_list[have++] = at;
        at = world_find(world, &at->prev);
    }
    for (size_t i = 0; i < have / 2; i++) {
        const struct mined *other = ret_list[have - 1 - i];

        ret_list[have - 1 - i] = ret_list[i];
        ret_list[i] = other;
    }
    return have;
}

static void send_best_headers(const struct stranger *stranger, struct sim_talk *talk)
{
    const struct mined *list[HEADERS_N_MAX];
    struct header headers[HEADERS_N_MAX];
    size_t n = best_branch(stranger->world, list, HEADERS_N_MAX);

    for (size_t i = 0; i < n; i++) {
        struct reader r;

        reader_init(&r, list[i]->bytes.data, list[i]->bytes.len);
        header_read(&headers[i], &r);
    }
    message_write_headers(sim_talk_begin(talk, MESSAGE_HEADERS), headers, n);
    sim_talk_end(talk);
}

/* --- Dishonest ones --- */

static void solve(struct buf *block)
{
    struct header header;
    struct reader r;
    struct u256 target;
    uint64_t tries = 1000000;

    reader_init(&r, block->data, block->len);
    header_read(&header, &r);
    target = target_of_bits(header.bits, NULL, NULL);
    CHECK(nonce_scan(block->data, &target, &tries, NULL, NULL) == SCAN_FOUND);
}

/* On the best block, with a satoshi too much. */
static void make_invalid(const struct world *world, struct buf *buf)
{
    const struct mined *best = world_best(world);
    struct header prev;
    struct reader r;
    struct template_parts parts = {.coinbase_script = sim_reward_script(), .segwit = true};

    reader_init(&r, best->bytes.data, best->bytes.len);
    header_read(&prev, &r);
    parts.prev = best->hash;
    parts.height = best->height + 1;
    parts.version = prev.version;
    parts.time = prev.time + 1;
    parts.bits = prev.bits;
    parts.coinbase_value_sat = 50 * COIN_SAT + 1;
    CHECK(template_write(buf, &parts, NULL) == 0);
    solve(buf);
}

static void send_invalid(const struct stranger *stranger, struct sim_talk *talk)
{
    struct buf block = {0};
    struct header header;
    struct reader r;

    if (world_best(stranger->world) == NULL)
        return;
    make_invalid(stranger->world, &block);
    reader_init(&r, block.data, block.len);
    header_read(&header, &r);
    message_write_headers(sim_talk_begin(talk, MESSAGE_HEADERS), &header, 1);
    sim_talk_end(talk);
    sim_talk_send(talk, MESSAGE_BLOCK, span_of_buf(&block));
    buf_clear(&block);
}

static void send_flood_headers(struct stranger *stranger, struct sim_talk *talk)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct header headers[200];
    struct block_hash prev = params->genesis_hash;
    struct reader r;
    struct header genesis;
    struct u256 target;

    reader_init(&r, params->genesis.data, params->genesis.len);
    header_read(&genesis, &r);
    target = target_of_bits(genesis.bits, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        uint8_t bytes[HEADER_BYTES];
        uint64_t tries = 1000000;

        headers[i] = genesis;
        headers[i].version = 0x20000000;
        headers[i].prev = prev;
        headers[i].time = genesis.time + 1 + (uint32_t)i;
        put_le64(headers[i].merkle_root.b, world_chance(stranger->world, UINT64_MAX));
        headers[i].nonce = 0;
        header_write(bytes, &headers[i]);
        CHECK(nonce_scan(bytes, &target, &tries, NULL, NULL) == SCAN_FOUND);
        reader_init(&r, bytes, sizeof(bytes));
        header_read(&headers[i], &r);
        prev = header_hash(&headers[i]);
    }
    message_write_headers(sim_talk_begin(talk, MESSAGE_HEADERS), headers, ARRAY_LEN(headers));
    sim_talk_end(talk);
}

static void send_flood_addrs(struct stranger *stranger, struct sim_talk *talk)
{
    struct message_addr_entry entries[ADDR_N_MAX];
    struct message_addr addr = {.n = ADDR_N_MAX, .entry = entries};

    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        uint64_t random = world_chance(stranger->world, UINT64_MAX);
        uint8_t ip4[4] = {(uint8_t)(11 + random % 80), (uint8_t)(random >> 8),
                          (uint8_t)(random >> 16), (uint8_t)(random >> 24)};

        entries[i].time_s = 1296688602;
        entries[i].services = NODE_NETWORK | NODE_WITNESS;
        entries[i].address = net_address_ipv4(ip4, SIM_NODE_PORT);
    }
    message_write_addr(sim_talk_begin(talk, MESSAGE_ADDRV2), &addr, true);
    sim_talk_end(talk);
}

static void send_flood_txs(struct stranger *stranger, struct sim_talk *talk)
{
    struct inv *list = alloc_array(INV_N_MAX, sizeof(*list));
    size_t n = 1 + (size_t)world_chance(stranger->world, 3000);
    struct buf tx = {0};

    for (size_t i = 0; i < n; i++) {
        list[i].type = INV_WTX;
        put_le64(list[i].hash, world_chance(stranger->world, UINT64_MAX));
    }
    message_write_inv(sim_talk_begin(talk, MESSAGE_INV), list, n);
    sim_talk_end(talk);
    free(list);
    /* Spends what never was. */
    write_le32(&tx, 2);
    write_compact_size(&tx, 1);
    for (size_t i = 0; i < 4; i++)
        write_le64(&tx, world_chance(stranger->world, UINT64_MAX));
    write_le32(&tx, 0);
    write_compact_size(&tx, 0);
    write_le32(&tx, 0);
    write_compact_size(&tx, 1);
    write_le64(&tx, 1000);
    write_var_bytes(&tx, sim_reward_script());
    write_le32(&tx, 0);
    sim_talk_send(talk, MESSAGE_TX, span_of_buf(&tx));
    buf_clear(&tx);
}

static void babble(struct stranger *stranger, struct sim_talk *talk)
{
    struct world *world = stranger->world;
    enum message_type type = (enum message_type)(1 + world_chance(world, MESSAGE_TYPE_N - 1));
    size_t len = (size_t)world_chance(world, world_chance(world, 10) == 0 ? 20000 : 200);
    struct buf *buf = sim_talk_begin(talk, type);
    const struct mined *best = world_best(world);

    /* Some begin as a block of ours does, so that they get further. */
    if (best != NULL && world_chance(world, 3) == 0)
        buf_add(buf, best->bytes.data, MIN(best->bytes.len, len));
    for (size_t i = 0; i < len; i++)
        buf_add_byte(buf, world_chance(world, 2) == 0 ? (uint8_t)world_chance(world, 4)
                                                      : (uint8_t)world_chance(world, 256));
    sim_talk_end(talk);
}

static void send_bent_compact(struct stranger *stranger, struct sim_talk *talk)
{
    struct world *world = stranger->world;
    const struct mined *best = world_best(world);
    struct arena arena;
    struct block block;
    struct buf *buf;
    size_t at;

    if (best == NULL)
        return;
    arena_init(&arena);
    CHECK(block_read(&block, best->bytes.data, best->bytes.len, &arena) == 0);
    buf = sim_talk_begin(talk, MESSAGE_CMPCTBLOCK);
    at = buf->len;
    compact_block_write(buf, &block, world_chance(world, UINT64_MAX), NULL, 0);
    /* Behind header and nonce: counts, names, the coinbase. */
    buf->data[at + 88 + world_chance(world, buf->len - at - 88)] ^=
        (uint8_t)(1U << world_chance(world, 8));
    sim_talk_end(talk);
    arena_clear(&arena);
}

static void send_blocks(struct stranger *stranger, struct sim_talk *talk, struct span asked)
{
    struct world *world = stranger->world;
    struct message_inv inv;
    struct arena arena;

    arena_init(&arena);
    if (message_read_inv(&inv, asked, MESSAGE_GETDATA, &arena, NULL) < 0)
        inv.n = 0;
    for (uint32_t i = 0; i < inv.n; i++) {
        struct block_hash hash;
        const struct mined *mined;
        struct buf *buf;
        size_t at;

        memcpy(hash.b, inv.inv[i].hash, HASH_BYTES);
        mined = world_find(world, &hash);
        if (mined == NULL)
            continue;
        buf = sim_talk_begin(talk, MESSAGE_BLOCK);
        at = buf->len;
        buf_add(buf, mined->bytes.data, mined->bytes.len);
        /* Anywhere behind the header. */
        buf->data[at + HEADER_BYTES + world_chance(world, mined->bytes.len - HEADER_BYTES)] ^=
            (uint8_t)(1U << world_chance(world, 8));
        sim_talk_end(talk);
    }
    arena_clear(&arena);
}

/* --- Scripts --- */

static void ready(void *context, struct sim_talk *talk)
{
    struct stranger *stranger = context;

    switch (stranger->intent) {
    case STALLS:
    case SENDS_BENT:
        send_best_headers(stranger, talk);
        break;
    case MINES_INVALID:
        send_invalid(stranger, talk);
        break;
    case FLOODS_HEADERS:
        send_flood_headers(stranger, talk);
        break;
    case FLOODS_ADDRS:
        send_flood_addrs(stranger, talk);
        break;
    case FLOODS_TXS:
        send_flood_txs(stranger, talk);
        break;
    case BABBLES:
        babble(stranger, talk);
        break;
    case BENDS_COMPACT:
        send_bent_compact(stranger, talk);
        break;
    default:
        sim_talk_close(talk);
        break;
    }
}

static void message(void *context, struct sim_talk *talk, const struct wire_message *message)
{
    struct stranger *stranger = context;

    if (message->type == MESSAGE_GETHEADERS &&
        (stranger->intent == STALLS || stranger->intent == SENDS_BENT))
        send_best_headers(stranger, talk);
    else if (message->type == MESSAGE_GETDATA && stranger->intent == SENDS_BENT)
        send_blocks(stranger, talk, message->payload);
}

static const struct sim_peer_script script = {.ready = ready, .message = message};

/* Goes on with it about every second, and calls again when it was thrown out. */
static void act(void *context, uint64_t number)
{
    struct stranger *stranger = context;
    struct world *world = stranger->world;
    struct sim_peer *peer = world->strangers[stranger->number];
    size_t n = sim_peer_talks_n(peer);

    (void)number;
    if (sim_net_now_us(world->net) > stranger->until_us) {
        while (sim_peer_talks_n(peer) > 0)
            sim_talk_close(sim_peer_talk(peer, 0));
        return;
    }
    if (n == 0) {
        (void)world_stranger_calls(world, stranger->number, stranger->target);
    } else {
        struct sim_talk *talk = sim_peer_talk(peer, (size_t)world_chance(world, n));

        if (talk->is_ready)
            ready(stranger, talk);
    }
    sim_net_after(world->net, 200000 + world_chance(world, 2 * SECOND_US), act, stranger, 0);
}

static void add_stranger(struct world *world, enum intent intent, size_t target, uint64_t for_us)
{
    struct stranger *stranger = alloc_zero(sizeof(*stranger));

    *stranger = (struct stranger){.world = world,
                                  .number = world->strangers_n,
                                  .intent = intent,
                                  .target = target,
                                  .until_us = sim_net_now_us(world->net) + for_us};
    sim_peer_claim(world_add_stranger(world, &script, stranger),
                   NODE_NETWORK | NODE_WITNESS | NODE_P2P_V2, 1000);
    sim_net_after(world->net, world_chance(world, SECOND_US), act, stranger, 0);
}

static void open_nodes(struct world *world, size_t n)
{
    world_open(world);
    for (size_t i = 0; i < n; i++)
        (void)world_add_node(world, 0);
    world_link_at_random(world);
    for (size_t i = 0; i < n && world->is_good; i++)
        world_start(world, i);
}

/* Honest nodes go on as ever while strangers of all kinds are at them. */
void story_hostile(struct world *world)
{
    size_t strangers_n = 1 + (size_t)world_chance(world, 5);

    open_nodes(world, 2 + (size_t)world_chance(world, 4));
    world_mine_many(world, 0, 10 + (size_t)world_chance(world, 110));
    for (size_t i = 0; i < strangers_n; i++)
        add_stranger(world, (enum intent)world_chance(world, INTENTS_N),
                     (size_t)world_chance(world, world->nodes_n), 2 * MINUTE_US);
    for (size_t i = 0; i < 12 && world->is_good; i++) {
        world_run(world, world_chance(world, 15 * SECOND_US));
        (void)world_mine(world, (size_t)world_chance(world, world->nodes_n));
        world_check(world);
    }
    world_run(world, 2 * MINUTE_US);
    (void)world_mine_best(world);
    world_settle(world, 60 * MINUTE_US);
}

/* Headers without work, addresses of nobody: nothing of it stays. */
void story_flood(struct world *world)
{
    size_t nodes_n = 2;
    uint64_t headers_before;

    world_open(world);
    for (size_t i = 0; i < nodes_n; i++) {
        struct sim_node *node = world_add_node(world, 0);

        /* More than the 200 headers of a flood have: two each. */
        node->minimum_chain_work.limb[0] = 2 * 230;
    }
    world_link_at_random(world);
    for (size_t i = 0; i < nodes_n && world->is_good; i++)
        world_start(world, i);
    world_mine_many(world, 0, 250);
    world_settle(world, 10 * MINUTE_US);
    headers_before = sim_node_headers_n(world->nodes[0]);
    for (size_t i = 0; i < 6; i++)
        add_stranger(world, i % 2 == 0 ? FLOODS_HEADERS : FLOODS_ADDRS, i % nodes_n, 3 * MINUTE_US);
    world_run(world, 4 * MINUTE_US);
    world_holds(world, sim_node_headers_n(world->nodes[0]) == headers_before,
                "no header without work is kept");
    (void)world_mine(world, 0);
    world_settle(world, 10 * MINUTE_US);
}

/* A crowd from one neighbourhood takes every place it can get, tells nothing, and lets
 * the victim hear of no block; what the victim calls by itself it keeps. */
void story_eclipse(struct world *world)
{
    open_nodes(world, 3);
    world_mine_many(world, 0, 20);
    world_settle(world, 10 * MINUTE_US);
    for (size_t i = 0; i < STRANGERS_MAX; i++)
        add_stranger(world, STALLS, 1, 30 * MINUTE_US);
    for (size_t i = 0; i < 5 && world->is_good; i++) {
        for (size_t k = 0; k < world->strangers_n; k++)
            for (size_t calls = 0; calls < 8; calls++)
                (void)world_stranger_calls(world, k, 1);
        (void)world_mine(world, 0);
        world_settle(world, 120 * MINUTE_US);
    }
}
