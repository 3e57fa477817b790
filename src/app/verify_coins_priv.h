/* The coins a block spends, as assay-verify is given them. */
#ifndef APP_VERIFY_COINS_PRIV_H
#define APP_VERIFY_COINS_PRIV_H

#include "app/verify_block.h"

struct verify_coins {
    struct tx_out *spent; /* Of all inputs but the coinbase's, in block order. */
    struct coin *coins;   /* The same; height and is_coinbase only with has_origin. */
    uint32_t *mtps;       /* Of the block before; only where has_mtp. */
    bool *has_mtp;
    bool has_origin;
    size_t n;
};

/* Returns 0, E_TRUNCATED, E_MALFORMED or E_LIMIT. All memory from arena. */
NODISCARD int verify_coins_read(struct verify_coins *ret_coins, const struct block *block,
                                const struct verify_request *request, struct arena *arena,
                                struct error *err);

/* Inputs that spend the block's own outputs and such that spend what an earlier one
 * spends: index[i] is the transaction of the block that input i spends, or -1;
 * twice[i] says that an earlier input has it. Order as in verify_coins. */
void verify_coins_relate(int64_t *index, bool *twice, const struct block *block, size_t n,
                         struct arena *arena);

#endif /* APP_VERIFY_COINS_PRIV_H */
