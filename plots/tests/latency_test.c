/* The latency figure of a run whose histograms are known: where its curves go and end, and what it
 * says of the timer. */
#include "plots/plot.h"
#include "plots/tests/figure_files.h"

enum { ROUNDS = 2, BACKENDS = 3 };

static const struct sample_options one_workload = {
    .backends = BACKENDS, .workloads = 1, .rounds = ROUNDS};

static int setup(void **state)
{
    (void)state;
    sample_directory(figure_directory);
    sample_write(figure_directory, &one_workload);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sample_remove(figure_directory);
    return 0;
}

/* Of 100 000 allocations in a round 90% took 20 ns, 9.9% 50 ns, 99 took 400 ns and one 90 us; of
 * 1000 frees all took 10 ns. Times grow with the back end. */
static json_t *latency_of(size_t backend)
{
    double unit = (double)backend + 1;
    json_t *latency = json_pack(
        "{s:s, s:f, s:f, s:{s:i, s:[[f,i],[f,i],[f,i],[f,i]]}, s:{s:i, s:[[f,i]]}, s:{s:i, s:[]}}",
        "timer", "rdtscp", "timer_ns_per_tick", 0.5, "timer_cost_ns", 18.0, "alloc", "count",
        100000, "buckets", 20 * unit, 90000, 50 * unit, 9900, 400 * unit, 99, 9e4 * unit, 1, "free",
        "count", 1000, "buckets", 10 * unit, 1000, "resize", "count", 0, "buckets");
    assert_non_null(latency);
    return latency;
}

static void add_latency_pass(void)
{
    char path[SAMPLE_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/records.jsonl", figure_directory);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t b = 0; b < BACKENDS; b++) {
            json_t *cell = sample_cell(&one_workload, 0, b, 0);
            json_t *record = sample_record(json_string_value(json_object_get(cell, "id")),
                                           "latency", round, "ok");
            assert_int_equal(0, json_object_set_new(record, "latency", latency_of(b)));
            sample_write_line(file, record);
            json_decref(cell);
        }
    }
    assert_int_equal(0, fclose(file));
}

static size_t draw(struct plot_report *report)
{
    struct error error = {.message = ""};
    const struct plot_options options = {.input = figure_directory,
                                         .figures = "latency",
                                         .formats = PICTURE_SVG | PICTURE_PNG,
                                         .command = "heapmill plot sample"};
    if (plot_draw(&options, report, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    return report->image_count;
}

static void assert_table_has(const char *line)
{
    if (count_lines_with("latency-int_churn", line) != 1) {
        char *table = read_output("latency-int_churn", "tsv", NULL);
        fail_msg("not once \"%s\" in\n%s", line, table);
    }
}

static void test_curves_join_the_rounds_and_end_in_time(void **state)
{
    (void)state;
    struct plot_report report;
    add_latency_pass();
    assert_int_equal(draw(&report), 1);
    check_svg("latency-int_churn");
    check_png("latency-int_churn");
    /* x is one in so many: 90% are the fastest nine of ten, 99.9% all but one in a thousand. The
     * two slowest of both rounds are too few for a point. */
    assert_table_has("10\t20\tmalloc:preload\t");
    assert_table_has("1000\t50\tmalloc:preload\t");
    assert_table_has("1000\t100\tnull:inline\t");
    assert_int_equal(count_lines_with("latency-int_churn", "\t90000\t"), 0);
    assert_int_equal(count_lines_with("latency-int_churn", "\t400\tmalloc"), 0);
    plot_report_free(&report);
}

static void test_the_timer_and_its_cost_are_said(void **state)
{
    (void)state;
    struct plot_report report;
    add_latency_pass();
    assert_int_equal(draw(&report), 1);
    char *svg = read_output("latency-int_churn", "svg", NULL);
    assert_non_null(strstr(svg, "The timer (rdtscp) takes 18 ns itself"));
    free(svg);
    plot_report_free(&report);
}

static void test_a_run_without_the_pass_says_how_to_get_it(void **state)
{
    (void)state;
    struct plot_report report;
    assert_int_equal(draw(&report), 0);
    assert_int_equal(report.note_count, 1);
    assert_non_null(strstr(report.notes[0], "bench --latency"));
    plot_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_curves_join_the_rounds_and_end_in_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_timer_and_its_cost_are_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_run_without_the_pass_says_how_to_get_it, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
