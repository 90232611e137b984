#include "workloads/calls.h"

void calls_read(struct heap_probe *calls)
{
    *calls = (struct heap_probe){0};
#ifdef HEAPMILL_PROBE
    calls->allocs = heap_probe_read(&heap_probe.allocs);
    calls->frees = heap_probe_read(&heap_probe.frees);
    calls->resizes = heap_probe_read(&heap_probe.resizes);
    calls->slow_allocs = heap_probe_read(&heap_probe.slow_allocs);
    calls->slow_frees = heap_probe_read(&heap_probe.slow_frees);
    calls->slow_resizes = heap_probe_read(&heap_probe.slow_resizes);
    for (unsigned i = 0; i < HEAP_PROBE_SIZES; i++) {
        calls->allocs_by_size[i] = heap_probe_read(&heap_probe.allocs_by_size[i]);
        calls->frees_by_size[i] = heap_probe_read(&heap_probe.frees_by_size[i]);
    }
#endif
}

void calls_subtract(struct heap_probe *calls, const struct heap_probe *before)
{
    calls->allocs -= before->allocs;
    calls->frees -= before->frees;
    calls->resizes -= before->resizes;
    calls->slow_allocs -= before->slow_allocs;
    calls->slow_frees -= before->slow_frees;
    calls->slow_resizes -= before->slow_resizes;
    for (unsigned i = 0; i < HEAP_PROBE_SIZES; i++) {
        calls->allocs_by_size[i] -= before->allocs_by_size[i];
        calls->frees_by_size[i] -= before->frees_by_size[i];
    }
}

void calls_write(struct json_writer *writer, const struct heap_probe *calls)
{
    json_open_object(writer, "calls");
    json_add_u64(writer, "allocs", calls->allocs);
    json_add_u64(writer, "frees", calls->frees);
    json_add_u64(writer, "resizes", calls->resizes);
    json_open_array(writer, "by_size");
    for (unsigned i = 0; i < HEAP_PROBE_SIZES; i++) {
        if (calls->allocs_by_size[i] != 0 || calls->frees_by_size[i] != 0) {
            json_open_array(writer, NULL);
            json_add_u64(writer, NULL, heap_probe_size_max(i));
            json_add_u64(writer, NULL, calls->allocs_by_size[i]);
            json_add_u64(writer, NULL, calls->frees_by_size[i]);
            json_close_array(writer);
        }
    }
    json_close_array(writer);
    if ((HEAP_CAPABILITIES & HEAP_MARKS_SLOW) != 0) {
        json_add_u64(writer, "slow_allocs", calls->slow_allocs);
        json_add_u64(writer, "slow_frees", calls->slow_frees);
        json_add_u64(writer, "slow_resizes", calls->slow_resizes);
    }
    json_close_object(writer);
}
