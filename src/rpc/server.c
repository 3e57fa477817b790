#include "rpc/server.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "rpc/check.h"
#include "rpc/help.h"

#define HTTP_OK 200
#define HTTP_NO_CONTENT 204
#define HTTP_BAD_REQUEST 400
#define HTTP_FORBIDDEN 403
#define HTTP_NOT_FOUND 404
#define HTTP_SERVER_ERROR 500

/* A call going on; lives on the stack of its thread. */
struct active {
    const char *method;
    uint64_t start_us;
    struct active *next;
    struct active **link;
};

struct rpc_server {
    struct rpc_context *context;
    rpc_permit_fn *permit;
    void *permit_context;
    pthread_mutex_t mutex; /* Over what follows. */
    char *warmup;          /* NULL: over. */
    struct active *active; /* The oldest first. */
    struct active **active_end;
};

/* Who asks, and what for. Carried over from one request of a batch to the next:
 * one that is no object is answered with the id of the one before it. */
struct request {
    struct rpc_server *server;
    const char *user;
    const char *peer;
    const char *uri;
    bool is_v2;
    bool has_id;
    struct json id;
    const char *method;
    const struct json *params; /* NULL: none. */
};

struct rpc_server *rpc_server_new(struct rpc_context *context)
{
    struct rpc_server *server = alloc_zero(sizeof(*server));

    server->context = context;
    context->server = server;
    CHECK(pthread_mutex_init(&server->mutex, NULL) == 0);
    server->warmup = alloc_string("RPC server started");
    server->active_end = &server->active;
    return server;
}

void rpc_server_free(struct rpc_server *own_server)
{
    if (own_server == NULL)
        return;
    CHECK(own_server->active == NULL);
    (void)pthread_mutex_destroy(&own_server->mutex);
    free(own_server->warmup);
    free(own_server);
}

void rpc_server_set_warmup(struct rpc_server *server, const char *text)
{
    char *copy = alloc_string(text);

    (void)pthread_mutex_lock(&server->mutex);
    free(server->warmup);
    server->warmup = copy;
    (void)pthread_mutex_unlock(&server->mutex);
}

void rpc_server_end_warmup(struct rpc_server *server)
{
    (void)pthread_mutex_lock(&server->mutex);
    free(server->warmup);
    server->warmup = NULL;
    (void)pthread_mutex_unlock(&server->mutex);
}

void rpc_server_set_permit(struct rpc_server *server, rpc_permit_fn *permit, void *context)
{
    server->permit = permit;
    server->permit_context = context;
}

void rpc_server_visit_calls(struct rpc_server *server,
                            void (*visit)(void *context, const char *method, uint64_t duration_us),
                            void *context)
{
    struct host *host = server->context->host;
    uint64_t now_us = host->ops->monotonic_us(host);

    (void)pthread_mutex_lock(&server->mutex);
    for (const struct active *a = server->active; a != NULL; a = a->next)
        visit(context, a->method, now_us - MIN(now_us, a->start_us));
    (void)pthread_mutex_unlock(&server->mutex);
}

static void active_begin(struct rpc_server *server, struct active *active, const char *method)
{
    struct host *host = server->context->host;

    active->method = method;
    active->start_us = host->ops->monotonic_us(host);
    active->next = NULL;
    (void)pthread_mutex_lock(&server->mutex);
    active->link = server->active_end;
    *server->active_end = active;
    server->active_end = &active->next;
    (void)pthread_mutex_unlock(&server->mutex);
}

static void active_end(struct rpc_server *server, struct active *active)
{
    (void)pthread_mutex_lock(&server->mutex);
    *active->link = active->next;
    if (active->next != NULL)
        active->next->link = active->link;
    else
        server->active_end = active->link;
    (void)pthread_mutex_unlock(&server->mutex);
}

/* The reason why nothing can be called yet, copied to the call's arena. */
static int check_warmup(struct rpc_server *server, struct rpc_call *call)
{
    int rc = 0;

    (void)pthread_mutex_lock(&server->mutex);
    if (server->warmup != NULL)
        rc = rpc_fail(call, RPC_IN_WARMUP, "%s", server->warmup);
    (void)pthread_mutex_unlock(&server->mutex);
    return rc;
}

static int fail_with_help(struct rpc_call *call)
{
    struct buf text = {0};

    rpc_help_method(&text, call->method);
    call->error_code = RPC_MISC_ERROR;
    call->error_message = arena_alloc(call->arena, text.len + 1);
    memcpy(call->error_message, buf_string(&text), text.len + 1);
    buf_clear(&text);
    return -1;
}

static void place_positional(struct rpc_call *call, const struct json *params)
{
    uint32_t n = params == NULL ? 0 : params->count;
    const struct json **args = arena_array(call->arena, n + 1U, sizeof(*args));

    for (uint32_t i = 0; i < n; i++)
        args[i] = &params->items[i];
    call->args = args;
    call->args_n = n;
}

/* Runs the method; the result is appended to reply. 0 or negative, see
 * rpc_fail. */
static int execute(struct rpc_call *call, const struct request *request, struct buf *reply)
{
    struct json_writer out;
    size_t start = reply->len;
    struct active active;
    int rc = check_warmup(request->server, call);

    if (rc < 0)
        return rc;
    call->method = rpc_method_find(request->method);
    if (call->method == NULL)
        return rpc_fail(call, RPC_METHOD_NOT_FOUND, "Method not found");
    active_begin(request->server, &active, call->method->name);
    json_writer_init(&out, reply, 0);
    call->out = &out;
    if (request->params != NULL && request->params->type == JSON_OBJECT)
        rc = rpc_place_named(call, request->params);
    else
        place_positional(call, request->params);
    if (rc == 0 && !rpc_args_count_fits(call->method, call->args_n))
        rc = fail_with_help(call);
    if (rc == 0)
        rc = rpc_check_args(call);
    if (rc == 0)
        rc = call->method->run(call);
    if (rc == 0 && call->context->check_results)
        rc = rpc_check_result(call, span_of(reply->data + start, reply->len - start));
    active_end(request->server, &active);
    return rc;
}

static void write_error(struct buf *reply, int code, const char *message)
{
    struct json_writer w;

    json_writer_init(&w, reply, 0);
    json_begin_object(&w);
    json_put_int(&w, "code", code);
    json_put_string(&w, "message", message);
    json_end_object(&w);
}

static void write_id(struct buf *reply, const struct request *request)
{
    struct json_writer w;

    if (request->has_id) {
        buf_add_string(reply, ",\"id\":");
        json_writer_init(&w, reply, 0);
        json_value(&w, &request->id);
    }
    buf_add_byte(reply, '}');
}

static void write_failure(struct buf *reply, const struct request *request, int code,
                          const char *message)
{
    buf_add_string(reply, request->is_v2 ? "{\"jsonrpc\":\"2.0\",\"error\":"
                                         : "{\"result\":null,\"error\":");
    write_error(reply, code, message);
    write_id(reply, request);
}

/* One parsed request, executed; its reply object is appended. Returns the code of
 * the error, 0 for none. */
static int answer_call(const struct request *request, struct arena *arena, struct buf *reply)
{
    struct rpc_call call = {
        .context = request->server->context,
        .arena = arena,
        .user = request->user,
        .uri = request->uri,
    };
    size_t start = reply->len;

    buf_add_string(reply, request->is_v2 ? "{\"jsonrpc\":\"2.0\",\"result\":" : "{\"result\":");
    if (execute(&call, request, reply) < 0) {
        reply->len = start;
        write_failure(reply, request, call.error_code, call.error_message);
        return call.error_code;
    }
    if (!request->is_v2)
        buf_add_string(reply, ",\"error\":null");
    write_id(reply, request);
    return 0;
}

/* Text that a stranger sent, fit for a log line. */
static const char *log_safe(struct arena *arena, const char *text)
{
    size_t len = strnlen(text, 200);
    char *safe = arena_alloc(arena, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (isalnum((unsigned char)text[i]) || strchr(" .,;-_/:?@()", text[i]) != NULL)
            safe[n++] = text[i];
    }
    safe[n] = '\0';
    return safe;
}

static void log_request(const struct request *request, struct arena *arena)
{
    const char *method;
    const char *id;

    if (!log_is_wanted(LOG_DEBUG, "rpc"))
        return;
    method = log_safe(arena, request->method);
    id = request->has_id ? log_safe(arena, json_text(&request->id)) : "";
    if (request->server->context->log_ips)
        log_debug("rpc", "ThreadRPCServer method=%s user=%s peeraddr=%s id=%s", method,
                  request->user, request->peer, id);
    else
        log_debug("rpc", "ThreadRPCServer method=%s user=%s id=%s", method, request->user, id);
}

/* Fills request. NULL, or why it is none. */
static const char *read_request(struct request *request, const struct json *value,
                                struct arena *arena)
{
    const struct json *member;

    if (value->type != JSON_OBJECT)
        return "Invalid Request object";
    member = json_find(value, "id");
    request->has_id = member != NULL;
    if (member != NULL)
        request->id = *member;
    request->is_v2 = false;
    member = json_find(value, "jsonrpc");
    if (member != NULL && member->type != JSON_NULL) {
        if (member->type != JSON_STRING)
            return "jsonrpc field must be a string";
        request->is_v2 = json_is_string(member, "2.0");
        if (!request->is_v2 && !json_is_string(member, "1.0"))
            return "JSON-RPC version not supported";
    }
    member = json_find(value, "method");
    if (member == NULL || member->type == JSON_NULL)
        return "Missing method";
    if (member->type != JSON_STRING)
        return "Method must be a string";
    request->method = json_text(member);
    log_request(request, arena);
    member = json_find(value, "params");
    request->params = member;
    if (member == NULL || member->type == JSON_NULL)
        request->params = NULL;
    else if (member->type != JSON_ARRAY && member->type != JSON_OBJECT)
        return "Params must be an array or object";
    return NULL;
}

static bool is_permitted(const struct request *request, const char *method)
{
    struct rpc_server *server = request->server;

    if (server->permit == NULL || server->permit(server->permit_context, request->user, method))
        return true;
    log_warning("rpc", "RPC User %s not allowed to call method %s", request->user, method);
    return false;
}

static int status_of(int code)
{
    if (code == RPC_INVALID_REQUEST)
        return HTTP_BAD_REQUEST;
    if (code == RPC_METHOD_NOT_FOUND)
        return HTTP_NOT_FOUND;
    return HTTP_SERVER_ERROR;
}

/* 2.0 reports errors in the body only; before, the status told as well. */
static int answer_single(struct request *request, const struct json *value, struct arena *arena,
                         struct buf *reply)
{
    const char *why = read_request(request, value, arena);
    int code;

    if (why != NULL) {
        /* The version may be what is wrong: such errors have the older form. */
        bool is_v2 = request->is_v2;

        request->is_v2 = false;
        write_failure(reply, request, RPC_INVALID_REQUEST, why);
        request->is_v2 = is_v2;
        return HTTP_BAD_REQUEST;
    }
    if (!is_permitted(request, request->method))
        return HTTP_FORBIDDEN;
    code = answer_call(request, arena, reply);
    if (!request->is_v2)
        return code == 0 ? HTTP_OK : status_of(code);
    if (!request->has_id) {
        reply->len = 0;
        return HTTP_NO_CONTENT;
    }
    return HTTP_OK;
}

/* Whether the user may call all of them is settled before the first one runs. What
 * is no request at all gets its own error later. */
static bool batch_is_permitted(const struct request *request, const struct json *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct json *method = json_find(&batch->items[i], "method");

        if (method != NULL && method->type == JSON_STRING &&
            !is_permitted(request, json_text(method)))
            return false;
    }
    return true;
}

static int answer_batch(struct request *request, const struct json *batch, struct buf *reply)
{
    size_t answered_n = 0;
    struct arena arena;

    if (!batch_is_permitted(request, batch))
        return HTTP_FORBIDDEN;
    if (batch->count > RPC_BATCH_MAX) {
        write_failure(reply, request, RPC_INVALID_REQUEST, "Too many requests in one batch");
        return HTTP_BAD_REQUEST;
    }
    arena_init(&arena);
    buf_add_byte(reply, '[');
    for (uint32_t i = 0; i < batch->count; i++) {
        size_t start = reply->len;
        const char *why = read_request(request, &batch->items[i], &arena);

        if (answered_n > 0)
            buf_add_byte(reply, ',');
        if (why != NULL)
            write_failure(reply, request, RPC_INVALID_REQUEST, why);
        else
            (void)answer_call(request, &arena, reply);
        if (request->is_v2 && !request->has_id)
            reply->len = start; /* A notification. */
        else
            answered_n++;
        arena_reset(&arena);
    }
    arena_clear(&arena);
    if (answered_n == 0 && batch->count > 0) {
        reply->len = 0;
        return HTTP_NO_CONTENT;
    }
    buf_add_byte(reply, ']');
    return HTTP_OK;
}

int rpc_server_answer(struct rpc_server *server, struct buf *reply, struct span body,
                      const char *user, const char *peer, const char *uri)
{
    struct request request = {
        .server = server,
        .user = user,
        .peer = peer,
        .uri = uri,
        .has_id = true,
    };
    struct arena arena;
    struct json value;
    int status = HTTP_SERVER_ERROR;

    arena_init(&arena);
    if (server->permit != NULL && !server->permit(server->permit_context, user, NULL)) {
        log_warning("rpc", "RPC User %s not allowed to call any methods", user);
        status = HTTP_FORBIDDEN;
    } else if (json_read(&value, (const char *)body.data, body.len, &arena, NULL) < 0) {
        write_failure(reply, &request, RPC_PARSE_ERROR, "Parse error");
    } else if (value.type == JSON_OBJECT) {
        status = answer_single(&request, &value, &arena, reply);
    } else if (value.type == JSON_ARRAY) {
        status = answer_batch(&request, &value, reply);
    } else {
        write_failure(reply, &request, RPC_PARSE_ERROR, "Top-level object parse error");
    }
    if (reply->len > 0)
        buf_add_byte(reply, '\n');
    arena_clear(&arena);
    return status;
}
