#include "traces/host/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"

#define INTAKE_NO_SLOT UINT32_MAX

struct intake_place {
    uint64_t address; /* 0: empty */
    uint32_t slot;
};

/* Few at first, so that the most used ones stay in the first caches. */
enum { INTAKE_PLACES_FIRST = 1 << 12 };

/* ------------------------------------------------------------------------------ addresses */

/* Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, 6.4). */
static size_t intake_home(const struct trace_intake *intake, uint64_t address)
{
    return (size_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (intake->place_count - 1);
}

static struct intake_place *intake_find(const struct trace_intake *intake, uint64_t address)
{
    size_t i = intake_home(intake, address);
    while (intake->places[i].address != 0 && intake->places[i].address != address) {
        i = (i + 1) & (intake->place_count - 1);
    }
    return &intake->places[i];
}

static void intake_grow(struct trace_intake *intake)
{
    struct trace_intake old = *intake;
    intake->place_count *= 2;
    intake->places = text_zeroed(intake->place_count, sizeof(*intake->places));
    for (size_t i = 0; i < old.place_count; i++) {
        if (old.places[i].address != 0) {
            *intake_find(intake, old.places[i].address) = old.places[i];
        }
    }
    free(old.places);
}

/* Sets the address's slot. Returns its old slot, or INTAKE_NO_SLOT. */
static uint32_t intake_put(struct trace_intake *intake, uint64_t address, uint32_t slot)
{
    if (__builtin_expect(2 * (intake->used + 1) > intake->place_count, 0)) {
        intake_grow(intake);
    }
    struct intake_place *place = intake_find(intake, address);
    uint32_t before = place->address == 0 ? INTAKE_NO_SLOT : place->slot;
    intake->used += place->address == 0;
    *place = (struct intake_place){.address = address, .slot = slot};
    return before;
}

/* Removes the address; returns its slot, or INTAKE_NO_SLOT. Later entries move up, so that no mark
 * of the deletion is needed (Knuth, algorithm R of the same section). */
static uint32_t intake_drop(struct trace_intake *intake, uint64_t address)
{
    struct intake_place *place = intake_find(intake, address);
    size_t mask = intake->place_count - 1;
    if (place->address == 0) {
        return INTAKE_NO_SLOT;
    }
    uint32_t slot = place->slot;
    size_t hole = (size_t)(place - intake->places);
    for (size_t i = (hole + 1) & mask; intake->places[i].address != 0; i = (i + 1) & mask) {
        size_t home = intake_home(intake, intake->places[i].address);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            intake->places[hole] = intake->places[i];
            hole = i;
        }
    }
    intake->places[hole].address = 0;
    intake->used--;
    return slot;
}

/* ------------------------------------------------------------------------------ events */

/* The slot + 1 of the block that the thread is moving; 0: none. */
static uint64_t *intake_moving(struct trace_intake *intake, uint32_t thread)
{
    if (thread >= intake->moving_count) {
        size_t count = (size_t)thread + 16;
        intake->moving = text_grow(intake->moving, count, sizeof(*intake->moving));
        memset(intake->moving + intake->moving_count, 0,
               (count - intake->moving_count) * sizeof(*intake->moving));
        intake->moving_count = count;
    }
    return &intake->moving[thread];
}

static __attribute__((noinline)) void intake_settle_thread(struct trace_intake *intake,
                                                           uint32_t thread)
{
    uint64_t *moving = intake_moving(intake, thread);
    intake->thread = thread;
    trace_writer_thread(intake->writer, thread);
    if (*moving != 0) {
        trace_writer_give(intake->writer, TRACE_REALLOC, (uint32_t)(*moving - 1));
        *moving = 0;
        intake->moves--;
    }
}

/* Makes the thread the current one. Ends a move that the thread began but did not finish:
 * realloc(block, 0), which frees. */
static inline void intake_settle(struct trace_intake *intake, uint32_t thread)
{
    if (__builtin_expect(thread != intake->thread || intake->moves != 0, 0)) {
        intake_settle_thread(intake, thread);
    }
}

static bool intake_moves(enum trace_member member)
{
    return member == TRACE_REALLOC || member == TRACE_REALLOCARRAY;
}

/* Ends the thread's move. Returns the slot, or INTAKE_NO_SLOT: there was no move. */
static uint32_t intake_end_move(struct trace_intake *intake, uint32_t thread)
{
    uint64_t *moving = intake_moving(intake, thread);
    uint32_t slot = *moving == 0 ? INTAKE_NO_SLOT : (uint32_t)(*moving - 1);
    intake->moves -= *moving != 0;
    *moving = 0;
    return slot;
}

void trace_intake_took(struct trace_intake *intake, uint32_t thread, enum trace_member member,
                       uint64_t address, uint64_t size, uint64_t alignment, uint32_t site)
{
    uint32_t slot = intake_moves(member) ? intake_end_move(intake, thread) : INTAKE_NO_SLOT;
    intake_settle(intake, thread);
    if (slot != INTAKE_NO_SLOT) {
        trace_writer_resize(intake->writer, member, slot, size);
    } else {
        if (intake->sample > 1 && rng_below(&intake->rng, intake->sample) != 0) {
            return;
        }
        slot = trace_writer_take(intake->writer, member, size, alignment);
    }
    if (slot == UINT32_MAX) {
        intake->refused++;
        return;
    }
    if (site != 0) {
        trace_writer_site(intake->writer, site);
    }
    uint32_t before = intake_put(intake, address, slot);
    if (__builtin_expect(before != INTAKE_NO_SLOT, 0)) {
        /* Its give was missed, in a call that was not watched. */
        intake->doubles++;
        trace_writer_give(intake->writer, TRACE_UNKNOWN, before);
    }
}

void trace_intake_gives(struct trace_intake *intake, uint32_t thread, enum trace_member member,
                        uint64_t address)
{
    intake_settle(intake, thread);
    uint32_t slot = intake_drop(intake, address);
    if (slot == INTAKE_NO_SLOT) {
        intake->strangers += intake->sample <= 1;
    } else if (intake_moves(member)) {
        *intake_moving(intake, thread) = (uint64_t)slot + 1;
        intake->moves++;
    } else {
        trace_writer_give(intake->writer, member, slot);
    }
}

void trace_intake_keeps(struct trace_intake *intake, uint32_t thread, uint64_t address)
{
    uint32_t slot = intake_end_move(intake, thread);
    if (slot != INTAKE_NO_SLOT) {
        (void)intake_put(intake, address, slot);
    }
}

enum status trace_intake_open(struct trace_intake *intake, const char *path,
                              const json_t *description, int level, uint64_t sample,
                              struct error *error)
{
    *intake = (struct trace_intake){.sample = sample, .place_count = INTAKE_PLACES_FIRST};
    rng_seed(&intake->rng, sample);
    enum status status = trace_writer_open(&intake->writer, path, description, level, error);
    if (status == STATUS_OK) {
        intake->places = text_zeroed(intake->place_count, sizeof(*intake->places));
    }
    return status;
}

enum status trace_intake_close(struct trace_intake *intake, json_t *more, struct error *error)
{
    for (uint32_t thread = 0; thread < intake->moving_count; thread++) {
        if (intake->moving[thread] != 0) {
            intake_settle_thread(intake, thread);
        }
    }
    json_t *totals = json_pack("{sI sI sI sI}", "strangers", (json_int_t)intake->strangers,
                               "doubles", (json_int_t)intake->doubles, "refused",
                               (json_int_t)intake->refused, "sample", (json_int_t)intake->sample);
    if (more != NULL) {
        (void)json_object_update(totals, more);
    }
    enum status status = trace_writer_close(intake->writer, totals, error);
    json_decref(totals);
    free(intake->places);
    free(intake->moving);
    *intake = (struct trace_intake){.sample = 0};
    return status;
}
