/* Whole runs become whole figures: every file is there, every row is in its table, failures look
 * like failures, and names are only names. */
#include "plots/figure.h"
#include "plots/plot.h"
#include "plots/tests/figure_files.h"
#include "results/compare/comparison.h"

static const struct sample_options small_run = {
    .backends = 6, .workloads = 3, .failures = true, .rounds = SAMPLE_ROUNDS};

static int setup(void **state)
{
    (void)state;
    sample_directory(figure_directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sample_remove(figure_directory);
    return 0;
}

static struct plot_options options_of(const char *figures)
{
    return (struct plot_options){.input = figure_directory,
                                 .figures = figures,
                                 .formats = PICTURE_SVG | PICTURE_PNG,
                                 .command = "heapmill plot sample"};
}

static void draw(const struct plot_options *options, struct plot_report *report)
{
    struct error error = {.message = ""};
    if (plot_draw(options, report, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
}

static void test_every_figure_is_drawn(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    assert_int_equal(report.image_count, 2 + 1 + 2 + 3 + 1); /* bars, drain, heatmap, memory,
                                                                pareto */
    for (const struct figure *figure = figure_table; figure->name; figure++) {
        bool drawn = false;
        for (size_t j = 0; j < report.image_count; j++) {
            drawn = drawn || strcmp(report.images[j].figure, figure->name) == 0;
        }
        /* These have nothing to show of this run (curves_test.c), and say so. */
        static const char *const without[] = {"binding", "scaling",  "latency",
                                              "pauses",  "floating", "collector"};
        bool has_data = figure->draw != NULL; /* or it is of no run */
        for (size_t k = 0; k < sizeof without / sizeof without[0]; k++) {
            has_data = has_data && strcmp(figure->name, without[k]) != 0;
        }
        assert_int_equal(drawn, has_data);
    }
    assert_int_equal(report.note_count, 6);
    for (size_t i = 0; i < report.image_count; i++) {
        check_png(report.images[i].name);
        check_svg(report.images[i].name);
    }
    assert_int_equal(count_leftovers(), 0);
    plot_report_free(&report);
}

static void test_tables_have_every_row(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    /* Six back ends by three workloads, and a mean for each but the base. */
    assert_int_equal(count_lines_with("heatmap", "\t"), 6 * 3 + 5);
    assert_int_equal(count_lines_with("heatmap", "failed"), 2);
    assert_int_equal(count_lines_with("heatmap", "not applicable"), 1);
    assert_int_equal(count_lines_with("heatmap", "base"), 3);
    /* Bars, and the points of those that have a figure: 18 cells less three bases, failures and
     * n/a; and a filler for each block of points. */
    int points = (18 - 3 - 3) * SAMPLE_ROUNDS;
    assert_int_equal(count_lines_with("bars", "\t"), 18 + points + 3);
    assert_int_equal(count_lines_with("bars-absolute", "\t"), 18 + points + 3 * SAMPLE_ROUNDS + 3);
    assert_int_equal(count_lines_with("memory-type_shift", "\t"), 5 * SAMPLE_POINTS + 1);
    /* "null" and "bump" are in the table of pareto, as are those without a figure. */
    assert_true(count_lines_with("pareto", "pymalloc-3.10\tinline") >= 1);
    plot_report_free(&report);
}

/* The base is 1, and the made-up ratio of null's is about 0.12. */
static void test_ratios_are_the_made_up_ones(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("heatmap");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    char *table = read_output("heatmap", "tsv", NULL);
    const char *row = strstr(table, "\n1\t2\tfaster\t"); /* int_churn, null */
    assert_non_null(row);
    double expected = 0.12 * (1 + 0.25 * sin(3.0));
    double ratio = strtod(row + strlen("\n1\t2\tfaster\t"), NULL);
    assert_true(fabs(ratio / expected - 1) < 0.03);
    free(table);
    plot_report_free(&report);
}

static void test_failures_look_like_failures(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("heatmap,bars");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    static const char *const images[] = {"heatmap", "bars", "bars-absolute"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(count_texts(images[i], "failed"), 2);
        assert_int_equal(count_texts(images[i], "n/a"), 1);
        assert_int_equal(count_texts(images[i], "NaN"), 0);
    }
    plot_report_free(&report);
}

/* A script must not be a picture of one point: each row has its name in its own place. */
static void test_row_names_are_in_their_places(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("heatmap");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    static const char *const names[] = {"malloc:preload",      "null:inline",
                                        "bump:inline",         "pymalloc-256:inline",
                                        "pymalloc-3.7:inline", "pymalloc-3.10:inline"};
    char *svg = read_output("heatmap", "svg", NULL);
    double last = 0;
    for (size_t i = 0; i < 6; i++) {
        char pattern[64];
        (void)snprintf(pattern, sizeof pattern, "<text>%s</text>", names[i]);
        char *text = strstr(svg, pattern);
        assert_non_null(text);
        char kept = *text;
        *text = '\0';
        const char *place = svg;
        for (const char *at = strstr(svg, "translate("); at; at = strstr(at + 1, "translate(")) {
            place = at;
        }
        double x, y;
        assert_int_equal(sscanf(place, "translate(%lf,%lf)", &x, &y), 2);
        assert_true(y > last + 15);
        last = y;
        *text = kept;
    }
    free(svg);
    plot_report_free(&report);
}

static void test_odd_names_are_only_names(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    struct sample_options run = small_run;
    char odd[512];
    char trace[SAMPLE_PATH_MAX + 16];
    (void)snprintf(trace, sizeof trace, "%s/trace", figure_directory);
    (void)snprintf(odd, sizeof odd,
                   "o_{d}^2\"d'`touch %.100s`<&>@data\t\n';system('touch %.100s')#", trace, trace);
    run.odd_name = odd;
    sample_write(figure_directory, &run);
    draw(&options, &report);
    for (size_t i = 0; i < report.image_count; i++) {
        check_svg(report.images[i].name);
    }
    assert_int_not_equal(0, access(trace, F_OK));
    assert_int_equal(count_lines_with("heatmap", "o_{d}^2'd'`touch "), 3 + 1);
    char *svg = read_output("heatmap", "svg", NULL);
    assert_non_null(strstr(svg, "o_{d}^2"));
    assert_non_null(strstr(svg, "&lt;&amp;>@data?"));
    free(svg);
    plot_report_free(&report);
}

static void test_captions_say_what_was_compared(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("heatmap");
    options.backends = "malloc,null,pymalloc*";
    options.workloads = "int*,type*";
    options.base_backend = "pymalloc-3.7";
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    char *table = read_output("heatmap", "tsv", NULL);
    assert_non_null(strstr(table, "# base: pymalloc-3.7\n"));
    assert_non_null(strstr(table, "# base arm: inline\n"));
    assert_non_null(strstr(table, "# filter of back ends: malloc,null,pymalloc*\n"));
    assert_non_null(strstr(table, "# filter of workloads: int*,type*\n"));
    assert_non_null(strstr(table, "# noise floor (a ratio distance): "));
    assert_non_null(strstr(table, "# drawn by: heapmill plot sample\n"));
    assert_non_null(strstr(table, "# measured by: heapmill bench -w 'batch*,json documents' "));
    assert_non_null(strstr(table, "Imagined CPU"));
    assert_int_equal(count_lines_with("heatmap", "bump"), 0);
    assert_int_equal(count_lines_with("heatmap", "binary_trees"), 0);
    char *svg = read_output("heatmap", "svg", NULL);
    static const char *const said[] = {
        "relative to pymalloc-3.7:inline", "Base pymalloc-3.7:inline.",    "Lower is better",
        "Filtered: back ends malloc,null", "Arms: preload, inline (mixed", "Noise floor"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (!strstr(svg, said[i])) {
            fail_msg("the picture does not say: %s", said[i]);
        }
    }
    free(table);
    free(svg);
    plot_report_free(&report);
}

static void test_script_redraws_alone(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    sample_write(figure_directory, &small_run);
    draw(&options, &report);
    for (size_t i = 0; i < report.image_count; i++) {
        char command[2 * SAMPLE_PATH_MAX];
        const char *name = report.images[i].name;
        char *before = read_output(name, "svg", NULL);
        (void)snprintf(command, sizeof command,
                       "cd '%s/plots' && rm '%s.svg' '%s.png' && gnuplot '%s.gp'", figure_directory,
                       name, name, name);
        assert_int_equal(0, system(command));
        char *after = read_output(name, "svg", NULL);
        assert_string_equal(before, after);
        check_png(name);
        free(before);
        free(after);
    }
    plot_report_free(&report);
}

static void test_without_gnuplot_the_tables_are_written(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct plot_report report;
    struct plot_options options = options_of("all");
    options.gnuplot = "gnuplot-that-is-not-there";
    sample_write(figure_directory, &small_run);
    assert_int_equal(plot_draw(&options, &report, &error), STATUS_UNSUPPORTED);
    assert_int_equal(report.image_count, 9);
    for (size_t i = 0; i < report.image_count; i++) {
        size_t size;
        assert_int_equal(report.images[i].status, STATUS_UNSUPPORTED);
        free(read_output(report.images[i].name, "tsv", &size));
        assert_true(size > 500);
        free(read_output(report.images[i].name, "gp", &size));
        assert_true(size > 500);
    }
    assert_int_equal(count_leftovers(), 0);
    plot_report_free(&report);
}

static void test_every_metric_is_drawn(void **state)
{
    (void)state;
    struct sample_options run = small_run;
    run.nothing_held = true;
    sample_write(figure_directory, &run);
    for (const struct metric *metric = metric_table; metric->name; metric++) {
        struct plot_report report;
        struct plot_options options = options_of("heatmap,bars");
        options.metric = metric->name;
        options.formats = PICTURE_SVG; /* PNGs take twice as long, and are drawn above */
        draw(&options, &report);
        bool has_net = strcmp(metric->name, "time") == 0;
        assert_int_equal(report.image_count, has_net ? 4 : 3);
        plot_report_free(&report);
    }
}

static void test_without_memory_pass_the_others_are_drawn(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    struct sample_options run = small_run;
    run.no_memory_pass = true;
    sample_write(figure_directory, &run);
    draw(&options, &report);
    assert_int_equal(report.image_count, 4);
    assert_true(report.note_count >= 5); /* the others say why they are not there */
    plot_report_free(&report);
}

static void check_refused(const struct plot_options *options, enum status expected,
                          const char *said)
{
    struct error error = {.message = ""};
    struct plot_report report;
    assert_int_equal(plot_draw(options, &report, &error), expected);
    if (!strstr(error.message, said)) {
        fail_msg("\"%s\" does not say \"%s\"", error.message, said);
    }
    assert_int_equal(report.image_count, 0);
    plot_report_free(&report);
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    struct plot_options options = options_of("all");
    struct sample_options run = small_run;
    check_refused(&options, STATUS_NOT_FOUND, "no plan.json");
    run.rounds = 0;
    sample_write(figure_directory, &run);
    check_refused(&options, STATUS_NOT_FOUND, "no records");
    sample_write(figure_directory, &small_run);
    options.figures = "heatmap,piechart";
    check_refused(&options, STATUS_NOT_FOUND, "'piechart'; known: all, bars, binding");
    options = options_of("all");
    options.metric = "beauty";
    check_refused(&options, STATUS_INVALID, "beauty");
    options = options_of("all");
    options.workloads = "nothing*";
    check_refused(&options, STATUS_NOT_FOUND, "nothing*");
}

/* One round, one workload, two back ends: the least there can be. */
static void test_smallest_run(void **state)
{
    (void)state;
    struct plot_report report;
    struct plot_options options = options_of("all");
    const struct sample_options run = {.backends = 2, .workloads = 1, .rounds = 1};
    sample_write(figure_directory, &run);
    draw(&options, &report);
    assert_int_equal(report.image_count, 7);
    for (size_t i = 0; i < report.image_count; i++) {
        check_svg(report.images[i].name);
    }
    plot_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_figure_is_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tables_have_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ratios_are_the_made_up_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures_look_like_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_row_names_are_in_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_names_are_only_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_captions_say_what_was_compared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_script_redraws_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_gnuplot_the_tables_are_written, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_every_metric_is_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_memory_pass_the_others_are_drawn, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_mistakes_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_smallest_run, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
