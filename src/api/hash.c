#include "api/api_priv.h"

#include <pthread.h>

#include "base/alloc.h"
#include "crypto/hash160.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "os/entropy.h"
#include "primitives/ids.h"

static void prepare_once(void)
{
    uint8_t seed[32];

    (void)sha256_select(true);
    (void)sigbatch_select(true);
    entropy_fill(seed, sizeof(seed));
    secp_init(seed);
    entropy_fill(seed, sizeof(seed));
    sigbatch_set_share(SIGBATCH_SHARE_DEFAULT, seed);
    secret_wipe(seed, sizeof(seed));
}

void api_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, prepare_once);
}

const char *assay_version(void)
{
    return ASSAY_VERSION;
}

void assay_sha256(uint8_t *ret_digest, const void *data, size_t len)
{
    api_prepare();
    sha256(ret_digest, data, len);
}

void assay_sha256d(uint8_t *ret_digest, const void *data, size_t len)
{
    api_prepare();
    sha256d(ret_digest, data, len);
}

void assay_hash160(uint8_t *ret_digest, const void *data, size_t len)
{
    api_prepare();
    hash160(ret_digest, data, len);
}

void assay_hash_to_hex(char *ret_text, const uint8_t *hash)
{
    hash_to_hex(ret_text, hash);
}

int assay_hash_from_hex(uint8_t *ret_hash, const char *text, struct assay_error *err)
{
    uint8_t hash[HASH_BYTES];

    if (!hash_from_hex(hash, text))
        return error_set(error_of(err), E_MALFORMED, "'%.80s' is not 64 hexadecimal digits", text);
    memcpy(ret_hash, hash, HASH_BYTES);
    return 0;
}
