#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/rules.h"
#include "primitives/amount.h"

#define COINBASE_SCRIPT_BYTES_MIN 2
#define COINBASE_SCRIPT_BYTES_MAX 100

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The salt is the transaction's own id: whoever chose the outpoints so that they
 * collide would have to choose again, as each choice changes the id. */
static uint64_t hash_outpoint(const struct outpoint *outpoint, const uint8_t *salt)
{
    const uint8_t *b = outpoint->txid.b;
    uint64_t low = mix(get_le64(b) ^ get_le64(salt), get_le64(b + 8) ^ get_le64(salt + 8));
    uint64_t high =
        mix(get_le64(b + 16) ^ get_le64(salt + 16), get_le64(b + 24) ^ get_le64(salt + 24));

    return mix(low ^ outpoint->vout ^ get_le64(salt + 4), high ^ get_le64(salt + 12));
}

static bool same_outpoint(const struct outpoint *a, const struct outpoint *b)
{
    /* Nearly all pairs differ in the first word. */
    return get_le64(a->txid.b) == get_le64(b->txid.b) && outpoint_equal(a, b);
}

#define PAIRWISE_MAX 8
#define SMALL_SLOTS 256

/* Open addressing, at most half full; slots hold an input's index plus one. */
static uint32_t find_repeat(const struct tx *tx, uint32_t *slots, uint32_t slots_n)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        uint32_t at = (uint32_t)hash_outpoint(&tx->in[i].prevout, tx->txid.b) & (slots_n - 1);

        for (; slots[at] != 0; at = (at + 1) & (slots_n - 1)) {
            if (same_outpoint(&tx->in[slots[at] - 1].prevout, &tx->in[i].prevout))
                return i;
        }
        slots[at] = i + 1;
    }
    return UINT32_MAX;
}

/* The first input that spends what an earlier one spends, or UINT32_MAX. */
static uint32_t repeated_input(const struct tx *tx)
{
    if (tx->in_n <= PAIRWISE_MAX) {
        for (uint32_t i = 1; i < tx->in_n; i++) {
            for (uint32_t k = 0; k < i; k++) {
                if (same_outpoint(&tx->in[k].prevout, &tx->in[i].prevout))
                    return i;
            }
        }
        return UINT32_MAX;
    }
    if (tx->in_n <= SMALL_SLOTS / 2) {
        uint32_t slots[SMALL_SLOTS] = {0};

        return find_repeat(tx, slots, SMALL_SLOTS);
    } else {
        /* At most some 24,000 inputs fit under the size limit, checked before. */
        uint32_t slots_n = 1U << (33 - __builtin_clz(tx->in_n));
        uint32_t *slots = alloc_array(slots_n, sizeof(*slots));
        uint32_t repeat = find_repeat(tx, slots, slots_n);

        free(slots);
        return repeat;
    }
}

static enum verdict bad_tx(struct finding *finding, enum verdict verdict, uint32_t in_index)
{
    return finding_set(finding, verdict, UINT32_MAX, in_index, "%s", "");
}

static enum verdict check_outputs(const struct tx *tx)
{
    int64_t total_sat = 0;

    for (uint32_t i = 0; i < tx->out_n; i++) {
        int64_t value_sat = tx->out[i].value_sat;

        if (value_sat < 0)
            return V_BAD_VOUT_NEGATIVE;
        if (value_sat > MONEY_MAX_SAT)
            return V_BAD_VOUT_TOOLARGE;
        total_sat += value_sat;
        if (!money_in_range(total_sat))
            return V_BAD_TXOUTTOTAL_TOOLARGE;
    }
    return V_VALID;
}

enum verdict tx_check(const struct tx *tx, struct finding *finding)
{
    enum verdict verdict;
    uint32_t repeat;

    if (tx->in_n == 0)
        return bad_tx(finding, V_BAD_VIN_EMPTY, UINT32_MAX);
    if (tx->out_n == 0)
        return bad_tx(finding, V_BAD_VOUT_EMPTY, UINT32_MAX);
    /* The witness does not count here: nothing vouches for it yet. */
    if ((uint64_t)tx->base_bytes * WITNESS_SCALE_FACTOR > BLOCK_WEIGHT_MAX)
        return bad_tx(finding, V_BAD_TXNS_OVERSIZE, UINT32_MAX);
    verdict = check_outputs(tx);
    if (verdict != V_VALID)
        return bad_tx(finding, verdict, UINT32_MAX);
    repeat = repeated_input(tx);
    if (repeat != UINT32_MAX)
        return bad_tx(finding, V_BAD_INPUTS_DUPLICATE, repeat);
    if (tx_is_coinbase(tx)) {
        size_t len = tx->in[0].script_sig.len;

        if (len < COINBASE_SCRIPT_BYTES_MIN || len > COINBASE_SCRIPT_BYTES_MAX)
            return bad_tx(finding, V_BAD_CB_LENGTH, 0);
        return V_VALID;
    }
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (outpoint_is_null(&tx->in[i].prevout))
            return bad_tx(finding, V_BAD_PREVOUT_NULL, i);
    }
    return V_VALID;
}

bool tx_is_final(const struct tx *tx, int32_t height, int64_t time_s)
{
    int64_t lock = tx->lock_time;

    if (lock == 0 || lock < (lock < LOCKTIME_THRESHOLD ? (int64_t)height : time_s))
        return true;
    /* Inputs that are all final switch the lock off. */
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].sequence != SEQUENCE_FINAL)
            return false;
    }
    return true;
}

#define SEQUENCE_LOCKS_VERSION 2

bool tx_has_sequence_locks(const struct tx *tx, bool *ret_by_time)
{
    bool any = false;

    *ret_by_time = false;
    if (tx->version < SEQUENCE_LOCKS_VERSION)
        return false;
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG)
            continue;
        any = true;
        if (tx->in[i].sequence & SEQUENCE_LOCKTIME_TYPE_FLAG)
            *ret_by_time = true;
    }
    return any;
}

/* One input's lock. A lock of n is met from n blocks, or n * 512 seconds, after
 * the coin on: the coin's own block counts from its parent's median time. */
static bool lock_holds(uint32_t sequence, int32_t coin_height, uint32_t coin_mtp, int32_t height,
                       uint32_t prev_mtp)
{
    int64_t span = sequence & SEQUENCE_LOCKTIME_MASK;

    if (sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG)
        return true;
    if (sequence & SEQUENCE_LOCKTIME_TYPE_FLAG)
        return (int64_t)coin_mtp + (span << SEQUENCE_LOCKTIME_GRANULARITY) <= (int64_t)prev_mtp;
    return coin_height + span <= height;
}

static bool is_by_time(uint32_t sequence)
{
    return (sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) == 0 &&
           (sequence & SEQUENCE_LOCKTIME_TYPE_FLAG) != 0;
}

bool tx_sequence_locks_hold(const struct tx *tx, const struct coin *coins,
                            const uint32_t *coin_mtps, int32_t height, uint32_t prev_mtp)
{
    if (tx->version < SEQUENCE_LOCKS_VERSION)
        return true;
    for (uint32_t i = 0; i < tx->in_n; i++) {
        uint32_t sequence = tx->in[i].sequence;
        uint32_t mtp = 0;

        if (is_by_time(sequence)) {
            CHECK(coin_mtps != NULL);
            mtp = coin_mtps[i];
        }
        if (!lock_holds(sequence, (int32_t)coins[i].height, mtp, height, prev_mtp))
            return false;
    }
    return true;
}

/* An amount for people: at least two decimals, no needless zeros. */
struct amount_text {
    char text[32];
};

static struct amount_text amount_text(int64_t amount_sat)
{
    struct amount_text out;
    int len = snprintf(out.text, sizeof(out.text), "%" PRId64 ".%08" PRId64, amount_sat / COIN_SAT,
                       amount_sat % COIN_SAT);

    while (out.text[len - 1] == '0' && out.text[len - 3] != '.')
        out.text[--len] = '\0';
    return out;
}

enum verdict tx_verify_inputs(const struct tx *tx, const struct coin *coins, int32_t height,
                              int64_t *ret_fee_sat, struct finding *finding)
{
    int64_t in_sat = 0;
    int64_t out_sat = 0;

    if (coins == NULL)
        return finding_set(finding, V_INPUTS_MISSING_OR_SPENT, UINT32_MAX, UINT32_MAX,
                           "CheckTxInputs: inputs missing/spent");
    for (uint32_t i = 0; i < tx->in_n; i++) {
        int64_t depth = (int64_t)height - coins[i].height;

        if (coins[i].is_coinbase && depth < COINBASE_MATURITY)
            return finding_set(finding, V_PREMATURE_SPEND, UINT32_MAX, i,
                               "tried to spend coinbase at depth %" PRId64, depth);
        if (!money_in_range(coins[i].value_sat) || !money_in_range(in_sat + coins[i].value_sat))
            return bad_tx(finding, V_INPUT_VALUES_OUTOFRANGE, i);
        in_sat += coins[i].value_sat;
    }
    /* tx_check has bounded the sum. */
    for (uint32_t i = 0; i < tx->out_n; i++)
        out_sat += tx->out[i].value_sat;
    VERIFY(money_in_range(out_sat));
    if (in_sat < out_sat)
        return finding_set(finding, V_IN_BELOWOUT, UINT32_MAX, UINT32_MAX,
                           "value in (%s) < value out (%s)", amount_text(in_sat).text,
                           amount_text(out_sat).text);
    *ret_fee_sat = in_sat - out_sat;
    return V_VALID;
}
