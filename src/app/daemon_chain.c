/* What the options mean for the chain. */
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "os/entropy.h"

#define MIB (UINT64_C(1) << 20)
#define DBCACHE_MIN_MIB 4
#define DBCACHE_MAX_MIB 65536
#define DBCACHE_DEFAULT_MIB 1024
#define DBCACHE_SMALL_MIB 450
#define DBCACHE_LARGE_MEMORY (4096 * MIB)
#define THREADS_MAX 64

/* Up to 64 digits, with or without "0x", taken as a number. */
static bool read_user_hex(struct u256 *ret_value, const char *text)
{
    size_t len;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    len = strlen(text);
    return len <= 64 && strspn(text, "0123456789abcdefABCDEF") == len &&
           (len == 0 || u256_from_hex(ret_value, text));
}

static int set_trust(const struct options *o, struct chain_options *chain)
{
    const char *text = options_text(o, "minimumchainwork", NULL);
    struct u256 value = {0};

    if (text != NULL) {
        if (!read_user_hex(&value, text))
            return daemon_error("Invalid minimum work specified (%s), must be up to 64 hex digits",
                                text);
        chain->minimum_chain_work = value;
    }
    text = options_text(o, "assumevalid", NULL);
    if (text != NULL) {
        memset(&value, 0, sizeof(value));
        if (!read_user_hex(&value, text))
            return daemon_error("Invalid assumevalid block hash specified (%s), must be up to 64 "
                                "hex digits (or 0 to disable)",
                                text);
        for (size_t i = 0; i < 4; i++)
            put_le64(chain->assumevalid.b + 8 * i, value.limb[i]);
    }
    return 0;
}

static int set_prune(const struct options *o, struct chain_options *chain)
{
    int64_t mib = options_int(o, "prune", 0);

    if (mib < 0)
        return daemon_error("Prune cannot be configured with a negative value.");
    chain->prune_on = mib != 0;
    chain->prune_target_bytes = mib <= 1 ? 0 : (uint64_t)MIN(mib, INT32_MAX) * MIB;
    if (mib > 1 && chain->prune_target_bytes < CHAIN_PRUNE_TARGET_MIN)
        return daemon_error("Prune configured below the minimum of %d MiB.  Please use a higher "
                            "number.",
                            (int)(CHAIN_PRUNE_TARGET_MIN / MIB));
    chain->prune_fast = options_bool(o, "fastprune", false);
    return 0;
}

static void set_resources(const struct options *o, struct chain_options *chain)
{
    int64_t otherwise =
        memory_total_bytes() >= DBCACHE_LARGE_MEMORY ? DBCACHE_DEFAULT_MIB : DBCACHE_SMALL_MIB;
    int64_t mib = options_int(o, "dbcache", otherwise);
    int64_t threads = options_int(o, "par", 0);

    mib = MAX(DBCACHE_MIN_MIB, MIN(mib, DBCACHE_MAX_MIB));
    chain->cache_bytes = (uint64_t)mib * MIB;
    if (threads <= 0)
        threads += (int64_t)processors_n();
    chain->threads = (int)MAX(1, MIN(threads, THREADS_MAX));
}

static void on_chain_stop(void *context, enum chain_stop_reason reason, const char *text)
{
    struct daemon *daemon = context;

    if (reason == CHAIN_STOP_FATAL) {
        atomic_store(&daemon->exit_status, 1);
        (void)daemon_error("A fatal internal error occurred, see %s for details: %s", LOG_FILE_NAME,
                           text);
    }
    daemon_request_stop(daemon);
}

int daemon_chain_options(struct daemon *daemon, struct chain_options *ret_options,
                         const char ***ret_loadblock)
{
    const struct options *o = &daemon->options;
    struct chain_options *chain = ret_options;
    int rc;

    *ret_loadblock = NULL;
    chain_options_default(chain, &daemon->params);
    chain->disk = disk_real();
    chain->clock = &daemon->clock.clock;
    chain->blocks_folder = daemon->blocks_folder;
    entropy_fill(chain->salt, sizeof(chain->salt));
    chain->max_tip_age_s = options_int(o, "maxtipage", CHAIN_MAX_TIP_AGE_S);
    chain->stop_at_height = (int32_t)MAX(0, MIN(options_int(o, "stopatheight", 0), INT32_MAX));
    chain->blocks_xor = options_bool(o, "blocksxor", true);
    chain->reindex = options_bool(o, "reindex", false);
    chain->reindex_chainstate = options_bool(o, "reindex-chainstate", false);
    chain->check_blocks =
        (int)MAX(0, MIN(options_int(o, "checkblocks", CHAIN_CHECK_BLOCKS), INT32_MAX));
    chain->check_level = (int)MAX(0, MIN(options_int(o, "checklevel", CHAIN_CHECK_LEVEL), 4));
    chain->on_stop = on_chain_stop;
    chain->on_stop_context = daemon;
    set_resources(o, chain);
    rc = set_trust(o, chain);
    if (rc == 0)
        rc = set_prune(o, chain);
    if (rc < 0)
        return rc;
    chain->loadblock_n = options_list(o, "loadblock", ret_loadblock);
    chain->loadblock = *ret_loadblock;
    return 0;
}
