/* Conversions, synthesis and advice: of small traces whose answers are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/host/files.h"
#include "common/host/json.h"
#include "common/host/text.h"
#include "common/rng.h"
#include "common/tests/test_directory.h"
#include "traces/host/advise.h"
#include "traces/host/convert.h"
#include "traces/host/info.h"
#include "traces/host/synth.h"
#include "traces/host/writer.h"
#include "traces/reader.h"

static char *path_of(const char *name)
{
    return text_format("%s/%s", directory, name);
}

static struct trace_converted convert(const char *input, const char *output,
                                      enum trace_foreign from, enum status expected)
{
    struct trace_converted done;
    struct error error = {.message = ""};
    const struct trace_conversion conversion = {
        .input = input, .output = output, .from = from, .events = 20000, .seed = 1};
    enum status status = trace_convert(&conversion, &done, &error);
    if (status != expected) {
        fail_msg("%s: status %d: %s", input, (int)status, error.message);
    }
    return done;
}

/* The text form of what another program wrote. */
static void expect_converted(const char *foreign, enum trace_foreign from, const char *expected)
{
    char *input = path_of("foreign"), *trace = path_of("foreign.hmtrace");
    char *text = path_of("foreign.txt"), *got;
    size_t size;
    assert_int_equal(file_write(input, foreign, strlen(foreign), NULL), STATUS_OK);
    (void)convert(input, trace, from, STATUS_OK);
    (void)convert(trace, text, TRACE_FOREIGN_GUESS, STATUS_OK);
    assert_int_equal(file_read(text, &got, &size, NULL), STATUS_OK);
    assert_string_equal(got, expected);
    free(got);
    free(input);
    free(trace);
    free(text);
}

static void test_formats(void **state)
{
    (void)state;
    static const char program[] = "m 0 24\nm 1 100\nr 0 48\nf 1\n";
    expect_converted(program, TRACE_FOREIGN_GUESS, program);
    expect_converted("m 0 24\nt 3\na 1 100 64\nf 1\n", TRACE_FOREIGN_TEXT,
                     "m 0 24\nt 3\na 1 100 64\nf 1\n");
    expect_converted(
        "{\"op\":\"take\",\"id\":7,\"size\":24}\n{\"op\":\"take\",\"id\":9,\"size\":100}\n"
        "{\"op\":\"resize\",\"id\":7,\"size\":48}\nrubbish\n{\"op\":\"give\",\"id\":9}\n",
        TRACE_FOREIGN_GUESS, program);
    expect_converted("= Start\n@ ./a.out:[0x401136] + 0x1d8a6b0 0x18\n"
                     "@ ./a.out:(main+0x20)[0x401140] + 0x1d8a6d0 0x64\n"
                     "@ ./a.out:[0x401150] < 0x1d8a6b0\n@ ./a.out:[0x401150] > 0x1d8b000 0x30\n"
                     "@ ./a.out:[0x401160] - 0x1d8a6d0\n@ ./a.out:[0x401160] - 0x99\n= End\n",
                     TRACE_FOREIGN_GUESS, program);
    expect_converted("prog->malloc(24)   = 0x55d0\nprog->calloc(1, 100) = 0x55f0\n"
                     "puts(\"x\") = 2\nprog->realloc(0x55d0, 48) = 0x5600\nfree(0x55f0) = <void>\n",
                     TRACE_FOREIGN_GUESS, program);
    expect_converted("--12-- malloc(24) = 0x4A5C040\n--12-- _Znwm(100) = 0x4A5C090\n"
                     "--12-- realloc(0x4A5C040,48) = 0x4A5C140\n--12-- _ZdlPv(0x4A5C090)\n",
                     TRACE_FOREIGN_GUESS, program);
    expect_converted("v 10500 3\nX ./a.out\na 18 1\na 64 2\n+ 0\n+ 1\n+ 0\n- 0\n- 1\n- 9\n",
                     TRACE_FOREIGN_GUESS, "m 0 24\nm 1 100\nm 2 24\nf 2\nf 1\n");
}

static void test_no_format(void **state)
{
    (void)state;
    char *input = path_of("foreign"), *trace = path_of("foreign.hmtrace");
    assert_int_equal(file_write(input, "what is this\n", 13, NULL), STATUS_OK);
    (void)convert(input, trace, TRACE_FOREIGN_GUESS, STATUS_INVALID);
    (void)convert(input, input, TRACE_FOREIGN_GUESS, STATUS_INVALID);
    (void)convert("/nonexistent", trace, TRACE_FOREIGN_GUESS, STATUS_NOT_FOUND);
    free(input);
    free(trace);
}

/* A profile's sizes come with its rates, and stay alive in its numbers. */
static void test_profile(void **state)
{
    (void)state;
    static const char profile[] = "16, 300, 1000\n4096, 100, 2000\n";
    char *input = path_of("profile.csv"), *trace = path_of("profile.hmtrace");
    assert_int_equal(file_write(input, profile, strlen(profile), NULL), STATUS_OK);
    (void)convert(input, trace, TRACE_FOREIGN_GUESS, STATUS_OK);
    json_t *info = trace_info(trace, NULL);
    const json_t *small = json_array_get(json_object_get(info, "sizes"), 0);
    double blocks = 64.0 * (1 << 20) / (16 * 1000 + 4096 * 2000);
    double setup = 1000 * blocks; /* takes before the steady state */
    double drawn = json_number_at(small, "takes", 0) - setup;
    assert_true(drawn > 0.72 * 10000 && drawn < 0.78 * 10000);
    double peak = json_number_at(json_object_get(info, "totals"), "live_bytes_peak", 0);
    assert_true(peak > 63.9 * (1 << 20) && peak < 64.1 * (1 << 20));
    json_decref(info);
    free(input);
    free(trace);
}

/* Two phases: small blocks that die young, then large ones that stay. */
static void write_phases(const char *path)
{
    enum { TAKES = 40000 };
    struct trace_writer *writer;
    json_t *description = json_object();
    assert_int_equal(trace_writer_open(&writer, path, description, 3, NULL), STATUS_OK);
    json_decref(description);
    for (int i = 0; i < TAKES / 2; i++) {
        trace_writer_give(writer, TRACE_FREE, trace_writer_take(writer, TRACE_MALLOC, 24, 0));
    }
    for (int i = 0; i < TAKES / 2; i++) {
        (void)trace_writer_take(writer, TRACE_MALLOC, 1000, 0);
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
}

static void test_synth(void **state)
{
    (void)state;
    char *real = path_of("real.hmtrace"), *made = path_of("made.hmtrace");
    json_t *fit;
    write_phases(real);
    struct trace_synthesis synthesis = {
        .input = real, .output = made, .length = 1, .scale = 1, .seed = 5};
    assert_int_equal(trace_synth(&synthesis, &fit, NULL), STATUS_OK);
    assert_true(json_number_at(fit, "sizes_distance", 1) < 0.01);
    assert_true(json_number_at(fit, "lifetimes_distance", 1) < 0.01);
    assert_true(json_number_at(fit, "curve_distance", 1) < 0.02);
    json_decref(fit);
    synthesis.scale = 2;
    assert_int_equal(trace_synth(&synthesis, &fit, NULL), STATUS_OK);
    double ratio = json_number_at(fit, "synthetic.live_bytes_peak", 0) /
                   json_number_at(fit, "real.live_bytes_peak", 1);
    assert_true(ratio > 1.95 && ratio < 2.05);
    json_decref(fit);
    free(real);
    free(made);
}

/* Sizes 40 and 200 alone: two classes of 48 and 208 waste 8 bytes of each block. */
static void test_advise(void **state)
{
    (void)state;
    char *path = path_of("advise.hmtrace");
    struct trace_writer *writer;
    json_t *description = json_object();
    assert_int_equal(trace_writer_open(&writer, path, description, 3, NULL), STATUS_OK);
    json_decref(description);
    for (int i = 0; i < 1000; i++) {
        uint32_t slots[6];
        for (int j = 0; j < 6; j++) {
            slots[j] = trace_writer_take(writer, TRACE_MALLOC, 40, 0);
        }
        for (int j = 0; j < 6; j++) {
            trace_writer_give(writer, TRACE_FREE, slots[j]);
        }
        (void)trace_writer_take(writer, TRACE_MALLOC, 200, 0);
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    json_t *advice = trace_advise(path, NULL);
    const json_t *classes = json_array_get(json_object_get(advice, "classes"), 0);
    double expected = (6 * 8 + 8) / (6.0 * 40 + 200);
    double waste = json_number_at(classes, "waste", 0);
    assert_true(waste > 0.999 * expected && waste < 1.001 * expected);
    const json_t *caps = json_object_get(advice, "caps");
    assert_int_equal(json_array_size(caps), 2);
    const json_t *small = json_array_get(caps, 0);
    assert_int_equal(json_integer_value(json_object_get(small, "size")), 48);
    assert_int_equal(json_integer_value(json_object_get(small, "cap")), 8); /* 6 at once */
    assert_true(json_number_at(small, "hits_checked", 0) == 1);
    assert_true(json_number_at(json_array_get(caps, 1), "hits_unbounded", 1) == 0);
    json_decref(advice);
    free(path);
}

/* 10 takes of 24 bytes and 10 of 40: classes of 32 and 48 waste 16 bytes of 64. */
static void test_waste(void **state)
{
    (void)state;
    char *path = path_of("waste.hmtrace");
    struct trace_writer *writer;
    double usable[INFO_SMALL_MAX];
    json_t *description = json_object();
    assert_int_equal(trace_writer_open(&writer, path, description, 3, NULL), STATUS_OK);
    json_decref(description);
    for (int i = 0; i < 10; i++) {
        (void)trace_writer_take(writer, TRACE_MALLOC, 24, 0);
        (void)trace_writer_take(writer, TRACE_MALLOC, 40, 0);
        (void)trace_writer_take(writer, TRACE_MALLOC, 5000, 0); /* beyond what is asked for */
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    for (size_t size = 1; size <= INFO_SMALL_MAX; size++) {
        usable[size - 1] = (double)((size + 15) / 16 * 16);
    }
    json_t *info = trace_info(path, NULL);
    trace_info_add_waste(info, "sixteen", usable, INFO_SMALL_MAX);
    trace_info_add_waste(info, "none", usable, 0);
    const json_t *rows = json_object_get(info, "waste");
    assert_true(json_number_at(json_array_get(rows, 0), "waste", 0) == 0.25);
    assert_true(json_number_at(json_array_get(rows, 0), "asked", 0) == 640);
    assert_true(json_number_at(json_array_get(rows, 1), "waste", 1) == 0);
    json_decref(info);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_no_format),
        cmocka_unit_test(test_profile), cmocka_unit_test(test_synth),
        cmocka_unit_test(test_advise),  cmocka_unit_test(test_waste),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
