#include "base/check.h"
#include "coins/record_priv.h"
#include "primitives/amount.h"

#define NUMBER_BYTES_MAX 10

/* head, then rest_len bytes that differ, then tail. */
struct script_template {
    uint8_t head[3];
    uint8_t head_len;
    uint8_t rest_len;
    uint8_t tail[2];
    uint8_t tail_len;
};

static const struct script_template templates[SCRIPT_KIND_COUNT] = {
    [SCRIPT_KIND_P2PKH] = {{0x76, 0xa9, 20}, 3, 20, {0x88, 0xac}, 2},
    [SCRIPT_KIND_P2SH] = {{0xa9, 20}, 2, 20, {0x87}, 1},
    [SCRIPT_KIND_P2WPKH] = {{0x00, 20}, 2, 20, {0}, 0},
    [SCRIPT_KIND_P2WSH] = {{0x00, 32}, 2, 32, {0}, 0},
    [SCRIPT_KIND_P2TR] = {{0x51, 32}, 2, 32, {0}, 0},
    [SCRIPT_KIND_P2PK_EVEN] = {{33, 0x02}, 2, 32, {0xac}, 1},
    [SCRIPT_KIND_P2PK_ODD] = {{33, 0x03}, 2, 32, {0xac}, 1},
    [SCRIPT_KIND_P2PK_LONG] = {{65, 0x04}, 2, 64, {0xac}, 1},
};

static enum script_kind kind_for(struct span script)
{
    switch (script.len) {
    case 22:
        return SCRIPT_KIND_P2WPKH;
    case 23:
        return SCRIPT_KIND_P2SH;
    case 25:
        return SCRIPT_KIND_P2PKH;
    case 34:
        return script.data[0] == 0x51 ? SCRIPT_KIND_P2TR : SCRIPT_KIND_P2WSH;
    case 35:
        return script.data[1] == 0x02 ? SCRIPT_KIND_P2PK_EVEN : SCRIPT_KIND_P2PK_ODD;
    case 67:
        return SCRIPT_KIND_P2PK_LONG;
    default:
        return SCRIPT_KIND_OTHER;
    }
}

struct packed_script script_pack(struct span script)
{
    enum script_kind kind = kind_for(script);
    const struct script_template *t = &templates[kind];

    if (kind != SCRIPT_KIND_OTHER && memcmp(script.data, t->head, t->head_len) == 0 &&
        memcmp(script.data + t->head_len + t->rest_len, t->tail, t->tail_len) == 0)
        return (struct packed_script){kind, span_of(script.data + t->head_len, t->rest_len)};
    return (struct packed_script){SCRIPT_KIND_OTHER, script};
}

size_t script_unpacked_len(struct packed_script packed)
{
    const struct script_template *t = &templates[packed.kind];

    return packed.rest.len + t->head_len + t->tail_len;
}

void script_unpack(uint8_t *ret_script, struct packed_script packed)
{
    const struct script_template *t = &templates[packed.kind];

    memcpy(ret_script, t->head, t->head_len);
    if (packed.rest.len > 0)
        memcpy(ret_script + t->head_len, packed.rest.data, packed.rest.len);
    memcpy(ret_script + t->head_len + packed.rest.len, t->tail, t->tail_len);
}

static size_t number_write(uint8_t *out, uint64_t value)
{
    size_t n = 0;

    while (value >= 0x80) {
        out[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (uint8_t)value;
    return n;
}

/* false: cut short, longer than needed, or greater than max. */
static bool number_read(struct span *rest, uint64_t *ret_value, uint64_t max)
{
    uint64_t value = 0;

    for (size_t i = 0; i < rest->len && i < NUMBER_BYTES_MAX; i++) {
        uint64_t digit = rest->data[i] & 0x7f;

        if (i == NUMBER_BYTES_MAX - 1 && digit > 1)
            return false;
        value |= digit << (7 * i);
        if ((rest->data[i] & 0x80) != 0)
            continue;
        if (value > max || (digit == 0 && i > 0))
            return false;
        *ret_value = value;
        *rest = span_of(rest->data + i + 1, rest->len - i - 1);
        return true;
    }
    return false;
}

size_t record_key_write(uint8_t *out, const struct outpoint *outpoint)
{
    memcpy(out, outpoint->txid.b, HASH_BYTES);
    return HASH_BYTES + number_write(out + HASH_BYTES, outpoint->vout);
}

size_t record_write(uint8_t *out, const struct record *record)
{
    size_t n = record_key_write(out, &record->outpoint);

    if (record->is_spent)
        return n;
    CHECK(record->script.rest.len <= SCRIPT_BYTES_MAX);
    n += number_write(out + n, (uint64_t)record->height << 1 | record->is_coinbase);
    n += number_write(out + n, (uint64_t)record->value_sat);
    out[n++] = (uint8_t)record->script.kind;
    if (record->script.rest.len > 0)
        memcpy(out + n, record->script.rest.data, record->script.rest.len);
    return n + record->script.rest.len;
}

static int read_key(struct outpoint *ret_outpoint, struct span *rest)
{
    uint64_t vout;

    if (rest->len < HASH_BYTES)
        return E_CORRUPT;
    memcpy(ret_outpoint->txid.b, rest->data, HASH_BYTES);
    *rest = span_of(rest->data + HASH_BYTES, rest->len - HASH_BYTES);
    if (!number_read(rest, &vout, UINT32_MAX))
        return E_CORRUPT;
    ret_outpoint->vout = (uint32_t)vout;
    return 0;
}

int record_read_key(struct outpoint *ret_outpoint, struct span body)
{
    return read_key(ret_outpoint, &body);
}

/* Would script_pack have found a kind for it? Then it is not how we write it. */
static bool is_packed_right(struct packed_script packed)
{
    if (packed.kind == SCRIPT_KIND_OTHER)
        return script_pack(packed.rest).kind == SCRIPT_KIND_OTHER;
    return packed.rest.len == templates[packed.kind].rest_len;
}

int record_read(struct record *ret_record, struct span body)
{
    uint64_t code;
    uint64_t value;

    *ret_record = (struct record){0};
    if (read_key(&ret_record->outpoint, &body) < 0)
        return E_CORRUPT;
    if (body.len == 0) {
        ret_record->is_spent = true;
        return 0;
    }
    if (!number_read(&body, &code, UINT32_MAX) ||
        !number_read(&body, &value, (uint64_t)MONEY_MAX_SAT) || body.len < 1 ||
        body.data[0] >= SCRIPT_KIND_COUNT || body.len - 1 > SCRIPT_BYTES_MAX)
        return E_CORRUPT;
    ret_record->height = (uint32_t)(code >> 1);
    ret_record->is_coinbase = (code & 1) != 0;
    ret_record->value_sat = (int64_t)value;
    ret_record->script.kind = (enum script_kind)body.data[0];
    ret_record->script.rest = span_of(body.data + 1, body.len - 1);
    return is_packed_right(ret_record->script) ? 0 : E_CORRUPT;
}
