#include "traces/host/advise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "traces/reader.h"

enum {
    ADVISE_STEP = 16,
    ADVISE_STEPS = 64, /* up to 1024 bytes */
    ADVISE_CAPS = 13,  /* 1 to 2048, and no cap */
    ADVISE_THRESHOLDS = 6,
};

static const double ADVISE_KEPT = 0.95;   /* share of the hits of a list without a cap */
static const double ADVISE_COMMON = 0.01; /* share of the takes */
static const uint64_t advise_thresholds[ADVISE_THRESHOLDS] = {64, 128, 256, 512, 1024, 4096};

/* One half of the trace. Step i has sizes 16i + 1 to 16i + 16. */
struct advise_half {
    uint64_t takes;
    uint64_t step_takes[ADVISE_STEPS];
    uint64_t step_bytes[ADVISE_STEPS]; /* requested bytes */
    uint64_t hits[ADVISE_STEPS][ADVISE_CAPS];
};

struct advise {
    struct advise_half halves[2];
    uint64_t cached[ADVISE_STEPS][ADVISE_CAPS]; /* blocks in the list */
    uint64_t live[ADVISE_THRESHOLDS];
    uint64_t at_peak[ADVISE_THRESHOLDS];
    uint64_t live_all, peak;
    uint64_t takes_below[ADVISE_THRESHOLDS];
};

static size_t advise_step(uint64_t size)
{
    return (size_t)((trace_live_bytes(size) - 1) / ADVISE_STEP);
}

/* Simulates free lists with all caps at the same time. */
static void advise_take(struct advise *advise, struct advise_half *half, uint64_t size)
{
    size_t step = advise_step(size);
    half->takes++;
    if (step >= ADVISE_STEPS) {
        return;
    }
    half->step_takes[step]++;
    half->step_bytes[step] += size;
    for (int cap = 0; cap < ADVISE_CAPS; cap++) {
        if (advise->cached[step][cap] > 0) {
            advise->cached[step][cap]--;
            half->hits[step][cap]++;
        }
    }
}

static void advise_give(struct advise *advise, uint64_t size)
{
    size_t step = advise_step(size);
    for (int cap = 0; step < ADVISE_STEPS && cap < ADVISE_CAPS; cap++) {
        if (cap == ADVISE_CAPS - 1 || advise->cached[step][cap] < UINT64_C(1) << cap) {
            advise->cached[step][cap]++;
        }
    }
}

static void advise_live(struct advise *advise, uint64_t size, int sign)
{
    uint64_t bytes = sign < 0 ? -trace_live_bytes(size) : trace_live_bytes(size);
    advise->live_all += bytes;
    for (int i = 0; i < ADVISE_THRESHOLDS; i++) {
        advise->live[i] += size <= advise_thresholds[i] ? bytes : 0;
    }
    if (advise->live_all > advise->peak) {
        advise->peak = advise->live_all;
        memcpy(advise->at_peak, advise->live, sizeof(advise->live));
    }
}

/* A resize frees its old block and takes another. */
static void advise_event(struct advise *advise, const struct trace_event *event, bool second)
{
    bool takes = event->operation != TRACE_GIVE;
    if (event->operation >= TRACE_RESIZE) {
        uint64_t size = takes ? event->old_size : event->size;
        advise_give(advise, size);
        advise_live(advise, size, -1);
    }
    if (takes) {
        advise_take(advise, &advise->halves[second], event->size);
        advise_live(advise, event->size, 1);
        for (int i = 0; i < ADVISE_THRESHOLDS; i++) {
            advise->takes_below[i] += event->size <= advise_thresholds[i];
        }
    }
}

static enum status advise_read(struct advise *advise, struct trace_reader *reader,
                               struct error *error)
{
    const struct trace_event *events;
    size_t count;
    uint64_t done = 0;
    enum status status;
    while ((status = trace_reader_next(reader, &events, &count, error)) == STATUS_OK && count > 0) {
        for (size_t i = 0; i < count; i++) {
            advise_event(advise, &events[i], 2 * done++ >= reader->totals.events);
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------ size classes */

/* ends[i] is the last step of class i. */
struct advise_classes {
    size_t ends[ADVISE_STEPS];
    size_t count;
};

/* Usable minus requested bytes of steps `from` to `to`, if they are one class. */
static double advise_cost(const struct advise_half *half, size_t from, size_t to)
{
    double cost = 0;
    for (size_t i = from; i <= to; i++) {
        cost += (double)half->step_takes[i] * (double)(ADVISE_STEP * (to + 1)) -
                (double)half->step_bytes[i];
    }
    return cost;
}

/* Finds the cheapest division into k classes by dynamic programming over their last steps:
 * best[j][i] is the cost of dividing the steps up to i into j + 1 classes. */
static void advise_divide(const struct advise_half *half, size_t k, struct advise_classes *classes)
{
    static double best[ADVISE_STEPS][ADVISE_STEPS];
    static size_t before[ADVISE_STEPS][ADVISE_STEPS];
    for (size_t i = 0; i < ADVISE_STEPS; i++) {
        best[0][i] = advise_cost(half, 0, i);
    }
    for (size_t j = 1; j < k; j++) {
        for (size_t i = 0; i < ADVISE_STEPS; i++) {
            best[j][i] = best[j - 1][i];
            before[j][i] = SIZE_MAX; /* one more class is not needed */
            for (size_t last = 0; last < i; last++) {
                double cost = best[j - 1][last] + advise_cost(half, last + 1, i);
                if (cost < best[j][i]) {
                    best[j][i] = cost;
                    before[j][i] = last;
                }
            }
        }
    }
    classes->count = 0;
    size_t end = ADVISE_STEPS - 1;
    for (size_t j = k; j-- > 0;) {
        if (j > 0 && before[j][end] == SIZE_MAX) {
            continue;
        }
        classes->ends[classes->count++] = end;
        end = j > 0 ? before[j][end] : 0;
    }
    for (size_t i = 0; i < classes->count / 2; i++) {
        size_t swapped = classes->ends[i];
        classes->ends[i] = classes->ends[classes->count - 1 - i];
        classes->ends[classes->count - 1 - i] = swapped;
    }
}

/* The largest size of the step. */
static json_t *advise_size(size_t step)
{
    return json_integer(((json_int_t)step + 1) * ADVISE_STEP);
}

static double advise_waste(const struct advise_half *half, const struct advise_classes *classes)
{
    double cost = 0, asked = 0;
    size_t from = 0;
    for (size_t i = 0; i < classes->count; i++) {
        cost += advise_cost(half, from, classes->ends[i]);
        from = classes->ends[i] + 1;
    }
    for (size_t i = 0; i < ADVISE_STEPS; i++) {
        asked += (double)half->step_bytes[i];
    }
    return asked > 0 ? cost / asked : 0;
}

static void advise_add_classes(json_t *rows, const struct advise *advise, const char *name,
                               const struct advise_classes *classes)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < classes->count; i++) {
        (void)json_array_append_new(sizes, advise_size(classes->ends[i]));
    }
    (void)json_array_append_new(
        rows, json_pack("{ss si sf sf so}", "name", name, "count", (int)classes->count, "waste",
                        advise_waste(&advise->halves[0], classes), "waste_checked",
                        advise_waste(&advise->halves[1], classes), "sizes", sizes));
}

static json_t *advise_classes(const struct advise *advise)
{
    json_t *rows = json_array();
    struct advise_classes classes;
    for (size_t k = 4; k <= 32; k *= 2) {
        advise_divide(&advise->halves[0], k, &classes);
        advise_add_classes(rows, advise, "fitted", &classes);
    }
    classes.count = 0;
    for (size_t end = 0; end < ADVISE_STEPS; end = 2 * end + 1) {
        classes.ends[classes.count++] = end;
    }
    advise_add_classes(rows, advise, "powers of two", &classes);
    for (size_t end = 0; end < ADVISE_STEPS; end++) {
        classes.ends[end] = end;
    }
    classes.count = ADVISE_STEPS;
    advise_add_classes(rows, advise, "every 16", &classes);
    return rows;
}

/* ------------------------------------------------------------------------------ caps */

static double advise_hits(const struct advise_half *half, size_t step, int cap)
{
    return half->step_takes[step] == 0
               ? 0
               : (double)half->hits[step][cap] / (double)half->step_takes[step];
}

static json_t *advise_caps(const struct advise *advise)
{
    const struct advise_half *first = &advise->halves[0], *second = &advise->halves[1];
    json_t *rows = json_array();
    for (size_t step = 0; step < ADVISE_STEPS; step++) {
        double unbounded = advise_hits(first, step, ADVISE_CAPS - 1);
        int cap = 0;
        if ((double)first->step_takes[step] < ADVISE_COMMON * (double)first->takes) {
            continue;
        }
        while (cap < ADVISE_CAPS - 1 && advise_hits(first, step, cap) < ADVISE_KEPT * unbounded) {
            cap++;
        }
        (void)json_array_append_new(
            rows,
            json_pack("{so sf sf so sf so}", "size", advise_size(step), "takes",
                      (double)first->step_takes[step] / (double)first->takes, "hits_unbounded",
                      unbounded, "cap",
                      cap < ADVISE_CAPS - 1 ? json_integer((json_int_t)1 << cap) : json_null(),
                      "hits", advise_hits(first, step, cap), "hits_checked",
                      second->step_takes[step] == 0 ? json_null()
                                                    : json_real(advise_hits(second, step, cap))));
    }
    return rows;
}

static json_t *advise_threshold_rows(const struct advise *advise)
{
    json_t *rows = json_array();
    double takes = (double)(advise->halves[0].takes + advise->halves[1].takes);
    for (int i = 0; i < ADVISE_THRESHOLDS; i++) {
        (void)json_array_append_new(
            rows, json_pack("{sI sf sf}", "threshold", (json_int_t)advise_thresholds[i], "takes",
                            (double)advise->takes_below[i] / fmax(takes, 1), "live_bytes",
                            (double)advise->at_peak[i] / fmax((double)advise->peak, 1)));
    }
    return rows;
}

json_t *trace_advise(const char *path, struct error *error)
{
    struct trace_reader reader;
    struct trace_arena arena = {.count = 0};
    struct advise *advise = text_zeroed(1, sizeof(*advise));
    json_t *advice = NULL;
    enum status status = trace_reader_open(&reader, path, trace_arena_take, &arena, error);
    if (status == STATUS_OK) {
        status = advise_read(advise, &reader, error);
        trace_reader_close(&reader);
    }
    if (status == STATUS_OK) {
        advice = json_pack("{ss so so so}", "file", path, "classes", advise_classes(advise), "caps",
                           advise_caps(advise), "thresholds", advise_threshold_rows(advise));
    }
    trace_arena_release(&arena);
    free(advise);
    return advice;
}

/* ------------------------------------------------------------------------------ for people */

/* Adds a percentage, or a dash for null: the second half does not have that size. */
static void advise_percent(struct table *table, size_t column, const json_t *row,
                           const char *member)
{
    if (!json_is_number(json_object_get(row, member))) {
        table_cell(table, column, "-");
        return;
    }
    table_number(table, column, "%.1f%%", 100 * json_number_value(json_object_get(row, member)));
}

static void advise_show_classes(struct document *document, const json_t *advice)
{
    static const char *const titles[] = {"size classes", "sizes", "count", "waste", "checked"};
    size_t index;
    json_t *row;
    document_heading(document, 2,
                     "size classes up to 1024 bytes: what they waste of what is asked");
    struct table *table = document_table(document, "classes");
    table_columns(table, titles, 5, 2);
    json_array_foreach(json_object_get(advice, "classes"), index, row)
    {
        const json_t *sizes = json_object_get(row, "sizes");
        char *list = text_format("%s", "");
        for (size_t i = 0; i < json_array_size(sizes) && json_array_size(sizes) <= 16; i++) {
            char *longer = text_format("%s%s%lld", list, i > 0 ? " " : "",
                                       (long long)json_integer_value(json_array_get(sizes, i)));
            free(list);
            list = longer;
        }
        table_row(table);
        table_cell(table, 0, "%s", json_string_value(json_object_get(row, "name")));
        table_cell(table, 1, "%s", list);
        table_count(table, 2, json_number_value(json_object_get(row, "count")));
        advise_percent(table, 3, row, "waste");
        advise_percent(table, 4, row, "waste_checked");
        free(list);
    }
}

static void advise_show_caps(struct document *document, const json_t *advice)
{
    static const char *const titles[] = {"bytes", "of takes", "hits, no cap",
                                         "cap",   "hits",     "checked"};
    size_t index;
    json_t *row;
    document_heading(document, 2, "free lists: the cap that keeps 95%% of the hits");
    struct table *table = document_table(document, "caps");
    table_columns(table, titles, 6, 0);
    json_array_foreach(json_object_get(advice, "caps"), index, row)
    {
        const json_t *cap = json_object_get(row, "cap");
        table_row(table);
        table_count(table, 0, json_number_value(json_object_get(row, "size")));
        advise_percent(table, 1, row, "takes");
        advise_percent(table, 2, row, "hits_unbounded");
        if (json_is_integer(cap)) {
            table_count(table, 3, json_number_value(cap));
        } else {
            table_cell(table, 3, "%s", "none");
        }
        advise_percent(table, 4, row, "hits");
        advise_percent(table, 5, row, "hits_checked");
    }
}

struct document *trace_advise_document(const json_t *advice)
{
    static const char *const titles[] = {"up to bytes", "of takes", "of bytes live at the peak"};
    size_t index;
    json_t *row;
    struct document *document = document_new();
    document_heading(document, 1, "%s", json_string_value(json_object_get(advice, "file")));
    document_line(document, "chosen on the first half of the events, checked on the second");
    advise_show_classes(document, advice);
    advise_show_caps(document, advice);
    document_heading(document, 2, "the threshold between pools and malloc");
    struct table *table = document_table(document, "thresholds");
    table_columns(table, titles, 3, 0);
    json_array_foreach(json_object_get(advice, "thresholds"), index, row)
    {
        table_row(table);
        table_count(table, 0, json_number_value(json_object_get(row, "threshold")));
        advise_percent(table, 1, row, "takes");
        advise_percent(table, 2, row, "live_bytes");
    }
    return document;
}
