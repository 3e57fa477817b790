/* From words of the command line to the arguments of a call: the table of methods
 * says which are texts and which are JSON. */
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "base/alloc.h"
#include "base/check.h"
#include "rpc/method.h"

/* How a word becomes an argument. */
enum form {
    FORM_TEXT,        /* As it stands; the method takes any text. */
    FORM_KNOWN_TEXT,  /* The same, for a parameter that is known. */
    FORM_JSON,        /* It must be JSON. */
    FORM_JSON_OR_TEXT /* JSON if it can be read so. */
};

static enum form form_of(const struct rpc_method *method, const struct rpc_param *param)
{
    if (param == NULL)
        return FORM_TEXT;
    if (strcmp(method->name, "echo") == 0)
        return FORM_TEXT;
    if (strcmp(method->name, "echojson") == 0)
        return FORM_JSON;
    if (param->type == RPC_STR || param->type == RPC_HEX)
        return FORM_KNOWN_TEXT;
    return (param->flags & RPC_ANY_TYPE) != 0 && param->type_text != NULL ? FORM_JSON_OR_TEXT
                                                                          : FORM_JSON;
}

static const struct rpc_param *param_at(const struct rpc_method *method, size_t position)
{
    if (method == NULL || position >= rpc_params_count(method->params))
        return NULL;
    return &method->params[position];
}

static bool has_name(const char *names, const char *name, size_t len)
{
    while (*names != '\0') {
        size_t part = strcspn(names, "|");

        if (part == len && memcmp(names, name, len) == 0)
            return true;
        names += part;
        names += *names == '|';
    }
    return false;
}

static const struct rpc_param *param_named(const struct rpc_param *params, const char *name,
                                           size_t len)
{
    for (; params != NULL && params->names != NULL; params++) {
        if (has_name(params->names, name, len))
            return params;
        if (params->type == RPC_OBJ_OPTIONS) {
            const struct rpc_param *key = param_named(params->inner, name, len);

            if (key != NULL)
                return key;
        }
    }
    return NULL;
}

static int write_argument(struct cli *cli, struct json_writer *w, const char *word, enum form form)
{
    struct json value;

    if (form == FORM_TEXT || form == FORM_KNOWN_TEXT) {
        json_string(w, word);
        return 0;
    }
    if (json_read(&value, word, strlen(word), &cli->arena, NULL) == 0) {
        json_value(w, &value);
        return 0;
    }
    if (form == FORM_JSON)
        return cli_fail(cli, "Error parsing JSON: %s", word);
    json_string(w, word);
    return 0;
}

static int write_positional(struct cli *cli, struct json_writer *w, const struct rpc_method *method,
                            char *const *args, size_t n)
{
    int rc = 0;

    json_begin_array(w);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = write_argument(cli, w, args[i], form_of(method, param_at(method, i)));
    json_end_array(w);
    return rc;
}

/* Is "name=value" a value for the next position after all? */
static bool is_positional(struct cli *cli, const struct rpc_method *method, const char *word,
                          size_t name_len, size_t position)
{
    const struct rpc_param *next = param_at(method, position);
    struct json value;

    if (method == NULL || param_named(method->params, word, name_len) != NULL || next == NULL)
        return false;
    if (form_of(method, next) == FORM_KNOWN_TEXT)
        return true;
    return form_of(method, next) == FORM_JSON &&
           json_read(&value, word, strlen(word), &cli->arena, NULL) == 0;
}

/* A later value of a name replaces an earlier one. */
static bool comes_again(char *const *args, size_t n, size_t at, size_t name_len)
{
    for (size_t i = at + 1; i < n; i++) {
        if (strncmp(args[i], args[at], name_len + 1) == 0)
            return true;
    }
    return false;
}

static int write_named(struct cli *cli, struct json_writer *w, const struct rpc_method *method,
                       char *const *args, size_t n)
{
    char **positional = alloc_array(n + 1, sizeof(*positional));
    size_t positional_n = 0;
    int rc = 0;

    json_begin_object(w);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        size_t name_len = strcspn(args[i], "=");
        char *name;

        if (args[i][name_len] == '\0' ||
            is_positional(cli, method, args[i], name_len, positional_n)) {
            positional[positional_n++] = args[i];
            continue;
        }
        if (comes_again(args, n, i, name_len))
            continue;
        name = alloc_printf("%.*s", (int)name_len, args[i]);
        json_key(w, name);
        rc = write_argument(cli, w, args[i] + name_len + 1,
                            method == NULL
                                ? FORM_TEXT
                                : form_of(method, param_named(method->params, args[i], name_len)));
        free(name);
    }
    if (rc == 0 && positional_n > 0) {
        json_key(w, "args");
        rc = write_positional(cli, w, method, positional, positional_n);
    }
    json_end_object(w);
    free(positional);
    return rc;
}

int cli_write_request(struct cli *cli, struct buf *body, const char *method, char *const *args,
                      size_t args_n)
{
    const struct rpc_method *known = rpc_method_find(method);
    struct json_writer w;
    int rc;

    json_writer_init(&w, body, 0);
    json_begin_object(&w);
    json_put_string(&w, "method", method);
    json_key(&w, "params");
    if (options_bool(&cli->options, "named", false))
        rc = write_named(cli, &w, known, args, args_n);
    else
        rc = write_positional(cli, &w, known, args, args_n);
    if (rc < 0)
        return rc;
    json_put_string(&w, "id", options_text(&cli->options, "rpcid", "1"));
    json_put_string(&w, "jsonrpc", "2.0");
    json_end_object(&w);
    buf_add_byte(body, '\n');
    return 0;
}

int cli_call_method(struct cli *cli, struct json *ret_reply, const char *method, char *const *args,
                    size_t args_n, const char *wallet)
{
    struct buf body = {0};
    int rc = cli_write_request(cli, &body, method, args, args_n);

    if (rc == 0)
        rc = cli_call(cli, ret_reply, span_of_buf(&body), wallet);
    buf_clear(&body);
    return rc;
}
