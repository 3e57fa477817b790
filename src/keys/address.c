#include "keys/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "codec/base58.h"
#include "codec/bech32.h"
#include "crypto/base58check.h"
#include "crypto/hash160.h"
#include "crypto/sha256.h"
#include "keys/script_write.h"
#include "script/parse.h"

#define BASE58_ADDRESS_BYTES (1 + HASH160_BYTES)
/* What may be base58 with a bad checksum, so that the error can say so. */
#define BASE58_ANY_BYTES 100
#define PROGRAM_BYTES_MIN 2

static const uint8_t anchor_program[2] = {0x4e, 0x73};

/* Says why; returns false. */
static bool refuse(struct address_error *error, const char *text)
{
    if (error != NULL)
        (void)snprintf(error->text, sizeof(error->text), "%s", text);
    return false;
}

static void set_program(struct destination *destination, enum destination_kind kind,
                        uint8_t version, const uint8_t *program, size_t len)
{
    memset(destination, 0, sizeof(*destination));
    destination->kind = kind;
    destination->version = version;
    destination->len = (uint8_t)len;
    memcpy(destination->b, program, len);
}

static bool read_base58(struct destination *ret_destination, struct span text,
                        const struct params *params, struct address_error *error)
{
    uint8_t bytes[BASE58_ANY_BYTES];
    size_t len = 0;
    bool is_pubkey;
    bool is_script;

    if (!base58check_read(bytes, &len, BASE58_ADDRESS_BYTES, (const char *)text.data, text.len)) {
        if (base58_read(bytes, &len, sizeof(bytes), (const char *)text.data, text.len))
            return refuse(error, "Invalid checksum or length of Base58 address (P2PKH or P2SH)");
        return refuse(error, "Invalid or unsupported Segwit (Bech32) or Base58 encoding.");
    }
    is_pubkey = len > 0 && bytes[0] == params->prefix_pubkey_hash;
    is_script = len > 0 && bytes[0] == params->prefix_script_hash;
    if (!is_pubkey && !is_script)
        return refuse(error, "Invalid or unsupported Base58-encoded address.");
    if (len != BASE58_ADDRESS_BYTES)
        return refuse(error, "Invalid length for Base58 address (P2PKH or P2SH)");
    set_program(ret_destination, is_pubkey ? DESTINATION_PUBKEY_HASH : DESTINATION_SCRIPT_HASH, 0,
                bytes + 1, HASH160_BYTES);
    return true;
}

static bool refuse_size(struct address_error *error, const char *format, size_t len)
{
    if (error != NULL)
        (void)snprintf(error->text, sizeof(error->text), format, len, len == 1 ? "byte" : "bytes");
    return false;
}

/* BIP 141: what a version and a program mean. */
static bool take_program(struct destination *ret_destination, uint8_t version,
                         const uint8_t *program, size_t len, struct address_error *error)
{
    enum destination_kind kind = DESTINATION_WITNESS_UNKNOWN;

    if (version == 0) {
        if (len == HASH160_BYTES)
            kind = DESTINATION_WITNESS_V0_KEY_HASH;
        else if (len == SHA256_BYTES)
            kind = DESTINATION_WITNESS_V0_SCRIPT_HASH;
        else
            return refuse_size(error, "Invalid Bech32 v0 address program size (%zu %s), per BIP141",
                               len);
    } else if (version == 1 && len == XONLY_BYTES) {
        kind = DESTINATION_TAPROOT;
    } else if (version == 1 && len == sizeof(anchor_program) &&
               memcmp(program, anchor_program, len) == 0) {
        kind = DESTINATION_ANCHOR;
    } else if (version > 16) {
        return refuse(error, "Invalid Bech32 address witness version");
    } else if (len < PROGRAM_BYTES_MIN || len > WITNESS_PROGRAM_BYTES_MAX) {
        return refuse_size(error, "Invalid Bech32 address program size (%zu %s)", len);
    }
    set_program(ret_destination, kind, version, program, len);
    return true;
}

/* A text whose checksum does not hold. */
static bool refuse_bech32(struct address_error *error, struct span text)
{
    size_t *at = NULL;
    size_t n = 0;
    const char *why;

    if (error == NULL)
        return false;
    why = bech32_find_errors(&at, &n, (const char *)text.data, text.len);
    error->locations_n = MIN(n, ADDRESS_LOCATIONS_MAX);
    for (size_t i = 0; i < error->locations_n; i++)
        error->locations[i] = at[i];
    free(at);
    return refuse(error, why);
}

static bool read_bech32(struct destination *ret_destination, struct span text,
                        const struct params *params, struct address_error *error)
{
    uint8_t program[BECH32_VALUES_MAX];
    size_t len = 0;
    struct bech32 bech32;

    if (!bech32_read(&bech32, (const char *)text.data, text.len))
        return refuse_bech32(error, text);
    if (bech32.values_n == 0)
        return refuse(error, "Empty Bech32 data section");
    if (strcmp(bech32.prefix, params->bech32_hrp) != 0) {
        if (error != NULL)
            (void)snprintf(error->text, sizeof(error->text),
                           "Invalid or unsupported prefix for Segwit (Bech32) address (expected "
                           "%s, got %s).",
                           params->bech32_hrp, bech32.prefix);
        return false;
    }
    if (bech32.values[0] == 0 && bech32.encoding != BECH32_CLASSIC)
        return refuse(error, "Version 0 witness address must use Bech32 checksum");
    if (bech32.values[0] != 0 && bech32.encoding != BECH32_M)
        return refuse(error, "Version 1+ witness address must use Bech32m checksum");
    if (!bech32_bytes_of_values(program, &len, bech32.values + 1, bech32.values_n - 1))
        return refuse(error, "Invalid padding in Bech32 data section");
    return take_program(ret_destination, bech32.values[0], program, len, error);
}

static bool has_prefix(struct span text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text.len < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.data[i];

        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != prefix[i])
            return false;
    }
    return true;
}

bool address_read(struct destination *ret_destination, struct span text,
                  const struct params *params, struct address_error *ret_error)
{
    memset(ret_destination, 0, sizeof(*ret_destination));
    if (ret_error != NULL)
        memset(ret_error, 0, sizeof(*ret_error));
    if (has_prefix(text, params->bech32_hrp))
        return read_bech32(ret_destination, text, params, ret_error);
    return read_base58(ret_destination, text, params, ret_error);
}

bool address_write(struct buf *text, const struct destination *destination,
                   const struct params *params)
{
    uint8_t bytes[BASE58_ADDRESS_BYTES];
    uint8_t values[1 + (8 * WITNESS_PROGRAM_BYTES_MAX + 4) / 5];
    size_t values_n;

    switch (destination->kind) {
    case DESTINATION_PUBKEY_HASH:
    case DESTINATION_SCRIPT_HASH:
        bytes[0] = destination->kind == DESTINATION_PUBKEY_HASH ? params->prefix_pubkey_hash
                                                                : params->prefix_script_hash;
        memcpy(bytes + 1, destination->b, HASH160_BYTES);
        base58check_write(text, bytes, sizeof(bytes));
        return true;
    case DESTINATION_WITNESS_V0_KEY_HASH:
    case DESTINATION_WITNESS_V0_SCRIPT_HASH:
    case DESTINATION_TAPROOT:
    case DESTINATION_ANCHOR:
    case DESTINATION_WITNESS_UNKNOWN:
        values[0] = destination->version;
        values_n = 1 + bech32_values_of_bytes(values + 1, destination->b, destination->len);
        bech32_write(text, destination->version == 0 ? BECH32_CLASSIC : BECH32_M,
                     params->bech32_hrp, values, values_n);
        return true;
    case DESTINATION_NONE:
    case DESTINATION_PUBKEY:
        break;
    }
    return false;
}

void destination_write_script(struct buf *script, const struct destination *destination)
{
    switch (destination->kind) {
    case DESTINATION_PUBKEY_HASH:
        script_add_p2pkh(script, destination->b);
        return;
    case DESTINATION_SCRIPT_HASH:
        script_add_p2sh(script, destination->b);
        return;
    case DESTINATION_WITNESS_V0_KEY_HASH:
    case DESTINATION_WITNESS_V0_SCRIPT_HASH:
    case DESTINATION_TAPROOT:
    case DESTINATION_ANCHOR:
    case DESTINATION_WITNESS_UNKNOWN:
        script_add_witness_program(script, destination->version,
                                   span_of(destination->b, destination->len));
        return;
    case DESTINATION_NONE:
    case DESTINATION_PUBKEY:
        return;
    }
}

/* OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG. */
static bool is_p2pkh(struct span script)
{
    return script.len == 25 && script.data[0] == OP_DUP && script.data[1] == OP_HASH160 &&
           script.data[2] == HASH160_BYTES && script.data[23] == OP_EQUALVERIFY &&
           script.data[24] == OP_CHECKSIG;
}

/* A key as its first byte says, and OP_CHECKSIG. */
static bool is_p2pk(struct span script)
{
    struct pubkey pubkey;

    return script.len >= 2 && script.data[script.len - 1] == OP_CHECKSIG &&
           script.data[0] == script.len - 2 &&
           pubkey_read(&pubkey, span_of(script.data + 1, script.len - 2));
}

struct destination destination_of_script(struct span script)
{
    struct destination destination = {.kind = DESTINATION_NONE};
    struct span program;
    uint8_t version;

    if (script_witness_program(script, &version, &program)) {
        /* A version 0 program of another length pays to nobody. */
        (void)take_program(&destination, version, program.data, program.len, NULL);
    } else if (script_is_p2sh(script)) {
        set_program(&destination, DESTINATION_SCRIPT_HASH, 0, script.data + 2, HASH160_BYTES);
    } else if (is_p2pkh(script)) {
        set_program(&destination, DESTINATION_PUBKEY_HASH, 0, script.data + 3, HASH160_BYTES);
    } else if (is_p2pk(script)) {
        destination.kind = DESTINATION_PUBKEY;
    }
    return destination;
}

bool destination_equal(const struct destination *a, const struct destination *b)
{
    return a->kind == b->kind && a->version == b->version && a->len == b->len &&
           memcmp(a->b, b->b, a->len) == 0;
}
