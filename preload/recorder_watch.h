/* libheapmill-recorder.so as an adapter of preload/face.c: each call is passed on to the next
 * library and written down, for `heapmill trace record`. traces/raw.h says what is left behind.
 *
 * An event is 16 bytes, stored to a mapped file. Its place is reserved by one addition, atomic once
 * there are threads, and the order of places is the order of events. A block is written down after
 * it was taken and before it is given back, so that of one address the events are in their true
 * order. The recorder's memory is mapped, and none of it comes from the recorded heap.
 *
 * All state is in a page that the kernel wipes in the child of a fork (MADV_WIPEONFORK, Linux
 * 4.14): the child, however it was forked, finds no recording and begins its own. A child of vfork
 * shares the memory, and so the recording too. exec starts the library anew. Signals: as malloc,
 * none of this may be called from a handler that interrupted it; such a call is passed on and not
 * written down. */
#ifndef HEAPMILL_PRELOAD_RECORDER_WATCH_H
#define HEAPMILL_PRELOAD_RECORDER_WATCH_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <time.h>
#include <unistd.h>

#include "preload/family.h"
#include "traces/format.h"
#include "traces/raw.h"

struct recorder {
    struct raw_chunk *chunk; /* being filled; NULL: not begun, or stopped. Atomic */
    struct raw_head *head;
    pthread_mutex_t mutex; /* all zero: PTHREAD_MUTEX_INITIALIZER of glibc */
    uint64_t start_ns;
    uint32_t chunks; /* mapped, the lowest of the file */
    uint32_t series;
    uint32_t pid;
    atomic_uint threads;
    bool begun;
    atomic_bool stopped; /* no file could be made: nothing is written down any more */
};

static struct recorder *recorder; /* NULL: nothing is asked for */
static char recorder_directory[1024];
static bool recorder_wants_sites;
/* What is mapped of the file; of the parent's after a fork. */
static struct raw_head *recorder_head;
static struct raw_chunk *recorder_chunks[RAW_CHUNKS];
static _Thread_local struct {
    uintptr_t last;
    uint32_t thread; /* its number + 1 */
    bool inside;
} recorder_own;

/* The trace's number of each member. */
static const uint8_t recorder_members[FAMILY_MEMBERS] = {
    [FAMILY_malloc] = TRACE_MALLOC,
    [FAMILY_calloc] = TRACE_CALLOC,
    [FAMILY_aligned_alloc] = TRACE_ALIGNED_ALLOC,
    [FAMILY_memalign] = TRACE_MEMALIGN,
    [FAMILY_valloc] = TRACE_VALLOC,
    [FAMILY_pvalloc] = TRACE_PVALLOC,
    [FAMILY_realloc] = TRACE_REALLOC,
    [FAMILY_reallocarray] = TRACE_REALLOCARRAY,
    [FAMILY_posix_memalign] = TRACE_POSIX_MEMALIGN,
    [FAMILY_free] = TRACE_FREE,
    [FAMILY_free_sized] = TRACE_FREE_SIZED,
    [FAMILY_free_aligned_sized] = TRACE_FREE_SIZED,
    [FAMILY___libc_malloc] = TRACE_MALLOC,
    [FAMILY___libc_calloc] = TRACE_CALLOC,
    [FAMILY___libc_memalign] = TRACE_MEMALIGN,
    [FAMILY___libc_valloc] = TRACE_VALLOC,
    [FAMILY___libc_pvalloc] = TRACE_PVALLOC,
    [FAMILY___libc_realloc] = TRACE_REALLOC,
    [FAMILY___libc_free] = TRACE_FREE,
    [FAMILY__Znwm] = TRACE_NEW,
    [FAMILY__Znam] = TRACE_NEW_ARRAY,
    [FAMILY__ZnwmRKSt9nothrow_t] = TRACE_NEW,
    [FAMILY__ZnamRKSt9nothrow_t] = TRACE_NEW_ARRAY,
    [FAMILY__ZnwmSt11align_val_t] = TRACE_NEW,
    [FAMILY__ZnamSt11align_val_t] = TRACE_NEW_ARRAY,
    [FAMILY__ZnwmSt11align_val_tRKSt9nothrow_t] = TRACE_NEW,
    [FAMILY__ZnamSt11align_val_tRKSt9nothrow_t] = TRACE_NEW_ARRAY,
    [FAMILY__ZdlPv] = TRACE_DELETE,
    [FAMILY__ZdaPv] = TRACE_DELETE_ARRAY,
    [FAMILY__ZdlPvm] = TRACE_DELETE,
    [FAMILY__ZdaPvm] = TRACE_DELETE_ARRAY,
    [FAMILY__ZdlPvRKSt9nothrow_t] = TRACE_DELETE,
    [FAMILY__ZdaPvRKSt9nothrow_t] = TRACE_DELETE_ARRAY,
    [FAMILY__ZdlPvSt11align_val_t] = TRACE_DELETE,
    [FAMILY__ZdaPvSt11align_val_t] = TRACE_DELETE_ARRAY,
    [FAMILY__ZdlPvmSt11align_val_t] = TRACE_DELETE,
    [FAMILY__ZdaPvmSt11align_val_t] = TRACE_DELETE_ARRAY,
    [FAMILY__ZdlPvSt11align_val_tRKSt9nothrow_t] = TRACE_DELETE,
    [FAMILY__ZdaPvSt11align_val_tRKSt9nothrow_t] = TRACE_DELETE_ARRAY,
};

/* ---------------------------------------------------------------- chunks */
static uint64_t recorder_now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void recorder_path(char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%u.%u", recorder_directory, recorder->pid, recorder->series);
}

static void recorder_read_file(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    if (file >= 0) {
        (void)close(file);
    }
}

static void recorder_write_head(struct raw_head *head)
{
    head->time_ns = recorder_now_ns(CLOCK_REALTIME);
    head->pid = recorder->pid;
    head->parent = (uint32_t)getppid();
    head->series = recorder->series;
    ssize_t length = readlink("/proc/self/exe", head->program, sizeof(head->program) - 1);
    head->program[length < 0 ? 0 : length] = '\0';
    recorder_read_file("/proc/self/cmdline", head->command, sizeof(head->command));
    __atomic_store_n(&head->magic, RAW_MAGIC, __ATOMIC_RELEASE);
}

/* Maps the file's next chunk. The file is not kept open: the program may close any descriptor.
 * False: it cannot grow; a limit on files' sizes ends a program that tries. */
static bool recorder_map_chunk(int file)
{
    off_t offset = RAW_HEAD_BYTES + (off_t)recorder->chunks * RAW_CHUNK_BYTES;
    struct rlimit limit;
    if (recorder->chunks == RAW_CHUNKS || getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
        limit.rlim_cur < (rlim_t)offset + RAW_CHUNK_BYTES ||
        ftruncate(file, offset + RAW_CHUNK_BYTES) != 0) {
        return false;
    }
    /* Whoever fills one chunk fills a second: its pages are had all at once, for less. */
    int early = recorder->chunks > 0 ? MAP_POPULATE : 0;
    void *memory =
        mmap(NULL, RAW_CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | early, file, offset);
    if (memory == MAP_FAILED) {
        return false;
    }
    recorder_chunks[recorder->chunks++] = memory;
    return true;
}

/* The parent's mappings, in the child of a fork. */
static void recorder_unmap(void)
{
    for (uint32_t i = 0; i < RAW_CHUNKS && recorder_chunks[i] != NULL; i++) {
        (void)munmap(recorder_chunks[i], RAW_CHUNK_BYTES);
        recorder_chunks[i] = NULL;
    }
    if (recorder_head != NULL) {
        (void)munmap(recorder_head, RAW_HEAD_BYTES);
        recorder_head = NULL;
    }
}

/* Makes the series' file. False: it cannot be made. */
static bool recorder_begin(void)
{
    char path[1200];
    int file;
    recorder->begun = true;
    recorder->pid = (uint32_t)getpid();
    recorder->start_ns = recorder_now_ns(CLOCK_MONOTONIC_COARSE);
    recorder_own.thread = 0;
    recorder_unmap();
    do {
        recorder_path(path, sizeof(path));
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    } while (file < 0 && errno == EEXIST && ++recorder->series < 100000);
    if (file < 0) {
        return false;
    }
    void *head = MAP_FAILED;
    if (recorder_map_chunk(file)) {
        head = mmap(NULL, RAW_HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    (void)close(file);
    if (head == MAP_FAILED) {
        return false;
    }
    recorder->head = head;
    recorder_head = head;
    return true;
}

/* False: heapmill has gone, or the file cannot grow. */
static bool recorder_grow(void)
{
    char path[1200];
    recorder_path(path, sizeof(path));
    int file = open(path, O_RDWR | O_CLOEXEC);
    bool grown = file >= 0 && recorder_map_chunk(file);
    if (file >= 0) {
        (void)close(file);
    }
    return grown;
}

/* The lowest chunk that is free, so that few are in use as long as heapmill keeps pace. Waits while
 * there is none. NULL: it waited too long, or heapmill has gone. */
static struct raw_chunk *recorder_free_chunk(uint32_t *index)
{
    char path[1200];
    const struct timespec pause = {.tv_nsec = 1000000};
    recorder_path(path, sizeof(path));
    for (int waited = 0; waited < RAW_WAIT_MS_MAX; waited++) {
        *index = 0;
        while (*index < recorder->chunks &&
               __atomic_load_n(&recorder->head->holds[*index], __ATOMIC_ACQUIRE) != 0) {
            ++*index;
        }
        if (*index < recorder->chunks || recorder_grow()) {
            return recorder_chunks[*index];
        }
        if (access(path, F_OK) != 0) {
            return NULL;
        }
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Begins the next chunk after the full one (NULL: the series), unless another thread has. False:
 * the recorder has stopped. Cold. */
static __attribute__((noinline, cold)) bool recorder_next_chunk(const struct raw_chunk *full)
{
    int saved = errno;
    uint32_t index;
    if (atomic_load_explicit(&recorder->stopped, memory_order_relaxed)) {
        return false;
    }
    (void)pthread_mutex_lock(&recorder->mutex);
    if (recorder->chunk == full && !recorder->stopped) {
        bool first = !recorder->begun;
        struct raw_chunk *chunk = !first || recorder_begin() ? recorder_free_chunk(&index) : NULL;
        recorder->stopped = chunk == NULL;
        if (chunk != NULL) {
            struct raw_head *head = recorder->head;
            uint32_t begun = head->begun + 1;
            chunk->tag = raw_next_tag(chunk->tag);
            __atomic_store_n(&chunk->used, 0, __ATOMIC_RELEASE);
            __atomic_store_n(&head->holds[index], begun, __ATOMIC_RELEASE);
            __atomic_store_n(&head->begun, begun, __ATOMIC_RELEASE);
            if (first) {
                recorder_write_head(head);
            }
        }
        __atomic_store_n(&recorder->chunk, chunk, __ATOMIC_RELEASE);
    }
    bool goes_on = !recorder->stopped;
    (void)pthread_mutex_unlock(&recorder->mutex);
    errno = saved;
    return goes_on;
}

/* ---------------------------------------------------------------- events */

/* The first word last: it says that the slot is whole. */
static inline void recorder_store(struct raw_slot *slot, uint64_t tag, uint64_t word0,
                                  uint64_t word1)
{
    slot->word[1] = word1;
    __atomic_store_n(&slot->word[0], word0 | tag, __ATOMIC_RELEASE);
}

/* One slot, or two in a row; NULL: the recorder has stopped. A thread that has been asleep may find
 * its chunk read and begun anew: then its place is in that filling. */
static struct raw_slot *recorder_reserve(uint32_t count, uint64_t *tag)
{
    for (;;) {
        struct raw_chunk *chunk = __atomic_load_n(&recorder->chunk, __ATOMIC_ACQUIRE);
        if (chunk != NULL) {
            uint32_t at = __atomic_fetch_add(&chunk->used, count, __ATOMIC_ACQUIRE);
            *tag = chunk->tag;
            if (at + count <= RAW_SLOTS) {
                return &chunk->slots[at];
            }
            if (at < RAW_SLOTS) {
                recorder_store(&chunk->slots[at], *tag, raw_word0(0, RAW_NOTHING, RAW_NOTE, 0), 0);
            }
        }
        if (!recorder_next_chunk(chunk)) {
            return NULL;
        }
    }
}

static inline uint64_t recorder_word1(uint64_t size)
{
    return (size & RAW_LOW48) | (uint64_t)(recorder_own.thread - 1) << 48;
}

static void recorder_note_time(void)
{
    uint64_t us = (recorder_now_ns(CLOCK_MONOTONIC_COARSE) - recorder->start_ns) / 1000;
    uint64_t tag;
    struct raw_slot *slot = recorder_reserve(1, &tag);
    if (slot != NULL) {
        recorder_store(slot, tag, raw_word0(us, RAW_TIME, RAW_NOTE, 0), 0);
    }
}

static inline bool recorder_time_is_due(const struct raw_slot *slot)
{
    return (uintptr_t)slot % (RAW_TIME_EVERY * sizeof(*slot)) < 2 * sizeof(*slot);
}

/* In any process, with or without a site. */
static __attribute__((noinline)) void recorder_event_any(uint64_t word0, uint64_t size,
                                                         uint32_t site)
{
    uint64_t tag;
    struct raw_slot *slot = recorder_reserve(site != 0 ? 2 : 1, &tag);
    if (slot == NULL) {
        return;
    }
    if (recorder_own.thread == 0) {
        recorder_own.thread = atomic_fetch_add(&recorder->threads, 1) + 1;
    }
    recorder_store(slot, tag, word0, recorder_word1(size));
    if (site != 0) {
        recorder_store(slot + 1, tag, raw_word0(site, RAW_SITE, RAW_NOTE, 0), 0);
    }
    if (recorder_time_is_due(slot)) {
        recorder_note_time();
    }
}

/* The common case of a process of one thread is inlined. */
static __attribute__((always_inline)) inline void recorder_event(uint64_t word0, uint64_t size,
                                                                 uint32_t site)
{
    struct raw_chunk *chunk = recorder->chunk;
    if (__builtin_expect(
            chunk != NULL && site == 0 && __libc_single_threaded && recorder_own.thread != 0, 1)) {
        uint32_t at = chunk->used;
        struct raw_slot *slot = &chunk->slots[at];
        if (__builtin_expect(at < RAW_SLOTS && !recorder_time_is_due(slot), 1)) {
            __atomic_store_n(&chunk->used, at + 1, __ATOMIC_RELAXED);
            recorder_store(slot, chunk->tag, word0, recorder_word1(size));
            return;
        }
    }
    recorder_event_any(word0, size, site);
}

static inline bool watch_begin(void)
{
    if (recorder == NULL || recorder_own.inside) {
        return false;
    }
    recorder_own.inside = true;
    return true;
}

static inline void watch_end(void)
{
    recorder_own.inside = false;
}

/* The return address of the program's call, as far as the program itself is in one place; 0: not
 * wanted. face_NAME is inlined into the exported function. */
#define RECORDER_SITE()                                                                            \
    (recorder_wants_sites                                                                          \
         ? (uint32_t)(((uintptr_t)__builtin_return_address(0) * UINT64_C(0x9e3779b97f4a7c15)) >>   \
                      32) |                                                                        \
               1                                                                                   \
         : 0)

__attribute__((always_inline)) static inline void watch_took(enum family_member member, void *block,
                                                             size_t bytes, size_t alignment)
{
    unsigned log2 = alignment == 0 ? 0 : (unsigned)__builtin_ctzll(alignment);
    recorder_event(raw_word0((uintptr_t)block, recorder_members[member], RAW_TOOK, log2), bytes,
                   RECORDER_SITE());
    recorder_own.last = (uintptr_t)block;
}

static inline void watch_gives(enum family_member member, void *block)
{
    recorder_event(raw_word0((uintptr_t)block, recorder_members[member], RAW_GIVES, 0), 0, 0);
}

static inline void watch_keeps(enum family_member member, void *block)
{
    recorder_event(raw_word0((uintptr_t)block, recorder_members[member], RAW_KEEPS, 0), 0, 0);
    recorder_own.last = (uintptr_t)block;
}

static inline void *watch_last(void)
{
    return (void *)recorder_own.last;
}

#include "preload/forward.h"

/* ---------------------------------------------------------------- the process's life */
__attribute__((constructor)) static void recorder_start(void)
{
    const char *directory = getenv(RAW_DIRECTORY_VARIABLE);
    (void)next_is_ready();
    if (directory == NULL || strlen(directory) >= sizeof(recorder_directory)) {
        return;
    }
    long page = sysconf(_SC_PAGESIZE);
    void *state =
        mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (state == MAP_FAILED || madvise(state, (size_t)page, MADV_WIPEONFORK) != 0) {
        return;
    }
    (void)strcpy(recorder_directory, directory);
    recorder_wants_sites = getenv(RAW_SITES_VARIABLE) != NULL;
    recorder = state;
}

#endif
