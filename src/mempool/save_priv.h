/* mempool.dat: private to the room. */
#ifndef MEMPOOL_SAVE_PRIV_H
#define MEMPOOL_SAVE_PRIV_H

#include "mempool/mempool_priv.h"

/* A file being read into the mempool, piece by piece. */
struct loading;

/* Opens path and reads its head. E_NOT_FOUND, E_MALFORMED, E_IO ... */
NODISCARD int loading_begin(struct loading **ret_loading, struct mempool *pool, const char *path,
                            const struct mempool_import_options *options, struct error *err);
/* Chain thread. 1: there is more; 0: that was all. */
NODISCARD int loading_go_on(struct loading *loading, struct error *err);
void loading_free(struct loading *own_loading);

/* Writes the whole mempool to <folder>/mempool.dat, whose path it returns. Any thread. */
NODISCARD int save_mempool(struct mempool *pool, char **ret_path, struct error *err);
int save_op(struct mempool_view *view, char **ret_path, struct error *err);
int import_op(struct mempool_view *view, const char *path,
              const struct mempool_import_options *options, struct error *err);

#endif /* MEMPOOL_SAVE_PRIV_H */
