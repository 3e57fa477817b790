#include "rpc/openrpc.h"

#include <string.h>

#include "base/alloc.h"
#include "rpc/version.h"

static void write_type(struct json_writer *w, const char *type)
{
    json_put_string(w, "type", type);
}

static void write_one_of(struct json_writer *w, const char *a, const char *b)
{
    json_key(w, "oneOf");
    json_begin_array(w);
    json_begin_object(w);
    write_type(w, a);
    json_end_object(w);
    json_begin_object(w);
    write_type(w, b);
    json_end_object(w);
    json_end_array(w);
}

static void write_name(struct json_writer *w, const char *key, const char *names)
{
    json_key(w, key);
    json_string_span(w, span_of(names, strcspn(names, "|")));
}

static void write_param_schema(struct json_writer *w, const struct rpc_param *param,
                               bool with_hidden);

static void write_items(struct json_writer *w, const struct rpc_param *param, bool with_hidden)
{
    size_t n = rpc_params_count(param->inner);

    json_key(w, "items");
    json_begin_object(w);
    if (n == 1)
        write_param_schema(w, param->inner, with_hidden);
    if (n > 1) {
        json_key(w, (param->flags & RPC_ANY_TYPE) != 0 ? "anyOf" : "oneOf");
        json_begin_array(w);
        for (size_t i = 0; i < n; i++) {
            json_begin_object(w);
            write_param_schema(w, &param->inner[i], with_hidden);
            json_end_object(w);
        }
        json_end_array(w);
    }
    json_end_object(w);
}

static void write_param_flags(struct json_writer *w, const struct rpc_param *param)
{
    if ((param->flags & RPC_OBSOLETE) != 0)
        json_put_bool(w,
                      "x-bitcoin-place"
                      "holder",
                      true); /* So named by its readers. */
    if ((param->flags & RPC_ALSO_POSITIONAL) != 0)
        json_put_bool(w, "x-bitcoin-also-positional", true);
    if (param->text != NULL && param->text[0] != '\0')
        json_put_string(w, "description", param->text);
}

static void write_properties(struct json_writer *w, const struct rpc_param *param, bool with_hidden)
{
    size_t n = rpc_params_count(param->inner);
    size_t required_n = 0;

    write_type(w, "object");
    json_key(w, "properties");
    json_begin_object(w);
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *inner = &param->inner[i];

        if ((inner->flags & RPC_HIDDEN) != 0 && !with_hidden)
            continue;
        json_key_span(w, span_of(inner->names, strcspn(inner->names, "|")));
        json_begin_object(w);
        write_param_schema(w, inner, with_hidden);
        write_param_flags(w, inner);
        json_end_object(w);
        required_n += !rpc_param_is_optional(inner);
    }
    json_end_object(w);
    json_put_bool(w, "additionalProperties", false);
    if (required_n == 0)
        return;
    json_key(w, "required");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        if (!rpc_param_is_optional(&param->inner[i]))
            json_string_span(w,
                             span_of(param->inner[i].names, strcspn(param->inner[i].names, "|")));
    }
    json_end_array(w);
}

static void write_range(struct json_writer *w)
{
    json_key(w, "oneOf");
    json_begin_array(w);
    json_begin_object(w);
    write_type(w, "number");
    json_end_object(w);
    json_begin_object(w);
    write_type(w, "array");
    json_key(w, "items");
    json_begin_array(w);
    for (int i = 0; i < 2; i++) {
        json_begin_object(w);
        write_type(w, "number");
        json_end_object(w);
    }
    json_end_array(w);
    json_put_bool(w, "additionalItems", false);
    json_put_int(w, "minItems", 2);
    json_put_int(w, "maxItems", 2);
    json_end_object(w);
    json_end_array(w);
}

/* The members of a schema for values of param's type. */
static void write_param_type(struct json_writer *w, const struct rpc_param *param, bool with_hidden)
{
    switch (param->type) {
    case RPC_STR:
        write_type(w, "string");
        break;
    case RPC_HEX:
        write_type(w, "string");
        json_put_string(w, "pattern", "^[0-9a-fA-F]+$");
        break;
    case RPC_NUM:
    case RPC_TIME:
        write_type(w, "number");
        break;
    case RPC_BOOL:
        write_type(w, "boolean");
        break;
    case RPC_AMOUNT:
        write_one_of(w, "number", "string");
        break;
    case RPC_RANGE:
        write_range(w);
        break;
    case RPC_ARR:
    case RPC_ARR_FIXED:
        write_type(w, "array");
        write_items(w, param, with_hidden);
        break;
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
        write_properties(w, param, with_hidden);
        break;
    case RPC_OBJ_USER:
    case RPC_OBJ_DYN:
        write_type(w, "object");
        json_key(w, "additionalProperties");
        json_begin_object(w);
        if (param->inner != NULL)
            write_param_schema(w, param->inner, with_hidden);
        json_end_object(w);
        break;
    case RPC_NULL:
    case RPC_ANY:
        break;
    }
}

static void write_param_schema(struct json_writer *w, const struct rpc_param *param,
                               bool with_hidden)
{
    if ((param->flags & RPC_ANY_TYPE) == 0)
        write_param_type(w, param, with_hidden);
    else if (param->type_text != NULL && strstr(param->type_text, "string") != NULL)
        write_one_of(w, "integer", "string");
    if (param->fallback == NULL || param->fallback[0] == '\0')
        return;
    if (param->fallback[0] == '=') {
        json_key(w, "default");
        json_raw(w, span_of_string(param->fallback + 1));
    } else {
        json_put_string(w, "x-bitcoin-default-hint", param->fallback + 1);
    }
}

static void write_result_schema(struct json_writer *w, const struct rpc_result *result);

static void write_result_keys(struct json_writer *w, const struct rpc_result *result)
{
    bool has_required = false;

    write_type(w, "object");
    json_key(w, "properties");
    json_begin_object(w);
    for (const struct rpc_result *inner = result->inner; inner != NULL && !inner->is_end; inner++) {
        json_key(w, inner->key);
        json_begin_object(w);
        write_result_schema(w, inner);
        if (inner->text != NULL && inner->text[0] != '\0')
            json_put_string(w, "description", inner->text);
        json_end_object(w);
        has_required = has_required || (inner->flags & RPC_OPTIONAL) == 0;
    }
    json_end_object(w);
    json_put_bool(w, "additionalProperties", false);
    if (!has_required)
        return;
    json_key(w, "required");
    json_begin_array(w);
    for (const struct rpc_result *inner = result->inner; !inner->is_end; inner++) {
        if ((inner->flags & RPC_OPTIONAL) == 0)
            json_string(w, inner->key);
    }
    json_end_array(w);
}

static void write_result_list(struct json_writer *w, const struct rpc_result *result)
{
    uint64_t n = 0;

    write_type(w, "array");
    json_key(w, "items");
    if (result->type == RPC_ARR) {
        json_begin_object(w);
        write_result_schema(w, result->inner);
        json_end_object(w);
        return;
    }
    json_begin_array(w);
    for (; !result->inner[n].is_end; n++) {
        json_begin_object(w);
        write_result_schema(w, &result->inner[n]);
        json_end_object(w);
    }
    json_end_array(w);
    json_put_bool(w, "additionalItems", false);
    json_put_uint(w, "minItems", n);
    json_put_uint(w, "maxItems", n);
}

static void write_result_schema(struct json_writer *w, const struct rpc_result *result)
{
    switch (result->type) {
    case RPC_STR:
        write_type(w, "string");
        break;
    case RPC_HEX:
        write_type(w, "string");
        json_put_string(w, "pattern", "^[0-9a-fA-F]+$");
        break;
    case RPC_NUM:
    case RPC_RANGE:
        write_type(w, "number");
        break;
    case RPC_AMOUNT:
        write_type(w, "number");
        json_put_string(w, "x-bitcoin-unit", "amount");
        break;
    case RPC_TIME:
        write_type(w, "number");
        json_put_string(w, "x-bitcoin-unit", "unix-time");
        break;
    case RPC_BOOL:
        write_type(w, "boolean");
        break;
    case RPC_NULL:
        write_type(w, "null");
        break;
    case RPC_ARR:
    case RPC_ARR_FIXED:
        write_result_list(w, result);
        break;
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
    case RPC_OBJ_USER:
        write_result_keys(w, result);
        break;
    case RPC_OBJ_DYN:
        write_type(w, "object");
        json_key(w, "additionalProperties");
        json_begin_object(w);
        write_result_schema(w, result->inner);
        json_end_object(w);
        break;
    case RPC_ANY:
        break;
    }
}

static void write_param(struct json_writer *w, const struct rpc_param *param, bool with_hidden)
{
    const char *alias = strchr(param->names, '|');

    json_begin_object(w);
    write_name(w, "name", param->names);
    json_put_bool(w, "required", !rpc_param_is_optional(param));
    json_key(w, "schema");
    json_begin_object(w);
    write_param_schema(w, param, with_hidden);
    json_end_object(w);
    if (alias != NULL) {
        json_key(w, "x-bitcoin-aliases");
        json_begin_array(w);
        while (alias != NULL) {
            json_string_span(w, span_of(alias + 1, strcspn(alias + 1, "|")));
            alias = strchr(alias + 1, '|');
        }
        json_end_array(w);
    }
    write_param_flags(w, param);
    json_end_object(w);
}

/* One schema, or a choice of them when the result has several forms. */
static void write_result(struct json_writer *w, const struct rpc_result *results)
{
    size_t n = 0;
    const struct rpc_result *only = NULL;

    for (const struct rpc_result *r = results; !r->is_end; r++) {
        if (r->type != RPC_ANY) {
            only = r;
            n++;
        }
    }
    json_key(w, "result");
    json_begin_object(w);
    json_put_string(w, "name", "result");
    json_key(w, "schema");
    json_begin_object(w);
    if (n == 1)
        write_result_schema(w, only);
    if (n > 1) {
        json_key(w, "oneOf");
        json_begin_array(w);
        for (const struct rpc_result *r = results; !r->is_end; r++) {
            if (r->type == RPC_ANY)
                continue;
            json_begin_object(w);
            write_result_schema(w, r);
            if (r->when != NULL)
                json_put_string(w, "description", r->when);
            json_end_object(w);
        }
        json_end_array(w);
    }
    json_end_object(w);
    json_end_object(w);
}

void openrpc_write(struct json_writer *w, bool with_hidden)
{
    size_t n;
    const struct rpc_method *const *methods = rpc_methods(&n);

    json_begin_object(w);
    json_put_string(w, "openrpc", OPENRPC_VERSION);
    json_key(w, "info");
    json_begin_object(w);
    json_put_string(w, "title", CLIENT_NAME " JSON-RPC");
    json_put_string(w, "version", "v" CLIENT_VERSION_TEXT);
    json_put_string(w, "description", "Made from the table of methods of " CLIENT_NAME ".");
    json_end_object(w);
    json_key(w, "methods");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = methods[i]->params;

        if (strcmp(methods[i]->group, "hidden") == 0 && !with_hidden)
            continue;
        json_begin_object(w);
        json_put_string(w, "name", methods[i]->name);
        json_put_string(w, "description", methods[i]->summary);
        json_key(w, "params");
        json_begin_array(w);
        for (; param != NULL && param->names != NULL; param++) {
            if ((param->flags & RPC_HIDDEN) == 0 || with_hidden)
                write_param(w, param, with_hidden);
        }
        json_end_array(w);
        write_result(w, methods[i]->results);
        json_put_string(w, "x-bitcoin-category", methods[i]->group);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}
