/* The subcommands of `heapmill fuzz` that serve a campaign: build, coverage, regress, tmin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/files.h"
#include "common/host/text.h"

#define RUN(...) fixture_run((const char *const[]){"fuzz", __VA_ARGS__, NULL})

/* Two operations that the toy's defects do not like: the argument 2 behind 1. */
enum { HEADER_BYTES = 18, OPERATIONS = 40, INPUT_BYTES = HEADER_BYTES + 2 * OPERATIONS };

static void write_input(const char *path, bool fails)
{
    uint8_t bytes[INPUT_BYTES];
    struct error error;
    memset(bytes, 0x35, sizeof(bytes));
    bytes[HEADER_BYTES + 2 * 20 + 1] = fails ? 1 : 3;
    bytes[HEADER_BYTES + 2 * 21 + 1] = 2;
    assert_int_equal(file_write(path, bytes, sizeof(bytes), &error), STATUS_OK);
}

static char *toy_path(const char *tree, const char *suffix)
{
    return text_format("%s/%s/bin/heapmill-fuzz-toy%s", HEAPMILL_TEST_TREES, tree, suffix);
}

/* ---------------------------------------------------------------- tmin */
static void expect_minimised(const char *name)
{
    char *output = text_format("%s.min", name);
    struct fixture_outcome outcome = RUN("tmin", name, "-t", "toy", "--bug", "defects", "--json");
    json_t *all = fixture_json(&outcome, 0);
    assert_string_equal(fixture_text(all, "kind"), "oracle toy-pair");
    assert_string_equal(fixture_text(all, "text"), "2 after 1");
    assert_string_equal(fixture_text(all, "output"), output);
    assert_int_equal(json_integer_value(json_object_get(all, "bytes_before")), INPUT_BYTES);
    assert_int_equal(json_integer_value(json_object_get(all, "bytes")), HEADER_BYTES + 4);
    assert_true(json_integer_value(json_object_get(all, "tests")) > 4);
    json_decref(all);
    fixture_outcome_free(&outcome);
    char *bytes;
    size_t size;
    struct error error;
    assert_int_equal(file_read(output, &bytes, &size, &error), STATUS_OK);
    assert_int_equal(size, HEADER_BYTES + 4);
    for (size_t i = 0; i < HEADER_BYTES; i++) {
        assert_int_equal(bytes[i], 0);
    }
    assert_memory_equal(bytes + HEADER_BYTES, "\0\1\0\2", 4);
    free(bytes);
    free(output);
}

static void tmin_leaves_what_is_needed(void **state)
{
    (void)state;
    write_input("pair", true);
    expect_minimised("pair");
}

/* Each engine's binary reduces by itself; the trees of the others are not in this one's way. */
static void tmin_works_in_the_builds_of_the_engines(void **state)
{
    static const char *const trees[] = {"fuzz-libfuzzer", "fuzz-afl"};
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        char *program = toy_path(trees[i], "+defects");
        char *folder = text_format("only/%s/bin", trees[i]);
        char *copy = text_format("%s/heapmill-fuzz-toy+defects", folder);
        struct error error;
        if (access(program, X_OK) == 0) {
            assert_int_equal(file_make_directory("only", &error), STATUS_OK);
            assert_int_equal(file_make_directory(folder, &error), STATUS_OK);
            assert_int_equal(symlink(program, copy), 0);
            assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", "only", 1), 0);
            write_input(trees[i], true);
            expect_minimised(trees[i]);
            assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
            assert_int_equal(unlink(copy), 0);
            tried++;
        }
        free(copy);
        free(folder);
        free(program);
    }
    if (tried == 0) {
        (void)fprintf(stderr, "skipped: neither clang nor afl++ is there\n");
        skip();
    }
}

static void tmin_refuses_what_passes(void **state)
{
    (void)state;
    write_input("passes", false);
    struct fixture_outcome outcome = RUN("tmin", "passes", "-t", "toy", "--bug", "defects");
    assert_int_equal(outcome.status, 2);
    assert_non_null(strstr(outcome.err, "does not fail"));
    fixture_outcome_free(&outcome);
    fixture_expect(RUN("tmin", "absent", "-t", "toy"), 2);
    fixture_expect(RUN("tmin", "passes"), 2); /* whose input? */
    assert_int_not_equal(access("passes.min", F_OK), 0);
}

/* ---------------------------------------------------------------- regress */
/* One program's row of `fuzz regress --json`. */
static void expect_regress(const char *tree_list, int status, const char *verdict,
                           const char *failed)
{
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", tree_list, 1), 0);
    struct fixture_outcome outcome = RUN("regress", "toy", "--corpus", "inputs", "--json");
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
    json_t *all = fixture_json(&outcome, status);
    assert_int_equal(json_array_size(all), 1);
    const json_t *row = json_array_get(all, 0);
    assert_string_equal(fixture_text(row, "program"), "toy");
    assert_string_equal(fixture_text(row, "status"), verdict);
    assert_int_equal(json_integer_value(json_object_get(row, "inputs")), 2);
    const json_t *names = json_object_get(row, "failed");
    assert_int_equal(json_array_size(names), failed != NULL ? 1 : 0);
    if (failed != NULL) {
        assert_string_equal(json_string_value(json_array_get(names, 0)), failed);
    }
    json_decref(all);
    fixture_outcome_free(&outcome);
}

static void regress_names_the_inputs_that_fail(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(file_make_directory("inputs", &error), STATUS_OK);
    write_input("inputs/bad", true);
    write_input("inputs/good", false);
    expect_regress(HEAPMILL_TEST_TREES, 0, "ok", NULL);
    /* The defects under the clean target's name: a regression. */
    char *defects = toy_path("ordinary", "+defects");
    assert_int_equal(file_make_directory("regressed", &error), STATUS_OK);
    assert_int_equal(file_make_directory("regressed/ordinary/bin", &error), STATUS_OK);
    assert_int_equal(symlink(defects, "regressed/ordinary/bin/heapmill-fuzz-toy"), 0);
    expect_regress("regressed", 1, "failed", "inputs/bad");
    free(defects);
}

static void regress_without_a_target_is_no_success(void **state)
{
    (void)state;
    struct fixture_outcome outcome = RUN("regress", "tyo");
    assert_int_equal(outcome.status, 3);
    assert_non_null(strstr(outcome.err, "heapmill fuzz list"));
    fixture_outcome_free(&outcome);
}

/* ---------------------------------------------------------------- build, coverage */
static void build_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    fixture_expect(RUN("build", "gcc"), 2);
    fixture_expect(RUN("build", "random", "--jobs", "0"), 2);
    struct fixture_outcome outcome = RUN("build", "random", "--target", "heapmill-fuzz-absent");
    assert_int_equal(outcome.status, 3);
    assert_non_null(strstr(outcome.err, "the build failed"));
    fixture_outcome_free(&outcome);
}

/* A real tree, of one small target: configured, built, replayed. */
static void coverage_counts_lines_of_a_build_of_its_own(void **state)
{
    (void)state;
    if (!HEAPMILL_TEST_COVERAGE) {
        (void)fprintf(stderr, "skipped: clang or llvm-cov is absent: apt-get install clang llvm\n");
        skip();
    }
    struct error error;
    char *tree = text_format("%s/..", HEAPMILL_TEST_PROGRAMS);
    assert_int_equal(file_make_directory("trees", &error), STATUS_OK);
    assert_int_equal(symlink(tree, "trees/ordinary"), 0);
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", "trees", 1), 0);
    fixture_expect(RUN("coverage", "block_ops", "-b", "malloc", "--no-build"), 3); /* none yet */
    fixture_expect(RUN("build", "coverage", "--target", "heapmill-fuzz-block_ops.malloc"), 0);
    assert_int_equal(access("trees/fuzz-coverage/bin/heapmill-fuzz-block_ops.malloc", X_OK), 0);
    struct fixture_outcome outcome =
        RUN("coverage", "block_ops", "-b", "malloc", "--no-build", "-o", "counts", "--json");
    json_t *all = fixture_json(&outcome, 0);
    double lines = json_number_value(json_object_get(all, "lines"));
    double covered = json_number_value(json_object_get(all, "covered"));
    assert_true(lines > covered && covered > 10); /* its seeds do not reach every line */
    assert_int_equal(access(fixture_text(all, "html"), R_OK), 0);
    bool own = false;
    size_t index;
    const json_t *file;
    json_array_foreach(json_object_get(all, "files"), index, file)
    {
        own = own || strcmp(fixture_text(file, "file"), "allocators/sysmalloc.h") == 0;
    }
    assert_true(own);
    json_decref(all);
    fixture_outcome_free(&outcome);
    fixture_expect(
        RUN("coverage", "block_ops", "-b", "malloc", "--no-build", "-o", "counts", "--floor", "1"),
        1);
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
    free(tree);
}

#ifndef HEAPMILL_SANITIZED
/* ---------------------------------------------------------------- libraries */
/* Needs the real malloc_abi: the toys load no libraries. */
static void enter_real_tree(void)
{
    struct error error;
    char *tree = text_format("%s/..", HEAPMILL_TEST_PROGRAMS);
    assert_int_equal(file_make_directory("real", &error), STATUS_OK);
    if (access("real/ordinary", F_OK) != 0) {
        assert_int_equal(symlink(tree, "real/ordinary"), 0);
    }
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", "real", 1), 0);
    free(tree);
}

static struct fixture_outcome run_library(const char *name, const char *output)
{
    char *library = text_format("%s/../tests/libstrange-%s.so", HEAPMILL_TEST_PROGRAMS, name);
    struct fixture_outcome outcome = RUN("run", "malloc_abi", "-b", library, "--engine", "random",
                                         "--jobs", "1", "--time", "1", "-o", output);
    free(library);
    return outcome;
}

static void expect_unloadable(struct fixture_outcome outcome, const char *words)
{
    assert_int_equal(outcome.status, 3);
    if (strstr(outcome.err, words) == NULL) {
        fail_msg("not '%s': %s", words, outcome.err);
    }
    fixture_outcome_free(&outcome);
    assert_int_not_equal(access("refused", F_OK), 0); /* what is refused leaves nothing behind */
}

static void what_cannot_be_loaded_is_no_finding(void **state)
{
    struct error error;
    (void)state;
    enter_real_tree();
    expect_unloadable(run_library("unresolved", "refused"), "nobody_has_this");
    expect_unloadable(run_library("nomalloc", "refused"), "no malloc");
    assert_int_equal(file_write("./text.so", "no library\n", 11, &error), STATUS_OK);
    expect_unloadable(RUN("run", "malloc_abi", "-b", "./text.so", "--engine", "random", "--time",
                          "1", "-o", "refused"),
                      "text.so cannot be fuzzed");
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
}

/* It sets posix_memalign's pointer to NULL on failure, and has much static TLS. */
static void a_sound_library_is_clean(void **state)
{
    (void)state;
    enter_real_tree();
    fixture_expect(run_library("sound", "sound"), 0);
    fixture_expect(run_library("nodlopen", "preloaded"), 0); /* by LD_PRELOAD, as it wants */
    fixture_expect(run_library("covered", "covered"), 0);    /* it calls what libFuzzer defines */
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
}

static struct fixture_outcome run_broken(const char *name, const char *output, const char *option,
                                         const char *value)
{
    char *library = text_format("%s/../tests/libbroken-%s.so", HEAPMILL_TEST_PROGRAMS, name);
    struct fixture_outcome outcome = RUN("run", "malloc_abi", "-b", library, "--jobs", "1",
                                         "--time", "3", "-o", output, option, value);
    free(library);
    return outcome;
}

/* The deep deviation is found behind the shallow one, and is told first. */
static void a_deviation_does_not_hide_the_others(void **state)
{
    (void)state;
    enter_real_tree();
    struct fixture_outcome outcome = run_broken("realloc", "deep", "--profile", "glibc");
    assert_int_equal(outcome.status, 1);
    const char *deep = strstr(outcome.out, "memory:\n  resize-contents:realloc");
    const char *shallow = strstr(outcome.out, "manners:\n  enomem:");
    assert_non_null(deep);
    assert_non_null(shallow);
    assert_true(deep < shallow);
    fixture_outcome_free(&outcome);
    outcome = run_broken("realloc", "skipped", "--skip", "resize-contents:realloc,enomem");
    assert_null(strstr(outcome.out, "resize-contents:realloc "));
    assert_null(strstr(outcome.out, "enomem"));
    fixture_outcome_free(&outcome);
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
}

static void manners_alone_are_no_finding(void **state)
{
    (void)state;
    enter_real_tree();
    fixture_expect(run_broken("manners", "manners", "--profile", "glibc"), 0);
    struct fixture_outcome outcome =
        RUN("run", "--resume", "-o", "manners", "--time", "1", "--strict");
    assert_int_equal(outcome.status, 1);
    assert_non_null(strstr(outcome.out, "manners:\n  enomem:"));
    fixture_outcome_free(&outcome);
    fixture_expect(run_broken("manners", "plain", "--profile", "c"), 0);
    assert_int_equal(access("plain/findings/enomem.malloc.impossible", F_OK), -1);
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
}

/* The line that a reproducer is built with builds it, and it fails as the finding does. */
static void a_reproducer_can_be_built_and_fails(void **state)
{
    (void)state;
    enter_real_tree();
    struct fixture_outcome outcome = RUN("triage", "deep", "--time", "0.2s", "--json");
    assert_int_equal(outcome.status, 1);
    json_t *groups = json_loads(outcome.out, 0, NULL);
    const json_t *deep = NULL;
    size_t index;
    const json_t *group;
    json_array_foreach(groups, index, group)
    {
        const char *kind = json_string_value(json_object_get(group, "kind"));
        deep = strcmp(kind, "oracle resize-contents") == 0 ? group : deep;
    }
    assert_non_null(deep);
    const char *command = json_string_value(json_object_get(deep, "command"));
    char *library = text_format("%s/../tests/libbroken-realloc.so", HEAPMILL_TEST_PROGRAMS);
    char *words = text_format("HEAPMILL_FUZZ_ONLY=resize-contents HEAPMILL_FUZZ_LIBRARY=%s "
                              "./reproducer 2>&1 | grep 'ORACLE resize-contents: realloc'",
                              library);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    assert_int_equal(system(words), 0);   // NOLINT(cert-env33-c)
    free(words);
    free(library);
    json_decref(groups);
    fixture_outcome_free(&outcome);
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
}

#endif

int main(void)
{
    fixture_enter();
    assert_int_equal(setenv("HEAPMILL_FUZZ_TREES", HEAPMILL_TEST_TREES, 1), 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tmin_leaves_what_is_needed),
        cmocka_unit_test(tmin_works_in_the_builds_of_the_engines),
        cmocka_unit_test(tmin_refuses_what_passes),
        cmocka_unit_test(regress_names_the_inputs_that_fail),
        cmocka_unit_test(regress_without_a_target_is_no_success),
        cmocka_unit_test(build_refuses_what_it_does_not_know),
#ifndef HEAPMILL_SANITIZED
        cmocka_unit_test(what_cannot_be_loaded_is_no_finding),
        cmocka_unit_test(a_sound_library_is_clean),
        cmocka_unit_test(a_deviation_does_not_hide_the_others),
        cmocka_unit_test(manners_alone_are_no_finding),
        cmocka_unit_test(a_reproducer_can_be_built_and_fails),
#endif
        cmocka_unit_test(coverage_counts_lines_of_a_build_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
