/* The line on a terminal that says where a run is. Nothing is written when stderr is no terminal.
 */
#ifndef HEAPMILL_RUN_PROGRESS_H
#define HEAPMILL_RUN_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    bool shown;
    bool colour;
    size_t total; /* processes of the whole run; 0 if a budget decides */
    size_t done;
    size_t measured;   /* of those, in this session */
    uint64_t begin_ns; /* of this session */
    double process_s;  /* expected of one process */
    double deadline_s; /* of a budget, since begin_ns */
};

/* total and done count processes; process_s is the first guess of one's time, which the ones that
 * were measured replace. With a budget: total is 0 and budget_s is what is left. */
void progress_begin(struct progress *progress, size_t total, size_t done, double process_s,
                    double budget_s);

/* A cell begins. what is "round 3/7" or the like. */
void progress_show(const struct progress *progress, const char *what, const char *cell);

/* One process is done. */
void progress_step(struct progress *progress);

/* Clears the line, so that something else can be written. */
void progress_clear(const struct progress *progress);

#endif
