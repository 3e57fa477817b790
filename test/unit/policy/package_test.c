/* The shape of packages. */
#include "policy/package.h"

#include "../test.h"

struct piece {
    struct tx tx;
    struct tx_in in[3];
};

/* A transaction named by one byte that spends those named. */
static void make(struct piece *piece, uint8_t name, const char *spends)
{
    memset(piece, 0, sizeof(*piece));
    piece->tx.txid.b[0] = name;
    piece->tx.in = piece->in;
    piece->tx.in_n = (uint32_t)strlen(spends);
    piece->tx.base_bytes = piece->tx.total_bytes = 1000;
    for (uint32_t i = 0; i < piece->tx.in_n; i++) {
        piece->in[i].prevout.txid.b[0] = (uint8_t)spends[i];
        piece->in[i].prevout.vout = name;
    }
}

static const char *flaw(const struct piece *pieces, size_t n)
{
    const struct tx *list[32];
    const char *found;

    for (size_t i = 0; i < n; i++)
        list[i] = &pieces[i].tx;
    found = package_flaw(list, n);
    return found == NULL ? "" : found;
}

static void shapes_are_told_apart(void)
{
    static struct piece p[26];

    make(&p[0], 'a', "x");
    make(&p[1], 'b', "a");
    make(&p[2], 'c', "ab");
    EXPECT_STR("a chain", flaw(p, 3), "");
    make(&p[1], 'a', "x");
    EXPECT_STR("twice", flaw(p, 2), "package-contains-duplicates");
    make(&p[0], 'a', "b");
    make(&p[1], 'b', "x");
    EXPECT_STR("child first", flaw(p, 2), "package-not-sorted");
    make(&p[0], 'a', "x");
    make(&p[1], 'b', "xa");
    p[1].in[0].prevout = p[0].in[0].prevout;
    EXPECT_STR("same coin", flaw(p, 2), "conflict-in-package");
    make(&p[1], 'b', "yy");
    EXPECT_STR("twice in one", flaw(p, 2), "");
    make(&p[1], 'b', "");
    EXPECT_STR("no inputs", flaw(p, 2), "conflict-in-package");
    for (uint8_t i = 0; i < 26; i++)
        make(&p[i], (uint8_t)('a' + i), "!");
    EXPECT_STR("25", flaw(p, 25), "");
    EXPECT_STR("26", flaw(p, 26), "package-too-many-transactions");
    p[0].tx.base_bytes = p[0].tx.total_bytes = 100001;
    EXPECT_STR("one alone", flaw(p, 1), "");
    EXPECT_STR("too heavy", flaw(p, 2), "package-too-large");
    p[0].tx.base_bytes = p[0].tx.total_bytes = 100000;
    EXPECT_STR("as heavy as can be", flaw(p, 2), "");
}

static void children_have_parents(void)
{
    static struct piece p[3];
    const struct tx *list[3] = {&p[0].tx, &p[1].tx, &p[2].tx};

    make(&p[0], 'a', "x");
    make(&p[1], 'b', "y");
    make(&p[2], 'c', "ab");
    EXPECT_TRUE("both", package_is_child_with_parents(list, 3));
    make(&p[2], 'c', "a");
    EXPECT_TRUE("one", !package_is_child_with_parents(list, 3));
    EXPECT_TRUE("alone", !package_is_child_with_parents(list, 1));
}

TEST_LIST(TEST(shapes_are_told_apart), TEST(children_have_parents))
