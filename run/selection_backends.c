#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "results/name_filter.h"
#include "run/selection.h"

/* One item of a -b list, taken apart. */
struct backend_item {
    bool negative;
    bool exact;      /* no glob */
    char *glob;      /* or a library's path */
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

/* "K=V,K=V" into the environment; the collector is no variable of it. */
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
            item->collector = text_format("%s", equals + 1);
        } else if (json_object_set_new(item->env, pairs.items[i], json_string(equals + 1)) != 0) {
            status = error_set(error, STATUS_INVALID, "-b: '%s' is not UTF-8", text);
        }
    }
    text_list_free(&pairs);
    return status;
}

/* Takes "{K=V,…}" out of item->glob, which may stand before or after the arm: "a{K=V}:arm" is how
 * the id of a cell reads, "a:arm{K=V}" how one types. */
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

/* Is arm among the wanted? NULL: the default arm; "all": every one. */
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

/* Adds what one positive item names. */
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
        /* A reference is no back end: who wants one beside them says so. */
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

/* Goes through the list once for the positive items or once for the negative ones. */
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
            if (known != NULL) { /* perhaps by another name */
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
