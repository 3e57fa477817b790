/* One block held against the rules, without the chain it belongs to: as far as
 * what is given allows. For assay-verify.
 */
#ifndef APP_VERIFY_BLOCK_H
#define APP_VERIFY_BLOCK_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "consensus/rules.h"

/* A block, and everything longer, that is larger than this is not read. */
#define VERIFY_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct verify_request {
    const struct params *params;
    int32_t height;
    struct span block; /* Serialized, with witness. */
    /* The outputs it spends: for each transaction but the coinbase, for each input,
     * value (8 bytes), length, script. data NULL: not known. */
    struct span undo;
    /* Where those come from: a line of JSON for each, with "height", "coinbase" and,
     * where known, "mtp" (median time past of the block before the one that made
     * it), or "inblock": true for one that the block itself makes. data NULL: not
     * known. Only with undo. */
    struct span coins;
    bool has_prev_mtp;
    uint32_t prev_mtp;  /* Median time past of its parent. */
    unsigned threads_n; /* That verify scripts beside the caller. */
    bool skip_pow;      /* Tests make blocks whose work nobody has done. */
};

/* A broken rule, with the transaction's id where it is about one. */
struct verify_finding {
    struct finding finding;
    struct txid txid;
};

struct verify_report {
    struct block_hash hash;
    uint32_t tx_n;
    uint64_t inputs_n;  /* But the coinbase's. */
    uint64_t scripts_n; /* Of those, verified. */
    bool fees_known;
    int64_t fees_sat;
    struct buf checked; /* Lines of text. */
    struct buf unchecked;
    struct verify_finding *findings; /* Owned. */
    size_t findings_n;
    size_t capacity;
};

/* Returns: 0; E_TRUNCATED, E_MALFORMED when block, undo or coins cannot be read,
 *          E_LIMIT when undo and coins do not fit the block, E_IO without threads.
 * Out:     ret_report: release with verify_report_clear, also after a failure. */
NODISCARD int verify_block(struct verify_report *ret_report, const struct verify_request *request,
                           struct error *err);
void verify_report_clear(struct verify_report *report);

/* Was every script verified? */
bool verify_report_complete(const struct verify_report *report);

/* The report for people, at the end of buf. */
void verify_report_write(struct buf *buf, const struct verify_report *report,
                         const struct verify_request *request);

#endif /* APP_VERIFY_BLOCK_H */
