/* The interface of workloads, and what the runner gives them.
 *
 * A workload is one file in blocks/ or objects/ that defines `const struct workload
 * workload_<file>`. CMake finds it and makes the table of all workloads. It is compiled once for
 * each back end.
 *
 *  - setup builds what lives before the timed part. run is the timed part, one call for all
 *    iterations. teardown releases everything, so that the heap ends as empty as it began.
 *  - All randomness comes from run->rng. Only the runner takes times. Tables of the workload itself
 *    (of pointers, orders, sizes) are in scratch memory, never in the measured heap.
 *  - Every block is written to, at least at both ends.
 *  - expected_allocations says how often run will call the contract's alloc; the runner compares.
 *    It is computed from the parameters (or by a model of the run that is drawn from the same
 *    seed), not counted.
 *  - run calls run_mark at the bounds of its phases, and at least every 1/50 of a long iteration.
 *    In a timed pass that is a predicted branch; in the memory pass it is a memory sample. A
 *    workload with short iterations (fewer operations than WORKLOAD_LONG_ITERATION) need not call
 *    it: the memory pass calls its run many times, for a few iterations each, and samples between
 *    the calls.
 *  - A threaded workload's run passes its work on with run_on_threads. An iteration is then one
 *    iteration of every thread; operations and expected_allocations are those of all threads
 *    together. The threads' work must depend only on the seed and on the number of threads, not on
 *    which thread comes first. */
#ifndef HEAPMILL_WORKLOADS_WORKLOAD_H
#define HEAPMILL_WORKLOADS_WORKLOAD_H

#include "allocators/backend.h"
#include "common/rng.h"
#include "common/status.h"
#include "gc/object.h"

enum { WORKLOAD_PARAMETERS_MAX = 8, WORKLOAD_LONG_ITERATION = 100, RUN_FIGURES_MAX = 8 };

/* A parameter is a number, one of a few words (choices, NULL-terminated; the value is the index),
 * or any text. A number with a unit is whole; one without a unit may have a fraction. */
struct workload_parameter {
    const char *name;
    const char *unit; /* "blocks", "bytes", "objects"…; "" for words and bare numbers */
    const char *summary;
    const char *const *choices;
    double value; /* default */
    double minimum;
    double maximum;
    const char *text; /* for a text: the default; NULL: the parameter is no text */
};

struct run;

struct workload {
    const char *name;
    const char *kind; /* "objects" or "blocks" */
    /* Geometric means give families equal weights: "pointers", "numbers", "steady" and so on. */
    const char *family;
    const char *summary;
    struct workload_parameter parameters[WORKLOAD_PARAMETERS_MAX]; /* ends with a NULL name */
    /* Operations (allocations and frees of blocks, or objects made) of one iteration; times are
     * divided by it. */
    uint64_t (*operations)(const struct run *run);
    /* Calls of the contract's alloc in run(run, iterations), after setup and the warm-up. It is
     * called before that run, with run's generator and state as run will find them, and changes
     * neither. */
    uint64_t (*expected_allocations)(const struct run *run, uint64_t iterations);
    /* Reads files that the workload needs into scratch memory, before the heap is opened; the
     * functions below may depend on it. May be NULL. After an error nothing else is called. */
    enum status (*load)(struct run *run, struct error *error);
    /* See heap_options.window_bytes. */
    size_t (*window_bytes)(const struct run *run);
    enum status (*setup)(struct run *run, struct error *error);
    void (*run)(struct run *run, uint64_t iterations);
    void (*teardown)(struct run *run);
    /* true: the workload measures first touch, or its iterations are single phases. The runner then
     * does not warm up, and asks for one iteration. */
    bool single_shot;
    bool threaded; /* its run uses run_on_threads; others have only the main thread */
};

/* A figure that only the workload itself knows: a bound of its theory, or the result of a phase. */
struct run_figure {
    const char *name; /* a constant, with its unit last: "bound_bytes" */
    double value;
};

struct run {
    const struct workload *workload;
    double values[WORKLOAD_PARAMETERS_MAX]; /* in the order of workload->parameters */
    const char *texts[WORKLOAD_PARAMETERS_MAX];
    struct heap *heap;
    struct runtime *runtime; /* NULL for block workloads */
    struct rng rng;
    uint64_t seed;
    void *state;        /* for the workload; in scratch memory */
    uint64_t checksum;  /* of the results; must be equal for all back ends */
    const char *failed; /* set by run_fail: the reason */
    bool sampling;      /* it is the memory pass */
    struct sampler *sampler;
    struct floating *floating; /* garbage that is not found yet; NULL: no runtime */
    struct heap_map *map;      /* NULL: no maps */
    struct scratch *scratch;
    unsigned threads; /* at least 1; 1 without threads */
    struct threads *pool;
    bool timed;            /* the threads are in the timed part, or about to begin it */
    uint64_t aside_cpu_ns; /* the CPU time of run_aside since the timed part began */
    uint64_t aside_wall_ns;
    struct run_figure figures[RUN_FIGURES_MAX];
    size_t figure_count;
};

/* A thread of run_on_threads, for its work. */
struct run_thread {
    struct run *run;
    unsigned index; /* 0 to run->threads - 1 */
    struct rng rng; /* its own, seeded from run->rng before each work */
};

typedef void run_work(struct run_thread *thread, uint64_t iterations);

/* Makes all threads do the work at the same time; returns when the last one is done. Main thread
 * only; it may be called in set-up and teardown too, so that blocks are allocated and freed by the
 * threads that the workload wants. Inside the work, of the run_ functions only run_fail,
 * run_failed, run_verify and, in thread 0, run_mark may be called. */
void run_on_threads(struct run *run, run_work *work, uint64_t iterations);

/* Reports a figure; it replaces an earlier one of the same name. Main thread only. */
void run_add_figure(struct run *run, const char *name, double value);

/* The bytes that the back end holds now, from the source that the cell's record names; 0 in the
 * time pass. Takes 20 us or more. */
uint64_t run_held_bytes(struct run *run);

/* Makes the program do nothing for that long. In the memory pass samples are taken meanwhile. CPU
 * time, which is the cost of a cell with one thread, passes only for an allocator with its own
 * threads. */
void run_idle(struct run *run, uint64_t ns);

/* Does work in the middle of run that is not the workload's, such as reading its next input from a
 * file. Its time and instructions do not count; its page faults do. Main thread only. It costs two
 * readings of two clocks. google-benchmark's own figures, in a worker that runs without heapmill,
 * include the work. */
void run_aside(struct run *run, void (*work)(void *context), void *context);

/* Allocates zeroed, pre-faulted memory outside every heap; the runner frees it after teardown.
 * Never returns NULL: if the system refuses, the process ends with a clear message. Must not be
 * called in the timed part. */
void *run_scratch(struct run *run, size_t bytes);

/* Reports that the program has just dropped containers which only the collector can find, and about
 * how many bytes they and what they alone refer to have. Workloads of cycles call it, for the
 * figures of floating garbage. Takes a few ns. */
void run_garbage(struct run *run, uint64_t containers, uint64_t bytes);

/* Records that the cell has failed; the first reason is kept. text is a constant. An allocation
 * that returned NULL is a failure: "heap exhausted". Any thread may call it. */
void run_fail(struct run *run, const char *text);

/* Has the cell failed? A thread that waits for another must check this, so that it does not wait
 * forever. */
static inline bool run_failed(const struct run *run)
{
    return __atomic_load_n(&run->failed, __ATOMIC_RELAXED) != NULL;
}

/* Reports that a block was read back; kept says whether its contents were unchanged. If not, the
 * cell fails, unless the back end promises no contents (`null`). Workloads read back equally under
 * all back ends, so that the time for it is equal. */
static inline void run_verify(struct run *run, bool kept)
{
    if ((HEAP_CAPABILITIES & HEAP_KEEPS_CONTENTS) != 0 && !kept) {
        run_fail(run, "a live block's contents have changed");
    }
}

void run_sample(struct run *run, const char *label);

/* A point at which memory may be sampled. label is NULL, or names the phase that begins here. */
static inline void run_mark(struct run *run, const char *label)
{
    if (__builtin_expect(run->sampling, false)) {
        run_sample(run, label);
    }
}

/* The parameter's value as a count. */
static inline uint64_t run_count(const struct run *run, int parameter)
{
    return (uint64_t)run->values[parameter];
}

/* Writes to both ends of a block, so that its memory is really used. */
static inline void run_touch(void *block, size_t bytes, uint64_t value)
{
    unsigned char *bytes_of = block;
    bytes_of[0] = (unsigned char)value;
    bytes_of[bytes - 1] = (unsigned char)value;
}

#endif
