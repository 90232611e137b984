/* Garbage in a set of containers that is no range of the registry: what an increment or a set of
 * candidate roots comes to. Internal to the policies.
 *
 * The members' references to members are counted; a member with more references than that is alive,
 * and so are the members that it leads to. The rest are referred to by each other alone. The counts
 * are in registry.numbers, flags in registry.marks, the members in a vector whose address space is
 * reserved once. Synchronous: a region lives for one pause. */
#ifndef HEAPMILL_GC_POLICIES_REGION_H
#define HEAPMILL_GC_POLICIES_REGION_H

#include "gc/runtime.h"
#include "gc/trash.h"

enum region_mark {
    REGION_MEMBER = 1u << 0,
    REGION_ALIVE = 1u << 1,
    REGION_POLICY = 1u << 2, /* this one and those above are the policy's */
};

struct region {
    uint32_t *members; /* indices */
    uint32_t *alive;   /* those found alive, whose references are to be followed */
    uint32_t length;
    uint32_t alive_length;
    uint32_t expanded;  /* members whose references have been followed */
    uint32_t committed; /* members that there is memory for */
    uint32_t limit;
    uint8_t mask; /* only containers whose marks & mask == wanted are drawn in by region_expand */
    uint8_t wanted;
};

/* false: the system refuses the address space. */
bool region_open(struct region *region, uint32_t limit);
void region_close(struct region *region);
/* Empties the region and makes room for every container of the registry. false: no memory. */
bool region_begin(struct region *region, const struct registry *registry);
/* Enters a tracked container, unless it is a member. */
void region_add(struct runtime *runtime, struct region *region, uint32_t index);
/* Enters what the members lead to, as far as mask and wanted allow. */
void region_expand(struct runtime *runtime, struct region *region);
/* Frees the members that are garbage, in this pause, and counts them as of that generation. No
 * container is a member afterwards. */
struct gc_outcome region_collect(struct runtime *runtime, struct region *region, int generation);

#endif
