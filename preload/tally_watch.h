/* The tally as an adapter of preload/face.c: see tally.h. Never calls malloc; its memory is
 * mapped. */
#ifndef HEAPMILL_PRELOAD_TALLY_WATCH_H
#define HEAPMILL_PRELOAD_TALLY_WATCH_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "allocators/heap.h"
#include "preload/family.h"
#include "preload/tally.h"

static struct tally *tally; /* NULL: nothing is counted */
static size_t (*tally_usable_size)(void *block);
static _Thread_local bool tally_inside;
static _Thread_local void *tally_last;

#define TALLY_ADD(member, value) __atomic_add_fetch(&tally->member, value, __ATOMIC_RELAXED)

/* ---------------------------------------------------------------- counting */
static inline bool watch_begin(void)
{
    if (tally_inside || tally == NULL) {
        return false;
    }
    tally_inside = true;
    return true;
}

static inline void watch_end(void)
{
    tally_inside = false;
}

static inline void watch_took(enum family_member member, void *block, size_t bytes,
                              size_t alignment)
{
    (void)member;
    (void)alignment;
    size_t usable = tally_usable_size(block);
    (void)TALLY_ADD(allocations, 1);
    (void)TALLY_ADD(asked_bytes, bytes);
    (void)TALLY_ADD(live_blocks, 1);
    (void)TALLY_ADD(classes[tally_class_of(usable)].allocated, 1);
    uint64_t live = TALLY_ADD(live_bytes, usable);
    uint64_t peak = __atomic_load_n(&tally->live_bytes_peak, __ATOMIC_RELAXED);
    while (live > peak && live < UINT64_MAX / 2 && /* blocks from before the tally may be freed */
           !__atomic_compare_exchange_n(&tally->live_bytes_peak, &peak, live, true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    tally_last = block;
}

static inline void watch_gives(enum family_member member, void *block)
{
    (void)member;
    size_t usable = tally_usable_size(block);
    (void)TALLY_ADD(frees, 1);
    (void)TALLY_ADD(live_blocks, (uint64_t)-1);
    (void)TALLY_ADD(live_bytes, (uint64_t) - (int64_t)usable);
    (void)TALLY_ADD(classes[tally_class_of(usable)].freed, 1);
}

static inline void watch_keeps(enum family_member member, void *block)
{
    watch_took(member, block, 0, 0);
}

static inline void *watch_last(void)
{
    return tally_last;
}

#include "preload/forward.h"

/* ---------------------------------------------------------------- the process's life */
static void tally_name_owner(void *function, char name[TALLY_NAME_BYTES])
{
    Dl_info info = {.dli_fname = NULL};
    if (function != NULL && dladdr(function, &info) != 0 && info.dli_fname != NULL) {
        (void)strncpy(name, info.dli_fname, TALLY_NAME_BYTES - 1);
    }
}

/* Maps a file for this process; NULL: none is wanted, or it failed. */
static struct tally *tally_map(void)
{
    char path[4096];
    int file = -1;
    const char *directory = getenv(TALLY_DIRECTORY);
    for (int number = 0; directory != NULL && file < 0 && number < 1000; number++) {
        (void)snprintf(path, sizeof(path), "%s/%ld.%d.tally", directory, (long)getpid(), number);
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0 && errno != EEXIST) {
            break;
        }
    }
    if (file < 0) {
        return NULL;
    }
    void *mapped = MAP_FAILED;
    if (ftruncate(file, sizeof(struct tally)) == 0) {
        mapped = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    (void)close(file);
    return mapped == MAP_FAILED ? NULL : mapped;
}

static void tally_begin(void)
{
    int saved = errno;
    struct tally *mapped = tally_map();
    if (mapped != NULL) {
        mapped->pid = getpid();
        ssize_t length = readlink("/proc/self/exe", mapped->program, TALLY_NAME_BYTES - 1);
        (void)length;
        tally_name_owner(dlsym(RTLD_DEFAULT, "malloc"), mapped->owner);
        tally_name_owner(dlsym(RTLD_NEXT, "malloc"), mapped->below);
        memcpy(mapped->magic, TALLY_MAGIC, sizeof(TALLY_MAGIC));
    }
    tally = tally_usable_size != NULL ? mapped : NULL;
    errno = saved;
}

/* A child has its own counts, which begin with its parent's live blocks. */
static void tally_fork_child(void)
{
    const struct tally *parent = tally;
    tally_begin();
    if (tally != NULL && parent != NULL) {
        tally->live_blocks = parent->live_blocks;
        tally->live_bytes = parent->live_bytes;
        for (size_t i = 0; i < TALLY_CLASSES; i++) {
            uint64_t freed = parent->classes[i].freed;
            tally->classes[i].allocated = parent->classes[i].allocated - freed;
        }
    }
    if (parent != NULL) {
        (void)munmap((void *)parent, sizeof(*parent));
    }
}

__attribute__((constructor)) static void tally_start(void)
{
    (void)next_is_ready();
    *(void **)&tally_usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
    (void)pthread_atfork(NULL, NULL, tally_fork_child);
    tally_begin();
}

/* Asks a back end of heapmill for its statistics (preload/process_heap.h). */
__attribute__((destructor)) static void tally_finish(void)
{
    void (*stats)(struct heap_stats *) = NULL;
    struct heap_stats now = {0};
    if (tally == NULL) {
        return;
    }
    tally_inside = true;
    *(void **)&stats = dlsym(RTLD_DEFAULT, "heapmill_preload_stats");
    if (stats != NULL) {
        stats(&now);
        tally->held_bytes = now.held_bytes;
        tally->held_bytes_peak = now.held_bytes_peak;
        tally->arenas_live = now.arenas_live;
        tally->arenas_mapped = now.arenas_mapped;
        tally->arenas_unmapped = now.arenas_unmapped;
        tally->pools_live = now.pools_live;
        tally->pools_free = now.pools_free;
    }
    tally->ended = 1;
    tally_inside = false;
}

#endif
