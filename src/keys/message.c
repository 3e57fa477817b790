#include "keys/message.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/writer.h"
#include "crypto/sha256.h"

/* In front of every message, so that no transaction can be signed by mistake. */
static const char magic[] = "Bitcoin Signed Message:\n";

void message_hash(uint8_t *ret_hash, struct span message)
{
    uint8_t length[COMPACT_SIZE_BYTES_MAX];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, length, compact_size_write(length, sizeof(magic) - 1));
    sha256_add(&hash, magic, sizeof(magic) - 1);
    sha256_add(&hash, length, compact_size_write(length, message.len));
    sha256_add(&hash, message.data, message.len);
    sha256d_finish(&hash, ret_hash);
}

void message_sign(struct buf *text, const struct seckey *key, struct span message)
{
    uint8_t hash[SHA256_BYTES];
    uint8_t sig[COMPACT_SIG_BYTES];

    message_hash(hash, message);
    seckey_sign_compact(sig, key, hash);
    base64_write(text, span_of(sig, sizeof(sig)));
}

enum message_status message_verify(struct span address, struct span signature, struct span message,
                                   const struct params *params)
{
    uint8_t hash[SHA256_BYTES];
    struct destination destination;
    struct buf sig = {0};
    struct pubkey pubkey;
    struct key_id id;
    enum message_status status = MESSAGE_OK;

    if (!address_read(&destination, address, params, NULL))
        return MESSAGE_BAD_ADDRESS;
    if (destination.kind != DESTINATION_PUBKEY_HASH)
        return MESSAGE_NO_KEY;
    message_hash(hash, message);
    if (!base64_read(&sig, (const char *)signature.data, signature.len)) {
        status = MESSAGE_BAD_SIGNATURE;
    } else if (sig.len != COMPACT_SIG_BYTES || !pubkey_recover_compact(&pubkey, sig.data, hash)) {
        status = MESSAGE_NO_RECOVERY;
    } else {
        id = pubkey_id(&pubkey);
        if (memcmp(id.b, destination.b, KEY_ID_BYTES) != 0)
            status = MESSAGE_NOT_SIGNED;
    }
    buf_clear(&sig);
    return status;
}
