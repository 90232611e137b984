/* What replays of a trace have in common (blocks/trace.c, blocks/trace_threads.c): an event as the
 * replay has it, in 8 bytes, reading a trace at set-up, and playing one op.
 *
 * Whoever plays an op needs no more than the op and the block's address: a give knows its size.
 * Every block is written to at both ends, and both are read back when it is resized or given
 * back. */
#ifndef HEAPMILL_WORKLOADS_REPLAY_H
#define HEAPMILL_WORKLOADS_REPLAY_H

#include "traces/reader.h"
#include "workloads/workload.h"

enum {
    REPLAY_RESIDENT_OPS = 1 << 23, /* unpacked at once: 64 MiB */
    REPLAY_MARKS = 512,            /* samples of memory that an iteration offers */
};

enum replay_kind {
    REPLAY_TAKE,
    REPLAY_GIVE,
    REPLAY_RESIZE,
    REPLAY_BEFORE, /* size is of the op behind it: a take's alignment, the old size of a resize */
};

enum { REPLAY_KIND_SHIFT = 30 };
/* Between the kind and the slot are flags, of whoever plays. */
#define REPLAY_SLOT_MASK ((UINT32_C(1) << 28) - 1)
_Static_assert(TRACE_SLOTS_MAX <= REPLAY_SLOT_MASK, "a slot fits beside its kind");

struct replay_op {
    uint32_t kind_slot;
    uint32_t size;
};

/* A trace that is open, and what its events need. */
struct replay_trace {
    struct trace_reader reader; /* at the first event */
    char path[4096];
    uint64_t events;
    uint64_t takes;
    uint64_t ops; /* of all events */
    uint64_t live_bytes_peak;
    uint64_t size_max;
    struct replay_op *left; /* gives of what the program left behind, the lowest slot first */
    uint64_t left_count;
};

/* Opens the trace of that name, a path or that of a reference trace, and reads it once: a damaged
 * one fails here. look, unless it is NULL, is shown all events. All memory is scratch. STATUS_* as
 * the reader's; STATUS_UNSUPPORTED: a block has 4 GiB or more. */
enum status replay_open(struct run *run, struct replay_trace *trace, const char *name,
                        void (*look)(void *context, const struct trace_event *events, size_t count),
                        void *context, struct error *error);

static inline bool replay_is_aligned(const struct trace_event *event)
{
    return event->operation == TRACE_TAKE_ALIGNED &&
           (UINT64_C(1) << event->alignment_log2) > HEAP_ALIGNMENT && event->alignment_log2 < 31 &&
           (HEAP_CAPABILITIES & HEAP_CAN_ALIGN) != 0;
}

static inline struct replay_op replay_op(enum replay_kind kind, uint32_t slot, uint64_t size)
{
    return (struct replay_op){.kind_slot = (uint32_t)kind << REPLAY_KIND_SHIFT | slot,
                              .size = (uint32_t)size};
}

static inline enum replay_kind replay_kind(const struct replay_op *op)
{
    return (enum replay_kind)(op->kind_slot >> REPLAY_KIND_SHIFT);
}

/* Stores the event's ops, two at most; how many. Sizes have been checked. */
static inline size_t replay_unpack(const struct trace_event *event, uint32_t slot,
                                   struct replay_op *ops)
{
    size_t count = 0;
    enum replay_kind kind = event->operation == TRACE_GIVE     ? REPLAY_GIVE
                            : event->operation == TRACE_RESIZE ? REPLAY_RESIZE
                                                               : REPLAY_TAKE;
    if (replay_is_aligned(event)) {
        ops[count++] = replay_op(REPLAY_BEFORE, 0, UINT64_C(1) << event->alignment_log2);
    } else if (kind == REPLAY_RESIZE) {
        ops[count++] = replay_op(REPLAY_BEFORE, 0, trace_live_bytes(event->old_size));
    }
    ops[count++] = replay_op(kind, slot, trace_live_bytes(event->size));
    return count;
}

/* ------------------------------------------------------------------------------ playing */

/* What an iteration has counted so far. */
struct replay_tally {
    uint64_t takes;
    uint64_t checksum;
    uint32_t difference; /* its low byte: not 0 if a block's contents have changed */
};

/* What is written to both ends of a block, in its low byte. */
static inline uint32_t replay_stamp(const struct replay_op *op, uint32_t size)
{
    return op->kind_slot + size;
}

static inline void replay_check(struct replay_tally *tally, const unsigned char *block,
                                uint32_t size, uint32_t stamp)
{
    tally->difference |= (block[0] ^ stamp) | (block[size - 1] ^ stamp);
}

/* False: the heap is exhausted. */
static inline bool replay_took(struct run *run, unsigned char **place, unsigned char *block,
                               const struct replay_op *op)
{
    if (__builtin_expect(block == NULL, false)) {
        run_fail(run, "heap exhausted");
        return false;
    }
    *place = block;
    /* Kinds are in the high bits, and not in the stamp. */
    run_touch(block, op->size, replay_stamp(op, op->size));
    return true;
}

/* The block's first byte must have been kept, and its last one if it grew. */
static inline bool replay_resize(struct run *run, const struct replay_op *op, uint32_t old_size,
                                 unsigned char **place, struct replay_tally *tally)
{
    uint32_t stamp = replay_stamp(op, old_size);
    replay_check(tally, *place, old_size, stamp);
    unsigned char *moved = heap_resize(run->heap, *place, old_size, op->size, HEAP_RAW);
    if (moved != NULL) {
        replay_check(tally, moved, op->size < old_size ? 1 : old_size, stamp);
    }
    return replay_took(run, place, moved, op);
}

static inline bool replay_take_aligned(struct run *run, const struct replay_op *op,
                                       uint32_t alignment, unsigned char **place)
{
    unsigned char *block = heap_alloc_aligned(run->heap, alignment, op->size, HEAP_RAW);
    if (((uintptr_t)block & (alignment - 1)) != 0) {
        run_fail(run, "a block is not aligned as asked");
    }
    return replay_took(run, place, block, op);
}

#endif
