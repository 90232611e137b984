/* The part of a trace: what `heapmill trace info` says, and its picture. A trace is one file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/host/json.h"
#include "plots/curves.h"
#include "plots/figure.h"
#include "plots/palette.h"
#include "report/other_parts.h"
#include "traces/format.h"
#include "traces/host/info.h"

bool trace_part_is_one(const char *path)
{
    char begins[sizeof(TRACE_MAGIC) - 1];
    struct stat status;
    FILE *file = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "re") : NULL;
    bool is_one = file != NULL && fread(begins, sizeof(begins), 1, file) == 1 &&
                  memcmp(begins, TRACE_MAGIC, sizeof(begins)) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_one;
}

static struct curve *trace_panel(struct curves *curves, const char *title, const char *x,
                                 const char *y, bool log_x)
{
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = x;
    panel->y_label = y;
    panel->log_x = log_x;
    panel->from_zero = true;
    return curves_add_curve(panel, 0);
}

/* A histogram by powers of two, each at the end of its bucket; what has no end is left out. */
static void trace_add_shares(struct curve *curve, const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        double to = json_number_at(row, "to", 0);
        if (to > 0) {
            curves_add_point(curve, to, 100 * json_number_at(row, "share", 0));
        }
    }
}

static enum status trace_draw(const json_t *info, const char *name,
                              const struct image_options *options, struct error *error)
{
    struct curves curves = {.panels = NULL};
    struct palette_entry look;
    size_t index;
    json_t *point;
    struct curve *curve = trace_panel(&curves, "Live", "events", "MiB live", false);
    json_array_foreach(json_at(info, "curve"), index, point)
    {
        curves_add_point(curve, json_number_value(json_array_get(point, 0)),
                         json_number_value(json_array_get(point, 1)) / (1 << 20));
    }
    curve = trace_panel(&curves, "Sizes", "bytes, up to", "% of the takes", true);
    trace_add_shares(curve, json_at(info, "sizes"));
    curve = trace_panel(&curves, "Lifetimes", "takes meanwhile, up to", "% of the blocks", true);
    trace_add_shares(curve, json_at(info, "lifetimes"));
    palette_assign(&name, 1, &look);
    const struct script_row row = {
        .label = name, .dash = "1", .color = look.color, .marker = look.marker};
    const struct curves_words words = {.name = "trace",
                                       .title = "Live bytes, sizes and lifetimes of a trace",
                                       .better = "A take is an allocation of the program.",
                                       .remark = ""};
    enum status status =
        curves_draw_rows(options, figure_find("trace"), &curves, &words, &row, 1, error);
    curves_release(&curves);
    return status;
}

enum status trace_part_add(struct report *report, const char *path, struct document *document,
                           struct error *error)
{
    json_t *info = trace_info(path, error);
    if (info == NULL) {
        return error->status;
    }
    struct error drawn = {.message = ""};
    const char *name = report_name(path);
    char *output = text_format("%s/%zu", report->scratch.path, report->number);
    char *command = text_format("heapmill trace info %s --json", path);
    struct image_options options = report_image_options(report);
    options.output = output;
    document_heading(document, 1, "%s: what a program asks of its allocator", name);
    document_anchor(document, "r%zu", report->number);
    document_line(document,
                  "Replay it: heapmill bench -w trace:%s; constants that fit it: "
                  "heapmill trace advise %s",
                  path, path);
    enum status status = trace_draw(info, name, &options, &drawn);
    document_heading(document, 2, "The trace in a picture");
    report_add_drawn(report, output, "trace", figure_find("trace")->summary, command, status,
                     &drawn, document);
    document_take(document, trace_info_document(info), 1);
    json_decref(info);
    free(command);
    free(output);
    return STATUS_OK;
}
