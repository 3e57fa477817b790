/* What the user should know though the node goes on: rules that others have and we
 * do not, an invalid chain with more work than ours, a failure that ends the node. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "chain/chain_priv.h"

/* An invalid branch is worth a warning from this many blocks more than ours. */
#define INVALID_LEAD_BLOCKS 6

#define INVALID_CHAIN_TEXT                                                                  \
    "Found invalid chain more than 6 blocks longer than our best chain. This could be due " \
    "to database corruption or consensus incompatibility with peers."

void chain_warn(struct chain *chain, enum node_warning kind, const char *text)
{
    bool is_new;

    mutex_lock(&chain->mutex);
    is_new = chain->warnings[kind][0] == '\0';
    if (is_new)
        (void)snprintf(chain->warnings[kind], sizeof(chain->warnings[kind]), "%s", text);
    mutex_unlock(&chain->mutex);
    for (size_t i = 0; is_new && i < chain->events_n; i++) {
        if (chain->events[i]->warned != NULL)
            chain->events[i]->warned(chain->events[i]->context, text);
    }
}

static void take_back(struct chain *chain, enum node_warning kind)
{
    mutex_lock(&chain->mutex);
    chain->warnings[kind][0] = '\0';
    mutex_unlock(&chain->mutex);
}

void chain_copy_warnings(struct chain *chain, struct node_status *ret_status)
{
    mutex_lock(&chain->mutex);
    memcpy(ret_status->warnings, chain->warnings, sizeof(ret_status->warnings));
    mutex_unlock(&chain->mutex);
}

/* Headers behind an invalid block count only when their blocks came as well. */
static const struct header_node *worse_of(const struct header_node *best,
                                          const struct header_node *node)
{
    if (!header_is_failed(node) || (header_marks(node) & (HEADER_FAILED | HEADER_DATA)) == 0)
        return best;
    return best == NULL || header_work_compare(node, best) > 0 ? node : best;
}

static const struct header_node *best_invalid(const struct chain *chain)
{
    uint32_t count = header_tree_count(chain->tree);
    const struct header_node *best = NULL;

    for (uint32_t i = 0; i < count; i++)
        best = worse_of(best, header_tree_at(chain->tree, i));
    return best;
}

void chain_note_invalid(struct chain *chain, const struct header_node *node)
{
    for (const struct header_node *at = node; at != NULL;
         at = header_tree_below(chain->tree, node, at, false))
        chain->best_invalid = worse_of(chain->best_invalid, at);
    chain_look_at_invalid(chain, false);
}

void chain_look_at_invalid(struct chain *chain, bool marks_changed)
{
    struct u256 least;
    struct u256 step;
    struct u256 work;

    if (chain->active->verified == NULL)
        return;
    if (marks_changed)
        chain->best_invalid = best_invalid(chain);
    if (chain->best_invalid == NULL) {
        take_back(chain, NODE_WARNING_INVALID_CHAIN);
        return;
    }
    least = header_work(chain->active->verified);
    step = work_of_bits(chain->active->verified->bits);
    for (int i = 0; i < INVALID_LEAD_BLOCKS; i++)
        least = u256_add(&least, &step);
    work = header_work(chain->best_invalid);
    if (u256_compare(&work, &least) <= 0) {
        take_back(chain, NODE_WARNING_INVALID_CHAIN);
        return;
    }
    log_warning("chain", INVALID_CHAIN_TEXT);
    chain_warn(chain, NODE_WARNING_INVALID_CHAIN, "Warning: " INVALID_CHAIN_TEXT);
}

void chain_look_at_versions(struct chain *chain, const struct header_node *old,
                            const struct header_node *tip)
{
    struct unknown_deployment unknown[VERSION_SIGNAL_BITS];
    struct ancestry ancestry = header_ancestry(tip);
    size_t n;

    if (old != NULL)
        deployment_cache_rewind(&chain->deployments, header_fork(old, tip)->height, chain->params);
    if (atomic_load(&chain->is_initial))
        return;
    n = unknown_deployments_after(unknown, &ancestry, chain->params, &chain->deployments);
    for (size_t i = 0; i < n; i++) {
        char text[NODE_WARNING_MAX];

        if (!unknown[i].is_active)
            continue;
        (void)snprintf(text, sizeof(text), "Unknown new rules activated (versionbit %d)",
                       unknown[i].bit);
        chain_warn(chain, NODE_WARNING_UNKNOWN_RULES, text);
    }
}
