/* google-benchmark's interface for C. It is the only way to the only C++ file.
 *
 * The timed part is one call into C, so google-benchmark adds nothing per operation, only two clock
 * readings at either end. Set-up and checks run inside the benchmark's function but outside its
 * loop, where nothing is timed. The timer is never paused, which would cost 657 ns each time in
 * 1.7.1.
 *
 * The shim and the library allocate with new, and so from the malloc under test: before `before`
 * and after `after`, never between. Not thread-safe; call it from the main thread. */
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
    /* Not timed. Returns NULL, or the reason why there is nothing to time. */
    const char *(*before)(void *context, uint64_t iterations);
    void (*timed)(void *context, uint64_t iterations);
    /* Not timed; called only after timed. Returns NULL, or the reason why its time must not
     * count. */
    const char *(*after)(void *context);
    /* Operations of one iteration, for items_per_second. Called after `timed` and before
     * `after`. */
    uint64_t (*operations)(void *context);
    bool single_shot; /* runs exactly one iteration */
};

/* Totals of the timed part. */
struct shim_times {
    double cpu_ns; /* of the process, with an allocator's own threads */
    double wall_ns;
};

/* Runs the benchmark once with exactly that many iterations (> 0), and prints nothing. false:
 * `before` or `after` gave a reason, and *times is not set. The callbacks' strings must outlive the
 * call. */
bool shim_time(const struct shim_benchmark *benchmark, uint64_t iterations,
               struct shim_times *times);

/* An ordinary google-benchmark main over the benchmarks: its flags, its output, its iteration
 * counts. help prints the beginning of --help. Returns the exit status: 2 for a flag that
 * google-benchmark does not know. */
int shim_main(int argc, char **argv, const struct shim_benchmark *benchmarks, size_t count,
              void (*help)(void));

#ifdef __cplusplus
}
#endif

#endif
