/* Shell commands that users give for events (-blocknotify and friends). */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "app/options.h"

/* Runs each command given for option, with value in place of %s (NULL: as they
 * stand). Does not wait for them, unless wait says so. A command that fails is
 * logged. Any thread. */
void commands_run(const struct options *options, const char *option, const char *value, bool wait);

/* value in single quotes, with everything a shell could take for more than text
 * left out. The caller frees it. */
char *command_quote(const char *value);

#endif /* APP_COMMAND_H */
