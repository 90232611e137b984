#include "workloads/replay.h"

#include <inttypes.h>
#include <stdio.h>

static void *replay_take_memory(void *run, size_t bytes)
{
    return run_scratch(run, bytes);
}

static void replay_list_left(struct run *run, struct replay_trace *trace)
{
    const struct trace_reader *reader = &trace->reader;
    trace->left = run_scratch(run, reader->live_blocks * sizeof(*trace->left));
    for (uint32_t slot = 0; slot < reader->slots; slot++) {
        uint64_t size;
        if (trace_reader_is_alive(reader, slot, &size)) {
            trace->left[trace->left_count++] = replay_op(REPLAY_GIVE, slot, trace_live_bytes(size));
        }
    }
}

static void replay_count(struct replay_trace *trace, const struct trace_event *events, size_t count)
{
    trace->events += count;
    for (size_t i = 0; i < count; i++) {
        struct replay_op ops[2];
        trace->takes += events[i].operation <= TRACE_TAKE_ALIGNED;
        trace->ops += replay_unpack(&events[i], 0, ops);
        if (events[i].size > trace->size_max) {
            trace->size_max = events[i].size;
        }
    }
}

enum status replay_open(struct run *run, struct replay_trace *trace, const char *name,
                        void (*look)(void *context, const struct trace_event *events, size_t count),
                        void *context, struct error *error)
{
    const struct trace_event *events;
    size_t count = 1;
    if (!trace_find_reference(name, trace->path, sizeof(trace->path)) &&
        (size_t)snprintf(trace->path, sizeof(trace->path), "%s", name) >= sizeof(trace->path)) {
        return error_set(error, STATUS_INVALID, "the trace's path is too long");
    }
    enum status status =
        trace_reader_open(&trace->reader, trace->path, replay_take_memory, run, error);
    while (status == STATUS_OK && count > 0) {
        status = trace_reader_next(&trace->reader, &events, &count, error);
        if (status == STATUS_OK) {
            replay_count(trace, events, count);
            if (look != NULL) {
                look(context, events, count);
            }
        }
    }
    if (status != STATUS_OK) {
        return status;
    }
    replay_list_left(run, trace);
    trace->live_bytes_peak = trace->reader.live_bytes_peak;
    trace_reader_rewind(&trace->reader);
    if (trace->size_max > UINT32_MAX) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "the trace has a block of %" PRIu64 " bytes, and a replay's are below "
                         "4 GiB",
                         trace->size_max);
    }
    return trace->events > 0
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "the trace has no events: record it again");
}
