/* Files are read whole and written whole or not at all; members of JSON are found by path, and what
 * is missing is named; a journal survives a kill at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/files.h"
#include "common/host/journal.h"
#include "common/host/json.h"

static char directory[] = "host-files-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    (void)strcpy(directory, "host-files-XXXXXX");
    return mkdtemp(directory) == NULL || chdir(directory) != 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return chdir("..") != 0 || system(command) != 0; // NOLINT(cert-env33-c): a test's own words
}

/* ---------------------------------------------------------------- files */
static void a_file_is_written_and_read_whole(void **state)
{
    (void)state;
    struct error error;
    char *bytes;
    size_t size;
    char *large = calloc(1, 200001);
    memset(large, 'x', 200000);
    assert_int_equal(file_make_directory("a/b//c", &error), STATUS_OK);
    assert_int_equal(file_replace("a/b/c/large", large, 200000, &error), STATUS_OK);
    assert_int_equal(file_read("a/b/c/large", &bytes, &size, &error), STATUS_OK);
    assert_int_equal(size, 200000);
    assert_string_equal(bytes, large);
    assert_int_not_equal(access("a/b/c/large.tmp", F_OK), 0);
    free(bytes);
    free(large);
    assert_int_equal(file_read("none", &bytes, &size, &error), STATUS_NOT_FOUND);
    assert_null(bytes);
    assert_non_null(strstr(error.message, "none"));
}

/* What cannot be written leaves what was there, and nothing beside it. */
static void a_file_that_cannot_be_written_is_as_it_was(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(mkdir("taken", 0777), 0);
    assert_int_equal(file_replace("taken", "x", 1, &error), STATUS_IO);
    assert_int_not_equal(access("taken.tmp", F_OK), 0);
    assert_int_equal(file_write("no/such/place", "x", 1, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "no/such/place"));
    assert_int_equal(file_make_directory("", &error), STATUS_INVALID);
}

static void one_writer_holds_the_lock(void **state)
{
    (void)state;
    struct error error;
    int first;
    int second;
    char process[32];
    (void)snprintf(process, sizeof(process), "process %ld", (long)getpid());
    assert_int_equal(file_lock_directory(".", &first, &error), STATUS_OK);
    assert_int_equal(file_lock_directory(".", &second, &error), STATUS_BUSY);
    assert_non_null(strstr(error.message, process));
    (void)close(first);
    assert_int_equal(file_lock_directory(".", &second, &error), STATUS_OK);
    (void)close(second);
}

/* ---------------------------------------------------------------- JSON */
static void members_are_found_by_path(void **state)
{
    (void)state;
    json_t *json =
        json_loads("{\"a\":{\"b\":{\"c\":3}},\"x.y\":{\"z\":\"text\"},\"real\":2.5,\"whole\":4.0,"
                   "\"less\":-1,\"yes\":true}",
                   0, NULL);
    assert_int_equal(json_count_at(json, "a.b.c", 0), 3);
    assert_string_equal(json_text_at(json, "x.y.z", ""), "text");
    assert_string_equal(json_text_at(json, "a.b.c", "absent"), "absent");
    assert_string_equal(json_text_at(NULL, "a", "absent"), "absent");
    assert_true(json_number_at(json, "real", 0) == 2.5);
    assert_int_equal(json_count_at(json, "whole", 0), 4);
    assert_int_equal(json_count_at(json, "less", 9), 9);
    assert_true(json_bool_at(json, "yes", false));
    json_decref(json);
}

/* ---------------------------------------------------------------- the journal */
static const struct journal_kind kind = {.plan = "job.json",
                                         .lines = "steps.jsonl",
                                         .interrupted = "cut.jsonl",
                                         .if_absent = "no job",
                                         .if_plan_damaged = "begin anew",
                                         .if_line_damaged = "delete it"};

enum { STEPS = 3 };

static void begin_steps(json_t *plan)
{
    struct journal journal;
    struct error error;
    assert_int_equal(journal_begin(&journal, &kind, "job", plan, &error), STATUS_OK);
    for (json_int_t i = 0; i < STEPS; i++) {
        json_t *step = json_pack("{s:I}", "step", i);
        assert_int_equal(journal_append(&journal, step, NULL, &error), STATUS_OK);
        json_decref(step);
    }
    journal_close(&journal);
}

static size_t line_count(const char *path)
{
    char *bytes;
    size_t size;
    size_t lines = 0;
    struct error error;
    if (file_read(path, &bytes, &size, &error) != STATUS_OK) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        lines += bytes[i] == '\n';
    }
    assert_true(size == 0 || bytes[size - 1] == '\n');
    free(bytes);
    return lines;
}

/* Cut at every byte, the file is whole lines again after a resume, and every whole line was read.
 */
static void a_torn_line_is_moved_wherever_it_is_cut(void **state)
{
    (void)state;
    struct error error;
    json_t *plan = json_pack("{s:s}", "job", "test");
    begin_steps(plan);
    char *bytes;
    size_t size;
    assert_int_equal(file_read("job/steps.jsonl", &bytes, &size, &error), STATUS_OK);
    for (size_t cut = 0; cut <= size; cut++) {
        struct journal journal;
        json_t *lines = json_array();
        size_t whole = 0;
        for (size_t i = 0; i < cut; i++) {
            whole += bytes[i] == '\n';
        }
        bool torn = cut > 0 && bytes[cut - 1] != '\n';
        (void)unlink("job/cut.jsonl");
        assert_int_equal(file_write("job/steps.jsonl", bytes, cut, &error), STATUS_OK);
        assert_int_equal(
            journal_resume(&journal, &kind, "job", plan, journal_keep_line, lines, &error),
            STATUS_OK);
        assert_int_equal(json_array_size(lines), whole);
        assert_int_equal(journal_repair(&journal, journal.size, &error), STATUS_OK);
        assert_int_equal(line_count("job/steps.jsonl"), whole);
        assert_int_equal(line_count("job/cut.jsonl"), torn ? 1 : 0);
        json_t *step = json_pack("{s:I}", "step", (json_int_t)99);
        assert_int_equal(journal_append(&journal, step, NULL, &error), STATUS_OK);
        assert_int_equal(line_count("job/steps.jsonl"), whole + 1);
        json_decref(step);
        json_decref(lines);
        journal_close(&journal);
    }
    free(bytes);
    json_decref(plan);
}

static void a_job_is_not_mixed_with_another(void **state)
{
    (void)state;
    struct error error;
    struct journal journal;
    json_t *lines = json_array();
    json_t *plan = json_pack("{s:s}", "job", "test");
    json_t *other = json_pack("{s:s}", "job", "other");
    assert_int_equal(journal_resume(&journal, &kind, "job", plan, journal_keep_line, lines, &error),
                     STATUS_NOT_FOUND);
    begin_steps(plan);
    assert_int_equal(journal_begin(&journal, &kind, "job", plan, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "--resume"));
    assert_int_equal(
        journal_resume(&journal, &kind, "job", other, journal_keep_line, lines, &error),
        STATUS_INVALID);
    assert_int_equal(journal_resume(&journal, &kind, "job", plan, journal_keep_line, lines, &error),
                     STATUS_OK);
    struct journal second;
    assert_int_equal(journal_resume(&second, &kind, "job", plan, journal_keep_line, lines, &error),
                     STATUS_BUSY);
    /* A damaged line that is not the last is no kill's work. */
    journal_close(&journal);
    assert_int_equal(file_write("job/steps.jsonl", "{}\nbad\n{}\n", 10, &error), STATUS_OK);
    assert_int_equal(journal_resume(&journal, &kind, "job", plan, journal_keep_line, lines, &error),
                     STATUS_CORRUPT);
    assert_non_null(strstr(error.message, "line 2"));
    assert_non_null(strstr(error.message, "delete it"));
    json_decref(lines);
    json_decref(plan);
    json_decref(other);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_file_is_written_and_read_whole),
        IN_DIRECTORY(a_file_that_cannot_be_written_is_as_it_was),
        IN_DIRECTORY(one_writer_holds_the_lock),
        IN_DIRECTORY(members_are_found_by_path),
        IN_DIRECTORY(a_torn_line_is_moved_wherever_it_is_cut),
        IN_DIRECTORY(a_job_is_not_mixed_with_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
