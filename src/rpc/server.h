/* JSON-RPC: from the bytes of a request to the bytes of the reply. Versions 1.x
 * and 2.0, batches, notifications. Who may ask is settled before, in rpc/auth.h.
 *
 * Any number of threads at once.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "base/bytes.h"
#include "rpc/context.h"
#include "rpc/method.h"

#define RPC_BATCH_MAX 100000U /* Requests in one. */

struct rpc_server;

/* May user call method? */
typedef bool rpc_permit_fn(void *context, const char *user, const char *method);

struct rpc_server *rpc_server_new(struct rpc_context *context);
void rpc_server_free(struct rpc_server *own_server);

/* Until rpc_server_end_warmup every call fails with -28 and this text, which is
 * copied. */
void rpc_server_set_warmup(struct rpc_server *server, const char *text);
void rpc_server_end_warmup(struct rpc_server *server);

/* permit: NULL allows everything. */
void rpc_server_set_permit(struct rpc_server *server, rpc_permit_fn *permit, void *context);

/* Answer one HTTP body.
 *
 * Returns: the HTTP status. 204 and 403 have no body.
 * Out:     reply: the body is appended. */
int rpc_server_answer(struct rpc_server *server, struct buf *reply, struct span body,
                      const char *user, const char *peer, const char *uri);

/* For methods about the server itself. visit is called for each call going on. */
void rpc_server_visit_calls(struct rpc_server *server,
                            void (*visit)(void *context, const char *method, uint64_t duration_us),
                            void *context);

#endif /* RPC_SERVER_H */
