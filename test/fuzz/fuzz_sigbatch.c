/* Target: the signature lanes, on plain C. What they alone say of an item is what
 * libsecp256k1 says.
 *
 * Input: choices for hostile_structured, a byte for a bound of up to 256 and eight for
 * a greater one. Bytes that are left over when an item is made are laid over it, so that
 * the fuzzer reaches items that nobody thought of.
 */
#include "base/check.h"
#include "crypto/hostile_signatures.h"
#include "crypto/secp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct bytes_left {
    const uint8_t *data;
    size_t len;
};

static uint64_t take(void *context, uint64_t bound)
{
    struct bytes_left *left = context;
    size_t wanted = bound <= 256 ? 1 : 8;
    uint64_t value = 0;

    while (wanted-- > 0 && left->len > 0) {
        value = value << 8 | left->data[0];
        left->data++;
        left->len--;
    }
    return value % bound;
}

static void lay_over(struct sigbatch_item *item, const struct bytes_left *left)
{
    uint8_t *parts[] = {item->pubkey + 1, item->r, item->s, item->hash};

    for (size_t i = 0; i < left->len && i < 4 * 32; i++)
        parts[i / 32][i % 32] ^= left->data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static bool is_prepared;
    struct bytes_left left = {data, len};
    const struct hostile_source source = {.below = take, .context = &left};
    struct hostile_counts counts = {0};
    struct sigbatch_item items[2];
    enum hostile_hope hopes[2];

    if (!is_prepared) {
        static const uint8_t seed[32] = {1};

        secp_init(seed);
        hostile_prepare();
        CHECK(sigbatch_use(lanes_run_plain));
        is_prepared = true;
    }
    hopes[0] = hostile_structured(&items[0], &source);
    items[1] = items[0];
    hopes[1] = HOSTILE_UNKNOWN;
    lay_over(&items[1], &left);
    CHECK(hostile_compare(lanes_run_plain, items, hopes, 2, &counts));
    return 0;
}
