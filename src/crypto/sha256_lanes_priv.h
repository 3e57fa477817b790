/* SHA-256 with one message in each 32-bit lane of vectors: the part that is the
 * same for every width. The including file defines
 *
 *   LANES, TARGET (the function attribute), vec (the vector type), and
 *   add, rotate_right, shift_right, xor3, choose, majority, all, load, store,
 *   swap_bytes, at_most
 *
 * with `all` spreading one word over the lanes, swap_bytes turning the bytes of each word
 * and at_most comparing words without sign into a mask with a bit a lane, and
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

/* --- Nonces -------------------------------------------------------------------------- */

#define SCAN_WORD(i) all(scan->first[i])

/* The second block of 80 bytes: only the fourth word differs among lanes; of the rest of
 * the schedule the constant parts are in scan. */
INLINE void scan_schedule_header(vec *w, const struct sha256_scan *scan, vec nonce)
{
    w[0] = all(scan->w16);
    w[1] = all(scan->w17);
    w[2] = add(small_sigma0(nonce), all(scan->w18));
    w[3] = add(nonce, all(scan->w19));
    w[4] = add(small_sigma1(w[2]), all(0x80000000U));
    w[5] = small_sigma1(w[3]);
    w[6] = add(small_sigma1(w[4]), all(SHA256_SCAN_BITS));
    SHA256_UNROLL
    for (size_t i = 7; i < 14; i++)
        w[i] = add(small_sigma1(w[i - 2]), w[i - 7]);
    w[14] = add(add(small_sigma1(w[12]), w[7]), all(scan->w30));
    w[15] = add(add(small_sigma1(w[13]), w[8]), all(scan->w31));
}

/* The one block of a digest that lies in w[0..7]: words 16 to 31 of its schedule in
 * place of 0 to 15. */
INLINE void scan_schedule_digest(vec *w)
{
    vec m[8];

    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        m[i] = w[i];
    w[0] = add(m[0], small_sigma0(m[1]));
    w[1] = add(add(m[1], small_sigma0(m[2])), small_sigma1(all(8 * SHA256_BYTES)));
    SHA256_UNROLL
    for (size_t i = 2; i < 7; i++)
        w[i] = add(add(m[i], small_sigma0(m[i + 1])), small_sigma1(w[i - 2]));
    w[6] = add(w[6], all(8 * SHA256_BYTES));
    w[7] = add(add(m[7], small_sigma0(all(0x80000000U))), add(small_sigma1(w[5]), w[0]));
    w[8] = add(add(all(0x80000000U), w[1]), small_sigma1(w[6]));
    SHA256_UNROLL
    for (size_t i = 9; i < 14; i++)
        w[i] = add(w[i - 7], small_sigma1(w[i - 2]));
    w[14] = add(add(small_sigma0(all(8 * SHA256_BYTES)), w[7]), small_sigma1(w[12]));
    w[15] = add(add(add(all(8 * SHA256_BYTES), small_sigma0(w[0])), w[8]), small_sigma1(w[13]));
}

#define KNOWN_WORD(i) add(w[i], all(sha256_constants[base + (i)]))
#define DIGEST_WORD(i) add(w[i], all(sha256_constants[i]))
#define FIXED_WORD(i) all(sha256_scan_fixed[i])

/* Rounds 16 to 31 take the words as they are, the others make new ones. */
INLINE void scan_rounds_16_to_47(vec *s, vec *w)
{
    size_t base = 16;

    EIGHT_ROUNDS(s, KNOWN_WORD, 0);
    EIGHT_ROUNDS(s, KNOWN_WORD, 8);
    base = 32;
    EIGHT_ROUNDS(s, LATER_WORD, 0);
    EIGHT_ROUNDS(s, LATER_WORD, 8);
}

/* The block with the nonce; the digest's words into w[0..7]. */
INLINE void scan_header(vec *w, const struct sha256_scan *scan, vec nonce)
{
    const size_t base = 48;
    vec s[8];

    s[4] = add(all(scan->after[0]), nonce);
    s[5] = all(scan->after[1]);
    s[6] = all(scan->after[2]);
    s[7] = all(scan->after[3]);
    s[0] = add(all(scan->after[4]), nonce);
    s[1] = all(scan->after[5]);
    s[2] = all(scan->after[6]);
    s[3] = all(scan->after[7]);
    ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], SCAN_WORD(4));
    ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], SCAN_WORD(5));
    ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], SCAN_WORD(6));
    ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], SCAN_WORD(7));
    EIGHT_ROUNDS(s, SCAN_WORD, 8);
    scan_schedule_header(w, scan, nonce);
    scan_rounds_16_to_47(s, w);
    EIGHT_ROUNDS(s, LATER_WORD, 0);
    EIGHT_ROUNDS(s, LATER_WORD, 8);
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        w[i] = add(all(scan->midstate[i]), s[i]);
}

/* The last word of the hash of the digest in w: all that is asked of most. Three rounds
 * before the end it is in its place. */
INLINE vec scan_digest(vec *w, const struct sha256_scan *scan)
{
    const size_t base = 48;
    vec s[8];

    s[7] = add(all(scan->second_a), w[0]);
    s[3] = add(all(scan->second_e), w[0]);
    s[0] = all(sha256_initial[0]);
    s[1] = all(sha256_initial[1]);
    s[2] = all(sha256_initial[2]);
    s[4] = all(sha256_initial[4]);
    s[5] = all(sha256_initial[5]);
    s[6] = all(sha256_initial[6]);
    ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], DIGEST_WORD(1));
    ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], DIGEST_WORD(2));
    ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], DIGEST_WORD(3));
    ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], DIGEST_WORD(4));
    ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], DIGEST_WORD(5));
    ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], DIGEST_WORD(6));
    ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], DIGEST_WORD(7));
    EIGHT_ROUNDS(s, FIXED_WORD, 0);
    scan_schedule_digest(w);
    scan_rounds_16_to_47(s, w);
    EIGHT_ROUNDS(s, LATER_WORD, 0);
    ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], LATER_WORD(8));
    ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], LATER_WORD(9));
    ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], LATER_WORD(10));
    ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], LATER_WORD(11));
    ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], LATER_WORD(12));
    return add(s[7], all(sha256_initial[7]));
}

TARGET static unsigned scan_lanes(const struct sha256_scan *scan, uint32_t nonce, uint32_t bound)
{
    static const uint32_t steps[16]
        __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vec w[16];
    vec last;
    unsigned good;

    scan_header(w, scan, swap_bytes(add(all(nonce), load(steps))));
    last = scan_digest(w, scan);
    good = at_most(swap_bytes(last), all(bound));
    return good == 0 ? LANES : (unsigned)__builtin_ctz(good);
}
