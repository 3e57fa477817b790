/* A difference between the lanes and libsecp256k1: it is kept, and the node stops. */
#include <dirent.h>
#include <stdlib.h>

#include "app/daemon.h"
#include "app/option_table.h"
#include "base/alloc.h"
#include "crypto/secp.h"
#include "crypto/sigbatch_priv.h"
#include "test.h"

static bool is_lying;

/* Lanes that pass every self-test and later find everything valid. */
static void run_lying(struct lane *lanes, size_t lanes_n, const struct g_tables *tables)
{
    lanes_run_plain(lanes, lanes_n, tables);
    for (size_t i = 0; is_lying && i < lanes_n; i++)
        lanes[i].result = LANE_VALID;
}

static unsigned kept_files(const char *folder, char *ret_name, size_t size)
{
    struct dirent *entry;
    unsigned n = 0;
    DIR *files = opendir(folder);

    CHECK(files != NULL);
    while ((entry = readdir(files)) != NULL) {
        if (strncmp(entry->d_name, "sigbatch-difference-", 20) != 0)
            continue;
        n++;
        (void)snprintf(ret_name, size, "%s/%s", folder, entry->d_name);
    }
    (void)closedir(files);
    return n;
}

static void a_difference_is_kept_and_stops_the_node(void)
{
    struct daemon daemon = {.network_folder = alloc_string(test_folder())};
    struct sigbatch_item items[SIGBATCH_BEST] = {0};
    static const uint8_t seed[16] = {1};
    struct buf text = {0};
    char name[512] = "";

    options_init(&daemon.options, assayd_options);
    CHECK(daemon_select_engines(&daemon) == 0);
    sigbatch_set_share(1, seed);
    CHECK(sigbatch_use(run_lying));
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        items[i] = (struct sigbatch_item){.kind = SIGBATCH_SCHNORR, .pubkey_len = 32};
        items[i].pubkey[31] = 1; /* A point's x. */
        items[i].r[31] = 0x5a;
        items[i].s[31] = (uint8_t)(i + 1);
    }
    EXPECT_TRUE("lanes", sigbatch_has_lanes());
    is_lying = true;
    sigbatch_verify(items, ARRAY_LEN(items));
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        EXPECT_TRUE("libsecp256k1's word counts", !items[i].is_valid);
    EXPECT_TRUE("the lanes are off", !sigbatch_has_lanes());
    EXPECT_U64("differences", sigbatch_stats().differences, ARRAY_LEN(items));
    EXPECT_TRUE("stopping", atomic_load(&daemon.is_stopping));
    EXPECT_INT("exit status", atomic_load(&daemon.exit_status), 1);
    EXPECT_U64("one file", kept_files(daemon.network_folder, name, sizeof(name)), 1);
    if (name[0] != '\0') {
        CHECK(test_read_file(&text, name));
        EXPECT_TRUE("kind", strstr(buf_string(&text), "kind=schnorr\n") != NULL);
        EXPECT_TRUE("s", strstr(buf_string(&text), "01\nhash=") != NULL);
    }
    buf_clear(&text);
    is_lying = false;
    sigbatch_on_difference(NULL);
    options_clear(&daemon.options);
    free(daemon.network_folder);
    secp_clear();
}

TEST_LIST(TEST(a_difference_is_kept_and_stops_the_node))
