#include "app/options_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

void options_init(struct options *options, const struct option_row *rows)
{
    *options = (struct options){.rows = rows, .network = ""};
}

void options_clear(struct options *options)
{
    for (size_t i = 0; i < options->settings_n; i++) {
        free(options->settings[i].section);
        free(options->settings[i].name);
        free(options->settings[i].text);
    }
    for (size_t i = 0; i < options->sections_n; i++) {
        free(options->sections[i].name);
        free(options->sections[i].file);
    }
    for (size_t i = 0; i < options->words_n; i++)
        free(options->words[i]);
    free(options->settings);
    free(options->sections);
    free(options->words);
    free(options->config_path);
    buf_clear(&options->error);
    *options = (struct options){0};
}

const char *options_error(struct options *options)
{
    return buf_string(&options->error);
}

int options_fail(struct options *options, int code, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    buf_clear(&options->error);
    buf_add_string(&options->error, text);
    free(text);
    return code;
}

const struct option_row *option_row_find(const struct option_row *rows, const char *name)
{
    for (; rows->name != NULL; rows++) {
        if (strcmp(rows->name, name) == 0)
            return rows;
    }
    return NULL;
}

void options_add(struct options *options, enum setting_source source, const char *section,
                 const char *name, enum setting_kind kind, const char *text)
{
    options->settings =
        realloc_array(options->settings, options->settings_n + 1, sizeof(options->settings[0]));
    options->settings[options->settings_n++] = (struct setting){
        .source = source,
        .section = alloc_string(section),
        .name = alloc_string(name),
        .kind = kind,
        .text = alloc_string(text),
    };
}

static int64_t text_to_int(const char *text)
{
    /* Spaces in front, one sign, digits; what follows is passed over. */
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    if (text[0] == '+' && text[1] == '-')
        return 0;
    return strtoll(text, NULL, 10); /* Saturates by itself. */
}

bool text_is_true(const char *text)
{
    int64_t value;

    if (text[0] == '\0')
        return true;
    value = text_to_int(text);
    return value != 0;
}

/* value: NULL when there was no "=". */
static int take(struct options *options, enum setting_source source, const char *section,
                const char *name, bool is_negated, const char *value, const struct option_row *row)
{
    if (is_negated && (row->flags & OPTION_NO_NEGATION) != 0)
        return options_fail(options, E_MALFORMED,
                            "Negating of -%s is meaningless and therefore forbidden", name);
    if (is_negated) {
        bool is_double = value != NULL && !text_is_true(value);

        if (is_double)
            log_warning("config", "Parsed potentially confusing double-negative -%s=%s", name,
                        value);
        options_add(options, source, section, name, is_double ? SETTING_TRUE : SETTING_FALSE,
                    is_double ? "1" : "0");
        return 0;
    }
    if (value == NULL && (row->flags & OPTION_NEEDS_VALUE) != 0)
        return options_fail(options, E_MALFORMED,
                            "Can not set -%s with no value. Please specify value with -%s=value.",
                            name, name);
    options_add(options, source, section, name, SETTING_TEXT, value == NULL ? "" : value);
    return 0;
}

int options_take_config(struct options *options, const char *section, const char *name,
                        bool is_negated, const char *value, const struct option_row *row)
{
    return take(options, SOURCE_CONFIG, section, name, is_negated, value, row);
}

static int take_argument(struct options *options, const char *argument)
{
    const char *start = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(start, '=');
    char *key =
        equals == NULL ? alloc_string(start) : alloc_printf("%.*s", (int)(equals - start), start);
    bool is_negated = strncmp(key, "no", 2) == 0;
    const char *name = key + (is_negated ? 2 : 0);
    const struct option_row *row = option_row_find(options->rows, name);
    int rc;

    /* A section ("-regtest.x") is for files only. */
    if (row == NULL)
        rc = options_fail(options, E_MALFORMED, "Invalid parameter %s", argument);
    else
        rc = take(options, SOURCE_COMMAND, "", name, is_negated, equals == NULL ? NULL : equals + 1,
                  row);
    free(key);
    return rc;
}

/* The settings of one name that one source gave, from first to last. */
struct run {
    const struct options *options;
    enum setting_source source;
    const char *section;
    const char *name;
};

static const struct setting *run_next(const struct run *run, const struct setting *after)
{
    const struct options *options = run->options;
    size_t i = after == NULL ? 0 : (size_t)(after - options->settings) + 1;

    for (; i < options->settings_n; i++) {
        const struct setting *s = &options->settings[i];

        if ((s->source == run->source ||
             (run->source == SOURCE_SECTION && s->source == SOURCE_CONFIG)) &&
            strcmp(s->section, run->section) == 0 && strcmp(s->name, run->name) == 0)
            return s;
    }
    return NULL;
}

struct run_ends {
    const struct setting *first; /* Behind the last negation; NULL: none. */
    const struct setting *last;
    bool has_negation;
    bool ends_negated;
};

static struct run_ends run_ends(const struct run *run)
{
    struct run_ends ends = {0};

    for (const struct setting *s = run_next(run, NULL); s != NULL; s = run_next(run, s)) {
        ends.ends_negated = s->kind == SETTING_FALSE;
        if (ends.ends_negated) {
            ends.has_negation = true;
            ends.first = NULL;
        } else if (ends.first == NULL) {
            ends.first = s;
        }
        ends.last = s;
    }
    return ends;
}

/* False: this source cannot apply (no network chosen yet). */
static bool run_of(struct run *ret_run, const struct options *options, enum setting_source source,
                   const char *network, const char *name)
{
    *ret_run = (struct run){options, source, "", name};
    if (source == SOURCE_SECTION) {
        ret_run->section = network;
        return network[0] != '\0';
    }
    return true;
}

static bool default_section_counts(const struct options *options, const char *name)
{
    const struct option_row *row = option_row_find(options->rows, name);

    return strcmp(options->network, "main") == 0 || row == NULL ||
           (row->flags & OPTION_NETWORK) == 0;
}

const struct setting *options_find(const struct options *options, const char *name)
{
    bool with_default = default_section_counts(options, name);

    for (enum setting_source source = 0; source < SOURCE_COUNT; source++) {
        bool is_file = source == SOURCE_SECTION || source == SOURCE_CONFIG;
        struct run run;
        struct run_ends ends;

        if (!run_of(&run, options, source, options->network, name))
            continue;
        ends = run_ends(&run);
        if (ends.last == NULL)
            continue;
        /* A negation in the default section counts on every network. */
        if (source == SOURCE_CONFIG && !with_default && !ends.ends_negated)
            continue;
        /* In files the first value wins, elsewhere the last. */
        if (is_file && !ends.ends_negated)
            return ends.first;
        return ends.last;
    }
    return NULL;
}

/* A chain option: files know no precedence of the first value, and a negation on
 * the command line does not reach them. */
static bool chain_switch(const struct options *options, const char *name)
{
    for (enum setting_source source = 0; source < SOURCE_COUNT; source++) {
        struct run run;
        struct run_ends ends;

        if (!run_of(&run, options, source, "", name))
            continue;
        ends = run_ends(&run);
        if (ends.last == NULL || ends.ends_negated)
            continue;
        return ends.last->kind == SETTING_TRUE || text_is_true(ends.last->text);
    }
    return false;
}

const char *options_network(struct options *options)
{
    static const struct {
        const char *option;
        const char *network;
    } switches[] = {
        {"regtest", "regtest"},
        {"signet", "signet"},
        {"testnet", "test"},
        {"testnet4", "testnet4"},
    };
    const char *found = options_text(options, "chain", NULL);
    int n = found != NULL;

    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (!chain_switch(options, switches[i].option))
            continue;
        n++;
        found = switches[i].network;
    }
    if (n > 1) {
        (void)options_fail(
            options, E_MALFORMED,
            "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. "
            "Can use at most one.");
        return NULL;
    }
    return found == NULL ? "main" : found;
}

void options_select_network(struct options *options, const char *network)
{
    options->network = network;
}

const char *options_misplaced(const struct options *options, size_t index)
{
    if (options->network[0] == '\0' || strcmp(options->network, "main") == 0)
        return NULL;
    for (const struct option_row *row = options->rows; row->name != NULL; row++) {
        bool in_default = false;
        bool elsewhere = false;

        if ((row->flags & OPTION_NETWORK) == 0)
            continue;
        for (enum setting_source source = 0; source < SOURCE_COUNT; source++) {
            struct run run;
            struct run_ends ends;

            if (!run_of(&run, options, source, options->network, row->name))
                continue;
            ends = run_ends(&run);
            if (ends.last == NULL || ends.ends_negated)
                continue;
            if (source == SOURCE_CONFIG)
                in_default = true;
            else
                elsewhere = true;
        }
        if (in_default && !elsewhere && index-- == 0)
            return row->name;
    }
    return NULL;
}

bool options_is_negated(const struct options *options, const char *name)
{
    const struct setting *s = options_find(options, name);

    return s != NULL && s->kind == SETTING_FALSE;
}

bool options_bool(const struct options *options, const char *name, bool otherwise)
{
    const struct setting *s = options_find(options, name);

    if (s == NULL)
        return otherwise;
    if (s->kind == SETTING_FALSE || s->kind == SETTING_TRUE)
        return s->kind == SETTING_TRUE;
    return text_is_true(s->text);
}

int64_t options_int(const struct options *options, const char *name, int64_t otherwise)
{
    const struct setting *s = options_find(options, name);

    return s == NULL ? otherwise : text_to_int(s->text);
}

const char *options_text(const struct options *options, const char *name, const char *otherwise)
{
    const struct setting *s = options_find(options, name);

    return s == NULL ? otherwise : s->text;
}

/* Adds what a source gave, from its last negation on. */
static void list_add(const char ***list, size_t *n, const struct run *run,
                     const struct run_ends *ends)
{
    for (const struct setting *s = ends->first; s != NULL; s = run_next(run, s)) {
        *list = realloc_array(*list, *n + 1, sizeof(**list));
        (*list)[(*n)++] = s->text;
    }
}

size_t options_list(const struct options *options, const char *name, const char ***ret_list)
{
    bool with_default = default_section_counts(options, name);
    bool is_done = false;
    bool was_emptied = false;
    const char **list = NULL;
    size_t n = 0;

    for (enum setting_source source = 0; source < SOURCE_COUNT; source++) {
        bool is_file = source == SOURCE_SECTION || source == SOURCE_CONFIG;
        struct run run;
        struct run_ends ends;

        if (!run_of(&run, options, source, options->network, name))
            continue;
        if (source == SOURCE_CONFIG && !with_default)
            continue;
        ends = run_ends(&run);
        if (ends.last == NULL)
            continue;
        /* What the command line negated comes back from the files if another
         * value followed the negation. */
        if (!is_done || (is_file && !was_emptied))
            list_add(&list, &n, &run, &ends);
        is_done = is_done || ends.has_negation || source == SOURCE_FORCED;
        was_emptied = was_emptied || (ends.ends_negated && n == 0);
    }
    *ret_list = list;
    return n;
}

void options_set_forced(struct options *options, const char *name, const char *value)
{
    options_add(options, SOURCE_FORCED, "", name, SETTING_TEXT, value);
}

bool options_set_soft(struct options *options, const char *name, const char *value)
{
    if (options_is_set(options, name))
        return false;
    options_set_forced(options, name, value);
    return true;
}

int options_read_arguments(struct options *options, int argc, char *const *argv, bool words_allowed)
{
    struct run run = {options, SOURCE_COMMAND, "", "includeconf"};
    struct run_ends ends;
    int rc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-") == 0)
            break;
        if (argv[i][0] == '-') {
            rc = take_argument(options, argv[i]);
            if (rc < 0)
                return rc;
            continue;
        }
        if (!words_allowed) {
            /* assayd has no commands: the caller words this. */
            options->words = realloc_array(options->words, 1, sizeof(options->words[0]));
            options->words[0] = alloc_string(argv[i]);
            options->words_n = 1;
            break;
        }
        options->words = realloc_array(options->words, (size_t)(argc - i), sizeof(char *));
        for (; i < argc; i++)
            options->words[options->words_n++] = alloc_string(argv[i]);
        break;
    }
    ends = run_ends(&run);
    if (ends.last != NULL && !ends.ends_negated) {
        const char *quote = ends.first->kind == SETTING_TEXT ? "\"" : "";
        const char *text = ends.first->kind == SETTING_TRUE ? "true" : ends.first->text;

        return options_fail(options, E_MALFORMED,
                            "-includeconf cannot be used from commandline; -includeconf=%s%s%s",
                            quote, text, quote);
    }
    return 0;
}
