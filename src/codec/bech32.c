#include "codec/bech32.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* The residue of a right text. */
static const uint32_t residue_of[] = {[BECH32_CLASSIC] = 1, [BECH32_M] = 0x2bc830a3};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* -1 for a character that is no digit. */
static int value_of(char c)
{
    const char *found = memchr(alphabet, lower(c), 32);

    return found == NULL ? -1 : (int)(found - alphabet);
}

/* One more coefficient: the remainder times x plus value, by the generator of
 * BIP 173. */
static uint32_t polymod_step(uint32_t c, uint32_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint32_t top = c >> 25;

    c = (c & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++)
        c ^= (top >> i & 1) != 0 ? generator[i] : 0;
    return c;
}

static uint32_t polymod_prefix(const char *prefix, size_t len)
{
    uint32_t c = 1;

    for (size_t i = 0; i < len; i++)
        c = polymod_step(c, (uint32_t)(uint8_t)lower(prefix[i]) >> 5);
    c = polymod_step(c, 0);
    for (size_t i = 0; i < len; i++)
        c = polymod_step(c, (uint32_t)(uint8_t)lower(prefix[i]) & 31);
    return c;
}

/* Which characters break the case of the first letter, or are not printable? */
static size_t bad_characters(size_t *ret_at, const char *text, size_t len)
{
    bool has_lower = false;
    bool has_upper = false;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if ((is_lower(c) && has_upper) || (is_upper(c) && has_lower) || c < 33 || c > 126) {
            if (ret_at != NULL)
                ret_at[n] = i;
            n++;
            continue;
        }
        has_lower = has_lower || is_lower(c);
        has_upper = has_upper || is_upper(c);
    }
    return n;
}

/* The last '1'; len if there is none. */
static size_t find_separator(const char *text, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        if (text[i - 1] == '1')
            return i - 1;
    }
    return len;
}

static bool is_good_separator(size_t at, size_t len)
{
    return at > 0 && at + BECH32_CHECKSUM < len;
}

bool bech32_read(struct bech32 *ret, const char *text, size_t len)
{
    size_t separator = find_separator(text, len);
    uint8_t values[BECH32_TEXT_MAX];
    uint32_t residue;
    size_t n;

    if (len > BECH32_TEXT_MAX || bad_characters(NULL, text, len) > 0 ||
        !is_good_separator(separator, len))
        return false;
    residue = polymod_prefix(text, separator);
    n = len - separator - 1;
    for (size_t i = 0; i < n; i++) {
        int value = value_of(text[separator + 1 + i]);

        if (value < 0)
            return false;
        values[i] = (uint8_t)value;
        residue = polymod_step(residue, (uint32_t)value);
    }
    if (residue == residue_of[BECH32_CLASSIC])
        ret->encoding = BECH32_CLASSIC;
    else if (residue == residue_of[BECH32_M])
        ret->encoding = BECH32_M;
    else
        return false;
    for (size_t i = 0; i < separator; i++)
        ret->prefix[i] = lower(text[i]);
    ret->prefix[separator] = '\0';
    ret->values_n = n - BECH32_CHECKSUM;
    memcpy(ret->values, values, ret->values_n);
    return true;
}

void bech32_write(struct buf *buf, enum bech32_encoding encoding, const char *prefix,
                  const uint8_t *values, size_t values_n)
{
    size_t prefix_len = strlen(prefix);
    uint32_t c = polymod_prefix(prefix, prefix_len);

    CHECK(prefix_len > 0 && prefix_len + 1 + values_n + BECH32_CHECKSUM <= BECH32_TEXT_MAX);
    for (size_t i = 0; i < prefix_len; i++)
        CHECK(!is_upper(prefix[i]));
    buf_add(buf, prefix, prefix_len);
    buf_add_byte(buf, '1');
    for (size_t i = 0; i < values_n; i++) {
        CHECK(values[i] < 32);
        buf_add_byte(buf, (uint8_t)alphabet[values[i]]);
        c = polymod_step(c, values[i]);
    }
    for (size_t i = 0; i < BECH32_CHECKSUM; i++)
        c = polymod_step(c, 0);
    c ^= residue_of[encoding];
    for (unsigned i = 0; i < BECH32_CHECKSUM; i++)
        buf_add_byte(buf, (uint8_t)alphabet[c >> 5 * (5 - i) & 31]);
}

/* --- Where the errors are --- */

/* What one wrong digit does to the residue. */
struct stain {
    uint32_t residue;
    uint32_t from_end; /* 0 is the last digit. */
};

#define STAINS_MAX ((size_t)31 * BECH32_TEXT_MAX)

static int by_residue(const void *a, const void *b)
{
    const struct stain *x = a;
    const struct stain *y = b;

    return x->residue < y->residue ? -1 : x->residue > y->residue;
}

/* The residue of a sum of digit changes is the sum (xor) of their residues, and
 * the code's distance of five within 89 digits makes one of one or two changes
 * unique. So: every single change in a sorted table, and for each of them a look
 * for the one that completes it. */
static size_t locate(size_t *ret_at, uint32_t residue, size_t digits, size_t len)
{
    struct stain stains[STAINS_MAX];
    size_t n = 0;

    for (uint32_t value = 1; value < 32; value++) {
        uint32_t c = value;

        for (uint32_t from_end = 0; from_end < digits; from_end++) {
            stains[n++] = (struct stain){.residue = c, .from_end = from_end};
            c = polymod_step(c, 0);
        }
    }
    qsort(stains, n, sizeof(stains[0]), by_residue);
    for (size_t i = 0; i < n; i++) {
        struct stain wanted = {.residue = residue ^ stains[i].residue};
        const struct stain *other;

        if (wanted.residue == 0) {
            ret_at[0] = len - 1 - stains[i].from_end;
            return 1;
        }
        other = bsearch(&wanted, stains, n, sizeof(stains[0]), by_residue);
        if (other != NULL && other->from_end != stains[i].from_end) {
            ret_at[0] = len - 1 - MAX(other->from_end, stains[i].from_end);
            ret_at[1] = len - 1 - MIN(other->from_end, stains[i].from_end);
            return 2;
        }
    }
    return 0;
}

/* Both encodings are tried; fewer errors are the better explanation. */
static const char *explain_checksum(size_t *ret_at, size_t *ret_n, uint32_t residue, size_t digits,
                                    size_t len)
{
    size_t at[2][2];
    size_t n[2];

    for (unsigned i = 0; i < 2; i++) {
        if (residue == residue_of[i])
            return "";
    }
    for (unsigned i = 0; i < 2; i++)
        n[i] = locate(at[i], residue ^ residue_of[i], digits, len);
    if (n[BECH32_CLASSIC] > 0 && (n[BECH32_M] == 0 || n[BECH32_CLASSIC] <= n[BECH32_M])) {
        *ret_n = n[BECH32_CLASSIC];
        memcpy(ret_at, at[BECH32_CLASSIC], *ret_n * sizeof(*ret_at));
        return "Invalid Bech32 checksum";
    }
    *ret_n = n[BECH32_M];
    memcpy(ret_at, at[BECH32_M], *ret_n * sizeof(*ret_at));
    return *ret_n > 0 ? "Invalid Bech32m checksum" : "Invalid checksum";
}

static const char *explain(size_t *ret_at, size_t *ret_n, const char *text, size_t len)
{
    size_t separator = find_separator(text, len);
    uint32_t residue;

    if (len > BECH32_TEXT_MAX) {
        for (size_t i = BECH32_TEXT_MAX; i < len; i++)
            ret_at[(*ret_n)++] = i;
        return "Bech32 string too long";
    }
    *ret_n = bad_characters(ret_at, text, len);
    if (*ret_n > 0)
        return "Invalid character or mixed case";
    if (separator == len)
        return "Missing separator";
    if (!is_good_separator(separator, len)) {
        ret_at[(*ret_n)++] = separator;
        return "Invalid separator position";
    }
    residue = polymod_prefix(text, separator);
    for (size_t i = separator + 1; i < len; i++) {
        int value = value_of(text[i]);

        if (value < 0) {
            ret_at[(*ret_n)++] = i;
            return "Invalid Base 32 character";
        }
        residue = polymod_step(residue, (uint32_t)value);
    }
    return explain_checksum(ret_at, ret_n, residue, len - separator - 1, len);
}

const char *bech32_find_errors(size_t **ret_at, size_t *ret_n, const char *text, size_t len)
{
    size_t *at = alloc_array(MAX(len, (size_t)2), sizeof(*at));
    size_t n = 0;
    const char *reason = explain(at, &n, text, len);

    if (n == 0) {
        free(at);
        at = NULL;
    }
    *ret_at = at;
    *ret_n = n;
    return reason;
}

/* --- Eight bits and five --- */

/* Regroup bits; returns how many groups came out, and leaves the rest of fewer
 * than to bits in *ret_rest. */
static size_t regroup(uint8_t *ret_out, uint32_t *ret_rest, unsigned *ret_rest_bits,
                      const uint8_t *in, size_t in_n, unsigned from, unsigned to)
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < in_n; i++) {
        held = (held << from | in[i]) & 0xfff;
        bits += from;
        while (bits >= to) {
            bits -= to;
            ret_out[n++] = (uint8_t)(held >> bits & ((1U << to) - 1));
        }
    }
    *ret_rest = held & ((1U << bits) - 1);
    *ret_rest_bits = bits;
    return n;
}

size_t bech32_values_of_bytes(uint8_t *ret_values, const uint8_t *data, size_t len)
{
    uint32_t rest;
    unsigned bits;
    size_t n = regroup(ret_values, &rest, &bits, data, len, 8, 5);

    if (bits > 0)
        ret_values[n++] = (uint8_t)(rest << (5 - bits));
    return n;
}

bool bech32_bytes_of_values(uint8_t *ret_data, size_t *ret_len, const uint8_t *values,
                            size_t values_n)
{
    uint32_t rest;
    unsigned bits;

    *ret_len = regroup(ret_data, &rest, &bits, values, values_n, 5, 8);
    return bits < 5 && rest == 0;
}
