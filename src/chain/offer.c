/* Blocks and headers that are handed to us, and what the user wants of the chain. */
#include "chain/chain_priv.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"

void submit_result_show(struct submit_result *result, const struct finding *finding)
{
    result->verdict = finding->verdict;
    result->is_judged = true;
    finding_reason(result->reason, finding);
    snprintf(result->detail, sizeof(result->detail), "%s", finding->detail);
}

int chain_accept_header(struct chain *chain, struct header_node **ret_node,
                        struct submit_result *result, const struct header *header,
                        struct error *err)
{
    struct finding finding = {0};
    enum verdict verdict;
    int rc = header_accept(chain->tree, ret_node, &result->is_new, &verdict, header, chain->params,
                           clock_wall_s(chain->clock), &finding, err);

    if (rc < 0)
        return rc;
    if (verdict != V_VALID) {
        submit_result_show(result, &finding);
        return 0;
    }
    chain_tell_header(chain);
    return 0;
}

int chain_offer_header(struct chain *chain, struct submit_result *ret_result,
                       const struct header *header, struct error *err)
{
    struct header_node *node;

    *ret_result = (struct submit_result){.verdict = V_VALID};
    return chain_accept_header(chain, &node, ret_result, header, err);
}

/* Its bytes are here already. */
static bool has_body(const struct chain *chain, const struct header *header)
{
    struct block_hash hash = header_hash(header);
    const struct header_node *node = header_tree_find(chain->tree, &hash);

    return node != NULL && header_has(node, HEADER_DATA);
}

int chain_store_body(struct chain *chain, struct body *body, struct submit_result *ret_result,
                     struct error *err)
{
    struct header_node *node;
    struct block_pos pos;
    struct header header;
    struct reader r;
    int rc;

    *ret_result = (struct submit_result){.verdict = V_VALID};
    reader_init(&r, body->bytes.data, body->bytes.len);
    header_read(&header, &r);
    if (r.rc == 0 && !body->is_checked && !has_body(chain, &header))
        body_check(body);
    if (r.rc < 0 || body->rc < 0)
        return error_set(err, E_MALFORMED, "the block does not decode");
    rc = chain_accept_header(chain, &node, ret_result, &header, err);
    if (rc < 0 || ret_result->verdict != V_VALID) {
        ret_result->is_new = false;
        return rc;
    }
    ret_result->is_new = !header_has(node, HEADER_DATA);
    if (!ret_result->is_new)
        return 0;
    body->node = node;
    if (body->finding.verdict == V_VALID)
        body_prepare(body);
    if (body->finding.verdict != V_VALID) {
        chain_condemn(chain, node, &body->finding);
        submit_result_show(ret_result, &body->finding);
        return 0;
    }
    rc = block_files_add(chain->files, &pos, span_of_buf(&body->bytes), node->height, node->time,
                         err);
    if (rc < 0)
        return rc;
    chain_receive(chain, node, body->block.tx_n, (uint32_t)body->bytes.len,
                  header_place((uint32_t)pos.file, pos.offset), HEADER_CHECKED);
    chain_tell_stored(chain, body);
    return 0;
}

/* A body that breaks a rule by itself is turned away before its header is looked at:
 * the header may belong to a good one. */
static int check_alone(struct body *body, struct submit_result *ret_result, struct error *err)
{
    *ret_result = (struct submit_result){.verdict = V_VALID};
    body_check(body);
    if (body->rc < 0)
        return error_set(err, E_MALFORMED, "the block does not decode");
    if (body->finding.verdict != V_VALID) {
        char reason[FINDING_REASON_MAX];

        finding_reason(reason, &body->finding);
        log_warning("validation", "Block %s is turned away: %s%s%s",
                    hash_hex(body->block.hash.b).text, reason,
                    body->finding.detail[0] == '\0' ? "" : ", ", body->finding.detail);
        submit_result_show(ret_result, &body->finding);
    }
    return 0;
}

int chain_offer_block(struct chain *chain, struct submit_result *ret_result, struct span bytes,
                      struct error *err)
{
    struct body *body = flight_body_new(chain);
    const struct header_node *node;
    bool was_connected;
    int rc;

    buf_add(&body->bytes, bytes.data, bytes.len);
    rc = check_alone(body, ret_result, err);
    if (rc == 0 && ret_result->verdict == V_VALID)
        rc = chain_store_body(chain, body, ret_result, err);
    node = body->node;
    if (rc < 0 || node == NULL || ret_result->verdict != V_VALID)
        goto done;
    was_connected = header_has(node, HEADER_CONNECTED);
    chain->last_condemned = NULL;
    chain_keep_body(chain, body);
    body = NULL;
    rc = chain_activate(chain, err);
    if (rc < 0)
        goto done;
    if (chain->last_condemned == node)
        submit_result_show(ret_result, &chain->last_finding);
    else /* Also where a worse block after it made us go back. */
        ret_result->is_connected =
            (!was_connected && header_has(node, HEADER_CONNECTED)) ||
            (chain->active->verified != NULL && header_is_ancestor(node, chain->active->verified));
    /* Bytes of a block that had been pruned are only kept. */
    ret_result->is_judged = ret_result->is_judged || (ret_result->is_connected && !was_connected);

done:
    flight_body_release(chain, body);
    return rc;
}

/* As connecting it would go, then taken back. */
static int try_body(struct chain *chain, struct body *body, struct error *err)
{
    int rc = flight_try(chain->active, body, err);

    if (rc == 0 && body->finding.verdict == V_VALID && body->place.height > 0)
        rc = flight_take_back(chain->active, body, err);
    return rc;
}

int chain_test_block(struct chain *chain, struct submit_result *ret_result, struct span bytes,
                     bool check_pow, bool check_merkle, struct error *err)
{
    struct body *body = flight_body_new(chain);
    struct header_node node = {.height = 0};
    struct finding finding = {0};
    struct ancestry ancestry;
    struct header header;
    struct reader r;
    int rc = 0;

    *ret_result = (struct submit_result){.verdict = V_VALID};
    reader_init(&r, bytes.data, bytes.len);
    header_read(&header, &r);
    if (r.rc < 0) {
        rc = error_set(err, E_MALFORMED, "the block does not decode");
        goto done;
    }
    if (chain->active->verified == NULL ||
        !block_hash_equal(&header.prev, &chain->active->verified->hash))
        goto done;
    ret_result->is_judged = true;
    node.hash = header_hash(&header);
    node.prev = chain->active->verified;
    node.height = chain->active->verified->height + 1;
    node.time = header.time;
    node.bits = header.bits;
    ancestry = header_ancestry(node.prev);
    buf_add(&body->bytes, bytes.data, bytes.len);
    body->node = &node;
    body->check_pow = check_pow;
    body->check_merkle = check_merkle;
    if (header_verify(&header, &ancestry, chain->params, clock_wall_s(chain->clock), &finding) !=
        V_VALID) {
        submit_result_show(ret_result, &finding);
        goto done;
    }
    body_prepare(body);
    if (body->rc < 0) {
        if (err != NULL)
            *err = body->err;
        rc = body->rc;
        goto done;
    }
    if (body->finding.verdict == V_VALID)
        rc = try_body(chain, body, err);
    if (rc == 0)
        submit_result_show(ret_result, &body->finding);

done:
    flight_body_release(chain, body);
    return rc;
}

static int find_block(struct chain *chain, struct header_node **ret_node,
                      const struct block_hash *hash, struct error *err)
{
    *ret_node = header_tree_find(chain->tree, hash);
    if (*ret_node == NULL)
        return error_set(err, E_NOT_FOUND, "block not found");
    return 0;
}

int chain_invalidate(struct chain *chain, const struct block_hash *hash, struct error *err)
{
    struct header_node *node;
    int rc = find_block(chain, &node, hash, err);

    if (rc < 0)
        return rc;
    if (node->prev == NULL)
        return error_set(err, E_STATE, "the genesis block cannot be invalidated");
    if (chain->base != NULL && header_is_ancestor(node, chain->base))
        return error_set(err, E_STATE,
                         "the tip rests on a snapshot of block %d that is not verified yet: no "
                         "block up to there can be invalidated",
                         chain->base->height);
    while (header_is_ancestor(node, chain->active->verified)) {
        rc = chain_disconnect_tip(chain->active, err);
        if (rc < 0)
            return rc;
    }
    header_tree_fail(chain->tree, node);
    chain_touch(chain, node);
    chain->candidates_stale = true;
    chain_tell_header(chain);
    rc = chain_activate(chain, err);
    chain_look_at_invalid(chain, true);
    return rc;
}

int chain_reconsider(struct chain *chain, const struct block_hash *hash, struct error *err)
{
    uint32_t count = header_tree_count(chain->tree);
    struct header_node *node;
    int rc = find_block(chain, &node, hash, err);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < count; i++) {
        if (header_is_failed(header_tree_at(chain->tree, i)))
            chain_touch(chain, header_tree_at(chain->tree, i));
    }
    header_tree_reconsider(chain->tree, node);
    chain->candidates_stale = true;
    chain_tell_header(chain);
    rc = chain_activate(chain, err);
    chain_look_at_invalid(chain, true);
    return rc;
}

int chain_precious(struct chain *chain, const struct block_hash *hash, struct error *err)
{
    struct header_node *node;
    int rc = find_block(chain, &node, hash, err);

    if (rc < 0)
        return rc;
    if (chain->active->verified != NULL && header_work_compare(node, chain->active->verified) < 0)
        return 0;
    /* A block that is not linked yet gets its place when it is: as in Core, the wish is
     * then forgotten. */
    if (atomic_load_explicit(&node->chain_tx_n, memory_order_relaxed) == 0)
        return 0;
    node->sequence = --chain->sequence_precious;
    chain->candidates_stale = true;
    return chain_activate(chain, err);
}
