/* Traces from and to what other programs write: `heapmill trace convert`. One thread. */
#ifndef HEAPMILL_TRACES_HOST_CONVERT_H
#define HEAPMILL_TRACES_HOST_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

enum trace_foreign {
    TRACE_FOREIGN_GUESS,  /* by what the file begins with; to: by the name's end */
    TRACE_FOREIGN_TRACE,  /* .hmtrace: packed as small as it gets */
    TRACE_FOREIGN_TEXT,   /* "m ID SIZE", "f ID", "r ID SIZE", "a ID SIZE ALIGNMENT", "t THREAD" */
    TRACE_FOREIGN_JSONL,  /* {"op", "id", "size", "alignment", "thread"} a line */
    TRACE_FOREIGN_MTRACE, /* glibc's mtrace(3) */
    TRACE_FOREIGN_CALLS,  /* "malloc(24) = 0x…" a line: ltrace, valgrind --trace-malloc=yes */
    TRACE_FOREIGN_HEAPTRACK, /* heaptrack.PROGRAM.PID.zst, or that unpacked */
    TRACE_FOREIGN_PROFILE,   /* "SIZE, RATE, LIVE" a line: a service's profile, played as a steady
                                state of PROFILE_LIVE_BYTES for `events` */
};

/* The words of the enum, NULL at the end; for options. */
extern const char *const trace_foreign_names[];

struct trace_conversion {
    const char *input;
    const char *output;
    enum trace_foreign from;
    enum trace_foreign to;
    uint64_t events; /* of a profile */
    uint64_t seed;
};

struct trace_converted {
    uint64_t lines;   /* or events, of a trace */
    uint64_t skipped; /* lines that are no event */
    uint64_t events;
    uint64_t strangers; /* gives of blocks that were never seen */
};

/* STATUS_NOT_FOUND, STATUS_IO; STATUS_INVALID: not one line is what the format says;
 * STATUS_CORRUPT: of a trace. The output may then be there in part. */
enum status trace_convert(const struct trace_conversion *conversion,
                          struct trace_converted *converted, struct error *error);

#endif
