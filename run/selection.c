#include "run/selection.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/collector_names.h"
#include "results/name_filter.h"
#include "traces/reader.h"

/* -b and --arm: back ends. */

/* One item of a -b list, in its parts. */
struct backend_item {
    bool negative;
    bool exact;      /* no glob */
    char *glob;      /* or the path of a library */
    char *arm;       /* NULL: not said */
    char *collector; /* NULL: not said */
    json_t *env;
};

static void backend_item_free(struct backend_item *item)
{
    free(item->glob);
    free(item->arm);
    free(item->collector);
    json_decref(item->env);
}

/* Returns the present name of a collector that the command line names, which the caller frees. For
 * a former name it prints a note on stderr. */
static char *selection_take_collector(const char *name)
{
    const char *present = collector_present_name(name);
    if (present != name) {
        (void)fprintf(stderr, "heapmill: note: the collector '%s' is called '%s' now\n", name,
                      present);
    }
    return text_format("%s", present);
}

/* Reads "K=V,K=V" into the environment. The collector is not a variable of it. */
static enum status backend_item_parse_env(const char *text, struct backend_item *item,
                                          struct error *error)
{
    struct text_list pairs = {0};
    enum status status = STATUS_OK;
    text_split(&pairs, text, ',');
    for (size_t i = 0; i < pairs.count && status == STATUS_OK; i++) {
        char *equals = strchr(pairs.items[i], '=');
        if (equals == NULL || equals == pairs.items[i]) {
            status =
                error_set(error, STATUS_INVALID,
                          "-b: '{%s}' is not an environment: write {NAME=VALUE,NAME=VALUE}", text);
            break;
        }
        *equals = '\0';
        if (strcmp(pairs.items[i], "LD_PRELOAD") == 0) {
            status =
                error_set(error, STATUS_INVALID,
                          "-b: LD_PRELOAD is heapmill's own here: give the library as a back end, "
                          "-b ./lib.so");
        } else if (strcmp(pairs.items[i], "collector") == 0) {
            free(item->collector);
            item->collector = selection_take_collector(equals + 1);
        } else if (json_object_set_new(item->env, pairs.items[i], json_string(equals + 1)) != 0) {
            status = error_set(error, STATUS_INVALID, "-b: '%s' is not UTF-8", text);
        }
    }
    text_list_free(&pairs);
    return status;
}

/* Takes "{K=V,…}" out of item->glob. It may stand before or after the arm: "a{K=V}:arm" is how the
 * id of a cell reads, and "a:arm{K=V}" is how one types it. */
static enum status backend_item_take_env(struct backend_item *item, struct error *error)
{
    char *open = strchr(item->glob, '{');
    char *close = strrchr(item->glob, '}');
    if (open == NULL && close == NULL) {
        return STATUS_OK;
    }
    bool closed = open != NULL && close > open && (close[1] == '\0' || close[1] == ':');
    if (!closed || item->negative) {
        return error_set(error, STATUS_INVALID,
                         closed ? "-b: '!%s': a '!' takes no environment"
                                : "-b: '%s': write NAME{K=V,K=V}, and quote it for the shell",
                         item->glob);
    }
    *close = '\0';
    enum status status = backend_item_parse_env(open + 1, item, error);
    memmove(open, close + 1, strlen(close + 1) + 1);
    return status;
}

static enum status backend_item_parse(const char *text, size_t length, struct backend_item *item,
                                      struct error *error)
{
    bool negative = length > 0 && text[0] == '!';
    *item = (struct backend_item){.negative = negative, .env = json_object()};
    item->glob = text_format("%.*s", (int)(length - negative), text + negative);
    enum status status = backend_item_take_env(item, error);
    char *colon = strrchr(item->glob, ':');
    if (colon != NULL) {
        *colon = '\0';
        item->arm = text_format("%s", colon + 1);
    }
    item->exact = strpbrk(item->glob, "*?[") == NULL;
    if (status == STATUS_OK && (item->glob[0] == '\0' || (colon != NULL && colon[1] == '\0'))) {
        status = error_set(error, STATUS_INVALID,
                           "-b: '%.*s' names no back end%s: write NAME or NAME:ARM", (int)length,
                           text, item->glob[0] == '\0' ? "" : "'s arm");
    }
    return status;
}

static bool selection_is_same(const struct selection_choice *choice, const struct backend *backend,
                              const char *arm, const char *collector, const json_t *env)
{
    bool same = choice->collector == NULL || collector == NULL
                    ? choice->collector == collector
                    : strcmp(choice->collector, collector) == 0;
    return same && choice->backend == backend && strcmp(choice->arm, arm) == 0 &&
           json_equal(choice->env, env) == 1;
}

static void selection_add_choice(struct selection *selection, struct backend *backend,
                                 const char *arm, const struct backend_item *item)
{
    for (size_t i = 0; i < selection->choice_count; i++) {
        struct selection_choice *choice = &selection->choices[i];
        if (selection_is_same(choice, backend, arm, item->collector, item->env)) {
            choice->exact = choice->exact || item->exact;
            return;
        }
    }
    selection->choices =
        text_grow(selection->choices, selection->choice_count + 1, sizeof(*selection->choices));
    selection->choices[selection->choice_count++] = (struct selection_choice){
        .backend = backend,
        .arm = arm,
        .collector = item->collector != NULL ? text_format("%s", item->collector) : NULL,
        .env = json_copy(item->env),
        .exact = item->exact};
}

/* Tells whether arm is among the wanted arms. NULL means the default arm, and "all" every arm. */
static bool backend_item_wants_arm(const struct backend *backend, const char *arm,
                                   const char *wanted)
{
    if (wanted == NULL) {
        return strcmp(arm, backend_default_arm(backend)) == 0;
    }
    return strcmp(wanted, "all") == 0 || name_filter_matches(wanted, arm);
}

static enum status backend_item_refuse_name(const struct registry *registry,
                                            const struct backend_item *item, struct error *error)
{
    const char **names = text_grow(NULL, registry->count + 1, sizeof(*names));
    for (size_t i = 0; i < registry->count; i++) {
        names[i] = registry->backends[i]->name;
    }
    const char *nearest = text_nearest(item->glob, names, registry->count);
    free(names);
    if (nearest != NULL) {
        return error_set(error, STATUS_NOT_FOUND,
                         "-b: there is no back end '%s'; did you mean '%s'?", item->glob, nearest);
    }
    return error_set(
        error, STATUS_NOT_FOUND,
        "-b: no back end matches '%s'; `heapmill list backends` shows them, and a library of "
        "your own is named by a path with a '/'",
        item->glob);
}

static enum status backend_item_refuse_arm(const struct registry *registry,
                                           const struct backend_item *item, const char *wanted,
                                           struct error *error)
{
    const struct backend *backend = registry_find(registry, item->glob);
    if (backend == NULL) {
        return error_set(
            error, STATUS_NOT_FOUND,
            "-b: no back end that matches '%s' has the arm '%s'; `heapmill list arms` shows "
            "what there is",
            item->glob, wanted);
    }
    char *arms = text_join(&backend->arms, ", ");
    enum status status = error_set(error, STATUS_NOT_FOUND, "-b: %s has no arm '%s', only: %s",
                                   backend->name, wanted, arms);
    free(arms);
    return status;
}

/* Adds the choices that one positive item names. */
static enum status selection_add_item(struct selection *selection, struct registry *registry,
                                      struct backend_item *item, const char *arms,
                                      struct error *error)
{
    if (item->exact && strchr(item->glob, '/') != NULL) {
        struct backend *library = NULL;
        enum status status = registry_add_library(registry, item->glob, &library, error);
        if (status != STATUS_OK) {
            return status;
        }
        free(item->glob);
        item->glob = text_format("%s", library->name);
    }
    const char *wanted = item->arm != NULL ? item->arm : arms;
    bool matched = false;
    bool added = false;
    for (size_t i = 0; i < registry->count; i++) {
        struct backend *backend = registry->backends[i];
        /* A reference is not a back end, so "*" does not include it. */
        bool meant = backend->kind != BACKEND_REFERENCE || strcmp(item->glob, "*") != 0;
        if (!meant || fnmatch(item->glob, backend->name, 0) != 0) {
            continue;
        }
        matched = true;
        for (size_t arm = 0; arm < backend->arms.count; arm++) {
            if (backend_item_wants_arm(backend, backend->arms.items[arm], wanted)) {
                selection_add_choice(selection, backend, backend->arms.items[arm], item);
                added = true;
            }
        }
    }
    if (!matched) {
        return backend_item_refuse_name(registry, item, error);
    }
    return added ? STATUS_OK : backend_item_refuse_arm(registry, item, wanted, error);
}

static void selection_take_away(struct selection *selection, const struct backend_item *item)
{
    for (size_t i = selection->choice_count; i-- > 0;) {
        const struct selection_choice *choice = &selection->choices[i];
        if (fnmatch(item->glob, choice->backend->name, 0) == 0 &&
            (item->arm == NULL || strcmp(item->arm, "all") == 0 ||
             strcmp(item->arm, choice->arm) == 0)) {
            selection_drop(selection, i);
        }
    }
}

/* Goes through the list, either for the positive items or for the negative ones. */
static enum status selection_walk_list(struct selection *selection, struct registry *registry,
                                       const char *list, const char *arms, bool negative,
                                       size_t *seen, struct error *error)
{
    const char *rest = list;
    const char *text = NULL;
    size_t length = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && name_filter_next(&rest, &text, &length)) {
        struct backend_item item;
        status = backend_item_parse(text, length, &item, error);
        if (status == STATUS_OK && item.negative == negative) {
            const struct backend *known = registry_find(registry, item.glob);
            if (known != NULL) { /* the name may be another one of the back end */
                free(item.glob);
                item.glob = text_format("%s", known->name);
            }
            (*seen)++;
            if (negative) {
                selection_take_away(selection, &item);
            } else {
                status = selection_add_item(selection, registry, &item, arms, error);
            }
        }
        backend_item_free(&item);
    }
    return status;
}

enum status selection_add_backends(struct selection *selection, struct registry *registry,
                                   const char *list, const char *arms, struct error *error)
{
    size_t positive = 0;
    size_t negative = 0;
    enum status status =
        selection_walk_list(selection, registry, list, arms, false, &positive, error);
    if (status == STATUS_OK && positive == 0) {
        status = selection_walk_list(selection, registry, "*", arms, false, &positive, error);
    }
    if (status == STATUS_OK) {
        status = selection_walk_list(selection, registry, list, arms, true, &negative, error);
    }
    if (status == STATUS_OK && selection->choice_count == 0) {
        status = error_set(error, STATUS_INVALID, "-b: '%s' leaves no back end", list);
    }
    return status;
}

enum status selection_require(struct selection *selection, struct registry *registry,
                              const char *spec, size_t *index, struct error *error)
{
    struct selection wanted = {0};
    enum status status = selection_add_backends(&wanted, registry, spec, NULL, error);
    if (status == STATUS_OK && wanted.choice_count != 1) {
        status = error_set(error, STATUS_INVALID,
                           "--base: '%s' must name one back end: NAME or NAME:ARM", spec);
    }
    if (status == STATUS_OK) {
        struct selection_choice *choice = &wanted.choices[0];
        struct backend_item item = {
            .collector = choice->collector, .env = choice->env, .exact = choice->exact};
        selection_add_choice(selection, choice->backend, choice->arm, &item);
        for (size_t i = 0; i < selection->choice_count; i++) {
            if (selection_is_same(&selection->choices[i], choice->backend, choice->arm,
                                  choice->collector, choice->env)) {
                *index = i;
            }
        }
    }
    selection_free(&wanted);
    return status;
}

void selection_add_counterpart(struct selection *selection, size_t index, struct backend *backend)
{
    const struct selection_choice *choice = &selection->choices[index];
    const struct backend_item item = {.collector = choice->collector, .env = choice->env};
    for (size_t arm = 0; arm < backend->arms.count; arm++) {
        if (strcmp(backend->arms.items[arm], choice->arm) == 0) {
            selection_add_choice(selection, backend, backend->arms.items[arm], &item);
            return;
        }
    }
}

void selection_drop(struct selection *selection, size_t index)
{
    free(selection->choices[index].collector);
    json_decref(selection->choices[index].env);
    json_decref(selection->choices[index].workloads);
    selection->choice_count--;
    memmove(&selection->choices[index], &selection->choices[index + 1],
            (selection->choice_count - index) * sizeof(*selection->choices));
}

void selection_free(struct selection *selection)
{
    for (size_t i = 0; i < selection->choice_count; i++) {
        free(selection->choices[i].collector);
        json_decref(selection->choices[i].env);
        json_decref(selection->choices[i].workloads);
    }
    for (size_t i = 0; i < selection->point_count; i++) {
        json_decref(selection->points[i].params);
    }
    free(selection->choices);
    free(selection->points);
    *selection = (struct selection){0};
}

/* Reads -p collector=NAME[,NAME…]. It is not a parameter of workloads but a dimension of what is
 * compared, like an environment, so that the collectors of one back end are cells of one group and
 * run next to each other in a round. */

static enum status collectors_check(const struct catalog *catalog, const char *name,
                                    struct error *error)
{
    const json_t *collectors = json_object_get(catalog->description, "collectors");
    size_t count = json_array_size(collectors);
    const char **names = text_grow(NULL, count + 1, sizeof(*names));
    bool known = false;
    for (size_t i = 0; i < count; i++) {
        const json_t *collector = json_array_get(collectors, i);
        names[i] = json_string_value(json_object_get(collector, "name"));
        known = known || strcmp(names[i], name) == 0;
    }
    const char *nearest = known ? NULL : text_nearest(name, names, count);
    free(names);
    if (known) {
        return STATUS_OK;
    }
    return nearest != NULL
               ? error_set(error, STATUS_INVALID,
                           "-p collector=%s: there is no such collector; did you mean '%s'?", name,
                           nearest)
               : error_set(error, STATUS_INVALID,
                           "-p collector=%s: there is no such collector; `heapmill list "
                           "collectors` shows them",
                           name);
}

/* Returns the values of "collector=VALUES", or NULL for any other -p item. The string is
 * borrowed. */
static const char *selection_collector_values(const char *parameter)
{
    static const char prefix[] = "collector=";
    const char *name = strncmp(parameter, "*.", 2) == 0 ? parameter + 2 : parameter;
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : NULL;
}

/* Reads the names that -p gives; "*" means all. Later items replace earlier ones, as for any
 * parameter. */
static enum status collectors_parse(const struct catalog *catalog,
                                    const struct text_list *parameters, struct text_list *names,
                                    struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parameters->count; i++) {
        const char *values = selection_collector_values(parameters->items[i]);
        if (values != NULL) {
            text_list_free(names);
            text_split(names, values, ',');
        }
    }
    if (names->count == 1 && strcmp(names->items[0], "*") == 0) {
        text_list_free(names);
        size_t index;
        json_t *collector;
        json_array_foreach(json_object_get(catalog->description, "collectors"), index, collector)
        {
            const char *name = json_string_value(json_object_get(collector, "name"));
            text_list_add(names, text_format("%s", name));
        }
    }
    for (size_t i = 0; i < names->count && status == STATUS_OK; i++) {
        char *given = names->items[i];
        names->items[i] = selection_take_collector(given);
        free(given);
        status = collectors_check(catalog, names->items[i], error);
    }
    return status;
}

/* Tells whether the choice is multiplied by collectors. A reference has a collector of its own, and
 * -b NAME{collector=…} has named one already. */
static bool collectors_apply_to(const struct selection_choice *choice)
{
    return choice->backend->kind != BACKEND_REFERENCE && choice->collector == NULL;
}

enum status selection_apply_collectors(struct selection *selection, const struct catalog *catalog,
                                       const struct text_list *parameters, struct error *error)
{
    struct text_list names = {0};
    enum status status = collectors_parse(catalog, parameters, &names, error);
    size_t count = status == STATUS_OK && names.count > 0 ? selection->choice_count : 0;
    for (size_t c = 0; c < count; c++) {
        for (size_t i = names.count; collectors_apply_to(&selection->choices[c]) && i-- > 0;) {
            struct selection_choice choice = selection->choices[c];
            if (i == 0) {
                selection->choices[c].collector = text_format("%s", names.items[i]);
                break;
            }
            choice.env = json_copy(choice.env);
            choice.collector = text_format("%s", names.items[i]);
            selection->choices = text_grow(selection->choices, selection->choice_count + 1,
                                           sizeof(*selection->choices));
            selection->choices[selection->choice_count++] = choice;
        }
    }
    text_list_free(&names);
    return status;
}

bool selection_plans(const struct selection *selection, const struct selection_point *point,
                     size_t index)
{
    const struct selection_choice *choice = &selection->choices[index];
    if (choice->workloads != NULL) {
        size_t i;
        const json_t *known;
        json_array_foreach(choice->workloads, i, known)
        {
            const char *name = json_string_value(json_object_get(known, "name"));
            if (name != NULL && strcmp(name, point->workload->name) == 0) {
                return true;
            }
        }
        return false;
    }
    return choice->collector == NULL || strcmp(point->workload->kind, "objects") == 0;
}

/* --threads. */

/* The number of threads that a worker can start: THREADS_MAX of workloads/threads.h, which is a
 * header for what is bound to a back end. */
enum { SELECTION_THREADS_LARGEST = 256 };

static bool selection_has_threads(const struct selection *selection, unsigned threads)
{
    for (size_t i = 0; i < selection->thread_count_count; i++) {
        if (selection->thread_counts[i] == threads) {
            return true;
        }
    }
    return false;
}

enum status selection_set_threads(struct selection *selection, const char *list,
                                  struct error *error)
{
    struct text_list items = {0};
    enum status status = STATUS_OK;
    text_split(&items, list, ',');
    selection->thread_count_count = 0;
    for (size_t i = 0; i < items.count && status == STATUS_OK; i++) {
        uint64_t threads = 0;
        if (!text_to_u64(items.items[i], &threads) || threads == 0 ||
            threads > SELECTION_THREADS_LARGEST) {
            status = error_set(error, STATUS_INVALID,
                               "--threads '%s': it wants numbers from 1 to %d, as 1,2,4",
                               items.items[i], SELECTION_THREADS_LARGEST);
        } else if (selection->thread_count_count == SELECTION_THREADS_MAX) {
            status = error_set(error, STATUS_INVALID, "--threads: more than %d numbers",
                               SELECTION_THREADS_MAX);
        } else if (!selection_has_threads(selection, (unsigned)threads)) {
            selection->thread_counts[selection->thread_count_count++] = (unsigned)threads;
        }
    }
    text_list_free(&items);
    return status;
}

enum { SELECTION_POINTS_MAX = 10000 };

/* One -p item, taken apart. Several names ("live+median") have their values in step: each of
 * `values` is then one for each name ("10000:64"). */
struct parameter_item {
    char *workloads; /* glob; "*" if it was not said */
    struct text_list names;
    struct text_list values;
    size_t chosen; /* of several names: 1 + the place in `values` that an earlier one has taken */
    uint64_t used; /* a bit for each name */
};

struct parameter_items {
    struct parameter_item *items;
    size_t count;
};

static void parameter_items_free(struct parameter_items *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        free(parameters->items[i].workloads);
        text_list_free(&parameters->items[i].names);
        text_list_free(&parameters->items[i].values);
    }
    free(parameters->items);
}

/* Has each value of several names as many parts? */
static enum status parameter_item_check(const struct parameter_item *item, const char *text,
                                        struct error *error)
{
    if (item->names.count > CATALOG_PARAMETERS_MAX) {
        return error_set(error, STATUS_INVALID, "-p '%s': no workload has so many parameters",
                         text);
    }
    for (size_t i = 0; i < item->values.count && item->names.count > 1; i++) {
        struct text_list parts = {0};
        text_split(&parts, item->values.items[i], ':');
        size_t count = parts.count;
        text_list_free(&parts);
        if (count != item->names.count) {
            return error_set(
                error, STATUS_INVALID,
                "-p '%s': %zu names want values of %zu parts, as 1:2, and '%s' has %zu", text,
                item->names.count, item->names.count, item->values.items[i], count);
        }
    }
    return STATUS_OK;
}

static enum status parameter_items_parse(struct parameter_items *parameters,
                                         const struct text_list *texts, struct error *error)
{
    *parameters = (struct parameter_items){
        .items = text_grow(NULL, texts->count + 1, sizeof(*parameters->items))};
    for (size_t i = 0; i < texts->count; i++) {
        const char *text = texts->items[i];
        if (selection_collector_values(text) != NULL) {
            continue; /* it belongs to selection_apply_collectors */
        }
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text || equals[1] == '\0') {
            return error_set(error, STATUS_INVALID, "-p '%s': write NAME=VALUE or NAME=VALUE,VALUE",
                             text);
        }
        const char *dot = memrchr(text, '.', (size_t)(equals - text));
        const char *name = dot != NULL ? dot + 1 : text;
        struct parameter_item *item = &parameters->items[parameters->count++];
        *item = (struct parameter_item){0};
        item->workloads =
            dot != NULL ? text_format("%.*s", (int)(dot - text), text) : text_format("*");
        char *names = text_format("%.*s", (int)(equals - name), name);
        text_split(&item->names, names, '+');
        text_split(&item->values, equals + 1, ',');
        free(names);
        enum status status = parameter_item_check(item, text, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* The item's value number `index` for its name number `place`; the caller frees. */
static char *parameter_item_value(const struct parameter_item *item, size_t index, size_t place)
{
    if (item->names.count == 1) {
        return text_format("%s", item->values.items[index]);
    }
    struct text_list parts = {0};
    text_split(&parts, item->values.items[index], ':');
    char *value = text_format("%s", parts.items[place]);
    text_list_free(&parts);
    return value;
}

static bool parameter_item_names(const struct parameter_item *item, const char *name, size_t *place)
{
    for (*place = 0; *place < item->names.count; (*place)++) {
        if (strcmp(item->names.items[*place], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Finds the last item that sets the parameter, or NULL. Marks all items that set it as used. */
static struct parameter_item *parameter_items_find(struct parameter_items *parameters,
                                                   const struct catalog_workload *workload,
                                                   const char *name, size_t *place)
{
    struct parameter_item *found = NULL;
    for (size_t i = 0; i < parameters->count; i++) {
        struct parameter_item *item = &parameters->items[i];
        size_t at;
        if (parameter_item_names(item, name, &at) &&
            fnmatch(item->workloads, workload->name, 0) == 0) {
            item->used |= UINT64_C(1) << at;
            found = item;
            *place = at;
        }
    }
    return found;
}

static enum status selection_add_point(struct selection *selection,
                                       const struct catalog_workload *workload, json_t *params,
                                       unsigned threads, struct error *error)
{
    for (size_t i = 0; i < selection->point_count; i++) {
        if (selection->points[i].workload == workload && selection->points[i].threads == threads &&
            json_equal(selection->points[i].params, params)) {
            return STATUS_OK; /* the same value in another spelling */
        }
    }
    if (selection->point_count == SELECTION_POINTS_MAX) {
        return error_set(error, STATUS_INVALID,
                         "more than %d combinations of workloads and parameters: give fewer values",
                         SELECTION_POINTS_MAX);
    }
    selection->points =
        text_grow(selection->points, selection->point_count + 1, sizeof(*selection->points));
    selection->points[selection->point_count++] = (struct selection_point){
        .workload = workload, .params = json_copy(params), .threads = threads};
    return STATUS_OK;
}

/* Adds a point for each number of threads, or for 1 thread if the workload is not threaded. */
static enum status selection_add_points(struct selection *selection,
                                        const struct catalog_workload *workload, json_t *params,
                                        struct error *error)
{
    size_t count = workload->threaded ? selection->thread_count_count : 0;
    enum status status = STATUS_OK;
    if (count == 0) {
        return selection_add_point(selection, workload, params, 1, error);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status =
            selection_add_point(selection, workload, params, selection->thread_counts[i], error);
    }
    return status;
}

/* Returns a default as a -p would have given it: whole numbers are integers. */
static json_t *selection_default(const struct catalog_parameter *parameter)
{
    json_t *value = NULL;
    char *text = json_is_string(parameter->standard)
                     ? text_format("%s", json_string_value(parameter->standard))
                     : text_format("%.17g", json_number_value(parameter->standard));
    (void)catalog_parse_value(parameter, text, &value, NULL);
    free(text);
    return value != NULL ? value : json_incref((json_t *)parameter->standard);
}

/* Fills params from parameter `index` on, and adds a point for each combination: depth first, so
 * that the last parameter varies fastest. At most CATALOG_PARAMETERS_MAX deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static enum status selection_expand(struct selection *selection,
                                    const struct catalog_workload *workload,
                                    struct parameter_items *parameters, size_t index,
                                    json_t *params, struct error *error)
{
    if (index == workload->parameter_count) {
        return selection_add_points(selection, workload, params, error);
    }
    const struct catalog_parameter *parameter = &workload->parameters[index];
    size_t place = 0;
    struct parameter_item *item =
        parameter_items_find(parameters, workload, parameter->name, &place);
    size_t chosen = item != NULL ? item->chosen : 0;
    size_t first = chosen > 0 ? chosen - 1 : 0;
    size_t end = item == NULL || chosen > 0 ? first + 1 : item->values.count;
    enum status status = STATUS_OK;
    for (size_t i = first; i < end && status == STATUS_OK; i++) {
        json_t *value = NULL;
        if (item != NULL) {
            char *text = parameter_item_value(item, i, place);
            item->chosen = item->names.count > 1 ? i + 1 : 0;
            status = catalog_parse_value(parameter, text, &value, error);
            free(text);
        } else {
            value = selection_default(parameter);
        }
        if (status == STATUS_OK) {
            (void)json_object_set_new(params, parameter->name, value);
            status = selection_expand(selection, workload, parameters, index + 1, params, error);
        }
        if (item != NULL) {
            item->chosen = chosen;
        }
    }
    return status;
}

/* Checks that every part of a -w list matches something, because a misspelt name must not be left
 * out silently. */
static enum status selection_check_list(const struct catalog *catalog, const char *list,
                                        struct error *error)
{
    const char *rest = list;
    const char *text = NULL;
    size_t length = 0;
    const char **names = text_grow(NULL, catalog->count + 1, sizeof(*names));
    enum status status = STATUS_OK;
    while (status == STATUS_OK && name_filter_next(&rest, &text, &length)) {
        bool negative = length > 0 && text[0] == '!';
        char *glob = text_format("%.*s", (int)(length - negative), text + negative);
        bool found = false;
        for (size_t i = 0; i < catalog->count; i++) {
            names[i] = catalog->workloads[i].name;
            found = found || fnmatch(glob, names[i], 0) == 0;
        }
        const char *nearest = found ? NULL : text_nearest(glob, names, catalog->count);
        if (!found && nearest != NULL) {
            status = error_set(error, STATUS_NOT_FOUND,
                               "-w: there is no workload '%s'; did you mean '%s'?", glob, nearest);
        } else if (!found) {
            status = error_set(error, STATUS_NOT_FOUND,
                               "-w: no workload matches '%s'; `heapmill list workloads` shows them",
                               glob);
        }
        free(glob);
    }
    free(names);
    return status;
}

/* Lists the parameters of the chosen workloads: "batch: size, live; churn: live". */
static char *selection_known_parameters(const struct catalog *catalog, const char *list)
{
    char *known = text_format("%s", "");
    for (size_t i = 0; i < catalog->count; i++) {
        const struct catalog_workload *workload = &catalog->workloads[i];
        if (!name_filter_matches(list, workload->name)) {
            continue;
        }
        struct text_list names = {0};
        for (size_t j = 0; j < workload->parameter_count; j++) {
            text_list_add(&names, text_format("%s", workload->parameters[j].name));
        }
        char *joined = text_join(&names, ", ");
        char *longer = text_format("%s%s%s: %s", known, known[0] == '\0' ? "" : "; ",
                                   workload->name, names.count > 0 ? joined : "none");
        free(known);
        free(joined);
        text_list_free(&names);
        known = longer;
    }
    return known;
}

static enum status selection_check_used(const struct parameter_items *parameters,
                                        const struct catalog *catalog, const char *list,
                                        struct error *error)
{
    for (size_t i = 0; i < parameters->count; i++) {
        const struct parameter_item *item = &parameters->items[i];
        size_t unused = 0;
        while (unused < item->names.count && (item->used >> unused & 1) != 0) {
            unused++;
        }
        if (unused < item->names.count) {
            char *known = selection_known_parameters(catalog, list);
            (void)error_set(error, STATUS_INVALID,
                            "-p: no chosen workload has a parameter '%s'; there are: %s",
                            item->names.items[unused], known);
            free(known);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

/* Returns the workload's parameter that takes any text (the file of a trace), or NULL if it has
 * none. */
static const struct catalog_parameter *selection_text_parameter(const struct catalog *catalog,
                                                                const char *workload)
{
    for (size_t i = 0; i < catalog->count; i++) {
        for (size_t j = 0; strcmp(catalog->workloads[i].name, workload) == 0 &&
                           j < catalog->workloads[i].parameter_count;
             j++) {
            const struct catalog_parameter *parameter = &catalog->workloads[i].parameters[j];
            if (parameter->choices == NULL && json_is_string(parameter->standard)) {
                return parameter;
            }
        }
    }
    return NULL;
}

/* Turns "trace:FILE" into "trace" and a -p item. FILE is a file, whose whole path the plan keeps,
 * or else the name of a reference trace, which is the same wherever heapmill is. */
static enum status selection_take_file(const struct catalog *catalog, const char *item,
                                       struct text_list *names, struct text_list *parameters,
                                       struct error *error)
{
    const char *colon = strchr(item, ':');
    if (colon == NULL) {
        text_list_add(names, text_format("%s", item));
        return STATUS_OK;
    }
    char *name = text_format("%.*s", (int)(colon - item), item);
    const struct catalog_parameter *parameter = selection_text_parameter(catalog, name);
    char *whole = realpath(colon + 1, NULL);
    char found[4096];
    const char *file = whole != NULL ? whole : colon + 1;
    enum status status = STATUS_OK;
    if (parameter == NULL) {
        status = error_set(error, STATUS_INVALID,
                           "-w '%s': only `trace` and `trace_threads` take a file", item);
    } else if (whole == NULL && !trace_find_reference(file, found, sizeof(found))) {
        status = error_set(error, STATUS_NOT_FOUND,
                           "-w '%s': there is no such file, nor a reference trace of that name; "
                           "`heapmill trace record` makes one",
                           item);
    } else if (strchr(file, ',') != NULL) {
        status = error_set(error, STATUS_INVALID, "-w: a comma in '%s': rename the file", file);
    } else {
        text_list_add(names, text_format("%s", name));
        text_list_add(parameters, text_format("%s.%s=%s", name, parameter->name, file));
    }
    free(whole);
    free(name);
    return status;
}

/* Joins several files of one workload into the values of one item. */
static void selection_join_files(struct text_list *parameters, size_t first)
{
    for (size_t i = first + 1; i < parameters->count;) {
        const char *equals = strchr(parameters->items[i], '=');
        size_t length = (size_t)(equals - parameters->items[i]) + 1;
        if (strncmp(parameters->items[first], parameters->items[i], length) == 0) {
            char *joined = text_format("%s,%s", parameters->items[first], equals + 1);
            free(parameters->items[first]);
            parameters->items[first] = joined;
            free(parameters->items[i]);
            parameters->items[i] = parameters->items[--parameters->count];
        } else {
            i++;
        }
    }
}

static enum status selection_add_named(struct selection *selection, const struct catalog *catalog,
                                       const char *list, const struct text_list *parameters,
                                       struct error *error);

enum status selection_add_workloads(struct selection *selection, const struct catalog *catalog,
                                    const char *list, const struct text_list *parameters,
                                    struct error *error)
{
    struct text_list names = {0}, more = {0};
    const char *rest = list;
    const char *text = NULL;
    size_t length = 0;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parameters->count; i++) {
        text_list_add(&more, text_format("%s", parameters->items[i]));
    }
    while (status == STATUS_OK && name_filter_next(&rest, &text, &length)) {
        char *item = text_format("%.*s", (int)length, text);
        status = selection_take_file(catalog, item, &names, &more, error);
        free(item);
    }
    if (status == STATUS_OK) {
        char *joined = text_join(&names, ",");
        selection_join_files(&more, parameters->count);
        status = selection_add_named(selection, catalog, joined, &more, error);
        free(joined);
    }
    text_list_free(&names);
    text_list_free(&more);
    return status;
}

static enum status selection_add_named(struct selection *selection, const struct catalog *catalog,
                                       const char *list, const struct text_list *parameters,
                                       struct error *error)
{
    struct parameter_items items = {0};
    enum status status = selection_check_list(catalog, list, error);
    if (status == STATUS_OK) {
        status = parameter_items_parse(&items, parameters, error);
    }
    for (size_t i = 0; i < catalog->count && status == STATUS_OK; i++) {
        if (name_filter_matches(list, catalog->workloads[i].name)) {
            json_t *params = json_object();
            status = selection_expand(selection, &catalog->workloads[i], &items, 0, params, error);
            json_decref(params);
        }
    }
    if (status == STATUS_OK && selection->point_count == 0) {
        status = error_set(error, STATUS_INVALID, "-w: '%s' leaves no workload", list);
    }
    if (status == STATUS_OK) {
        status = selection_check_used(&items, catalog, list, error);
    }
    parameter_items_free(&items);
    return status;
}

char *selection_parameters_text(const struct selection_point *point, const char *separator)
{
    struct text_list pairs = {0};
    const char *name;
    json_t *value;
    json_object_foreach(point->params, name, value)
    {
        char *text = text_of_json(value);
        text_list_add(&pairs, text_format("%s=%s", name, text));
        free(text);
    }
    char *joined = text_join(&pairs, separator);
    text_list_free(&pairs);
    return joined;
}
