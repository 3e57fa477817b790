/* Holding arguments and results against the table of methods. */
#ifndef RPC_CHECK_H
#define RPC_CHECK_H

#include "rpc/method.h"

/* Is the number of arguments one that the method can be called with? */
bool rpc_args_count_fits(const struct rpc_method *method, size_t n);

/* Types of all arguments. 0, or rpc_fail with one line for each that is wrong. */
NODISCARD int rpc_check_args(struct rpc_call *call);

/* Named arguments into positions. given: an object. Fills call->args. */
NODISCARD int rpc_place_named(struct rpc_call *call, const struct json *given);

/* Does the result have the form that the table promises? 0 or rpc_fail. */
NODISCARD int rpc_check_result(struct rpc_call *call, struct span result);

#endif /* RPC_CHECK_H */
