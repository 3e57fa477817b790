/* An engine (script/sig_engine.h) that remembers what it was asked of late, and the answer,
 * good or not. For scripts that are run twice under two sets of flags: the keys that a
 * multisig tries in vain and the tweaks of taproot, which no cache of good signatures
 * holds, cost their curves once. Questions are compared whole, so an answer is always the
 * answer to just that question.
 *
 * Owner: one thread at a time. Bounded: the first SIG_MEMO_QUESTIONS since it was reset are
 * remembered.
 */
#ifndef SCRIPT_SIG_MEMO_H
#define SCRIPT_SIG_MEMO_H

#include "script/sig_engine.h"

#define SIG_MEMO_QUESTIONS 256

struct sig_memo;

/* inner: who answers what is not remembered; borrowed. Never NULL; release with
 * sig_memo_free. */
struct sig_memo *sig_memo_new(const struct sig_engine *inner);
void sig_memo_free(struct sig_memo *own_memo);

/* Forget all. */
void sig_memo_reset(struct sig_memo *memo);
/* Lives as long as the memo. */
const struct sig_engine *sig_memo_engine(const struct sig_memo *memo);

#endif /* SCRIPT_SIG_MEMO_H */
