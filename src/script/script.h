/* Script: does an input satisfy the output it spends?
 *
 * Pure: no I/O, no clock, no chain state; equal arguments give equal verdicts.
 * Any number of threads may verify inputs of the same transaction at once.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include "base/error.h"
#include "base/verdict.h"
#include "primitives/coin.h"
#include "primitives/tx.h"
#include "script/flags.h"

struct sighash_cache; /* Per-transaction midstates, script/sighash.h. */
struct sig_cache;     /* Salted cache of good signatures, script/sig_cache.h. */
struct sig_engine;    /* Who checks signatures, script/sig_engine.h. */

/* One transaction with every output it spends: what all its inputs share. All
 * borrowed. */
struct spend {
    const struct tx *tx;
    const struct tx_out *spent;          /* tx->in_n outputs, in input order. */
    const struct sighash_cache *sighash; /* Prepared by sighash_cache_init; not NULL. */
    struct sig_cache *sig_cache;         /* Asked before the engine. May be NULL. */
    bool sig_cache_store;                /* Keep what the engine finds good? */
    const struct sig_engine *engine;     /* NULL: sig_engine_default. */
};

/* Some rules only make sense on top of others: WITNESS needs P2SH, CLEANSTACK
 * needs both (so that no set of flags stops being a soft fork of a smaller one),
 * and there are no bits beyond the list. */
bool script_flags_are_valid(uint64_t flags);

/* Decide whether one input satisfies the output it spends, under exactly the
 * rules in flags (script/flags.h), for which script_flags_are_valid must hold.
 * Uses about 70 KiB of the thread's stack and allocates nothing.
 *
 * Returns: V_VALID or the first rule that was broken (a V_SCRIPT_*). */
enum verdict script_verify_input(const struct spend *spend, uint32_t in_index, uint64_t flags);

/* The check behind it, for tests of bare scripts. witness bottom of the stack
 * first. */
enum verdict script_verify(const struct spend *spend, uint32_t in_index, struct span script_sig,
                           struct span script_pubkey, const struct span *witness,
                           uint32_t witness_n, uint64_t flags);

/* Signature operations as consensus counts them. accurate: a multisig after
 * OP_1..OP_16 counts that many keys, otherwise 20. */
uint32_t script_sigops(struct span script, bool accurate);

/* Those of all scripts that a transaction itself carries, multisigs as 20 keys. */
uint32_t tx_legacy_sigops(const struct tx *tx);

/* Sigops cost of one transaction under BIP 141 (legacy and P2SH times four, v0
 * witness as is); spent may be NULL for a coinbase. */
uint64_t tx_sigops_cost(const struct tx *tx, const struct tx_out *spent, uint64_t flags);

#endif /* SCRIPT_SCRIPT_H */
