#include "mempool/linearize.h"

#include <string.h>

#include "base/check.h"

__extension__ typedef __int128 wide;

struct work {
    const struct linearize_task *task;
    struct linearization *result;
    uint32_t done;                  /* Nodes in the result's order. */
    wide worth[LINEARIZE_MAX];      /* What a payer still has, or (< 0) an ancestor lacks. */
    uint64_t payers[LINEARIZE_MAX]; /* Who pays for an ancestor ... */
    wide paid[LINEARIZE_MAX][LINEARIZE_MAX]; /* ... and how much: [ancestor][payer]. */
};

static uint32_t lowest(uint64_t set)
{
    return (uint32_t)__builtin_ctzll(set);
}

static uint64_t bit(uint32_t i)
{
    return UINT64_C(1) << i;
}

static struct fee_size sum_of(const struct linearize_task *task, uint64_t set)
{
    struct fee_size sum = {0};

    for (; set != 0; set &= set - 1)
        sum = fee_size_add(sum, task->nodes[lowest(set)]);
    return sum;
}

/* --- One flow ------------------------------------------------------------------------ */

/* Payer gives ancestor what the one has and the other lacks. */
static void pay(struct work *w, uint32_t payer, uint32_t ancestor, wide amount)
{
    if (!(w->payers[ancestor] & bit(payer))) {
        w->payers[ancestor] |= bit(payer);
        w->paid[ancestor][payer] = 0;
    }
    w->paid[ancestor][payer] += amount;
}

static void take_back(struct work *w, uint32_t payer, uint32_t ancestor, wide amount)
{
    w->paid[ancestor][payer] -= amount;
    if (w->paid[ancestor][payer] == 0)
        w->payers[ancestor] &= ~bit(payer);
}

/* The search for a way to spend: money of a rich payer reaches all its ancestors; money that
 * reaches an ancestor may replace what another pays for it, who then has it to spend. */
struct search {
    uint64_t reached;
    uint8_t giver[LINEARIZE_MAX]; /* Of an ancestor: the payer from whom it was reached. */
    uint8_t freed[LINEARIZE_MAX]; /* Of a payer: the ancestor it no longer pays; itself: rich. */
};

/* Returns a poor ancestor that was reached, or LINEARIZE_MAX: none can be. */
static uint32_t search_run(struct work *w, struct search *search, uint64_t piece, uint64_t rich,
                           uint64_t poor)
{
    uint8_t queue[LINEARIZE_MAX];
    uint32_t head = 0;
    uint32_t tail = 0;

    search->reached = rich;
    for (uint64_t set = rich; set != 0; set &= set - 1) {
        queue[tail++] = (uint8_t)lowest(set);
        search->freed[lowest(set)] = (uint8_t)lowest(set);
    }
    while (head < tail) {
        uint32_t from = queue[head++];
        uint64_t found = w->task->ancestors[from] & piece & ~search->reached;
        uint64_t set;

        w->result->steps++;
        search->reached |= found;
        for (set = found; set != 0; set &= set - 1)
            search->giver[lowest(set)] = (uint8_t)from;
        if (found & poor)
            return lowest(found & poor);
        /* An ancestor that pays others itself gives no new ways: its ancestors are from's. */
        for (; found != 0; found &= found - 1) {
            uint32_t ancestor = lowest(found);

            for (set = w->payers[ancestor] & ~search->reached; set != 0; set &= set - 1) {
                queue[tail++] = (uint8_t)lowest(set);
                search->freed[lowest(set)] = (uint8_t)ancestor;
                search->reached |= bit(lowest(set));
            }
        }
    }
    return LINEARIZE_MAX;
}

/* Sends as much as the way to this poor ancestor carries. */
static void search_spend(struct work *w, const struct search *search, uint32_t poor)
{
    wide amount = -w->worth[poor];
    uint32_t ancestor = poor;
    uint32_t payer;

    for (;;) {
        payer = search->giver[ancestor];
        if (search->freed[payer] == payer)
            break;
        ancestor = search->freed[payer];
        amount = MIN(amount, w->paid[ancestor][payer]);
    }
    amount = MIN(amount, w->worth[payer]);
    w->worth[poor] += amount;
    w->worth[payer] -= amount;
    for (ancestor = poor;;) {
        payer = search->giver[ancestor];
        pay(w, payer, ancestor, amount);
        if (search->freed[payer] == payer)
            return;
        ancestor = search->freed[payer];
        take_back(w, payer, ancestor, amount);
    }
}

/* Sets the worths for a piece of this feerate, and pays what can be paid at once. */
static void flow_begin(struct work *w, uint64_t piece, struct fee_size rate)
{
    uint64_t set;

    for (set = piece; set != 0; set &= set - 1) {
        uint32_t i = lowest(set);
        const struct fee_size *node = &w->task->nodes[i];

        w->worth[i] = (wide)node->fee_sat * rate.size - (wide)rate.fee_sat * node->size;
        w->payers[i] = 0;
    }
    for (set = piece; set != 0; set &= set - 1) {
        uint32_t payer = lowest(set);
        uint64_t others = w->task->ancestors[payer] & piece;

        for (; others != 0 && w->worth[payer] > 0; others &= others - 1) {
            uint32_t ancestor = lowest(others);
            wide amount = MIN(w->worth[payer], -w->worth[ancestor]);

            if (amount <= 0)
                continue;
            w->worth[payer] -= amount;
            w->worth[ancestor] += amount;
            pay(w, payer, ancestor, amount);
        }
    }
}

/* The smallest closed part of the piece that is worth most; 0: none is worth more than
 * nothing. False: the budget ran out. */
static bool flow_cut(struct work *w, uint64_t *ret_part, uint64_t piece)
{
    struct search search;
    uint64_t rich = 0;
    uint64_t poor = 0;

    flow_begin(w, piece, sum_of(w->task, piece));
    for (uint64_t set = piece; set != 0; set &= set - 1) {
        uint32_t i = lowest(set);

        if (w->worth[i] > 0)
            rich |= bit(i);
        if (w->worth[i] < 0)
            poor |= bit(i);
    }
    while (rich != 0) {
        uint32_t found = search_run(w, &search, piece, rich, poor);

        if (found == LINEARIZE_MAX) {
            *ret_part = search.reached;
            return true;
        }
        if (w->result->steps > w->task->budget)
            return false;
        search_spend(w, &search, found);
        for (uint64_t set = rich; set != 0; set &= set - 1)
            if (w->worth[lowest(set)] == 0)
                rich &= ~bit(lowest(set));
        if (w->worth[found] == 0)
            poor &= ~bit(found);
    }
    *ret_part = 0;
    return true;
}

/* --- Writing chunks ------------------------------------------------------------------ */

static bool node_is_better(const struct linearize_task *task, uint32_t a, uint32_t b)
{
    int order = fee_size_compare(task->nodes[a], task->nodes[b]);

    if (order != 0)
        return order > 0;
    if (task->nodes[a].size != task->nodes[b].size)
        return task->nodes[a].size < task->nodes[b].size;
    return task->compare(task->context, a, b) < 0;
}

static void write_chunk(struct work *w, uint64_t chunk)
{
    uint64_t left = chunk;

    while (left != 0) {
        uint32_t best = LINEARIZE_MAX;

        for (uint64_t set = left; set != 0; set &= set - 1) {
            uint32_t i = lowest(set);

            if ((w->task->ancestors[i] & left) != bit(i))
                continue;
            if (best == LINEARIZE_MAX || node_is_better(w->task, i, best))
                best = i;
        }
        CHECK(best != LINEARIZE_MAX); /* Dependencies have no circles. */
        w->result->order[w->done++] = (uint8_t)best;
        left &= ~bit(best);
    }
    w->result->ends |= bit(w->done - 1);
}

struct chunk_key {
    uint64_t nodes;
    int64_t size;
    uint32_t greatest;
};

static struct chunk_key chunk_key(const struct linearize_task *task, uint64_t chunk)
{
    struct chunk_key key = {
        .nodes = chunk, .size = sum_of(task, chunk).size, .greatest = lowest(chunk)};

    for (uint64_t set = chunk & (chunk - 1); set != 0; set &= set - 1)
        if (task->compare(task->context, lowest(set), key.greatest) > 0)
            key.greatest = lowest(set);
    return key;
}

/* Chunks of one feerate: each is written once all it needs is. needs[i]: everything that the
 * chunk of node i cannot do without. */
static void write_equal_chunks(struct work *w, uint64_t piece, struct chunk_key *keys, uint32_t n,
                               const uint64_t *needs)
{
    uint64_t left = piece;

    while (n > 0) {
        uint32_t best = n;

        for (uint32_t k = 0; k < n; k++) {
            if ((needs[lowest(keys[k].nodes)] & left & ~keys[k].nodes) != 0)
                continue;
            if (best == n || keys[k].size < keys[best].size ||
                (keys[k].size == keys[best].size &&
                 w->task->compare(w->task->context, keys[k].greatest, keys[best].greatest) < 0))
                best = k;
        }
        CHECK(best < n);
        write_chunk(w, keys[best].nodes);
        left &= ~keys[best].nodes;
        keys[best] = keys[--n];
    }
}

/* A piece that nothing in it beats: cut along the strong components of its flow. */
static void write_level_piece(struct work *w, uint64_t piece)
{
    uint64_t reach[LINEARIZE_MAX];
    struct chunk_key keys[LINEARIZE_MAX];
    uint32_t keys_n = 0;
    uint64_t set;

    for (set = piece; set != 0; set &= set - 1)
        reach[lowest(set)] = (w->task->ancestors[lowest(set)] & piece) | w->payers[lowest(set)];
    for (uint64_t by = piece; by != 0; by &= by - 1)
        for (set = piece; set != 0; set &= set - 1)
            if (reach[lowest(set)] & bit(lowest(by)))
                reach[lowest(set)] |= reach[lowest(by)];
    w->result->steps += (uint64_t)__builtin_popcountll(piece);
    for (uint64_t left = piece; left != 0;) {
        uint32_t first = lowest(left);
        uint64_t chunk = 0;

        for (set = reach[first] & left; set != 0; set &= set - 1)
            if (reach[lowest(set)] & bit(first))
                chunk |= bit(lowest(set));
        left &= ~chunk;
        if (left == 0 && keys_n == 0) {
            write_chunk(w, chunk);
            return;
        }
        keys[keys_n++] = chunk_key(w->task, chunk);
    }
    write_equal_chunks(w, piece, keys, keys_n, reach);
}

/* --- When the budget is gone --------------------------------------------------------- */

struct group {
    uint64_t nodes;
    struct fee_size sum;
    uint64_t ancestors;
};

/* Of what is left, the node whose ancestors with itself have the best feerate: those. */
static struct group best_ancestors(const struct linearize_task *task, uint64_t left)
{
    struct group best = {0};

    for (uint64_t set = left; set != 0; set &= set - 1) {
        uint64_t nodes = task->ancestors[lowest(set)] & left;
        struct fee_size sum = sum_of(task, nodes);

        if (best.nodes == 0 || fee_size_compare(sum, best.sum) > 0)
            best = (struct group){.nodes = nodes, .sum = sum};
    }
    return best;
}

/* Moves the last group forward past or into worse ones. Every merge is of neighbours one of
 * which needs the other, so that groups stay connected. */
static uint32_t settle_groups(struct group *groups, uint32_t n)
{
    uint32_t i = 1;

    while (i < n) {
        struct group *left = &groups[i - 1];
        struct group *right = &groups[i];

        if (fee_size_compare(left->sum, right->sum) >= 0) {
            i++;
            continue;
        }
        if (right->ancestors & left->nodes) {
            left->nodes |= right->nodes;
            left->ancestors |= right->ancestors;
            left->sum = fee_size_add(left->sum, right->sum);
            n--;
            memmove(right, right + 1, (n - i) * sizeof(*right));
        } else {
            struct group swapped = *left;

            *left = *right;
            *right = swapped;
        }
        if (i > 1)
            i--;
    }
    return n;
}

static void write_unproved_piece(struct work *w, uint64_t piece)
{
    const struct linearize_task *task = w->task;
    struct group groups[LINEARIZE_MAX];
    uint32_t n = 0;

    for (uint64_t left = piece; left != 0;) {
        uint64_t nodes = best_ancestors(task, left).nodes;

        left &= ~nodes;
        /* One by one in an order that respects dependencies; settling merges them. */
        while (nodes != 0) {
            uint64_t ready = 0;

            for (uint64_t set = nodes; set != 0; set &= set - 1)
                if ((task->ancestors[lowest(set)] & nodes) == bit(lowest(set)))
                    ready |= bit(lowest(set));
            CHECK(ready != 0);
            for (uint64_t set = ready; set != 0; set &= set - 1)
                groups[n++] = (struct group){.nodes = bit(lowest(set)),
                                             .sum = task->nodes[lowest(set)],
                                             .ancestors = task->ancestors[lowest(set)]};
            nodes &= ~ready;
        }
    }
    n = settle_groups(groups, n);
    for (uint32_t k = 0; k < n; k++)
        write_chunk(w, groups[k].nodes);
    w->result->is_optimal = false;
}

/* ------------------------------------------------------------------------------------- */

void linearize(const struct linearize_task *task, struct linearization *ret)
{
    struct work w;                  /* Not cleared: large, and each flow sets what it uses. */
    uint64_t pieces[LINEARIZE_MAX]; /* To be done, the next one last; they are disjoint. */
    uint32_t pieces_n = 1;

    CHECK(task->n >= 1 && task->n <= LINEARIZE_MAX);
    w.task = task;
    w.result = ret;
    w.done = 0;
    ret->ends = 0;
    ret->steps = 0;
    ret->is_optimal = true;
    pieces[0] = UINT64_MAX >> (LINEARIZE_MAX - task->n);
    while (pieces_n > 0) {
        uint64_t piece = pieces[--pieces_n];
        uint64_t part;

        if ((piece & (piece - 1)) == 0) {
            write_chunk(&w, piece);
        } else if (!flow_cut(&w, &part, piece)) {
            write_unproved_piece(&w, piece);
        } else if (part == 0) {
            write_level_piece(&w, piece);
        } else {
            pieces[pieces_n++] = piece & ~part;
            pieces[pieces_n++] = part;
        }
    }
    CHECK(w.done == task->n);
}
