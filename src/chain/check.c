/* verifychain and -checkblocks: are the last blocks on disk, and do coins and undo
 * data agree with them? Level 3 takes blocks off the coins and puts them on again,
 * in memory: no commit happens meanwhile. */
#include "chain/chain_priv.h"

#include "base/check.h"
#include "base/log.h"

static bool is_damage(int rc)
{
    return rc == E_CORRUPT || rc == E_STATE || rc == E_TRUNCATED || rc == E_MALFORMED ||
           rc == E_NOT_FOUND;
}

/* Puts the blocks above the coins' tip on again, scripts too at level 4. */
static int reconnect(struct chainstate *state, const struct header_node *tip, int level,
                     struct error *err)
{
    while (state->coins_node != tip) {
        struct body *body = flight_body_new(state->chain);
        int rc = chain_read_body(state->chain, body,
                                 header_ancestor(tip, state->coins_node->height + 1), err);

        body->skip_scripts = level < 4;
        if (rc == 0)
            rc = flight_try(state, body, err);
        if (rc == 0 && body->finding.verdict != V_VALID) {
            char reason[FINDING_REASON_MAX];

            finding_reason(reason, &body->finding);
            rc = error_set(err, E_CORRUPT, "found unconnectable block at %d, hash=%s: %s",
                           body->node->height, hash_hex(body->node->hash.b).text, reason);
        }
        flight_body_release(state->chain, body);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_one(struct chainstate *state, struct header_node *node, int level, bool take_off,
                     struct error *err)
{
    struct body *body = flight_body_new(state->chain);
    struct buf undo_bytes = {0};
    struct undo undo;
    int rc = chain_read_body(state->chain, body, node, err);

    if (rc == 0 && level >= 2 && header_has(node, HEADER_UNDO) && !take_off)
        rc = chain_read_undo(state->chain, node, &undo_bytes, &undo, &body->arena, err);
    if (rc == 0 && take_off)
        rc = chain_revert_body(state->chain, state->coins, body, &undo_bytes, err);
    if (rc == 0 && take_off)
        state->coins_node = node->prev;
    buf_clear(&undo_bytes);
    flight_body_release(state->chain, body);
    return rc;
}

/* Goes down from the tip. ret_seen: blocks and transactions looked at. */
static int walk_down(struct chainstate *state, int level, int32_t lowest, int32_t *ret_blocks_n,
                     uint64_t *ret_txs_n, struct error *err)
{
    struct header_node *node = state->verified;
    /* Coins that begin with a snapshot cannot be taken off further. */
    const struct header_node *first =
        state == &state->chain->assumed ? atomic_load(&state->chain->snapshot_base) : NULL;
    int32_t all = node->height - lowest + 1;
    int told = 0;

    for (; node->height >= lowest && node->prev != NULL; node = node->prev) {
        int percent = (int)((int64_t)(state->verified->height - node->height) * 100 / all);
        bool take_off = level >= 3 && state->coins_node == node &&
                        coins_pressure(state->coins) == COINS_AT_EASE;
        int rc;

        if (percent / 10 > told / 10) {
            log_info("chain", "Verification progress: %d%%", percent);
            told = percent;
        }
        if (!header_has(node, HEADER_DATA) || node == first) {
            log_info("chain",
                     "Block verification stopping at height %d (no data). This could be due to "
                     "pruning or use of an assumeutxo snapshot.",
                     node->height);
            break;
        }
        rc = check_one(state, node, level, take_off, err);
        if (rc < 0)
            return rc;
        ++*ret_blocks_n;
        *ret_txs_n += atomic_load(&node->tx_n);
        if (chain_is_stopping(state->chain))
            break;
    }
    return 0;
}

int chain_check(struct chainstate *state, int level, int32_t n_blocks, bool *ret_ok,
                struct error *err)
{
    struct header_node *tip = state->verified;
    struct error first = {0};
    struct error again = {0};
    int32_t blocks_n = 0;
    uint64_t txs_n = 0;
    int rc;
    int rc_again;

    *ret_ok = true;
    if (tip == NULL || tip->prev == NULL || level < 0)
        return 0;
    if (n_blocks <= 0 || n_blocks > tip->height)
        n_blocks = tip->height;
    level = MIN(level, 4);
    CHECK(state->flight.settled == state->flight.fed);
    rc = chain_commit_wait(state->chain, err);
    if (rc < 0)
        return rc;
    log_info("chain", "Verifying last %d blocks at level %d", n_blocks, level);
    log_info("chain", "Verification progress: 0%%");
    rc = walk_down(state, level, tip->height - n_blocks + 1, &blocks_n, &txs_n, &first);
    rc_again = reconnect(state, tip, level, &again);
    if (rc == 0 && rc_again < 0) {
        rc = rc_again;
        first = again;
    }
    if (rc_again < 0) {
        /* The coins in memory are no longer those of the tip. */
        if (err != NULL)
            *err = first;
        return rc;
    }
    if (rc < 0 && !is_damage(rc)) {
        if (err != NULL)
            *err = first;
        return rc;
    }
    if (rc < 0) {
        log_error("chain", "Verification found damage: %s", error_text(&first));
        *ret_ok = false;
        return 0;
    }
    log_info("chain",
             "Verification: No coin database inconsistencies in last %d blocks "
             "(%llu transactions)",
             blocks_n, (unsigned long long)txs_n);
    return 0;
}
