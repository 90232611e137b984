/* Percentiles of single calls: one image a workload, one panel a call, a curve a back end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/buckets.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/memory_series.h"

/* What an image says of its records' timers: the costs' range. */
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

/* What is beyond a point rests on at least this many calls; a line through fewer is one of single
 * events, another in each run. */
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

/* All rounds of the row's cell in the column, for each call. */
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

/* The panels of one workload. */
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
    /* A call that the workload never makes has no panel; resize is the one that most lack. */
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
