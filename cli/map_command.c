/* heapmill map: a picture of a heap's arenas, pools and blocks while a workload runs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/map_run.h"
#include "cli/shared_options.h"
#include "common/host/process.h"
#include "plots/gnuplot.h"

static const struct option_row map_options[] = {
    {OPTION_TEXT, 'b', "backend", "BACKEND[:ARM]", "which back end, one",
     .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct map_request, backend),
     .missing = "say which back end: -b BACKEND"},
    {OPTION_TEXT, 'w', "workload", "NAME", "which workload, one",
     .candidates = CANDIDATES_WORKLOADS, OPTION_INTO(struct map_request, workload),
     .missing = "say which workload: -w NAME"},
    {OPTION_LIST, 'p', "param", "NAME=VALUE",
     "a parameter of it; may be repeated. Small runs make the best pictures: -p live=20000 rather "
     "than a million",
     OPTION_INTO(struct map_request, parameters)},
    {OPTION_TEXT, 0, "at", "N[,N…]",
     "when: after that many operations (allocations, frees, resizes), or in parts of the run, 50%; "
     "the first moment at or after it at which the workload can be stopped",
     OPTION_INTO(struct map_request, moments)},
    {OPTION_NUMBER, 0, "frames", "K", "K moments evenly spread, the last at the end", "6",
     .least = 1, .most = MAP_FRAMES_MAX, OPTION_INTO(struct map_request, frames)},
    {OPTION_NUMBER, 0, "iterations", "N", "of the workload",
     .shown = "what makes 100 operations a frame, or 1", .least = 1, .most = 0x1p40,
     OPTION_INTO(struct map_request, iterations)},
    {SHARED_SEED(struct map_request, seed, "of its random numbers")},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "where the files go", ".",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct map_request, output)},
    {SHARED_PICTURES(struct map_request, formats)},
    {.kind = OPTION_END},
};

static int map_execute(const struct invocation *invocation, void *arguments)
{
    struct map_request *request = arguments;
    struct error error = {.message = ""};
    process_prepare_signals();
    request->command = command_line(invocation);
    enum status status = map_run(request, &error);
    free(request->command);
    int result = status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
    return status == STATUS_CORRUPT ? EXIT_FINDING : result;
}
const struct command command_map = {
    .name = "map",
    .summary = "a picture of arenas, pools and blocks while a workload runs",
    .synopses = (const char *const[]){"-b BACKEND[:ARM] -w WORKLOAD [OPTION…]", NULL},
    .description =
        "Runs the workload once and draws the back end's heap at a few moments of it: arenas, "
        "their pools as tiles, and in each tile its blocks by state. Leaves "
        "map-BACKEND-WORKLOAD.svg and .png with the data (.tsv) and the script (.gp) beside them. "
        "Only back ends that can be walked have a map.",
    .options = map_options,
    .arguments_size = sizeof(struct map_request),
    .examples = "heapmill map -b pymalloc-3.10 -w type_shift -p live=20000 -o maps",
    .exit_statuses = "0 clean; 1 the workload failed; 2 wrong usage, or a back end that has no "
                     "map; 3 something is missing",
    .execute = map_execute,
};
