/** A chain of headers: proof of work, difficulty, time, most work wins. */
#ifndef ASSAY_HEADERS_H
#define ASSAY_HEADERS_H

#include <assay/block.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A tree of headers in memory. One thread at a time. */
struct assay_headers;

/** One header of the tree, by value. */
struct assay_header_info {
    struct assay_header header;
    uint8_t hash[ASSAY_HASH_BYTES];
    int32_t height;
    uint32_t median_time_past; /**< Of the eleven blocks up to and with this one. */
    uint8_t chainwork[32];     /**< Big-endian, as shown. */
};

/** A tree that holds the genesis block of a network.
 *  Returns: the tree, never NULL; release with assay_headers_free. */
ASSAY_API struct assay_headers *assay_headers_new(const struct assay_params *params)
    ASSAY_NONNULL(1);

ASSAY_API void assay_headers_free(struct assay_headers *own_headers);

/** Offer one header; a header known already is VALID again.
 *
 *  Returns: ASSAY_OK, or ASSAY_E_LIMIT when the tree is full (2^24 headers).
 *  Out: ret_verdict: ASSAY_V_VALID: it is in the tree now; ASSAY_V_PREV_NOT_FOUND: its
 *                    parent is not; else the rule it breaks.
 *  In:  bytes:       ASSAY_HEADER_BYTES.
 *       now_s:       the time that "two hours ahead" is measured from. */
ASSAY_API ASSAY_NODISCARD int assay_headers_accept(struct assay_headers *headers,
                                                   enum assay_verdict *ret_verdict,
                                                   const uint8_t *bytes, int64_t now_s,
                                                   struct assay_error *err) ASSAY_NONNULL(1, 2, 3);

/** The header with the most work behind it. */
ASSAY_API void assay_headers_best(struct assay_header_info *ret_info,
                                  const struct assay_headers *headers) ASSAY_NONNULL(1, 2);

/** Returns: ASSAY_OK, or ASSAY_E_NOT_FOUND: no header with that hash. */
ASSAY_API ASSAY_NODISCARD int assay_headers_find(struct assay_header_info *ret_info,
                                                 const struct assay_headers *headers,
                                                 const uint8_t *hash) ASSAY_NONNULL(1, 2, 3);

/** The block at a height of the best branch.
 *  Returns: ASSAY_OK, or ASSAY_E_NOT_FOUND above the best header or below 0. */
ASSAY_API ASSAY_NODISCARD int assay_headers_at(struct assay_header_info *ret_info,
                                               const struct assay_headers *headers, int32_t height)
    ASSAY_NONNULL(1, 2);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_HEADERS_H */
