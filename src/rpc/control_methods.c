/* Methods about the process: help, stop, the log, and what tests use. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/help.h"
#include "rpc/openrpc.h"
#include "rpc/server.h"
#include "rpc/version.h"

static void write_conversion(struct json_writer *w, const char *method, size_t position,
                             const struct rpc_param *param)
{
    const char *name = param->names;
    bool is_text = param->type == RPC_STR || param->type == RPC_HEX;

    while (*name != '\0') {
        size_t len = strcspn(name, "|");

        json_begin_array(w);
        json_string(w, method);
        json_uint(w, position);
        json_string_span(w, span_of(name, len));
        json_bool(w, is_text);
        json_end_array(w);
        for (const struct rpc_param *key = param->inner;
             param->type == RPC_OBJ_OPTIONS && key->names != NULL; key++)
            write_conversion(w, method, position, key);
        name += len;
        name += *name == '|';
    }
}

/* Which arguments a client must send as JSON and which as text. */
static void write_conversions(struct json_writer *w)
{
    size_t n;
    const struct rpc_method *const *methods = rpc_methods(&n);

    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        size_t params_n = rpc_params_count(methods[i]->params);

        for (size_t k = 0; k < params_n; k++)
            write_conversion(w, methods[i]->name, k, &methods[i]->params[k]);
    }
    json_end_array(w);
}

static int help(struct rpc_call *call)
{
    const struct json *arg = rpc_arg(call, 0);
    const struct rpc_method *method;
    struct buf text = {0};

    if (arg != NULL && json_is_string(arg, "dump_all_command_conversions")) {
        write_conversions(call->out);
        return 0;
    }
    if (arg == NULL || arg->text.len == 0) {
        rpc_help_list(&text);
    } else {
        method = rpc_method_find(json_text(arg));
        if (method == NULL)
            buf_add_printf(&text, "help: unknown command: %s", json_text(arg));
        else
            rpc_help_method(&text, method);
        if (method != NULL && method->add_help != NULL)
            method->add_help(&text, call->context);
    }
    json_string_span(call->out, span_of_buf(&text));
    buf_clear(&text);
    return 0;
}

static int stop(struct rpc_call *call)
{
    struct host *host = call->context->host;
    int64_t wait_ms = 0;

    if (rpc_arg_given(call, 0)) {
        int rc = rpc_arg_int(call, &wait_ms, 0, INT32_MIN, INT32_MAX);

        if (rc < 0)
            return rc;
    }
    host->ops->stop(host);
    if (wait_ms > 0)
        host->ops->sleep_ms(host, wait_ms);
    json_string(call->out, CLIENT_NAME " stopping");
    return 0;
}

static int uptime(struct rpc_call *call)
{
    struct host *host = call->context->host;

    json_int(call->out, host->ops->uptime_s(host));
    return 0;
}

static void write_active(void *context, const char *method, uint64_t duration_us)
{
    struct json_writer *w = context;

    json_begin_object(w);
    json_put_string(w, "method", method);
    json_put_uint(w, "duration", duration_us);
    json_end_object(w);
}

static int get_rpc_info(struct rpc_call *call)
{
    struct host *host = call->context->host;

    json_begin_object(call->out);
    json_key(call->out, "active_commands");
    json_begin_array(call->out);
    rpc_server_visit_calls(call->context->server, write_active, call->out);
    json_end_array(call->out);
    json_put_string(call->out, "logpath", host->ops->log_path(host));
    json_end_object(call->out);
    return 0;
}

static int get_openrpc_info(struct rpc_call *call)
{
    bool with_hidden;
    int rc = rpc_arg_bool(call, &with_hidden, 0);

    if (rc < 0)
        return rc;
    openrpc_write(call->out, with_hidden);
    return 0;
}

static int discover(struct rpc_call *call)
{
    openrpc_write(call->out, false);
    return 0;
}

static int write_malloc_info(struct rpc_call *call)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);

    if (file == NULL)
        return rpc_fail(call, RPC_OUT_OF_MEMORY, "could not collect the information");
    (void)malloc_info(0, file);
    (void)fclose(file);
    json_string_span(call->out, span_of(text, len));
    free(text);
    return 0;
}

static int get_memory_info(struct rpc_call *call)
{
    struct host *host = call->context->host;
    struct host_memory memory;
    const char *mode;
    int rc = rpc_arg_string(call, &mode, 0);

    if (rc < 0)
        return rc;
    if (strcmp(mode, "mallocinfo") == 0)
        return write_malloc_info(call);
    if (strcmp(mode, "stats") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "unknown mode %s", mode);
    host->ops->memory(host, &memory);
    json_begin_object(call->out);
    json_key(call->out, "locked");
    json_begin_object(call->out);
    json_put_uint(call->out, "used", memory.used);
    json_put_uint(call->out, "free", memory.free);
    json_put_uint(call->out, "total", memory.total);
    json_put_uint(call->out, "locked", memory.locked);
    json_put_uint(call->out, "chunks_used", memory.chunks_used);
    json_put_uint(call->out, "chunks_free", memory.chunks_free);
    json_end_object(call->out);
    json_end_object(call->out);
    return 0;
}

static int echo_text(struct rpc_call *call)
{
    const char *text;
    int rc = rpc_arg_string(call, &text, 0);

    if (rc == 0)
        json_string(call->out, text);
    return rc;
}

static void add_categories(struct buf *buf, const struct rpc_context *context)
{
    struct host *host = context->host;
    const char *name;
    bool is_on;

    buf_add_string(buf, "\nThe valid logging categories are: ");
    for (size_t i = 0; (name = host->ops->log_category(host, i, &is_on)) != NULL; i++)
        buf_add_printf(buf, "%s%s", i > 0 ? ", " : "", name);
    buf_add_string(buf, "\n");
}

static int set_categories(struct rpc_call *call, const struct json *list, bool is_on)
{
    struct host *host = call->context->host;

    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const char *name;
        int rc = rpc_value_string(call, &name, &list->items[i]);

        if (rc < 0)
            return rc;
        if (!host->ops->set_log(host, name, is_on))
            return rpc_fail(call, RPC_INVALID_PARAMETER, "unknown logging category %s", name);
    }
    return 0;
}

static int logging(struct rpc_call *call)
{
    struct host *host = call->context->host;
    const char *name;
    bool is_on;
    int rc = set_categories(call, rpc_arg(call, 0), true);

    if (rc == 0)
        rc = set_categories(call, rpc_arg(call, 1), false);
    if (rc < 0)
        return rc;
    json_begin_object(call->out);
    for (size_t i = 0; (name = host->ops->log_category(host, i, &is_on)) != NULL; i++)
        json_put_bool(call->out, name, is_on);
    json_end_object(call->out);
    return 0;
}

static int echo(struct rpc_call *call)
{
    if (call->args_n > 9 && json_is_string(call->args[9], "trigger_internal_bug"))
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Internal bug detected: request.params[9].get_str() != "
                        "\"trigger_internal_bug\"");
    json_begin_array(call->out);
    for (size_t i = 0; i < call->args_n; i++)
        json_value(call->out, call->args[i]);
    json_end_array(call->out);
    return 0;
}

static int set_mock_time(struct rpc_call *call)
{
    struct host *host = call->context->host;
    int64_t time_s;
    int rc;

    if (!call->context->params->is_mockable)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "setmocktime is for regression testing (-regtest mode) only");
    rc = rpc_arg_int(call, &time_s, 0, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    if (time_s < 0 || time_s > UINT32_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Mocktime must be in the range [0, %u], not %lld.", UINT32_MAX,
                        (long long)time_s);
    host->ops->set_mock_time(host, time_s);
    json_null(call->out);
    return 0;
}

static int mock_scheduler(struct rpc_call *call)
{
    struct host *host = call->context->host;
    struct node *node = call->context->node;
    int64_t delta_s;
    int rc;

    if (!call->context->params->is_mockable)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "mockscheduler is for regression testing (-regtest mode) only");
    rc = rpc_arg_int(call, &delta_s, 0, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    if (delta_s <= 0 || delta_s > 3600)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "delta_time must be between 1 and 3600 seconds (1 hr)");
    host->ops->advance_timers(host, delta_s);
    node->ops->sync_queue(node);
    json_null(call->out);
    return 0;
}

static int sync_with_queue(struct rpc_call *call)
{
    struct node *node = call->context->node;

    node->ops->sync_queue(node);
    json_null(call->out);
    return 0;
}

#define OPENRPC_RESULT                                                                           \
    RPC_RESULTS(                                                                                 \
        {RPC_OBJ, .text = "The document.", .flags = RPC_ANY_TYPE,                                \
         .inner = RPC_RESULTS(                                                                   \
             {RPC_STR, "openrpc", "Version of the form."},                                       \
             {RPC_OBJ, "info", "What is described.",                                             \
              RPC_RESULTS({RPC_STR, "title", "Its name."}, {RPC_STR, "version", "Its version."}, \
                          {RPC_STR, "description", "What it is."})},                             \
             {RPC_ARR, "methods", "The methods.",                                                \
              RPC_RESULTS(                                                                       \
                  {RPC_OBJ, .text = "A method.",                                                 \
                   .inner = RPC_RESULTS({RPC_STR, "name", "Its name."},                          \
                                        {RPC_STR, "description", "What it does."},               \
                                        {RPC_ARR, "params", "Its parameters.",                   \
                                         RPC_RESULTS({RPC_ANY, .text = "A parameter."})},        \
                                        {RPC_ANY, "result", "Its result."},                      \
                                        {RPC_STR, "x-bitcoin-category", "Its group."})})})})

#define ECHO_PARAM(name)                                  \
    {                                                     \
        name, RPC_STR, RPC_OMITTED, .flags = RPC_ANY_TYPE \
    }
#define ECHO_PARAMS                                                                            \
    RPC_PARAMS(ECHO_PARAM("arg0"), ECHO_PARAM("arg1"), ECHO_PARAM("arg2"), ECHO_PARAM("arg3"), \
               ECHO_PARAM("arg4"), ECHO_PARAM("arg5"), ECHO_PARAM("arg6"), ECHO_PARAM("arg7"), \
               ECHO_PARAM("arg8"), ECHO_PARAM("arg9"))

const struct rpc_method rpc_control_methods[] = {
    {.name = "getmemoryinfo",
     .group = "control",
     .summary = "Tells about the memory of the process.",
     .params = RPC_PARAMS({"mode", RPC_STR, "=\"stats\"",
                           "\"stats\": memory kept from being paged out; \"mallocinfo\": the state "
                           "of the heap, as XML."}),
     .results =
         RPC_RESULTS({RPC_OBJ, .when = "mode \"stats\"",
                      .inner = RPC_RESULTS(
                          {RPC_OBJ, "locked", "Memory for secrets",
                           RPC_RESULTS({RPC_NUM, "used", "Bytes in use."},
                                       {RPC_NUM, "free", "Bytes free for use."},
                                       {RPC_NUM, "total", "Bytes in all."},
                                       {RPC_NUM, "locked", "Bytes of them that could be locked."},
                                       {RPC_NUM, "chunks_used", "Pieces in use."},
                                       {RPC_NUM, "chunks_free", "Pieces not in use."})})},
                     {RPC_STR, .when = "mode \"mallocinfo\"", .text = "The XML text."}),
     .examples = RPC_EXAMPLES("", "mallocinfo"),
     .run = get_memory_info},
    {.name = "getopenrpcinfo",
     .group = "control",
     .summary = "Returns a description of all methods for machines, in the form of OpenRPC.",
     .params = RPC_PARAMS(
         {"show_hidden", RPC_BOOL, "=false", "Describe hidden methods and parameters too."}),
     .results = OPENRPC_RESULT,
     .examples = RPC_EXAMPLES(""),
     .run = get_openrpc_info},
    {.name = "rpc.discover",
     .group = "control",
     .summary = "Returns a description of this service for machines, in the form of OpenRPC.",
     .results = OPENRPC_RESULT,
     .examples = RPC_EXAMPLES(""),
     .run = discover},
    {.name = "getrpcinfo",
     .group = "control",
     .summary = "Tells what the RPC server is doing.",
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS(
                       {RPC_ARR, "active_commands", "Calls going on.",
                        RPC_RESULTS({RPC_OBJ, .text = "A call.",
                                     .inner = RPC_RESULTS(
                                         {RPC_STR, "method", "Its method."},
                                         {RPC_NUM, "duration",
                                          "How long it has been going on, in microseconds."})})},
                       {RPC_STR, "logpath", "The path of the log file."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_rpc_info},
    {.name = "help",
     .group = "control",
     .summary = "Lists all methods, or explains one.",
     .params = RPC_PARAMS({"command", RPC_STR, "~all commands", "The method to explain."}),
     .results = RPC_RESULTS({RPC_STR, .text = "The text."}, {RPC_ANY, .flags = RPC_HIDDEN}),
     .examples = RPC_EXAMPLES("", "\"getblock\""),
     .run = help},
    {.name = "logging",
     .group = "control",
     .summary = "Reads and changes which categories are logged in detail. First those of include "
                "are switched on,\nthen those of exclude off. \"all\" and \"1\" stand for every "
                "category.",
     .params = RPC_PARAMS({"include", RPC_ARR, RPC_OMITTED, "Categories to log.",
                           RPC_PARAMS({"include_category", RPC_STR, RPC_OMITTED, "A category."})},
                          {"exclude", RPC_ARR, RPC_OMITTED, "Categories not to log.",
                           RPC_PARAMS({"exclude_category", RPC_STR, RPC_OMITTED, "A category."})}),
     .results = RPC_RESULTS({RPC_OBJ_DYN, .text = "By category:",
                             .inner = RPC_RESULTS({RPC_BOOL, "category", "Is it logged?"})}),
     .examples = RPC_EXAMPLES("\"[\\\"all\\\"]\" \"[\\\"http\\\"]\""),
     .run = logging,
     .add_help = add_categories},
    {.name = "stop",
     .group = "control",
     .summary = "Asks " CLIENT_NAME " to stop cleanly.",
     .params = RPC_PARAMS(
         {"wait", RPC_NUM, RPC_OMITTED, "Milliseconds before the reply.", .flags = RPC_HIDDEN}),
     .results = RPC_RESULTS({RPC_STR, .text = "The words '" CLIENT_NAME " stopping'."}),
     .examples = RPC_EXAMPLES(""),
     .run = stop},
    {.name = "uptime",
     .group = "control",
     .summary = "Returns how long the process has been running.",
     .results = RPC_RESULTS({RPC_NUM, .text = "Seconds."}),
     .examples = RPC_EXAMPLES(""),
     .run = uptime},
    {.name = "echo",
     .group = "hidden",
     .summary = "Returns its arguments. For tests.",
     .params = ECHO_PARAMS,
     .results = RPC_RESULTS({RPC_ANY, .text = "The arguments."}),
     .run = echo},
    {.name = "echoipc",
     .group = "hidden",
     .summary = "Returns its argument. For tests of processes that talk to each other, which "
                "this program does not start.",
     .params = RPC_PARAMS({"arg", RPC_STR, RPC_REQUIRED, "What comes back."}),
     .results = RPC_RESULTS({RPC_STR, .text = "The argument."}),
     .run = echo_text},
    {.name = "echojson",
     .group = "hidden",
     .summary = "Returns its arguments, which the command line takes for JSON. For tests.",
     .params = ECHO_PARAMS,
     .results = RPC_RESULTS({RPC_ANY, .text = "The arguments."}),
     .run = echo},
    {.name = "mockscheduler",
     .group = "hidden",
     .summary = "Moves the timers of the node ahead. For tests.",
     .params = RPC_PARAMS({"delta_time", RPC_NUM, RPC_REQUIRED, "Seconds."}),
     .results = RPC_RESULTS({RPC_NULL}),
     .run = mock_scheduler},
    {.name = "setmocktime",
     .group = "hidden",
     .summary = "Sets the time that the node takes for the present. For tests.",
     .params = RPC_PARAMS(
         {"timestamp", RPC_NUM, RPC_REQUIRED, "Seconds since 1970; 0: the real time again."}),
     .results = RPC_RESULTS({RPC_NULL}),
     .run = set_mock_time},
    {.name = "syncwithvalidationinterfacequeue",
     .group = "hidden",
     .summary = "Returns when everything asked before has been done and announced.",
     .results = RPC_RESULTS({RPC_NULL}),
     .run = sync_with_queue},
    {.name = NULL},
};
