/* Target: headers. Written back byte for byte; targets survive their compact form,
 * and work is 2^256 over them. */
#include "base/check.h"
#include "consensus/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct ancestor at(const void *context, int32_t height)
{
    const struct header *header = context;

    return (struct ancestor){.version = header->version,
                             .time = header->time + 600U * (uint32_t)height,
                             .bits = header->bits};
}

static void check_target(uint32_t bits)
{
    bool negative;
    bool overflow;
    struct u256 target = target_of_bits(bits, &negative, &overflow);
    struct u256 work = work_of_bits(bits);
    const struct u256 zero = {{0}};

    if (negative || overflow || u256_compare(&target, &zero) == 0) {
        CHECK(u256_compare(&work, &zero) == 0);
        return;
    }
    CHECK(u256_compare(&work, &zero) > 0);
    {
        uint32_t again = bits_of_target(&target);
        struct u256 same = target_of_bits(again, &negative, &overflow);

        CHECK(!negative && !overflow && u256_compare(&same, &target) == 0);
        CHECK(bits_of_target(&same) == again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t again[HEADER_BYTES];
    struct header header;
    struct reader r;

    if (len < HEADER_BYTES)
        return 0;
    reader_init(&r, data, len);
    header_read(&header, &r);
    header_write(again, &header);
    CHECK(memcmp(again, data, HEADER_BYTES) == 0);
    check_target(header.bits);
    for (int i = 0; i < NETWORK_COUNT; i++) {
        const struct params *params = params_of((enum network)i);
        struct ancestry ancestry = {.tip_height = 4031, .at = at, .context = &header};
        struct block_hash hash = header_hash(&header);
        struct finding finding = {0};
        uint32_t next = pow_next_bits(&ancestry, header.time, params);
        struct u256 target = target_of_bits(next, NULL, NULL);
        struct u256 limit = u256_of_hash(params->pow_limit);

        if (!params->pow_no_retargeting)
            CHECK(u256_compare(&target, &limit) <= 0);
        if (header_check(&header, &hash, params, &finding) != V_VALID)
            CHECK(finding.verdict == V_HIGH_HASH);
        (void)header_verify(&header, &ancestry, params, header.time, &finding);
    }
    return 0;
}
