/* Descriptors: what is taken, what its canonical text is, and the words for what
 * is not. Rows of errors are Bitcoin Core's. */
#include "keys/descriptor.h"

#include "test.h"

#define G_ "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define H_ "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define X_                                                                                  \
    "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MY" \
    "o6oDaPPLPxSb7gwQN3ih19Zm4Y"
#define P_                                                                                  \
    "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJC" \
    "VVFceUvJFjaPdGZ2y9WACViL4L"

static const struct {
    const char *text;
    const char *why;
} bad_rows[] = {
    {"pk()", "pk(): No key provided"},
    {"pk(" G_, "'pk(" G_ "' is not a valid descriptor function"},
    {"wpkh(" G_ ")#", "Expected 8 character checksum, not 0 characters"},
    {"wpkh(" G_ ")#aaaaaaaa#", "Multiple '#' symbols"},
    {"pk(" G_ "\x01)", "Invalid characters in payload"},
    {"wsh(" G_ ")", "A function is needed within P2WSH"},
    {"sh(" G_ ")", "A function is needed within P2SH"},
    {"wsh(wpkh(" G_ "))", "Can only have wpkh() at top level or inside sh()"},
    {"sh(sh(pk(" G_ ")))", "Can only have sh() at top level"},
    {"sh(tr(" G_ "))", "Can only have tr at top level"},
    {"sh(combo(" G_ "))", "Can only have combo() at top level"},
    {"multi(0," G_ ")", "Multisig threshold cannot be 0, must be at least 1"},
    {"multi(2," G_ ")", "Multisig threshold cannot be larger than the number of keys; threshold is "
                        "2 but only 1 keys specified"},
    {"multi(x," G_ ")", "Multi threshold 'x' is not valid"},
    {"multi(1," G_ "," G_ "," G_ "," G_ ")",
     "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys"},
    {"multi_a(1," G_ ")", "Can only have multi_a/sortedmulti_a inside tr()"},
    {"tr(" G_ ",multi(1," G_ "))",
     "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
    {"pkh(" X_ "/2147483648)", "pkh(): Key path value 2147483648 is out of range"},
    {"pkh(" X_ "/x)", "pkh(): Key path value 'x' is not a valid uint32"},
    {"pkh(" X_ "/<0;0>)", "pkh(): Duplicated key path value 0 in multipath specifier"},
    {"pkh(" X_ "/<0>)", "pkh(): Multipath key path specifiers must have at least two items"},
    {"pkh([aaaaaaaa/<0;1>]" G_ ")",
     "pkh(): Key path value '<0;1>' specifies multipath in a section "
     "where multipath is not allowed"},
    {"pkh([aaaaaaa]" G_ ")",
     "pkh(): Fingerprint is not 4 bytes (7 characters instead of 8 characters)"},
    {"pkh([aaaagaaa]" G_ ")", "pkh(): Fingerprint 'aaaagaaa' is not hex"},
    {"wsh(and_v(v:pk(" G_ "),pk(" G_ ")))",
     "and_v(v:pk(" G_ "),pk(" G_ ")) is not sane: contains duplicate public keys"},
    {"wsh(older(1))", "older(1) is not sane: witnesses without signature exist"},
    {"wsh(and_b(pk(" G_ "),pk(" H_ ")))", "and_b(pk(" G_ "),pk(" H_ ")) is invalid"},
    {"pk(musig(" G_ "," H_ "))", "pk(): musig() is only allowed in tr() and rawtr()"},
    {"raw(0)", "Raw script is not hex"},
    {"addr(x)", "Address is not valid"},
};

static void bad_texts_are_explained(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
        struct descriptor *descriptor = NULL;
        struct keyring ring;
        struct buf why = {0};

        keyring_init(&ring);
        EXPECT_INT(bad_rows[i].text,
                   descriptor_parse(&descriptor, &ring, span_of_string(bad_rows[i].text), false,
                                    params_of(NETWORK_MAIN), &why),
                   E_MALFORMED);
        EXPECT_STR(bad_rows[i].text, buf_string(&why), bad_rows[i].why);
        keyring_clear(&ring);
        buf_clear(&why);
    }
}

static void secrets_show_only_when_asked_for(void)
{
    static const char text[] = "wpkh(" P_ "/1h/0/*)";
    struct descriptor *descriptor = NULL;
    struct script_list scripts = {0};
    struct keyring nothing;
    struct keyring ring;
    struct buf out = {0};

    keyring_init(&ring);
    keyring_init(&nothing);
    EXPECT_INT(text,
               descriptor_parse(&descriptor, &ring, span_of_string(text), false,
                                params_of(NETWORK_MAIN), NULL),
               0);
    EXPECT_U64("secrets", ring.secrets_n, 1);
    EXPECT_TRUE("public", descriptor_write(descriptor, &out, 0, DESCRIPTOR_PUBLIC, NULL));
    EXPECT_TRUE("no secret", strstr(buf_string(&out), "xprv") == NULL);
    EXPECT_TRUE("range", strstr(buf_string(&out), "/1h/0/*)#") != NULL);
    out.len = 0;
    EXPECT_TRUE("private", descriptor_write(descriptor, &out, 0, DESCRIPTOR_PRIVATE, &ring));
    EXPECT_TRUE("secret", strstr(buf_string(&out), P_ "/1h/0/*)#") != NULL);
    out.len = 0;
    EXPECT_TRUE("not known", !descriptor_write(descriptor, &out, 0, DESCRIPTOR_PRIVATE, &nothing));
    EXPECT_TRUE("no secret", strstr(buf_string(&out), "xprv") == NULL);
    out.len = 0;
    EXPECT_TRUE("compat", descriptor_write(descriptor, &out, 0, DESCRIPTOR_COMPAT, NULL));
    EXPECT_TRUE("apostrophe", strstr(buf_string(&out), "/1'/0/*)#") != NULL);
    out.len = 0;
    EXPECT_TRUE("normalized", descriptor_write(descriptor, &out, 0, DESCRIPTOR_NORMALIZED, &ring));
    EXPECT_TRUE("origin", strncmp(buf_string(&out), "wpkh([", 6) == 0);
    EXPECT_TRUE("behind the hardened step", strstr(buf_string(&out), "/1h]xpub") != NULL);
    out.len = 0;
    EXPECT_TRUE("normalized",
                !descriptor_write(descriptor, &out, 0, DESCRIPTOR_NORMALIZED, &nothing));
    EXPECT_TRUE("expand", descriptor_expand(descriptor, &scripts, NULL, 0, 3, &ring));
    EXPECT_TRUE("expand", !descriptor_expand(descriptor, &scripts, NULL, 0, 3, &nothing));
    EXPECT_U64("scripts", scripts.n, 1);
    script_list_clear(&scripts);
    descriptor_free(descriptor);
    keyring_clear(&ring);
    keyring_clear(&nothing);
    buf_clear(&out);
}

/* BIP 389: as if the text had been written once for each choice. */
static void branches_equal_their_own_texts(void)
{
    static const char *const texts[3] = {"wsh(multi(1," X_ "/<5;6h>/*," G_ "))",
                                         "wsh(multi(1," X_ "/5/*," G_ "))",
                                         "wsh(multi(1," X_ "/6h/*," G_ "))"};
    struct descriptor *parsed[3] = {NULL};
    struct keyring ring;

    keyring_init(&ring);
    for (size_t i = 0; i < 3; i++)
        EXPECT_INT(texts[i],
                   descriptor_parse(&parsed[i], &ring, span_of_string(texts[i]), false,
                                    params_of(NETWORK_MAIN), NULL),
                   0);
    EXPECT_U64("branches", descriptor_branches(parsed[0]), 2);
    for (size_t i = 0; i < 2; i++) {
        struct buf a = {0};
        struct buf b = {0};

        (void)descriptor_write(parsed[0], &a, i, DESCRIPTOR_PUBLIC, NULL);
        (void)descriptor_write(parsed[i + 1], &b, 0, DESCRIPTOR_PUBLIC, NULL);
        EXPECT_STR("branch", buf_string(&a), buf_string(&b));
        buf_clear(&a);
        buf_clear(&b);
    }
    for (size_t i = 0; i < 3; i++)
        descriptor_free(parsed[i]);
    keyring_clear(&ring);
}

TEST_LIST(TEST(bad_texts_are_explained), TEST(secrets_show_only_when_asked_for),
          TEST(branches_equal_their_own_texts))
