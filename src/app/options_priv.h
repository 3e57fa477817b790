/* What the files behind app/options.h share. */
#ifndef APP_OPTIONS_PRIV_H
#define APP_OPTIONS_PRIV_H

#include "app/options.h"

/* Sets the text that options_error returns. Returns code. */
int options_fail(struct options *options, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* One assignment of a configuration file. */
NODISCARD int options_take_config(struct options *options, const char *section, const char *name,
                                  bool is_negated, const char *value,
                                  const struct option_row *row);

#endif /* APP_OPTIONS_PRIV_H */
