/* Configuration files: their syntax, what they include, and paths. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/options_priv.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#define CONFIG_BYTES_MAX (16U << 20)
#define CONFIG_NAME "bitcoin.conf"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes spaces off both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (is_space(*text))
        text++;
    len = strlen(text);
    while (len > 0 && is_space(text[len - 1]))
        text[--len] = '\0';
    return text;
}

static void note_section(struct options *options, const char *name, size_t name_len,
                         const char *file, int line)
{
    options->sections =
        realloc_array(options->sections, options->sections_n + 1, sizeof(options->sections[0]));
    options->sections[options->sections_n++] = (struct config_section){
        .name = alloc_printf("%.*s", (int)name_len, name),
        .file = alloc_string(file),
        .line = line,
    };
}

/* What a file is read in two passes for: a syntax error anywhere keeps all of it
 * from counting. */
struct assignment {
    char *key; /* With section. */
    char *value;
};

struct parse {
    struct options *options;
    const char *file;
    char *prefix; /* "regtest." or "". */
    struct assignment *assignments;
    size_t n;
};

static int take_assignment(struct parse *parse, char *text, char *equals, bool has_comment,
                           int line)
{
    char *name;
    char *dot;

    *equals = '\0';
    name = alloc_printf("%s%s", parse->prefix, trim(text));
    if (has_comment && strstr(name, "rpcpassword") != NULL) {
        free(name);
        return options_fail(
            parse->options, E_MALFORMED,
            "parse error on line %d, using # in rpcpassword can be ambiguous and should "
            "be avoided",
            line);
    }
    dot = strrchr(name, '.');
    if (dot != NULL && (size_t)(dot - name) >= strlen(parse->prefix))
        note_section(parse->options, name, (size_t)(dot - name), parse->file, line);
    parse->assignments =
        realloc_array(parse->assignments, parse->n + 1, sizeof(parse->assignments[0]));
    parse->assignments[parse->n++] = (struct assignment){name, alloc_string(trim(equals + 1))};
    return 0;
}

static int take_line(struct parse *parse, char *text, int line)
{
    char *hash = strchr(text, '#');
    size_t len;
    char *equals;

    if (hash != NULL)
        *hash = '\0';
    text = trim(text);
    len = strlen(text);
    if (len == 0)
        return 0;
    if (text[0] == '[' && text[len - 1] == ']') {
        note_section(parse->options, text + 1, len - 2, parse->file, line);
        free(parse->prefix);
        parse->prefix = alloc_printf("%.*s.", (int)(len - 2), text + 1);
        return 0;
    }
    if (text[0] == '-')
        return options_fail(
            parse->options, E_MALFORMED,
            "parse error on line %d: %s, options in configuration file must be specified "
            "without leading -",
            line, text);
    equals = strchr(text, '=');
    if (equals != NULL)
        return take_assignment(parse, text, equals, hash != NULL, line);
    if (strncmp(text, "no", 2) == 0)
        return options_fail(
            parse->options, E_MALFORMED,
            "parse error on line %d: %s, if you intended to specify a negated option, use "
            "%s=1 instead",
            line, text, text);
    return options_fail(parse->options, E_MALFORMED, "parse error on line %d: %s", line, text);
}

static int apply(struct options *options, const struct assignment *assignment)
{
    const char *text = assignment->key;
    const char *dot = strchr(text, '.');
    char *section = dot == NULL ? alloc_string("") : alloc_printf("%.*s", (int)(dot - text), text);
    const char *name = dot == NULL ? text : dot + 1;
    bool is_negated = strncmp(name, "no", 2) == 0;
    const struct option_row *row;
    int rc = 0;

    name += is_negated ? 2 : 0;
    row = option_row_find(options->rows, name);
    if (strcmp(name, "conf") == 0)
        rc = options_fail(
            options, E_MALFORMED,
            "conf cannot be set in the configuration file; use includeconf= if you want to "
            "include additional config files");
    else if (row == NULL)
        log_warning("config", "Ignoring unknown configuration value %s", assignment->key);
    else
        rc = options_take_config(options, section, name, is_negated, assignment->value, row);
    if (rc == 0 && strcmp(name, "reindex") == 0)
        log_warning("config",
                    "reindex=1 is set in the configuration file, which will significantly slow "
                    "down startup. Consider removing or commenting out this option for better "
                    "performance, unless there is currently a condition which makes rebuilding "
                    "the indexes necessary");
    free(section);
    return rc;
}

int options_read_config_text(struct options *options, struct span text, const char *file)
{
    struct parse parse = {.options = options, .file = file, .prefix = alloc_string("")};
    size_t at = 0;
    int line = 1;
    int rc = 0;

    while (rc == 0 && at < text.len) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end == NULL ? text.len - at : (size_t)(end - (text.data + at));
        char *copy = alloc(len + 1);

        memcpy(copy, text.data + at, len);
        copy[len] = '\0';
        rc = take_line(&parse, copy, line++);
        free(copy);
        at += len + 1;
    }
    for (size_t i = 0; rc == 0 && i < parse.n; i++)
        rc = apply(options, &parse.assignments[i]);
    for (size_t i = 0; i < parse.n; i++) {
        free(parse.assignments[i].key);
        free(parse.assignments[i].value);
    }
    free(parse.assignments);
    free(parse.prefix);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* False: it cannot be read (or is unreasonably long). */
static bool read_file(struct buf *buf, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t part[4096];
    size_t n;
    bool is_ok;

    if (file == NULL)
        return false;
    while ((n = fread(part, 1, sizeof(part), file)) > 0 && buf->len <= CONFIG_BYTES_MAX)
        buf_add(buf, part, n);
    is_ok = ferror(file) == 0 && buf->len <= CONFIG_BYTES_MAX;
    (void)fclose(file);
    return is_ok;
}

/* The values of includeconf of one section, from number skip on, behind the last
 * negation. Returns how many the section has in all. */
static size_t find_includes(const struct options *options, const char *section, size_t skip,
                            const char ***list, size_t *n)
{
    size_t start = *n;
    size_t seen = 0;

    for (size_t i = 0; i < options->settings_n; i++) {
        const struct setting *s = &options->settings[i];

        if (s->source != SOURCE_CONFIG || strcmp(s->section, section) != 0 ||
            strcmp(s->name, "includeconf") != 0)
            continue;
        if (s->kind == SETTING_FALSE) {
            *n = start;
        } else if (seen >= skip) {
            *list = realloc_array(*list, *n + 1, sizeof(**list));
            (*list)[(*n)++] = s->text;
        }
        seen++;
    }
    return seen;
}

static int read_included(struct options *options, const char *name, const char *folder)
{
    char *path = path_from(folder, name);
    struct buf text = {0};
    int rc;

    if (is_folder(path))
        rc = options_fail(options, E_IO, "Included config file \"%s\" is a directory.", path);
    else if (!read_file(&text, path))
        rc = options_fail(options, E_IO, "Failed to include configuration file %s", name);
    else
        rc = options_read_config_text(options, span_of_buf(&text), name);
    if (rc == 0)
        log_info("config", "Included configuration file %s", name);
    buf_clear(&text);
    free(path);
    return rc;
}

static int read_includes(struct options *options, const char *folder)
{
    const char *network = options_network(options);
    const char *network_now;
    const char **list = NULL;
    size_t n = 0;
    size_t of_network;
    size_t of_default;
    int rc = 0;

    if (network == NULL)
        return E_MALFORMED;
    of_network = find_includes(options, network, 0, &list, &n);
    of_default = find_includes(options, "", 0, &list, &n);
    /* The texts move when settings grow: copy the names first. */
    for (size_t i = 0; i < n; i++)
        list[i] = alloc_string(list[i]);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            rc = read_included(options, list[i], folder);
        free((char *)(uintptr_t)list[i]);
    }
    n = 0;
    if (rc == 0) {
        (void)find_includes(options, network, of_network, &list, &n);
        (void)find_includes(options, "", of_default, &list, &n);
        network_now = options_network(options);
        if (network_now == NULL)
            rc = E_MALFORMED;
        else if (strcmp(network_now, network) != 0)
            (void)find_includes(options, network_now, 0, &list, &n);
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        (void)fprintf(stderr,
                      "warning: -includeconf cannot be used from included files; ignoring "
                      "-includeconf=%s\n",
                      list[i]);
    free(list);
    return rc;
}

int options_read_config(struct options *options)
{
    char *folder = options_data_folder(options);
    char *name = options_path(options, "conf", CONFIG_NAME);
    struct buf text = {0};
    bool is_there;
    int rc = 0;

    CHECK(folder != NULL);
    free(options->config_path);
    options->config_path = name[0] == '\0' ? alloc_string("") : path_from(folder, name);
    free(name);
    if (options->config_path[0] == '\0')
        goto done;
    if (is_folder(options->config_path)) {
        rc =
            options_fail(options, E_IO, "Config file \"%s\" is a directory.", options->config_path);
        goto done;
    }
    is_there = read_file(&text, options->config_path);
    if (!is_there && options_is_set(options, "conf")) {
        rc = options_fail(options, E_IO, "specified config file \"%s\" could not be opened.",
                          options->config_path);
        goto done;
    }
    if (is_there) {
        rc = options_read_config_text(options, span_of_buf(&text), options->config_path);
        if (rc == 0 && !options_is_negated(options, "includeconf"))
            rc = read_includes(options, folder);
    }
done:
    if (rc == 0) {
        char *now = options_data_folder(options);

        if (now == NULL)
            rc = options_fail(options, E_IO, "specified data directory \"%s\" does not exist.",
                              options_text(options, "datadir", ""));
        free(now);
    }
    buf_clear(&text);
    free(folder);
    return rc;
}

char *path_tidy(const char *path)
{
    char *tidy = alloc(strlen(path) + 2);
    size_t len = 0;
    bool is_absolute = path[0] == '/';

    if (is_absolute)
        tidy[len++] = '/';
    while (*path != '\0') {
        size_t part = strcspn(path, "/");
        bool is_up = part == 2 && path[0] == '.' && path[1] == '.';
        size_t last = len;

        while (last > 0 && tidy[last - 1] != '/')
            last--;
        if (part == 0 || (part == 1 && path[0] == '.')) {
            /* Nothing to add. */
        } else if (is_up && len > (is_absolute ? 1U : 0U) &&
                   !(len - last == 2 && memcmp(tidy + last, "..", 2) == 0)) {
            len = last > (is_absolute ? 1U : 0U) ? last - 1 : last;
        } else if (!(is_up && is_absolute)) {
            if (len > 0 && tidy[len - 1] != '/')
                tidy[len++] = '/';
            memcpy(tidy + len, path, part);
            len += part;
        }
        path += part;
        path += *path == '/';
    }
    if (len == 0)
        tidy[len++] = '.';
    tidy[len] = '\0';
    return tidy;
}

char *path_from(const char *folder, const char *path)
{
    char *joined = path[0] == '/' ? alloc_string(path) : alloc_printf("%s/%s", folder, path);
    char *tidy = path_tidy(joined);

    free(joined);
    return tidy;
}

char *options_path(const struct options *options, const char *name, const char *otherwise)
{
    const struct setting *s = options_find(options, name);

    if (s != NULL && s->kind == SETTING_FALSE)
        return alloc_string("");
    if (s == NULL || s->text[0] == '\0')
        return alloc_string(otherwise);
    return path_tidy(s->text);
}

char *options_data_folder(const struct options *options)
{
    char *given = options_path(options, "datadir", "");
    const char *home = getenv("HOME");
    char cwd[PATH_MAX];
    char *folder = NULL;

    if (given[0] == '\0') {
        folder = path_from(home == NULL || home[0] == '\0' ? "/" : home, ".assay");
    } else {
        /* The folder we were started in may be gone; an absolute path needs none. */
        folder = path_from(getcwd(cwd, sizeof(cwd)) == NULL ? "." : cwd, given);
        if (!is_folder(folder)) {
            free(folder);
            folder = NULL;
        }
    }
    free(given);
    return folder;
}
