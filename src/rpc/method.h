/* The table of RPC methods: one row a method, from which dispatch, argument
 * checking, help, OpenRPC and docs come.
 *
 * A file of methods (src/rpc/<noun>_methods.c) exports one array, ended by a row
 * without a name, and is named once in rpc/groups.h. A method's run function
 * reads its arguments through rpc/args.h, writes exactly one JSON value to
 * call->out and returns 0, or returns what rpc_fail gave it (whatever was
 * written so far is then dropped).
 *
 *     static int get_block_hash(struct rpc_call *call)
 *     {
 *         struct block_info info;
 *         int64_t height;
 *         int rc = rpc_arg_int(call, &height, 0, INT32_MIN, INT32_MAX);
 *
 *         if (rc < 0)
 *             return rc;
 *         if (node->ops->block_by_height(node, &info, (int32_t)height) < 0)
 *             return rpc_fail(call, RPC_INVALID_PARAMETER, "Block height out of range");
 *         json_string(call->out, hash_hex(info.hash.b).text);
 *         return 0;
 *     }
 *
 *     const struct rpc_method rpc_blockchain_methods[] = {
 *         {.name = "getblockhash",
 *          .group = "blockchain",
 *          .summary = "Returns the hash of the block at a height of the active chain.",
 *          .params = RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, "The height."}),
 *          .results = RPC_RESULTS({RPC_HEX, .text = "The block's hash."}),
 *          .examples = RPC_EXAMPLES("1000"),
 *          .run = get_block_hash},
 *         {.name = NULL},
 *     };
 *
 * Many calls run at once, each on one thread; run functions share nothing but
 * what context points to.
 */
#ifndef RPC_METHOD_H
#define RPC_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "codec/json.h"
#include "rpc/context.h"

/* Rows name what they fill; the rest is zero, and that is meant. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Error codes of the JSON-RPC interface, as every client of Bitcoin knows them. */
enum rpc_error_code {
    RPC_MISC_ERROR = -1,
    RPC_TYPE_ERROR = -3,
    RPC_WALLET_ERROR = -4,
    RPC_INVALID_ADDRESS_OR_KEY = -5,
    RPC_OUT_OF_MEMORY = -7,
    RPC_INVALID_PARAMETER = -8,
    RPC_CLIENT_NOT_CONNECTED = -9,
    RPC_CLIENT_IN_INITIAL_DOWNLOAD = -10,
    RPC_DATABASE_ERROR = -20,
    RPC_DESERIALIZATION_ERROR = -22,
    RPC_CLIENT_NODE_ALREADY_ADDED = -23,
    RPC_CLIENT_NODE_NOT_ADDED = -24,
    RPC_VERIFY_ERROR = -25,
    RPC_VERIFY_REJECTED = -26,
    RPC_VERIFY_ALREADY_IN_UTXO_SET = -27,
    RPC_IN_WARMUP = -28,
    RPC_CLIENT_NODE_NOT_CONNECTED = -29,
    RPC_CLIENT_INVALID_IP_OR_SUBNET = -30,
    RPC_CLIENT_P2P_DISABLED = -31,
    RPC_METHOD_DEPRECATED = -32,
    RPC_CLIENT_MEMPOOL_DISABLED = -33,
    RPC_CLIENT_NODE_CAPACITY_REACHED = -34,
    RPC_LIMIT_EXCEEDED = -37,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_PARSE_ERROR = -32700
};

/* Types of parameters and results. */
enum rpc_type {
    RPC_STR,
    RPC_HEX, /* A string of hexadecimal digits. */
    RPC_NUM,
    RPC_BOOL,
    RPC_AMOUNT,      /* Bitcoin with 8 decimals; as parameter a number or a string. */
    RPC_RANGE,       /* Parameter: n or [n, n]. */
    RPC_OBJ,         /* inner: the keys. */
    RPC_OBJ_OPTIONS, /* Parameter: RPC_OBJ whose keys may also be named parameters. */
    RPC_OBJ_USER,    /* Parameter: keys are the caller's; inner[0]: of each value. */
    RPC_ARR,         /* inner[0]: of each item (more: what items may also be). */
    RPC_ARR_FIXED,   /* Result: one inner for each item. */
    RPC_OBJ_DYN,     /* Result: keys are data; inner[0]: of each value. */
    RPC_NULL,        /* Result. */
    RPC_ANY,         /* Result: not checked. */
    RPC_TIME         /* Result: seconds since 1970. */
};

/* Flags of parameters and results. */
#define RPC_HIDDEN 1U          /* Neither in help nor in OpenRPC. */
#define RPC_ANY_TYPE 2U        /* The type is not checked before run; run does. */
#define RPC_OPTIONAL 4U        /* Result key that may be missing. */
#define RPC_ALSO_POSITIONAL 8U /* Key of RPC_OBJ_OPTIONS with a parameter of that name. */
#define RPC_OBSOLETE 16U       /* Kept for old callers, best left out. */

/* What fallback says: RPC_REQUIRED; RPC_OMITTED: optional, no default; "=JSON":
 * the default, e.g. "=6", "=true", "=\"auto\""; "~text": a default that only
 * words can tell. */
#define RPC_REQUIRED NULL
#define RPC_OMITTED ""

struct rpc_param {
    const char *names; /* "verbosity|verbose": the first is shown. NULL ends the list.
                        * "" for items of arrays. */
    enum rpc_type type;
    const char *fallback;
    const char *text; /* May be NULL. */
    const struct rpc_param *inner;
    unsigned flags;
    const char *type_text; /* Overrides how the type is shown, e.g. "string or numeric". */
    const char *oneline;   /* Overrides how the synopsis shows it. */
};

struct rpc_result {
    enum rpc_type type;
    const char *key;  /* Of an object's entry; NULL else. */
    const char *text; /* What it is; NULL: nothing to say. */
    const struct rpc_result *inner;
    unsigned flags;
    const char *when; /* Top level: "for verbose=true"; NULL else. */
    bool is_end;      /* Set by RPC_RESULTS only. */
};

struct rpc_call;

struct rpc_method {
    const char *name;  /* NULL ends the array. */
    const char *group; /* "blockchain", "control", ...; "hidden" is in no list. */
    const char *summary;
    const struct rpc_param *params;   /* NULL: none. */
    const struct rpc_result *results; /* One for each form of the result. */
    const char *const *examples;      /* Arguments for assay-cli; ends with NULL. */
    int (*run)(struct rpc_call *call);
    /* Adds to the help what only the running process knows. NULL: nothing. */
    void (*add_help)(struct buf *buf, const struct rpc_context *context);
};

/* Lists for the fields above; nest them through .inner. */
#define RPC_PARAMS(...)        \
    (const struct rpc_param[]) \
    {                          \
        __VA_ARGS__,           \
        {                      \
            .names = NULL      \
        }                      \
    }
#define RPC_RESULTS(...)        \
    (const struct rpc_result[]) \
    {                           \
        __VA_ARGS__,            \
        {                       \
            .is_end = true      \
        }                       \
    }
#define RPC_EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})

#define RPC_MESSAGE_MAX 4096

struct rpc_call {
    struct rpc_context *context;
    const struct rpc_method *method;
    const struct json *const *args; /* args_n of them; holes are null. */
    size_t args_n;
    struct json_writer *out; /* Takes the one value of the result. */
    struct arena *arena;     /* Lives as long as the call. */
    const char *user;        /* Who asks; "" unknown. */
    const char *uri;         /* The path asked, e.g. "/wallet/name". */
    int error_code;          /* Set by rpc_fail. */
    char *error_message;     /* In arena. */
};

/* Ends the call with an error. Returns a negative number, for run to return. */
int rpc_fail(struct rpc_call *call, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* All methods, sorted by name. *ret_n: how many. Built at the first call. */
const struct rpc_method *const *rpc_methods(size_t *ret_n);
/* NULL: there is none of that name. */
const struct rpc_method *rpc_method_find(const char *name);

size_t rpc_params_count(const struct rpc_param *params); /* NULL: 0. */
static inline bool rpc_param_is_optional(const struct rpc_param *param)
{
    return param->fallback != NULL;
}

#endif /* RPC_METHOD_H */
