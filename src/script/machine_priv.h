/* The stack machine behind script_verify: private to the script room.
 *
 * One machine verifies one input; it lives on the caller's stack, owned by that
 * thread. Elements are at most 520 bytes and never change once they are on the
 * stack, so those that come from a script or a witness are borrowed from there,
 * and what operations make (numbers, hashes) fits into the slot itself.
 */
#ifndef SCRIPT_MACHINE_PRIV_H
#define SCRIPT_MACHINE_PRIV_H

#include "script/number.h"
#include "script/parse.h"
#include "script/script.h"
#include "script/sighash.h"

#define ITEM_OWN_BYTES 32

struct item {
    const uint8_t *data; /* Borrowed; NULL: the bytes are in own. */
    uint32_t len;
    uint8_t own[ITEM_OWN_BYTES];
};

/* Which rules a script is run by. */
enum script_version {
    SCRIPT_BASE,     /* script_sig, script_pubkey, redeem script. */
    SCRIPT_V0,       /* BIP 141, 143. */
    SCRIPT_TAPSCRIPT /* BIP 342. */
};

/* What one operation may find below SCRIPT_STACK_MAX and still end within it:
 * OP_CHECKMULTISIG takes up to 43 elements away. A version 0 witness may be
 * larger; the elements further down are then only counted, for the first
 * operation ends the script whatever they are. */
#define MACHINE_STACK_LOADED_MAX (SCRIPT_STACK_MAX + 64)
#define MACHINE_SLOTS (MACHINE_STACK_LOADED_MAX + 8)

struct machine {
    const struct spend *spend;
    uint64_t flags;
    enum script_version version;

    /* Of the script that is run. */
    const uint8_t *script_end;
    const uint8_t *code_start; /* Behind the last OP_CODESEPARATOR executed. */
    uint32_t ops_n;            /* Counted against SCRIPT_OPS_MAX. */
    uint32_t position;         /* Of the operation, from 0. */
    uint32_t branches_n;       /* OP_IFs that are open. */
    uint32_t dead_from;        /* How many of them are around the first untaken one. */

    struct sighash_input sighash;
    struct sighash_taproot taproot;
    int64_t weight_left; /* BIP 342: what further signature checks may cost. */

    /* The stack grows from slot[0] up, the alternative stack from the end down. */
    size_t stack_n;
    size_t alt_n;
    size_t hidden_n; /* Elements below slot[0] that are only counted. */
    struct item slot[MACHINE_SLOTS];

    uint8_t code[SCRIPT_BYTES_MAX]; /* A script code with signatures deleted. */
};

#define MACHINE_ALL_TAKEN UINT32_MAX

static inline bool machine_has(const struct machine *m, uint64_t flag)
{
    return (m->flags & flag) != 0;
}

/* The i-th element from the top, from 1; it must be there. */
static inline struct item *machine_top(struct machine *m, size_t i)
{
    return &m->slot[m->stack_n - i];
}

static inline struct span item_span(const struct item *item)
{
    return span_of(item->data == NULL ? item->own : item->data, item->len);
}

static inline void machine_push_span(struct machine *m, struct span bytes)
{
    struct item *item = &m->slot[m->stack_n++];

    item->data = bytes.data;
    item->len = (uint32_t)bytes.len;
}

static inline void item_set_bool(struct item *item, bool value)
{
    item->data = NULL;
    item->len = value;
    item->own[0] = 1;
}

static inline void item_set_number(struct item *item, int64_t number)
{
    item->data = NULL;
    item->len = (uint32_t)script_number_write(item->own, number);
}

/* Run a script on the machine's stack by the rules of its version and flags. */
enum verdict machine_run(struct machine *m, struct span script);

/* OP_CHECKSIG(VERIFY), OP_CHECKSIGADD, OP_CHECKMULTISIG(VERIFY). */
enum verdict machine_check_sig(struct machine *m, uint8_t op);
enum verdict machine_check_sig_add(struct machine *m);
enum verdict machine_check_multisig(struct machine *m, uint8_t op);

/* BIP 341, BIP 342: one Schnorr signature of 64 or 65 bytes, else an error. */
enum verdict machine_check_schnorr(struct machine *m, struct span sig, const uint8_t *pubkey);

#endif /* SCRIPT_MACHINE_PRIV_H */
