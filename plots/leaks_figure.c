/* Detectors × kinds as a heat map, with what each costs at its side. */
#include "plots/leaks_figure.h"

#include <math.h>
#include <stdlib.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/script_writer.h"

enum {
    CELL_WIDTH = 66,
    CELL_HEIGHT = 24,
    HEAD_HEIGHT = 116, /* the kinds' names, slanted */
    KEY_HEIGHT = 64,
    BARS_WIDTH = 220
};

static const char leaks_columns[] =
    "# columns: column (kinds from 1, then the clean programs), row (from 1), level (share of the "
    "planted found; 2 inapplicable; 3 share of the clean suspected, added to 3), text, slowdown "
    "(0: not of this line)\n";

static void leaks_write_line(FILE *table, size_t column, size_t row, double level, const char *text,
                             double slowdown)
{
    tsv_number(table, (double)column + 1);
    (void)fputc('\t', table);
    tsv_number(table, (double)row + 1);
    (void)fputc('\t', table);
    tsv_number(table, level);
    (void)fputc('\t', table);
    tsv_text(table, text);
    (void)fputc('\t', table);
    tsv_number(table, slowdown);
    (void)fputc('\n', table);
}

static void leaks_write_row(FILE *table, const struct leaks_figure *picture, size_t index)
{
    const struct leaks_figure_row *row = &picture->rows[index];
    for (size_t kind = 0; kind < picture->kind_count; kind++) {
        const struct leaks_figure_cell *cell = &row->cells[kind];
        if (cell->planted == 0) {
            continue;
        }
        char *text =
            text_format(cell->applicable ? "%llu/%llu" : "(%llu/%llu)",
                        (unsigned long long)cell->found, (unsigned long long)cell->planted);
        double recall = (double)cell->found / (double)cell->planted;
        leaks_write_line(table, kind, index, cell->applicable ? recall : 2, text, 0);
        free(text);
    }
    char *text = text_format("%llu/%llu", (unsigned long long)row->suspected,
                             (unsigned long long)row->clean);
    double share = row->clean == 0 ? 0 : (double)row->suspected / (double)row->clean;
    leaks_write_line(table, picture->kind_count, index, 3 + share, text, row->slowdown);
    free(text);
}

static double leaks_slowest(const struct leaks_figure *picture)
{
    double slowest = 10;
    for (size_t i = 0; i < picture->row_count; i++) {
        slowest = fmax(slowest, picture->rows[i].slowdown);
    }
    return slowest;
}

static int leaks_label_width(const struct leaks_figure *picture)
{
    size_t widest = 0;
    for (size_t i = 0; i < picture->row_count; i++) {
        size_t width = text_width(picture->rows[i].label);
        widest = width > widest ? width : widest;
    }
    return (int)widest * IMAGE_CHARACTER_WIDTH + 16;
}

static void leaks_write_script(FILE *script, const struct leaks_figure *picture, int label_width)
{
    const char **labels = calloc(picture->row_count + 1, sizeof(*labels));
    for (size_t i = 0; labels != NULL && i < picture->row_count; i++) {
        labels[i] = picture->rows[i].label;
    }
    if (labels != NULL) {
        script_strings(script, "detector_label", labels, picture->row_count);
    }
    free(labels);
    script_strings(script, "kind_label", picture->kinds, picture->kind_count);
    script_number(script, "label_width", label_width);
    script_number(script, "cell_width", CELL_WIDTH);
    script_number(script, "cell_height", CELL_HEIGHT);
    script_number(script, "head_height", HEAD_HEIGHT);
    script_number(script, "bars_width", BARS_WIDTH);
    script_number(script, "slowest", leaks_slowest(picture));
}

enum status leaks_figure_draw(const struct image_options *options,
                              const struct leaks_figure *picture, struct error *error)
{
    int label_width = leaks_label_width(picture);
    const struct image_frame frame = {
        .name = "leaks",
        .title = "Which detector finds which kind of leak, and what it costs",
        .head = "Found/planted; hatched, in brackets: declared invisible to that detector. Clean: "
                "programs without a leak that were suspected.",
        .foot = "Slowdown: CPU time against the bare program, the median of pairs; of whole "
                "processes for detectors from outside (lsan, memcheck, heaptrack), so that their "
                "start counts.",
        .columns = leaks_columns,
        .inner_width = label_width + ((int)picture->kind_count + 1) * CELL_WIDTH + BARS_WIDTH,
        .inner_height = HEAD_HEIGHT + (int)picture->row_count * CELL_HEIGHT + KEY_HEIGHT,
    };
    struct image image;
    enum status status = image_begin(&image, figure_find("leaks"), options, &frame, error);
    if (status == STATUS_OK) {
        leaks_write_script(image.script, picture, label_width);
        for (size_t i = 0; i < picture->row_count; i++) {
            leaks_write_row(image.table, picture, i);
        }
        status = image_finish(&image, error);
    }
    return status;
}
