/** What every header of libassay needs. */
#ifndef ASSAY_BASE_H
#define ASSAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/error.h>
#include <assay/export.h>

/** Bytes of a hash, and of its text with terminator. */
#define ASSAY_HASH_BYTES 32
#define ASSAY_HASH_HEX_SIZE 65

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that runs, e.g. "0.1.0".
 *  Returns: a string with static lifetime. Any thread. */
ASSAY_API const char *assay_version(void);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_BASE_H */
