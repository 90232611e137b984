/* What a workload is, and what the runner gives it.
 *
 * A workload is one file in blocks/ or objects/ that defines `const struct workload
 * workload_<file>`; CMake finds it and makes the table of all. It is compiled once for each back
 * end.
 *
 *  - setup builds what lives before the timed part; run is the timed part, one call for all
 *    iterations; teardown releases everything, so that the heap ends as empty as it began.
 *  - All randomness is from run->rng. All time-taking is the runner's. Bookkeeping (pointer tables,
 *    orders, sizes) is in scratch memory, never in the measured heap.
 *  - Every block is written to, at both ends at least.
 *  - expected_allocations says how often run will call the contract's alloc; the runner compares.
 *    It is worked out from the parameters (or from a model of the run, drawn from the same seed),
 *    not counted.
 *  - At the bounds of its phases and at least each 1/50 of a long iteration, run calls run_mark: a
 *    predicted branch in a timed pass, a sample of memory in the memory pass. A workload whose
 *    iterations are short (fewer operations than WORKLOAD_LONG_ITERATION) need not: the memory
 *    pass calls its run many times, for a few iterations each, and samples between the calls.
 *  - A threaded workload's run passes its work on by run_on_threads. An iteration is then one of
 *    every thread's; operations and expected_allocations are of all threads together. What the
 *    threads do must depend on the seed and their number alone, not on who comes first. */
#ifndef HEAPMILL_WORKLOADS_WORKLOAD_H
#define HEAPMILL_WORKLOADS_WORKLOAD_H

#include "allocators/backend.h"
#include "common/rng.h"
#include "common/status.h"
#include "gc/object.h"

enum { WORKLOAD_PARAMETERS_MAX = 8, WORKLOAD_LONG_ITERATION = 100, RUN_FIGURES_MAX = 8 };

/* A parameter is a number, or one of a few words (choices, NULL-terminated; the value is its
 * index), or any text. A number with a unit is a whole count of it; one without may have a
 * fraction. */
struct workload_parameter {
    const char *name;
    const char *unit; /* "blocks", "bytes", "objects"…; "" for words and bare numbers */
    const char *summary;
    const char *const *choices;
    double value; /* default */
    double minimum;
    double maximum;
    const char *text; /* of a text: the default; NULL: it is none */
};

struct run;

struct workload {
    const char *name;
    const char *kind; /* "objects" or "blocks" */
    /* Geometric means weigh families equally: e.g. "pointers", "numbers", "steady". */
    const char *family;
    const char *summary;
    struct workload_parameter parameters[WORKLOAD_PARAMETERS_MAX]; /* ends with a NULL name */
    /* Operations (allocations and frees of blocks, or objects made) of one iteration: what a time
     * is divided by. */
    uint64_t (*operations)(const struct run *run);
    /* Calls of the contract's alloc in run(run, iterations), after setup and the warm-up. Asked
     * before that call, with run's generator and state as run will find them; changes neither. */
    uint64_t (*expected_allocations)(const struct run *run, uint64_t iterations);
    /* Before the heap is opened, for what the functions below ask for: reads what the workload
     * needs from files, into scratch memory. May be NULL. After an error nothing else is called. */
    enum status (*load)(struct run *run, struct error *error);
    /* See heap_options.window_bytes. */
    size_t (*window_bytes)(const struct run *run);
    enum status (*setup)(struct run *run, struct error *error);
    void (*run)(struct run *run, uint64_t iterations);
    void (*teardown)(struct run *run);
    /* true: the workload is about first touch, or its iterations are one-off phases: the runner
     * neither warms up nor asks for more than one iteration. */
    bool single_shot;
    bool threaded; /* its run uses run_on_threads; others have one thread, the main one */
};

/* A number that the workload itself has to tell, besides what is measured of every cell: a bound
 * that its theory gives, a phase's result. */
struct run_figure {
    const char *name; /* a constant, units last: "bound_bytes" */
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
    void *state;        /* the workload's own; in scratch memory */
    uint64_t checksum;  /* of results: equal for every back end, or the cell fails */
    const char *failed; /* set by run_fail: why the cell has failed */
    bool sampling;      /* memory pass */
    struct sampler *sampler;
    struct floating *floating; /* garbage that is not found yet; NULL without a runtime */
    struct heap_map *map;      /* NULL: no maps are wanted */
    struct scratch *scratch;
    unsigned threads; /* 1 and more; 1 of a workload that is not threaded */
    struct threads *pool;
    bool timed;            /* the threads are in the timed part, or soon will be */
    uint64_t aside_cpu_ns; /* what run_aside has taken since the timed part began */
    uint64_t aside_wall_ns;
    struct run_figure figures[RUN_FIGURES_MAX];
    size_t figure_count;
};

/* One of the threads of run_on_threads, as its work sees it. */
struct run_thread {
    struct run *run;
    unsigned index; /* 0 to run->threads - 1 */
    struct rng rng; /* the thread's own, seeded from run->rng before each work */
};

typedef void run_work(struct run_thread *thread, uint64_t iterations);

/* All the threads do the work at once; returns when the last of them has ended. Main thread only;
 * in set-up and teardown too, so that blocks can begin and end where the workload wants them.
 * Inside, of the run_ functions only run_fail, run_failed, run_verify and, in thread 0, run_mark
 * may be called. */
void run_on_threads(struct run *run, run_work *work, uint64_t iterations);

/* Tells a figure; one of the same name replaces the one before it. Main thread only. */
void run_add_figure(struct run *run, const char *name, double value);

/* Bytes that the back end holds now, by the source that the cell's record names; 0 in the time
 * pass. Costs 20 us and more. */
uint64_t run_held_bytes(struct run *run);

/* The program does nothing for that long. In the memory pass the samples go on meanwhile. CPU time,
 * which is what a cell of one thread costs, goes on only for an allocator that has threads of its
 * own. */
void run_idle(struct run *run, uint64_t ns);

/* Does work in the middle of run that is none of the workload's: reading what comes next from a
 * file. Its time and its instructions are not counted as the cell's; page faults are. Main thread
 * only; costs two looks at two clocks. google-benchmark's own figures, of a worker that is run
 * without heapmill, have it in them. */
void run_aside(struct run *run, void (*work)(void *context), void *context);

/* Zeroed memory outside every heap, pre-faulted, released by the runner after teardown. Never NULL:
 * the process ends with a clear message if the system refuses. Not in the timed part. */
void *run_scratch(struct run *run, size_t bytes);

/* The program has just let go of so many containers, of about so many bytes with what they alone
 * hold, which only the collector can find. What a workload of cycles tells, for the figures of
 * floating garbage. A few ns. */
void run_garbage(struct run *run, uint64_t containers, uint64_t bytes);

/* Records that the cell has failed; the first reason stands. text is a constant. An allocation that
 * returned NULL is a failure: "heap exhausted". From any thread. */
void run_fail(struct run *run, const char *text);

/* Has it? What a thread that waits for another must ask, lest it wait forever. */
static inline bool run_failed(const struct run *run)
{
    return __atomic_load_n(&run->failed, __ATOMIC_RELAXED) != NULL;
}

/* A block's contents were read back: kept says whether they were what had been written. The cell
 * fails if they were not, but for a back end that promises no contents (`null`). Workloads read
 * back alike under all back ends, so that the time for it is the same. */
static inline void run_verify(struct run *run, bool kept)
{
    if ((HEAP_CAPABILITIES & HEAP_KEEPS_CONTENTS) != 0 && !kept) {
        run_fail(run, "a live block's contents have changed");
    }
}

void run_sample(struct run *run, const char *label);

/* A point at which memory may be sampled; label is NULL or names the phase that begins here. */
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

/* Writes to both ends of a block, so that it is really there. */
static inline void run_touch(void *block, size_t bytes, uint64_t value)
{
    unsigned char *bytes_of = block;
    bytes_of[0] = (unsigned char)value;
    bytes_of[bytes - 1] = (unsigned char)value;
}

#endif
