#include "rpc/check.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "rpc/args.h"

static const struct json json_is_null = {.type = JSON_NULL};

bool rpc_args_count_fits(const struct rpc_method *method, size_t n)
{
    size_t most = rpc_params_count(method->params);
    size_t least = most;

    while (least > 0 && rpc_param_is_optional(&method->params[least - 1]))
        least--;
    return least <= n && n <= most;
}

/* What JSON type a parameter must have; false: several, run looks itself. */
static bool type_wanted(const struct rpc_param *param, enum json_type *ret_type)
{
    switch (param->type) {
    case RPC_STR:
    case RPC_HEX:
        *ret_type = JSON_STRING;
        return true;
    case RPC_NUM:
    case RPC_TIME:
        *ret_type = JSON_NUMBER;
        return true;
    case RPC_BOOL:
        *ret_type = JSON_BOOL;
        return true;
    case RPC_ARR:
    case RPC_ARR_FIXED:
        *ret_type = JSON_ARRAY;
        return true;
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
    case RPC_OBJ_USER:
    case RPC_OBJ_DYN:
        *ret_type = JSON_OBJECT;
        return true;
    case RPC_AMOUNT:
    case RPC_RANGE:
    case RPC_NULL:
    case RPC_ANY:
        break;
    }
    return false;
}

int rpc_check_args(struct rpc_call *call)
{
    const struct rpc_param *params = call->method->params;
    size_t n = rpc_params_count(params);
    struct buf text = {0};
    struct json_writer w;
    size_t wrong_n = 0;
    int rc = 0;

    json_writer_init(&w, &text, 4);
    json_begin_object(&w);
    for (size_t i = 0; i < n; i++) {
        const struct json *arg = i < call->args_n ? call->args[i] : &json_is_null;
        enum json_type wanted;
        char label[128];
        char found[128];

        if ((params[i].flags & RPC_ANY_TYPE) != 0 || !type_wanted(&params[i], &wanted) ||
            arg->type == wanted)
            continue;
        if (arg->type == JSON_NULL && rpc_param_is_optional(&params[i]))
            continue;
        (void)snprintf(label, sizeof(label), "Position %zu (%s)", i + 1, params[i].names);
        (void)snprintf(found, sizeof(found), "JSON value of type %s is not of expected type %s",
                       json_type_name(arg->type), json_type_name(wanted));
        json_put_string(&w, label, found);
        wrong_n++;
    }
    json_end_object(&w);
    if (wrong_n > 0)
        rc = rpc_fail(call, RPC_TYPE_ERROR, "Wrong type passed:\n%s", buf_string(&text));
    buf_clear(&text);
    return rc;
}

/* Is name one of "a|b|c"? */
static bool has_name(const char *names, struct span name)
{
    while (*names != '\0') {
        size_t len = strcspn(names, "|");

        if (len == name.len && memcmp(names, name.data, len) == 0)
            return true;
        names += len;
        names += *names == '|';
    }
    return false;
}

/* Named arguments not placed yet. */
struct named {
    const struct json *given;
    bool *is_used;
};

/* The position in given of an unused argument of these names, or -1. Of several
 * aliases the first in names wins. */
static int64_t find_named(const struct named *named, const char *names)
{
    while (*names != '\0') {
        size_t len = strcspn(names, "|");

        for (uint32_t i = 0; i < named->given->count; i++) {
            if (!named->is_used[i] && named->given->keys[i].len == len &&
                memcmp(named->given->keys[i].data, names, len) == 0)
                return i;
        }
        names += len;
        names += *names == '|';
    }
    return -1;
}

static const char *key_text(const struct json *object, int64_t index)
{
    return (const char *)object->keys[index].data;
}

/* Gathers keys of an options object that were given as arguments of their own.
 * NULL: none were. */
static struct json *gather_options(struct rpc_call *call, struct named *named,
                                   const struct rpc_param *param)
{
    size_t n = rpc_params_count(param->inner);
    struct json *items = arena_array(call->arena, n + 1, sizeof(*items));
    struct span *keys = arena_array(call->arena, n + 1, sizeof(*keys));
    struct json *options = arena_array(call->arena, 1, sizeof(*options));

    *options = (struct json){.type = JSON_OBJECT, .items = items, .keys = keys};
    for (size_t i = 0; i < n; i++) {
        int64_t at = find_named(named, param->inner[i].names);

        if (at < 0)
            continue;
        named->is_used[at] = true;
        items[options->count] = named->given->items[at];
        keys[options->count++] = named->given->keys[at];
    }
    return options->count == 0 ? NULL : options;
}

static int fail_duplicates(struct rpc_call *call, const struct json *given)
{
    for (uint32_t i = 0; i < given->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (span_equal(given->keys[i], given->keys[k]))
                return rpc_fail(call, RPC_INVALID_PARAMETER,
                                "Parameter %s specified multiple times", key_text(given, i));
        }
    }
    return 0;
}

/* "args": positional arguments beside named ones. */
static int merge_positional(struct rpc_call *call, const struct json *positional,
                            const struct json **placed, size_t placed_n, size_t first)
{
    size_t n = MAX(placed_n, positional->count);
    const struct json **args = arena_array(call->arena, n + 1, sizeof(*args));

    if (placed_n > 0 && positional->count > first)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Parameter %s specified twice both as positional and named argument",
                        call->method->params[first].names);
    for (size_t i = 0; i < n; i++)
        args[i] = i < positional->count ? &positional->items[i] : placed[i];
    call->args = args;
    call->args_n = n;
    return 0;
}

#define NAMED_MAX 256U /* No method has more parameters. */

int rpc_place_named(struct rpc_call *call, const struct json *given)
{
    size_t n = rpc_params_count(call->method->params);
    const struct json **placed = arena_array(call->arena, n + 1, sizeof(*placed));
    struct named named = {.given = given};
    size_t placed_n = 0; /* Up to the last one given. */
    size_t first = n;
    int64_t at;
    int rc;

    if (given->count > NAMED_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Too many named parameters");
    named.is_used = arena_array(call->arena, given->count + 1U, sizeof(bool));
    rc = fail_duplicates(call, given);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &call->method->params[i];
        struct json *options =
            param->type == RPC_OBJ_OPTIONS ? gather_options(call, &named, param) : NULL;

        placed[i] = &json_is_null;
        at = find_named(&named, param->names);
        if (at >= 0 && options != NULL)
            return rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter %s conflicts with parameter %s",
                            key_text(given, at), key_text(options, 0));
        if (at < 0 && options == NULL)
            continue;
        placed[i] = at < 0 ? options : &given->items[at];
        if (at >= 0)
            named.is_used[at] = true;
        placed_n = i + 1;
        first = MIN(first, i);
    }
    call->args = placed;
    call->args_n = placed_n;
    at = find_named(&named, "args");
    if (at >= 0 && given->items[at].type == JSON_ARRAY) {
        named.is_used[at] = true;
        rc = merge_positional(call, &given->items[at], placed, placed_n, first);
    } else if (at >= 0) {
        named.is_used[at] = true; /* Not a list: passed over, as ever. */
    }
    for (uint32_t i = 0; rc == 0 && i < given->count; i++) {
        if (!named.is_used[i])
            rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Unknown named parameter %s",
                          key_text(given, i));
    }
    return rc;
}

static bool result_type_fits(const struct rpc_result *result, const struct json *value)
{
    switch (result->type) {
    case RPC_STR:
    case RPC_HEX:
        return value->type == JSON_STRING;
    case RPC_NUM:
    case RPC_AMOUNT:
    case RPC_RANGE:
    case RPC_TIME:
        return value->type == JSON_NUMBER;
    case RPC_BOOL:
        return value->type == JSON_BOOL;
    case RPC_ARR:
    case RPC_ARR_FIXED:
        return value->type == JSON_ARRAY;
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
    case RPC_OBJ_USER:
    case RPC_OBJ_DYN:
        return value->type == JSON_OBJECT;
    case RPC_NULL:
        return value->type == JSON_NULL;
    case RPC_ANY:
        break;
    }
    return true;
}

/* Where the mismatch is, for the error: "result.vin[0].txid". */
struct trail {
    char text[512];
};

static struct trail trail_add(const struct trail *trail, const char *key, size_t index)
{
    struct trail longer;
    size_t len = strlen(trail->text);

    longer = *trail;
    if (key != NULL)
        (void)snprintf(longer.text + len, sizeof(longer.text) - len, ".%s", key);
    else
        (void)snprintf(longer.text + len, sizeof(longer.text) - len, "[%zu]", index);
    return longer;
}

static bool result_fits(const struct rpc_result *result, const struct json *value,
                        const struct trail *trail, struct trail *ret_wrong);

static bool keys_fit(const struct rpc_result *result, const struct json *value,
                     const struct trail *trail, struct trail *ret_wrong)
{
    for (uint32_t i = 0; i < value->count; i++) {
        struct trail inner_trail = trail_add(trail, (const char *)value->keys[i].data, 0);
        const struct rpc_result *inner = result->inner;

        while (inner != NULL && !inner->is_end && result->type != RPC_OBJ_DYN &&
               !has_name(inner->key, value->keys[i]))
            inner++;
        if (inner == NULL || inner->is_end) {
            *ret_wrong = inner_trail;
            return false;
        }
        if (!result_fits(inner, &value->items[i], &inner_trail, ret_wrong))
            return false;
    }
    if (result->type == RPC_OBJ_DYN)
        return true;
    for (const struct rpc_result *inner = result->inner; inner != NULL && !inner->is_end; inner++) {
        if ((inner->flags & RPC_OPTIONAL) == 0 && json_find(value, inner->key) == NULL) {
            *ret_wrong = trail_add(trail, inner->key, 0);
            return false;
        }
    }
    return true;
}

static bool result_fits(const struct rpc_result *result, const struct json *value,
                        const struct trail *trail, struct trail *ret_wrong)
{
    const struct rpc_result *inner = result->inner;

    if ((result->flags & RPC_ANY_TYPE) != 0 || result->type == RPC_ANY)
        return true;
    if (!result_type_fits(result, value)) {
        *ret_wrong = *trail;
        return false;
    }
    if (value->type == JSON_OBJECT)
        return keys_fit(result, value, trail, ret_wrong);
    if (value->type != JSON_ARRAY)
        return true;
    for (uint32_t i = 0; i < value->count; i++) {
        struct trail inner_trail = trail_add(trail, NULL, i);

        if (!result_fits(inner, &value->items[i], &inner_trail, ret_wrong))
            return false;
        if (!inner[1].is_end)
            inner++; /* More items than documented: all like the last one. */
    }
    return true;
}

int rpc_check_result(struct rpc_call *call, struct span result)
{
    const struct trail root = {.text = "result"};
    struct trail wrong = root;
    struct json value;

    if (json_read(&value, (const char *)result.data, result.len, call->arena, NULL) < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Internal bug detected: '%s' wrote no JSON value",
                        call->method->name);
    for (const struct rpc_result *form = call->method->results; !form->is_end; form++) {
        if (result_fits(form, &value, &root, &wrong))
            return 0;
    }
    return rpc_fail(call, RPC_MISC_ERROR,
                    "Internal bug detected: RPC call \"%s\" returned incorrect type at %s",
                    call->method->name, wrong.text);
}
