#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *assay_error_name(int code)
{
    switch (code) {
    case ASSAY_OK:
        return "no error";
#define ERROR_CASE(name, number, text) \
    case ASSAY_E_##name:               \
        return text;
        ASSAY_ERROR_MAP(ERROR_CASE)
#undef ERROR_CASE
    default:
        return "unknown error";
    }
}

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->shown.code = code;
    va_start(args, format);
    (void)vsnprintf(err->shown.text, sizeof(err->shown.text), format, args);
    va_end(args);
    return code;
}

static int code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
        return E_NOT_FOUND;
    case EEXIST:
        return E_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return E_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return E_PERMISSION;
    default:
        return E_IO;
    }
}

int error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
    int code = code_of_errno(errno_value);
    char head[ASSAY_ERROR_TEXT_MAX];
    char reason[128];
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    (void)vsnprintf(head, sizeof(head), format, args);
    va_end(args);
    /* The GNU strerror_r: the text it returns need not be in the buffer. */
    return error_set(err, code, "%.380s: %.100s", head,
                     strerror_r(errno_value, reason, sizeof(reason)));
}

void error_wrap(struct error *err, const char *format, ...)
{
    char inner[ASSAY_ERROR_TEXT_MAX];
    char head[ASSAY_ERROR_TEXT_MAX];
    va_list args;

    if (err == NULL)
        return;
    memcpy(inner, err->shown.text, sizeof(inner));
    va_start(args, format);
    (void)vsnprintf(head, sizeof(head), format, args);
    va_end(args);
    (void)snprintf(err->shown.text, sizeof(err->shown.text), "%.200s: %.300s", head, inner);
}

const char *error_text(const struct error *err)
{
    if (err == NULL)
        return "unknown error";
    if (err->shown.text[0] == '\0')
        return assay_error_name(err->shown.code);
    return err->shown.text;
}
