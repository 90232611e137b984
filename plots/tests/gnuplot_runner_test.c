/* Whatever gnuplot does, there is a whole picture afterwards or none. */
#include "plots/tests/sample_run.h"

#include <dirent.h>
#include <time.h>

#include "plots/gnuplot.h"

static char directory[SAMPLE_PATH_MAX];

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[SAMPLE_PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(0, fclose(file));
    assert_int_equal(0, chmod(path, mode));
}

static bool exists(const char *name)
{
    char path[SAMPLE_PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

/* Files besides the script and the pretended gnuplot. */
static int count_other_files(void)
{
    DIR *handle = opendir(directory);
    assert_non_null(handle);
    int count = 0;
    for (struct dirent *entry = readdir(handle); entry; entry = readdir(handle)) {
        const char *name = entry->d_name;
        count += strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                 strcmp(name, "figure.gp") != 0 && strcmp(name, "pretended") != 0;
    }
    (void)closedir(handle);
    return count;
}

static enum status run(const char *program, double timeout_s, struct error *error)
{
    const struct gnuplot_job job = {
        .program = program,
        .directory = directory,
        .name = "figure",
        .formats = PICTURE_SVG | PICTURE_PNG,
        .timeout_s = timeout_s,
    };
    return gnuplot_run(&job, error);
}

/* A pretended gnuplot: a shell script. It gets -d -e VARIABLES figure.gp. */
static enum status run_pretended(const char *body, double timeout_s, struct error *error)
{
    char text[2048];
    char program[SAMPLE_PATH_MAX + 64];
    (void)snprintf(
        text, sizeof text,
        "#!/bin/sh\neval \"$(echo \"$3\" | tr -d ' ' | tr ';' '\\n' | grep target)\"\n%s", body);
    write_file("pretended", text, 0755);
    (void)snprintf(program, sizeof program, "%s/pretended", directory);
    return run(program, timeout_s, error);
}

static int setup(void **state)
{
    (void)state;
    sample_directory(directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sample_remove(directory);
    return 0;
}

static const char good_script[] = "do for [format in formats] {\n"
                                  "  if (format eq 'svg') { set terminal svg }\n"
                                  "  if (format eq 'png') { set terminal pngcairo }\n"
                                  "  set output target.'.'.format\n"
                                  "  plot x\n"
                                  "  unset output\n"
                                  "}\n";

static void test_draws_both(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    write_file("figure.gp", good_script, 0644);
    assert_int_equal(run("gnuplot", 60, &error), STATUS_OK);
    assert_true(exists("figure.svg") && exists("figure.png"));
    assert_int_equal(count_other_files(), 2);
}

static void test_error_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    write_file("figure.gp", good_script, 0644);
    assert_int_equal(run("gnuplot", 60, &error), STATUS_OK);
    /* The SVG is complete when the PNG fails. */
    write_file("figure.gp",
               "do for [format in formats] {\n  if (format eq 'png') { set terminal pngcairo; set "
               "output target.'.png'; plot x, no_such_function(x) }\n"
               "  if (format eq 'svg') { set terminal svg; set output target.'.svg'; plot x; unset "
               "output }\n}\n",
               0644);
    assert_int_equal(run("gnuplot", 60, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "no_such_function"));
    assert_int_equal(count_other_files(), 0); /* nor the pictures of the run before */
}

static void test_half_written_picture_is_refused(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    assert_int_equal(
        run_pretended("printf '<svg><g></g></svg>                    \\n' > $target.svg\n"
                      "printf '\\211PNG and then the disk was full' > $target.png\n",
                      60, &error),
        STATUS_IO);
    assert_non_null(strstr(error.message, "no whole png"));
    assert_int_equal(count_other_files(), 0);
}

static void test_hanging_program_is_killed(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    time_t before = time(NULL);
    assert_int_equal(run_pretended("printf x > $target.svg\nexec sleep 60\n", 0.3, &error),
                     STATUS_IO);
    assert_true(time(NULL) - before < 20);
    assert_non_null(strstr(error.message, "killed"));
    assert_int_equal(count_other_files(), 0);
}

static void test_crash_is_a_failure(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    assert_int_equal(run_pretended("kill -SEGV $$\n", 60, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "signal 11"));
    assert_int_equal(count_other_files(), 0);
}

static void test_talkative_program_does_not_block(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    assert_int_equal(run_pretended("i=0; while [ $i -lt 20000 ]; do echo 'noise noise' >&2; "
                                   "i=$((i+1)); done; echo the end >&2; exit 1\n",
                                   60, &error),
                     STATUS_IO);
    assert_non_null(strstr(error.message, "the end"));
    assert_null(strchr(error.message, '\n'));
}

static void test_absent_program(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    write_file("figure.gp", good_script, 0644);
    assert_int_equal(run("gnuplot-that-is-not-there", 60, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "gnuplot-that-is-not-there"));
    assert_int_equal(count_other_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_draws_both, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error_in_the_middle_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_written_picture_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hanging_program_is_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crash_is_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_talkative_program_does_not_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent_program, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
