/* heapmill waste: what each back end's size classes waste, by requested size. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/process.h"
#include "plots/gnuplot.h"
#include "plots/waste_figure.h"
#include "run/registry.h"
#include "run/selection.h"
#include "run/worker.h"

struct waste_arguments {
    const char *backends;
    const char *output;
};

static const struct option_row waste_options[] = {
    {OPTION_TEXT, 'b', "backends", "LIST", "as in `heapmill bench`", "*", "all",
     .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct waste_arguments, backends)},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "where the files go", ".",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct waste_arguments, output)},
    {.kind = OPTION_END},
};

struct waste_job {
    struct registry registry;
    struct selection selection;
    struct waste_curve *curves;
    size_t count;
    struct text_list silent; /* labels of those that could not say */
};

static void waste_keep(struct waste_job *job, const struct selection_choice *choice, char *label,
                       const json_t *sizes)
{
    size_t count = json_array_size(sizes);
    double *usable = text_grow(NULL, count + 1, sizeof(*usable));
    for (size_t i = 0; i < count; i++) {
        usable[i] = json_number_value(json_array_get(sizes, i));
    }
    job->curves[job->count++] = (struct waste_curve){.label = label,
                                                     .backend = choice->backend->name,
                                                     .arm = choice->arm,
                                                     .usable = usable,
                                                     .count = count};
}

static enum status waste_ask(struct waste_job *job, const struct selection_choice *choice,
                             struct error *error)
{
    struct launch launch;
    registry_launch(choice->backend, choice->arm, &launch);
    struct worker worker = {.registry = &job->registry,
                            .program = launch.program,
                            .preload = launch.preload,
                            .env = choice->env};
    char *label = text_format("%s:%s", choice->backend->name, choice->arm);
    json_t *answer = NULL;
    enum status status = worker_waste(&worker, &answer, error);
    if (status == STATUS_OK) {
        waste_keep(job, choice, label, json_object_get(answer, "usable_bytes"));
    } else {
        text_list_add(&job->silent, label);
    }
    json_decref(answer);
    launch_free(&launch);
    return status == STATUS_INTERRUPTED ? status : STATUS_OK;
}

static enum status waste_draw(const struct waste_job *job, const struct image_options *options,
                              struct error *error)
{
    char *labels = text_join(&job->silent, ", ");
    if (job->count == 0) {
        enum status status = error_set(error, STATUS_INVALID,
                                       "none of these says what a block can hold: %s", labels);
        free(labels);
        return status;
    }
    char *note = job->silent.count > 0
                     ? text_format("Not in the picture, as they do not say what a "
                                   "block can hold or could not be run: %s.",
                                   labels)
                     : text_format("%s", "");
    enum status status = waste_figure_draw(options, job->curves, job->count, note, error);
    if (status == STATUS_OK || status == STATUS_UNSUPPORTED) {
        (void)printf("%s/waste.tsv\n%s/waste.gp\n", options->output, options->output);
    }
    if (status == STATUS_OK) {
        (void)printf("%s/waste.svg\n%s/waste.png\n", options->output, options->output);
    }
    free(labels);
    free(note);
    return status;
}

static enum status waste_run(const char *backends, const struct image_options *options,
                             struct error *error)
{
    struct waste_job job = {.count = 0};
    enum status status = registry_open(&job.registry, error);
    if (status == STATUS_OK) {
        status = selection_add_backends(&job.selection, &job.registry, backends, NULL, error);
    }
    job.curves = text_grow(NULL, job.selection.choice_count + 1, sizeof(*job.curves));
    for (size_t i = 0; i < job.selection.choice_count && status == STATUS_OK; i++) {
        status = waste_ask(&job, &job.selection.choices[i], error);
    }
    if (status == STATUS_OK) {
        status = waste_draw(&job, options, error);
    }
    for (size_t i = 0; i < job.count; i++) {
        free((void *)(uintptr_t)job.curves[i].usable);
        free((void *)(uintptr_t)job.curves[i].label);
    }
    free(job.curves);
    text_list_free(&job.silent);
    selection_free(&job.selection);
    registry_close(&job.registry);
    return status;
}

static int waste_execute(const struct invocation *invocation, void *arguments)
{
    const struct waste_arguments *asked = arguments;
    struct error error = {.message = ""};
    char *command = text_format("heapmill waste -b '%s'", asked->backends);
    struct image_options options = {
        .output = asked->output, .formats = PICTURE_SVG | PICTURE_PNG, .command = command};
    process_prepare_signals();
    enum status status = waste_run(asked->backends, &options, &error);
    free(command);
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}
const struct command command_waste = {
    .name = "waste",
    .summary = "what size classes waste within a block, by requested size",
    .description =
        "Asks each back end what a block can hold of every requested size from 1 to 1024 bytes, "
        "and draws what is wasted: waste.svg and .png, with the data (.tsv) and the script (.gp) "
        "beside them. Nothing is timed; it takes a moment.",
    .options = waste_options,
    .arguments_size = sizeof(struct waste_arguments),
    .examples = "heapmill waste -b 'pymalloc*' -o waste",
    .exit_statuses =
        "0 clean; 2 wrong usage, or no back end of the list can say; 3 something is missing",
    .execute = waste_execute,
};
