#include "net_stories.h"

#include "base/check.h"

static void add_nodes(struct world *world, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)world_add_node(world, 0);
    world_link_at_random(world);
}

static void start_all(struct world *world)
{
    for (size_t i = 0; i < world->nodes_n && world->is_good; i++)
        world_start(world, i);
}

static size_t any_node(struct world *world)
{
    return (size_t)world_chance(world, world->nodes_n);
}

/* Nodes join one that has a chain; blocks go on meanwhile. Every twentieth seed: thirty. */
void story_sync(struct world *world)
{
    size_t nodes_n = world->seed % 20 == 19 ? NODES_MAX : 2 + (size_t)world_chance(world, 5);

    world_open(world);
    add_nodes(world, nodes_n);
    world_start(world, 0);
    world_mine_many(world, 0, 1 + (size_t)world_chance(world, 120));
    for (size_t i = 1; i < nodes_n && world->is_good; i++) {
        world_run(world, world_chance(world, 20 * SECOND_US));
        world_start(world, i);
        if (world_chance(world, 3) == 0)
            (void)world_mine(world, 0);
    }
    world_settle(world, 10 * MINUTE_US);
    for (size_t i = 0; i < 5 && world->is_good; i++) {
        (void)world_mine(world, any_node(world));
        world_settle(world, 5 * MINUTE_US);
    }
}

static void split(struct world *world)
{
    for (size_t i = 0; i < world->nodes_n; i++)
        sim_net_set_group(world->net, world->nodes[i]->host,
                          i < 2 ? (int)i : (int)world_chance(world, 2));
}

static void heal(struct world *world)
{
    for (size_t i = 0; i < world->nodes_n; i++)
        sim_net_set_group(world->net, world->nodes[i]->host, 0);
}

/* Two halves mine for themselves, now and then at the same time; then they meet. */
void story_partition(struct world *world)
{
    world_open(world);
    add_nodes(world, 3 + (size_t)world_chance(world, 5));
    start_all(world);
    world_mine_many(world, 0, 5 + (size_t)world_chance(world, 20));
    world_settle(world, 10 * MINUTE_US);
    for (int round = 0; round < 3 && world->is_good; round++) {
        size_t blocks_n = 1 + (size_t)world_chance(world, 30);

        split(world);
        for (size_t i = 0; i < blocks_n && world->is_good; i++) {
            (void)world_mine(world, any_node(world));
            world_run(world, world_chance(world, 20 * SECOND_US));
        }
        world_check(world);
        heal(world);
        (void)world_mine(world, any_node(world));
        world_run(world, world_chance(world, MINUTE_US));
        (void)world_mine_best(world);
        world_settle(world, 10 * MINUTE_US);
    }
}

static size_t fullest_pool(const struct world *world)
{
    size_t fullest = 0;

    for (size_t i = 1; i < world->nodes_n; i++)
        if (sim_node_pool_n(world->nodes[i]) > sim_node_pool_n(world->nodes[fullest]))
            fullest = i;
    return fullest;
}

/* All that is in a mempool gets into blocks. Who has it mines: what came back out of a
 * block is told to nobody again but by the wallet it is from. */
static void mine_until_empty(struct world *world)
{
    for (int i = 0; i < 20 && world->is_good; i++) {
        size_t fullest = fullest_pool(world);

        if (sim_node_pool_n(world->nodes[fullest]) == 0)
            return;
        world_run(world, MINUTE_US);
        (void)world_mine(world, fullest);
        world_settle(world, 10 * MINUTE_US);
    }
    world_holds(world, false, "everything paid is in a block");
    for (size_t i = 0; i < world->nodes_n; i++)
        printf("    node %zu: %zu transactions wait\n", i, sim_node_pool_n(world->nodes[i]));
}

/* Payments of one half go back into the mempool when the other half's chain wins. */
void story_reorg(struct world *world)
{
    /* Now and then deeper than a coinbase must be. */
    size_t ours = world->seed % 10 == 9 ? 110 : 1 + (size_t)world_chance(world, 12);

    world_open(world);
    add_nodes(world, 2 + (size_t)world_chance(world, 3));
    start_all(world);
    world_mine_many(world, 0, 110 + (size_t)world_chance(world, 20));
    world_settle(world, 10 * MINUTE_US);
    split(world);
    for (size_t i = 0; i < ours && world->is_good; i++) {
        (void)world_pay(world, 0);
        world_run(world, world_chance(world, 10 * SECOND_US));
        (void)world_mine(world, 0);
    }
    world_mine_many(world, 1, ours + 2);
    world_check(world);
    heal(world);
    (void)world_mine_best(world);
    world_settle(world, 10 * MINUTE_US);
    mine_until_empty(world);
}

/* Payments from everywhere, blocks in between. */
void story_storm(struct world *world)
{
    size_t payments_n = 20 + (size_t)world_chance(world, 60);

    world_open(world);
    add_nodes(world, 2 + (size_t)world_chance(world, 4));
    start_all(world);
    world_mine_many(world, 0, 110 + payments_n);
    world_settle(world, 10 * MINUTE_US);
    for (size_t i = 0; i < payments_n && world->is_good; i++) {
        (void)world_pay(world, any_node(world));
        if (world_chance(world, 3) == 0)
            world_run(world, world_chance(world, 3 * SECOND_US));
        if (world_chance(world, 10) == 0)
            (void)world_mine(world, any_node(world));
    }
    world_check(world);
    (void)world_mine_best(world);
    world_settle(world, 10 * MINUTE_US);
    mine_until_empty(world);
}

/* Clocks off by so much that two of them still take each other's blocks. */
static int64_t any_skew_ms(struct world *world)
{
    const int64_t most_ms = 50 * 60 * 1000;

    return (int64_t)world_chance(world, 2 * (uint64_t)most_ms) - most_ms;
}

void story_skew(struct world *world)
{
    world_open(world);
    for (size_t i = 0; i < 4; i++)
        (void)world_add_node(world, any_skew_ms(world));
    world_link_at_random(world);
    start_all(world);
    for (size_t i = 0; i < 30 && world->is_good; i++) {
        (void)world_mine(world, any_node(world));
        world_run(world, world_chance(world, MINUTE_US));
        if (world_chance(world, 5) == 0)
            sim_node_set_skew(world->nodes[any_node(world)], any_skew_ms(world));
    }
    (void)world_mine_best(world);
    world_settle(world, 20 * MINUTE_US);
}

/* Does a running node other than i have the best block? */
static bool is_best_elsewhere(const struct world *world, size_t i)
{
    const struct mined *best = world_best(world);

    for (size_t k = 0; k < world->nodes_n; k++)
        if (k != i && world->nodes[k]->is_up &&
            sim_node_tip(world->nodes[k]).height == best->height)
            return true;
    return false;
}

/* Processes are killed and machines lose power while they sync; each time they are
 * there again a while later. */
void story_crash(struct world *world)
{
    bool is_down[NODES_MAX] = {false};

    world_open(world);
    add_nodes(world, 3 + (size_t)world_chance(world, 3));
    start_all(world);
    world_mine_many(world, 0, 20 + (size_t)world_chance(world, 100));
    for (size_t step = 0; step < 40 && world->is_good; step++) {
        size_t i = any_node(world);

        world_run(world, world_chance(world, 8 * SECOND_US));
        if (is_down[i]) {
            world_start(world, i);
            is_down[i] = false;
        } else if (is_best_elsewhere(world, i)) {
            sim_node_crash(world->nodes[i],
                           world_chance(world, 2) == 0 ? SIM_NODE_KILLED : SIM_NODE_POWER_OFF);
            is_down[i] = true;
            world_totals.crashes++;
        } else if (world_chance(world, 2) == 0) {
            (void)world_mine(world, i);
        } else {
            (void)world_pay(world, i);
        }
        world_check(world);
    }
    for (size_t i = 0; i < world->nodes_n && world->is_good; i++)
        if (is_down[i])
            world_start(world, i);
    (void)world_mine_best(world);
    world_settle(world, 20 * MINUTE_US);
}

/* Nobody is told whom to call but a name, behind which one node is: they find each other,
 * and go on when that one is gone. */
void story_find(struct world *world)
{
    size_t nodes_n = 4 + (size_t)world_chance(world, 8);

    world_open(world);
    for (size_t i = 0; i < nodes_n; i++)
        world_add_node(world, 0)->seed_name = i == 0 ? NULL : "seed.sim";
    sim_net_add_name(world->net, "seed.sim", world->nodes[0]->ip4);
    for (size_t i = 0; i < nodes_n && world->is_good; i++) {
        world_start(world, i);
        world_run(world, world_chance(world, MINUTE_US));
    }
    world_mine_many(world, 0, 1 + (size_t)world_chance(world, 50));
    world_settle(world, 30 * MINUTE_US);
    world_run(world, 30 * MINUTE_US);
    world_check(world);
    for (size_t i = 1; i < nodes_n; i++)
        world_holds(world, sim_node_peers_n(world->nodes[i]) >= 2, "everybody knows others");
    sim_node_crash(world->nodes[0], SIM_NODE_POWER_OFF);
    world_run(world, 5 * MINUTE_US);
    (void)world_mine(world, 1);
    world_settle(world, 60 * MINUTE_US);
}
