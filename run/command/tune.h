/* Well-known settings of allocators, a row each: what `heapmill try --tune` tries beside the
 * defaults. Constant. */
#ifndef HEAPMILL_RUN_COMMAND_TUNE_H
#define HEAPMILL_RUN_COMMAND_TUNE_H

#include "common/status.h"
#include "run/selection.h"

struct tune_setting {
    const char *backend;
    const char *name; /* of the variable */
    const char *value;
    const char *effect;   /* half a sentence */
    const char *document; /* of the allocator's authors, where it is described */
};

/* Ends with a row whose backend is NULL. */
extern const struct tune_setting tune_settings[];

/* Adds to each choice that has settings in the table, and no variables of them yet, a choice with
 * each. STATUS_NOT_FOUND: no choice has any. */
enum status tune_add_settings(struct selection *selection, struct error *error);

#endif
