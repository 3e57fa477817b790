/* One block on its way into the chain, with everything that is worked out about
 * it: private to the chain room.
 *
 * A body is prepared by a worker (parse, ids, checks that need no coins, which
 * prevouts the coins must be asked for), applied to the coins by the chain
 * thread, and then judged by workers in pieces. It belongs to one thread at a
 * time: the chain thread, but for the work it has given to the pool. Memory is
 * kept when a body is used again.
 */
#ifndef CHAIN_BODY_PRIV_H
#define CHAIN_BODY_PRIV_H

#include "base/arena.h"
#include "chain/block_files.h"
#include "coins/coins.h"
#include "consensus/rules.h"
#include "headers/tree.h"
#include "os/thread.h"
#include "primitives/block.h"
#include "script/script.h"
#include "script/sig_batch.h"

struct body;

/* A run of transactions, or some inputs of one large transaction. */
struct body_piece {
    struct work work;
    struct body *body;
    uint32_t tx_from;
    uint32_t tx_end;
    uint32_t in_from; /* Of tx_from; the others are taken whole. */
    uint32_t in_end;  /* UINT32_MAX: all. */
    /* Out. */
    bool is_suspicious; /* Amounts, sigops or locks: body_judge decides. */
    struct block_tally tally;
    struct finding script; /* verdict V_VALID: no script failed. */
};

struct body {
    struct header_node *node;
    const struct params *params;
    struct sig_cache *sig_cache;     /* May be NULL. */
    struct sig_batch **batches;      /* One for each worker; made with body_script_done. */
    const struct block_files *files; /* Read from here first; NULL: bytes are filled. */
    uint64_t salt;
    struct buf bytes;   /* The block, serialized. */
    struct arena arena; /* All arrays below. */
    struct block block;
    bool check_pow;    /* Off for templates. */
    bool check_merkle; /* Off for templates. */

    /* From body_check, body_prepare. */
    bool is_checked; /* By body_check: read, and the rules that need no chain asked. */
    struct work work;
    struct work_group prepared;
    int rc; /* An error of this machine; then err says more. */
    struct error err;
    struct finding finding; /* verdict V_VALID: good as far as it goes without coins. */
    uint32_t in_n;          /* Without the coinbase's. */
    uint32_t *in_first;     /* tx_n: where a transaction's inputs begin. */
    struct coin *coins;     /* in_n: what each input spends. */
    struct tx_out *spent;   /* in_n: the same for scripts. */
    struct outpoint *spends;
    uint32_t *spends_at; /* spends_n: which input each is for. */
    uint32_t spends_n;
    struct outpoint *adds;
    struct coin *add_coins;
    uint32_t adds_n;
    uint32_t misplaced; /* First input that spends a later output of the block, or one
                           already spent in it; UINT32_MAX: none. */
    struct block_place place;

    /* From the chain thread. */
    bool skip_scripts;
    bool is_trial;      /* To be taken back: leaves nothing behind. */
    bool is_repeat;     /* BIP 30's exceptions: adds may replace. */
    struct coin *taken; /* spends_n: what the coins gave up. */
    bool has_undo;      /* Written, at undo_place. */
    uint64_t undo_place;
    uint64_t expected_bytes; /* Counted for it in the flight. */
    struct body_piece *pieces;
    uint32_t pieces_n;
    struct work_group judged;
    const _Atomic bool *is_cancelled; /* Pieces may do nothing: nobody will judge. */
    struct body *next;                /* In a list of spare ones. */
};

struct body *body_new(const struct params *params, struct sig_batch **batches, uint64_t salt);
void body_free(struct body *own_body);
/* Forgets the block, keeps memory. */
void body_reset(struct body *body);
/* Memory held. */
uint64_t body_memory(const struct body *body);

/* How many of the bytes are the block: 0 if none begins there. */
size_t body_block_bytes(struct span bytes);

/* bytes is filled; node may still be unknown. Reads the block and asks the rules that
 * need nothing but its bytes: sets rc and finding. Where both are good body_prepare
 * goes on from there. */
void body_check(struct body *body);

/* bytes is filled (or files set) and node set (its parent in the tree). Sets rc,
 * finding and what follows. The hash must be the node's, unless check_pow is off.
 * body_prepare_run: the same as work for the pool. */
void body_prepare(struct body *body);
void body_prepare_run(struct work *work, unsigned worker);

/* Chain thread, when the coins have answered: what spends[i] took. */
void body_take_coins(struct body *body, const struct coin *found);
/* Cuts what is left to check into pieces. */
void body_cut(struct body *body);

/* Run by the pool for each piece. */
void body_piece_run(struct work *work, unsigned worker);
void body_script_done(void *context, void *tag, uint32_t in_index, enum verdict verdict);

/* The chain thread, once all pieces have run: the verdict, in the order in which
 * the rules are asked. Also without pieces (then nothing was skipped but scripts). */
enum verdict body_judge(struct body *body, struct finding *ret_finding);

/* With some inputs missing (in_n marks): the first rule broken when transactions are
 * taken in their order. */
enum verdict body_judge_missing(struct body *body, const bool *is_missing,
                                struct finding *ret_finding);

#endif /* CHAIN_BODY_PRIV_H */
