/* Methods about addresses, descriptors and signed messages: nothing of the chain
 * is needed for them. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "keys/address.h"
#include "keys/descriptor.h"
#include "keys/message.h"
#include "keys/script_write.h"
#include "keys/text.h"
#include "keys/wif.h"
#include "rpc/args.h"
#include "rpc/descriptor_args.h"
#include "rpc/groups.h"
#include "rpc/tx_json.h"
#include "script/parse.h"

/* --- validateaddress --- */

static void describe_destination(struct json_writer *w, const struct destination *destination)
{
    bool is_script = destination->kind == DESTINATION_SCRIPT_HASH ||
                     destination->kind == DESTINATION_WITNESS_V0_SCRIPT_HASH ||
                     destination->kind == DESTINATION_TAPROOT ||
                     destination->kind == DESTINATION_ANCHOR;
    bool is_witness = destination->kind != DESTINATION_PUBKEY_HASH &&
                      destination->kind != DESTINATION_SCRIPT_HASH;

    /* What a version to come pays to is not known. */
    if (destination->kind != DESTINATION_WITNESS_UNKNOWN)
        json_put_bool(w, "isscript", is_script);
    json_put_bool(w, "iswitness", is_witness);
    if (is_witness && destination->kind != DESTINATION_ANCHOR) {
        json_put_int(w, "witness_version", destination->version);
        json_put_hex(w, "witness_program", span_of(destination->b, destination->len));
    }
}

static int validate_address(struct rpc_call *call)
{
    const struct params *params = call->context->params;
    struct json_writer *w = call->out;
    struct destination destination;
    struct address_error error;
    struct buf text = {0};
    const char *address;
    int rc = rpc_arg_string(call, &address, 0);

    if (rc < 0)
        return rc;
    json_begin_object(w);
    if (address_read(&destination, span_of_string(address), params, &error)) {
        json_put_bool(w, "isvalid", true);
        CHECK(address_write(&text, &destination, params));
        json_put_string(w, "address", buf_string(&text));
        text.len = 0;
        destination_write_script(&text, &destination);
        json_put_hex(w, "scriptPubKey", span_of_buf(&text));
        describe_destination(w, &destination);
    } else {
        json_put_bool(w, "isvalid", false);
        json_key(w, "error_locations");
        json_begin_array(w);
        for (size_t i = 0; i < error.locations_n; i++)
            json_uint(w, error.locations[i]);
        json_end_array(w);
        json_put_string(w, "error", error.text);
    }
    json_end_object(w);
    buf_clear(&text);
    return 0;
}

/* --- createmultisig --- */

static int read_pubkey(struct rpc_call *call, struct pubkey *ret_pubkey, const char *hex)
{
    size_t len = strlen(hex);
    uint8_t bytes[PUBKEY_UNCOMPRESSED_BYTES];

    if (!text_is_hex(span_of_string(hex)))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Pubkey \"%s\" must be a hex string",
                        hex);
    if (len != 2 * PUBKEY_COMPRESSED_BYTES && len != 2 * PUBKEY_UNCOMPRESSED_BYTES)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "Pubkey \"%s\" must have a length of either 33 or 65 bytes", hex);
    CHECK(hex_read(bytes, len / 2, hex, len));
    if (!pubkey_read(ret_pubkey, span_of(bytes, len / 2)) || !pubkey_is_on_curve(ret_pubkey))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "Pubkey \"%s\" must be cryptographically valid.", hex);
    return 0;
}

static int read_pubkeys(struct rpc_call *call, struct pubkey **ret_keys, size_t *ret_n,
                        const struct json *list)
{
    *ret_n = list->count;
    *ret_keys = arena_array(call->arena, list->count, sizeof(**ret_keys));
    for (uint32_t i = 0; i < list->count; i++) {
        const char *hex;
        int rc = rpc_value_string(call, &hex, &list->items[i]);

        if (rc == 0)
            rc = read_pubkey(call, &(*ret_keys)[i], hex);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_output_type(struct rpc_call *call, enum output_type *ret_type, const char *name)
{
    static const struct {
        const char *name;
        enum output_type type;
    } rows[] = {
        {"legacy", OUTPUT_TYPE_LEGACY},
        {"p2sh-segwit", OUTPUT_TYPE_P2SH_SEGWIT},
        {"bech32", OUTPUT_TYPE_BECH32},
    };

    if (strcmp(name, "bech32m") == 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "createmultisig cannot create bech32m multisig addresses");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            *ret_type = rows[i].type;
            return 0;
        }
    }
    return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown address type '%s'", name);
}

static int check_multisig(struct rpc_call *call, int64_t required, size_t keys_n)
{
    if (required < 1)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "a multisignature address must require at least one key to redeem");
    if ((int64_t)keys_n < required)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "not enough keys supplied (got %zu keys, but need at least %d to redeem)",
                        keys_n, (int)required);
    if (keys_n > SCRIPT_MULTISIG_KEYS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Number of keys involved in the multisignature address creation > %d\n"
                        "Reduce the number",
                        SCRIPT_MULTISIG_KEYS_MAX);
    return 0;
}

/* The output that pays to script in the way of type; what it hides goes to ring. */
static void wrap_script(struct buf *ret_output, struct keyring *ring, struct span script,
                        enum output_type type)
{
    struct buf program = {0};

    keyring_add_script(ring, script);
    if (type == OUTPUT_TYPE_LEGACY) {
        script_write_p2sh_of(ret_output, script);
        return;
    }
    script_write_p2wsh_of(&program, script);
    keyring_add_script(ring, span_of_buf(&program));
    if (type == OUTPUT_TYPE_BECH32)
        buf_add(ret_output, program.data, program.len);
    else
        script_write_p2sh_of(ret_output, span_of_buf(&program));
    buf_clear(&program);
}

static void write_multisig(struct rpc_call *call, struct span script, struct span output,
                           const struct keyring *ring, enum output_type asked)
{
    const struct params *params = call->context->params;
    struct descriptor *descriptor = descriptor_infer(output, ring, params);
    struct json_writer *w = call->out;
    struct buf text = {0};

    json_begin_object(w);
    json_key(w, "address");
    write_address(w, output, params);
    json_put_hex(w, "redeemScript", script);
    (void)descriptor_write(descriptor, &text, 0, DESCRIPTOR_PUBLIC, NULL);
    json_put_string(w, "descriptor", buf_string(&text));
    if (descriptor_output_type(descriptor) != asked) {
        json_key(w, "warnings");
        json_begin_array(w);
        json_string(w, "Unable to make chosen address type, please ensure no uncompressed public "
                       "keys are present.");
        json_end_array(w);
    }
    json_end_object(w);
    buf_clear(&text);
    descriptor_free(descriptor);
}

static int create_multisig(struct rpc_call *call)
{
    enum output_type asked = OUTPUT_TYPE_LEGACY;
    enum output_type type;
    struct keyring ring;
    struct buf script = {0};
    struct buf output = {0};
    struct pubkey *keys = NULL;
    const char *type_name;
    size_t keys_n = 0;
    int64_t required;
    int rc;

    keyring_init(&ring);
    rc = rpc_arg_int(call, &required, 0, INT32_MIN, INT32_MAX);
    if (rc == 0)
        rc = read_pubkeys(call, &keys, &keys_n, rpc_arg(call, 1));
    if (rc == 0)
        rc = rpc_arg_string(call, &type_name, 2);
    if (rc == 0)
        rc = read_output_type(call, &asked, type_name);
    if (rc == 0)
        rc = check_multisig(call, required, keys_n);
    if (rc < 0)
        goto done;
    type = asked;
    for (size_t i = 0; i < keys_n; i++) {
        if (!pubkey_is_compressed(&keys[i]))
            type = OUTPUT_TYPE_LEGACY;
    }
    script_write_multisig(&script, (uint32_t)required, keys, keys_n);
    if (type == OUTPUT_TYPE_LEGACY && script.len > SCRIPT_ELEMENT_BYTES_MAX) {
        rc = rpc_fail(call, RPC_INVALID_PARAMETER, "redeemScript exceeds size limit: %zu > %d",
                      script.len, SCRIPT_ELEMENT_BYTES_MAX);
        goto done;
    }
    wrap_script(&output, &ring, span_of_buf(&script), type);
    write_multisig(call, span_of_buf(&script), span_of_buf(&output), &ring, asked);

done:
    keyring_clear(&ring);
    buf_clear(&script);
    buf_clear(&output);
    return rc;
}

/* --- Descriptors --- */

/* Parses argument 0. */
static int read_descriptor(struct rpc_call *call, struct descriptor **ret_descriptor,
                           struct keyring *ring, bool require_checksum)
{
    struct buf why = {0};
    const char *text;
    int rc = rpc_arg_string(call, &text, 0);

    if (rc < 0)
        return rc;
    if (descriptor_parse(ret_descriptor, ring, span_of_string(text), require_checksum,
                         call->context->params, &why) < 0)
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", buf_string(&why));
    buf_clear(&why);
    return rc;
}

static void write_descriptor(struct json_writer *w, const struct descriptor *descriptor,
                             size_t branch)
{
    struct buf text = {0};

    (void)descriptor_write(descriptor, &text, branch, DESCRIPTOR_PUBLIC, NULL);
    json_string(w, buf_string(&text));
    buf_clear(&text);
}

static int get_descriptor_info(struct rpc_call *call)
{
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    struct descriptor *descriptor = NULL;
    struct json_writer *w = call->out;
    struct keyring ring;
    const char *text;
    int rc;

    keyring_init(&ring);
    rc = read_descriptor(call, &descriptor, &ring, false);
    if (rc == 0)
        rc = rpc_arg_string(call, &text, 0);
    if (rc < 0)
        goto done;
    CHECK(descriptor_checksum(checksum, span_of_string(text)));
    json_begin_object(w);
    json_key(w, "descriptor");
    write_descriptor(w, descriptor, 0);
    if (descriptor_branches(descriptor) > 1) {
        json_key(w, "multipath_expansion");
        json_begin_array(w);
        for (size_t i = 0; i < descriptor_branches(descriptor); i++)
            write_descriptor(w, descriptor, i);
        json_end_array(w);
    }
    json_put_string(w, "checksum", checksum);
    json_put_bool(w, "isrange", descriptor_is_range(descriptor));
    json_put_bool(w, "issolvable", descriptor_is_solvable(descriptor));
    json_put_bool(w, "hasprivatekeys", ring.secrets_n > 0);
    json_end_object(w);

done:
    descriptor_free(descriptor);
    keyring_clear(&ring);
    return rc;
}

/* The addresses of a branch at one index. */
static int write_addresses_at(struct rpc_call *call, const struct descriptor *descriptor,
                              const struct keyring *ring, size_t branch, uint32_t index)
{
    struct script_list scripts = {0};
    int rc = 0;

    if (!descriptor_expand(descriptor, &scripts, NULL, branch, index, ring))
        rc =
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
    for (size_t i = 0; rc == 0 && i < scripts.n; i++) {
        struct span script = span_of_buf(&scripts.scripts[i]);
        struct destination destination = destination_of_script(script);

        if (destination_has_address(&destination))
            write_address(call->out, script, call->context->params);
        else if (scripts.n == 1 || destination.kind != DESTINATION_PUBKEY) /* combo has one. */
            rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                          "Descriptor does not have a corresponding address");
    }
    if (rc == 0 && scripts.n == 0)
        rc = rpc_fail(call, RPC_MISC_ERROR, "Unexpected empty result");
    script_list_clear(&scripts);
    return rc;
}

static int derive_addresses(struct rpc_call *call)
{
    const struct json *range = rpc_arg(call, 1);
    struct descriptor *descriptor = NULL;
    struct keyring ring;
    uint32_t first = 0;
    uint32_t last = 0;
    size_t branches;
    int rc = 0;

    keyring_init(&ring);
    if (range != NULL)
        rc = rpc_value_range(call, &first, &last, range);
    if (rc == 0)
        rc = read_descriptor(call, &descriptor, &ring, true);
    if (rc == 0 && range != NULL && !descriptor_is_range(descriptor))
        rc = rpc_fail(call, RPC_INVALID_PARAMETER,
                      "Range should not be specified for an un-ranged descriptor");
    if (rc == 0 && range == NULL && descriptor_is_range(descriptor))
        rc = rpc_fail(call, RPC_INVALID_PARAMETER,
                      "Range must be specified for a ranged descriptor");
    if (rc < 0)
        goto done;
    branches = descriptor_branches(descriptor);
    json_begin_array(call->out);
    for (size_t branch = 0; rc == 0 && branch < branches; branch++) {
        if (branches > 1)
            json_begin_array(call->out);
        for (uint32_t i = first; rc == 0 && i <= last; i++)
            rc = write_addresses_at(call, descriptor, &ring, branch, i);
        if (branches > 1)
            json_end_array(call->out);
    }
    json_end_array(call->out);

done:
    descriptor_free(descriptor);
    keyring_clear(&ring);
    return rc;
}

/* --- Messages --- */

static int sign_message_with_key(struct rpc_call *call)
{
    struct seckey *key = NULL;
    struct buf text = {0};
    const char *message;
    const char *wif;
    int rc = rpc_arg_string(call, &wif, 0);

    if (rc == 0)
        rc = rpc_arg_string(call, &message, 1);
    if (rc < 0)
        return rc;
    key = secret_alloc(sizeof(*key));
    if (wif_read(key, span_of_string(wif), call->context->params)) {
        message_sign(&text, key, span_of_string(message));
        json_string(call->out, buf_string(&text));
    } else {
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
    }
    secret_free(key, sizeof(*key));
    buf_clear(&text);
    return rc;
}

static int verify_message(struct rpc_call *call)
{
    const char *texts[3];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int rc = rpc_arg_string(call, &texts[i], i);

        if (rc < 0)
            return rc;
    }
    switch (message_verify(span_of_string(texts[0]), span_of_string(texts[1]),
                           span_of_string(texts[2]), call->context->params)) {
    case MESSAGE_BAD_ADDRESS:
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address");
    case MESSAGE_NO_KEY:
        return rpc_fail(call, RPC_TYPE_ERROR, "Address does not refer to key");
    case MESSAGE_BAD_SIGNATURE:
        return rpc_fail(call, RPC_TYPE_ERROR, "Malformed base64 encoding");
    case MESSAGE_NO_RECOVERY:
    case MESSAGE_NOT_SIGNED:
        json_bool(call->out, false);
        return 0;
    case MESSAGE_OK:
        json_bool(call->out, true);
        return 0;
    }
    CHECK_NEVER("a status");
    return 0;
}

static int get_index_info(struct rpc_call *call)
{
    /* There is no index yet whose state could be told. */
    json_begin_object(call->out);
    json_end_object(call->out);
    return 0;
}

#define DESCRIPTOR_PARAM                                       \
    {                                                          \
        "descriptor", RPC_STR, RPC_REQUIRED, "The descriptor." \
    }

const struct rpc_method rpc_address_methods[] = {
    {.name = "createmultisig",
     .group = "util",
     .summary = "Makes an address that some of several keys can spend from together.",
     .params = RPC_PARAMS(
         {"nrequired", RPC_NUM, RPC_REQUIRED, "How many of the keys must sign."},
         {"keys", RPC_ARR, RPC_REQUIRED, "The public keys.",
          .inner = RPC_PARAMS({"key", RPC_HEX, RPC_OMITTED, "A public key."})},
         {"address_type", RPC_STR, "=\"legacy\"", "\"legacy\", \"p2sh-segwit\" or \"bech32\"."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS({RPC_STR, "address", "The address."},
                               {RPC_HEX, "redeemScript", "The script that it is the hash of."},
                               {RPC_STR, "descriptor", "Its descriptor."},
                               {RPC_ARR, "warnings", "What is not as it was asked for.",
                                .flags = RPC_OPTIONAL, .inner = RPC_RESULTS({RPC_STR})})}),
     .examples = RPC_EXAMPLES("2 "
                              "\"[\\\"03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7a"
                              "ce5fd\\\",\\\"03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef"
                              "3f6aa5a61626\\\"]\""),
     .run = create_multisig},
    {.name = "deriveaddresses",
     .group = "util",
     .summary = "Derives the addresses that belong to a descriptor.",
     .params =
         RPC_PARAMS({"descriptor", RPC_STR, RPC_REQUIRED, "The descriptor, with its checksum."},
                    {"range", RPC_RANGE, RPC_OMITTED,
                     "For a descriptor with a range: the last index, or [first, last]."}),
     .results = RPC_RESULTS(
         {RPC_ARR, .when = "for one path", .inner = RPC_RESULTS({RPC_STR, .text = "An address."})},
         {RPC_ARR, .when = "for several paths",
          .inner = RPC_RESULTS({RPC_ARR, .text = "Of one path, in their order.",
                                .inner = RPC_RESULTS({RPC_STR, .text = "An address."})})}),
     .examples = RPC_EXAMPLES(
         "\"wpkh([d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqNiUtx8QX2SvC9nrHu"
         "81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY/0/*)#cjjspncu\" \"[0,2]\""),
     .run = derive_addresses},
    {.name = "getdescriptorinfo",
     .group = "util",
     .summary = "Tells about a descriptor.",
     .params = RPC_PARAMS(DESCRIPTOR_PARAM),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_STR, "descriptor", "Its canonical form, without private keys; the first path."},
              {RPC_ARR, "multipath_expansion", "One descriptor for each of several paths.",
               .flags = RPC_OPTIONAL, .inner = RPC_RESULTS({RPC_STR})},
              {RPC_STR, "checksum", "The checksum of the text given."},
              {RPC_BOOL, "isrange", "Does it stand for many scripts?"},
              {RPC_BOOL, "issolvable", "Does it say how to spend?"},
              {RPC_BOOL, "hasprivatekeys", "Were there private keys in the text?"})}),
     .examples = RPC_EXAMPLES("\"wpkh([d34db33f/84h/0h/0h]"
                              "0279be667ef9dcbbac55a06295ce870b07029bfcdb"
                              "2dce28d959f2815b16f81798)\""),
     .run = get_descriptor_info},
    {.name = "getindexinfo",
     .group = "util",
     .summary = "Tells how far the indexes have come, those that are on.",
     .params = RPC_PARAMS({"index_name", RPC_STR, RPC_OMITTED, "Only this one."}),
     .results = RPC_RESULTS(
         {RPC_OBJ_DYN,
          .inner = RPC_RESULTS(
              {RPC_OBJ, "name", "An index.",
               .inner = RPC_RESULTS({RPC_BOOL, "synced", "Is it at the tip?"},
                                    {RPC_NUM, "best_block_height", "Where it stands."})})}),
     .examples = RPC_EXAMPLES("", "txindex"),
     .run = get_index_info},
    {.name = "signmessagewithprivkey",
     .group = "util",
     .summary = "Signs a message with a private key.",
     .params = RPC_PARAMS({"privkey", RPC_STR, RPC_REQUIRED, "The key."},
                          {"message", RPC_STR, RPC_REQUIRED, "The message."}),
     .results = RPC_RESULTS({RPC_STR, .text = "The signature in base64."}),
     .examples = RPC_EXAMPLES("\"privkey\" \"my message\""),
     .run = sign_message_with_key},
    {.name = "validateaddress",
     .group = "util",
     .summary = "Return information about the given bitcoin address.",
     .params = RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, "The text."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_BOOL, "isvalid", "Is it one?"},
              {RPC_STR, "address", "The address.", .flags = RPC_OPTIONAL},
              {RPC_HEX, "scriptPubKey", "The script it stands for.", .flags = RPC_OPTIONAL},
              {RPC_BOOL, "isscript", "Does it pay to a script?", .flags = RPC_OPTIONAL},
              {RPC_BOOL, "iswitness", "Is it spent with a witness?", .flags = RPC_OPTIONAL},
              {RPC_NUM, "witness_version", "Of the witness program.", .flags = RPC_OPTIONAL},
              {RPC_HEX, "witness_program", "The witness program.", .flags = RPC_OPTIONAL},
              {RPC_STR, "error", "Why it is none.", .flags = RPC_OPTIONAL},
              {RPC_ARR, "error_locations", "Characters that are likely wrong, from 0.",
               .flags = RPC_OPTIONAL, .inner = RPC_RESULTS({RPC_NUM})})}),
     .examples = RPC_EXAMPLES("\"bc1q09vm5lfy0j5reeulh4x5752q25uqqvz34hufdl\""),
     .run = validate_address},
    {.name = "verifymessage",
     .group = "util",
     .summary = "Tells whether a message was signed with the key of an address.",
     .params = RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, "The address."},
                          {"signature", RPC_STR, RPC_REQUIRED, "The signature in base64."},
                          {"message", RPC_STR, RPC_REQUIRED, "The message."}),
     .results = RPC_RESULTS({RPC_BOOL, .text = "Was it?"}),
     .examples =
         RPC_EXAMPLES("\"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX\" \"signature\" \"my message\""),
     .run = verify_message},
    {.name = NULL},
};
