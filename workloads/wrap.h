/* Counts malloc-family calls that do not come through the contract.
 *
 * The linker sends every reference of a worker's own code to malloc, calloc, realloc and free to
 * __wrap_NAME, which counts while wrap_counting is set and forwards. The contract itself calls
 * __real_NAME (allocators/system.h) and is not counted; neither are calls inside shared libraries,
 * which the linker does not see: no library is called in a timed part. */
#ifndef HEAPMILL_WORKLOADS_WRAP_H
#define HEAPMILL_WORKLOADS_WRAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Set by the runner for the timed part. Relaxed atomics: a later threaded cell counts from all its
 * threads. */
extern atomic_bool wrap_counting;
extern _Atomic uint64_t wrap_calls; /* while counting, since the process started */

#endif
