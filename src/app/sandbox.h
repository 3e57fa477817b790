/* assay-sandbox: a private network of a few nodes on this machine, with blocks and
 * traffic, to look at and to try programs on.
 *
 * One process, the keeper, starts the nodes (assayd, each in a folder of its own), starts
 * again those that end, lets them mine in turn and sends payments between addresses of
 * its own. Another shows the page; it asks the nodes by RPC as any user does, so either
 * can come and go.
 */
#ifndef APP_SANDBOX_H
#define APP_SANDBOX_H

#include <sys/types.h>

#include "app/cli.h"
#include "keys/wif.h"

#define SANDBOX_NODES_MAX 8
#define SANDBOX_PORT 18555
#define SANDBOX_ADDRESSES 2

/* main() of assay-sandbox. */
int sandbox_main(int argc, char **argv);

/* --- What the files behind it share --- */

struct sandbox_node {
    uint32_t number; /* From 1. */
    char *folder;
    uint16_t port;
    uint16_t rpc_port;
    struct cli cli; /* Asks it. */
    bool is_cli_open;
    /* The keeper's. */
    pid_t pid; /* 0: does not run. */
    uint64_t started_us;
    uint64_t start_at_us; /* When it is to be started again. */
    uint32_t early_ends;  /* One after the other, soon after the start. */
};

struct sandbox {
    struct options options;
    char *folder;
    char *assayd; /* Path of the program. */
    uint32_t nodes_n;
    struct sandbox_node nodes[SANDBOX_NODES_MAX];
    uint64_t block_interval_us;
    uint64_t tx_interval_us;
    char wif[WIF_TEXT_MAX];
    char *addresses[SANDBOX_ADDRESSES]; /* The keeper's own; NULL until a node has told them. */
};

/* A method of a node; args are texts, a NULL ends them. Replies live until the next call
 * to the same node. NULL: no answer, or an error (then cli.error says which). */
const struct json *sandbox_ask(struct sandbox_node *node, const char *method,
                               const char *const *args);
#define SANDBOX_ASK(node, method, ...) \
    sandbox_ask((node), (method), (const char *const[]){__VA_ARGS__, NULL})

/* sandbox_node.c: processes. */
int sandbox_nodes_prepare(struct sandbox *box, struct error *err);
void sandbox_nodes_clear(struct sandbox *box);
void sandbox_node_start(struct sandbox *box, struct sandbox_node *node);
/* Takes note of those that ended; starts those that are due. */
void sandbox_nodes_look(struct sandbox *box);
void sandbox_nodes_stop(struct sandbox *box);

/* sandbox_traffic.c: blocks and payments. */
struct sandbox_traffic;
struct sandbox_traffic *sandbox_traffic_new(struct sandbox *box);
void sandbox_traffic_free(struct sandbox_traffic *own_traffic);
/* What is due now. */
void sandbox_traffic_look(struct sandbox_traffic *traffic);

/* sandbox_page.c: one picture of all nodes. */
void sandbox_page_write(struct sandbox *box, struct buf *text, bool has_colours);

#endif /* APP_SANDBOX_H */
