/* The system's memory as the object layer and its threads ask for it: counted, and refused where a
 * test says. The programs are linked with --wrap for these (gc/CMakeLists.txt). */
#include "gc/tests/gc_test.h"

#include "common/os_memory.h"

struct gc_test_scratch gc_test_scratch;

void *__real_os_map(size_t size);
void *__wrap_os_map(size_t size);
void __real_os_unmap(void *address, size_t size);
void __wrap_os_unmap(void *address, size_t size);
void *__real_os_map_scratch(size_t size);
void *__wrap_os_map_scratch(size_t size);
void *__real_os_reserve_scratch(size_t size);
void *__wrap_os_reserve_scratch(size_t size);
bool __real_os_commit_scratch(void *address, size_t size);
bool __wrap_os_commit_scratch(void *address, size_t size);

static bool scratch_is_refused(void)
{
    uint64_t call = __atomic_add_fetch(&gc_test_scratch.calls, 1, __ATOMIC_RELAXED);
    return call >= gc_test_scratch.first && call <= gc_test_scratch.last;
}

static void *scratch_count(void *address, size_t size)
{
    (void)__atomic_fetch_add(&gc_test_scratch.mapped_bytes, address == NULL ? 0 : size,
                             __ATOMIC_RELAXED);
    return address;
}

/* The heap's, and the census's. */
void *__wrap_os_map(size_t size)
{
    if (gc_test_scratch.limits_maps && gc_test_scratch.maps_left-- == 0) {
        gc_test_scratch.maps_left = 0;
        return NULL;
    }
    return scratch_count(__real_os_map(size), size);
}

void __wrap_os_unmap(void *address, size_t size)
{
    (void)__atomic_fetch_sub(&gc_test_scratch.mapped_bytes, address == NULL ? 0 : size,
                             __ATOMIC_RELAXED);
    __real_os_unmap(address, size);
}

void *__wrap_os_map_scratch(size_t size)
{
    return scratch_is_refused() ? NULL : scratch_count(__real_os_map_scratch(size), size);
}

void *__wrap_os_reserve_scratch(size_t size)
{
    return scratch_is_refused() ? NULL : scratch_count(__real_os_reserve_scratch(size), size);
}

bool __wrap_os_commit_scratch(void *address, size_t size)
{
    return !scratch_is_refused() && __real_os_commit_scratch(address, size);
}
