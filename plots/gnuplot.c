#include "plots/gnuplot.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/process.h"
#include "common/host/text.h"

/* Writes text, with each `from` (a quote character) replaced by `to`. */
static void write_clean(FILE *file, const char *text, char from, const char *to)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t length = text_utf8_length(at);
        if (length == 0 || *at < ' ' || *at == 0x7f) {
            fputc('?', file);
            length = 1;
        } else if (length == 1 && (char)*at == from) {
            fputs(to, file);
        } else {
            fwrite(at, 1, length, file);
        }
        at += length;
    }
}

static void write_quoted(FILE *script, const char *text)
{
    fputc('\'', script);
    write_clean(script, text, '\'', "''");
    fputc('\'', script);
}

static void write_number(FILE *file, double value, int digits)
{
    if (isnan(value)) {
        fputs("NaN", file);
    } else {
        fprintf(file, "%.*g", digits, value);
    }
}

void script_string(FILE *script, const char *name, const char *text)
{
    fprintf(script, "%s = ", name);
    write_quoted(script, text);
    fputc('\n', script);
}

void script_number(FILE *script, const char *name, double value)
{
    fprintf(script, "%s = ", name);
    write_number(script, value, 9);
    fputc('\n', script);
}

static void begin_array(FILE *script, const char *name, size_t count)
{
    fprintf(script, "%s_count = %zu\narray %s[%zu] = [", name, count, name, count ? count : 1);
}

void script_strings(FILE *script, const char *name, const char *const *texts, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", script);
        write_quoted(script, texts[i]);
    }
    fputs(count ? "]\n" : "'']\n", script);
}

void script_numbers(FILE *script, const char *name, const double *values, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", script);
        write_number(script, values[i], 9);
    }
    fputs(count ? "]\n" : "0]\n", script);
}

void script_colors(FILE *script, const char *name, const uint32_t *colors, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        fprintf(script, "%s0x%06x", i ? ", " : "", colors[i]);
    }
    fputs(count ? "]\n" : "0]\n", script);
}

void script_comment_text(FILE *script, const char *text)
{
    write_clean(script, text, '\0', "");
}

void tsv_text(FILE *table, const char *text)
{
    if (text[0] == '\0') {
        fputc('-', table);
    } else {
        write_clean(table, text, '"', "'");
    }
}

void tsv_number(FILE *table, double value)
{
    write_number(table, value, 9);
}

void script_rows(FILE *script, const struct script_row *rows, size_t count)
{
    const char **labels = text_zeroed(count, sizeof *labels);
    const char **dashes = text_zeroed(count, sizeof *dashes);
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    for (size_t i = 0; i < count; i++) {
        labels[i] = rows[i].label;
        dashes[i] = rows[i].dash;
        colors[i] = rows[i].color;
        markers[i] = rows[i].marker;
    }
    script_strings(script, "row_label", labels, count);
    script_colors(script, "row_color", colors, count);
    script_numbers(script, "row_marker", markers, count);
    script_strings(script, "row_dash", dashes, count);
    free(labels);
    free(dashes);
    free(colors);
    free(markers);
}

/* The script writes .NAME-PID.tmp.svg and .png. Only complete pictures get their real names. */

enum { SAID_SHOWN = 600, VARIABLES_MAX = 512 };

static const struct {
    enum picture_format format;
    const char *suffix;
} pictures[] = {{PICTURE_SVG, "svg"}, {PICTURE_PNG, "png"}};
enum { PICTURES = sizeof pictures / sizeof pictures[0] };

/* The end of gnuplot's output as one line for an error message: control characters become spaces,
 * and blanks at both ends are removed. */
static const char *said_as_line(struct process_result *result)
{
    char *text = result->stderr_tail;
    size_t length = result->stderr_bytes;
    for (size_t i = 0; i < length; i++) {
        text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    }
    while (length > 0 && text[length - 1] == ' ') {
        text[--length] = '\0';
    }
    text += length > SAID_SHOWN ? length - SAID_SHOWN : 0;
    return text + strspn(text, " ");
}

/* Runs gnuplot on the script, and reports why it failed. */
static enum status run_script(const struct gnuplot_job *job, const char *variables,
                              struct error *error)
{
    char *script = text_format("%s.gp", job->name);
    /* -d skips the user's gnuplotrc, on which a picture must not depend. */
    const char *const arguments[] = {job->program, "-d", "-e", variables, script, NULL};
    const struct process_request request = {
        .arguments = arguments, .directory = job->directory, .timeout_s = job->timeout_s};
    struct process_result result;
    struct error cause;
    enum status status = process_run(&request, &result, &cause);
    if (status == STATUS_NOT_FOUND) {
        status = error_set(error, STATUS_UNSUPPORTED, "cannot run '%s'", cause.message);
    } else if (status != STATUS_OK) {
        status = error_set(error, STATUS_IO, "cannot start '%s' in %s: %s", job->program,
                           job->directory, cause.message);
    } else if (result.interrupted) {
        status = error_set(error, STATUS_INTERRUPTED, "interrupted");
    } else if (result.timed_out) {
        status = error_set(error, STATUS_IO, "%s %s was not done after %.0f s and was killed",
                           job->program, script, job->timeout_s);
    } else if (result.signal != 0) {
        status = error_set(error, STATUS_IO, "%s %s was killed by signal %d (%s): %s", job->program,
                           script, result.signal, strsignal(result.signal), said_as_line(&result));
    } else if (result.exit_code != 0) {
        status = error_set(error, STATUS_IO, "%s %s failed: %s", job->program, script,
                           said_as_line(&result));
    }
    process_result_free(&result);
    free(script);
    return status;
}

/* Does the file begin and end as a complete picture of its format? gnuplot can exit with 0 and
 * leave an empty or cut file, for example on a full disk. */
static bool picture_is_whole(const char *path, enum picture_format format)
{
    static const char png_end[] = "IEND\xae\x42\x60\x82";
    const char *wanted = format == PICTURE_PNG ? png_end : "</svg>";
    size_t wanted_length = strlen(wanted);
    FILE *file = fopen(path, "rb");
    if (!file) {
        return false;
    }
    char end[32] = "";
    long from = fseek(file, 0, SEEK_END) == 0 ? ftell(file) - (long)sizeof end : -1;
    bool read_end = from >= 0 && fseek(file, from, SEEK_SET) == 0 &&
                    fread(end, 1, sizeof end, file) == sizeof end;
    fclose(file);
    if (!read_end) {
        return false;
    }
    /* White space may follow the end of an SVG. */
    size_t length = sizeof end;
    while (format == PICTURE_SVG && length > 0 && strchr("\r\n ", end[length - 1])) {
        length--;
    }
    return length >= wanted_length &&
           memcmp(end + length - wanted_length, wanted, wanted_length) == 0;
}

static void picture_path(char *path, const struct gnuplot_job *job, size_t picture, bool temporary)
{
    if (temporary) {
        snprintf(path, PATH_MAX, "%s/.%s-%ld.tmp.%s", job->directory, job->name, (long)getpid(),
                 pictures[picture].suffix);
    } else {
        snprintf(path, PATH_MAX, "%s/%s.%s", job->directory, job->name, pictures[picture].suffix);
    }
}

static enum status check_pictures(const struct gnuplot_job *job, struct error *error)
{
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, job, i, true);
        if ((job->formats & pictures[i].format) && !picture_is_whole(path, pictures[i].format)) {
            return error_set(
                error, STATUS_IO,
                "%s %s.gp left no whole %s: is the disk full, or its terminal missing? "
                "(apt-get install gnuplot-nox)",
                job->program, job->name, pictures[i].suffix);
        }
    }
    return STATUS_OK;
}

static enum status publish_pictures(const struct gnuplot_job *job, struct error *error)
{
    for (size_t i = 0; i < PICTURES; i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        picture_path(from, job, i, true);
        picture_path(to, job, i, false);
        if ((job->formats & pictures[i].format) && rename(from, to) != 0) {
            return error_set(error, STATUS_IO, "cannot write %s: %s", to, strerror(errno));
        }
    }
    return STATUS_OK;
}

void gnuplot_remove_pictures(const char *directory, const char *name)
{
    const struct gnuplot_job job = {.directory = directory, .name = name};
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, &job, i, false);
        unlink(path);
    }
}

enum status gnuplot_run(const struct gnuplot_job *job, struct error *error)
{
    char variables[VARIABLES_MAX];
    int length = snprintf(variables, sizeof variables, "target='.%s-%ld.tmp'; formats='%s%s'",
                          job->name, (long)getpid(), (job->formats & PICTURE_SVG) ? "svg " : "",
                          (job->formats & PICTURE_PNG) ? "png" : "");
    if (length < 0 || (size_t)length >= sizeof variables) {
        return error_set(error, STATUS_INVALID, "the figure's name is too long: %s", job->name);
    }
    gnuplot_remove_pictures(job->directory, job->name);
    enum status status = run_script(job, variables, error);
    if (status == STATUS_OK) {
        status = check_pictures(job, error);
    }
    if (status == STATUS_OK) {
        status = publish_pictures(job, error);
    }
    for (size_t i = 0; i < PICTURES; i++) {
        char path[PATH_MAX];
        picture_path(path, job, i, true);
        unlink(path);
    }
    if (status != STATUS_OK) {
        gnuplot_remove_pictures(job->directory, job->name);
    }
    return status;
}
