/* Reading the arguments of a call. index: position in the method's params, from
 * 0. All functions that return int return 0 or what rpc_fail gave (then return
 * it from run); a missing or null argument takes the default that the table
 * declares ("=..."), and CHECKs that there is one.
 */
#ifndef RPC_ARGS_H
#define RPC_ARGS_H

#include "base/bytes.h"
#include "primitives/ids.h"
#include "rpc/method.h"

/* The argument as it came, NULL when absent or null. */
const struct json *rpc_arg(const struct rpc_call *call, size_t index);
static inline bool rpc_arg_given(const struct rpc_call *call, size_t index)
{
    return rpc_arg(call, index) != NULL;
}

NODISCARD int rpc_arg_bool(struct rpc_call *call, bool *ret_value, size_t index);
/* Out of least..greatest, or not whole: "JSON integer out of range". */
NODISCARD int rpc_arg_int(struct rpc_call *call, int64_t *ret_value, size_t index, int64_t least,
                          int64_t greatest);
/* Lives as long as the call. */
NODISCARD int rpc_arg_string(struct rpc_call *call, const char **ret_text, size_t index);
/* 64 digits in display order; ret_hash 32 bytes in wire order. Errors name the
 * parameter as the table does. */
NODISCARD int rpc_arg_hash(struct rpc_call *call, uint8_t *ret_hash, size_t index);
/* A hexadecimal string; the bytes live in the call's arena. */
NODISCARD int rpc_arg_hex(struct rpc_call *call, struct span *ret_bytes, size_t index);
/* 0, 1, 2 ...; with allow_bool false and true mean 0 and 1. */
NODISCARD int rpc_arg_verbosity(struct rpc_call *call, int *ret_level, size_t index,
                                int default_level, bool allow_bool);

/* The same for values inside arrays and objects; name is what errors call them. */
NODISCARD int rpc_value_int(struct rpc_call *call, int64_t *ret_value, const struct json *value,
                            int64_t least, int64_t greatest);
NODISCARD int rpc_value_bool(struct rpc_call *call, bool *ret_value, const struct json *value);
NODISCARD int rpc_value_string(struct rpc_call *call, const char **ret_text,
                               const struct json *value);
NODISCARD int rpc_value_hash(struct rpc_call *call, uint8_t *ret_hash, const struct json *value,
                             const char *name);
NODISCARD int rpc_value_hex(struct rpc_call *call, struct span *ret_bytes, const struct json *value,
                            const char *name);
/* A number or a string of bitcoin: "0.001"; decimals: 8, or 3 for sat/vB. */
NODISCARD int rpc_value_amount(struct rpc_call *call, int64_t *ret_sat, const struct json *value,
                               int decimals);

/* "JSON value of type x is not of expected type y", as an error. */
int rpc_fail_type(struct rpc_call *call, const struct json *value, const char *expected);

#endif /* RPC_ARGS_H */
