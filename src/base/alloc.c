#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

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

__attribute__((noreturn, cold)) static void out_of_memory(size_t size_bytes)
{
    oom_handler(size_bytes);
    abort(); /* A handler that returns breaks its contract. */
}

void *alloc(size_t size_bytes)
{
    void *memory = malloc(size_bytes == 0 ? 1 : size_bytes);

    if (memory == NULL)
        out_of_memory(size_bytes);
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
        out_of_memory(count * item_bytes);
    return memory;
}

void *realloc_array(void *own_old, size_t count, size_t item_bytes)
{
    size_t size_bytes;
    void *memory;

    if (__builtin_mul_overflow(count, item_bytes, &size_bytes))
        out_of_memory(SIZE_MAX);
    memory = realloc(own_old, size_bytes == 0 ? 1 : size_bytes);
    if (memory == NULL)
        out_of_memory(size_bytes);
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

void *secret_alloc(size_t size_bytes)
{
    void *secret = alloc_zero(size_bytes);

    /* Without the right to lock, swapping is the lesser evil to not running. */
    (void)mlock(secret, size_bytes);
    return secret;
}

void secret_free(void *secret, size_t size_bytes)
{
    if (secret == NULL)
        return;
    secret_wipe(secret, size_bytes);
    (void)munlock(secret, size_bytes);
    free(secret);
}

void secret_wipe(void *secret, size_t size_bytes)
{
    explicit_bzero(secret, size_bytes);
}
