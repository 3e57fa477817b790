#include "asking.h"

#include "base/alloc.h"

#define NOW_S 1700000000

static bool is_stopping(struct host *host)
{
    (void)host;
    return false;
}

static int64_t now_s(struct host *host)
{
    (void)host;
    return NOW_S;
}

static uint64_t monotonic_us(struct host *host)
{
    (void)host;
    return 1;
}

static char *data_path(struct host *host, const char *path)
{
    (void)host;
    return alloc_printf("/node/%s", path);
}

static const struct host_ops ops = {
    .is_stopping = is_stopping,
    .now_s = now_s,
    .monotonic_us = monotonic_us,
    .data_path = data_path,
};

void asking_context(struct rpc_context *ret_context, const struct params *params)
{
    static struct host host = {&ops};

    *ret_context = (struct rpc_context){.host = &host, .params = params, .check_results = true};
}

bool asking_check(struct rpc_server *server, const struct asking *rows, size_t n)
{
    bool is_good = true;

    for (size_t i = 0; i < n; i++) {
        struct buf request = {0};
        struct buf reply = {0};
        struct buf want = {0};

        buf_add_printf(&request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
                       rows[i].method, rows[i].params);
        buf_add_printf(&want, "{\"jsonrpc\":\"2.0\",%s,\"id\":1}\n", rows[i].reply);
        EXPECT_INT(rows[i].method,
                   rpc_server_answer(server, &reply, span_of_buf(&request), "u", "p", "/"), 200);
        is_good =
            EXPECT_STR(buf_string(&request), buf_string(&reply), buf_string(&want)) && is_good;
        buf_clear(&request);
        buf_clear(&reply);
        buf_clear(&want);
    }
    return is_good;
}
