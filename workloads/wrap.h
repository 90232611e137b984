/* Counts calls of the malloc family that do not go through the contract.
 *
 * The linker directs every reference of a worker's own code to malloc, calloc, realloc and free to
 * __wrap_NAME, which counts while wrap_counting is set, and forwards. The contract calls
 * __real_NAME (allocators/system.h), and is not counted. Calls inside shared libraries, which the
 * linker does not see, are not counted either: no library is called in a timed part. */
#ifndef HEAPMILL_WORKLOADS_WRAP_H
#define HEAPMILL_WORKLOADS_WRAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The runner sets this for the timed part. Relaxed atomics, because a threaded cell counts from all
 * its threads. */
extern atomic_bool wrap_counting;
extern _Atomic uint64_t wrap_calls; /* since the process started, while counting */

#endif
