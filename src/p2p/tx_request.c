#include "p2p/tx_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "primitives/ids.h"

#define PEER_BUCKETS 256
#define NOT_IN_HEAP SIZE_MAX

enum state {
    DELAYED,   /* Its time has not come. In the heap. */
    READY,     /* May be asked, another one comes first. */
    CHOSEN,    /* Asked next. In its asker's list. */
    REQUESTED, /* In flight. In the heap. */
    DONE       /* Did not help; kept so that it is not asked again. */
};

struct asker;
struct want;

/* One peer's word for one id. */
struct announcement {
    struct want *want;
    struct announcement *next_of_want, *previous_of_want;
    struct asker *asker;
    struct announcement *next_of_asker, *previous_of_asker;
    struct announcement *next_chosen, *previous_chosen;
    int64_t time_ms; /* From when on; REQUESTED: until when. */
    uint64_t sequence;
    uint64_t priority;
    size_t heap_at;
    enum state state;
    bool is_wtxid;
};

/* An id that somebody has and we have not. */
struct want {
    struct want *next; /* In the bucket. */
    struct announcement *first;
    struct announcement *selected; /* The one CHOSEN or REQUESTED. */
    size_t open_n;                 /* Not DONE. */
    uint8_t id[HASH_BYTES];
};

struct asker {
    struct asker *next;
    int64_t peer;
    struct announcement *first;
    struct announcement *chosen;
    size_t n, chosen_n, in_flight_n;
};

struct tx_requests {
    struct siphash_key key;
    struct want **buckets;
    size_t bucket_mask;
    size_t wants_n;
    struct asker *askers[PEER_BUCKETS];
    struct announcement **heap; /* Soonest first. */
    size_t heap_n, heap_capacity;
    uint64_t sequence;
    size_t total;
};

struct tx_requests *tx_request_new(const struct siphash_key *key)
{
    struct tx_requests *requests = alloc_zero(sizeof(*requests));

    requests->key = *key;
    requests->bucket_mask = 255;
    requests->buckets = alloc_array(requests->bucket_mask + 1, sizeof(struct want *));
    return requests;
}

uint64_t tx_request_priority(const struct siphash_key *key, const uint8_t *id, int64_t peer,
                             bool is_preferred)
{
    struct siphash hash;

    siphash_init(&hash, key);
    siphash_add(&hash, id, HASH_BYTES);
    siphash_add_u64(&hash, (uint64_t)peer);
    return siphash_finish(&hash) >> 1 | (uint64_t)is_preferred << 63;
}

/* --- The heap of those that wait --- */

static void heap_put(struct tx_requests *requests, size_t at, struct announcement *item)
{
    requests->heap[at] = item;
    item->heap_at = at;
}

static void heap_up(struct tx_requests *requests, size_t at)
{
    struct announcement *item = requests->heap[at];

    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (requests->heap[parent]->time_ms <= item->time_ms)
            break;
        heap_put(requests, at, requests->heap[parent]);
        at = parent;
    }
    heap_put(requests, at, item);
}

static void heap_down(struct tx_requests *requests, size_t at)
{
    struct announcement *item = requests->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= requests->heap_n)
            break;
        if (child + 1 < requests->heap_n &&
            requests->heap[child + 1]->time_ms < requests->heap[child]->time_ms)
            child++;
        if (requests->heap[child]->time_ms >= item->time_ms)
            break;
        heap_put(requests, at, requests->heap[child]);
        at = child;
    }
    heap_put(requests, at, item);
}

static void heap_add(struct tx_requests *requests, struct announcement *item)
{
    if (requests->heap_n == requests->heap_capacity) {
        requests->heap_capacity = MAX(requests->heap_capacity * 2, (size_t)64);
        requests->heap =
            realloc_array(requests->heap, requests->heap_capacity, sizeof(struct announcement *));
    }
    heap_put(requests, requests->heap_n, item);
    requests->heap_n++;
    heap_up(requests, item->heap_at);
}

static void heap_remove(struct tx_requests *requests, struct announcement *item)
{
    size_t at = item->heap_at;
    struct announcement *last;

    if (at == NOT_IN_HEAP)
        return;
    item->heap_at = NOT_IN_HEAP;
    last = requests->heap[--requests->heap_n];
    if (last == item)
        return;
    heap_put(requests, at, last);
    heap_down(requests, at);
    heap_up(requests, last->heap_at);
}

/* --- Ids and peers --- */

static struct want **want_slot(const struct tx_requests *requests, const uint8_t *id)
{
    struct want **slot = &requests->buckets[siphash_id(&requests->key, id) & requests->bucket_mask];

    while (*slot != NULL && memcmp((*slot)->id, id, HASH_BYTES) != 0)
        slot = &(*slot)->next;
    return slot;
}

static void grow(struct tx_requests *requests)
{
    struct want **old = requests->buckets;
    size_t old_n = requests->bucket_mask + 1;

    requests->bucket_mask = old_n * 2 - 1;
    requests->buckets = alloc_array(old_n * 2, sizeof(struct want *));
    for (size_t i = 0; i < old_n; i++) {
        while (old[i] != NULL) {
            struct want *want = old[i];
            struct want **slot = want_slot(requests, want->id);

            old[i] = want->next;
            want->next = NULL;
            *slot = want;
        }
    }
    free(old);
}

static struct want *want_get(struct tx_requests *requests, const uint8_t *id)
{
    struct want **slot = want_slot(requests, id);
    struct want *want = *slot;

    if (want != NULL)
        return want;
    want = alloc_zero(sizeof(*want));
    memcpy(want->id, id, HASH_BYTES);
    *slot = want;
    if (++requests->wants_n > requests->bucket_mask)
        grow(requests);
    return want;
}

static struct asker **asker_slot(struct tx_requests *requests, int64_t peer)
{
    struct asker **slot = &requests->askers[(uint64_t)peer % PEER_BUCKETS];

    while (*slot != NULL && (*slot)->peer != peer)
        slot = &(*slot)->next;
    return slot;
}

static const struct asker *asker_find(const struct tx_requests *requests, int64_t peer)
{
    const struct asker *asker = requests->askers[(uint64_t)peer % PEER_BUCKETS];

    while (asker != NULL && asker->peer != peer)
        asker = asker->next;
    return asker;
}

static struct asker *asker_get(struct tx_requests *requests, int64_t peer)
{
    struct asker **slot = asker_slot(requests, peer);

    if (*slot == NULL) {
        *slot = alloc_zero(sizeof(**slot));
        (*slot)->peer = peer;
    }
    return *slot;
}

static struct announcement *find(const struct want *want, int64_t peer)
{
    struct announcement *item = want->first;

    while (item != NULL && item->asker->peer != peer)
        item = item->next_of_want;
    return item;
}

/* --- States --- */

static void leave_chosen(struct announcement *item)
{
    struct asker *asker = item->asker;

    if (item->previous_chosen != NULL)
        item->previous_chosen->next_chosen = item->next_chosen;
    else
        asker->chosen = item->next_chosen;
    if (item->next_chosen != NULL)
        item->next_chosen->previous_chosen = item->previous_chosen;
    item->next_chosen = item->previous_chosen = NULL;
    asker->chosen_n--;
}

static void enter_chosen(struct announcement *item)
{
    struct asker *asker = item->asker;

    item->previous_chosen = NULL;
    item->next_chosen = asker->chosen;
    if (asker->chosen != NULL)
        asker->chosen->previous_chosen = item;
    asker->chosen = item;
    asker->chosen_n++;
}

/* All changes of state go through here; who is selected is the caller's to set. */
static void set_state(struct tx_requests *requests, struct announcement *item, enum state state)
{
    if (item->state == CHOSEN)
        leave_chosen(item);
    if (item->state == REQUESTED)
        item->asker->in_flight_n--;
    if (item->state == DELAYED || item->state == REQUESTED)
        heap_remove(requests, item);
    if (item->state != DONE && state == DONE)
        item->want->open_n--;
    item->state = state;
    if (state == CHOSEN)
        enter_chosen(item);
    if (state == REQUESTED)
        item->asker->in_flight_n++;
    if (state == DELAYED || state == REQUESTED)
        heap_add(requests, item);
}

static void select_best(struct tx_requests *requests, struct want *want)
{
    struct announcement *best = NULL;

    for (struct announcement *item = want->first; item != NULL; item = item->next_of_want)
        if (item->state == READY && (best == NULL || item->priority > best->priority))
            best = item;
    want->selected = best;
    if (best != NULL)
        set_state(requests, best, CHOSEN);
}

static void make_ready(struct tx_requests *requests, struct announcement *item)
{
    struct announcement *selected = item->want->selected;

    if (selected == NULL) {
        set_state(requests, item, CHOSEN);
        item->want->selected = item;
    } else if (selected->state == CHOSEN && selected->priority < item->priority) {
        set_state(requests, selected, READY);
        set_state(requests, item, CHOSEN);
        item->want->selected = item;
    } else {
        set_state(requests, item, READY);
    }
}

static void drop(struct tx_requests *requests, struct announcement *own_item)
{
    struct want *want = own_item->want;
    struct asker *asker = own_item->asker;

    set_state(requests, own_item, DONE);
    if (want->selected == own_item)
        want->selected = NULL;
    if (own_item->previous_of_want != NULL)
        own_item->previous_of_want->next_of_want = own_item->next_of_want;
    else
        want->first = own_item->next_of_want;
    if (own_item->next_of_want != NULL)
        own_item->next_of_want->previous_of_want = own_item->previous_of_want;
    if (own_item->previous_of_asker != NULL)
        own_item->previous_of_asker->next_of_asker = own_item->next_of_asker;
    else
        asker->first = own_item->next_of_asker;
    if (own_item->next_of_asker != NULL)
        own_item->next_of_asker->previous_of_asker = own_item->previous_of_asker;
    free(own_item);
    requests->total--;
    if (--asker->n == 0) {
        struct asker **slot = asker_slot(requests, asker->peer);

        *slot = asker->next;
        free(asker);
    }
}

static void drop_want(struct tx_requests *requests, struct want *want)
{
    struct want **slot = want_slot(requests, want->id);

    while (want->first != NULL)
        drop(requests, want->first);
    *slot = want->next;
    free(want);
    requests->wants_n--;
}

/* False: nobody is left to ask, the want is gone. */
static bool complete(struct tx_requests *requests, struct announcement *item)
{
    struct want *want = item->want;

    if (item->state == DONE)
        return true;
    if (want->open_n == 1) {
        drop_want(requests, want);
        return false;
    }
    set_state(requests, item, DONE);
    if (want->selected == item)
        select_best(requests, want);
    return true;
}

/* --- What others call --- */

void tx_request_free(struct tx_requests *own_requests)
{
    if (own_requests == NULL)
        return;
    for (size_t i = 0; i <= own_requests->bucket_mask; i++)
        while (own_requests->buckets[i] != NULL)
            drop_want(own_requests, own_requests->buckets[i]);
    free(own_requests->buckets);
    free(own_requests->heap);
    free(own_requests);
}

void tx_request_announced(struct tx_requests *requests, int64_t peer, const struct tx_name *name,
                          bool is_preferred, int64_t at_ms)
{
    struct want *want = want_get(requests, name->id);
    struct announcement *item;

    if (find(want, peer) != NULL)
        return;
    item = alloc_zero(sizeof(*item));
    item->want = want;
    item->asker = asker_get(requests, peer);
    item->is_wtxid = name->is_wtxid;
    item->time_ms = at_ms;
    item->sequence = requests->sequence++;
    item->priority = tx_request_priority(&requests->key, name->id, peer, is_preferred);
    item->heap_at = NOT_IN_HEAP;
    item->next_of_want = want->first;
    if (want->first != NULL)
        want->first->previous_of_want = item;
    want->first = item;
    want->open_n++;
    item->next_of_asker = item->asker->first;
    if (item->asker->first != NULL)
        item->asker->first->previous_of_asker = item;
    item->asker->first = item;
    item->asker->n++;
    requests->total++;
    item->state = DELAYED;
    heap_add(requests, item);
}

static void pass_time(struct tx_requests *requests, struct tx_request_expired **ret_expired,
                      size_t *ret_expired_n, int64_t now_ms, struct arena *arena)
{
    struct tx_request_expired *expired = NULL;
    size_t n = 0, capacity = 0;

    while (requests->heap_n > 0 && requests->heap[0]->time_ms <= now_ms) {
        struct announcement *item = requests->heap[0];

        if (item->state == DELAYED) {
            make_ready(requests, item);
            continue;
        }
        if (n == capacity) {
            struct tx_request_expired *longer =
                arena_array(arena, MAX(capacity * 2, (size_t)16), sizeof(*longer));

            if (n > 0)
                memcpy(longer, expired, n * sizeof(*longer));
            expired = longer;
            capacity = MAX(capacity * 2, (size_t)16);
        }
        expired[n].peer = item->asker->peer;
        memcpy(expired[n].name.id, item->want->id, HASH_BYTES);
        expired[n++].name.is_wtxid = item->is_wtxid;
        (void)complete(requests, item);
    }
    *ret_expired = expired;
    *ret_expired_n = n;
}

static int compare_sequence(const void *a, const void *b)
{
    uint64_t x = (*(const struct announcement *const *)a)->sequence;
    uint64_t y = (*(const struct announcement *const *)b)->sequence;

    return (x > y) - (x < y);
}

void tx_request_due(struct tx_requests *requests, struct tx_name **ret_names, size_t *ret_n,
                    struct tx_request_expired **ret_expired, size_t *ret_expired_n, int64_t peer,
                    int64_t now_ms, struct arena *arena)
{
    const struct asker *asker;
    struct announcement **chosen;
    size_t n = 0;

    pass_time(requests, ret_expired, ret_expired_n, now_ms, arena);
    *ret_names = NULL;
    *ret_n = 0;
    asker = asker_find(requests, peer);
    if (asker == NULL || asker->chosen_n == 0)
        return;
    chosen = arena_array(arena, asker->chosen_n, sizeof(struct announcement *));
    for (struct announcement *item = asker->chosen; item != NULL; item = item->next_chosen)
        chosen[n++] = item;
    qsort(chosen, n, sizeof(*chosen), compare_sequence);
    *ret_names = arena_array(arena, n, sizeof(struct tx_name));
    for (size_t i = 0; i < n; i++) {
        memcpy((*ret_names)[i].id, chosen[i]->want->id, HASH_BYTES);
        (*ret_names)[i].is_wtxid = chosen[i]->is_wtxid;
    }
    *ret_n = n;
}

void tx_request_sent(struct tx_requests *requests, int64_t peer, const uint8_t *id,
                     int64_t expiry_ms)
{
    struct want *want = *want_slot(requests, id);
    struct announcement *item = want != NULL ? find(want, peer) : NULL;

    if (item == NULL || item->state == REQUESTED || item->state == DONE)
        return;
    if (want->selected != NULL && want->selected != item)
        set_state(requests, want->selected, want->selected->state == CHOSEN ? READY : DONE);
    /* The heap orders by it: out first. */
    set_state(requests, item, READY);
    item->time_ms = expiry_ms;
    set_state(requests, item, REQUESTED);
    want->selected = item;
}

void tx_request_answered(struct tx_requests *requests, int64_t peer, const uint8_t *id)
{
    struct want *want = *want_slot(requests, id);
    struct announcement *item = want != NULL ? find(want, peer) : NULL;

    if (item != NULL)
        (void)complete(requests, item);
}

void tx_request_forget(struct tx_requests *requests, const uint8_t *id)
{
    struct want *want = *want_slot(requests, id);

    if (want != NULL)
        drop_want(requests, want);
}

void tx_request_peer_gone(struct tx_requests *requests, int64_t peer)
{
    for (;;) {
        const struct asker *asker = asker_find(requests, peer);

        if (asker == NULL)
            return;
        if (complete(requests, asker->first))
            drop(requests, asker->first);
    }
}

size_t tx_request_candidates(const struct tx_requests *requests, int64_t *ret_peers, size_t max,
                             const uint8_t *id)
{
    const struct want *want = *want_slot(requests, id);
    size_t n = 0;

    if (want == NULL)
        return 0;
    for (const struct announcement *item = want->first; item != NULL && n < max;
         item = item->next_of_want)
        if (item->state != DONE)
            ret_peers[n++] = item->asker->peer;
    return n;
}

size_t tx_request_count(const struct tx_requests *requests, int64_t peer)
{
    const struct asker *asker = asker_find(requests, peer);

    return asker != NULL ? asker->n : 0;
}

size_t tx_request_in_flight(const struct tx_requests *requests, int64_t peer)
{
    const struct asker *asker = asker_find(requests, peer);

    return asker != NULL ? asker->in_flight_n : 0;
}

size_t tx_request_total(const struct tx_requests *requests)
{
    return requests->total;
}
