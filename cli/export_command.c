/* heapmill export: a run for other programs. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/shared_options.h"
#include "common/host/text.h"
#include "results/export/export.h"
#include "results/manifest.h"
#include "results/store.h"

struct export_arguments {
    struct comparison_options options;
    struct base_option base;
    const char *directory;
    const char *output;   /* NULL: standard output */
    const char *sqlite;   /* the database; NULL: another format */
    const char *artifact; /* the archive; NULL: another format */
    const char *table;
    bool csv;
    bool markdown;
    bool benchmark;
    bool all_metrics;
    bool verify;
};

static const char *const export_tables[] = {"comparison", "records", NULL};

static const struct option_row export_options[] = {
    {SHARED_RUN_DIRECTORY(struct export_arguments, directory)},
    {OPTION_HEADING, .help = "what to write"},
    {OPTION_FLAG, 0, "csv", NULL, "comma-separated values with a header line (RFC 4180)",
     OPTION_INTO(struct export_arguments, csv)},
    {OPTION_FLAG, 0, "md", NULL, "tables of GitHub's Markdown",
     OPTION_INTO(struct export_arguments, markdown)},
    {OPTION_TEXT, 0, "sqlite", "FILE", "a database with the tables run, records and comparison",
     .candidates = OPTION_FILES, OPTION_INTO(struct export_arguments, sqlite)},
    {OPTION_FLAG, 0, "benchmark-json", NULL,
     "what google-benchmark's tools/compare.py reads: an entry for each round of each cell, times "
     "of one operation",
     OPTION_INTO(struct export_arguments, benchmark)},
    {OPTION_TEXT, 0, "artifact", "FILE",
     "the whole run as one archive with the SHA-256 of each file: another machine unpacks it (tar "
     "xf FILE), checks it with --verify, compares and plots it",
     .candidates = OPTION_FILES, OPTION_INTO(struct export_arguments, artifact)},
    {OPTION_FLAG, 0, "verify", NULL,
     "write nothing: is every file of the run as it was when the run ended?",
     OPTION_INTO(struct export_arguments, verify)},
    {OPTION_CHOICE, 0, "table", "TABLE", "of --csv", "comparison", .words = export_tables,
     OPTION_INTO(struct export_arguments, table)},
    {OPTION_TEXT, 'o', "output", "FILE", "the file to write, whole or not at all",
     .shown = "standard output", .candidates = OPTION_FILES,
     OPTION_INTO(struct export_arguments, output)},
    {OPTION_HEADING, .help = "the comparison in it"},
    {OPTION_TEXT, 0, "metric", "METRIC", "as in `heapmill compare`; or all",
     .shown = "time; of --sqlite all", .candidates = CANDIDATES_METRICS,
     OPTION_INTO(struct export_arguments, options.metric)},
    {SHARED_BASE(struct export_arguments, base)},
    {SHARED_WORKLOAD_GLOBS(struct export_arguments, options.workloads)},
    {SHARED_BACKEND_GLOBS(struct export_arguments, options.backends)},
    {.kind = OPTION_END},
};

static enum status export_check(void *arguments, struct error *error)
{
    struct export_arguments *asked = arguments;
    int formats = asked->csv + asked->markdown + asked->benchmark + (asked->sqlite != NULL) +
                  (asked->artifact != NULL) + asked->verify;
    if (formats != 1) {
        return error_set(error, STATUS_INVALID, "%s",
                         formats > 1 ? "one format at a time"
                                     : "say what to write: --csv, --md, --sqlite FILE, "
                                       "--benchmark-json or --artifact FILE; or --verify");
    }
    asked->options.seed = 1;
    asked->options.base_backend = asked->base.backend;
    asked->options.base_arm = asked->base.arm;
    asked->all_metrics = asked->options.metric != NULL ? strcmp(asked->options.metric, "all") == 0
                                                       : asked->sqlite != NULL;
    return STATUS_OK;
}

/* --table records. */
static bool export_of_records(const struct export_arguments *arguments)
{
    return strcmp(arguments->table, "records") == 0;
}

static enum status export_to(const struct export_arguments *arguments,
                             const struct export_source *source, FILE *file, struct error *error)
{
    if (arguments->csv) {
        return export_csv(source,
                          export_of_records(arguments) ? export_records() : &export_comparison,
                          file, error);
    }
    return arguments->markdown ? export_markdown(source, file, error)
                               : export_benchmark(source, file, error);
}

static enum status export_write(const struct export_arguments *arguments,
                                const struct export_source *source, struct error *error)
{
    struct export_file file;
    if (arguments->sqlite != NULL) {
        return export_sqlite(source, arguments->sqlite, error);
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
    return !arguments->benchmark && !export_of_records(arguments);
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
    for (const struct metric *metric = metric_table; metric->name != NULL && status == STATUS_OK;
         metric++) {
        if (metric->presence == METRIC_OPTIONAL && !metric_is_measured(metric, set)) {
            continue;
        }
        options.metric = metric->name;
        status = comparison_build(set, &options, &comparisons[*count], error);
        *count += status == STATUS_OK;
    }
    return status;
}

/* --artifact and --verify, which look at files and not at what is in them. */
static int export_files(const struct invocation *invocation, const struct export_arguments *asked)
{
    struct error error;
    enum status status = asked->verify ? manifest_verify(asked->directory, &error)
                                       : export_artifact(asked->directory, asked->artifact, &error);
    if (status == STATUS_CORRUPT) {
        (void)fprintf(stderr, "heapmill export: %s\n", error.message);
        return EXIT_FINDING;
    }
    return status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
}

static int export_execute(const struct invocation *invocation, void *arguments)
{
    struct export_arguments *asked = arguments;
    if (asked->verify || asked->artifact != NULL) {
        return export_files(invocation, asked);
    }
    struct comparison *comparisons[METRICS_MAX] = {NULL};
    struct export_source source = {.comparisons = comparisons};
    struct record_set *set = NULL;
    struct error error;
    enum status status = store_load(asked->directory, &set, &error);
    source.set = set;
    if (status == STATUS_OK && export_compares(asked)) {
        status = export_compare(asked, set, comparisons, &source.comparison_count, &error);
    }
    if (status == STATUS_OK) {
        status = export_write(asked, &source, &error);
    }
    int result = status == STATUS_OK ? EXIT_CLEAN : command_fail(invocation, &error);
    for (size_t i = 0; i < source.comparison_count; i++) {
        comparison_free(comparisons[i]);
    }
    record_set_free(set);
    return result;
}
const struct command command_export = {
    .name = "export",
    .summary = "writes a run as CSV, Markdown, SQLite, google-benchmark's JSON, or one archive",
    .synopses = (const char *const[]){"DIR --csv|--md|--sqlite FILE|--benchmark-json [OPTION…]",
                                      "DIR --artifact FILE", "DIR --verify", NULL},
    .description = "Writes a run for other programs, or whole for another machine.",
    .options = export_options,
    .arguments_size = sizeof(struct export_arguments),
    .check = export_check,
    .examples = "heapmill export run --md -o run.md\n"
                "heapmill export run --artifact run.tar.zst",
    .exit_statuses = "0 clean; 1 a file of the run is not as its manifest says; 2 wrong usage; 3 "
                     "the files cannot be read or written, or SQLite is missing",
    .execute = export_execute,
};
