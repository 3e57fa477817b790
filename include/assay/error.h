/** Operating errors: the machine failed us, or the caller asked for something
 *  that cannot be done.
 *
 *  Zero is success; every error is negative. Append only, the numbers are part
 *  of the ABI. An invalid block, transaction or script is not an operating
 *  error: it is a verdict, see verdict.h.
 */
#ifndef ASSAY_ERROR_H
#define ASSAY_ERROR_H

#include <assay/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, what the user reads) */
#define ASSAY_ERROR_MAP(X)                              \
    X(IO, -1, "input/output error")                     \
    X(CORRUPT, -2, "stored data is corrupt")            \
    X(NOT_FOUND, -3, "not found")                       \
    X(EXISTS, -4, "already exists")                     \
    X(TRUNCATED, -5, "data ends too early")             \
    X(MALFORMED, -6, "data is not canonically encoded") \
    X(LIMIT, -7, "argument is out of range")            \
    X(NO_SPACE, -8, "no space left on device")          \
    X(LOCKED, -9, "in use by another process")          \
    X(PERMISSION, -10, "permission denied")             \
    X(UNSUPPORTED, -11, "not supported")                \
    X(STOPPED, -12, "stopped on request")               \
    X(STATE, -13, "not possible in the present state")

/** The errors as ASSAY_E... numbers. */
enum assay_error_code {
    ASSAY_OK = 0,
#define ASSAY_ERROR_ENUM(name, number, text) ASSAY_E_##name = (number),
    ASSAY_ERROR_MAP(ASSAY_ERROR_ENUM)
#undef ASSAY_ERROR_ENUM
};

/** Longest message, in bytes, terminator included. */
#define ASSAY_ERROR_TEXT_MAX 512

/** What went wrong, written for a person: lower case, no full stop, the outer
 *  context first. Storage is the caller's; no release is needed. */
struct assay_error {
    int code;                        /**< One of enum assay_error_code. */
    char text[ASSAY_ERROR_TEXT_MAX]; /**< Always terminated. */
};

/** The name of an error code, e.g. "input/output error".
 *  Returns: a string with static lifetime, never NULL. Any thread. */
ASSAY_API const char *assay_error_name(int code);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_ERROR_H */
