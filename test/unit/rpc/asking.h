/* Requests and the replies they must get. */
#ifndef ASKING_H
#define ASKING_H

#include "rpc/server.h"
#include "test.h"

struct asking {
    const char *method;
    const char *params; /* A JSON array. */
    const char *reply;  /* "result":... or "error":{...} */
};

/* Fills in the process that the server runs in. */
void asking_context(struct rpc_context *ret_context, const struct params *params);
/* True: every reply was as it must be. */
bool asking_check(struct rpc_server *server, const struct asking *rows, size_t n);

#endif /* ASKING_H */
