#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "results/stats/disturbance.h"
#include "results/stats/precision.h"
#include "run/plan.h"
#include "run/rounds.h"

static uint64_t report_rounds(const json_t *plan)
{
    return (uint64_t)json_integer_value(json_object_get(plan, "rounds"));
}

/* Rounds that a budget has room for, once the other passes are done. */
static double report_budget_rounds(const json_t *plan, double round_s)
{
    double left_s = json_number_value(json_object_get(plan, "budget_s")) -
                    json_number_value(json_object_get(plan, "prepared_s")) -
                    plan_estimate_others_s(plan);
    return left_s > round_s ? (double)(uint64_t)(left_s / round_s) : 1;
}

/* "11 rounds", "room for about 40 rounds", "10 to 70 rounds, until ±1%". The caller frees. */
static char *report_rounds_text(const json_t *plan, double round_s)
{
    struct adaptive adaptive;
    adaptive_read_plan(plan, &adaptive);
    double budget = report_budget_rounds(plan, round_s);
    if (adaptive.rounds > 0) {
        double budget_s = json_number_value(json_object_get(plan, "budget_s"));
        char left[32];
        text_of_seconds(left, sizeof(left), budget_s);
        return budget_s > 0 ? text_format("up to %llu rounds within %s",
                                          (unsigned long long)adaptive.rounds, left)
                            : text_format("%llu rounds", (unsigned long long)adaptive.rounds);
    }
    if (adaptive.precision <= 0) {
        return text_format("room for about %.0f rounds", budget);
    }
    double most = adaptive.rounds_max > 0 ? (double)adaptive.rounds_max : budget;
    return text_format("%d to %.0f rounds, until ±%g%%", ADAPTIVE_ROUNDS_MIN,
                       most > ADAPTIVE_ROUNDS_MIN ? most : ADAPTIVE_ROUNDS_MIN,
                       100 * adaptive.precision);
}

/* Rounds that there will be at least; of a budget, roughly. */
static double report_rounds_least(const json_t *plan, double round_s)
{
    struct adaptive adaptive;
    adaptive_read_plan(plan, &adaptive);
    double budget = report_budget_rounds(plan, round_s);
    bool unlimited = json_number_value(json_object_get(plan, "budget_s")) <= 0;
    double rounds = (double)adaptive.rounds;
    return rounds > 0               ? (unlimited || rounds < budget ? rounds : budget)
           : adaptive.precision > 0 ? ADAPTIVE_ROUNDS_MIN
                                    : budget;
}

static double report_estimate_s(const json_t *plan, double round_s)
{
    double budget_s = json_number_value(json_object_get(plan, "budget_s"));
    bool limited = json_number_value(json_object_get(plan, "rounds")) > 0;
    double least_s = plan_estimate_others_s(plan);
    if (plan_runs_pass(plan, RECORD_TIME)) {
        least_s += round_s * report_rounds_least(plan, round_s);
    }
    return budget_s > least_s && !limited && plan_runs_pass(plan, RECORD_TIME) ? budget_s : least_s;
}

/* "one memory pass, 2 instructions passes", or "no memory pass". The caller frees. */
static char *report_passes_text(const json_t *plan)
{
    struct text_list parts = {0};
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT; pass++) {
        uint64_t rounds = plan_pass_rounds(plan, (enum record_pass)pass);
        const char *word = record_pass_word((enum record_pass)pass);
        if (rounds == 1) {
            text_list_add(&parts, text_format("one %s pass", word));
        } else if (rounds > 1) {
            text_list_add(&parts, text_format("%llu %s passes", (unsigned long long)rounds, word));
        }
    }
    if (parts.count == 0) {
        text_list_add(&parts, text_format("no memory pass"));
    }
    char *text = text_join(&parts, ", ");
    text_list_free(&parts);
    return text;
}

static void report_add_cells(struct document *document, const json_t *plan)
{
    static const char *const titles[] = {"WORKLOAD", "BACK END", "ARM", "WORKER", "PRELOADED"};
    struct table *table = document_table(document, "cells");
    table_columns(table, titles, sizeof(titles) / sizeof(titles[0]), 5);
    const char *group = "";
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        const char *id = json_text_at(cell, "id", "");
        const char *own = json_text_at(cell, "group", "");
        static const char *const twins[] = {"", " (A/A twin 1)", " (A/A twin 2)"};
        size_t twin = (size_t)json_integer_value(json_object_get(cell, "twin"));
        const char *backend = id + strlen(own) + 1; /* with its environment, up to the arm */
        const char *arm = json_text_at(cell, "arm", "");
        size_t tail = strlen(arm) + (twin > 0 ? 3 : 1);
        table_row(table);
        table_cell(table, 0, "%s", strcmp(group, own) == 0 ? "" : own);
        table_cell(table, 1, "%.*s%s", (int)(strlen(backend) - tail), backend, twins[twin % 3]);
        table_cell(table, 2, "%s", arm);
        table_cell(table, 3, "%s", json_text_at(cell, "program", ""));
        table_cell(table, 4, "%s", json_text_at(cell, "preload", ""));
        group = own;
    }
}

void bench_report_plan(const json_t *plan, bool json)
{
    double round_s = plan_estimate_round_s(plan, RECORD_TIME);
    double estimate_s = report_estimate_s(plan, round_s);
    size_t processes = plan_count_cells(plan, RECORD_TIME) * plan_pass_rounds(plan, RECORD_TIME) +
                       plan_count_others(plan);
    if (json) {
        json_t *copy = json_copy((json_t *)plan);
        (void)json_object_set_new(copy, "estimate_s", json_real(estimate_s));
        (void)json_object_set_new(copy, "processes", json_integer((json_int_t)processes));
        json_print(copy);
        json_decref(copy);
        return;
    }
    char left[32];
    text_of_seconds(left, sizeof(left), estimate_s);
    struct document *document = document_new();
    char *rounds = report_rounds_text(plan, round_s);
    char *passes = report_passes_text(plan);
    report_add_cells(document, plan);
    document_add(document, BLOCK_PARAGRAPH,
                 "matrix %s, seed %lld: %zu groups, %zu cells a round, %s, %s; about %s in all",
                 json_text_at(plan, "name", ""), json_integer_value(json_object_get(plan, "seed")),
                 plan_count_groups(plan), plan_count_cells(plan, RECORD_TIME),
                 plan_runs_pass(plan, RECORD_TIME) ? rounds : "no time pass", passes, left);
    free(rounds);
    free(passes);
    document_show(document);
}

/* Says so when layout is not drawn anew in each round. */
static void report_layouts(const json_t *plan)
{
    const char *why = json_text_at(plan, "layouts_missing", "");
    if (why[0] != '\0') {
        (void)fprintf(stderr,
                      "heapmill: note: workers run as they were linked, so that intervals do not "
                      "contain code layout: %s; remedy: run bench in a build tree with GNU ld or "
                      "lld\n",
                      why);
    }
}

void bench_report_start(const json_t *plan, const char *directory, double round_s)
{
    char time[32];
    text_of_seconds(time, sizeof(time), report_estimate_s(plan, round_s));
    if (plan_runs_pass(plan, RECORD_TIME)) {
        report_layouts(plan);
    }
    char *passes = report_passes_text(plan);
    double rounds = report_rounds_least(plan, round_s);
    char *rounds_text = report_rounds_text(plan, round_s);
    (void)fprintf(stderr, "heapmill: %s: %zu cells in %zu groups, ", directory,
                  plan_count_cells(plan, RECORD_TIME), plan_count_groups(plan));
    if (plan_runs_pass(plan, RECORD_TIME)) {
        (void)fprintf(stderr, "%s, ", rounds_text);
    }
    free(rounds_text);
    (void)fprintf(stderr, "%s, about %s\n", passes, time);
    free(passes);
    if (plan_runs_pass(plan, RECORD_TIME) && rounds < BENCH_ROUNDS_VERDICT) {
        (void)fprintf(
            stderr,
            "heapmill: warning: below %d rounds compare gives figures and no verdicts: %s\n",
            BENCH_ROUNDS_VERDICT,
            report_rounds(plan) > 0 ? "raise --rounds"
                                    : "raise --budget, lower --target-ms, or choose fewer cells");
    }
}

/* Nothing of a run without counts, or with one of each cell, which proves nothing. */
static void report_counts(const struct instruction_counts *counts, const char *directory)
{
    if (counts->cells > 0) {
        (void)fprintf(stderr,
                      "heapmill: %s: instructions: %zu of %zu cells with the same count in all "
                      "their rounds, %zu at least\n",
                      directory, counts->identical, counts->cells, counts->least);
    }
}

static void report_summary_json(const struct run_tally *tally, const char *directory,
                                double seconds, bool interrupted, json_t *warnings)
{
    json_t *summary = json_pack(
        "{ss sb sI sI sI sI sI sf sI sI sO}", "directory", directory, "interrupted", interrupted,
        "rounds", (json_int_t)tally->rounds, "records", (json_int_t)tally->records, "ok",
        (json_int_t)tally->ok, "failed", (json_int_t)tally->failed, "not_applicable",
        (json_int_t)tally->not_applicable, "seconds", seconds, "counted_cells",
        (json_int_t)tally->counts.cells, "counted_cells_identical",
        (json_int_t)tally->counts.identical, "warnings", warnings);
    json_print(summary);
    json_decref(summary);
}

void bench_report_end(const struct run_tally *tally, const char *directory, double seconds,
                      bool interrupted, json_t *warnings, bool json)
{
    if (json) {
        report_summary_json(tally, directory, seconds, interrupted, warnings);
    }
    char time[32];
    text_of_seconds(time, sizeof(time), seconds);
    (void)fprintf(stderr, "heapmill: %s: %zu records, %zu failed, %zu not applicable, in %s\n",
                  directory, tally->records, tally->failed, tally->not_applicable, time);
    report_counts(&tally->counts, directory);
    if (interrupted) {
        (void)fprintf(stderr, "heapmill: interrupted; go on with: heapmill bench --resume %s\n",
                      directory);
    } else if (tally->failed > 0) {
        (void)fprintf(
            stderr,
            "heapmill: failed cells have no figures; reason and stderr are in %s/records.jsonl\n",
            directory);
    }
}

/* Of the processes' wall time: where single rounds are disturbed often enough to matter for all
 * (disturbance.c has what makes a round disturbed). */
static const double WARNINGS_STEAL_SHARE = 0.02;
static const double WARNINGS_THROTTLED_SHARE = 0.005;
static const double WARNINGS_DISTURBED_SHARE = 0.1;

enum { WARNINGS_TICKS_PER_S = 100 }; /* USER_HZ of every Linux that heapmill runs on */

json_t *bench_warnings_before(void)
{
    json_t *all = json_array();
    json_t *rows = json_array();
    size_t index;
    json_t *row;
    doctor_check_settings(all);
    json_array_foreach(all, index, row)
    {
        if (strcmp(json_text_at(row, "level", ""), "warning") == 0) {
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

static void warnings_add_disturbed(const struct record_set *set, json_t *rows)
{
    double share = disturbance_share(set);
    if (share > WARNINGS_DISTURBED_SHARE) {
        doctor_add(rows, "disturbance", "warning",
                   "end what else runs (`top` shows it) and measure again",
                   "%.0f%% of the processes were disturbed (their CPU time outside of the timed "
                   "part is 20%% above their cell's median)",
                   100 * share);
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

/* Rounds that the budget had no room for. */
static void warnings_add_unspent(const struct record_set *set, json_t *rows)
{
    for (int pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        uint64_t planned = plan_pass_rounds(set->plan, (enum record_pass)pass);
        uint64_t done = 0;
        for (size_t i = 0; i < set->record_count; i++) {
            const struct record *record = &set->records[i];
            done = record->pass == (enum record_pass)pass && record->round >= done
                       ? (uint64_t)record->round + 1
                       : done;
        }
        if (done > 0 && done < planned) {
            doctor_add(rows, "budget", "warning",
                       "raise --budget, or say --rounds, which has no end but its own",
                       "%llu of %llu rounds of the %s pass had room", (unsigned long long)done,
                       (unsigned long long)planned, record_pass_word((enum record_pass)pass));
        }
    }
}

enum status bench_warnings_after(const struct record_set *set, json_t *rows, struct error *error)
{
    warnings_add_unspent(set, rows);
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
        (void)fprintf(stderr, "heapmill: warning: %s: %s; remedy: %s\n",
                      json_text_at(row, "name", ""), json_text_at(row, "value", ""),
                      json_text_at(row, "remedy", ""));
    }
}
