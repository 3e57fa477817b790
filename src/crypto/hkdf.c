#include "crypto/hkdf.h"

#include "crypto/hmac.h"

void hkdf_extract(uint8_t *ret_prk, struct span salt, struct span input_key)
{
    hmac_sha256(ret_prk, salt.data, salt.len, input_key.data, input_key.len);
}

void hkdf_expand(uint8_t *ret_key, const uint8_t *prk, struct span info)
{
    static const uint8_t first = 1; /* The only block of the output. */
    struct hmac_sha256 mac;

    hmac_sha256_init(&mac, prk, HKDF_BYTES);
    hmac_sha256_add(&mac, info.data, info.len);
    hmac_sha256_add(&mac, &first, sizeof(first));
    hmac_sha256_finish(&mac, ret_key);
}
