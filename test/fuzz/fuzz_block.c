/* Target: blocks. What we accept, we write back byte for byte, every size adds up,
 * and the rules come to an end on anything. */
#include "base/check.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "consensus/signet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_again(struct buf *buf, const struct block *block)
{
    header_write(buf_extend(buf, HEADER_BYTES), &block->header);
    write_compact_size(buf, block->tx_n);
    for (uint32_t i = 0; i < block->tx_n; i++)
        tx_write(buf, &block->tx[i], true);
}

static uint64_t naive_weight(const struct block *block)
{
    struct buf base = {0};
    uint64_t weight;

    write_compact_size(&base, block->tx_n);
    for (uint32_t i = 0; i < block->tx_n; i++)
        tx_write(&base, &block->tx[i], false);
    weight = 3 * (base.len + HEADER_BYTES) + block->raw.len;
    buf_clear(&base);
    return weight;
}

static struct ancestor older(const void *context, int32_t height)
{
    (void)context;
    (void)height;
    return (struct ancestor){.version = 4, .time = 1231006505, .bits = 0x207fffff};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct block block;

    arena_init(&arena);
    if (block_read(&block, data, len, &arena) == 0) {
        struct buf again = {0};

        write_again(&again, &block);
        CHECK(again.len == len && memcmp(again.data, data, len) == 0);
        CHECK(block.weight == naive_weight(&block));
        buf_clear(&again);
        for (int i = 0; i < NETWORK_COUNT; i++) {
            const struct params *params = params_of((enum network)i);
            struct ancestry ancestry = {.tip_height = 149, .at = older};
            struct finding finding = {0};
            enum verdict verdict = block_check(&block, params, false, true, &arena, &finding);

            CHECK(finding.verdict == verdict);
            if (verdict == V_VALID)
                (void)block_verify(&block, &ancestry, params, &arena, &finding);
            (void)block_check(&block, params, true, false, &arena, &finding);
        }
        (void)signet_solution_holds(&block, params_of(NETWORK_SIGNET), &arena);
    }
    arena_clear(&arena);
    return 0;
}
