/* Converts traces from and to other programs' formats: `heapmill trace convert`. One thread. */
#ifndef HEAPMILL_TRACES_HOST_CONVERT_H
#define HEAPMILL_TRACES_HOST_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

enum trace_foreign {
    TRACE_FOREIGN_GUESS,  /* input: by the file's beginning; output: by the end of its name */
    TRACE_FOREIGN_TRACE,  /* .hmtrace, compressed as much as possible */
    TRACE_FOREIGN_TEXT,   /* "m ID SIZE", "f ID", "r ID SIZE", "a ID SIZE ALIGNMENT", "t THREAD" */
    TRACE_FOREIGN_JSONL,  /* {"op", "id", "size", "alignment", "thread"} a line */
    TRACE_FOREIGN_MTRACE, /* glibc's mtrace(3) */
    TRACE_FOREIGN_CALLS,  /* "malloc(24) = 0x…" a line: ltrace, valgrind --trace-malloc=yes */
    TRACE_FOREIGN_HEAPTRACK, /* heaptrack.PROGRAM.PID.zst, or the same decompressed */
    TRACE_FOREIGN_PROFILE, /* "SIZE, RATE, LIVE" a line: a service's profile, played for `events` as
                              a steady state of PROFILE_LIVE_BYTES */
};

/* The words of the enum, for options; the last one is NULL. */
extern const char *const trace_foreign_names[];

struct trace_conversion {
    const char *input;
    const char *output;
    enum trace_foreign from;
    enum trace_foreign to;
    uint64_t events; /* for a profile */
    uint64_t seed;
};

struct trace_converted {
    uint64_t lines;   /* or events, for a trace */
    uint64_t skipped; /* lines that are no events */
    uint64_t events;
    uint64_t strangers; /* gives of unknown blocks */
};

/* Converts. STATUS_NOT_FOUND, STATUS_IO; STATUS_INVALID: no line fits the format; STATUS_CORRUPT: a
 * damaged trace. After an error a part of the output may exist. */
enum status trace_convert(const struct trace_conversion *conversion,
                          struct trace_converted *converted, struct error *error);

#endif
