/* Shared by the files of api: the opaque types and the library's one-time
 * preparation. */
#ifndef API_API_PRIV_H
#define API_API_PRIV_H

#include <assay/assay.h>

#include "base/arena.h"
#include "base/error.h"
#include "consensus/params.h"
#include "primitives/block.h"
#include "primitives/tx.h"

/* Published and inner error are one struct: see base/error.h. */
static inline struct error *error_of(struct assay_error *err)
{
    return (struct error *)err;
}

/* Opaque params are the inner ones. */
static inline const struct params *params_in(const struct assay_params *params)
{
    return (const struct params *)params;
}

struct assay_tx {
    struct tx tx;
    struct arena arena; /* Unused in a transaction of a block. */
    uint8_t *own_bytes; /* NULL in a transaction of a block. */
};

struct assay_block {
    struct block block;
    struct arena arena;
    uint8_t *own_bytes;
    struct assay_tx *txs; /* One for each transaction; owned. */
};

/* Chooses the hash code for this processor and seeds the curve context; every
 * entry that hashes or verifies calls it. Any thread. */
void api_prepare(void);

/* Takes over own_bytes, also on failure. */
NODISCARD int api_block_of_bytes(struct assay_block **ret_block, uint8_t *own_bytes, size_t len,
                                 struct error *err);

/* What tx_read and block_read return, as an error with a text. Returns rc. */
int api_parse_error(int rc, const char *what, struct error *err);

#endif /* API_API_PRIV_H */
