#include "keys/wif.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/base58check.h"

#define WIF_BYTES_MAX 34 /* Prefix, key, mark of a compressed public key. */

bool wif_read(struct seckey *ret_key, struct span text, const struct params *params)
{
    uint8_t bytes[WIF_BYTES_MAX];
    size_t len = 0;
    bool ok;

    ok = base58check_read(bytes, &len, sizeof(bytes), (const char *)text.data, text.len) &&
         (len == WIF_BYTES_MAX - 1 || (len == WIF_BYTES_MAX && bytes[WIF_BYTES_MAX - 1] == 1)) &&
         bytes[0] == params->prefix_secret_key;
    if (ok)
        ok = seckey_read(ret_key, bytes + 1, len == WIF_BYTES_MAX);
    else
        secret_wipe(ret_key, sizeof(*ret_key));
    secret_wipe(bytes, sizeof(bytes));
    return ok;
}

void wif_write(struct buf *text, const struct seckey *key, const struct params *params)
{
    uint8_t bytes[WIF_BYTES_MAX];
    size_t len = WIF_BYTES_MAX - 1;

    bytes[0] = params->prefix_secret_key;
    memcpy(bytes + 1, key->b, SECKEY_BYTES);
    if (key->is_compressed)
        bytes[len++] = 1;
    base58check_write(text, bytes, len);
    secret_wipe(bytes, sizeof(bytes));
}
