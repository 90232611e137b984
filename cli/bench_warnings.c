#include "cli/bench_warnings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"
#include "results/stats/disturbance.h"
#include "results/stats/precision.h"
#include "run/rounds.h"

/* Of the processes' wall time: where single rounds are disturbed often enough to matter for all
 * (disturbance.c has what makes a round disturbed). */
static const double WARNINGS_STEAL_SHARE = 0.02;
static const double WARNINGS_THROTTLED_SHARE = 0.005;

enum { WARNINGS_TICKS_PER_S = 100 }; /* USER_HZ, as in disturbance.c */

static const char *warnings_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text != NULL ? text : "";
}

json_t *bench_warnings_before(void)
{
    json_t *all = json_array();
    json_t *rows = json_array();
    size_t index;
    json_t *row;
    doctor_check_settings(all);
    json_array_foreach(all, index, row)
    {
        if (strcmp(warnings_text(row, "level"), "warning") == 0) {
            (void)json_array_append(rows, row);
        }
    }
    json_decref(all);
    return rows;
}

/* What the host and the container took from the run's processes. */
static void warnings_add_taken(const struct record_set *set, json_t *rows)
{
    double process_s = 0;
    double steal_s = 0;
    double throttled_s = 0;
    for (size_t i = 0; i < set->record_count; i++) {
        process_s += (double)set->records[i].process_s;
        steal_s += set->records[i].steal_ticks / (double)WARNINGS_TICKS_PER_S;
        throttled_s += set->records[i].throttled_us / 1e6;
    }
    if (process_s > 0 && steal_s > WARNINGS_STEAL_SHARE * process_s) {
        doctor_add(rows, "steal", "warning",
                   "measure at a quieter time or on a machine of your own; more --rounds help",
                   "other guests of the host took %.1f%% of the run's time",
                   100 * steal_s / process_s);
    }
    if (process_s > 0 && throttled_s > WARNINGS_THROTTLED_SHARE * process_s) {
        doctor_add(rows, "cpu quota", "warning",
                   "raise the container's CPU limit (docker --cpus, cpu.max) to one CPU and more",
                   "the processes were held back for %.1f%% of the run's time",
                   100 * throttled_s / process_s);
    }
}

/* Groups that keep their disturbed rounds, as they have too many to leave out. */
static void warnings_add_disturbed(const struct record_set *set, json_t *rows)
{
    size_t often = 0;
    for (size_t i = 0; i < set->group_count; i++) {
        const struct record_group *group = &set->groups[i];
        often += !disturbance_is_rare(group->rounds_disturbed, group->rounds);
    }
    if (often > 0) {
        doctor_add(rows, "disturbance", "warning",
                   "end what else runs (`top` shows it) and measure again",
                   "%zu of %zu groups were disturbed in more than one round of %d, so that all "
                   "their rounds count and their intervals are wide",
                   often, set->group_count, DISTURBANCE_RARE);
    }
}

static enum status warnings_add_imprecise(const struct record_set *set, json_t *rows,
                                          struct error *error)
{
    struct adaptive adaptive;
    adaptive_read_plan(set->plan, &adaptive);
    double *half_widths = calloc(set->group_count + 1, sizeof(*half_widths));
    if (half_widths == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", set->group_count);
    }
    size_t imprecise = 0;
    enum status status = STATUS_OK;
    if (adaptive.precision > 0) {
        status = precision_of_groups(set, half_widths, error);
    }
    for (size_t i = 0; i < set->group_count && status == STATUS_OK; i++) {
        imprecise += half_widths[i] > adaptive.precision;
    }
    if (imprecise > 0) {
        doctor_add(rows, "precision", "warning",
                   "raise --budget or --target-ms, choose fewer cells, or let nothing else run",
                   "%zu of %zu groups ended with intervals wider than ±%g%%", imprecise,
                   set->group_count, 100 * adaptive.precision);
    }
    free(half_widths);
    return status;
}

enum status bench_warnings_after(const struct record_set *set, json_t *rows, struct error *error)
{
    warnings_add_taken(set, rows);
    warnings_add_disturbed(set, rows);
    return warnings_add_imprecise(set, rows, error);
}

void bench_warnings_print(const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        (void)fprintf(stderr, "heapmill: warning: %s: %s; remedy: %s\n", warnings_text(row, "name"),
                      warnings_text(row, "value"), warnings_text(row, "remedy"));
    }
}
