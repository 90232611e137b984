#include "fuzz/engines/engine.h"

#include "fuzz/asan.h"

#define BINDING_JOIN_(a, b) a##b
#define BINDING_JOIN(a, b) BINDING_JOIN_(a, b)
#define BINDING_TARGET BINDING_JOIN(fuzz_target_, HEAPMILL_FUZZ_TARGET)

extern const struct fuzz_target BINDING_TARGET;

const struct fuzz_target *const fuzz_engine_target = &BINDING_TARGET;
const char fuzz_engine_backend[] = HEAPMILL_FUZZ_BACKEND;
const char fuzz_built_engine[] = HEAPMILL_FUZZ_ENGINE;
const char fuzz_bug_id[] = HEAPMILL_FUZZ_BUG;

#ifdef FUZZ_ASAN
/* Campaigns run for hours in one process. A quarantine of 256 MiB, with its fragments, would look
 * like a leak; one of 4 MiB stays in the CPU's caches. Stacks of 30 frames, and 4 KiB of filling
 * for each allocation, would cost more than all the rest. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:thread_local_quarantine_size_kb=64:max_malloc_fill_size=256:"
           "malloc_context_size=6:allocator_release_to_os_interval_ms=20000:"
           "allocator_may_return_null=1";
}
#endif
