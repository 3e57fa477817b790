/* Transactions and scripts as JSON: what several methods show of them. The members
 * and their order are those of Bitcoin Core. */
#ifndef RPC_TX_JSON_H
#define RPC_TX_JSON_H

#include "codec/json.h"
#include "consensus/params.h"
#include "keys/keyring.h"
#include "primitives/coin.h"
#include "primitives/tx.h"
#include "rpc/method.h"

/* How much of a transaction is shown. */
struct tx_view {
    const struct coin *coins; /* What its inputs spent, in input order, for the fee; NULL:
                               * not known, or a coinbase. */
    bool show_prevouts;       /* Those coins too. */
    bool show_hex;            /* Its bytes. */
};

/* The members of an output script, into an object that is open: asm, desc, hex,
 * address, type. ring: what is known about it; NULL: nothing. */
void write_script_members(struct json_writer *w, struct span script, bool show_hex,
                          const struct keyring *ring, const struct params *params) NONNULL(1, 5);

/* The members of a transaction, into an object that is open. */
void write_tx_members(struct json_writer *w, const struct tx *tx, const struct tx_view *view,
                      const struct params *params) NONNULL(1, 2, 3, 4);

/* The address of a script, as a string. The script has one. */
void write_address(struct json_writer *w, struct span script, const struct params *params)
    NONNULL(1, 3);

/* The entries that these make, for tables of results. */
#define SCRIPT_RESULTS                                                              \
    {RPC_STR, "asm", "Its operations as text."},                                    \
        {RPC_STR, "desc", "A descriptor of it, as far as can be told."},            \
        {RPC_HEX, "hex", "Its bytes."},                                             \
        {RPC_STR, "address", "Its address, if it has one.", .flags = RPC_OPTIONAL}, \
    {                                                                               \
        RPC_STR, "type", "What kind of script it is."                               \
    }
#define SCRIPT_OBJECT_RESULT(key_text, about)                          \
    {                                                                  \
        RPC_OBJ, key_text, about, .inner = RPC_RESULTS(SCRIPT_RESULTS) \
    }
#define TX_INPUT_RESULTS                                                                       \
    {RPC_HEX, "coinbase", "What the miner wrote; only of a coinbase.", .flags = RPC_OPTIONAL}, \
        {RPC_HEX, "txid", "The transaction whose output is spent.", .flags = RPC_OPTIONAL},    \
        {RPC_NUM, "vout", "Which output.", .flags = RPC_OPTIONAL},                             \
        {RPC_OBJ, "scriptSig", "What unlocks it.", .flags = RPC_OPTIONAL,                      \
         .inner = RPC_RESULTS({RPC_STR, "asm", "As text."}, {RPC_HEX, "hex", "Its bytes."})},  \
        {RPC_ARR, "txinwitness", "The witness.", .flags = RPC_OPTIONAL,                        \
         .inner = RPC_RESULTS({RPC_HEX, .text = "One element."})},                             \
        {RPC_OBJ, "prevout", "The output that is spent.", .flags = RPC_OPTIONAL,               \
         .inner = RPC_RESULTS({RPC_BOOL, "generated", "From a coinbase?"},                     \
                              {RPC_NUM, "height", "Height of its block."},                     \
                              {RPC_AMOUNT, "value", "Its value in BTC."},                      \
                              SCRIPT_OBJECT_RESULT("scriptPubKey", "Its script."))},           \
    {                                                                                          \
        RPC_NUM, "sequence", "The sequence number."                                            \
    }
#define TX_RESULTS                                                                           \
    {RPC_HEX, "txid", "Its id."}, {RPC_HEX, "hash", "Its id with the witness."},             \
        {RPC_NUM, "version", "Its version."}, {RPC_NUM, "size", "Bytes."},                   \
        {RPC_NUM, "vsize", "Virtual bytes: a quarter of the weight, rounded up."},           \
        {RPC_NUM, "weight", "Its weight."}, {RPC_TIME, "locktime", "Its lock time."},        \
        {RPC_ARR, "vin", "The inputs.",                                                      \
         .inner = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(TX_INPUT_RESULTS)})},           \
    {                                                                                        \
        RPC_ARR, "vout", "The outputs.",                                                     \
            .inner = RPC_RESULTS(                                                            \
                {RPC_OBJ,                                                                    \
                 .inner = RPC_RESULTS({RPC_AMOUNT, "value", "Its value in BTC."},            \
                                      {RPC_NUM, "n", "Its position."},                       \
                                      SCRIPT_OBJECT_RESULT("scriptPubKey", "Its script."))}) \
    }

#endif /* RPC_TX_JSON_H */
