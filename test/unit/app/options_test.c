/* Options: who wins, what is refused, and with which words. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/options.h"
#include "base/alloc.h"
#include "test.h"

#define ARGS_MAX 8

static struct options options;

static int parse(const char *const *args, const char *config, const char *network)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t) "assayd"};
    int argc = 1;
    int rc;

    options_init(&options, assayd_options);
    while (args[argc - 1] != NULL) {
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
        argc++;
    }
    rc = options_read_arguments(&options, argc, argv, false);
    if (rc == 0)
        rc = options_read_config_text(&options, span_of_string(config), "bitcoin.conf");
    options_select_network(&options, network);
    return rc;
}

static const struct {
    const char *label;
    const char *args[ARGS_MAX];
    const char *config;
    const char *network;
    const char *name;
    const char *want; /* NULL: not set. */
} single_rows[] = {
    {"not set", {0}, "", "main", "server", NULL},
    {"switch", {"-server"}, "", "main", "server", ""},
    {"two dashes", {"--server"}, "", "main", "server", ""},
    {"value", {"-server=0"}, "", "main", "server", "0"},
    {"negated", {"-noserver"}, "", "main", "server", "0"},
    {"negated with 1", {"-noserver=1"}, "", "main", "server", "0"},
    {"negated twice", {"-noserver=0"}, "", "main", "server", "1"},
    {"the last argument wins", {"-dbcache=1", "-dbcache=2"}, "", "main", "dbcache", "2"},
    {"the first line of a file wins", {0}, "dbcache=1\ndbcache=2\n", "main", "dbcache", "1"},
    {"a negation in a file wins at the end",
     {0},
     "dbcache=1\nnodbcache=1\n",
     "main",
     "dbcache",
     "0"},
    {"after a negation the first again",
     {0},
     "dbcache=1\nnodbcache=1\ndbcache=3\ndbcache=4\n",
     "main",
     "dbcache",
     "3"},
    {"arguments before files", {"-dbcache=1"}, "dbcache=2\n", "main", "dbcache", "1"},
    {"the section before the rest",
     {0},
     "dbcache=1\n[regtest]\ndbcache=2\n",
     "regtest",
     "dbcache",
     "2"},
    {"another section does not count",
     {0},
     "dbcache=1\n[test]\ndbcache=2\n",
     "regtest",
     "dbcache",
     "1"},
    {"prefix instead of section", {0}, "dbcache=1\nregtest.dbcache=2\n", "regtest", "dbcache", "2"},
    {"network option outside its section", {0}, "rpcport=1\n", "regtest", "rpcport", NULL},
    {"the same on main", {0}, "rpcport=1\n", "main", "rpcport", "1"},
    {"negation outside counts everywhere", {0}, "norpcport=1\n", "regtest", "rpcport", "0"},
    {"spaces and comments", {0}, "  dbcache =  7  # more\r\n", "main", "dbcache", "7"},
    {"unknown names are passed over", {0}, "nonsuch=1\ndbcache=8\n", "main", "dbcache", "8"},
};

static void single_values_follow_precedence(void)
{
    for (size_t i = 0; i < ARRAY_LEN(single_rows); i++) {
        const char *label = single_rows[i].label;
        const char *got;

        EXPECT_INT(label, parse(single_rows[i].args, single_rows[i].config, single_rows[i].network),
                   0);
        got = options_text(&options, single_rows[i].name, NULL);
        EXPECT_TRUE(label, (got == NULL) == (single_rows[i].want == NULL));
        if (got != NULL && single_rows[i].want != NULL)
            EXPECT_STR(label, got, single_rows[i].want);
        options_clear(&options);
    }
}

static const struct {
    const char *label;
    const char *args[ARGS_MAX];
    const char *config;
    const char *want; /* Joined with commas. */
} list_rows[] = {
    {"none", {0}, "", ""},
    {"both sources", {"-debug=a", "-debug=b"}, "debug=c\n", "a,b,c"},
    {"negation forgets what stands before", {"-debug=a", "-nodebug", "-debug=b"}, "", "b"},
    {"negation alone silences files", {"-nodebug"}, "debug=c\n", ""},
    {"a value after it brings files back", {"-nodebug", "-debug=b"}, "debug=c\n", "b,c"},
    {"section first", {0}, "debug=c\n[main]\ndebug=d\n", "d,c"},
};

static void lists_gather(void)
{
    for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
        const char **list;
        struct buf got = {0};
        size_t n;

        EXPECT_INT(list_rows[i].label, parse(list_rows[i].args, list_rows[i].config, "main"), 0);
        n = options_list(&options, "debug", &list);
        for (size_t k = 0; k < n; k++)
            buf_add_printf(&got, "%s%s", k > 0 ? "," : "", list[k]);
        EXPECT_STR(list_rows[i].label, buf_string(&got), list_rows[i].want);
        free(list);
        buf_clear(&got);
        options_clear(&options);
    }
}

static const struct {
    const char *args[ARGS_MAX];
    const char *config;
    const char *want;
} error_rows[] = {
    {{"-nonsuch=1"}, "", "Invalid parameter -nonsuch=1"},
    {{"-regtest.dbcache=1"}, "", "Invalid parameter -regtest.dbcache=1"},
    {{"-nodatadir"}, "", "Negating of -datadir is meaningless and therefore forbidden"},
    {{"-proxy"}, "", "Can not set -proxy with no value. Please specify value with -proxy=value."},
    {{"-includeconf=x"}, "", "-includeconf cannot be used from commandline; -includeconf=\"x\""},
    {{0}, "garbage\n", "parse error on line 1: garbage"},
    {{0},
     "\n-dash=1\n",
     "parse error on line 2: -dash=1, options in configuration file must be specified without "
     "leading -"},
    {{0},
     "nono\n",
     "parse error on line 1: nono, if you intended to specify a negated option, use nono=1 "
     "instead"},
    {{0},
     "rpcpassword=a#b\n",
     "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided"},
    {{0},
     "conf=x\n",
     "conf cannot be set in the configuration file; use includeconf= if you want to include "
     "additional config files"},
};

static void errors_say_what_is_wrong(void)
{
    for (size_t i = 0; i < ARRAY_LEN(error_rows); i++) {
        int rc = parse(error_rows[i].args, error_rows[i].config, "main");

        EXPECT_TRUE(error_rows[i].want, rc < 0);
        EXPECT_STR(error_rows[i].want, options_error(&options), error_rows[i].want);
        options_clear(&options);
    }
}

static const struct {
    const char *args[ARGS_MAX];
    const char *config;
    const char *want; /* NULL: they contradict each other. */
} network_rows[] = {
    {{0}, "", "main"},
    {{"-regtest"}, "", "regtest"},
    {{"-chain=signet"}, "", "signet"},
    {{"-chain=nonsuch"}, "", "nonsuch"},
    {{0}, "testnet=1\n", "test"},
    {{"-noregtest"}, "regtest=1\n", "regtest"},
    {{"-regtest=0"}, "regtest=1\n", "main"},
    {{"-regtest", "-signet"}, "", NULL},
    {{"-regtest", "-chain=regtest"}, "", NULL},
};

static void networks_are_chosen(void)
{
    for (size_t i = 0; i < ARRAY_LEN(network_rows); i++) {
        const char *label = network_rows[i].want == NULL ? "contradiction" : network_rows[i].want;
        const char *got;

        EXPECT_INT(label, parse(network_rows[i].args, network_rows[i].config, ""), 0);
        got = options_network(&options);
        EXPECT_TRUE(label, (got == NULL) == (network_rows[i].want == NULL));
        if (got != NULL && network_rows[i].want != NULL)
            EXPECT_STR(label, got, network_rows[i].want);
        options_clear(&options);
    }
}

static void misplaced_options_are_found(void)
{
    static const char *const none[ARGS_MAX] = {0};
    static const char *const given[ARGS_MAX] = {"-rpcport=2"};

    EXPECT_INT("file", parse(none, "rpcport=1\nport=3\n[regtest]\nport=4\n", "regtest"), 0);
    EXPECT_STR("only in the default section", options_misplaced(&options, 0), "rpcport");
    EXPECT_TRUE("one", options_misplaced(&options, 1) == NULL);
    options_clear(&options);
    EXPECT_INT("argument", parse(given, "rpcport=1\n", "regtest"), 0);
    EXPECT_TRUE("overridden", options_misplaced(&options, 0) == NULL);
    options_clear(&options);
}

static const struct {
    const char *text;
    int64_t number;
    bool truth;
} number_rows[] = {
    {"", 0, true},
    {"0", 0, false},
    {"1", 1, true},
    {"-1", -1, true},
    {"x", 0, false},
    {"12x", 12, true},
    {"+7", 7, true},
    {"+-7", 0, false},
    {" 9", 9, true},
    {"00", 0, false},
    {"99999999999999999999", INT64_MAX, true},
};

static void numbers_are_read_leniently(void)
{
    for (size_t i = 0; i < ARRAY_LEN(number_rows); i++) {
        options_init(&options, assayd_options);
        options_set_forced(&options, "dbcache", number_rows[i].text);
        EXPECT_INT(number_rows[i].text, options_int(&options, "dbcache", 5), number_rows[i].number);
        EXPECT_INT(number_rows[i].text, options_bool(&options, "dbcache", false),
                   number_rows[i].truth);
        options_clear(&options);
    }
}

static void soft_settings_yield(void)
{
    static const char *const given[ARGS_MAX] = {"-nolisten"};

    EXPECT_INT("parse", parse(given, "", "main"), 0);
    EXPECT_TRUE("the user spoke", !options_set_soft(&options, "listen", "1"));
    EXPECT_TRUE("stays", !options_bool(&options, "listen", true));
    EXPECT_TRUE("silent", options_set_soft(&options, "dnsseed", "0"));
    EXPECT_TRUE("set", !options_bool(&options, "dnsseed", true));
    options_clear(&options);
}

static const struct {
    const char *in;
    const char *out;
} path_rows[] = {
    {"/a/b/", "/a/b"}, {"/a/./b", "/a/b"}, {"/a//b", "/a/b"}, {"/a/../b", "/b"},
    {"/..", "/"},      {"a/..", "."},      {"../a", "../a"},  {"a/../../b", "../b"},
    {"/", "/"},        {"", "."},          {"./a", "a"},      {"../..", "../.."},
};

static void paths_are_tidied(void)
{
    for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
        char *got = path_tidy(path_rows[i].in);

        EXPECT_STR(path_rows[i].in, got, path_rows[i].out);
        free(got);
    }
}

static void settings_file_goes_there_and_back(void)
{
    char *path = alloc_printf("%s/settings.json", test_folder());
    struct buf before = {0};
    struct buf after = {0};
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    (void)fputs("{\"wallet\": [\"a\", \"b\"], \"dbcache\": 77, \"server\": false}", file);
    (void)fclose(file);
    options_init(&options, assayd_options);
    EXPECT_INT("read", options_read_settings(&options, path), 0);
    EXPECT_INT("number", options_int(&options, "dbcache", 0), 77);
    EXPECT_TRUE("false", !options_bool(&options, "server", true));
    EXPECT_INT("write", options_write_settings(&options, path), 0);
    EXPECT_TRUE("file", test_read_file(&before, path));
    options_clear(&options);
    options_init(&options, assayd_options);
    EXPECT_INT("read again", options_read_settings(&options, path), 0);
    EXPECT_INT("write again", options_write_settings(&options, path), 0);
    EXPECT_TRUE("file", test_read_file(&after, path));
    EXPECT_BYTES("the same", after.data, after.len, before.data, before.len);
    options_clear(&options);
    buf_clear(&before);
    buf_clear(&after);
    free(path);
}

static void every_option_of_the_frame_is_known(void)
{
    static const char *const names[] = {"logtimemicros",
                                        "debug",
                                        "debugexclude",
                                        "uacomment",
                                        "disablewallet",
                                        "logthreadnames",
                                        "logsourcelocations",
                                        "loglevel",
                                        "logratelimit",
                                        "v2transport",
                                        "rpcservertimeout",
                                        "rpcdoccheck",
                                        "fallbackfee",
                                        "keypool",
                                        "unsafesqlitesync",
                                        "prevoutfetchthreads",
                                        "shrinkdebugfile",
                                        "natpmp",
                                        "peertimeout",
                                        "bind",
                                        "connect",
                                        "maxconnections",
                                        "par"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        EXPECT_TRUE(names[i], option_row_find(assayd_options, names[i]) != NULL);
}

TEST_LIST(TEST(single_values_follow_precedence), TEST(lists_gather), TEST(errors_say_what_is_wrong),
          TEST(networks_are_chosen), TEST(misplaced_options_are_found),
          TEST(numbers_are_read_leniently), TEST(soft_settings_yield), TEST(paths_are_tidied),
          TEST(settings_file_goes_there_and_back), TEST(every_option_of_the_frame_is_known))
