/* Tests that read a failing run's output, and that make an input smaller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fuzz/campaign/signature.h"
#include "fuzz/campaign/status_line.h"
#include "fuzz/reduce.h"

static const char asan_output[] =
    "INFO: Seed: 1\n"
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1\n"
    "READ of size 8 at 0x602000000010 thread T0\n"
    "    #0 0x4c1 in __asan_memcpy (/build/bin/heapmill-fuzz-x+0x4c1)\n"
    "    #1 0x4d2 in pymalloc_free_slow /src/allocators/pymalloc.c:101:5\n"
    "    #2 0x4d3 in heap_free /src/allocators/backend.h:55:5\n"
    "    #3 0x4d4 in block_play /src/fuzz/block_ops_fuzzer.c:77:9\n"
    "\n"
    "freed by thread T0 here:\n"
    "    #0 0x4c1 in free (/build/bin/heapmill-fuzz-x+0x4c1)\n"
    "    #1 0x4d2 in gc_elsewhere /src/gc/runtime.c:5:5\n";

static void sanitizer_reports_have_own_frames(void **state)
{
    struct fuzz_signature signature;
    (void)state;
    fuzz_signature_read(asan_output, 0, 6, false, &signature);
    assert_string_equal(signature.kind, "asan heap-use-after-free");
    assert_string_equal(signature.frames[0], "pymalloc_free_slow");
    assert_string_equal(signature.places[0], "allocators/pymalloc.c:101:5");
    assert_string_equal(signature.frames[1], "heap_free");
    assert_null(
        signature.frames[2]); /* frames of the harness and of the second stack are skipped */
    assert_string_equal(signature.key, "asan heap-use-after-free||pymalloc_free_slow|heap_free");
    fuzz_signature_release(&signature);
}

static void check_failures_are_findings(void **state)
{
    struct fuzz_signature signature;
    (void)state;
    fuzz_signature_read("==9==AddressSanitizer: CHECK failed: asan_allocator.cpp:142 \"((0)) != "
                        "(0)\" (0x0, 0x0) (tid=9)\n    #0 0x1 in __asan::CheckUnwind() "
                        "/llvm/asan_rtl.cpp:67:3\n    #1 0x2 in sysmalloc_alloc "
                        "/src/allocators/sysmalloc.h:30:1\n",
                        1, 0, false, &signature);
    assert_string_equal(signature.kind, "asan CHECK asan_allocator.cpp");
    assert_string_equal(signature.frames[0], "sysmalloc_alloc");
    fuzz_signature_release(&signature);
}

static void oracles_are_told_apart_without_their_numbers(void **state)
{
    struct fuzz_signature once, again, other;
    (void)state;
    fuzz_signature_read("heapmill-fuzz: ORACLE contents: block 12 lost byte 0x7f (operation 9)\n",
                        0, 6, false, &once);
    fuzz_signature_read("heapmill-fuzz: ORACLE contents: block 7 lost byte 0x3 (operation 210)\n",
                        0, 6, false, &again);
    fuzz_signature_read("heapmill-fuzz: ORACLE overlap: block 7 lost byte 0x3 (operation 210)\n", 0,
                        6, false, &other);
    assert_string_equal(once.kind, "oracle contents");
    assert_string_equal(once.text, "block 12 lost byte 0x7f");
    assert_string_equal(once.key, again.key);
    assert_string_not_equal(once.key, other.key);
    fuzz_signature_release(&once);
    fuzz_signature_release(&again);
    fuzz_signature_release(&other);
}

static void without_a_word_the_signal_speaks(void **state)
{
    struct fuzz_signature signature;
    (void)state;
    fuzz_signature_read("nothing\n", 0, 11, false, &signature);
    assert_string_equal(signature.kind, "signal 11");
    fuzz_signature_release(&signature);
    fuzz_signature_read("", 3, 0, false, &signature);
    assert_string_equal(signature.kind, "exit status 3");
    fuzz_signature_release(&signature);
    fuzz_signature_read("", 0, 9, true, &signature);
    assert_string_equal(signature.kind, "timeout");
    fuzz_signature_release(&signature);
    fuzz_signature_read(
        "heapmill: fatal: double free of a block\n==5== ERROR: libFuzzer: deadly signal\n", 77, 0,
        false, &signature);
    assert_string_equal(signature.kind,
                        "fatal double free of"); /* the first message has the reason */
    fuzz_signature_release(&signature);
    fuzz_signature_read("/src/gc/a.c:3:4: runtime error: signed integer overflow: 3 + 4\n", 1, 0,
                        false, &signature);
    assert_string_equal(signature.kind, "undefined signed integer overflow");
    fuzz_signature_release(&signature);
}

/* Has the input an 'a' at an even place from 4 on, and a 'b' somewhere after it? */
static bool has_pair(void *context, const uint8_t *bytes, size_t size)
{
    size_t *calls = context;
    bool first = false;
    bool holds = false;
    ++*calls;
    for (size_t i = 4; i + 1 < size; i += 2) {
        holds = holds || (first && bytes[i] == 'b');
        first = first || bytes[i] == 'a';
    }
    return holds;
}

static void reduction_keeps_what_is_needed_and_nothing_else(void **state)
{
    uint8_t bytes[1001]; /* the last byte is an incomplete unit */
    uint8_t trial[1001];
    size_t size = sizeof(bytes);
    size_t calls = 0;
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    bytes[104] = 'a';
    bytes[802] = 'b';
    struct fuzz_reduce reduce = {.test = has_pair,
                                 .context = &calls,
                                 .header_bytes = 4,
                                 .unit_bytes = 2,
                                 .tests_max = 10000,
                                 .time_s_max = 60};
    size = fuzz_reduce_input(&reduce, bytes, size, trial);
    assert_int_equal(size, 8);
    assert_memory_equal(bytes, "\0\0\0\0a\0b\0", 8);
    assert_int_equal(calls, reduce.tests);
    assert_true(calls < 400); /* fewer than one per byte */
}

static void reduction_ends_at_its_bound(void **state)
{
    uint8_t bytes[1000] = {[104] = 'a', [802] = 'b'};
    uint8_t trial[1000];
    size_t size = sizeof(bytes);
    size_t calls = 0;
    (void)state;
    struct fuzz_reduce reduce = {.test = has_pair,
                                 .context = &calls,
                                 .header_bytes = 4,
                                 .unit_bytes = 2,
                                 .tests_max = 5,
                                 .time_s_max = 60};
    size = fuzz_reduce_input(&reduce, bytes, size, trial);
    assert_int_equal(calls, 5);
    assert_true(has_pair(&calls, bytes, size));
}

static void counts_are_short(void **state)
{
    static const struct {
        double count;
        const char *text;
    } cases[] = {{0, "0"},       {9999, "9999"},       {10000, "10.00k"}, {123456, "123.5k"},
                 {1e6, "1000k"}, {12345678, "12.35M"}, {2.5e10, "25.00G"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        fuzz_text_of_count(text, sizeof(text), cases[i].count);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sanitizer_reports_have_own_frames),
        cmocka_unit_test(check_failures_are_findings),
        cmocka_unit_test(oracles_are_told_apart_without_their_numbers),
        cmocka_unit_test(without_a_word_the_signal_speaks),
        cmocka_unit_test(reduction_keeps_what_is_needed_and_nothing_else),
        cmocka_unit_test(reduction_ends_at_its_bound),
        cmocka_unit_test(counts_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
