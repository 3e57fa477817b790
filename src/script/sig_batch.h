/* Inputs verified with their signatures checked together, by crypto/sigbatch.
 *
 * Each input is evaluated with every signature check taken to hold. If that finds it
 * valid, its checks wait for the batch; once all of them have held, the evaluation was
 * the true one and the input is valid. Everything else (a check that fails, an input
 * that is invalid even so) is verified again, one check at a time, by libsecp256k1,
 * whose verdict counts. So a verdict is never another one than script_verify_input's.
 *
 * Nothing is gained by an input whose evaluation did not count. So that nobody can make
 * a block of such inputs to slow us down, an input that asks for more than
 * SIG_BATCH_CHECKS_PER_INPUT is verified exactly, and after too many inputs in vain all
 * are, for a while.
 *
 * Owner: one thread a batch. Bounded: SIG_BATCH_CHECKS checks and as many inputs.
 */
#ifndef SCRIPT_SIG_BATCH_H
#define SCRIPT_SIG_BATCH_H

#include "script/script.h"

#define SIG_BATCH_CHECKS 256
#define SIG_BATCH_CHECKS_PER_INPUT 64

struct sig_batch;

/* Told once for each input offered: at once, in a later sig_batch_input, or in
 * sig_batch_settle. tag is what the input was offered with. */
typedef void sig_batch_done_fn(void *context, void *tag, uint32_t in_index, enum verdict verdict);

/* Never NULL; release with sig_batch_free, which expects that all is settled. */
struct sig_batch *sig_batch_new(sig_batch_done_fn *done, void *context);
void sig_batch_free(struct sig_batch *own_batch);

/* Verify one input. spend, with all it points to, is borrowed until done was told;
 * its engine is not used. */
void sig_batch_input(struct sig_batch *batch, const struct spend *spend, uint32_t in_index,
                     uint64_t flags, void *tag);

/* Check what waits, so that every input offered is told. */
void sig_batch_settle(struct sig_batch *batch);

/* Inputs that wait. */
size_t sig_batch_waiting(const struct sig_batch *batch);

/* Signatures checked so far, for what is shown of the progress; an input that was
 * verified by itself counts as one. Any thread. */
uint64_t sig_batch_checked(const struct sig_batch *batch);

#endif /* SCRIPT_SIG_BATCH_H */
