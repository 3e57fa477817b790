#include "script/sig_batch.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/secp.h"
#include "crypto/sigbatch.h"
#include "script/parse.h"
#include "script/sig_engine.h"

/* A multisig is taken when each signature has at most this many keys to try: five
 * tries in the lanes cost less than the one check that libsecp256k1 needs at least. */
#define CHOICES_MAX 5

/* Settle when this many items have gathered, so that the next input's still fit the
 * best size. */
#define SETTLE_AT (SIGBATCH_BEST - 4)

/* Trust is spent by inputs evaluated in vain and earned by the others; at zero or
 * below, inputs are verified exactly and earn it back slowly. */
#define TRUST_MAX 512
#define TRUST_PER_FAILURE 8
#define EXACT_INPUTS_PER_TRUST 16

struct waiting {
    const struct spend *spend;
    uint64_t flags;
    void *tag;
    uint32_t in_index;
    uint32_t asked_n; /* Checks. */
    bool failed;      /* Some did not hold. */
};

/* Items first .. first + pairs - 1 are the pairs of one multisig. A single check is a
 * multisig of one of one. */
struct question {
    uint32_t input; /* Index into waiting. */
    uint32_t first;
    uint8_t sigs_n;
    uint8_t keys_n;
};

struct sig_batch {
    struct sig_engine engine;
    sig_batch_done_fn *done;
    void *context;
    struct sigbatch_item items[SIG_BATCH_CHECKS];
    struct question questions[SIG_BATCH_CHECKS];
    struct waiting waiting[SIG_BATCH_CHECKS];
    uint32_t items_n;
    uint32_t questions_n;
    uint32_t waiting_n; /* The last one may still be under evaluation. */
    uint32_t asked_n;   /* Checks of the input under evaluation. */
    bool is_refused;    /* That input asks for more than a batch takes. */
    int32_t trust;
    uint32_t exact_n; /* Inputs verified exactly since trust was last earned. */
    _Atomic uint64_t checked;
};

/* How many keys may signature i fit? With s signatures and k keys, keys i ..
 * i + (k - s): the others are needed by its neighbours. */
static size_t choices_of(size_t sigs_n, size_t keys_n)
{
    return keys_n - sigs_n + 1;
}

static bool is_answered_well(const struct sig_batch *batch, const struct question *question)
{
    const struct sigbatch_item *items = batch->items + question->first;
    size_t choices = choices_of(question->sigs_n, question->keys_n);
    size_t key = 0;

    for (size_t i = 0; i < question->sigs_n; i++) {
        while (key < i + choices && !items[i * choices + (key - i)].is_valid)
            key++;
        if (key == i + choices)
            return false;
        key++;
    }
    return true;
}

static void count_checks(struct sig_batch *batch, uint64_t n)
{
    atomic_fetch_add_explicit(&batch->checked, n, memory_order_relaxed);
}

/* Check the items there are and note for each input what came of its questions. */
static void run_items(struct sig_batch *batch)
{
    uint64_t sigs_n = 0;

    sigbatch_try(batch->items, batch->items_n);
    for (uint32_t i = 0; i < batch->questions_n; i++) {
        sigs_n += batch->questions[i].sigs_n;
        if (!is_answered_well(batch, &batch->questions[i]))
            batch->waiting[batch->questions[i].input].failed = true;
    }
    count_checks(batch, sigs_n);
    batch->items_n = 0;
    batch->questions_n = 0;
}

static enum verdict verify_exactly(struct sig_batch *batch, const struct spend *spend,
                                   uint32_t in_index, uint64_t flags)
{
    struct spend exact = *spend;

    count_checks(batch, 1);
    exact.engine = NULL;
    return script_verify_input(&exact, in_index, flags);
}

/* Room for the pairs of a multisig, asked by the input that is the last one waiting.
 * NULL: it asks too much, its evaluation counts for nothing. */
static struct sigbatch_item *ask(struct sig_batch *batch, size_t sigs_n, size_t keys_n)
{
    size_t pairs = sigs_n * choices_of(sigs_n, keys_n);
    struct sigbatch_item *items;

    if (choices_of(sigs_n, keys_n) > CHOICES_MAX ||
        batch->asked_n + pairs > SIG_BATCH_CHECKS_PER_INPUT) {
        batch->is_refused = true;
        return NULL;
    }
    batch->asked_n += (uint32_t)pairs;
    if (batch->items_n + pairs > SIG_BATCH_CHECKS)
        run_items(batch);
    items = batch->items + batch->items_n;
    batch->questions[batch->questions_n++] = (struct question){.input = batch->waiting_n - 1,
                                                               .first = batch->items_n,
                                                               .sigs_n = (uint8_t)sigs_n,
                                                               .keys_n = (uint8_t)keys_n};
    batch->items_n += (uint32_t)pairs;
    return items;
}

static void fill_ecdsa(struct sigbatch_item *item, struct span pubkey, const struct ecdsa_sig *sig,
                       const uint8_t *hash)
{
    item->kind = SIGBATCH_ECDSA;
    item->pubkey_len = (uint8_t)pubkey.len;
    memcpy(item->pubkey, pubkey.data, pubkey.len);
    memcpy(item->r, sig->r, sizeof(item->r));
    memcpy(item->s, sig->s, sizeof(item->s));
    memcpy(item->hash, hash, sizeof(item->hash));
}

static bool defer_multisig(const struct sig_engine *engine, const struct span *sigs,
                           const uint8_t *hashes, size_t sigs_n, const struct span *keys,
                           size_t keys_n)
{
    struct sig_batch *batch = engine->context;
    size_t choices = choices_of(sigs_n, keys_n);
    struct ecdsa_sig parsed[SCRIPT_MULTISIG_KEYS_MAX];
    struct sigbatch_item *items;

    items = ask(batch, sigs_n, keys_n);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < sigs_n; i++) {
        if (!ecdsa_sig_read_lax(&parsed[i], sigs[i].data, sigs[i].len)) {
            batch->is_refused = true;
            return false;
        }
    }
    for (size_t i = 0; i < sigs_n; i++) {
        for (size_t k = 0; k < choices; k++)
            fill_ecdsa(&items[i * choices + k], keys[i + k], &parsed[i], hashes + 32 * i);
    }
    return true;
}

static bool defer_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                        const uint8_t *hash)
{
    struct sigbatch_item *item;
    struct ecdsa_sig parsed;

    if (!ecdsa_sig_read_lax(&parsed, sig.data, sig.len))
        return false;
    item = ask(engine->context, 1, 1);
    if (item == NULL)
        return false;
    fill_ecdsa(item, pubkey, &parsed, hash);
    return true;
}

static bool defer_schnorr(const struct sig_engine *engine, const uint8_t *pubkey,
                          const uint8_t *sig, const uint8_t *hash)
{
    struct sigbatch_item *item = ask(engine->context, 1, 1);

    if (item == NULL)
        return false;
    item->kind = SIGBATCH_SCHNORR;
    item->pubkey_len = SECP_XONLY_BYTES;
    memcpy(item->pubkey, pubkey, SECP_XONLY_BYTES);
    memcpy(item->r, sig, sizeof(item->r));
    memcpy(item->s, sig + sizeof(item->r), sizeof(item->s));
    memcpy(item->hash, hash, sizeof(item->hash));
    return true;
}

static bool defer_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                        const uint8_t *internal_key, const uint8_t *tweak)
{
    struct sigbatch_item *item = ask(engine->context, 1, 1);

    if (item == NULL)
        return false;
    item->kind = SIGBATCH_TWEAK;
    item->odd = odd;
    item->pubkey_len = SECP_XONLY_BYTES;
    memcpy(item->pubkey, internal_key, SECP_XONLY_BYTES);
    memcpy(item->r, output_key, sizeof(item->r));
    memcpy(item->s, tweak, sizeof(item->s));
    return true;
}

struct sig_batch *sig_batch_new(sig_batch_done_fn *done, void *context)
{
    struct sig_batch *batch = alloc_zero(sizeof(*batch));

    batch->engine = (struct sig_engine){.ecdsa = defer_ecdsa,
                                        .schnorr = defer_schnorr,
                                        .tweak = defer_tweak,
                                        .multisig = defer_multisig,
                                        .context = batch,
                                        .is_over = &batch->is_refused};
    batch->trust = TRUST_MAX;
    batch->done = done;
    batch->context = context;
    return batch;
}

void sig_batch_free(struct sig_batch *own_batch)
{
    if (own_batch == NULL)
        return;
    CHECK(own_batch->waiting_n == 0);
    free(own_batch);
}

/* Take back what the input under evaluation asked. Questions already answered when
 * the items ran over have left no trace but its own mark. */
static void forget_last(struct sig_batch *batch)
{
    uint32_t input = batch->waiting_n - 1;

    while (batch->questions_n > 0 && batch->questions[batch->questions_n - 1].input == input) {
        batch->questions_n--;
        batch->items_n = batch->questions[batch->questions_n].first;
    }
    batch->waiting_n--;
}

static void pay_for_failure(struct sig_batch *batch, uint32_t checks)
{
    batch->trust = MAX(batch->trust - TRUST_PER_FAILURE - (int32_t)checks, -TRUST_MAX);
}

/* Is the batch worth trying? Counts the inputs that do without. */
static bool is_trusting(struct sig_batch *batch)
{
    if (batch->trust > 0)
        return true;
    if (++batch->exact_n == EXACT_INPUTS_PER_TRUST) {
        batch->exact_n = 0;
        batch->trust++;
    }
    return false;
}

void sig_batch_input(struct sig_batch *batch, const struct spend *spend, uint32_t in_index,
                     uint64_t flags, void *tag)
{
    struct spend deferred = *spend;

    if (!sigbatch_has_lanes() || !is_trusting(batch)) {
        batch->done(batch->context, tag, in_index, verify_exactly(batch, spend, in_index, flags));
        return;
    }
    if (batch->waiting_n == SIG_BATCH_CHECKS)
        sig_batch_settle(batch);
    batch->waiting[batch->waiting_n++] =
        (struct waiting){.spend = spend, .flags = flags, .tag = tag, .in_index = in_index};
    batch->is_refused = false;
    batch->asked_n = 0;
    deferred.engine = &batch->engine;
    if (script_verify_input(&deferred, in_index, flags) != V_VALID || batch->is_refused) {
        forget_last(batch);
        pay_for_failure(batch, batch->asked_n);
        batch->done(batch->context, tag, in_index, verify_exactly(batch, spend, in_index, flags));
    } else {
        batch->waiting[batch->waiting_n - 1].asked_n = batch->asked_n;
    }
    if (batch->items_n >= SETTLE_AT)
        sig_batch_settle(batch);
}

void sig_batch_settle(struct sig_batch *batch)
{
    run_items(batch);
    for (uint32_t i = 0; i < batch->waiting_n; i++) {
        const struct waiting *input = &batch->waiting[i];
        enum verdict verdict = V_VALID;

        if (input->failed) {
            pay_for_failure(batch, input->asked_n);
            verdict = verify_exactly(batch, input->spend, input->in_index, input->flags);
        } else if (batch->trust < TRUST_MAX) {
            batch->trust++;
        }
        batch->done(batch->context, input->tag, input->in_index, verdict);
    }
    batch->waiting_n = 0;
}

size_t sig_batch_waiting(const struct sig_batch *batch)
{
    return batch->waiting_n;
}

uint64_t sig_batch_checked(const struct sig_batch *batch)
{
    return atomic_load_explicit(&batch->checked, memory_order_relaxed);
}
