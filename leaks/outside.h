/* Leak detectors that examine a leak worker from outside: LeakSanitizer, memcheck, heaptrack. Each
 * runs on a back end that tells it nothing and, if there is such a build, on one that tells it
 * about its blocks (allocators/annotate.h). They are entries of the detectors' table. */
#ifndef HEAPMILL_LEAKS_OUTSIDE_H
#define HEAPMILL_LEAKS_OUTSIDE_H

#include "leaks/detectors.h"

extern const struct leaks_detector leaks_outside_lsan;
extern const struct leaks_detector leaks_outside_lsan_annotated;
extern const struct leaks_detector leaks_outside_memcheck;
extern const struct leaks_detector leaks_outside_memcheck_annotated;
extern const struct leaks_detector leaks_outside_heaptrack;

/* A report counts as having found the leak if it adds up to this share of the leaked blocks (of
 * objects, and raw ones). It is not 1, since pointers that happen to lie in registers or on the
 * stack hide a block or two from any conservative scan. */
#define LEAKS_OUTSIDE_SHARE 0.9

#endif
