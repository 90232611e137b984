/* The shape of a document of json_documents. It is drawn before the document is built, so that the
 * model behind expected_allocations can draw the same shape and only count. */
#ifndef HEAPMILL_WORKLOADS_OBJECTS_JSON_SHAPE_H
#define HEAPMILL_WORKLOADS_OBJECTS_JSON_SHAPE_H

#include "workloads/objects/model.h"

enum {
    JSON_DOCUMENTS_LENGTHS =
        1 << 12, /* drawn in advance, because drawing a normal number costs more than a block */
    JSON_DOCUMENTS_PROSE_MAX = 4000,
    JSON_DOCUMENTS_TAGS_MAX = 7,
    JSON_DOCUMENTS_EVENTS_MAX = 7,
};

/* Lengths in bytes; 0: the member is absent. */
struct json_documents_shape {
    uint64_t number; /* ints and floats are made from it */
    unsigned name_length;
    unsigned email_length;
    unsigned body_length;
    unsigned city_length; /* of the profile */
    unsigned tags;
    unsigned tag_lengths[JSON_DOCUMENTS_TAGS_MAX];
    unsigned events;
    unsigned note_lengths[JSON_DOCUMENTS_EVENTS_MAX];
};

static inline unsigned json_documents_range(struct rng *rng, unsigned low, unsigned high)
{
    return low + (unsigned)rng_below(rng, high - low + 1);
}

static inline unsigned json_documents_prose(struct rng *rng, const uint16_t *prose_lengths)
{
    return prose_lengths[rng_below(rng, JSON_DOCUMENTS_LENGTHS)];
}

static inline void json_documents_draw(struct rng *rng, const uint16_t *prose_lengths,
                                       struct json_documents_shape *shape)
{
    shape->number = rng_next(rng) >> 24;
    uint64_t optional = rng_next(rng);
    shape->name_length = json_documents_range(rng, 4, 24);
    shape->email_length = (optional & 3) != 0 ? json_documents_range(rng, 12, 40) : 0;
    shape->body_length = json_documents_prose(rng, prose_lengths);
    shape->city_length = (optional & 12) != 0 ? json_documents_range(rng, 4, 16) : 0;
    shape->tags = json_documents_range(rng, 0, JSON_DOCUMENTS_TAGS_MAX);
    for (unsigned i = 0; i < shape->tags; i++) {
        shape->tag_lengths[i] = json_documents_range(rng, 3, 12);
    }
    shape->events = json_documents_range(rng, 0, JSON_DOCUMENTS_EVENTS_MAX);
    for (unsigned i = 0; i < shape->events; i++) {
        bool has_note = (optional >> (8 + i) & 1) != 0;
        shape->note_lengths[i] = has_note ? json_documents_prose(rng, prose_lengths) : 0;
    }
}

static inline uint64_t json_documents_dict_blocks(size_t entries)
{
    return 1 + model_dict_buffers(entries);
}

static inline uint64_t json_documents_list_blocks(size_t items)
{
    return items > 0 ? 2 : 1;
}

/* Blocks of the document: each number and string is one. */
static inline uint64_t json_documents_blocks(const struct json_documents_shape *shape)
{
    size_t members = 8; /* id, uuid, active, score, name, body, tags, events */
    uint64_t blocks = 5 + json_documents_list_blocks(shape->tags) + shape->tags +
                      json_documents_list_blocks(shape->events);
    if (shape->email_length > 0) {
        members++;
        blocks++;
    }
    if (shape->city_length > 0) {
        members++;
        blocks += json_documents_dict_blocks(4) + 4;
    }
    for (unsigned i = 0; i < shape->events; i++) {
        size_t has_note = shape->note_lengths[i] > 0;
        blocks += json_documents_dict_blocks(3 + has_note) + 2 + has_note;
    }
    return blocks + json_documents_dict_blocks(members);
}

#endif
