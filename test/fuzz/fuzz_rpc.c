/* Target: RPC requests. Whatever comes, the answer is JSON: one object with a
 * result or an error (both keys before 2.0), a list of such, or nothing with
 * status 204. Calls the methods that need no chain. */
#include <string.h>

#include "base/check.h"
#include "consensus/params.h"
#include "rpc/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void fake_stop(struct host *host)
{
    (void)host;
}

static int64_t fake_zero(struct host *host)
{
    (void)host;
    return 0;
}

static uint64_t fake_us(struct host *host)
{
    (void)host;
    return 0;
}

static void fake_set(struct host *host, int64_t value)
{
    (void)host;
    (void)value;
}

static void fake_memory(struct host *host, struct host_memory *ret_memory)
{
    (void)host;
    *ret_memory = (struct host_memory){0};
}

static const char *fake_category(struct host *host, size_t index, bool *ret_is_on)
{
    (void)host;
    *ret_is_on = false;
    return index == 0 ? "net" : NULL;
}

static bool fake_log(struct host *host, const char *category, bool is_on)
{
    (void)host;
    (void)is_on;
    return strcmp(category, "net") == 0;
}

static const char *fake_path(struct host *host)
{
    (void)host;
    return "/debug.log";
}

static const struct host_ops fake_ops = {
    .stop = fake_stop,
    .now_s = fake_zero,
    .monotonic_us = fake_us,
    .uptime_s = fake_zero,
    .sleep_ms = fake_set,
    .set_mock_time = fake_set,
    .advance_timers = fake_set,
    .memory = fake_memory,
    .log_category = fake_category,
    .set_log = fake_log,
    .log_path = fake_path,
};

static bool is_chainless(void *context, const char *user, const char *method)
{
    static const char *const names[] = {
        "echo",       "echojson",      "help",        "uptime",         "logging",     "stop",
        "getrpcinfo", "getmemoryinfo", "setmocktime", "getopenrpcinfo", "rpc.discover"};

    (void)context;
    (void)user;
    for (size_t i = 0; method != NULL && i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], method) == 0)
            return true;
    }
    return method == NULL || rpc_method_find(method) == NULL;
}

static void check_object(const struct json *reply)
{
    const struct json *result = json_find(reply, "result");
    const struct json *error = json_find(reply, "error");
    bool is_v2 = json_find(reply, "jsonrpc") != NULL;

    CHECK(reply->type == JSON_OBJECT);
    if (is_v2) {
        CHECK((result == NULL) != (error == NULL));
    } else {
        CHECK(result != NULL && error != NULL);
        CHECK(result->type == JSON_NULL || error->type == JSON_NULL);
    }
    if (error != NULL && error->type != JSON_NULL) {
        CHECK(json_find(error, "code") != NULL && json_find(error, "code")->type == JSON_NUMBER);
        CHECK(json_find(error, "message") != NULL &&
              json_find(error, "message")->type == JSON_STRING);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct host host = {&fake_ops};
    struct rpc_context context = {.host = &host, .params = params_of(NETWORK_REGTEST)};
    struct rpc_server *server = rpc_server_new(&context);
    struct buf reply = {0};
    struct arena arena;
    struct json value;
    int status;

    arena_init(&arena);
    rpc_server_end_warmup(server);
    rpc_server_set_permit(server, is_chainless, NULL);
    status = rpc_server_answer(server, &reply, span_of(data, len), "u", "p", "/");
    if (status == 204 || status == 403) {
        CHECK(reply.len == 0);
    } else {
        CHECK(json_read(&value, (const char *)reply.data, reply.len, &arena, NULL) == 0);
        if (value.type == JSON_ARRAY) {
            for (uint32_t i = 0; i < value.count; i++)
                check_object(&value.items[i]);
        } else {
            check_object(&value);
        }
    }
    buf_clear(&reply);
    arena_clear(&arena);
    rpc_server_free(server);
    return 0;
}
