/* Target: descriptors. The canonical text of what is accepted is accepted, and is
 * its own canonical text; it expands to the same scripts; what is inferred from a
 * script pays to that script. */
#include "keys/descriptor.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expand(const struct descriptor *descriptor, struct script_list *scripts,
                   struct keyring *out, size_t branch, const struct keyring *ring)
{
    (void)descriptor_expand(descriptor, scripts, out, branch, 1, ring);
}

static void check_inferred(struct span script, const struct keyring *known)
{
    struct descriptor *inferred = descriptor_infer(script, known, params_of(NETWORK_MAIN));
    struct script_list scripts = {0};

    expand(inferred, &scripts, NULL, 0, known);
    CHECK(scripts.n == 1);
    CHECK(span_equal(span_of_buf(&scripts.scripts[0]), script));
    script_list_clear(&scripts);
    descriptor_free(inferred);
}

static void check_branch(const struct descriptor *descriptor, const struct keyring *ring,
                         size_t branch)
{
    struct descriptor *again = NULL;
    struct script_list scripts = {0};
    struct script_list scripts_again = {0};
    struct keyring known;
    struct buf text = {0};
    struct buf text_again = {0};

    keyring_init(&known);
    CHECK(descriptor_write(descriptor, &text, branch, DESCRIPTOR_PUBLIC, NULL));
    CHECK(descriptor_parse(&again, &known, span_of_buf(&text), true, params_of(NETWORK_MAIN),
                           NULL) == 0);
    CHECK(descriptor_branches(again) == 1);
    CHECK(descriptor_is_range(again) == descriptor_is_range(descriptor) ||
          descriptor_branches(descriptor) > 1);
    CHECK(descriptor_write(again, &text_again, 0, DESCRIPTOR_PUBLIC, NULL));
    CHECK(span_equal(span_of_buf(&text), span_of_buf(&text_again)));
    expand(descriptor, &scripts, &known, branch, ring);
    expand(again, &scripts_again, NULL, 0, ring);
    CHECK(scripts.n == scripts_again.n);
    for (size_t i = 0; i < scripts.n; i++) {
        CHECK(span_equal(span_of_buf(&scripts.scripts[i]), span_of_buf(&scripts_again.scripts[i])));
        check_inferred(span_of_buf(&scripts.scripts[i]), &known);
    }
    script_list_clear(&scripts);
    script_list_clear(&scripts_again);
    descriptor_free(again);
    keyring_clear(&known);
    buf_clear(&text);
    buf_clear(&text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t seed[32] = {1};
    static bool is_ready;
    struct descriptor *descriptor = NULL;
    struct keyring ring;

    if (!is_ready)
        secp_init(seed);
    is_ready = true;
    if (len > 4096)
        return 0;
    keyring_init(&ring);
    if (descriptor_parse(&descriptor, &ring, span_of(data, len), false, params_of(NETWORK_MAIN),
                         NULL) == 0) {
        for (size_t i = 0; i < descriptor_branches(descriptor) && i < 4; i++)
            check_branch(descriptor, &ring, i);
    }
    descriptor_free(descriptor);
    keyring_clear(&ring);
    return 0;
}
