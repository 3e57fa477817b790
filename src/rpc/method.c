#include "rpc/method.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "rpc/groups.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct rpc_method **all;
static size_t all_n;

static int compare_names(const void *a, const void *b)
{
    const struct rpc_method *x = *(const struct rpc_method *const *)a;
    const struct rpc_method *y = *(const struct rpc_method *const *)b;

    return strcmp(x->name, y->name);
}

static void add_group(const struct rpc_method *methods)
{
    for (; methods->name != NULL; methods++) {
        all = realloc_array(all, all_n + 1, sizeof(all[0]));
        all[all_n++] = methods;
    }
}

static void build(void)
{
#define GROUP_ADDRESS(noun) rpc_##noun##_methods,
    static const struct rpc_method *const groups[] = {RPC_GROUPS(GROUP_ADDRESS) NULL};
#undef GROUP_ADDRESS

    for (size_t i = 0; groups[i] != NULL; i++)
        add_group(groups[i]);
    qsort(all, all_n, sizeof(all[0]), compare_names);
    for (size_t i = 1; i < all_n; i++)
        CHECK(strcmp(all[i - 1]->name, all[i]->name) != 0);
}

const struct rpc_method *const *rpc_methods(size_t *ret_n)
{
    CHECK(pthread_once(&once, build) == 0);
    *ret_n = all_n;
    return all;
}

const struct rpc_method *rpc_method_find(const char *name)
{
    size_t n;
    const struct rpc_method *const *methods = rpc_methods(&n);
    const struct rpc_method key = {.name = name};
    const struct rpc_method *key_at = &key;
    const struct rpc_method *const *found =
        bsearch(&key_at, methods, n, sizeof(methods[0]), compare_names);

    return found == NULL ? NULL : *found;
}

size_t rpc_params_count(const struct rpc_param *params)
{
    size_t n = 0;

    while (params != NULL && params[n].names != NULL)
        n++;
    return n;
}

int rpc_fail(struct rpc_call *call, int code, const char *format, ...)
{
    va_list args;

    call->error_code = code;
    call->error_message = arena_alloc(call->arena, RPC_MESSAGE_MAX);
    va_start(args, format);
    (void)vsnprintf(call->error_message, RPC_MESSAGE_MAX, format, args);
    va_end(args);
    return -1;
}

bool rpc_is_deprecated_enabled(const struct rpc_context *context, const char *name)
{
    for (size_t i = 0; i < context->deprecated_n; i++) {
        if (strcmp(context->deprecated[i], name) == 0)
            return true;
    }
    return false;
}
