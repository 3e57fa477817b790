/* A description of all methods for machines, in the form of OpenRPC, made from
 * the table of methods. */
#ifndef RPC_OPENRPC_H
#define RPC_OPENRPC_H

#include "codec/json.h"
#include "rpc/method.h"

#define OPENRPC_VERSION "1.4.1"

/* Writes the whole document. with_hidden: hidden methods and parameters too. */
void openrpc_write(struct json_writer *w, bool with_hidden);

#endif /* RPC_OPENRPC_H */
