#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "common/host/text.h"
#include "plots/plot.h"
#include "results/compare/comparison.h"
#include "run/experiment.h"
#include "run/registry.h"
#include "run/worker.h"
#include "run/worker_executor.h"

/* In the order of list_topics. */
static const char *const list_topic_names[] = {"backends",   "workloads", "arms",
                                               "parameters", "matrices",  "collectors",
                                               "metrics",    "plots",     NULL};

struct list_arguments {
    struct text_list topics;
    bool json;
    bool names;
};

static const struct option_row list_options[] = {
    {OPTION_LIST, .placeholder = "TOPIC", .shown = "backends and workloads",
     .help = "the topics to show", .words = list_topic_names,
     OPTION_INTO(struct list_arguments, topics)},
    {OPTION_FLAG, 0, "names", NULL, "print only the names, one a line",
     OPTION_INTO(struct list_arguments, names)},
    {SHARED_JSON(struct list_arguments, json,
                 "print an object with an array of objects for each topic")},
    {.kind = OPTION_END},
};

/* The data that topics are made from. The catalog is read when a topic first needs it. */
struct list_context {
    struct registry registry;
    struct catalog catalog;
    bool has_catalog;
};

struct list_column {
    const char *member; /* member of the JSON objects */
    const char *title;
};

struct list_topic {
    const char *title;
    enum status (*fill)(struct list_context *context, json_t *rows, struct error *error);
    struct list_column columns[8];
};

static enum status list_need_catalog(struct list_context *context, struct error *error)
{
    enum status status = STATUS_OK;
    if (!context->has_catalog) {
        status = catalog_open(&context->catalog, &context->registry, error);
        context->has_catalog = status == STATUS_OK;
    }
    return status;
}

static json_t *list_arms_of(const struct backend *backend)
{
    json_t *arms = json_array();
    for (size_t i = 0; i < backend->arms.count; i++) {
        (void)json_array_append_new(arms, json_string(backend->arms.items[i]));
    }
    return arms;
}

static const char *list_kind(const struct backend *backend)
{
    return backend->kind == BACKEND_OURS        ? "own"
           : backend->kind == BACKEND_PEER      ? "peer"
           : backend->kind == BACKEND_REFERENCE ? "reference"
                                                : "library";
}

/* How the arm serves several threads, as its worker reports; "" if the worker is missing, or does
 * not run without its library. */
static json_t *list_thread_support(const struct registry *registry, const struct backend *backend,
                                   const char *arm)
{
    struct launch launch;
    json_t *description = NULL;
    registry_launch(backend, arm, &launch);
    struct worker worker = {
        .registry = registry, .program = launch.program, .preload = launch.preload, .env = NULL};
    enum status status = worker_describe(&worker, &description, NULL, NULL);
    const char *owner = json_string_value(json_object_get(description, "malloc_owner"));
    bool there = status == STATUS_OK && owner != NULL &&
                 strstr(owner, worker_expected_owner(&worker)) != NULL;
    const char *support = json_string_value(json_object_get(description, "thread_support"));
    json_t *answer = json_string(there && support != NULL ? support : "");
    json_decref(description);
    launch_free(&launch);
    return answer;
}

static enum status list_fill_backends(struct list_context *context, json_t *rows,
                                      struct error *error)
{
    (void)error;
    for (size_t i = 0; i < context->registry.count; i++) {
        const struct backend *backend = context->registry.backends[i];
        struct error reason = {.message = ""};
        const char *arm = backend_default_arm(backend);
        enum status status =
            preflight_backend(&context->registry, backend, arm, false, NULL, &reason);
        (void)json_array_append_new(
            rows, json_pack("{ss ss so ss so ss sb ss}", "name", backend->name, "kind",
                            list_kind(backend), "arms", list_arms_of(backend), "default_arm", arm,
                            "threads", list_thread_support(&context->registry, backend, arm),
                            "parameters", backend->parameters, "available", status == STATUS_OK,
                            "note", status == STATUS_OK ? "" : reason.message));
    }
    return STATUS_OK;
}

static enum status list_fill_arms(struct list_context *context, json_t *rows, struct error *error)
{
    (void)error;
    for (size_t i = 0; i < context->registry.count; i++) {
        const struct backend *backend = context->registry.backends[i];
        for (size_t arm = 0; arm < backend->arms.count; arm++) {
            struct launch launch;
            registry_launch(backend, backend->arms.items[arm], &launch);
            (void)json_array_append_new(rows,
                                        json_pack("{ss ss so ss ss ss}", "backend", backend->name,
                                                  "arm", backend->arms.items[arm], "threads",
                                                  list_thread_support(&context->registry, backend,
                                                                      backend->arms.items[arm]),
                                                  "program", launch.program, "probe", launch.probe,
                                                  "preload", launch.preload));
            launch_free(&launch);
        }
    }
    return STATUS_OK;
}

static enum status list_fill_workloads(struct list_context *context, json_t *rows,
                                       struct error *error)
{
    enum status status = list_need_catalog(context, error);
    for (size_t i = 0; i < context->catalog.count && status == STATUS_OK; i++) {
        const struct catalog_workload *workload = &context->catalog.workloads[i];
        json_t *parameters = json_array();
        for (size_t j = 0; j < workload->parameter_count; j++) {
            (void)json_array_append_new(parameters, json_string(workload->parameters[j].name));
        }
        (void)json_array_append_new(
            rows, json_pack("{ss ss ss sb so ss}", "name", workload->name, "kind", workload->kind,
                            "family", workload->family, "threaded", workload->threaded,
                            "parameters", parameters, "summary", workload->summary));
    }
    return status;
}

/* "8 to 1e+06", or the allowed words. */
static json_t *list_range(const struct catalog_parameter *parameter)
{
    if (parameter->choices != NULL) {
        return json_deep_copy(parameter->choices);
    }
    json_t *bounds[] = {json_real(parameter->minimum), json_real(parameter->maximum)};
    char *low = bounds[0] != NULL ? text_of_json(bounds[0]) : text_format("any");
    char *high = bounds[1] != NULL ? text_of_json(bounds[1]) : text_format("any");
    json_t *range = json_sprintf("%s to %s", low, high);
    free(low);
    free(high);
    json_decref(bounds[0]);
    json_decref(bounds[1]);
    return range;
}

static enum status list_fill_parameters(struct list_context *context, json_t *rows,
                                        struct error *error)
{
    enum status status = list_need_catalog(context, error);
    for (size_t i = 0; i < context->catalog.count && status == STATUS_OK; i++) {
        const struct catalog_workload *workload = &context->catalog.workloads[i];
        for (size_t j = 0; j < workload->parameter_count; j++) {
            const struct catalog_parameter *parameter = &workload->parameters[j];
            (void)json_array_append_new(
                rows,
                json_pack("{ss ss sO ss so ss}", "workload", workload->name, "name",
                          parameter->name, "default", parameter->standard, "unit", parameter->unit,
                          "range", list_range(parameter), "summary", parameter->summary));
        }
    }
    return status;
}

static enum status list_fill_collectors(struct list_context *context, json_t *rows,
                                        struct error *error)
{
    enum status status = list_need_catalog(context, error);
    size_t index;
    json_t *collector;
    json_array_foreach(json_object_get(context->catalog.description, "collectors"), index,
                       collector)
    {
        (void)json_array_append(rows, collector);
    }
    return status;
}

static enum status list_fill_matrices(struct list_context *context, json_t *rows,
                                      struct error *error)
{
    (void)context;
    (void)error;
    for (size_t i = 0; matrix_table[i].name != NULL; i++) {
        const struct matrix *matrix = &matrix_table[i];
        json_t *parameters = json_array();
        for (size_t j = 0; matrix->parameters[j] != NULL; j++) {
            (void)json_array_append_new(parameters, json_string(matrix->parameters[j]));
        }
        (void)json_array_append_new(
            rows, json_pack("{ss ss ss ss so sI sf}", "name", matrix->name, "summary",
                            matrix->summary, "backends", matrix->backends, "workloads",
                            matrix->workloads, "parameters", parameters, "rounds",
                            (json_int_t)matrix->rounds, "target_ms", matrix->target_ms));
    }
    return STATUS_OK;
}

static enum status list_fill_metrics(struct list_context *context, json_t *rows,
                                     struct error *error)
{
    (void)context;
    (void)error;
    for (size_t i = 0; metric_table[i].name != NULL; i++) {
        const struct metric *metric = &metric_table[i];
        (void)json_array_append_new(
            rows, json_pack("{ss ss ss ss}", "name", metric->name, "unit", metric->unit, "pass",
                            record_pass_word(metric->pass), "summary", metric->summary));
    }
    return STATUS_OK;
}

static enum status list_fill_plots(struct list_context *context, json_t *rows, struct error *error)
{
    (void)context;
    (void)error;
    json_t *figures = plot_list_figures();
    (void)json_array_extend(rows, figures);
    json_decref(figures);
    return STATUS_OK;
}

/* clang-format off */
static const struct list_topic list_topics[] = {
    {"back ends", list_fill_backends,
     {{"name", "NAME"}, {"kind", "KIND"}, {"arms", "ARMS"}, {"threads", "THREADS"}, {"note", "MISSING"}, {"parameters", "PARAMETERS"}}},
    {"workloads", list_fill_workloads,
     {{"name", "NAME"}, {"kind", "KIND"}, {"family", "FAMILY"}, {"threaded", "THREADED"}, {"parameters", "PARAMETERS"}, {"summary", "WHAT IT DOES"}}},
    {"arms", list_fill_arms,
     {{"backend", "BACK END"}, {"arm", "ARM"}, {"threads", "THREADS"}, {"program", "WORKER"}, {"probe", "MEMORY PASS"}, {"preload", "PRELOADED"}}},
    {"parameters", list_fill_parameters,
     {{"workload", "WORKLOAD"}, {"name", "NAME"}, {"default", "DEFAULT"}, {"unit", "UNIT"}, {"range", "RANGE"}, {"summary", "WHAT IT IS"}}},
    {"matrices", list_fill_matrices,
     {{"name", "NAME"}, {"backends", "BACK ENDS"}, {"workloads", "WORKLOADS"}, {"rounds", "ROUNDS"}, {"target_ms", "TARGET MS"}, {"summary", "WHAT FOR"}}},
    {"collectors", list_fill_collectors,
     {{"name", "NAME"}, {"default", "DEFAULT"}, {"summary", "WHAT IT DOES"}}},
    {"metrics", list_fill_metrics,
     {{"name", "NAME"}, {"unit", "UNIT"}, {"pass", "PASS"}, {"summary", "WHAT IT IS"}}},
    {"plots", list_fill_plots,
     {{"name", "NAME"}, {"command", "DRAWN BY"}, {"needs", "NEEDS"}, {"summary", "WHAT IT SHOWS"}}},
};
/* clang-format on */

enum { LIST_TOPICS = sizeof(list_topics) / sizeof(list_topics[0]), LIST_STANDARD_TOPICS = 2 };
_Static_assert(LIST_TOPICS + 1 == sizeof(list_topic_names) / sizeof(list_topic_names[0]),
               "each topic has a name");

static void list_print_names(const struct list_topic *topic, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const json_t *name = json_object_get(row, "name");
        name = name != NULL ? name : json_object_get(row, topic->columns[0].member);
        (void)puts(json_string_value(name));
    }
}

static void list_add_topic(struct document *document, const struct list_topic *topic,
                           const json_t *rows, bool heading)
{
    if (heading) {
        document_heading(document, 1, "%s", topic->title);
    }
    struct table *table = document_table(document, topic->title);
    for (const struct list_column *column = topic->columns; column->member != NULL; column++) {
        (void)table_column(table, column->member, column->title, TABLE_LEFT);
    }
    table_rows_of_json(table, rows);
}

/* Is the topic one of those that were named, or else a default one? */
static bool list_wants(const struct list_arguments *arguments, size_t topic)
{
    bool wanted = arguments->topics.count == 0 && topic < LIST_STANDARD_TOPICS;
    for (size_t i = 0; i < arguments->topics.count; i++) {
        wanted = wanted || strcmp(arguments->topics.items[i], list_topic_names[topic]) == 0;
    }
    return wanted;
}

static enum status list_run_topics(struct list_context *context,
                                   const struct list_arguments *arguments, struct error *error)
{
    json_t *all = json_object();
    struct document *document = document_new();
    enum status status = STATUS_OK;
    size_t asked = 0;
    for (size_t i = 0; i < LIST_TOPICS; i++) {
        asked += list_wants(arguments, i);
    }
    for (size_t i = 0; i < LIST_TOPICS && status == STATUS_OK; i++) {
        if (!list_wants(arguments, i)) {
            continue;
        }
        json_t *rows = json_array();
        status = list_topics[i].fill(context, rows, error);
        if (status == STATUS_OK && arguments->names) {
            list_print_names(&list_topics[i], rows);
        } else if (status == STATUS_OK && !arguments->json) {
            list_add_topic(document, &list_topics[i], rows, asked > 1);
        }
        (void)json_object_set_new(all, list_topic_names[i], rows);
    }
    if (status == STATUS_OK && arguments->json) {
        json_print(all);
    }
    document_show(document);
    json_decref(all);
    return status;
}

static enum status list_check(void *arguments, struct error *error)
{
    const struct list_arguments *asked = arguments;
    return asked->names && asked->json
               ? error_set(error, STATUS_INVALID, "--names and --json: leave one out")
               : STATUS_OK;
}

static int list_execute(const struct invocation *invocation, void *arguments)
{
    struct list_context context = {0};
    struct error error = {.message = ""};
    process_prepare_signals();
    enum status status = registry_open(&context.registry, &error);
    if (status == STATUS_OK) {
        status = list_run_topics(&context, arguments, &error);
    }
    catalog_close(&context.catalog);
    registry_close(&context.registry);
    (void)(status == STATUS_OK ? 0 : command_fail(invocation, &error));
    return status == STATUS_OK            ? EXIT_CLEAN
           : status == STATUS_INTERRUPTED ? EXIT_INTERRUPTED
                                          : EXIT_ENVIRONMENT;
}
const struct command command_list = {
    .name = "list",
    .summary = "lists back ends, workloads, parameters, metrics, plots",
    .description = "Lists the choices for options, by topic:\n"
                   "\n"
                   "  backends    what -b names, with parameters, and what is missing here\n"
                   "  workloads   what -w names\n"
                   "  arms        each back end's arms, and the worker and library that an arm is\n"
                   "  parameters  what -p names, with defaults and bounds\n"
                   "  matrices    what --matrix names\n"
                   "  collectors  what -p collector= names\n"
                   "  metrics     what `heapmill compare --metric` names\n"
                   "  plots       what `heapmill plot --figure` names",
    .options = list_options,
    .arguments_size = sizeof(struct list_arguments),
    .check = list_check,
    .examples = "heapmill list parameters",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something that is needed is missing",
    .execute = list_execute,
};
