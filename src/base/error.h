/* Operating errors inside the house: the same list as include/assay/error.h
 * under short names.
 *
 * A function that can fail returns 0 or a negative E_* and takes a
 * `struct error *err` as its last parameter, which may be NULL. The place that
 * first sees the failure calls error_set(), callers on the way up may put
 * context in front with error_wrap(). Messages: lower case, no full stop,
 * "could not ...", values quoted.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <assay/error.h>

enum {
#define ERROR_ENUM(name, number, text) E_##name = (number),
    ASSAY_ERROR_MAP(ERROR_ENUM)
#undef ERROR_ENUM
};

/* The published struct and the one used inside are one and the same. */
struct error {
    struct assay_error shown;
};

#define NODISCARD __attribute__((warn_unused_result))
#define NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* Returns code, so that a failing function can end with it. err may be NULL. */
int error_set(struct error *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set, with the code and the text that belong to an errno value:
 * "<formatted>: No such file or directory". */
int error_set_errno(struct error *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<formatted>: " in front of the text err already has. err may be NULL. */
void error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text of err, or the name of code when err is NULL or empty. */
const char *error_text(const struct error *err);

#endif /* BASE_ERROR_H */
