/* json_documents: records of mixed types built and dropped.
 *
 * Imitates a service that parses JSON requests or rows of a feed: each document is a dict with
 * interned keys of ints, floats, strings of many lengths, a list of tags, a nested profile and a
 * list of event dicts; a queue of documents is alive, and each new one takes the place of the
 * oldest, which is read first. Lengths of prose are log-normal, as of most texts that people
 * write; the rest is uniform in small ranges. No two documents in a row have the same shape.
 *
 * Leaves out the parser's own work (text, numbers from digits) and serialisation; strings are
 * slices of one random text.
 *
 * Stresses mixed sizes and types with first-in first-out lifetimes: throughput, and held memory
 * over live. */
#include <string.h>

#include "workloads/objects/json_shape.h"

enum { JSON_DOCUMENTS_LIVE, JSON_DOCUMENTS_PROSE };
enum {
    JSON_DOCUMENTS_PER_ITERATION = 256,
    JSON_DOCUMENTS_TEXT_BYTES = 1 << 14,
    JSON_DOCUMENTS_UUID_BYTES = 36,
    JSON_DOCUMENTS_NUMBER_MIN = 1000, /* larger than the small ints */
};

/* Every key of every dict. */
#define JSON_DOCUMENTS_KEYS(KEY)                                                                   \
    KEY(id)                                                                                        \
    KEY(uuid)                                                                                      \
    KEY(active)                                                                                    \
    KEY(score)                                                                                     \
    KEY(name)                                                                                      \
    KEY(email)                                                                                     \
    KEY(body)                                                                                      \
    KEY(tags)                                                                                      \
    KEY(profile)                                                                                   \
    KEY(events)                                                                                    \
    KEY(city)                                                                                      \
    KEY(zip)                                                                                       \
    KEY(latitude)                                                                                  \
    KEY(longitude)                                                                                 \
    KEY(at)                                                                                        \
    KEY(kind)                                                                                      \
    KEY(amount)                                                                                    \
    KEY(note)

#define JSON_DOCUMENTS_KEY_INDEX(word) JSON_DOCUMENTS_KEY_##word,
#define JSON_DOCUMENTS_KEY_TEXT(word) #word,
enum { JSON_DOCUMENTS_KEYS(JSON_DOCUMENTS_KEY_INDEX) JSON_DOCUMENTS_KEY_COUNT };
static const char *const json_documents_key_texts[] = {
    JSON_DOCUMENTS_KEYS(JSON_DOCUMENTS_KEY_TEXT)};

struct json_documents_state {
    struct object *keys[JSON_DOCUMENTS_KEY_COUNT];
    struct object *queue; /* a list */
    size_t oldest;        /* in the queue */
    char *text;
    uint16_t *prose_lengths;
};

/* ------------------------------------------------------------------ building */
/* dict[key] = value. Takes over value, which may be NULL; then it returns false, as for an
 * exhausted heap. */
static bool json_documents_put(struct run *run, struct object *dict, size_t key,
                               struct object *value)
{
    struct json_documents_state *state = run->state;
    bool done = value != NULL && dict_set(run->runtime, dict, state->keys[key], value);
    object_xdecref(run->runtime, value);
    return done;
}

/* A slice of the text; number decides where it begins. */
static struct object *json_documents_str(struct run *run, uint64_t number, unsigned length)
{
    struct json_documents_state *state = run->state;
    uint64_t offset = number % (JSON_DOCUMENTS_TEXT_BYTES - JSON_DOCUMENTS_PROSE_MAX);
    return str_new(run->runtime, state->text + offset, length);
}

static struct object *json_documents_int(struct run *run, uint64_t number)
{
    return int_new(run->runtime, (int64_t)number + JSON_DOCUMENTS_NUMBER_MIN);
}

static struct object *json_documents_float(struct run *run, uint64_t number)
{
    return float_new(run->runtime, (double)number * 0x1.0p-20);
}

static bool json_documents_append(struct run *run, struct object *list, struct object *item)
{
    bool done = item != NULL && list_append(run->runtime, list, item);
    object_xdecref(run->runtime, item);
    return done;
}

static struct object *json_documents_make_tags(struct run *run,
                                               const struct json_documents_shape *shape)
{
    struct object *tags = list_new(run->runtime);
    for (unsigned i = 0; tags != NULL && i < shape->tags; i++) {
        struct object *tag = json_documents_str(run, shape->number + i, shape->tag_lengths[i]);
        if (!json_documents_append(run, tags, tag)) {
            object_decref(run->runtime, tags);
            return NULL;
        }
    }
    return tags;
}

/* Returns the dict if all its members were added; otherwise releases it. */
static struct object *json_documents_kept(struct run *run, struct object *dict, bool complete)
{
    if (!complete) {
        object_xdecref(run->runtime, dict);
        return NULL;
    }
    return dict;
}

static struct object *json_documents_make_profile(struct run *run,
                                                  const struct json_documents_shape *shape)
{
    const uint64_t number = shape->number;
    struct object *dict = dict_new(run->runtime);
    bool complete = dict != NULL &&
                    json_documents_put(run, dict, JSON_DOCUMENTS_KEY_city,
                                       json_documents_str(run, number, shape->city_length)) &&
                    json_documents_put(run, dict, JSON_DOCUMENTS_KEY_zip,
                                       json_documents_int(run, number & 0xffff)) &&
                    json_documents_put(run, dict, JSON_DOCUMENTS_KEY_latitude,
                                       json_documents_float(run, number >> 8)) &&
                    json_documents_put(run, dict, JSON_DOCUMENTS_KEY_longitude,
                                       json_documents_float(run, number >> 16));
    return json_documents_kept(run, dict, complete);
}

static struct object *json_documents_make_event(struct run *run, uint64_t number, unsigned note)
{
    struct object *dict = dict_new(run->runtime);
    bool complete =
        dict != NULL &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_at, json_documents_int(run, number)) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_kind,
                           int_new(run->runtime, (int64_t)(number & 7))) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_amount,
                           json_documents_float(run, number & 0xffffff)) &&
        (note == 0 || json_documents_put(run, dict, JSON_DOCUMENTS_KEY_note,
                                         json_documents_str(run, number, note)));
    return json_documents_kept(run, dict, complete);
}

static struct object *json_documents_make_events(struct run *run,
                                                 const struct json_documents_shape *shape)
{
    struct object *events = list_new(run->runtime);
    for (unsigned i = 0; events != NULL && i < shape->events; i++) {
        struct object *event =
            json_documents_make_event(run, shape->number + i, shape->note_lengths[i]);
        if (!json_documents_append(run, events, event)) {
            object_decref(run->runtime, events);
            return NULL;
        }
    }
    return events;
}

/* Adds the members in the order in which a parser meets them, nested values before their holder. */
static struct object *json_documents_make(struct run *run, const struct json_documents_shape *shape)
{
    const uint64_t number = shape->number;
    struct object *dict = dict_new(run->runtime);
    bool complete =
        dict != NULL &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_id, json_documents_int(run, number)) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_uuid,
                           json_documents_str(run, number >> 4, JSON_DOCUMENTS_UUID_BYTES)) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_active,
                           int_new(run->runtime, (int64_t)(number & 1))) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_score,
                           json_documents_float(run, number >> 12)) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_name,
                           json_documents_str(run, number >> 2, shape->name_length)) &&
        (shape->email_length == 0 ||
         json_documents_put(run, dict, JSON_DOCUMENTS_KEY_email,
                            json_documents_str(run, number, shape->email_length))) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_tags,
                           json_documents_make_tags(run, shape)) &&
        (shape->city_length == 0 || json_documents_put(run, dict, JSON_DOCUMENTS_KEY_profile,
                                                       json_documents_make_profile(run, shape))) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_events,
                           json_documents_make_events(run, shape)) &&
        json_documents_put(run, dict, JSON_DOCUMENTS_KEY_body,
                           json_documents_str(run, number >> 6, shape->body_length));
    return json_documents_kept(run, dict, complete);
}

/* ------------------------------------------------------------------ reading */
static struct object *json_documents_get(const struct run *run, const struct object *dict,
                                         size_t key)
{
    const struct json_documents_state *state = run->state;
    return dict_get(dict, state->keys[key]);
}

/* Reads what a handler would read: some members, and the sum over the events. */
static uint64_t json_documents_read(const struct run *run, const struct object *document)
{
    uint64_t sum = (uint64_t)int_value(json_documents_get(run, document, JSON_DOCUMENTS_KEY_id));
    struct object *body = json_documents_get(run, document, JSON_DOCUMENTS_KEY_body);
    sum += (uint64_t)str_bytes(body)[str_length(body) - 1];
    struct object *tags = json_documents_get(run, document, JSON_DOCUMENTS_KEY_tags);
    for (size_t i = 0; i < list_length(tags); i++) {
        sum += (uint64_t)str_bytes(list_item(tags, i))[0];
    }
    struct object *events = json_documents_get(run, document, JSON_DOCUMENTS_KEY_events);
    double total = 0;
    for (size_t i = 0; i < list_length(events); i++) {
        struct object *event = list_item(events, i);
        total += float_value(json_documents_get(run, event, JSON_DOCUMENTS_KEY_amount));
        sum += dict_length(event);
    }
    return sum + (uint64_t)total;
}

/* ------------------------------------------------------------------ the workload */
static void json_documents_teardown(struct run *run)
{
    struct json_documents_state *state = run->state;
    object_xdecref(run->runtime, state->queue);
    state->queue = NULL;
    for (size_t i = 0; i < JSON_DOCUMENTS_KEY_COUNT; i++) {
        object_xdecref(run->runtime, state->keys[i]);
        state->keys[i] = NULL;
    }
}

/* Draws the random text, and lengths whose logarithm is normal, with the parameter as median. */
static void json_documents_draw_tables(struct run *run)
{
    struct json_documents_state *state = run->state;
    state->text = run_scratch(run, JSON_DOCUMENTS_TEXT_BYTES);
    for (size_t i = 0; i < JSON_DOCUMENTS_TEXT_BYTES; i++) {
        state->text[i] = (char)('a' + (int)rng_below(&run->rng, 26));
    }
    state->prose_lengths = run_scratch(run, JSON_DOCUMENTS_LENGTHS * sizeof(uint16_t));
    double median = run->values[JSON_DOCUMENTS_PROSE];
    for (size_t i = 0; i < JSON_DOCUMENTS_LENGTHS; i++) {
        double length = ceil(median * exp(rng_normal(&run->rng)));
        length = length < JSON_DOCUMENTS_PROSE_MAX ? length : JSON_DOCUMENTS_PROSE_MAX;
        state->prose_lengths[i] = (uint16_t)length;
    }
}

static bool json_documents_fill(struct run *run)
{
    struct json_documents_state *state = run->state;
    for (size_t i = 0; i < JSON_DOCUMENTS_KEY_COUNT; i++) {
        const char *text = json_documents_key_texts[i];
        state->keys[i] = str_intern(run->runtime, text, strlen(text));
        if (state->keys[i] == NULL) {
            return false;
        }
    }
    state->queue = list_new(run->runtime);
    bool filled = state->queue != NULL;
    for (uint64_t i = 0; filled && i < run_count(run, JSON_DOCUMENTS_LIVE); i++) {
        struct json_documents_shape shape;
        json_documents_draw(&run->rng, state->prose_lengths, &shape);
        filled = json_documents_append(run, state->queue, json_documents_make(run, &shape));
    }
    return filled;
}

static enum status json_documents_setup(struct run *run, struct error *error)
{
    run->state = run_scratch(run, sizeof(struct json_documents_state));
    json_documents_draw_tables(run);
    if (!json_documents_fill(run)) {
        json_documents_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

static void json_documents_run(struct run *run, uint64_t iterations)
{
    struct json_documents_state *state = run->state;
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (unsigned i = 0; i < JSON_DOCUMENTS_PER_ITERATION; i++) {
            if (i % 8 == 0) {
                run_mark(run, NULL);
            }
            struct json_documents_shape shape;
            json_documents_draw(&run->rng, state->prose_lengths, &shape);
            struct object *document = json_documents_make(run, &shape);
            if (document == NULL) {
                run_fail(run, MODEL_HEAP_EXHAUSTED);
                return;
            }
            model_check(run, json_documents_read(run, list_item(state->queue, state->oldest)));
            list_give_item(run->runtime, state->queue, state->oldest, document);
            state->oldest = (state->oldest + 1) % list_length(state->queue);
        }
    }
}

/* An operation is a document, since the number of objects differs between documents. */
static uint64_t json_documents_operations(const struct run *run)
{
    (void)run;
    return JSON_DOCUMENTS_PER_ITERATION;
}

static uint64_t json_documents_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct json_documents_state *state = run->state;
    struct rng rng = run->rng;
    uint64_t blocks = 0;
    for (uint64_t i = 0; i < iterations * JSON_DOCUMENTS_PER_ITERATION; i++) {
        struct json_documents_shape shape;
        json_documents_draw(&rng, state->prose_lengths, &shape);
        blocks += json_documents_blocks(&shape);
    }
    return blocks;
}

/* Each document lives until as many others were made. An average document, with four pieces of
 * prose (a log-normal distribution with sigma 1 has a mean of 1.65 times its median), is below 4
 * KiB and its prose; the slack is for the largest. */
static size_t json_documents_window_bytes(const struct run *run)
{
    uint64_t document_bytes = 4096 + (uint64_t)(4 * 1.65 * run->values[JSON_DOCUMENTS_PROSE]);
    return (size_t)(2 * (run_count(run, JSON_DOCUMENTS_LIVE) + 64) * document_bytes);
}

const struct workload workload_json_documents = {
    .name = "json_documents",
    .kind = "objects",
    .family = "mixed",
    .summary = "documents of dicts, lists, strings, ints and floats in a queue",
    .parameters =
        {
            {"live", "documents", "documents in the queue", NULL, 1e3, 1, 1e6},
            {"prose", "bytes", "median length of the longer strings", NULL, 60, 1, 2000},
        },
    .operations = json_documents_operations,
    .expected_allocations = json_documents_expected_allocations,
    .window_bytes = json_documents_window_bytes,
    .setup = json_documents_setup,
    .run = json_documents_run,
    .teardown = json_documents_teardown,
};
