/* The pool of workers declared in thread.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "os/thread.h"

struct pool_worker {
    struct thread thread;
    struct pool *pool;
    unsigned index;
};

/* With the mutex held. */
static struct work *take(struct pool *pool)
{
    struct work *work = pool->first;

    if (work == NULL)
        return NULL;
    pool->first = work->next;
    if (pool->first == NULL)
        pool->last = NULL;
    return work;
}

/* Without the mutex. */
static void do_work(struct pool *pool, struct work *work, unsigned worker)
{
    struct work_group *group = work->group; /* run may free the work. */

    work->run(work, worker);
    if (group == NULL || atomic_fetch_sub_explicit(&group->left, 1, memory_order_acq_rel) != 1)
        return;
    mutex_lock(&pool->mutex);
    if (pool->waiting_n > 0)
        cond_broadcast(&pool->is_ended);
    mutex_unlock(&pool->mutex);
}

static void work_on(void *context)
{
    struct pool_worker *worker = context;
    struct pool *pool = worker->pool;

    mutex_lock(&pool->mutex);
    for (;;) {
        struct work *work = take(pool);

        if (work != NULL) {
            mutex_unlock(&pool->mutex);
            do_work(pool, work, worker->index);
            mutex_lock(&pool->mutex);
            continue;
        }
        if (pool->is_closed)
            break;
        pool->idle_n++;
        cond_wait(&pool->is_work, &pool->mutex);
        pool->idle_n--;
    }
    mutex_unlock(&pool->mutex);
}

int pool_init(struct pool *pool, const char *name, unsigned threads_n, struct error *err)
{
    int rc = 0;

    memset(pool, 0, sizeof(*pool));
    mutex_init(&pool->mutex);
    cond_init(&pool->is_work);
    cond_init(&pool->is_ended);
    pool->workers = alloc_array(MAX(threads_n, 1U), sizeof(*pool->workers));
    /* Workers read workers_n (through pool_size) only within work, which nobody
     * can add before this returns. */
    for (unsigned i = 0; i < threads_n && rc == 0; i++) {
        struct pool_worker *worker = &pool->workers[i];
        char worker_name[THREAD_NAME_SIZE + 16];

        (void)snprintf(worker_name, sizeof(worker_name), "%s-%u", name, i);
        worker->pool = pool;
        worker->index = i;
        rc = thread_start(&worker->thread, worker_name, work_on, worker, err);
        if (rc == 0)
            pool->workers_n++;
    }
    if (rc < 0)
        pool_clear(pool);
    return rc;
}

void pool_clear(struct pool *pool)
{
    mutex_lock(&pool->mutex);
    pool->is_closed = true;
    cond_broadcast(&pool->is_work);
    mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->workers_n; i++)
        thread_join(&pool->workers[i].thread);
    while (pool_help(pool))
        continue; /* A pool without workers. */
    free(pool->workers);
    pool->workers = NULL;
    cond_clear(&pool->is_ended);
    cond_clear(&pool->is_work);
    mutex_clear(&pool->mutex);
}

unsigned pool_size(const struct pool *pool)
{
    return pool->workers_n;
}

void pool_add(struct pool *pool, struct work *work, size_t n, size_t stride,
              struct work_group *group)
{
    struct work *last = work;

    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct work *one = (struct work *)(void *)((char *)work + i * stride);

        one->group = group;
        one->next = NULL;
        if (i > 0)
            last->next = one;
        last = one;
    }
    if (group != NULL)
        (void)atomic_fetch_add_explicit(&group->left, n, memory_order_relaxed);
    mutex_lock(&pool->mutex);
    if (pool->last == NULL)
        pool->first = work;
    else
        pool->last->next = work;
    pool->last = last;
    if (pool->waiting_n > 0)
        cond_broadcast(&pool->is_ended); /* Who waits may help. */
    if (pool->idle_n > 0 && n == 1)
        cond_signal(&pool->is_work);
    else if (pool->idle_n > 0)
        cond_broadcast(&pool->is_work);
    mutex_unlock(&pool->mutex);
}

bool pool_help(struct pool *pool)
{
    struct work *work;

    mutex_lock(&pool->mutex);
    work = take(pool);
    mutex_unlock(&pool->mutex);
    if (work == NULL)
        return false;
    do_work(pool, work, pool->workers_n);
    return true;
}

void pool_wait(struct pool *pool, struct work_group *group)
{
    mutex_lock(&pool->mutex);
    while (atomic_load_explicit(&group->left, memory_order_acquire) > 0) {
        struct work *work = take(pool);

        if (work != NULL) {
            mutex_unlock(&pool->mutex);
            do_work(pool, work, pool->workers_n);
            mutex_lock(&pool->mutex);
            continue;
        }
        pool->waiting_n++;
        cond_wait(&pool->is_ended, &pool->mutex);
        pool->waiting_n--;
    }
    mutex_unlock(&pool->mutex);
}
