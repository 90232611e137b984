/* The threads of a threaded workload.
 *
 * They are started before the heap is opened, and end after it is closed. Meanwhile they wait for
 * work at a barrier. So neither their creation, which allocates, nor their end is in a timed part,
 * and the run is still one call into C. Their stacks are scratch memory, so that they are not among
 * the anonymous pages that count as a heap's. They do all of the work: the main thread only waits.
 * So a cell of one thread differs from one of several only by the other threads, and an allocator
 * never takes the process for single-threaded.
 *
 * Each thread measures its own time between the two barriers. google-benchmark has only one figure
 * for all threads, which includes the wake-up and hides the slowest thread. The kernel chooses the
 * cores.
 *
 * Only the main thread may call these functions, except threads_timed_work. */
#ifndef HEAPMILL_WORKLOADS_THREADS_H
#define HEAPMILL_WORKLOADS_THREADS_H

#include "workloads/workload.h"

/* Each costs 256 KiB. */
enum { THREADS_MAX = 256 };

/* Starts run->threads threads, which wait for work. STATUS_NO_MEMORY: the system refused. */
enum status threads_start(struct run *run, struct error *error);

/* Ends the threads; does nothing if there are none. They must be idle, as they are after
 * run_on_threads has returned. */
void threads_stop(struct run *run);

/* A thread's share of the timed part and nothing else, so that callgrind can count it by this name.
 * Only the threads call it. */
void threads_timed_work(run_work *work, struct run_thread *thread, uint64_t iterations);

/* Resets the times of all threads. */
void threads_reset_times(struct run *run);

/* The time of one thread (0 to run->threads - 1) since the reset, in ns. */
uint64_t threads_wall_ns(const struct run *run, unsigned thread);
uint64_t threads_cpu_ns(const struct run *run, unsigned thread);

/* The time of the slowest thread. */
uint64_t threads_wall_ns_max(const struct run *run);

#endif
