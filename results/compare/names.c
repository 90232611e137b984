/* Which base, and which cells: the names of the options against those of the plan. */
#include <stdio.h>
#include <string.h>

#include "results/compare/parts.h"
#include "results/name_filter.h"

enum { NAMES_TEXT_MAX = 600 };

/* A list of names for a message: each once, cut with "…" where there are too many. */
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

/* The arm to use where the options name none: the plan's base's, or the only one. */
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

enum status comparison_find_base(struct comparison *comparison,
                                 const struct comparison_options *options, struct error *error)
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

bool comparison_lets_through(const struct comparison *comparison, const struct record_cell *cell)
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

enum status comparison_check_filters(const struct comparison *comparison, struct error *error)
{
    enum status status =
        comparison_check_filter(comparison->set, comparison->workloads, true, error);
    return status == STATUS_OK
               ? comparison_check_filter(comparison->set, comparison->backends, false, error)
               : status;
}
