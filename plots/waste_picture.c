#include "plots/waste_picture.h"

#include <math.h>
#include <stdlib.h>

#include "common/host/text.h"
#include "plots/curves.h"
#include "plots/palette.h"
#include "plots/script_writer.h"

static void write_looks(FILE *script, const struct waste_curve *of, size_t count)
{
    const char **names = text_zeroed(count, sizeof *names);
    const char **dashes = text_zeroed(count, sizeof *dashes);
    struct palette_entry *looks = text_zeroed(count, sizeof *looks);
    uint32_t *colors = text_zeroed(count, sizeof *colors);
    double *markers = text_zeroed(count, sizeof *markers);
    for (size_t i = 0; i < count; i++) {
        names[i] = of[i].backend;
    }
    palette_assign(names, count, looks);
    for (size_t i = 0; i < count; i++) {
        names[i] = of[i].label;
        dashes[i] = palette_arm("preload")->dash; /* steps are hard to read in dashes */
        colors[i] = looks[i].color;
        markers[i] = looks[i].marker;
    }
    script_strings(script, "row_label", names, count);
    script_strings(script, "row_dash", dashes, count);
    script_colors(script, "row_color", colors, count);
    script_numbers(script, "row_marker", markers, count);
    free(names);
    free(dashes);
    free(looks);
    free(colors);
    free(markers);
}

/* The most bytes that any of them wastes in a block. */
static double most_wasted(const struct waste_curve *of, size_t count)
{
    double most = 0;
    for (size_t row = 0; row < count; row++) {
        for (size_t i = 0; i < of[row].count; i++) {
            most = fmax(most, of[row].usable[i] - (double)i - 1);
        }
    }
    return most;
}

/* A panel of its own for each: the saw teeth of several would hide each other. */
static void add_panel(struct curves *curves, const struct waste_curve *of, size_t row, double most)
{
    double wasted = 0, usable = 0;
    for (size_t i = 0; i < of->count; i++) {
        wasted += of->usable[i] - (double)i - 1;
        usable += of->usable[i];
    }
    char *title =
        text_format("%s: %.1f%% over all sizes", of->label, usable > 0 ? 100 * wasted / usable : 0);
    struct curves_panel *panel = curves_add_panel(curves, title);
    panel->x_label = "requested bytes";
    panel->y_label = "wasted bytes of a block";
    panel->steps = true;
    panel->from_zero = true;
    panel->y_end = most;
    struct curve *curve = curves_add_curve(panel, row);
    for (size_t i = 0; i < of->count; i++) {
        curves_add_point(curve, (double)i + 1, of->usable[i] - (double)i - 1);
    }
    free(title);
}

enum status waste_picture_draw(const struct sheet_options *options,
                               const struct waste_curve *waste_curves, size_t count,
                               const char *note, struct error *error)
{
    struct curves curves = {.panels = NULL};
    struct sheet sheet;
    const char **names = text_zeroed(count, sizeof *names);
    size_t widest = 0;
    double most = most_wasted(waste_curves, count);
    for (size_t i = 0; i < count; i++) {
        size_t name_width = text_width(waste_curves[i].label);
        add_panel(&curves, &waste_curves[i], i, most);
        widest = name_width > widest ? name_width : widest;
        names[i] = waste_curves[i].label;
    }
    char *foot = text_format(
        "Usable less requested bytes, as the back end says them (malloc_usable_size of those that "
        "are a malloc). Headers outside the block, as glibc's 8 bytes, are not in it.%s%s",
        *note ? " " : "", note);
    struct sheet_frame frame = {
        .name = "waste",
        .title = "What size classes waste within a block",
        .head = "Lower is better: internal fragmentation of a block of each requested size. The "
                "same axes in every panel.",
        .foot = foot,
        .columns = curves_columns,
        .inner_width = curves_width(&curves, widest),
        .inner_height = curves_height(&curves, count),
    };
    enum status status = sheet_begin(&sheet, options, &frame, error);
    if (status == STATUS_OK) {
        write_looks(sheet.script, waste_curves, count);
        curves_write(&curves, names, sheet.table, sheet.script);
        status = sheet_finish(&sheet, sheet_curves_script, error);
    }
    curves_release(&curves);
    free(names);
    free(foot);
    return status;
}
