/* A story says what its run says: numbers are the run's, a claim that the run does not bear out is
 * told, and a name that nothing explains is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/files.h"
#include "story/figures.h"
#include "story/runs.h"
#include "story/story.h"

static char scratch[] = "/tmp/heapmill-story-test-XXXXXX";

/* Tells a text in a folder of its own; the page, which the caller frees, or NULL. */
static char *tell(const char *text, const char *sections, struct story_result *result,
                  struct error *error)
{
    static int count;
    char *output = text_format("%s/%d", scratch, count++);
    char *path = text_format("%s/story.html", output);
    char *page = NULL;
    size_t size = 0;
    const struct story_options options = {.text = text,
                                          .program = "/nonexistent/heapmill",
                                          .output = output,
                                          .sections = sections,
                                          .command = "test",
                                          .gnuplot = "/nonexistent/gnuplot"};
    *result = (struct story_result){.held = 0};
    if (story_write(&options, result, error) == STATUS_OK) {
        assert_int_equal(STATUS_OK, file_read(path, &page, &size, error));
    } else {
        assert_int_not_equal(0, access(path, F_OK));
    }
    free(path);
    free(output);
    return page;
}

static void test_numbers_are_the_runs(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct story_result result;
    char *page = tell("= a: A\n@run c: objects cycle\n@let twice: c/found * 2 + c/live_after_del\n"
                      "Found {c/found}, and {twice}.\n\n"
                      "@claim c/found = 2: All of them, <{c/found}>.\n",
                      NULL, &result, &error);
    assert_non_null(page);
    assert_non_null(strstr(page, "<p>Found 2, and 6.</p>"));
    assert_non_null(strstr(page, "<li>All of them, &#60;2&#62;.</li>"));
    assert_non_null(strstr(page, "against the run and hold: 1."));
    assert_int_equal(1, result.held);
    assert_int_equal(0, result.contradicted.count);
    story_result_free(&result);
    free(page);
}

static void test_a_false_claim_is_told(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct story_result result;
    char *page =
        tell("= a: A\n@run c: objects cycle\n@claim c/found > 2: More than two: {c/found}.\n"
             "@same c/steps count c/steps step: Alike.\n",
             NULL, &result, &error);
    assert_non_null(page);
    assert_non_null(strstr(page, "This run says otherwise. Expected: More than two: 2. But c/found "
                                 "&#62; 2 does not hold."));
    assert_int_equal(0, result.held);
    assert_int_equal(2, result.contradicted.count);
    story_result_free(&result);
    free(page);
}

/* What this machine lacks is left out and named; what the text has wrong is an error. */
static void test_what_is_lacking_is_left_out(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct story_result result;
    char *page = tell("= a: A\n@run c: objects no-such\nIt has {c/any}.\n\n"
                      "@claim c/any = 1: So it is.\n@rows T: a | b\n@row one | {c/any}\n"
                      "@run h: heapmill list backends\n@figures h bars\n",
                      NULL, &result, &error);
    assert_non_null(page);
    assert_null(strstr(page, "It has"));
    assert_null(strstr(page, "So it is"));
    assert_non_null(strstr(page, "not here"));
    assert_non_null(strstr(page, "2 sentences of this section are left out"));
    assert_int_equal(2, result.lacks.count);
    assert_non_null(strstr(result.lacks.items[0], "no-such"));
    assert_non_null(strstr(result.lacks.items[1], "did not run"));
    story_result_free(&result);
    free(page);
}

static void test_wrong_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } wrong[] = {
        {"= a: A\n@run c: objects cycle\n\nIt has {c/nothing}.\n", "line 5: no run so far has"},
        {"= a: A\n{c/nothing}\n", "no run so far has a figure c/nothing"},
        {"= a: A\n@claim 1 < : Short.\n", "ends too early"},
        {"= a: A\n@claim 1 ? 2: What.\n", "'?' is no operator"},
        {"= a: A\n@run c: shell true\n", "not shell"},
        {"= a: A\n@row a | b\n", "a @row wants the cells of its @rows"},
        {"= a: A\n@run c: objects cycle\n{c/found:furlongs}\n", "there is no format furlongs"},
        {"= a\n", "a section wants NAME: TITLE"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct error error = {.message = ""};
        struct story_result result;
        assert_null(tell(wrong[i].text, NULL, &result, &error));
        assert_int_equal(STATUS_CORRUPT, error.status);
        if (strstr(error.message, wrong[i].message) == NULL) {
            fail_msg("'%s' is not in: %s", wrong[i].message, error.message);
        }
        story_result_free(&result);
    }
}

static void test_sections_are_chosen(void **state)
{
    (void)state;
    static const char text[] = "= a: First\n{nonsense}\n\n= b: Second\nTold.\n";
    struct error error = {.message = ""};
    struct story_result result;
    char *page = tell(text, "b", &result, &error);
    assert_non_null(page);
    assert_non_null(strstr(page, "Told."));
    assert_null(strstr(page, "First"));
    free(page);
    story_result_free(&result);
    assert_null(tell(text, "b,c", &result, &error));
    assert_int_equal(STATUS_INVALID, error.status);
    assert_non_null(strstr(error.message, "the sections are a, b"));
    story_result_free(&result);
}

static void test_a_used_folder_is_refused(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct story_result result = {.held = 0};
    const struct story_options options = {.text = "= a: A\n", .output = "/usr", .command = "test"};
    assert_int_equal(STATUS_INVALID, story_write(&options, &result, &error));
    assert_non_null(strstr(error.message, "/usr is not empty"));
    story_result_free(&result);
}

static void test_expressions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } expressions[] = {{"1 + 2 * 3", 7},     {"8 / 2 / 2 - 1", 1},  {"1 + 1 = 2", 1},
                       {"2 * 3 < 2 + 3", 0}, {"a/b-c{d=e} * 2", 6}, {"of > 4", 1}};
    struct figures figures = {.answers = json_pack("{s{si}}", "a", "b-c{d=e}", 3),
                              .lets = json_pack("{sf}", "of", 5.0)};
    for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
        struct error error = {.message = ""};
        double value = 0;
        assert_int_equal(STATUS_OK,
                         figures_evaluate(&figures, expressions[i].text, &value, &error));
        assert_true(value == expressions[i].value);
    }
    struct error error = {.message = ""};
    char *text = NULL;
    assert_int_equal(STATUS_OK,
                     figures_expand(&figures, "{a/b-c{d=e}:bytes} {of:x} }{", &text, &error));
    assert_string_equal("3\xc2\xa0"
                        "B 5.00 }{",
                        text);
    free(text);
    json_decref(figures.answers);
    json_decref(figures.lets);
}

/* Each experiment of the object layer answers, but for the long chain and the large heaps. */
static void test_experiments_answer(void **state)
{
    (void)state;
    static const char *const names[] = {"counts", "shared", "cycle", "care"};
    const struct run_place place = {.program = "", .directory = scratch};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct error error = {.message = ""};
        struct text_list lacks = {0};
        json_t *answer = NULL;
        char *command = NULL;
        char *asked = text_format("objects %s", names[i]);
        assert_int_equal(STATUS_OK,
                         run_experiment(&place, asked, &answer, &command, &lacks, &error));
        assert_int_equal(0, lacks.count);
        assert_null(command);
        assert_true(json_object_size(answer) > 1);
        json_decref(answer);
        free(asked);
    }
}

/* What Python 3.9 to 3.13 says of the same steps is what the object layer says. */
static void test_python_agrees(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    struct story_result result;
    char *page = tell("= a: A\n@run o: objects counts\n@run p: python counts\n"
                      "@same o/steps count p/steps python: Alike.\n"
                      "@run q: objects cycle\n@run r: python cycle\n"
                      "@same q/steps count r/steps python: Alike.\n"
                      "@run s: objects care\n@run t: python care\n"
                      "@same s/steps count t/steps python: Alike.\n",
                      NULL, &result, &error);
    assert_non_null(page);
    assert_int_equal(0, result.contradicted.count);
    assert_true(result.held == 3 || result.lacks.count > 0);
    story_result_free(&result);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_the_runs),
        cmocka_unit_test(test_a_false_claim_is_told),
        cmocka_unit_test(test_what_is_lacking_is_left_out),
        cmocka_unit_test(test_wrong_texts_are_refused),
        cmocka_unit_test(test_sections_are_chosen),
        cmocka_unit_test(test_a_used_folder_is_refused),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_experiments_answer),
        cmocka_unit_test(test_python_agrees),
    };
    if (mkdtemp(scratch) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char *command = text_format("rm -rf %s", scratch);
    failed += system(command) != 0;
    free(command);
    return failed;
}
