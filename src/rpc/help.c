#include "rpc/help.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

/* A line of a section: what it is on the left, its meaning in a column on the
 * right that all lines of the section share. */
struct line {
    char *left;
    char *right;
};

struct section {
    struct line *lines;
    size_t n;
};

enum place { PLACE_TOP, PLACE_OBJECT, PLACE_ARRAY };

static void section_add(struct section *section, char *own_left, char *own_right)
{
    section->lines = realloc_array(section->lines, section->n + 1, sizeof(section->lines[0]));
    section->lines[section->n++] = (struct line){.left = own_left, .right = own_right};
}

/* The last entry of an object or list has no comma behind it. */
static void section_drop_comma(struct section *section)
{
    char *left = section->lines[section->n - 1].left;
    size_t len = strlen(left);

    if (len > 0 && left[len - 1] == ',')
        left[len - 1] = '\0';
}

/* Writes the lines and releases them. */
static void section_write(struct buf *buf, struct section *section)
{
    size_t width = 0;

    for (size_t i = 0; i < section->n; i++)
        width = MAX(width, strlen(section->lines[i].left));
    width += 4;
    for (size_t i = 0; i < section->n; i++) {
        struct line *line = &section->lines[i];

        buf_add_string(buf, line->left);
        if (line->right[0] != '\0') {
            buf_add_printf(buf, "%*s", (int)(width - strlen(line->left)), "");
            for (const char *c = line->right; *c != '\0'; c++) {
                buf_add_byte(buf, (uint8_t)*c);
                if (*c == '\n')
                    buf_add_printf(buf, "%*s", (int)width, "");
            }
        }
        buf_add_byte(buf, '\n');
        free(line->left);
        free(line->right);
    }
    free(section->lines);
    *section = (struct section){0};
}

static int first_name_len(const char *names)
{
    return (int)strcspn(names, "|");
}

static const char *param_type_name(const struct rpc_param *param)
{
    if (param->type_text != NULL)
        return param->type_text;
    switch (param->type) {
    case RPC_STR:
    case RPC_HEX:
        return "string";
    case RPC_NUM:
    case RPC_TIME:
        return "numeric";
    case RPC_AMOUNT:
        return "numeric or string";
    case RPC_RANGE:
        return "numeric or array";
    case RPC_BOOL:
        return "boolean";
    case RPC_ARR:
    case RPC_ARR_FIXED:
        return "json array";
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
    case RPC_OBJ_USER:
    case RPC_OBJ_DYN:
        return "json object";
    case RPC_NULL:
    case RPC_ANY:
        break;
    }
    return "any";
}

/* "(numeric, optional, default=1) What it is." */
static char *param_meaning(const struct rpc_param *param, bool is_named)
{
    struct buf out = {0};
    char *text;

    buf_add_printf(&out, "(%s", param_type_name(param));
    if (param->fallback == NULL)
        buf_add_string(&out, ", required");
    else if (param->fallback[0] == '\0')
        buf_add_string(&out, is_named ? ", optional" : "");
    else
        buf_add_printf(&out, ", optional, default=%s", param->fallback + 1);
    buf_add_byte(&out, ')');
    if (param->type == RPC_OBJ_OPTIONS)
        buf_add_string(&out, " Options; each may also be given as a named argument, see below.");
    if (param->text != NULL && param->text[0] != '\0')
        buf_add_printf(&out, " %s", param->text);
    text = alloc_string(buf_string(&out));
    buf_clear(&out);
    return text;
}

static void write_value(struct buf *buf, const struct rpc_param *param, bool is_in_object);

static void write_items(struct buf *buf, const struct rpc_param *items)
{
    for (; items != NULL && items->names != NULL; items++) {
        write_value(buf, items, false);
        buf_add_byte(buf, ',');
    }
    buf_add_string(buf, "...]");
}

static void write_keys(struct buf *buf, const struct rpc_param *param)
{
    const struct rpc_param *keys = param->inner;

    buf_add_byte(buf, '{');
    for (size_t i = 0; keys != NULL && keys[i].names != NULL; i++) {
        if (i > 0)
            buf_add_byte(buf, ',');
        buf_add_printf(buf, "\"%.*s\":", first_name_len(keys[i].names), keys[i].names);
        write_value(buf, &keys[i], true);
    }
    buf_add_string(buf, param->type == RPC_OBJ ? "}" : ",...}");
}

/* How a value looks on one line. In an object its key was written before. */
static void write_value(struct buf *buf, const struct rpc_param *param, bool is_in_object)
{
    if (!is_in_object && param->oneline != NULL) {
        buf_add_string(buf, param->oneline);
        return;
    }
    switch (param->type) {
    case RPC_ARR:
    case RPC_ARR_FIXED:
        buf_add_byte(buf, '[');
        write_items(buf, param->inner);
        return;
    case RPC_OBJ:
    case RPC_OBJ_OPTIONS:
    case RPC_OBJ_USER:
    case RPC_OBJ_DYN:
        write_keys(buf, param);
        return;
    case RPC_STR:
    case RPC_HEX:
        if (is_in_object)
            buf_add_string(buf, param->type == RPC_STR ? "\"str\"" : "\"hex\"");
        else
            buf_add_printf(buf, "\"%.*s\"", first_name_len(param->names), param->names);
        return;
    default:
        break;
    }
    if (!is_in_object)
        buf_add_printf(buf, "%.*s", first_name_len(param->names), param->names);
    else if (param->type == RPC_BOOL)
        buf_add_string(buf, "bool");
    else if (param->type == RPC_AMOUNT)
        buf_add_string(buf, "amount");
    else if (param->type == RPC_RANGE)
        buf_add_string(buf, "n or [n,n]");
    else
        buf_add_byte(buf, 'n');
}

static char *param_head(const struct rpc_param *param, int indent, enum place place,
                        const char *opening)
{
    if (place == PLACE_OBJECT)
        return alloc_printf("%*s\"%.*s\": %s", indent, "", first_name_len(param->names),
                            param->names, opening);
    return alloc_printf("%*s%s", indent, "", opening);
}

/* The lines that show what is inside a parameter. */
static void add_param(struct section *section, const struct rpc_param *param, int indent,
                      enum place place)
{
    bool is_list = param->type == RPC_ARR;
    bool is_keys = param->type == RPC_OBJ || param->type == RPC_OBJ_USER;
    struct buf value = {0};
    char *meaning;

    if (!is_list && !is_keys) {
        if (place == PLACE_TOP)
            return;
        write_value(&value, param, place == PLACE_OBJECT);
        buf_add_byte(&value, ',');
        section_add(section, param_head(param, indent, place, buf_string(&value)),
                    param_meaning(param, place == PLACE_OBJECT));
        buf_clear(&value);
        return;
    }
    meaning = place == PLACE_TOP ? alloc_string("") : param_meaning(param, place == PLACE_OBJECT);
    section_add(section, param_head(param, indent, place, is_list ? "[" : "{"), meaning);
    for (const struct rpc_param *inner = param->inner; inner != NULL && inner->names != NULL;
         inner++)
        add_param(section, inner, indent + 2, is_list ? PLACE_ARRAY : PLACE_OBJECT);
    if (param->type != RPC_OBJ)
        section_add(section, alloc_printf("%*s...", indent + 2, ""), alloc_string(""));
    section_add(
        section,
        alloc_printf("%*s%s%s", indent, "", is_list ? "]" : "}", place == PLACE_TOP ? "" : ","),
        alloc_string(""));
}

static const struct {
    const char *shown;
    const char *name;
} result_forms[] = {
    [RPC_STR] = {"\"str\"", "string"},     [RPC_HEX] = {"\"hex\"", "string"},
    [RPC_NUM] = {"n", "numeric"},          [RPC_BOOL] = {"true|false", "boolean"},
    [RPC_AMOUNT] = {"n", "numeric"},       [RPC_RANGE] = {"n", "numeric"},
    [RPC_OBJ] = {"{", "json object"},      [RPC_OBJ_OPTIONS] = {"{", "json object"},
    [RPC_OBJ_USER] = {"{", "json object"}, [RPC_ARR] = {"[", "json array"},
    [RPC_ARR_FIXED] = {"[", "json array"}, [RPC_OBJ_DYN] = {"{", "json object"},
    [RPC_NULL] = {"null", "json null"},    [RPC_ANY] = {"any", "any"},
    [RPC_TIME] = {"n", "numeric"},
};

static char *result_meaning(const struct rpc_result *result, const char *type_name)
{
    bool has_text = result->text != NULL && result->text[0] != '\0';

    return alloc_printf("(%s%s)%s%s", type_name,
                        (result->flags & RPC_OPTIONAL) != 0 ? ", optional" : "",
                        has_text ? " " : "", has_text ? result->text : "");
}

static void add_result(struct section *section, const struct rpc_result *result, int indent,
                       enum place place)
{
    const char *comma = place == PLACE_TOP ? "" : ",";
    bool is_list = result->type == RPC_ARR || result->type == RPC_ARR_FIXED;
    bool is_keys = result->type == RPC_OBJ || result->type == RPC_OBJ_DYN;
    bool is_open_ended = result->type == RPC_ARR || result->type == RPC_OBJ_DYN;
    bool is_empty = is_keys && (result->inner == NULL || result->inner->is_end);
    const char *shown = is_empty ? "{}" : result_forms[result->type].shown;
    const char *name = is_empty ? "empty JSON object" : result_forms[result->type].name;
    char *key = place == PLACE_OBJECT ? alloc_printf("\"%s\" : ", result->key) : alloc_string("");

    section_add(section,
                alloc_printf("%*s%s%s%s", indent, "", key, shown,
                             (is_list || is_keys) && !is_empty ? "" : comma),
                result_meaning(result, name));
    free(key);
    if ((!is_list && !is_keys) || is_empty)
        return;
    for (const struct rpc_result *inner = result->inner; !inner->is_end; inner++) {
        if ((inner->flags & RPC_HIDDEN) == 0)
            add_result(section, inner, indent + 2, is_list ? PLACE_ARRAY : PLACE_OBJECT);
    }
    if (is_open_ended)
        section_add(section, alloc_printf("%*s...", indent + 2, ""), alloc_string(""));
    else
        section_drop_comma(section);
    section_add(section, alloc_printf("%*s%s%s", indent, "", is_list ? "]" : "}", comma),
                alloc_string(""));
}

void rpc_help_synopsis(struct buf *buf, const struct rpc_method *method)
{
    size_t n = rpc_params_count(method->params);
    bool is_optional = false;

    buf_add_string(buf, method->name);
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &method->params[i];

        if ((param->flags & RPC_HIDDEN) != 0)
            break;
        buf_add_byte(buf, ' ');
        if (rpc_param_is_optional(param) != is_optional) {
            is_optional = !is_optional;
            buf_add_string(buf, is_optional ? "( " : ") ");
        }
        write_value(buf, param, false);
    }
    if (is_optional)
        buf_add_string(buf, " )");
}

static void write_params(struct buf *buf, const struct rpc_method *method)
{
    struct section positional = {0};
    struct section named = {0};
    size_t n = rpc_params_count(method->params);

    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &method->params[i];

        if ((param->flags & RPC_HIDDEN) != 0)
            break;
        section_add(&positional,
                    alloc_printf("%zu. %.*s", i + 1, first_name_len(param->names), param->names),
                    param_meaning(param, true));
        add_param(&positional, param, 5, PLACE_TOP);
        if (param->type != RPC_OBJ_OPTIONS)
            continue;
        for (const struct rpc_param *key = param->inner; key->names != NULL; key++) {
            section_add(&named, alloc_printf("%.*s", first_name_len(key->names), key->names),
                        param_meaning(key, true));
            add_param(&named, key, 5, PLACE_TOP);
        }
    }
    if (positional.n > 0)
        buf_add_string(buf, "\nArguments:\n");
    section_write(buf, &positional);
    if (named.n > 0)
        buf_add_string(buf, "\nNamed Arguments:\n");
    section_write(buf, &named);
}

/* The same call for the command line and for a plain HTTP client. */
static void write_examples(struct buf *buf, const struct rpc_method *method)
{
    if (method->examples == NULL)
        return;
    buf_add_string(buf, "\nExamples:\n");
    for (size_t i = 0; method->examples[i] != NULL; i++) {
        const char *args = method->examples[i];

        buf_add_printf(buf, "> assay-cli %s%s%s\n", method->name, args[0] == '\0' ? "" : " ", args);
    }
    buf_add_printf(buf,
                   "> curl --user user --data-binary '{\"jsonrpc\": \"2.0\", \"id\": \"1\", "
                   "\"method\": \"%s\", \"params\": [...]}' -H 'content-type: "
                   "application/json' http://127.0.0.1:8332/\n",
                   method->name);
}

void rpc_help_method(struct buf *buf, const struct rpc_method *method)
{
    struct section section = {0};

    rpc_help_synopsis(buf, method);
    buf_add_printf(buf, "\n\n%s\n", method->summary);
    write_params(buf, method);
    for (const struct rpc_result *result = method->results; !result->is_end; result++) {
        if ((result->flags & RPC_HIDDEN) != 0)
            continue;
        if (result->when == NULL)
            buf_add_string(buf, "\nResult:\n");
        else
            buf_add_printf(buf, "\nResult (%s):\n", result->when);
        add_result(&section, result, 0, PLACE_TOP);
        section_write(buf, &section);
    }
    write_examples(buf, method);
}

static int compare_groups(const void *a, const void *b)
{
    const struct rpc_method *x = *(const struct rpc_method *const *)a;
    const struct rpc_method *y = *(const struct rpc_method *const *)b;
    int by_group = strcmp(x->group, y->group);

    return by_group != 0 ? by_group : strcmp(x->name, y->name);
}

void rpc_help_list(struct buf *buf)
{
    size_t n;
    const struct rpc_method *const *methods = rpc_methods(&n);
    const struct rpc_method **sorted = alloc_array(n, sizeof(sorted[0]));
    const char *group = "";

    memcpy(sorted, methods, n * sizeof(sorted[0]));
    qsort(sorted, n, sizeof(sorted[0]), compare_groups);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(sorted[i]->group, "hidden") == 0)
            continue;
        if (strcmp(group, sorted[i]->group) != 0) {
            buf_add_printf(buf, "%s== %c%s ==\n", group[0] == '\0' ? "" : "\n\n",
                           toupper((unsigned char)sorted[i]->group[0]), sorted[i]->group + 1);
            group = sorted[i]->group;
        } else {
            buf_add_byte(buf, '\n');
        }
        rpc_help_synopsis(buf, sorted[i]);
    }
    free(sorted);
}
