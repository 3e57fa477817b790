/* Which code hashes and checks signatures on this processor, and what happens when two
 * kinds of it disagree. */
#include <stdlib.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "os/entropy.h"

/* Who is to be stopped: the handler of differences has no context of its own. */
static struct daemon *differing_daemon;

static void add_field(struct buf *text, const char *name, const uint8_t *data, size_t len)
{
    char hex[2 * 65 + 1];

    hex_write(hex, data, len);
    buf_add_printf(text, "%s=%s\n", name, hex);
}

static void describe(struct buf *text, const struct sigbatch_item *item)
{
    static const char *const kinds[] = {"ecdsa", "schnorr", "tweak"};

    buf_add_printf(text, "%s %s\nengine=%s\nkind=%s\nodd=%d\n", DAEMON_NAME, ASSAY_VERSION,
                   sigbatch_engine(), kinds[item->kind], item->odd);
    add_field(text, "pubkey", item->pubkey, MIN(item->pubkey_len, sizeof(item->pubkey)));
    add_field(text, "r", item->r, sizeof(item->r));
    add_field(text, "s", item->s, sizeof(item->s));
    add_field(text, "hash", item->hash, sizeof(item->hash));
}

char *daemon_keep_difference(struct daemon *daemon, const struct sigbatch_item *item,
                             struct error *err)
{
    static _Atomic unsigned count;
    char *path = alloc_printf("%s/sigbatch-difference-%lld-%u.txt", daemon->network_folder,
                              (long long)clock_wall_s(clock_real()), atomic_fetch_add(&count, 1));
    struct buf text = {0};

    describe(&text, item);
    if (disk_replace_file(disk_real(), path, text.data, text.len, err) < 0) {
        free(path);
        path = NULL;
    }
    buf_clear(&text);
    return path;
}

/* Any thread. The lanes have been switched off by now, so what is still under way is
 * decided rightly. */
static void on_difference(const struct sigbatch_item *item)
{
    struct daemon *daemon = differing_daemon;
    struct error err = {0};
    char *path = daemon_keep_difference(daemon, item, &err);

    atomic_store(&daemon->exit_status, 1);
    (void)daemon_error("The signature lanes accept what libsecp256k1 refuses. This must never "
                       "happen: please report it with %s%s. Until it is understood, start with "
                       "-sigbatch=0 -reindex-chainstate",
                       path == NULL ? "this: " : "the file ",
                       path == NULL ? error_text(&err) : path);
    free(path);
    daemon_request_stop(daemon);
}

int daemon_select_engines(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    bool vector = options_bool(o, "vector", true);
    bool sigbatch = vector && options_bool(o, "sigbatch", true);
    int64_t share = options_int(o, "sigbatchshare", SIGBATCH_SHARE_DEFAULT);
    const char *hash_engine;
    const char *sig_engine;
    uint8_t seed[32];

    if (share < 0 || share > UINT32_MAX)
        return daemon_error("-sigbatchshare must be from 0 to %u", UINT32_MAX);
    differing_daemon = daemon;
    sigbatch_on_difference(on_difference);
    hash_engine = sha256_select(vector);
    sig_engine = sigbatch_select(sigbatch);
    entropy_fill(seed, sizeof(seed));
    secp_init(seed);
    entropy_fill(seed, sizeof(seed));
    sigbatch_set_share((uint32_t)share, seed);
    secret_wipe(seed, sizeof(seed));
    log_info("app", "Using the '%s' SHA256 implementation", hash_engine);
    log_info("app", "Checking signatures with %s%s", sig_engine,
             sigbatch || !vector ? "" : " (-sigbatch=0)");
    return 0;
}
