#include "p2p/asmap.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/sha256.h"

#include "test.h"

/* --- An encoder of the format, from its description --- */

struct bits {
    uint8_t data[1 << 16];
    size_t n;
};

static void put_bit(struct bits *b, unsigned bit)
{
    CHECK(b->n < sizeof(b->data) * 8);
    if (b->n % 8 == 0)
        b->data[b->n / 8] = 0;
    b->data[b->n / 8] |= (uint8_t)(bit << b->n % 8);
    b->n++;
}

static void put_number(struct bits *b, uint32_t value, uint32_t least, unsigned first,
                       unsigned last)
{
    unsigned width = first;

    value -= least;
    for (; width < last && value >= 1U << width; width++) {
        value -= 1U << width;
        put_bit(b, 1);
    }
    CHECK(value < 1U << width);
    if (width < last)
        put_bit(b, 0);
    for (unsigned i = width; i > 0; i--)
        put_bit(b, value >> (i - 1) & 1);
}

static void put_return(struct bits *b, uint32_t asn)
{
    put_bit(b, 0);
    put_number(b, asn, 1, 15, 24);
}

static void put_default(struct bits *b, uint32_t asn)
{
    put_bit(b, 1);
    put_bit(b, 1);
    put_bit(b, 1);
    put_number(b, asn, 1, 15, 24);
}

static void put_match(struct bits *b, uint32_t pattern)
{
    put_bit(b, 1);
    put_bit(b, 1);
    put_bit(b, 0);
    put_number(b, pattern, 2, 1, 8);
}

static void put_jump(struct bits *b, uint32_t offset)
{
    put_bit(b, 1);
    put_bit(b, 0);
    put_number(b, offset, 17, 5, 30);
}

static struct span whole(const struct bits *b)
{
    return span_of(b->data, (b->n + 7) / 8);
}

/* --- Against a naive trie --- */

struct node {
    struct node *child[2]; /* Both or none. */
    uint32_t asn;          /* Of a leaf. */
};

static struct node *grow(unsigned depth)
{
    struct node *node = alloc_zero(sizeof(*node));

    if (depth < 100 && test_random_below(12) > depth / 4) {
        node->child[0] = grow(depth + 1 + (unsigned)test_random_below(20));
        node->child[1] = grow(depth + 1 + (unsigned)test_random_below(20));
    } else {
        node->asn = 1 + (uint32_t)test_random_below(test_random_below(2) == 0 ? 40000 : 16000000);
    }
    return node;
}

static void cut(struct node *node)
{
    if (node == NULL)
        return;
    cut(node->child[0]);
    cut(node->child[1]);
    free(node);
}

static void encode(struct bits *b, const struct node *node)
{
    struct bits *left;

    if (node->child[0] == NULL) {
        put_return(b, node->asn);
        return;
    }
    left = alloc_zero(sizeof(*left));
    encode(left, node->child[0]);
    put_jump(b, (uint32_t)left->n);
    for (size_t i = 0; i < left->n; i++)
        put_bit(b, left->data[i / 8] >> i % 8 & 1U);
    free(left);
    encode(b, node->child[1]);
}

static uint32_t look_up(const struct node *node, const uint8_t *ip)
{
    for (unsigned i = 0; node->child[0] != NULL; i++)
        node = node->child[ip[i / 8] >> (7 - i % 8) & 1];
    return node->asn;
}

static void finds_what_a_trie_finds(void)
{
    for (unsigned round = 0; round < 40; round++) {
        struct node *root = grow(0);
        struct bits *b = alloc_zero(sizeof(*b));
        struct asmap *asmap = NULL;

        encode(b, root);
        EXPECT_INT("sane", asmap_new(&asmap, whole(b), NULL), 0);
        for (unsigned i = 0; asmap != NULL && i < 200; i++) {
            struct net_address address;
            uint8_t ip[16];
            uint32_t ipv4;

            test_random_fill(ip, sizeof(ip));
            address = net_address_ipv6(ip, 0, 1);
            if (net_address_class(&address) != NET_IPV6 || net_address_linked_ipv4(&ipv4, &address))
                continue;
            EXPECT_U64("asn", asmap_find(asmap, &address), look_up(root, ip));
        }
        asmap_free(asmap);
        free(b);
        cut(root);
    }
}

/* --- By hand --- */

static struct net_address address_of(const char *text)
{
    struct net_address address;

    CHECK(net_address_read(&address, text, strlen(text), 1));
    return address;
}

/* ::ffff:0:0/96, then 1.0.0.0/8 is 7, all else 9. */
static void make_map(struct bits *b, bool has_default)
{
    if (has_default)
        put_default(b, 9);
    for (unsigned i = 0; i < 10; i++)
        put_match(b, 0x100);
    put_match(b, 0x1ff);
    put_match(b, 0x1ff);
    put_match(b, 0x101);
    put_return(b, 7);
}

static void matches_and_defaults(void)
{
    static const struct {
        const char *text;
        uint32_t asn;
        uint32_t without_default;
    } rows[] = {
        {"1.2.3.4", 7, 7},
        {"2.2.3.4", 9, 0},
        {"2a01:4f8::1", 9, 0},
        {"64:ff9b::102:304", 7, 7},
        {"2002:102:304::1", 7, 7},
        {"10.0.0.1", 0, 0},
        {"127.0.0.1", 0, 0},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 0, 0},
    };

    for (unsigned has_default = 0; has_default < 2; has_default++) {
        struct bits *b = alloc_zero(sizeof(*b));
        struct asmap *asmap = NULL;

        make_map(b, has_default != 0);
        EXPECT_INT("sane", asmap_new(&asmap, whole(b), NULL), 0);
        for (size_t i = 0; asmap != NULL && i < ARRAY_LEN(rows); i++) {
            struct net_address address = address_of(rows[i].text);
            uint32_t want = has_default != 0 ? rows[i].asn : rows[i].without_default;
            struct net_group plain = net_group_of(&address, 0);
            struct net_group group = asmap_group(asmap, &address);

            EXPECT_U64(rows[i].text, asmap_find(asmap, &address), want);
            EXPECT_U64(rows[i].text, asmap_find(NULL, &address), 0);
            EXPECT_INT(rows[i].text, net_group_equal(&plain, &group), want == 0);
        }
        asmap_free(asmap);
        free(b);
    }
}

/* Each a way to be wrong; the first is right. */
static void make_row(struct bits *b, unsigned row)
{
    switch (row) {
    case 0:
        put_jump(b, 17);
        put_return(b, 1);
        put_return(b, 2);
        break;
    case 1: /* Behind the RETURN of the left side something nobody reaches. */
        put_jump(b, 34);
        put_return(b, 1);
        put_return(b, 3);
        put_return(b, 2);
        break;
    case 2: /* Into the middle of the left side. */
        put_jump(b, 18);
        put_return(b, 1);
        put_return(b, 2);
        break;
    case 3: /* Past the end. */
        put_jump(b, 100);
        put_return(b, 1);
        put_return(b, 2);
        break;
    case 4: /* DEFAULT and RETURN could be one. */
        put_default(b, 1);
        put_return(b, 2);
        break;
    case 5: /* Two defaults. */
        put_default(b, 1);
        put_default(b, 2);
        put_match(b, 2);
        put_return(b, 2);
        break;
    case 6: /* Two short matches. */
        put_match(b, 2);
        put_match(b, 2);
        put_return(b, 2);
        break;
    case 7: /* More bits than an address has. */
        for (unsigned i = 0; i < 17; i++)
            put_match(b, 0x100);
        put_return(b, 2);
        break;
    case 8: /* No RETURN. */
        put_match(b, 0x100);
        break;
    case 9: /* A byte too much. */
        put_return(b, 2);
        for (unsigned i = 0; i < 16; i++)
            put_bit(b, 0);
        break;
    case 10: /* Padding that is not zero. */
        put_return(b, 2);
        put_bit(b, 1);
        break;
    case 11: /* Crossing jumps. */
        put_jump(b, 60);
        put_jump(b, 70);
        for (unsigned i = 0; i < 8; i++)
            put_return(b, i + 1);
        break;
    case 12: /* The number is cut. */
        put_bit(b, 0);
        put_bit(b, 0);
        break;
    default: /* Nothing at all. */
        break;
    }
}

static void refuses_insane_maps(void)
{
    for (unsigned row = 0; row < 14; row++) {
        struct bits *b = alloc_zero(sizeof(*b));
        struct asmap *asmap = NULL;
        char label[16];

        (void)snprintf(label, sizeof(label), "row %u", row);
        make_row(b, row);
        EXPECT_INT(label, asmap_new(&asmap, whole(b), NULL), row == 0 ? 0 : E_MALFORMED);
        asmap_free(asmap);
        free(b);
    }
}

static void version_names_the_map(void)
{
    struct bits *b = alloc_zero(sizeof(*b));
    uint8_t want[SHA256_BYTES];
    uint8_t got[SHA256_BYTES];
    struct asmap *asmap = NULL;

    put_return(b, 5);
    EXPECT_INT("sane", asmap_new(&asmap, whole(b), NULL), 0);
    sha256d(want, b->data, whole(b).len);
    asmap_version(got, asmap);
    EXPECT_BYTES("version", got, sizeof(got), want, sizeof(want));
    memset(want, 0, sizeof(want));
    asmap_version(got, NULL);
    EXPECT_BYTES("none", got, sizeof(got), want, sizeof(want));
    asmap_free(asmap);
    free(b);
}

TEST_LIST(TEST(finds_what_a_trie_finds), TEST(matches_and_defaults), TEST(refuses_insane_maps),
          TEST(version_names_the_map))
