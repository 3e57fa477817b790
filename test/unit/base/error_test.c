#include "base/error.h"

#include <errno.h>

#include "base/verdict.h"
#include "test.h"

static void set_and_wrap(void)
{
    struct error err = {0};

    EXPECT_INT("code comes back", error_set(&err, E_CORRUPT, "page %d of '%s'", 7, "coins"),
               E_CORRUPT);
    EXPECT_INT("code is kept", err.shown.code, E_CORRUPT);
    EXPECT_STR("text", error_text(&err), "page 7 of 'coins'");
    error_wrap(&err, "could not read block %d", 3);
    EXPECT_STR("wrapped", error_text(&err), "could not read block 3: page 7 of 'coins'");
    error_wrap(&err, "could not start");
    EXPECT_STR("wrapped twice", error_text(&err),
               "could not start: could not read block 3: page 7 of 'coins'");
    EXPECT_INT("code stays", err.shown.code, E_CORRUPT);
}

static void nobody_listens(void)
{
    EXPECT_INT("set", error_set(NULL, E_LIMIT, "%d", 1), E_LIMIT);
    EXPECT_INT("errno", error_set_errno(NULL, ENOSPC, "%d", 1), E_NO_SPACE);
    error_wrap(NULL, "%d", 1);
    EXPECT_STR("text", error_text(NULL), "unknown error");
}

static const struct {
    int errno_value;
    int code;
} errno_rows[] = {
    {ENOENT, E_NOT_FOUND}, {ENOTDIR, E_NOT_FOUND}, {EEXIST, E_EXISTS},    {ENOSPC, E_NO_SPACE},
    {EDQUOT, E_NO_SPACE},  {EACCES, E_PERMISSION}, {EPERM, E_PERMISSION}, {EROFS, E_PERMISSION},
    {EIO, E_IO},           {EBADF, E_IO},          {EMFILE, E_IO},
};

static void errno_has_a_code(void)
{
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_LEN(errno_rows); i++) {
        EXPECT_INT("code", error_set_errno(&err, errno_rows[i].errno_value, "x"),
                   errno_rows[i].code);
        EXPECT_INT("kept", err.shown.code, errno_rows[i].code);
    }
    (void)error_set_errno(&err, ENOENT, "could not open '%s'", "a.dat");
    EXPECT_STR("text", error_text(&err), "could not open 'a.dat': No such file or directory");
}

/* Texts longer than the place for them are cut, and always end. */
static void long_texts_are_cut(void)
{
    char text[2000];
    struct error err = {0};

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)error_set(&err, E_IO, "%s", text);
    EXPECT_U64("set", strlen(error_text(&err)), ASSAY_ERROR_TEXT_MAX - 1);
    for (int i = 0; i < 10; i++) {
        error_wrap(&err, "%s", text);
        EXPECT_TRUE("wrapped", strlen(error_text(&err)) < ASSAY_ERROR_TEXT_MAX);
    }
    (void)error_set_errno(&err, ENOENT, "%s", text);
    EXPECT_TRUE("reason survives", strstr(error_text(&err), ": No such file or directory") != NULL);
}

static void every_code_has_a_name(void)
{
    struct error err = {0};

    for (int code = -1; code >= E_STATE; code--)
        EXPECT_TRUE("named", strcmp(assay_error_name(code), "unknown error") != 0);
    EXPECT_STR("none", assay_error_name(0), "no error");
    EXPECT_STR("other", assay_error_name(-9999), "unknown error");
    err.shown.code = E_NO_SPACE;
    EXPECT_STR("empty text", error_text(&err), "no space left on device");
}

static void verdicts_have_reasons(void)
{
    EXPECT_STR("valid", verdict_reason(V_VALID), "");
    for (int v = 1; v < V_COUNT; v++)
        EXPECT_TRUE("reason", verdict_reason((enum verdict)v)[0] != '\0');
}

TEST_LIST(TEST(set_and_wrap), TEST(nobody_listens), TEST(errno_has_a_code),
          TEST(long_texts_are_cut), TEST(every_code_has_a_name), TEST(verdicts_have_reasons))
