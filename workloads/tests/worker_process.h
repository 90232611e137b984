/* Runs a worker as a process and keeps what it said. For tests: every failure ends the test. */
#ifndef HEAPMILL_WORKLOADS_TESTS_WORKER_PROCESS_H
#define HEAPMILL_WORKLOADS_TESTS_WORKER_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct worker_outcome {
    int exit_code; /* -1 after a signal */
    int signal;
    char *output; /* zero-terminated */
    char *errors;
};

/* directory/name, started with the arguments (NULL at the end, the program's name left out) and
 * with preload as LD_PRELOAD unless it is NULL. Release with worker_outcome_free. */
struct worker_outcome worker_run(const char *directory, const char *name,
                                 const char *const *arguments, const char *preload);
void worker_outcome_free(struct worker_outcome *outcome);

/* The one line of JSON that the worker wrote; the caller's. */
json_t *worker_json(const struct worker_outcome *outcome);

/* Runs it, expects that exit code, gives its JSON. */
json_t *worker_run_json(const char *directory, const char *name, const char *const *arguments,
                        int exit_code);

/* Members that must be there. */
const char *worker_text(const json_t *object, const char *member);
double worker_number(const json_t *object, const char *member);
json_t *worker_array(const json_t *object, const char *member);

/* Calls visit for each name of a list separated by spaces. */
void worker_for_each(const char *names, void (*visit)(const char *name, void *context),
                     void *context);

#endif
