/* Threads with names, and what they meet at: mutex, condition, a bounded queue of
 * pointers, and a pool of workers. A failure of the system's primitives
 * themselves is a broken invariant; only starting a thread can fail.
 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define THREAD_NAME_SIZE 16 /* With terminator: longer names are cut. */
#define CACHE_LINE_BYTES 64

/* Must stay where it is until it has been joined. */
struct thread {
    pthread_t handle;
    void (*run)(void *context);
    void *context;
    char name[THREAD_NAME_SIZE];
    bool is_started;
};

/* Runs run(context) on a new thread with all signals blocked, so that they reach
 * the main thread. The name is what tools and the log show.
 *
 * Returns: 0 or E_IO (no more threads). */
NODISCARD int thread_start(struct thread *thread, const char *name, void (*run)(void *context),
                           void *context, struct error *err) NONNULL(1, 2, 3);

/* Waits for its end. Nothing for a thread that was not started or has been joined. */
void thread_join(struct thread *thread);

/* Names the calling thread (the main thread has nobody else to do it) for thread_name.
 * The system is not told: what it calls the main thread is the name of the process,
 * by which users find it (pgrep, killall). */
void thread_set_name(const char *name);

/* The calling thread's name, "" if it has none. Lives as long as the thread. */
const char *thread_name(void);

struct mutex {
    pthread_mutex_t handle;
};

void mutex_init(struct mutex *mutex);
void mutex_clear(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

struct cond {
    pthread_cond_t handle; /* On the monotonic clock. */
};

void cond_init(struct cond *cond);
void cond_clear(struct cond *cond);
void cond_wait(struct cond *cond, struct mutex *mutex);
/* false: timeout_us passed first. May wake early like cond_wait: look again. */
bool cond_wait_for(struct cond *cond, struct mutex *mutex, uint64_t timeout_us);
void cond_signal(struct cond *cond);
void cond_broadcast(struct cond *cond);

/* Rung once, waited for once, by two threads without a mutex. The one who waited may clear
 * it and let go of its memory at once: ringing touches it no more. */
struct bell {
    sem_t handle;
};

void bell_init(struct bell *bell);
void bell_clear(struct bell *bell);
void bell_ring(struct bell *bell);
void bell_wait(struct bell *bell);

/* A first-in first-out queue of at most capacity pointers. Any number of threads
 * on both ends. Items are never NULL. */
struct queue {
    struct mutex mutex;
    struct cond not_empty;
    struct cond not_full;
    void **items; /* A ring. Owned. */
    size_t capacity;
    size_t at;
    size_t n;
    bool is_closed;
};

void queue_init(struct queue *queue, size_t capacity);
void queue_clear(struct queue *queue); /* Items still inside are the caller's loss. */
/* Waits while full. false: the queue is closed and the item stays the caller's. */
NODISCARD bool queue_push(struct queue *queue, void *item);
/* false also when full. */
NODISCARD bool queue_try_push(struct queue *queue, void *item);
/* Waits while empty. NULL: closed, and every item has been taken. */
void *queue_pop(struct queue *queue);
/* As queue_pop, but NULL also when timeout_us passed (0: does not wait). */
void *queue_pop_for(struct queue *queue, uint64_t timeout_us);
/* No further items go in; those inside can be taken. Wakes everybody. */
void queue_close(struct queue *queue);
size_t queue_len(struct queue *queue);

/* A piece of work for a pool, embedded by its owner in something larger, so that
 * giving out work allocates nothing. It belongs to the pool from pool_add until
 * run is called, and may be freed or added again by run itself. */
struct work {
    /* worker: 0 .. pool_size() for scratch memory of one's own; pool_size() is
     * used by threads that help (one at a time, see pool_help). */
    void (*run)(struct work *work, unsigned worker);
    struct work *next;        /* The pool's. */
    struct work_group *group; /* The pool's. */
};

/* Work that is waited for together. Zero it to start. */
struct work_group {
    _Atomic uint64_t left;
};

struct pool {
    struct mutex mutex;
    struct cond is_work;  /* Work came, or the end. */
    struct cond is_ended; /* Some group came to its end. */
    struct work *first;
    struct work *last;
    unsigned idle_n;
    unsigned waiting_n;
    bool is_closed;
    struct pool_worker *workers; /* Owned. */
    unsigned workers_n;
};

/* Starts threads_n workers named "<name>-0" ... 0 is allowed: then all work is
 * done by those who wait for it.
 *
 * Returns: 0 or E_IO, and then there is nothing to clear. */
NODISCARD int pool_init(struct pool *pool, const char *name, unsigned threads_n, struct error *err);
/* Finishes all work and joins the workers. */
void pool_clear(struct pool *pool);
unsigned pool_size(const struct pool *pool);

/* Adds n pieces that lie stride bytes apart, first in, first out. group may be
 * NULL. Any thread, also from within run. */
void pool_add(struct pool *pool, struct work *work, size_t n, size_t stride,
              struct work_group *group);

/* Does one piece of work as worker pool_size(), if there is any. Only one thread at
 * a time may help or wait. */
bool pool_help(struct pool *pool);

/* Returns when every piece of the group has been run; helps meanwhile. What the
 * pieces wrote is then visible to the caller. */
void pool_wait(struct pool *pool, struct work_group *group);

#endif /* OS_THREAD_H */
