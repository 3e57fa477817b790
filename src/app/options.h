/* The options a program was started with: command line, settings file and
 * configuration files, and which of them wins. The semantics, odd corners
 * included, are those that users of Bitcoin Core's programs know.
 *
 * Names are given without dash. Filled by one thread at the start; after that
 * only the settings the node itself writes change, under the caller's lock.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/option_table.h"
#include "base/bytes.h"
#include "base/error.h"

/* From the strongest to the weakest. */
enum setting_source {
    SOURCE_FORCED,   /* Set by one option for another. */
    SOURCE_COMMAND,  /* Command line. */
    SOURCE_SETTINGS, /* settings.json */
    SOURCE_SECTION,  /* Configuration file, the network's section. */
    SOURCE_CONFIG,   /* Configuration file, before any section. */
    SOURCE_COUNT
};

enum setting_kind {
    SETTING_FALSE, /* Negated. */
    SETTING_TRUE,  /* Negated twice. */
    SETTING_TEXT,
    SETTING_NUMBER, /* From settings.json. */
    SETTING_OTHER   /* From settings.json: kept as it is; text is JSON. */
};

struct setting {
    enum setting_source source;
    char *section; /* Of a configuration file; "" else. */
    char *name;
    enum setting_kind kind;
    char *text;
};

/* A place in a configuration file where a section was named. */
struct config_section {
    char *name;
    char *file;
    int line;
};

struct options {
    const struct option_row *rows;
    struct setting *settings; /* In the order they were given. */
    size_t settings_n;
    struct config_section *sections;
    size_t sections_n;
    const char *network; /* The section in use: "main", "test", ...; "" before it is known. */
    char **words;        /* What followed the options on the command line. */
    size_t words_n;
    char *config_path; /* Of the first configuration file; "" for none. */
    struct buf error;  /* The text of the last failure. */
};

void options_init(struct options *options, const struct option_row *rows);
void options_clear(struct options *options);
/* The text of the last failure; never NULL. */
const char *options_error(struct options *options);

/* NULL: there is no such option. */
const struct option_row *option_row_find(const struct option_row *rows, const char *name);

/* The command line. With words_allowed the first argument without dash ends the
 * options, and it and the rest become words; else it is an error.
 * Returns 0 or E_MALFORMED. */
NODISCARD int options_read_arguments(struct options *options, int argc, char *const *argv,
                                     bool words_allowed);

/* bitcoin.conf, and what it includes. Unknown names are logged and passed over.
 * Returns 0, E_MALFORMED or E_IO. */
NODISCARD int options_read_config(struct options *options);
/* The same for one text, e.g. of a test; file: what errors and sections call it. */
NODISCARD int options_read_config_text(struct options *options, struct span text, const char *file);

/* The network asked for: "main", ... or what -chain= said, whatever it was. NULL,
 * with an error, when the options contradict each other. */
const char *options_network(struct options *options);
/* From now on network's section counts. network must stay. */
void options_select_network(struct options *options, const char *network);

/* Options that were only given in the default section though they count for the
 * main network only: the names, one behind the other; NULL at the end. */
const char *options_misplaced(const struct options *options, size_t index);

/* The setting in force, NULL if there is none. */
const struct setting *options_find(const struct options *options, const char *name);
static inline bool options_is_set(const struct options *options, const char *name)
{
    return options_find(options, name) != NULL;
}
bool options_is_negated(const struct options *options, const char *name);

bool options_bool(const struct options *options, const char *name, bool otherwise);
/* Text that is no number counts as 0; too large a number as the largest. */
int64_t options_int(const struct options *options, const char *name, int64_t otherwise);
/* Lives as long as the options; "0" and "1" for switches. */
const char *options_text(const struct options *options, const char *name, const char *otherwise);
/* Everything given for an option that may be repeated. *ret_list is the caller's
 * to free, its texts are not. */
size_t options_list(const struct options *options, const char *name, const char ***ret_list);
/* A path, tidied; "" when negated. The caller frees it. */
char *options_path(const struct options *options, const char *name, const char *otherwise);

/* Sets name, unless the user did. False: the user did. */
bool options_set_soft(struct options *options, const char *name, const char *value);
void options_set_forced(struct options *options, const char *name, const char *value);

/* The data directory, absolute, as -datadir says or ~/.assay; the caller frees
 * it. NULL: -datadir names no directory. */
char *options_data_folder(const struct options *options);
/* own_path made absolute: relative ones start at folder. The caller frees it. */
char *path_from(const char *folder, const char *path);
/* Without "." and "..", double and trailing slashes. The caller frees it. */
char *path_tidy(const char *path);

/* Log what was given: one line a setting, secrets hidden. */
void options_log(const struct options *options);

/* All rows, with the options for tests if with_debug. */
void options_help(struct buf *buf, const struct option_row *rows, const char *dashes,
                  bool with_debug);

/* settings.json: read it (absent: nothing set), write it back. Returns 0 or
 * E_CORRUPT / E_IO with details, a list of lines, in the error text. path: of the
 * file. */
NODISCARD int options_read_settings(struct options *options, const char *path);
NODISCARD int options_write_settings(struct options *options, const char *path);

/* A switch's text as a truth: "" and numbers but 0 are true. */
bool text_is_true(const char *text);

#endif /* APP_OPTIONS_H */
