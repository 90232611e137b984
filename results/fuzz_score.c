#include "results/fuzz_score.h"
#include "common/host/json.h"
#include "common/host/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t SCORE_BOOTSTRAP_SEED = 1;

/* Copies the strings of a plan's array. */
static enum status score_copy_names(const json_t *array, char ***names, size_t *count,
                                    struct error *error)
{
    size_t index;
    const json_t *item;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers
    *names = calloc(json_array_size(array) + 1, sizeof(**names));
    if (*names == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a score");
    }
    json_array_foreach(array, index, item)
    {
        const char *text = json_string_value(item);
        (*names)[index] = text != NULL ? strdup(text) : NULL;
        if ((*names)[index] == NULL) {
            return error_set(error, STATUS_CORRUPT,
                             "the plan of the score has a name that is none");
        }
        ++*count;
    }
    return STATUS_OK;
}

static enum status score_read_plan(const json_t *plan, struct fuzz_score *score,
                                   struct error *error)
{
    score->limit_s = json_number_value(json_object_get(plan, "time_s"));
    const json_t *engines = json_object_get(plan, "engines");
    if (!(score->limit_s > 0) || json_array_size(engines) == 0 ||
        json_array_size(engines) > FUZZ_SCORE_ENGINES_MAX) {
        return error_set(error, STATUS_CORRUPT,
                         "the plan of the score lacks its engines or its time");
    }
    enum status status = score_copy_names(engines, &score->engines, &score->engine_count, error);
    if (status == STATUS_OK) {
        status = score_copy_names(json_object_get(plan, "programs"), &score->bugs,
                                  &score->bug_count, error);
    }
    if (status == STATUS_OK) {
        score->cells = calloc(score->bug_count * score->engine_count + 1, sizeof(*score->cells));
        if (score->cells == NULL) {
            status = error_set(error, STATUS_NO_MEMORY, "no memory for a score");
        }
    }
    return status;
}

static size_t score_find(char *const *names, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && (names[i] == NULL || strcmp(names[i], name) != 0)) {
        i++;
    }
    return i;
}

static void score_add_trial(struct fuzz_score_cell *cell, const json_t *line, bool found)
{
    cell->trials = text_grow(cell->trials, cell->count + 1, sizeof(*cell->trials));
    cell->executions = text_grow(cell->executions, cell->count + 1, sizeof(*cell->executions));
    cell->executions[cell->count] = (struct survival_trial){
        .time_s = json_number_value(json_object_get(line, "executions")), .found = found};
    cell->trials[cell->count++] = (struct survival_trial){
        .time_s = json_number_value(json_object_get(line, "cpu_s")), .found = found};
    cell->found += found;
    cell->reached += json_integer_value(json_object_get(line, "bug_reached")) > 0;
    cell->triggered += json_integer_value(json_object_get(line, "bug_triggered")) > 0;
}

/* Was a failed trial repeated, and did the repetition end well? */
static bool score_is_repeated(const json_t *lines, const json_t *failed)
{
    size_t index;
    const json_t *line;
    json_array_foreach(lines, index, line)
    {
        if (strcmp(json_text_at(line, "end", ""), "failed") != 0 &&
            json_equal(json_object_get(line, "trial"), json_object_get(failed, "trial")) == 1 &&
            strcmp(json_text_at(line, "program", ""), json_text_at(failed, "program", "")) == 0 &&
            strcmp(json_text_at(line, "engine", ""), json_text_at(failed, "engine", "")) == 0) {
            return true;
        }
    }
    return false;
}

static void score_read_line(struct fuzz_score *score, const json_t *lines, const json_t *line)
{
    const char *end = json_text_at(line, "end", "");
    bool found = strcmp(end, "finding") == 0;
    if (!found && strcmp(end, "limit") != 0) {
        score->failed += !score_is_repeated(lines, line);
        return;
    }
    if (json_is_true(json_object_get(line, "control"))) {
        score->control_trials++;
        score->control_findings += found;
        score->control_cpu_s += json_number_value(json_object_get(line, "cpu_s"));
        return;
    }
    /* What was found is another thing, which says nothing of the bug but that it was not found
     * until then: a trial that was cut, and not one that never was. */
    bool other = found && json_integer_value(json_object_get(line, "bug_triggered")) == 0;
    score->unplanted += other;
    found = found && !other;
    size_t bug = score_find(score->bugs, score->bug_count, json_text_at(line, "program", ""));
    size_t engine =
        score_find(score->engines, score->engine_count, json_text_at(line, "engine", ""));
    if (bug == score->bug_count || engine == score->engine_count) {
        return; /* of an older plan */
    }
    score_add_trial(&score->cells[bug * score->engine_count + engine], line, found);
}

static enum status score_finish_cell(const struct fuzz_score *score, struct fuzz_score_cell *cell,
                                     struct error *error)
{
    struct survival_curve curve;
    cell->median_s = NAN;
    cell->mean_s = (struct interval){NAN, NAN, NAN};
    enum status status = survival_estimate(cell->trials, cell->count, &curve, error);
    if (status == STATUS_OK && cell->count > 0) {
        cell->median_s = survival_median(&curve);
        /* A trial ends at the first check after its limit, so everything is known at the limit. */
        (void)survival_restricted_mean(&curve, score->limit_s, &cell->mean_s, NULL);
    }
    survival_curve_release(&curve);
    cell->median_executions = NAN;
    bool counted = cell->count > 0; /* older records may not say */
    for (size_t i = 0; i < cell->count; i++) {
        counted = counted && cell->executions[i].time_s > 0;
    }
    if (status == STATUS_OK && counted) {
        status = survival_estimate(cell->executions, cell->count, &curve, error);
        cell->median_executions = survival_median(&curve);
        survival_curve_release(&curve);
    }
    return status;
}

/* Are these two engines compared? Each engine is compared with its version without the mutator, and
 * with blind random. */
static bool score_compares(const char *left, const char *right)
{
    if (left == NULL || right == NULL) {
        return false; /* cannot happen: the whole plan was read */
    }
    size_t length = strlen(left);
    bool without = strncmp(left, right, length) == 0 && strcmp(right + length, "-nomutator") == 0;
    return without || (strcmp(right, "random") == 0 && strcmp(left, "random") != 0);
}

static enum status score_compare(struct fuzz_score *score, size_t left, size_t right,
                                 struct error *error)
{
    struct fuzz_score_comparison *comparison = &score->comparisons[score->comparison_count++];
    struct survival_pair *pairs = calloc(score->bug_count + 1, sizeof(*pairs));
    *comparison = (struct fuzz_score_comparison){.left = left, .right = right};
    if (pairs == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a score");
    }
    for (size_t bug = 0; bug < score->bug_count; bug++) {
        const struct fuzz_score_cell *a = fuzz_score_cell(score, bug, left);
        const struct fuzz_score_cell *b = fuzz_score_cell(score, bug, right);
        pairs[bug] = (struct survival_pair){a->trials, a->count, b->trials, b->count};
        comparison->bugs += a->count > 0 && b->count > 0;
    }
    enum status status = survival_a12_interval(pairs, score->bug_count, SCORE_BOOTSTRAP_SEED,
                                               &comparison->a12, error);
    free(pairs);
    return status;
}

static enum status score_compare_all(struct fuzz_score *score, struct error *error)
{
    score->comparisons =
        calloc(score->engine_count * score->engine_count + 1, sizeof(*score->comparisons));
    if (score->comparisons == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a score");
    }
    enum status status = STATUS_OK;
    for (size_t left = 0; left < score->engine_count; left++) {
        for (size_t right = 0; right < score->engine_count && status == STATUS_OK; right++) {
            if (score_compares(score->engines[left], score->engines[right])) {
                status = score_compare(score, left, right, error);
            }
        }
    }
    return status;
}

static void score_sum_engines(struct fuzz_score *score)
{
    for (size_t engine = 0; engine < score->engine_count; engine++) {
        double mean = 0;
        size_t trials = 0;
        size_t found = 0;
        for (size_t bug = 0; bug < score->bug_count; bug++) {
            const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
            mean += cell->mean_s.point;
            trials += cell->count;
            found += cell->found;
        }
        score->mean_s_of_engine[engine] =
            score->bug_count > 0 ? mean / (double)score->bug_count : NAN;
        score->found_of_engine[engine] = trials > 0 ? (double)found / (double)trials : NAN;
    }
}

enum status fuzz_score_evaluate(const json_t *plan, const json_t *lines, struct fuzz_score *score,
                                struct error *error)
{
    size_t index;
    const json_t *line;
    *score = (struct fuzz_score){.bugs = NULL};
    enum status status = score_read_plan(plan, score, error);
    json_array_foreach(lines, index, line)
    {
        if (status == STATUS_OK) {
            score_read_line(score, lines, line);
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < score->bug_count * score->engine_count; i++) {
        status = score_finish_cell(score, &score->cells[i], error);
    }
    if (status == STATUS_OK) {
        status = score_compare_all(score, error);
    }
    if (status == STATUS_OK) {
        score_sum_engines(score);
    } else {
        fuzz_score_release(score);
    }
    return status;
}

static void score_free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

void fuzz_score_release(struct fuzz_score *score)
{
    for (size_t i = 0; score->cells != NULL && i < score->bug_count * score->engine_count; i++) {
        free(score->cells[i].trials);
        free(score->cells[i].executions);
    }
    score_free_names(score->bugs, score->bug_count);
    score_free_names(score->engines, score->engine_count);
    free(score->cells);
    free(score->comparisons);
    *score = (struct fuzz_score){.bugs = NULL};
}

enum status fuzz_score_pool(const struct fuzz_score *score, size_t engine,
                            struct survival_trial **trials, size_t *count, struct error *error)
{
    size_t room = 0;
    *count = 0;
    for (size_t bug = 0; bug < score->bug_count; bug++) {
        room += fuzz_score_cell(score, bug, engine)->count;
    }
    *trials = malloc((room + 1) * sizeof(**trials));
    if (*trials == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for a score");
    }
    for (size_t bug = 0; bug < score->bug_count; bug++) {
        const struct fuzz_score_cell *cell = fuzz_score_cell(score, bug, engine);
        for (size_t i = 0; i < cell->count; i++) {
            (*trials)[(*count)++] = cell->trials[i];
        }
    }
    return STATUS_OK;
}

/* A number; null for NAN. */
static json_t *score_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *score_interval(const struct interval *interval)
{
    return json_pack("{s:o, s:o, s:o}", "point", score_number(interval->point), "low",
                     score_number(interval->low), "high", score_number(interval->high));
}

static json_t *score_cells_to_json(const struct fuzz_score *score)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < score->bug_count * score->engine_count; i++) {
        const struct fuzz_score_cell *cell = &score->cells[i];
        (void)json_array_append_new(
            cells,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "program",
                      score->bugs[i / score->engine_count], "engine",
                      score->engines[i % score->engine_count], "trials", (json_int_t)cell->count,
                      "found", (json_int_t)cell->found, "reached", (json_int_t)cell->reached,
                      "triggered", (json_int_t)cell->triggered, "median_s",
                      score_number(cell->median_s), "mean_s", score_interval(&cell->mean_s),
                      "median_executions", score_number(cell->median_executions)));
    }
    return cells;
}

json_t *fuzz_score_to_json(const struct fuzz_score *score)
{
    json_t *engines = json_array();
    for (size_t i = 0; i < score->engine_count; i++) {
        (void)json_array_append_new(
            engines, json_pack("{s:s, s:o, s:o}", "engine", score->engines[i], "found_share",
                               score_number(score->found_of_engine[i]), "mean_s",
                               score_number(score->mean_s_of_engine[i])));
    }
    json_t *comparisons = json_array();
    for (size_t i = 0; i < score->comparison_count; i++) {
        const struct fuzz_score_comparison *each = &score->comparisons[i];
        (void)json_array_append_new(
            comparisons, json_pack("{s:s, s:s, s:I, s:o}", "left", score->engines[each->left],
                                   "right", score->engines[each->right], "programs",
                                   (json_int_t)each->bugs, "a12", score_interval(&each->a12)));
    }
    return json_pack("{s:f, s:o, s:o, s:o, s:{s:I, s:I, s:f}, s:I, s:I}", "limit_s", score->limit_s,
                     "engines", engines, "cells", score_cells_to_json(score), "comparisons",
                     comparisons, "control", "trials", (json_int_t)score->control_trials,
                     "findings", (json_int_t)score->control_findings, "cpu_s", score->control_cpu_s,
                     "unplanted", (json_int_t)score->unplanted, "failed",
                     (json_int_t)score->failed);
}
