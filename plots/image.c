#include "plots/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot_runner.h"
#include "plots/script_writer.h"

enum { TITLE_HEIGHT = 26, FOOT_LINE_HEIGHT = 14, TIMEOUT_S = 120 };

/* Each paragraph in lines of its own. */
static void wrap_paragraphs(struct text_list *lines, const char *text, size_t width)
{
    struct text_list paragraphs = {0};
    text_split(&paragraphs, text, '\n');
    for (size_t i = 0; i < paragraphs.count; i++) {
        text_wrap(lines, paragraphs.items[i], width);
    }
    text_list_free(&paragraphs);
}

static void write_canvas(const struct image *image, const struct image_frame *frame, int width,
                         size_t head_lines, size_t foot_lines)
{
    FILE *script = image->script;
    int head = TITLE_HEIGHT + (int)head_lines * IMAGE_LINE_HEIGHT + IMAGE_MARGIN;
    int foot = (int)foot_lines * FOOT_LINE_HEIGHT + IMAGE_MARGIN;
    fputs("\n# The canvas and the drawing's box in it, in pixels from the top left.\n", script);
    script_number(script, "width", width);
    script_number(script, "height", frame->inner_height + head + foot);
    script_number(script, "box_left", IMAGE_MARGIN);
    script_number(script, "box_top", head);
    script_number(script, "box_width", width - 2 * IMAGE_MARGIN);
    script_number(script, "box_height", frame->inner_height);
}

static void write_script_head(const struct image *image, const struct image_frame *frame)
{
    FILE *script = image->script;
    int width = frame->inner_width + 2 * IMAGE_MARGIN;
    width = width < IMAGE_WIDTH_MIN ? IMAGE_WIDTH_MIN : width;
    size_t foot_width = (size_t)((width - 2 * IMAGE_MARGIN) * 2 / 11); /* 5.5 pixels each */
    struct text_list head = {0};
    struct text_list foot = {0};
    text_wrap(&head, frame->head, (size_t)((width - 2 * IMAGE_MARGIN) / IMAGE_CHARACTER_WIDTH));
    wrap_paragraphs(&foot, frame->foot, foot_width);
    if (image->options->command) {
        char *made =
            text_format("Made by: %s (heapmill %s)", image->options->command, HEAPMILL_VERSION);
        text_wrap(&foot, made, foot_width);
        free(made);
    }
    fprintf(script,
            "# %s: the figure \"%s\" of heapmill %s. `gnuplot %s.gp` draws it again from %s.tsv;\n"
            "# restyle freely, nothing has to be measured for that.\n",
            image->name, image->figure->name, HEAPMILL_VERSION, image->name, image->name);
    fputs("if (!exists(\"target\")) ", script);
    script_string(script, "target", image->name);
    fputs("if (!exists(\"formats\")) formats = 'svg png'\n", script);
    char *data = text_format("%s.tsv", image->name);
    script_string(script, "data", data);
    free(data);
    write_canvas(image, frame, width, head.count, foot.count);
    script_string(script, "title_text", frame->title);
    script_strings(script, "head_line", (const char *const *)head.items, head.count);
    script_strings(script, "foot_line", (const char *const *)foot.items, foot.count);
    text_list_free(&head);
    text_list_free(&foot);
}

/* Closes what is open, removes the temporary files, and releases the image. */
static void image_abandon(struct image *image)
{
    if (image->table) {
        fclose(image->table);
    }
    if (image->script) {
        fclose(image->script);
    }
    unlink(image->table_path);
    unlink(image->script_path);
    free(image->name);
    free(image->table_path);
    free(image->script_path);
    *image = (struct image){0};
}

enum status image_begin(struct image *image, const struct figure *figure,
                        const struct image_options *options, const struct image_frame *frame,
                        struct error *error)
{
    *image = (struct image){.figure = figure, .options = options};
    enum status status = file_make_directory(options->output, error);
    if (status != STATUS_OK) {
        return status;
    }
    long process = (long)getpid();
    image->name = text_format("%s", frame->name);
    image->table_path = text_format("%s/.%s-%ld.tmp.tsv", options->output, frame->name, process);
    image->script_path = text_format("%s/.%s-%ld.tmp.gp", options->output, frame->name, process);
    image->table = fopen(image->table_path, "w");
    image->script = fopen(image->script_path, "w");
    if (!image->table || !image->script) {
        status = error_set(error, STATUS_IO, "cannot write into %s: %s", options->output,
                           strerror(errno));
        image_abandon(image);
        return status;
    }
    fprintf(image->table, "# Data of the figure %s, tab-separated; made by heapmill %s.\n",
            figure->name, HEAPMILL_VERSION);
    if (options->command) {
        fputs("# made by: ", image->table);
        script_comment_text(image->table, options->command);
        fputc('\n', image->table);
    }
    fputs(frame->columns, image->table);
    write_script_head(image, frame);
    return STATUS_OK;
}

/* Closes the file, and gives it its name if everything was written. */
static enum status publish(const struct image *image, FILE **file, const char *path,
                           const char *suffix, struct error *error)
{
    bool good = !ferror(*file);
    good = fclose(*file) == 0 && good;
    *file = NULL;
    char *final = text_format("%s/%s.%s", image->options->output, image->name, suffix);
    enum status status = STATUS_OK;
    if (!good || rename(path, final) != 0) {
        status = error_set(error, STATUS_IO, "cannot write %s: %s", final, strerror(errno));
    }
    free(final);
    return status;
}

enum status image_finish(struct image *image, struct error *error)
{
    const struct image_options *options = image->options;
    fprintf(image->script, "\n%s\n%s", script_preamble, image->figure->script);
    /* Pictures of an earlier run would belong to other data. */
    gnuplot_remove_pictures(options->output, image->name);
    enum status status = publish(image, &image->table, image->table_path, "tsv", error);
    if (status == STATUS_OK) {
        status = publish(image, &image->script, image->script_path, "gp", error);
    }
    if (status == STATUS_OK) {
        const struct gnuplot_job job = {
            .program = options->gnuplot ? options->gnuplot : "gnuplot",
            .directory = options->output,
            .name = image->name,
            .formats = options->formats,
            .timeout_s = options->timeout_s > 0 ? options->timeout_s : TIMEOUT_S,
        };
        status = gnuplot_run(&job, error);
    }
    image_abandon(image);
    return status;
}
