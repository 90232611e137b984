/* Sharing a container, and letting go of what left one: the slow parts of container.h. */
#include "gc/container.h"

#include "gc/world.h"

#ifdef GC_THREADS
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/os_memory.h"
#endif

#ifdef GC_FREE_THREADS
/* ---------------------------------------------------------------- the fence of all cores */
static void *container_page; /* where there is no membarrier; as long as the process lives */

bool container_open(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 ||
        container_page != NULL) {
        return true;
    }
    container_page = os_map((size_t)sysconf(_SC_PAGESIZE));
    return container_page != NULL;
}

/* Linux 4.14. Elsewhere (under valgrind) a page loses a right, which every core of the process has
 * to hear of. */
static void container_fence_all(void)
{
    if (container_page == NULL) {
        (void)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
        return;
    }
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    *(volatile char *)container_page = 1;
    (void)mprotect(container_page, bytes, PROT_READ);
    (void)mprotect(container_page, bytes, PROT_READ | PROT_WRITE);
}

/* ---------------------------------------------------------------- sharing */
static void container_wait_for_owner(const struct gc_thread *owner)
{
    container_fence_all();
    while (__atomic_load_n(&owner->writing, __ATOMIC_ACQUIRE) != 0) {
        world_yield();
    }
}

/* A lock of a byte: held for some dozens of instructions. */
void container_lock(struct object *container)
{
    struct gc_head *head = gc_head_of(container);
    GC_POINT();
    while (__atomic_exchange_n(&head->locked, 1, __ATOMIC_ACQUIRE) != 0) {
        while (__atomic_load_n(&head->locked, __ATOMIC_RELAXED) != 0) {
            world_yield();
        }
    }
    if (__builtin_expect(!container_is_shared(container), false)) {
        __atomic_store_n(&head->shared, 1, __ATOMIC_SEQ_CST);
        gc_own->shared++;
        if (!container_is_own(container) && !world_is_stopped(gc_world_runtime)) {
            container_wait_for_owner(gc_world_runtime->world.threads[head->owner]);
        }
    }
}

void container_unlock(struct object *container)
{
    __atomic_store_n(&gc_head_of(container)->locked, 0, __ATOMIC_RELEASE);
    if (gc_own->left_block != NULL) {
        void *block = gc_own->left_block;
        gc_own->left_block = NULL;
        container_retire(gc_world_runtime, block, gc_own->left_bytes);
    }
}

void gc_share(struct object *container)
{
    if (container_is_own(container)) {
        __atomic_store_n(&gc_head_of(container)->shared, 1, __ATOMIC_RELEASE);
    }
}

/* ---------------------------------------------------------------- letting go */
enum { CONTAINER_RETIRED_MANY = 64 /* of one thread: it asks the others to pass a safe point */ };

static void container_let_go(struct runtime *runtime, const struct gc_retired *retired)
{
    if (retired->bytes == 0) {
        object_decref(runtime, retired->what);
    } else {
        heap_free(runtime->heap, retired->what, retired->bytes, HEAP_BUFFER);
    }
}

/* The places of those that are gone are used again first. */
static bool container_make_room(struct gc_thread *thread)
{
    if (thread->retired_first + thread->retired_length < thread->retired_capacity) {
        return true;
    }
    if (thread->retired_first > thread->retired_capacity / 2) {
        memmove(thread->retired, thread->retired + thread->retired_first,
                thread->retired_length * sizeof(*thread->retired));
        thread->retired_first = 0;
        return true;
    }
    return world_grow((void **)&thread->retired, &thread->retired_capacity,
                      sizeof(*thread->retired));
}

void container_retire(struct runtime *runtime, void *what, size_t bytes)
{
    struct gc_thread *own = gc_own;
    const struct gc_retired retired = {what, bytes,
                                       __atomic_load_n(&runtime->world.epoch, __ATOMIC_ACQUIRE)};
    if (world_is_stopped(runtime)) {
        container_let_go(runtime, &retired);
        return;
    }
    if (!container_make_room(own)) { /* nobody is in the middle of a read then */
        gc_stop(runtime);
        container_let_go(runtime, &retired);
        gc_start(runtime);
        return;
    }
    own->retired[own->retired_first + own->retired_length++] = retired;
    own->retired_total++;
    own->retired_max =
        own->retired_length > own->retired_max ? own->retired_length : own->retired_max;
    if (own->retired_length % CONTAINER_RETIRED_MANY == 0) {
        (void)__atomic_fetch_or(&own->poll, GC_POLL_RETIRED, __ATOMIC_RELAXED);
    }
}

/* The epoch that every thread has passed a safe point in, the caller included. Attaching takes the
 * same lock, so that a thread that begins to read sees all that was unlinked before. */
static uint64_t container_oldest_epoch(struct runtime *runtime)
{
    struct gc_world *world = &runtime->world;
    uint64_t epoch = __atomic_add_fetch(&world->epoch, 1, __ATOMIC_ACQ_REL);
    uint64_t oldest = epoch;
    __atomic_store_n(&gc_own->seen, epoch, __ATOMIC_RELEASE);
    pthread_mutex_lock(&world->lock);
    for (uint32_t i = 1; i <= world->thread_count; i++) {
        struct gc_thread *thread = world->threads[i];
        uint64_t seen = __atomic_load_n(&thread->seen, __ATOMIC_ACQUIRE);
        if (seen < epoch) {
            (void)__atomic_fetch_or(&thread->poll, GC_POLL_EPOCH, __ATOMIC_RELAXED);
        }
        oldest = seen < oldest ? seen : oldest;
    }
    pthread_mutex_unlock(&world->lock);
    return oldest;
}

void container_reclaim(struct runtime *runtime, struct gc_thread *thread, bool has_world)
{
    const uint64_t oldest = has_world ? UINT64_MAX : container_oldest_epoch(runtime);
    while (thread->retired_length != 0) {
        const struct gc_retired retired = thread->retired[thread->retired_first];
        if (retired.epoch >= oldest) {
            return;
        }
        thread->retired_first++;
        thread->retired_length--;
        container_let_go(runtime, &retired); /* which may retire others */
    }
    thread->retired_first = 0;
}
#elif defined(GC_THREADS)
bool container_open(void)
{
    return true;
}

void container_reclaim(struct runtime *runtime, struct gc_thread *thread, bool has_world)
{
    (void)runtime;
    (void)thread;
    (void)has_world;
}

void gc_share(struct object *container)
{
    (void)container;
}
#endif
