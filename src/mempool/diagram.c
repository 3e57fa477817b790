#include "mempool/diagram.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

__extension__ typedef __int128 wide;

int fee_size_compare(struct fee_size a, struct fee_size b)
{
    wide left = (wide)a.fee_sat * b.size;
    wide right = (wide)b.fee_sat * a.size;

    return (left > right) - (left < right);
}

static int64_t saturate(wide value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    if (value < INT64_MIN)
        return INT64_MIN;
    return (int64_t)value;
}

int64_t fee_size_fee_down(struct fee_size rate, int64_t size)
{
    wide product = (wide)rate.fee_sat * size;
    wide quotient = product / rate.size;

    if (product % rate.size < 0)
        quotient--;
    return saturate(quotient);
}

int64_t fee_size_fee_up(struct fee_size rate, int64_t size)
{
    wide product = (wide)rate.fee_sat * size;
    wide quotient = product / rate.size;

    if (product % rate.size > 0)
        quotient++;
    return saturate(quotient);
}

/* A pen that draws one diagram: the corner behind it and the one it moves to. */
struct corner {
    wide fee_sat; /* Sums of many chunks may pass 64 bits. */
    wide size;
};
struct pen {
    const struct fee_size *chunks;
    size_t left;
    struct corner from;
    struct corner to;
    bool is_level; /* Behind the last chunk: goes on for ever. */
};

static void pen_advance(struct pen *pen)
{
    pen->from = pen->to;
    if (pen->left == 0) {
        pen->is_level = true;
        return;
    }
    pen->to.fee_sat += pen->chunks->fee_sat;
    pen->to.size += pen->chunks->size;
    pen->chunks++;
    pen->left--;
}

/* The sign of (corner - what the pen's line is at the corner's size). */
static int corner_above(struct corner corner, const struct pen *line)
{
    wide rise = corner.fee_sat - line->from.fee_sat;
    wide run = corner.size - line->from.size;
    wide slope_rise = 0;
    wide slope_run = 1;
    wide difference;

    if (!line->is_level) {
        slope_rise = line->to.fee_sat - line->from.fee_sat;
        slope_run = line->to.size - line->from.size;
    }
    difference = rise * slope_run - slope_rise * run;
    return (difference > 0) - (difference < 0);
}

enum diagram_order diagram_compare(const struct fee_size *a, size_t a_n, const struct fee_size *b,
                                   size_t b_n)
{
    struct pen pen_a = {.chunks = a, .left = a_n};
    struct pen pen_b = {.chunks = b, .left = b_n};
    bool a_above = false;
    bool b_above = false;

    /* Both are made of straight lines, so that where one is above the other somewhere,
     * it is so at a corner of one of them: it is enough to look at the corners. */
    pen_advance(&pen_a);
    pen_advance(&pen_b);
    while (!pen_a.is_level || !pen_b.is_level) {
        bool take_a = !pen_a.is_level && (pen_b.is_level || pen_a.to.size <= pen_b.to.size);
        bool is_same = take_a && !pen_b.is_level && pen_a.to.size == pen_b.to.size;
        int sign = take_a ? corner_above(pen_a.to, &pen_b) : -corner_above(pen_b.to, &pen_a);

        a_above |= sign > 0;
        b_above |= sign < 0;
        if (take_a)
            pen_advance(&pen_a);
        if (!take_a || is_same)
            pen_advance(&pen_b);
    }
    if (a_above && b_above)
        return DIAGRAM_INCOMPARABLE;
    if (a_above)
        return DIAGRAM_BETTER;
    return b_above ? DIAGRAM_WORSE : DIAGRAM_EQUAL;
}

static int compare_chunks(const void *left, const void *right)
{
    const struct fee_size *a = left;
    const struct fee_size *b = right;
    int order = fee_size_compare(*b, *a);

    if (order != 0)
        return order;
    return (a->size > b->size) - (a->size < b->size);
}

void diagram_sort(struct fee_size *chunks, size_t n)
{
    if (n > 1)
        qsort(chunks, n, sizeof(*chunks), compare_chunks);
}
