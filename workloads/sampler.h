/* Samples of memory over a run, for the memory pass of probe workers.
 *
 * A sample costs 20 to 50 us (smaps_rollup), so a mark is only taken when it is due: a stride of
 * operations after the last one, jittered between half and one and a half strides so that samples
 * do not stay in step with a periodic workload. A labelled mark is also taken when its label is new
 * or the phase before it was long, so that each phase's bound is met exactly. When the arrays are
 * full every second sample goes and the stride doubles; samples with a label and the peaks stay.
 * The jitter is seeded with a constant and operations are the contract's calls, so equal cells take
 * their samples at equal moments.
 *
 * All memory is scratch memory. One sampler, one thread at a time: of a threaded workload the first
 * while they run, and the main one before and after. */
#ifndef HEAPMILL_WORKLOADS_SAMPLER_H
#define HEAPMILL_WORKLOADS_SAMPLER_H

#include "common/rng.h"
#include "workloads/floating.h"
#include "workloads/scratch.h"
#include "workloads/workload.h"

enum { SAMPLER_LABELS_MAX = 64, SAMPLER_SAMPLES_MIN = 16, SAMPLER_SAMPLES_MAX = 4096 };

enum sampler_column {
    SAMPLER_OPERATIONS, /* contract calls since the timed part began */
    SAMPLER_LIVE,       /* the rest in bytes */
    SAMPLER_USABLE,
    SAMPLER_HELD_STATS, /* the back end's own count; 0 where it has none */
    SAMPLER_HELD_SMAPS, /* anonymous + swap − LazyFree, less the same before the heap was opened */
    SAMPLER_RSS,        /* of the process, less the harness's scratch memory */
    SAMPLER_UNCOLLECTED, /* garbage that only the collector can find: workloads/floating.h */
    SAMPLER_WALL_NS,     /* since the timed part began; of all columns the one that equal cells do
                            not have alike */
    SAMPLER_COLUMNS
};

struct sampler_label {
    size_t at; /* index of its sample */
    const char *text;
};

struct sampler {
    uint64_t *columns[SAMPLER_COLUMNS]; /* capacity elements each, count of them used */
    size_t samples;                     /* wished for */
    size_t capacity;
    size_t count;
    struct sampler_label labels[SAMPLER_LABELS_MAX];
    size_t label_count;
    uint64_t stride_operations;
    uint64_t due_operations;
    uint64_t start_operations;   /* the probe's count when the timed part began */
    uint64_t start_ns;           /* the clock then */
    uint64_t baseline_bytes;     /* held by smaps before the heap was opened */
    uint64_t baseline_rss_bytes; /* resident then, less scratch memory: the worker's own */
    uint64_t phases_unlabelled;  /* phases that began and were too short for a label of their own */
    const struct scratch *scratch;
    const struct floating *floating; /* NULL: nobody tells of garbage */
    struct rng jitter;
};

/* Takes the sampler's arrays from scratch, for about samples samples, and notes what the process
 * holds now. Fails when the kernel does not say what a process holds. Call before the heap is
 * opened. */
enum status sampler_open(struct sampler *sampler, struct scratch *scratch, size_t samples,
                         struct error *error);

/* The timed part begins; it is expected to make that many calls of the contract. Takes the first
 * sample. */
void sampler_start(struct sampler *sampler, struct heap *heap, uint64_t operations_expected);

/* A point at which a sample may be taken. label: NULL or a constant. */
void sampler_mark(struct sampler *sampler, struct heap *heap, const char *label);

/* A moment that is sampled whether it is due or not: in idle time, when operations stand still. */
void sampler_take_now(struct sampler *sampler, struct heap *heap);

/* Calls of the contract since the timed part began. */
uint64_t sampler_operations(const struct sampler *sampler);

/* What the back end holds now, of sampler_held_column. */
uint64_t sampler_held_bytes(const struct sampler *sampler, const struct heap *heap);

/* The timed part ends: takes the last sample. */
void sampler_stop(struct sampler *sampler, struct heap *heap);

/* The column that every ratio is taken of: the back end's own count where it has one. */
enum sampler_column sampler_held_column(void);

#endif
