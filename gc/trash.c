/* What is done with trash before it is freed. */
#include "gc/trash.h"

/* No type of object has a finalizer or weak references yet: there is nothing between finding and
 * freeing. */
void gc_trash_process(struct runtime *runtime, struct gc_trash *trash)
{
    (void)runtime;
    (void)trash;
}
