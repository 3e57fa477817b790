/* The chain thread and those who ask it. A request lives on its asker's stack; it
 * is answered in the order asked, light ones earlier when they find a gap. */
#include "chain/chain_priv.h"

#include "base/check.h"
#include "base/log.h"

#define IDLE_LOOK_US (UINT64_C(500) * 1000)

struct request {
    chain_call *run;
    void *argument;
    bool is_light;
    int rc;
    struct error err;
    struct bell answered; /* Each its own: an answer wakes nobody but its asker. */
    struct request *next;
};

void chain_service_init(struct chain *chain)
{
    mutex_init(&chain->mutex);
    cond_init(&chain->asked);
    cond_init(&chain->moved);
    chain->requests_end = &chain->requests;
}

void chain_service_clear(struct chain *chain)
{
    cond_clear(&chain->moved);
    cond_clear(&chain->asked);
    mutex_clear(&chain->mutex);
}

/* With the mutex held: takes the first request out (the first light one). */
static struct request *take_request(struct chain *chain, bool only_light)
{
    for (struct request **link = &chain->requests; *link != NULL; link = &(*link)->next) {
        struct request *request = *link;

        if (only_light && !request->is_light)
            continue;
        *link = request->next;
        if (chain->requests_end == &request->next)
            chain->requests_end = link;
        atomic_fetch_sub(request->is_light ? &chain->light_n : &chain->heavy_n, 1);
        return request;
    }
    return NULL;
}

/* Failures of the machine end the chain, whoever met them; others are the asker's. */
static bool is_fatal(int rc)
{
    return rc == E_IO || rc == E_CORRUPT || rc == E_NO_SPACE || rc == E_PERMISSION;
}

static void serve(struct chain *chain, bool only_light)
{
    mutex_lock(&chain->mutex);
    for (;;) {
        struct request *request = take_request(chain, only_light);

        if (request == NULL)
            break;
        mutex_unlock(&chain->mutex);
        if (!request->is_light)
            chain->is_serving = true;
        request->rc = chain->failure.rc < 0
                          ? error_set(&request->err, E_STOPPED, "the chain has stopped")
                          : request->run(chain, request->argument, &request->err);
        if (!request->is_light)
            chain->is_serving = false;
        if (is_fatal(request->rc))
            chain_fail(chain, request->rc, &request->err);
        bell_ring(&request->answered);
        mutex_lock(&chain->mutex);
    }
    mutex_unlock(&chain->mutex);
}

void chain_serve_light(struct chain *chain)
{
    serve(chain, true);
}

void chain_serve_all(struct chain *chain)
{
    serve(chain, false);
}

/* Without a chain thread: a failure ends the chain all the same, lest closing commits
 * what was done by half. */
int chain_run_alone(struct chain *chain, chain_call *run, void *argument, struct error *err)
{
    struct error failure = {0};
    int rc;

    if (chain->failure.rc < 0)
        return error_set(err, E_STOPPED, "the chain has stopped");
    rc = run(chain, argument, &failure);
    if (is_fatal(rc))
        chain_fail(chain, rc, &failure);
    if (rc < 0 && err != NULL)
        *err = failure;
    return rc;
}

int chain_ask(struct chain *chain, chain_call *run, void *argument, bool is_light,
              struct error *err)
{
    struct request request = {.run = run, .argument = argument, .is_light = is_light};

    mutex_lock(&chain->mutex);
    if (!chain->is_started) {
        mutex_unlock(&chain->mutex);
        return chain_run_alone(chain, run, argument, err);
    }
    if (pthread_equal(pthread_self(), chain->thread.handle)) {
        mutex_unlock(&chain->mutex);
        return run(chain, argument, err);
    }
    if (chain->has_ended || chain_is_stopping(chain)) {
        mutex_unlock(&chain->mutex);
        return error_set(err, E_STOPPED, "the chain is stopping");
    }
    bell_init(&request.answered);
    *chain->requests_end = &request;
    chain->requests_end = &request.next;
    atomic_fetch_add(is_light ? &chain->light_n : &chain->heavy_n, 1);
    mutex_unlock(&chain->mutex);
    cond_signal(&chain->asked);
    bell_wait(&request.answered);
    bell_clear(&request.answered);
    if (request.rc < 0 && err != NULL)
        *err = request.err;
    return request.rc;
}

struct stranger {
    int (*run)(void *argument, struct error *err);
    void *argument;
};

static int run_stranger(struct chain *chain, void *argument, struct error *err)
{
    struct stranger *stranger = argument;

    (void)chain;
    return stranger->run(stranger->argument, err);
}

int chain_run(struct chain *chain, int (*run)(void *argument, struct error *err), void *argument,
              struct error *err)
{
    struct stranger stranger = {.run = run, .argument = argument};

    return chain_ask(chain, run_stranger, &stranger, false, err);
}

void chain_fail(struct chain *chain, int rc, const struct error *err)
{
    if (chain->failure.rc < 0)
        return;
    chain->failure.rc = rc;
    chain->failure.err = *err;
    log_error("chain", "%s", error_text(err));
    chain_warn(chain, NODE_WARNING_FATAL, error_text(err));
    chain_stop(chain);
    if (chain->options.on_stop != NULL)
        chain->options.on_stop(chain->options.on_stop_context, CHAIN_STOP_FATAL, error_text(err));
}

int chain_activate_fully(struct chain *chain, struct error *err)
{
    for (;;) {
        int rc = chain_activate(chain, err);

        if (rc < 0 || chain_is_stopping(chain) || atomic_load(&chain->heavy_n) == 0)
            return rc;
        chain_serve_all(chain);
        if (chain->failure.rc < 0)
            return 0;
    }
}

/* Or offers. */
static bool wait_for_requests(struct chain *chain, uint64_t wait_us)
{
    bool is_asked;

    mutex_lock(&chain->mutex);
    if (chain->requests == NULL && chain->offers == NULL && !chain_is_stopping(chain))
        cond_wait_for(&chain->asked, &chain->mutex, wait_us);
    is_asked = chain->requests != NULL || chain->offers != NULL;
    mutex_unlock(&chain->mutex);
    return is_asked;
}

/* Guests are called often: they have timers of their own. */
static int serve_guests(struct chain *chain, uint64_t *ret_wait_us, struct error *err)
{
    int rc;

    if (chain->guests == NULL || chain->guests->idle == NULL ||
        !atomic_load(&chain->is_import_done))
        return 0;
    rc = chain->guests->idle(chain->guests->context, err);
    if (rc > 0)
        *ret_wait_us = 0;
    return MIN(rc, 0);
}

static void run_chain(void *context)
{
    uint64_t wait_us = IDLE_LOOK_US;
    struct chain *chain = context;
    struct error err = {0};
    int rc;

    log_info("chain", "initload thread start");
    rc = chain_import(chain, &err);
    log_info("chain", "initload thread exit");
    while (rc == 0 && !chain_is_stopping(chain)) {
        if (wait_for_requests(chain, wait_us)) {
            chain_serve_all(chain);
            rc = sink_take(chain, false, &err);
        } else {
            rc = chain_idle(chain, &err);
        }
        /* A request that was broken off (an early end of activation) goes on here. */
        if (rc == 0 && !chain_is_stopping(chain))
            rc = chain_activate_fully(chain, &err);
        if (rc == 0)
            sink_answer(chain);
        wait_us = IDLE_LOOK_US;
        if (rc == 0 && !chain_is_stopping(chain))
            rc = serve_guests(chain, &wait_us, &err);
    }
    if (rc < 0)
        chain_fail(chain, rc, &err);
    mutex_lock(&chain->mutex);
    chain->has_ended = true;
    for (struct request *request = take_request(chain, false); request != NULL;
         request = take_request(chain, false)) {
        request->rc = error_set(&request->err, E_STOPPED, "the chain is stopping");
        bell_ring(&request->answered);
    }
    cond_broadcast(&chain->moved);
    mutex_unlock(&chain->mutex);
}

void chain_start(struct chain *chain)
{
    struct error err = {0};
    int rc;

    mutex_lock(&chain->mutex);
    CHECK(!chain->is_started);
    /* Set before the thread is there: it reads this without the lock. */
    chain->is_started = true;
    rc = thread_start(&chain->thread, "chain", run_chain, chain, &err);
    if (rc < 0)
        chain->is_started = false;
    mutex_unlock(&chain->mutex);
    if (rc < 0)
        chain_fail(chain, rc, &err);
}

void chain_stop(struct chain *chain)
{
    atomic_store(&chain->is_stopping, true);
    mutex_lock(&chain->mutex);
    cond_broadcast(&chain->asked);
    cond_broadcast(&chain->moved);
    mutex_unlock(&chain->mutex);
}
