/* May a header join the tree? */
#ifndef HEADERS_ACCEPT_H
#define HEADERS_ACCEPT_H

#include "consensus/rules.h"
#include "headers/tree.h"

/* Check a header and add it to the tree. Owner thread only.
 *
 * A header too far in the future (V_TIME_TOO_NEW), without parent
 * (V_PREV_NOT_FOUND) or otherwise bad is not added and not remembered.
 *
 * Returns: 0, or E_LIMIT when the tree is full.
 * Out:     ret_node:    the node when *ret_verdict is V_VALID; also the known one
 *                       with V_DUPLICATE_INVALID. Else NULL.
 *          ret_is_new:  false if the header was in the tree.
 *          ret_verdict: V_VALID or why not; finding filled then. */
NODISCARD int header_accept(struct header_tree *tree, struct header_node **ret_node,
                            bool *ret_is_new, enum verdict *ret_verdict,
                            const struct header *header, const struct params *params, int64_t now_s,
                            struct finding *finding, struct error *err);

#endif /* HEADERS_ACCEPT_H */
