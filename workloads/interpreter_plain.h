/* The plain machine's values: C's, which nobody releases. Each operation that would take blocks
 * from the heap in the boxed machine adds to a count instead.
 *
 * Its memory is mapped for one prediction and unmapped at its end: nobody's heap. Included by
 * interpreter_plain.c alone. */
#ifndef HEAPMILL_WORKLOADS_INTERPRETER_PLAIN_H
#define HEAPMILL_WORKLOADS_INTERPRETER_PLAIN_H

#include <string.h>

#include "common/os_memory.h"
#include "workloads/interpreter.h"
#include "workloads/objects/model.h"

enum plain_kind {
    PLAIN_ABSENT,
    PLAIN_NONE,
    PLAIN_INT,
    PLAIN_FLOAT,
    PLAIN_STR,
    PLAIN_LIST,
    PLAIN_DICT,
    PLAIN_INSTANCE
};

struct plain_value {
    enum plain_kind kind;
    size_t length; /* of a string, in bytes */
    union {
        int64_t integer;
        double real;
        const char *bytes; /* of a string */
        struct plain_list *list;
        struct plain_dict *dict;
        struct plain_instance *instance;
    };
};

struct plain_list {
    struct plain_value *items;
    size_t length;
    size_t capacity;
    bool has_vector; /* it has had an item: the boxed list's vector stays from then on */
};

/* Entries in insertion order, found by looking at each: keys are few. */
struct plain_dict {
    struct plain_list keys;
    struct plain_list values;
    struct model_dict boxed;
};

enum { PLAIN_ATTRIBUTES_MAX = 12 };

struct plain_instance {
    unsigned class_name;
    unsigned count;
    unsigned names[PLAIN_ATTRIBUTES_MAX];
    struct plain_value values[PLAIN_ATTRIBUTES_MAX];
    struct model_dict boxed;
};

struct plain_frame {
    struct plain_frame *back;
    size_t position;
    size_t depth;
    struct plain_value slots[];
};

enum { PLAIN_CHUNK_BYTES = 8 << 20 };

struct plain_chunk {
    struct plain_chunk *older;
    size_t bytes;
    size_t used; /* this header too */
};

struct plain_machine {
    const struct interpreter_module *module;
    const char *fault;
    struct plain_value none;
    struct plain_value text;
    struct plain_value constants[INTERPRETER_CONSTANTS_MAX];
    struct plain_chunk *chunks;
    uint64_t instructions;
    uint64_t blocks;
    uint64_t bytes;
};

/* ------------------------------------------------------------------ memory and counts */
/* Zeroed memory until the machine is closed; NULL with the fault set: the system refuses. */
static void *plain_take(struct plain_machine *machine, size_t bytes)
{
    struct plain_chunk *chunk = machine->chunks;
    bytes = heap_round_up(bytes, 16);
    if (chunk == NULL || chunk->bytes - chunk->used < bytes) {
        size_t wanted = PLAIN_CHUNK_BYTES;
        while (wanted < bytes + sizeof *chunk + 16) {
            wanted *= 2;
        }
        chunk = os_map_scratch(wanted);
        if (chunk == NULL) {
            machine->fault = "the system refused memory for the model of the interpreter";
            return NULL;
        }
        *chunk = (struct plain_chunk){machine->chunks, wanted, heap_round_up(sizeof *chunk, 16)};
        machine->chunks = chunk;
    }
    void *memory = (char *)chunk + chunk->used;
    chunk->used += bytes;
    return memory;
}

static void plain_close(struct plain_machine *machine)
{
    while (machine->chunks != NULL) {
        struct plain_chunk *chunk = machine->chunks;
        machine->chunks = chunk->older;
        os_unmap(chunk, chunk->bytes);
    }
}

/* One block more of the boxed machine's, of at most that many bytes. */
static void plain_block(struct plain_machine *machine, size_t bytes)
{
    machine->blocks++;
    machine->bytes += bytes + 16;
}

/* A dict's new table is for three times its entries at most, two thirds of it in use. */
static void plain_count_insertion(struct plain_machine *machine, struct model_dict *dict)
{
    uint64_t buffers = model_dict_insert(dict);
    machine->blocks += buffers;
    machine->bytes += buffers * (MODEL_KEYS_BYTES_MIN + dict->used * 6 * 32);
}

/* ------------------------------------------------------------------ references: there are none */
static inline struct plain_value plain_absent(void)
{
    return (struct plain_value){.kind = PLAIN_ABSENT};
}

static inline bool plain_is_present(struct plain_value value)
{
    return value.kind != PLAIN_ABSENT;
}

static inline struct plain_value plain_own(struct plain_value value)
{
    return value;
}

static inline struct plain_value plain_own_any(struct plain_value value)
{
    return value;
}

static inline void plain_release(struct plain_machine *machine, struct plain_value value)
{
    (void)machine;
    (void)value;
}

static inline void plain_release_any(struct plain_machine *machine, struct plain_value value)
{
    (void)machine;
    (void)value;
}

static inline void plain_count(struct plain_machine *machine)
{
    machine->instructions++;
}

/* ------------------------------------------------------------------ types and values */
static inline bool plain_is_int(struct plain_value value)
{
    return value.kind == PLAIN_INT;
}

static inline bool plain_is_float(struct plain_value value)
{
    return value.kind == PLAIN_FLOAT;
}

static inline bool plain_is_str(struct plain_value value)
{
    return value.kind == PLAIN_STR;
}

static inline bool plain_is_list(struct plain_value value)
{
    return value.kind == PLAIN_LIST;
}

static inline bool plain_is_dict(struct plain_value value)
{
    return value.kind == PLAIN_DICT;
}

static inline int64_t plain_int_of(struct plain_value value)
{
    return value.integer;
}

static inline double plain_float_of(struct plain_value value)
{
    return value.real;
}

/* Of two values of one type: numbers by value, strings by content, the rest by identity. */
static bool plain_is_equal(struct plain_value a, struct plain_value b)
{
    if (a.kind != b.kind) {
        return false;
    }
    switch (a.kind) {
    case PLAIN_STR:
        return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
    case PLAIN_FLOAT:
        return !(a.real < b.real) && !(a.real > b.real);
    case PLAIN_NONE:
        return true;
    default:
        return a.integer == b.integer;
    }
}

static inline struct plain_value plain_make_int(struct plain_machine *machine, int64_t value)
{
    if (model_int_blocks(value) > 0) {
        plain_block(machine, HEAP_INT_BYTES);
    }
    return (struct plain_value){.kind = PLAIN_INT, .integer = value};
}

static inline struct plain_value plain_make_float(struct plain_machine *machine, double value)
{
    plain_block(machine, HEAP_FLOAT_BYTES);
    return (struct plain_value){.kind = PLAIN_FLOAT, .real = value};
}

static struct plain_value plain_make_str(struct plain_machine *machine, const char *bytes,
                                         size_t length)
{
    plain_block(machine, MODEL_STR_BYTES + length);
    char *copy = plain_take(machine, length + 1);
    if (copy == NULL) {
        return plain_absent();
    }
    memcpy(copy, bytes, length);
    return (struct plain_value){.kind = PLAIN_STR, .bytes = copy, .length = length};
}

static const char *plain_str_bytes(struct plain_value value)
{
    return value.bytes;
}

static size_t plain_str_length(struct plain_value value)
{
    return value.length;
}

static struct plain_value plain_str_concat(struct plain_machine *machine, struct plain_value a,
                                           struct plain_value b)
{
    size_t length = a.length + b.length;
    plain_block(machine, MODEL_STR_BYTES + length);
    char *sum = plain_take(machine, length + 1);
    if (sum == NULL) {
        return plain_absent();
    }
    memcpy(sum, a.bytes, a.length);
    memcpy(sum + a.length, b.bytes, b.length);
    return (struct plain_value){.kind = PLAIN_STR, .bytes = sum, .length = length};
}

#endif
