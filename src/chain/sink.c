/* What peers send, on its way to the chain: a queue that anybody may put into and that
 * the chain thread empties between blocks. */
#include "chain/chain_priv.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

enum offer_kind { OFFER_HEADERS, OFFER_BLOCK, OFFER_TXS };

struct offer {
    enum offer_kind kind;
    struct offer *next;
    void *context;

    struct header *headers; /* Owned. */
    size_t n;               /* Headers or transactions. */
    void (*headers_done)(void *context, const struct headers_answer *answer);

    struct body *body; /* Owned; checked by itself. NULL if that went badly, or it is stored. */
    bool is_requested;
    uint64_t bytes; /* Counted in offers_bytes. */
    struct block_answer answer;
    struct header_node *node; /* Stored: answered when it is connected. */
    bool was_connected;
    void (*block_done)(void *context, const struct block_answer *answer);

    const struct tx_ref **txs; /* Owned, each held. */
    bool is_test;
    void (*txs_done)(void *context, const struct txs_answer *answer);
};

static struct chain *chain_of(struct sink *sink)
{
    return (struct chain *)((char *)sink - offsetof(struct chain, sink));
}

static void offer_free(struct offer *offer)
{
    for (size_t i = 0; offer->txs != NULL && i < offer->n; i++)
        tx_ref_drop(offer->txs[i]);
    free(offer->txs);
    free(offer->headers);
    if (offer->body != NULL)
        body_free(offer->body);
    free(offer);
}

/* --- Bodies kept for the flight --- */

static void drop_kept(struct chain *chain, uint32_t at)
{
    struct body *body = chain->kept[at];

    if (body == NULL)
        return;
    chain->kept_bytes -= body->expected_bytes;
    chain->kept[at] = NULL;
    flight_body_release(chain, body);
}

void chain_keep_body(struct chain *chain, struct body *own_body)
{
    uint32_t at = (uint32_t)own_body->node->height % KEPT_MAX;

    own_body->expected_bytes = body_memory(own_body);
    drop_kept(chain, at);
    if (chain->kept_bytes + own_body->expected_bytes > KEPT_BYTES_MAX) {
        const struct header_node *verified = chain->active->verified;

        /* Those that the chain went past, or went elsewhere. */
        for (uint32_t i = 0; i < KEPT_MAX && verified != NULL; i++) {
            if (chain->kept[i] != NULL && chain->kept[i]->node->height <= verified->height)
                drop_kept(chain, i);
        }
    }
    if (chain->kept_bytes + own_body->expected_bytes > KEPT_BYTES_MAX) {
        flight_body_release(chain, own_body);
        return;
    }
    chain->kept_bytes += own_body->expected_bytes;
    chain->kept[at] = own_body;
}

struct body *chain_kept_body(struct chain *chain, const struct header_node *node)
{
    uint32_t at = (uint32_t)node->height % KEPT_MAX;
    struct body *body = chain->kept[at];

    if (body == NULL || body->node != node)
        return NULL;
    chain->kept[at] = NULL;
    chain->kept_bytes -= body->expected_bytes;
    return body;
}

/* --- Headers --- */

static int take_headers(struct chain *chain, struct offer *offer, struct error *err)
{
    struct headers_answer answer = {.verdict = V_VALID};
    struct header_node *node;

    for (size_t i = 0; i < offer->n; i++) {
        struct submit_result result = {.verdict = V_VALID};
        int rc = chain_accept_header(chain, &node, &result, &offer->headers[i], err);

        if (rc == E_LIMIT) {
            snprintf(answer.reason, sizeof(answer.reason), "%s", "header-tree-full");
            answer.verdict = V_LOW_WORK;
            break;
        }
        if (rc < 0)
            return rc;
        if (result.verdict != V_VALID) {
            answer.verdict = result.verdict;
            snprintf(answer.reason, sizeof(answer.reason), "%.95s", result.reason);
            break;
        }
        answer.accepted_n++;
        answer.new_n += result.is_new ? 1 : 0;
        answer.last = node->hash;
    }
    chain_tell_header(chain);
    offer->headers_done(offer->context, &answer);
    return 0;
}

/* --- Blocks --- */

static void show(struct block_answer *answer)
{
    enum assay_condemns condemns = verdict_condemns(answer->result.verdict);

    answer->is_mutated = condemns == ASSAY_CONDEMNS_BODY;
    answer->is_header_bad = condemns == ASSAY_CONDEMNS_HEADER;
}

/* Is a block that nobody asked for worth keeping? */
static bool is_wanted(const struct chain *chain, const struct header_node *node)
{
    const struct header_node *tip = chain->active->verified;
    struct u256 work = header_work(node);

    return atomic_load(&node->tx_n) == 0 && (tip == NULL || header_work_compare(node, tip) >= 0) &&
           (tip == NULL || node->height <= tip->height + CHAIN_KEEP_BLOCKS) &&
           u256_compare(&work, &chain->options.minimum_chain_work) >= 0;
}

/* Stores the block unless there is a reason not to: then the answer says it. */
static int store_block(struct chain *chain, struct offer *offer, struct error *err)
{
    struct submit_result *result = &offer->answer.result;
    struct body *body = offer->body;
    struct header_node *node;
    int rc = chain_accept_header(chain, &node, result, &body->block.header, err);

    if (rc < 0 || result->verdict != V_VALID) {
        result->is_new = false;
        return rc == E_LIMIT ? 0 : rc;
    }
    if (header_has(node, HEADER_DATA) || (!offer->is_requested && !is_wanted(chain, node))) {
        result->is_new = false;
        result->is_connected =
            chain->active->verified != NULL && header_is_ancestor(node, chain->active->verified);
        return 0;
    }
    offer->was_connected = header_has(node, HEADER_CONNECTED);
    rc = chain_store_body(chain, body, result, err);
    if (rc == 0 && result->verdict == V_VALID) {
        /* What was said of another copy of it does not hold for this one. */
        if (chain->last_condemned == node)
            chain->last_condemned = NULL;
        offer->node = node;
        offer->body = NULL;
        chain_keep_body(chain, body);
    }
    return rc;
}

static void answer_block(struct chain *chain, struct offer *own_offer)
{
    const struct header_node *node = own_offer->node;
    struct submit_result *result = &own_offer->answer.result;

    if (node != NULL && result->verdict == V_VALID) {
        if (chain->last_condemned == node)
            submit_result_show(result, &chain->last_finding);
        else
            result->is_connected =
                (!own_offer->was_connected && header_has(node, HEADER_CONNECTED)) ||
                (chain->active->verified != NULL &&
                 header_is_ancestor(node, chain->active->verified));
        result->is_judged = result->is_judged || result->is_connected;
    }
    show(&own_offer->answer);
    own_offer->block_done(own_offer->context, &own_offer->answer);
    offer_free(own_offer);
}

/* Answered when the chain has gone as far as it goes. Below a snapshot's base it may not
 * for long, and the tip does not depend on it. */
static bool is_awaited(const struct chain *chain, const struct offer *offer)
{
    return offer->node != NULL && !atomic_load(&chain->is_initial) &&
           (chain->base == NULL || offer->node->height > chain->base->height);
}

static int take_block(struct chain *chain, struct offer *own_offer, struct error *err)
{
    int rc = 0;

    atomic_fetch_sub(&chain->offers_bytes, own_offer->bytes);
    if (own_offer->answer.result.verdict == V_VALID)
        rc = store_block(chain, own_offer, err);
    if (!is_awaited(chain, own_offer)) {
        answer_block(chain, own_offer);
        return rc;
    }
    *chain->answers_end = own_offer;
    chain->answers_end = &own_offer->next;
    return rc;
}

void sink_answer(struct chain *chain)
{
    while (chain->answers != NULL) {
        struct offer *offer = chain->answers;

        chain->answers = offer->next;
        if (chain->answers == NULL)
            chain->answers_end = &chain->answers;
        answer_block(chain, offer);
    }
}

/* --- Transactions --- */

static int take_txs(struct chain *chain, struct offer *offer, struct error *err)
{
    const struct chain_guests *guests = chain->guests;
    struct tx_result *results = alloc_array(offer->n, sizeof(*results));
    char package_reason[TX_PACKAGE_REASON_MAX] = "";
    struct txs_answer answer = {
        .results = results, .txs_n = offer->n, .package_reason = package_reason};
    int rc = 0;

    for (size_t i = 0; i < offer->n; i++)
        results[i] = (struct tx_result){.txid = offer->txs[i]->tx.txid,
                                        .wtxid = offer->txs[i]->tx.wtxid,
                                        .outcome = TX_NOT_JUDGED,
                                        .cause = TX_CAUSE_INTERNAL};
    if (guests != NULL && guests->judge_txs != NULL)
        rc = guests->judge_txs(guests->context, results, package_reason, offer->txs, offer->n,
                               offer->is_test, err);
    if (rc == 0)
        offer->txs_done(offer->context, &answer);
    for (size_t i = 0; i < offer->n; i++)
        tx_result_clear(&results[i]);
    free(results);
    return rc;
}

/* --- The queue --- */

static struct offer *take_offer(struct chain *chain, bool is_moving)
{
    struct offer *offer;

    mutex_lock(&chain->mutex);
    offer = chain->offers;
    if (offer != NULL && is_moving && offer->kind == OFFER_TXS)
        offer = NULL;
    if (offer != NULL) {
        chain->offers = offer->next;
        if (chain->offers == NULL)
            chain->offers_end = &chain->offers;
        offer->next = NULL;
        atomic_fetch_sub(&chain->offers_n, 1);
    }
    mutex_unlock(&chain->mutex);
    return offer;
}

int sink_take(struct chain *chain, bool is_moving, struct error *err)
{
    struct offer *offer;
    int rc = 0;

    while (rc == 0 && !chain_is_stopping(chain) && (offer = take_offer(chain, is_moving)) != NULL) {
        switch (offer->kind) {
        case OFFER_HEADERS:
            rc = take_headers(chain, offer, err);
            offer_free(offer);
            break;
        case OFFER_BLOCK:
            rc = take_block(chain, offer, err);
            /* What comes behind it is judged when it has its place in the chain. */
            if (!is_moving && chain->answers != NULL)
                return rc;
            break;
        case OFFER_TXS:
            rc = take_txs(chain, offer, err);
            offer_free(offer);
            break;
        }
    }
    return rc;
}

/* Without a chain thread: at once, and as far as it goes. */
static int run_alone(struct chain *chain, void *argument, struct error *err)
{
    int rc = 0;

    (void)argument;
    while (rc == 0 && atomic_load(&chain->offers_n) > 0) {
        rc = sink_take(chain, false, err);
        if (rc == 0)
            rc = chain_activate(chain, err);
        if (rc == 0)
            sink_answer(chain);
        if (chain_is_stopping(chain))
            break;
    }
    return rc;
}

static void put(struct chain *chain, struct offer *own_offer)
{
    bool has_thread;

    mutex_lock(&chain->mutex);
    *chain->offers_end = own_offer;
    chain->offers_end = &own_offer->next;
    atomic_fetch_add(&chain->offers_n, 1);
    has_thread = chain->is_started;
    if (has_thread)
        cond_signal(&chain->asked);
    mutex_unlock(&chain->mutex);
    /* A failure has been kept by then, and stops the chain. */
    if (!has_thread && !chain->is_in_sink) {
        chain->is_in_sink = true;
        (void)chain_run_alone(chain, run_alone, NULL, NULL);
        chain->is_in_sink = false;
    }
}

static void offer_headers(struct sink *sink, struct header *own_headers, size_t n,
                          void (*done)(void *context, const struct headers_answer *answer),
                          void *context)
{
    struct offer *offer = alloc_zero(sizeof(*offer));

    offer->kind = OFFER_HEADERS;
    offer->headers = own_headers;
    offer->n = n;
    offer->headers_done = done;
    offer->context = context;
    put(chain_of(sink), offer);
}

static void offer_block(struct sink *sink, struct buf *own_bytes, bool is_requested,
                        void (*done)(void *context, const struct block_answer *answer),
                        void *context)
{
    struct chain *chain = chain_of(sink);
    struct offer *offer = alloc_zero(sizeof(*offer));
    struct body *body = body_new(chain->params, chain->batches, chain->options.salt[0]);

    offer->kind = OFFER_BLOCK;
    offer->is_requested = is_requested;
    offer->block_done = done;
    offer->context = context;
    body->sig_cache = chain->options.sig_cache;
    offer->body = body;
    offer->bytes = own_bytes->len;
    buf_clear(&body->bytes);
    body->bytes = *own_bytes;
    *own_bytes = (struct buf){0};
    body_check(body);
    offer->answer.result.verdict = V_VALID;
    if (body->rc < 0) {
        finding_set(&body->finding, V_BAD_MERKLE_ROOT, UINT32_MAX, UINT32_MAX, "%s",
                    error_text(&body->err));
    } else {
        offer->answer.hash = body->block.hash;
    }
    if (body->finding.verdict != V_VALID) {
        submit_result_show(&offer->answer.result, &body->finding);
        log_warning("validation", "Block %s is turned away: %s%s%s",
                    hash_hex(offer->answer.hash.b).text, offer->answer.result.reason,
                    body->finding.detail[0] == '\0' ? "" : ", ", body->finding.detail);
        /* The answer is known: what nobody judges waits for nobody. */
        body_free(body);
        offer->body = NULL;
        offer->bytes = 0;
    }
    atomic_fetch_add(&chain->offers_bytes, offer->bytes);
    put(chain, offer);
}

static void put_txs(struct sink *sink, const struct tx_ref *const *txs, size_t n, bool is_test,
                    void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    struct offer *offer = alloc_zero(sizeof(*offer));

    offer->kind = OFFER_TXS;
    offer->txs = alloc_array(n, sizeof(struct tx_ref *));
    for (size_t i = 0; i < n; i++)
        offer->txs[i] = tx_ref_hold(txs[i]);
    offer->n = n;
    offer->is_test = is_test;
    offer->txs_done = done;
    offer->context = context;
    put(chain_of(sink), offer);
}

static void offer_txs(struct sink *sink, const struct tx_ref *const *txs, size_t n,
                      void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    put_txs(sink, txs, n, false, done, context);
}

static void test_tx(struct sink *sink, const struct tx_ref *tx,
                    void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    put_txs(sink, &tx, 1, true, done, context);
}

static bool has_room(struct sink *sink)
{
    return atomic_load(&chain_of(sink)->offers_bytes) < OFFERS_BYTES_MAX;
}

static const struct sink_ops ops = {.offer_headers = offer_headers,
                                    .offer_block = offer_block,
                                    .offer_txs = offer_txs,
                                    .test_tx = test_tx,
                                    .has_room = has_room};

struct sink *chain_sink(struct chain *chain)
{
    return &chain->sink;
}

void sink_init(struct chain *chain)
{
    chain->sink.ops = &ops;
    chain->offers_end = &chain->offers;
    chain->answers_end = &chain->answers;
}

/* Nobody judges it any more. */
static void give_up(struct offer *own_offer)
{
    struct headers_answer headers = {.verdict = V_VALID};
    struct txs_answer txs = {.package_reason = ""};

    if (own_offer->kind == OFFER_HEADERS)
        own_offer->headers_done(own_offer->context, &headers);
    else if (own_offer->kind == OFFER_BLOCK)
        own_offer->block_done(own_offer->context, &own_offer->answer);
    else
        own_offer->txs_done(own_offer->context, &txs);
    offer_free(own_offer);
}

static void give_up_all(struct offer *offer)
{
    while (offer != NULL) {
        struct offer *next = offer->next;

        give_up(offer);
        offer = next;
    }
}

void sink_end(struct chain *chain)
{
    struct offer *offers = chain->offers;
    struct offer *answers = chain->answers;

    chain->offers = NULL;
    chain->offers_end = &chain->offers;
    chain->answers = NULL;
    chain->answers_end = &chain->answers;
    give_up_all(offers);
    give_up_all(answers);
}

void sink_clear(struct chain *chain)
{
    sink_end(chain);
    for (uint32_t i = 0; i < KEPT_MAX; i++)
        drop_kept(chain, i);
}
