/* Threads: their states, the stop of the world, and the one lock. See threads.h. */
#include "gc/threads.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gc/objects.h"
#include "gc/world.h"

#ifdef GC_THREADS
#include "common/clock.h"
#include "common/os_memory.h"

_Thread_local struct gc_thread *gc_own;
struct runtime *gc_world_runtime;
_Thread_local uint32_t gc_own_number;
#ifdef HEAPMILL_FAULTS
void (*gc_interleave)(bool must);
#endif

/* A runtime that was opened where another one was: a thread's state may be of that one. */
static uint64_t world_generation;
static _Thread_local uint64_t gc_own_generation;

enum {
    WORLD_SPINS_NS = 50000,   /* that a stopper looks before it sleeps: a wake-up takes as long */
    WORLD_ARRAY_FIRST = 4096, /* bytes */
};

bool world_grow(void **array, size_t *capacity, size_t element_bytes)
{
    size_t grown = *capacity == 0 ? WORLD_ARRAY_FIRST / element_bytes : *capacity * 2;
    void *larger = os_map_scratch(grown * element_bytes);
    if (larger == NULL) {
        return false;
    }
    if (*array != NULL) {
        memcpy(larger, *array, *capacity * element_bytes);
        os_unmap(*array, *capacity * element_bytes);
    }
    *array = larger;
    *capacity = grown;
    return true;
}

/* ---------------------------------------------------------------- waiting */
/* Until something has changed; the world's lock is held. */
static void world_wait(struct gc_world *world)
{
#ifdef HEAPMILL_FAULTS
    if (gc_interleave != NULL) {
        pthread_mutex_unlock(&world->lock);
        gc_interleave(true);
        pthread_mutex_lock(&world->lock);
        return;
    }
#endif
    pthread_cond_wait(&world->changed, &world->lock);
}

static void world_set_running(struct gc_world *world, struct gc_thread *thread, bool is_running)
{
    thread->is_running = is_running;
    (void)__atomic_fetch_add(&world->running, is_running ? 1 : UINT32_MAX, __ATOMIC_ACQ_REL);
    if (!is_running && world->stopper != NULL) {
        pthread_cond_broadcast(&world->changed);
    }
}

#ifdef GC_FREE_THREADS
/* While another thread has the world, or wants it, this one does not run. */
static void world_stand(struct gc_world *world, struct gc_thread *thread)
{
    if (world->stopper == NULL || world->stopper == thread) {
        return;
    }
    world_set_running(world, thread, false);
    while (world->stopper != NULL) {
        world_wait(world);
    }
    world_set_running(world, thread, true);
}
#else
/* ---------------------------------------------------------------- the one lock */
/* Waits for a change for the switch interval at most. Whether it came. */
static bool world_wait_interval(struct gc_world *world)
{
#ifdef HEAPMILL_FAULTS
    if (gc_interleave != NULL) {
        world_wait(world);
        return false;
    }
#endif
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GC_SWITCH_INTERVAL_US * 1000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_cond_timedwait(&world->changed, &world->lock, &until) == 0;
}

/* take_gil, Python/ceval_gil.c: whoever has waited for an interval in which there was no switch
 * asks the holder. */
static void world_take(struct gc_world *world, struct gc_thread *thread)
{
    world->waiting++;
    while (world->holder != NULL) {
        uint64_t switches = world->switches;
        bool has_changed = world_wait_interval(world);
        if (!has_changed && world->holder != NULL && world->switches == switches) {
            (void)__atomic_fetch_or(&world->holder->poll, GC_POLL_SWITCH, __ATOMIC_RELAXED);
        }
    }
    world->waiting--;
    world->holder = thread;
    world->switches++;
    pthread_cond_broadcast(&world->changed);
}

static void world_drop(struct gc_world *world)
{
    world->holder = NULL;
    pthread_cond_broadcast(&world->changed);
}

/* drop_gil with forced switching: the lock goes to somebody else first. */
static void world_switch(struct gc_world *world, struct gc_thread *thread)
{
    uint64_t switches = world->switches;
    world_drop(world);
    while (world->waiting != 0 && world->switches == switches) {
        world_wait(world);
    }
    world_take(world, thread);
}
#endif

/* ---------------------------------------------------------------- a thread's states */
static struct gc_thread *world_make_thread(void)
{
    struct gc_thread *thread = os_map_scratch(sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    thread->stack = os_map_scratch(GC_STACK_MAX * sizeof(*thread->stack));
    if (thread->stack == NULL) {
        os_unmap(thread, sizeof(*thread));
        return NULL;
    }
    return thread;
}

static void world_free_thread(struct gc_thread *thread)
{
    if (thread->retired != NULL) {
        os_unmap(thread->retired, thread->retired_capacity * sizeof(*thread->retired));
    }
    queue_close(thread);
    if (thread->put_off.objects != NULL) {
        os_unmap(thread->put_off.objects, thread->put_off.capacity * sizeof(struct object *));
    }
    os_unmap(thread->stack, GC_STACK_MAX * sizeof(struct object *));
    os_unmap(thread, sizeof(*thread));
}

/* Nobody has the world to himself afterwards, or, with one lock, the caller has. */
static void world_enter(struct gc_world *world, struct gc_thread *thread)
{
    pthread_mutex_lock(&world->lock);
#ifdef GC_FREE_THREADS
    (void)thread;
    while (world->stopper != NULL) {
        world_wait(world);
    }
#else
    world_take(world, thread);
#endif
}

static void world_exit(struct gc_world *world)
{
#ifndef GC_FREE_THREADS
    world_drop(world);
#endif
    pthread_mutex_unlock(&world->lock);
}

bool gc_thread_attach(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    bool is_known = gc_own != NULL && gc_own_generation == world_generation;
    struct gc_thread *own = is_known ? gc_own : world_make_thread();
    if (own == NULL) {
        return false;
    }
    world_enter(world, own);
    if (!is_known && world->thread_count == GC_THREADS_MAX) {
        world_exit(world);
        world_free_thread(own);
        return false;
    }
    if (!is_known) {
        own->number = ++world->thread_count;
        world->threads[own->number] = own;
        gc_own = own;
        gc_own_generation = world_generation;
    }
    gc_own_number = own->number;
    world_set_running(world, own, true);
    __atomic_store_n(&own->seen, __atomic_load_n(&world->epoch, __ATOMIC_ACQUIRE),
                     __ATOMIC_RELEASE);
    pthread_mutex_unlock(&world->lock);
    gc_safe_point(runtime);
    return true;
}

void gc_thread_detach(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    struct gc_thread *own = gc_own;
    OBJECT_ASSERT(own != NULL && own->is_running);
    gc_safe_point(runtime);
    pthread_mutex_lock(&world->lock);
    __atomic_store_n(&own->seen, UINT64_MAX, __ATOMIC_RELEASE);
    world_set_running(world, own, false);
    world_exit(world);
}

/* What others leave to it from now on they merge themselves. What it has retired waits for the next
 * collection. */
void gc_thread_leave(struct runtime *runtime)
{
    struct gc_thread *own = gc_own;
    bool has_ended = false;
    (void)runtime_tell_count(runtime);
    while (!has_ended) {
        queue_merge(runtime, own);
        world_lock(&own->queue_lock);
        has_ended = own->queue_length == 0;
        own->has_ended = has_ended;
        world_unlock(&own->queue_lock);
    }
    gc_thread_detach(runtime);
    gc_own = NULL;
    gc_own_number = 0;
}

/* ---------------------------------------------------------------- stopping the world */
bool world_is_stopped(const struct runtime *runtime)
{
    return runtime->world.stop_depth != 0; /* which nobody sets while others run */
}

#ifdef GC_FREE_THREADS
/* The others are told, and are waited for: awake at first. */
static void world_stop_others(struct gc_world *world)
{
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        if (world->threads[i] != gc_own) {
            (void)__atomic_fetch_or(&world->threads[i]->poll, GC_POLL_STOP, __ATOMIC_RELAXED);
        }
    }
    uint64_t begin_ns = clock_wall_ns();
    while (world->running > 1) {
        pthread_mutex_unlock(&world->lock);
        while (__atomic_load_n(&world->running, __ATOMIC_ACQUIRE) > 1 &&
               clock_wall_ns() - begin_ns < WORLD_SPINS_NS) {
            world_yield();
        }
        pthread_mutex_lock(&world->lock);
        if (world->running > 1) {
            world_wait(world);
        }
    }
    histogram_add(&world->stop_ns, clock_wall_ns() - begin_ns);
}

void gc_stop(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    if (world_is_stopped(runtime)) {
        world->stop_depth++;
        return;
    }
    pthread_mutex_lock(&world->lock);
    while (world->stopper != NULL) {
        world_stand(world, gc_own);
    }
    world->stopper = gc_own;
    world_stop_others(world);
    world->stop_depth = 1;
    pthread_mutex_unlock(&world->lock);
}

void gc_start(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    if (--world->stop_depth != 0) {
        return;
    }
    pthread_mutex_lock(&world->lock);
    world->stopper = NULL;
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        (void)__atomic_fetch_and(&world->threads[i]->poll, ~(uint32_t)GC_POLL_STOP,
                                 __ATOMIC_RELAXED);
    }
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}
#else
/* Whoever holds the lock has the world. */
void gc_stop(struct runtime *runtime)
{
    runtime->world.stop_depth++;
}

void gc_start(struct runtime *runtime)
{
    runtime->world.stop_depth--;
}
#endif

void gc_safe_point_slow(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    struct gc_thread *own = gc_own;
    uint32_t poll = __atomic_load_n(&own->poll, __ATOMIC_RELAXED);
    if (runtime->collector.collecting || world->stop_depth != 0) {
        return; /* the caller has the world, and others' wishes wait */
    }
    (void)__atomic_fetch_and(&own->poll,
                             ~(uint32_t)(GC_POLL_SWITCH | GC_POLL_EPOCH | GC_POLL_RETIRED),
                             __ATOMIC_RELAXED);
    pthread_mutex_lock(&world->lock);
#ifdef GC_FREE_THREADS
    world_stand(world, own);
#else
    if (poll & GC_POLL_SWITCH) {
        world_switch(world, own);
    }
#endif
    __atomic_store_n(&own->seen, __atomic_load_n(&world->epoch, __ATOMIC_ACQUIRE),
                     __ATOMIC_RELEASE);
    pthread_mutex_unlock(&world->lock);
    if (poll & GC_POLL_QUEUE) {
        queue_merge(runtime, own);
    }
    if (poll & GC_POLL_RETIRED) {
        container_reclaim(runtime, own, false);
    }
}

/* ---------------------------------------------------------------- the collector's part */
void world_settle(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    bool is_settled;
    do {
        is_settled = true;
        for (uint32_t i = 1; i <= world->thread_count; i++) {
            struct gc_thread *thread = world->threads[i];
            is_settled &= thread->queue_length == 0 && thread->retired_length == 0;
            queue_merge(runtime, thread);
            container_reclaim(runtime, thread, true);
        }
    } while (!is_settled);
}

int runtime_tell_count(struct runtime *runtime)
{
    int *place = &runtime->collector.count;
    int count = __atomic_load_n(place, __ATOMIC_RELAXED);
    int told;
    do {
        told = count + gc_own->count;
        told = told < 0 ? 0 : told;
    } while (!__atomic_compare_exchange_n(place, &count, told, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    gc_own->count = 0;
    return told;
}

void registry_gather(struct registry *registry)
{
    struct gc_world *world = &gc_world_runtime->world;
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        struct gc_thread *thread = world->threads[i];
        registry->holes += thread->holes;
        thread->holes = 0;
        thread->entry_free = 0;
        thread->entry_next = 0;
        thread->entry_end = 0;
    }
}

uint32_t world_holes(const struct runtime *runtime)
{
    uint32_t holes = 0;
    for (uint32_t i = 1; i <= runtime->world.thread_count; i++) {
        holes += runtime->world.threads[i]->holes;
    }
    return holes;
}

uint64_t world_objects_live(const struct runtime *runtime)
{
    uint64_t live = 0;
    for (uint32_t i = 1; i <= runtime->world.thread_count; i++) {
        live += runtime->world.threads[i]->objects_live;
    }
    return live;
}

/* ---------------------------------------------------------------- opening and closing */
static bool world_serves(const struct gc_policy *policy)
{
    return policy->decremented == NULL && strcmp(policy->name, "incremental") != 0;
}

bool world_open(struct runtime *runtime, const struct gc_policy *policy, struct error *error)
{
    struct gc_world *world = &runtime->world;
    if (!world_serves(policy)) {
        error_set(error, STATUS_UNSUPPORTED,
                  "the collector %s serves one thread: with " HEAPMILL_BACKEND_NAME
                  " take generational-700, generational-2000, growth or none",
                  policy->name);
        return false;
    }
    if (gc_world_runtime != NULL) {
        error_set(error, STATUS_UNSUPPORTED, "one runtime with threads may be open in a process");
        return false;
    }
    if (!container_open()) {
        error_set(error, STATUS_NO_MEMORY, "the system refused a page");
        return false;
    }
    (void)pthread_mutex_init(&world->lock, NULL);
    (void)pthread_cond_init(&world->changed, NULL);
    world->epoch = 1;
    world_generation++;
    gc_world_runtime = runtime;
    if (!gc_thread_attach(runtime)) {
        gc_world_runtime = NULL;
        error_set(error, STATUS_NO_MEMORY, "the system refused memory for a thread");
        return false;
    }
    return true;
}

/* All other threads have left or are detached for good. */
void world_close(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        world_free_thread(world->threads[i]);
    }
    if (world->deferred.objects != NULL) {
        os_unmap(world->deferred.objects, world->deferred.capacity * sizeof(struct object *));
    }
    (void)pthread_mutex_destroy(&world->lock);
    (void)pthread_cond_destroy(&world->changed);
    gc_own = NULL;
    gc_own_number = 0;
    gc_world_runtime = NULL;
}

void gc_thread_stats(const struct runtime *runtime, struct gc_thread_stats *stats)
{
    const struct gc_world *world = &runtime->world;
    *stats = (struct gc_thread_stats){
        .stops = world->stop_ns.count,
        .stop_ns_p50 = histogram_quantile(&world->stop_ns, 0.5),
        .stop_ns_p99 = histogram_quantile(&world->stop_ns, 0.99),
        .stop_ns_max = world->stop_ns.max,
        .switches = world->switches,
    };
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        const struct gc_thread *thread = world->threads[i];
        stats->queued += thread->queued;
        stats->retired += thread->retired_total;
        stats->shared += thread->shared;
        if (thread->queue_length_max > stats->queue_length_max) {
            stats->queue_length_max = thread->queue_length_max;
        }
        if (thread->retired_max > stats->retired_max) {
            stats->retired_max = thread->retired_max;
        }
    }
}
#endif
