/* What options look like to people: -help, and the log of what was given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "base/alloc.h"
#include "base/log.h"

#define HELP_COLUMNS 79
#define HELP_INDENT 7

/* The text in lines of HELP_COLUMNS, broken at spaces. */
static void write_wrapped(struct buf *buf, const char *text)
{
    size_t column = HELP_INDENT;

    buf_add_printf(buf, "%*s", HELP_INDENT, "");
    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        if (column > HELP_INDENT && column + 1 + len > HELP_COLUMNS) {
            buf_add_printf(buf, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        }
        if (column > HELP_INDENT) {
            buf_add_byte(buf, ' ');
            column++;
        }
        buf_add(buf, text, len);
        column += len;
        text += len;
        text += *text == ' ';
    }
    buf_add_byte(buf, '\n');
}

static int compare_rows(const void *a, const void *b)
{
    const struct option_row *x = *(const struct option_row *const *)a;
    const struct option_row *y = *(const struct option_row *const *)b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return strcmp(x->name, y->name);
}

void options_help(struct buf *buf, const struct option_row *rows, const char *dashes,
                  bool with_debug)
{
    const struct option_row **sorted = NULL;
    enum option_group group = GROUP_COUNT;
    size_t n = 0;

    for (; rows->name != NULL; rows++) {
        if (rows->group == GROUP_HIDDEN || (!with_debug && (rows->flags & OPTION_DEBUG) != 0))
            continue;
        sorted = realloc_array(sorted, n + 1, sizeof(*sorted));
        sorted[n++] = rows;
    }
    qsort(sorted, n, sizeof(*sorted), compare_rows);
    for (size_t i = 0; i < n; i++) {
        if (sorted[i]->group != group) {
            group = sorted[i]->group;
            buf_add_printf(buf, "%s:\n\n", option_group_title(group));
        }
        buf_add_printf(buf, "  %s%s%s\n", dashes, sorted[i]->name, sorted[i]->value);
        write_wrapped(buf, sorted[i]->text);
        if ((sorted[i]->flags & OPTION_LATER) != 0)
            write_wrapped(buf, "(Accepted; has no effect yet.)");
        buf_add_byte(buf, '\n');
    }
    free(sorted);
}

/* As JSON shows a value: that is how such lines have always looked. */
static char *value_shown(const struct setting *s, const struct option_row *row)
{
    if (row != NULL && (row->flags & OPTION_SECRET) != 0)
        return alloc_string("****");
    switch (s->kind) {
    case SETTING_FALSE:
        return alloc_string("false");
    case SETTING_TRUE:
        return alloc_string("true");
    case SETTING_TEXT:
        return alloc_printf("\"%s\"", s->text);
    default:
        return alloc_string(s->text);
    }
}

static void log_one(const struct options *options, const struct setting *s)
{
    const struct option_row *row = option_row_find(options->rows, s->name);
    char *shown;

    if (row == NULL && s->source != SOURCE_SETTINGS)
        return;
    shown = value_shown(s, row);
    if (s->source == SOURCE_SETTINGS)
        log_info("config", "Setting file arg: %s = %s", s->name, shown);
    else if (s->source == SOURCE_COMMAND)
        log_info("config", "Command-line arg: %s=%s", s->name, shown);
    else if (s->section[0] == '\0')
        log_info("config", "Config file arg: %s=%s", s->name, shown);
    else
        log_info("config", "Config file arg: [%s] %s=%s", s->section, s->name, shown);
    free(shown);
}

void options_log(const struct options *options)
{
    static const enum setting_source order[] = {SOURCE_CONFIG, SOURCE_SETTINGS, SOURCE_COMMAND};

    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        for (size_t i = 0; i < options->settings_n; i++) {
            if (options->settings[i].source == order[k])
                log_one(options, &options->settings[i]);
        }
    }
    for (const struct option_row *row = options->rows; row->name != NULL; row++) {
        if ((row->flags & OPTION_LATER) != 0 && options_is_set(options, row->name))
            log_info("config", "-%s is accepted and has no effect yet", row->name);
    }
}
