#include "crypto/secp.h"

#include <string.h>

#include <secp256k1_extrakeys.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "crypto/secp_priv.h"

/* Enough for everything that takes no secret key. */
#define VERIFYING secp256k1_context_static

static secp256k1_context *signing;

static const uint8_t group_order[32] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
static const uint8_t half_order[32] = {
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

void secp_init(const uint8_t *seed)
{
    if (signing == NULL)
        signing = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    CHECK(signing != NULL);
    CHECK(secp256k1_context_randomize(signing, seed) == 1);
}

void secp_clear(void)
{
    if (signing != NULL)
        secp256k1_context_destroy(signing);
    signing = NULL;
}

const secp256k1_context *secp_signing_context(void)
{
    CHECK(signing != NULL); /* secp_init comes first. */
    return signing;
}

/* --- Public keys --- */

bool secp_pubkey_read(struct secp_pubkey *ret_pubkey, const uint8_t *data, size_t len)
{
    if (len != SECP_PUBKEY_BYTES && len != SECP_PUBKEY_LONG_BYTES)
        return false;
    return secp256k1_ec_pubkey_parse(VERIFYING, &ret_pubkey->point, data, len) == 1;
}

void secp_pubkey_write(uint8_t *ret_data, const struct secp_pubkey *pubkey)
{
    size_t len = SECP_PUBKEY_BYTES;

    CHECK(secp256k1_ec_pubkey_serialize(VERIFYING, ret_data, &len, &pubkey->point,
                                        SECP256K1_EC_COMPRESSED) == 1);
}

void secp_pubkey_write_long(uint8_t *ret_data, const struct secp_pubkey *pubkey)
{
    size_t len = SECP_PUBKEY_LONG_BYTES;

    CHECK(secp256k1_ec_pubkey_serialize(VERIFYING, ret_data, &len, &pubkey->point,
                                        SECP256K1_EC_UNCOMPRESSED) == 1);
}

bool secp_pubkey_tweak_add(struct secp_pubkey *pubkey, const uint8_t *tweak)
{
    return secp256k1_ec_pubkey_tweak_add(VERIFYING, &pubkey->point, tweak) == 1;
}

bool secp_xonly_is_valid(const uint8_t *xonly)
{
    secp256k1_xonly_pubkey point;

    return secp256k1_xonly_pubkey_parse(VERIFYING, &point, xonly) == 1;
}

void secp_xonly_of(uint8_t *ret_xonly, bool *ret_odd, const struct secp_pubkey *pubkey)
{
    secp256k1_xonly_pubkey point;
    int odd = 0;

    CHECK(secp256k1_xonly_pubkey_from_pubkey(VERIFYING, &point, &odd, &pubkey->point) == 1);
    CHECK(secp256k1_xonly_pubkey_serialize(VERIFYING, ret_xonly, &point) == 1);
    *ret_odd = odd != 0;
}

bool secp_xonly_tweak_add(uint8_t *ret_xonly, bool *ret_odd, const uint8_t *internal,
                          const uint8_t *tweak)
{
    secp256k1_xonly_pubkey point;
    struct secp_pubkey sum;

    if (secp256k1_xonly_pubkey_parse(VERIFYING, &point, internal) != 1 ||
        secp256k1_xonly_pubkey_tweak_add(VERIFYING, &sum.point, &point, tweak) != 1)
        return false;
    secp_xonly_of(ret_xonly, ret_odd, &sum);
    return true;
}

bool secp_xonly_tweak_check(const uint8_t *xonly, bool odd, const uint8_t *internal,
                            const uint8_t *tweak)
{
    secp256k1_xonly_pubkey point;

    return secp256k1_xonly_pubkey_parse(VERIFYING, &point, internal) == 1 &&
           secp256k1_xonly_pubkey_tweak_add_check(VERIFYING, xonly, odd ? 1 : 0, &point, tweak) ==
               1;
}

/* --- ECDSA signatures as bytes --- */

/* A borrowed run of bytes that gets shorter from the front. */
static bool take_byte(struct span *left, uint8_t *ret_byte)
{
    if (left->len == 0)
        return false;
    *ret_byte = left->data[0];
    *left = span_of(left->data + 1, left->len - 1);
    return true;
}

/* The length of an INTEGER. The long form may have leading zeros, and is good up
 * to three bytes that count: more would overrun any script. */
static bool take_length_lax(struct span *left, size_t *ret_len)
{
    uint8_t first;
    size_t len = 0;
    size_t width;

    if (!take_byte(left, &first))
        return false;
    if (first < 0x80) {
        *ret_len = first;
        return true;
    }
    width = first - 0x80U;
    if (width > left->len)
        return false;
    while (width > 0 && left->data[0] == 0) {
        *left = span_of(left->data + 1, left->len - 1);
        width--;
    }
    if (width >= 4)
        return false;
    for (; width > 0; width--) {
        len = len << 8 | left->data[0];
        *left = span_of(left->data + 1, left->len - 1);
    }
    *ret_len = len;
    return true;
}

static bool take_integer_lax(struct span *left, struct span *ret_digits)
{
    uint8_t tag;
    size_t len;

    if (!take_byte(left, &tag) || tag != 0x02 || !take_length_lax(left, &len) || len > left->len)
        return false;
    *ret_digits = span_of(left->data, len);
    *left = span_of(left->data + len, left->len - len);
    return true;
}

/* Digits as a scalar; false if they are the group order or above. Without a
 * sign: the highest bit counts as a value. */
static bool scalar_of(uint8_t *ret_scalar, struct span digits)
{
    while (digits.len > 0 && digits.data[0] == 0)
        digits = span_of(digits.data + 1, digits.len - 1);
    if (digits.len > 32)
        return false;
    memset(ret_scalar, 0, 32);
    if (digits.len > 0)
        memcpy(ret_scalar + 32 - digits.len, digits.data, digits.len);
    return memcmp(ret_scalar, group_order, 32) < 0;
}

static void sig_of_digits(struct ecdsa_sig *ret_sig, struct span r, struct span s)
{
    if (!scalar_of(ret_sig->r, r) || !scalar_of(ret_sig->s, s))
        memset(ret_sig, 0, sizeof(*ret_sig));
}

bool ecdsa_sig_read_lax(struct ecdsa_sig *ret_sig, const uint8_t *der, size_t len)
{
    struct span left = span_of(der, len);
    struct span r;
    struct span s;
    uint8_t byte;

    if (!take_byte(&left, &byte) || byte != 0x30 || !take_byte(&left, &byte))
        return false;
    if (byte >= 0x80) {
        /* Whatever the sequence's length says, it was never looked at. */
        size_t width = byte - 0x80U;

        if (width > left.len)
            return false;
        left = span_of(left.data + width, left.len - width);
    }
    if (!take_integer_lax(&left, &r) || !take_integer_lax(&left, &s))
        return false;
    sig_of_digits(ret_sig, r, s);
    return true;
}

/* X.690: shortest length, not negative, no zero in front but to keep it so. */
static bool take_integer_strict(struct span *left, struct span *ret_digits)
{
    const uint8_t *at = left->data;
    size_t len;

    if (left->len < 3 || at[0] != 0x02)
        return false;
    len = at[1];
    if (len == 0 || len >= 0x80 || len > left->len - 2 || at[2] >= 0x80 ||
        (len > 1 && at[2] == 0 && at[3] < 0x80))
        return false;
    *ret_digits = span_of(at + 2, len);
    *left = span_of(at + 2 + len, left->len - 2 - len);
    return true;
}

bool ecdsa_sig_read_strict(struct ecdsa_sig *ret_sig, const uint8_t *der, size_t len)
{
    struct span left;
    struct span r;
    struct span s;

    /* Numbers of any size that needs no long length: 127 bytes in all. */
    if (len < 2 || der[0] != 0x30 || der[1] >= 0x80 || der[1] != len - 2)
        return false;
    left = span_of(der + 2, len - 2);
    if (!take_integer_strict(&left, &r) || !take_integer_strict(&left, &s) || left.len != 0)
        return false;
    sig_of_digits(ret_sig, r, s);
    return true;
}

static size_t write_integer(uint8_t *out, const uint8_t *scalar)
{
    size_t zeros = 0;
    size_t len;

    while (zeros < 31 && scalar[zeros] == 0)
        zeros++;
    len = 32 - zeros + (scalar[zeros] >= 0x80 ? 1 : 0);
    out[0] = 0x02;
    out[1] = (uint8_t)len;
    out[2] = 0;
    memcpy(out + 2 + len - (32 - zeros), scalar + zeros, 32 - zeros);
    return 2 + len;
}

size_t ecdsa_sig_write(uint8_t *ret_der, const struct ecdsa_sig *sig)
{
    size_t len = 2;

    len += write_integer(ret_der + len, sig->r);
    len += write_integer(ret_der + len, sig->s);
    ret_der[0] = 0x30;
    ret_der[1] = (uint8_t)(len - 2);
    return len;
}

bool ecdsa_sig_is_low_s(const struct ecdsa_sig *sig)
{
    return memcmp(sig->s, half_order, 32) <= 0;
}

/* --- ECDSA --- */

static secp256k1_ecdsa_signature library_sig(const struct ecdsa_sig *sig)
{
    secp256k1_ecdsa_signature out;
    uint8_t compact[64];

    memcpy(compact, sig->r, 32);
    memcpy(compact + 32, sig->s, 32);
    if (secp256k1_ecdsa_signature_parse_compact(VERIFYING, &out, compact) != 1) {
        memset(compact, 0, sizeof(compact));
        CHECK(secp256k1_ecdsa_signature_parse_compact(VERIFYING, &out, compact) == 1);
    }
    return out;
}

static void own_sig(struct ecdsa_sig *ret_sig, const uint8_t *compact)
{
    memcpy(ret_sig->r, compact, 32);
    memcpy(ret_sig->s, compact + 32, 32);
}

bool ecdsa_sig_verify(const struct ecdsa_sig *sig, const uint8_t *hash,
                      const struct secp_pubkey *pubkey)
{
    secp256k1_ecdsa_signature inner = library_sig(sig);

    /* The library takes low s only. */
    (void)secp256k1_ecdsa_signature_normalize(VERIFYING, &inner, &inner);
    return secp256k1_ecdsa_verify(VERIFYING, &inner, hash, &pubkey->point) == 1;
}

bool ecdsa_verify_lax(const uint8_t *der, size_t der_len, const uint8_t *hash,
                      const uint8_t *pubkey, size_t pubkey_len)
{
    struct secp_pubkey key;
    struct ecdsa_sig sig;

    return secp_pubkey_read(&key, pubkey, pubkey_len) && ecdsa_sig_read_lax(&sig, der, der_len) &&
           ecdsa_sig_verify(&sig, hash, &key);
}

bool ecdsa_sign(struct ecdsa_sig *ret_sig, const uint8_t *hash, const uint8_t *seckey, bool grind)
{
    const secp256k1_context *context = secp_signing_context();
    secp256k1_ecdsa_signature sig;
    struct secp_pubkey pubkey;
    uint8_t extra[32] = {0};
    uint8_t compact[64];
    uint32_t tries = 0;

    /* The first try is plain RFC 6979; the others add a counter, little-endian,
     * as the extra input of its section 3.6. */
    do {
        put_le32(extra, tries);
        if (secp256k1_ecdsa_sign(context, &sig, hash, seckey, secp256k1_nonce_function_rfc6979,
                                 tries == 0 ? NULL : extra) != 1)
            return false;
        CHECK(secp256k1_ecdsa_signature_serialize_compact(context, compact, &sig) == 1);
        tries++;
    } while (grind && compact[0] >= 0x80);
    own_sig(ret_sig, compact);
    /* A fault while signing could give the key away; a signature that does not
     * verify must not get out. */
    CHECK(secp_pubkey_of(&pubkey, seckey));
    CHECK(ecdsa_sig_verify(ret_sig, hash, &pubkey));
    return true;
}

bool ecdsa_sign_recoverable(struct ecdsa_sig *ret_sig, int *ret_recid, const uint8_t *hash,
                            const uint8_t *seckey)
{
    const secp256k1_context *context = secp_signing_context();
    secp256k1_ecdsa_recoverable_signature sig;
    struct secp_pubkey signer;
    struct secp_pubkey found;
    uint8_t compact[64];

    if (secp256k1_ecdsa_sign_recoverable(context, &sig, hash, seckey,
                                         secp256k1_nonce_function_rfc6979, NULL) != 1)
        return false;
    CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact, ret_recid,
                                                                  &sig) == 1);
    own_sig(ret_sig, compact);
    CHECK(secp_pubkey_of(&signer, seckey));
    CHECK(ecdsa_recover(&found, ret_sig, *ret_recid, hash));
    CHECK(secp256k1_ec_pubkey_cmp(VERIFYING, &found.point, &signer.point) == 0);
    return true;
}

bool ecdsa_recover(struct secp_pubkey *ret_pubkey, const struct ecdsa_sig *sig, int recid,
                   const uint8_t *hash)
{
    secp256k1_ecdsa_recoverable_signature inner;
    uint8_t compact[64];

    CHECK(recid >= 0 && recid <= 3);
    memcpy(compact, sig->r, 32);
    memcpy(compact + 32, sig->s, 32);
    return secp256k1_ecdsa_recoverable_signature_parse_compact(VERIFYING, &inner, compact, recid) ==
               1 &&
           secp256k1_ecdsa_recover(VERIFYING, &ret_pubkey->point, &inner, hash) == 1;
}

/* --- Schnorr --- */

bool schnorr_verify(const uint8_t *sig, const uint8_t *message, size_t message_len,
                    const uint8_t *xonly)
{
    secp256k1_xonly_pubkey point;

    return secp256k1_xonly_pubkey_parse(VERIFYING, &point, xonly) == 1 &&
           secp256k1_schnorrsig_verify(VERIFYING, sig, message, message_len, &point) == 1;
}

bool schnorr_sign(uint8_t *ret_sig, const uint8_t *hash, const uint8_t *seckey, const uint8_t *aux)
{
    static const uint8_t zeros[32];
    const secp256k1_context *context = secp_signing_context();
    secp256k1_xonly_pubkey point;
    secp256k1_keypair pair;

    if (secp256k1_keypair_create(context, &pair, seckey) != 1)
        return false;
    CHECK(secp256k1_schnorrsig_sign32(context, ret_sig, hash, &pair, aux == NULL ? zeros : aux) ==
          1);
    CHECK(secp256k1_keypair_xonly_pub(context, &point, NULL, &pair) == 1);
    CHECK(secp256k1_schnorrsig_verify(context, ret_sig, hash, SECP_HASH_BYTES, &point) == 1);
    secret_wipe(&pair, sizeof(pair));
    return true;
}

/* --- Secret keys --- */

bool secp_seckey_is_valid(const uint8_t *seckey)
{
    return secp256k1_ec_seckey_verify(VERIFYING, seckey) == 1;
}

bool secp_pubkey_of(struct secp_pubkey *ret_pubkey, const uint8_t *seckey)
{
    return secp256k1_ec_pubkey_create(secp_signing_context(), &ret_pubkey->point, seckey) == 1;
}

bool secp_seckey_tweak_add(uint8_t *seckey, const uint8_t *tweak)
{
    return secp256k1_ec_seckey_tweak_add(VERIFYING, seckey, tweak) == 1;
}

bool secp_seckey_negate(uint8_t *seckey)
{
    return secp256k1_ec_seckey_negate(VERIFYING, seckey) == 1;
}

bool secp_seckey_xonly_tweak_add(uint8_t *seckey, const uint8_t *tweak)
{
    const secp256k1_context *context = secp_signing_context();
    secp256k1_keypair pair;
    bool good;

    good = secp256k1_keypair_create(context, &pair, seckey) == 1 &&
           secp256k1_keypair_xonly_tweak_add(context, &pair, tweak) == 1 &&
           secp256k1_keypair_sec(context, seckey, &pair) == 1;
    secret_wipe(&pair, sizeof(pair));
    return good;
}
