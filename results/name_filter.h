/* Filters of names, as -b and -w take them: "pymalloc*,mimalloc,!tbb*". */
#ifndef HEAPMILL_RESULTS_NAME_FILTER_H
#define HEAPMILL_RESULTS_NAME_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* Does the filter let the name through? filter is a comma-separated list of globs (fnmatch); globs
 * that begin with '!' exclude names. If all globs begin with '!', all other names pass; otherwise
 * only matching names pass. NULL and "" let everything through. A comma inside {…} belongs to the
 * glob, as in "mimalloc{A=1,B=2}". A glob without '{' also matches a name up to its '{'. The order
 * does not matter: a '!' always wins. */
bool name_filter_matches(const char *filter, const char *name);

/* The same for a thing with several names ("malloc", "malloc:preload"): a glob matches the thing if
 * it matches one of the names. */
bool name_filter_matches_any(const char *filter, const char *const *names, size_t count);

/* Steps through the items of such a list. *rest is at first the list. *item and *length are the
 * next item, without blanks around it, possibly empty. Returns false at the end. Copies nothing. */
bool name_filter_next(const char **rest, const char **item, size_t *length);

#endif
