/* A table of counts by object, for the checker: how many references to each object were seen.
 * Open addressing in mapped memory, so that checking disturbs no heap. Internal to gc/. */
#ifndef HEAPMILL_GC_REFERENCE_CENSUS_H
#define HEAPMILL_GC_REFERENCE_CENSUS_H

#include "gc/object.h"

struct census_entry {
    const struct object *object; /* NULL: a free slot */
    int64_t references;
    bool listed; /* seen in a generation's list */
};

struct census {
    struct census_entry *entries;
    size_t capacity; /* a power of two */
    size_t length;
    bool failed; /* the system refused memory: the counts are worthless */
};

void census_open(struct census *census);
void census_close(struct census *census);
/* The entry of object, new and zero when it was not there; NULL once memory has been refused. Valid
 * until the next call. */
struct census_entry *census_entry_of(struct census *census, const struct object *object);

#endif
