#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "test.h"

static void note_name(void *context)
{
    (void)snprintf(context, THREAD_NAME_SIZE, "%s", thread_name());
}

static void threads_have_names(void)
{
    struct thread thread;
    char seen[THREAD_NAME_SIZE] = "";
    struct error err = {0};

    EXPECT_INT("start", thread_start(&thread, "a-name-that-is-too-long", note_name, seen, &err), 0);
    thread_join(&thread);
    EXPECT_STR("cut", seen, "a-name-that-is-");
    thread_join(&thread); /* A second join does nothing. */
}

struct stream {
    struct queue *queue;
    _Atomic uint64_t *sum;
    uint64_t n;
};

static void produce(void *context)
{
    struct stream *stream = context;

    for (uint64_t i = 1; i <= stream->n; i++)
        CHECK(queue_push(stream->queue, (void *)(uintptr_t)i));
}

static void consume(void *context)
{
    struct stream *stream = context;
    void *item;

    while ((item = queue_pop(stream->queue)) != NULL)
        (void)atomic_fetch_add(stream->sum, (uint64_t)(uintptr_t)item);
}

static void queues_pass_everything_on(void)
{
    enum { PRODUCERS = 3, CONSUMERS = 2, N = 5000 };
    struct thread threads[PRODUCERS + CONSUMERS];
    _Atomic uint64_t sum = 0;
    struct error err = {0};
    struct queue queue;
    struct stream stream = {&queue, &sum, N};

    queue_init(&queue, 7);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        CHECK(thread_start(&threads[i], "t", i < PRODUCERS ? produce : consume, &stream, &err) ==
              0);
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(&threads[i]);
    queue_close(&queue);
    for (int i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++)
        thread_join(&threads[i]);
    EXPECT_U64("sum", sum, (uint64_t)PRODUCERS * N * (N + 1) / 2);
    queue_clear(&queue);
}

static void queues_are_bounded_and_in_order(void)
{
    struct queue queue;
    int items[4];

    queue_init(&queue, 3);
    EXPECT_TRUE("empty", queue_pop_for(&queue, 0) == NULL);
    EXPECT_TRUE("empty", queue_pop_for(&queue, 1000) == NULL);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            EXPECT_TRUE("room", queue_try_push(&queue, &items[i]));
        EXPECT_TRUE("full", !queue_try_push(&queue, &items[3]));
        EXPECT_U64("len", queue_len(&queue), 3);
        for (int i = 0; i < 3; i++)
            EXPECT_TRUE("order", queue_pop(&queue) == &items[i]);
    }
    EXPECT_TRUE("room", queue_try_push(&queue, &items[0]));
    queue_close(&queue);
    EXPECT_TRUE("closed", !queue_push(&queue, &items[1]));
    EXPECT_TRUE("the rest comes out", queue_pop(&queue) == &items[0]);
    EXPECT_TRUE("the end", queue_pop(&queue) == NULL);
    queue_clear(&queue);
}

struct sum_work {
    struct work work;
    struct pool *pool;
    struct sum_work *child; /* Added by the work itself when not NULL. */
    struct work_group *group;
    uint64_t value;
    uint64_t *sums; /* One for each worker and the helper: no locks needed. */
};

static void add_value(struct work *work, unsigned worker)
{
    struct sum_work *sum = (struct sum_work *)(void *)work;

    sum->sums[worker] += sum->value;
    if (sum->child != NULL)
        pool_add(sum->pool, &sum->child->work, 1, 0, sum->group);
}

static void pools_do_all_work_once(void)
{
    enum { N = 20000, THREADS_MAX = 3 };
    struct sum_work *works = alloc_array(2 * N, sizeof(*works));
    struct error err = {0};

    for (unsigned threads = 0; threads <= THREADS_MAX; threads++) {
        uint64_t sums[THREADS_MAX + 1] = {0};
        struct work_group group = {0};
        struct pool pool;
        uint64_t sum = 0;

        EXPECT_INT("init", pool_init(&pool, "verify", threads, &err), 0);
        EXPECT_U64("size", pool_size(&pool), threads);
        for (size_t i = 0; i < N; i++) {
            works[i] = (struct sum_work){.pool = &pool, .value = i, .sums = sums};
            works[i].work.run = add_value;
            works[N + i] = works[i];
            works[i].child = i % 3 == 0 ? &works[N + i] : NULL;
            works[i].group = &group;
        }
        for (size_t i = 0; i < N; i += 100)
            pool_add(&pool, &works[i].work, 100, sizeof(works[0]), &group);
        (void)pool_help(&pool);
        pool_wait(&pool, &group);
        for (unsigned i = 0; i <= threads; i++)
            sum += sums[i];
        EXPECT_U64("sum", sum, (uint64_t)N * (N - 1) / 2 + (uint64_t)3 * 6666 * 6667 / 2);
        EXPECT_TRUE("nothing left", !pool_help(&pool));
        pool_clear(&pool);
    }
    free(works);
}

struct slow_work {
    struct work work;
    atomic_bool is_begun;
    bool is_done;
};

static void take_long(struct work *work, unsigned worker)
{
    struct slow_work *slow = (struct slow_work *)(void *)work;
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    (void)worker;
    atomic_store(&slow->is_begun, true);
    (void)nanosleep(&pause, NULL);
    slow->is_done = true;
}

/* The waiter finds nothing to help with and must be woken by the worker's end. */
static void a_waiter_is_woken_by_the_last_piece(void)
{
    struct slow_work slow = {.work = {.run = take_long}};
    struct work_group group = {0};
    struct error err = {0};
    struct pool pool;

    EXPECT_INT("init", pool_init(&pool, "p", 1, &err), 0);
    pool_add(&pool, &slow.work, 1, 0, &group);
    while (!atomic_load(&slow.is_begun))
        (void)sched_yield();
    pool_wait(&pool, &group);
    EXPECT_TRUE("done", slow.is_done);
    pool_clear(&pool);
}

static void clearing_a_pool_finishes_its_work(void)
{
    enum { N = 1000 };
    struct sum_work *works = alloc_array(N, sizeof(*works));
    struct error err = {0};

    for (unsigned threads = 0; threads <= 2; threads += 2) {
        uint64_t sums[3] = {0};
        struct pool pool;

        EXPECT_INT("init", pool_init(&pool, "p", threads, &err), 0);
        for (size_t i = 0; i < N; i++) {
            works[i] = (struct sum_work){.value = 1, .sums = sums};
            works[i].work.run = add_value;
        }
        pool_add(&pool, &works[0].work, N, sizeof(works[0]), NULL);
        pool_clear(&pool);
        EXPECT_U64("sum", sums[0] + sums[1] + sums[2], N);
    }
    free(works);
}

struct flag {
    struct mutex mutex;
    struct cond cond;
    bool is_set;
};

static void set_flag(void *context)
{
    struct flag *flag = context;

    mutex_lock(&flag->mutex);
    flag->is_set = true;
    cond_broadcast(&flag->cond);
    mutex_unlock(&flag->mutex);
}

static void conditions_wait_and_time_out(void)
{
    struct error err = {0};
    struct thread thread;
    struct flag flag = {.is_set = false};

    mutex_init(&flag.mutex);
    cond_init(&flag.cond);
    mutex_lock(&flag.mutex);
    while (cond_wait_for(&flag.cond, &flag.mutex, 2000))
        continue; /* Woken early. */
    EXPECT_TRUE("timed out", !flag.is_set);
    EXPECT_INT("start", thread_start(&thread, "set", set_flag, &flag, &err), 0);
    while (!flag.is_set)
        cond_wait(&flag.cond, &flag.mutex);
    mutex_unlock(&flag.mutex);
    thread_join(&thread);
    cond_clear(&flag.cond);
    mutex_clear(&flag.mutex);
}

TEST_LIST(TEST(threads_have_names), TEST(queues_pass_everything_on),
          TEST(queues_are_bounded_and_in_order), TEST(pools_do_all_work_once),
          TEST(a_waiter_is_woken_by_the_last_piece), TEST(clearing_a_pool_finishes_its_work),
          TEST(conditions_wait_and_time_out))
