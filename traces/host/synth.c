#include "traces/host/synth.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/host/text.h"
#include "common/rng.h"
#include "traces/host/info.h"
#include "traces/host/writer.h"
#include "traces/reader.h"

enum { SYNTH_PHASES = 32, SYNTH_SAMPLES = 8192 };

#define SYNTH_FOREVER UINT64_MAX /* live until the end */

struct synth_sample {
    uint64_t size;
    uint64_t lifetime; /* in takes */
    uint8_t alignment_log2;
};

struct synth_phase {
    struct synth_sample samples[SYNTH_SAMPLES];
    uint64_t seen; /* blocks among which the samples were drawn */
};

struct synth_birth {
    uint64_t born;
    uint64_t size;
    uint8_t alignment_log2;
    bool alive;
};

struct synth_death {
    uint64_t when; /* in takes */
    uint32_t slot;
};

struct synth {
    const struct trace_synthesis *asked;
    struct rng rng;
    struct trace_totals totals;
    struct synth_phase *phases;
    struct synth_birth *births; /* by slot */
    struct synth_death *deaths; /* a heap with the earliest first */
    size_t death_count;
    size_t death_capacity;
};

/* ------------------------------------------------------------------------------ the fit */

static void synth_sample(struct synth *synth, const struct synth_birth *birth, uint64_t lifetime)
{
    struct synth_phase *phase =
        &synth->phases[(birth->born - 1) * SYNTH_PHASES / synth->totals.takes];
    uint64_t place = phase->seen++;
    if (place >= SYNTH_SAMPLES) {
        place = rng_below(&synth->rng, phase->seen);
    }
    if (place < SYNTH_SAMPLES) {
        phase->samples[place] = (struct synth_sample){
            .size = birth->size, .lifetime = lifetime, .alignment_log2 = birth->alignment_log2};
    }
}

static enum status synth_fit(struct synth *synth, struct trace_reader *reader, struct error *error)
{
    const struct trace_event *events;
    size_t count;
    uint64_t takes = 0;
    enum status status;
    while ((status = trace_reader_next(reader, &events, &count, error)) == STATUS_OK && count > 0) {
        for (size_t i = 0; i < count; i++) {
            const struct trace_event *event = &events[i];
            struct synth_birth *birth = &synth->births[event->slot];
            if (event->operation == TRACE_GIVE) {
                synth_sample(synth, birth, takes - birth->born);
                birth->alive = false;
            } else if (event->operation == TRACE_RESIZE) {
                birth->size = event->size;
            } else {
                *birth = (struct synth_birth){.born = ++takes,
                                              .size = event->size,
                                              .alignment_log2 = event->alignment_log2,
                                              .alive = true};
            }
        }
    }
    for (uint32_t slot = 0; slot < reader->slots; slot++) {
        if (synth->births[slot].alive) {
            synth_sample(synth, &synth->births[slot], SYNTH_FOREVER);
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------ the heap */

static void synth_push(struct synth *synth, uint64_t when, uint32_t slot)
{
    if (synth->death_count == synth->death_capacity) {
        synth->death_capacity = 2 * synth->death_capacity + 1024;
        synth->deaths = text_grow(synth->deaths, synth->death_capacity, sizeof(*synth->deaths));
    }
    size_t at = synth->death_count++;
    while (at > 0 && synth->deaths[(at - 1) / 2].when > when) {
        synth->deaths[at] = synth->deaths[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    synth->deaths[at] = (struct synth_death){.when = when, .slot = slot};
}

static uint32_t synth_pop(struct synth *synth)
{
    uint32_t slot = synth->deaths[0].slot;
    struct synth_death last = synth->deaths[--synth->death_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= synth->death_count) {
            break;
        }
        child += child + 1 < synth->death_count &&
                 synth->deaths[child + 1].when < synth->deaths[child].when;
        if (synth->deaths[child].when >= last.when) {
            break;
        }
        synth->deaths[at] = synth->deaths[child];
        at = child;
    }
    synth->deaths[at] = last;
    return slot;
}

/* ------------------------------------------------------------------------------ generation */

/* In a longer trace as many blocks are live at the end, not more. */
static const struct synth_sample *synth_draw(struct synth *synth, const struct synth_phase *phase)
{
    uint64_t kept = phase->seen < SYNTH_SAMPLES ? phase->seen : SYNTH_SAMPLES;
    const struct synth_sample *sample = &phase->samples[rng_below(&synth->rng, kept)];
    for (int i = 0; i < 100 && sample->lifetime == SYNTH_FOREVER && synth->asked->length > 1 &&
                    rng_uniform(&synth->rng) > 1 / synth->asked->length;
         i++) {
        sample = &phase->samples[rng_below(&synth->rng, kept)];
    }
    return sample;
}

static void synth_generate(struct synth *synth, struct trace_writer *writer)
{
    double factor = synth->asked->length * synth->asked->scale;
    uint64_t takes = (uint64_t)((double)synth->totals.takes * factor);
    for (uint64_t i = 0; i < takes; i++) {
        while (synth->death_count > 0 && synth->deaths[0].when <= i) {
            trace_writer_give(writer, TRACE_FREE, synth_pop(synth));
        }
        size_t phase = (size_t)((double)i / (double)takes * SYNTH_PHASES);
        if (synth->phases[phase].seen == 0) {
            continue;
        }
        const struct synth_sample *sample = synth_draw(synth, &synth->phases[phase]);
        uint32_t slot = trace_writer_take(
            writer, sample->alignment_log2 == 0 ? TRACE_MALLOC : TRACE_ALIGNED_ALLOC, sample->size,
            sample->alignment_log2 == 0 ? 0 : UINT64_C(1) << sample->alignment_log2);
        if (slot != UINT32_MAX && sample->lifetime != SYNTH_FOREVER) {
            double lifetime = (double)sample->lifetime * synth->asked->scale;
            synth_push(synth, i + 1 + (uint64_t)lifetime, slot);
        }
    }
}

/* ------------------------------------------------------------------------------ comparison */

static double synth_number(const json_t *info, const char *object, const char *member)
{
    return json_number_value(json_object_get(json_object_get(info, object), member));
}

/* The share of `what` in the rows up to `to`. */
static double synth_share_below(const json_t *rows, double to)
{
    double sum = 0;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (json_number_value(json_object_get(row, "to")) <= to) {
            sum += json_number_value(json_object_get(row, "share"));
        }
    }
    return sum;
}

static double synth_distance(const json_t *one, const json_t *other, const char *member)
{
    double largest = 0;
    for (int log = 0; log < 48; log++) {
        double distance = synth_share_below(json_object_get(one, member), ldexp(1, log)) -
                          synth_share_below(json_object_get(other, member), ldexp(1, log));
        largest = fmax(largest, fabs(distance));
    }
    return largest;
}

/* The curve's height at a part (0 to 1) of its length, relative to its peak. */
static double synth_height(const json_t *info, double part)
{
    const json_t *curve = json_object_get(info, "curve");
    double events = synth_number(info, "totals", "events"), height = 0;
    size_t i;
    json_t *point;
    json_array_foreach(curve, i, point)
    {
        if (json_number_value(json_array_get(point, 0)) <= part * events) {
            height = json_number_value(json_array_get(point, 1));
        }
    }
    return height / fmax(synth_number(info, "totals", "live_bytes_peak"), 1);
}

static json_t *synth_compare(const struct trace_synthesis *asked, struct error *error)
{
    enum { POINTS = 100 };
    json_t *real = trace_info(asked->input, error);
    json_t *made = real != NULL ? trace_info(asked->output, error) : NULL;
    json_t *fit = NULL;
    if (made != NULL) {
        double sum = 0;
        for (int i = 1; i <= POINTS; i++) {
            double part = (double)i / POINTS;
            sum += fabs(synth_height(real, part) - synth_height(made, part));
        }
        fit = json_pack("{s{sf sf} s{sf sf} sf sf sf}", "real", "takes",
                        synth_number(real, "totals", "takes"), "live_bytes_peak",
                        synth_number(real, "totals", "live_bytes_peak"), "synthetic", "takes",
                        synth_number(made, "totals", "takes"), "live_bytes_peak",
                        synth_number(made, "totals", "live_bytes_peak"), "sizes_distance",
                        synth_distance(real, made, "sizes"), "lifetimes_distance",
                        synth_distance(real, made, "lifetimes"), "curve_distance", sum / POINTS);
    }
    json_decref(real);
    json_decref(made);
    return fit;
}

enum status trace_synth(const struct trace_synthesis *asked, json_t **fit, struct error *error)
{
    struct synth synth = {.asked = asked};
    struct trace_reader reader;
    struct trace_writer *writer = NULL;
    struct trace_arena arena = {.count = 0};
    rng_seed(&synth.rng, asked->seed);
    *fit = NULL;
    enum status status = trace_reader_open(&reader, asked->input, trace_arena_take, &arena, error);
    if (status == STATUS_OK) {
        synth.totals = reader.totals;
        synth.phases = text_zeroed(SYNTH_PHASES, sizeof(*synth.phases));
        synth.births = text_zeroed(reader.totals.slots, sizeof(*synth.births));
        status = synth_fit(&synth, &reader, error);
        trace_reader_close(&reader);
    }
    trace_arena_release(&arena);
    if (status == STATUS_OK) {
        json_t *description = json_pack("{ss ss sf sf sI}", "synthesised_after", asked->input,
                                        "program", "heapmill trace synth", "length", asked->length,
                                        "scale", asked->scale, "seed", (json_int_t)asked->seed);
        status = trace_writer_open(&writer, asked->output, description, TRACE_LEVEL_FAST, error);
        json_decref(description);
    }
    if (status == STATUS_OK) {
        synth_generate(&synth, writer);
        status = trace_writer_close(writer, NULL, error);
    }
    if (status == STATUS_OK) {
        *fit = synth_compare(asked, error);
        status = *fit != NULL ? STATUS_OK : error->status;
    }
    free(synth.phases);
    free(synth.births);
    free(synth.deaths);
    return status;
}
