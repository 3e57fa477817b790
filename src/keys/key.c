#include "keys/key.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/hash160.h"
#include "crypto/sha256.h"

bool pubkey_read(struct pubkey *ret_pubkey, struct span bytes)
{
    size_t want = 0;

    memset(ret_pubkey, 0, sizeof(*ret_pubkey));
    if (bytes.len == 0)
        return false;
    if (bytes.data[0] == 2 || bytes.data[0] == 3)
        want = PUBKEY_COMPRESSED_BYTES;
    else if (bytes.data[0] == 4 || bytes.data[0] == 6 || bytes.data[0] == 7)
        want = PUBKEY_UNCOMPRESSED_BYTES;
    if (want == 0 || bytes.len != want)
        return false;
    ret_pubkey->len = (uint8_t)want;
    memcpy(ret_pubkey->b, bytes.data, want);
    return true;
}

bool pubkey_is_on_curve(const struct pubkey *pubkey)
{
    struct secp_pubkey point;

    return pubkey->len > 0 && secp_pubkey_read(&point, pubkey->b, pubkey->len);
}

struct key_id pubkey_id(const struct pubkey *pubkey)
{
    struct key_id id;

    hash160(id.b, pubkey->b, pubkey->len);
    return id;
}

int pubkey_compare(const struct pubkey *a, const struct pubkey *b)
{
    int order = memcmp(a->b, b->b, MIN(a->len, b->len));

    return order != 0 ? order : (int)a->len - (int)b->len;
}

struct pubkey pubkey_of_xonly(const uint8_t *xonly)
{
    struct pubkey pubkey = {.len = PUBKEY_COMPRESSED_BYTES};

    pubkey.b[0] = 2;
    memcpy(pubkey.b + 1, xonly, XONLY_BYTES);
    return pubkey;
}

bool xonly_is_on_curve(const uint8_t *xonly)
{
    return secp_xonly_is_valid(xonly);
}

bool seckey_read(struct seckey *ret_key, const uint8_t *bytes, bool is_compressed)
{
    if (!secp_seckey_is_valid(bytes)) {
        secret_wipe(ret_key, sizeof(*ret_key));
        return false;
    }
    memcpy(ret_key->b, bytes, SECKEY_BYTES);
    ret_key->is_compressed = is_compressed;
    return true;
}

static struct pubkey serialized(const struct secp_pubkey *point, bool is_compressed)
{
    struct pubkey pubkey = {0};

    if (is_compressed) {
        pubkey.len = PUBKEY_COMPRESSED_BYTES;
        secp_pubkey_write(pubkey.b, point);
    } else {
        pubkey.len = PUBKEY_UNCOMPRESSED_BYTES;
        secp_pubkey_write_long(pubkey.b, point);
    }
    return pubkey;
}

struct pubkey pubkey_of_seckey(const struct seckey *key)
{
    struct secp_pubkey point;

    CHECK(secp_pubkey_of(&point, key->b));
    return serialized(&point, key->is_compressed);
}

struct signature seckey_sign(const struct seckey *key, const uint8_t *hash)
{
    struct signature out = {0};
    struct ecdsa_sig sig;

    CHECK(ecdsa_sign(&sig, hash, key->b, true));
    out.len = (uint8_t)ecdsa_sig_write(out.b, &sig);
    return out;
}

/* BIP 341: "t = int(hashTapTweak(bytes(P) || km))", without km for no scripts. */
static void tap_tweak(uint8_t *ret_tweak, const uint8_t *internal, const uint8_t *merkle_root)
{
    static const uint8_t no_scripts[SHA256_BYTES];
    struct sha256 hash;

    sha256_tagged_init(&hash, "TapTweak");
    sha256_add(&hash, internal, XONLY_BYTES);
    if (memcmp(merkle_root, no_scripts, SHA256_BYTES) != 0)
        sha256_add(&hash, merkle_root, SHA256_BYTES);
    sha256_finish(&hash, ret_tweak);
}

void seckey_sign_schnorr(uint8_t *ret_sig, const struct seckey *key, const uint8_t *hash,
                         const uint8_t *merkle_root)
{
    struct seckey tweaked = *key;
    struct pubkey internal;
    uint8_t tweak[SHA256_BYTES];

    if (merkle_root != NULL) {
        tweaked.is_compressed = true;
        internal = pubkey_of_seckey(&tweaked);
        tap_tweak(tweak, pubkey_xonly(&internal), merkle_root);
        CHECK(secp_seckey_xonly_tweak_add(tweaked.b, tweak));
    }
    CHECK(schnorr_sign(ret_sig, hash, tweaked.b, NULL));
    secret_wipe(&tweaked, sizeof(tweaked));
}

void seckey_sign_compact(uint8_t *ret_sig, const struct seckey *key, const uint8_t *hash)
{
    struct ecdsa_sig sig;
    int id = 0;

    CHECK(ecdsa_sign_recoverable(&sig, &id, hash, key->b));
    ret_sig[0] = (uint8_t)(27 + id + (key->is_compressed ? 4 : 0));
    memcpy(ret_sig + 1, sig.r, 32);
    memcpy(ret_sig + 33, sig.s, 32);
}

bool pubkey_recover_compact(struct pubkey *ret_pubkey, const uint8_t *sig, const uint8_t *hash)
{
    struct secp_pubkey point;
    struct ecdsa_sig parsed;
    int header = (sig[0] - 27) & 7;

    memcpy(parsed.r, sig + 1, 32);
    memcpy(parsed.s, sig + 33, 32);
    if (!ecdsa_recover(&point, &parsed, header & 3, hash))
        return false;
    *ret_pubkey = serialized(&point, (header & 4) != 0);
    return true;
}

bool pubkey_tweak_add(struct pubkey *key, const uint8_t *tweak)
{
    struct secp_pubkey point;

    if (!secp_pubkey_read(&point, key->b, key->len) || !secp_pubkey_tweak_add(&point, tweak))
        return false;
    *key = serialized(&point, pubkey_is_compressed(key));
    return true;
}

bool seckey_tweak_add(struct seckey *key, const uint8_t *tweak)
{
    return secp_seckey_tweak_add(key->b, tweak);
}

bool taproot_output_key(uint8_t *ret_output, bool *ret_odd, const uint8_t *internal,
                        const uint8_t *merkle_root)
{
    uint8_t tweak[SHA256_BYTES];

    tap_tweak(tweak, internal, merkle_root);
    return secp_xonly_tweak_add(ret_output, ret_odd, internal, tweak);
}

/* The first key that differs from keys[0]: its coefficient is 1 (BIP 327,
 * GetSecondKey). keys_n: none does. */
static size_t second_key(const struct pubkey *keys, size_t keys_n)
{
    size_t i = 1;

    while (i < keys_n && pubkey_compare(&keys[i], &keys[0]) == 0)
        i++;
    return i;
}

/* One key times its coefficient. */
static bool musig_term(secp256k1_pubkey *ret_term, const struct pubkey *key, const uint8_t *list,
                       bool is_second)
{
    uint8_t coefficient[SHA256_BYTES];
    struct sha256 hash;

    if (!pubkey_is_compressed(key) ||
        secp256k1_ec_pubkey_parse(secp256k1_context_static, ret_term, key->b, key->len) != 1)
        return false;
    if (is_second)
        return true;
    sha256_tagged_init(&hash, "KeyAgg coefficient");
    sha256_add(&hash, list, SHA256_BYTES);
    sha256_add(&hash, key->b, key->len);
    sha256_finish(&hash, coefficient);
    return secp256k1_ec_pubkey_tweak_mul(secp256k1_context_static, ret_term, coefficient) == 1;
}

bool musig_aggregate(struct pubkey *ret_pubkey, const struct pubkey *keys, size_t keys_n)
{
    const secp256k1_pubkey **terms = NULL;
    secp256k1_pubkey *points = NULL;
    struct secp_pubkey sum;
    struct sha256 hash;
    uint8_t list[SHA256_BYTES];
    size_t second = second_key(keys, keys_n);
    bool ok = keys_n > 0;

    terms = alloc_array(keys_n, sizeof(const secp256k1_pubkey *));
    points = alloc_array(keys_n, sizeof(*points));
    sha256_tagged_init(&hash, "KeyAgg list");
    for (size_t i = 0; i < keys_n; i++)
        sha256_add(&hash, keys[i].b, keys[i].len);
    sha256_finish(&hash, list);
    for (size_t i = 0; ok && i < keys_n; i++) {
        bool is_second = second < keys_n && pubkey_compare(&keys[i], &keys[second]) == 0;

        terms[i] = &points[i];
        ok = musig_term(&points[i], &keys[i], list, is_second);
    }
    if (ok)
        ok = secp256k1_ec_pubkey_combine(secp256k1_context_static, &sum.point, terms, keys_n) == 1;
    if (ok)
        *ret_pubkey = serialized(&sum, true);
    free(points);
    free(terms);
    return ok;
}
