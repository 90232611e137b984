/* The phases of a collection: which containers of a list are unreachable from outside of it, and
 * freeing those.
 *
 * After CPython 3.11, Modules/gcmodule.c (deduce_unreachable, delete_garbage), the algorithm of
 * Neil Schemenauer and Tim Peters: subtract the references that come from inside the list from each
 * count; what remains above zero is reachable from outside, and so is all that it refers to. Each
 * phase is one pass over the list in its own order and none allocates. */
#include "gc/collector.h"

#include "gc/objects.h"
#include "gc/runtime.h"

/* ---------------------------------------------------------------- the passes */
/* Copies each count to where the next passes work on it, and flags the containers as in the list.
 * The list is linked through `next` alone from here on. Returns its length. */
static uint64_t collector_update_refs(struct gc_head *young)
{
    uint64_t length = 0;
    for (struct gc_head *head = young->next; head != young; head = head->next) {
        uint64_t count = (uint64_t)gc_object_of(head)->refcount;
        head->prev =
            count << GC_REFERENCES_SHIFT | GC_FLAG_COLLECTING | (head->prev & GC_FLAG_FINALIZED);
        length++;
    }
    return length;
}

static int collector_visit_subtract(struct object *referent, void *context)
{
    (void)context;
    if (object_is_container(referent)) {
        struct gc_head *head = gc_head_of(referent);
        if (head->prev & GC_FLAG_COLLECTING) {
            OBJECT_ASSERT(head->prev >> GC_REFERENCES_SHIFT > 0);
            head->prev -= (uintptr_t)1 << GC_REFERENCES_SHIFT;
        }
    }
    return 0;
}

/* Takes the references from inside the list off: a count above zero then is one from outside. */
static void collector_subtract_refs(struct gc_head *young)
{
    for (struct gc_head *head = young->next; head != young; head = head->next) {
        struct object *object = gc_object_of(head);
        object->type->traverse(object, collector_visit_subtract, NULL);
    }
}

/* The referent of a reachable container is reachable. If it is still to come in young, its count is
 * made to say so; if it had been judged too soon, it goes back to the end of young, to be scanned
 * as reachable. */
static int collector_visit_reachable(struct object *referent, void *context)
{
    if (!object_is_container(referent)) {
        return 0;
    }
    struct gc_head *young = context;
    struct gc_head *head = gc_head_of(referent);
    uintptr_t finalized = head->prev & GC_FLAG_FINALIZED;
    uintptr_t reachable = (uintptr_t)1 << GC_REFERENCES_SHIFT | GC_FLAG_COLLECTING | finalized;
    if (head->prev & GC_FLAG_UNREACHABLE) {
        gc_list_remove(head);
        gc_list_append(young, head);
        head->prev = reachable;
    } else if (head->prev ==
               (GC_FLAG_COLLECTING | finalized)) { /* a count of zero: no link is that small */
        head->prev = reachable;
    }
    return 0;
}

/* Moves what has no reference from outside to unreachable and marks through what has. Behind the
 * point of work, young is doubly linked again and without flags. Returns the number moved and not
 * moved back. */
static uint64_t collector_move_unreachable(struct gc_head *young, struct gc_head *unreachable,
                                           uint64_t length)
{
    uint64_t reachable = 0;
    struct gc_head *last = young;
    struct gc_head *head = young->next;
    while (head != young) {
        if (head->prev >> GC_REFERENCES_SHIFT != 0) {
            struct object *object = gc_object_of(head);
            object->type->traverse(object, collector_visit_reachable, young);
            head->prev = (uintptr_t)last | (head->prev & GC_FLAG_FINALIZED);
            last = head;
            reachable++;
        } else {
            last->next = head->next;
            head->prev =
                GC_FLAG_COLLECTING | GC_FLAG_UNREACHABLE | (head->prev & GC_FLAG_FINALIZED);
            gc_list_append(unreachable, head);
        }
        head = last->next;
    }
    young->prev = (uintptr_t)last;
    return length - reachable;
}

uint64_t collector_find_unreachable(struct gc_head *young, struct gc_head *unreachable,
                                    uint64_t *unreachable_count)
{
    uint64_t length = collector_update_refs(young);
    collector_subtract_refs(young);
    *unreachable_count = collector_move_unreachable(young, unreachable, length);
    return length;
}

/* ---------------------------------------------------------------- freeing */
void collector_delete_garbage(struct runtime *runtime, struct gc_head *unreachable,
                              struct gc_head *old)
{
    while (!gc_list_is_empty(unreachable)) {
        struct gc_head *head = unreachable->next;
        struct object *object = gc_object_of(head);
        /* A reference of our own, so that the object outlives its own clear. */
        object_incref(object);
        object->type->clear(runtime, object);
        object_decref(runtime, object);
        if (unreachable->next == head) {
            /* Others of the garbage refer to it: it dies when the last of them has been cleared. */
            gc_list_remove(head);
            head->prev &= GC_FLAG_FINALIZED;
            gc_list_append(old, head);
        }
    }
}
