/* The chain from inside: private to the room and its tests.
 *
 * Everything belongs to the chain thread but what is atomic or said to be
 * otherwise. Functions return 0, or a negative error that ends the chain; what is
 * wrong with a block is a verdict and no error.
 */
#ifndef CHAIN_CHAIN_PRIV_H
#define CHAIN_CHAIN_PRIV_H

#include "chain/block_files.h"
#include "chain/block_index_priv.h"
#include "chain/body_priv.h"
#include "chain/chain.h"
#include "coins/coins.h"
#include "coins/stats.h"
#include "coins/undo.h"
#include "consensus/deployments.h"
#include "headers/accept.h"
#include "headers/tree.h"
#include "os/thread.h"

/* Blocks on their way at once, and the memory they may hold. */
#define FLIGHT_MAX 512U
#define FLIGHT_BYTES_MAX (UINT64_C(24) << 20)

/* Coins are committed at least this often while there is something to commit. */
#define COMMIT_INTERVAL_US (UINT64_C(8) * 1000 * 1000)
/* ... and this soon when nothing else is to be done. */
#define COMMIT_IDLE_US (UINT64_C(1) * 1000 * 1000)

#define PROGRESS_INTERVAL_US (UINT64_C(5) * 1000 * 1000)

#define EVENTS_MAX 16

/* Blocks in height order between being asked for and being verified:
 * settled <= applied <= fed. */
struct flight {
    struct body *ring[FLIGHT_MAX];
    uint32_t settled;
    uint32_t applied;
    uint32_t fed;
    uint64_t bytes;            /* What those from settled to fed may hold. */
    _Atomic bool is_cancelled; /* Checks that are given out need not be done. */
};

struct node_list {
    struct header_node **items; /* Owned. */
    size_t n;
    size_t capacity;
};
void node_list_add(struct node_list *list, struct header_node *node);
void node_list_clear(struct node_list *list);

/* A bad end of the chain thread's work, kept for chain_close. */
struct failure {
    int rc;
    struct error err;
};

/* One set of coins and the blocks on their way into it. */
struct chainstate {
    struct chain *chain;
    struct coins_store *coins; /* Owned; open until the chain is closed. */
    struct flight flight;
    struct header_node *coins_node; /* What the coins stand at; NULL: nothing. */
    struct header_node *verified;   /* Up to here all is settled; NULL: nothing. */
    struct buf undo_buf;
    int script_state;         /* -1 unknown; whether the last block's were on. */
    bool commit_broke_flight; /* The last look for a commit forgot what was only fed ... */
    bool commit_met_bad;      /* ... or met an invalid block. */
    uint64_t committed_us;
};

/* The comparison of what was built from genesis with what a snapshot must hold. It
 * may take minutes: on a thread of its own where the chain has one. */
struct snapshot_check {
    struct thread thread;
    struct chain *chain;
    _Atomic bool is_done;
    bool is_begun;
    int rc;
    struct error err;
    struct coins_stats stats;
};

struct request; /* service.c */
struct offer;   /* sink.c */

/* Blocks that are offered and not judged may hold this much; then p2p asks for none. */
#define OFFERS_BYTES_MAX (UINT64_C(16) << 20)
/* Bodies that came over the network and are to be connected soon: kept as they are, so
 * that they need not be read from disk and prepared again. One for each height modulo
 * KEPT_MAX. */
#define KEPT_MAX 256
#define KEPT_BYTES_MAX (UINT64_C(24) << 20)

struct progress {
    uint64_t started_us;
    uint64_t logged_us;
    uint64_t blocks;
    uint64_t txs;
    uint64_t logged_txs;
    uint64_t logged_signatures;
};

/* Another copy of a block whose bytes are in two places. */
struct spare_copy {
    struct block_hash hash;
    uint64_t place;
    uint32_t size_bytes;
};

struct chain {
    struct node node;             /* First: chain_node() is a view of this. */
    struct chain_options options; /* Texts are copies of ours. */
    char **loadblock;
    const struct params *params;
    struct clock *clock;
    struct disk *disk;
    struct disk_file *lock;
    struct header_tree *tree;
    struct block_index *index;
    struct block_files *files;
    struct pool pool;
    bool has_pool;
    struct sig_batch **batches; /* One for each worker and one for the chain thread. */

    struct chainstate own;         /* Built from genesis on. */
    struct chainstate assumed;     /* From a snapshot on; no coins: there is none. */
    struct chainstate *active;     /* The one whose tip others see. */
    struct chainstate *background; /* own while it verifies a snapshot; or NULL. */
    struct header_node *base;      /* Of the snapshot that is not verified; or NULL. */
    struct snapshot_check check;
    bool is_loading;                   /* A snapshot is being loaded. */
    _Atomic(struct header_node *) tip; /* What everybody sees; NULL: nothing yet. */
    struct body *kept[KEPT_MAX];       /* Owned: bodies prepared already, NULL: none. */
    uint64_t kept_bytes;
    struct body *spare; /* Bodies that wait for use. */
    uint64_t spare_bytes;

    struct node_list candidates; /* May be better than the tip. */
    uint64_t received_n;         /* Rises with each candidate that comes. */
    uint64_t selected_n;         /* received_n at the last chain_tip_waits. */
    bool candidates_stale;       /* Must be gathered anew. */
    struct node_list waiting;    /* Have bytes, an ancestor has none. */
    int32_t sequence_next;
    int32_t sequence_precious;

    /* Commits. changed: nodes the index does not know as they are. */
    struct node_list changed;
    uint32_t indexed_n;                 /* Nodes below this are in the index. */
    struct block_index_changes changes; /* Handed to the commit under way. */
    struct chainstate *committing;      /* Whose commit runs: one at a time, lest changes of
                                         * the index overtake each other; NULL: none. */
    bool facts_changed;
    bool stop_told;
    struct header_node *header_told;
    struct header_node *pruned_up_to;

    const struct chain_events *events[EVENTS_MAX];
    size_t events_n;
    /* Disconnected since the last event, lowest first. */
    struct body *disconnected;
    uint64_t disconnected_bytes;

    struct spare_copy *copies;
    size_t copies_n;
    size_t copies_capacity;

    struct progress progress;
    struct finding last_finding; /* Of the block last condemned ... */
    struct header_node *last_condemned;

    const struct header_node *best_invalid; /* The one with the most work; NULL. */
    struct deployment_cache deployments;    /* Of the published tip's branch. */
    /* Guarded by mutex. */
    char warnings[NODE_WARNINGS_N][NODE_WARNING_MAX];

    /* Read by any thread. */
    _Atomic bool is_importing;
    _Atomic bool is_import_done;
    _Atomic bool is_initial;
    _Atomic bool has_pruned;
    _Atomic int32_t prune_height;
    _Atomic int32_t skipped_up_to;   /* Greatest height without scripts; -1. */
    _Atomic bool is_rolling_back;    /* A copy of the coins is there. */
    _Atomic int32_t rollback_height; /* Blocks above it are not pruned. */
    _Atomic uint64_t size_on_disk;
    _Atomic uint64_t coins_cache_bytes;
    _Atomic uint64_t coins_cache_n;
    _Atomic uint64_t coins_bound_bytes;
    _Atomic uint64_t background_bound_bytes;
    _Atomic(struct header_node *) background_tip; /* NULL: nothing is verified behind. */
    _Atomic(struct header_node *) snapshot_base;  /* What the tip's coins began with. */

    const struct chain_guests *guests; /* NULL: none. */

    /* The sink. The list is guarded by mutex, its first entries are the oldest. */
    struct sink sink;
    struct offer *offers;
    struct offer **offers_end;
    _Atomic uint32_t offers_n;
    _Atomic uint64_t offers_bytes;
    struct offer *answers; /* Blocks stored, to be answered when they are connected. */
    struct offer **answers_end;
    bool is_in_sink; /* Without a thread: what is offered from inside an answer waits. */

    /* The chain thread and those who ask it. */
    struct thread thread;
    struct mutex mutex;
    struct cond asked; /* A request came, or the end. */
    struct cond moved; /* The tip is another one, or the end. */
    struct request *requests;
    struct request **requests_end;
    _Atomic uint32_t heavy_n; /* Requests that must wait for the present work. */
    _Atomic uint32_t light_n; /* Requests that are answered between blocks. */
    _Atomic bool is_stopping;
    bool is_serving; /* A request is being done: it is not broken off for the next one. */
    bool is_started;
    bool has_ended;
    struct failure failure;
};

static inline struct header_node *chain_tip_node(const struct chain *chain)
{
    return atomic_load_explicit(&chain->tip, memory_order_acquire);
}
static inline bool chain_is_stopping(const struct chain *chain)
{
    return atomic_load_explicit(&chain->is_stopping, memory_order_relaxed);
}
/* Should what goes on by itself make room for a request? */
static inline bool chain_must_yield(const struct chain *chain)
{
    return chain_is_stopping(chain) || (!chain->is_serving && atomic_load(&chain->heavy_n) > 0);
}
static inline uint64_t chain_now_us(const struct chain *chain)
{
    return clock_monotonic_us(chain->clock);
}

/* --- select.c: which chain is best --- */

/* The node's state is to be saved. */
void chain_touch(struct chain *chain, struct header_node *node);
/* The node's bytes are in a file: marks it and links it and those waiting for it. */
void chain_receive(struct chain *chain, struct header_node *node, uint32_t tx_n,
                   uint32_t size_bytes, uint64_t place, uint32_t marks);
/* After many nodes were marked one by one. */
void chain_link_all(struct chain *chain);
/* What a verdict does to a block: mark it, or drop its bytes. */
void chain_condemn(struct chain *chain, struct header_node *node, const struct finding *finding);
/* The best chain's last block: never NULL once there is genesis data. */
struct header_node *chain_select(struct chain *chain);
void chain_forget_worse(struct chain *chain);
void chain_forget_body(struct chain *chain, struct header_node *node);

/* --- flight.c: blocks on their way --- */

bool flight_has_room(const struct chainstate *state, const struct header_node *node);
void flight_feed(struct chainstate *state, struct header_node *node);
/* The next fed block's effect on the coins; then its checks are given out.
 * *ret_bad: the block is invalid; everything behind it has been taken back, and the
 * coins stand at the last good one. */
int flight_apply(struct chainstate *state, bool *ret_bad, struct error *err);
/* Ends the oldest applied block: waits for its checks. */
int flight_settle(struct chainstate *state, bool *ret_bad, struct error *err);
bool flight_head_is_judged(const struct chainstate *state);
bool flight_next_is_prepared(const struct chainstate *state);
/* Does or waits for a piece of the work that is given out. */
void flight_work(struct chainstate *state);
/* Settles all that is applied and forgets what was only fed. */
int flight_drain(struct chainstate *state, bool *ret_bad, struct error *err);
/* Applies body, prepared, and judges it while everything waits. When it is valid
 * it stays applied: flight_take_back. */
int flight_try(struct chainstate *state, struct body *body, struct error *err);
int flight_take_back(struct chainstate *state, struct body *body, struct error *err);
/* Takes back what is applied but not settled (the end of the process). */
int flight_abandon(struct chainstate *state, struct error *err);
/* Forgets all of it and leaves the coins in memory as they are. */
void flight_discard(struct chainstate *state);
void flight_free(struct chain *chain);
struct body *flight_body_new(struct chain *chain);
void flight_body_release(struct chain *chain, struct body *own_body);
/* Must scripts be verified? reason: why. */
bool chain_scripts_needed(const struct chain *chain, const struct header_node *node,
                          const char **ret_reason);
/* What body does to the coins, the other way round: spent coins in spends' order. */
struct coins_change body_change(const struct body *body, const struct coin *spent);

/* --- activate.c: moving the tip --- */

/* Ends early when somebody waits for the chain thread; chain_activate_fully serves
 * them and goes on. */
int chain_activate(struct chain *chain, struct error *err);
int chain_activate_fully(struct chain *chain, struct error *err);
/* Has the tip something to do that verification behind it should make way for? */
bool chain_tip_waits(struct chain *chain);
/* As far as nothing is bad and nobody asks for an end. */
int chain_move_to(struct chainstate *state, const struct header_node *target, struct error *err);
/* Takes the tip off. The flight must be empty. */
int chain_disconnect_tip(struct chainstate *state, struct error *err);
/* Moves the tip that others see to what is verified, after telling the followers. */
void chain_publish(struct chain *chain);
/* A block of the active state was settled: near the tip each is news of its own, however
 * many come at once. */
void chain_tell_settled(struct chain *chain);
void chain_forget_disconnected(struct chain *chain);
struct block_info chain_info(const struct chain *chain, const struct header_node *node,
                             const struct header_node *tip);
int chain_read_body(struct chain *chain, struct body *body, struct header_node *node,
                    struct error *err);
int chain_read_undo(const struct chain *chain, const struct header_node *node, struct buf *bytes,
                    struct undo *ret_undo, struct arena *arena, struct error *err);
/* Takes the effect of body, prepared and at the tip of coins, off them. The chain's
 * own coins: the caller moves coins_node. Any thread that coins allow. */
int chain_revert_body(struct chain *chain, struct coins_store *coins, struct body *body,
                      struct buf *undo_bytes, struct error *err);
void chain_tell_rejected(struct chain *chain, const struct block_hash *hash,
                         const struct finding *finding);
void chain_tell_header(struct chain *chain);
/* If the block, just stored, builds on the tip. */
void chain_tell_stored(struct chain *chain, const struct body *body);

/* --- commit.c: durability --- */

/* Commits when it is due; looks after a commit under way. is_idle: nothing else is
 * to be done. */
int chain_commit_if_due(struct chainstate *state, bool is_idle, struct error *err);
/* Flight empty: begins a commit, of this state and of the index; one that runs is
 * waited for first. */
int chain_commit_start(struct chainstate *state, struct error *err);
/* Flights empty: commits everything and waits for it. */
int chain_commit_all(struct chain *chain, struct error *err);
/* Whosever runs. */
int chain_commit_wait(struct chain *chain, struct error *err);
/* Blocks and index now, coins untouched. */
int chain_save_index(struct chain *chain, struct error *err);
int chain_claim_file(void *context, int32_t file, struct error *err);

/* --- offer.c --- */

/* Judge what can be judged without coins and store it; body->node stays NULL if its
 * header is not acceptable. */
int chain_store_body(struct chain *chain, struct body *body, struct submit_result *ret_result,
                     struct error *err);
int chain_offer_block(struct chain *chain, struct submit_result *ret_result, struct span bytes,
                      struct error *err);
/* header_accept, told to the followers. E_LIMIT: the tree is full. */
int chain_accept_header(struct chain *chain, struct header_node **ret_node,
                        struct submit_result *result, const struct header *header,
                        struct error *err);
void submit_result_show(struct submit_result *result, const struct finding *finding);
int chain_offer_header(struct chain *chain, struct submit_result *ret_result,
                       const struct header *header, struct error *err);
int chain_test_block(struct chain *chain, struct submit_result *ret_result, struct span bytes,
                     bool check_pow, bool check_merkle, struct error *err);
int chain_invalidate(struct chain *chain, const struct block_hash *hash, struct error *err);
int chain_reconsider(struct chain *chain, const struct block_hash *hash, struct error *err);
int chain_precious(struct chain *chain, const struct block_hash *hash, struct error *err);

/* --- sink.c: what peers send --- */

void sink_init(struct chain *chain);
/* What is left is answered as not judged. */
/* Gives up what waits, each with its answer; no chain thread any more. */
void sink_end(struct chain *chain);
void sink_clear(struct chain *chain);
/* Takes what has been offered, in order. Blocks and headers only, up to the first that
 * must wait until the chain stands still, where is_moving. */
int sink_take(struct chain *chain, bool is_moving, struct error *err);
/* The chain has gone as far as it goes now: answers what waited for that. */
void sink_answer(struct chain *chain);
void chain_keep_body(struct chain *chain, struct body *own_body);
struct body *chain_kept_body(struct chain *chain, const struct header_node *node); /* Or NULL. */

/* --- import.c --- */

int chain_import_files(struct chain *chain, struct error *err);
void chain_progress(struct chain *chain, bool is_last);

/* --- prune.c --- */

/* state: whose blocks may be on their way. */
int chain_prune_if_due(struct chainstate *state, struct error *err);
/* Removes whole files with nothing above height. */
int chain_prune_up_to(struct chain *chain, int32_t height, int32_t *ret_height, struct error *err);
void chain_prune_look(struct chain *chain);
/* Which files hold blocks that the index knows: block_files_count, the caller's to
 * free. */
bool *chain_held_files(const struct chain *chain);
/* Ends a prune that was cut off between its commit and the removal of the files. */
int chain_prune_finish(struct chain *chain, struct error *err);

/* --- rollback.c: the coins as they were at an earlier block --- */

/* A copy of the last commit of source, coins of the chain, taken back to base, in a
 * folder beside the coins' own that a crash may leave behind. Any thread; one at a time
 * (E_STATE).
 * E_STATE: base is not an ancestor of the tip, or blocks on the way are pruned. */
int rollback_open(struct coins_store **ret_coins, struct chain *chain, struct coins_store *source,
                  const struct header_node *base, struct error *err);
void rollback_close(struct chain *chain, struct coins_store *own_coins);
/* At the start: what a crash has left behind. */
int rollback_clean(struct chain *chain, struct error *err);

/* --- assumed.c: a snapshot that is believed, and verified behind the tip --- */

/* After the chain's own coins: what the index says of a snapshot. Ends what a crash has
 * cut off. */
int assumed_open(struct chain *chain, struct error *err);
/* With own coins still closed: the folder without a snapshot (again). */
int assumed_prepare(struct chain *chain, bool start_over, struct error *err);
/* The file that was read into coins becomes the tip's. E_STATE: it may not. */
int assumed_begin(struct chain *chain, struct coins_store *own_coins, struct header_node *base,
                  struct error *err);
/* Goes on behind the tip: connects what is here, compares at the end. */
int assumed_step(struct chain *chain, struct error *err);
/* How far that can go with the blocks that are here; NULL: nowhere. */
struct header_node *assumed_target(const struct chain *chain);
/* The base is known to be invalid: the snapshot goes, and the chain ends. */
int assumed_look(struct chain *chain, struct error *err);
/* Waits for the comparison; the chain is stopping. */
void assumed_close(struct chain *chain);
/* How the memory for coins is shared. */
void assumed_share_memory(struct chain *chain);
const struct snapshot_params *assumed_params(const struct params *params,
                                             const struct block_hash *base);
char *assumed_folder(const struct chain *chain);

/* --- check.c --- */

int chain_check(struct chainstate *state, int level, int32_t n_blocks, bool *ret_ok,
                struct error *err);

/* --- service.c --- */

/* Answers what can be answered between blocks. */
void chain_serve_light(struct chain *chain);
/* Answers everything that has been asked. */
void chain_serve_all(struct chain *chain);
/* Runs run(chain, argument) on the chain thread and returns what it returns; light
 * ones between two blocks. Called on the chain thread, or without one, runs it at
 * once. */
typedef int chain_call(struct chain *chain, void *argument, struct error *err);
int chain_ask(struct chain *chain, chain_call *run, void *argument, bool is_light,
              struct error *err);
/* The same for a chain that has no thread. */
int chain_run_alone(struct chain *chain, chain_call *run, void *argument, struct error *err);
void chain_service_init(struct chain *chain);
void chain_service_clear(struct chain *chain);
void chain_fail(struct chain *chain, int rc, const struct error *err);

/* --- warnings.c --- */

/* Only the first warning of a kind counts until it is taken back. text: plain ASCII. */
void chain_warn(struct chain *chain, enum node_warning kind, const char *text);
void chain_copy_warnings(struct chain *chain, struct node_status *ret_status);
/* Warns of an invalid chain that is well ahead of the verified one, or takes that
 * back. marks_changed: blocks became invalid or are so no longer. */
void chain_look_at_invalid(struct chain *chain, bool marks_changed);
/* The same after node and what is below it became invalid. */
void chain_note_invalid(struct chain *chain, const struct header_node *node);
/* The tip moves from old (may be NULL) to tip. */
void chain_look_at_versions(struct chain *chain, const struct header_node *old,
                            const struct header_node *tip);

/* --- view.c --- */

extern const struct node_ops chain_node_ops;

#endif /* CHAIN_CHAIN_PRIV_H */
