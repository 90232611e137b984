/* Holds what -b, -w and -p choose: back ends with their arms and environments, and workloads with
 * their parameters. The matrix has a cell for every choice on every point. Belongs to one
 * thread. */
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

/* Writes the point's parameters as "NAME=VALUE", with the separator between them. The caller frees.
 */
char *selection_parameters_text(const struct selection_point *point, const char *separator);

enum { SELECTION_THREADS_MAX = 32 };

struct selection {
    struct selection_choice *choices;
    size_t choice_count;
    struct selection_point *points;
    size_t point_count;
    unsigned thread_counts[SELECTION_THREADS_MAX]; /* of threaded workloads */
    size_t thread_count_count;
};

/* Adds the back ends that a -b list names. The list is comma-separated; an item is
 * ['!']GLOB[:ARM]['{K=V[,K=V…]}'], where GLOB is a name, a glob, or a path with a '/' to a library,
 * and ARM is an arm or "all". `arms` is the --arm list for items without an ARM; if it is NULL,
 * each back end has its default arm. A '!' takes back ends out, wherever it stands in the list; a
 * list of nothing but '!' takes them out of all back ends. Returns STATUS_INVALID or
 * STATUS_NOT_FOUND, with a message that names the remedy. */
enum status selection_add_backends(struct selection *selection, struct registry *registry,
                                   const char *list, const char *arms, struct error *error);

/* Finds "NAME" or "NAME:ARM" among the choices, and adds it if it is not there. Without an ARM it
 * is the default arm. *index is set to its place. */
enum status selection_require(struct selection *selection, struct registry *registry,
                              const char *spec, size_t *index, struct error *error);

/* Reads a --threads list such as "1,2,4": how many threads the threaded workloads have. Each number
 * makes a group of cells. Call this before selection_add_workloads. Returns STATUS_INVALID if the
 * list is wrong. */
enum status selection_set_threads(struct selection *selection, const char *list,
                                  struct error *error);

/* Adds the workloads that a -w list names (results/name_filter.h; "trace:FILE" for a trace), at
 * every combination of the values that the -p items give. An item is
 * "[WORKLOADS.]NAME=VALUE[,VALUE…]", where WORKLOADS is a glob. The last item that fits a parameter
 * of a workload counts; a parameter that no item fits has its default. A threaded workload is added
 * with each of the thread counts. */
enum status selection_add_workloads(struct selection *selection, const struct catalog *catalog,
                                    const char *list, const struct text_list *parameters,
                                    struct error *error);

/* Multiplies the choices by the collectors that the -p items name, if any item does; "*" means all.
 * Call this before the base is looked for. Returns STATUS_INVALID if there is no such collector. */
enum status selection_apply_collectors(struct selection *selection, const struct catalog *catalog,
                                       const struct text_list *parameters, struct error *error);

/* Tells whether the choice has a cell for the point. A workload of blocks has no collector to
 * choose, and a reference runs only the workloads that it knows. */
bool selection_plans(const struct selection *selection, const struct selection_point *point,
                     size_t index);

/* Adds the choice at index again, for another back end with the same arms. */
void selection_add_counterpart(struct selection *selection, size_t index, struct backend *backend);

/* Removes the choice at index. */
void selection_drop(struct selection *selection, size_t index);

void selection_free(struct selection *selection);

#endif
