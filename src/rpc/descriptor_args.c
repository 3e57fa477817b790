#include "rpc/descriptor_args.h"

#include "rpc/args.h"

#define RANGE_MAX 1000000
#define RANGE_DEFAULT_LAST 1000

int rpc_value_range(struct rpc_call *call, uint32_t *ret_first, uint32_t *ret_last,
                    const struct json *value)
{
    int64_t low = 0;
    int64_t high = 0;
    int rc = 0;

    if (value->type == JSON_NUMBER) {
        rc = rpc_value_int(call, &high, value, INT64_MIN, INT64_MAX);
    } else if (value->type == JSON_ARRAY && value->count == 2 &&
               value->items[0].type == JSON_NUMBER && value->items[1].type == JSON_NUMBER) {
        rc = rpc_value_int(call, &low, &value->items[0], INT64_MIN, INT64_MAX);
        if (rc == 0)
            rc = rpc_value_int(call, &high, &value->items[1], INT64_MIN, INT64_MAX);
        if (rc == 0 && low > high)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Range specified as [begin,end] must not have begin after end");
    } else {
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Range must be specified as end or as [begin,end]");
    }
    if (rc < 0)
        return rc;
    if (low < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Range should be greater or equal than 0");
    if (high < 0 || high > INT32_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "End of range is too high");
    if (high >= low + RANGE_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Range is too large");
    *ret_first = (uint32_t)low;
    *ret_last = (uint32_t)high;
    return 0;
}

/* Every branch of every index. */
static int expand_all(struct rpc_call *call, struct script_list *ret_scripts, struct keyring *ring,
                      const struct descriptor *descriptor, uint32_t first, uint32_t last,
                      const char *text)
{
    for (uint32_t i = first; i <= last; i++) {
        for (size_t branch = 0; branch < descriptor_branches(descriptor); branch++) {
            if (!descriptor_expand(descriptor, ret_scripts, ring, branch, i, ring))
                return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                                "Cannot derive script without private keys: '%s'", text);
        }
    }
    return 0;
}

int rpc_value_scripts(struct rpc_call *call, struct script_list *ret_scripts, struct keyring *ring,
                      const struct json *value)
{
    const struct json *range = NULL;
    struct descriptor *descriptor = NULL;
    struct buf why = {0};
    uint32_t first = 0;
    uint32_t last = RANGE_DEFAULT_LAST;
    const char *text;
    int rc = 0;

    if (value->type == JSON_OBJECT) {
        range = json_find(value, "range");
        value = json_find(value, "desc");
        if (value == NULL || value->type == JSON_NULL)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Descriptor needs to be provided in scan object");
    } else if (value->type != JSON_STRING) {
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Scan object needs to be either a string or an object");
    }
    rc = rpc_value_string(call, &text, value);
    if (rc == 0 && range != NULL && range->type != JSON_NULL)
        rc = rpc_value_range(call, &first, &last, range);
    if (rc < 0)
        return rc;
    if (descriptor_parse(&descriptor, ring, span_of_string(text), false, call->context->params,
                         &why) < 0) {
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", buf_string(&why));
        goto done;
    }
    if (!descriptor_is_range(descriptor)) {
        first = 0;
        last = 0;
    }
    rc = expand_all(call, ret_scripts, ring, descriptor, first, last, text);

done:
    descriptor_free(descriptor);
    buf_clear(&why);
    return rc;
}
