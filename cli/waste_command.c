/* heapmill waste: what each back end's size classes waste, by requested size. */
#include <stdlib.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/process.h"
#include "plots/gnuplot.h"
#include "plots/waste_figure.h"
#include "run/waste.h"

struct waste_arguments {
    const char *backends;
    const char *output;
};

static const struct option_row waste_options[] = {
    {OPTION_TEXT, 'b', "backends", "LIST", "as in `heapmill bench`", "*", "all",
     .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct waste_arguments, backends)},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "directory for the files", ".",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct waste_arguments, output)},
    {.kind = OPTION_END},
};

static enum status waste_draw(const char *backends, const struct image_options *options,
                              struct error *error)
{
    struct waste_survey survey;
    enum status status = waste_survey_ask(&survey, backends, error);
    if (status == STATUS_OK) {
        char *labels = text_join(&survey.silent, ", ");
        char *note = survey.silent.count > 0
                         ? text_format("Not in the picture, as they do not say what a "
                                       "block can hold or could not be run: %s.",
                                       labels)
                         : text_format("%s", "");
        status = waste_figure_draw(options, survey.curves, survey.count, note, error);
        image_tell(options, "waste", status);
        free(labels);
        free(note);
    }
    waste_survey_release(&survey);
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
    enum status status = waste_draw(asked->backends, &options, &error);
    free(command);
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}
const struct command command_waste = {
    .name = "waste",
    .summary = "shows what size classes waste within a block, by requested size",
    .description =
        "Asks each back end for the usable size of a block, for every requested size from 1 to "
        "1024 bytes, and draws the waste: waste.svg and .png, with the data (.tsv) and the script "
        "(.gp) beside them. Nothing is timed, so it takes only a moment.",
    .options = waste_options,
    .arguments_size = sizeof(struct waste_arguments),
    .examples = "heapmill waste -b 'pymalloc*' -o waste",
    .exit_statuses =
        "0 clean; 2 wrong usage, or no back end of the list can say; 3 something is missing",
    .execute = waste_execute,
};
