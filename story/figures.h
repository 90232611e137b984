/* Finds the figures of a story by their names. Private to story/.
 *
 * Each run gives one JSON object. "ages/churn/malloc/time" is the member `time` of `malloc` of
 * `churn` in the result of the run `ages`. A name without a slash was given to an expression by
 * `let`. A run's array `absent` lists names for which this machine has no figure ("*": all of its
 * names). */
#ifndef HEAPMILL_STORY_FIGURES_H
#define HEAPMILL_STORY_FIGURES_H

#include <jansson.h>

#include "common/status.h"

struct figures {
    json_t *answers; /* by the run's name */
    json_t *lets;    /* numbers; null: it depends on an absent figure */
};

/* STATUS_OK: *value is borrowed. STATUS_UNSUPPORTED: this machine has no such figure;
 * STATUS_CORRUPT: the figure should exist but does not, and the message names it. */
enum status figures_find(const struct figures *figures, const char *name, const json_t **value,
                         struct error *error);

/* Evaluates "a / b < 2 + 3": numbers and names with + - * /, and at most one comparison, which
 * gives 1 or 0. Each operator has blanks around it, because names may contain any operator. Errors
 * as above. */
enum status figures_evaluate(const struct figures *figures, const char *expression, double *value,
                             struct error *error);

/* Replaces each {NAME} or {NAME:FORMAT} in the sentence. FORMAT: bytes, ms (a number of
 * milliseconds), ns, percent (a part of 1), x (a ratio). Without a format, whole numbers have
 * separated thousands, other numbers three digits, and texts are unchanged. The caller frees *text;
 * NULL after an error. Errors as above. */
enum status figures_expand(const struct figures *figures, const char *sentence, char **text,
                           struct error *error);

#endif
