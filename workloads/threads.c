#include "workloads/threads.h"

#include <pthread.h>
#include <string.h>

#include "common/clock.h"
#include "gc/threads.h"

/* Workloads have shallow stacks. A sanitizer keeps its data of each thread at the stack's end:
 * nearly 1 MiB for ThreadSanitizer in gcc 12. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { THREADS_STACK_BYTES = 4 << 20 };
#else
enum { THREADS_STACK_BYTES = 256 << 10 };
#endif

enum { THREADS_LINE_BYTES = 64 };

/* One thread, on its own cache lines: counters of two neighbours would slow each other down. */
struct threads_lane {
    _Alignas(THREADS_LINE_BYTES) struct run_thread thread;
    pthread_t id;
    uint64_t wall_ns;
    uint64_t cpu_ns;
    uint64_t allocations; /* of the last work */
};

struct threads {
    struct threads_lane *lanes;
    unsigned count; /* threads that were started */
    pthread_barrier_t begin;
    pthread_barrier_t end;
    /* The next work; NULL: the threads end. */
    run_work *work;
    uint64_t iterations;
};

__attribute__((noinline)) void threads_timed_work(run_work *work, struct run_thread *thread,
                                                  uint64_t iterations)
{
    work(thread, iterations);
    __asm__ volatile(""); /* as in runner_timed_part */
}

static void threads_work(struct threads *threads, struct threads_lane *lane)
{
    struct runtime *runtime = lane->thread.run->runtime;
    if (runtime != NULL && !gc_thread_attach(runtime)) {
        run_fail(lane->thread.run, "the object layer has no room for another thread");
        return;
    }
    uint64_t allocations = heap_allocations;
    uint64_t cpu_ns = clock_thread_cpu_ns();
    uint64_t wall_ns = clock_wall_ns();
    if (lane->thread.run->timed) {
        threads_timed_work(threads->work, &lane->thread, threads->iterations);
    } else {
        threads->work(&lane->thread, threads->iterations);
    }
    lane->wall_ns += clock_wall_ns() - wall_ns;
    lane->cpu_ns += clock_thread_cpu_ns() - cpu_ns;
    lane->allocations = heap_allocations - allocations;
    if (runtime != NULL) {
        gc_thread_detach(runtime);
    }
}

static void *threads_main(void *context)
{
    struct threads_lane *lane = context;
    struct threads *threads = lane->thread.run->pool;
    for (;;) {
        (void)pthread_barrier_wait(&threads->begin);
        if (threads->work == NULL) {
            heap_thread_end(lane->thread.run->heap);
            return NULL;
        }
        threads_work(threads, lane);
        (void)pthread_barrier_wait(&threads->end);
    }
}

/* A barrier's count is fixed before the first thread waits at it. If a thread cannot be started,
 * the others wait forever; the process is about to end then, with nothing measured. */
static enum status threads_start_one(struct run *run, struct threads_lane *lane,
                                     struct error *error)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    int refused = pthread_attr_setstack(&attributes, run_scratch(run, THREADS_STACK_BYTES),
                                        THREADS_STACK_BYTES);
    if (refused == 0) {
        refused = pthread_create(&lane->id, &attributes, threads_main, lane);
    }
    (void)pthread_attr_destroy(&attributes);
    return refused == 0 ? STATUS_OK
                        : error_set(error, STATUS_NO_MEMORY, "thread %u of %u: %s",
                                    lane->thread.index + 1, run->threads, strerror(refused));
}

enum status threads_start(struct run *run, struct error *error)
{
    struct threads *threads = run_scratch(run, sizeof(*threads));
    threads->lanes = run_scratch(run, run->threads * sizeof(*threads->lanes));
    (void)pthread_barrier_init(&threads->begin, NULL, run->threads + 1);
    (void)pthread_barrier_init(&threads->end, NULL, run->threads + 1);
    run->pool = threads;
    for (unsigned i = 0; i < run->threads; i++) {
        threads->lanes[i].thread = (struct run_thread){.run = run, .index = i};
        enum status status = threads_start_one(run, &threads->lanes[i], error);
        if (status != STATUS_OK) {
            run->pool = NULL;
            return status;
        }
        threads->count++;
    }
    return STATUS_OK;
}

void threads_stop(struct run *run)
{
    struct threads *threads = run->pool;
    if (threads == NULL) {
        return;
    }
    threads->work = NULL;
    (void)pthread_barrier_wait(&threads->begin);
    for (unsigned i = 0; i < threads->count; i++) {
        (void)pthread_join(threads->lanes[i].id, NULL);
    }
    (void)pthread_barrier_destroy(&threads->begin);
    (void)pthread_barrier_destroy(&threads->end);
    run->pool = NULL;
}

/* The threads' allocations count as the caller's, so that a comparison of counts before and after
 * need not know about threads. */
void run_on_threads(struct run *run, run_work *work, uint64_t iterations)
{
    struct threads *threads = run->pool;
    for (unsigned i = 0; i < threads->count; i++) {
        rng_seed(&threads->lanes[i].thread.rng, rng_next(&run->rng));
    }
    threads->work = work;
    threads->iterations = iterations;
    if (run->runtime != NULL) {
        gc_thread_detach(run->runtime);
    }
    (void)pthread_barrier_wait(&threads->begin);
    (void)pthread_barrier_wait(&threads->end);
    if (run->runtime != NULL) {
        (void)gc_thread_attach(run->runtime);
    }
    for (unsigned i = 0; i < threads->count; i++) {
        heap_allocations += threads->lanes[i].allocations;
    }
}

void threads_reset_times(struct run *run)
{
    for (unsigned i = 0; run->pool != NULL && i < run->pool->count; i++) {
        run->pool->lanes[i].wall_ns = 0;
        run->pool->lanes[i].cpu_ns = 0;
    }
}

uint64_t threads_wall_ns(const struct run *run, unsigned thread)
{
    return run->pool->lanes[thread].wall_ns;
}

uint64_t threads_cpu_ns(const struct run *run, unsigned thread)
{
    return run->pool->lanes[thread].cpu_ns;
}

uint64_t threads_wall_ns_max(const struct run *run)
{
    uint64_t longest = 0;
    for (unsigned i = 0; i < run->threads; i++) {
        uint64_t wall_ns = threads_wall_ns(run, i);
        longest = wall_ns > longest ? wall_ns : longest;
    }
    return longest;
}
