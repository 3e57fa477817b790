#include "app/verify_block.h"

#include <inttypes.h>

#include "app/verify_coins_priv.h"
#include "base/alloc.h"
#include "base/check.h"
#include "consensus/signet.h"
#include "os/thread.h"
#include "primitives/amount.h"
#include "script/script.h"
#include "script/sighash.h"

/* Inputs that one piece of work takes: large transactions are shared. */
#define INPUTS_PER_WORK 16

/* What the steps share. */
struct verification {
    const struct verify_request *request;
    struct verify_report *report;
    struct block block;
    struct arena arena;
    struct block_place place;
    struct verify_coins coins;
    size_t *first; /* Of each transaction's inputs among the coins. */
    bool has_coins;
};

static void add_line(struct buf *buf, const char *text)
{
    buf_add_string(buf, text);
    buf_add_byte(buf, '\n');
}

static void checked(struct verification *v, const char *text)
{
    add_line(&v->report->checked, text);
}

static void unchecked(struct verification *v, const char *text)
{
    add_line(&v->report->unchecked, text);
}

static void broken(struct verification *v, const struct finding *finding)
{
    struct verify_report *report = v->report;
    struct verify_finding *slot;

    if (report->findings_n == report->capacity) {
        report->capacity = report->capacity == 0 ? 8 : report->capacity * 2;
        report->findings =
            realloc_array(report->findings, report->capacity, sizeof(*report->findings));
    }
    slot = &report->findings[report->findings_n++];
    *slot = (struct verify_finding){.finding = *finding};
    if (finding->tx_index < v->block.tx_n)
        slot->txid = v->block.tx[finding->tx_index].txid;
}

/* Without its parents: work for the bits it claims, version, time as far as known. */
static void verify_header(struct verification *v)
{
    const struct verify_request *request = v->request;
    const struct header *header = &v->block.header;
    struct finding finding = {0};

    if (!request->skip_pow) {
        checked(v, "proof of work, for the difficulty the header claims");
        if (header_check(header, &v->block.hash, request->params, &finding) != V_VALID)
            broken(v, &finding);
    }
    checked(v, "version for this height");
    if (header_version_check(header, request->height, request->params, &finding) != V_VALID)
        broken(v, &finding);
    if (request->has_prev_mtp) {
        checked(v, "time after the median of the eleven blocks before");
        if (header->time <= request->prev_mtp) {
            (void)finding_set(&finding, V_TIME_TOO_OLD, UINT32_MAX, UINT32_MAX,
                              "block's timestamp is too early");
            broken(v, &finding);
        }
    } else {
        unchecked(v, "time after the median of the eleven blocks before (--prev-mtp)");
    }
    unchecked(v, "difficulty, parent and place in the chain, and whether outputs repeat older "
                 "ones (BIP 30)");
    if (request->height == 0 && !block_hash_equal(&v->block.hash, &request->params->genesis_hash)) {
        (void)finding_set(&finding, V_PREV_NOT_FOUND, UINT32_MAX, UINT32_MAX,
                          "not the first block of this network");
        broken(v, &finding);
    }
}

static void verify_signet(struct verification *v)
{
    struct finding finding = {0};

    if (!v->request->params->signet_blocks)
        return;
    checked(v, "signet block solution");
    if (!signet_solution_holds(&v->block, v->request->params, &v->arena)) {
        (void)finding_set(&finding, V_BAD_SIGNET_SOLUTION, UINT32_MAX, UINT32_MAX,
                          "signet block signature validation failure");
        broken(v, &finding);
    }
}

/* Each transaction by itself; true if all hold. */
static bool check_txs(struct verification *v)
{
    bool good = true;

    for (uint32_t i = 0; i < v->block.tx_n; i++) {
        struct finding finding = {0};

        if (tx_check(&v->block.tx[i], &finding) == V_VALID)
            continue;
        finding.tx_index = i;
        broken(v, &finding);
        good = false;
    }
    return good;
}

/* Merkle root and shape. Returns whether the block has the shape that later steps
 * rely on. */
static bool verify_structure(struct verification *v)
{
    const struct params *params = v->request->params;
    struct finding finding = {0};
    enum verdict verdict;
    bool good;

    checked(v, "merkle root; size, coinbase first and only, signature operations in scripts");
    verdict = block_check(&v->block, params, false, true, &v->arena, &finding);
    if (verdict == V_BAD_MERKLE_ROOT || verdict == V_MUTATED) {
        broken(v, &finding);
        verdict = block_check(&v->block, params, false, false, &v->arena, &finding);
    }
    checked(v, "each transaction by itself: amounts, inputs, size");
    good = check_txs(v);
    if (verdict == V_VALID)
        return true;
    /* A transaction's own fault has just been told. */
    if (good || verdict == V_BAD_BLOCK_LENGTH || verdict == V_BAD_CB_MISSING ||
        verdict == V_BAD_CB_MULTIPLE)
        broken(v, &finding);
    return false;
}

/* Parents that all have the same time, so that it is their median. */
static struct ancestor at_mtp(const void *context, int32_t height)
{
    (void)height;
    return (struct ancestor){.time = *(const uint32_t *)context};
}

/* The median time past of the parent, or the greatest it can be. */
static uint32_t prev_mtp_bound(const struct verification *v)
{
    if (v->request->has_prev_mtp)
        return v->request->prev_mtp;
    return v->block.header.time == 0 ? 0 : v->block.header.time - 1;
}

static bool any_lock_by_time(const struct block *block)
{
    for (uint32_t i = 0; i < block->tx_n; i++) {
        if (block->tx[i].lock_time >= LOCKTIME_THRESHOLD)
            return true;
    }
    return false;
}

static void verify_context(struct verification *v)
{
    const struct verify_request *request = v->request;
    uint32_t mtp = prev_mtp_bound(v);
    struct ancestry ancestry = {.tip_height = request->height - 1, .at = at_mtp, .context = &mtp};
    struct finding finding = {0};
    enum verdict verdict = block_verify(&v->block, &ancestry, request->params, &v->arena, &finding);

    checked(v, "lock times by height, height in the coinbase, witness commitment, weight");
    if (buried_active(BURIED_CSV, request->height, request->params) && !request->has_prev_mtp &&
        any_lock_by_time(&v->block))
        unchecked(v, "lock times by time, but that they lie before the block's own (--prev-mtp)");
    else
        checked(v, "lock times by time");
    if (verdict != V_VALID)
        broken(v, &finding);
}

static void missing_input(struct verification *v, uint32_t tx_index, uint32_t in_index,
                          const char *why)
{
    struct finding finding = {0};

    (void)finding_set(&finding, V_INPUTS_MISSING_OR_SPENT, tx_index, in_index, "%s", why);
    broken(v, &finding);
}

static bool same_output(const struct tx_out *a, const struct tx_out *b)
{
    return a->value_sat == b->value_sat && span_equal(a->script_pubkey, b->script_pubkey);
}

/* Spends within the block: only of earlier transactions, of outputs that are
 * there, and nothing twice. */
static void verify_own_spends(struct verification *v)
{
    size_t n = v->report->inputs_n;
    int64_t *index = arena_array(&v->arena, n, sizeof(*index));
    bool *twice = arena_array(&v->arena, n, sizeof(*twice));
    size_t at = 0;

    verify_coins_relate(index, twice, &v->block, n, &v->arena);
    checked(v, "no output is spent twice, or before it is made, within the block");
    for (uint32_t i = 1; i < v->block.tx_n; i++) {
        for (uint32_t k = 0; k < v->block.tx[i].in_n; k++, at++) {
            const struct tx *from = index[at] < 0 ? NULL : &v->block.tx[index[at]];
            uint32_t vout = v->block.tx[i].in[k].prevout.vout;

            if (from != NULL && v->has_coins) {
                v->coins.coins[at].height = (uint32_t)v->request->height;
                v->coins.coins[at].is_coinbase = index[at] == 0;
            }
            if (twice[at])
                missing_input(v, i, k, "an earlier input of the block spends the same output");
            else if (from != NULL && index[at] >= i)
                missing_input(v, i, k, "the output is made later in the block");
            else if (from != NULL && vout >= from->out_n)
                missing_input(v, i, k, "the block's transaction has no such output");
            else if (from != NULL && v->has_coins &&
                     !same_output(&from->out[vout], &v->coins.spent[at]))
                missing_input(v, i, k, "the prevout given is not the output the block makes");
        }
    }
}

/* With nothing said of where coins come from, rules about it must not judge. */
static bool knows_time_locks(const struct verification *v, uint32_t tx_index)
{
    const struct tx *tx = &v->block.tx[tx_index];
    bool by_time;

    if (!tx_has_sequence_locks(tx, &by_time) || !by_time)
        return true;
    for (uint32_t k = 0; k < tx->in_n; k++) {
        uint32_t sequence = tx->in[k].sequence;

        if ((sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) == 0 &&
            (sequence & SEQUENCE_LOCKTIME_TYPE_FLAG) != 0 &&
            !v->coins.has_mtp[v->first[tx_index] + k])
            return false;
    }
    return v->request->has_prev_mtp;
}

/* A coin made by this very block: the block before it is the parent. */
static void complete_origins(struct verification *v)
{
    for (size_t i = 0; i < v->coins.n; i++) {
        if (v->coins.has_origin && !v->coins.has_mtp[i] && v->request->has_prev_mtp &&
            v->coins.coins[i].height == (uint32_t)v->request->height) {
            v->coins.mtps[i] = v->request->prev_mtp;
            v->coins.has_mtp[i] = true;
        }
    }
}

static bool verify_amounts(struct verification *v)
{
    struct block_tally tally = {0};
    struct finding finding = {0};
    uint64_t locks_unknown = 0;
    bool good = true;

    complete_origins(v);
    for (uint32_t i = 0; i < v->block.tx_n; i++) {
        const struct tx *tx = &v->block.tx[i];
        size_t first = v->first[i];
        bool locks = v->coins.has_origin && v->place.sequence_locks;
        struct block_place place = v->place;

        if (locks && i > 0 && !knows_time_locks(v, i)) {
            locks_unknown++;
            locks = false;
        }
        place.sequence_locks = locks;
        if (block_tally_tx(&tally, tx, i, i == 0 ? NULL : v->coins.coins + first,
                           i == 0 ? NULL : v->coins.spent + first, v->coins.mtps + first, &place,
                           &finding) == V_VALID)
            continue;
        finding.tx_index = i;
        broken(v, &finding);
        good = false;
        if (finding.verdict == V_BAD_BLOCK_SIGOPS)
            break;
    }
    checked(v, "amounts, fees, signature operations");
    if (locks_unknown > 0)
        unchecked(v,
                  "sequence locks by time of some transactions (mtp of their coins, --prev-mtp)");
    if (good) {
        checked(v, "coinbase takes no more than subsidy and fees");
        v->report->fees_known = true;
        v->report->fees_sat = tally.fees_sat;
        if (block_tally_end(&tally, &v->block, &v->place, v->request->params, &finding) != V_VALID)
            broken(v, &finding);
    }
    if (v->coins.has_origin)
        checked(v, v->place.sequence_locks ? "maturity of coinbase outputs, sequence locks"
                                           : "maturity of coinbase outputs");
    else if (v->report->inputs_n > 0)
        unchecked(v, "maturity of coinbase outputs, sequence locks (--coins)");
    return good;
}

/* Scripts of some inputs of one transaction, for a worker. */
struct script_work {
    struct work work;
    const struct spend *spend;
    uint32_t from;
    uint32_t to;
    uint64_t flags;
    uint16_t *verdicts; /* Of the transaction's inputs. */
};

static void run_scripts(struct work *work, unsigned worker)
{
    struct script_work *w = (struct script_work *)work;

    (void)worker;
    for (uint32_t i = w->from; i < w->to; i++)
        w->verdicts[i] = (uint16_t)script_verify_input(w->spend, i, w->flags);
}

static size_t share_out(struct verification *v, struct script_work *works, uint16_t *verdicts)
{
    size_t n = 0;

    for (uint32_t i = 1; i < v->block.tx_n; i++) {
        const struct tx *tx = &v->block.tx[i];
        struct sighash_cache *sighash = arena_alloc(&v->arena, sizeof(*sighash));
        struct spend *spend = arena_array(&v->arena, 1, sizeof(*spend));

        spend->tx = tx;
        spend->spent = v->coins.spent + v->first[i];
        spend->sighash = sighash;
        sighash_cache_init(sighash, tx, spend->spent, &v->arena);
        for (uint32_t from = 0; from < tx->in_n; from += INPUTS_PER_WORK)
            works[n++] = (struct script_work){.work = {.run = run_scripts},
                                              .spend = spend,
                                              .from = from,
                                              .to = MIN(from + INPUTS_PER_WORK, tx->in_n),
                                              .flags = v->place.script_flags,
                                              .verdicts = verdicts + v->first[i]};
    }
    return n;
}

static int verify_scripts(struct verification *v, struct error *err)
{
    uint16_t *verdicts = arena_array(&v->arena, v->coins.n, sizeof(*verdicts));
    struct script_work *works =
        arena_array(&v->arena, v->coins.n / INPUTS_PER_WORK + v->block.tx_n, sizeof(*works));
    struct work_group group = {0};
    struct pool pool;
    size_t n;
    int rc = pool_init(&pool, "verify", v->request->threads_n, err);

    if (rc < 0)
        return rc;
    n = share_out(v, works, verdicts);
    pool_add(&pool, &works[0].work, n, sizeof(*works), &group);
    pool_wait(&pool, &group);
    pool_clear(&pool);
    for (uint32_t i = 1; i < v->block.tx_n; i++) {
        for (uint32_t k = 0; k < v->block.tx[i].in_n; k++) {
            enum verdict script = (enum verdict)verdicts[v->first[i] + k];
            struct finding finding = {0};

            if (script == V_VALID)
                continue;
            (void)finding_set_script(&finding, script, &v->block.tx[i], i, k);
            broken(v, &finding);
        }
    }
    v->report->scripts_n = v->coins.n;
    return 0;
}

static int verify_spends(struct verification *v, struct error *err)
{
    struct verify_report *report = v->report;
    size_t at = 0;
    int rc;

    v->first = arena_array(&v->arena, (size_t)v->block.tx_n + 1, sizeof(*v->first));
    for (uint32_t i = 1; i < v->block.tx_n; i++) {
        v->first[i] = at;
        at += v->block.tx[i].in_n;
    }
    v->has_coins = v->request->undo.data != NULL || report->inputs_n == 0;
    if (!v->has_coins) {
        verify_own_spends(v);
        unchecked(v, "scripts, amounts, fees (--prevouts)");
        return 0;
    }
    rc = verify_coins_read(&v->coins, &v->block, v->request, &v->arena, err);
    if (rc < 0)
        return rc;
    verify_own_spends(v);
    (void)verify_amounts(v);
    if (report->inputs_n > 0)
        rc = verify_scripts(v, err);
    if (rc == 0)
        checked(v, "every script, under the flags of this block");
    return rc;
}

int verify_block(struct verify_report *ret_report, const struct verify_request *request,
                 struct error *err)
{
    struct verification v = {.request = request, .report = ret_report};
    int rc;

    *ret_report = (struct verify_report){0};
    arena_init(&v.arena);
    rc = block_read(&v.block, request->block.data, request->block.len, &v.arena);
    if (rc < 0) {
        (void)error_set(err, rc, "the block cannot be parsed: %s", assay_error_name(rc));
        goto done;
    }
    ret_report->hash = v.block.hash;
    ret_report->tx_n = v.block.tx_n;
    for (uint32_t i = 1; i < v.block.tx_n; i++)
        ret_report->inputs_n += v.block.tx[i].in_n;
    v.place = block_place_of(request->height, &v.block.hash, prev_mtp_bound(&v), request->params);
    verify_header(&v);
    verify_signet(&v);
    if (!verify_structure(&v)) {
        unchecked(&v, "everything that needs a block of the right shape");
        goto done;
    }
    if (request->height > 0)
        verify_context(&v);
    unchecked(&v, "that the spent outputs exist and are unspent in the chain");
    rc = verify_spends(&v, err);

done:
    arena_clear(&v.arena);
    return rc;
}

void verify_report_clear(struct verify_report *report)
{
    buf_clear(&report->checked);
    buf_clear(&report->unchecked);
    free(report->findings);
    *report = (struct verify_report){0};
}

bool verify_report_complete(const struct verify_report *report)
{
    return report->scripts_n == report->inputs_n;
}

static void write_lines(struct buf *buf, const char *title, const struct buf *lines)
{
    size_t at = 0;

    if (lines->len == 0)
        return;
    buf_add_printf(buf, "%s:\n", title);
    while (at < lines->len) {
        const uint8_t *line = lines->data + at;
        size_t len = (size_t)((const uint8_t *)memchr(line, '\n', lines->len - at) - line);

        buf_add_printf(buf, "  %.*s\n", (int)len, (const char *)line);
        at += len + 1;
    }
}

static void write_finding(struct buf *buf, const struct verify_finding *found)
{
    const struct finding *finding = &found->finding;
    char reason[FINDING_REASON_MAX];

    finding_reason(reason, finding);
    buf_add_printf(buf, "  %s", reason);
    if (finding->tx_index != UINT32_MAX)
        buf_add_printf(buf, ", transaction %" PRIu32 " %s", finding->tx_index,
                       hash_hex(found->txid.b).text);
    if (finding->in_index != UINT32_MAX)
        buf_add_printf(buf, ", input %" PRIu32, finding->in_index);
    if (finding->detail[0] != '\0')
        buf_add_printf(buf, ": %s", finding->detail);
    buf_add_byte(buf, '\n');
}

void verify_report_write(struct buf *buf, const struct verify_report *report,
                         const struct verify_request *request)
{
    buf_add_printf(buf, "block %s, height %" PRId32 " of %s\n", hash_hex(report->hash.b).text,
                   request->height, request->params->name);
    buf_add_printf(buf,
                   "%" PRIu32 " transactions, %" PRIu64 " inputs, %" PRIu64 " scripts verified\n",
                   report->tx_n, report->inputs_n, report->scripts_n);
    if (report->fees_known)
        buf_add_printf(buf, "subsidy %" PRId64 " sat, fees %" PRId64 " sat\n",
                       subsidy_at(request->height, request->params), report->fees_sat);
    write_lines(buf, "checked", &report->checked);
    write_lines(buf, "not checked", &report->unchecked);
    if (report->findings_n == 0) {
        add_line(buf, verify_report_complete(report) ? "valid, as far as checked"
                                                     : "no rule is broken, but scripts were not "
                                                       "checked");
        return;
    }
    add_line(buf, "broken:");
    for (size_t i = 0; i < report->findings_n; i++)
        write_finding(buf, &report->findings[i]);
}
