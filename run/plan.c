#include "run/plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "results/stats/statistics.h"
#include "run/machine.h"
#include "run/rounds.h"
#include "run/worker.h"

/* The time of a worker's start, set-up and end. On a 2-core cloud machine starts took 8 to 20 ms,
 * and under valgrind 0.6 s. For estimates only. */
static const double PLAN_START_S = 0.02;

/* A group is heavy when its calibration (a set-up and some timed runs) takes so many times as long
 * as the median group's: its set-up is then what would fill the rounds. In the matrix quick the
 * group of 256 MiB takes five to eight times as long, the next one less than twice. */
static const double PLAN_HEAVY_TIMES = 3.5;
static const double PLAN_VALGRIND_START_S = 1.0;
/* A count needs only so many operations that rare events, such as a collection or a new arena, come
 * as often as they do; callgrind takes about half a second for it. The number does not depend on
 * how fast the machine is, because the counts of two machines should be comparable. */
static const json_int_t PLAN_INSTRUCTION_OPERATIONS = 20000;
static const json_int_t PLAN_INSTRUCTION_WARMUP_PART = 10;

/* Makes "WORKLOAD/P1=V1,P2=V2/tTHREADS". */
static char *plan_group_id(const struct selection_point *point)
{
    char *params = selection_parameters_text(point, ",");
    char *id = text_format("%s/%s/t%u", point->workload->name, params, point->threads);
    free(params);
    return id;
}

/* Makes "NAME{K=V,…,collector=C}", as record_cell.backend_text in results/. */
static char *plan_backend_text(const struct selection_choice *choice)
{
    struct text_list pairs = {0};
    const char *name;
    json_t *value;
    json_object_foreach(choice->env, name, value)
    {
        text_list_add(&pairs, text_format("%s=%s", name, json_string_value(value)));
    }
    if (choice->collector != NULL) {
        text_list_add(&pairs, text_format("collector=%s", choice->collector));
    }
    char *braced = text_join(&pairs, ",");
    char *text = pairs.count > 0 ? text_format("%s{%s}", choice->backend->name, braced)
                                 : text_format("%s", choice->backend->name);
    free(braced);
    text_list_free(&pairs);
    return text;
}

static json_t *plan_cell(const struct executor *executor, const struct selection_point *point,
                         const struct selection_choice *choice, int twin)
{
    static const char *const suffixes[] = {"", "~1", "~2"};
    char *group = plan_group_id(point);
    char *backend = plan_backend_text(choice);
    char *id = text_format("%s/%s:%s%s", group, backend, choice->arm, suffixes[twin]);
    const struct catalog_workload *workload = point->workload;
    const char *collector = choice->collector != NULL ? choice->collector : "";
    json_t *cell = json_pack(
        "{ss ss ss ss ss sO si ss ss ss sO si si si si sb}", "id", id, "group", group, "workload",
        workload->name, "kind", workload->kind, "family", workload->family, "params", point->params,
        "threads", (int)point->threads, "backend", choice->backend->name, "collector", collector,
        "arm", choice->arm, "env", choice->env, "twin", twin, "iterations", 0, "operations", 0,
        "warmup_iterations", 0, "single_shot", workload->single_shot);
    if (executor->describe != NULL) {
        executor->describe(executor->context, choice, twin, cell);
    }
    free(id);
    free(backend);
    free(group);
    return cell;
}

static json_t *plan_cells(const struct executor *executor, const struct selection *selection,
                          size_t base)
{
    json_t *cells = json_array();
    for (size_t p = 0; p < selection->point_count; p++) {
        for (size_t c = 0; c < selection->choice_count; c++) {
            bool planned = selection_plans(selection, &selection->points[p], c);
            for (int twin = 0; planned && twin <= (c == base ? 2 : 0); twin++) {
                (void)json_array_append_new(cells, plan_cell(executor, &selection->points[p],
                                                             &selection->choices[c], twin));
            }
        }
    }
    return cells;
}

static json_t *plan_command(const struct experiment *experiment)
{
    json_t *command = json_array();
    (void)json_array_append_new(command, json_string("heapmill"));
    for (int i = 0; i < experiment->argc; i++) {
        json_t *argument = json_string(experiment->argv[i]);
        (void)json_array_append_new(command, argument != NULL ? argument : json_string("?"));
    }
    return command;
}

/* Puts the passes that the options ask for into the plan. */
static void plan_set_passes(json_t *plan, const struct experiment *experiment)
{
    json_t *passes = json_array();
    for (int pass = 0; pass < RECORD_PASS_COUNT; pass++) {
        if (experiment->passes[pass]) {
            (void)json_array_append_new(passes,
                                        json_string(record_pass_word((enum record_pass)pass)));
        }
    }
    (void)json_object_set_new(plan, "passes", passes);
    (void)json_object_set_new(plan, "rounds_heavy",
                              json_integer((json_int_t)experiment->rounds_heavy));
    (void)json_object_set_new(plan, "instruction_rounds",
                              json_integer((json_int_t)experiment->instruction_rounds));
    (void)json_object_set_new(plan, "memory_rounds",
                              json_integer((json_int_t)experiment->memory_rounds));
    (void)json_object_set_new(plan, "latency_rounds",
                              json_integer((json_int_t)experiment->latency_rounds));
    (void)json_object_set_new(plan, "latency_every",
                              json_integer((json_int_t)experiment->latency_every));
}

json_t *plan_build(const struct experiment *experiment, const struct executor *executor,
                   const struct selection *selection, size_t base)
{
    char created[32];
    time_t now = time(NULL);
    struct tm utc;
    (void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    const struct selection_choice *choice = &selection->choices[base];
    char *backend = plan_backend_text(choice);
    json_t *plan =
        json_pack("{ss so ss sI sI sf sf sf sb ss s{ssss} so so}", "format", "heapmill-plan-1",
                  "command", plan_command(experiment), "name", experiment->name, "seed",
                  (json_int_t)experiment->seed, "rounds", (json_int_t)experiment->rounds,
                  "budget_s", experiment->budget_s, "timeout_s", experiment->timeout_s, "target_ms",
                  experiment->target_ms, "memory_pass", experiment->passes[RECORD_MEMORY],
                  "created", created, "base", "backend", backend, "arm", choice->arm, "host",
                  machine_describe_host(), "cells", plan_cells(executor, selection, base));
    plan_set_passes(plan, experiment);
    adaptive_write_plan(experiment, plan);
    free(backend);
    return plan;
}

size_t plan_count_groups(const json_t *plan)
{
    const char *last = "";
    size_t count = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        const char *group = json_text_at(cell, "group", "");
        count += strcmp(group, last) != 0;
        last = group;
    }
    return count;
}

bool plan_has_extra_work(const json_t *plan)
{
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        if (json_object_get(cell, "extra_work") != NULL) {
            return true;
        }
    }
    return false;
}

static json_int_t plan_next_hundred(json_int_t iterations)
{
    return (iterations + 99) / 100 * 100;
}

/* Puts the iterations of the instructions pass into a cell, one of which makes that many
 * operations. They do not depend on any time. */
static void plan_set_instruction_iterations(json_t *cell, json_int_t operations)
{
    bool once = json_is_true(json_object_get(cell, "single_shot"));
    json_int_t iterations = operations > 0 ? PLAN_INSTRUCTION_OPERATIONS / operations : 1;
    iterations = once || iterations < 1 ? 1 : iterations;
    json_int_t warmup =
        once ? 0 : (iterations + PLAN_INSTRUCTION_WARMUP_PART - 1) / PLAN_INSTRUCTION_WARMUP_PART;
    (void)json_object_set_new(cell, "instruction_iterations", json_integer(iterations));
    (void)json_object_set_new(cell, "instruction_warmup_iterations", json_integer(warmup));
}

/* Puts the result of its group's calibration into a cell. */
static void plan_set_iterations(json_t *cell, const json_t *calibration, bool known)
{
    json_int_t iterations = json_integer_value(json_object_get(calibration, "iterations"));
    json_int_t each = json_integer_value(json_object_get(calibration, "operations"));
    iterations = known ? plan_next_hundred(iterations) : iterations;
    (void)json_object_set_new(cell, "iterations", json_integer(iterations));
    (void)json_object_set(cell, "warmup_iterations",
                          json_object_get(calibration, "warmup_iterations"));
    (void)json_object_set_new(cell, "operations", json_integer(each * iterations));
    plan_set_instruction_iterations(cell, each);
}

/* What a group's calibration found. */
struct plan_group {
    json_t *calibration;
    double seconds; /* that it took */
};

uint64_t executor_now_ns(const struct executor *executor)
{
    return executor->now_ns != NULL ? executor->now_ns(executor->context) : clock_wall_ns();
}

static enum status plan_calibrate_groups(const json_t *plan, const struct executor *executor,
                                         struct plan_group *groups, size_t *count,
                                         struct error *error)
{
    const char *group = "";
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        if (strcmp(group, json_text_at(cell, "group", "")) == 0) {
            continue;
        }
        struct error reason;
        group = json_text_at(cell, "group", "");
        uint64_t begin_ns = executor_now_ns(executor);
        struct plan_group *new = &groups[*count];
        *new = (struct plan_group){0};
        enum status status =
            executor->calibrate(executor->context, plan, cell, &new->calibration, &reason);
        if (status != STATUS_OK) {
            return error_set(error, status, "%s could not be calibrated: %s", group,
                             reason.message);
        }
        new->seconds = (double)(executor_now_ns(executor) - begin_ns) / 1e9;
        (*count)++;
    }
    return STATUS_OK;
}

static double plan_median_seconds(const struct plan_group *groups, size_t count)
{
    double *seconds = text_grow(NULL, count + 1, sizeof(*seconds));
    for (size_t i = 0; i < count; i++) {
        seconds[i] = groups[i].seconds;
    }
    double median = count > 0 ? statistics_median(seconds, count) : 0;
    free(seconds);
    return median;
}

/* A process takes about as long as its group's calibration did, and its timed part besides: what a
 * calibration runs before it knows is about a warm-up. */
static double plan_timed_s(const json_t *cell, const json_t *calibration)
{
    bool once = json_count_at(calibration, "warmup_iterations", 0) == 0;
    return once ? 0
                : json_number_at(cell, "operations", 0) * 1e-9 *
                      json_number_at(calibration, "cpu_ns_per_op", 0);
}

/* Puts what was found into the cells. *round_s is a round's time on average over the planned ones,
 * of which heavy groups have a part. */
static void plan_take_calibrations(json_t *plan, const struct plan_group *groups, size_t count,
                                   double *round_s)
{
    bool known = plan_has_extra_work(plan);
    json_int_t rounds_heavy = json_integer_value(json_object_get(plan, "rounds_heavy"));
    double rounds = json_number_value(json_object_get(plan, "rounds"));
    double limit_s = PLAN_HEAVY_TIMES * plan_median_seconds(groups, count);
    const char *last = "";
    size_t next = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        next += strcmp(last, json_text_at(cell, "group", "")) != 0;
        last = json_text_at(cell, "group", "");
        const struct plan_group *group = &groups[next - 1];
        bool fewer = group->seconds > limit_s && rounds_heavy > 0;
        plan_set_iterations(cell, group->calibration, known);
        if (fewer) {
            (void)json_object_set_new(cell, "rounds", json_integer(rounds_heavy));
        }
        double share = fewer && rounds > 0 ? (double)rounds_heavy / rounds : 1;
        *round_s += share * (group->seconds + plan_timed_s(cell, group->calibration));
    }
}

enum status plan_calibrate(json_t *plan, const struct executor *executor, double *round_s,
                           struct error *error)
{
    struct plan_group *groups = text_grow(NULL, plan_count_groups(plan) + 1, sizeof(*groups));
    size_t count = 0;
    *round_s = 0;
    enum status status = plan_calibrate_groups(plan, executor, groups, &count, error);
    if (status == STATUS_OK) {
        plan_take_calibrations(plan, groups, count, round_s);
    }
    for (size_t i = 0; i < count; i++) {
        json_decref(groups[i].calibration);
    }
    free(groups);
    return status;
}

const char *plan_collector(const json_t *cell)
{
    /* Plans of older versions have the collector among the variables. */
    return json_text_at(cell, "collector", json_text_at(cell, "env.collector", ""));
}

/* The members that decide which cells run and how, so that they must be the same in two plans of
 * one run. */
static const char *const plan_run_members[] = {
    "name",           "seed",          "rounds",    "budget_s",   "timeout_s",
    "target_ms",      "memory_pass",   "base",      "passes",     "instruction_rounds",
    "latency_rounds", "latency_every", "precision", "rounds_max", "one_layout",
    "rounds_heavy",   "memory_rounds", "against"};
static const char *const plan_cell_members[] = {"id",      "program", "probe",
                                                "preload", "layouts", "layout_set"};

static bool plan_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }
    return (a == NULL && b == NULL) || json_equal(a, b) != 0;
}

enum status plan_compare(const json_t *existing, const json_t *wanted, struct error *error)
{
    for (size_t i = 0; i < sizeof(plan_run_members) / sizeof(plan_run_members[0]); i++) {
        const char *name = plan_run_members[i];
        const json_t *old = json_object_get(existing, name);
        const json_t *new = json_object_get(wanted, name);
        if (!plan_same(old, new)) {
            char *was = json_dumps(old, JSON_ENCODE_ANY | JSON_COMPACT);
            char *is = json_dumps(new, JSON_ENCODE_ANY | JSON_COMPACT);
            (void)error_set(
                error, STATUS_INVALID,
                "the run there has another plan: its %s is %s, and the options say %s; resume it "
                "without options, or start another with -o",
                name, was != NULL ? was : "absent", is);
            free(was);
            free(is);
            return STATUS_INVALID;
        }
    }
    const json_t *old_cells = json_object_get(existing, "cells");
    const json_t *new_cells = json_object_get(wanted, "cells");
    if (json_array_size(old_cells) != json_array_size(new_cells)) {
        return error_set(
            error, STATUS_INVALID,
            "the run there has another plan: it has %zu cells, and the options (or what is "
            "installed now) make %zu; resume it without options, or start another with -o",
            json_array_size(old_cells), json_array_size(new_cells));
    }
    for (size_t i = 0; i < json_array_size(old_cells); i++) {
        const json_t *old = json_array_get(old_cells, i);
        const json_t *new = json_array_get(new_cells, i);
        for (size_t m = 0; m < sizeof(plan_cell_members) / sizeof(plan_cell_members[0]); m++) {
            if (!plan_same(json_object_get(old, plan_cell_members[m]),
                           json_object_get(new, plan_cell_members[m]))) {
                return error_set(
                    error, STATUS_INVALID,
                    "the run there has another plan: its cell %s is not %s; resume it without "
                    "options, or start another with -o",
                    json_text_at(old, "id", ""), json_text_at(new, "id", ""));
            }
        }
    }
    return STATUS_OK;
}

enum status plan_check_host(const json_t *plan, struct error *error)
{
    static const char *const members[] = {"cpu", "cores", "kernel", "libc", "heapmill"};
    json_t *host = machine_describe_host();
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && status == STATUS_OK; i++) {
        const json_t *there = json_object_get(json_object_get(plan, "host"), members[i]);
        const json_t *here = json_object_get(host, members[i]);
        if (there != NULL && !plan_same(there, here)) {
            char *was = json_dumps(there, JSON_ENCODE_ANY);
            char *is = json_dumps(here, JSON_ENCODE_ANY);
            status = error_set(
                error, STATUS_INVALID,
                "the run there began where the %s was %s, and here it is %s: figures of two "
                "machines are no pairs; start another run with -o",
                members[i], was, is);
            free(was);
            free(is);
        }
    }
    json_decref(host);
    return status;
}

/* Tells which passes a plan has, and which cells and how many rounds each of them runs. */

/* Timed part and warm-up, as multiples of the target time. The memory pass stops to look; the
 * probes of the latency pass count at every call. */
static const double PLAN_SHARE[RECORD_PASS_COUNT] = {
    [RECORD_TIME] = 1.0, [RECORD_MEMORY] = 4.5, [RECORD_INSTRUCTIONS] = 0, [RECORD_LATENCY] = 2.5};

bool plan_runs_pass(const json_t *plan, enum record_pass pass)
{
    const json_t *passes = json_object_get(plan, "passes");
    if (passes == NULL) { /* a plan of an older heapmill */
        return pass == RECORD_TIME ||
               (pass == RECORD_MEMORY && json_is_true(json_object_get(plan, "memory_pass")));
    }
    size_t index;
    json_t *word;
    json_array_foreach(passes, index, word)
    {
        if (json_is_string(word) && strcmp(json_string_value(word), record_pass_word(pass)) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t plan_pass_rounds(const json_t *plan, enum record_pass pass)
{
    static const char *const members[RECORD_PASS_COUNT] = {[RECORD_TIME] = "rounds",
                                                           [RECORD_INSTRUCTIONS] =
                                                               "instruction_rounds",
                                                           [RECORD_MEMORY] = "memory_rounds",
                                                           [RECORD_LATENCY] = "latency_rounds"};
    if (!plan_runs_pass(plan, pass)) {
        return 0;
    }
    uint64_t rounds = (uint64_t)json_integer_value(json_object_get(plan, members[pass]));
    return pass == RECORD_MEMORY && rounds == 0 ? 1 : rounds; /* older plans do not say */
}

bool plan_has_pass(const json_t *cell, enum record_pass pass)
{
    bool twin = json_integer_value(json_object_get(cell, "twin")) != 0;
    switch (pass) {
    case RECORD_MEMORY:
        return !twin &&
               json_object_get(cell, "rounds") == NULL; /* heavy cells take too long for it */
    case RECORD_INSTRUCTIONS:
        return !twin && json_integer_value(json_object_get(cell, "threads")) <= 1;
    default:
        return true;
    }
}

size_t plan_count_cells(const json_t *plan, enum record_pass pass)
{
    size_t count = 0;
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        count += plan_has_pass(cell, pass);
    }
    return count;
}

double plan_estimate_round_s(const json_t *plan, enum record_pass pass)
{
    double target_s = json_number_value(json_object_get(plan, "target_ms")) / 1e3;
    double start_s = pass == RECORD_INSTRUCTIONS ? PLAN_VALGRIND_START_S : PLAN_START_S;
    return (double)plan_count_cells(plan, pass) * (start_s + PLAN_SHARE[pass] * target_s);
}

double plan_estimate_others_s(const json_t *plan)
{
    double seconds = 0;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT; pass++) {
        double beside = pass == RECORD_MEMORY ? (double)process_at_once() : 1;
        seconds += plan_estimate_round_s(plan, (enum record_pass)pass) / beside *
                   (double)plan_pass_rounds(plan, (enum record_pass)pass);
    }
    return seconds;
}

size_t plan_count_others(const json_t *plan)
{
    size_t count = 0;
    for (int pass = RECORD_TIME + 1; pass < RECORD_PASS_COUNT; pass++) {
        count += plan_count_cells(plan, (enum record_pass)pass) *
                 (size_t)plan_pass_rounds(plan, (enum record_pass)pass);
    }
    return count;
}
