/* Target: transactions. What we accept, we write back byte for byte; the checks
 * come to an end on anything. */
#include "base/check.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "script/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct finding finding = {0};
    struct buf again = {0};
    struct arena arena;
    struct reader r;
    struct tx tx;
    bool by_time;

    arena_init(&arena);
    reader_init(&r, data, len);
    if (tx_read(&tx, &r, &arena, TX_READ_IDS) == 0) {
        size_t used = len - r.left;

        tx_write(&again, &tx, true);
        CHECK(again.len == used && memcmp(again.data, data, used) == 0);
        CHECK(tx.total_bytes == used && tx.base_bytes <= used);
        CHECK(tx.has_witness == (tx.base_bytes != tx.total_bytes));
        again.len = 0;
        tx_write(&again, &tx, false);
        CHECK(again.len == tx.base_bytes);
        if (tx_check(&tx, &finding) != V_VALID)
            CHECK(finding.verdict != V_VALID);
        else
            CHECK(tx.in_n > 0 && tx.out_n > 0);
        (void)tx_has_sequence_locks(&tx, &by_time);
        (void)tx_is_final(&tx, 500000, 1500000000);
        (void)tx_legacy_sigops(&tx);
    } else {
        CHECK(r.rc < 0);
    }
    buf_clear(&again);
    arena_clear(&arena);
    return 0;
}
