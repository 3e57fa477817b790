#include "script/encoding.h"

#include "crypto/secp.h"
#include "script/flags.h"
#include "script/sighash.h"

/* 30 len 02 1 r 02 1 s type; and the longest: r and s of 33 bytes. */
#define SIG_BYTES_MIN 9
#define SIG_BYTES_MAX 73

bool pubkey_length_fits(struct span pubkey)
{
    if (pubkey.len == SECP_PUBKEY_BYTES)
        return pubkey.data[0] == 2 || pubkey.data[0] == 3;
    if (pubkey.len == SECP_PUBKEY_LONG_BYTES)
        return pubkey.data[0] == 4 || pubkey.data[0] == 6 || pubkey.data[0] == 7;
    return false;
}

bool pubkey_is_strict(struct span pubkey)
{
    return pubkey_length_fits(pubkey) && pubkey.data[0] <= 4;
}

bool pubkey_is_compressed(struct span pubkey)
{
    return pubkey.len == SECP_PUBKEY_BYTES && pubkey_length_fits(pubkey);
}

/* A DER integer at the start of bytes: positive and without needless zeros.
 * Returns its length with tag and length byte, 0 if it is not one. */
static size_t der_integer(struct span bytes)
{
    size_t len;

    if (bytes.len < 3 || bytes.data[0] != 2)
        return 0;
    len = bytes.data[1];
    if (len == 0 || len > bytes.len - 2)
        return 0;
    if (bytes.data[2] & 0x80)
        return 0;
    if (len > 1 && bytes.data[2] == 0 && (bytes.data[3] & 0x80) == 0)
        return 0;
    return len + 2;
}

bool sig_is_strict_der(struct span sig)
{
    struct span rest;
    size_t r_len;

    if (sig.len < SIG_BYTES_MIN || sig.len > SIG_BYTES_MAX)
        return false;
    if (sig.data[0] != 0x30 || sig.data[1] != sig.len - 3)
        return false;
    rest = span_of(sig.data + 2, sig.len - 3);
    r_len = der_integer(rest);
    if (r_len == 0)
        return false;
    rest = span_of(rest.data + r_len, rest.len - r_len);
    return rest.len > 0 && der_integer(rest) == rest.len;
}

bool sig_has_defined_hash_type(struct span sig)
{
    uint8_t type;

    if (sig.len == 0)
        return false;
    type = sig.data[sig.len - 1] & (uint8_t)~SIGHASH_ANYONECANPAY;
    return type >= SIGHASH_ALL && type <= SIGHASH_SINGLE;
}

static bool is_low_s(struct span sig)
{
    struct ecdsa_sig numbers;

    return ecdsa_sig_read_lax(&numbers, sig.data, sig.len - 1) && ecdsa_sig_is_low_s(&numbers);
}

enum verdict sig_encoding_verdict(struct span sig, uint64_t flags)
{
    const uint64_t strict = SCRIPT_VERIFY(DERSIG) | SCRIPT_VERIFY(LOW_S) | SCRIPT_VERIFY(STRICTENC);

    if (sig.len == 0)
        return V_VALID;
    if ((flags & strict) != 0 && !sig_is_strict_der(sig))
        return V_SCRIPT_SIG_DER;
    if ((flags & SCRIPT_VERIFY(LOW_S)) != 0 && !is_low_s(sig))
        return V_SCRIPT_SIG_HIGH_S;
    if ((flags & SCRIPT_VERIFY(STRICTENC)) != 0 && !sig_has_defined_hash_type(sig))
        return V_SCRIPT_SIG_HASHTYPE;
    return V_VALID;
}
