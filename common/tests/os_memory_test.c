/* The kernel's figures move when memory is touched, given back, and kept as scratch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/os_memory.h"

enum { BYTES = 32 << 20 };

static uint64_t held_now(void)
{
    struct os_memory memory;
    struct error error;
    assert_int_equal(os_memory_read(&memory, &error), STATUS_OK);
    return os_memory_held_bytes(&memory);
}

static void touched_memory_is_held_until_unmapped(void **state)
{
    (void)state;
    uint64_t before = held_now();
    char *block = os_map(BYTES);
    assert_non_null(block);
    assert_true(held_now() < before + BYTES / 4); /* mapped is not held */
    memset(block, 1, BYTES);
    assert_true(held_now() >= before + BYTES);
    os_unmap(block, BYTES);
    assert_true(held_now() < before + BYTES / 4);
}

static void scratch_is_resident_and_not_held(void **state)
{
    (void)state;
    struct os_memory earlier;
    struct os_memory later;
    struct error error;
    uint64_t held = held_now();
    assert_int_equal(os_memory_read(&earlier, &error), STATUS_OK);
    char *scratch = os_map_scratch(BYTES);
    assert_non_null(scratch);
    memset(scratch, 1, BYTES);
    assert_int_equal(os_memory_read(&later, &error), STATUS_OK);
    assert_true(later.rss_bytes >= earlier.rss_bytes + BYTES);
    assert_true(held_now() < held + BYTES / 4);
    os_unmap(scratch, BYTES);
}

static void faults_are_counted(void **state)
{
    (void)state;
    enum { PAGE = 4096 };
    struct os_faults before;
    struct os_faults after;
    char *block = os_map(BYTES);
    assert_non_null(block);
    os_faults_read(&before);
    for (size_t i = 0; i < BYTES; i += PAGE) {
        block[i] = 1;
    }
    os_faults_read(&after);
    /* With huge pages a fault brings 2 MiB, without 4 KiB. */
    assert_true(after.minor - before.minor >= BYTES / (2 << 20));
    os_unmap(block, BYTES);
}

/* ru_maxrss would fail this: a child starts with its parent's. */
static void peak_is_this_programs_own(void **state)
{
    (void)state;
    uint64_t before = os_memory_rss_peak_bytes();
    assert_true(before > 0);
    char *block = os_map(BYTES);
    assert_non_null(block);
    memset(block, 1, BYTES);
    os_unmap(block, BYTES);
    assert_true(os_memory_rss_peak_bytes() >= BYTES);
    pid_t child = fork();
    if (child == 0) {
        /* A new program in this process: its own peak is small, whatever ours was. */
        execl("/proc/self/exe", "os_memory_test", "--print-peak", (char *)NULL);
        _exit(1);
    }
    int status = 0;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void refusal_is_null(void **state)
{
    (void)state;
    assert_null(os_map((size_t)1 << 62));
    assert_null(os_map_scratch((size_t)1 << 62));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print-peak") == 0) {
        return os_memory_rss_peak_bytes() < BYTES ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_memory_is_held_until_unmapped),
        cmocka_unit_test(scratch_is_resident_and_not_held),
        cmocka_unit_test(faults_are_counted),
        cmocka_unit_test(peak_is_this_programs_own),
        cmocka_unit_test(refusal_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
