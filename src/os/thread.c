#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"

static _Thread_local char own_name[THREAD_NAME_SIZE];

void thread_set_name(const char *name)
{
    (void)snprintf(own_name, sizeof(own_name), "%s", name);
}

const char *thread_name(void)
{
    return own_name;
}

static void *enter(void *context)
{
    struct thread *thread = context;

    thread_set_name(thread->name);
    (void)pthread_setname_np(pthread_self(), own_name);
    thread->run(thread->context);
    return NULL;
}

int thread_start(struct thread *thread, const char *name, void (*run)(void *context), void *context,
                 struct error *err)
{
    sigset_t all;
    sigset_t before;
    int errno_value;

    thread->run = run;
    thread->context = context;
    thread->is_started = false;
    (void)snprintf(thread->name, sizeof(thread->name), "%s", name);
    (void)sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    errno_value = pthread_create(&thread->handle, NULL, enter, thread);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (errno_value != 0)
        return error_set_errno(err, errno_value, "could not start thread '%s'", name);
    thread->is_started = true;
    return 0;
}

void thread_join(struct thread *thread)
{
    if (!thread->is_started)
        return;
    CHECK(pthread_join(thread->handle, NULL) == 0);
    thread->is_started = false;
}

void mutex_init(struct mutex *mutex)
{
    CHECK(pthread_mutex_init(&mutex->handle, NULL) == 0);
}

void mutex_clear(struct mutex *mutex)
{
    CHECK(pthread_mutex_destroy(&mutex->handle) == 0);
}

void mutex_lock(struct mutex *mutex)
{
    CHECK(pthread_mutex_lock(&mutex->handle) == 0);
}

void mutex_unlock(struct mutex *mutex)
{
    CHECK(pthread_mutex_unlock(&mutex->handle) == 0);
}

void cond_init(struct cond *cond)
{
    pthread_condattr_t attr;

    CHECK(pthread_condattr_init(&attr) == 0);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&cond->handle, &attr) == 0);
    CHECK(pthread_condattr_destroy(&attr) == 0);
}

void cond_clear(struct cond *cond)
{
    CHECK(pthread_cond_destroy(&cond->handle) == 0);
}

void cond_wait(struct cond *cond, struct mutex *mutex)
{
    CHECK(pthread_cond_wait(&cond->handle, &mutex->handle) == 0);
}

static struct timespec deadline_in(uint64_t timeout_us)
{
    struct timespec at;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    timeout_us = MIN(timeout_us, (uint64_t)1000000 * 86400 * 365 * 100);
    at.tv_sec += (time_t)(timeout_us / 1000000);
    at.tv_nsec += (long)(timeout_us % 1000000) * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

static bool wait_until(struct cond *cond, struct mutex *mutex, const struct timespec *deadline)
{
    int rc = pthread_cond_timedwait(&cond->handle, &mutex->handle, deadline);

    CHECK(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

bool cond_wait_for(struct cond *cond, struct mutex *mutex, uint64_t timeout_us)
{
    struct timespec deadline = deadline_in(timeout_us);

    return wait_until(cond, mutex, &deadline);
}

void cond_signal(struct cond *cond)
{
    CHECK(pthread_cond_signal(&cond->handle) == 0);
}

void cond_broadcast(struct cond *cond)
{
    CHECK(pthread_cond_broadcast(&cond->handle) == 0);
}

void bell_init(struct bell *bell)
{
    CHECK(sem_init(&bell->handle, 0, 0) == 0);
}

void bell_clear(struct bell *bell)
{
    CHECK(sem_destroy(&bell->handle) == 0);
}

void bell_ring(struct bell *bell)
{
    CHECK(sem_post(&bell->handle) == 0);
}

void bell_wait(struct bell *bell)
{
    while (sem_wait(&bell->handle) != 0)
        CHECK(errno == EINTR);
}

void queue_init(struct queue *queue, size_t capacity)
{
    CHECK(capacity > 0);
    memset(queue, 0, sizeof(*queue));
    mutex_init(&queue->mutex);
    cond_init(&queue->not_empty);
    cond_init(&queue->not_full);
    queue->items = alloc_array(capacity, sizeof(*queue->items));
    queue->capacity = capacity;
}

void queue_clear(struct queue *queue)
{
    free(queue->items);
    queue->items = NULL;
    cond_clear(&queue->not_full);
    cond_clear(&queue->not_empty);
    mutex_clear(&queue->mutex);
}

static bool push(struct queue *queue, void *item, bool may_wait)
{
    bool is_in = false;

    CHECK(item != NULL);
    mutex_lock(&queue->mutex);
    while (may_wait && queue->n == queue->capacity && !queue->is_closed)
        cond_wait(&queue->not_full, &queue->mutex);
    if (!queue->is_closed && queue->n < queue->capacity) {
        queue->items[(queue->at + queue->n) % queue->capacity] = item;
        queue->n++;
        is_in = true;
        cond_signal(&queue->not_empty);
    }
    mutex_unlock(&queue->mutex);
    return is_in;
}

bool queue_push(struct queue *queue, void *item)
{
    return push(queue, item, true);
}

bool queue_try_push(struct queue *queue, void *item)
{
    return push(queue, item, false);
}

/* With the mutex held. */
static void *take(struct queue *queue)
{
    void *item;

    if (queue->n == 0)
        return NULL;
    item = queue->items[queue->at];
    queue->at = (queue->at + 1) % queue->capacity;
    queue->n--;
    cond_signal(&queue->not_full);
    return item;
}

void *queue_pop(struct queue *queue)
{
    void *item;

    mutex_lock(&queue->mutex);
    while (queue->n == 0 && !queue->is_closed)
        cond_wait(&queue->not_empty, &queue->mutex);
    item = take(queue);
    mutex_unlock(&queue->mutex);
    return item;
}

void *queue_pop_for(struct queue *queue, uint64_t timeout_us)
{
    struct timespec deadline = deadline_in(timeout_us);
    void *item;

    mutex_lock(&queue->mutex);
    while (queue->n == 0 && !queue->is_closed && timeout_us > 0)
        if (!wait_until(&queue->not_empty, &queue->mutex, &deadline))
            break;
    item = take(queue);
    mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    mutex_lock(&queue->mutex);
    queue->is_closed = true;
    cond_broadcast(&queue->not_empty);
    cond_broadcast(&queue->not_full);
    mutex_unlock(&queue->mutex);
}

size_t queue_len(struct queue *queue)
{
    size_t n;

    mutex_lock(&queue->mutex);
    n = queue->n;
    mutex_unlock(&queue->mutex);
    return n;
}
