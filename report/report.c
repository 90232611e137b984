#include "report/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plots/gnuplot.h"
#include "report/page.h"
#include "report/part.h"
#include "results/store.h"

void report_lacks(struct report *report, struct document *document, const char *format, ...)
{
    char *sentence = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&sentence, format, arguments) < 0) {
        sentence = text_format("something could not be said: no memory");
    }
    va_end(arguments);
    document_add(document, BLOCK_WARNING, "%s", sentence);
    text_list_add(report->notes, sentence);
}

struct image_options report_image_options(const struct report *report)
{
    return (struct image_options){.command = report->options->command,
                                  .gnuplot = report->options->gnuplot,
                                  .formats = PICTURE_SVG};
}

static enum status report_begin(struct report *report, const struct report_options *options,
                                struct text_list *notes, struct error *error)
{
    *report = (struct report){.options = options, .notes = notes};
    enum status status = scratch_open(&report->scratch, NULL, "report", error);
    report->tables = status == STATUS_OK ? json_object() : NULL;
    return status;
}

static void report_end(struct report *report)
{
    scratch_close(&report->scratch);
    json_decref(report->tables);
}

static enum status report_add_pair(const char *before, const char *after, struct document *document,
                                   struct error *error)
{
    struct record_set *sets[2] = {NULL, NULL};
    enum status status = store_load(before, &sets[0], error);
    if (status == STATUS_OK) {
        status = store_load(after, &sets[1], error);
    }
    if (status == STATUS_OK) {
        status = report_add_change(sets[0], sets[1], document, error);
    }
    record_set_free(sets[0]);
    record_set_free(sets[1]);
    return status;
}

/* Adds the comparison of each run of `heapmill bench` with the one that was named before it. */
static enum status report_add_pairs(struct report *report, const struct text_list *directories,
                                    struct document *document, struct error *error)
{
    const char *before = NULL;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < directories->count && status == STATUS_OK; i++) {
        const char *directory = directories->items[i];
        if (!report_is_run(directory)) {
            continue;
        }
        if (before != NULL) {
            status = report_add_pair(before, directory, document, error);
        }
        if (status == STATUS_NOT_FOUND) { /* no cell in common: each run has only its own part */
            report_lacks(report, document, "%s is not compared with %s: %s", directory, before,
                         error->message);
            status = STATUS_OK;
        }
        before = directory;
    }
    return status;
}

static enum status report_compose(const struct report_options *options,
                                  const struct text_list *directories, const char *path,
                                  struct text_list *notes, struct error *error)
{
    struct report report;
    enum status status = report_begin(&report, options, notes, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct document *document = document_new();
    if (directories->count > 1) {
        status = report_add_pairs(&report, directories, document, error);
    }
    for (size_t i = 0; i < directories->count && status == STATUS_OK; i++) {
        const struct report_part *part = report_find_part(directories->items[i], error);
        report.number = i + 1;
        status = part == NULL ? error->status
                              : part->add(&report, directories->items[i], document, error);
    }
    if (status == STATUS_OK) {
        char *title = directories->count == 1
                          ? text_format("heapmill report: %s", report_name(directories->items[0]))
                          : text_format("heapmill report: %zu directories", directories->count);
        status = report_page_write(path, title, &document, 1, report.tables, error);
        free(title);
    }
    document_free(document);
    report_end(&report);
    return status;
}

enum status report_write(const struct report_options *options, struct text_list *notes,
                         struct error *error)
{
    return report_compose(options, options->directories, options->output, notes, error);
}
