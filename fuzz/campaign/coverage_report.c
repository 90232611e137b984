#include "fuzz/campaign/coverage_report.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "fuzz/campaign/crew.h"

static const double REPORT_TIME_S = 1800;

/* The path of a tool, "llvm-cov" or Debian's name with the version; NULL: it is not installed. The
 * caller frees. */
static char *report_find_tool(const char *name)
{
    char *path = file_find_program(name);
    for (int version = 21; version >= 13 && path == NULL; version--) {
        char *versioned = text_format("%s-%d", name, version);
        path = file_find_program(versioned);
        free(versioned);
    }
    return path;
}

/* Runs the job, with its output in the log. */
static enum status report_run(struct crew_job *job, const char *log, struct error *error)
{
    struct process_result member;
    job->stop_signal = SIGKILL;
    job->log = text_format("%s", log);
    (void)unlink(log);
    enum status status = crew_run(job, REPORT_TIME_S, &member, error);
    if (status == STATUS_OK && (member.exit_code != 0 || member.signal != 0)) {
        status =
            error_set(error, STATUS_UNSUPPORTED, "%s failed: see %s", job->arguments.items[0], log);
    }
    crew_job_free(job);
    return status;
}

static void report_argument(struct crew_job *job, char *argument)
{
    text_list_add(&job->arguments, argument);
}

static enum status report_merge(const char *directory, const char *profile, struct error *error)
{
    struct text_list names = {0};
    struct crew_job job = {.log = NULL};
    char *raw = text_format("%s/raw", directory);
    char *log = text_format("%s/merge.log", directory);
    char *tool = report_find_tool("llvm-profdata");
    enum status status =
        tool != NULL
            ? STATUS_OK
            : error_set(error, STATUS_NOT_FOUND, "there is no llvm-profdata: apt-get install llvm");
    if (status == STATUS_OK) {
        report_argument(&job, text_format("%s", tool));
        report_argument(&job, text_format("merge"));
        report_argument(&job, text_format("-sparse"));
        report_argument(&job, text_format("-o"));
        report_argument(&job, text_format("%s", profile));
        file_list_names(raw, &names);
        for (size_t i = 0; i < names.count; i++) {
            if (strstr(names.items[i], ".profraw") != NULL) {
                report_argument(&job, text_format("%s/%s", raw, names.items[i]));
            }
        }
        status = report_run(&job, log, error);
    }
    text_list_free(&names);
    free(tool);
    free(log);
    free(raw);
    return status;
}

/* A filter that excludes all folders except allocators/ and gc/, by their path from the sources'
 * directory, or from the build's, as a compiler cache may write it. The caller frees. */
static char *report_make_filter(const char *source)
{
    char *escaped = text_grow(NULL, 2 * strlen(source) + 1, 1);
    char *to = escaped;
    for (const char *from = source; *from != '\0'; from++) {
        if (isalnum((unsigned char)*from) == 0 && *from != '/') {
            *to++ = '\\';
        }
        *to++ = *from;
    }
    *to = '\0';
    char *filter =
        text_format("-ignore-filename-regex=^(%s/|(.*/)?(\\.\\./)+)(fuzz|common|workloads|"
                    "results|plots|cli)/|/tests/|^/usr/",
                    escaped);
    free(escaped);
    return filter;
}

/* Runs `llvm-cov WHAT …` over all programs and the two folders. */
static enum status report_llvm_cov(const char *directory, const char *profile,
                                   const struct text_list *programs, const char *source,
                                   const char *tree, bool html, const char *log,
                                   struct error *error)
{
    char *tool = report_find_tool("llvm-cov");
    struct crew_job job = {.log = NULL};
    if (tool == NULL) {
        return error_set(error, STATUS_NOT_FOUND, "there is no llvm-cov: apt-get install llvm");
    }
    report_argument(&job, tool);
    report_argument(&job, text_format(html ? "show" : "export"));
    if (html) {
        report_argument(&job, text_format("-format=html"));
        report_argument(&job, text_format("-output-dir=%s", directory));
        report_argument(&job, text_format("-show-instantiations=false"));
    } else {
        report_argument(&job, text_format("-format=lcov"));
    }
    report_argument(&job, text_format("-instr-profile=%s", profile));
    for (size_t i = 0; i < programs->count; i++) {
        if (i > 0) {
            report_argument(&job, text_format("-object"));
        }
        report_argument(&job, text_format("%s", programs->items[i]));
    }
    report_argument(&job, text_format("-compilation-dir=%s", tree));
    report_argument(&job, report_make_filter(source));
    return report_run(&job, log, error);
}

/* The lines of one file. A line may occur several times, once for each build of the file. */
struct report_lines {
    unsigned char *state; /* [number]: 0: no code, 1: never ran, 2: ran */
    size_t count;
};

static void report_note_line(struct report_lines *lines, size_t number, bool ran)
{
    if (number >= lines->count) {
        lines->state = text_grow(lines->state, number + 1, 1);
        memset(lines->state + lines->count, 0, number + 1 - lines->count);
        lines->count = number + 1;
    }
    unsigned char state = ran ? 2 : 1;
    lines->state[number] = lines->state[number] > state ? lines->state[number] : state;
}

static void report_add_file(json_t *report, const char *file, const struct report_lines *lines)
{
    json_int_t total = 0;
    json_int_t covered = 0;
    json_t *uncovered = json_array();
    for (size_t i = 0; i < lines->count; i++) {
        total += lines->state[i] > 0;
        covered += lines->state[i] == 2;
        if (lines->state[i] == 1) {
            (void)json_array_append_new(uncovered, json_integer((json_int_t)i));
        }
    }
    (void)json_array_append_new(json_object_get(report, "files"),
                                json_pack("{s:s, s:I, s:I, s:o}", "file", file, "lines", total,
                                          "covered", covered, "uncovered", uncovered));
    json_int_t all = json_integer_value(json_object_get(report, "lines"));
    json_int_t reached = json_integer_value(json_object_get(report, "covered"));
    (void)json_object_set_new(report, "lines", json_integer(all + total));
    (void)json_object_set_new(report, "covered", json_integer(reached + covered));
}

/* The path relative to the sources. A compiler cache makes it relative to the build directory,
 * wherever that is: "../../allocators/heap.h", or "../../../home/me/heapmill/allocators/heap.h". */
static const char *report_below(const char *file, const char *source)
{
    for (const char *up = file; (up = strstr(up, "../")) != NULL; up += 3) {
        file = up + 3;
    }
    const char *root = source + (file[0] != '/' && source[0] == '/');
    size_t prefix = strlen(root);
    return strncmp(file, root, prefix) == 0 && file[prefix] == '/' ? file + prefix + 1 : file;
}

/* Reads lcov's records: SF:file, DA:line,count, end_of_record. */
static void report_read_lcov(const char *text, const char *source, json_t *report)
{
    struct text_list rows = {0};
    struct report_lines lines = {.state = NULL};
    const char *file = "";
    text_split(&rows, text, '\n');
    for (size_t i = 0; i < rows.count; i++) {
        const char *row = rows.items[i];
        if (strncmp(row, "SF:", 3) == 0) {
            file = report_below(row + 3, source);
        } else if (strncmp(row, "DA:", 3) == 0) {
            char *comma;
            size_t number = strtoul(row + 3, &comma, 10);
            report_note_line(&lines, number, *comma == ',' && strtoull(comma + 1, NULL, 10) > 0);
        } else if (strcmp(row, "end_of_record") == 0) {
            /* The folders' tests and probes are not fuzzed. */
            if (strstr(file, "/tests/") == NULL) {
                report_add_file(report, file, &lines);
            }
            free(lines.state);
            lines = (struct report_lines){.state = NULL};
        }
    }
    free(lines.state);
    text_list_free(&rows);
}

enum status fuzz_coverage_report(const char *directory, const struct text_list *programs,
                                 const char *source, const char *tree, json_t **report,
                                 struct error *error)
{
    char *profile = text_format("%s/all.profdata", directory);
    char *lcov = text_format("%s/lines.lcov", directory);
    char *log = text_format("%s/html.log", directory);
    char *text = NULL;
    size_t size;
    enum status status = report_merge(directory, profile, error);
    if (status == STATUS_OK) {
        status = report_llvm_cov(directory, profile, programs, source, tree, true, log, error);
    }
    if (status == STATUS_OK) {
        status = report_llvm_cov(directory, profile, programs, source, tree, false, lcov, error);
    }
    if (status == STATUS_OK) {
        status = file_read(lcov, &text, &size, error);
    }
    if (status == STATUS_OK) {
        char *html = text_format("%s/index.html", directory);
        *report =
            json_pack("{s:[], s:i, s:i, s:s}", "files", "lines", 0, "covered", 0, "html", html);
        report_read_lcov(text, source, *report);
        free(html);
    }
    free(text);
    free(log);
    free(lcov);
    free(profile);
    return status;
}
