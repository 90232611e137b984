/* The table of interned strings: chained hashing through the strings themselves.
 *
 * CPython 3.11 keeps a dict in its heap and takes its two references off the string's count; the
 * effect is the same here: the table does not keep a string alive. The buckets are mapped outside
 * the heap (see runtime.h). A refused growth costs longer chains and is no failure. */
#include <string.h>

#include "common/os_memory.h"
#include "gc/objects.h"
#include "gc/runtime.h"
#include "gc/world.h"

enum { INTERN_BUCKETS_INITIAL = 512 }; /* one page */

static struct str_object **intern_bucket(const struct intern_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static struct str_object *intern_find(const struct intern_table *table, const char *text,
                                      size_t length, uint64_t hash)
{
    struct str_object *str = *intern_bucket(table, hash);
    while (str != NULL &&
           (str->hash != hash || str->length != length || memcmp(str->bytes, text, length) != 0)) {
        str = str->intern_next;
    }
    return str;
}

static void intern_link(struct intern_table *table, struct str_object *str)
{
    struct str_object **bucket = intern_bucket(table, str->hash);
    str->intern_next = *bucket;
    *bucket = str;
}

/* Doubles the buckets. Nothing happens when the system refuses. */
static void intern_grow(struct intern_table *table)
{
    struct intern_table grown = {.bucket_count = table->bucket_count * 2, .length = table->length};
    grown.buckets = os_map_scratch(grown.bucket_count * sizeof(*grown.buckets));
    if (grown.buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < table->bucket_count; i++) {
        struct str_object *str = table->buckets[i];
        while (str != NULL) {
            struct str_object *next = str->intern_next;
            intern_link(&grown, str);
            str = next;
        }
    }
    os_unmap(table->buckets, table->bucket_count * sizeof(*table->buckets));
    *table = grown;
}

#ifdef GC_FREE_THREADS
/* A new reference, or NULL: one that is dying is as good as none. The table is locked. */
static struct object *intern_take(const struct intern_table *table, const char *text, size_t length,
                                  uint64_t hash)
{
    struct str_object *found = intern_find(table, text, length, hash);
    return found != NULL && object_try_incref(&found->base) ? &found->base : NULL;
}

static void intern_add(struct intern_table *table, struct str_object *str, uint64_t hash)
{
    if (table->length >= table->bucket_count) {
        intern_grow(table);
    }
    str->hash = hash;
    str->interned = true;
    object_expect_try(&str->base);
    intern_link(table, str);
    table->length++;
}

struct object *(str_intern)(struct runtime *runtime, const char *text, size_t length)
{
    struct intern_table *table = &runtime->interned;
    uint64_t hash = str_hash_bytes(text, length);
    WORLD_LOCK(runtime, intern_lock);
    struct object *found = intern_take(table, text, length, hash);
    WORLD_UNLOCK(runtime, intern_lock);
    struct object *made = found == NULL ? (str_new)(runtime, text, length) : NULL;
    if (made == NULL) {
        return found;
    }
    WORLD_LOCK(runtime, intern_lock);
    found = intern_take(table, text, length, hash); /* another thread may have made one */
    if (found == NULL) {
        intern_add(table, (struct str_object *)made, hash);
    }
    WORLD_UNLOCK(runtime, intern_lock);
    if (found != NULL) {
        object_decref(runtime, made);
        return found;
    }
    return made;
}
#else
struct object *(str_intern)(struct runtime *runtime, const char *text, size_t length)
{
    struct intern_table *table = &runtime->interned;
    uint64_t hash = str_hash_bytes(text, length);
    struct str_object *found = intern_find(table, text, length, hash);
    if (found != NULL) {
        return object_incref(&found->base);
    }
    struct object *object = (str_new)(runtime, text, length);
    if (object == NULL) {
        return NULL;
    }
    if (table->length >= table->bucket_count) {
        intern_grow(table);
    }
    struct str_object *str = (struct str_object *)object;
    str->hash = hash;
    str->interned = true;
    intern_link(table, str);
    table->length++;
    return object;
}
#endif

void intern_remove(struct runtime *runtime, struct str_object *str)
{
    struct intern_table *table = &runtime->interned;
    WORLD_LOCK(runtime, intern_lock);
    struct str_object **link = intern_bucket(table, str->hash);
    while (*link != str) {
        link = &(*link)->intern_next;
    }
    *link = str->intern_next;
    table->length--;
    WORLD_UNLOCK(runtime, intern_lock);
}

bool intern_open(struct runtime *runtime)
{
    struct intern_table *table = &runtime->interned;
    table->length = 0;
    table->bucket_count = INTERN_BUCKETS_INITIAL;
    table->buckets = os_map_scratch(table->bucket_count * sizeof(*table->buckets));
    return table->buckets != NULL;
}

void intern_close(struct runtime *runtime)
{
    struct intern_table *table = &runtime->interned;
    os_unmap(table->buckets, table->bucket_count * sizeof(*table->buckets));
    table->buckets = NULL;
}

size_t intern_check(const struct runtime *runtime)
{
    const struct intern_table *table = &runtime->interned;
    size_t broken = 0;
    size_t length = 0;
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct str_object *str = table->buckets[i]; str != NULL; str = str->intern_next) {
            length++;
            if (!str->interned || str->base.type != &str_type ||
                object_getrefcount(&str->base) <= 0) {
                broken +=
                    object_report(&str->base, "in the intern table, but not a live one of it");
            }
            if (str->hash != str_hash_bytes(str->bytes, str->length) ||
                intern_bucket(table, str->hash) != &table->buckets[i]) {
                broken += object_report(&str->base, "interned under another hash than its own");
            }
        }
    }
    if (length != table->length) {
        broken += object_report(NULL, "the intern table's length is not that of its chains");
    }
    return broken;
}
