/* google-benchmark, as C sees it. The only door to the only C++ file.
 *
 * The timed part is one call into C, so google-benchmark adds nothing per operation: its two clock
 * readings at either end are all. Set-up and checks run inside the benchmark's function but outside
 * of its loop, where nothing is timed; the timer is never paused (that costs 657 ns a time
 * in 1.7.1).
 *
 * The shim and the library allocate with new, thus from the malloc under test, before `before` and
 * after `after`, never between. Not thread-safe; call from the main thread. */
#ifndef HEAPMILL_WORKLOADS_BENCHMARK_SHIM_H
#define HEAPMILL_WORKLOADS_BENCHMARK_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct shim_benchmark {
    const char *name;
    void *context;
    /* Untimed; NULL, or the reason for which there is nothing to time. */
    const char *(*before)(void *context, uint64_t iterations);
    void (*timed)(void *context, uint64_t iterations);
    /* Untimed, only after timed; NULL, or the reason for which its time must not count. */
    const char *(*after)(void *context);
    /* Operations of one iteration: for items_per_second. Asked after `timed`, before `after`. */
    uint64_t (*operations)(void *context);
    bool single_shot; /* exactly one iteration */
};

/* Totals of the timed part. */
struct shim_times {
    double cpu_ns; /* of the process: an allocator's own threads are charged too */
    double wall_ns;
};

/* Runs the benchmark once with exactly that many iterations (> 0) and prints nothing. False when
 * `before` or `after` gave a reason; *times is then unset. The callbacks' strings must outlive the
 * call. */
bool shim_time(const struct shim_benchmark *benchmark, uint64_t iterations,
               struct shim_times *times);

/* An ordinary google-benchmark main over the benchmarks: its flags, its output, its iteration
 * counts. help prints what --help says first. Returns the exit status: 2 for a flag that
 * google-benchmark does not know. */
int shim_main(int argc, char **argv, const struct shim_benchmark *benchmarks, size_t count,
              void (*help)(void));

#ifdef __cplusplus
}
#endif

#endif
