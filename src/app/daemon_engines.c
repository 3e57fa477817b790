/* Which code hashes and checks signatures on this processor. */
#include "app/daemon.h"
#include "base/alloc.h"
#include "base/log.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "os/entropy.h"

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
