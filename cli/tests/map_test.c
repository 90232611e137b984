/* `heapmill map` and `heapmill waste`, as a user calls them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"

/* Blocks of a kind in the frames after so many operations, by the table's rectangles. */
static uint64_t map_count(const char *table, int kind, uint64_t operations)
{
    uint64_t sum = 0;
    for (const char *line = table; line != NULL && *line != '\0';) {
        int of_kind;
        uint64_t at, blocks;
        if (sscanf(line,
                   "%d\t%*f\t%*f\t%*f\t%*f\t%*u\t%" SCNu64 "\t%*[^\t]\t%*u\t%*u\t%*u\t%" SCNu64,
                   &of_kind, &at, &blocks) == 3 &&
            of_kind == kind && at == operations) {
            sum += blocks;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return sum;
}

static void map_shows_what_the_workload_did(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run(
        (const char *const[]){"map", "-b", "pymalloc-3.10", "-w", "type_shift", "-p", "live=3000",
                              "--at", "0,3000,6000,100%", "-o", "maps", "--format", "svg", NULL});
    if (outcome.status != 0) {
        fail_msg("%s", outcome.err);
    }
    assert_non_null(strstr(outcome.out, "maps/map-pymalloc-3.10-type_shift.svg"));
    assert_int_equal(0, access("maps/map-pymalloc-3.10-type_shift.svg", R_OK));
    assert_int_not_equal(0, access("maps/map-pymalloc-3.10-type_shift.png", R_OK));
    char *table = fixture_read("maps/map-pymalloc-3.10-type_shift.tsv");
    /* What is there before the ints is the interned ones'; between, the 3000 come and go. */
    uint64_t before = map_count(table, 0, 0);
    assert_true(before > 0);
    assert_int_equal(map_count(table, 0, 3000), before + 3000);
    assert_int_equal(map_count(table, 0, 6000), before);
    assert_int_equal(map_count(table, 0, 9000), before + 3000);
    assert_true(map_count(table, 2, 6000) >= 3000); /* freed, on their pools' lists */
    free(table);
    fixture_outcome_free(&outcome);
}

/* A steady workload's iterations are single operations, and still its frames differ. */
static void map_frames_are_spread(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"map", "-b", "pymalloc-3.10", "-w", "churn", "-p",
                                          "live=500", "--frames", "3", "--format", "png", NULL});
    assert_int_equal(outcome.status, 0);
    char *table = fixture_read("map-pymalloc-3.10-churn.tsv");
    size_t frames = 0;
    for (const char *at = table; (at = strstr(at, "\n3\t")) != NULL; at++) {
        frames += strstr(at, "after ") != NULL && strstr(at, "after ") < strchr(at + 1, '\n');
    }
    assert_int_equal(frames, 3);
    free(table);
    fixture_outcome_free(&outcome);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[12];
        const char *remedy;
    } wrong[] = {
        {{"map"}, "a back end is missing"},
        {{"map", "-b", "malloc", "-w", "batch"}, "these can: "},
        {{"map", "-b", "malloc", "-w", "batch"}, "pymalloc-3.10"},
#ifdef HEAPMILL_SANITIZED /* no preload library is built */
        {{"map", "-b", "pymalloc-3.10:preload", "-w", "batch"}, "only: inline"},
#else
        {{"map", "-b", "pymalloc-3.10:preload", "-w", "batch"}, "leave the arm out"},
#endif
        {{"map", "-b", "pymalloc-3.10,malloc", "-w", "batch"}, "a map is of one"},
        {{"map", "-b", "pymalloc-3.10", "-w", "*"}, "a map is of one"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "-p", "live=10,20"}, "a map is of one"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "--at", "1e12"}, "the run ends after"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "--at", "150%"}, "50%"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "--at", "soon"}, "number of operations"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "--frames", "0"}, "from 1 to 24"},
        {{"map", "-b", "pymalloc-3.10", "-w", "batch", "--format", "gif"}, "svg, png"},
        {{"waste", "-b", "null"}, "null:inline"},
        {{"waste", "here"}, "waste --help"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct fixture_outcome outcome = fixture_run(wrong[i].arguments);
        if (outcome.status != 2 || strstr(outcome.err, wrong[i].remedy) == NULL) {
            fail_msg("line %zu: status %d, \"%s\" without \"%s\"", i, outcome.status, outcome.err,
                     wrong[i].remedy);
        }
        fixture_outcome_free(&outcome);
    }
}

/* Sizes go up by 16 to 512 and are the system malloc's beyond. */
static void waste_knows_the_size_classes(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run(
        (const char *const[]){"waste", "-b", "pymalloc-3.10:inline,null", "-o", "waste", NULL});
    assert_int_equal(outcome.status, 0);
    char *table = fixture_read("waste/waste.tsv");
    assert_non_null(strstr(table, "\n1\t15\tpymalloc-3.10:inline\t"));
    assert_non_null(strstr(table, "\n16\t0\tpymalloc-3.10:inline\t"));
    assert_non_null(strstr(table, "\n497\t15\tpymalloc-3.10:inline\t"));
    assert_non_null(strstr(table, "\n512\t0\tpymalloc-3.10:inline\t"));
    char *script = fixture_read("waste/waste.gp");
    assert_non_null(strstr(script, "could not be run: null:inline"));
    free(script);
    free(table);
    fixture_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_shows_what_the_workload_did),
        cmocka_unit_test(map_frames_are_spread),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(waste_knows_the_size_classes),
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
