/* Draws memory over operations: one image per workload, one panel per back end, on common axes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "plots/memory_series.h"

enum { PANEL_WIDTH = 250, PANEL_HEIGHT = 128, PANEL_HEAD = 38, PANEL_FOOT = 36, PANEL_GAP = 36 };
enum { AXIS_WIDTH = 58, KEY_HEIGHT = 28, LABEL_SPACING = 13 };

static const char memory_columns[] =
    "# one block a back end, in the order of the script's panel_title; columns: operations, live, "
    "usable,\n"
    "#   held, RSS (all four in bytes; NaN where a back end cannot say), marked (1: the phase is "
    "written into\n"
    "#   the panel), phase that begins here, back end, arm, what held was taken from\n";

/* The common axes of a column's panels. */
struct memory_axes {
    double operations_max;
    double bytes_max;
};

/* Finds the axes. A back end that never gives memory back may hold a hundred times as much as the
 * others. Then the axis ends where the others' lines end, and its line leaves the panel. */
static struct memory_axes find_axes(const struct memory_series *series, size_t count)
{
    /* At least sixteen pages: below that, the figure would show how pages are counted. */
    struct memory_axes axes = {1, 16 * 4096};
    double *peaks = text_zeroed(count, sizeof *peaks);
    size_t with_peak = 0;
    for (size_t i = 0; i < count; i++) {
        axes.operations_max = fmax(axes.operations_max, series[i].operations_max);
        if (series[i].own_peak > 0) {
            peaks[with_peak++] = series[i].own_peak;
        }
    }
    axes.bytes_max = fmax(axes.bytes_max, plot_axis_end(peaks, with_peak));
    /* RSS includes the worker's own memory. It is drawn in full if the other lines lose little
     * height by it. */
    double own_max = axes.bytes_max;
    for (size_t i = 0; i < count; i++) {
        if (series[i].rss_peak <= 1.6 * own_max) {
            axes.bytes_max = fmax(axes.bytes_max, series[i].rss_peak);
        }
    }
    axes.bytes_max *= 1.12;
    free(peaks);
    return axes;
}

static char *panel_note(const struct memory_series *series, const struct memory_axes *axes)
{
    if (!series->count) {
        return text_format("%s", series->reason);
    }
    char held[32];
    char rss[32];
    text_of_bytes(held, sizeof held, series->held_peak, 3);
    text_of_bytes(rss, sizeof rss, series->rss_peak, 3);
    return text_format("%speak held %s%s%s, RSS %s%s", series->coarse ? "(coarse) " : "", held,
                       strcmp(series->source, "smaps") == 0 ? " (smaps)" : "",
                       series->held_peak > axes->bytes_max ? " »" : "", rss,
                       series->rss_peak > axes->bytes_max ? " »" : "");
}

static void write_samples(FILE *table, const struct memory_series *series,
                          const struct memory_axes *axes, const struct plot_row *row)
{
    double spacing = axes->operations_max * LABEL_SPACING / PANEL_WIDTH;
    double last_marked = -INFINITY;
    for (size_t i = 0; i < series->count; i++) {
        const struct memory_sample *sample = &series->samples[i];
        bool marked = *sample->phase && sample->operations - last_marked >= spacing;
        last_marked = marked ? sample->operations : last_marked;
        const double numbers[] = {sample->operations, sample->live, sample->usable, sample->held,
                                  sample->rss};
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
            tsv_number(table, numbers[n]);
            fputc('\t', table);
        }
        fprintf(table, "%d\t", marked);
        tsv_text(table, sample->phase);
        fputc('\t', table);
        tsv_text(table, row->backend_text);
        fputc('\t', table);
        tsv_text(table, row->arm);
        fprintf(table, "\t%s\n", series->source);
    }
    if (!series->count) {
        /* gnuplot skips an empty block, and would then number the later blocks wrongly. */
        fputs("0\tNaN\tNaN\tNaN\tNaN\t0\t-\t", table);
        tsv_text(table, row->backend_text);
        fputc('\t', table);
        tsv_text(table, row->arm);
        fprintf(table, "\t-\n");
    }
    fputs("\n\n", table);
}

/* The panels: the rows that were planned for this workload. */
struct panels {
    size_t *rows; /* [count], indices into plot->rows */
    struct memory_series *series;
    size_t count;
};

static enum status panels_read(const struct plot *plot, size_t column, struct panels *panels,
                               struct error *error)
{
    panels->rows = text_zeroed(plot->row_count, sizeof *panels->rows);
    panels->series = text_zeroed(plot->row_count, sizeof *panels->series);
    for (size_t row = 0; row < plot->row_count; row++) {
        struct memory_series *series = &panels->series[panels->count];
        enum status status = memory_series_read(plot, row, column, series, error);
        if (status == STATUS_NOT_FOUND) {
            continue;
        }
        if (status != STATUS_OK) {
            return status;
        }
        panels->rows[panels->count++] = row;
    }
    return STATUS_OK;
}

static void panels_release(struct panels *panels)
{
    for (size_t i = 0; i < panels->count; i++) {
        memory_series_release(&panels->series[i]);
    }
    free(panels->rows);
    free(panels->series);
}

static bool panels_have_data(const struct panels *panels)
{
    for (size_t i = 0; i < panels->count; i++) {
        if (panels->series[i].count) {
            return true;
        }
    }
    return false;
}

static void write_variables(const struct plot *plot, FILE *script, const struct panels *panels,
                            const struct memory_axes *axes, int across)
{
    size_t count = panels->count;
    const char **titles = text_zeroed(count, sizeof *titles);
    const char **notes = text_zeroed(count, sizeof *notes);
    struct text_list owned = {0};
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    double *drawn = text_zeroed(count, sizeof *drawn);
    for (size_t i = 0; i < count; i++) {
        const struct plot_row *row = &plot->rows[panels->rows[i]];
        text_list_add(&owned, panel_note(&panels->series[i], axes));
        titles[i] = row->label;
        notes[i] = owned.items[i];
        colors[i] = row->look.color;
        markers[i] = row->look.marker;
        drawn[i] = panels->series[i].count > 0;
    }
    script_strings(script, "panel_title", titles, count);
    script_strings(script, "panel_note", notes, count);
    script_colors(script, "panel_color", colors, count);
    script_numbers(script, "panel_marker", markers, count);
    script_numbers(script, "panel_drawn", drawn, count);
    text_list_free(&owned);
    free(titles);
    free(notes);
    free(colors);
    free(markers);
    free(drawn);
    bool small = axes->bytes_max < 4 * 1024 * 1024;
    script_number(script, "divisor", small ? 1024 : 1024 * 1024);
    script_string(script, "unit", small ? "KiB" : "MiB");
    script_number(script, "operations_max", axes->operations_max);
    script_number(script, "bytes_max", axes->bytes_max);
    script_number(script, "across", across);
    script_number(script, "axis_width", AXIS_WIDTH);
    script_number(script, "key_height", KEY_HEIGHT);
    script_number(script, "panel_width", PANEL_WIDTH);
    script_number(script, "panel_height", PANEL_HEIGHT);
    script_number(script, "panel_head", PANEL_HEAD);
    script_number(script, "panel_foot", PANEL_FOOT);
    script_number(script, "panel_gap", PANEL_GAP);
}

static enum status draw_panels(struct plot *plot, const struct figure *figure, size_t column,
                               const struct panels *panels, struct error *error)
{
    struct memory_axes axes = find_axes(panels->series, panels->count);
    int across = panels->count <= 4 ? (int)panels->count : panels->count <= 9 ? 3 : 4;
    int down = ((int)panels->count + across - 1) / across;
    char *title = text_format("Memory over operations: %s", plot->columns[column].label);
    char *name = text_format("memory-%s", plot->columns[column].slug);
    struct plot_frame frame = {
        .name = name,
        .title = title,
        .better = "Lower is better; what is held but not live is overhead and waste. The same axes "
                  "in every "
                  "panel.",
        .remark = "Held: the back end's own count where it has one; (smaps) marks anonymous memory "
                  "as the kernel "
                  "sees it. RSS includes the worker's own memory. »: beyond the axis; (coarse): "
                  "fills and drops more often than it was sampled.",
        .columns = memory_columns,
        .comparison = plot->comparison,
        .inner_width = AXIS_WIDTH + across * (PANEL_WIDTH + PANEL_GAP),
        .inner_height = KEY_HEIGHT + down * (PANEL_HEAD + PANEL_HEIGHT + PANEL_FOOT),
    };
    struct image image;
    enum status status = plot_image_begin(&image, plot, figure, &frame, error);
    free(title);
    free(name);
    if (status != STATUS_OK) {
        return status;
    }
    write_variables(plot, image.script, panels, &axes, across);
    for (size_t i = 0; i < panels->count; i++) {
        write_samples(image.table, &panels->series[i], &axes, &plot->rows[panels->rows[i]]);
    }
    return plot_image_finish(&image, plot, error);
}

static enum status draw_column(struct plot *plot, const struct figure *figure, size_t column,
                               struct error *error)
{
    struct panels panels = {.count = 0};
    enum status status = panels_read(plot, column, &panels, error);
    if (status == STATUS_OK && panels_have_data(&panels)) {
        status = draw_panels(plot, figure, column, &panels, error);
    } else if (status == STATUS_OK) {
        plot_note(plot, "memory: there is no memory pass of %s, so it has no picture",
                  plot->columns[column].label);
    }
    panels_release(&panels);
    return status;
}

enum status memory_draw(struct plot *plot, const struct figure *figure, struct error *error)
{
    enum status first = STATUS_OK;
    for (size_t column = 0; column < plot->column_count; column++) {
        struct error why = {.message = ""};
        enum status status = draw_column(plot, figure, column, &why);
        if (status != STATUS_OK && first == STATUS_OK) {
            first = status;
            *error = why;
        }
    }
    return first;
}
