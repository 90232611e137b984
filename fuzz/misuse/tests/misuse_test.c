/* What an end means; and that pools-secure finds what docs/decisions/0018-pools.md says it does. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/host/process.h"
#include "fuzz/misuse/misuse.h"

static void ends_are_judged(void **state)
{
    (void)state;
    assert_int_equal(misuse_judge("bas", 0, 0, false), MISUSE_SURVIVED);
    assert_int_equal(misuse_judge("bac", 0, 0, false), MISUSE_CORRUPTED);
    assert_int_equal(misuse_judge("n", 0, 0, false), MISUSE_NOT_APPLICABLE);
    assert_int_equal(misuse_judge("b", SIGABRT, 0, false), MISUSE_DETECTED);
    assert_int_equal(misuse_judge("ba", SIGABRT, 0, false), MISUSE_DETECTED);
    assert_int_equal(misuse_judge("b", 0, 1, false), MISUSE_DETECTED);
    assert_int_equal(misuse_judge("b", SIGSEGV, 0, false), MISUSE_DETECTED);
    assert_int_equal(misuse_judge("ba", SIGSEGV, 0, false), MISUSE_CORRUPTED);
    assert_int_equal(misuse_judge("ba", SIGKILL, 0, true), MISUSE_CORRUPTED);
    assert_int_equal(misuse_judge("", 0, 0, false), MISUSE_CORRUPTED);
}

#ifdef MISUSE_BANK
static const struct {
    const char *name;
    enum misuse_end end;
} secure_ends[] = {
    {"none", MISUSE_SURVIVED},
    {"double_free_near", MISUSE_DETECTED},
    {"double_free_far", MISUSE_DETECTED},
    {"double_free_large", MISUSE_DETECTED},
    {"double_free_threads", MISUSE_DETECTED},
    {"free_interior", MISUSE_DETECTED},
    {"wrong_size", MISUSE_DETECTED},
    {"overflow_one", MISUSE_DETECTED},
    {"overflow_word", MISUSE_DETECTED},
    {"overflow_page", MISUSE_DETECTED},
    {"underflow", MISUSE_DETECTED},
    {"underflow_page", MISUSE_DETECTED},
    {"read_freed", MISUSE_SURVIVED},
    {"write_freed", MISUSE_DETECTED},
};

static void pools_secure_finds_what_it_claims(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(secure_ends) / sizeof(secure_ends[0]); i++) {
        const char *const arguments[] = {MISUSE_BANK, secure_ends[i].name, NULL};
        const char *const settings[] = {"LD_PRELOAD=" MISUSE_SECURE, NULL};
        struct process_request request = {
            .arguments = arguments, .settings = settings, .stdio = PROCESS_RECORD, .timeout_s = 20};
        struct process_result result;
        struct error error;
        assert_int_equal(process_run(&request, &result, &error), STATUS_OK);
        enum misuse_end end =
            misuse_judge(result.output, result.signal, result.exit_code, result.timed_out);
        if (end != secure_ends[i].end) {
            fail_msg("%s: %d; it wrote \"%s\", exit %d, signal %d: %s", secure_ends[i].name, end,
                     result.output, result.exit_code, result.signal, result.stderr_tail);
        }
        process_result_free(&result);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_judged),
#ifdef MISUSE_BANK
        cmocka_unit_test(pools_secure_finds_what_it_claims),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
