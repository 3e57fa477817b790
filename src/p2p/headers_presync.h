/* Headers of a peer whose chain has not shown enough work yet, without storing them.
 *
 * They are fetched twice. The first time only their work is added up, and of every
 * stride-th header one bit of a salted hash is kept (which headers, nobody but us
 * knows). Once the work is enough the peer sends them again from the start: now the
 * bits are held against what comes, and a header is given out when so many bits
 * behind it have been right that another chain than the one seen before would have
 * been noticed.
 *
 * Memory: one bit for each stride of the longest chain that could exist by now (some
 * 600 KB), and in the second pass window + HEADERS_N_MAX headers of 48 bytes (some
 * 830 KB). Pure; belongs to the thread of its caller.
 */
#ifndef P2P_HEADERS_PRESYNC_H
#define P2P_HEADERS_PRESYNC_H

#include "consensus/params.h"
#include "consensus/pow.h"
#include "crypto/siphash.h"
#include "headers/tree.h"
#include "primitives/header.h"

enum presync_phase {
    PRESYNC_COUNT,   /* First pass. */
    PRESYNC_RECEIVE, /* Second pass. */
    PRESYNC_OVER     /* Ended, well or not: nothing more can be fed. */
};

/* How often a bit is kept, and how many headers wait behind the one given out. */
struct presync_limits {
    uint32_t stride;
    uint32_t window;
};
struct presync_limits presync_limits_of(const struct params *params) NONNULL(1);

struct presync_options {
    const struct params *params;     /* Borrowed for the life of the presync. */
    const struct header_node *start; /* What the peer's headers build on. */
    struct u256 work_wanted;
    struct presync_limits limits;
    struct siphash_key salt; /* Random, of this presync only. */
    uint32_t offset;         /* Random, below limits.stride. */
    int64_t now_s;
};

struct presync;

struct presync *presync_new(const struct presync_options *options) NONNULL(1);
void presync_free(struct presync *own_presync); /* NULL is fine. */

struct presync_result {
    bool is_ok;             /* The headers were what could be expected. */
    bool wants_more;        /* Ask the peer again: presync_locator. Else it is over. */
    struct header *headers; /* Proven: to be judged fully. Owned by the caller; may be NULL. */
    size_t headers_n;
    char note[192]; /* What is worth a line in the log, in Core's words; "" if nothing. */
};

/* The next headers of the peer: n > 0, continuous, each with the work its bits claim.
 * hashes: theirs. is_full: the message held as many as one can, more may follow. */
void presync_feed(struct presync *presync, struct presync_result *ret_result,
                  const struct header *headers, const struct block_hash *hashes, size_t n,
                  bool is_full) NONNULL(1, 2, 3, 4);

/* Where the peer shall go on: LOCATOR_MAX + 1 hashes at most; returns how many. */
size_t presync_locator(const struct presync *presync, struct block_hash *ret_hashes) NONNULL(1, 2);

enum presync_phase presync_phase_of(const struct presync *presync) NONNULL(1);
/* Of the first pass. */
int64_t presync_height(const struct presync *presync) NONNULL(1);
uint32_t presync_time(const struct presync *presync) NONNULL(1);
struct u256 presync_work(const struct presync *presync) NONNULL(1);
/* Bytes held at present. */
size_t presync_memory(const struct presync *presync) NONNULL(1);
/* The greatest number of bits it will ever keep. */
uint64_t presync_bits_max(const struct presync *presync) NONNULL(1);

#endif /* P2P_HEADERS_PRESYNC_H */
