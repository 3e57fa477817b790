#include "rpc/signing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "keys/script_write.h"
#include "keys/sign.h"
#include "keys/wif.h"
#include "primitives/amount.h"
#include "rpc/args.h"
#include "script/asm.h"
#include "script/parse.h"

/* Of a script in an error message; Core shows that many digits. */
#define SCRIPT_DIGITS_SHOWN 30

/* A transaction being signed, and what it spends. */
struct job {
    struct tx tx;
    struct tx_in *in;     /* tx.in, to be changed. */
    struct tx_out *spent; /* One for each input; without value where not known. */
    bool *is_known;
    struct sighash_cache cache;
    struct spend spend;
};

static bool all_known(const struct job *job)
{
    for (uint32_t i = 0; i < job->tx.in_n; i++) {
        if (!job->is_known[i])
            return false;
    }
    return true;
}

/* What its inputs spend, as far as the chain knows it. */
static int job_init(struct rpc_call *call, struct job *job)
{
    struct mempool_view *pool = call->context->mempool;
    struct node *node = call->context->node;
    size_t n = job->tx.in_n;

    job->in = arena_array(call->arena, n, sizeof(*job->in));
    job->spent = arena_array(call->arena, n, sizeof(*job->spent));
    job->is_known = arena_array(call->arena, n, sizeof(*job->is_known));
    if (n > 0)
        memcpy(job->in, job->tx.in, n * sizeof(*job->in));
    job->tx.in = job->in;
    for (size_t i = 0; i < n; i++) {
        struct error err = {0};
        struct coin coin;
        int rc;

        if (pool != NULL &&
            pool->ops->output(pool, &job->spent[i], &job->in[i].prevout, call->arena)) {
            job->is_known[i] = true;
            continue;
        }
        rc = node->ops->coin(node, &coin, NULL, &job->in[i].prevout, call->arena, &err);

        if (rc < 0 && rc != E_NOT_FOUND)
            return rpc_fail(call, RPC_DATABASE_ERROR, "%s", error_text(&err));
        if (rc < 0)
            continue;
        job->is_known[i] = true;
        job->spent[i].value_sat = coin.value_sat;
        job->spent[i].script_pubkey = coin.script_pubkey;
    }
    return 0;
}

/* Once everything that is spent has been told. */
static void job_prepare(struct rpc_call *call, struct job *job)
{
    sighash_cache_init(&job->cache, &job->tx, all_known(job) ? job->spent : NULL, call->arena);
    job->spend.tx = &job->tx;
    job->spend.spent = job->spent;
    job->spend.sighash = &job->cache;
}

static void adopt(struct tx_in *in, const struct signed_input *signed_input)
{
    in->script_sig = signed_input->script_sig;
    in->witness = signed_input->witness;
    in->witness_n = signed_input->witness_n;
}

static void put_tx(struct json_writer *w, const char *key, const struct tx *tx)
{
    struct buf bytes = {0};

    tx_write(&bytes, tx, true);
    if (key != NULL)
        json_key(w, key);
    json_hex(w, span_of_buf(&bytes));
    buf_clear(&bytes);
}

/* --- The outputs that the caller tells of --- */

static int check_field(struct rpc_call *call, const struct json *object, const char *key,
                       enum json_type type, bool may_be_absent)
{
    const struct json *value = json_find(object, key);

    if (value == NULL || value->type == JSON_NULL)
        return may_be_absent ? 0 : rpc_fail(call, RPC_TYPE_ERROR, "Missing %s", key);
    if (value->type != type)
        return rpc_fail(
            call, RPC_TYPE_ERROR, "JSON value of type %s for field %s is not of expected type %s",
            json_type_name(value->type), key, type == JSON_STRING ? "string" : "number");
    return 0;
}

static const struct json *find_given(const struct json *object, const char *key)
{
    const struct json *value = json_find(object, key);

    return value == NULL || value->type == JSON_NULL ? NULL : value;
}

static bool pays_to(struct span script_pubkey, void (*write)(struct buf *, struct span),
                    struct span inner)
{
    struct buf script = {0};
    bool same;

    write(&script, inner);
    same = span_equal(span_of_buf(&script), script_pubkey);
    buf_clear(&script);
    return same;
}

static struct span p2wsh_of(struct rpc_call *call, struct span script)
{
    struct buf bytes = {0};
    uint8_t *copy;

    script_write_p2wsh_of(&bytes, script);
    copy = arena_alloc(call->arena, bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    buf_clear(&bytes);
    return span_of(copy, 34);
}

/* The script behind a P2SH or P2WSH output. */
static int take_inner_script(struct rpc_call *call, struct keyring *ring,
                             const struct json *prevout, struct span script_pubkey)
{
    const struct json *redeem = find_given(prevout, "redeemScript");
    const struct json *witness = find_given(prevout, "witnessScript");
    struct span script;
    struct span program;
    struct span given;
    bool fits;
    int rc = check_field(call, prevout, "redeemScript", JSON_STRING, true);

    if (rc == 0)
        rc = check_field(call, prevout, "witnessScript", JSON_STRING, true);
    if (rc < 0)
        return rc;
    if (redeem == NULL && witness == NULL)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Missing redeemScript/witnessScript");
    rc = witness != NULL ? rpc_value_hex(call, &script, witness, "witnessScript")
                         : rpc_value_hex(call, &script, redeem, "redeemScript");
    if (rc < 0)
        return rc;
    program = p2wsh_of(call, script);
    keyring_add_script(ring, script);
    keyring_add_script(ring, program); /* It may be nested. */
    if (witness != NULL && redeem != NULL && !span_equal(witness->text, redeem->text)) {
        rc = rpc_value_hex(call, &given, redeem, "redeemScript");
        if (rc < 0)
            return rc;
        if (!span_equal(given, program))
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "redeemScript does not correspond to witnessScript");
    }
    if (script_is_p2sh(script_pubkey))
        fits = pays_to(script_pubkey, script_write_p2sh_of, script) ||
               pays_to(script_pubkey, script_write_p2sh_of, program);
    else
        fits = span_equal(script_pubkey, program);
    if (!fits)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "redeemScript/witnessScript does not match scriptPubKey");
    return 0;
}

/* An output that contradicts what the chain knows. */
static int fail_mismatch(struct rpc_call *call, struct span known, struct span told)
{
    struct buf text = {0};
    int rc;

    script_asm(&text, known, false);
    buf_add_string(&text, "\nvs:\n");
    script_asm(&text, told, false);
    rc = rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Previous output scriptPubKey mismatch:\n%s",
                  buf_string(&text));
    buf_clear(&text);
    return rc;
}

static int take_prevout_of(struct rpc_call *call, struct job *job, struct keyring *ring,
                           const struct json *prevout, const struct outpoint *outpoint)
{
    const struct json *amount = json_find(prevout, "amount");
    int64_t value_sat = MONEY_MAX_SAT; /* Not told: no signature over it can be right. */
    struct span script;
    int rc = rpc_value_hex(call, &script, json_find(prevout, "scriptPubKey"), "scriptPubKey");

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < job->tx.in_n; i++) {
        if (outpoint_equal(&job->in[i].prevout, outpoint) && job->is_known[i] &&
            !span_equal(job->spent[i].script_pubkey, script))
            return fail_mismatch(call, job->spent[i].script_pubkey, script);
    }
    if (amount != NULL)
        rc = rpc_value_amount(call, &value_sat, amount, 8);
    for (uint32_t i = 0; rc == 0 && i < job->tx.in_n; i++) {
        if (!outpoint_equal(&job->in[i].prevout, outpoint))
            continue;
        job->is_known[i] = true;
        job->spent[i].value_sat = value_sat;
        job->spent[i].script_pubkey = script;
    }
    if (rc == 0 && (script_is_p2sh(script) ||
                    (script.len == 34 && script.data[0] == OP_0 && script.data[1] == 32)))
        rc = take_inner_script(call, ring, prevout, script);
    return rc;
}

static int take_prevouts(struct rpc_call *call, struct job *job, struct keyring *ring,
                         const struct json *list)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && list != NULL && i < list->count; i++) {
        const struct json *prevout = &list->items[i];
        struct outpoint outpoint;
        int64_t vout;

        if (prevout->type != JSON_OBJECT)
            return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                            "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}");
        rc = check_field(call, prevout, "scriptPubKey", JSON_STRING, false);
        if (rc == 0)
            rc = check_field(call, prevout, "txid", JSON_STRING, false);
        if (rc == 0)
            rc = check_field(call, prevout, "vout", JSON_NUMBER, false);
        if (rc == 0)
            rc = rpc_value_hash(call, outpoint.txid.b, json_find(prevout, "txid"), "txid");
        if (rc == 0)
            rc = rpc_value_int(call, &vout, json_find(prevout, "vout"), INT32_MIN, INT32_MAX);
        if (rc == 0 && vout < 0)
            return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "vout cannot be negative");
        if (rc == 0) {
            outpoint.vout = (uint32_t)vout;
            rc = take_prevout_of(call, job, ring, prevout, &outpoint);
        }
    }
    return rc;
}

static int take_keys(struct rpc_call *call, struct keyring *ring, const struct json *list)
{
    struct seckey *key = secret_alloc(sizeof(*key));
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < list->count; i++) {
        const char *wif;

        rc = rpc_value_string(call, &wif, &list->items[i]);
        if (rc < 0)
            break;
        if (wif_read(key, span_of_string(wif), call->context->params))
            keyring_add_secret(ring, key);
        else
            rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
    }
    secret_free(key, sizeof(*key));
    return rc;
}

/* --- Signing --- */

static const char *text_of_verdict(enum verdict verdict)
{
    switch (verdict) {
    case V_SCRIPT_INVALID_STACK_OPERATION:
        return "Unable to sign input, invalid stack size (possibly missing key)";
    case V_SCRIPT_SIG_NULLFAIL:
        return "CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)";
    default:
        return verdict_reason(verdict);
    }
}

static int fail_missing_amount(struct rpc_call *call, const struct tx_out *out)
{
    struct buf hex = {0};
    int rc;

    hex_write_buf(&hex, out->script_pubkey);
    rc = rpc_fail(call, RPC_TYPE_ERROR,
                  "Missing amount for CTxOut(nValue=%d.%08d, scriptPubKey=%.*s)",
                  (int)(out->value_sat / COIN_SAT), (int)(out->value_sat % COIN_SAT),
                  (int)MIN(hex.len, SCRIPT_DIGITS_SHOWN), buf_string(&hex));
    buf_clear(&hex);
    return rc;
}

/* Signs what can be signed. ret_errors[i]: what is wrong with an input, or NULL. */
static int sign_all(struct rpc_call *call, struct job *job, const struct keyring *ring,
                    uint8_t hash_type, const char **ret_errors)
{
    struct signed_input *done = arena_array(call->arena, job->tx.in_n, sizeof(*done));

    for (uint32_t i = 0; i < job->tx.in_n; i++) {
        if (!job->is_known[i]) {
            ret_errors[i] = "Input not found or already spent";
            continue;
        }
        sign_input(&done[i], &job->spend, i, hash_type, ring, call->arena);
        if (job->spent[i].value_sat == MONEY_MAX_SAT && done[i].witness_n > 0)
            return fail_missing_amount(call, &job->spent[i]);
        if (done[i].verdict != V_VALID)
            ret_errors[i] = text_of_verdict(done[i].verdict);
    }
    for (uint32_t i = 0; i < job->tx.in_n; i++) {
        if (job->is_known[i])
            adopt(&job->in[i], &done[i]);
    }
    return 0;
}

static void write_error(struct json_writer *w, const struct tx_in *in, const char *text)
{
    json_begin_object(w);
    json_put_hash(w, "txid", in->prevout.txid.b);
    json_put_uint(w, "vout", in->prevout.vout);
    json_key(w, "witness");
    json_begin_array(w);
    for (uint32_t i = 0; i < in->witness_n; i++)
        json_hex(w, in->witness[i]);
    json_end_array(w);
    json_put_hex(w, "scriptSig", in->script_sig);
    json_put_uint(w, "sequence", in->sequence);
    json_put_string(w, "error", text);
    json_end_object(w);
}

static void write_signed(struct rpc_call *call, const struct job *job, const char *const *errors)
{
    struct json_writer *w = call->out;
    bool is_complete = true;

    for (uint32_t i = 0; i < job->tx.in_n; i++)
        is_complete = is_complete && errors[i] == NULL;
    json_begin_object(w);
    put_tx(w, "hex", &job->tx);
    json_put_bool(w, "complete", is_complete);
    if (!is_complete) {
        json_key(w, "errors");
        json_begin_array(w);
        for (uint32_t i = 0; i < job->tx.in_n; i++) {
            if (errors[i] != NULL)
                write_error(w, &job->in[i], errors[i]);
        }
        json_end_array(w);
    }
    json_end_object(w);
}

static int read_hash_type(struct rpc_call *call, uint8_t *ret_hash_type, size_t index)
{
    const char *name;
    int type;
    int rc;

    *ret_hash_type = SIGHASH_DEFAULT;
    if (!rpc_arg_given(call, index))
        return 0;
    rc = rpc_arg_string(call, &name, index);
    if (rc < 0)
        return rc;
    type = sighash_type_of(name);
    if (type < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "'%s' is not a valid sighash parameter.",
                        name);
    *ret_hash_type = (uint8_t)type;
    return 0;
}

int sign_raw_transaction_with_key(struct rpc_call *call)
{
    struct job job = {.in = NULL};
    const char **errors = NULL;
    struct keyring ring;
    uint8_t hash_type;
    const char *hex;
    int rc = rpc_arg_string(call, &hex, 0);

    if (rc < 0)
        return rc;
    if (!read_raw_tx(&job.tx, hex, true, true, call->arena))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                        "TX decode failed. Make sure the tx has at least one input.");
    keyring_init(&ring);
    rc = take_keys(call, &ring, rpc_arg(call, 1));
    if (rc == 0)
        rc = job_init(call, &job);
    if (rc == 0)
        rc = take_prevouts(call, &job, &ring, rpc_arg(call, 2));
    if (rc == 0)
        rc = read_hash_type(call, &hash_type, 3);
    if (rc == 0) {
        job_prepare(call, &job);
        errors = arena_array(call->arena, job.tx.in_n, sizeof(*errors));
        rc = sign_all(call, &job, &ring, hash_type, errors);
    }
    if (rc == 0)
        write_signed(call, &job, errors);
    keyring_clear(&ring);
    return rc;
}

/* --- combinerawtransaction --- */

/* The id it would have without any unlocking data. */
static void bare_id(uint8_t *ret_hash, const struct tx *tx, struct arena *arena)
{
    struct tx bare = *tx;
    struct tx_in *in = arena_array(arena, tx->in_n, sizeof(*in));

    for (uint32_t i = 0; i < tx->in_n; i++) {
        in[i].prevout = tx->in[i].prevout;
        in[i].sequence = tx->in[i].sequence;
    }
    bare.in = in;
    tx_finish(&bare, arena);
    memcpy(ret_hash, bare.txid.b, HASH_BYTES);
}

static int read_copies(struct rpc_call *call, struct tx *ret_copies, const struct json *list)
{
    uint8_t first[HASH_BYTES];
    uint8_t id[HASH_BYTES];

    for (uint32_t i = 0; i < list->count; i++) {
        const char *hex;
        int rc = rpc_value_string(call, &hex, &list->items[i]);

        if (rc < 0)
            return rc;
        if (!read_raw_tx(&ret_copies[i], hex, true, true, call->arena))
            return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                            "TX decode failed for tx %u. Make sure the tx has at least one input.",
                            i);
    }
    bare_id(first, &ret_copies[0], call->arena);
    for (uint32_t i = 1; i < list->count; i++) {
        bare_id(id, &ret_copies[i], call->arena);
        if (memcmp(first, id, HASH_BYTES) != 0)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Transaction number %u not compatible with first transaction", i + 1);
    }
    return 0;
}

int combine_raw_transaction(struct rpc_call *call)
{
    const struct json *list = rpc_arg(call, 0);
    const struct tx_in **ins = NULL;
    struct signed_input *done = NULL;
    struct tx *copies = NULL;
    struct job job = {.in = NULL};
    int rc;

    if (list->count < 2)
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                        "Missing transactions. At least two transactions required.");
    copies = arena_array(call->arena, list->count, sizeof(*copies));
    rc = read_copies(call, copies, list);
    if (rc < 0)
        return rc;
    job.tx = copies[0];
    rc = job_init(call, &job);
    if (rc < 0)
        return rc;
    if (!all_known(&job))
        return rpc_fail(call, RPC_VERIFY_ERROR, "Input not found or already spent");
    job_prepare(call, &job);
    ins = arena_array(call->arena, list->count, sizeof(const struct tx_in *));
    done = arena_array(call->arena, job.tx.in_n, sizeof(*done));
    for (uint32_t i = 0; i < job.tx.in_n; i++) {
        for (uint32_t k = 0; k < list->count; k++)
            ins[k] = &copies[k].in[i];
        combine_inputs(&done[i], &job.spend, i, ins, list->count, call->arena);
    }
    for (uint32_t i = 0; i < job.tx.in_n; i++)
        adopt(&job.in[i], &done[i]);
    put_tx(call->out, NULL, &job.tx);
    return 0;
}
