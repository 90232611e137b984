/* The workloads of this build, as the malloc worker describes them. Belongs to one thread. */
#ifndef HEAPMILL_RUN_CATALOG_H
#define HEAPMILL_RUN_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "run/registry.h"

enum { CATALOG_PARAMETERS_MAX = 8 };

/* Strings and JSON are borrowed from the description. */
struct catalog_parameter {
    const char *name;
    const char *unit;
    const char *summary;
    const json_t *standard; /* the default: a number, or a word */
    const json_t *choices;  /* array of words; NULL for a number */
    double minimum;
    double maximum;
};

struct catalog_workload {
    const char *name;
    const char *kind; /* "objects" or "blocks" */
    const char *family;
    const char *summary;
    bool single_shot;
    bool threaded; /* --threads is for it */
    struct catalog_parameter parameters[CATALOG_PARAMETERS_MAX];
    size_t parameter_count;
};

struct catalog {
    json_t *description;
    struct catalog_workload *workloads;
    size_t count;
};

/* STATUS_NOT_FOUND or STATUS_UNSUPPORTED when the malloc worker is missing or does not answer. */
enum status catalog_open(struct catalog *catalog, const struct registry *registry,
                         struct error *error);
void catalog_close(struct catalog *catalog);

/* NULL if the workload has no such parameter. */
const struct catalog_parameter *catalog_find_parameter(const struct catalog_workload *workload,
                                                       const char *name);

/* Turns text into the parameter's value (a new reference). STATUS_INVALID: not a number, out of
 * bounds, or none of the words; the message has what is allowed. */
enum status catalog_parse_value(const struct catalog_parameter *parameter, const char *text,
                                json_t **value, struct error *error);

#endif
