/* The figures over an axis, and those of no run: what their tables say is what was recorded. */
#include "plots/heap_figure.h"
#include "plots/plot.h"
#include "plots/tests/figure_files.h"
#include "plots/trace_figure.h"
#include "plots/waste_figure.h"

/* Up to pymalloc-3.10's four arms, and churn with two sizes of what is live. */
static const struct sample_options wide_run = {
    .backends = 9, .workloads = 10, .rounds = SAMPLE_ROUNDS};

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

static void draw(const char *figure)
{
    struct error error = {.message = ""};
    struct plot_report report;
    const struct plot_options options = {.input = figure_directory,
                                         .figures = figure,
                                         .formats = PICTURE_SVG | PICTURE_PNG,
                                         .command = "heapmill plot sample"};
    sample_write(figure_directory, &wide_run);
    if (plot_draw(&options, &report, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(report.image_count, 1);
    check_svg(figure);
    check_png(figure);
    plot_report_free(&report);
}

/* The time that sample_run.h makes up, but for its noise. */
static double made_up_ns(size_t workload, size_t backend)
{
    double character = backend == 0 ? 1 : 1 + 0.25 * sin((double)(workload * 7 + backend * 3));
    return sample_workloads[workload].time_ns * sample_backends[backend].time * character;
}

static void test_scaling_has_a_point_for_each_size(void **state)
{
    (void)state;
    draw("scaling");
    char *table = read_output("scaling", "tsv", NULL);
    /* One panel, churn's, with two points a row. */
    assert_int_equal(count_lines_with("scaling", "\tchurn"), 2 * 9);
    const char *null = strstr(table, "\tnull:inline\t");
    assert_non_null(null);
    while (null > table && null[-1] != '\n') {
        null--;
    }
    double x, y, x_next, y_next;
    assert_int_equal(sscanf(null, "%lf %lf %*s %*s %lf %lf", &x, &y, &x_next, &y_next), 4);
    assert_true(fabs(x / 2.6e6 - 1) < 0.05);
    assert_true(fabs(x_next / 2.6e7 - 1) < 0.05);
    assert_true(fabs(y / made_up_ns(8, 1) - 1) < 0.03);
    assert_true(fabs(y_next / made_up_ns(9, 1) - 1) < 0.03);
    free(table);
}

static void test_binding_divides_arms_of_one_back_end(void **state)
{
    (void)state;
    draw("binding");
    assert_int_equal(count_lines_with("binding", "\tcall / inline\t"), 10);
    assert_int_equal(count_lines_with("binding", "\tcall-sized / call\t"), 10);
    assert_int_equal(count_lines_with("binding", "\tpreload / call\t"), 10);
    assert_int_equal(count_lines_with("binding", "pymalloc-3.10"), 30);
    char *table = read_output("binding", "tsv", NULL);
    const char *first = strstr(table, "\tint_churn\tcall / inline\t");
    assert_non_null(first);
    while (first > table && first[-1] != '\n') {
        first--;
    }
    double ratio, low, high;
    assert_int_equal(sscanf(first, "%lf %lf %lf", &ratio, &low, &high), 3);
    double expected = made_up_ns(0, 6) / made_up_ns(0, 5);
    assert_true(fabs(ratio / expected - 1) < 0.03);
    assert_true(low <= ratio && ratio <= high);
    free(table);
}

/* Everyone begins at 100%; who keeps everything stays there. */
static void test_drain_begins_at_all_that_is_held(void **state)
{
    (void)state;
    draw("drain");
    char *table = read_output("drain", "tsv", NULL);
    char *rest;
    int begins = 0, of_bump = 0;
    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        double x, y;
        char name[64];
        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%lf\t%lf\t%63[^\t]", &x, &y, name), 3);
        begins += x == 0;
        assert_true(x != 0 || y == 100);
        assert_true(y > 0 && y <= 100);
        if (strcmp(name, "bump:inline") == 0) {
            assert_true(y == 100);
            of_bump++;
        }
    }
    assert_int_equal(begins, 9 * 10);
    assert_int_equal(of_bump, 10 * (SAMPLE_POINTS - 42));
    free(table);
}

/* ---------------------------------------------------------------- of no run */
static struct image_options image_options_of(char output[SAMPLE_PATH_MAX + 16])
{
    (void)snprintf(output, SAMPLE_PATH_MAX + 16, "%s/plots", figure_directory);
    return (struct image_options){
        .output = output, .command = "heapmill test", .formats = PICTURE_SVG | PICTURE_PNG};
}

static enum status draw_map(const char *text, size_t *frames, struct error *error)
{
    char output[SAMPLE_PATH_MAX + 16];
    char path[SAMPLE_PATH_MAX + 16];
    struct image_options options = image_options_of(output);
    (void)snprintf(path, sizeof path, "%s/maps.txt", figure_directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(0, fclose(file));
    return heap_figure_draw(&options, path, "map", "A made-up heap", frames, error);
}

static const char two_frames[] = "map\t10\t-\t7\t224\t8192\t0\t0\t1\n"
                                 "arena\t0\t8192\n"
                                 "pool\t0\t4096\t32\t5L2F3N\n"
                                 "pool\t4096\t4096\t0\t\n"
                                 "arena\t1\t4096\n"
                                 "pool\t0\t4096\t48\t2L1C\n"
                                 "end\n"
                                 "map\t1234567\tdropped\t5\t160\t4096\t1\t1000\t0\n"
                                 "arena\t0\t8192\n"
                                 "pool\t0\t4096\t32\t10F\n"
                                 "pool\t4096\t4096\t0\t\n"
                                 "large\t0\t992\t24\t4L1C\n"
                                 "end\n";

/* The blocks of a kind in the frame, by the table's rectangles. */
static size_t count_blocks(int kind, int frame)
{
    char *table = read_output("map", "tsv", NULL);
    size_t sum = 0;
    char *rest;
    for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int of_kind, of_frame;
        size_t blocks;
        if (sscanf(line, "%d\t%*f\t%*f\t%*f\t%*f\t%d\t%*u\t%*[^\t]\t%*u\t%*u\t%*u\t%zu", &of_kind,
                   &of_frame, &blocks) == 3 &&
            of_kind == kind && of_frame == frame) {
            sum += blocks;
        }
    }
    free(table);
    return sum;
}

static void test_map_shows_each_block_once(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    size_t frames = 0;
    assert_int_equal(draw_map(two_frames, &frames, &error), STATUS_OK);
    assert_int_equal(frames, 2);
    const size_t expected[2][4] = {{7, 1, 2, 3}, {4, 1, 10, 0}};
    for (int frame = 0; frame < 2; frame++) {
        for (int kind = 0; kind < 4; kind++) {
            assert_int_equal(count_blocks(kind, frame + 1), expected[frame][kind]);
        }
    }
    check_svg("map");
    check_png("map");
    /* Said in the picture: grouped digits, the phase, the arena that is gone. */
    assert_int_equal(count_texts("map", "after 1,234,567 operations, in the phase “dropped”"), 1);
    assert_int_equal(count_texts("map", "arena 1: given back to the system"), 1);
    assert_int_equal(count_texts("map", "32"), 2);
}

static void test_map_files_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "map\t10\t-\t7\t224\t8192\t0\t0\t1\narena\t0\t8192\n",             /* cut short */
        "pool\t0\t4096\t32\t5L\nend\n",                                    /* before any map */
        "map\t10\t-\t7\t224\t8192\t0\t0\t1\npool\t0\t4096\t32\t5L\nend\n", /* in no arena */
        "map\tten\t-\t7\t224\t8192\t0\t0\t1\nend\n",
        "map\t10\t-\t7\t224\t8192\t0\t0\t1\nwhat\nend\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {.message = ""};
        size_t frames = 0;
        assert_int_equal(draw_map(bad[i], &frames, &error), STATUS_CORRUPT);
    }
    struct error error = {.message = ""};
    size_t frames = 0;
    assert_int_equal(draw_map("", &frames, &error), STATUS_NOT_FOUND);
}

/* More arenas than any picture holds: it is drawn all the same, and says how many are left out. */
static void test_map_of_a_large_heap_says_what_is_left_out(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    size_t frames = 0;
    enum { ARENAS = 300 };
    static char text[ARENAS * 2000];
    size_t length = (size_t)sprintf(text, "map\t10\t-\t7\t224\t8192\t0\t0\t1\n");
    for (int arena = 0; arena < ARENAS; arena++) {
        length += (size_t)sprintf(text + length, "arena\t%d\t262144\n", arena);
        for (int pool = 0; pool < 64; pool++) {
            length += (size_t)sprintf(text + length, "pool\t%d\t4096\t32\t9L\n", pool * 4096);
        }
    }
    (void)sprintf(text + length, "end\n");
    assert_int_equal(draw_map(text, &frames, &error), STATUS_OK);
    char *svg = read_output("map", "svg", NULL);
    assert_non_null(strstr(svg, "more arenas are not drawn"));
    free(svg);
}

static void test_waste_is_usable_less_requested(void **state)
{
    (void)state;
    char output[SAMPLE_PATH_MAX + 16];
    struct error error = {.message = ""};
    struct image_options options = image_options_of(output);
    static const double sixteen[] = {16, 16, 16, 16};
    static const double exact[] = {1, 2, 3, 4};
    const struct waste_curve of[] = {{"coarse:inline", "coarse", "inline", sixteen, 4},
                                     {"exact:inline", "exact", "inline", exact, 4}};
    assert_int_equal(waste_figure_draw(&options, of, 2, "", &error), STATUS_OK);
    check_svg("waste");
    check_png("waste");
    assert_int_equal(count_lines_with("waste", "\tcoarse:inline\t"), 4);
    assert_int_equal(count_lines_with("waste", "3\t13\tcoarse:inline\t"), 1);
    assert_int_equal(count_lines_with("waste", "3\t0\texact:inline\t"), 1);
    assert_int_equal(count_texts("waste", "coarse:inline: 84.4% over all sizes"), 1);
}

static void test_trace_is_drawn(void **state)
{
    (void)state;
    char output[SAMPLE_PATH_MAX + 16];
    struct error error = {.message = ""};
    struct image_options options = image_options_of(output);
    json_t *info = json_pack(
        "{ss s[[ii][ii]] s[{si si sf}{si si sf}] s[{si si sf}] s[{si si sf}{sn sn sf}]}", "file",
        "app.hmtrace", "curve", 10, 1 << 20, 20, 3 << 20, "sizes", "from", 17, "to", 32, "share",
        0.25, "from", 33, "to", 64, "share", 0.75, "lifetimes", "from", 0, "to", 1, "share", 1.0,
        "reuse", "from", 0, "to", 1, "share", 0.5, "from", "to", "share", 0.5);
    assert_non_null(info);
    assert_int_equal(trace_figure_draw(&options, info, &error), STATUS_OK);
    check_svg("trace");
    check_png("trace");
    assert_int_equal(count_lines_with("trace", "20\t3\t"), 1);
    assert_int_equal(count_lines_with("trace", "64\t100\t"), 1);
    assert_int_equal(count_lines_with("trace", "1\t50\t"), 1); /* the other half never was there */
    json_decref(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scaling_has_a_point_for_each_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_binding_divides_arms_of_one_back_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drain_begins_at_all_that_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_shows_each_block_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_files_that_are_none_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_of_a_large_heap_says_what_is_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_waste_is_usable_less_requested, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trace_is_drawn, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
