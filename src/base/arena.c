#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

#define ARENA_CHUNK_MIN ((size_t)64 * 1024)
#define ARENA_ALIGN ((size_t)16)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size_bytes;
    _Alignas(16) unsigned char data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;

        free(chunk);
        chunk = older;
    }
}

void arena_clear(struct arena *arena)
{
    free_chunks(arena->chunk);
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *keep = arena->chunk;

    if (keep == NULL)
        return;
    /* Chunks double, so the newest is the largest but for oversized pieces. */
    free_chunks(keep->older);
    keep->older = NULL;
    arena->used = 0;
    arena->total_bytes = keep->size_bytes;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    size_t need;
    void *piece;

    CHECK(size_bytes <= SIZE_MAX / 2);
    need = (size_bytes + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
    if (arena->chunk == NULL || arena->chunk->size_bytes - arena->used < need) {
        size_t size = arena->chunk == NULL ? ARENA_CHUNK_MIN : arena->chunk->size_bytes * 2;
        struct arena_chunk *chunk;

        if (size < need)
            size = need;
        chunk = alloc(sizeof(*chunk) + size);
        chunk->older = arena->chunk;
        chunk->size_bytes = size;
        arena->chunk = chunk;
        arena->used = 0;
        arena->total_bytes += size;
    }
    piece = arena->chunk->data + arena->used;
    arena->used += need;
    return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t item_bytes)
{
    size_t size_bytes;
    void *items;

    CHECK(!__builtin_mul_overflow(count, item_bytes, &size_bytes));
    items = arena_alloc(arena, size_bytes);
    memset(items, 0, size_bytes);
    return items;
}
