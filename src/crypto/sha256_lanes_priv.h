/* SHA-256 with one message in each 32-bit lane of vectors: the part that is the
 * same for every width. The including file defines
 *
 *   LANES, TARGET (the function attribute), vec (the vector type), and
 *   add, rotate_right, shift_right, xor3, choose, majority, all, load, store
 *
 * with `all` spreading one word over the lanes, and
 *   void load_blocks(vec *ret_words, const uint8_t *const *blocks)
 * which gives word i of each lane's block in ret_words[i], big-endian read.
 */
#ifndef LANES
#error "define LANES and the operations first"
#endif

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE vec big_sigma0(vec x)
{
    return xor3(rotate_right(x, 2), rotate_right(x, 13), rotate_right(x, 22));
}

INLINE vec big_sigma1(vec x)
{
    return xor3(rotate_right(x, 6), rotate_right(x, 11), rotate_right(x, 25));
}

INLINE vec small_sigma0(vec x)
{
    return xor3(rotate_right(x, 7), rotate_right(x, 18), shift_right(x, 3));
}

INLINE vec small_sigma1(vec x)
{
    return xor3(rotate_right(x, 17), rotate_right(x, 19), shift_right(x, 10));
}

#define ROUND(a, b, c, d, e, f, g, h, kw)                               \
    do {                                                                \
        vec t1_ = add(add(h, kw), add(big_sigma1(e), choose(e, f, g))); \
        (d) = add(d, t1_);                                              \
        (h) = add(t1_, add(big_sigma0(a), majority(a, b, c)));          \
    } while (0)

#define EIGHT_ROUNDS(s, kw, i)                                              \
    do {                                                                    \
        ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], kw((i)));     \
        ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], kw((i) + 1)); \
        ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], kw((i) + 2)); \
        ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], kw((i) + 3)); \
        ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], kw((i) + 4)); \
        ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], kw((i) + 5)); \
        ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], kw((i) + 6)); \
        ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], kw((i) + 7)); \
    } while (0)

/* The next word of the schedule into its place in the ring. */
INLINE vec next_word(vec *w, size_t i)
{
    w[i & 15] = add(add(w[i & 15], w[(i + 9) & 15]),
                    add(small_sigma0(w[(i + 1) & 15]), small_sigma1(w[(i + 14) & 15])));
    return w[i & 15];
}

#define FIRST_WORD(i) add(w[i], all(sha256_constants[i]))
#define LATER_WORD(i) add(next_word(w, (i)), all(sha256_constants[base + (i)]))
#define PADDING_WORD(i) all(sha256_padding_64[i])

/* w is used up. */
INLINE void compress(vec *state, vec *w)
{
    vec s[8];

    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        s[i] = state[i];
    EIGHT_ROUNDS(s, FIRST_WORD, 0);
    EIGHT_ROUNDS(s, FIRST_WORD, 8);
    for (size_t base = 16; base < 64; base += 16) {
        EIGHT_ROUNDS(s, LATER_WORD, 0);
        EIGHT_ROUNDS(s, LATER_WORD, 8);
    }
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        state[i] = add(state[i], s[i]);
}

INLINE void compress_padding(vec *state)
{
    vec s[8];

    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        s[i] = state[i];
    SHA256_UNROLL
    for (size_t i = 0; i < 64; i += 8)
        EIGHT_ROUNDS(s, PADDING_WORD, i);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        state[i] = add(state[i], s[i]);
}

TARGET static void step(uint32_t *state, const uint8_t *const *blocks)
{
    vec s[8];
    vec w[16];

    load_blocks(w, blocks);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        s[i] = load(state + LANES * i);
    compress(s, w);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        store(state + LANES * i, s[i]);
}

TARGET static void double_64(uint8_t *ret_digests, const uint8_t *inputs)
{
    uint32_t words[8][LANES] __attribute__((aligned(64)));
    const uint8_t *blocks[LANES];
    vec s[8];
    vec w[16];

    SHA256_UNROLL
    for (size_t i = 0; i < LANES; i++)
        blocks[i] = inputs + 64 * i;
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        s[i] = all(sha256_initial[i]);
    load_blocks(w, blocks);
    compress(s, w);
    compress_padding(s);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++) {
        w[i] = s[i];
        w[8 + i] = all(i == 0 ? 0x80000000U : i == 7 ? 8 * SHA256_BYTES : 0);
        s[i] = all(sha256_initial[i]);
    }
    compress(s, w);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        store(words[i], s[i]);
    for (size_t lane = 0; lane < LANES; lane++) {
        SHA256_UNROLL
        for (size_t i = 0; i < 8; i++)
            put_be32(ret_digests + 32 * lane + 4 * i, words[i][lane]);
    }
}
