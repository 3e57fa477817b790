/* Blocks as JSON: what several methods show of them. */
#ifndef RPC_BLOCK_JSON_H
#define RPC_BLOCK_JSON_H

#include "codec/json.h"
#include "iface/node.h"
#include "rpc/method.h"

/* How much harder than the easiest block: 1 is bits 0x1d00ffff. */
double difficulty_of_bits(uint32_t bits);

/* The target of bits as 64 digits. ret_text: HASH_HEX_SIZE bytes. */
void target_to_hex(char *ret_text, uint32_t bits);

/* "1d00ffff" */
struct bits_hex {
    char text[9];
};
struct bits_hex bits_hex(uint32_t bits);

/* chainwork as 64 digits. */
struct hash_hex work_hex(const uint8_t *chainwork);

/* Blocks on top of it and itself; -1 when it is not on the active chain. */
int32_t confirmations_of(const struct block_info *info, int32_t tip_height);

/* The members of a header, into an object that is open. */
void write_header_members(struct json_writer *w, const struct block_info *info, int32_t tip_height);

/* The block that an argument names by hash. 0 or rpc_fail ("Block not found"). */
NODISCARD int find_block_by_arg(struct rpc_call *call, struct block_info *ret_info, size_t index);
/* By hash or by height on the active chain; value is of either type. */
NODISCARD int find_block_by_value(struct rpc_call *call, struct block_info *ret_info,
                                  const struct json *value);
/* By height on the active chain. */
NODISCARD int find_block_at(struct rpc_call *call, struct block_info *ret_info, int64_t height);

/* Reads a block's body, its undo data too if ret_undo is not NULL. 0 or rpc_fail
 * with the reason why it is not there; then there is nothing to clear. */
NODISCARD int load_block(struct rpc_call *call, struct block_data *ret_data,
                         struct undo_data *ret_undo, const struct block_info *info);

/* The member "warnings": a list, or a text with -deprecatedrpc=warnings. */
void write_warnings(struct rpc_call *call, const struct node_status *status);

/* The entries that write_header_members makes, for tables of results. */
#define HEADER_RESULTS                                                                        \
    {RPC_HEX, "hash", "The block's hash."},                                                   \
        {RPC_NUM, "confirmations", "Itself and blocks on top; -1: not on the active chain."}, \
        {RPC_NUM, "height", "Its height."}, {RPC_NUM, "version", "Its version."},             \
        {RPC_HEX, "versionHex", "The same in hexadecimal."},                                  \
        {RPC_HEX, "merkleroot", "The root of its transactions."},                             \
        {RPC_TIME, "time", "Its time, seconds since 1970."},                                  \
        {RPC_TIME, "mediantime", "The middle one of the last eleven times."},                 \
        {RPC_NUM, "nonce", "Its nonce."}, {RPC_HEX, "bits", "Its target, compact form."},     \
        {RPC_HEX, "target", "Its target."}, {RPC_NUM, "difficulty", "Its difficulty."},       \
        {RPC_HEX, "chainwork", "Hashes expected for the chain up to it."},                    \
        {RPC_NUM, "nTx", "How many transactions it has."},                                    \
        {RPC_HEX, "previousblockhash", "The block before it.", .flags = RPC_OPTIONAL},        \
    {                                                                                         \
        RPC_HEX, "nextblockhash", "The block after it.", .flags = RPC_OPTIONAL                \
    }

#endif /* RPC_BLOCK_JSON_H */
