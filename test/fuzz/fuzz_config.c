/* Target: configuration files. Whatever is in one, it is read or refused with a
 * text, and reading it twice gives the same. */
#include <string.h>

#include "app/options.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct options first;
    struct options second;
    int rc;

    options_init(&first, assayd_options);
    options_init(&second, assayd_options);
    rc = options_read_config_text(&first, span_of(data, len), "fuzz.conf");
    CHECK(options_read_config_text(&second, span_of(data, len), "fuzz.conf") == rc);
    CHECK((rc < 0) == (options_error(&first)[0] != '\0'));
    CHECK(strcmp(options_error(&first), options_error(&second)) == 0);
    if (rc == 0) {
        CHECK(first.settings_n == second.settings_n);
        for (size_t i = 0; i < first.settings_n; i++)
            CHECK(option_row_find(assayd_options, first.settings[i].name) != NULL);
    }
    options_clear(&first);
    options_clear(&second);
    return 0;
}
