/* The detector `ledger`: of all births on the books, those alive that the program cannot reach from
 * its globals, by type and call site, each with the shortest chain of referrers (or the cycle) that
 * keeps one of them alive; and those of whose references more are counted than anything explains.
 */
#include "leaks/planted/leak_detector.h"

#ifdef HEAPMILL_LEDGER

#include <stdio.h>
#include <string.h>

#include "common/os_memory.h"
#include "gc/introspect.h"
#include "leaks/planted/leak_blocks.h"

/* The objects that are reached, as a hash set, and those of them whose referents are not yet. */
struct ledger_reach {
    struct object **set;
    struct object **pending;
    size_t capacity; /* a power of two, over twice the objects alive */
    size_t pending_count;
};

static bool ledger_reach_has(const struct ledger_reach *reach, const struct object *object,
                             size_t *slot)
{
    size_t i = (size_t)(((uintptr_t)object >> 3) * 0x9e3779b97f4a7c15u >> 20);
    for (i &= reach->capacity - 1; reach->set[i] != NULL; i = (i + 1) & (reach->capacity - 1)) {
        if (reach->set[i] == object) {
            return true;
        }
    }
    *slot = i;
    return false;
}

static int ledger_reach_add(struct object *object, void *context)
{
    struct ledger_reach *reach = context;
    size_t slot;
    if (!ledger_reach_has(reach, object, &slot)) {
        reach->set[slot] = object;
        reach->pending[reach->pending_count++] = object;
    }
    return 0;
}

/* Immortal objects are roots, and so is what the runtime made for itself. */
static bool ledger_reach_root(struct object *object, uint64_t birth, void *context)
{
    (void)birth;
    if (object_is_immortal(object)) {
        (void)ledger_reach_add(object, context);
    }
    return true;
}

static bool ledger_row_is_runtime(const struct ledger_row *row)
{
    return row->site->line == 0;
}

static bool ledger_reach_open(struct ledger_reach *reach, struct leak_program *program)
{
    reach->capacity = 1024;
    while (reach->capacity < 2 * ledger_live(program->runtime) + 2) {
        reach->capacity *= 2;
    }
    reach->set = os_map_scratch(2 * reach->capacity * sizeof(struct object *));
    if (reach->set == NULL) {
        return false;
    }
    reach->pending = reach->set + reach->capacity;
    (void)ledger_reach_add(program->globals, reach);
    ledger_visit_live(program->runtime, NULL, ledger_reach_root, reach);
    while (reach->pending_count > 0) {
        (void)gc_visit_referents(reach->pending[--reach->pending_count], ledger_reach_add, reach);
    }
    return true;
}

/* ---------------------------------------------------------------- reporting */
struct ledger_search {
    struct leak_program *program;
    struct leak_answer *answer;
    const struct ledger_reach *reach;
};

static void ledger_site_text(char *text, const struct ledger_row *row)
{
    (void)snprintf(text, LEAK_SITE_BYTES, "%s:%d", row->site->file, row->site->line);
}

/* "list@FILE:LINE (1 unexplained) -> dict@FILE:LINE"; a cycle ends in "-> back". */
static void ledger_tell_chain(const struct ledger_search *search, const struct object *object,
                              char *text, size_t size)
{
    enum { LINKS = 8 };
    struct ledger_finding links[LINKS];
    const struct runtime *runtime = search->program->runtime;
    size_t length = ledger_find_chain(runtime, object, links, LINKS);
    bool cycle = length == 0;
    if (cycle) {
        length = ledger_find_cycle(runtime, object, links, LINKS);
    }
    size_t used = 0;
    for (size_t i = 0; i < length && i < LINKS && used < size; i++) {
        char site[LEAK_SITE_BYTES] = "unrecorded";
        if (links[i].row != NULL) {
            ledger_site_text(site, links[i].row);
        }
        int more = snprintf(text + used, size - used, "%s%s@%s", i == 0 ? "" : " -> ",
                            links[i].object->type->name, site);
        used += more > 0 ? (size_t)more : 0;
        if (links[i].names != 0 && used < size) {
            more = snprintf(text + used, size - used, " (%lld unexplained)",
                            (long long)links[i].names);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    if (used < size && (cycle ? length > 0 : length > LINKS)) {
        (void)snprintf(text + used, size - used, cycle ? " -> back" : " -> ...");
    }
}

static void ledger_add(const struct ledger_search *search, const struct ledger_row *row,
                       const struct object *object)
{
    char site[LEAK_SITE_BYTES];
    ledger_site_text(site, row);
    struct leak_report *report = leak_answer_find(search->answer, site, row->type_name);
    if (report == NULL) {
        return;
    }
    if (report->count++ == 0) {
        ledger_tell_chain(search, object, report->chain, sizeof(report->chain));
    }
    report->bytes += object->type->size;
}

static bool ledger_see_live(struct object *object, uint64_t birth, void *context)
{
    const struct ledger_search *search = context;
    const struct ledger_row *row = ledger_row_of(search->program->runtime, object);
    size_t slot;
    (void)birth;
    if (row != NULL && !ledger_row_is_runtime(row) &&
        !ledger_reach_has(search->reach, object, &slot)) {
        ledger_add(search, row, object);
    }
    return true;
}

/* References too many to what is reachable: it would leak when the globals let go of it. */
static void ledger_see_finding(const struct ledger_finding *finding, void *context)
{
    const struct ledger_search *search = context;
    int64_t expected = finding->object == search->program->globals ? 1 : 0;
    size_t slot;
    if (finding->row != NULL && !ledger_row_is_runtime(finding->row) && finding->names > expected &&
        ledger_reach_has(search->reach, finding->object, &slot)) {
        ledger_add(search, finding->row, finding->object);
    }
}

static void ledger_see_block(const struct leak_block *block, void *context)
{
    char site[LEAK_SITE_BYTES];
    (void)snprintf(site, sizeof(site), "%s:%d", block->file, block->line);
    struct leak_report *report = leak_answer_find(context, site, "block");
    if (report != NULL) {
        report->count++;
        report->bytes += block->bytes;
    }
}

static void ledger_detector_answer(struct leak_program *program, struct leak_answer *answer)
{
    leak_collect_as_program(program);
    struct ledger_reach reach = {.pending_count = 0};
    struct ledger_search search = {.program = program, .answer = answer, .reach = &reach};
    if (!ledger_is_complete(program->runtime) || !ledger_reach_open(&reach, program)) {
        answer->failed = "no memory for the books";
        return;
    }
    ledger_visit_live(program->runtime, NULL, ledger_see_live, &search);
    bool told = ledger_audit(program->runtime, ledger_see_finding, &search) &&
                leak_blocks_find_lost(program->state, LEAK_STATE_WORDS, ledger_see_block, answer);
    if (!told) {
        answer->failed = "no memory for the recount";
    }
    os_unmap(reach.set, 2 * reach.capacity * sizeof(struct object *));
}

#else

static void ledger_detector_answer(struct leak_program *program, struct leak_answer *answer)
{
    (void)program;
    answer->failed = "this program keeps no ledger: heapmill-leak-BACKEND.ledger does";
}

#endif

const struct leak_detector leak_detector_ledger = {
    .name = "ledger",
    .answer = ledger_detector_answer,
};
