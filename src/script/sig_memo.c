#include "script/sig_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

enum question_kind { ASKED_ECDSA, ASKED_SCHNORR, ASKED_TWEAK };

/* Room for a key of 65 bytes, the longest signature in strict DER and a hash; what is
 * longer is not remembered. */
#define QUESTION_BYTES_MAX (65 + 72 + 32)

struct asked {
    uint16_t len;
    bool answer;
    uint8_t bytes[4 + QUESTION_BYTES_MAX];
};

struct sig_memo {
    struct sig_engine engine;
    const struct sig_engine *inner;
    uint32_t n;
    uint32_t next; /* Scripts run again ask in the same order: the place after the last hit. */
    struct asked asked[SIG_MEMO_QUESTIONS];
};

struct question {
    uint8_t kind; /* enum question_kind, and the oddness of a tweak. */
    struct span parts[3];
};

/* With the lengths, so that different questions are never written alike. False: too long. */
static bool write_question(struct asked *ret, const struct question *question)
{
    size_t len = 4;

    ret->bytes[0] = question->kind;
    for (size_t i = 0; i < ARRAY_LEN(question->parts); i++) {
        const struct span *part = &question->parts[i];

        if (part->len > sizeof(ret->bytes) - len)
            return false;
        ret->bytes[1 + i] = (uint8_t)part->len;
        if (part->len > 0)
            memcpy(ret->bytes + len, part->data, part->len);
        len += part->len;
    }
    ret->len = (uint16_t)len;
    return true;
}

static const struct asked *find(struct sig_memo *memo, const struct asked *wanted)
{
    for (uint32_t i = 0; i < memo->n; i++) {
        uint32_t at = (memo->next + i) % memo->n;
        const struct asked *asked = &memo->asked[at];

        if (asked->len == wanted->len && memcmp(asked->bytes, wanted->bytes, wanted->len) == 0) {
            memo->next = at + 1;
            return asked;
        }
    }
    return NULL;
}

static void remember(struct sig_memo *memo, const struct asked *asked, bool answer)
{
    if (memo->n == SIG_MEMO_QUESTIONS)
        return;
    memo->asked[memo->n] = *asked;
    memo->asked[memo->n].answer = answer;
    memo->n++;
}

static bool ask_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                      const uint8_t *hash)
{
    struct sig_memo *memo = engine->context;
    const struct question question = {.kind = ASKED_ECDSA,
                                      .parts = {pubkey, sig, span_of(hash, 32)}};
    const struct asked *found;
    struct asked asked;
    bool answer;

    if (!write_question(&asked, &question))
        return memo->inner->ecdsa(memo->inner, pubkey, sig, hash);
    found = find(memo, &asked);
    if (found != NULL)
        return found->answer;
    answer = memo->inner->ecdsa(memo->inner, pubkey, sig, hash);
    remember(memo, &asked, answer);
    return answer;
}

static bool ask_schnorr(const struct sig_engine *engine, const uint8_t *pubkey, const uint8_t *sig,
                        const uint8_t *hash)
{
    struct sig_memo *memo = engine->context;
    const struct question question = {
        .kind = ASKED_SCHNORR, .parts = {span_of(pubkey, 32), span_of(sig, 64), span_of(hash, 32)}};
    const struct asked *found;
    struct asked asked;
    bool answer;

    if (!write_question(&asked, &question))
        return memo->inner->schnorr(memo->inner, pubkey, sig, hash);
    found = find(memo, &asked);
    if (found != NULL)
        return found->answer;
    answer = memo->inner->schnorr(memo->inner, pubkey, sig, hash);
    remember(memo, &asked, answer);
    return answer;
}

static bool ask_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                      const uint8_t *internal_key, const uint8_t *tweak)
{
    struct sig_memo *memo = engine->context;
    const struct question question = {
        .kind = (uint8_t)(ASKED_TWEAK + odd),
        .parts = {span_of(output_key, 32), span_of(internal_key, 32), span_of(tweak, 32)}};
    const struct asked *found;
    struct asked asked;
    bool answer;

    if (!write_question(&asked, &question))
        return memo->inner->tweak(memo->inner, output_key, odd, internal_key, tweak);
    found = find(memo, &asked);
    if (found != NULL)
        return found->answer;
    answer = memo->inner->tweak(memo->inner, output_key, odd, internal_key, tweak);
    remember(memo, &asked, answer);
    return answer;
}

struct sig_memo *sig_memo_new(const struct sig_engine *inner)
{
    struct sig_memo *memo = alloc_zero(sizeof(*memo));

    memo->inner = inner;
    memo->engine = (struct sig_engine){
        .ecdsa = ask_ecdsa, .schnorr = ask_schnorr, .tweak = ask_tweak, .context = memo};
    return memo;
}

void sig_memo_free(struct sig_memo *own_memo)
{
    free(own_memo);
}

void sig_memo_reset(struct sig_memo *memo)
{
    memo->n = 0;
    memo->next = 0;
}

const struct sig_engine *sig_memo_engine(const struct sig_memo *memo)
{
    return &memo->engine;
}
