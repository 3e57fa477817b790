/* Memory for the cache's entries: pages of one size class each, so that spent
 * entries' memory is used again and an empty page serves any class. References
 * are 32 bits: a page and a place in it. Private to the coins room.
 *
 * Owner thread: chain. The flush thread may follow references it was handed
 * (slab_at), which is why pages never move and the page table is kept in parts
 * that never move either.
 */
#ifndef COINS_SLAB_PRIV_H
#define COINS_SLAB_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_UNIT_BYTES 4U
#define SLAB_PAGE_SHIFT 13U /* Units of a page: 32 KiB. */
#define SLAB_PAGE_BYTES (SLAB_UNIT_BYTES << SLAB_PAGE_SHIFT)
#define SLAB_BYTES_MIN 52U /* Smallest item; smaller ones take as much. */
#define SLAB_BYTES_MAX 10240U
#define SLAB_CLASSES_MAX 72U
/* 512 pages to a part: 16 MiB. 1,024 parts: 16 GiB. */
#define SLAB_PART_SHIFT 9U
#define SLAB_PART_PAGES (1U << SLAB_PART_SHIFT)
#define SLAB_PARTS_MAX 1024U

typedef uint32_t slab_ref; /* 0: none. */

/* The first word of an item is the owner's and must not be 0; of a free one it is. */
struct slab_page {
    uint8_t *data;  /* In a block. */
    uint32_t older; /* In its class's list of pages with room; 0 ends it. */
    uint32_t newer;
    uint16_t class_i;
    uint16_t live_n;
    uint16_t fresh_n;   /* Items given out at least once: those behind are untouched.
                           0: the page is not in use. */
    uint16_t free_unit; /* First free item; SLAB_NO_UNIT: none. */
};

struct slab_class {
    uint32_t units;   /* Of an item. */
    uint32_t items_n; /* In a page. */
    uint32_t roomy;   /* First page with room, 0: none. */
};

struct slab {
    struct slab_page *parts[SLAB_PARTS_MAX]; /* Owned. */
    uint32_t pages_n;   /* Numbers given out, page 0 included, which is never used. */
    uint32_t free_page; /* First page not in use, linked by older; 0: none. */
    uint64_t bytes;     /* Of pages in use. */
    void **blocks;      /* What pages are cut from. Owned, blocks_n, each owned. */
    uint32_t blocks_n;
    bool want_large_blocks;
    struct slab_class classes[SLAB_CLASSES_MAX];
    uint32_t classes_n;
    uint8_t class_of_units[SLAB_BYTES_MAX / SLAB_UNIT_BYTES + 1];
};

/* want_large_blocks: for caches of which 2 MiB are a small part. */
void slab_init(struct slab *slab, bool want_large_blocks);
void slab_clear(struct slab *slab);

/* size_bytes up to SLAB_BYTES_MAX. Content is undefined. */
slab_ref slab_take(struct slab *slab, size_t size_bytes);
void slab_give_back(struct slab *slab, slab_ref ref);

static inline struct slab_page *slab_page_of(const struct slab *slab, uint32_t page)
{
    return &slab->parts[page >> SLAB_PART_SHIFT][page & (SLAB_PART_PAGES - 1)];
}

static inline void *slab_at(const struct slab *slab, slab_ref ref)
{
    const struct slab_page *page = slab_page_of(slab, ref >> SLAB_PAGE_SHIFT);

    return page->data + (size_t)(ref & ((1U << SLAB_PAGE_SHIFT) - 1)) * SLAB_UNIT_BYTES;
}

/* The i-th item of a page in use (below fresh_n), for walking over all. */
static inline slab_ref slab_item(const struct slab *slab, uint32_t page, uint32_t i)
{
    return page << SLAB_PAGE_SHIFT | i * slab->classes[slab_page_of(slab, page)->class_i].units;
}

#endif /* COINS_SLAB_PRIV_H */
