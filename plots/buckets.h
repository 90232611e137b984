/* Histograms as records have them, [[ns, count]…], of several rounds together: latencies, pauses.
 * Internal to plots/. */
#ifndef HEAPMILL_PLOTS_BUCKETS_H
#define HEAPMILL_PLOTS_BUCKETS_H

#include <jansson.h>
#include <stddef.h>

/* So many events took up to so many ns, and longer than the bucket before. */
struct bucket {
    double ns;
    double count;
};

/* All zero is empty. */
struct buckets {
    struct bucket *items; /* free() */
    size_t count;
};

/* Adds those of a record's object, its member "buckets". Events of 0 ns are left out: they have no
 * place on a logarithmic axis. */
void buckets_add(struct buckets *buckets, const json_t *object);

/* Sorts them by ns. How many events there are in all. */
double buckets_sort(struct buckets *buckets);

#endif
