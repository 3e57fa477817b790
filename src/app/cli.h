/* assay-cli: calls of a node's RPC from the command line. */
#ifndef APP_CLI_H
#define APP_CLI_H

#include "app/options.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "codec/json.h"
#include "consensus/params.h"

/* main() of assay-cli. */
int cli_main(int argc, char **argv);

/* --- What the files behind it share --- */

struct cli {
    struct options options;
    const struct params *params;
    char *network_folder;
    struct arena arena; /* Replies and requests; lives as long as the program. */
    struct buf error;   /* Why the last step failed. */
};

/* Reads the options as assay-cli's; false when they do not make sense, which has been
 * said on the standard error. */
NODISCARD bool cli_open(struct cli *cli, int argc, char **argv);
void cli_close(struct cli *cli);

/* Sets the error text. Returns -1. */
int cli_fail(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* Send body to the node, waiting for it with -rpcwait, and read the reply.
 * wallet: NULL for none. 0, or cli_fail. */
NODISCARD int cli_call(struct cli *cli, struct json *ret_reply, struct span body,
                       const char *wallet);

/* One call with texts as arguments, each read as the method wants it. 0, or
 * cli_fail. */
NODISCARD int cli_call_method(struct cli *cli, struct json *ret_reply, const char *method,
                              char *const *args, size_t args_n, const char *wallet);

/* The request itself, for the above and for tests. 0, or cli_fail. */
NODISCARD int cli_write_request(struct cli *cli, struct buf *body, const char *method,
                                char *const *args, size_t args_n);

/* -getinfo, -netinfo, -addrinfo: text for the user. *ret_error: the error of the
 * reply, NULL for none. 0, or cli_fail. */
NODISCARD int cli_get_info(struct cli *cli, struct buf *text, const struct json **ret_error,
                           size_t args_n);
NODISCARD int cli_net_info(struct cli *cli, struct buf *text, const struct json **ret_error,
                           char *const *args, size_t args_n);
NODISCARD int cli_addr_info(struct cli *cli, struct buf *text, const struct json **ret_error,
                            size_t args_n);

/* The member "error" of a reply, NULL when absent or null. */
const struct json *reply_error(const struct json *reply);

#endif /* APP_CLI_H */
