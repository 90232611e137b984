/* Well-known settings of allocators, one row each. `heapmill try --tune` tries them beside the
 * defaults. Constant. */
#ifndef HEAPMILL_RUN_COMMAND_TUNE_H
#define HEAPMILL_RUN_COMMAND_TUNE_H

#include "common/status.h"
#include "run/selection.h"

struct tune_setting {
    const char *backend;
    const char *name; /* of the environment variable */
    const char *value;
    const char *effect;   /* half a sentence */
    const char *document; /* the page of the allocator's authors that describes it */
};

/* The last row has a NULL backend. */
extern const struct tune_setting tune_settings[];

/* For each choice that has settings in the table, and has none of their variables yet, adds one
 * choice per setting. STATUS_NOT_FOUND: no choice has any. */
enum status tune_add_settings(struct selection *selection, struct error *error);

#endif
