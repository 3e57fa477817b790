#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "coins/slab_priv.h"
#include "os/memory.h"

#define SLAB_NO_UNIT 0xffffU
/* Up to here every size has a class of its own; beyond, each is an eighth larger. */
#define EXACT_UNITS_MAX 34U

void slab_init(struct slab *slab, bool want_large_blocks)
{
    uint32_t units = SLAB_BYTES_MIN / SLAB_UNIT_BYTES;
    uint32_t from = 0;

    memset(slab, 0, sizeof(*slab));
    slab->pages_n = 1;
    slab->want_large_blocks = want_large_blocks;
    while (from <= SLAB_BYTES_MAX / SLAB_UNIT_BYTES) {
        uint32_t end = MIN(units, SLAB_BYTES_MAX / SLAB_UNIT_BYTES);

        CHECK(slab->classes_n < SLAB_CLASSES_MAX);
        slab->classes[slab->classes_n].units = end;
        slab->classes[slab->classes_n].items_n = (1U << SLAB_PAGE_SHIFT) / end;
        for (; from <= end; from++)
            slab->class_of_units[from] = (uint8_t)slab->classes_n;
        slab->classes_n++;
        units += units < EXACT_UNITS_MAX ? 1 : units / 8;
    }
}

void slab_clear(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->blocks_n; i++)
        free(slab->blocks[i]);
    free(slab->blocks);
    for (size_t i = 0; i < SLAB_PARTS_MAX; i++)
        free(slab->parts[i]);
    memset(slab, 0, sizeof(*slab));
}

static void list_page(struct slab *slab, uint32_t number)
{
    struct slab_page *page = slab_page_of(slab, number);
    struct slab_class *class = &slab->classes[page->class_i];

    page->newer = 0;
    page->older = class->roomy;
    if (class->roomy != 0)
        slab_page_of(slab, class->roomy)->newer = number;
    class->roomy = number;
}

static void unlist_page(struct slab *slab, uint32_t number)
{
    struct slab_page *page = slab_page_of(slab, number);

    if (page->newer != 0)
        slab_page_of(slab, page->newer)->older = page->older;
    else
        slab->classes[page->class_i].roomy = page->older;
    if (page->older != 0)
        slab_page_of(slab, page->older)->newer = page->newer;
}

/* Cuts a new block into pages not in use. */
static void add_block(struct slab *slab)
{
    uint32_t n = slab->want_large_blocks ? MEMORY_BLOCK_BYTES / SLAB_PAGE_BYTES : 1;
    uint8_t *block = slab->want_large_blocks ? memory_block_new() : alloc(SLAB_PAGE_BYTES);

    slab->blocks = realloc_array(slab->blocks, slab->blocks_n + 1, sizeof(*slab->blocks));
    slab->blocks[slab->blocks_n++] = block;
    /* Last first, so that pages come into use in the order of their addresses. */
    for (uint32_t i = n; i-- > 0;) {
        uint32_t number = slab->pages_n + i;
        struct slab_page **part = &slab->parts[number >> SLAB_PART_SHIFT];

        CHECK(number < SLAB_PARTS_MAX * SLAB_PART_PAGES);
        if (*part == NULL)
            *part = alloc_array(SLAB_PART_PAGES, sizeof(**part));
        slab_page_of(slab, number)->data = block + (size_t)i * SLAB_PAGE_BYTES;
        slab_page_of(slab, number)->older = slab->free_page;
        slab->free_page = number;
    }
    slab->pages_n += n;
}

static void add_page(struct slab *slab, uint32_t class_i)
{
    struct slab_page *page;
    uint32_t number;

    if (slab->free_page == 0)
        add_block(slab);
    number = slab->free_page;
    page = slab_page_of(slab, number);
    slab->free_page = page->older;
    page->class_i = (uint16_t)class_i;
    page->live_n = 0;
    page->fresh_n = 0;
    page->free_unit = SLAB_NO_UNIT;
    slab->bytes += SLAB_PAGE_BYTES + sizeof(*page);
    list_page(slab, number);
}

static void drop_page(struct slab *slab, uint32_t number)
{
    struct slab_page *page = slab_page_of(slab, number);

    unlist_page(slab, number);
    page->fresh_n = 0;
    page->older = slab->free_page;
    slab->free_page = number;
    slab->bytes -= SLAB_PAGE_BYTES + sizeof(*page);
}

/* A free item: a word of zero, and the unit of the next free one. */
struct free_item {
    uint32_t zero;
    uint32_t next_unit;
};

slab_ref slab_take(struct slab *slab, size_t size_bytes)
{
    size_t units = (size_bytes + SLAB_UNIT_BYTES - 1) / SLAB_UNIT_BYTES;
    struct slab_class *class;
    struct slab_page *page;
    uint32_t number;
    uint32_t unit;

    CHECK(units < sizeof(slab->class_of_units));
    class = &slab->classes[slab->class_of_units[units]];
    if (class->roomy == 0)
        add_page(slab, slab->class_of_units[units]);
    number = class->roomy;
    page = slab_page_of(slab, number);
    if (page->free_unit != SLAB_NO_UNIT) {
        const struct free_item *item;

        unit = page->free_unit;
        item = (const struct free_item *)(page->data + (size_t)unit * SLAB_UNIT_BYTES);
        page->free_unit = (uint16_t)item->next_unit;
        /* The next one will be asked for soon and has been out of sight for long. */
        if (page->free_unit != SLAB_NO_UNIT) {
            const uint8_t *next = page->data + (size_t)page->free_unit * SLAB_UNIT_BYTES;

            __builtin_prefetch(next, 1);
            __builtin_prefetch(next + 64, 1);
        }
    } else {
        unit = page->fresh_n++ * class->units;
    }
    if (++page->live_n == class->items_n)
        unlist_page(slab, number);
    return number << SLAB_PAGE_SHIFT | unit;
}

void slab_give_back(struct slab *slab, slab_ref ref)
{
    uint32_t number = ref >> SLAB_PAGE_SHIFT;
    struct slab_page *page = slab_page_of(slab, number);
    struct slab_class *class = &slab->classes[page->class_i];
    struct free_item *item = slab_at(slab, ref);

    CHECK(page->live_n > 0);
    item->zero = 0;
    item->next_unit = page->free_unit;
    page->free_unit = (uint16_t)(ref & ((1U << SLAB_PAGE_SHIFT) - 1));
    if (page->live_n-- == class->items_n)
        list_page(slab, number);
    /* One page with room stays, so that a class at its edge does not go to and fro. */
    if (page->live_n == 0 && (class->roomy != number || page->older != 0))
        drop_page(slab, number);
}
