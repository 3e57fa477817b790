/* From the bytes of a request to the bytes of the reply: versions, batches, named
 * arguments, and what is wrong with them. */
#include <stdlib.h>

#include "consensus/params.h"
#include "rpc/server.h"
#include "test.h"

static int64_t mock_s;
static bool has_stopped;

static void fake_stop(struct host *host)
{
    (void)host;
    has_stopped = true;
}

static bool fake_is_stopping(struct host *host)
{
    (void)host;
    return has_stopped;
}

static int64_t fake_time(struct host *host)
{
    (void)host;
    return 1700000000;
}

static uint64_t fake_monotonic(struct host *host)
{
    (void)host;
    return 5;
}

static int64_t fake_uptime(struct host *host)
{
    (void)host;
    return 42;
}

static void fake_mock(struct host *host, int64_t time_s)
{
    (void)host;
    mock_s = time_s;
}

static const char *fake_category(struct host *host, size_t index, bool *ret_is_on)
{
    (void)host;
    *ret_is_on = false;
    return index == 0 ? "net" : NULL;
}

static const struct host_ops fake_ops = {
    .log_category = fake_category,
    .stop = fake_stop,
    .is_stopping = fake_is_stopping,
    .now_s = fake_time,
    .monotonic_us = fake_monotonic,
    .uptime_s = fake_uptime,
    .set_mock_time = fake_mock,
};

static struct host host = {&fake_ops};
static struct rpc_context context = {.host = &host};

static struct rpc_server *start(void)
{
    struct rpc_server *server;

    context.params = params_of(NETWORK_REGTEST);
    context.check_results = true;
    server = rpc_server_new(&context);
    rpc_server_end_warmup(server);
    return server;
}

#define V2(rest) "{\"jsonrpc\":\"2.0\",\"id\":1," rest "}"
#define RESULT(text) "{\"jsonrpc\":\"2.0\",\"result\":" text ",\"id\":1}\n"
#define ERROR(code, text) \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" code ",\"message\":\"" text "\"},\"id\":1}\n"

static const struct {
    const char *request;
    int status;
    const char *reply;
} rows[] = {
    /* Versions. */
    {"{\"method\":\"uptime\",\"id\":1}", 200, "{\"result\":42,\"error\":null,\"id\":1}\n"},
    {"{\"jsonrpc\":\"1.0\",\"method\":\"uptime\",\"id\":\"x\"}", 200,
     "{\"result\":42,\"error\":null,\"id\":\"x\"}\n"},
    {"{\"version\":\"1.1\",\"method\":\"uptime\"}", 200, "{\"result\":42,\"error\":null}\n"},
    {V2("\"method\":\"uptime\""), 200, RESULT("42")},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"}", 204, ""},
    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"uptime\"}", 200,
     "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":null}\n"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"nonsuch\"}", 204, ""},
    {"{\"jsonrpc\":\"2.1\",\"method\":\"uptime\",\"id\":1}", 400,
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"JSON-RPC version not "
     "supported\"},\"id\":1}\n"},
    {"{\"jsonrpc\":2,\"method\":\"uptime\"}", 400,
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"jsonrpc field must be a "
     "string\"}}\n"},
    /* What is no request. */
    {"", 500,
     "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}\n"},
    {"7", 500,
     "{\"result\":null,\"error\":{\"code\":-32700,\"message\":\"Top-level object parse "
     "error\"},\"id\":null}\n"},
    {"{\"id\":1}", 400,
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"},\"id\":1}\n"},
    {"{\"id\":1,\"method\":7}", 400,
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Method must be a "
     "string\"},\"id\":1}\n"},
    {"{\"id\":1,\"method\":\"uptime\",\"params\":7}", 400,
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Params must be an array or "
     "object\"},\"id\":1}\n"},
    {"{\"id\":1,\"method\":\"nonsuch\"}", 404,
     "{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}\n"},
    {V2("\"method\":\"nonsuch\""), 200, ERROR("-32601", "Method not found")},
    /* Arguments. */
    {V2("\"method\":\"echo\",\"params\":[1,\"a\",null,{\"b\":[]}]"), 200,
     RESULT("[1,\"a\",null,{\"b\":[]}]")},
    {V2("\"method\":\"echo\",\"params\":{\"arg2\":5}"), 200, RESULT("[null,null,5]")},
    {V2("\"method\":\"echo\",\"params\":{\"args\":[1],\"arg2\":5}"), 200, RESULT("[1,null,5]")},
    {V2("\"method\":\"echo\",\"params\":{\"args\":[1,2]}"), 200, RESULT("[1,2]")},
    {V2("\"method\":\"echo\",\"params\":{\"args\":[1,2],\"arg1\":5}"), 200,
     ERROR("-8", "Parameter arg1 specified twice both as positional and named argument")},
    {V2("\"method\":\"echo\",\"params\":{\"nonsuch\":5}"), 200,
     ERROR("-8", "Unknown named parameter nonsuch")},
    {V2("\"method\":\"echo\",\"params\":{\"arg0\":5,\"arg0\":6}"), 200,
     ERROR("-8", "Parameter arg0 specified multiple times")},
    {V2("\"method\":\"setmocktime\",\"params\":[\"x\"]"), 200,
     ERROR("-3", "Wrong type passed:\\n{\\n    \\\"Position 1 (timestamp)\\\": \\\"JSON value of "
                 "type string is not of expected type number\\\"\\n}")},
    {V2("\"method\":\"setmocktime\",\"params\":[null]"), 200,
     ERROR("-3", "Wrong type passed:\\n{\\n    \\\"Position 1 (timestamp)\\\": \\\"JSON value of "
                 "type null is not of expected type number\\\"\\n}")},
    {V2("\"method\":\"setmocktime\",\"params\":[-1]"), 200,
     ERROR("-8", "Mocktime must be in the range [0, 4294967295], not -1.")},
    {V2("\"method\":\"setmocktime\",\"params\":[1.5]"), 200,
     ERROR("-1", "JSON integer out of range")},
    {V2("\"method\":\"setmocktime\",\"params\":[77]"), 200, RESULT("null")},
    {V2("\"method\":\"getmemoryinfo\",\"params\":[\"x\"]"), 200, ERROR("-8", "unknown mode x")},
    {V2("\"method\":\"stop\""), 200, RESULT("\"Assay stopping\"")},
    /* Batches. */
    {"[]", 200, "[]\n"},
    {"[" V2("\"method\":\"uptime\"") ",{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"}]", 200,
     "[{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":1}]\n"},
    {"[{\"jsonrpc\":\"2.0\",\"method\":\"uptime\"}]", 204, ""},
    {"[{\"method\":\"nonsuch\",\"id\":1},{\"pizza\":\"sausage\"}]", 200,
     "[{\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1},"
     "{\"result\":null,\"error\":{\"code\":-32600,\"message\":\"Missing method\"}}]\n"},
};

static void requests_get_their_replies(void)
{
    struct rpc_server *server = start();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf reply = {0};

        EXPECT_INT(
            rows[i].request,
            rpc_server_answer(server, &reply, span_of_string(rows[i].request), "u", "p", "/"),
            rows[i].status);
        EXPECT_STR(rows[i].request, buf_string(&reply), rows[i].reply);
        buf_clear(&reply);
    }
    EXPECT_INT("mock time arrived", mock_s, 77);
    EXPECT_TRUE("stop arrived", has_stopped);
    rpc_server_free(server);
}

static void wrong_counts_show_the_help(void)
{
    static const char *const requests[] = {
        V2("\"method\":\"setmocktime\""),
        V2("\"method\":\"setmocktime\",\"params\":[1,2]"),
        V2("\"method\":\"uptime\",\"params\":[1]"),
    };
    struct rpc_server *server = start();

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct buf reply = {0};

        (void)rpc_server_answer(server, &reply, span_of_string(requests[i]), "u", "p", "/");
        EXPECT_TRUE(requests[i], strstr(buf_string(&reply), "\"code\":-1,") != NULL);
        EXPECT_TRUE(requests[i], strstr(buf_string(&reply), "Result:\\n") != NULL);
        buf_clear(&reply);
    }
    rpc_server_free(server);
}

static void warmup_answers_nothing_else(void)
{
    struct buf reply = {0};
    struct rpc_server *server;

    server = rpc_server_new(&context);
    rpc_server_set_warmup(server, "Loading");
    (void)rpc_server_answer(server, &reply, span_of_string(V2("\"method\":\"uptime\"")), "u", "p",
                            "/");
    EXPECT_STR("warm-up", buf_string(&reply), ERROR("-28", "Loading"));
    buf_clear(&reply);
    rpc_server_free(server);
}

static bool only_uptime(void *unused, const char *user, const char *method)
{
    (void)unused;
    return strcmp(user, "nobody") != 0 && (method == NULL || strcmp(method, "uptime") == 0);
}

static void forbidden_methods_are_not_run(void)
{
    static const struct {
        const char *user;
        const char *request;
        int status;
    } cases[] = {
        {"u", V2("\"method\":\"uptime\""), 200},
        {"u", V2("\"method\":\"setmocktime\",\"params\":[99]"), 403},
        {"u",
         "[" V2("\"method\":\"uptime\"") "," V2("\"method\":\"setmocktime\",\"params\":[99]") "]",
         403},
        {"nobody", V2("\"method\":\"uptime\""), 403},
    };
    struct rpc_server *server = start();

    mock_s = 0;
    rpc_server_set_permit(server, only_uptime, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf reply = {0};

        EXPECT_INT(cases[i].request,
                   rpc_server_answer(server, &reply, span_of_string(cases[i].request),
                                     cases[i].user, "p", "/"),
                   cases[i].status);
        EXPECT_TRUE(cases[i].request, (reply.len == 0) == (cases[i].status == 403));
        buf_clear(&reply);
    }
    EXPECT_INT("never run", mock_s, 0);
    rpc_server_free(server);
}

static void every_method_explains_itself(void)
{
    size_t n;
    const struct rpc_method *const *methods = rpc_methods(&n);
    struct rpc_server *server = start();

    for (size_t i = 0; i < n; i++) {
        struct buf request = {0};
        struct buf reply = {0};

        EXPECT_TRUE(methods[i]->name, methods[i]->run != NULL && methods[i]->results != NULL);
        buf_add_printf(&request, V2("\"method\":\"help\",\"params\":[\"%s\"]"), methods[i]->name);
        EXPECT_INT(methods[i]->name,
                   rpc_server_answer(server, &reply, span_of_buf(&request), "u", "p", "/"), 200);
        EXPECT_TRUE(methods[i]->name, strstr(buf_string(&reply), methods[i]->name) != NULL);
        if (strcmp(methods[i]->group, "hidden") != 0)
            EXPECT_TRUE(methods[i]->name, strstr(buf_string(&reply), "Examples:") != NULL);
        buf_clear(&request);
        buf_clear(&reply);
    }
    rpc_server_free(server);
}

TEST_LIST(TEST(requests_get_their_replies), TEST(wrong_counts_show_the_help),
          TEST(warmup_answers_nothing_else), TEST(forbidden_methods_are_not_run),
          TEST(every_method_explains_itself))
