#include "p2p/inbox_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "os/thread.h"
#include "p2p/p2p_priv.h"

enum letter_state { LETTER_WAITS, LETTER_WAS_RUN, LETTER_RETURNED };

/* Posted: on the heap, freed when it was run. Asked: the asker's, who waits for its
 * state to change. */
struct letter {
    struct letter *next;
    void (*run)(struct p2p *p2p, void *argument);
    void *argument;
    bool is_asked;
    enum letter_state state; /* Under the mutex. */
};

struct inbox {
    struct mutex mutex;
    struct cond is_answered;
    struct letter *first;
    struct letter *last;
    bool is_closed;
};

struct inbox *inbox_new(void)
{
    struct inbox *inbox = alloc_zero(sizeof(*inbox));

    mutex_init(&inbox->mutex);
    cond_init(&inbox->is_answered);
    return inbox;
}

void inbox_free(struct inbox *own_inbox)
{
    if (own_inbox == NULL)
        return;
    CHECK(own_inbox->first == NULL);
    cond_clear(&own_inbox->is_answered);
    mutex_clear(&own_inbox->mutex);
    free(own_inbox);
}

/* Returns whether the net thread must be woken: whoever put the first one there does. */
static bool add(struct inbox *inbox, struct letter *letter)
{
    bool was_empty = inbox->first == NULL;

    letter->next = NULL;
    if (inbox->last == NULL)
        inbox->first = letter;
    else
        inbox->last->next = letter;
    inbox->last = letter;
    return was_empty;
}

void p2p_post(struct p2p *p2p, void (*run)(struct p2p *p2p, void *own_argument), void *own_argument)
{
    struct inbox *inbox = p2p->inbox;
    struct letter *letter = alloc_zero(sizeof(*letter));
    bool must_wake;

    letter->run = run;
    letter->argument = own_argument;
    mutex_lock(&inbox->mutex);
    must_wake = add(inbox, letter);
    mutex_unlock(&inbox->mutex);
    if (must_wake)
        p2p->net->ops->wake(p2p->net);
}

bool p2p_ask(struct p2p *p2p, void (*run)(struct p2p *p2p, void *argument), void *argument)
{
    struct inbox *inbox = p2p->inbox;
    struct letter letter = {.run = run, .argument = argument, .is_asked = true};

    if (p2p->options.is_single_thread) {
        run(p2p, argument);
        return true;
    }
    mutex_lock(&inbox->mutex);
    if (inbox->is_closed) {
        letter.state = LETTER_RETURNED;
    } else {
        if (add(inbox, &letter))
            p2p->net->ops->wake(p2p->net);
    }
    while (letter.state == LETTER_WAITS)
        cond_wait(&inbox->is_answered, &inbox->mutex);
    mutex_unlock(&inbox->mutex);
    return letter.state == LETTER_WAS_RUN;
}

void inbox_pause(struct p2p *p2p, uint64_t pause_us)
{
    struct inbox *inbox = p2p->inbox;

    mutex_lock(&inbox->mutex);
    (void)cond_wait_for(&inbox->is_answered, &inbox->mutex, pause_us);
    mutex_unlock(&inbox->mutex);
}

static struct letter *take_all(struct inbox *inbox)
{
    struct letter *list;

    mutex_lock(&inbox->mutex);
    list = inbox->first;
    inbox->first = NULL;
    inbox->last = NULL;
    mutex_unlock(&inbox->mutex);
    return list;
}

static void answer(struct inbox *inbox, struct letter *letter, enum letter_state state)
{
    mutex_lock(&inbox->mutex);
    letter->state = state;
    cond_broadcast(&inbox->is_answered);
    mutex_unlock(&inbox->mutex);
}

void inbox_run(struct p2p *p2p)
{
    struct letter *letter = take_all(p2p->inbox);

    while (letter != NULL) {
        struct letter *next = letter->next;

        letter->run(p2p, letter->argument);
        if (letter->is_asked)
            answer(p2p->inbox, letter, LETTER_WAS_RUN);
        else
            free(letter);
        letter = next;
    }
}

void inbox_close(struct p2p *p2p)
{
    struct inbox *inbox = p2p->inbox;
    struct letter *list;

    mutex_lock(&inbox->mutex);
    inbox->is_closed = true;
    mutex_unlock(&inbox->mutex);
    list = take_all(inbox);
    while (list != NULL) {
        struct letter *letter = list;

        list = letter->next;
        if (letter->is_asked) {
            answer(inbox, letter, LETTER_RETURNED);
        } else {
            mutex_lock(&inbox->mutex);
            (void)add(inbox, letter);
            mutex_unlock(&inbox->mutex);
        }
    }
}
