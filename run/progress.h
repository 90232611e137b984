/* The progress line of a run on a terminal. Nothing is written if stderr is no terminal. */
#ifndef HEAPMILL_RUN_PROGRESS_H
#define HEAPMILL_RUN_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    bool shown;
    bool colour;
    size_t total; /* processes of the whole run; 0: a budget decides */
    size_t done;
    size_t measured;   /* processes measured in this session */
    uint64_t begin_ns; /* when this session began */
    double process_s;  /* expected time of one process */
    double deadline_s; /* of a budget, counted from begin_ns */
};

/* total and done count processes. process_s is the first estimate of one process's time; measured
 * ones replace it. With a budget total is 0, and budget_s is what is left of it. */
void progress_begin(struct progress *progress, size_t total, size_t done, double process_s,
                    double budget_s);

/* Shows that a cell begins. what: "round 3/7" or the like. */
void progress_show(const struct progress *progress, const char *what, const char *cell);

/* Counts one finished process. */
void progress_step(struct progress *progress);

/* Clears the line, so that other text can be written. */
void progress_clear(const struct progress *progress);

#endif
