/* Target: a whole p2p object, fed by up to eight peers that may say anything. Each byte
 * of the input begins a step: a message of some type with bytes of the input as payload,
 * raw bytes, a call, a hang-up, time that passes, what the mempool says next.
 *
 * Whatever comes: what waits to be sent to a peer that takes nothing stays below its
 * bound, what is kept of what it sent too; and when all have gone nobody is left. */
#include <stdlib.h>

#include "../unit/p2p/naive_around.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CALLERS_MAX 8
#define STEPS_MAX 400
#define READ_MAX 70000 /* What one step feeds at most. */

struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static struct span take_bytes(struct input *in, size_t wanted)
{
    size_t n = MIN(wanted, in->left);
    struct span bytes = span_of(in->data, n);

    in->data += n;
    in->left -= n;
    return bytes;
}

static void check_bounds(const struct around *a)
{
    const struct p2p_options *o = &a->p2p->options;

    for (const struct peer *peer = a->p2p->first; peer != NULL; peer = peer->next) {
        size_t waits = wire_unsent_bytes(peer->wire) +
                       a->io.ops->queued((struct net_io *)(uintptr_t)&a->io, peer->conn);

        /* What was begun below the bound may pass it by one answer. */
        CHECK(waits <= o->max_send_bytes + 2 * (size_t)MESSAGE_BYTES_MAX);
        CHECK(peer->inbox.len - peer->inbox_at <= o->max_receive_bytes + READ_MAX);
        CHECK(peer->sending == MESSAGE_OTHER && !peer->is_misbehaving);
    }
}

static void small(struct p2p_options *options)
{
    options->max_send_bytes = 100000;
    options->max_receive_bytes = 100000;
    options->peer_bloom_filters = true;
    options->tx_reconciliation = true;
}

static void say_something(struct around *a, struct input *in, size_t conn)
{
    enum message_type type = (enum message_type)(take(in) % MESSAGE_TYPE_N);
    size_t n = take(in);

    if (n >= 250)
        n = (size_t)take(in) << 8 | take(in);
    (void)around_say(a, conn, type == MESSAGE_OTHER ? "nonsense" : message_name(type),
                     take_bytes(in, n));
}

/* Peers from the caller's list that have gone make room for others. */
static void call(struct around *a, size_t *conns, size_t i, uint8_t how)
{
    if (conns[i] != 0)
        around_hang_up(a, conns[i]);
    conns[i] = around_call(a, (uint8_t)(i + 1));
    if (conns[i] == 0)
        return;
    a->conns[conns[i] - 1].is_stuck = (how & 1) != 0;
    if ((how & 2) == 0)
        around_shake(a, conns[i], NODE_NETWORK | NODE_WITNESS, (how & 4) == 0);
}

static void step(struct around *a, struct input *in, size_t *conns)
{
    uint8_t what = take(in);
    size_t i = what % CALLERS_MAX;

    switch (what / CALLERS_MAX % 8) {
    case 0:
        call(a, conns, i, take(in));
        break;
    case 1:
        if (conns[i] != 0)
            (void)around_feed(a, conns[i], take_bytes(in, take(in)));
        break;
    case 2:
        around_pass(a, (uint64_t)take(in) * take(in) * 3);
        break;
    case 3:
        a->tx_cause = (enum tx_cause)(take(in) % (TX_CAUSE_INTERNAL + 1));
        break;
    case 4:
        if (conns[i] != 0 && (take(in) & 7) == 0)
            around_hang_up(a, conns[i]);
        break;
    default:
        if (conns[i] != 0)
            say_something(a, in, conns[i]);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct around a;
    struct input in = {data, len};
    size_t conns[CALLERS_MAX] = {0};

    around_open(&a, small);
    call(&a, conns, 0, 0);
    for (size_t i = 0; in.left > 0 && i < STEPS_MAX; i++) {
        step(&a, &in, conns);
        check_bounds(&a);
    }
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        if (conns[i] != 0)
            around_hang_up(&a, conns[i]);
    }
    around_pass(&a, 200);
    CHECK(a.p2p->first == NULL);
    around_close(&a);
    return 0;
}
