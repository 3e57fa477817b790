/* The log: how lines look, which are written, what happens to too many. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/log.h"
#include "base/alloc.h"
#include "os/thread.h"
#include "test.h"

static char *path;

static void open_log(bool rate_limit)
{
    struct log_options options = {
        .with_time = true,
        .with_micros = true,
        .with_thread = true,
        .with_source = true,
        .rate_limit = rate_limit,
    };

    free(path);
    path = alloc_printf("%s/%s", test_folder(), "debug.log");
    (void)unlink(path);
    options.path = path;
    thread_set_name("tester");
    log_init();
    (void)log_category_set("all", false);
    log_info("config", "early");
    CHECK(log_open(&options, NULL) == 0);
}

static const char *content(struct buf *text)
{
    text->len = 0;
    CHECK(test_read_file(text, path));
    return buf_string(text);
}

static void lines_have_their_layout(void)
{
    struct buf text = {0};
    const char *line;

    open_log(true);
    log_info("http", "plain");
    log_warning("http", "careful\x1b[0m");
    EXPECT_TRUE("early lines are kept", strstr(content(&text), "early\n") != NULL);
    line = strstr(content(&text), "[tester] [app/log_test.c:");
    EXPECT_TRUE("thread and source", line != NULL);
    EXPECT_TRUE("function", strstr(content(&text), "] [lines_have_their_layout] plain\n") != NULL);
    EXPECT_TRUE("level, and no control characters",
                strstr(content(&text), "[warning] careful\\x1b[0m\n") != NULL);
    /* "2026-08-18T12:00:00.123456Z " in front. */
    line = strstr(content(&text), "Z [tester]");
    EXPECT_TRUE("time", line != NULL && line - 26 >= content(&text));
    if (line != NULL) {
        EXPECT_INT("date", line[-16], 'T');
        EXPECT_INT("micros", line[-7], '.');
    }
    log_close();
    buf_clear(&text);
}

static void categories_choose(void)
{
    struct buf text = {0};

    open_log(true);
    log_debug("net", "silent");
    EXPECT_TRUE("known", log_category_set("net", true));
    EXPECT_TRUE("unknown", !log_category_set("nonsuch", true));
    log_debug("net", "spoken");
    log_trace("net", "too fine");
    EXPECT_TRUE("level", log_level_set("net", "trace"));
    EXPECT_TRUE("no such level", !log_level_set("net", "nonsuch"));
    EXPECT_TRUE("no such category", !log_level_set("nonsuch", "trace"));
    EXPECT_TRUE("errors cannot be silenced", !log_level_set(NULL, "error"));
    log_trace("net", "fine");
    log_debug("rpc", "other");
    EXPECT_TRUE("off", strstr(content(&text), "silent") == NULL);
    EXPECT_TRUE("on", strstr(content(&text), "[net] spoken\n") != NULL);
    EXPECT_TRUE("too fine", strstr(content(&text), "too fine") == NULL);
    EXPECT_TRUE("fine", strstr(content(&text), "[net:trace] fine\n") != NULL);
    EXPECT_TRUE("another one", strstr(content(&text), "other") == NULL);
    log_close();
    buf_clear(&text);
}

static void write_much(void)
{
    char line[1001];

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    for (unsigned i = 0; i < 2 * LOG_RATE_BYTES / 1000; i++)
        log_info("app", "%s", line);
}

static void floods_are_held_back(void)
{
    struct buf text = {0};

    open_log(true);
    write_much();
    log_info("app", "still heard");
    EXPECT_TRUE("bounded", strlen(content(&text)) < LOG_RATE_BYTES + LOG_RATE_BYTES / 2);
    EXPECT_TRUE("said so", strstr(content(&text), "Excessive logging detected from ") != NULL);
    EXPECT_TRUE("others go on", strstr(content(&text), "still heard\n") != NULL);
    log_close();
    open_log(false);
    write_much();
    EXPECT_TRUE("unless switched off", strlen(content(&text)) > 2 * LOG_RATE_BYTES);
    log_close();
    buf_clear(&text);
}

static void moved_files_are_left_alone(void)
{
    char *moved;
    struct buf text = {0};

    open_log(true);
    log_info("app", "before");
    moved = alloc_printf("%s.1", path);
    CHECK(rename(path, moved) == 0);
    log_info("app", "still there");
    log_reopen();
    log_info("app", "after");
    EXPECT_TRUE("new file", strstr(content(&text), "after") != NULL);
    EXPECT_TRUE("without what came before", strstr(content(&text), "still there") == NULL);
    text.len = 0;
    CHECK(test_read_file(&text, moved));
    EXPECT_TRUE("old file", strstr(buf_string(&text), "still there") != NULL);
    log_close();
    (void)unlink(moved);
    free(moved);
    buf_clear(&text);
}

TEST_LIST(TEST(lines_have_their_layout), TEST(categories_choose), TEST(floods_are_held_back),
          TEST(moved_files_are_left_alone))
