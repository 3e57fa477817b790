#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

static void default_oom(size_t size_bytes)
{
    (void)fprintf(stderr, "assay: out of memory, could not get %zu bytes\n", size_bytes);
    abort();
}

static void (*oom_handler)(size_t) = default_oom;

void set_oom_handler(void (*handler)(size_t size_bytes))
{
    oom_handler = handler == NULL ? default_oom : handler;
}

void alloc_fail(size_t size_bytes)
{
    oom_handler(size_bytes);
    abort(); /* A handler that returns breaks its contract. */
}

void *alloc(size_t size_bytes)
{
    void *memory = malloc(size_bytes == 0 ? 1 : size_bytes);

    if (memory == NULL)
        alloc_fail(size_bytes);
    return memory;
}

void *alloc_zero(size_t size_bytes)
{
    return alloc_array(1, size_bytes);
}

void *alloc_array(size_t count, size_t item_bytes)
{
    void *memory = calloc(count == 0 ? 1 : count, item_bytes == 0 ? 1 : item_bytes);

    if (memory == NULL)
        alloc_fail(count * item_bytes);
    return memory;
}

void *realloc_array(void *own_old, size_t count, size_t item_bytes)
{
    size_t size_bytes;
    void *memory;

    if (__builtin_mul_overflow(count, item_bytes, &size_bytes))
        alloc_fail(SIZE_MAX);
    memory = realloc(own_old, size_bytes == 0 ? 1 : size_bytes);
    if (memory == NULL)
        alloc_fail(size_bytes);
    return memory;
}

char *alloc_string(const char *text)
{
    size_t len = strlen(text);
    char *copy = alloc(len + 1);

    memcpy(copy, text, len + 1);
    return copy;
}

char *alloc_printf(const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    text = alloc((size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}
