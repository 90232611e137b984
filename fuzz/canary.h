/* Counters of planted bugs. Only the patches in fuzz/bugs/ include this; they are applied to copies
 * of the sources at build time.
 *
 * fuzz_bug_reached() is called where the wrong code begins, fuzz_bug_triggered() where its effect
 * first differs from that of the right code. Both only count. When the process ends with a finding,
 * or at exit, it prints "heapmill-fuzz: BUG <id> reached|triggered" (fuzz/oracle.c). */
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
