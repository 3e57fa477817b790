#include "consensus/params.h"

#include <string.h>

#include "codec/writer.h"
#include "crypto/sha256.h"

static const struct {
    const char *shown;
    const char *option;
} buried_names[BURIED_COUNT] = {
    [BURIED_BIP34] = {"bip34", "bip34"},    [BURIED_BIP65] = {"bip65", "cltv"},
    [BURIED_BIP66] = {"bip66", "dersig"},   [BURIED_CSV] = {"csv", "csv"},
    [BURIED_SEGWIT] = {"segwit", "segwit"},
};

static const char *const deployment_names[DEPLOYMENT_COUNT] = {
    [DEPLOYMENT_TESTDUMMY] = "testdummy",
};

int params_set_signet_challenge(struct params *params, struct span challenge, struct error *err)
{
    static const char *const no_seeds[] = {NULL};
    struct buf script = {0};
    uint8_t digest[SHA256_BYTES];

    if (params->network != NETWORK_SIGNET)
        return error_set(err, E_LIMIT, "a signet challenge needs the network 'signet'");
    /* BIP 325: the magic is the start of the hash of the challenge, written with
     * its length. */
    write_var_bytes(&script, challenge);
    sha256d(digest, script.data, script.len);
    buf_clear(&script);
    memcpy(params->magic, digest, sizeof(params->magic));
    params->signet_challenge = challenge;
    params->dns_seeds = no_seeds;
    memset(params->minimum_chain_work, 0, sizeof(params->minimum_chain_work));
    memset(&params->default_assumevalid, 0, sizeof(params->default_assumevalid));
    params->chain_size_gb = 0;
    params->coins_size_gb = 0;
    params->chain_tx_time = 0;
    params->chain_tx_n = 0;
    params->chain_tx_rate = 0;
    return 0;
}

/* A decimal number and nothing else: no blank, no plus sign. */
static bool read_decimal(int64_t *ret_value, struct span text)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    int64_t value = 0;

    if (text.len == (negative ? 1U : 0U))
        return false;
    for (size_t i = negative ? 1 : 0; i < text.len; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        /* Counted downwards, as the least number has no positive twin. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret_value = negative ? value : -value;
    return true;
}

int params_set_activation_height(struct params *params, const char *text, struct error *err)
{
    const char *at = strchr(text, '@');
    int64_t height;

    if (at == NULL)
        return error_set(err, E_LIMIT, "Invalid format (%s) for -testactivationheight=name@height.",
                         text);
    if (!read_decimal(&height, span_of_string(at + 1)) || height < 0 || height >= INT32_MAX)
        return error_set(err, E_LIMIT,
                         "Invalid height value (%s) for -testactivationheight=name@height.", text);
    for (int i = 0; i < BURIED_COUNT; i++) {
        if (span_equal(span_of(text, (size_t)(at - text)),
                       span_of_string(buried_names[i].option))) {
            params->buried_height[i] = (int32_t)height;
            return 0;
        }
    }
    return error_set(err, E_LIMIT, "Invalid name (%s) for -testactivationheight=name@height.",
                     text);
}

#define VBPARAMS_FIELDS_MIN 3
#define VBPARAMS_FIELDS_MAX 4

/* The fields between the colons; their number, or 0 when there are too many. */
static size_t split(struct span *ret_fields, const char *text)
{
    size_t n = 0;

    for (;;) {
        const char *end = strchrnul(text, ':');

        if (n == VBPARAMS_FIELDS_MAX)
            return 0;
        ret_fields[n++] = span_of(text, (size_t)(end - text));
        if (*end == '\0')
            return n;
        text = end + 1;
    }
}

int params_set_vbparams(struct params *params, const char *text, struct error *err)
{
    static const char *const labels[VBPARAMS_FIELDS_MAX] = {"", "nStartTime", "nTimeout",
                                                            "min_activation_height"};
    struct span fields[VBPARAMS_FIELDS_MAX];
    int64_t values[VBPARAMS_FIELDS_MAX] = {0};
    size_t n = split(fields, text);

    if (n < VBPARAMS_FIELDS_MIN)
        return error_set(err, E_LIMIT,
                         "Version bits parameters malformed, expecting "
                         "deployment:start:end[:min_activation_height]");
    for (size_t i = 1; i < n; i++) {
        if (!read_decimal(&values[i], fields[i]))
            return error_set(err, E_LIMIT, "Invalid %s (%.*s)", labels[i], (int)fields[i].len,
                             (const char *)fields[i].data);
    }
    for (int i = 0; i < DEPLOYMENT_COUNT; i++) {
        if (!span_equal(fields[0], span_of_string(deployment_names[i])))
            continue;
        params->deployments[i].start_time = values[1];
        params->deployments[i].timeout = values[2];
        params->deployments[i].min_activation_height = (int32_t)values[3];
        return 0;
    }
    return error_set(err, E_LIMIT, "Invalid deployment (%.*s)", (int)fields[0].len,
                     (const char *)fields[0].data);
}
