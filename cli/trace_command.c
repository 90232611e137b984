/* heapmill trace: record programs, and what to do with their traces. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/document.h"
#include "common/host/json.h"
#include "common/host/process.h"
#include "plots/gnuplot.h"
#include "plots/trace_figure.h"
#include "run/registry.h"
#include "run/waste.h"
#include "traces/host/advise.h"
#include "traces/host/convert.h"
#include "traces/host/info.h"
#include "traces/host/record.h"
#include "traces/host/synth.h"

struct record_arguments {
    char **command;
    const char *output;
    uint64_t sample;
    bool sites;
    bool json;
};

static const struct option_row record_options[] = {
    {OPTION_REST, .placeholder = "COMMAND [ARGUMENT…]", .help = "the program that is recorded",
     OPTION_INTO(struct record_arguments, command)},
    {OPTION_TEXT, 'o', "output", "FILE",
     "the trace of the process with most events; the others' are FILE.1, FILE.2 and so on",
     "trace.hmtrace", .candidates = OPTION_FILES, OPTION_INTO(struct record_arguments, output)},
    {OPTION_NUMBER, 0, "sample", "N", "keeps one block in N, with its whole life", "1", .least = 1,
     .most = 1e9, OPTION_INTO(struct record_arguments, sample)},
    {OPTION_FLAG, 0, "sites", NULL, "a hash of each call site too",
     OPTION_INTO(struct record_arguments, sites)},
    {SHARED_JSON(struct record_arguments, json, "an array of what was recorded, on stderr")},
    {.kind = OPTION_END},
};

static enum status trace_check_command(void *arguments, struct error *error)
{
    const struct record_arguments *asked = arguments;
    return asked->command != NULL && asked->command[0] != NULL
               ? STATUS_OK
               : error_set(error, STATUS_INVALID,
                           "a command is missing: heapmill trace record -- COMMAND");
}

/* On stderr: stdout is the program's. */
static void trace_tell(const struct trace_recorded *recorded, const char *output, bool json)
{
    size_t index;
    json_t *process;
    if (json) {
        (void)json_dumpf(recorded->processes, stderr, JSON_INDENT(1));
        (void)fputc('\n', stderr);
        return;
    }
    json_array_foreach(recorded->processes, index, process)
    {
        if (strcmp(json_string_value(json_object_get(process, "file")), output) == 0) {
            double events = json_number_value(json_object_get(process, "events"));
            (void)fprintf(stderr, "heapmill trace: %s: %.0f events of %s, %.2f bytes each\n",
                          output, events, json_string_value(json_object_get(process, "program")),
                          json_number_value(json_object_get(process, "bytes")) / fmax(events, 1));
        }
    }
    size_t others = json_array_size(recorded->processes) - 1;
    if (others > 0) {
        (void)fprintf(stderr, "heapmill trace: %zu further processes: %s.1 and so on\n", others,
                      output);
    }
}

static int trace_execute_record(const struct invocation *invocation, void *arguments)
{
    const struct record_arguments *asked = arguments;
    struct error error = {.message = ""};
    struct registry registry;
    struct trace_recorded recorded = {.processes = NULL};
    enum status status = registry_open(&registry, &error);
    if (status == STATUS_OK) {
        char *library = registry_preload_path(&registry, "libheapmill-recorder.so");
        const struct trace_recording recording = {.command = asked->command,
                                                  .library = library,
                                                  .output = asked->output,
                                                  .sample = asked->sample,
                                                  .sites = asked->sites};
        status = trace_record(&recording, &recorded, &error);
        free(library);
        registry_close(&registry);
    }
    if (status == STATUS_OK) {
        trace_tell(&recorded, asked->output, asked->json);
    }
    json_decref(recorded.processes);
    if (status != STATUS_OK) {
        return command_fail(invocation, &error);
    }
    return recorded.signal != 0 ? 128 + recorded.signal : recorded.exit_code;
}

static const struct command trace_record_command = {
    .name = "record",
    .summary = "records every allocation event of a program and of what it starts",
    .description =
        "Runs the command with a recorder preloaded, and writes a trace of each program in each "
        "process: which function was called, for how many bytes, by which thread, and when each "
        "block was given back. What was recorded can be read even if the program dies by a signal. "
        "Python programs are run with PYTHONMALLOC=malloc, unless it is set: each object is a "
        "block of malloc's then.\n"
        "\n"
        "With --sample N one block in N is kept, from its birth to its death; `heapmill trace "
        "info` says how far its estimates may be off.",
    .options = record_options,
    .arguments_size = sizeof(struct record_arguments),
    .check = trace_check_command,
    .examples = "heapmill trace record -o app.hmtrace -- python3 app.py",
    .exit_statuses = "that of the command, 128 and its signal if it died by one; 2 wrong usage; 3 "
                     "nothing was recorded, or something is missing",
    .execute = trace_execute_record,
};

struct info_arguments {
    const char *file;
    const char *backends; /* NULL: waste is not asked for */
    const char *plot;
    bool json;
};

#define INFO_FILE                                                                                  \
    {                                                                                              \
        OPTION_TEXT, .placeholder = "FILE", .help = "the trace",                                   \
                     .missing = "say which trace: a file that `heapmill trace record` made",       \
                     .candidates = OPTION_FILES, OPTION_INTO(struct info_arguments, file)          \
    }

static const struct option_row info_options[] = {
    INFO_FILE,
    {OPTION_TEXT, 0, "waste", "LIST",
     "what size classes of these back ends waste of it (as in `heapmill bench -b`)", "",
     "not asked", .candidates = CANDIDATES_BACKENDS, OPTION_INTO(struct info_arguments, backends)},
    {OPTION_TEXT, 0, "plot", "DIRECTORY", "draws it there", "", "not drawn",
     .candidates = OPTION_DIRECTORIES, OPTION_INTO(struct info_arguments, plot)},
    {SHARED_JSON(struct info_arguments, json, "the same as one object")},
    {.kind = OPTION_END},
};

static const struct option_row advise_options[] = {
    INFO_FILE,
    {SHARED_JSON(struct info_arguments, json, "the same as one object")},
    {.kind = OPTION_END},
};

/* Prints an answer as JSON or as the document that `show` makes of it. */
static int trace_answer(const struct invocation *invocation, json_t *answer, bool json,
                        struct document *(*show)(const json_t *answer), const struct error *error)
{
    if (answer == NULL) {
        return command_fail(invocation, error);
    }
    if (json) {
        json_print(answer);
    } else {
        document_show(show(answer));
    }
    json_decref(answer);
    return EXIT_CLEAN;
}

static enum status trace_add_waste(json_t *info, const char *backends, struct error *error)
{
    struct waste_survey survey;
    process_prepare_signals();
    enum status status = waste_survey_ask(&survey, backends, error);
    for (size_t i = 0; i < survey.count; i++) {
        const struct waste_curve *curve = &survey.curves[i];
        trace_info_add_waste(info, curve->label, curve->usable, curve->count);
    }
    waste_survey_release(&survey);
    return status;
}

static enum status trace_plot(const json_t *info, const char *directory, bool tells,
                              struct error *error)
{
    const struct image_options options = {.output = directory,
                                          .formats = PICTURE_SVG | PICTURE_PNG,
                                          .command = "heapmill trace info"};
    process_prepare_signals();
    enum status status = trace_figure_draw(&options, info, error);
    if (tells) {
        image_tell(&options, "trace", status);
    }
    return status;
}

static int trace_execute_info(const struct invocation *invocation, void *arguments)
{
    const struct info_arguments *asked = arguments;
    struct error error = {.message = ""};
    json_t *answer = trace_info(asked->file, &error);
    enum status status = answer != NULL ? STATUS_OK : error.status;
    if (status == STATUS_OK && asked->backends[0] != '\0') {
        status = trace_add_waste(answer, asked->backends, &error);
    }
    if (status == STATUS_OK && asked->plot[0] != '\0') {
        status = trace_plot(answer, asked->plot, !asked->json, &error);
    }
    if (status != STATUS_OK) {
        json_decref(answer);
        answer = NULL;
    }
    return trace_answer(invocation, answer, asked->json, trace_info_document, &error);
}

static int trace_execute_advise(const struct invocation *invocation, void *arguments)
{
    const struct info_arguments *asked = arguments;
    struct error error = {.message = ""};
    json_t *answer = trace_advise(asked->file, &error);
    return trace_answer(invocation, answer, asked->json, trace_advise_document, &error);
}

static const struct command trace_info_command = {
    .name = "info",
    .summary = "sizes, lifetimes, reuse and threads of a trace",
    .description = "Says what a trace is like. Lifetimes and reuse are counted in takes: the "
                   "allocations that the program made meanwhile.",
    .options = info_options,
    .arguments_size = sizeof(struct info_arguments),
    .examples = "heapmill trace info app.hmtrace --waste 'pymalloc*,malloc' --plot pictures",
    .exit_statuses = "0 clean; 2 wrong usage, or no trace; 3 it is damaged or cannot be read",
    .execute = trace_execute_info,
};

static const struct command trace_advise_command = {
    .name = "advise",
    .summary = "size classes, free-list caps and thresholds that fit a trace",
    .description =
        "For whoever designs an allocator: which size classes waste least of what the program asks "
        "for (by dynamic programming, up to 1024 bytes), how long a free list of each size needs "
        "to "
        "be, and what pools up to a threshold would serve. All is chosen on the first half of the "
        "trace and checked on the second.",
    .options = advise_options,
    .arguments_size = sizeof(struct info_arguments),
    .examples = "heapmill trace advise app.hmtrace",
    .exit_statuses = "0 clean; 2 wrong usage, or no trace; 3 it is damaged or cannot be read",
    .execute = trace_execute_advise,
};

struct synth_arguments {
    const char *input;
    const char *output;
    double length;
    double scale;
    uint64_t seed;
    bool json;
};

static const struct option_row synth_options[] = {
    {OPTION_TEXT, .placeholder = "FILE", .help = "the trace that is imitated",
     .missing = "say which trace: a file that `heapmill trace record` made",
     .candidates = OPTION_FILES, OPTION_INTO(struct synth_arguments, input)},
    {OPTION_TEXT, 'o', "output", "FILE", "the synthetic trace", "synthetic.hmtrace",
     .candidates = OPTION_FILES, OPTION_INTO(struct synth_arguments, output)},
    {OPTION_REAL, 0, "length", "X", "so many times as many takes, with as much alive", "1",
     .least = 0.001, .most = 10000, OPTION_INTO(struct synth_arguments, length)},
    {OPTION_REAL, 0, "scale", "X", "so many times as many blocks alive, and takes", "1",
     .least = 0.001, .most = 10000, OPTION_INTO(struct synth_arguments, scale)},
    {SHARED_SEED(struct synth_arguments, seed, "of the draws")},
    {SHARED_JSON(struct synth_arguments, json, "the fit as one object")},
    {.kind = OPTION_END},
};

static struct document *trace_fit_document(const json_t *fit)
{
    struct document *document = document_new();
    const json_t *real = json_object_get(fit, "real"), *made = json_object_get(fit, "synthetic");
    document_line(document, "takes: %.0f, and %.0f in the trace that is imitated",
                  json_number_at(made, "takes", 0), json_number_at(real, "takes", 0));
    document_line(document, "peak: %.0f bytes, and %.0f",
                  json_number_at(made, "live_bytes_peak", 0),
                  json_number_at(real, "live_bytes_peak", 0));
    document_line(document,
                  "distance (0: alike, 1: nothing in common): sizes %.3f, lifetimes %.3f, the "
                  "curve of live bytes %.3f",
                  json_number_at(fit, "sizes_distance", 1),
                  json_number_at(fit, "lifetimes_distance", 1),
                  json_number_at(fit, "curve_distance", 1));
    return document;
}

static int trace_execute_synth(const struct invocation *invocation, void *arguments)
{
    const struct synth_arguments *asked = arguments;
    struct error error = {.message = ""};
    json_t *fit = NULL;
    const struct trace_synthesis synthesis = {.input = asked->input,
                                              .output = asked->output,
                                              .length = asked->length,
                                              .scale = asked->scale,
                                              .seed = asked->seed};
    (void)trace_synth(&synthesis, &fit, &error);
    return trace_answer(invocation, fit, asked->json, trace_fit_document, &error);
}

static const struct command trace_synth_command = {
    .name = "synth",
    .summary = "a synthetic trace of any length and scale, after a real one",
    .description =
        "Cuts the trace into 32 phases, keeps 8192 blocks of each with their sizes and lifetimes, "
        "and draws a new trace from them. Sizes, lifetimes and phases are kept; the order of "
        "events "
        "within a phase, resizes (a block has its last size) and threads are not. What the fit is "
        "worth is printed; whether back ends come in the same order is what `heapmill bench -w "
        "trace:FILE,trace:SYNTHETIC` shows.",
    .options = synth_options,
    .arguments_size = sizeof(struct synth_arguments),
    .examples = "heapmill trace synth app.hmtrace --length 10 -o long.hmtrace",
    .exit_statuses = "0 clean; 2 wrong usage, or no trace; 3 it cannot be read or written",
    .execute = trace_execute_synth,
};

struct convert_arguments {
    const char *input;
    const char *output;
    unsigned from;
    unsigned to;
    uint64_t events;
    uint64_t seed;
};

static const struct option_row convert_options[] = {
    {OPTION_TEXT, .placeholder = "FILE", .help = "what is converted", .missing = "say which file",
     .candidates = OPTION_FILES, OPTION_INTO(struct convert_arguments, input)},
    {OPTION_TEXT, 'o', "output", "FILE", "what it becomes", "converted.hmtrace",
     .candidates = OPTION_FILES, OPTION_INTO(struct convert_arguments, output)},
    {OPTION_CHOICE, 0, "from", "FORMAT", "what FILE is", "guess", .words = trace_foreign_names,
     OPTION_INTO(struct convert_arguments, from)},
    {OPTION_CHOICE, 0, "to", "FORMAT", "trace, text or jsonl; guess goes by the output's name",
     "guess", .words = trace_foreign_names, OPTION_INTO(struct convert_arguments, to)},
    {OPTION_NUMBER, 0, "events", "N", "number of events for which a profile is played", "1000000",
     .least = 2, .most = 1e10, OPTION_INTO(struct convert_arguments, events)},
    {SHARED_SEED(struct convert_arguments, seed, "of what a profile leaves to chance")},
    {.kind = OPTION_END},
};

static int trace_execute_convert(const struct invocation *invocation, void *arguments)
{
    const struct convert_arguments *asked = arguments;
    struct error error = {.message = ""};
    struct trace_converted done;
    const struct trace_conversion conversion = {.input = asked->input,
                                                .output = asked->output,
                                                .from = (enum trace_foreign)asked->from,
                                                .to = (enum trace_foreign)asked->to,
                                                .events = asked->events,
                                                .seed = asked->seed};
    if (trace_convert(&conversion, &done, &error) != STATUS_OK) {
        return command_fail(invocation, &error);
    }
    (void)printf(
        "%s: %llu events of %llu lines; %llu lines were none, and %llu gives of blocks that "
        "were never seen\n",
        asked->output, (unsigned long long)done.events, (unsigned long long)done.lines,
        (unsigned long long)done.skipped, (unsigned long long)done.strangers);
    return EXIT_CLEAN;
}

static const struct command trace_convert_command = {
    .name = "convert",
    .summary = "traces from and to what other programs write",
    .description =
        "Formats: `trace` is ours, packed as small as it gets; `text` has lines \"m ID SIZE\", \"f "
        "ID\", \"r ID SIZE\" (resize), \"a ID SIZE ALIGNMENT\", \"t THREAD\"; `jsonl` has an "
        "object "
        "{op, id, size, alignment, thread} a line, op being take, give or resize; `mtrace` is "
        "glibc's; `calls` has lines as \"malloc(24) = 0x55d0\", which ltrace and valgrind "
        "--trace-malloc=yes write; `heaptrack` is its file, packed with zstd or not, which does "
        "not "
        "say which of the blocks of one size and place is given back: the last is taken; `profile` "
        "has lines \"SIZE, RATE, LIVE\", which are played as a steady state of 64 MiB.",
    .options = convert_options,
    .arguments_size = sizeof(struct convert_arguments),
    .examples = "heapmill trace convert heaptrack.app.123.zst -o app.hmtrace\n"
                "heapmill trace convert app.hmtrace -o app.jsonl",
    .exit_statuses =
        "0 clean; 2 wrong usage, or the file is not what was said; 3 it cannot be read "
        "or written",
    .execute = trace_execute_convert,
};

static const struct command *const trace_table[] = {
    &trace_record_command, &trace_info_command,   &trace_convert_command,
    &trace_synth_command,  &trace_advise_command, NULL,
};

const struct command command_trace = {
    .name = "trace",
    .summary = "records what real programs allocate, for every back end to replay",
    .synopses = (const char *const[]){"COMMAND [OPTION…]", "COMMAND --help", NULL},
    .description = "Records programs, and says what their traces are like. `heapmill bench -w "
                   "trace:FILE` replays a trace on every back end. docs/trace-format.md documents "
                   "the files.",
    .subcommands = trace_table,
    .examples = "heapmill trace record -o app.hmtrace -- ./app\n"
                "heapmill trace info app.hmtrace\n"
                "heapmill bench -w trace:./app.hmtrace",
    .exit_statuses = "0 clean; 2 wrong usage; 3 something is missing or damaged",
};
