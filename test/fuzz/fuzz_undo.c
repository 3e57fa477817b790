/* Target: undo data. What we read, we write, read again and find the same; and
 * what we have written ourselves we write back byte for byte. */
#include "base/check.h"
#include "coins/undo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_all(struct buf *buf, const struct undo *undo)
{
    undo_begin(buf, undo->tx_n);
    for (uint32_t i = 0; i < undo->tx_n; i++)
        undo_add_tx(buf, undo->tx[i].coins, undo->tx[i].coins_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct undo undo;
    struct undo again;
    struct buf once = {0};
    struct buf twice = {0};

    arena_init(&arena);
    if (undo_read(&undo, span_of(data, len), &arena, NULL) == 0) {
        write_all(&once, &undo);
        CHECK(once.len <= len); /* Ours is the shortest form. */
        CHECK(undo_read(&again, span_of_buf(&once), &arena, NULL) == 0);
        CHECK(again.tx_n == undo.tx_n);
        for (uint32_t i = 0; i < undo.tx_n; i++) {
            CHECK(again.tx[i].coins_n == undo.tx[i].coins_n);
            for (uint32_t k = 0; k < undo.tx[i].coins_n; k++) {
                const struct coin *a = &undo.tx[i].coins[k];
                const struct coin *b = &again.tx[i].coins[k];

                CHECK(a->value_sat == b->value_sat && a->height == b->height);
                CHECK(a->is_coinbase == b->is_coinbase);
                CHECK(span_equal(a->script_pubkey, b->script_pubkey));
            }
        }
        write_all(&twice, &again);
        CHECK(span_equal(span_of_buf(&once), span_of_buf(&twice)));
    }
    buf_clear(&once);
    buf_clear(&twice);
    arena_clear(&arena);
    return 0;
}
