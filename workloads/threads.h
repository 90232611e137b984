/* The threads of a threaded workload.
 *
 * They are started before the heap is opened and end after it is closed. In between they wait at a
 * barrier for work: so that neither their creation, which allocates, nor their end is in a timed
 * part, and the run is still one call into C. Their stacks are scratch memory, so that they are not
 * among the anonymous pages that a heap is charged with. All of the work is theirs: the main thread
 * only waits. So a cell of one thread is that of several with the others left out; the process is
 * never one that an allocator could take for single-threaded.
 *
 * Each takes its own times between the two barriers: from google-benchmark there is one figure for
 * all, in which the wake-up and the slowest thread are hidden. The kernel chooses the cores.
 *
 * All calls but threads_timed_work are for the main thread. */
#ifndef HEAPMILL_WORKLOADS_THREADS_H
#define HEAPMILL_WORKLOADS_THREADS_H

#include "workloads/workload.h"

/* Each costs 256 KiB. */
enum { THREADS_MAX = 256 };

/* Starts run->threads threads, which do nothing yet. STATUS_NO_MEMORY when the system refuses. */
enum status threads_start(struct run *run, struct error *error);

/* Ends them; without threads it does nothing. They must be idle, as they are whenever
 * run_on_threads has returned. */
void threads_stop(struct run *run);

/* What a thread does of the timed part: the work and nothing besides, so that callgrind can count
 * it by this name. Called by the threads alone. */
void threads_timed_work(run_work *work, struct run_thread *thread, uint64_t iterations);

/* Sets all the threads' times to zero. */
void threads_reset_times(struct run *run);

/* Of one thread (0 to run->threads - 1), since the reset, in ns. */
uint64_t threads_wall_ns(const struct run *run, unsigned thread);
uint64_t threads_cpu_ns(const struct run *run, unsigned thread);

/* That of the thread which took longest. */
uint64_t threads_wall_ns_max(const struct run *run);

#endif
