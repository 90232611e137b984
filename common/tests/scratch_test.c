/* Scratch directories go with their owner, and those of the killed with the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/scratch.h"

static char parent[] = "/tmp/heapmill-scratch-test-XXXXXX";

static void write_into(const char *directory, const char *name)
{
    struct error error;
    char *path = text_format("%s/%s", directory, name);
    assert_int_equal(file_write(path, "x", 1, &error), STATUS_OK);
    free(path);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void make_old(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void it_goes_with_what_is_in_it(void **state)
{
    (void)state;
    struct scratch scratch;
    struct error error;
    assert_int_equal(scratch_open(&scratch, parent, "word", &error), STATUS_OK);
    char *below = text_format("%s/below", scratch.path);
    char *path = text_format("%s", scratch.path);
    assert_int_equal(mkdir(below, 0700), 0);
    write_into(below, "file");
    scratch_close(&scratch);
    assert_false(is_there(path));
    assert_null(scratch.path);
    scratch_close(&scratch);
    free(below);
    free(path);
}

/* A child makes one and is killed; returns its path. */
static char *leave_one(void)
{
    int ends[2];
    char path[200] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct scratch scratch;
        if (scratch_open(&scratch, parent, "word", NULL) == STATUS_OK) {
            (void)!write(ends[1], scratch.path, strlen(scratch.path));
        }
        (void)raise(SIGKILL);
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], path, sizeof(path) - 1) > 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    write_into(path, "file");
    return text_format("%s", path);
}

static void the_next_removes_those_of_the_dead_alone(void **state)
{
    (void)state;
    struct scratch living;
    struct scratch next;
    struct error error;
    assert_int_equal(scratch_open(&living, parent, "word", &error), STATUS_OK);
    char *dead = leave_one();
    char *young = leave_one();
    char *other = text_format("%s/heapmill-other-abcdef", parent);
    assert_int_equal(mkdir(other, 0700), 0);
    make_old(living.path);
    make_old(dead);
    make_old(other);
    assert_int_equal(scratch_open(&next, parent, "word", &error), STATUS_OK);
    assert_false(is_there(dead));
    assert_true(is_there(living.path));
    assert_true(is_there(young)); /* perhaps its owner is about to lock it */
    assert_true(is_there(other)); /* another command's */
    make_old(young);
    scratch_close(&next);
    scratch_close(&living);
    assert_int_equal(scratch_open(&next, parent, "word", &error), STATUS_OK);
    assert_false(is_there(young));
    scratch_close(&next);
    assert_int_equal(rmdir(other), 0);
    free(dead);
    free(young);
    free(other);
}

static void none_where_none_can_be(void **state)
{
    (void)state;
    struct scratch scratch;
    struct error error;
    assert_int_equal(scratch_open(&scratch, "/nowhere", "word", &error), STATUS_IO);
    assert_non_null(strstr(error.message, "TMPDIR"));
    scratch_close(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_with_what_is_in_it),
        cmocka_unit_test(the_next_removes_those_of_the_dead_alone),
        cmocka_unit_test(none_where_none_can_be),
    };
    if (mkdtemp(parent) == NULL) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(parent) == 0 ? failed : 1;
}
