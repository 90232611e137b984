/* Dicts: ordered and compact. One buffer holds a header, an index table of 1-, 2- or 4-byte slots
 * and a vector of 24-byte entries in insertion order; a slot holds the ordinal of an entry.
 *
 * After CPython 3.6's Objects/dictobject.c (Hettinger's layout of 2012); the header's size and the
 * sizing rules are 3.11's. 3.11 gives dicts whose keys are all strs 16-byte entries, and instances
 * of a class one shared table of keys: neither is done here. */
#include <string.h>

#include "gc/container.h"
#include "gc/objects.h"
#include "gc/runtime.h"

enum {
    DICT_LOG2_SLOTS_MIN = 3, /* PyDict_MINSIZE is 8, Objects/dictobject.c, 3.11 */
    DICT_GROWTH = 3,         /* GROWTH_RATE: a new table has used * 3 slots or more */
    DICT_PERTURB_SHIFT = 5,  /* PERTURB_SHIFT */
    DICT_SLOT_EMPTY = -1,    /* DKIX_EMPTY */
    DICT_SLOT_DELETED = -2,  /* DKIX_DUMMY */
};

struct dict_entry {
    uint64_t hash;
    struct object *key; /* NULL: deleted */
    struct object *value;
};
static_assert(sizeof(struct dict_entry) == 24, "PyDictKeyEntry, 3.11");

/* The index table and the entries follow. */
struct dict_keys {
    uint64_t log2_slots;
    uint64_t usable; /* entries that may still be added; deletion gives none back */
    uint64_t length; /* entries, the deleted too */
    uint64_t unused; /* kept for the size: dk_refcnt and dk_version of 3.11 */
};
static_assert(sizeof(struct dict_keys) == 32, "struct _dictkeysobject, 3.11");

static struct dict_object *dict_of(const struct object *object)
{
    OBJECT_ASSERT(object->type == &dict_type);
    return (struct dict_object *)(uintptr_t)object;
}

/* ---------------------------------------------------------------- the table */
/* USABLE_FRACTION: two thirds of the slots. */
static uint64_t dict_usable_entries(uint64_t log2_slots)
{
    return ((uint64_t)2 << log2_slots) / 3;
}

/* Slots are as wide as the largest ordinal needs, the two negative marks included. */
static size_t dict_index_bytes(uint64_t log2_slots)
{
    size_t width = log2_slots < 8 ? 1 : log2_slots < 16 ? 2 : 4;
    return width << log2_slots;
}

static size_t dict_keys_bytes(uint64_t log2_slots)
{
    return sizeof(struct dict_keys) + dict_index_bytes(log2_slots) +
           dict_usable_entries(log2_slots) * sizeof(struct dict_entry);
}

static struct dict_entry *dict_entries(const struct dict_keys *keys)
{
    return (struct dict_entry *)((uintptr_t)(keys + 1) + dict_index_bytes(keys->log2_slots));
}

static int64_t dict_slot(const struct dict_keys *keys, uint64_t slot)
{
    const void *index = keys + 1;
    if (keys->log2_slots < 8) {
        return GC_LOAD(((const int8_t *)index)[slot]);
    }
    if (keys->log2_slots < 16) {
        return GC_LOAD(((const int16_t *)index)[slot]);
    }
    return GC_LOAD(((const int32_t *)index)[slot]);
}

static void dict_set_slot(struct dict_keys *keys, uint64_t slot, int64_t ordinal)
{
    void *index = keys + 1;
    if (keys->log2_slots < 8) {
        GC_STORE(((int8_t *)index)[slot], (int8_t)ordinal);
    } else if (keys->log2_slots < 16) {
        GC_STORE(((int16_t *)index)[slot], (int16_t)ordinal);
    } else {
        GC_STORE(((int32_t *)index)[slot], (int32_t)ordinal);
    }
}

static struct dict_keys *dict_keys_new(struct runtime *runtime, uint64_t log2_slots)
{
    struct dict_keys *keys = heap_alloc(runtime->heap, dict_keys_bytes(log2_slots), HEAP_BUFFER);
    if (keys == NULL) {
        return NULL;
    }
    *keys = (struct dict_keys){.log2_slots = log2_slots, .usable = dict_usable_entries(log2_slots)};
    memset(keys + 1, 0xff, dict_index_bytes(log2_slots)); /* DICT_SLOT_EMPTY at any width */
    return keys;
}

static void dict_keys_free(struct runtime *runtime, struct dict_keys *keys)
{
    heap_free(runtime->heap, keys, dict_keys_bytes(keys->log2_slots), HEAP_BUFFER);
}

/* The sequence in which slots are tried: every slot comes, and the hash's high bits soon matter. */
struct dict_probe {
    uint64_t slot;
    uint64_t perturb;
    uint64_t mask;
};

static struct dict_probe dict_probe_begin(const struct dict_keys *keys, uint64_t hash)
{
    uint64_t mask = ((uint64_t)1 << keys->log2_slots) - 1;
    return (struct dict_probe){.slot = hash & mask, .perturb = hash, .mask = mask};
}

static void dict_probe_next(struct dict_probe *probe)
{
    probe->perturb >>= DICT_PERTURB_SHIFT;
    probe->slot = (probe->slot * 5 + probe->perturb + 1) & probe->mask;
}

/* An int's hash is its value, as CPython's below 2^61 − 1, but for that of −1. */
static uint64_t dict_hash_key(struct object *key)
{
    OBJECT_ASSERT(key->type == &str_type || key->type == &int_type);
    return key->type == &str_type ? str_hash(key) : (uint64_t)int_value(key);
}

static bool dict_keys_equal(struct object *a, struct object *b)
{
    if (a->type != b->type) {
        return false;
    }
    return a->type == &str_type ? str_equal(a, b) : int_value(a) == int_value(b);
}

/* The entry of key, its slot in *slot; NULL: absent. */
static struct dict_entry *dict_find(const struct dict_keys *keys, struct object *key, uint64_t hash,
                                    uint64_t *slot)
{
    struct dict_entry *entries = dict_entries(keys);
    struct dict_probe probe = dict_probe_begin(keys, hash);
    for (;; dict_probe_next(&probe)) {
        int64_t ordinal = dict_slot(keys, probe.slot);
        if (ordinal == DICT_SLOT_EMPTY) {
            return NULL;
        }
        if (ordinal != DICT_SLOT_DELETED) {
            struct dict_entry *entry = &entries[ordinal];
#ifdef GC_FREE_THREADS
            struct object *found = GC_LOAD(entry->key); /* NULL: it is being deleted */
            if (found == key ||
                (found != NULL && entry->hash == hash && dict_keys_equal(found, key))) {
#else
            if (entry->key == key || (entry->hash == hash && dict_keys_equal(entry->key, key))) {
#endif
                *slot = probe.slot;
                return entry;
            }
        }
    }
}

/* Adds an entry for a key that is absent; keys->usable > 0. Steals the references. */
static void dict_keys_add(struct dict_keys *keys, struct dict_entry entry)
{
    struct dict_probe probe = dict_probe_begin(keys, entry.hash);
    while (dict_slot(keys, probe.slot) >= 0) {
        dict_probe_next(&probe);
    }
#ifdef GC_FREE_THREADS /* whoever finds the slot finds the entry */
    dict_entries(keys)[keys->length] = entry;
    dict_set_slot(keys, probe.slot, (int64_t)keys->length);
#else
    dict_set_slot(keys, probe.slot, (int64_t)keys->length);
    dict_entries(keys)[keys->length] = entry;
#endif
    keys->length++;
    keys->usable--;
}

/* Gives the dict a table with room for one more entry, without the deleted ones. false: exhausted,
 * nothing has changed. */
static bool dict_grow(struct runtime *runtime, struct dict_object *dict, bool is_shared)
{
    uint64_t log2_slots = DICT_LOG2_SLOTS_MIN;
    while (((uint64_t)1 << log2_slots) < dict->used * DICT_GROWTH) {
        log2_slots++;
    }
    struct dict_keys *keys = dict_keys_new(runtime, log2_slots);
    if (keys == NULL) {
        return false;
    }
    struct dict_keys *old = dict->keys;
    if (old != NULL) {
        const struct dict_entry *entries = dict_entries(old);
        for (uint64_t i = 0; i < old->length; i++) {
            if (entries[i].key != NULL) {
                dict_keys_add(keys, entries[i]);
            }
        }
#ifndef GC_FREE_THREADS
        dict_keys_free(runtime, old);
#endif
    }
#ifdef GC_FREE_THREADS
    GC_STORE(dict->keys, keys);
    if (old != NULL) { /* which others may be reading until now */
        container_free_block(runtime, is_shared, old, dict_keys_bytes(old->log2_slots));
    }
#else
    (void)is_shared;
    dict->keys = keys;
    gc_head_of(&dict->base)->flags &= ~(uint32_t)GC_FLAG_SLICED;
#endif
    return true;
}

/* ---------------------------------------------------------------- the type */
/* Releases the table and its references, in insertion order as dictkeys_decref of 3.11. */
static void dict_release_keys(struct runtime *runtime, struct dict_keys *keys)
{
    if (keys != NULL) {
        struct dict_entry *entries = dict_entries(keys);
        for (uint64_t i = 0; i < keys->length; i++) {
            object_xdecref(runtime, entries[i].key);
            object_xdecref(runtime, entries[i].value);
        }
        dict_keys_free(runtime, keys);
    }
}

static int dict_traverse(struct object *self, object_visit *visit, void *context)
{
    const struct dict_keys *keys = dict_of(self)->keys;
    if (keys == NULL) {
        return 0;
    }
    const struct dict_entry *entries = dict_entries(keys);
    for (uint64_t i = 0; i < keys->length; i++) {
        int result = entries[i].key == NULL ? 0 : visit(entries[i].key, context);
        if (result == 0 && entries[i].key != NULL) {
            result = visit(entries[i].value, context);
        }
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

#ifdef GC_FREE_THREADS
static void dict_retire_keys(struct runtime *runtime, struct dict_keys *keys)
{
    struct dict_entry *entries = dict_entries(keys);
    for (uint64_t i = 0; i < keys->length; i++) {
        if (entries[i].key != NULL) {
            container_retire(runtime, entries[i].key, 0);
            container_retire(runtime, entries[i].value, 0);
        }
    }
    container_retire(runtime, keys, dict_keys_bytes(keys->log2_slots));
}
#endif

void dict_clear(struct runtime *runtime, struct object *self)
{
    struct dict_object *dict = dict_of(self);
    bool is_shared = container_enter(self);
    struct dict_keys *keys = dict->keys;
    runtime_written(runtime, self);
    GC_STORE(dict->keys, NULL);
    GC_STORE(dict->used, 0);
    container_leave(self, is_shared);
#ifdef GC_FREE_THREADS
    if (is_shared && keys != NULL) {
        dict_retire_keys(runtime, keys);
        return;
    }
#endif
    dict_release_keys(runtime, keys);
}

static void dict_dealloc(struct runtime *runtime, struct object *self)
{
    dict_release_keys(runtime, dict_of(self)->keys);
    runtime_free_container(runtime, self, HEAP_DICT_BYTES);
}

static void dict_discard(struct runtime *runtime, struct object *self)
{
    if (dict_of(self)->keys != NULL) {
        dict_keys_free(runtime, dict_of(self)->keys);
    }
    runtime_free_container(runtime, self, HEAP_DICT_BYTES);
}

/* Each live entry is found by its key, in one slot; nothing else is in the index. */
static size_t dict_check(const struct object *self)
{
    const struct dict_object *dict = dict_of(self);
    const struct dict_keys *keys = dict->keys;
    if (keys == NULL) {
        return dict->used == 0 ? 0 : object_report(self, "entries without a table");
    }
    uint64_t live = 0;
    uint64_t indexed = 0;
    size_t broken = 0;
    for (uint64_t i = 0; i < keys->length; i++) {
        struct dict_entry *entry = &dict_entries(keys)[i];
        uint64_t slot = 0;
        live += entry->key != NULL;
        if (entry->key != NULL &&
            (entry->value == NULL || entry->hash != dict_hash_key(entry->key) ||
             dict_find(keys, entry->key, entry->hash, &slot) != entry)) {
            broken += object_report(self, "an entry is not found by its key");
        }
    }
    for (uint64_t slot = 0; slot >> keys->log2_slots == 0; slot++) {
        indexed += dict_slot(keys, slot) >= 0;
    }
    if (live != dict->used || indexed != live) {
        broken += object_report(self, "used, entries and index do not agree");
    }
    if (keys->length + keys->usable != dict_usable_entries(keys->log2_slots)) {
        broken += object_report(self, "the room left does not agree with the entries made");
    }
    return broken;
}

const struct type dict_type = {
    .name = "dict",
    .size = HEAP_DICT_BYTES,
    .heap_type = HEAP_DICT,
    .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED,
    .traverse = dict_traverse,
    .clear = dict_clear,
    .dealloc = dict_dealloc,
    .discard = dict_discard,
    .check = dict_check,
};

/* ---------------------------------------------------------------- the verbs */
struct object *(dict_new)(struct runtime *runtime)
{
    struct dict_object *self = runtime_alloc_container(runtime, &dict_type, HEAP_DICT_BYTES);
    if (self == NULL) {
        return NULL;
    }
    self->used = 0;
    self->unused_version = 0;
    self->keys = NULL;
    self->unused_values = NULL;
    runtime_track(runtime, &self->base);
    return &self->base;
}

bool dict_set(struct runtime *runtime, struct object *dict, struct object *key,
              struct object *value)
{
    struct dict_object *self = dict_of(dict);
    uint64_t hash = dict_hash_key(key);
    uint64_t slot = 0;
    bool is_shared = container_enter(dict);
    struct dict_entry *entry = self->keys == NULL ? NULL : dict_find(self->keys, key, hash, &slot);
    runtime_gained(runtime, dict, value);
    container_put(is_shared, value);
    if (entry != NULL) {
        struct object *old = entry->value;
        GC_STORE(entry->value, object_incref(value));
        container_leave(dict, is_shared);
        container_release(runtime, is_shared, old);
        return true;
    }
    if ((self->keys == NULL || self->keys->usable == 0) && !dict_grow(runtime, self, is_shared)) {
        container_leave(dict, is_shared);
        return false;
    }
    dict_keys_add(self->keys, (struct dict_entry){hash, object_incref(key), object_incref(value)});
    GC_STORE(self->used, self->used + 1);
    container_leave(dict, is_shared);
    return true;
}

struct object *dict_get(const struct object *dict, struct object *key)
{
    const struct dict_keys *keys = GC_LOAD(dict_of(dict)->keys);
    if (keys == NULL) {
        return NULL;
    }
    uint64_t slot = 0;
    const struct dict_entry *entry = dict_find(keys, key, dict_hash_key(key), &slot);
    return entry == NULL ? NULL : GC_LOAD(entry->value);
}

#ifdef GC_FREE_THREADS
/* What is found is alive until the caller's next safe point, wherever it is by then. */
struct object *dict_fetch(struct runtime *runtime, struct object *dict, struct object *key)
{
    (void)runtime;
    container_expect_read(dict);
    struct object *value = dict_get(dict, key);
    GC_POINT();
    return value == NULL ? NULL : object_incref(value);
}
#endif

bool dict_delete(struct runtime *runtime, struct object *dict, struct object *key)
{
    struct dict_object *self = dict_of(dict);
    uint64_t slot = 0;
    bool is_shared = container_enter(dict);
    struct dict_entry *entry =
        self->keys == NULL ? NULL : dict_find(self->keys, key, dict_hash_key(key), &slot);
    if (entry == NULL) {
        container_leave(dict, is_shared);
        return false;
    }
    runtime_written(runtime, dict);
    struct object *old_key = entry->key;
    struct object *old_value = entry->value;
    dict_set_slot(self->keys, slot, DICT_SLOT_DELETED);
    GC_STORE(entry->key, NULL);
    GC_STORE(entry->value, NULL);
    GC_STORE(self->used, self->used - 1);
    container_leave(dict, is_shared);
    container_release(runtime, is_shared, old_key);
    container_release(runtime, is_shared, old_value);
    return true;
}

size_t dict_length(const struct object *dict)
{
    return GC_LOAD(dict_of(dict)->used);
}

bool dict_next(const struct object *dict, size_t *position, struct object **key,
               struct object **value)
{
    const struct dict_keys *keys = dict_of(dict)->keys;
    while (keys != NULL && *position < keys->length) {
        const struct dict_entry *entry = &dict_entries(keys)[(*position)++];
        if (entry->key != NULL) {
            *key = entry->key;
            *value = entry->value;
            return true;
        }
    }
    return false;
}
