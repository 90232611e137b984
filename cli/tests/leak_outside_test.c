/* What LeakSanitizer, memcheck and heaptrack find of planted leaks, on malloc and on pools, bare
 * and annotated: runs them, prints the table, and holds annotated pools to what malloc gets.
 *   cli-leaks_outside_test [SEEDS]      (default 1) */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "leaks/reports.h"

struct outside_score {
    uint64_t planted;
    uint64_t found; /* of those planted */
    uint64_t wrong; /* reported, and not planted */
};

struct outside_case {
    enum leaks_report_format format;
    const char *program; /* of the plantings, "backend.variant" */
    bool with_possible;  /* memcheck's "possibly lost" counts */
    bool is_there;
    struct outside_score score;
};

static const char *const outside_kinds[] = {"lost", "cycle",  "stale", "large",
                                            "held", "header", "churn"};
enum { OUTSIDE_KINDS = sizeof(outside_kinds) / sizeof(outside_kinds[0]) };
static unsigned long outside_seeds = 1;

static bool outside_has(const char *tool)
{
    char *command = text_format("command -v %s >/dev/null 2>&1", tool);
    bool has = system(command) == 0; // NOLINT(cert-env33-c): a test's own words
    free(command);
    return has;
}

/* The program's own output goes to truth.json, the detector's to report.txt. */
static char *outside_command(const struct outside_case *test, const char *program, const char *kind,
                             unsigned long seed)
{
    switch (test->format) {
    case LEAKS_REPORT_LSAN:
        return text_format("ASAN_OPTIONS=detect_leaks=1 %s %s %lu >truth.json 2>report.txt",
                           program, kind, seed);
    case LEAKS_REPORT_MEMCHECK:
        return text_format("valgrind -q --leak-check=full --show-leak-kinds=all --xml=yes "
                           "--xml-file=report.txt %s %s %lu >truth.json 2>errors.txt",
                           program, kind, seed);
    case LEAKS_REPORT_HEAPTRACK:
    default:
        return text_format(
            "rm -f track.*; heaptrack -o track %s %s %lu 2>&1 | grep '^{' >truth.json; "
            "heaptrack_print -l 1 -a 0 -p 0 -T 0 -n 100000 -s 100000 track.* >report.txt 2>&1",
            program, kind, seed);
    }
}

static void outside_run(struct outside_case *test, const char *program, const char *kind,
                        unsigned long seed)
{
    struct leaks_report report;
    struct error error;
    char *command = outside_command(test, program, kind, seed);
    int status = system(command); // NOLINT(cert-env33-c): a test's own words
    (void)status;                 /* LeakSanitizer's says what it found */
    char *text = fixture_read("report.txt");
    char *truth_text = fixture_read("truth.json");
    json_t *truth = json_loads(truth_text, 0, NULL);
    if (truth == NULL || leaks_report_parse(test->format, text, &report, &error) != STATUS_OK) {
        fail_msg("%s: truth '%s', report '%s'", command, truth_text, text);
    }
    uint64_t right = leaks_report_blocks(&report, "plant_lost", test->with_possible);
    test->score.planted += (uint64_t)json_integer_value(json_object_get(truth, "lost_blocks"));
    test->score.found += right;
    test->score.wrong += leaks_report_blocks(&report, NULL, test->with_possible) - right;
    leaks_report_free(&report);
    json_decref(truth);
    free(truth_text);
    free(text);
    free(command);
}

static void outside_measure(struct outside_case *test)
{
    char *program =
        text_format("%s/heapmill_test_planting-%s", HEAPMILL_PLANTING_DIRECTORY, test->program);
    test->is_there = access(program, X_OK) == 0;
    for (unsigned long seed = 1; seed <= outside_seeds && test->is_there; seed++) {
        for (size_t kind = 0; kind < OUTSIDE_KINDS; kind++) {
            outside_run(test, program, outside_kinds[kind], seed);
        }
    }
    const struct outside_score *score = &test->score;
    if (test->is_there) {
        (void)printf("%-26s %-8s recall %.2f (%lu of %lu), precision %.2f (%lu wrong)\n",
                     test->program, test->with_possible ? "possibly" : "",
                     (double)score->found / (double)score->planted, (unsigned long)score->found,
                     (unsigned long)score->planted,
                     score->found + score->wrong == 0
                         ? 1.0
                         : (double)score->found / (double)(score->found + score->wrong),
                     (unsigned long)score->wrong);
    } else {
        (void)printf("%-26s SKIPPED: not built\n", test->program);
    }
    free(program);
}

/* The first case is malloc's; those from annotated on must reach its recall and its precision. */
static void outside_compare(struct outside_case *cases, size_t count, size_t annotated)
{
    for (size_t i = 0; i < count; i++) {
        outside_measure(&cases[i]);
        assert_true(cases[i].score.found <= cases[i].score.planted);
    }
    assert_true(cases[0].score.found > 0);
    for (size_t i = annotated; i < count && cases[i].is_there; i++) {
        assert_int_equal(cases[0].score.planted, cases[i].score.planted);
        assert_true(cases[i].score.found >= cases[0].score.found);
        assert_true(cases[i].score.wrong <= cases[0].score.wrong);
    }
}

static void outside_lsan(void **state)
{
    (void)state;
    struct outside_case cases[] = {
        {.program = "malloc.lsan-bare"},         {.program = "pymalloc-3.10.lsan-bare"},
        {.program = "freelist-2.7.lsan-bare"},   {.program = "pymalloc-3.10.lsan-roots"},
        {.program = "freelist-2.7.lsan-roots"},  {.program = "pymalloc-3.10.lsan-shadow"},
        {.program = "freelist-2.7.lsan-shadow"},
    };
    outside_compare(cases, sizeof(cases) / sizeof(cases[0]), 5);
    /* Root regions take the wrong reports away, and can bring no pool block to light. */
    assert_true(cases[1].score.wrong > 0);
    assert_int_equal(0, cases[3].score.wrong);
    assert_int_equal(cases[1].score.found, cases[3].score.found);
    assert_true(cases[1].score.found < cases[0].score.found);
}

static void outside_memcheck(void **state)
{
    (void)state;
    if (!outside_has("valgrind")) {
        print_message("SKIPPED: valgrind is absent: apt-get install valgrind\n");
        skip();
    }
    struct outside_case cases[] = {
        {.program = "malloc.bare"},           {.program = "pymalloc-3.10.bare"},
        {.program = "freelist-2.7.bare"},     {.program = "pymalloc-3.10.memcheck"},
        {.program = "freelist-2.7.memcheck"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cases[i].format = LEAKS_REPORT_MEMCHECK;
    }
    outside_compare(cases, sizeof(cases) / sizeof(cases[0]), 3);
    assert_true(cases[1].score.found < cases[0].score.found);
    assert_int_equal(0, cases[3].score.wrong);
    /* Pointers behind a header make live blocks "possibly lost". */
    struct outside_case possible = {.format = LEAKS_REPORT_MEMCHECK,
                                    .program = "pymalloc-3.10.memcheck",
                                    .with_possible = true};
    outside_measure(&possible);
    assert_true(!possible.is_there || possible.score.wrong > 0);
}

static void outside_heaptrack(void **state)
{
    (void)state;
    if (!outside_has("heaptrack")) {
        print_message("SKIPPED: heaptrack is absent: apt-get install heaptrack\n");
        skip();
    }
    struct outside_case malloc_case = {.format = LEAKS_REPORT_HEAPTRACK, .program = "malloc.bare"};
    outside_measure(&malloc_case);
    /* It says what was not freed, reachable or not: all that leaks, and all that lives. */
    assert_int_equal(malloc_case.score.planted, malloc_case.score.found);
    assert_true(malloc_case.score.wrong > malloc_case.score.found);
}

int main(int argc, char **argv)
{
#ifdef HEAPMILL_SANITIZED
    (void)fputs("SKIPPED: detectors have builds of their own; this one has a sanitizer\n", stderr);
    return 77;
#endif
    outside_seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    fixture_enter();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_lsan),
        cmocka_unit_test(outside_memcheck),
        cmocka_unit_test(outside_heaptrack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
