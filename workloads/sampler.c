#include "workloads/sampler.h"

#include <string.h>

#include "common/clock.h"
#include "common/os_memory.h"
#include "workloads/fragmentation.h"

/* Seed of the jitter. It is constant, so that equal cells are sampled at equal moments. */
#define SAMPLER_JITTER_SEED UINT64_C(0x5a3b1e)

/* A phase that is shorter than this many strides gets a label only at its first occurrence. */
enum { SAMPLER_PHASE_STRIDES = 4 };

/* Samples that thinning never drops: labels and two peaks. The spare room is twice as large, so
 * that thinning always frees some. */
enum { SAMPLER_SPARE = 2 * (SAMPLER_LABELS_MAX + 2) };

#ifndef HEAPMILL_PROBE
/* Timed workers refuse the memory pass; this only makes the sampler compile. */
static const struct heap_probe heap_probe;
#endif

enum sampler_column sampler_held_column(void)
{
    return (HEAP_CAPABILITIES & HEAP_CAN_STATS) != 0 ? SAMPLER_HELD_STATS : SAMPLER_HELD_SMAPS;
}

static uint64_t sampler_probe_operations(void)
{
    return heap_probe_read(&heap_probe.allocs) + heap_probe_read(&heap_probe.frees) +
           heap_probe_read(&heap_probe.resizes);
}

static uint64_t sampler_difference(uint64_t value, uint64_t less)
{
    return value > less ? value - less : 0;
}

enum status sampler_open(struct sampler *sampler, struct scratch *scratch, size_t samples,
                         struct error *error)
{
    struct os_memory memory;
    *sampler = (struct sampler){
        .scratch = scratch, .samples = samples, .capacity = 2 * samples + SAMPLER_SPARE};
    for (int column = 0; column < SAMPLER_COLUMNS; column++) {
        sampler->columns[column] = scratch_take(scratch, sampler->capacity * sizeof(uint64_t));
    }
    rng_seed(&sampler->jitter, SAMPLER_JITTER_SEED);
    enum status status = os_memory_read(&memory, error);
    if (status == STATUS_OK) {
        sampler->baseline_bytes = os_memory_held_bytes(&memory);
        sampler->baseline_rss_bytes = sampler_difference(memory.rss_bytes, scratch->mapped_bytes);
    }
    return status;
}

static bool sampler_keeps(const struct sampler *sampler, size_t at, const size_t peaks[2])
{
    for (size_t i = 0; i < sampler->label_count; i++) {
        if (sampler->labels[i].at == at) {
            return true;
        }
    }
    return at % 2 == 0 || at == peaks[0] || at == peaks[1];
}

static size_t sampler_peak_index(const struct sampler *sampler, enum sampler_column column)
{
    const uint64_t *values = sampler->columns[column];
    uint64_t peak = fragmentation_peak(values, sampler->count);
    size_t at = 0;
    while (values[at] != peak) {
        at++;
    }
    return at;
}

/* Makes room by dropping every second sample that has no label and is no peak. */
static void sampler_thin(struct sampler *sampler)
{
    const size_t peaks[2] = {sampler_peak_index(sampler, SAMPLER_LIVE),
                             sampler_peak_index(sampler, sampler_held_column())};
    size_t kept = 0;
    size_t label = 0;
    for (size_t at = 0; at < sampler->count; at++) {
        if (!sampler_keeps(sampler, at, peaks)) {
            continue;
        }
        for (int column = 0; column < SAMPLER_COLUMNS; column++) {
            sampler->columns[column][kept] = sampler->columns[column][at];
        }
        /* Labels are sorted by their samples, and samples with labels are kept. */
        while (label < sampler->label_count && sampler->labels[label].at == at) {
            sampler->labels[label++].at = kept;
        }
        kept++;
    }
    sampler->count = kept;
    sampler->stride_operations *= 2;
}

static void sampler_plan_next(struct sampler *sampler, uint64_t operations)
{
    uint64_t stride = sampler->stride_operations;
    sampler->due_operations = operations + stride / 2 + rng_below(&sampler->jitter, stride) + 1;
}

static void sampler_take(struct sampler *sampler, struct heap *heap, uint64_t operations)
{
    struct os_memory memory = {0};
    struct heap_stats stats = {0};
    if (sampler->count == sampler->capacity) {
        sampler_thin(sampler);
    }
    /* Reading worked at the start. If it fails now, the series has a zero. */
    (void)os_memory_read(&memory, NULL);
    if ((HEAP_CAPABILITIES & HEAP_CAN_STATS) != 0) {
        heap_stats(heap, &stats);
    }
    const uint64_t row[SAMPLER_COLUMNS] = {
        [SAMPLER_OPERATIONS] = operations,
        [SAMPLER_LIVE] = heap_probe_read(&heap_probe.live_bytes),
        [SAMPLER_USABLE] = heap_probe_read(&heap_probe.usable_bytes),
        [SAMPLER_HELD_STATS] = stats.held_bytes,
        [SAMPLER_HELD_SMAPS] =
            sampler_difference(os_memory_held_bytes(&memory), sampler->baseline_bytes),
        [SAMPLER_RSS] = sampler_difference(memory.rss_bytes, sampler->scratch->mapped_bytes),
        [SAMPLER_UNCOLLECTED] = sampler->floating == NULL ? 0 : sampler->floating->bytes,
        [SAMPLER_WALL_NS] = clock_wall_ns() - sampler->start_ns,
    };
    for (int column = 0; column < SAMPLER_COLUMNS; column++) {
        sampler->columns[column][sampler->count] = row[column];
    }
    sampler->count++;
    sampler_plan_next(sampler, operations);
}

/* Does this label deserve its own sample? Yes if it is new; if it occurred before, only if the
 * phase before it was long enough to be visible in a figure. */
static bool sampler_wants_label(const struct sampler *sampler, const char *text,
                                uint64_t operations)
{
    if (sampler->label_count == SAMPLER_LABELS_MAX) {
        return false;
    }
    bool known = false;
    for (size_t i = 0; i < sampler->label_count; i++) {
        known = known || strcmp(sampler->labels[i].text, text) == 0;
    }
    if (!known) {
        return true;
    }
    size_t last = sampler->labels[sampler->label_count - 1].at;
    uint64_t since = operations - sampler->columns[SAMPLER_OPERATIONS][last];
    return since >= SAMPLER_PHASE_STRIDES * sampler->stride_operations;
}

void sampler_start(struct sampler *sampler, struct heap *heap, uint64_t operations_expected)
{
    uint64_t stride = operations_expected / sampler->samples;
    sampler->stride_operations = stride == 0 ? 1 : stride;
    sampler->start_operations = sampler_probe_operations();
    sampler->start_ns = clock_wall_ns();
    sampler_take(sampler, heap, 0);
}

void sampler_mark(struct sampler *sampler, struct heap *heap, const char *label)
{
    uint64_t operations = sampler_probe_operations() - sampler->start_operations;
    bool labelled = label != NULL && sampler_wants_label(sampler, label, operations);
    sampler->phases_unlabelled += label != NULL && !labelled;
    if (!labelled && operations < sampler->due_operations) {
        return;
    }
    sampler_take(sampler, heap, operations);
    if (labelled) {
        sampler->labels[sampler->label_count++] =
            (struct sampler_label){.at = sampler->count - 1, .text = label};
    }
}

void sampler_take_now(struct sampler *sampler, struct heap *heap)
{
    sampler_take(sampler, heap, sampler_probe_operations() - sampler->start_operations);
}

uint64_t sampler_held_bytes(const struct sampler *sampler, const struct heap *heap)
{
    struct heap_stats stats = {0};
    struct os_memory memory = {0};
    if (sampler_held_column() == SAMPLER_HELD_STATS) {
        heap_stats(heap, &stats);
        return stats.held_bytes;
    }
    (void)os_memory_read(&memory, NULL);
    return sampler_difference(os_memory_held_bytes(&memory), sampler->baseline_bytes);
}

void sampler_stop(struct sampler *sampler, struct heap *heap)
{
    sampler_take(sampler, heap, sampler_probe_operations() - sampler->start_operations);
}

uint64_t sampler_operations(const struct sampler *sampler)
{
    return sampler_probe_operations() - sampler->start_operations;
}
