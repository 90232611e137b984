/* What a reference more and a reference less costs, by the policy of counts. */
#ifndef HEAPMILL_STORY_OBJECTS_PAIRS_H
#define HEAPMILL_STORY_OBJECTS_PAIRS_H

#include <stdint.h>

enum { PAIRS_OBJECTS = 1024 };

/* PAIRS_OBJECTS pairs a pass. One thread each. */
typedef void pairs_run(uint64_t passes);
pairs_run pairs_none, pairs_plain, pairs_atomic, pairs_biased;

#endif
