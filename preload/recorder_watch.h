/* libheapmill-recorder.so as an adapter of preload/face.c: each call is passed on to the next
 * library and written down, for `heapmill trace record`. traces/raw.h says what is left behind.
 *
 * An event is 16 bytes, stored to a mapped file; a lock, which a process of one thread does not
 * take, gives the events of all threads one order. A block is written down after it was taken and
 * before it is given back, so that of one address the events are in their true order. The
 * recorder's memory is mapped, and none of it comes from the recorded heap.
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
#include <sys/single_threaded.h>
#include <time.h>
#include <unistd.h>

#include "preload/family.h"
#include "traces/format.h"
#include "traces/raw.h"

struct recorder {
    pthread_mutex_t mutex; /* all zero: PTHREAD_MUTEX_INITIALIZER of glibc */
    struct raw_slot *chunk;
    uint64_t used; /* slots of it */
    uint64_t start_ns;
    uint32_t chunk_number;
    uint32_t series;
    uint32_t pid;
    atomic_uint threads;
    bool begun;
    bool stopped; /* no file could be made: nothing is written down any more */
};

static struct recorder *recorder; /* NULL: nothing is asked for */
static char recorder_directory[1024];
static bool recorder_wants_sites;
static void *recorder_mapping; /* the chunk; of the parent's after a fork */
static _Thread_local bool recorder_inside;
static _Thread_local uint32_t recorder_thread; /* its number + 1 */
static _Thread_local uintptr_t recorder_last;

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

static void recorder_path(char *path, size_t size, uint32_t chunk)
{
    (void)snprintf(path, size, "%s/%u.%u.%u", recorder_directory, recorder->pid, recorder->series,
                   chunk);
}

/* Waits while heapmill, which reads the chunks, is too far behind. */
static void recorder_keep_pace(void)
{
    char path[1200];
    const struct timespec pause = {.tv_nsec = 1000000};
    if (recorder->chunk_number <= RAW_CHUNKS_AHEAD) {
        return;
    }
    recorder_path(path, sizeof(path), recorder->chunk_number - RAW_CHUNKS_AHEAD);
    for (int i = 0; i < RAW_WAIT_MS_MAX && access(path, F_OK) == 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
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
    *head = (struct raw_head){
        .magic = RAW_MAGIC,
        .time_ns = recorder_now_ns(CLOCK_REALTIME),
        .pid = recorder->pid,
        .parent = (uint32_t)getppid(),
        .series = recorder->series,
        .chunk = recorder->chunk_number,
    };
    ssize_t length = readlink("/proc/self/exe", head->program, sizeof(head->program) - 1);
    head->program[length < 0 ? 0 : length] = '\0';
    recorder_read_file("/proc/self/cmdline", head->command, sizeof(head->command));
}

/* Maps the next chunk; the file is not kept open: the program may close any descriptor. False:
 * there can be none. */
static bool recorder_map_chunk(int file)
{
    void *memory = MAP_FAILED;
    if (ftruncate(file, RAW_CHUNK_BYTES) == 0) {
        /* Whoever fills one chunk fills a second: its pages are had all at once, for less. */
        int early = recorder->chunk_number > 0 ? MAP_POPULATE : 0;
        memory = mmap(NULL, RAW_CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | early, file, 0);
    }
    (void)close(file);
    if (recorder_mapping != NULL) {
        (void)munmap(recorder_mapping, RAW_CHUNK_BYTES);
    }
    recorder_mapping = memory == MAP_FAILED ? NULL : memory;
    recorder->chunk = NULL;
    recorder->used = 0;
    if (memory == MAP_FAILED) {
        return false;
    }
    recorder_write_head(memory);
    recorder->chunk = (struct raw_slot *)(void *)((char *)memory + RAW_HEAD_BYTES);
    return true;
}

/* Begins the next chunk, or the series. Cold. */
static __attribute__((noinline, cold)) void recorder_next_chunk(void)
{
    char path[1200];
    int saved = errno;
    int file = -1;
    if (recorder->begun) {
        recorder->chunk_number++;
        recorder_keep_pace();
        recorder_path(path, sizeof(path), recorder->chunk_number);
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    } else {
        recorder->begun = true;
        recorder->pid = (uint32_t)getpid();
        recorder->start_ns = recorder_now_ns(CLOCK_MONOTONIC_COARSE);
        do {
            recorder_path(path, sizeof(path), 0);
            file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        } while (file < 0 && errno == EEXIST && ++recorder->series < 100000);
    }
    recorder->stopped = file < 0 || !recorder_map_chunk(file);
    errno = saved;
}

/* ---------------------------------------------------------------- events */
static inline void recorder_store(uint64_t word0, uint64_t word1)
{
    if (recorder->chunk == NULL || recorder->used == RAW_SLOTS) {
        if (recorder->stopped) {
            return;
        }
        recorder_next_chunk();
        if (recorder->chunk == NULL) {
            return;
        }
    }
    struct raw_slot *slot = &recorder->chunk[recorder->used++];
    slot->word[1] = word1;
    /* The first word last: it says that the slot is whole. */
    __atomic_store_n(&slot->word[0], word0, __ATOMIC_RELEASE);
}

static inline bool recorder_lock(void)
{
    if (__libc_single_threaded) {
        return false;
    }
    (void)pthread_mutex_lock(&recorder->mutex);
    return true;
}

static inline void recorder_unlock(bool locked)
{
    if (locked) {
        (void)pthread_mutex_unlock(&recorder->mutex);
    }
}

/* A thread's number within its process; the page of a child counts anew. */
static __attribute__((noinline, cold)) void recorder_number_thread(void)
{
    recorder_thread = atomic_fetch_add(&recorder->threads, 1) + 1;
}

static inline uint64_t recorder_thread_bits(void)
{
    /* After a fork the number is the parent's: the wiped count says so. */
    if (__builtin_expect(recorder_thread == 0 ||
                             atomic_load_explicit(&recorder->threads, memory_order_relaxed) == 0,
                         0)) {
        recorder_number_thread();
    }
    return (uint64_t)((recorder_thread - 1) & 0xffff) << 48;
}

static void recorder_note_time(void)
{
    uint64_t us = (recorder_now_ns(CLOCK_MONOTONIC_COARSE) - recorder->start_ns) / 1000;
    recorder_store(raw_word0(us, RAW_TIME, RAW_NOTE, 0), 0);
}

static inline void recorder_event(uint64_t word0, uint64_t size, uint32_t site)
{
    uint64_t thread = recorder_thread_bits();
    bool locked = recorder_lock();
    if (__builtin_expect(recorder->used % RAW_TIME_EVERY == 0, 0) && recorder->begun) {
        recorder_note_time();
    }
    recorder_store(word0, (size < RAW_LOW48 ? size : RAW_LOW48) | thread);
    if (site != 0) {
        recorder_store(raw_word0(site, RAW_SITE, RAW_NOTE, 0), 0);
    }
    recorder_unlock(locked);
}

static inline bool watch_begin(void)
{
    if (recorder == NULL || recorder_inside || recorder->stopped) {
        return false;
    }
    recorder_inside = true;
    return true;
}

static inline void watch_end(void)
{
    recorder_inside = false;
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
    recorder_last = (uintptr_t)block;
}

static inline void watch_gives(enum family_member member, void *block)
{
    recorder_event(raw_word0((uintptr_t)block, recorder_members[member], RAW_GIVES, 0), 0, 0);
}

static inline void watch_keeps(enum family_member member, void *block)
{
    recorder_event(raw_word0((uintptr_t)block, recorder_members[member], RAW_KEEPS, 0), 0, 0);
    recorder_last = (uintptr_t)block;
}

static inline void *watch_last(void)
{
    return (void *)recorder_last;
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
