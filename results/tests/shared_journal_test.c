/* Two processes on one journal, as on two machines that share a file system: what its lock keeps
 * apart, what a kill leaves, and what happens where there is no such lock (docs/scaling.md). */
#include "results/tests/small_run.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "common/host/journal.h"
#include "common/host/json.h"

enum { TRIALS = 12, LINES_MAX = 1 << 20 };

static const struct journal_kind kind = {.plan = "plan.json",
                                         .lines = "lines.jsonl",
                                         .if_absent = "-",
                                         .if_plan_damaged = "-",
                                         .if_line_damaged = "-"};

/* Appends numbered lines until it is killed; tells of each that is durable. */
static void write_until_killed(const char *directory, int told)
{
    struct journal journal;
    struct error error;
    json_t *plan = json_pack("{s:s}", "format", "test");
    if (journal_begin(&journal, &kind, directory, plan, &error) != STATUS_OK) {
        _exit(1);
    }
    for (uint32_t i = 0; i < LINES_MAX; i++) {
        json_t *line = json_pack("{s:i, s:s}", "number", (int)i, "filler",
                                 "a line of some length, so that a kill finds it half written");
        if (journal_append(&journal, line, NULL, &error) != STATUS_OK ||
            write(told, &i, sizeof(i)) != sizeof(i)) {
            _exit(1);
        }
        json_decref(line);
    }
    _exit(0);
}

/* Counts lines, which have to be numbered without a gap. */
static enum status count_line(void *context, const struct journal_line *line, struct error *error)
{
    uint32_t *count = context;
    (void)error;
    assert_int_equal(*count, json_count_at(line->json, "number", LINES_MAX));
    (*count)++;
    return STATUS_OK;
}

static pid_t start_writer(const char *directory, int *told)
{
    int ends[2];
    assert_int_equal(0, pipe(ends));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        write_until_killed(directory, ends[1]);
    }
    (void)close(ends[1]);
    *told = ends[0];
    return child;
}

static void one_is_refused_and_goes_on_when_the_other_is_dead(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        char directory[SYNTHETIC_PATH_MAX];
        struct journal journal;
        struct error error = {.message = ""};
        uint32_t last = 0;
        uint32_t count = 0;
        int told;
        synthetic_directory(directory);
        pid_t child = start_writer(directory, &told);
        assert_int_equal(sizeof(last), read(told, &last, sizeof(last)));
        assert_int_equal(STATUS_BUSY, journal_resume(&journal, &kind, directory, NULL, count_line,
                                                     &count, &error));
        char pid[32];
        (void)snprintf(pid, sizeof(pid), "%d", (int)child);
        assert_non_null(strstr(error.message, pid)); /* who holds it */
        const struct timespec instant = {.tv_nsec = 1000 * (1 + trial * 397 % 4001)};
        (void)nanosleep(&instant, NULL);
        assert_int_equal(0, kill(child, SIGKILL));
        assert_int_equal(child, waitpid(child, NULL, 0));
        while (read(told, &last, sizeof(last)) == sizeof(last)) {
        }
        (void)close(told);
        count = 0;
        assert_int_equal(STATUS_OK, journal_resume(&journal, &kind, directory, NULL, count_line,
                                                   &count, &error));
        assert_int_equal(STATUS_OK, journal_repair(&journal, journal.size, &error));
        assert_true(count > last); /* all that it was told of, and at most one more */
        assert_true(count <= last + 2);
        json_t *next = json_pack("{s:i}", "number", (int)count);
        assert_int_equal(STATUS_OK, journal_append(&journal, next, NULL, &error));
        json_decref(next);
        journal_close(&journal);
        uint32_t again = 0;
        assert_int_equal(STATUS_OK,
                         journal_read(&kind, directory, count_line, &again, NULL, NULL, &error));
        assert_int_equal(count + 1, again);
        synthetic_remove(directory);
    }
}

/* A file system whose locks do not hold between machines: both go on, and do the same cell. */
static void without_a_lock_what_is_doubled_is_refused(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char lock[SYNTHETIC_PATH_MAX];
    struct store *second = NULL;
    struct record_set *set = NULL;
    struct error error = {.message = ""};
    synthetic_directory(directory);
    struct store *first = synthetic_create(directory, small_plan());
    assert_int_equal(STATUS_BUSY, store_resume(directory, &second, &error));
    synthetic_file(lock, directory, "lock");
    assert_int_equal(0, unlink(lock)); /* another machine does not see it */
    assert_int_equal(STATUS_OK, store_resume(directory, &second, &error));
    for (int i = 0; i < 2; i++) {
        synthetic_append(first, synthetic_record(cell_ids[i], 0, "ok", 10));
        synthetic_append(second, synthetic_record(cell_ids[i], 0, "ok", 10));
    }
    store_close(first);
    store_close(second);
    assert_int_equal(STATUS_CORRUPT, store_load(directory, &set, &error));
    assert_non_null(strstr(error.message, "already, in line"));
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_refused_and_goes_on_when_the_other_is_dead),
        cmocka_unit_test(without_a_lock_what_is_doubled_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
