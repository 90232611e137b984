/* What a planted bug says of itself: included only by the patches in fuzz/bugs/, which are applied
 * to copies of the sources at build time.
 *
 * fuzz_bug_reached() stands where the wrong code begins, fuzz_bug_triggered() where its effect
 * differs from the right code's for the first time. Both only count; when the process ends with a
 * finding, or at exit, it prints "heapmill-fuzz: BUG <id> reached|triggered" (fuzz/oracle.c). */
#ifndef HEAPMILL_FUZZ_CANARY_H
#define HEAPMILL_FUZZ_CANARY_H

#include "fuzz/oracle.h"

static inline void fuzz_bug_reached(void)
{
    fuzz_counters->bug_reached++;
}

static inline void fuzz_bug_triggered(void)
{
    fuzz_counters->bug_triggered++;
}

#endif
