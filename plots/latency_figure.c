/* Two figures of times as percentiles: times of single calls, and a collector's pauses. */
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* Histograms from records, [[ns, count]…], of several rounds together. */

/* `count` events took at most `ns`, and more than the bucket before. */
struct bucket {
    double ns;
    double count;
};

/* A zeroed structure is empty. */
struct buckets {
    struct bucket *items; /* free() */
    size_t count;
};

/* Adds the member "buckets" of a record's object. Events of 0 ns are left out, because a
 * logarithmic axis cannot show them. */
static void buckets_add(struct buckets *buckets, const json_t *object)
{
    const json_t *added = json_object_get(object, "buckets");
    size_t count = json_array_size(added);
    buckets->items = text_grow(buckets->items, buckets->count + count + 1, sizeof *buckets->items);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(added, i);
        double ns = json_number_value(json_array_get(pair, 0));
        double events = json_number_value(json_array_get(pair, 1));
        if (ns > 0 && events > 0) {
            buckets->items[buckets->count++] = (struct bucket){ns, events};
        }
    }
}

static int bucket_compare(const void *left, const void *right)
{
    const struct bucket *a = left;
    const struct bucket *b = right;
    return (a->ns > b->ns) - (a->ns < b->ns);
}

/* Sorts the buckets by ns, and returns the number of events. */
static double buckets_sort(struct buckets *buckets)
{
    double total = 0;
    if (buckets->count > 0) {
        qsort(buckets->items, buckets->count, sizeof *buckets->items, bucket_compare);
    }
    for (size_t i = 0; i < buckets->count; i++) {
        total += buckets->items[i].count;
    }
    return total;
}

/* Percentiles of single calls: one image a workload, one panel a call, a curve a back end. */

/* The range of the timer's cost over an image's records. */
struct latency_timer {
    char name[32];
    double cost_low;
    double cost_high;
};

static const struct {
    const char *member;
    const char *title;
} latency_calls[] = {
    {"alloc", "allocation"},
    {"free", "free"},
    {"resize", "resize"},
};

enum { LATENCY_CALLS = sizeof latency_calls / sizeof latency_calls[0] };

/* At least this many calls must lie beyond a point. With fewer, the line would show single events,
 * which differ from run to run. */
enum { LATENCY_BEYOND_MIN = 10 };

static void curve_of_buckets(struct curve *curve, struct buckets *buckets)
{
    double total = buckets_sort(buckets);
    double within = 0;
    for (size_t i = 0; i < buckets->count; i++) {
        within += buckets->items[i].count;
        if (total - within < LATENCY_BEYOND_MIN) {
            break;
        }
        curves_add_point(curve, total / (total - within), buckets->items[i].ns);
    }
}

static void timer_add(struct latency_timer *timer, const json_t *latency)
{
    const char *name = json_string_value(json_object_get(latency, "timer"));
    const json_t *cost = json_object_get(latency, "timer_cost_ns");
    if (name == NULL || !json_is_number(cost)) {
        return;
    }
    bool same = timer->name[0] == '\0' || strcmp(timer->name, name) == 0;
    (void)snprintf(timer->name, sizeof timer->name, "%s", same ? name : "several timers");
    timer->cost_low = fmin(timer->cost_low, json_number_value(cost));
    timer->cost_high = fmax(timer->cost_high, json_number_value(cost));
}

static char *timer_remark(const struct latency_timer *timer)
{
    char cost[48];
    bool one = round(timer->cost_low) == round(timer->cost_high);
    (void)snprintf(cost, sizeof cost, one ? "%.0f ns" : "%.0f to %.0f ns", timer->cost_low,
                   timer->cost_high);
    return text_format("The timer (%s) takes %s itself, which is in every figure. All rounds "
                       "together; what the machine interrupts is in the tail of all.",
                       timer->name, cost);
}

/* Adds up all rounds of the row's cell in the column, for each call. */
static enum status read_cell(const struct plot *plot, size_t cell, struct buckets buckets[],
                             struct latency_timer *timer, struct error *error)
{
    const struct record_set *set = plot->set;
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        if (record->cell != cell || record->pass != RECORD_LATENCY || record->status != RECORD_OK) {
            continue;
        }
        json_t *json = NULL;
        enum status status = record_set_read(set, i, &json, error);
        if (status != STATUS_OK) {
            return status;
        }
        const json_t *latency = json_object_get(json, "latency");
        for (size_t call = 0; call < LATENCY_CALLS; call++) {
            buckets_add(&buckets[call], json_object_get(latency, latency_calls[call].member));
        }
        timer_add(timer, latency);
        json_decref(json);
    }
    return STATUS_OK;
}

/* Adds the panels of one workload. */
static enum status add_panels(const struct plot *plot, size_t column, struct curves *curves,
                              struct latency_timer *timer, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t call = 0; call < LATENCY_CALLS; call++) {
        struct curves_panel *panel = curves_add_panel(curves, latency_calls[call].title);
        panel->x_label = "percentile of the calls";
        panel->y_label = "time of a call, the timer's own in it";
        panel->log_x = true;
        panel->log_y = true;
        panel->percentiles = true;
    }
    for (size_t row = 0; row < plot->row_count && status == STATUS_OK; row++) {
        struct buckets buckets[LATENCY_CALLS] = {{.items = NULL}};
        size_t cell = memory_series_find_cell(plot, row, column);
        status = read_cell(plot, cell, buckets, timer, error);
        for (size_t call = 0; call < LATENCY_CALLS; call++) {
            if (buckets[call].count > 0) {
                curve_of_buckets(curves_add_curve(&curves->panels[call], row), &buckets[call]);
            }
            free(buckets[call].items);
        }
    }
    /* A call that the workload never makes has no panel. The last one, resize, is the one that most
     * workloads lack. */
    while (curves->count > 0 && curves->panels[curves->count - 1].count == 0) {
        curves_drop_panel(curves);
    }
    return status;
}

static enum status draw_column(struct plot *plot, const struct figure *figure, size_t column,
                               struct error *error)
{
    struct curves curves = {.panels = NULL};
    struct latency_timer timer = {.cost_low = INFINITY};
    enum status status = add_panels(plot, column, &curves, &timer, error);
    if (status == STATUS_OK && curves.count > 0) {
        char *title = text_format("Latency of single calls: %s", plot->columns[column].label);
        char *name = text_format("latency-%s", plot->columns[column].slug);
        char *remark = timer_remark(&timer);
        struct curves_words words = {
            .name = name,
            .title = title,
            .better =
                "Lower is better. A curve ends where ten of the calls that were timed took longer.",
            .remark = remark};
        status = curves_draw_words(plot, figure, &curves, &words, error);
        free(title);
        free(name);
        free(remark);
    } else if (status == STATUS_OK) {
        plot_note(plot, "latency: there are no figures of %s, so it has no picture",
                  plot->columns[column].label);
    }
    curves_release(&curves);
    return status;
}

static bool latency_has_pass(const struct record_set *set)
{
    bool found = false;
    for (size_t i = 0; i < set->record_count && !found; i++) {
        found = set->records[i].pass == RECORD_LATENCY;
    }
    return found;
}

enum status latency_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    enum status first = STATUS_OK;
    if (!latency_has_pass(plot->set)) {
        plot_note(plot, "latency: the run has no latency pass (bench --latency), so no picture");
        return STATUS_OK;
    }
    for (size_t column = 0; column < plot->column_count; column++) {
        struct error why = {.message = ""};
        enum status status = draw_column(plot, figure, column, &why);
        if (status != STATUS_OK && first == STATUS_OK) {
            first = status;
            *error = why;
        }
    }
    return first;
}

/* The collector's pauses as percentiles: one panel per workload, one curve per back end and
 * collector. */

/* Adds up all rounds of a cell. */
static enum status pauses_read_cell(const struct plot *plot, size_t cell, struct buckets *buckets,
                                    struct error *error)
{
    const struct record_set *set = plot->set;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        const struct record *record = &set->records[i];
        if (record->cell != cell || record->pass != RECORD_TIME || record->status != RECORD_OK) {
            continue;
        }
        json_t *json = NULL;
        status = record_set_read(set, i, &json, error);
        if (status == STATUS_OK) {
            const json_t *gc = json_object_get(json, "gc");
            buckets_add(buckets, json_object_get(gc, "pauses"));
        }
        json_decref(json);
    }
    return status;
}

/* Draws up to the longest pause: pauses are made by the collector itself, so the last one counts
 * too. It is placed where half an event would lie beyond it. */
static void pauses_draw_curve(struct curve *curve, struct buckets *buckets)
{
    double total = buckets_sort(buckets);
    double within = 0;
    for (size_t i = 0; i < buckets->count; i++) {
        within += buckets->items[i].count;
        if (i + 1 < buckets->count && buckets->items[i + 1].ns <= buckets->items[i].ns) {
            continue; /* the same bucket from another round */
        }
        double beyond = fmax(total - within, 0.5);
        curves_add_point(curve, total / beyond, buckets->items[i].ns);
    }
}

static enum status pauses_add_panel(const struct plot *plot, struct curves *curves, size_t column,
                                    struct error *error)
{
    struct curves_panel *panel = curves_add_panel(curves, plot->columns[column].label);
    enum status status = STATUS_OK;
    panel->x_label = "percentile of the pauses";
    panel->y_label = "CPU time of a pause";
    panel->log_x = true;
    panel->log_y = true;
    panel->percentiles = true;
    for (size_t row = 0; row < plot->row_count && status == STATUS_OK; row++) {
        struct buckets buckets = {.items = NULL};
        size_t cell = memory_series_find_cell(plot, row, column);
        status = pauses_read_cell(plot, cell, &buckets, error);
        if (buckets.count > 0) {
            pauses_draw_curve(curves_add_curve(panel, row), &buckets);
        }
        free(buckets.items);
    }
    if (panel->count == 0) {
        curves_drop_panel(curves);
    }
    return status;
}

enum status pauses_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    return curves_draw_columns(
        plot, figure, pauses_add_panel, "How long collectors stop the program",
        "Lower is better. CPU time of each pause, all rounds together; the "
        "last point of a curve is its longest pause.",
        "pauses: no workload of objects had a collection; it is not drawn", error);
}
