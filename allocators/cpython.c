#include "allocators/cpython.h"

#include <stdlib.h>
#include <string.h>

#include "allocators/cpython_interpreter.h"
#include "allocators/system.h"

/* ------------------------------------------------------------------ declared as in Python.h */
typedef struct {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *address, size_t size);
} PyObjectArenaAllocator;

typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
} PyMemAllocatorEx;

typedef enum { PYMEM_DOMAIN_RAW } PyMemAllocatorDomain;

void PyObject_GetArenaAllocator(PyObjectArenaAllocator *allocator);
void PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator);
void PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);
void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);
const char *_PyMem_GetCurrentAllocatorName(void);

/* ------------------------------------------------------------------ the hooks and what they count
 */
/* The process's, as libpython's own state is; the hooks stay in place after close, since arenas do.
 */
static struct {
    bool hooked;
    PyObjectArenaAllocator arenas;
    PyMemAllocatorEx raw;
    size_t arena_bytes;
    size_t arenas_mapped;
    size_t arenas_unmapped;
    size_t raw_bytes; /* in usable bytes of the system malloc's blocks */
    size_t held_bytes_peak;
    /* Live blocks when the first heap was opened: the interpreter's, and those that fill its
     * arenas. */
    size_t blocks_before;
} cpython_process;

static size_t cpython_held_bytes(void)
{
    return cpython_process.arena_bytes + cpython_process.raw_bytes;
}

static void cpython_note_held(void)
{
    if (cpython_held_bytes() > cpython_process.held_bytes_peak) {
        cpython_process.held_bytes_peak = cpython_held_bytes();
    }
}

static void *cpython_arena_map(void *context, size_t size)
{
    (void)context;
    void *address = cpython_process.arenas.alloc(cpython_process.arenas.ctx, size);
    if (address != NULL) {
        cpython_process.arena_bytes += size;
        cpython_process.arenas_mapped++;
        cpython_note_held();
    }
    return address;
}

static void cpython_arena_unmap(void *context, void *address, size_t size)
{
    (void)context;
    cpython_process.arena_bytes -= size;
    cpython_process.arenas_unmapped++;
    cpython_process.arenas.free(cpython_process.arenas.ctx, address, size);
}

static void *cpython_raw_count(void *block)
{
    if (block != NULL) {
        cpython_process.raw_bytes += system_usable_size(block);
        cpython_note_held();
    }
    return block;
}

static void *cpython_raw_malloc(void *context, size_t size)
{
    (void)context;
    return cpython_raw_count(cpython_process.raw.malloc(cpython_process.raw.ctx, size));
}

static void *cpython_raw_calloc(void *context, size_t count, size_t size)
{
    (void)context;
    return cpython_raw_count(cpython_process.raw.calloc(cpython_process.raw.ctx, count, size));
}

static void *cpython_raw_realloc(void *context, void *block, size_t size)
{
    (void)context;
    size_t old_bytes = system_usable_size(block);
    void *moved = cpython_process.raw.realloc(cpython_process.raw.ctx, block, size);
    if (moved != NULL) {
        cpython_process.raw_bytes -= old_bytes;
    }
    return cpython_raw_count(moved);
}

static void cpython_raw_free(void *context, void *block)
{
    (void)context;
    cpython_process.raw_bytes -= system_usable_size(block);
    cpython_process.raw.free(cpython_process.raw.ctx, block);
}

#if CPYTHON_MINOR >= 12 && !defined(HEAPMILL_REFERENCE)
static void *cpython_arena_refuse(void *context, size_t size)
{
    (void)size;
    ++*(size_t *)context;
    return NULL;
}

/* Gives out whatever is free in the arenas of the interpreter's start, so that the next block of
 * any size comes from an arena of its own, as in a process that has just begun: what is full is in
 * none of the allocator's lists. A size class is used up when a new arena is asked for, which is
 * refused, and the block then comes from malloc. */
static void cpython_fill_arenas(void)
{
    size_t refusals = 0;
    PyObjectArenaAllocator refusing = cpython_process.arenas;
    refusing.ctx = &refusals;
    refusing.alloc = cpython_arena_refuse;
    PyObject_SetArenaAllocator(&refusing);
    for (size_t size = CPYTHON_ALIGNMENT; size <= CPYTHON_THRESHOLD; size += CPYTHON_ALIGNMENT) {
        void *block = NULL;
        for (size_t before = refusals; refusals == before;) {
            block = PyObject_Malloc(size);
        }
        PyObject_Free(block);
    }
}
#endif

static void cpython_hook(void)
{
    PyObject_GetArenaAllocator(&cpython_process.arenas);
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &cpython_process.raw);
    PyObjectArenaAllocator arenas = {.alloc = cpython_arena_map, .free = cpython_arena_unmap};
    PyMemAllocatorEx raw = {.malloc = cpython_raw_malloc,
                            .calloc = cpython_raw_calloc,
                            .realloc = cpython_raw_realloc,
                            .free = cpython_raw_free};
    PyObject_SetArenaAllocator(&arenas);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
    cpython_process.hooked = true;
}

static enum status cpython_prepare(struct error *error)
{
    const char *name = _PyMem_GetCurrentAllocatorName();
    if (name == NULL || strcmp(name, "pymalloc") != 0) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "libpython's object allocator is %s, not pymalloc; use a libpython "
                         "built with pymalloc and without debug hooks",
                         name == NULL ? "unknown" : name);
    }
#if CPYTHON_MINOR >= 12 && !defined(HEAPMILL_REFERENCE)
    if (cpython_interpreter_start(error) != STATUS_OK) {
        return STATUS_UNSUPPORTED;
    }
    PyObject_GetArenaAllocator(&cpython_process.arenas);
    cpython_fill_arenas();
    PyObject_SetArenaAllocator(&cpython_process.arenas);
#endif
    cpython_hook();
#if CPYTHON_MINOR >= 12 && defined(HEAPMILL_REFERENCE)
    return cpython_interpreter_start(error);
#else
    return STATUS_OK;
#endif
}

/* ------------------------------------------------------------------ the contract */
enum status cpython_open(struct cpython_heap *heap, const struct heap_options *options,
                         struct error *error)
{
    (void)options;
    /* new_arena asks for it and prints a page at each arena: nobody's timing. */
    const char *printing = getenv("PYTHONMALLOCSTATS");
    if (printing != NULL && *printing != '\0') {
        return error_set(error, STATUS_UNSUPPORTED,
                         "PYTHONMALLOCSTATS is set, which makes libpython print at every arena; "
                         "unset it");
    }
    if (!cpython_process.hooked) {
        if (cpython_prepare(error) != STATUS_OK) {
            return STATUS_UNSUPPORTED;
        }
        (void)cpython_interpreter_blocks(); /* its answer may stay in a free list */
        cpython_process.blocks_before = cpython_interpreter_blocks();
    }
    heap->open = true;
    return STATUS_OK;
}

void cpython_close(struct cpython_heap *heap)
{
    heap->open = false;
}

void cpython_trim(struct cpython_heap *heap)
{
    (void)heap;
}

/* What libpython can be asked for; it does not say how much of its blocks is used. */
void cpython_stats(const struct cpython_heap *heap, struct heap_stats *stats)
{
    (void)heap;
    size_t blocks = cpython_interpreter_blocks();
    size_t before = cpython_process.blocks_before;
    *stats = (struct heap_stats){
        .blocks_live = blocks > before ? blocks - before : 0,
        .held_bytes = cpython_held_bytes(),
        .held_bytes_peak = cpython_process.held_bytes_peak,
        .arenas_live = cpython_process.arenas_mapped - cpython_process.arenas_unmapped,
        .arenas_mapped = cpython_process.arenas_mapped,
        .arenas_unmapped = cpython_process.arenas_unmapped,
    };
}

void cpython_walk(const struct cpython_heap *heap, heap_visit *visit, void *context)
{
    (void)heap;
    (void)visit;
    (void)context;
}

size_t cpython_check(const struct cpython_heap *heap)
{
    (void)heap;
    return 0;
}

/* Read by LeakSanitizer: an interpreter (workloads/references/) keeps what it made at start-up. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpython";
}
