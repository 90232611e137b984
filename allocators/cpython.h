/* The back ends `cpython-3.9` to `cpython-3.14`: PyObject_Malloc of the libpython that is linked,
 * the real thing that pymalloc-3.7 (3.9) and pymalloc-3.10 (the later ones) are held against.
 *
 * Up to 3.11 the functions are called before any interpreter is initialised, which CPython allows
 * for its allocator: the tables of allocators are set up statically, with pymalloc for objects.
 * From 3.12 the allocator's state belongs to an interpreter, so open starts one, isolated, and
 * fills what is free in its arenas: the heap then begins as empty as in the other versions, and
 * what the interpreter holds is in no figure. PYTHONMALLOC changes nothing in either case; open
 * verifies that pymalloc is in force and refuses to start otherwise.
 *
 * Statistics: arenas are counted by a hook (PyObject_SetArenaAllocator), and what libpython has
 * from malloc (large blocks, its table of arenas and its radix tree) by a second one under
 * PyMem_RawMalloc. Both pass on to the functions that were there before. Small requests meet
 * neither.
 *
 * Limits: libpython's state is the process's, so that there is one heap of it and no two coexist;
 * arenas and live blocks outlive close; heap_options.os is not used. One thread: there is no
 * interpreter lock. */
#ifndef HEAPMILL_ALLOCATORS_CPYTHON_H
#define HEAPMILL_ALLOCATORS_CPYTHON_H

#include "allocators/heap.h"

#define CPYTHON_CAPABILITIES (HEAP_CAN_FREE_UNSIZED | HEAP_CAN_STATS | HEAP_KEEPS_CONTENTS)
/* ALIGNMENT and SMALL_REQUEST_THRESHOLD of obmalloc.c, 3.7 to 3.14, 64-bit */
#define CPYTHON_ALIGNMENT 16
#define CPYTHON_THRESHOLD 512

/* As Python.h has them. That header is not included: it defines macros, and some of them are
 * feature-test macros, for every file of the translation unit. */
void *PyObject_Malloc(size_t size);
void *PyObject_Realloc(void *block, size_t size);
void PyObject_Free(void *block);

struct cpython_heap {
    bool open;
};

enum status cpython_open(struct cpython_heap *heap, const struct heap_options *options,
                         struct error *error);
void cpython_close(struct cpython_heap *heap);
void cpython_trim(struct cpython_heap *heap);
void cpython_stats(const struct cpython_heap *heap, struct heap_stats *stats);
void cpython_walk(const struct cpython_heap *heap, heap_visit *visit, void *context);
size_t cpython_check(const struct cpython_heap *heap);

static inline void cpython_begin_run(struct cpython_heap *heap)
{
    (void)heap;
}

static inline void *cpython_alloc(struct cpython_heap *heap, size_t size, enum heap_type type)
{
    (void)heap;
    (void)type;
    return PyObject_Malloc(size);
}

static inline void cpython_free_unsized(struct cpython_heap *heap, void *block)
{
    (void)heap;
    PyObject_Free(block);
}

static inline void cpython_free(struct cpython_heap *heap, void *block, size_t size,
                                enum heap_type type)
{
    (void)size;
    (void)type;
    cpython_free_unsized(heap, block);
}

static inline void *cpython_resize(struct cpython_heap *heap, void *block, size_t old_size,
                                   size_t new_size, enum heap_type type)
{
    (void)heap;
    (void)old_size;
    (void)type;
    return PyObject_Realloc(block, new_size == 0 ? 1 : new_size);
}

/* CPython has no such question. */
static inline size_t cpython_usable_size(const struct cpython_heap *heap, const void *block,
                                         size_t size)
{
    (void)heap;
    (void)block;
    return size;
}

#endif
