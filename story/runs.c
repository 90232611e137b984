#include "story/runs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/exit_status.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "results/compare/comparison.h"
#include "results/store.h"
#include "run/registry.h"
#include "run/worker_executor.h"
#include "story/story.h"

static const double RUN_TIMEOUT_S = 600;

/* A command and its result. */
struct run {
    const char *program;
    const char *directory;
    struct text_list arguments;
    json_t *answer;
    json_t *absent; /* of answer */
    struct text_list *lacks;
    struct process_result result;
};

/* Records what this machine lacks: all of the run's figures ("*"), or those of one back end. */
static void run_lacks(struct run *run, const char *name, char *sentence)
{
    (void)json_array_append_new(run->absent, json_string(name));
    text_list_add(run->lacks, sentence);
}

static const char *run_last_line(const struct run *run)
{
    char *text = (char *)run->result.stderr_tail;
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n') {
        text[--length] = '\0';
    }
    const char *line = strrchr(text, '\n');
    return line != NULL ? line + 1 : text;
}

/* Runs a command. If it fails, the page lacks its figures; `partial` is an exit status that is
 * accepted too. */
static enum status run_start(struct run *run, int partial, struct error *error)
{
    const struct process_request request = {.arguments = process_vector(&run->arguments),
                                            .directory = run->directory,
                                            .timeout_s = RUN_TIMEOUT_S};
    enum status status = process_run(&request, &run->result, error);
    if (status == STATUS_OK && run->result.interrupted) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    bool ended = status == STATUS_OK && run->result.signal == 0 &&
                 (run->result.exit_code == 0 || run->result.exit_code == partial);
    if (!ended) {
        run_lacks(run, "*",
                  text_format("%s %s did not run: %s", run->arguments.items[0],
                              run->arguments.count > 1 ? run->arguments.items[1] : "",
                              status != STATUS_OK     ? error->message
                              : run->result.timed_out ? "it took too long"
                                                      : run_last_line(run)));
    }
    return ended ? STATUS_OK : STATUS_UNSUPPORTED;
}

/* Adds the members of the command's output to the answer. */
static enum status run_read_answer(struct run *run, struct error *error)
{
    json_error_t wrong;
    json_t *said = json_loads(run->result.output, 0, &wrong);
    if (!json_is_object(said)) {
        json_decref(said);
        return error_set(error, STATUS_CORRUPT, "%s did not answer in JSON: %s",
                         run->arguments.items[0], wrong.text);
    }
    (void)json_array_extend(run->absent, json_object_get(said, "absent"));
    (void)json_object_del(said, "absent");
    (void)json_object_update(run->answer, said);
    json_decref(said);
    return STATUS_OK;
}

/* ---------------------------------------------------------------------------------- back ends */

/* Does it have a memory pass, which needs programs of its own? */
static bool run_is_sampled(const struct run *run)
{
    for (size_t i = 0; i < run->arguments.count; i++) {
        if (strcmp(run->arguments.items[i], "--no-memory") == 0) {
            return false;
        }
    }
    return true;
}

/* Can the item of -b, "NAME[:ARM]", run here? If not, that is recorded. */
static bool run_is_here(struct run *run, const struct registry *registry, const char *item)
{
    struct error error = {.message = "this build does not have it"};
    char *name = text_format("%.*s", (int)strcspn(item, ":{"), item);
    const char *colon = strrchr(item, ':');
    const struct backend *backend = registry_find(registry, name);
    const char *arm = colon != NULL     ? colon + 1
                      : backend != NULL ? backend_default_arm(backend)
                                        : "";
    bool here = backend != NULL && preflight_backend(registry, backend, arm, run_is_sampled(run),
                                                     NULL, &error) == STATUS_OK;
    if (!here) {
        run_lacks(run, name, text_format("%s is left out: %s", item, error.message));
    }
    free(name);
    return here;
}

/* Removes the back ends that cannot run here from the list after -b. */
static enum status run_choose_backends(struct run *run, struct error *error)
{
    struct registry registry;
    enum status status = registry_open(&registry, error);
    for (size_t i = 1; status == STATUS_OK && i < run->arguments.count; i++) {
        if (strcmp(run->arguments.items[i - 1], "-b") == 0) {
            struct text_list items = {0};
            struct text_list kept = {0};
            text_split(&items, run->arguments.items[i], ',');
            for (size_t j = 0; j < items.count; j++) {
                if (run_is_here(run, &registry, items.items[j])) {
                    text_list_add(&kept, text_format("%s", items.items[j]));
                }
            }
            free(run->arguments.items[i]);
            run->arguments.items[i] = text_join(&kept, ",");
            status = kept.count > 0 ? STATUS_OK : STATUS_UNSUPPORTED;
            text_list_free(&items);
            text_list_free(&kept);
        }
    }
    registry_close(&registry);
    if (status == STATUS_UNSUPPORTED) {
        (void)json_array_append_new(run->absent, json_string("*"));
    }
    return status;
}

/* ----------------------------------------------------------------------------- results of bench */

/* The object of a cell in the answer, which is made if it is missing. */
static json_t *run_cell(struct run *run, const struct record_set *set,
                        const struct record_cell *cell)
{
    const char *name = cell->workload;
    for (size_t i = 0; i < set->cell_count; i++) {
        if (strcmp(set->cells[i].workload, name) == 0 && set->cells[i].group != cell->group) {
            name = set->groups[cell->group].id;
            break;
        }
    }
    json_t *group = json_object_get(run->answer, name);
    if (group == NULL) {
        group = json_object();
        (void)json_object_set_new(run->answer, name, group);
    }
    json_t *object = json_object_get(group, cell->backend_text);
    if (object == NULL) {
        object = json_object();
        (void)json_object_set_new(group, cell->backend_text, object);
    }
    return object;
}

static void run_set(json_t *object, const char *metric, const char *suffix, double value)
{
    if (isfinite(value)) {
        char *name = text_format("%s%s", metric, suffix);
        (void)json_object_set_new(object, name, json_real(value));
        free(name);
    }
}

static void run_add_metric(struct run *run, const struct record_set *set, const char *metric)
{
    struct error error;
    struct comparison *comparison = NULL;
    const struct comparison_options options = {.metric = metric, .seed = 1};
    if (comparison_build(set, &options, &comparison, &error) != STATUS_OK) {
        return;
    }
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        json_t *object = run_cell(run, set, row->cell);
        run_set(object, metric, "", row->value);
        run_set(object, metric, "_ratio", row->ratio);
        run_set(object, metric, "_low", row->low);
        run_set(object, metric, "_high", row->high);
        if (row->base != NULL) {
            run_set(run_cell(run, set, row->base), metric, "", row->base_value);
        }
    }
    comparison_free(comparison);
}

/* Adds the workloads' own figures from the last round of the memory pass. */
static enum status run_add_told(struct run *run, const struct record_set *set, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        const struct record *record = &set->records[i];
        const struct record_cell *cell = &set->cells[record->cell];
        json_t *json = NULL;
        if (record->status != RECORD_OK || record->pass != RECORD_MEMORY || cell->twin != 0) {
            continue;
        }
        status = record_set_read(set, i, &json, error);
        (void)json_object_update(run_cell(run, set, cell), json_object_get(json, "figures"));
        json_decref(json);
    }
    return status;
}

static enum status run_add_bench(struct run *run, struct error *error)
{
    struct record_set *set = NULL;
    const char *output = run->arguments.items[run->arguments.count - 1]; /* "-o RUN" comes last */
    char *path = text_format("%s/%s", run->directory, output);
    enum status status = store_load(path, &set, error);
    if (status == STATUS_OK) {
        for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
            run_add_metric(run, set, metric->name);
        }
        status = run_add_told(run, set, error);
    }
    record_set_free(set);
    free(path);
    return status;
}

/* ---------------------------------------------------------------------------------- commands */

static void run_put_program(struct run *run, char *program)
{
    free(run->arguments.items[0]);
    run->arguments.items[0] = program;
}

static enum status run_heapmill(struct run *run, char **command, struct error *error)
{
    enum status status = run_choose_backends(run, error);
    *command = text_join(&run->arguments, " ");
    if (status == STATUS_OK) {
        run_put_program(run, text_format("%s", run->program));
        status = run_start(run, EXIT_PARTIAL, error);
    }
    bool is_bench = run->arguments.count > 1 && strcmp(run->arguments.items[1], "bench") == 0;
    return status == STATUS_OK && is_bench ? run_add_bench(run, error) : status;
}

static enum status run_objects(struct run *run, struct error *error)
{
    struct registry registry;
    enum status status = registry_open(&registry, error);
    if (status == STATUS_OK) {
        run_put_program(run, registry_program_path(&registry, "heapmill-story-objects"));
        registry_close(&registry);
        status = run_start(run, 0, error);
    }
    return status == STATUS_OK ? run_read_answer(run, error) : status;
}

static enum status run_python(struct run *run, struct error *error)
{
    char *python = file_find_program("python3");
    if (python == NULL) {
        run_lacks(run, "*", text_format("what python3 says: it is not installed"));
        return STATUS_UNSUPPORTED;
    }
    struct text_list asked = run->arguments;
    run->arguments = (struct text_list){0};
    static const char *const options[] = {"-I", "-S", "-c", story_python};
    text_list_add(&run->arguments, python);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        text_list_add(&run->arguments, text_format("%s", options[i]));
    }
    text_list_add(&run->arguments, text_format("%s", asked.count > 1 ? asked.items[1] : ""));
    text_list_free(&asked);
    enum status status = run_start(run, 0, error);
    return status == STATUS_OK ? run_read_answer(run, error) : status;
}

enum status run_experiment(const struct run_place *place, const char *asked, json_t **answer,
                           char **command, struct text_list *lacks, struct error *error)
{
    struct run run = {.program = place->program,
                      .directory = place->directory,
                      .answer = json_object(),
                      .absent = json_array(),
                      .lacks = lacks};
    enum status status;
    *command = NULL;
    (void)json_object_set_new(run.answer, "absent", run.absent);
    text_split(&run.arguments, asked, ' ');
    const char *kind = run.arguments.items[0];
    if (strcmp(kind, "heapmill") == 0) {
        status = run_heapmill(&run, command, error);
    } else if (strcmp(kind, "objects") == 0) {
        status = run_objects(&run, error);
    } else if (strcmp(kind, "python") == 0) {
        status = run_python(&run, error);
    } else {
        status = error_set(error, STATUS_CORRUPT, "a run is of heapmill, objects or python, not %s",
                           kind);
    }
    process_result_free(&run.result);
    text_list_free(&run.arguments);
    *answer = run.answer;
    return status == STATUS_UNSUPPORTED ? STATUS_OK : status; /* the reason is in lacks */
}
