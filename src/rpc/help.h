/* Help texts, made from the table of methods. */
#ifndef RPC_HELP_H
#define RPC_HELP_H

#include "base/bytes.h"
#include "rpc/method.h"

/* The whole help of one method; ends with a line feed. */
void rpc_help_method(struct buf *buf, const struct rpc_method *method);

/* The synopsis line alone, without line feed. */
void rpc_help_synopsis(struct buf *buf, const struct rpc_method *method);

/* All methods that are not hidden: a heading for each group, one synopsis a line.
 * No line feed at the end. */
void rpc_help_list(struct buf *buf);

#endif /* RPC_HELP_H */
