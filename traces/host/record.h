/* Records a program and its descendants: `heapmill trace record`. One thread. */
#ifndef HEAPMILL_TRACES_HOST_RECORD_H
#define HEAPMILL_TRACES_HOST_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

struct trace_recording {
    char *const *command; /* ends with NULL */
    const char *library;  /* libheapmill-recorder.so */
    const char *output;   /* the trace of the first process; the others are OUTPUT.2, OUTPUT.3… */
    uint64_t sample;      /* one block in this many; 1: all */
    bool sites;           /* record hashes of call sites too */
};

struct trace_recorded {
    int exit_code; /* of the command; 0: a signal ended it */
    int signal;
    /* An object for each program in each process, in the order in which they began: number,
     * program, command (an array), pid, parent (a number; 0: none of these), time, sites, sample,
     * file, events, live_bytes, live_bytes_peak, bytes (of the file). Owned. */
    json_t *processes;
};

/* Runs the command with the recorder preloaded; it keeps the standard streams and the terminal.
 * STATUS_NOT_FOUND: there is no such command; STATUS_UNSUPPORTED: nothing was recorded (it is
 * statically linked or set-user-ID); STATUS_IO. Call this before process_prepare_signals. The
 * caller frees processes in every case. */
enum status trace_record(const struct trace_recording *recording, struct trace_recorded *recorded,
                         struct error *error);

#endif
