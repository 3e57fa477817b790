/* Which chain is best: candidates, links between blocks whose bytes are here, and
 * the marks that verdicts leave. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

void node_list_add(struct node_list *list, struct header_node *node)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = realloc_array(list->items, list->capacity, sizeof(struct header_node *));
    }
    list->items[list->n++] = node;
}

void node_list_clear(struct node_list *list)
{
    free(list->items);
    *list = (struct node_list){0};
}

void chain_touch(struct chain *chain, struct header_node *node)
{
    if (node->is_touched || node->index >= chain->indexed_n)
        return;
    node->is_touched = true;
    node_list_add(&chain->changed, node);
}

static bool is_linked(const struct header_node *node)
{
    return atomic_load_explicit(&node->chain_tx_n, memory_order_relaxed) != 0;
}

/* Equal work: what was there first. */
static bool is_better(const struct header_node *a, const struct header_node *b)
{
    int order = header_work_compare(a, b);

    return order != 0 ? order > 0 : a->sequence < b->sequence;
}

/* The base of a snapshot counts as linked, with all before it as it is vouched for. */
static bool link_base(const struct chain *chain, struct header_node *node)
{
    if (node != chain->base)
        return false;
    atomic_store_explicit(&node->chain_tx_n, assumed_params(chain->params, &node->hash)->chain_tx_n,
                          memory_order_release);
    return true;
}

static bool link_node(const struct chain *chain, struct header_node *node)
{
    uint32_t tx_n = atomic_load_explicit(&node->tx_n, memory_order_relaxed);
    uint64_t before = 0;

    if (tx_n == 0 || (node->prev != NULL && !is_linked(node->prev)))
        return link_base(chain, node);
    if (node->prev != NULL)
        before = atomic_load_explicit(&node->prev->chain_tx_n, memory_order_relaxed);
    atomic_store_explicit(&node->chain_tx_n, before + tx_n, memory_order_release);
    return true;
}

static int by_height(const void *a, const void *b)
{
    int32_t x = (*(struct header_node *const *)a)->height;
    int32_t y = (*(struct header_node *const *)b)->height;

    return x < y ? -1 : x > y;
}

static int compare_sequences(int32_t a, int32_t b)
{
    return a < b ? -1 : a > b;
}

/* Among blocks of one height: whose parent came first, then which came first. */
static int by_arrival(const void *a, const void *b)
{
    const struct header_node *x = *(struct header_node *const *)a;
    const struct header_node *y = *(struct header_node *const *)b;
    int order = compare_sequences(x->prev->sequence, y->prev->sequence);

    return order != 0 ? order : compare_sequences(x->sequence, y->sequence);
}

/* Height by height all is linked that can be. A block counts as come when all before
 * it have, whenever its own bytes did. */
static void link_waiting(struct chain *chain)
{
    struct node_list *waiting = &chain->waiting;
    size_t kept = 0;
    size_t end;

    if (waiting->n == 0)
        return;
    qsort(waiting->items, waiting->n, sizeof(struct header_node *), by_height);
    for (size_t from = 0; from < waiting->n; from = end) {
        for (end = from; end < waiting->n; end++) {
            if (waiting->items[end]->height != waiting->items[from]->height)
                break;
        }
        qsort(&waiting->items[from], end - from, sizeof(struct header_node *), by_arrival);
        for (size_t i = from; i < end; i++) {
            struct header_node *node = waiting->items[i];

            /* Forgotten meanwhile, or come twice. */
            if (is_linked(node) || atomic_load_explicit(&node->tx_n, memory_order_relaxed) == 0)
                continue;
            if (!link_node(chain, node)) {
                waiting->items[kept++] = node;
                continue;
            }
            node->sequence = chain->sequence_next++;
            node_list_add(&chain->candidates, node);
        }
    }
    waiting->n = kept;
}

void chain_receive(struct chain *chain, struct header_node *node, uint32_t tx_n,
                   uint32_t size_bytes, uint64_t place, uint32_t marks)
{
    bool was_linked = is_linked(node);

    atomic_store_explicit(&node->block_place, place, memory_order_relaxed);
    atomic_store_explicit(&node->size_bytes, size_bytes, memory_order_relaxed);
    atomic_store_explicit(&node->tx_n, tx_n, memory_order_relaxed);
    header_mark(node, HEADER_DATA | marks);
    chain_touch(chain, node);
    if (was_linked) {
        /* Pruned once: what rests on it may be a candidate again. */
        chain->candidates_stale = true;
        return;
    }
    node->sequence = chain->sequence_next++;
    if (!link_node(chain, node)) {
        node_list_add(&chain->waiting, node);
        return;
    }
    node_list_add(&chain->candidates, node);
    chain->received_n++;
    link_waiting(chain);
}

void chain_link_all(struct chain *chain)
{
    uint32_t count = header_tree_count(chain->tree);

    chain->waiting.n = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct header_node *node = header_tree_at(chain->tree, i);

        if (link_node(chain, node))
            continue;
        atomic_store_explicit(&node->chain_tx_n, 0, memory_order_release);
        if (atomic_load_explicit(&node->tx_n, memory_order_relaxed) != 0)
            node_list_add(&chain->waiting, node);
    }
    chain->candidates_stale = true;
}

/* The bytes on the way from the present chain to node are all here. */
static bool has_way(const struct chain *chain, const struct header_node *node)
{
    const struct header_node *tip = chain->active->verified;
    const struct header_node *fork = tip == NULL ? NULL : header_fork(tip, node);

    for (; node != fork; node = node->prev) {
        if (!header_has(node, HEADER_DATA))
            return false;
    }
    return true;
}

/* While its coins rest on a snapshot the tip does not leave the snapshot's branch. */
static bool may_be_tip(const struct chain *chain, const struct header_node *node)
{
    return !header_is_failed(node) && is_linked(node) &&
           (chain->base == NULL || header_is_ancestor(chain->base, node));
}

static void gather_candidates(struct chain *chain)
{
    uint32_t count = header_tree_count(chain->tree);
    const struct header_node *tip = chain->active->verified;

    chain->candidates.n = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct header_node *node = header_tree_at(chain->tree, i);

        if ((tip == NULL || header_work_compare(node, tip) >= 0) && may_be_tip(chain, node))
            node_list_add(&chain->candidates, node);
    }
    chain->candidates_stale = false;
}

struct header_node *chain_select(struct chain *chain)
{
    struct header_node *tip = chain->active->verified;

    if (chain->candidates_stale || (tip != NULL && header_is_failed(tip)))
        gather_candidates(chain);
    for (;;) {
        struct header_node *best = tip != NULL && !header_is_failed(tip) ? tip : NULL;
        size_t kept = 0;

        for (size_t i = 0; i < chain->candidates.n; i++) {
            struct header_node *node = chain->candidates.items[i];

            if (!may_be_tip(chain, node))
                continue;
            chain->candidates.items[kept++] = node;
            if (best == NULL || is_better(node, best))
                best = node;
        }
        chain->candidates.n = kept;
        if (best == NULL || best == tip || has_way(chain, best))
            return best;
        /* Parts of it were pruned: no candidate until they come again. */
        for (size_t i = 0; i < chain->candidates.n; i++) {
            if (chain->candidates.items[i] == best)
                chain->candidates.items[i] = chain->candidates.items[--chain->candidates.n];
        }
    }
}

void chain_forget_worse(struct chain *chain)
{
    const struct header_node *tip = chain->active->verified;
    size_t kept = 0;

    for (size_t i = 0; tip != NULL && i < chain->candidates.n; i++) {
        struct header_node *node = chain->candidates.items[i];

        if (node != tip && header_work_compare(node, tip) >= 0)
            chain->candidates.items[kept++] = node;
    }
    chain->candidates.n = kept;
}

/* The block's bytes are gone: what rests on it waits for them. */
static void unlink_below(struct chain *chain, struct header_node *root)
{
    bool skip = !is_linked(root);

    atomic_store_explicit(&root->chain_tx_n, 0, memory_order_release);
    for (struct header_node *at = header_tree_below(chain->tree, root, root, skip); at != NULL;
         at = header_tree_below(chain->tree, root, at, skip)) {
        /* A snapshot's base does not rest on what is below it. */
        skip = !is_linked(at) || at == chain->base;
        if (skip)
            continue;
        atomic_store_explicit(&at->chain_tx_n, 0, memory_order_release);
        node_list_add(&chain->waiting, at);
    }
}

void chain_forget_body(struct chain *chain, struct header_node *node)
{
    /* Nothing of it was kept; what was pruned has been good. */
    if (!header_has(node, HEADER_DATA))
        return;
    header_unmark(node, HEADER_DATA | HEADER_CHECKED | HEADER_SPARE);
    atomic_store(&node->tx_n, 0);
    atomic_store(&node->size_bytes, 0);
    chain_touch(chain, node);
    for (size_t i = 0; i < chain->copies_n; i++) {
        struct spare_copy copy = chain->copies[i];

        if (!block_hash_equal(&copy.hash, &node->hash))
            continue;
        chain->copies[i] = chain->copies[--chain->copies_n];
        atomic_store(&node->block_place, copy.place);
        atomic_store(&node->size_bytes, copy.size_bytes);
        atomic_store(&node->tx_n, 1);
        header_mark(node, HEADER_DATA);
        return;
    }
    if (node != chain->base)
        unlink_below(chain, node);
}

void chain_condemn(struct chain *chain, struct header_node *node, const struct finding *finding)
{
    char reason[FINDING_REASON_MAX];

    finding_reason(reason, finding);
    log_warning("validation", "Block validation error: %s%s%s", reason,
                finding->detail[0] == '\0' ? "" : ", ", finding->detail);
    chain->last_finding = *finding;
    chain->last_condemned = node;
    switch (verdict_condemns(finding->verdict)) {
    case ASSAY_CONDEMNS_HEADER:
        log_warning("validation", "InvalidChainFound: invalid block=%s  height=%d",
                    hash_hex(node->hash.b).text, node->height);
        header_tree_fail(chain->tree, node);
        chain_touch(chain, node);
        chain_tell_header(chain);
        chain_note_invalid(chain, node);
        break;
    case ASSAY_CONDEMNS_BODY:
        chain_forget_body(chain, node);
        break;
    case ASSAY_CONDEMNS_NOW:
    case ASSAY_CONDEMNS_NOTHING:
        break;
    }
    chain_tell_rejected(chain, &node->hash, finding);
}
