/* The leak detectors that look at a leak worker from outside: LeakSanitizer, memcheck, heaptrack,
 * each on a back end that tells it nothing and, where there is such a build, on one that tells it
 * of its blocks (allocators/annotate.h). Entries of the detectors' table. */
#ifndef HEAPMILL_LEAKS_OUTSIDE_H
#define HEAPMILL_LEAKS_OUTSIDE_H

#include "leaks/detectors.h"

extern const struct leaks_detector leaks_outside_lsan;
extern const struct leaks_detector leaks_outside_lsan_annotated;
extern const struct leaks_detector leaks_outside_memcheck;
extern const struct leaks_detector leaks_outside_memcheck_annotated;
extern const struct leaks_detector leaks_outside_heaptrack;

/* The share of what leaked, as blocks of objects and raw ones, that a report must add up to before
 * it counts as having found the leak. All but a tenth, since pointers that happen to lie in
 * registers or on the stack hide a block or two from any conservative scan. */
#define LEAKS_OUTSIDE_SHARE 0.9

#endif
