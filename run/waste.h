/* Asks each back end how many bytes a block can hold for each requested size: its size classes.
 * Belongs to one thread. */
#ifndef HEAPMILL_RUN_WASTE_H
#define HEAPMILL_RUN_WASTE_H

#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

struct waste_curve {
    const char *label;   /* "mimalloc:preload" */
    const char *backend; /* the name alone, which decides how it is drawn */
    const char *arm;
    const double *usable; /* bytes of a block for requests of 1, 2, … bytes */
    size_t count;
};

struct waste_survey {
    struct waste_curve *curves; /* in the order of the list */
    size_t count;
    struct text_list silent; /* labels of those that do not tell it, or could not be run */
};

/* Asks all back ends of the list, which is written as in `heapmill bench -b`. Errors are those of
 * the registry and the selection; STATUS_INVALID if none of them tells its sizes;
 * STATUS_INTERRUPTED. Release the survey in each case. */
enum status waste_survey_ask(struct waste_survey *survey, const char *backends,
                             struct error *error);
void waste_survey_release(struct waste_survey *survey);

#endif
