/* Judging transactions: what the files accept, replace, truc and package share.
 *
 * A trial judges one transaction, or several together. Its attempts are looked at one by
 * one (cheap rules first), then staged in the graph, then their scripts are run, then
 * they enter the mempool or nothing has happened.
 */
#ifndef MEMPOOL_ACCEPT_PRIV_H
#define MEMPOOL_ACCEPT_PRIV_H

#include "consensus/rules.h"
#include "mempool/mempool_priv.h"
#include "script/script.h"
#include "script/sighash.h"

#define REPLACED_CLUSTERS_MAX 100U

struct attempt {
    const struct tx_ref *ref;
    const struct tx *tx;
    struct tx_result *result;
    struct entry *entry; /* Owned until it is in the mempool. */
    struct coin *coins;  /* One for each input. */
    struct tx_out *spent;
    struct sighash_cache sighash;
    bool has_sighash;
    /* In the mempool, by txid, each once. conflicts: spend what it spends, or make room
     * for it as a sibling. */
    struct entry **conflicts;
    size_t conflicts_n;
    struct entry **parents;
    size_t parents_n;
    bool evicts_sibling;
    int64_t fee_sat;
    int64_t modified_fee_sat;
    int64_t vsize;
};

struct trial {
    struct mempool *pool;
    const struct accept_args *args;
    struct arena arena;
    struct attempt *attempts; /* Parents first. */
    size_t attempts_n;
    bool is_staged;
    bool replaces; /* Some attempt has conflicts. */
    int64_t fee_sum_sat;
    int64_t vsize_sum;
    /* Conflicts with all that descends from them. */
    struct entry **doomed;
    size_t doomed_n;
    int64_t doomed_fee_sat;
    int64_t doomed_vsize;
};

/* Makes result a refusal; returns false, for judges to return. */
bool attempt_refuse(struct attempt *attempt, enum tx_cause cause, const char *reason,
                    const char *detail, ...) PRINTF_LIKE(4, 5);
/* Reaches the feerate that is asked at present? If not, fills in the reason. */
bool fee_is_enough(struct mempool *pool, struct tx_result *result, int64_t fee_sat, int64_t vsize);
/* Whole satoshi for 1,000 vbytes, rounded down. */
int64_t rate_sat_kvb(int64_t fee_sat, int64_t vsize);
void result_set_rate(struct tx_result *result, int64_t fee_sat, int64_t vsize,
                     const struct attempt *attempts, size_t attempts_n);

/* What happens to an attempt before others are looked at: all rules but those about what it
 * replaces, clusters and scripts. *ret_ok false: result says why. */
NODISCARD int attempt_precheck(struct trial *trial, struct attempt *attempt, bool *ret_ok,
                               struct error *err);
bool attempt_check_scripts(struct trial *trial, struct attempt *attempt);
/* The relative locks of tx, in the block after the tip. */
bool accept_locks_hold(const struct mempool *pool, const struct tx *tx, const struct coin *coins,
                       struct arena *arena);
/* fee / vsize > limit, exactly. */
bool rate_is_above(int64_t fee_sat, int64_t vsize, int64_t limit_sat_kvb);
/* Sweep all dust of parents? Of all attempts. *ret_bad: the first that does not. */
bool trial_sweeps_dust(struct trial *trial, struct attempt **ret_bad);

void trial_init(struct trial *trial, struct mempool *pool, const struct accept_args *args,
                const struct tx_ref *const *txs, struct tx_result *results, size_t n);
void trial_clear(struct trial *trial);
/* Puts additions and removals into the staged graph. Lock held. */
void trial_stage(struct trial *trial);
bool trial_fits(struct trial *trial); /* Staged; lock held. */
/* The staged level becomes true; entries enter the tables, what is replaced leaves. */
void trial_finalize(struct trial *trial);
/* Tells followers and fees of an entry that has stayed. Lock held. */
void attempt_announce(struct trial *trial, struct attempt *attempt);

/* --- replace.c; lock held ------------------------------------------------------- */

/* Rule by rule: not too many clusters, fees, diagram. Stages. */
bool replace_check_one(struct trial *trial, struct attempt *attempt);
/* For a package. False: ret_reason and ret_detail (TX_REASON_MAX, TX_DETAIL_MAX) say why. */
bool replace_check_package(struct trial *trial, char *ret_reason, char *ret_detail);

/* "1.23", at least two decimals: amounts in reject details. */
struct money_text {
    char text[32];
};
struct money_text money_text(int64_t amount_sat);

/* --- truc.c; lock held ------------------------------------------------------------ */

#define TRUC_VERSION 3U
#define TRUC_VSIZE_MAX 10000
#define TRUC_CHILD_VSIZE_MAX 1000
#define TRUC_DETAIL_MAX TX_DETAIL_MAX

/* BIP 431 against the mempool. False: ret_detail says why; *ret_sibling: evicting it would
 * make it right, else NULL. */
bool truc_check_one(struct mempool *pool, const struct attempt *attempt, char *ret_detail,
                    struct entry **ret_sibling);
/* Against mempool and package. */
bool truc_check_in_package(struct trial *trial, const struct attempt *attempt, char *ret_detail);

#endif /* MEMPOOL_ACCEPT_PRIV_H */
