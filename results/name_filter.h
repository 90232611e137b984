/* Filters of names, as -b and -w take them: "pymalloc*,mimalloc,!tbb*". */
#ifndef HEAPMILL_RESULTS_NAME_FILTER_H
#define HEAPMILL_RESULTS_NAME_FILTER_H

#include <stdbool.h>
#include <stddef.h>

/* Is name let through? filter is a comma-separated list of globs (fnmatch); those that begin with
 * '!' take names away. A list of nothing but '!' begins with all names, any other with none; NULL
 * and "" let everything through. A comma inside {…} belongs to the glob, as in "mimalloc{A=1,B=2}".
 * A glob without
 * '{' also matches a name up to its '{'. Order does not matter: a '!' always wins. */
bool name_filter_matches(const char *filter, const char *name);

/* The same of a thing with several names ("malloc", "malloc:preload"): a glob that matches one of
 * them matches the thing. */
bool name_filter_matches_any(const char *filter, const char *const *names, size_t count);

/* Steps through the items of a list like that. *rest is the list at first; *item and *length
 * (without blanks around it) are the next item, possibly empty. false at the end. Nothing is
 * copied. */
bool name_filter_next(const char **rest, const char **item, size_t *length);

#endif
