/* The reports of leak detectors from outside, as they were captured, and cut short. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "leaks/reports.h"

static const char reports_lsan[] =
    "\n"
    "=================================================================\n"
    "==11==ERROR: LeakSanitizer: detected memory leaks\n"
    "\n"
    "Direct leak of 2030 byte(s) in 10 object(s) allocated from:\n"
    "    #0 0x7f1c in __interceptor_malloc asan_malloc_linux.cpp:69\n"
    "    #1 0x5581 in plant_lost allocators/tests/leaks_planting.c:40\n"
    "    #2 0x5582  (/lib/x86_64-linux-gnu/libc.so.6+0x27249)\n"
    "\n"
    "Indirect leak of 96 byte(s) in 2 object(s) allocated from:\n"
    "    #0 0x7f1c in __interceptor_calloc asan_malloc_linux.cpp:77\n"
    "    #1 0x5590 in plant_live allocators/tests/leaks_planting.c:33\n"
    "\n"
    "SUMMARY: AddressSanitizer: 2126 byte(s) leaked in 12 allocation(s).\n";

static const char reports_memcheck[] =
    "<?xml version=\"1.0\"?>\n"
    "<valgrindoutput>\n"
    "<error>\n"
    "  <kind>UninitCondition</kind>\n"
    "  <stack>\n    <frame>\n      <fn>elsewhere</fn>\n    </frame>\n  </stack>\n"
    "</error>\n"
    "<error>\n"
    "  <kind>Leak_DefinitelyLost</kind>\n"
    "  <xwhat>\n"
    "    <text>5,000 bytes in 5 blocks are definitely lost in loss record 1 of 2</text>\n"
    "    <leakedbytes>5000</leakedbytes>\n"
    "    <leakedblocks>5</leakedblocks>\n"
    "  </xwhat>\n"
    "  <stack>\n"
    "    <frame>\n      <fn>malloc</fn>\n    </frame>\n"
    "    <frame>\n      <fn>lose</fn>\n      <file>p.c</file>\n      <line>2</line>\n    </frame>\n"
    "  </stack>\n"
    "</error>\n"
    "<error>\n"
    "  <kind>Leak_PossiblyLost</kind>\n"
    "  <xwhat>\n"
    "    <leakedbytes>64</leakedbytes>\n"
    "    <leakedblocks>1</leakedblocks>\n"
    "  </xwhat>\n"
    "  <stack>\n    <frame>\n      <fn>keep</fn>\n    </frame>\n  </stack>\n"
    "</error>\n"
    "<error>\n"
    "  <kind>Leak_StillReachable</kind>\n"
    "  <xwhat>\n"
    "    <leakedbytes>70290</leakedbytes>\n"
    "    <leakedblocks>300</leakedblocks>\n"
    "  </xwhat>\n"
    "</error>\n"
    "</valgrindoutput>\n";

static const char reports_heaptrack[] =
    "reading file \"ht.zst\" - please wait, this might take some time...\n"
    "Debuggee command was: ./p\n"
    "finished reading file, now analyzing data:\n"
    "\n"
    "MEMORY LEAKS\n"
    "5.00K leaked over 5 calls from\n"
    "lose\n"
    "  at p.c:2\n"
    "  in ./p\n"
    "5.00K leaked over 5 calls from:\n"
    "    main\n"
    "      at p.c:3\n"
    "      in ./p\n"
    "\n"
    "120B leaked over 1 calls from\n"
    "setup\n"
    "  in ./p\n"
    "\n"
    "\n"
    "total runtime: 0.00s.\n"
    "total memory leaked: 5.12K\n";

static struct leaks_report reports_parse(enum leaks_report_format format, const char *text)
{
    struct leaks_report report;
    struct error error;
    assert_int_equal(STATUS_OK, leaks_report_parse(format, text, &report, &error));
    return report;
}

static void reports_of_lsan(void **state)
{
    (void)state;
    struct leaks_report report = reports_parse(LEAKS_REPORT_LSAN, reports_lsan);
    assert_int_equal(2, report.count);
    assert_int_equal(2030, report.entries[0].bytes);
    assert_false(report.entries[0].indirect);
    assert_true(report.entries[1].indirect);
    assert_int_equal(3, report.entries[0].functions.count);
    assert_string_equal("?", report.entries[0].functions.items[2]);
    assert_int_equal(2, report.entries[0].places.count);
    assert_string_equal("allocators/tests/leaks_planting.c:40", report.entries[0].places.items[1]);
    assert_int_equal(10, leaks_report_blocks(&report, "plant_lost", false));
    assert_int_equal(12, leaks_report_blocks(&report, NULL, false));
    leaks_report_free(&report);
    report = reports_parse(LEAKS_REPORT_LSAN, "the program's own words\n");
    assert_int_equal(0, report.count);
    leaks_report_free(&report);
}

static void reports_of_memcheck(void **state)
{
    (void)state;
    struct leaks_report report = reports_parse(LEAKS_REPORT_MEMCHECK, reports_memcheck);
    assert_int_equal(2, report.count);
    assert_int_equal(5000, report.entries[0].bytes);
    assert_true(report.entries[1].possible);
    assert_int_equal(5, leaks_report_blocks(&report, "lose", false));
    assert_int_equal(0, leaks_report_blocks(&report, "elsewhere", true));
    assert_int_equal(5, leaks_report_blocks(&report, NULL, false));
    assert_int_equal(6, leaks_report_blocks(&report, NULL, true));
    leaks_report_free(&report);
}

static void reports_of_heaptrack(void **state)
{
    (void)state;
    struct leaks_report report = reports_parse(LEAKS_REPORT_HEAPTRACK, reports_heaptrack);
    assert_int_equal(2, report.count);
    assert_int_equal(5000, report.entries[0].bytes);
    assert_int_equal(120, report.entries[1].bytes);
    assert_int_equal(5, leaks_report_blocks(&report, "main", false));
    assert_int_equal(6, leaks_report_blocks(&report, NULL, false));
    leaks_report_free(&report);
}

/* A report without its end is none, wherever it stops within its lines about leaks. */
static void reports_cut_short_are_refused(void **state)
{
    (void)state;
    const struct {
        enum leaks_report_format format;
        const char *text;
        const char *from;
        const char *end;
    } cases[] = {
        {LEAKS_REPORT_LSAN, reports_lsan, "Direct", "SUMMARY"},
        {LEAKS_REPORT_MEMCHECK, reports_memcheck, "<valgrindoutput", "</valgrindoutput"},
        {LEAKS_REPORT_HEAPTRACK, reports_heaptrack, "MEMORY", "total runtime"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t from = (size_t)(strstr(cases[i].text, cases[i].from) - cases[i].text);
        size_t end = (size_t)(strstr(cases[i].text, cases[i].end) - cases[i].text);
        for (size_t length = from; length < end; length++) {
            struct leaks_report report;
            struct error error;
            char *text = text_format("%.*s", (int)length, cases[i].text);
            assert_int_equal(STATUS_INVALID,
                             leaks_report_parse(cases[i].format, text, &report, &error));
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_lsan),
        cmocka_unit_test(reports_of_memcheck),
        cmocka_unit_test(reports_of_heaptrack),
        cmocka_unit_test(reports_cut_short_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
