/* Arguments that name scripts by descriptors. */
#ifndef RPC_DESCRIPTOR_ARGS_H
#define RPC_DESCRIPTOR_ARGS_H

#include "keys/descriptor.h"
#include "rpc/method.h"

/* "n" or [first, last] of a descriptor's range: 0 or what rpc_fail gave. */
NODISCARD int rpc_value_range(struct rpc_call *call, uint32_t *ret_first, uint32_t *ret_last,
                              const struct json *value);

/* All scripts of a descriptor: a string, or {"desc": string, "range": range}; without
 * a range 0 to 1,000, where it has one.
 *
 * Out: ret_scripts: appended; the caller's also on failure.
 *      ring:        takes what is known about them (for descriptor_infer). */
NODISCARD int rpc_value_scripts(struct rpc_call *call, struct script_list *ret_scripts,
                                struct keyring *ring, const struct json *value);

#endif /* RPC_DESCRIPTOR_ARGS_H */
