#include "plots/power_figure.h"

#include <stdlib.h>

#include "common/host/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "results/stats/statistics.h"

enum {
    PANEL_WIDTH = 520,
    PANEL_HEIGHT = 330,
    AXIS_WIDTH = 60,
    AXIS_HEIGHT = 50,
    LEGEND_WIDTH = 150
};

/* From light to dark as the slowdown grows. The A/A pairs are red, since in them nothing should be
 * found. People with any common colour blindness can tell them apart, also by their markers. */
static const uint32_t power_colors[POWER_LEVELS_MAX] = {0xb2182b, 0x9ecae1, 0x6baed6, 0x3182bd,
                                                        0x08519c, 0x08306b, 0x041b3d, 0x000000};
static const double power_markers[POWER_LEVELS_MAX] = {7, 5, 9, 11, 13, 4, 6, 8};

static void power_write_level(FILE *table, const struct power *power, size_t level)
{
    for (size_t limit = 0; limit < POWER_LIMITS_MAX; limit++) {
        const struct power_share *share = &power->shares[level][limit];
        double low;
        double high;
        if (!power_has_limit(power, limit) || share->comparisons == 0) {
            continue;
        }
        statistics_binomial_interval(share->told, share->comparisons, &low, &high);
        tsv_number(table, power->slowdowns[level]);
        (void)fprintf(table, "\t%u\t", power_limit_rounds(power, limit));
        tsv_number(table, share->told / (double)share->comparisons);
        (void)fputc('\t', table);
        tsv_number(table, low);
        (void)fputc('\t', table);
        tsv_number(table, high);
        (void)fprintf(table, "\t%u\t%u\n", share->told, share->comparisons);
    }
    (void)fputs("\n\n", table);
}

static void power_write_script(FILE *script, const struct power *power)
{
    char *labels[POWER_LEVELS_MAX];
    for (size_t level = 0; level < power->slowdown_count; level++) {
        labels[level] = level == 0 ? text_format("none (A/A pairs)")
                                   : text_format("%g%% more work", power->slowdowns[level]);
    }
    script_strings(script, "level_label", (const char *const *)labels, power->slowdown_count);
    script_colors(script, "level_color", power_colors, power->slowdown_count);
    script_numbers(script, "level_marker", power_markers, power->slowdown_count);
    script_number(script, "rounds_max", power->rounds_max);
    script_number(script, "panel_width", PANEL_WIDTH);
    script_number(script, "panel_height", PANEL_HEIGHT);
    script_number(script, "axis_width", AXIS_WIDTH);
    for (size_t level = 0; level < power->slowdown_count; level++) {
        free(labels[level]);
    }
}

enum status power_figure_draw(const struct image_options *options, const struct power *power,
                              const char *machine, struct error *error)
{
    const struct power_share *same = &power->shares[0][POWER_LIMITS_MAX - 1];
    struct image image;
    char *foot = text_format(
        "Share of comparisons that were told apart, with its exact 95%% interval (Clopper and "
        "Pearson); %u A/A pairs in two code layouts. A group that stopped earlier, its "
        "intervals being narrow, counts with its last verdict. %s",
        same->comparisons, machine);
    const struct image_frame frame = {
        .name = "power",
        .title = "How far verdicts can be trusted here",
        .head =
            "Blue: known slowdowns, higher is better. Red: identical programs, which should stay "
            "below 5%.",
        .foot = foot,
        .columns =
            "# slowdown [%]\trounds\tshare told apart\tlow\thigh\ttold apart\tcomparisons; a "
            "block for each slowdown\n",
        .inner_width = AXIS_WIDTH + PANEL_WIDTH + LEGEND_WIDTH,
        .inner_height = PANEL_HEIGHT + AXIS_HEIGHT,
    };
    enum status status = image_begin(&image, figure_find("power"), options, &frame, error);
    if (status == STATUS_OK) {
        power_write_script(image.script, power);
        for (size_t level = 0; level < power->slowdown_count; level++) {
            power_write_level(image.table, power, level);
        }
        status = image_finish(&image, error);
    }
    free(foot);
    return status;
}
