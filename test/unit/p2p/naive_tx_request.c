#include "naive_tx_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "p2p/tx_request.h"

#define PEERS 5
#define IDS 12
#define WORDS_MAX (PEERS * IDS)

/* What one peer said of one id. */
struct word {
    int64_t peer;
    struct tx_name name;
    bool is_preferred;
    int64_t time_ms; /* From when on it may be asked; in flight: until when. */
    bool is_in_flight, is_done;
    uint64_t order;
};

struct naive {
    struct siphash_key key;
    struct word words[WORDS_MAX];
    size_t n;
    uint64_t order;
    int64_t now_ms; /* The latest there was. */
};

static struct tx_name name_of(uint8_t number)
{
    struct tx_name name = {.is_wtxid = number & 1};

    memset(name.id, number, sizeof(name.id));
    return name;
}

static bool is_id(const struct word *word, const uint8_t *id)
{
    return memcmp(word->name.id, id, sizeof(word->name.id)) == 0;
}

static struct word *find(struct naive *naive, int64_t peer, const uint8_t *id)
{
    for (size_t i = 0; i < naive->n; i++)
        if (naive->words[i].peer == peer && is_id(&naive->words[i], id))
            return &naive->words[i];
    return NULL;
}

static void forget(struct naive *naive, const uint8_t *id)
{
    size_t kept = 0;

    for (size_t i = 0; i < naive->n; i++)
        if (!is_id(&naive->words[i], id))
            naive->words[kept++] = naive->words[i];
    naive->n = kept;
}

/* An id that nobody can be asked for any more is forgotten. */
static void forget_hopeless(struct naive *naive, const uint8_t *id)
{
    for (size_t i = 0; i < naive->n; i++)
        if (is_id(&naive->words[i], id) && !naive->words[i].is_done)
            return;
    forget(naive, id);
}

static void finish(struct naive *naive, struct word *word)
{
    struct tx_name name = word->name;

    word->is_done = true;
    word->is_in_flight = false;
    forget_hopeless(naive, name.id);
}

static uint64_t priority(const struct naive *naive, const struct word *word)
{
    return tx_request_priority(&naive->key, word->name.id, word->peer, word->is_preferred);
}

/* Is it the one of its id to be asked now? */
static bool is_next(const struct naive *naive, const struct word *word)
{
    if (word->is_done || word->is_in_flight || word->time_ms > naive->now_ms)
        return false;
    for (size_t i = 0; i < naive->n; i++) {
        const struct word *other = &naive->words[i];

        if (other == word || !is_id(other, word->name.id) || other->is_done)
            continue;
        if (other->is_in_flight)
            return false;
        if (other->time_ms <= naive->now_ms && priority(naive, other) > priority(naive, word))
            return false;
    }
    return true;
}

static void expire(struct naive *naive, const struct tx_request_expired *expired, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < naive->n; i++) {
        struct word *word = &naive->words[i];
        bool is_listed = false;

        if (!word->is_in_flight || word->time_ms > naive->now_ms)
            continue;
        for (size_t e = 0; e < n; e++)
            is_listed |= expired[e].peer == word->peer && is_id(word, expired[e].name.id) &&
                         expired[e].name.is_wtxid == word->name.is_wtxid;
        CHECK(is_listed);
        found++;
        word->is_done = true;
        word->is_in_flight = false;
    }
    CHECK(found == n);
    for (uint8_t id = 0; id < IDS; id++)
        forget_hopeless(naive, name_of(id).id);
}

/* Asks both what is due and compares; every fourth name is given up, every other asked. */
static void due(struct tx_requests *real, struct naive *naive, int64_t peer, uint8_t choice)
{
    struct arena arena;
    struct tx_name *names;
    struct tx_request_expired *expired;
    size_t n, expired_n, wanted = 0;
    uint64_t order = 0;

    arena_init(&arena);
    tx_request_due(real, &names, &n, &expired, &expired_n, peer, naive->now_ms, &arena);
    expire(naive, expired, expired_n);
    for (size_t i = 0; i < naive->n; i++)
        wanted += naive->words[i].peer == peer && is_next(naive, &naive->words[i]);
    CHECK(n == wanted);
    for (size_t i = 0; i < n; i++) {
        struct word *word = find(naive, peer, names[i].id);

        CHECK(word != NULL && is_next(naive, word));
        CHECK(word->name.is_wtxid == names[i].is_wtxid);
        CHECK(i == 0 || word->order > order);
        order = word->order;
    }
    for (size_t i = 0; i < n; i++) {
        struct word *word = find(naive, peer, names[i].id);

        if ((choice >> (i % 4)) & 1) {
            tx_request_forget(real, names[i].id);
            forget(naive, names[i].id);
        } else {
            word->is_in_flight = true;
            word->time_ms = naive->now_ms + 60;
            tx_request_sent(real, peer, names[i].id, naive->now_ms + 60);
        }
    }
    arena_clear(&arena);
}

/* Asked although it was not due: whoever was asked before is not waited for. */
static void sent_early(struct tx_requests *real, struct naive *naive, int64_t peer,
                       const uint8_t *id)
{
    struct word *word = find(naive, peer, id);

    tx_request_sent(real, peer, id, naive->now_ms + 60);
    if (word == NULL || word->is_done || word->is_in_flight)
        return;
    for (size_t i = 0; i < naive->n; i++) {
        if (is_id(&naive->words[i], id) && naive->words[i].is_in_flight) {
            naive->words[i].is_in_flight = false;
            naive->words[i].is_done = true;
        }
    }
    word->is_in_flight = true;
    word->time_ms = naive->now_ms + 60;
}

static void compare(const struct tx_requests *real, struct naive *naive)
{
    CHECK(tx_request_total(real) == naive->n);
    for (int64_t peer = 0; peer < PEERS; peer++) {
        size_t n = 0, in_flight = 0;

        for (size_t i = 0; i < naive->n; i++) {
            n += naive->words[i].peer == peer;
            in_flight += naive->words[i].peer == peer && naive->words[i].is_in_flight;
        }
        CHECK(tx_request_count(real, peer) == n);
        CHECK(tx_request_in_flight(real, peer) == in_flight);
    }
    for (uint8_t id = 0; id < IDS; id++) {
        int64_t peers[PEERS];
        struct tx_name name = name_of(id);
        size_t n = tx_request_candidates(real, peers, PEERS, name.id), wanted = 0;

        for (size_t i = 0; i < naive->n; i++)
            wanted += is_id(&naive->words[i], name.id) && !naive->words[i].is_done;
        CHECK(n == wanted);
        for (size_t i = 0; i < n; i++) {
            const struct word *word = find(naive, peers[i], name.id);

            CHECK(word != NULL && !word->is_done);
        }
    }
}

static void announce(struct tx_requests *real, struct naive *naive, int64_t peer,
                     const struct tx_name *name, uint8_t how)
{
    int64_t at_ms = naive->now_ms + (how >> 1) % 8;

    tx_request_announced(real, peer, name, how & 1, at_ms);
    if (find(naive, peer, name->id) != NULL)
        return;
    naive->words[naive->n++] = (struct word){.peer = peer,
                                             .name = *name,
                                             .is_preferred = how & 1,
                                             .time_ms = at_ms,
                                             .order = naive->order++};
}

static void leave(struct tx_requests *real, struct naive *naive, int64_t peer)
{
    size_t kept = 0;

    tx_request_peer_gone(real, peer);
    for (size_t i = 0; i < naive->n; i++)
        if (naive->words[i].peer != peer)
            naive->words[kept++] = naive->words[i];
    naive->n = kept;
    for (uint8_t id = 0; id < IDS; id++)
        forget_hopeless(naive, name_of(id).id);
}

void naive_tx_request_run(const uint8_t *bytes, size_t len)
{
    struct naive *naive = alloc_zero(sizeof(*naive));
    struct tx_requests *real;

    naive->key = (struct siphash_key){.k0 = 7, .k1 = len};
    real = tx_request_new(&naive->key);
    for (; len >= 3; bytes += 3, len -= 3) {
        int64_t peer = bytes[1] % PEERS;
        struct tx_name name = name_of((uint8_t)((bytes[1] / PEERS) % IDS));
        struct word *word = find(naive, peer, name.id);

        switch (bytes[0] % 8) {
        case 0:
        case 1:
            announce(real, naive, peer, &name, bytes[2]);
            break;
        case 2:
        case 3:
            due(real, naive, peer, bytes[2]);
            break;
        case 4:
            tx_request_answered(real, peer, name.id);
            if (word != NULL && !word->is_done)
                finish(naive, word);
            break;
        case 5:
            naive->now_ms += bytes[2] % 64;
            due(real, naive, peer, 0);
            break;
        case 6:
            if (bytes[2] % 8 == 0) {
                leave(real, naive, peer);
            } else if (bytes[2] % 8 == 1) {
                tx_request_forget(real, name.id);
                forget(naive, name.id);
            }
            break;
        default:
            /* Time must stand still since the last look, or the two would see those in
             * between differently. */
            due(real, naive, peer, 0);
            sent_early(real, naive, peer, name.id);
        }
        compare(real, naive);
    }
    tx_request_free(real);
    free(naive);
}
