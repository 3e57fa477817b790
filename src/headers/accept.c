#include "headers/accept.h"

static enum verdict judge(const struct header *header, const struct block_hash *hash,
                          const struct header_node *prev, const struct params *params,
                          int64_t now_s, struct finding *finding)
{
    struct ancestry ancestry;
    enum verdict verdict = header_check(header, hash, params, finding);

    if (verdict != V_VALID)
        return verdict;
    *finding = (struct finding){.tx_index = UINT32_MAX, .in_index = UINT32_MAX};
    if (prev == NULL)
        return finding->verdict = V_PREV_NOT_FOUND;
    if (header_is_failed(prev))
        return finding->verdict = V_BAD_PREV;
    ancestry = header_ancestry(prev);
    return header_verify(header, &ancestry, params, now_s, finding);
}

int header_accept(struct header_tree *tree, struct header_node **ret_node, bool *ret_is_new,
                  enum verdict *ret_verdict, const struct header *header,
                  const struct params *params, int64_t now_s, struct finding *finding,
                  struct error *err)
{
    struct block_hash hash = header_hash(header);
    struct header_node *node = header_tree_find(tree, &hash);
    int rc;

    *ret_node = node;
    *ret_is_new = false;
    if (node != NULL) {
        *ret_verdict = V_VALID;
        if (header_is_failed(node)) {
            *finding = (struct finding){
                .verdict = V_DUPLICATE_INVALID, .tx_index = UINT32_MAX, .in_index = UINT32_MAX};
            *ret_verdict = V_DUPLICATE_INVALID;
        }
        return 0;
    }
    *ret_verdict =
        judge(header, &hash, header_tree_find(tree, &header->prev), params, now_s, finding);
    if (*ret_verdict != V_VALID)
        return 0;
    rc = header_tree_add(tree, ret_node, header, &hash, err);
    if (rc < 0)
        return rc;
    *ret_is_new = true;
    return 0;
}
