/* Methods that sign, and what they share with those that read transactions. */
#ifndef RPC_SIGNING_H
#define RPC_SIGNING_H

#include "primitives/tx.h"
#include "rpc/method.h"

/* A transaction from hexadecimal text, in the form with a witness or the old one,
 * whichever makes sense. False: neither. */
bool read_raw_tx(struct tx *ret_tx, const char *hex, bool try_old, bool try_witness,
                 struct arena *arena);

int sign_raw_transaction_with_key(struct rpc_call *call);
int combine_raw_transaction(struct rpc_call *call);

#endif /* RPC_SIGNING_H */
