#include "crypto/sha256.h"

#include <stdio.h>

#include "base/check.h"
#include "crypto/sha256_priv.h"

/* Chosen by sha256_select. */
static sha256_blocks_fn *one_stream = sha256_blocks_portable;
static const struct sha256_lanes *wide_lanes;   /* NULL: none. */
static const struct sha256_lanes *narrow_lanes; /* Where wide_lanes has too many; or NULL. */

const struct sha256_lanes *sha256_lanes_in_use(void)
{
    return wide_lanes;
}

void sha256_init(struct sha256 *hash)
{
    memcpy(hash->state, sha256_initial, sizeof(hash->state));
    hash->len = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
    const uint8_t *at = data;
    size_t held = hash->len % SHA256_BLOCK_BYTES;

    if (len == 0)
        return;
    hash->len += len;
    if (held > 0) {
        size_t take = SHA256_BLOCK_BYTES - held;

        if (take > len)
            take = len;
        memcpy(hash->tail + held, at, take);
        at += take;
        len -= take;
        if (held + take < SHA256_BLOCK_BYTES)
            return;
        one_stream(hash->state, hash->tail, 1);
    }
    one_stream(hash->state, at, len / SHA256_BLOCK_BYTES);
    at += len - len % SHA256_BLOCK_BYTES;
    memcpy(hash->tail, at, len % SHA256_BLOCK_BYTES);
}

void sha256_finish(struct sha256 *hash, uint8_t *ret_digest)
{
    uint8_t padding[2 * SHA256_BLOCK_BYTES] = {0x80};
    size_t held = hash->len % SHA256_BLOCK_BYTES;
    size_t pad = (held < 56 ? 56 : 120) - held;

    put_be64(padding + pad, hash->len * 8);
    sha256_add(hash, padding, pad + 8);
    for (size_t i = 0; i < 8; i++)
        put_be32(ret_digest + 4 * i, hash->state[i]);
}

void sha256(uint8_t *ret_digest, const void *data, size_t len)
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, data, len);
    sha256_finish(&hash, ret_digest);
}

void sha256d_finish(struct sha256 *hash, uint8_t *ret_digest)
{
    uint8_t digest[SHA256_BYTES];

    sha256_finish(hash, digest);
    sha256(ret_digest, digest, sizeof(digest));
}

void sha256d(uint8_t *ret_digest, const void *data, size_t len)
{
    uint8_t digest[SHA256_BYTES];

    sha256(digest, data, len);
    sha256(ret_digest, digest, sizeof(digest));
}

void sha256_tagged_init(struct sha256 *hash, const char *tag)
{
    uint8_t digest[SHA256_BYTES];

    sha256(digest, tag, strlen(tag));
    sha256_init(hash);
    sha256_add(hash, digest, sizeof(digest));
    sha256_add(hash, digest, sizeof(digest));
}

/* --- Many messages: 64 bytes each --- */

/* Fewer inputs than lanes: the rest of the lanes repeat zeros. */
static void double_64_few(const struct sha256_lanes *lanes, uint8_t *ret_digests,
                          const uint8_t *inputs, size_t count)
{
    uint8_t padded[64 * SHA256_LANES_MAX] = {0};
    uint8_t digests[32 * SHA256_LANES_MAX];

    memcpy(padded, inputs, 64 * count);
    lanes->double_64(digests, padded);
    memcpy(ret_digests, digests, 32 * count);
}

void sha256d_64_many(uint8_t *ret_digests, const uint8_t *inputs, size_t count)
{
    while (count > 0) {
        const struct sha256_lanes *lanes = wide_lanes;
        size_t n;

        if (lanes != NULL && count < lanes->least)
            lanes = narrow_lanes;
        if (lanes == NULL || count < lanes->least) {
            n = 1;
            sha256d(ret_digests, inputs, 64);
        } else if (count < lanes->lanes) {
            n = count;
            double_64_few(lanes, ret_digests, inputs, n);
        } else {
            n = lanes->lanes;
            lanes->double_64(ret_digests, inputs);
        }
        ret_digests += 32 * n;
        inputs += 64 * n;
        count -= n;
    }
}

/* --- Many messages: any lengths --- */

/* A message being cut into blocks. Whole blocks that lie in one piece are handed
 * out where they are; others are put together in block. */
struct cutter {
    const uint8_t *at; /* In the present piece. */
    size_t left;       /* Of it, bytes. */
    const struct span *next;
    const struct span *end;
    uint64_t message_len;
    bool is_marked; /* The byte behind the message was written. */
    uint8_t block[SHA256_BLOCK_BYTES];
};

static uint64_t message_len(const struct sha256_job *job)
{
    return (uint64_t)job->piece[0].len + job->piece[1].len + job->piece[2].len;
}

static uint64_t blocks_of(uint64_t len)
{
    return (len + 8) / SHA256_BLOCK_BYTES + 1;
}

static void cutter_init(struct cutter *c, const struct sha256_job *job)
{
    c->at = job->piece[0].data;
    c->left = job->piece[0].len;
    c->next = job->piece + 1;
    c->end = job->piece + ARRAY_LEN(job->piece);
    c->message_len = message_len(job);
    c->is_marked = false;
}

static const uint8_t *put_together(struct cutter *c)
{
    size_t held = 0;

    for (;;) {
        size_t take = MIN(SHA256_BLOCK_BYTES - held, c->left);

        if (take > 0)
            memcpy(c->block + held, c->at, take);
        held += take;
        c->left -= take;
        c->at = take > 0 ? c->at + take : c->at;
        if (held == SHA256_BLOCK_BYTES)
            return c->block;
        if (c->next == c->end)
            break;
        c->at = c->next->data;
        c->left = c->next->len;
        c->next++;
    }
    if (!c->is_marked) {
        c->is_marked = true;
        c->block[held++] = 0x80;
    }
    memset(c->block + held, 0, SHA256_BLOCK_BYTES - held);
    if (held <= SHA256_BLOCK_BYTES - 8)
        put_be64(c->block + SHA256_BLOCK_BYTES - 8, c->message_len * 8);
    return c->block;
}

static inline const uint8_t *next_block(struct cutter *c)
{
    const uint8_t *block = c->at;

    if (c->left < SHA256_BLOCK_BYTES)
        return put_together(c);
    c->at += SHA256_BLOCK_BYTES;
    c->left -= SHA256_BLOCK_BYTES;
    return block;
}

/* The messages of one run through the lanes, longest first. */
struct group {
    const struct sha256_lanes *lanes;
    const struct sha256_job *job[SHA256_LANES_MAX];
    uint64_t blocks[SHA256_LANES_MAX]; /* Still to go. */
    size_t n;
    struct cutter cutter[SHA256_LANES_MAX];
    uint8_t digest[SHA256_LANES_MAX][SHA256_BLOCK_BYTES]; /* Padded for the second hash. */
    uint32_t state[8 * SHA256_LANES_MAX] __attribute__((aligned(64)));
};

static uint32_t *state_word(struct group *g, size_t lane, size_t word)
{
    return &g->state[word * g->lanes->word_stride + lane * g->lanes->lane_stride];
}

static void set_initial(struct group *g)
{
    for (size_t word = 0; word < 8; word++) {
        for (size_t lane = 0; lane < g->lanes->lanes; lane++)
            *state_word(g, lane, word) = sha256_initial[word];
    }
}

static void take_digest(struct group *g, size_t lane, uint8_t *ret_digest)
{
    for (size_t word = 0; word < 8; word++)
        put_be32(ret_digest + 4 * word, *state_word(g, lane, word));
}

/* The few messages left over, much longer than the others, one by one. */
static void finish_alone(struct group *g, size_t lane)
{
    uint32_t state[8];

    for (size_t word = 0; word < 8; word++)
        state[word] = *state_word(g, lane, word);
    while (g->blocks[lane] > 0) {
        struct cutter *c = &g->cutter[lane];
        size_t n = MAX(c->left / SHA256_BLOCK_BYTES, (size_t)1);
        const uint8_t *blocks = next_block(c);

        if (n > 1) {
            c->at += (n - 1) * SHA256_BLOCK_BYTES;
            c->left -= (n - 1) * SHA256_BLOCK_BYTES;
        }
        one_stream(state, blocks, n);
        g->blocks[lane] -= n;
    }
    for (size_t word = 0; word < 8; word++)
        put_be32(g->digest[lane] + 4 * word, state[word]);
}

static void first_hashes(struct group *g)
{
    static const uint8_t nothing[SHA256_BLOCK_BYTES];
    size_t active = g->n;

    set_initial(g);
    while (active >= g->lanes->least) {
        const uint8_t *blocks[SHA256_LANES_MAX];

        for (size_t lane = 0; lane < active; lane++)
            blocks[lane] = next_block(&g->cutter[lane]);
        for (size_t lane = active; lane < g->lanes->lanes; lane++)
            blocks[lane] = nothing;
        g->lanes->step(g->state, blocks);
        for (size_t lane = 0; lane < active; lane++)
            g->blocks[lane]--;
        /* The shortest ends first. */
        while (active > 0 && g->blocks[active - 1] == 0) {
            active--;
            take_digest(g, active, g->digest[active]);
        }
    }
    for (size_t lane = 0; lane < active; lane++)
        finish_alone(g, lane);
}

static void run_group(struct group *g)
{
    const uint8_t *blocks[SHA256_LANES_MAX];

    for (size_t lane = 0; lane < g->n; lane++) {
        cutter_init(&g->cutter[lane], g->job[lane]);
        g->blocks[lane] = blocks_of(g->cutter[lane].message_len);
    }
    first_hashes(g);
    for (size_t lane = 0; lane < g->lanes->lanes; lane++) {
        size_t source = lane < g->n ? lane : 0;

        blocks[lane] = g->digest[source];
        g->digest[lane][SHA256_BYTES] = 0x80;
        memset(g->digest[lane] + SHA256_BYTES + 1, 0, SHA256_BYTES - 1);
        put_be64(g->digest[lane] + SHA256_BLOCK_BYTES - 8, 8 * SHA256_BYTES);
    }
    set_initial(g);
    g->lanes->step(g->state, blocks);
    for (size_t lane = 0; lane < g->n; lane++)
        take_digest(g, lane, g->job[lane]->ret_digest);
}

static void double_alone(const struct sha256_job *job)
{
    struct sha256 hash;

    sha256_init(&hash);
    for (size_t k = 0; k < ARRAY_LEN(job->piece); k++)
        sha256_add(&hash, job->piece[k].data, job->piece[k].len);
    sha256d_finish(&hash, job->ret_digest);
}

#define BATCH 1024
#define SIZES 64

/* Counting sort by blocks, most first; all from SIZES on count as equally long. */
static void sort_batch(uint16_t *ret_order, const struct sha256_job *jobs, size_t count)
{
    uint16_t at[SIZES + 1] = {0};
    uint8_t size[BATCH];

    for (size_t i = 0; i < count; i++) {
        uint64_t blocks = blocks_of(message_len(&jobs[i]));

        size[i] = (uint8_t)(SIZES - MIN(blocks, (uint64_t)SIZES));
        at[size[i] + 1]++;
    }
    for (size_t i = 1; i <= SIZES; i++)
        at[i] = (uint16_t)(at[i] + at[i - 1]);
    for (size_t i = 0; i < count; i++)
        ret_order[at[size[i]]++] = (uint16_t)i;
}

/* Longest first, by insertion: jobs come nearly sorted. */
static void group_add(struct group *g, const struct sha256_job *job)
{
    uint64_t len = message_len(job);
    size_t at = g->n++;

    for (; at > 0 && message_len(g->job[at - 1]) < len; at--)
        g->job[at] = g->job[at - 1];
    g->job[at] = job;
}

void sha256d_many(const struct sha256_job *jobs, size_t count)
{
    struct group g;

    while (count > 0) {
        uint16_t order[BATCH];
        size_t batch = MIN(count, (size_t)BATCH);
        size_t done = 0;

        sort_batch(order, jobs, batch);
        while (done < batch) {
            g.lanes = wide_lanes;
            if (g.lanes != NULL && batch - done < g.lanes->least)
                g.lanes = narrow_lanes;
            if (g.lanes == NULL || batch - done < g.lanes->least) {
                double_alone(&jobs[order[done++]]);
                continue;
            }
            g.n = 0;
            while (g.n < g.lanes->lanes && done < batch)
                group_add(&g, &jobs[order[done++]]);
            run_group(&g);
        }
        jobs += batch;
        count -= batch;
    }
}

/* --- The choice --- */

void sha256_use(sha256_blocks_fn *blocks, const struct sha256_lanes *wide,
                const struct sha256_lanes *narrow)
{
    one_stream = blocks;
    wide_lanes = wide;
    narrow_lanes = narrow;
}

/* The bytes that engines are tried on: neither random nor regular. */
static void fill_sample(uint8_t *ret_data, size_t len)
{
    uint32_t x = 0x9e3779b9;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        ret_data[i] = (uint8_t)(x >> 24);
    }
}

bool sha256_blocks_agree(sha256_blocks_fn *blocks)
{
    uint8_t sample[7 * SHA256_BLOCK_BYTES + 1];
    uint32_t got[8];
    uint32_t want[8];

    fill_sample(sample, sizeof(sample));
    for (size_t count = 0; count <= 7; count++) {
        memcpy(got, sha256_initial, sizeof(got));
        memcpy(want, sha256_initial, sizeof(want));
        blocks(got, sample + count % 2, count);
        sha256_blocks_portable(want, sample + count % 2, count);
        if (memcmp(got, want, sizeof(got)) != 0)
            return false;
    }
    return true;
}

bool sha256_lanes_agree(const struct sha256_lanes *lanes)
{
    uint8_t sample[SHA256_LANES_MAX * SHA256_BLOCK_BYTES + 1];
    uint32_t state[8 * SHA256_LANES_MAX] __attribute__((aligned(64)));
    const uint8_t *blocks[SHA256_LANES_MAX];
    uint8_t digests[SHA256_LANES_MAX * SHA256_BYTES];
    bool same = true;

    fill_sample(sample, sizeof(sample));
    for (size_t lane = 0; lane < lanes->lanes; lane++) {
        blocks[lane] = sample + 1 + SHA256_BLOCK_BYTES * lane;
        for (size_t word = 0; word < 8; word++)
            state[word * lanes->word_stride + lane * lanes->lane_stride] =
                get_le32(sample + 32 * lane + 4 * word);
    }
    lanes->step(state, blocks);
    lanes->double_64(digests, sample + 1);
    for (size_t lane = 0; lane < lanes->lanes; lane++) {
        uint32_t want[8];
        uint8_t digest[SHA256_BYTES];

        for (size_t word = 0; word < 8; word++)
            want[word] = get_le32(sample + 32 * lane + 4 * word);
        sha256_blocks_portable(want, blocks[lane], 1);
        for (size_t word = 0; word < 8; word++)
            same =
                same && want[word] == state[word * lanes->word_stride + lane * lanes->lane_stride];
        sha256d(digest, blocks[lane], SHA256_BLOCK_BYTES);
        same = same && memcmp(digest, digests + 32 * lane, SHA256_BYTES) == 0;
    }
    return same && sha256_scan_agrees(lanes);
}

static const struct sha256_lanes *if_good(const struct sha256_lanes *lanes)
{
    return lanes != NULL && sha256_lanes_agree(lanes) ? lanes : NULL;
}

/* Of what was chosen, for people. */
static char name[64] = "portable";

const char *sha256_engine(void)
{
    return name;
}

const char *sha256_select(bool allow_vector)
{
    sha256_blocks_fn *blocks = NULL;
    const struct sha256_lanes *shani = NULL;
    const struct sha256_lanes *wide = NULL;

    sha256_use(sha256_blocks_portable, NULL, NULL);
    (void)snprintf(name, sizeof(name), "portable");
    if (!allow_vector)
        return name;
    blocks = sha256_blocks_shani();
    if (blocks != NULL && !sha256_blocks_agree(blocks))
        blocks = NULL;
    shani = if_good(sha256_lanes_shani());
    wide = if_good(sha256_lanes_avx512());
    /* Eight lanes of AVX2 are slower than four streams of SHA-NI. */
    if (wide == NULL && shani == NULL)
        wide = if_good(sha256_lanes_avx2());
    sha256_use(blocks == NULL ? sha256_blocks_portable : blocks, wide == NULL ? shani : wide,
               wide == NULL ? NULL : shani);
    (void)snprintf(name, sizeof(name), "%s%s%s", blocks == NULL ? "portable" : "sha-ni",
                   wide == NULL ? "" : " and ", wide == NULL ? "" : wide->name);
    return name;
}
