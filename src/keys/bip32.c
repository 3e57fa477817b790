#include "keys/bip32.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/base58check.h"
#include "crypto/hmac.h"

#define TEXT_BYTES (4 + BIP32_BYTES) /* Prefix and key. */

static const char seed_key[] = "Bitcoin seed";
static const uint8_t zeros[4];

bool xprv_of_seed(struct xprv *ret_key, struct span seed)
{
    uint8_t digest[SHA512_BYTES];
    bool ok;

    if (seed.len < BIP32_SEED_BYTES_MIN || seed.len > BIP32_SEED_BYTES_MAX)
        return false;
    hmac_sha512(digest, seed_key, sizeof(seed_key) - 1, seed.data, seed.len);
    memset(&ret_key->place, 0, sizeof(ret_key->place));
    memcpy(ret_key->place.chain_code, digest + 32, 32);
    ok = seckey_read(&ret_key->key, digest, true);
    secret_wipe(digest, sizeof(digest));
    return ok;
}

struct xpub xpub_of_xprv(const struct xprv *key)
{
    struct xpub out = {.place = key->place};

    out.pubkey = pubkey_of_seckey(&key->key);
    return out;
}

void pubkey_fingerprint(uint8_t *ret_fingerprint, const struct pubkey *pubkey)
{
    struct key_id id = pubkey_id(pubkey);

    memcpy(ret_fingerprint, id.b, BIP32_FINGERPRINT_BYTES);
}

/* I of BIP 32's child key derivation. head: 33 bytes, the parent's public key or
 * a zero and the secret key. */
static void child_digest(uint8_t *ret_digest, const uint8_t *chain_code, const uint8_t *head,
                         uint32_t child)
{
    uint8_t data[PUBKEY_COMPRESSED_BYTES + 4];

    memcpy(data, head, PUBKEY_COMPRESSED_BYTES);
    put_be32(data + PUBKEY_COMPRESSED_BYTES, child);
    hmac_sha512(ret_digest, chain_code, 32, data, sizeof(data));
    secret_wipe(data, sizeof(data));
}

static void step_down(struct bip32_place *ret_place, const struct bip32_place *parent,
                      const struct pubkey *parent_key, uint32_t child, const uint8_t *chain_code)
{
    ret_place->depth = (uint8_t)(parent->depth + 1);
    pubkey_fingerprint(ret_place->parent, parent_key);
    ret_place->child = child;
    memcpy(ret_place->chain_code, chain_code, 32);
}

bool xpub_derive(struct xpub *ret_key, const struct xpub *key, uint32_t child, uint8_t *ret_tweak)
{
    uint8_t digest[SHA512_BYTES];
    struct xpub out = {.pubkey = key->pubkey};

    if (child >= BIP32_HARDENED || key->place.depth == UINT8_MAX)
        return false;
    child_digest(digest, key->place.chain_code, key->pubkey.b, child);
    step_down(&out.place, &key->place, &key->pubkey, child, digest + 32);
    if (!pubkey_tweak_add(&out.pubkey, digest))
        return false;
    if (ret_tweak != NULL)
        memcpy(ret_tweak, digest, 32);
    *ret_key = out;
    return true;
}

bool xprv_derive(struct xprv *ret_key, const struct xprv *key, uint32_t child)
{
    uint8_t digest[SHA512_BYTES];
    uint8_t head[PUBKEY_COMPRESSED_BYTES] = {0};
    struct pubkey pubkey;
    struct bip32_place place;
    bool ok;

    if (key->place.depth == UINT8_MAX)
        return false;
    pubkey = pubkey_of_seckey(&key->key);
    if (child >= BIP32_HARDENED)
        memcpy(head + 1, key->key.b, SECKEY_BYTES);
    else
        memcpy(head, pubkey.b, PUBKEY_COMPRESSED_BYTES);
    child_digest(digest, key->place.chain_code, head, child);
    step_down(&place, &key->place, &pubkey, child, digest + 32);
    ret_key->key = key->key;
    ret_key->place = place;
    ok = seckey_tweak_add(&ret_key->key, digest);
    secret_wipe(head, sizeof(head));
    secret_wipe(digest, sizeof(digest));
    return ok;
}

static void place_write(uint8_t *ret_bytes, const struct bip32_place *place)
{
    ret_bytes[0] = place->depth;
    memcpy(ret_bytes + 1, place->parent, 4);
    put_be32(ret_bytes + 5, place->child);
    memcpy(ret_bytes + 9, place->chain_code, 32);
}

/* False for what BIP 32 forbids: a master key that has a parent or a number. */
static bool place_read(struct bip32_place *ret_place, const uint8_t *bytes)
{
    ret_place->depth = bytes[0];
    memcpy(ret_place->parent, bytes + 1, 4);
    ret_place->child = get_be32(bytes + 5);
    memcpy(ret_place->chain_code, bytes + 9, 32);
    return ret_place->depth > 0 ||
           (ret_place->child == 0 && memcmp(ret_place->parent, zeros, 4) == 0);
}

/* The bytes behind the prefix of text; TEXT_BYTES of room. */
static bool text_read(uint8_t *ret_bytes, struct span text, const uint8_t *prefix)
{
    size_t len = 0;

    return base58check_read(ret_bytes, &len, TEXT_BYTES, (const char *)text.data, text.len) &&
           len == TEXT_BYTES && memcmp(ret_bytes, prefix, 4) == 0;
}

bool xpub_read(struct xpub *ret_key, struct span text, const struct params *params)
{
    uint8_t bytes[TEXT_BYTES];

    return text_read(bytes, text, params->prefix_xpub) && place_read(&ret_key->place, bytes + 4) &&
           pubkey_read(&ret_key->pubkey, span_of(bytes + 45, PUBKEY_COMPRESSED_BYTES)) &&
           pubkey_is_on_curve(&ret_key->pubkey);
}

bool xprv_read(struct xprv *ret_key, struct span text, const struct params *params)
{
    uint8_t bytes[TEXT_BYTES];
    bool ok;

    ok = text_read(bytes, text, params->prefix_xprv) && place_read(&ret_key->place, bytes + 4) &&
         bytes[45] == 0 && seckey_read(&ret_key->key, bytes + 46, true);
    secret_wipe(bytes, sizeof(bytes));
    return ok;
}

void xpub_write(struct buf *text, const struct xpub *key, const struct params *params)
{
    uint8_t bytes[TEXT_BYTES];

    memcpy(bytes, params->prefix_xpub, 4);
    place_write(bytes + 4, &key->place);
    memcpy(bytes + 45, key->pubkey.b, PUBKEY_COMPRESSED_BYTES);
    base58check_write(text, bytes, sizeof(bytes));
}

void xprv_write(struct buf *text, const struct xprv *key, const struct params *params)
{
    uint8_t bytes[TEXT_BYTES];

    memcpy(bytes, params->prefix_xprv, 4);
    place_write(bytes + 4, &key->place);
    bytes[45] = 0;
    memcpy(bytes + 46, key->key.b, SECKEY_BYTES);
    base58check_write(text, bytes, sizeof(bytes));
    secret_wipe(bytes, sizeof(bytes));
}

void bip32_path_write(struct buf *text, const uint32_t *path, size_t path_n, bool apostrophe)
{
    for (size_t i = 0; i < path_n; i++) {
        buf_add_printf(text, "/%u", path[i] & ~BIP32_HARDENED);
        if (path[i] >= BIP32_HARDENED)
            buf_add_byte(text, apostrophe ? '\'' : 'h');
    }
}

struct xpub xpub_of_musig(const struct pubkey *aggregate)
{
    /* BIP 328: SHA256 of "MuSig2MuSig2MuSig2". */
    static const uint8_t chain_code[32] = {0x86, 0x80, 0x87, 0xca, 0x02, 0xa6, 0xf9, 0x74,
                                           0xc4, 0x59, 0x89, 0x24, 0xc3, 0x6b, 0x57, 0x76,
                                           0x2d, 0x32, 0xcb, 0x45, 0x71, 0x71, 0x67, 0xe3,
                                           0x00, 0x62, 0x2c, 0x71, 0x67, 0xe3, 0x89, 0x65};
    struct xpub out = {.pubkey = *aggregate};

    memcpy(out.place.chain_code, chain_code, sizeof(chain_code));
    return out;
}
