/* The ledger's audit: every reference recounted, and shortest chains of referrers.
 *
 * The objects are the ledger's, so that atoms and untracked containers are among them too. Notes
 * are kept by the objects' slots in the ledger's table, which nothing changes meanwhile. */
#include "gc/ledger.h"

#ifdef HEAPMILL_LEDGER

#include "common/os_memory.h"
#include "gc/ledger_books.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum { AUDIT_NONE = -1 };

struct audit {
    const struct runtime *runtime;
    const struct ledger *ledger;
    int32_t *explained; /* references from containers and the runtime, by slot */
    int64_t *referrer;  /* the slot from which the search came; AUDIT_NONE; itself: a beginning */
    uint32_t *queue;
    size_t queued;
    size_t current; /* the slot whose references are being visited */
    size_t target;
};

/* ---------------------------------------------------------------- recounting */
static struct object *audit_object(const struct audit *audit, size_t slot)
{
    return (struct object *)(uintptr_t)audit->ledger->entries[slot].object;
}

static int audit_count(struct object *referent, void *context)
{
    struct audit *audit = context;
    size_t slot = ledger_slot_of(audit->ledger, referent);
    if (slot != SIZE_MAX) {
        audit->explained[slot]++;
    }
    return 0;
}

static void audit_visit_referents(struct audit *audit, size_t slot, object_visit *visit)
{
    struct object *object = audit_object(audit, slot);
    if (object != NULL && object_is_container(object)) {
        audit->current = slot;
        object->type->traverse(object, visit, audit);
    }
}

static void audit_recount(struct audit *audit)
{
    for (size_t slot = 0; slot < audit->ledger->entry_capacity; slot++) {
        audit_visit_referents(audit, slot, audit_count);
    }
    runtime_visit_own(audit->runtime, audit_count, audit);
}

static void audit_close(const struct audit *audit)
{
    size_t capacity = audit->ledger->entry_capacity;
    if (audit->explained != NULL) {
        os_unmap(audit->explained, capacity * sizeof(*audit->explained));
    }
    if (audit->referrer != NULL) {
        os_unmap(audit->referrer, capacity * sizeof(*audit->referrer));
    }
    if (audit->queue != NULL) {
        os_unmap(audit->queue, capacity * sizeof(*audit->queue));
    }
}

/* false: memory was refused. Close in either case. */
static bool audit_open(struct audit *audit, const struct runtime *runtime, bool searching)
{
    *audit = (struct audit){.runtime = runtime, .ledger = &runtime->ledger};
    size_t capacity = audit->ledger->entry_capacity;
    audit->explained = os_map_scratch(capacity * sizeof(*audit->explained));
    if (audit->explained == NULL) {
        return false;
    }
    if (searching) {
        audit->referrer = os_map_scratch(capacity * sizeof(*audit->referrer));
        audit->queue = os_map_scratch(capacity * sizeof(*audit->queue));
        if (audit->referrer == NULL || audit->queue == NULL) {
            return false;
        }
        for (size_t slot = 0; slot < capacity; slot++) {
            audit->referrer[slot] = AUDIT_NONE;
        }
    }
    audit_recount(audit);
    return true;
}

static struct ledger_finding audit_finding(const struct audit *audit, size_t slot)
{
    struct object *object = audit_object(audit, slot);
    int64_t refcount = object_getrefcount(object);
    return (struct ledger_finding){.object = object,
                                   .row = &audit->ledger->rows[audit->ledger->entries[slot].row],
                                   .refcount = refcount,
                                   .explained = audit->explained[slot],
                                   .names = refcount - audit->explained[slot]};
}

bool ledger_audit(const struct runtime *runtime, ledger_report *report, void *context)
{
    struct audit audit;
    bool opened = audit_open(&audit, runtime, false);
    for (size_t slot = 0; opened && slot < audit.ledger->entry_capacity; slot++) {
        const struct object *object = audit_object(&audit, slot);
        if (object != NULL && !object_is_immortal(object)) {
            struct ledger_finding finding = audit_finding(&audit, slot);
            if (finding.names != 0) {
                report(&finding, context);
            }
        }
    }
    audit_close(&audit);
    return opened;
}

/* ---------------------------------------------------------------- searching */
static void audit_enqueue(struct audit *audit, size_t slot, size_t from)
{
    if (audit->referrer[slot] == AUDIT_NONE) {
        audit->referrer[slot] = (int64_t)from;
        audit->queue[audit->queued++] = (uint32_t)slot;
    }
}

static int audit_visit_search(struct object *referent, void *context)
{
    struct audit *audit = context;
    size_t slot = ledger_slot_of(audit->ledger, referent);
    if (slot != SIZE_MAX) {
        audit_enqueue(audit, slot, audit->current);
    }
    return 0;
}

/* Breadth first from what is queued, until the target has been reached. */
static bool audit_search(struct audit *audit)
{
    for (size_t i = 0; i < audit->queued && audit->referrer[audit->target] == AUDIT_NONE; i++) {
        audit_visit_referents(audit, audit->queue[i], audit_visit_search);
    }
    return audit->referrer[audit->target] != AUDIT_NONE;
}

/* Writes the chain that ends at the target, its beginning first. Returns its length. */
static size_t audit_write_chain(const struct audit *audit, struct ledger_finding *links,
                                size_t capacity)
{
    size_t length = 1;
    for (size_t slot = audit->target; audit->referrer[slot] != (int64_t)slot;
         slot = (size_t)audit->referrer[slot]) {
        length++;
    }
    size_t slot = audit->target;
    for (size_t i = length; i-- > 0; slot = (size_t)audit->referrer[slot]) {
        if (i < capacity) {
            links[i] = audit_finding(audit, slot);
        }
    }
    return length;
}

size_t ledger_find_chain(const struct runtime *runtime, const struct object *target,
                         struct ledger_finding *links, size_t capacity)
{
    struct audit audit;
    size_t length = 0;
    bool opened = audit_open(&audit, runtime, true);
    audit.target = ledger_slot_of(audit.ledger, target);
    if (opened && audit.target != SIZE_MAX) {
        for (size_t slot = 0; slot < audit.ledger->entry_capacity; slot++) {
            const struct object *object = audit_object(&audit, slot);
            if (object != NULL && (object_is_immortal(object) ||
                                   object_getrefcount(object) > audit.explained[slot])) {
                audit_enqueue(&audit, slot, slot);
            }
        }
        length = audit_search(&audit) ? audit_write_chain(&audit, links, capacity) : 0;
    }
    audit_close(&audit);
    return length;
}

/* Whether the container refers to the target. */
static int audit_visit_closes(struct object *referent, void *context)
{
    const struct audit *audit = context;
    return referent == audit_object(audit, audit->target);
}

/* The first in breadth-first order from the target that refers to it is the end of a shortest
 * cycle. */
size_t ledger_find_cycle(const struct runtime *runtime, const struct object *target,
                         struct ledger_finding *links, size_t capacity)
{
    struct audit audit;
    size_t length = 0;
    bool opened = audit_open(&audit, runtime, true);
    size_t origin = ledger_slot_of(audit.ledger, target);
    if (opened && origin != SIZE_MAX) {
        audit.target = origin;
        audit_enqueue(&audit, origin, origin);
        for (size_t i = 0; i < audit.queued && length == 0; i++) {
            struct object *object = audit_object(&audit, audit.queue[i]);
            if (object_is_container(object) &&
                object->type->traverse(object, audit_visit_closes, &audit) != 0) {
                audit.target = audit.queue[i];
                length = audit_write_chain(&audit, links, capacity);
            } else {
                audit_visit_referents(&audit, audit.queue[i], audit_visit_search);
            }
        }
    }
    audit_close(&audit);
    return length;
}

#endif
