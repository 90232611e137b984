/* Weak references: a doubly linked list from each referent, and cutting it. */
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/weakref_list.h"
#include "gc/world.h"

static_assert(sizeof(struct weakref_object) == 64 + HEAP_OBJECT_EXTRA_BYTES,
              "PyWeakReference, 3.11");

enum { WEAKREF_BLOCK_BYTES = sizeof(struct gc_head) + sizeof(struct weakref_object) };

static struct weakref_object *weakref_from(const struct object *object)
{
    OBJECT_ASSERT(object->type == &weakref_type);
    return (struct weakref_object *)(uintptr_t)object;
}

/* ---------------------------------------------------------------- the referent's list */
/* Newest first, but behind the shared one without callback, so that this is found at once. */
static void weakref_link(struct weakref_object *self, struct object *referent)
{
    struct weakref_object **head = weakref_list_of(referent);
    bool behind = *head != NULL && self->hooks.callback != NULL && (*head)->hooks.callback == NULL;
    self->referent = referent;
    self->prev = behind ? *head : NULL;
    self->next = behind ? (*head)->next : *head;
    if (self->next != NULL) {
        self->next->prev = self;
    }
    if (behind) {
        (*head)->next = self;
    } else {
        GC_STORE(*head, self);
    }
}

static void weakref_unlink(struct weakref_object *self)
{
    if (self->referent == NULL) {
        return;
    }
    if (self->prev == NULL) {
        GC_STORE(*weakref_list_of(self->referent), self->next);
    } else {
        self->prev->next = self->next;
    }
    if (self->next != NULL) {
        self->next->prev = self->prev;
    }
    self->referent = NULL;
    self->prev = NULL;
    self->next = NULL;
}

/* A reference to the one without callback that may be given out again: not one whose own
 * deallocation was put off. */
static struct weakref_object *weakref_find_shared(const struct object *referent)
{
    struct weakref_object *first = *weakref_list_of(referent);
    bool found = first != NULL && first->hooks.callback == NULL && object_try_incref(&first->base);
    return found ? first : NULL;
}

/* ---------------------------------------------------------------- cutting */
void weakref_cut(struct object *weakref)
{
    struct weakref_object *self = weakref_from(weakref);
    WORLD_LOCK(gc_world_runtime, weakref_lock);
    weakref_unlink(self);
    self->hooks.callback = NULL;
    WORLD_UNLOCK(gc_world_runtime, weakref_lock);
}

/* Whether its callback is to be called: it is alive itself, and no garbage that is being freed. The
 * caller has a reference to it then. */
static bool weakref_wants_call(struct weakref_object *self)
{
    return self->hooks.callback != NULL && !gc_is_in_trash(&self->base) &&
           object_try_incref(&self->base);
}

void weakref_cut_all(struct object *referent, struct weakref_calls *calls)
{
    struct weakref_object **head = weakref_list_of(referent);
    while (*head != NULL) {
        struct weakref_object *weakref = *head;
        weakref_unlink(weakref);
        if (calls == NULL || !weakref_wants_call(weakref)) {
            weakref->hooks.callback = NULL;
            continue;
        }
        if (calls->last == NULL) {
            calls->first = weakref;
        } else {
            calls->last->next = weakref;
        }
        calls->last = weakref;
    }
}

static void weakref_release_owned(struct runtime *runtime, struct weakref_object *self)
{
    struct object *owned = self->hooks.owned;
    runtime_written(runtime, &self->base);
    self->hooks.owned = NULL;
    object_xdecref(runtime, owned);
}

uint64_t weakref_make_calls(struct runtime *runtime, struct weakref_calls *calls)
{
    uint64_t died = 0;
    while (calls->first != NULL) {
        struct weakref_object *weakref = calls->first;
        weakref_callback *callback = weakref->hooks.callback;
        calls->first = weakref->next;
        weakref->next = NULL;
        weakref->hooks.callback = NULL;
        callback(runtime, &weakref->base, weakref->hooks.owned, weakref->hooks.context);
        if (calls->releases_owned) {
            weakref_release_owned(runtime, weakref);
        }
        died += object_getrefcount(&weakref->base) == 1;
        object_decref(runtime, &weakref->base);
    }
    calls->last = NULL;
    return died;
}

/* ---------------------------------------------------------------- the type */
static int weakref_traverse(struct object *self, object_visit *visit, void *context)
{
    struct object *owned = weakref_from(self)->hooks.owned;
    return owned == NULL ? 0 : visit(owned, context);
}

static void weakref_clear(struct runtime *runtime, struct object *self)
{
    weakref_cut(self);
    weakref_release_owned(runtime, weakref_from(self));
}

static void weakref_dealloc(struct runtime *runtime, struct object *self)
{
    weakref_clear(runtime, self);
    runtime_free_container(runtime, self, WEAKREF_BLOCK_BYTES);
}

/* The links lead to it and back. */
static size_t weakref_check(const struct object *self)
{
    const struct weakref_object *weakref = weakref_from(self);
    if (weakref->referent == NULL) {
        return weakref->prev == NULL && weakref->next == NULL
                   ? 0
                   : object_report(self, "a dead weak reference is in a list");
    }
    const struct weakref_object *before =
        weakref->prev == NULL ? *weakref_list_of(weakref->referent) : weakref->prev->next;
    if (before != weakref || (weakref->next != NULL && weakref->next->prev != weakref)) {
        return object_report(self, "the links of a weak reference are broken");
    }
    return 0;
}

const struct type weakref_type = {
    .name = "weakref",
    .size = WEAKREF_BLOCK_BYTES,
    .heap_type = HEAP_INSTANCE,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED | TYPE_IS_WEAKREF,
    .traverse = weakref_traverse,
    .clear = weakref_clear,
    .dealloc = weakref_dealloc,
    .check = weakref_check,
};

/* ---------------------------------------------------------------- the verbs */
bool weakref_is_allowed(const struct object *referent)
{
    return (referent->type->flags & TYPE_HAS_WEAKREFS) != 0;
}

struct object *(weakref_new)(struct runtime *runtime, struct object *referent,
                             const struct weakref_hooks *hooks)
{
    OBJECT_ASSERT(weakref_is_allowed(referent));
    OBJECT_ASSERT(hooks == NULL || hooks->callback != NULL);
    WORLD_LOCK(runtime, weakref_lock);
    struct weakref_object *shared = hooks == NULL ? weakref_find_shared(referent) : NULL;
    WORLD_UNLOCK(runtime, weakref_lock);
    if (shared != NULL) {
        return &shared->base;
    }
    struct weakref_object *self =
        runtime_alloc_container(runtime, &weakref_type, WEAKREF_BLOCK_BYTES);
    if (self == NULL) {
        return NULL;
    }
    /* A collection on the way may have run code that made the shared one. */
    WORLD_LOCK(runtime, weakref_lock);
    shared = hooks == NULL ? weakref_find_shared(referent) : NULL;
    if (shared != NULL) {
        WORLD_UNLOCK(runtime, weakref_lock);
        runtime_free_container(runtime, &self->base, WEAKREF_BLOCK_BYTES);
        return &shared->base;
    }
    static const struct weakref_hooks none;
    self->hooks = hooks == NULL ? none : *hooks;
    if (self->hooks.owned != NULL) {
        object_incref(self->hooks.owned);
    }
    object_expect_try(&self->base);
    object_expect_try(referent);
    weakref_link(self, referent);
    WORLD_UNLOCK(runtime, weakref_lock);
    runtime_track(runtime, &self->base);
    return &self->base;
}

struct object *weakref_get(struct runtime *runtime, const struct object *weakref)
{
    const struct weakref_object *self = weakref_from(weakref);
#ifdef GC_FREE_THREADS
    WORLD_LOCK(runtime, weakref_lock);
    struct object *referent = self->referent;
    if (referent != NULL && !object_try_incref(referent)) {
        referent = NULL;
    }
    WORLD_UNLOCK(runtime, weakref_lock);
    return referent;
#else
    struct object *referent = self->referent;
    /* At zero its deallocation is under way, or was put off. */
    if (referent == NULL || object_getrefcount(referent) == 0) {
        return NULL;
    }
    if (object_is_biased(referent)) {
        runtime->collector.policy->written(
            runtime, &((struct weakref_object *)(uintptr_t)self)->base, referent);
    }
    return object_incref(referent);
#endif
}

size_t weakref_count(const struct object *referent)
{
    size_t count = 0;
    WORLD_LOCK(gc_world_runtime, weakref_lock);
    if (weakref_is_allowed(referent)) {
        const struct weakref_object *weakref = *weakref_list_of(referent);
        for (; weakref != NULL; weakref = weakref->next) {
            count += object_getrefcount(&weakref->base) != 0;
        }
    }
    WORLD_UNLOCK(gc_world_runtime, weakref_lock);
    return count;
}
