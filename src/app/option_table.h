/* The options of the programs: one row each, from which parsing, -help and the
 * manual pages come.
 *
 * R(name, value, group, flags, text): value is what stands behind the name in
 * the help, "" for a switch. Every option that Bitcoin Core's daemon knows is
 * here, so that a configuration brought along is accepted; rows with L belong to
 * parts that are to come, and the log names them when they are set.
 */
#ifndef APP_OPTION_TABLE_H
#define APP_OPTION_TABLE_H

#include <stdbool.h>

enum option_group {
    GROUP_GENERAL,
    GROUP_CONNECTION,
    GROUP_WALLET,
    GROUP_ZMQ,
    GROUP_DEBUG,
    GROUP_CHAIN,
    GROUP_RELAY,
    GROUP_BLOCK,
    GROUP_RPC,
    GROUP_COMMAND, /* assay-cli's own commands: at most one of them. */
    GROUP_HIDDEN,
    GROUP_COUNT
};

#define OPTION_NETWORK 1U     /* In the default section it counts for main only. */
#define OPTION_NO_NEGATION 2U /* -nox is an error. */
#define OPTION_NEEDS_VALUE 4U /* -x alone is an error. */
#define OPTION_SECRET 8U      /* Its value is not logged. */
#define OPTION_DEBUG 16U      /* Shown by -help-debug only. */
#define OPTION_LATER 32U      /* Accepted; its part is to come. */

struct option_row {
    const char *name; /* Without dash; NULL ends a table. */
    const char *value;
    enum option_group group;
    unsigned flags;
    const char *text;
};

extern const struct option_row assayd_options[];
extern const struct option_row assay_cli_options[];
extern const struct option_row assay_verify_options[];
extern const struct option_row assay_sandbox_options[];

const char *option_group_title(enum option_group group);

#endif /* APP_OPTION_TABLE_H */
