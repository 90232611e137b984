#include "workloads/wrap.h"

#include <stddef.h>

atomic_bool wrap_counting;
_Atomic uint64_t wrap_calls;

/* The linker's --wrap fixes these names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static void wrap_count(void)
{
    if (atomic_load_explicit(&wrap_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&wrap_calls, 1, memory_order_relaxed);
    }
}

void *__wrap_malloc(size_t size)
{
    wrap_count();
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    wrap_count();
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    wrap_count();
    return __real_realloc(block, size);
}

void __wrap_free(void *block)
{
    wrap_count();
    __real_free(block);
}
