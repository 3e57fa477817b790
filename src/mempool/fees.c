#include "mempool/fees.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/reader.h"
#include "codec/writer.h"

#define FILE_VERSION 309900
#define FILE_BYTES_MAX (64U << 20)
#define BUCKET_LEAST 100.0
#define BUCKET_GREATEST 1e7
#define BUCKET_STEP 1.05
#define BUCKET_LAST 1e99
#define BUCKETS_MAX 1000
#define CONFIRMS_MAX 1008 /* A week of blocks. */
#define HISTORY_MAX (6U * CONFIRMS_MAX)

#define HALF_SUCCESS 0.6
#define SUCCESS 0.85
#define DOUBLE_SUCCESS 0.95

enum { SHORT, MEDIUM, LONG, HORIZONS };

/* What is built in about each; files may bring other numbers. enough: transactions in a
 * block, on average, that a range of buckets must have. */
static const struct {
    const char *name;
    uint32_t periods;
    uint32_t scale;
    double decay;
    double enough;
} builtin[HORIZONS] = {
    {"short", 12, 1, .962, 0.5},
    {"medium", 24, 2, .9952, 0.1},
    {"long", 42, 24, .99931, 0.1},
};
/* The order in which the file has them. */
static const int file_order[HORIZONS] = {MEDIUM, SHORT, LONG};

struct horizon {
    double decay;
    uint32_t scale; /* Blocks in a period. */
    uint32_t periods;
    /* By bucket, decaying. */
    double *txs;
    double *rates; /* Sums. */
    /* [period * buckets + bucket]: confirmed within, or left after, so many periods. */
    double *confirmed;
    double *left;
    /* Waiting now: [height modulo periods * scale][bucket], and those that waited longer. */
    int32_t *waiting;
    int32_t *waiting_long;
};

struct fees {
    struct disk *disk;
    double *buckets; /* Upper ends, the last one beyond everything. */
    uint32_t buckets_n;
    struct horizon horizons[HORIZONS];
    uint32_t best_height;
    uint32_t first_height;           /* Of this run; 0: none yet. */
    uint32_t old_first, old_best;    /* Of the file. */
    uint32_t tracked_n, untracked_n; /* Since the last block. */
};

static uint32_t target_max(const struct horizon *h)
{
    return h->scale * h->periods;
}

static void horizon_clear(struct horizon *h)
{
    free(h->txs);
    free(h->rates);
    free(h->confirmed);
    free(h->left);
    free(h->waiting);
    free(h->waiting_long);
    *h = (struct horizon){0};
}

/* decay, scale and periods are set. */
static void horizon_alloc(struct horizon *h, uint32_t buckets_n)
{
    h->txs = alloc_array(buckets_n, sizeof(*h->txs));
    h->rates = alloc_array(buckets_n, sizeof(*h->rates));
    h->confirmed = alloc_array((size_t)h->periods * buckets_n, sizeof(*h->confirmed));
    h->left = alloc_array((size_t)h->periods * buckets_n, sizeof(*h->left));
    h->waiting = alloc_array((size_t)target_max(h) * buckets_n, sizeof(*h->waiting));
    h->waiting_long = alloc_array(buckets_n, sizeof(*h->waiting_long));
}

static void make_buckets(struct fees *fees)
{
    fees->buckets = alloc_array(BUCKETS_MAX, sizeof(*fees->buckets));
    for (double end = BUCKET_LEAST; end <= BUCKET_GREATEST; end *= BUCKET_STEP)
        fees->buckets[fees->buckets_n++] = end;
    fees->buckets[fees->buckets_n++] = BUCKET_LAST;
}

static void load(struct fees *fees, const char *folder, int64_t now_s)
{
    char *path = alloc_printf("%s/" FEES_FILE_NAME, folder);
    struct disk_entry entry = {0};
    struct buf bytes = {0};
    struct error err = {0};
    int64_t age_s;

    if (disk_stat(fees->disk, path, &entry, &err) < 0) {
        log_info("mempool", "%s is not found. Continue anyway.", path);
        goto done;
    }
    age_s = now_s - entry.modified_s;
    if (now_s > 0 && entry.modified_s > 0 && age_s / 3600 > FEES_FILE_AGE_MAX_S / 3600) {
        log_warning("mempool",
                    "Fee estimation file %s too old (age=%" PRId64 " > %d hours) and will not be "
                    "used to avoid serving stale estimates.",
                    path, age_s / 3600, FEES_FILE_AGE_MAX_S / 3600);
        goto done;
    }
    if (disk_read_file(fees->disk, &bytes, path, FILE_BYTES_MAX, &err) < 0 ||
        fees_read(fees, span_of_buf(&bytes), &err) < 0) {
        log_warning("mempool", "Unable to read policy estimator data (non-fatal): %s",
                    error_text(&err));
        log_warning("mempool", "Failed to read fee estimates from %s. Continue anyway.", path);
    }

done:
    buf_clear(&bytes);
    free(path);
}

struct fees *fees_new(struct disk *disk, const char *folder, int64_t now_s)
{
    struct fees *fees = alloc_zero(sizeof(*fees));

    fees->disk = disk;
    make_buckets(fees);
    for (int i = 0; i < HORIZONS; i++) {
        struct horizon *h = &fees->horizons[i];

        h->decay = builtin[i].decay;
        h->scale = builtin[i].scale;
        h->periods = builtin[i].periods;
        horizon_alloc(h, fees->buckets_n);
    }
    if (disk != NULL && folder[0] != 0)
        load(fees, folder, now_s);
    return fees;
}

void fees_free(struct fees *own_fees)
{
    if (own_fees == NULL)
        return;
    for (int i = 0; i < HORIZONS; i++)
        horizon_clear(&own_fees->horizons[i]);
    free(own_fees->buckets);
    free(own_fees);
}

/* --- Counting ------------------------------------------------------------------------ */

/* The first bucket that ends at the rate or above it. */
static uint32_t bucket_of(const struct fees *fees, double rate)
{
    uint32_t low = 0;
    uint32_t high = fees->buckets_n - 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (fees->buckets[middle] < rate)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t *waiting_at(const struct fees *fees, const struct horizon *h, uint32_t height,
                           uint32_t bucket)
{
    return &h->waiting[(size_t)(height % target_max(h)) * fees->buckets_n + bucket];
}

uint16_t fees_tx_added(struct fees *fees, int64_t rate_sat_kvb, int32_t height, bool is_telling)
{
    uint32_t bucket;

    /* Side chains and what lies behind the tip would be counted at the wrong place. */
    if ((uint32_t)height != fees->best_height)
        return FEES_UNTRACKED;
    if (!is_telling) {
        fees->untracked_n++;
        return FEES_UNTRACKED;
    }
    fees->tracked_n++;
    bucket = bucket_of(fees, (double)rate_sat_kvb);
    for (int i = 0; i < HORIZONS; i++)
        (*waiting_at(fees, &fees->horizons[i], (uint32_t)height, bucket))++;
    return (uint16_t)bucket;
}

static void take_off(int32_t *count)
{
    if (*count > 0)
        (*count)--;
}

static void leave(struct fees *fees, struct horizon *h, uint32_t bucket, int32_t height,
                  bool in_block)
{
    int64_t waited = fees->best_height == 0 ? 0 : (int64_t)fees->best_height - height;
    uint32_t periods;

    if (waited < 0)
        return;
    if (waited >= target_max(h))
        take_off(&h->waiting_long[bucket]);
    else
        take_off(waiting_at(fees, h, (uint32_t)height, bucket));
    if (in_block)
        return;
    periods = (uint32_t)(waited / h->scale);
    for (uint32_t i = 0; i < MIN(periods, h->periods); i++)
        h->left[(size_t)i * fees->buckets_n + bucket]++;
}

void fees_tx_removed(struct fees *fees, uint16_t bucket, int32_t height)
{
    for (int i = 0; i < HORIZONS && bucket != FEES_UNTRACKED; i++)
        leave(fees, &fees->horizons[i], bucket, height, false);
}

static void begin_block(const struct fees *fees, struct horizon *h, uint32_t height)
{
    for (uint32_t b = 0; b < fees->buckets_n; b++) {
        int32_t *oldest = waiting_at(fees, h, height, b);

        h->waiting_long[b] += *oldest;
        *oldest = 0;
        h->txs[b] *= h->decay;
        h->rates[b] *= h->decay;
    }
    for (size_t i = 0; i < (size_t)h->periods * fees->buckets_n; i++) {
        h->confirmed[i] *= h->decay;
        h->left[i] *= h->decay;
    }
}

static void record(const struct fees *fees, struct horizon *h, uint32_t blocks, int64_t rate)
{
    uint32_t bucket = bucket_of(fees, (double)rate);

    for (uint32_t i = (blocks + h->scale - 1) / h->scale; i <= h->periods; i++)
        h->confirmed[(size_t)(i - 1) * fees->buckets_n + bucket]++;
    h->txs[bucket]++;
    h->rates[bucket] += (double)rate;
}

void fees_block(struct fees *fees, int32_t height, const struct fees_confirmed *txs, size_t n)
{
    size_t counted = 0;

    if (height <= 0 || (uint32_t)height <= fees->best_height)
        return;
    fees->best_height = (uint32_t)height;
    for (int i = 0; i < HORIZONS; i++)
        begin_block(fees, &fees->horizons[i], (uint32_t)height);
    for (size_t k = 0; k < n; k++) {
        for (int i = 0; i < HORIZONS; i++)
            leave(fees, &fees->horizons[i], txs[k].bucket, txs[k].height, true);
        if (height <= txs[k].height)
            continue;
        for (int i = 0; i < HORIZONS; i++)
            record(fees, &fees->horizons[i], (uint32_t)(height - txs[k].height),
                   txs[k].rate_sat_kvb);
        counted++;
    }
    if (fees->first_height == 0 && counted > 0)
        fees->first_height = fees->best_height;
    log_debug("estimatefee",
              "Blockpolicy estimates updated by %zu of %zu block txs, since last block %u of %u "
              "tracked",
              counted, n, fees->tracked_n, fees->tracked_n + fees->untracked_n);
    fees->tracked_n = 0;
    fees->untracked_n = 0;
}

/* --- Estimating -------------------------------------------------------------------------- */

/* Sums over a range of buckets. */
struct tally {
    double confirmed; /* In time. */
    double all;       /* Ever. */
    int64_t waiting;
    double left;
};

static struct fee_bucket_range range_of(const struct fees *fees, const struct tally *tally,
                                        uint32_t low, uint32_t high)
{
    return (struct fee_bucket_range){.start = low > 0 ? fees->buckets[low - 1] : 0,
                                     .end = fees->buckets[high],
                                     .within_target = tally->confirmed,
                                     .total_confirmed = tally->all,
                                     .in_mempool = (double)tally->waiting,
                                     .left_mempool = tally->left};
}

static void add_bucket(const struct fees *fees, const struct horizon *h, struct tally *tally,
                       uint32_t bucket, uint32_t target)
{
    size_t at = (size_t)((target + h->scale - 1) / h->scale - 1) * fees->buckets_n + bucket;

    tally->confirmed += h->confirmed[at];
    tally->all += h->txs[bucket];
    tally->left += h->left[at];
    for (uint32_t age = target; age < target_max(h); age++)
        tally->waiting += *waiting_at(fees, h, fees->best_height - age, bucket);
    tally->waiting += h->waiting_long[bucket];
}

/* The average feerate in the bucket of the middle transaction of a range. */
static double middle_rate(const struct horizon *h, uint32_t low, uint32_t high)
{
    double txs = 0;

    for (uint32_t b = low; b <= high; b++)
        txs += h->txs[b];
    if (txs == 0)
        return -1;
    txs /= 2;
    for (uint32_t b = low; b <= high; b++) {
        if (h->txs[b] >= txs)
            return h->rates[b] / h->txs[b];
        txs -= h->txs[b];
    }
    return -1;
}

static const struct fee_bucket_range no_range = {.start = -1, .end = -1};

/* From the dearest bucket down, in ranges that hold enough transactions each: the last
 * range of which a share of at least success was confirmed within target. ret may be
 * NULL. Returns satoshi for 1,000 vbytes, or -1. */
static double look(const struct fees *fees, int which, uint32_t target, double success,
                   struct fee_horizon *ret)
{
    const struct horizon *h = &fees->horizons[which];
    double enough = builtin[which].enough / (1 - h->decay);
    struct fee_bucket_range pass = no_range;
    struct fee_bucket_range fail = no_range;
    struct tally tally = {0};
    uint32_t top = fees->buckets_n - 1; /* Of the range. */
    uint32_t best_low = top;
    uint32_t best_high = top;
    bool is_open = false; /* The range has buckets, and no answer yet. */
    bool is_passing = true;
    bool found = false;
    double partial = 0;
    double rate = -1;

    for (uint32_t b = fees->buckets_n; b-- > 0;) {
        if (!is_open)
            top = b;
        is_open = true;
        add_bucket(fees, h, &tally, b, target);
        partial += h->txs[b];
        if (partial < enough)
            continue;
        partial = 0;
        if (tally.confirmed / (tally.all + tally.left + (double)tally.waiting) < success) {
            if (is_passing)
                fail = range_of(fees, &tally, b, top);
            is_passing = false;
            continue;
        }
        fail = no_range;
        is_passing = true;
        found = true;
        pass = range_of(fees, &tally, b, top);
        best_low = b;
        best_high = top;
        tally = (struct tally){0};
        is_open = false;
    }
    if (found)
        rate = middle_rate(h, best_low, best_high);
    if (is_passing && is_open)
        fail = range_of(fees, &tally, 0, top);
    if (ret != NULL)
        *ret = (struct fee_horizon){.name = builtin[which].name,
                                    .is_reached = true,
                                    .decay = h->decay,
                                    .scale = (int32_t)h->scale,
                                    .pass = pass,
                                    .fail = fail};
    return rate;
}

static uint32_t span_now(const struct fees *fees)
{
    return fees->first_height == 0 ? 0 : fees->best_height - fees->first_height;
}

static uint32_t span_then(const struct fees *fees)
{
    if (fees->old_first == 0 || fees->best_height - fees->old_best > HISTORY_MAX)
        return 0;
    return fees->old_best - fees->old_first;
}

/* At the shortest horizon that reaches so far; a shorter one that says less of a shorter
 * time counts too, where asked for. */
static double combined(const struct fees *fees, uint32_t target, double success, bool look_shorter)
{
    uint32_t short_max = target_max(&fees->horizons[SHORT]);
    uint32_t medium_max = target_max(&fees->horizons[MEDIUM]);
    double rate;
    double other;

    if (target < 1 || target > target_max(&fees->horizons[LONG]))
        return -1;
    rate = look(fees,
                target <= short_max    ? SHORT
                : target <= medium_max ? MEDIUM
                                       : LONG,
                target, success, NULL);
    if (look_shorter && target > medium_max) {
        other = look(fees, MEDIUM, medium_max, success, NULL);
        if (other > 0 && (rate == -1 || other < rate))
            rate = other;
    }
    if (look_shorter && target > short_max) {
        other = look(fees, SHORT, short_max, success, NULL);
        if (other > 0 && (rate == -1 || other < rate))
            rate = other;
    }
    return rate;
}

/* What the longer horizons ask for. */
static double conservative(const struct fees *fees, uint32_t target)
{
    double rate = -1;

    if (target <= target_max(&fees->horizons[SHORT]))
        rate = look(fees, MEDIUM, target, DOUBLE_SUCCESS, NULL);
    if (target <= target_max(&fees->horizons[MEDIUM]))
        rate = fmax(rate, look(fees, LONG, target, DOUBLE_SUCCESS, NULL));
    return rate;
}

struct fee_estimate fees_estimate(const struct fees *fees, int32_t target_blocks,
                                  enum fee_mode mode)
{
    struct fee_estimate estimate = {.sat_kvb = -1, .blocks = target_blocks};
    uint32_t longest = target_max(&fees->horizons[LONG]);
    uint32_t target = (uint32_t)target_blocks;
    uint32_t usable = MIN(longest, MAX(span_now(fees), span_then(fees)) / 2);
    double rate;

    if (target_blocks <= 0 || target > longest)
        return estimate;
    /* The next block cannot be promised; nor what has not been seen long enough. */
    target = MIN(MAX(target, 2U), usable);
    estimate.blocks = (int32_t)target;
    if (target <= 1)
        return estimate;
    rate = combined(fees, target / 2, HALF_SUCCESS, true);
    rate = fmax(rate, combined(fees, target, SUCCESS, true));
    rate = fmax(rate, combined(fees, 2 * target, DOUBLE_SUCCESS, mode != FEE_CONSERVATIVE));
    if (mode == FEE_CONSERVATIVE || rate == -1)
        rate = fmax(rate, conservative(fees, 2 * target));
    if (rate >= 0 && llround(rate) > 0)
        estimate.sat_kvb = llround(rate);
    return estimate;
}

int32_t fees_target_max(const struct fees *fees)
{
    return (int32_t)target_max(&fees->horizons[LONG]);
}

size_t fees_estimate_raw(const struct fees *fees, struct fee_horizon ret_horizons[3],
                         int32_t target_blocks, double threshold)
{
    size_t n = 0;

    for (int i = 0; i < HORIZONS; i++) {
        double rate;

        if (target_blocks <= 0 || (uint32_t)target_blocks > target_max(&fees->horizons[i]))
            continue;
        rate = look(fees, i, (uint32_t)target_blocks, threshold, &ret_horizons[n]);
        ret_horizons[n].sat_kvb = rate < 0 || llround(rate) == 0 ? -1 : llround(rate);
        n++;
    }
    return n;
}

/* --- The file ----------------------------------------------------------------------------- */

static void add_le32(struct buf *buf, uint32_t value)
{
    put_le32(buf_extend(buf, 4), value);
}

static void add_double(struct buf *buf, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_le64(buf_extend(buf, 8), bits);
}

static void add_doubles(struct buf *buf, const double *values, uint32_t n)
{
    write_compact_size(buf, n);
    for (uint32_t i = 0; i < n; i++)
        add_double(buf, values[i]);
}

static void add_table(struct buf *buf, const double *values, uint32_t rows, uint32_t columns)
{
    write_compact_size(buf, rows);
    for (uint32_t i = 0; i < rows; i++)
        add_doubles(buf, values + (size_t)i * columns, columns);
}

void fees_write(const struct fees *fees, struct buf *buf)
{
    bool is_longer = span_now(fees) > span_then(fees) / 2;

    add_le32(buf, FILE_VERSION);
    add_le32(buf, fees->best_height);
    add_le32(buf, is_longer ? fees->first_height : fees->old_first);
    add_le32(buf, is_longer ? fees->best_height : fees->old_best);
    add_doubles(buf, fees->buckets, fees->buckets_n);
    for (int i = 0; i < HORIZONS; i++) {
        const struct horizon *h = &fees->horizons[file_order[i]];

        add_double(buf, h->decay);
        add_le32(buf, h->scale);
        add_doubles(buf, h->rates, fees->buckets_n);
        add_doubles(buf, h->txs, fees->buckets_n);
        add_table(buf, h->confirmed, h->periods, fees->buckets_n);
        add_table(buf, h->left, h->periods, fees->buckets_n);
    }
}

static double read_double(struct reader *r)
{
    uint64_t bits = read_le64(r);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static int read_doubles(struct reader *r, double *ret_values, uint32_t n, struct error *err)
{
    if (read_compact_size(r) != n || r->rc < 0)
        return error_set(err, E_MALFORMED, "Corrupt estimates file. Mismatch in bucket count");
    for (uint32_t i = 0; i < n; i++)
        ret_values[i] = read_double(r);
    return r->rc < 0 ? error_set(err, r->rc, "Corrupt estimates file. It ends too early") : 0;
}

static int read_table(struct reader *r, double *ret_values, uint32_t rows, uint32_t columns,
                      struct error *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < rows && rc == 0; i++)
        rc = read_doubles(r, ret_values + (size_t)i * columns, columns, err);
    return rc;
}

static int read_horizon(struct reader *r, struct horizon *h, uint32_t buckets_n, struct error *err)
{
    double *rates = alloc_array(buckets_n, sizeof(*rates));
    double *txs = alloc_array(buckets_n, sizeof(*txs));
    uint64_t periods;
    int rc;

    h->decay = read_double(r);
    h->scale = read_le32(r);
    if (!(h->decay > 0 && h->decay < 1))
        rc = error_set(err, E_MALFORMED,
                       "Corrupt estimates file. Decay must be between 0 and 1 (non-inclusive)");
    else if (h->scale == 0)
        rc = error_set(err, E_MALFORMED, "Corrupt estimates file. Scale must be non-zero");
    else
        rc = read_doubles(r, rates, buckets_n, err);
    if (rc == 0)
        rc = read_doubles(r, txs, buckets_n, err);
    periods = rc == 0 ? read_compact_size(r) : 0;
    if (rc == 0 && (periods == 0 || periods > CONFIRMS_MAX || periods * h->scale > CONFIRMS_MAX))
        rc = error_set(err, E_MALFORMED,
                       "Corrupt estimates file.  Must maintain estimates for between 1 and 1008 "
                       "(one week) confirms");
    if (rc == 0) {
        h->periods = (uint32_t)periods;
        horizon_alloc(h, buckets_n);
        memcpy(h->rates, rates, buckets_n * sizeof(*rates));
        memcpy(h->txs, txs, buckets_n * sizeof(*txs));
        rc = read_table(r, h->confirmed, h->periods, buckets_n, err);
    }
    if (rc == 0 && read_compact_size(r) != h->periods)
        rc = error_set(err, E_MALFORMED,
                       "Corrupt estimates file. Mismatch in confirms tracked for failures");
    if (rc == 0)
        rc = read_table(r, h->left, h->periods, buckets_n, err);
    free(rates);
    free(txs);
    return rc;
}

static int read_buckets(struct reader *r, struct fees *read, struct error *err)
{
    uint64_t n = read_compact_size(r);

    if (r->rc < 0 || n <= 1 || n > BUCKETS_MAX)
        return error_set(err, E_MALFORMED,
                         "Corrupt estimates file. Must have between 2 and 1000 feerate buckets");
    read->buckets_n = (uint32_t)n;
    read->buckets = alloc_array(n, sizeof(*read->buckets));
    for (uint32_t i = 0; i < n; i++) {
        read->buckets[i] = read_double(r);
        /* They are searched by halving. */
        if (r->rc < 0 || !(read->buckets[i] > (i == 0 ? 0 : read->buckets[i - 1])))
            return error_set(err, E_MALFORMED, "Corrupt estimates file. Buckets are not sorted");
    }
    return 0;
}

static int read_all(struct reader *r, struct fees *read, struct error *err)
{
    uint32_t version = read_le32(r);
    int rc;

    if (r->rc == 0 && version != FILE_VERSION)
        return error_set(err, E_MALFORMED,
                         version > FILE_VERSION
                             ? "File version (%u) too high to be read."
                             : "File version (%u) incompatible: Too old to be read",
                         version);
    read->best_height = read_le32(r);
    read->old_first = read_le32(r);
    read->old_best = read_le32(r);
    if (r->rc < 0 || read->old_first > read->old_best || read->old_best > read->best_height)
        return error_set(err, E_MALFORMED,
                         "Corrupt estimates file. Historical block range for estimates is "
                         "invalid");
    rc = read_buckets(r, read, err);
    for (int i = 0; i < HORIZONS && rc == 0; i++)
        rc = read_horizon(r, &read->horizons[file_order[i]], read->buckets_n, err);
    return rc;
}

int fees_read(struct fees *fees, struct span bytes, struct error *err)
{
    struct fees read = {.disk = fees->disk};
    struct fees old = *fees;
    struct reader r;
    int rc;

    reader_init(&r, bytes.data, bytes.len);
    rc = read_all(&r, &read, err);
    if (rc == 0)
        *fees = read;
    else
        old = read;
    for (int i = 0; i < HORIZONS; i++)
        horizon_clear(&old.horizons[i]);
    free(old.buckets);
    return rc;
}
