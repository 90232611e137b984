/* Strings: header and bytes in one block, as CPython's compact ASCII strings. */
#include <string.h>

#include "gc/container.h"
#include "gc/objects.h"
#include "gc/runtime.h"

/* The zero at the end is counted, as PyUnicode_New's. */
static size_t str_block_bytes(size_t length)
{
    return sizeof(struct str_object) + length + 1;
}

static void str_dealloc(struct runtime *runtime, struct object *self)
{
    struct str_object *str = (struct str_object *)self;
    if (str->interned) {
        intern_remove(runtime, str);
    }
    runtime_free_atom(runtime, self, str_block_bytes(str->length));
}

const struct type str_type = {
    .name = "str",
    .size = sizeof(struct str_object),
    .heap_type = HEAP_STR,
    .dealloc = str_dealloc,
};

static const struct str_object *str_of(const struct object *object)
{
    OBJECT_ASSERT(object->type == &str_type);
    return (const struct str_object *)object;
}

struct object *(str_new)(struct runtime *runtime, const char *text, size_t length)
{
    struct str_object *self = runtime_alloc_atom(runtime, &str_type, str_block_bytes(length));
    if (self == NULL) {
        return NULL;
    }
    self->length = length;
    self->hash = 0;
    self->interned = false;
    self->intern_next = NULL;
    if (text != NULL) {
        memcpy(self->bytes, text, length);
    }
    self->bytes[length] = '\0';
    return &self->base;
}

char *str_bytes(struct object *object)
{
    OBJECT_ASSERT(object->type == &str_type);
    return ((struct str_object *)object)->bytes;
}

size_t str_length(const struct object *object)
{
    return str_of(object)->length;
}

uint64_t str_hash(struct object *object)
{
    OBJECT_ASSERT(object->type == &str_type);
    struct str_object *self = (struct str_object *)object;
    if (GC_LOAD(self->hash) == 0) {
        GC_STORE(self->hash, str_hash_bytes(self->bytes, self->length));
    }
    return GC_LOAD(self->hash);
}

bool str_equal(struct object *a, struct object *b)
{
    const struct str_object *left = str_of(a);
    const struct str_object *right = str_of(b);
    return left == right ||
           (left->length == right->length && memcmp(left->bytes, right->bytes, left->length) == 0);
}
