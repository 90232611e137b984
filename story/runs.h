/* The experiments of a story. Each is a command that gives a JSON object. Private to story/. */
#ifndef HEAPMILL_STORY_RUNS_H
#define HEAPMILL_STORY_RUNS_H

#include <jansson.h>

#include "common/host/text.h"
#include "common/status.h"

/* All members are borrowed. */
struct run_place {
    const char *program;   /* heapmill */
    const char *directory; /* working directory */
};

/* Runs one of
 *   heapmill …       in the place; of `bench … -o RUN` the answer has for each cell
 *                    RUN/WORKLOAD/BACKEND/METRIC, METRIC_ratio, _low and _high to the base, and
 *                    what the workload tells of itself; WORKLOAD is the group's whole id where a
 *                    workload has several groups, BACKEND is without its arm;
 *   objects NAME     an experiment of heapmill-story-objects;
 *   python NAME      one of story/python.py, by python3.
 * *command, the caller's, is what a user would type, without back ends that are absent here; NULL
 * where there is no such command. *answer is the caller's; what is missing here is in its `absent`
 * and a sentence in lacks. STATUS_INTERRUPTED; STATUS_CORRUPT: it is none of these, or its answer
 * is no JSON; STATUS_IO. */
enum status run_experiment(const struct run_place *place, const char *asked, json_t **answer,
                           char **command, struct text_list *lacks, struct error *error);

#endif
