#include "script/machine_priv.h"

#include "base/check.h"
#include "crypto/secp.h"
#include "script/encoding.h"
#include "script/sig_cache.h"
#include "script/sig_engine.h"

/* BIP 342: what each signature check with a signature takes from the budget. */
#define TAPSCRIPT_CHECK_WEIGHT 50

static const struct sig_engine *engine_of(const struct machine *m)
{
    return m->spend->engine == NULL ? &sig_engine_default : m->spend->engine;
}

/* Has the engine given the evaluation up? */
static bool is_over(const struct machine *m)
{
    return engine_of(m)->is_over != NULL && *engine_of(m)->is_over;
}

/* The verdict about the form of a signature that is to be checked by ECDSA. */
static enum verdict check_sig_form(const struct machine *m, struct span sig)
{
    return sig_encoding_verdict(sig, m->flags);
}

static enum verdict check_pubkey_form(const struct machine *m, struct span pubkey)
{
    if (machine_has(m, SCRIPT_VERIFY(STRICTENC)) && !pubkey_is_strict(pubkey))
        return V_SCRIPT_PUBKEYTYPE;
    if (m->version == SCRIPT_V0 && machine_has(m, SCRIPT_VERIFY(WITNESS_PUBKEYTYPE)) &&
        !pubkey_is_compressed(pubkey))
        return V_SCRIPT_WITNESS_PUBKEYTYPE;
    return V_VALID;
}

static void hash_ecdsa(struct machine *m, uint8_t *ret_hash, const struct script_code *code,
                       uint8_t hash_type)
{
    if (m->version == SCRIPT_V0)
        sighash_v0(&m->sighash, ret_hash, code, m->spend->spent[m->sighash.in_index].value_sat,
                   hash_type);
    else
        sighash_legacy(&m->sighash, ret_hash, code, hash_type);
}

static bool check_ecdsa(struct machine *m, struct span sig, struct span pubkey,
                        const struct script_code *code)
{
    const struct spend *spend = m->spend;
    struct sig_cache_key key;
    uint8_t hash[SHA256_BYTES];

    if (!pubkey_length_fits(pubkey) || sig.len == 0)
        return false;
    sig.len--;
    hash_ecdsa(m, hash, code, sig.data[sig.len]);

    if (spend->sig_cache != NULL) {
        key = sig_cache_ecdsa_key(spend->sig_cache, pubkey, sig, hash);
        if (sig_cache_find(spend->sig_cache, &key))
            return true;
    }
    if (!engine_of(m)->ecdsa(engine_of(m), pubkey, sig, hash))
        return false;
    if (spend->sig_cache != NULL && spend->sig_cache_store)
        sig_cache_add(spend->sig_cache, &key);
    return true;
}

enum verdict machine_check_schnorr(struct machine *m, struct span sig, const uint8_t *pubkey)
{
    const struct spend *spend = m->spend;
    uint8_t hash_type = SIGHASH_DEFAULT;
    struct sig_cache_key key;
    uint8_t hash[SHA256_BYTES];

    if (sig.len != SECP_SCHNORR_BYTES && sig.len != SECP_SCHNORR_BYTES + 1)
        return V_SCRIPT_SCHNORR_SIG_SIZE;
    if (sig.len > SECP_SCHNORR_BYTES) {
        hash_type = sig.data[SECP_SCHNORR_BYTES];
        if (hash_type == SIGHASH_DEFAULT)
            return V_SCRIPT_SCHNORR_SIG_HASHTYPE;
    }
    if (!sighash_taproot(&m->sighash, hash, hash_type, &m->taproot))
        return V_SCRIPT_SCHNORR_SIG_HASHTYPE;

    if (spend->sig_cache != NULL) {
        key = sig_cache_schnorr_key(spend->sig_cache, pubkey, sig.data, hash);
        if (sig_cache_find(spend->sig_cache, &key))
            return V_VALID;
    }
    if (!engine_of(m)->schnorr(engine_of(m), pubkey, sig.data, hash))
        return V_SCRIPT_SCHNORR_SIG;
    if (spend->sig_cache != NULL && spend->sig_cache_store)
        sig_cache_add(spend->sig_cache, &key);
    return V_VALID;
}

/* A push of sig, as the original client would have written it. Returns its
 * length; ret_push has room for SCRIPT_ELEMENT_BYTES_MAX + 3 bytes. */
static size_t write_push(uint8_t *ret_push, struct span sig)
{
    size_t head;

    VERIFY(sig.len <= SCRIPT_ELEMENT_BYTES_MAX);
    if (sig.len < OP_PUSHDATA1) {
        ret_push[0] = (uint8_t)sig.len;
        head = 1;
    } else if (sig.len <= UINT8_MAX) {
        ret_push[0] = OP_PUSHDATA1;
        ret_push[1] = (uint8_t)sig.len;
        head = 2;
    } else {
        ret_push[0] = OP_PUSHDATA2;
        put_le16(ret_push + 1, (uint16_t)sig.len);
        head = 3;
    }
    if (sig.len > 0)
        memcpy(ret_push + head, sig.data, sig.len);
    return head + sig.len;
}

static bool starts_with(const uint8_t *at, const uint8_t *end, struct span pattern)
{
    return (size_t)(end - at) >= pattern.len && memcmp(at, pattern.data, pattern.len) == 0;
}

/* Take every push of sig out of code, wherever an operation starts (bytes inside
 * another push stay), and whatever follows one directly, too. The result goes to
 * m->code, which may be where code lies.
 *
 * Returns: true if anything was deleted. */
static bool delete_sig(struct machine *m, struct script_code *code, struct span sig)
{
    uint8_t bytes[SCRIPT_ELEMENT_BYTES_MAX + 3];
    struct span pattern = span_of(bytes, write_push(bytes, sig));
    struct script_iter iter = script_iter_of(code->bytes);
    const uint8_t *kept_to = iter.at; /* Up to here code is copied or deleted. */
    const uint8_t *stop = iter.at;    /* Up to here it is to be copied. */
    struct span push;
    size_t len = 0;
    size_t deleted = 0;
    uint8_t op;

    if (code->bytes.len < pattern.len ||
        memmem(code->bytes.data, code->bytes.len, pattern.data, pattern.len) == NULL)
        return false;
    do {
        stop = iter.at;
        if (starts_with(iter.at, iter.end, pattern)) {
            memmove(m->code + len, kept_to, (size_t)(stop - kept_to));
            len += (size_t)(stop - kept_to);
            while (starts_with(iter.at, iter.end, pattern)) {
                iter.at += pattern.len;
                deleted++;
            }
            kept_to = iter.at;
        }
    } while (script_next(&iter, &op, &push));
    if (deleted == 0)
        return false;
    memmove(m->code + len, kept_to, (size_t)(iter.end - kept_to));
    len += (size_t)(iter.end - kept_to);
    code->bytes = span_of(m->code, len);
    code->is_scratch = true;
    return true;
}

static struct script_code code_of(const struct machine *m)
{
    return (struct script_code){
        .bytes = span_of(m->code_start, (size_t)(m->script_end - m->code_start)),
    };
}

static enum verdict check_before_tapscript(struct machine *m, struct span sig, struct span pubkey,
                                           bool *ret_good)
{
    struct script_code code = code_of(m);
    enum verdict verdict;

    if (m->version == SCRIPT_BASE && delete_sig(m, &code, sig) &&
        machine_has(m, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
        return V_SCRIPT_SIG_FINDANDDELETE;
    verdict = check_sig_form(m, sig);
    if (verdict == V_VALID)
        verdict = check_pubkey_form(m, pubkey);
    if (verdict != V_VALID)
        return verdict;
    *ret_good = check_ecdsa(m, sig, pubkey, &code);
    if (!*ret_good && is_over(m))
        return V_SCRIPT_EVAL_FALSE;
    if (!*ret_good && sig.len > 0 && machine_has(m, SCRIPT_VERIFY(NULLFAIL)))
        return V_SCRIPT_SIG_NULLFAIL;
    return V_VALID;
}

/* BIP 342, "Rules for signature opcodes". */
static enum verdict check_tapscript(struct machine *m, struct span sig, struct span pubkey,
                                    bool *ret_good)
{
    *ret_good = sig.len > 0;
    if (*ret_good) {
        m->weight_left -= TAPSCRIPT_CHECK_WEIGHT;
        if (m->weight_left < 0)
            return V_SCRIPT_TAPSCRIPT_VALIDATION_WEIGHT;
    }
    if (pubkey.len == 0)
        return V_SCRIPT_TAPSCRIPT_EMPTY_PUBKEY;
    if (pubkey.len == SECP_XONLY_BYTES)
        return *ret_good ? machine_check_schnorr(m, sig, pubkey.data) : V_VALID;
    /* A kind of key that a later rule may define: any signature is good. */
    return machine_has(m, SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_PUBKEYTYPE))
               ? V_SCRIPT_DISCOURAGE_UPGRADABLE_PUBKEYTYPE
               : V_VALID;
}

static enum verdict check_one(struct machine *m, struct span sig, struct span pubkey,
                              bool *ret_good)
{
    return m->version == SCRIPT_TAPSCRIPT ? check_tapscript(m, sig, pubkey, ret_good)
                                          : check_before_tapscript(m, sig, pubkey, ret_good);
}

enum verdict machine_check_sig(struct machine *m, uint8_t op)
{
    enum verdict verdict;
    bool good;

    if (m->stack_n < 2)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    verdict = check_one(m, item_span(machine_top(m, 2)), item_span(machine_top(m, 1)), &good);
    if (verdict != V_VALID)
        return verdict;
    m->stack_n -= 2;
    if (op == OP_CHECKSIGVERIFY)
        return good ? V_VALID : V_SCRIPT_CHECKSIGVERIFY;
    item_set_bool(&m->slot[m->stack_n++], good);
    return V_VALID;
}

enum verdict machine_check_sig_add(struct machine *m)
{
    enum verdict verdict;
    int64_t number;
    bool good;

    if (m->version != SCRIPT_TAPSCRIPT)
        return V_SCRIPT_BAD_OPCODE;
    if (m->stack_n < 3)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!script_number_read(&number, item_span(machine_top(m, 2)), SCRIPT_NUMBER_BYTES,
                            machine_has(m, SCRIPT_VERIFY(MINIMALDATA))))
        return V_SCRIPT_SCRIPTNUM;
    verdict = check_one(m, item_span(machine_top(m, 3)), item_span(machine_top(m, 1)), &good);
    if (verdict != V_VALID)
        return verdict;
    m->stack_n -= 2;
    item_set_number(machine_top(m, 1), number + good);
    return V_VALID;
}

/* Where the arguments of a multisig lie, counted from the top of the stack. */
struct multisig {
    size_t keys_n;
    size_t sigs_n;
    size_t key_at; /* The first key that is tried is the one pushed last. */
    size_t sig_at;
};

static enum verdict read_multisig(struct machine *m, struct multisig *ret_args)
{
    bool minimal = machine_has(m, SCRIPT_VERIFY(MINIMALDATA));
    int64_t keys_n;
    int64_t sigs_n;

    if (m->stack_n < 1)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!script_number_read(&keys_n, item_span(machine_top(m, 1)), SCRIPT_NUMBER_BYTES, minimal))
        return V_SCRIPT_SCRIPTNUM;
    if (keys_n < 0 || keys_n > SCRIPT_MULTISIG_KEYS_MAX)
        return V_SCRIPT_PUBKEY_COUNT;
    m->ops_n += (uint32_t)keys_n;
    if (m->ops_n > SCRIPT_OPS_MAX)
        return V_SCRIPT_OP_COUNT;
    ret_args->keys_n = (size_t)keys_n;
    ret_args->key_at = 2;
    if (m->stack_n < ret_args->keys_n + 2)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    if (!script_number_read(&sigs_n, item_span(machine_top(m, ret_args->keys_n + 2)),
                            SCRIPT_NUMBER_BYTES, minimal))
        return V_SCRIPT_SCRIPTNUM;
    if (sigs_n < 0 || sigs_n > keys_n)
        return V_SCRIPT_SIG_COUNT;
    ret_args->sigs_n = (size_t)sigs_n;
    ret_args->sig_at = ret_args->keys_n + 3;
    /* One element more than is used: the original client took it off the stack,
     * so everyone must. */
    if (m->stack_n < ret_args->sig_at + ret_args->sigs_n)
        return V_SCRIPT_INVALID_STACK_OPERATION;
    return V_VALID;
}

/* Do pairs that were found good before fit every signature to a key, in order? Then
 * trying each pair would find that too. */
static bool match_is_known(const struct sig_cache *cache, const struct span *sigs,
                           const uint8_t *hashes, size_t sigs_n, const struct span *keys,
                           size_t keys_n)
{
    size_t key = 0;

    for (size_t i = 0; i < sigs_n; i++, key++) {
        bool is_found = false;

        for (; key + (sigs_n - i) <= keys_n; key++) {
            struct sig_cache_key pair =
                sig_cache_ecdsa_key(cache, keys[key], sigs[i], hashes + i * SHA256_BYTES);

            is_found = sig_cache_find(cache, &pair);
            if (is_found)
                break;
        }
        if (!is_found)
            return false;
    }
    return true;
}

/* Settle the whole multisig: by what is known, or by asking the engine. False: it does
 * not take it, or some signature or key has a form that must be judged in its turn. */
static bool match_at_once(struct machine *m, const struct multisig *args,
                          const struct script_code *code)
{
    const struct sig_engine *engine = engine_of(m);
    const struct spend *spend = m->spend;
    struct span sigs[SCRIPT_MULTISIG_KEYS_MAX];
    struct span keys[SCRIPT_MULTISIG_KEYS_MAX];
    uint8_t hashes[SCRIPT_MULTISIG_KEYS_MAX * SHA256_BYTES];

    if (engine->multisig == NULL || args->sigs_n == 0 ||
        (spend->sig_cache != NULL && spend->sig_cache_store))
        return false;
    for (size_t i = 0; i < args->keys_n; i++) {
        keys[i] = item_span(machine_top(m, args->key_at + i));
        if (!pubkey_length_fits(keys[i]) || check_pubkey_form(m, keys[i]) != V_VALID)
            return false;
    }
    for (size_t i = 0; i < args->sigs_n; i++) {
        sigs[i] = item_span(machine_top(m, args->sig_at + i));
        if (sigs[i].len == 0 || check_sig_form(m, sigs[i]) != V_VALID)
            return false;
        sigs[i].len--;
        hash_ecdsa(m, hashes + i * SHA256_BYTES, code, sigs[i].data[sigs[i].len]);
    }
    if (spend->sig_cache != NULL &&
        match_is_known(spend->sig_cache, sigs, hashes, args->sigs_n, keys, args->keys_n))
        return true;
    return engine->multisig(engine, sigs, hashes, args->sigs_n, keys, args->keys_n);
}

/* Signatures must fit keys in the same order; a key that does not fit is passed
 * over. */
static enum verdict match_sigs(struct machine *m, const struct multisig *args,
                               const struct script_code *code, bool *ret_good)
{
    size_t keys_left = args->keys_n;
    size_t sigs_left = args->sigs_n;

    if (match_at_once(m, args, code)) {
        *ret_good = true;
        return V_VALID;
    }
    if (is_over(m))
        return V_SCRIPT_EVAL_FALSE;
    while (sigs_left > 0 && sigs_left <= keys_left) {
        struct span sig = item_span(machine_top(m, args->sig_at + args->sigs_n - sigs_left));
        struct span key = item_span(machine_top(m, args->key_at + args->keys_n - keys_left));
        enum verdict verdict = check_sig_form(m, sig);

        if (verdict == V_VALID)
            verdict = check_pubkey_form(m, key);
        if (verdict != V_VALID)
            return verdict;
        if (check_ecdsa(m, sig, key, code))
            sigs_left--;
        keys_left--;
    }
    *ret_good = sigs_left == 0;
    return V_VALID;
}

enum verdict machine_check_multisig(struct machine *m, uint8_t op)
{
    struct multisig args;
    struct script_code code;
    enum verdict verdict;
    bool good;

    if (m->version == SCRIPT_TAPSCRIPT)
        return V_SCRIPT_TAPSCRIPT_CHECKMULTISIG;
    verdict = read_multisig(m, &args);
    if (verdict != V_VALID)
        return verdict;
    code = code_of(m);
    for (size_t i = 0; m->version == SCRIPT_BASE && i < args.sigs_n; i++) {
        if (delete_sig(m, &code, item_span(machine_top(m, args.sig_at + i))) &&
            machine_has(m, SCRIPT_VERIFY(CONST_SCRIPTCODE)))
            return V_SCRIPT_SIG_FINDANDDELETE;
    }
    verdict = match_sigs(m, &args, &code, &good);
    if (verdict != V_VALID)
        return verdict;
    if (!good && machine_has(m, SCRIPT_VERIFY(NULLFAIL))) {
        for (size_t i = 0; i < args.sigs_n; i++) {
            if (machine_top(m, args.sig_at + i)->len > 0)
                return V_SCRIPT_SIG_NULLFAIL;
        }
    }
    if (machine_has(m, SCRIPT_VERIFY(NULLDUMMY)) &&
        machine_top(m, args.sig_at + args.sigs_n)->len > 0)
        return V_SCRIPT_SIG_NULLDUMMY;
    m->stack_n -= args.sig_at + args.sigs_n;
    if (op == OP_CHECKMULTISIGVERIFY)
        return good ? V_VALID : V_SCRIPT_CHECKMULTISIGVERIFY;
    item_set_bool(&m->slot[m->stack_n++], good);
    return V_VALID;
}
