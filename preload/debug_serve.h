/* libheapmill-debug.so: reports a program's errors with its blocks when they happen. `heapmill exec
 * --debug` preloads it over whatever malloc is below.
 *
 * Each block has a header before it and a guard after it. New bytes are 0xCD, freed ones 0xDD,
 * guards 0xFD: the values that users of debuggers know from the Microsoft C runtime. A freed block
 * waits in a queue before it is given back. So a double free is found, and a write to a freed block
 * is found when the block leaves the queue or when the program ends. An error ends the program with
 * a fixed message and a backtrace.
 *
 * HEAPMILL_DEBUG_FAIL_NTH=N refuses the Nth allocation of each process, HEAPMILL_DEBUG_FAIL_EVERY=N
 * every Nth. HEAPMILL_DEBUG_COUNT=FILE gets the number of allocations when the program ends. */
#ifndef HEAPMILL_PRELOAD_DEBUG_SERVE_H
#define HEAPMILL_PRELOAD_DEBUG_SERVE_H

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "preload/early.h"
#include "preload/family.h"
#include "preload/fork_lock.h"
#include "preload/next.h"

enum {
    DEBUG_NEW = 0xCD,
    DEBUG_FREED = 0xDD,
    DEBUG_GUARD = 0xFD,
    DEBUG_GUARD_BYTES = 16,
    DEBUG_WAITING_MAX = 4096, /* limits of the queue: blocks, and their bytes */
    DEBUG_WAITING_BYTES_MAX = 64 << 20,
    DEBUG_CHECKED_BYTES =
        4096, /* checked of a freed block: stray writes are near its beginning or end */
    DEBUG_FRAMES_MAX = 32,
};

/* Lies before the block, with the block's alignment. */
struct debug_header {
    uint64_t mark; /* a mix of its address, which other bytes are unlikely to match */
    uint64_t size;
    uint64_t offset; /* from the beginning of the next library's block */
    unsigned char guard[8];
};

_Static_assert(sizeof(struct debug_header) % FAMILY_ALIGNMENT == 0, "blocks stay aligned");

static const uint64_t DEBUG_LIVE = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t DEBUG_DEAD = UINT64_C(0xc2b2ae3d27d4eb4f);

static struct fork_lock debug_lock = {.mutex = PTHREAD_MUTEX_INITIALIZER};
static struct debug_header *debug_waiting[DEBUG_WAITING_MAX]; /* a ring */
static size_t debug_first;
static size_t debug_count;
static size_t debug_bytes;
static uint64_t debug_allocations; /* atomic, as is the next one */
static size_t debug_live_bytes;
static uint64_t debug_fail_nth;
static uint64_t debug_fail_every;
static _Thread_local bool debug_telling;

/* ---------------------------------------------------------------- reports */
static __attribute__((noreturn, noinline, cold)) void debug_end(const char *what, const void *block,
                                                                size_t size)
{
    void *frames[DEBUG_FRAMES_MAX];
    debug_telling = true;
    (void)dprintf(STDERR_FILENO, "heapmill debug: %s: block %p of %zu bytes\n", what, block, size);
    backtrace_symbols_fd(frames, backtrace(frames, DEBUG_FRAMES_MAX), STDERR_FILENO);
    abort();
}

static void *debug_block(const struct debug_header *header)
{
    return (void *)(header + 1);
}

static struct debug_header *debug_header_of(const void *block)
{
    return (struct debug_header *)block - 1;
}

static uint64_t debug_mark(const struct debug_header *header, uint64_t kind)
{
    return (uintptr_t)header * UINT64_C(0xff51afd7ed558ccd) ^ kind;
}

static bool debug_is_all(const unsigned char *bytes, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

/* Is this a live block of this library? Ends the program if the bytes around it are damaged, or if
 * it is already free. All other blocks belong to the next library. */
static bool debug_check(const void *block, const char *what)
{
    const struct debug_header *header = debug_header_of(block);
    if (header->mark == debug_mark(header, DEBUG_DEAD)) {
        debug_end(what, block, header->size);
    }
    if (header->mark != debug_mark(header, DEBUG_LIVE)) {
        return false;
    }
    if (!debug_is_all(header->guard, sizeof(header->guard), DEBUG_GUARD)) {
        debug_end("write before a block", block, header->size);
    }
    if (!debug_is_all((const unsigned char *)block + header->size, DEBUG_GUARD_BYTES,
                      DEBUG_GUARD)) {
        debug_end("write beyond a block", block, header->size);
    }
    return true;
}

static void debug_check_freed(const struct debug_header *header)
{
    const unsigned char *bytes = debug_block(header);
    size_t size = header->size;
    size_t checked = size < DEBUG_CHECKED_BYTES ? size : DEBUG_CHECKED_BYTES;
    if (!debug_is_all(bytes, checked, DEBUG_FREED) ||
        !debug_is_all(bytes + size - checked, checked, DEBUG_FREED)) {
        debug_end("write after free", bytes, size);
    }
}

/* ---------------------------------------------------------------- allocation */
/* Must this allocation fail? */
static bool debug_refuses(void)
{
    if (debug_telling) {
        return false;
    }
    uint64_t number = __atomic_add_fetch(&debug_allocations, 1, __ATOMIC_RELAXED);
    return number == debug_fail_nth || (debug_fail_every > 0 && number % debug_fail_every == 0);
}

static void *debug_make(size_t alignment, size_t size, int fill)
{
    size_t front =
        alignment > sizeof(struct debug_header) ? alignment : sizeof(struct debug_header);
    size_t whole;
    if (__builtin_add_overflow(size, front + DEBUG_GUARD_BYTES, &whole) || debug_refuses()) {
        errno = ENOMEM;
        return NULL;
    }
    if (!next_is_ready()) {
        return early_alloc(size, alignment);
    }
    char *base =
        alignment > FAMILY_ALIGNMENT ? next.memalign(alignment, whole) : next.malloc(whole);
    if (base == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    struct debug_header *header = (struct debug_header *)(base + front) - 1;
    header->mark = debug_mark(header, DEBUG_LIVE);
    header->size = size;
    header->offset = front;
    memset(header->guard, DEBUG_GUARD, sizeof(header->guard));
    (void)__atomic_add_fetch(&debug_live_bytes, size, __ATOMIC_RELAXED);
    memset(base + front, fill, size);
    memset(base + front + size, DEBUG_GUARD, DEBUG_GUARD_BYTES);
    return base + front;
}

static inline void *adapter_alloc(size_t size)
{
    return debug_make(0, size, DEBUG_NEW);
}

static inline void *adapter_alloc_zeroed(size_t size)
{
    return debug_make(0, size, 0);
}

static inline void *adapter_alloc_aligned(size_t alignment, size_t size)
{
    return debug_make(alignment, size, DEBUG_NEW);
}

/* ---------------------------------------------------------------- freeing */
/* Removes the oldest waiting block from the queue. The lock must be held. */
static struct debug_header *debug_take_oldest(void)
{
    struct debug_header *header = debug_waiting[debug_first];
    debug_first = (debug_first + 1) % DEBUG_WAITING_MAX;
    debug_count--;
    debug_bytes -= header->size;
    return header;
}

static void debug_give_back(struct debug_header *header)
{
    char *base = (char *)debug_block(header) - header->offset;
    debug_check_freed(header);
    header->mark = 0;
    next.free(base);
}

static void debug_let_wait(struct debug_header *header)
{
    bool locked = fork_lock_take(&debug_lock);
    header->mark = debug_mark(header, DEBUG_DEAD);
    debug_waiting[(debug_first + debug_count) % DEBUG_WAITING_MAX] = header;
    debug_count++;
    debug_bytes += header->size;
    while (debug_count == DEBUG_WAITING_MAX ||
           (debug_bytes > DEBUG_WAITING_BYTES_MAX && debug_count > 0)) {
        debug_give_back(debug_take_oldest());
    }
    fork_lock_release(&debug_lock, locked);
}

static inline void adapter_free(void *block)
{
    int saved = errno;
    if (early_is(block) || !next_is_ready()) {
        return;
    }
    if (debug_check(block, "double free")) {
        struct debug_header *header = debug_header_of(block);
        (void)__atomic_sub_fetch(&debug_live_bytes, header->size, __ATOMIC_RELAXED);
        memset(block, DEBUG_FREED, header->size);
        debug_let_wait(header);
    } else {
        next.free(block);
    }
    errno = saved;
}

/* Always moves the block, so that uses of the old address are found. */
static inline void *adapter_resize(void *block, size_t size)
{
    if (early_is(block)) {
        return early_move(block, adapter_alloc(size), size);
    }
    if (!debug_check(block, "realloc of a free block")) {
        return next.realloc(block, size);
    }
    size_t before = debug_header_of(block)->size;
    void *moved = adapter_alloc(size);
    if (moved != NULL) {
        memcpy(moved, block, before < size ? before : size);
        adapter_free(block);
    }
    return moved;
}

/* Returns the size that was asked for. A program that writes more damages the guard, which is
 * reported. */
static inline size_t adapter_usable_size(void *block)
{
    if (early_is(block)) {
        return early_room(block);
    }
    if (debug_check(block, "malloc_usable_size of a free block")) {
        return debug_header_of(block)->size;
    }
    static size_t (*usable_size)(void *block);
    if (usable_size == NULL) {
        *(void **)&usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
    }
    return usable_size != NULL ? usable_size(block) : 0;
}

static inline struct mallinfo2 adapter_info(void)
{
    size_t live = __atomic_load_n(&debug_live_bytes, __ATOMIC_RELAXED);
    return (struct mallinfo2){.arena = live, .uordblks = live};
}

static inline bool adapter_trim(size_t pad)
{
    (void)pad;
    return false;
}

static inline int adapter_option(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return 1;
}

static inline void adapter_free_sized(void *block, size_t size)
{
    if (!early_is(block) && debug_check(block, "double free") &&
        debug_header_of(block)->size != size) {
        debug_end("free with another size than was asked for", block, debug_header_of(block)->size);
    }
    adapter_free(block);
}

#define HEAPMILL_BACKEND_NAME "heapmill-debug"
#include "preload/serve.h"

/* ---------------------------------------------------------------- the process's life */
static void debug_fork_prepare(void)
{
    fork_lock_prepare(&debug_lock);
}

static void debug_fork_parent(void)
{
    fork_lock_parent(&debug_lock);
}

static void debug_fork_child(void)
{
    fork_lock_child(&debug_lock);
}

static uint64_t debug_setting(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : 0;
}

/* Allocations before this one are the loader's. They are neither counted nor refused. */
__attribute__((constructor)) static void debug_start(void)
{
    void *frames[1];
    (void)next_is_ready();
    (void)backtrace(frames, 1); /* loads the unwinder, which allocates */
    (void)pthread_atfork(debug_fork_prepare, debug_fork_parent, debug_fork_child);
    __atomic_store_n(&debug_allocations, 0, __ATOMIC_RELAXED);
    debug_fail_nth = debug_setting("HEAPMILL_DEBUG_FAIL_NTH");
    debug_fail_every = debug_setting("HEAPMILL_DEBUG_FAIL_EVERY");
}

__attribute__((destructor)) static void debug_finish(void)
{
    const char *path = getenv("HEAPMILL_DEBUG_COUNT");
    int file = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (file >= 0) {
        (void)dprintf(file, "%" PRIu64 "\n", __atomic_load_n(&debug_allocations, __ATOMIC_RELAXED));
        (void)close(file);
    }
    bool locked = fork_lock_take(&debug_lock);
    for (size_t i = 0; i < debug_count; i++) {
        debug_check_freed(debug_waiting[(debug_first + i) % DEBUG_WAITING_MAX]);
    }
    fork_lock_release(&debug_lock, locked);
}

#endif
