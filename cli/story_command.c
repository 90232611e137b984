#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/host/process.h"
#include "story/story.h"

struct story_arguments {
    const char *output;
    const char *sections;
};

static const struct option_row story_option_rows[] = {
    {OPTION_TEXT, 'o', "output", "DIR", "a new folder for the page and its runs", "story",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct story_arguments, output)},
    {OPTION_TEXT, 0, "section", "LIST", "some of the sections: counts, cycles, pools, ages",
     .shown = "all of them", OPTION_INTO(struct story_arguments, sections)},
    {.kind = OPTION_END},
};

static int story_execute(const struct invocation *invocation, void *arguments)
{
    const struct story_arguments *asked = arguments;
    struct story_result result = {.held = 0};
    struct error error = {.message = ""};
    char *command = command_line(invocation);
    process_prepare_signals();
    const struct story_options options = {.output = asked->output,
                                          .sections = asked->sections,
                                          .command = command,
                                          .progress = isatty(STDERR_FILENO) != 0};
    enum status status = story_write(&options, &result, &error);
    for (size_t i = 0; i < result.lacks.count; i++) {
        (void)fprintf(stderr, "heapmill story: note: %s\n", result.lacks.items[i]);
    }
    for (size_t i = 0; i < result.contradicted.count; i++) {
        (void)fprintf(stderr, "heapmill story: %s\n", result.contradicted.items[i]);
    }
    if (status == STATUS_OK) {
        (void)printf("%s/story.html\n", asked->output);
    }
    int code = status == STATUS_INTERRUPTED    ? EXIT_INTERRUPTED
               : status != STATUS_OK           ? command_fail(invocation, &error)
               : result.contradicted.count > 0 ? EXIT_FINDING
               : result.lacks.count > 0        ? EXIT_PARTIAL
                                               : EXIT_CLEAN;
    story_result_free(&result);
    free(command);
    return code;
}

const struct command command_story = {
    .name = "story",
    .summary = "tells what Python's memory manager does, by experiments that run",
    .synopses = (const char *const[]){"[-o DIR] [--section LIST]", NULL},
    .description =
        "Runs the experiments of the story and writes one HTML page: reference counts, cycles, "
        "pools, and what each version of CPython changed. Each number of the page comes from its "
        "own run; a claim that the run does not bear out is a warning on the page. Takes up to "
        "three minutes. The runs stay in the folder, for compare, plot and report.",
    .options = story_option_rows,
    .arguments_size = sizeof(struct story_arguments),
    .examples = "heapmill story -o story\nheapmill story --section pools -o pools",
    .exit_statuses = "0 clean; 1 the run contradicts a claim; 2 wrong usage; 3 files cannot be "
                     "written; 4 the page is there, but lacks what notes on standard error say; "
                     "130 interrupted",
    .execute = story_execute,
};
