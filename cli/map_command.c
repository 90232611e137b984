/* heapmill map: draws a heap's arenas, pools and blocks while a workload runs. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/process.h"
#include "plots/gnuplot.h"
#include "plots/heap_figure.h"
#include "run/heap_map.h"

struct map_arguments {
    struct heap_map_request what;
    const char *output;
    unsigned formats;
};

static const struct option_row map_options[] = {
    {OPTION_TEXT, 'b', "backend", "BACKEND[:ARM]", "the back end",
     .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct map_arguments, what.backend),
     .missing = "a back end is missing: -b BACKEND"},
    {OPTION_TEXT, 'w', "workload", "NAME", "the workload", .candidates = CANDIDATES_WORKLOADS,
     OPTION_INTO(struct map_arguments, what.workload), .missing = "a workload is missing: -w NAME"},
    {OPTION_LIST, 'p', "param", "NAME=VALUE",
     "a parameter of the workload; may be repeated. Small runs give the best pictures: -p "
     "live=20000 rather than a million",
     OPTION_INTO(struct map_arguments, what.parameters)},
    {OPTION_TEXT, 0, "at", "N[,N…]",
     "draw the heap after N operations (allocations, frees, resizes), or after a part of the run, "
     "such as 50%: at the first moment from then on at which the workload can be stopped",
     OPTION_INTO(struct map_arguments, what.moments)},
    {OPTION_NUMBER, 0, "frames", "K",
     "draw the heap at K evenly spread moments, the last one at the end", "6", .least = 1,
     .most = HEAP_MAP_FRAMES_MAX, OPTION_INTO(struct map_arguments, what.frames)},
    {OPTION_NUMBER, 0, "iterations", "N", "iterations of the workload",
     .shown = "enough for 100 operations a frame, or 1", .least = 1, .most = 0x1p40,
     OPTION_INTO(struct map_arguments, what.iterations)},
    {SHARED_SEED(struct map_arguments, what.seed, "seed of its random numbers")},
    {OPTION_TEXT, 'o', "output", "DIRECTORY", "directory for the files", ".",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct map_arguments, output)},
    {SHARED_PICTURES(struct map_arguments, formats)},
    {.kind = OPTION_END},
};

static enum status map_draw(const struct map_arguments *asked, const struct heap_map *map,
                            const char *command, struct error *error)
{
    struct image_options options = {
        .output = asked->output, .command = command, .formats = asked->formats};
    char *name = text_format("map-%s-%s", map->backend, map->workload);
    char *title = text_format("The heap of %s under %s%s%s", map->backend, map->workload,
                              map->parameters[0] != '\0' ? ": " : "", map->parameters);
    size_t frames = 0;
    enum status status = heap_figure_draw(&options, map->path, name, title, &frames, error);
    if (frames > 0) {
        image_tell(&options, name, status == STATUS_OK ? STATUS_OK : STATUS_UNSUPPORTED);
    }
    free(name);
    free(title);
    return status;
}

static int map_execute(const struct invocation *invocation, void *arguments)
{
    const struct map_arguments *asked = arguments;
    struct error error = {.message = ""};
    struct heap_map map;
    process_prepare_signals();
    enum status status = heap_map_take(&asked->what, &map, &error);
    if (status == STATUS_OK) {
        char *command = command_line(invocation);
        status = map_draw(asked, &map, command, &error);
        free(command);
    }
    heap_map_release(&map);
    int result = status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
    return status == STATUS_CORRUPT ? EXIT_FINDING : result;
}

const struct command command_map = {
    .name = "map",
    .summary = "draws arenas, pools and blocks while a workload runs",
    .synopses = (const char *const[]){"-b BACKEND[:ARM] -w WORKLOAD [OPTION…]", NULL},
    .description = "Runs the workload once and draws the back end's heap at a few moments: its "
                   "arenas, their pools as tiles, and the state of the blocks in each tile. Writes "
                   "map-BACKEND-WORKLOAD.svg and .png, with the data (.tsv) and the script (.gp) "
                   "beside them. Only back ends that can be walked have a map.",
    .options = map_options,
    .arguments_size = sizeof(struct map_arguments),
    .examples = "heapmill map -b pymalloc-3.10 -w type_shift -p live=20000 -o maps",
    .exit_statuses = "0 clean; 1 the workload failed; 2 wrong usage, or a back end that has no "
                     "map; 3 something is missing",
    .execute = map_execute,
};
