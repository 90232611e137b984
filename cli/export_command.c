/* heapmill export: a run for other programs. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/base_option.h"
#include "cli/command.h"
#include "common/host/text.h"
#include "results/export/export.h"
#include "results/store.h"

enum { EXPORT_METRICS_MAX = 32 };

enum export_format { FORMAT_NONE, FORMAT_CSV, FORMAT_MARKDOWN, FORMAT_SQLITE, FORMAT_BENCHMARK };

struct export_arguments {
    struct comparison_options options;
    char base[BASE_OPTION_MAX]; /* what the options' base is a part of */
    const char *directory;
    const char *output; /* NULL: standard output */
    enum export_format format;
    bool records; /* of CSV: the records instead of the comparison */
    bool all_metrics;
};

static const char export_usage[] =
    "usage: heapmill export DIR --csv|--md|--sqlite FILE|--benchmark-json [OPTION…]\n"
    "\n"
    "Writes the run in DIR for other programs.\n"
    "\n"
    "  --csv                   comma-separated values with a header line (RFC 4180)\n"
    "  --md                    tables of GitHub's Markdown\n"
    "  --sqlite FILE           a database with the tables run, records and comparison\n"
    "  --benchmark-json        what google-benchmark's tools/compare.py reads: an entry for each "
    "round\n"
    "                          of each cell, times of one operation\n"
    "  --table TABLE           of --csv: comparison (default) or records\n"
    "  -o, --output FILE       there (default: standard output); a file appears whole or not at "
    "all\n"
    "  --metric METRIC         of the comparison, as in `heapmill compare` (default time; of "
    "--sqlite all)\n"
    "  --base BACKEND[:ARM]    of the comparison (default: the run's own base)\n"
    "  -w, --workload GLOBS    of the comparison: only these workloads\n"
    "  -b, --backend GLOBS     of the comparison: only these back ends\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0; 2 wrong usage; 3 the files cannot be read or written, or SQLite is missing\n";

enum export_option {
    OPTION_CSV = 256,
    OPTION_MARKDOWN,
    OPTION_SQLITE,
    OPTION_BENCHMARK,
    OPTION_TABLE,
    OPTION_METRIC,
    OPTION_BASE
};

static const struct option export_options[] = {
    {"csv", no_argument, NULL, OPTION_CSV},
    {"md", no_argument, NULL, OPTION_MARKDOWN},
    {"sqlite", required_argument, NULL, OPTION_SQLITE},
    {"benchmark-json", no_argument, NULL, OPTION_BENCHMARK},
    {"table", required_argument, NULL, OPTION_TABLE},
    {"output", required_argument, NULL, 'o'},
    {"metric", required_argument, NULL, OPTION_METRIC},
    {"base", required_argument, NULL, OPTION_BASE},
    {"workload", required_argument, NULL, 'w'},
    {"backend", required_argument, NULL, 'b'},
    {0},
};

static int export_refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "heapmill export: %s%s%s; `heapmill export --help` shows the usage\n",
                  what, argument != NULL ? " " : "", argument != NULL ? argument : "");
    return EXIT_USAGE;
}

static int export_set_format(struct export_arguments *arguments, enum export_format format)
{
    if (arguments->format != FORMAT_NONE) {
        return export_refuse("one format at a time", NULL);
    }
    arguments->format = format;
    return EXIT_CLEAN;
}

static int export_set_table(struct export_arguments *arguments, const char *name)
{
    arguments->records = strcmp(name, "records") == 0;
    return arguments->records || strcmp(name, "comparison") == 0
               ? EXIT_CLEAN
               : export_refuse("--table takes records or comparison, not", name);
}

/* One option; an exit status, or EXIT_CLEAN to go on. */
static int export_take_option(struct export_arguments *arguments, int option, char **argv)
{
    switch (option) {
    case OPTION_CSV:
        return export_set_format(arguments, FORMAT_CSV);
    case OPTION_MARKDOWN:
        return export_set_format(arguments, FORMAT_MARKDOWN);
    case OPTION_BENCHMARK:
        return export_set_format(arguments, FORMAT_BENCHMARK);
    case OPTION_SQLITE:
        arguments->output = optarg;
        return export_set_format(arguments, FORMAT_SQLITE);
    case OPTION_TABLE:
        return export_set_table(arguments, optarg);
    case OPTION_METRIC:
        arguments->all_metrics = strcmp(optarg, "all") == 0;
        arguments->options.metric = optarg;
        return EXIT_CLEAN;
    case OPTION_BASE:
        return base_option_cut(optarg, arguments->base, &arguments->options.base_backend,
                               &arguments->options.base_arm)
                   ? EXIT_CLEAN
                   : export_refuse("--base takes BACKEND or BACKEND:ARM, not", optarg);
    case 'o':
        arguments->output = optarg;
        return EXIT_CLEAN;
    case 'w':
        arguments->options.workloads = optarg;
        return EXIT_CLEAN;
    case 'b':
        arguments->options.backends = optarg;
        return EXIT_CLEAN;
    case ':':
        return export_refuse("a value is missing after", argv[optind - 1]);
    default:
        return export_refuse("unknown option", argv[optind - 1]);
    }
}

static int export_parse(int argc, char **argv, struct export_arguments *arguments)
{
    int option;
    *arguments = (struct export_arguments){.options = {.seed = 1}};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:w:b:", export_options, NULL)) != -1) {
        int status = export_take_option(arguments, option, argv);
        if (status != EXIT_CLEAN) {
            return status;
        }
    }
    if (optind == argc) {
        return export_refuse("say which run: the directory that `heapmill bench -o DIR` made",
                             NULL);
    }
    if (optind + 1 < argc) {
        return export_refuse("one run at a time, and not", argv[optind + 1]);
    }
    if (arguments->format == FORMAT_NONE) {
        return export_refuse("say what to write: --csv, --md, --sqlite FILE or --benchmark-json",
                             NULL);
    }
    bool unset = arguments->options.metric == NULL;
    arguments->all_metrics =
        arguments->all_metrics || (unset && arguments->format == FORMAT_SQLITE);
    arguments->directory = argv[optind];
    return EXIT_CLEAN;
}

static int export_fail(const struct error *error)
{
    (void)fprintf(stderr, "heapmill export: %s\n", error->message);
    bool usage = error->status == STATUS_INVALID || error->status == STATUS_NOT_FOUND;
    return usage ? EXIT_USAGE : EXIT_ENVIRONMENT;
}

static enum status export_to(const struct export_arguments *arguments,
                             const struct export_source *source, FILE *file, struct error *error)
{
    switch (arguments->format) {
    case FORMAT_CSV:
        return export_csv(source, arguments->records ? &export_records : &export_comparison, file,
                          error);
    case FORMAT_MARKDOWN:
        return export_markdown(source, file, error);
    case FORMAT_BENCHMARK:
        return export_benchmark(source, file, error);
    case FORMAT_SQLITE:
    case FORMAT_NONE:
        break;
    }
    return STATUS_OK;
}

static enum status export_write(const struct export_arguments *arguments,
                                const struct export_source *source, struct error *error)
{
    struct export_file file;
    if (arguments->format == FORMAT_SQLITE) {
        return export_sqlite(source, arguments->output, error);
    }
    if (arguments->output == NULL) {
        return export_to(arguments, source, stdout, error);
    }
    enum status status = export_file_open(&file, arguments->output, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = export_to(arguments, source, file.file, error);
    if (status != STATUS_OK) {
        export_file_discard(&file);
        return status;
    }
    return export_file_commit(&file, error);
}

/* Do the format and its table need comparisons? */
static bool export_compares(const struct export_arguments *arguments)
{
    return arguments->format != FORMAT_BENCHMARK && !arguments->records;
}

static enum status export_compare(const struct export_arguments *arguments,
                                  const struct record_set *set, struct comparison **comparisons,
                                  size_t *count, struct error *error)
{
    struct comparison_options options = arguments->options;
    enum status status = STATUS_OK;
    if (!arguments->all_metrics) {
        status = comparison_build(set, &options, &comparisons[0], error);
        *count = status == STATUS_OK;
        return status;
    }
    for (const struct comparison_metric *metric = comparison_metrics;
         metric->name != NULL && status == STATUS_OK; metric++) {
        if (metric->of_collector && !comparison_is_measured(set, metric)) {
            continue;
        }
        options.metric = metric->name;
        status = comparison_build(set, &options, &comparisons[*count], error);
        *count += status == STATUS_OK;
    }
    return status;
}

static int export_run(int argc, char **argv)
{
    struct export_arguments arguments;
    struct comparison *comparisons[EXPORT_METRICS_MAX] = {NULL};
    struct export_source source = {.comparisons = comparisons};
    struct record_set *set = NULL;
    struct error error;
    int result = export_parse(argc, argv, &arguments);
    if (result != EXIT_CLEAN) {
        return result;
    }
    enum status status = store_load(arguments.directory, &set, &error);
    source.set = set;
    if (status == STATUS_OK && export_compares(&arguments)) {
        status = export_compare(&arguments, set, comparisons, &source.comparison_count, &error);
    }
    if (status == STATUS_OK) {
        status = export_write(&arguments, &source, &error);
    }
    result = status == STATUS_OK ? EXIT_CLEAN : export_fail(&error);
    for (size_t i = 0; i < source.comparison_count; i++) {
        comparison_free(comparisons[i]);
    }
    record_set_free(set);
    return result;
}

const struct command command_export = {
    .name = "export",
    .summary = "a run as CSV, Markdown, SQLite, or google-benchmark's JSON",
    .usage = export_usage,
    .run = export_run,
};
