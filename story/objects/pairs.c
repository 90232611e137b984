/* A reference more and a reference less, for each of many objects, passes times: compiled once for
 * each policy of counts (gc/refcount/), as the function PAIRS_NAME. PAIRS_NONE: the empty loop. No
 * object dies, and all are the calling thread's. */
#include "story/objects/pairs.h"
#include "gc/object.h"

static struct object objects[PAIRS_OBJECTS];

#if defined(GC_REFCOUNT) && GC_REFCOUNT == GC_REFCOUNT_BIASED
/* There is no runtime with threads here: what its fast paths look at, and what they never come to.
 */
_Thread_local uint32_t gc_own_number = 1;

bool object_merge_zero(struct object *object)
{
    (void)object;
    fatal("an object of the story died");
}

bool object_drop_shared(struct object *object)
{
    (void)object;
    fatal("an object of the story was another thread's");
}
#endif

void PAIRS_NAME(uint64_t passes)
{
    for (int i = 0; i < PAIRS_OBJECTS; i++) {
        object_begin(&objects[i], NULL);
    }
    for (uint64_t pass = 0; pass < passes; pass++) {
        for (int i = 0; i < PAIRS_OBJECTS; i++) {
            heap_barrier(&objects[i]);
#ifndef PAIRS_NONE
            (void)object_incref(&objects[i]);
            heap_barrier(&objects[i]);
            if (object_drop(&objects[i])) {
                fatal("an object of the story died");
            }
#endif
            heap_barrier(&objects[i]);
        }
    }
}
