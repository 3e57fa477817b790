/* Heap memory. None of these returns NULL: every size that a stranger can
 * choose is bounded before it gets here, so running out is the end of the
 * process, through one handler (docs/decisions/0004). Release with free().
 * Any thread.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>
#include <stdlib.h>

#define ALLOC_LIKE __attribute__((malloc, returns_nonnull, warn_unused_result))

void *alloc(size_t size_bytes) ALLOC_LIKE;
void *alloc_zero(size_t size_bytes) ALLOC_LIKE;
void *alloc_array(size_t count, size_t item_bytes) ALLOC_LIKE; /* Zeroed; overflow is checked. */
void *realloc_array(void *own_old, size_t count, size_t item_bytes)
    __attribute__((returns_nonnull, warn_unused_result));
char *alloc_string(const char *text) ALLOC_LIKE;
char *alloc_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull, warn_unused_result));

/* Called with the size that could not be had; must not return. NULL restores
 * the default, which prints the size and aborts. */
void set_oom_handler(void (*handler)(size_t size_bytes));

/* Calls that handler and does not come back. */
__attribute__((noreturn, cold)) void alloc_fail(size_t size_bytes);

/* Memory for secrets: zeroed, locked against paging where the limits allow it, not
 * in core dumps, wiped before it goes back. Release only with secret_free, with the
 * same size. */
void *secret_alloc(size_t size_bytes) ALLOC_LIKE;
void secret_free(void *secret, size_t size_bytes);

/* Overwrites memory in a way the compiler may not leave out. */
void secret_wipe(void *secret, size_t size_bytes);

struct secret_usage {
    size_t used_bytes; /* In steps of what is given out at least. */
    size_t free_bytes;
    size_t locked_bytes; /* 0: the limits did not allow it. */
    size_t used_chunks;  /* Secrets that live. */
    size_t free_chunks;  /* Gaps. */
};
void secret_usage(struct secret_usage *ret_usage) __attribute__((nonnull));

#endif /* BASE_ALLOC_H */
