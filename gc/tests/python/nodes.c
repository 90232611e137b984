#include "gc/tests/python/nodes.h"

#include <assert.h>
#include <stddef.h>

#include "gc/own_type.h"

struct node_hooks node_hooks;

struct node {
    struct object base;
    struct object *fields[PROGRAM_FIELDS];
    struct weakref_object *weakrefs;
    int number;
};

static struct node *node_of(const struct object *object)
{
    return (struct node *)(uintptr_t)object;
}

/* ---------------------------------------------------------------- the types */
static int node_traverse(struct object *self, object_visit *visit, void *context)
{
    int result = 0;
    for (int i = 0; result == 0 && i < PROGRAM_FIELDS; i++) {
        struct object *value = node_of(self)->fields[i];
        result = value == NULL ? 0 : visit(value, context);
    }
    return result;
}

static void node_clear(struct runtime *runtime, struct object *self)
{
    for (int i = 0; i < PROGRAM_FIELDS; i++) {
        own_type_store(runtime, self, &node_of(self)->fields[i], NULL);
    }
}

static void node_discard(struct runtime *runtime, struct object *self)
{
    own_type_free(runtime, self, sizeof(struct node));
}

static void node_dealloc(struct runtime *runtime, struct object *self)
{
    node_clear(runtime, self);
    node_discard(runtime, self);
}

static const struct type node_types[KIND_COUNT];

static void node_finalize(struct runtime *runtime, struct object *self)
{
    node_hooks.finalized(runtime, self, (enum program_kind)(self->type - node_types));
}

#define NODE_TYPE(text, more, ...)                                                                 \
    {                                                                                              \
        .name = text, .size = OWN_TYPE_CONTAINER_BYTES + sizeof(struct node),                      \
        .heap_type = HEAP_INSTANCE,                                                                \
        .flags = TYPE_IS_CONTAINER | TYPE_IS_GUARDED | TYPE_HAS_WEAKREFS | (more),                 \
        .traverse = node_traverse, .clear = node_clear, .dealloc = node_dealloc,                   \
        .discard = node_discard, .weakrefs_offset = offsetof(struct node, weakrefs), __VA_ARGS__   \
    }

static const struct type node_types[KIND_COUNT] = {
    [KIND_PLAIN] = NODE_TYPE("Plain", 0, .check = NULL),
    [KIND_DIES] = NODE_TYPE("Dies", TYPE_HAS_FINALIZER, .finalize = node_finalize),
    [KIND_SAVES] = NODE_TYPE("Saves", TYPE_HAS_FINALIZER, .finalize = node_finalize),
    [KIND_CLEARS] = NODE_TYPE("Clears", TYPE_HAS_FINALIZER, .finalize = node_finalize),
    [KIND_MAKES] = NODE_TYPE("Makes", TYPE_HAS_FINALIZER, .finalize = node_finalize),
    [KIND_LEGACY] =
        NODE_TYPE("Legacy", TYPE_HAS_LEGACY_FINALIZER, .finalize_legacy = node_finalize),
    [KIND_LEGACY_SAVES] =
        NODE_TYPE("LegacySaves", TYPE_HAS_LEGACY_FINALIZER, .finalize_legacy = node_finalize),
};

/* ---------------------------------------------------------------- numbers of lists and dicts */
/* One for each address that ever was one's: the last that was made there counts. */
static struct {
    const struct object *object;
    int number;
} node_numbers[PROGRAM_STEPS_MAX * 2];
static int node_numbers_length;

void node_forget_numbers(void)
{
    node_numbers_length = 0;
}

static void node_remember_number(const struct object *object, int number)
{
    int i = 0;
    while (i < node_numbers_length && node_numbers[i].object != object) {
        i++;
    }
    assert(i < PROGRAM_STEPS_MAX * 2);
    node_numbers_length += i == node_numbers_length;
    node_numbers[i].object = object;
    node_numbers[i].number = number;
}

/* ---------------------------------------------------------------- the verbs */
struct object *node_new(struct runtime *runtime, enum program_kind kind, int *serial)
{
    if (kind == KIND_LIST || kind == KIND_DICT) {
        struct object *made = kind == KIND_LIST ? list_new(runtime) : dict_new(runtime);
        node_remember_number(made, (*serial)++);
        return made;
    }
    struct node *self = own_type_alloc(runtime, &node_types[kind], sizeof(*self));
    self->number = (*serial)++;
    own_type_track(runtime, &self->base);
    return &self->base;
}

bool node_is_slotted(const struct object *object)
{
    return object != NULL && object->type >= node_types && object->type < node_types + KIND_COUNT;
}

bool node_is_one(const struct object *object)
{
    return object != NULL && (node_is_slotted(object) || object_is(object, &list_type) ||
                              object_is(object, &dict_type));
}

int node_number(const struct object *object)
{
    if (node_is_slotted(object)) {
        return node_of(object)->number;
    }
    for (int i = 0; i < node_numbers_length; i++) {
        if (node_numbers[i].object == object) {
            return node_numbers[i].number;
        }
    }
    return -1; /* the list of garbage */
}

struct object *node_field(const struct object *slotted, int field)
{
    return node_of(slotted)->fields[field];
}

void node_set_field(struct runtime *runtime, struct object *slotted, int field,
                    struct object *value)
{
    own_type_store(runtime, slotted, &node_of(slotted)->fields[field], value);
}
