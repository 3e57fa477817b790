/* What the files behind app/options.h share. */
#ifndef APP_OPTIONS_PRIV_H
#define APP_OPTIONS_PRIV_H

#include "app/options.h"

/* Sets the text that options_error returns. Returns code. */
int options_fail(struct options *options, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds one setting behind the others. */
void options_add(struct options *options, enum setting_source source, const char *section,
                 const char *name, enum setting_kind kind, const char *text);

/* One assignment of a configuration file. */
NODISCARD int options_take_config(struct options *options, const char *section, const char *name,
                                  bool is_negated, const char *value, const struct option_row *row);

#endif /* APP_OPTIONS_PRIV_H */
