/* The figures of a story by their names. Private to story/.
 *
 * Each run leaves one object of JSON. "ages/churn/malloc/time" is the member `time` of `malloc` of
 * `churn` of what the run `ages` left; a name without a slash is one that `let` gave to an
 * expression. A run says in an array `absent` which names this machine has no figure for ("*": all
 * of its names). */
#ifndef HEAPMILL_STORY_FIGURES_H
#define HEAPMILL_STORY_FIGURES_H

#include <jansson.h>

#include "common/status.h"

struct figures {
    json_t *answers; /* by the run's name */
    json_t *lets;    /* numbers; null: it needs what is absent */
};

/* STATUS_OK: *value is borrowed. STATUS_UNSUPPORTED: this machine has none; STATUS_CORRUPT: there
 * should be one: the message names it. */
enum status figures_find(const struct figures *figures, const char *name, const json_t **value,
                         struct error *error);

/* The value of "a / b < 2 + 3": numbers and names with + - * /, and at most one comparison, which
 * gives 1 or 0. Blanks stand around each operator, as names may hold any of them. Errors as above.
 */
enum status figures_evaluate(const struct figures *figures, const char *expression, double *value,
                             struct error *error);

/* The sentence with each {NAME} or {NAME:FORMAT} replaced. FORMAT: bytes, ms (of a number of
 * milliseconds), ns, percent (of a part of 1), x (a ratio). Without one whole numbers have their
 * thousands apart, others three digits, and a text is itself. *text is the caller's; NULL after an
 * error. Errors as above. */
enum status figures_expand(const struct figures *figures, const char *sentence, char **text,
                           struct error *error);

#endif
