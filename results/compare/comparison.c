#include "results/compare/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/name_filter.h"
#include "results/stats/statistics.h"

/* Chooses the base and the cells: matches the names of the options with those of the plan. */

enum { NAMES_TEXT_MAX = 600 };

/* A list of names for a message: each name once, cut with "…" if there are too many. */
struct name_list {
    char text[NAMES_TEXT_MAX];
    size_t length;
    bool cut;
};

static bool name_list_has(const struct name_list *list, const char *name)
{
    size_t length = strlen(name);
    const char *at = list->text;
    while ((at = strstr(at, name)) != NULL) {
        bool starts = at == list->text || at[-1] == ' ';
        bool ends = at[length] == '\0' || (at[length] == ',' && at[length + 1] == ' ');
        if (starts && ends) {
            return true;
        }
        at += length;
    }
    return false;
}

static void name_list_add(struct name_list *list, const char *name)
{
    if (list->cut || name_list_has(list, name)) {
        return;
    }
    const char *comma = list->length > 0 ? ", " : "";
    size_t needed = strlen(comma) + strlen(name);
    list->cut = list->length + needed + sizeof(", …") >= sizeof(list->text);
    list->length +=
        (size_t)sprintf(list->text + list->length, "%s%s", comma, list->cut ? "…" : name);
}

static void name_list_labels(struct name_list *list, const struct record_set *set)
{
    for (size_t i = 0; i < set->cell_count; i++) {
        name_list_add(list, set->cells[i].label);
    }
}

static enum status comparison_base_absent(const struct record_set *set, const char *backend,
                                          const char *arm, struct error *error)
{
    struct name_list list = {0};
    name_list_labels(&list, set);
    return error_set(error, STATUS_NOT_FOUND,
                     "base %.150s%s%.50s is not in this run; --base takes one of: %s", backend,
                     arm != NULL ? ":" : "", arm != NULL ? arm : "", list.text);
}

/* Chooses the arm if the options name none: the arm of the plan's base, or the only one. */
static enum status comparison_choose_arm(struct comparison *comparison, struct error *error)
{
    const struct record_set *set = comparison->set;
    struct name_list arms = {0};
    const char *only = NULL;
    bool several = false;
    bool planned = strcmp(comparison->base_backend, set->base_backend) == 0;
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (strcmp(cell->backend_text, comparison->base_backend) != 0) {
            continue;
        }
        if (planned && strcmp(cell->arm, set->base_arm) == 0) {
            comparison->base_arm = cell->arm;
            return STATUS_OK;
        }
        several = several || (only != NULL && strcmp(only, cell->arm) != 0);
        only = cell->arm;
        name_list_add(&arms, cell->arm);
    }
    if (only == NULL) {
        return comparison_base_absent(set, comparison->base_backend, NULL, error);
    }
    if (several) {
        return error_set(error, STATUS_INVALID,
                         "%s has several arms here (%s): say which, as in --base %s:%s",
                         comparison->base_backend, arms.text, comparison->base_backend, only);
    }
    comparison->base_arm = only;
    return STATUS_OK;
}

/* Finds base_backend and base_arm of the comparison from the options. Error messages list the valid
 * names. */
static enum status comparison_find_base(struct comparison *comparison,
                                        const struct comparison_options *options,
                                        struct error *error)
{
    const struct record_set *set = comparison->set;
    comparison->base_backend =
        options->base_backend != NULL ? options->base_backend : set->base_backend;
    comparison->base_arm = options->base_arm;
    if (comparison->base_backend[0] == '\0') {
        return error_set(error, STATUS_INVALID,
                         "the plan names no base: say which, as in --base malloc");
    }
    if (comparison->base_arm == NULL) {
        return comparison_choose_arm(comparison, error);
    }
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (strcmp(cell->backend_text, comparison->base_backend) == 0 &&
            strcmp(cell->arm, comparison->base_arm) == 0) {
            return STATUS_OK;
        }
    }
    return comparison_base_absent(set, comparison->base_backend, comparison->base_arm, error);
}

static bool cell_backend_matches(const char *filter, const struct record_cell *cell)
{
    const char *const names[] = {cell->backend_text, cell->label};
    return name_filter_matches_any(filter, names, 2);
}

bool comparison_is_peer(const struct comparison *comparison, const struct record_cell *cell)
{
    return comparison->best_of != NULL && cell_backend_matches(comparison->best_of, cell);
}

/* Do the comparison's filters let the cell through? */
static bool comparison_lets_through(const struct comparison *comparison,
                                    const struct record_cell *cell)
{
    return name_filter_matches(comparison->workloads, cell->workload) &&
           cell_backend_matches(comparison->backends, cell);
}

static enum status comparison_check_filter(const struct record_set *set, const char *filter,
                                           bool workloads, struct error *error)
{
    const char *rest = filter;
    const char *item;
    size_t length;
    while (name_filter_next(&rest, &item, &length)) {
        char glob[NAMES_TEXT_MAX];
        bool known = length == 0 || item[0] == '!';
        int written = snprintf(glob, sizeof(glob), "%.*s", (int)length, item);
        bool whole = written >= 0 && (size_t)written < sizeof(glob);
        for (size_t i = 0; i < set->cell_count && whole && !known; i++) {
            const struct record_cell *cell = &set->cells[i];
            known = workloads ? name_filter_matches(glob, cell->workload)
                              : cell_backend_matches(glob, cell);
        }
        if (known) {
            continue;
        }
        struct name_list list = {0};
        for (size_t i = 0; i < set->cell_count && workloads; i++) {
            name_list_add(&list, set->cells[i].workload);
        }
        if (!workloads) {
            name_list_labels(&list, set);
        }
        return error_set(error, STATUS_NOT_FOUND,
                         "no %s of this run matches \"%.200s\": there are %s",
                         workloads ? "workload" : "back end", glob, list.text);
    }
    return STATUS_OK;
}

/* Refuses a filter if one of its items matches nothing: a mistyped name must not silently shorten
 * the table. */
static enum status comparison_check_filters(const struct comparison *comparison,
                                            struct error *error)
{
    const struct record_set *set = comparison->set;
    enum status status = comparison_check_filter(set, comparison->workloads, true, error);
    if (status == STATUS_OK) {
        status = comparison_check_filter(set, comparison->backends, false, error);
    }
    return status == STATUS_OK && comparison->best_of != NULL
               ? comparison_check_filter(set, comparison->best_of, false, error)
               : status;
}

/* Compares each cell with the cell of the same back end in which one parameter has another value.
 * The result is what the parameter costs, not which back end is better. */

enum { VARY_ID_MAX = 1024 };

/* Finds the parameter named before the '=' of vary, in the text; NULL: there is none. */
static const char *vary_find(const char *params, const char *vary)
{
    size_t name = strcspn(vary, "=") + 1;
    const char *at = params;
    while (at[0] != '\0' && strncmp(at, vary, name) != 0) {
        at += strcspn(at, ",");
        at += at[0] == ',';
    }
    return at[0] != '\0' ? at : NULL;
}

/* The index of the cell's base; cell_count if the cell has none, or is itself a base. */
static size_t vary_base(const struct record_set *set, size_t index, const char *vary)
{
    const struct record_cell *cell = &set->cells[index];
    const char *at = vary_find(cell->params_text, vary);
    if (at == NULL || cell->twin != 0) {
        return set->cell_count;
    }
    char id[VARY_ID_MAX];
    int length = snprintf(id, sizeof(id), "%s/%.*s%s%s/t%u/%s", cell->workload,
                          (int)(at - cell->params_text), cell->params_text, vary,
                          at + strcspn(at, ","), cell->threads, cell->label);
    if (length < 0 || (size_t)length >= sizeof(id)) {
        return set->cell_count;
    }
    size_t base = record_set_find_cell(set, id);
    return base != index ? base : set->cell_count;
}

/* What the back end of a cell from before is called behind its name (run/registry.h). */
#define COMPARISON_BEFORE "@before"

bool comparison_has_before(const struct record_set *set)
{
    return json_object_get(set->plan, "against") != NULL;
}

/* The index of the same back end's cell from before: cell_count if it has none, or is one. */
static size_t before_base(const struct record_set *set, size_t index)
{
    const struct record_cell *cell = &set->cells[index];
    char id[VARY_ID_MAX];
    int length =
        snprintf(id, sizeof(id), "%s/%s" COMPARISON_BEFORE "%s", set->groups[cell->group].id,
                 cell->backend, cell->label + strlen(cell->backend));
    bool fits = length >= 0 && (size_t)length < sizeof(id) && cell->twin == 0;
    return fits ? record_set_find_cell(set, id) : set->cell_count;
}

/* Of each cell the one of the same back end that `vary` names, or that from before, as its base;
 * cell_count where there is none. The caller's, with any status. STATUS_NOT_FOUND: no cell has one.
 */
static enum status comparison_cell_bases(const struct comparison *comparison, size_t **bases,
                                         struct error *error)
{
    const struct record_set *set = comparison->set;
    size_t found = 0;
    *bases = calloc(set->cell_count + 1, sizeof(**bases));
    if (*bases == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the bases");
    }
    for (size_t i = 0; i < set->cell_count; i++) {
        (*bases)[i] =
            comparison->before ? before_base(set, i) : vary_base(set, i, comparison->vary);
        found += (*bases)[i] < set->cell_count;
    }
    if (found == 0 && comparison->before) {
        return error_set(error, STATUS_NOT_FOUND,
                         "no cell of %s has one from before beside it: everything was left out",
                         set->directory);
    }
    return found > 0
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "no cell of %s has another one beside it that differs in %s alone: run "
                           "both values, as in bench -p NAME=VALUE,VALUE, and give one of them as "
                           "the cells' ids have it",
                           set->directory, comparison->vary);
}

const char *comparison_verdict_word(const struct comparison *comparison,
                                    enum comparison_verdict verdict)
{
    switch (verdict) {
    case COMPARISON_LESS:
        return comparison->metric->less;
    case COMPARISON_MORE:
        return comparison->metric->more;
    case COMPARISON_NO_DIFFERENCE:
        return "no difference";
    case COMPARISON_TOO_FEW:
        return "too few rounds";
    case COMPARISON_FAILED:
        return "failed";
    case COMPARISON_NOT_APPLICABLE:
        break;
    }
    return "not applicable";
}

void comparison_free(struct comparison *comparison)
{
    if (comparison == NULL) {
        return;
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        free(comparison->cells[i].samples);
    }
    free(comparison->cells);
    free(comparison->geomeans);
    free(comparison->aa_p);
    free(comparison->floors);
    free(comparison->base_floors);
    free(comparison->group_left_out);
    json_decref(comparison->differences);
    free(comparison);
}

static bool cell_is(const struct record_cell *cell, const char *backend_text, const char *arm)
{
    return cell->twin == 0 && strcmp(cell->backend_text, backend_text) == 0 &&
           strcmp(cell->arm, arm) == 0;
}

size_t *comparison_bases(const struct record_set *set, const char *backend, const char *arm)
{
    size_t *bases = calloc(set->group_count, sizeof(*bases));
    for (size_t i = 0; i < set->group_count && bases != NULL; i++) {
        bases[i] = set->cell_count;
    }
    for (size_t i = 0; i < set->cell_count && bases != NULL; i++) {
        if (cell_is(&set->cells[i], backend, arm)) {
            bases[set->cells[i].group] = i;
        }
    }
    return bases;
}

/* Orders by workload; then by the plan's order of parameters and threads (a group is one of each);
 * then by back end and arm. */
static int comparison_compare_rows(const void *left, const void *right)
{
    const struct record_cell *a = ((const struct comparison_cell *)left)->cell;
    const struct record_cell *b = ((const struct comparison_cell *)right)->cell;
    int order = strcmp(a->workload, b->workload);
    if (order == 0) {
        order = (a->group > b->group) - (a->group < b->group);
    }
    if (order == 0) {
        order = strcmp(a->backend_text, b->backend_text);
    }
    return order != 0 ? order : strcmp(a->arm, b->arm);
}

/* Notes for the header what the rows have in common, and what they do not. */
static void comparison_note_rows(struct comparison *comparison)
{
    const char *source = NULL;
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        const char *base_arm = row->base != NULL ? row->base->arm : comparison->base_arm;
        comparison->several_arms =
            comparison->several_arms ||
            (comparison->base_set == NULL && strcmp(row->cell->arm, base_arm) != 0);
        comparison->failed_cells += row->verdict == COMPARISON_FAILED;
        if (row->rounds == 0) {
            continue;
        }
        if (source == NULL) {
            source = row->source;
            comparison->rounds_min = row->rounds;
        }
        comparison->several_sources =
            comparison->several_sources || strcmp(source, row->source) != 0;
        if (row->rounds < comparison->rounds_min) {
            comparison->rounds_min = row->rounds;
        }
        if (row->rounds > comparison->rounds_max) {
            comparison->rounds_max = row->rounds;
        }
    }
}

/* Looks at all rows, before the filters: a mean must not depend on which other back ends are
 * shown. */
static enum status comparison_leave_out_groups(struct comparison *comparison, struct error *error)
{
    size_t groups = comparison->set->group_count;
    comparison->group_left_out = calloc(groups + 1, sizeof(*comparison->group_left_out));
    if (comparison->group_left_out == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu groups", groups);
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        bool *left_out = &comparison->group_left_out[row->cell->group];
        if (row->base_is_zero && !*left_out &&
            name_filter_matches(comparison->workloads, row->cell->workload)) {
            *left_out = true;
            comparison->groups_left_out++;
        }
    }
    return STATUS_OK;
}

/* Fills `net` in the rows whose group also has a row of the back end null. */
static void comparison_add_net(struct comparison *comparison)
{
    bool times = strcmp(comparison->metric->name, "time") == 0 && comparison->base_set == NULL;
    for (size_t i = 0; i < comparison->cell_count && times; i++) {
        const struct comparison_cell *null = &comparison->cells[i];
        if (strcmp(null->cell->backend_text, "null") != 0) {
            continue;
        }
        for (size_t j = 0; j < comparison->cell_count; j++) {
            struct comparison_cell *row = &comparison->cells[j];
            if (row->cell->group == null->cell->group && row->base_value > null->value) {
                row->net = (row->value - null->value) / (row->base_value - null->value);
            }
        }
    }
}

enum status comparison_finish_rows(struct comparison *comparison, struct error *error)
{
    enum status status = comparison_leave_out_groups(comparison, error);
    if (status != STATUS_OK) {
        return status;
    }
    comparison_add_net(comparison);
    size_t kept = 0;
    for (size_t i = 0; i < comparison->cell_count; i++) {
        struct comparison_cell *row = &comparison->cells[i];
        if (comparison_lets_through(comparison, row->cell)) {
            comparison->cells[kept++] = *row;
        } else {
            free(row->samples);
        }
    }
    comparison->cell_count = kept;
    if (kept == 0) {
        return error_set(
            error, STATUS_NOT_FOUND,
            "there is nothing to compare with %s%s%s: the filters leave no other cell, "
            "or the run has none",
            comparison->base_backend,
            comparison->base_set == NULL && comparison->best_of == NULL ? ":" : "",
            comparison->base_set == NULL ? comparison->base_arm : "");
    }
    qsort(comparison->cells, comparison->cell_count, sizeof(*comparison->cells),
          comparison_compare_rows);
    comparison_note_rows(comparison);
    return STATUS_OK;
}

enum status comparison_test_row(struct comparison_cell *row, double noise_floor,
                                struct error *error)
{
    double *logarithms = calloc(row->rounds + 1, sizeof(*logarithms));
    if (logarithms == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %u pairs", row->rounds);
    }
    for (uint32_t i = 0; i < row->rounds; i++) {
        logarithms[i] = log(row->samples[i].value / row->samples[i].base_value);
    }
    enum status status =
        statistics_beyond(logarithms, row->rounds, log1p(noise_floor), &row->p, error);
    free(logarithms);
    return status;
}

/* Is the row's figure subject to chance, and is there enough to test it with? */
static bool comparison_is_tested(const struct comparison *comparison,
                                 const struct comparison_cell *row)
{
    return row->verdict == COMPARISON_NO_DIFFERENCE && !comparison->metric->deterministic &&
           !isnan(comparison_row_floor(comparison, row));
}

/* Builds and judges all rows, with those that the filters will drop: a verdict must not depend on
 * which rows are shown. bases has one entry per group, or one per cell if a parameter is varied. */
static enum status comparison_add_rows(struct comparison *comparison,
                                       const struct timelines *timelines, const size_t *bases,
                                       struct error *error)
{
    const struct record_set *set = comparison->set;
    bool varied = comparison_is_by_cell(comparison);
    for (size_t i = 0; i < set->cell_count; i++) {
        size_t base = bases[varied ? i : set->cells[i].group];
        if (set->cells[i].twin != 0 || i == base || (varied && base == set->cell_count) ||
            comparison_is_peer(comparison, &set->cells[i])) {
            continue;
        }
        struct comparison_cell *row = &comparison->cells[comparison->cell_count];
        enum status status =
            comparison_pair(comparison->metric, set, timelines, i, base, row, error);
        comparison->cell_count++;
        if (status == STATUS_OK && comparison_is_tested(comparison, row)) {
            status = comparison_test_row(row, comparison_row_floor(comparison, row), error);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    enum status status = comparison_block_hosts(comparison, error);
    if (status == STATUS_OK) {
        status = comparison_judge_rows(comparison, error);
    }
    return status == STATUS_OK ? comparison_finish_rows(comparison, error) : status;
}

/* Counts the groups that a mean can cover: the filters let them through, and their base has a
 * figure above 0. */
static uint32_t comparison_count_groups(const struct comparison *comparison, const size_t *bases)
{
    const struct record_set *set = comparison->set;
    uint32_t groups = 0;
    if (comparison_is_by_cell(comparison)) {
        return 0; /* such a mean covers only a back end's own rows */
    }
    for (size_t i = 0; i < set->group_count; i++) {
        groups += bases[i] < set->cell_count && !comparison->group_left_out[i] &&
                  name_filter_matches(comparison->workloads, set->cells[bases[i]].workload);
    }
    return groups;
}

/* Finds the bases that comparison_add_rows takes. */
static enum status comparison_find_bases(const struct comparison *comparison,
                                         const struct timelines *timelines, size_t **bases,
                                         struct error *error)
{
    if (comparison->best_of != NULL) {
        return comparison_best_bases(comparison, timelines, bases, error);
    }
    if (comparison_is_by_cell(comparison)) {
        return comparison_cell_bases(comparison, bases, error);
    }
    *bases = comparison_bases(comparison->set, comparison->base_backend, comparison->base_arm);
    return *bases != NULL ? STATUS_OK
                          : error_set(error, STATUS_NO_MEMORY, "no memory for the bases");
}

static enum status comparison_fill(struct comparison *comparison, struct error *error)
{
    struct timelines timelines = {0};
    size_t *bases = NULL;
    enum status status =
        timelines_build(comparison->set, comparison->metric->pass, &timelines, error);
    timelines.rounds = comparison_judged_rounds(comparison);
    if (status == STATUS_OK) {
        status = comparison_find_bases(comparison, &timelines, &bases, error);
    }
    comparison->cells = calloc(comparison->set->cell_count, sizeof(*comparison->cells));
    if (status == STATUS_OK && comparison->cells == NULL) {
        status = error_set(error, STATUS_NO_MEMORY, "no memory for the comparison");
    }
    if (status == STATUS_OK) {
        status = comparison_judge_twins(comparison, comparison->set, &timelines, error);
    }
    if (status == STATUS_OK) {
        status = comparison_add_rows(comparison, &timelines, bases, error);
    }
    if (status == STATUS_OK && !comparison->rows_only) {
        uint32_t groups = comparison_count_groups(comparison, bases);
        status = comparison_add_geomeans(comparison, groups, error);
    }
    timelines_free(&timelines);
    free(bases);
    return status;
}

enum status comparison_take_options(struct comparison *comparison,
                                    const struct comparison_options *options, bool needs_base,
                                    struct error *error)
{
    const char *name = options->metric != NULL ? options->metric : "time";
    comparison->metric = metric_find(name);
    if (comparison->metric == NULL) {
        char known[1024];
        metric_names(known, sizeof(known));
        return error_set(error, STATUS_INVALID, "there is no metric \"%.100s\": there are %s", name,
                         known);
    }
    comparison->vary = options->vary;
    comparison->best_of = options->best_of;
    comparison->before = options->before;
    comparison->workloads = options->workloads != NULL ? options->workloads : "";
    comparison->backends = options->backends != NULL ? options->backends : "";
    comparison->rows_only = options->rows_only;
    comparison->seed = options->seed;
    comparison->noise_floor = (double)NAN;
    comparison->noise_floor_most = (double)NAN;
    comparison->resolves = (double)NAN;
    enum status status = STATUS_OK;
    if (options->best_of != NULL) {
        comparison->base_backend = options->best_of;
        comparison->base_arm = "";
    } else if (needs_base) {
        status = comparison_find_base(comparison, options, error);
    }
    return status == STATUS_OK ? comparison_check_filters(comparison, error) : status;
}

enum status comparison_build(const struct record_set *set, const struct comparison_options *options,
                             struct comparison **comparison, struct error *error)
{
    struct comparison *new = calloc(1, sizeof(*new));
    if (new == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the comparison");
    }
    new->set = set;
    enum status status = comparison_take_options(new, options, true, error);
    if (status == STATUS_OK) {
        status = comparison_fill(new, error);
    }
    if (status != STATUS_OK) {
        comparison_free(new);
        return status;
    }
    *comparison = new;
    return STATUS_OK;
}
