#include "keys/sign.h"

#include <string.h>

#include "base/check.h"
#include "codec/writer.h"
#include "crypto/hash160.h"
#include "crypto/ripemd160.h"
#include "keys/script_write.h"
#include "keys/sign_priv.h"
#include "policy/policy.h"
#include "primitives/amount.h"
#include "script/parse.h"
#include "script/solver.h"

/* Elements of one witness, for sizes that a stranger chose. */
#define ELEMENTS_MAX 100000

static struct span copied(struct arena *arena, const void *data, size_t len)
{
    uint8_t *copy = arena_alloc(arena, len);

    if (len > 0)
        memcpy(copy, data, len);
    return span_of(copy, len);
}

void element_add(struct signer *signer, struct element_list *list, struct span element)
{
    if (list->n == list->capacity) {
        size_t capacity = MAX(16, 2 * list->capacity);
        struct span *grown = arena_array(signer->arena, capacity, sizeof(*grown));

        if (list->n > 0)
            memcpy(grown, list->items, list->n * sizeof(*grown));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->n++] = element;
}

static void add_sig(struct signer *signer, const struct pubkey *pubkey, struct span sig)
{
    if (signer->sigs_n == signer->sigs_capacity) {
        size_t capacity = MAX(16, 2 * signer->sigs_capacity);
        struct known_sig *grown = arena_array(signer->arena, capacity, sizeof(*grown));

        if (signer->sigs_n > 0)
            memcpy(grown, signer->sigs, signer->sigs_n * sizeof(*grown));
        signer->sigs = grown;
        signer->sigs_capacity = capacity;
    }
    signer->sigs[signer->sigs_n].pubkey = *pubkey;
    signer->sigs[signer->sigs_n].sig = sig;
    signer->sigs_n++;
}

static const struct known_sig *find_sig(const struct signer *signer, const struct pubkey *pubkey)
{
    for (size_t i = 0; i < signer->sigs_n; i++) {
        if (pubkey_compare(&signer->sigs[i].pubkey, pubkey) == 0)
            return &signer->sigs[i];
    }
    return NULL;
}

static void hash_of(struct signer *signer, uint8_t *ret_hash, struct span script,
                    enum script_rules rules, uint32_t hash_type)
{
    struct script_code code = {.bytes = script, .is_scratch = true};

    if (rules == RULES_V0)
        sighash_v0(&signer->sighash, ret_hash, &code, signer->amount_sat, hash_type);
    else
        sighash_legacy(&signer->sighash, ret_hash, &code, hash_type);
}

bool signer_sign_ecdsa(struct signer *signer, struct span *ret_sig, const struct pubkey *pubkey,
                       struct span script, enum script_rules rules)
{
    const struct known_sig *found = find_sig(signer, pubkey);
    uint8_t hash_type = signer->hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : signer->hash_type;
    struct key_id id = pubkey_id(pubkey);
    const struct seckey *secret;
    struct signature sig;
    uint8_t hash[SHA256_BYTES];

    if (found != NULL) {
        *ret_sig = found->sig;
        return true;
    }
    secret = keyring_secret(signer->ring, &id);
    if (secret == NULL)
        return false;
    /* BIP 143 signs the amount, and wants compressed keys by policy. */
    if (rules == RULES_V0 && (!secret->is_compressed || !money_in_range(signer->amount_sat)))
        return false;
    hash_of(signer, hash, script, rules, hash_type);
    sig = seckey_sign(secret, hash);
    sig.b[sig.len++] = hash_type;
    *ret_sig = copied(signer->arena, sig.b, sig.len);
    add_sig(signer, pubkey, *ret_sig);
    return true;
}

bool signer_sign_schnorr(struct signer *signer, struct span *ret_sig, const uint8_t *xonly,
                         const uint8_t *leaf_hash, const uint8_t *merkle_root)
{
    const struct seckey *secret = keyring_secret_by_xonly(signer->ring, xonly);
    struct sighash_taproot extra = {.leaf_hash = leaf_hash, .code_separator = UINT32_MAX};
    uint8_t sig[SCHNORR_SIG_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    size_t len = SCHNORR_SIG_BYTES;

    if (secret == NULL)
        return false;
    if (!sighash_taproot(&signer->sighash, hash, signer->hash_type, &extra))
        return false;
    seckey_sign_schnorr(sig, secret, hash, merkle_root);
    if (signer->hash_type != SIGHASH_DEFAULT)
        sig[len++] = signer->hash_type;
    *ret_sig = copied(signer->arena, sig, len);
    return true;
}

/* --- What stands in the input already --- */

/* What script_sig pushes, as far as it can be read; true if that is all of it. */
static bool read_pushes(struct signer *signer, struct element_list *ret_elements,
                        struct span script_sig)
{
    struct script_iter iter = script_iter_of(script_sig);
    struct span push;
    uint8_t op;

    while (!script_iter_done(&iter)) {
        uint8_t number;

        if (!script_next(&iter, &op, &push) || ret_elements->n == ELEMENTS_MAX)
            return false;
        if (op == OP_1NEGATE || (op >= OP_1 && op <= OP_16)) {
            number = op == OP_1NEGATE ? 0x81 : (uint8_t)(op - OP_1 + 1);
            push = copied(signer->arena, &number, 1);
        } else if (op > OP_PUSHDATA4) {
            return false;
        }
        element_add(signer, ret_elements, push);
    }
    return true;
}

static bool sig_fits(struct signer *signer, struct span sig, const struct pubkey *pubkey,
                     struct span script, enum script_rules rules)
{
    uint8_t hash[SHA256_BYTES];

    if (sig.len == 0)
        return false;
    hash_of(signer, hash, script, rules, sig.data[sig.len - 1]);
    return ecdsa_verify_lax(sig.data, sig.len - 1, hash, pubkey->b, pubkey->len);
}

/* Tell which key made which of the signatures of a multisig. Both stand in the
 * same order, so that each pair is tried once. */
static void match_sigs(struct signer *signer, const struct element_list *elements,
                       const struct solution *solution, struct span script, enum script_rules rules)
{
    size_t next_key = 0;

    for (size_t i = 0; i < elements->n; i++) {
        for (size_t k = next_key; k < solution->keys_n; k++) {
            struct pubkey pubkey;

            if (!pubkey_read(&pubkey, solution->keys[k]) ||
                !sig_fits(signer, elements->items[i], &pubkey, script, rules))
                continue;
            if (find_sig(signer, &pubkey) == NULL)
                add_sig(signer, &pubkey, elements->items[i]);
            next_key = k + 1;
            break;
        }
    }
}

/* Scripts and signatures of an input that is not complete. */
static void take_over(struct signer *signer, struct span script_pubkey, const struct tx_in *in)
{
    struct element_list elements = {0};
    enum script_rules rules = RULES_LEGACY;
    struct solution solution;
    struct span script = script_pubkey;

    (void)read_pushes(signer, &elements, in->script_sig);
    script_solve(&solution, script);
    if (solution.type == SCRIPT_TYPE_SCRIPTHASH && elements.n > 0 &&
        elements.items[elements.n - 1].len > 0) {
        script = elements.items[--elements.n];
        if (signer->redeem_script.len == 0)
            signer->redeem_script = script;
        script_solve(&solution, script);
    }
    if (solution.type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH && in->witness_n > 0 &&
        in->witness[in->witness_n - 1].len > 0) {
        script = in->witness[in->witness_n - 1];
        if (signer->witness_script.len == 0)
            signer->witness_script = script;
        script_solve(&solution, script);
        elements.n = 0;
        for (uint32_t i = 0; i + 1 < in->witness_n && i < ELEMENTS_MAX; i++)
            element_add(signer, &elements, in->witness[i]);
        rules = RULES_V0;
    }
    if (solution.type == SCRIPT_TYPE_MULTISIG)
        match_sigs(signer, &elements, &solution, script, rules);
}

/* --- Satisfying --- */

static bool find_script(const struct signer *signer, struct span *ret_script, const uint8_t *hash)
{
    uint8_t own[HASH160_BYTES];
    struct span given[2] = {signer->redeem_script, signer->witness_script};

    if (keyring_script(signer->ring, ret_script, hash))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        hash160(own, given[i].data, given[i].len);
        if (given[i].len > 0 && memcmp(own, hash, HASH160_BYTES) == 0) {
            *ret_script = given[i];
            return true;
        }
    }
    return false;
}

static bool satisfy_pubkeyhash(struct signer *signer, struct element_list *elements,
                               const uint8_t *hash, struct span script, enum script_rules rules)
{
    const struct pubkey *pubkey;
    struct key_id id;
    struct span sig;

    memcpy(id.b, hash, sizeof(id.b));
    pubkey = keyring_pubkey(signer->ring, &id);
    if (pubkey == NULL || !signer_sign_ecdsa(signer, &sig, pubkey, script, rules))
        return false;
    element_add(signer, elements, sig);
    element_add(signer, elements, span_of_pubkey(pubkey));
    return true;
}

static bool satisfy_multisig(struct signer *signer, struct element_list *elements,
                             const struct solution *solution, struct span script,
                             enum script_rules rules)
{
    size_t found = 0;

    /* CHECKMULTISIG takes one element more than it uses. */
    element_add(signer, elements, span_of(NULL, 0));
    for (size_t i = 0; i < solution->keys_n; i++) {
        struct pubkey pubkey;
        struct span sig;

        if (!pubkey_read(&pubkey, solution->keys[i]) ||
            !signer_sign_ecdsa(signer, &sig, &pubkey, script, rules) || found == solution->required)
            continue;
        element_add(signer, elements, sig);
        found++;
    }
    /* Empty elements for half of the missing signatures: what Bitcoin Core leaves,
     * and what decides which error the user is told. */
    for (size_t i = 0; i < (solution->required - found + 1) / 2; i++)
        element_add(signer, elements, span_of(NULL, 0));
    return found == solution->required;
}

static size_t witness_bytes(const struct element_list *elements)
{
    size_t bytes = compact_size_len(elements->n);

    for (size_t i = 0; i < elements->n; i++)
        bytes += compact_size_len(elements->items[i].len) + elements->items[i].len;
    return bytes;
}

static bool satisfy_taproot(struct signer *signer, struct element_list *elements,
                            const uint8_t *output_key)
{
    const struct taproot *taproot = keyring_taproot(signer->ring, output_key);
    struct element_list best = {0};
    struct span sig;

    if ((taproot != NULL &&
         signer_sign_schnorr(signer, &sig, taproot->internal_key, NULL, taproot->merkle_root)) ||
        signer_sign_schnorr(signer, &sig, output_key, NULL, NULL)) {
        element_add(signer, elements, sig);
        return true;
    }
    for (size_t i = 0; taproot != NULL && i < taproot->leaves_n; i++) {
        const struct taproot_leaf *leaf = &taproot->leaves[i];
        struct element_list candidate = {0};

        if (leaf->version != TAPROOT_LEAF_TAPSCRIPT ||
            !miniscript_satisfy(signer, &candidate, leaf->script, RULES_TAPSCRIPT))
            continue;
        element_add(signer, &candidate, leaf->script);
        element_add(signer, &candidate, leaf->control);
        if (best.n == 0 || witness_bytes(&candidate) < witness_bytes(&best))
            best = candidate;
    }
    for (size_t i = 0; i < best.n; i++)
        element_add(signer, elements, best.items[i]);
    return best.n > 0;
}

/* One level: what script asks for, or the script whose hash it holds. */
static bool satisfy(struct signer *signer, struct element_list *elements,
                    enum script_type *ret_type, struct span script, enum script_rules rules)
{
    uint8_t hash[HASH160_BYTES];
    struct solution solution;
    struct pubkey pubkey;
    struct span found;

    *ret_type = script_solve(&solution, script);
    switch (solution.type) {
    case SCRIPT_TYPE_PUBKEY:
        if (!pubkey_read(&pubkey, solution.data) ||
            !signer_sign_ecdsa(signer, &found, &pubkey, script, rules))
            return false;
        break;
    case SCRIPT_TYPE_PUBKEYHASH:
        return satisfy_pubkeyhash(signer, elements, solution.data.data, script, rules);
    case SCRIPT_TYPE_SCRIPTHASH:
        if (!find_script(signer, &found, solution.data.data))
            return false;
        break;
    case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
        ripemd160(hash, solution.data.data, solution.data.len);
        if (!find_script(signer, &found, hash))
            return false;
        break;
    case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
        found = solution.data;
        break;
    case SCRIPT_TYPE_MULTISIG:
        return satisfy_multisig(signer, elements, &solution, script, rules);
    case SCRIPT_TYPE_WITNESS_V1_TAPROOT:
        return satisfy_taproot(signer, elements, solution.data.data);
    case SCRIPT_TYPE_ANCHOR:
        return true;
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_NULL_DATA:
    case SCRIPT_TYPE_WITNESS_UNKNOWN:
        return false;
    }
    element_add(signer, elements, found);
    return true;
}

static bool is_nested_again(enum script_type type)
{
    return type == SCRIPT_TYPE_SCRIPTHASH || type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH ||
           type == SCRIPT_TYPE_WITNESS_V0_KEYHASH;
}

/* The witness of a version 0 program. program_of: what satisfy() found for it. */
static bool satisfy_v0(struct signer *signer, struct element_list *witness, enum script_type type,
                       struct span program_of)
{
    enum script_type inner_type;
    struct buf script = {0};
    bool solved;

    if (type == SCRIPT_TYPE_WITNESS_V0_KEYHASH) {
        script_add_p2pkh(&script, program_of.data);
        solved = satisfy(signer, witness, &inner_type,
                         copied(signer->arena, script.data, script.len), RULES_V0);
        buf_clear(&script);
        return solved;
    }
    solved =
        satisfy(signer, witness, &inner_type, program_of, RULES_V0) && !is_nested_again(inner_type);
    if (!solved && witness->n == 0)
        solved = miniscript_satisfy(signer, witness, program_of, RULES_V0);
    element_add(signer, witness, program_of);
    return solved;
}

static struct span pushes_of(struct signer *signer, const struct element_list *elements)
{
    struct buf script = {0};
    struct span out;

    for (size_t i = 0; i < elements->n; i++)
        script_write_push_minimal(&script, elements->items[i]);
    out = copied(signer->arena, script.data, script.len);
    buf_clear(&script);
    return out;
}

/* Builds script_sig and witness; true if everything that is asked for was there. */
static bool produce(struct signer *signer, struct signed_input *ret_input,
                    struct span script_pubkey)
{
    const struct tx_in *in = &signer->spend->tx->in[signer->in_index];
    struct element_list elements = {0};
    struct element_list witness = {0};
    struct span redeem_script = {0};
    enum script_type type;
    bool is_p2sh = false;
    bool has_witness = false;
    bool solved = satisfy(signer, &elements, &type, script_pubkey, RULES_LEGACY);

    if (solved && type == SCRIPT_TYPE_SCRIPTHASH) {
        redeem_script = elements.items[0];
        is_p2sh = true;
        elements.n = 0;
        solved = satisfy(signer, &elements, &type, redeem_script, RULES_LEGACY) &&
                 type != SCRIPT_TYPE_SCRIPTHASH;
    }
    if (solved &&
        (type == SCRIPT_TYPE_WITNESS_V0_KEYHASH || type == SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH)) {
        solved = satisfy_v0(signer, &witness, type, elements.items[0]);
        has_witness = true;
        elements.n = 0;
    } else if (type == SCRIPT_TYPE_WITNESS_V1_TAPROOT && !is_p2sh) {
        has_witness = true;
        if (solved) {
            witness = elements;
        } else {
            for (uint32_t i = 0; i < in->witness_n; i++)
                element_add(signer, &witness, in->witness[i]);
        }
        elements = (struct element_list){0};
    }
    if (is_p2sh)
        element_add(signer, &elements, redeem_script);
    ret_input->script_sig = pushes_of(signer, &elements);
    ret_input->witness = has_witness ? witness.items : NULL;
    ret_input->witness_n = has_witness ? (uint32_t)witness.n : 0;
    return solved;
}

static enum verdict judge(const struct signer *signer, const struct signed_input *input,
                          struct span script_pubkey)
{
    return script_verify(signer->spend, signer->in_index, input->script_sig, script_pubkey,
                         input->witness, input->witness_n, POLICY_STANDARD_FLAGS);
}

void sign_input(struct signed_input *ret_input, const struct spend *spend, uint32_t in_index,
                uint8_t hash_type, const struct keyring *ring, struct arena *arena)
{
    const struct tx_in *in = &spend->tx->in[in_index];
    const struct tx_out *coin = &spend->spent[in_index];
    bool is_single = (hash_type & ~SIGHASH_ANYONECANPAY) == SIGHASH_SINGLE;
    bool solved = false;
    struct signer signer = {
        .spend = spend,
        .ring = ring,
        .arena = arena,
        .in_index = in_index,
        .hash_type = hash_type,
        .amount_sat = coin->value_sat,
    };

    *ret_input = (struct signed_input){
        .script_sig = in->script_sig, .witness = in->witness, .witness_n = in->witness_n};
    ret_input->verdict = judge(&signer, ret_input, coin->script_pubkey);
    ret_input->is_complete = ret_input->verdict == V_VALID;
    if (ret_input->is_complete || (is_single && in_index >= spend->tx->out_n))
        return;
    sighash_input_init(&signer.sighash, spend->sighash, in_index);
    take_over(&signer, coin->script_pubkey, in);
    solved = produce(&signer, ret_input, coin->script_pubkey);
    ret_input->verdict = judge(&signer, ret_input, coin->script_pubkey);
    ret_input->is_complete = solved && ret_input->verdict == V_VALID;
}

void combine_inputs(struct signed_input *ret_input, const struct spend *spend, uint32_t in_index,
                    const struct tx_in *const *ins, size_t ins_n, struct arena *arena)
{
    const struct tx_out *coin = &spend->spent[in_index];
    struct keyring nothing;
    bool solved;
    struct signer signer = {
        .spend = spend,
        .ring = &nothing,
        .arena = arena,
        .in_index = in_index,
        .hash_type = SIGHASH_ALL,
        .amount_sat = coin->value_sat,
    };

    keyring_init(&nothing);
    sighash_input_init(&signer.sighash, spend->sighash, in_index);
    for (size_t i = 0; i < ins_n; i++) {
        *ret_input = (struct signed_input){.script_sig = ins[i]->script_sig,
                                           .witness = ins[i]->witness,
                                           .witness_n = ins[i]->witness_n};
        ret_input->verdict = judge(&signer, ret_input, coin->script_pubkey);
        ret_input->is_complete = ret_input->verdict == V_VALID;
        if (ret_input->is_complete)
            goto done;
        take_over(&signer, coin->script_pubkey, ins[i]);
    }
    solved = produce(&signer, ret_input, coin->script_pubkey);
    ret_input->verdict = judge(&signer, ret_input, coin->script_pubkey);
    ret_input->is_complete = solved && ret_input->verdict == V_VALID;

done:
    keyring_clear(&nothing);
}
