/* The page of a run: whole, with the figures of the run in its sentences, and never markup of the
 * run's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/files.h"
#include "report/part.h"
#include "report/report.h"

/* Drawing is gnuplot's and takes seconds: these pages are made without it, which is a note. */
static const char no_gnuplot[] = "/nonexistent/gnuplot";

static char scratch[] = "/tmp/heapmill-report-test-XXXXXX";

/* The page of a directory; the caller frees. NULL: an error, which is in *error. */
static char *page_of(const char *directory, struct error *error)
{
    char *item = (char *)directory;
    const struct text_list directories = {.items = &item, .count = 1};
    char *path = text_format("%s/page.html", scratch);
    const struct report_options options = {
        .directories = &directories, .output = path, .command = "test", .gnuplot = no_gnuplot};
    struct text_list notes = {0};
    char *page = NULL;
    size_t size = 0;
    (void)unlink(path);
    if (report_write(&options, &notes, error) == STATUS_OK) {
        assert_int_equal(STATUS_OK, file_read(path, &page, &size, error));
    } else {
        assert_int_not_equal(0, access(path, F_OK)); /* nothing is half-written */
    }
    text_list_free(&notes);
    free(path);
    return page;
}

/* As a person who has only the page: which won, by how much, how sure, what was not measured. */
static void test_the_answer_is_on_the_page(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    char *page = page_of(HEAPMILL_RECORDED "/instructions-pools", &error);
    assert_non_null(page);
    assert_non_null(strstr(page, "Winner by instructions, arm"));
    assert_non_null(strstr(page, "How sure, by instructions"));
    assert_non_null(strstr(page, "Not measured: time; memory"));
    assert_non_null(strstr(page, "The command that repeats it"));
    assert_null(strstr(page, "nan"));
    free(page);
}

static void test_other_kinds_have_their_parts(void **state)
{
    (void)state;
    static const struct {
        const char *directory;
        const char *sentence;
    } kinds[] = {{HEAPMILL_RECORDED "/leaks-2026-11-22", "which leak detector finds which leak"},
                 {HEAPMILL_RECORDED "/score-2026-11-29", "which fuzz engine finds planted bugs"},
                 {HEAPMILL_RECORDED "/calibration-2026-11-22", "what a machine can tell apart"},
                 {HEAPMILL_TRACES "/perl.hmtrace", "what a program asks of its allocator"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct error error = {.message = ""};
        char *page = page_of(kinds[i].directory, &error);
        assert_non_null(page);
        assert_non_null(strstr(page, kinds[i].sentence));
        free(page);
    }
}

static void write_file(const char *name, const char *text)
{
    struct error error;
    char *path = text_format("%s/run/%s", scratch, name);
    assert_int_equal(STATUS_OK, file_write(path, text, strlen(text), &error));
    free(path);
}

static void test_directories_of_no_kind_are_refused(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    assert_null(page_of(scratch, &error));
    assert_int_equal(error.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "a run of heapmill bench (plan.json)"));
}

static void test_damaged_runs_are_an_error(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    static const char *const plans[] = {"", "{", "[]", "{\"format\":\"heapmill-plan-1\"}"};
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        write_file("plan.json", plans[i]);
        char *directory = text_format("%s/run", scratch);
        assert_null(page_of(directory, &error));
        assert_true(error.message[0] != '\0');
        free(directory);
    }
}

/* A campaign that names things as an attacker would. */
static void test_names_are_text(void **state)
{
    (void)state;
    struct error error = {.message = ""};
    char *path = text_format("%s/run/plan.json", scratch);
    (void)unlink(path);
    write_file(
        "campaign.json",
        "{\"format\":\"heapmill-fuzz-campaign-1\",\"target\":\"</h2><script>a()</script>\"}");
    write_file("events.jsonl", "{\"event\":\"finding\",\"file\":\"<img src=x onerror=a()>\"}\n"
                               "{\"event\":\"sample\",\"member\":\"<b>\",\"engine\":\"<i>\"}\n");
    char *directory = text_format("%s/run", scratch);
    char *page = page_of(directory, &error);
    assert_non_null(page);
    assert_non_null(strstr(page, "&#60;img src=x onerror=a()&#62;"));
    assert_null(strstr(page, "<script>a()"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "<b>"));
    free(page);
    free(directory);
    free(path);
}

/* Every workload and every source of a back end is told about in the comment of its file. */
static void test_descriptions_are_there(void **state)
{
    (void)state;
    struct document *document = document_new();
    assert_true(report_describe(report_workload_descriptions, "churn", document));
    assert_non_null(strstr(document->blocks[0].text, "a steady state"));
    assert_true(document->count > 1);
    assert_true(report_describe(report_source_descriptions, "pymalloc", document));
    assert_false(report_describe(report_source_descriptions, "no such", document));
    document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_answer_is_on_the_page),
        cmocka_unit_test(test_other_kinds_have_their_parts),
        cmocka_unit_test(test_directories_of_no_kind_are_refused),
        cmocka_unit_test(test_damaged_runs_are_an_error),
        cmocka_unit_test(test_names_are_text),
        cmocka_unit_test(test_descriptions_are_there),
    };
    char run[64];
    if (mkdtemp(scratch) == NULL) {
        return 1;
    }
    (void)snprintf(run, sizeof(run), "%s/run", scratch);
    (void)mkdir(run, 0700);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const names[] = {"run/plan.json", "run/campaign.json", "run/events.jsonl",
                                        "run",           "page.html",         ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = text_format("%s/%s", scratch, names[i]);
        (void)remove(path);
        free(path);
    }
    return failed;
}
