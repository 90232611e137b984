/* How a back end's slow paths make themselves known to probe workers.
 *
 * A slow path is what a call leaves the inlined fast path for. A source with HEAP_MARKS_SLOW calls
 * heap_slow_mark in each; the contract's functions in backend.h ask after every call whether it was
 * marked, so that a call counts once, whatever it went through. Nothing in timed workers. */
#ifndef HEAPMILL_ALLOCATORS_PROBE_SLOW_H
#define HEAPMILL_ALLOCATORS_PROBE_SLOW_H

#include <stdbool.h>

#ifdef HEAPMILL_PROBE
/* Set by the call that this thread is in. */
extern _Thread_local bool heap_slow_path;

static inline void heap_slow_mark(void)
{
    heap_slow_path = true;
}

/* What happened was no call of the contract's. */
static inline void heap_slow_forget(void)
{
    heap_slow_path = false;
}
#else
#define heap_slow_forget() ((void)0)
#define heap_slow_mark() ((void)0)
#endif

#endif
