/* How long the collector stops the program, and how often: every step of every policy is a pause.
 *
 * A pause is timed in CPU time of its thread, so that an interrupt or a busy neighbour does not
 * count, and measured in containers visited, which no machine can disturb. Both are kept in
 * log-linear histograms. The minimum mutator utilisation over a window (Cheng and Blelloch, "A
 * Parallel, Real-Time Garbage Collector", PLDI 2001) is the least share of that window that was
 * the program's, wherever the window is laid; its clock is the thread's CPU time too.
 *
 * A pause costs two readings of that clock, some 0.2 us each, which are partly in it. Nothing
 * allocates. One thread, as the runtime that it belongs to. */
#ifndef HEAPMILL_GC_PAUSES_H
#define HEAPMILL_GC_PAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/histogram.h"

enum {
    PAUSES_WINDOWS = 3, /* 1, 10 and 100 ms: pauses_window_ns */
    /* Pauses that the longest window may hold; with more of them its utilisation is not known. */
    PAUSES_RECENT = 8192,
};

extern const uint64_t pauses_window_ns[PAUSES_WINDOWS];

/* In CPU time of the thread, in ns. */
struct pause {
    uint64_t begin_ns;
    uint64_t end_ns;
};

/* A window that slides along: what of the pauses since `oldest` lies in it, at worst. */
struct pauses_window {
    uint64_t oldest;   /* ordinal of the first pause that the window may still reach */
    uint64_t sum_ns;   /* of the pauses from there on, whole */
    uint64_t worst_ns; /* most pause time that the window ever held */
    bool cut;          /* it held more pauses than are remembered */
};

struct pauses {
    struct histogram cpu_ns;
    struct histogram visited; /* containers */
    uint64_t cpu_ns_total;
    uint64_t visited_total;
    uint64_t begun_ns; /* of the pause under way */
    unsigned depth;    /* pauses under way: a finalizer's collection is part of the outer pause */
    uint64_t since_ns; /* when the figures began */
    uint64_t count;    /* pauses so far: the next one's ordinal */
    uint64_t visiting; /* containers of the pause under way, from inner ones */
    void (*ended)(void *context); /* NULL, or called after each pause: for whoever keeps books */
    void *ended_context;
    struct pauses_window windows[PAUSES_WINDOWS];
    struct pause recent[PAUSES_RECENT]; /* the pause of ordinal n is at n % PAUSES_RECENT */
};

/* Forgets all pauses; the figures begin now. Leaves `ended` as it is. Not inside a pause. */
void pauses_reset(struct pauses *pauses);

/* Counts one pause that is over. Pauses come in order and do not overlap. What pauses_end does. */
void pauses_add(struct pauses *pauses, uint64_t begin_ns, uint64_t end_ns, uint64_t visited);

/* A step of the collector begins. Pauses nest: only the outermost counts, with all visited. */
static inline void pauses_begin(struct pauses *pauses)
{
    if (pauses->depth++ == 0) {
        pauses->visiting = 0;
        pauses->begun_ns = clock_thread_cpu_ns();
    }
}

/* It ends, and has visited that many containers. */
static inline void pauses_end(struct pauses *pauses, uint64_t visited)
{
    pauses->visiting += visited;
    if (--pauses->depth == 0) {
        pauses_add(pauses, pauses->begun_ns, clock_thread_cpu_ns(), pauses->visiting);
        if (pauses->ended != NULL) {
            pauses->ended(pauses->ended_context);
        }
    }
}

/* The least part (0 to 1) of any window of that length that was the program's, up to now_ns of the
 * thread's CPU clock; NAN when the figures are of less time than the window, or when the window
 * held more pauses than are remembered. window: index into pauses_window_ns. */
double pauses_utilisation(const struct pauses *pauses, int window, uint64_t now_ns);

struct runtime;
/* Those of the runtime's collector, since its opening or the last pauses_reset. */
struct pauses *runtime_pauses(struct runtime *runtime);

#endif
