/* Lists: a header, and the items in a vector of their own, which grows by an eighth. */
#include <string.h>

#include "gc/container.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum { LIST_CAPACITY_FIRST = 4 }; /* list_capacity_for(1) */

static struct list_object *list_of(const struct object *object)
{
    OBJECT_ASSERT(object->type == &list_type);
    return (struct list_object *)(uintptr_t)object;
}

/* A vector without room is one byte: PyMem_Realloc(items, 0) leaves a block, of the smallest size.
 */
static size_t list_vector_bytes(size_t capacity)
{
    return capacity == 0 ? 1 : capacity * sizeof(struct object *);
}

/* The capacity for length items, growth or shrinkage of one at a time: list_resize,
 * Objects/listobject.c, 3.11. Gives 0, 4, 8, 16, 24, 32, 40, 52, 64, 76… by appending. */
static size_t list_capacity_for(size_t length)
{
    return length == 0 ? 0 : (length + (length >> 3) + 6) & ~(size_t)3;
}

#ifndef GC_FREE_THREADS
/* Makes the vector that there is fit length items. false: exhausted, nothing has changed. */
static bool list_refit(struct runtime *runtime, struct list_object *list, size_t length)
{
    size_t capacity = list_capacity_for(length);
    struct object **items =
        heap_resize(runtime->heap, list->items, list_vector_bytes(list->capacity),
                    list_vector_bytes(capacity), HEAP_BUFFER);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

/* The vector shrinks when less than half of it is in use. A refused shrinkage leaves it as it is,
 * where CPython's pop would fail. */
static inline void list_shorten(struct runtime *runtime, struct list_object *list, size_t length)
{
    list->length = length;
    if (length < list->capacity >> 1) {
        (void)list_refit(runtime, list, length);
    }
}

#endif

/* Releases length items, from the last to the first as list_dealloc of 3.11, and their vector. */
static inline void list_release_items(struct runtime *runtime, struct object **items, size_t length,
                                      size_t capacity)
{
    for (size_t i = length; i-- > 0;) {
        object_decref_nested(runtime, items[i]);
    }
    if (items != NULL) {
        heap_free(runtime->heap, items, list_vector_bytes(capacity), HEAP_BUFFER);
    }
}

/* From the last item to the first, as list_traverse of 3.11. */
static int list_traverse(struct object *self, object_visit *visit, void *context)
{
    struct list_object *list = list_of(self);
    for (size_t i = list->length; i-- > 0;) {
        int result = visit(list->items[i], context);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

static __attribute__((noinline)) void list_free_block(struct runtime *runtime, struct object *self)
{
    runtime_free_container_of(runtime, self, HEAP_LIST_BYTES, HEAP_LIST);
}

/* The count of the item at that index has come to zero; those before it are yet to be released. */
static __attribute__((noinline)) void list_dealloc_from(struct runtime *runtime,
                                                        struct list_object *list, size_t index)
{
    object_release_nested(runtime, list->items[index]);
    list_release_items(runtime, list->items, index, list->capacity);
    list_free_block(runtime, &list->base);
}

/* In three functions, each of which ends with the call of the next: while no item dies, hardly a
 * register is to be saved. */
static void list_dealloc(struct runtime *runtime, struct object *self)
{
    struct list_object *list = list_of(self);
    struct object **items = list->items;
    for (size_t i = list->length; i != 0; i--) {
        if (__builtin_expect(object_drop(items[i - 1]), false)) {
            list_dealloc_from(runtime, list, i - 1);
            return;
        }
    }
    if (items != NULL) {
        heap_free(runtime->heap, items, list_vector_bytes(list->capacity), HEAP_BUFFER);
    }
    list_free_block(runtime, self);
}

static void list_discard(struct runtime *runtime, struct object *self)
{
    struct list_object *list = list_of(self);
    if (list->items != NULL) {
        heap_free(runtime->heap, list->items, list_vector_bytes(list->capacity), HEAP_BUFFER);
    }
    runtime_free_container_of(runtime, self, HEAP_LIST_BYTES, HEAP_LIST);
}

static size_t list_check(const struct object *self)
{
    const struct list_object *list = list_of(self);
    if (list->length > list->capacity || (list->items == NULL && list->capacity > 0)) {
        return object_report(self, "more items than its vector has room for");
    }
    for (size_t i = 0; i < list->length; i++) {
        if (list->items[i] == NULL) {
            return object_report(self, "an item is missing");
        }
    }
    return 0;
}

const struct type list_type = {
    .name = "list",
    .size = HEAP_LIST_BYTES,
    .heap_type = HEAP_LIST,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED | TYPE_COUNTS_NESTING,
    .layout = TYPE_LAYOUT_LIST,
    .traverse = list_traverse,
    .clear = list_clear,
    .dealloc = list_dealloc,
    .discard = list_discard,
    .check = list_check,
};

struct object *(list_new)(struct runtime *runtime)
{
    struct list_object *self = runtime_alloc_container(runtime, &list_type, HEAP_LIST_BYTES);
    if (self == NULL) {
        return NULL;
    }
    self->length = 0;
    self->items = NULL;
    self->capacity = 0;
    runtime_track(runtime, &self->base);
    return &self->base;
}

#ifndef GC_FREE_THREADS
/* The list is empty before the first item goes, as a deallocation may come back to it. */
void list_clear(struct runtime *runtime, struct object *object)
{
    struct list_object *list = list_of(object);
    struct object **items = list->items;
    size_t length = list->length;
    size_t capacity = list->capacity;
    runtime_written(runtime, object);
    list->items = NULL;
    list->length = 0;
    list->capacity = 0;
    list_release_items(runtime, items, length, capacity);
}

static inline void list_put(struct list_object *list, size_t length, struct object *item)
{
    list->items[length] = object_incref(item);
    list->length = length + 1;
}

/* The first item, in a vector of a constant size, which the back end's fast path folds. Out of
 * line, as the next one: an append with room, that nobody wants to hear of, saves no registers. */
static __attribute__((noinline)) bool
list_append_first(struct runtime *runtime, struct list_object *list, struct object *item)
{
    struct object **items =
        heap_alloc(runtime->heap, LIST_CAPACITY_FIRST * sizeof(*items), HEAP_BUFFER);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = LIST_CAPACITY_FIRST;
    list_put(list, 0, item);
    return true;
}

static __attribute__((noinline)) bool
list_append_slow(struct runtime *runtime, struct list_object *list, struct object *item)
{
    if (list->length == list->capacity && list->items != NULL &&
        !list_refit(runtime, list, list->length + 1)) {
        return false;
    }
    runtime_gained(runtime, &list->base, item);
    if (list->items == NULL) {
        return list_append_first(runtime, list, item);
    }
    list_put(list, list->length, item);
    return true;
}

bool list_append(struct runtime *runtime, struct object *list, struct object *item)
{
    struct list_object *self = list_of(list);
    if (self->length == self->capacity || object_is_biased(list)) {
        return self->items == NULL && !object_is_biased(list)
                   ? list_append_first(runtime, self, item)
                   : list_append_slow(runtime, self, item);
    }
    list_put(self, self->length, item);
    return true;
}

void list_set_item(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    struct list_object *self = list_of(list);
    OBJECT_ASSERT(index < self->length);
    struct object *old = self->items[index];
    runtime_gained(runtime, list, item);
    self->items[index] = object_incref(item);
    object_decref(runtime, old);
}

void list_give_item(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    struct list_object *self = list_of(list);
    OBJECT_ASSERT(index < self->length);
    struct object *old = self->items[index];
    runtime_given(runtime, list, item);
    self->items[index] = item;
    object_decref(runtime, old);
}

/* The items from index on have new positions: a policy that passes over them in slices begins anew.
 */
static void list_move_items(struct list_object *list, size_t to, size_t from, size_t count)
{
    gc_head_of(&list->base)->flags &= ~(uint32_t)GC_FLAG_SLICED;
    memmove(list->items + to, list->items + from, count * sizeof(struct object *));
}

bool list_insert(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    struct list_object *self = list_of(list);
    size_t length = self->length;
    OBJECT_ASSERT(index <= length);
    if (!list_append(runtime, list, item)) {
        return false;
    }
    list_move_items(self, index + 1, index, length - index);
    self->items[index] = item;
    return true;
}

void list_delete(struct runtime *runtime, struct object *list, size_t index)
{
    struct list_object *self = list_of(list);
    OBJECT_ASSERT(index < self->length);
    struct object *item = self->items[index];
    runtime_written(runtime, list);
    list_move_items(self, index, index + 1, self->length - index - 1);
    list_shorten(runtime, self, self->length - 1);
    object_decref(runtime, item);
}

struct object *list_item(const struct object *list, size_t index)
{
    OBJECT_ASSERT(index < list_of(list)->length);
    return list_of(list)->items[index];
}

struct object *list_pop(struct runtime *runtime, struct object *list)
{
    struct list_object *self = list_of(list);
    OBJECT_ASSERT(self->length > 0);
    size_t length = self->length - 1;
    struct object *item = self->items[length];
    runtime_written(runtime, list);
    runtime_moved(runtime, item);
    list_shorten(runtime, self, length);
    return item;
}

size_t list_length(const struct object *list)
{
    return list_of(list)->length;
}
#else
/* ---------------------------------------------------------------- the verbs with threads */
/* In this order: while items is one vector, length is never more than its room. What list_fetch
 * reads relies on it. */
static bool list_make_room(struct runtime *runtime, struct list_object *list, size_t length,
                           bool is_shared)
{
    if (list->items != NULL && length <= list->capacity) {
        return true;
    }
    size_t capacity = list_capacity_for(length);
    struct object **old = list->items;
    struct object **items =
        old != NULL && !is_shared
            ? heap_resize(runtime->heap, old, list_vector_bytes(list->capacity),
                          list_vector_bytes(capacity), HEAP_BUFFER)
            : heap_alloc(runtime->heap, list_vector_bytes(capacity), HEAP_BUFFER);
    if (items == NULL) {
        return false;
    }
    if (old != NULL && is_shared) {
        memcpy(items, old, list->length * sizeof(*items));
    }
    size_t old_capacity = list->capacity;
    GC_STORE(list->items, items);
    list->capacity = capacity;
    if (old != NULL && is_shared) {
        container_free_block(runtime, true, old, list_vector_bytes(old_capacity));
    }
    return true;
}

/* As the other list_shorten, but that the vector of a shared list stays as large as it is: a reader
 * may have seen the longer list. */
static void list_shorten(struct runtime *runtime, struct list_object *list, size_t length,
                         bool is_shared)
{
    GC_STORE(list->length, length);
    size_t capacity = list_capacity_for(length);
    if (length < list->capacity >> 1 && !is_shared) {
        struct object **items =
            heap_resize(runtime->heap, list->items, list_vector_bytes(list->capacity),
                        list_vector_bytes(capacity), HEAP_BUFFER);
        if (items != NULL) {
            GC_STORE(list->items, items);
            list->capacity = capacity;
        }
    }
}

/* Others may read meanwhile: one of them may see an item twice, or none. */
static void list_move_items(struct list_object *list, size_t to, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = to < from ? i : count - 1 - i;
        GC_STORE(list->items[to + k], list->items[from + k]);
    }
}

void list_clear(struct runtime *runtime, struct object *object)
{
    struct list_object *list = list_of(object);
    bool is_shared = container_enter(object);
    struct object **items = list->items;
    size_t length = list->length;
    size_t capacity = list->capacity;
    GC_STORE(list->length, 0);
    GC_STORE(list->items, NULL);
    list->capacity = 0;
    container_leave(object, is_shared);
    for (size_t i = length; i-- > 0;) {
        container_release(runtime, is_shared, items[i]);
    }
    if (items != NULL && is_shared) {
        container_retire(runtime, items, list_vector_bytes(capacity));
    } else if (items != NULL) {
        heap_free(runtime->heap, items, list_vector_bytes(capacity), HEAP_BUFFER);
    }
}

bool list_append(struct runtime *runtime, struct object *list, struct object *item)
{
    struct list_object *self = list_of(list);
    bool is_shared = container_enter(list);
    size_t length = self->length;
    bool has_room = list_make_room(runtime, self, length + 1, is_shared);
    if (has_room) {
        container_put(is_shared, item);
        GC_STORE(self->items[length], object_incref(item));
        GC_STORE(self->length, length + 1);
    }
    container_leave(list, is_shared);
    return has_room;
}

void list_give_item(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    struct list_object *self = list_of(list);
    bool is_shared = container_enter(list);
    OBJECT_ASSERT(index < self->length);
    struct object *old = self->items[index];
    container_put(is_shared, item);
    GC_STORE(self->items[index], item);
    container_leave(list, is_shared);
    container_release(runtime, is_shared, old);
}

void list_set_item(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    list_give_item(runtime, list, index, object_incref(item));
}

bool list_insert(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    struct list_object *self = list_of(list);
    bool is_shared = container_enter(list);
    size_t length = self->length;
    OBJECT_ASSERT(index <= length);
    bool has_room = list_make_room(runtime, self, length + 1, is_shared);
    if (has_room) {
        container_put(is_shared, item);
        list_move_items(self, index + 1, index, length - index);
        GC_STORE(self->items[index], object_incref(item));
        GC_STORE(self->length, length + 1);
    }
    container_leave(list, is_shared);
    return has_room;
}

void list_delete(struct runtime *runtime, struct object *list, size_t index)
{
    struct list_object *self = list_of(list);
    bool is_shared = container_enter(list);
    OBJECT_ASSERT(index < self->length);
    struct object *item = self->items[index];
    list_move_items(self, index, index + 1, self->length - index - 1);
    list_shorten(runtime, self, self->length - 1, is_shared);
    container_leave(list, is_shared);
    container_release(runtime, is_shared, item);
}

struct object *list_item(const struct object *list, size_t index)
{
    OBJECT_ASSERT(index < list_length(list));
    return GC_LOAD(GC_LOAD(list_of(list)->items)[index]);
}

/* NULL: another thread has emptied it. */
struct object *list_pop(struct runtime *runtime, struct object *list)
{
    struct list_object *self = list_of(list);
    bool is_shared = container_enter(list);
    struct object *item = NULL;
    if (self->length > 0) {
        item = self->items[self->length - 1];
        if (is_shared) { /* the list's own reference waits until nobody reads */
            (void)object_incref(item);
        }
        list_shorten(runtime, self, self->length - 1, is_shared);
    }
    container_leave(list, is_shared);
    if (is_shared && item != NULL) {
        container_release(runtime, true, item);
    }
    return item;
}

size_t list_length(const struct object *list)
{
    return GC_LOAD(list_of(list)->length);
}

/* No vector is used again while the caller reads, so one that was there before and after was there
 * in between, and the length was of it. */
struct object *list_fetch(struct runtime *runtime, struct object *list, size_t index)
{
    struct list_object *self = list_of(list);
    (void)runtime;
    container_expect_read(list);
    for (;;) {
        struct object **items = GC_LOAD(self->items);
        GC_POINT();
        size_t length = GC_LOAD(self->length);
        if (items != GC_LOAD(self->items)) {
            continue;
        }
        if (items == NULL || index >= length) {
            return NULL;
        }
        struct object *item = GC_LOAD(items[index]);
        GC_POINT();
        return object_incref(item);
    }
}
#endif
