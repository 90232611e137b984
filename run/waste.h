/* What a block of each back end can hold, by requested size: its size classes. One thread. */
#ifndef HEAPMILL_RUN_WASTE_H
#define HEAPMILL_RUN_WASTE_H

#include <stddef.h>

#include "common/host/text.h"
#include "common/status.h"

struct waste_curve {
    const char *label;   /* "mimalloc:preload" */
    const char *backend; /* the name alone: its look */
    const char *arm;
    const double *usable; /* bytes of a block for requests of 1, 2, … bytes */
    size_t count;
};

struct waste_survey {
    struct waste_curve *curves; /* in the order of the list */
    size_t count;
    struct text_list silent; /* labels of those that do not say it, or could not be run */
};

/* Asks all of the list, as in `heapmill bench -b`. Errors as the registry's and the selection's;
 * STATUS_INVALID: none of them says it; STATUS_INTERRUPTED. Release it in each case. */
enum status waste_survey_ask(struct waste_survey *survey, const char *backends,
                             struct error *error);
void waste_survey_release(struct waste_survey *survey);

#endif
