/* An arena: memory given out in pieces and taken back all at once. One per
 * block, message or request. Pieces are aligned to 16 bytes and not zeroed.
 * Owner thread: whoever holds it; no locks.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* The chunk being filled; older ones behind it. */
    size_t used;               /* Bytes of the newest chunk given out. */
    size_t total_bytes;        /* Of all chunks, for accounting. */
};

void arena_init(struct arena *arena) NONNULL(1);

/* Releases everything; the arena is then as after arena_init. */
void arena_clear(struct arena *arena) NONNULL(1);

/* Takes all pieces back but keeps the largest chunk, so that a reused arena
 * stops allocating. */
void arena_reset(struct arena *arena) NONNULL(1);

/* Never NULL; lives until arena_clear or arena_reset. */
void *arena_alloc(struct arena *arena, size_t size_bytes)
    __attribute__((returns_nonnull, warn_unused_result, nonnull(1)));

/* count items, zeroed; the multiplication is checked. */
void *arena_array(struct arena *arena, size_t count, size_t item_bytes)
    __attribute__((returns_nonnull, warn_unused_result, nonnull(1)));

#endif /* BASE_ARENA_H */
