/* The picture of a calibration: what its table says is what was counted. */
#include "plots/power_figure.h"

#include "plots/gnuplot.h"
#include "plots/tests/figure_files.h"

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

/* Twelve rounds: limits 6, 8, 10 and the end. */
static struct power made_up_power(void)
{
    struct power power = {
        .slowdowns = {0, 5}, .slowdown_count = 2, .rounds_max = 12, .rounds_sum = 12, .groups = 1};
    for (size_t limit = 0; limit < POWER_LIMITS_MAX; limit++) {
        power.shares[0][limit] = (struct power_share){.told = 5, .comparisons = 200};
        power.shares[1][limit] =
            (struct power_share){.told = limit < 2 ? 10 : 48, .comparisons = 50};
    }
    return power;
}

static void test_the_table_has_each_share_with_its_interval(void **state)
{
    (void)state;
    char output[SAMPLE_PATH_MAX + 8];
    struct error error = {.message = ""};
    const struct power power = made_up_power();
    (void)snprintf(output, sizeof output, "%s/plots", figure_directory);
    const struct image_options options = {.output = output,
                                          .command = "heapmill calibrate made-up",
                                          .formats = PICTURE_SVG | PICTURE_PNG};
    if (power_figure_draw(&options, &power, "An imagined machine.", &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    check_svg("power");
    check_png("power");
    assert_int_equal(count_lines_with("power", "\t5\t200"), 4);
    assert_int_equal(count_lines_with("power", "\t10\t50"), 2);
    assert_int_equal(count_lines_with("power", "\t48\t50"), 2);
    char *table = read_output("power", "tsv", NULL);
    double rounds, rate, low, high;
    const char *last = strstr(table, "\n5\t12\t"); /* the end, and not 14 or more */
    assert_non_null(last);
    assert_int_equal(sscanf(last, "\n5 %lf %lf %lf %lf", &rounds, &rate, &low, &high), 4);
    assert_true(fabs(rate - 0.96) < 1e-9);
    assert_true(fabs(low - 0.8629) < 1e-3 && fabs(high - 0.9951) < 1e-3); /* Clopper, Pearson */
    assert_null(strstr(table, "\n5\t14\t"));
    free(table);
    assert_int_equal(count_texts("power", "5% more work"), 1);
    assert_int_equal(count_texts("power", "none (A/A pairs)"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_table_has_each_share_with_its_interval, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
