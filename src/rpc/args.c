#include "rpc/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "codec/decimal.h"
#include "primitives/amount.h"

const struct json *rpc_arg(const struct rpc_call *call, size_t index)
{
    if (index >= call->args_n || call->args[index]->type == JSON_NULL)
        return NULL;
    return call->args[index];
}

int rpc_fail_type(struct rpc_call *call, const struct json *value, const char *expected)
{
    return rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type %s",
                    json_type_name(value->type), expected);
}

/* The declared default, read as JSON. Its absence is a fault of the table. */
static const struct json *default_of(struct rpc_call *call, size_t index)
{
    const struct rpc_param *param = &call->method->params[index];
    struct json *value = arena_alloc(call->arena, sizeof(*value));

    CHECK(index < rpc_params_count(call->method->params));
    CHECK(param->fallback != NULL && param->fallback[0] == '=');
    CHECK(json_read(value, param->fallback + 1, strlen(param->fallback + 1), call->arena, NULL) ==
          0);
    return value;
}

static const struct json *arg_or_default(struct rpc_call *call, size_t index)
{
    const struct json *given = rpc_arg(call, index);

    return given != NULL ? given : default_of(call, index);
}

int rpc_value_bool(struct rpc_call *call, bool *ret_value, const struct json *value)
{
    if (value->type != JSON_BOOL)
        return rpc_fail_type(call, value, "bool");
    *ret_value = value->truth;
    return 0;
}

int rpc_value_int(struct rpc_call *call, int64_t *ret_value, const struct json *value,
                  int64_t least, int64_t greatest)
{
    if (value->type != JSON_NUMBER)
        return rpc_fail_type(call, value, "number");
    if (!json_get_int64(ret_value, value) || *ret_value < least || *ret_value > greatest)
        return rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
    return 0;
}

int rpc_value_string(struct rpc_call *call, const char **ret_text, const struct json *value)
{
    if (value->type != JSON_STRING)
        return rpc_fail_type(call, value, "string");
    *ret_text = json_text(value);
    return 0;
}

int rpc_value_hash(struct rpc_call *call, uint8_t *ret_hash, const struct json *value,
                   const char *name)
{
    const char *text = NULL;
    int rc = rpc_value_string(call, &text, value);

    if (rc < 0)
        return rc;
    if (value->text.len != 2 * HASH_BYTES)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be of length %d (not %zu, for '%s')",
                        name, 2 * HASH_BYTES, value->text.len, text);
    if (!hex_read_reversed(ret_hash, HASH_BYTES, text, value->text.len))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')",
                        name, text);
    return 0;
}

int rpc_value_hex(struct rpc_call *call, struct span *ret_bytes, const struct json *value,
                  const char *name)
{
    const char *text = NULL;
    uint8_t *bytes;
    int rc = rpc_value_string(call, &text, value);

    if (rc < 0)
        return rc;
    bytes = arena_alloc(call->arena, value->text.len / 2 + 1);
    if (value->text.len % 2 != 0 || !hex_read(bytes, value->text.len / 2, text, value->text.len))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')",
                        name, text);
    *ret_bytes = span_of(bytes, value->text.len / 2);
    return 0;
}

int rpc_value_amount(struct rpc_call *call, int64_t *ret_sat, const struct json *value,
                     int decimals)
{
    CHECK(decimals >= 0);
    if (value->type != JSON_NUMBER && value->type != JSON_STRING)
        return rpc_fail(call, RPC_TYPE_ERROR, "Amount is not a number or string");
    if (!decimal_read(ret_sat, json_text(value), value->text.len, (unsigned)decimals))
        return rpc_fail(call, RPC_TYPE_ERROR, "Invalid amount");
    if (!money_in_range(*ret_sat))
        return rpc_fail(call, RPC_TYPE_ERROR, "Amount out of range");
    return 0;
}

int rpc_arg_bool(struct rpc_call *call, bool *ret_value, size_t index)
{
    return rpc_value_bool(call, ret_value, arg_or_default(call, index));
}

int rpc_arg_int(struct rpc_call *call, int64_t *ret_value, size_t index, int64_t least,
                int64_t greatest)
{
    return rpc_value_int(call, ret_value, arg_or_default(call, index), least, greatest);
}

int rpc_arg_string(struct rpc_call *call, const char **ret_text, size_t index)
{
    return rpc_value_string(call, ret_text, arg_or_default(call, index));
}

/* The parameter's first name, which errors call it by. */
static const char *param_name(struct rpc_call *call, size_t index)
{
    const char *names = call->method->params[index].names;
    size_t len = strcspn(names, "|");
    char *name = arena_alloc(call->arena, len + 1);

    memcpy(name, names, len);
    name[len] = '\0';
    return name;
}

int rpc_arg_hash(struct rpc_call *call, uint8_t *ret_hash, size_t index)
{
    return rpc_value_hash(call, ret_hash, arg_or_default(call, index), param_name(call, index));
}

int rpc_arg_hex(struct rpc_call *call, struct span *ret_bytes, size_t index)
{
    return rpc_value_hex(call, ret_bytes, arg_or_default(call, index), param_name(call, index));
}

int rpc_arg_verbosity(struct rpc_call *call, int *ret_level, size_t index, int default_level,
                      bool allow_bool)
{
    const struct json *value = rpc_arg(call, index);
    int64_t level;
    int rc;

    *ret_level = default_level;
    if (value == NULL)
        return 0;
    if (value->type == JSON_BOOL) {
        if (!allow_bool)
            return rpc_fail(call, RPC_TYPE_ERROR, "Verbosity was boolean but only integer allowed");
        *ret_level = value->truth ? 1 : 0;
        return 0;
    }
    rc = rpc_value_int(call, &level, value, INT32_MIN, INT32_MAX);
    if (rc == 0)
        *ret_level = (int)level;
    return rc;
}
