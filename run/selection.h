/* What -b, -w and -p choose: back ends with their arms and environments, and workloads with their
 * parameters. The matrix is every choice on every point. Belongs to one thread. */
#ifndef HEAPMILL_RUN_SELECTION_H
#define HEAPMILL_RUN_SELECTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"
#include "run/registry.h"

/* A back end in an arm and an environment. */
struct selection_choice {
    struct backend *backend; /* borrowed from the registry */
    const char *arm;         /* borrowed from the back end */
    char *collector;         /* owned; NULL: the build's own */
    json_t *env;             /* object of strings, owned */
    bool exact;              /* named in full: its absence is an error */
    json_t *workloads;       /* of a reference: those that it runs, owned; NULL: all */
};

/* A workload with a value for each of its parameters. */
struct selection_point {
    const struct catalog_workload *workload; /* borrowed from the catalog */
    json_t *params;                          /* in the workload's own order, owned */
    unsigned threads;                        /* 1 unless the workload is threaded */
};

enum { SELECTION_THREADS_MAX = 32 };

struct selection {
    struct selection_choice *choices;
    size_t choice_count;
    struct selection_point *points;
    size_t point_count;
    unsigned thread_counts[SELECTION_THREADS_MAX]; /* of threaded workloads */
    size_t thread_count_count;
};

/* Adds what a -b list names: a comma-separated list of ['!']GLOB[:ARM]['{K=V[,K=V…]}'], GLOB a
 * name, a glob, or a path with a '/' to a library; ARM an arm or "all". `arms` is the --arm list
 * for those without an ARM of their own; NULL: each one's default arm. A list of nothing but '!'
 * takes from all back ends, and a '!' wins over what comes before and after it. STATUS_INVALID or
 * STATUS_NOT_FOUND with a message that names the remedy. */
enum status selection_add_backends(struct selection *selection, struct registry *registry,
                                   const char *list, const char *arms, struct error *error);

/* Finds "NAME" or "NAME:ARM" (the default arm if it is not said) among the choices; adds it if it
 * is not there. *index is its place. */
enum status selection_require(struct selection *selection, struct registry *registry,
                              const char *spec, size_t *index, struct error *error);

/* Takes a --threads list, "1,2,4": how many threads the threaded workloads have, each number a
 * group of cells. Call before selection_add_workloads. STATUS_INVALID. */
enum status selection_set_threads(struct selection *selection, const char *list,
                                  struct error *error);

/* Adds the workloads that a -w list names (results/name_filter.h; "trace:FILE" for a trace), at
 * every combination of the values that the -p items give: "[WORKLOADS.]NAME=VALUE[,VALUE…]",
 * WORKLOADS a glob. The last item that fits a workload's parameter counts; without one it has its
 * default. A threaded workload is added with each of the thread counts. */
enum status selection_add_workloads(struct selection *selection, const struct catalog *catalog,
                                    const char *list, const struct text_list *parameters,
                                    struct error *error);

/* Multiplies the choices by the collectors that the -p items name ("*": all), if any does. Before
 * the base is looked for. STATUS_INVALID: no such collector. */
enum status selection_apply_collectors(struct selection *selection, const struct catalog *catalog,
                                       const struct text_list *parameters, struct error *error);

/* Is there a cell of the choice for the point? A workload of blocks has no collector to choose, and
 * a reference runs what it knows. */
bool selection_plans(const struct selection *selection, const struct selection_point *point,
                     size_t index);

/* Adds the same choice of another back end, which has the same arms. */
void selection_add_counterpart(struct selection *selection, size_t index, struct backend *backend);

/* Takes a choice out. */
void selection_drop(struct selection *selection, size_t index);

void selection_free(struct selection *selection);

#endif
