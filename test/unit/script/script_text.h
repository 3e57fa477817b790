/* What the published vectors write scripts, flags and results with. Helpers of
 * this room's tests. */
#ifndef TEST_SCRIPT_TEXT_H
#define TEST_SCRIPT_TEXT_H

#include "base/bytes.h"
#include "base/verdict.h"
#include "codec/json.h"
#include "primitives/tx.h"
#include "script/flags.h"
#include "script/script.h"
#include "script/sighash.h"
#include "test.h"

#define ALL_FLAGS ((UINT64_C(1) << SCRIPT_FLAG_BITS) - 1)

/* "1 0x02 'abc' DUP HASH160": appended to script. Aborts on anything else. */
void script_from_text(struct buf *script, const char *text);
/* "P2SH,WITNESS"; "", "NONE" and "BADTX" are no flags. Aborts on an unknown one. */
uint64_t flags_from_text(const char *text);
/* Add what the rules need, or take away what lacks its ground. */
uint64_t flags_fill(uint64_t flags);
uint64_t flags_trim(uint64_t flags);
/* "OK", "EVAL_FALSE", ... Aborts on an unknown one. */
enum verdict verdict_from_text(const char *text);
const char *verdict_text(enum verdict verdict);

/* Hexadecimal text as bytes from arena. Aborts on anything else. */
struct span bytes_from_hex(const char *text, struct arena *arena);

/* Reads a vector file; false, after test_skip, where it is missing. */
bool load_vectors(struct json *ret_root, const char *relative, struct arena *arena);

/* Reads a transaction from hex; aborts if it is none. */
void tx_from_hex(struct tx *ret_tx, const char *text, struct arena *arena);

/* A transaction with its cache, ready to be verified. */
struct ready_spend {
    struct sighash_cache cache;
    struct spend spend;
};
void ready_spend_init(struct ready_spend *ready, const struct tx *tx, const struct tx_out *spent,
                      struct arena *arena);

/* The verdict of script_verify_input, after the same input has gone through a batch
 * (script/sig_batch.h) with a few of its likes, whose verdict must be the same. */
enum verdict verify_both_ways(const struct spend *spend, uint32_t in_index, uint64_t flags);

#endif /* TEST_SCRIPT_TEXT_H */
