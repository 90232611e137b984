#include "plots/sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot_runner.h"
#include "plots/image.h"
#include "plots/script_writer.h"

enum { SHEET_TITLE_HEIGHT = 26, SHEET_FOOT_LINE_HEIGHT = 14, SHEET_TIMEOUT_S = 120 };

static FILE *sheet_open(const struct sheet *sheet, const char *suffix)
{
    char *path = text_format("%s/%s.%s", sheet->options->output, sheet->name, suffix);
    FILE *file = fopen(path, "w");
    free(path);
    return file;
}

static void sheet_write_head(const struct sheet *sheet, const struct sheet_frame *frame)
{
    int width = frame->inner_width + 2 * IMAGE_MARGIN;
    width = width < IMAGE_WIDTH_MIN ? IMAGE_WIDTH_MIN : width;
    struct text_list head = {0};
    struct text_list foot = {0};
    char *made =
        text_format("Made by: %s (heapmill %s)", sheet->options->command, HEAPMILL_VERSION);
    text_wrap(&head, frame->head, (size_t)((width - 2 * IMAGE_MARGIN) / IMAGE_CHARACTER_WIDTH));
    text_wrap(&foot, frame->foot, (size_t)((width - 2 * IMAGE_MARGIN) * 2 / 11));
    text_wrap(&foot, made, (size_t)((width - 2 * IMAGE_MARGIN) * 2 / 11));
    int above = SHEET_TITLE_HEIGHT + (int)head.count * IMAGE_LINE_HEIGHT + IMAGE_MARGIN;
    int below = (int)foot.count * SHEET_FOOT_LINE_HEIGHT + IMAGE_MARGIN;
    FILE *script = sheet->script;
    fprintf(script,
            "# %s, by heapmill %s. `gnuplot %s.gp` draws it again from %s.tsv; restyle freely.\n",
            sheet->name, HEAPMILL_VERSION, sheet->name, sheet->name);
    fputs("if (!exists(\"target\")) ", script);
    script_string(script, "target", sheet->name);
    fputs("if (!exists(\"formats\")) formats = 'svg png'\n", script);
    char *data = text_format("%s.tsv", sheet->name);
    script_string(script, "data", data);
    free(data);
    script_number(script, "width", width);
    script_number(script, "height", frame->inner_height + above + below);
    script_number(script, "box_left", IMAGE_MARGIN);
    script_number(script, "box_top", above);
    script_number(script, "box_width", width - 2 * IMAGE_MARGIN);
    script_number(script, "box_height", frame->inner_height);
    script_string(script, "title_text", frame->title);
    script_strings(script, "head_line", (const char *const *)head.items, head.count);
    script_strings(script, "foot_line", (const char *const *)foot.items, foot.count);
    text_list_free(&head);
    text_list_free(&foot);
    free(made);
}

enum status sheet_begin(struct sheet *sheet, const struct sheet_options *options,
                        const struct sheet_frame *frame, struct error *error)
{
    *sheet = (struct sheet){.options = options, .name = text_format("%s", frame->name)};
    enum status status = plot_make_directory(options->output, error);
    if (status == STATUS_OK) {
        sheet->table = sheet_open(sheet, "tsv");
        sheet->script = sheet_open(sheet, "gp");
    }
    if (status == STATUS_OK && (!sheet->table || !sheet->script)) {
        status = error_set(error, STATUS_IO, "cannot write into %s: %s", options->output,
                           strerror(errno));
    }
    if (status != STATUS_OK) {
        if (sheet->table) {
            fclose(sheet->table);
        }
        free(sheet->name);
        return status;
    }
    fprintf(sheet->table, "# %s, by heapmill %s; made by: ", sheet->name, HEAPMILL_VERSION);
    script_comment_text(sheet->table, options->command);
    fprintf(sheet->table, "\n%s", frame->columns);
    sheet_write_head(sheet, frame);
    return STATUS_OK;
}

enum status sheet_finish(struct sheet *sheet, const char *body, struct error *error)
{
    fprintf(sheet->script, "\n%s\n%s", figure_preamble, body);
    bool good = !ferror(sheet->table) && !ferror(sheet->script);
    good = fclose(sheet->table) == 0 && good;
    good = fclose(sheet->script) == 0 && good;
    const struct sheet_options *options = sheet->options;
    struct gnuplot_job job = {
        .program = options->gnuplot ? options->gnuplot : "gnuplot",
        .directory = options->output,
        .name = sheet->name,
        .formats = options->formats,
        .timeout_s = SHEET_TIMEOUT_S,
    };
    enum status status = good ? gnuplot_run(&job, error)
                              : error_set(error, STATUS_IO, "cannot write %s/%s.tsv or .gp: %s",
                                          options->output, sheet->name, strerror(errno));
    free(sheet->name);
    return status;
}
