#include "mempool/naive_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "mempool/graph.h"

/* --- One cluster --------------------------------------------------------------------- */

/* The best closed set of what is left, of those as few nodes as can be. */
static uint64_t best_closed_set(const struct fee_size *nodes, const uint64_t *ancestors, uint32_t n,
                                uint64_t left, struct fee_size *ret_sum)
{
    uint64_t best = 0;

    for (uint64_t set = 1; set < UINT64_C(1) << n; set++) {
        struct fee_size sum = {0};
        bool is_closed = (set & ~left) == 0;
        int order;

        for (uint32_t i = 0; i < n && is_closed; i++) {
            if (!(set >> i & 1))
                continue;
            is_closed = (ancestors[i] & left & ~set) == 0;
            sum = fee_size_add(sum, nodes[i]);
        }
        if (!is_closed)
            continue;
        order = best == 0 ? 1 : fee_size_compare(sum, *ret_sum);
        if (order > 0 || (order == 0 && __builtin_popcountll(set) < __builtin_popcountll(best))) {
            best = set;
            *ret_sum = sum;
        }
    }
    return best;
}

size_t naive_best_chunks(struct fee_size *ret_chunks, const struct fee_size *nodes,
                         const uint64_t *ancestors, uint32_t n)
{
    uint64_t left = (UINT64_C(1) << n) - 1;
    size_t chunks_n = 0;

    while (left != 0)
        left &= ~best_closed_set(nodes, ancestors, n, left, &ret_chunks[chunks_n++]);
    return chunks_n;
}

/* --- The model ----------------------------------------------------------------------- */

struct model_node {
    int64_t fee_sat;
    int32_t size;
    uint32_t name;   /* The user's order. */
    uint32_t number; /* In the real graph. */
};

struct model_level {
    bool has[NAIVE_NODES];
    bool needs[NAIVE_NODES][NAIVE_NODES]; /* [a][b]: a depends on b, or is it. */
};

struct model {
    struct graph *graph;
    struct graph_options options;
    struct model_node nodes[NAIVE_NODES];
    struct model_level levels[2];
    bool is_staged;
    uint32_t next_name;
    const uint8_t *data;
    size_t left;
};

static struct model_level *top(struct model *model)
{
    return &model->levels[model->is_staged];
}

static bool is_known(const struct model *model, int i)
{
    return model->levels[0].has[i] || (model->is_staged && model->levels[1].has[i]);
}

/* Everything connected with i, as a set of model nodes. */
static uint64_t component(const struct model_level *level, int i)
{
    uint64_t set = UINT64_C(1) << i;
    uint64_t before;

    do {
        before = set;
        for (int a = 0; a < NAIVE_NODES; a++)
            for (int b = 0; b < NAIVE_NODES; b++)
                if (level->has[a] && level->has[b] && level->needs[a][b] &&
                    (set >> a & 1) != (set >> b & 1))
                    set |= UINT64_C(1) << a | UINT64_C(1) << b;
    } while (set != before);
    return set;
}

static bool component_fits(const struct model *model, uint64_t set)
{
    uint64_t size = 0;

    for (int i = 0; i < NAIVE_NODES; i++)
        if (set >> i & 1)
            size += (uint64_t)model->nodes[i].size;
    return (uint32_t)__builtin_popcountll(set) <= model->options.cluster_nodes_max &&
           size <= model->options.cluster_size_max;
}

static bool level_fits(const struct model *model, const struct model_level *level)
{
    for (int i = 0; i < NAIVE_NODES; i++)
        if (level->has[i] && !component_fits(model, component(level, i)))
            return false;
    return true;
}

static size_t component_chunks(const struct model *model, const struct model_level *level,
                               uint64_t set, struct fee_size *ret_chunks)
{
    struct fee_size nodes[NAIVE_NODES];
    uint64_t ancestors[NAIVE_NODES];
    int members[NAIVE_NODES];
    uint32_t n = 0;
    size_t chunks_n;

    for (int i = 0; i < NAIVE_NODES; i++)
        if (set >> i & 1)
            members[n++] = i;
    for (uint32_t a = 0; a < n; a++) {
        nodes[a] = (struct fee_size){.fee_sat = model->nodes[members[a]].fee_sat,
                                     .size = model->nodes[members[a]].size};
        ancestors[a] = 0;
        for (uint32_t b = 0; b < n; b++)
            if (level->needs[members[a]][members[b]])
                ancestors[a] |= UINT64_C(1) << b;
    }
    chunks_n = naive_best_chunks(ret_chunks, nodes, ancestors, n);
    diagram_sort(ret_chunks, chunks_n);
    return chunks_n;
}

/* --- Comparing ----------------------------------------------------------------------- */

static int model_of(const struct model *model, uint32_t number)
{
    const struct model_node *node = graph_user(model->graph, number);

    CHECK(node->number == number);
    return (int)(node - model->nodes);
}

/* The graph's answer as a set, which must be in an order that respects dependencies. */
static uint64_t answer_set(const struct model *model, const struct model_level *level,
                           const uint32_t *numbers, size_t n)
{
    uint64_t set = 0;

    for (size_t k = 0; k < n; k++) {
        int i = model_of(model, numbers[k]);

        CHECK(!(set >> i & 1));
        for (size_t later = k + 1; later < n; later++)
            CHECK(!level->needs[i][model_of(model, numbers[later])]);
        set |= UINT64_C(1) << i;
    }
    return set;
}

static void compare_sum(const struct model *model, struct graph_sum sum, uint64_t set)
{
    CHECK(sum.nodes_n == (uint32_t)__builtin_popcountll(set));
    for (int i = 0; i < NAIVE_NODES; i++) {
        if (set >> i & 1) {
            sum.total.fee_sat -= model->nodes[i].fee_sat;
            sum.total.size -= model->nodes[i].size;
        }
    }
    CHECK(sum.total.fee_sat == 0 && sum.total.size == 0);
}

static void compare_node(struct model *model, const struct model_level *level,
                         enum graph_level which, int i)
{
    struct graph *graph = model->graph;
    uint32_t number = model->nodes[i].number;
    uint32_t numbers[GRAPH_CLUSTER_MAX];
    uint64_t above = 0;
    uint64_t below = 0;
    size_t n;

    for (int other = 0; other < NAIVE_NODES; other++) {
        if (!level->has[other])
            continue;
        above |= (uint64_t)level->needs[i][other] << other;
        below |= (uint64_t)level->needs[other][i] << other;
    }
    n = graph_ancestors(graph, which, number, numbers);
    CHECK(answer_set(model, level, numbers, n) == above);
    n = graph_descendants(graph, which, number, numbers);
    CHECK(answer_set(model, level, numbers, n) == below);
    compare_sum(model, graph_ancestors_sum(graph, which, number), above);
    compare_sum(model, graph_descendants_sum(graph, which, number), below);
    n = graph_cluster(graph, which, number, numbers);
    CHECK(answer_set(model, level, numbers, n) == component(level, i));
    compare_sum(model, graph_cluster_sum(graph, which, number), component(level, i));
}

static void compare_unions(struct model *model, const struct model_level *level,
                           enum graph_level which)
{
    uint32_t asked[NAIVE_NODES];
    size_t asked_n = 0;
    const uint32_t *numbers;
    uint64_t above = 0;
    uint64_t below = 0;
    uint64_t seen = 0;
    size_t clusters_n = 0;
    size_t n;

    for (int i = (int)(model->left % 3); i < NAIVE_NODES; i += 3) {
        if (!is_known(model, i))
            continue;
        asked[asked_n++] = model->nodes[i].number;
        if (!level->has[i])
            continue;
        clusters_n += !(seen >> i & 1);
        seen |= component(level, i);
        for (int other = 0; other < NAIVE_NODES; other++) {
            above |= (uint64_t)(level->has[other] && level->needs[i][other]) << other;
            below |= (uint64_t)(level->has[other] && level->needs[other][i]) << other;
        }
    }
    n = graph_ancestors_of(model->graph, which, asked, asked_n, &numbers);
    CHECK(answer_set(model, level, numbers, n) == above);
    n = graph_descendants_of(model->graph, which, asked, asked_n, &numbers);
    CHECK(answer_set(model, level, numbers, n) == below);
    CHECK(graph_count_clusters(model->graph, which, asked, asked_n) == clusters_n);
}

/* Walks all chunks: they must fall, be the best there are, and agree with graph_compare. */
static void compare_order(struct model *model)
{
    const struct model_level *level = &model->levels[0];
    struct fee_size want[NAIVE_NODES];
    struct fee_size got[NAIVE_NODES];
    uint32_t order[NAIVE_NODES];
    size_t want_n = 0;
    size_t got_n = 0;
    size_t order_n = 0;
    uint64_t seen = 0;
    struct graph_walk walk;
    struct graph_chunk chunk;
    struct graph_chunk worst = {0};

    for (int i = 0; i < NAIVE_NODES; i++) {
        uint64_t set;

        if (!level->has[i] || (seen >> i & 1))
            continue;
        set = component(level, i);
        seen |= set;
        want_n += component_chunks(model, level, set, want + want_n);
    }
    diagram_sort(want, want_n);
    graph_walk_begin(model->graph, &walk);
    while (graph_walk_next(&walk, &chunk)) {
        got[got_n++] = chunk.total;
        for (size_t k = 0; k < chunk.nodes_n; k++) {
            struct fee_size of = graph_chunk_of(model->graph, chunk.nodes[k]);

            CHECK(of.fee_sat == chunk.total.fee_sat && of.size == chunk.total.size);
            order[order_n++] = chunk.nodes[k];
        }
        worst = chunk;
    }
    CHECK(got_n == want_n);
    for (size_t k = 1; k < got_n; k++)
        CHECK(fee_size_compare(got[k - 1], got[k]) >= 0);
    diagram_sort(got, got_n);
    CHECK(got_n == 0 || memcmp(got, want, got_n * sizeof(*got)) == 0);
    CHECK(answer_set(model, level, order, order_n) == seen);
    for (size_t k = 1; k < order_n; k++) {
        CHECK(graph_compare(model->graph, order[k - 1], order[k]) < 0);
        CHECK(graph_compare(model->graph, order[k], order[k - 1]) > 0);
    }
    CHECK(graph_worst(model->graph, &chunk) == (got_n > 0));
    CHECK(got_n == 0 || (chunk.nodes == worst.nodes && chunk.nodes_n == worst.nodes_n));
    CHECK(graph_is_optimal(model->graph));
}

static void compare_level(struct model *model, int which)
{
    const struct model_level *level = &model->levels[which];
    enum graph_level name = which == 0 ? GRAPH_MAIN : GRAPH_TOP;
    bool fits = level_fits(model, level);
    uint32_t n = 0;

    CHECK(graph_fits(model->graph, name) == fits);
    for (int i = 0; i < NAIVE_NODES; i++) {
        n += level->has[i];
        if (!is_known(model, i))
            continue;
        CHECK(graph_exists(model->graph, name, model->nodes[i].number) == level->has[i]);
        if (fits && level->has[i])
            compare_node(model, level, name, i);
    }
    CHECK(graph_count(model->graph, name) == n);
    if (!fits)
        return;
    compare_unions(model, level, name);
    if (which == 0)
        compare_order(model);
}

/* What the levels do not have in common. */
static size_t changed_chunks(const struct model *model, int which, struct fee_size *ret_chunks)
{
    const struct model_level *level = &model->levels[which];
    const struct model_level *other = &model->levels[!which];
    uint64_t seen = 0;
    size_t n = 0;

    for (int i = 0; i < NAIVE_NODES; i++) {
        uint64_t set;
        bool is_same = true;

        if (!level->has[i] || (seen >> i & 1))
            continue;
        set = component(level, i);
        seen |= set;
        for (int a = 0; a < NAIVE_NODES; a++) {
            if (!(set >> a & 1))
                continue;
            is_same &= other->has[a] && component(other, a) == set &&
                       memcmp(level->needs[a], other->needs[a], sizeof(level->needs[a])) == 0;
        }
        if (!is_same)
            n += component_chunks(model, level, set, ret_chunks + n);
    }
    return n;
}

/* The graph may report clusters it touched and left as they were, but then on both sides. */
static void compare_diagrams(struct model *model)
{
    struct fee_size left[2 * NAIVE_NODES];
    struct fee_size right[2 * NAIVE_NODES];
    struct graph_diagrams got;
    size_t left_n;
    size_t right_n;

    if (!model->is_staged || !level_fits(model, &model->levels[1]))
        return;
    graph_diagrams(model->graph, &got);
    CHECK(got.main_n <= NAIVE_NODES && got.staged_n <= NAIVE_NODES);
    left_n = changed_chunks(model, 1, left);
    right_n = changed_chunks(model, 0, right);
    for (size_t i = 0; i < got.main_n; i++)
        left[left_n++] = got.main[i];
    for (size_t i = 0; i < got.staged_n; i++)
        right[right_n++] = got.staged[i];
    diagram_sort(left, left_n);
    diagram_sort(right, right_n);
    CHECK(left_n == right_n);
    CHECK(left_n == 0 || memcmp(left, right, left_n * sizeof(*left)) == 0);
}

/* --- Playing ------------------------------------------------------------------------- */

static uint8_t next_byte(struct model *model)
{
    if (model->left == 0)
        return 0;
    model->left--;
    return *model->data++;
}

/* Some node of the top level, or -1. */
static int pick(struct model *model)
{
    int start = next_byte(model) % NAIVE_NODES;

    for (int k = 0; k < NAIVE_NODES; k++)
        if (top(model)->has[(start + k) % NAIVE_NODES])
            return (start + k) % NAIVE_NODES;
    return -1;
}

static void play_link(struct model *model, int parent, int child)
{
    struct model_level *level = top(model);

    if (parent < 0 || child < 0 || level->needs[parent][child])
        return;
    graph_link(model->graph, model->nodes[parent].number, model->nodes[child].number);
    for (int below = 0; below < NAIVE_NODES; below++)
        for (int above = 0; above < NAIVE_NODES; above++)
            if (level->has[below] && level->has[above] && level->needs[below][child] &&
                level->needs[parent][above])
                level->needs[below][above] = true;
}

static void play_add(struct model *model)
{
    int parents_n = next_byte(model) % 4;
    int i = 0;

    while (i < NAIVE_NODES && is_known(model, i))
        i++;
    if (i == NAIVE_NODES)
        return;
    model->nodes[i].fee_sat = (int8_t)next_byte(model) / 2 + 40;
    model->nodes[i].size = 1 + next_byte(model) % 12;
    /* Not in the order in which they come. */
    model->nodes[i].name = (model->next_name++ * 37) & 0xffff;
    model->nodes[i].number =
        graph_add(model->graph, model->nodes[i].fee_sat, model->nodes[i].size, &model->nodes[i]);
    for (int level = 0; level < 2; level++) {
        memset(model->levels[level].needs[i], 0, sizeof(model->levels[level].needs[i]));
        for (int other = 0; other < NAIVE_NODES; other++)
            model->levels[level].needs[other][i] = false;
    }
    top(model)->has[i] = true;
    top(model)->needs[i][i] = true;
    while (parents_n-- > 0) {
        int parent = pick(model);

        if (parent != i)
            play_link(model, parent, i);
    }
}

static void play_remove_one(struct model *model, int i)
{
    struct model_level *level = top(model);

    graph_remove(model->graph, model->nodes[i].number);
    level->has[i] = false;
    for (int other = 0; other < NAIVE_NODES; other++) {
        level->needs[i][other] = false;
        level->needs[other][i] = false;
    }
}

static void play_remove(struct model *model, bool with_descendants)
{
    int i = pick(model);
    bool goes[NAIVE_NODES];

    if (i < 0)
        return;
    /* What waits for room is forgotten with its end: only whole branches go then. */
    with_descendants |= !level_fits(model, top(model));
    for (int other = 0; other < NAIVE_NODES; other++)
        goes[other] = top(model)->has[other] &&
                      (other == i || (with_descendants && top(model)->needs[other][i]));
    for (int other = 0; other < NAIVE_NODES; other++)
        if (goes[other])
            play_remove_one(model, other);
}

static void play_set_fee(struct model *model)
{
    int i = pick(model);

    if (i < 0)
        return;
    model->nodes[i].fee_sat = (int8_t)next_byte(model);
    graph_set_fee(model->graph, model->nodes[i].number, model->nodes[i].fee_sat);
}

static void play_trim(struct model *model)
{
    const struct model_level *level = top(model);
    bool fits = level_fits(model, level);
    bool goes[NAIVE_NODES] = {false};
    const uint32_t *numbers;
    size_t n = graph_trim(model->graph, &numbers);

    CHECK((n == 0) == fits);
    for (size_t k = 0; k < n; k++)
        goes[model_of(model, numbers[k])] = true;
    for (int i = 0; i < NAIVE_NODES; i++) {
        if (!goes[i])
            continue;
        CHECK(level->has[i]);
        CHECK(!component_fits(model, component(level, i))); /* Nobody else is touched. */
        for (int other = 0; other < NAIVE_NODES; other++)
            CHECK(!level->has[other] || !level->needs[other][i] || goes[other]);
    }
    for (int i = 0; i < NAIVE_NODES; i++)
        if (goes[i])
            play_remove_one(model, i);
    CHECK(level_fits(model, level));
}

static void play_stage(struct model *model)
{
    if (model->is_staged || !level_fits(model, &model->levels[0]))
        return;
    graph_stage(model->graph);
    model->levels[1] = model->levels[0];
    model->is_staged = true;
}

static void play_end_stage(struct model *model, bool is_commit)
{
    if (!model->is_staged)
        return;
    if (is_commit) {
        graph_commit(model->graph);
        model->levels[0] = model->levels[1];
    } else {
        graph_abort(model->graph);
    }
    model->is_staged = false;
}

static void play_one(struct model *model)
{
    uint8_t order = next_byte(model);

    switch (order % 16) {
    case 0:
        play_stage(model);
        break;
    case 1:
        play_end_stage(model, true);
        break;
    case 2:
        play_end_stage(model, false);
        break;
    case 3:
        play_remove(model, true);
        break;
    case 4:
        play_remove(model, false);
        break;
    case 5:
        play_set_fee(model);
        break;
    case 6:
        play_trim(model);
        break;
    case 7:
    case 8: {
        int parent = pick(model);

        play_link(model, parent, pick(model));
        break;
    }
    default:
        play_add(model);
        break;
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct model_node *left = a;
    const struct model_node *right = b;

    return (left->name > right->name) - (left->name < right->name);
}

void naive_graph_play(const uint8_t *data, size_t len)
{
    static struct model model;

    memset(&model, 0, sizeof(model));
    model.data = data;
    model.left = len;
    model.options.cluster_nodes_max = 2 + next_byte(&model) % 9;
    model.options.cluster_size_max = 10 + next_byte(&model) % 64;
    model.options.compare = compare_names;
    model.options.seed = next_byte(&model);
    model.graph = graph_new(&model.options);
    while (model.left > 0) {
        uint8_t quiet;

        play_one(&model);
        /* Several orders between two looks, too: looking settles what was put off. */
        quiet = model.left > 0 ? *model.data : 0;
        if (quiet >= 200)
            continue;
        compare_diagrams(&model);
        graph_check(model.graph);
        compare_level(&model, 0);
        if (model.is_staged)
            compare_level(&model, 1);
        graph_check(model.graph);
    }
    graph_free(model.graph);
}
