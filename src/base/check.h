/* Broken invariants. CHECK is always on and aborts with file, line and the
 * condition; VERIFY is compiled only in the verify build (-DASSAY_VERIFY=ON).
 * Neither is for bad input: that is an error or a verdict.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

__attribute__((noreturn, cold)) void check_failed(const char *condition, const char *file,
                                                  int line);

#define CHECK(condition)                                  \
    do {                                                  \
        if (__builtin_expect(!(condition), 0))            \
            check_failed(#condition, __FILE__, __LINE__); \
    } while (0)

/* This place is never reached; what says why. */
#define CHECK_NEVER(what) check_failed(what, __FILE__, __LINE__)

#ifdef ASSAY_VERIFY
#define VERIFY(condition) CHECK(condition)
#else
#define VERIFY(condition) ((void)sizeof(!(condition)))
#endif

#endif /* BASE_CHECK_H */
