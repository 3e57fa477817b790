#include "coins/compress.h"

#include <string.h>

#include "base/check.h"
#include "crypto/secp.h"
#include "primitives/amount.h"

/* The leading byte of the short forms, and the scripts they stand for. */
enum form {
    FORM_KEY_HASH = 0,
    FORM_SCRIPT_HASH = 1,
    FORM_KEY_EVEN = 2,
    FORM_KEY_ODD = 3,
    FORM_KEY_LONG_EVEN = 4,
    FORM_KEY_LONG_ODD = 5,
    FORMS_N = 6 /* Other scripts: their length and this. */
};

#define OP_DUP 0x76
#define OP_HASH160 0xa9
#define OP_EQUAL 0x87
#define OP_EQUALVERIFY 0x88
#define OP_CHECKSIG 0xac

#define KEY_HASH_SCRIPT_BYTES 25
#define SCRIPT_HASH_SCRIPT_BYTES 23
#define KEY_SCRIPT_BYTES 35
#define KEY_LONG_SCRIPT_BYTES 67

size_t varint_write(uint8_t *out, uint64_t value)
{
    uint8_t groups[VARINT_BYTES_MAX];
    size_t n = 0;

    if (value < 0x80) {
        out[0] = (uint8_t)value;
        return 1;
    }
    groups[n++] = value & 0x7f;
    while (value > 0x7f) {
        value = (value >> 7) - 1;
        groups[n++] = (uint8_t)((value & 0x7f) | 0x80);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = groups[n - 1 - i];
    return n;
}

uint64_t read_varint(struct reader *r, uint64_t max)
{
    uint64_t value = 0;

    for (;;) {
        uint8_t byte = read_u8(r);

        if (r->rc < 0)
            return 0;
        if (value > max >> 7)
            break;
        value = value << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0) {
            if (value > max)
                break;
            return value;
        }
        if (value >= max)
            break;
        value++;
    }
    (void)reader_fail(r, E_MALFORMED);
    return 0;
}

/* 0, or 1 + 10 * (9 * digits + last - 1) + zeros where the amount is
 * (10 * digits + last) * 10^zeros with last 1..9 and zeros below 9, or
 * 1 + 10 * (digits - 1) + 9 for digits * 10^9. */
uint64_t amount_compress(uint64_t amount_sat)
{
    unsigned zeros = 0;

    if (amount_sat == 0)
        return 0;
    while (zeros < 9 && amount_sat % 10 == 0) {
        amount_sat /= 10;
        zeros++;
    }
    if (zeros == 9)
        return 1 + (amount_sat - 1) * 10 + 9;
    return 1 + (amount_sat / 10 * 9 + amount_sat % 10 - 1) * 10 + zeros;
}

uint64_t amount_decompress(uint64_t compressed)
{
    static const uint64_t powers[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    };
    uint64_t rest;
    unsigned zeros;

    if (compressed == 0)
        return 0;
    rest = (compressed - 1) / 10;
    zeros = (unsigned)((compressed - 1) % 10);
    if (zeros == 9)
        return (rest + 1) * powers[9];
    return (rest / 9 * 10 + rest % 9 + 1) * powers[zeros];
}

/* Writes the short form; 0: there is none. */
static size_t write_short(uint8_t *out, struct span script)
{
    const uint8_t *s = script.data;

    switch (script.len) {
    case KEY_HASH_SCRIPT_BYTES:
        if (s[0] != OP_DUP || s[1] != OP_HASH160 || s[2] != 20 || s[23] != OP_EQUALVERIFY ||
            s[24] != OP_CHECKSIG)
            return 0;
        out[0] = FORM_KEY_HASH;
        memcpy(out + 1, s + 3, 20);
        return 21;
    case SCRIPT_HASH_SCRIPT_BYTES:
        if (s[0] != OP_HASH160 || s[1] != 20 || s[22] != OP_EQUAL)
            return 0;
        out[0] = FORM_SCRIPT_HASH;
        memcpy(out + 1, s + 2, 20);
        return 21;
    case KEY_SCRIPT_BYTES:
        if (s[0] != 33 || (s[1] != 2 && s[1] != 3) || s[34] != OP_CHECKSIG)
            return 0;
        memcpy(out, s + 1, 33); /* Its leading 2 or 3 is the form. */
        return 33;
    case KEY_LONG_SCRIPT_BYTES: {
        struct secp_pubkey key;

        if (s[0] != 65 || s[1] != 4 || s[66] != OP_CHECKSIG || !secp_pubkey_read(&key, s + 1, 65))
            return 0; /* What is no point could not be made again from its x. */
        out[0] = (uint8_t)(FORM_KEY_LONG_EVEN | (s[65] & 1));
        memcpy(out + 1, s + 2, 32);
        return 33;
    }
    default:
        return 0;
    }
}

size_t txout_write_compressed(uint8_t *out, int64_t value_sat, struct span script_pubkey)
{
    size_t n = varint_write(out, amount_compress((uint64_t)value_sat));
    size_t short_n = write_short(out + n, script_pubkey);

    if (short_n > 0)
        return n + short_n;
    n += varint_write(out + n, script_pubkey.len + FORMS_N);
    if (script_pubkey.len > 0)
        memcpy(out + n, script_pubkey.data, script_pubkey.len);
    return n + script_pubkey.len;
}

static struct span read_hash_script(struct reader *r, enum form form, struct arena *arena)
{
    struct span hash = read_span(r, 20);
    uint8_t *script;

    if (r->rc < 0)
        return span_of(NULL, 0);
    script = arena_alloc(arena, KEY_HASH_SCRIPT_BYTES);
    if (form == FORM_SCRIPT_HASH) {
        script[0] = OP_HASH160;
        script[1] = 20;
        memcpy(script + 2, hash.data, 20);
        script[22] = OP_EQUAL;
        return span_of(script, SCRIPT_HASH_SCRIPT_BYTES);
    }
    script[0] = OP_DUP;
    script[1] = OP_HASH160;
    script[2] = 20;
    memcpy(script + 3, hash.data, 20);
    script[23] = OP_EQUALVERIFY;
    script[24] = OP_CHECKSIG;
    return span_of(script, KEY_HASH_SCRIPT_BYTES);
}

static struct span read_key_script(struct reader *r, enum form form, struct arena *arena)
{
    struct span x = read_span(r, 32);
    bool is_long = form >= FORM_KEY_LONG_EVEN;
    struct secp_pubkey key;
    uint8_t compressed[33];
    uint8_t *script;

    if (r->rc < 0)
        return span_of(NULL, 0);
    compressed[0] = (uint8_t)(is_long ? form - 2 : form);
    memcpy(compressed + 1, x.data, 32);
    script = arena_alloc(arena, KEY_LONG_SCRIPT_BYTES);
    if (!is_long) {
        script[0] = 33;
        memcpy(script + 1, compressed, 33);
        script[34] = OP_CHECKSIG;
        return span_of(script, KEY_SCRIPT_BYTES);
    }
    if (!secp_pubkey_read(&key, compressed, sizeof(compressed))) {
        (void)reader_fail(r, E_MALFORMED);
        return span_of(NULL, 0);
    }
    script[0] = 65;
    secp_pubkey_write_long(script + 1, &key);
    script[66] = OP_CHECKSIG;
    return span_of(script, KEY_LONG_SCRIPT_BYTES);
}

void read_txout_compressed(struct reader *r, int64_t *ret_value_sat, struct span *ret_script_pubkey,
                           struct arena *arena)
{
    uint64_t compressed = read_varint(r, UINT64_MAX);
    /* Amounts in range have compressed forms far below this; above it the
     * arithmetic of amount_decompress could wrap. */
    uint64_t value = compressed > (uint64_t)MONEY_MAX_SAT * 10 ? (uint64_t)MONEY_MAX_SAT + 1
                                                               : amount_decompress(compressed);
    uint64_t form = read_varint(r, UINT32_MAX);
    struct span script = {0};

    if (r->rc == 0 && value > (uint64_t)MONEY_MAX_SAT)
        (void)reader_fail(r, E_MALFORMED);
    if (form > SCRIPT_BYTES_MAX + FORMS_N)
        (void)reader_fail(r, E_MALFORMED);
    if (r->rc == 0 && form >= FORMS_N)
        script = read_span(r, (size_t)form - FORMS_N);
    else if (r->rc == 0 && form >= FORM_KEY_EVEN)
        script = read_key_script(r, (enum form)form, arena);
    else if (r->rc == 0)
        script = read_hash_script(r, (enum form)form, arena);
    *ret_value_sat = r->rc == 0 ? (int64_t)value : 0;
    *ret_script_pubkey = script;
}
