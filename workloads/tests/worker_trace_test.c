/* Replays: what is live at each moment is what was live in the program, to the byte; a trace that
 * is longer than what is unpacked at once; by the threads that it had; traces that cannot be
 * replayed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/text.h"
#include "common/rng.h"
#include "common/tests/test_directory.h"
#include "traces/host/writer.h"
#include "traces/reader.h"
#include "workloads/tests/worker_process.h"

/* threads: NULL for the workload of one. */
static json_t *replay_on(const char *threads, const char *worker, const char *pass,
                         const char *file, const char *iterations, int exit_code)
{
    char *parameter = text_format("file=%s", file);
    const char *const arguments[] = {"--cell",
                                     "--workload",
                                     threads == NULL ? "trace" : "trace_threads",
                                     "--param",
                                     parameter,
                                     "--pass",
                                     pass,
                                     "--samples",
                                     "200",
                                     "--seed",
                                     "1",
                                     "--iterations",
                                     iterations,
                                     threads == NULL ? NULL : "--threads",
                                     threads,
                                     NULL};
    json_t *record = worker_run_json(WORKER_DIRECTORY, worker, arguments, exit_code);
    free(parameter);
    return record;
}

static json_t *replay(const char *worker, const char *pass, const char *file,
                      const char *iterations, int exit_code)
{
    return replay_on(NULL, worker, pass, file, iterations, exit_code);
}

/* Bytes live after each event; *count is the number of events. */
static uint64_t *curve_of(const char *name, size_t *count, uint64_t *peak)
{
    char path[4096];
    struct trace_reader reader;
    struct trace_arena arena = {.count = 0};
    const struct trace_event *events;
    size_t got;
    uint64_t live = 0;
    assert_true(trace_find_reference(name, path, sizeof(path)));
    assert_int_equal(trace_reader_open(&reader, path, trace_arena_take, &arena, NULL), STATUS_OK);
    uint64_t *curve = calloc(reader.totals.events + 1, sizeof(*curve));
    *count = 0;
    while (trace_reader_next(&reader, &events, &got, NULL) == STATUS_OK && got > 0) {
        for (size_t i = 0; i < got; i++) {
            uint64_t bytes = trace_live_bytes(events[i].size);
            live += events[i].operation == TRACE_GIVE ? -bytes
                    : events[i].operation == TRACE_RESIZE
                        ? bytes - trace_live_bytes(events[i].old_size)
                        : bytes;
            curve[++*count] = live;
        }
    }
    *peak = reader.live_bytes_peak;
    trace_reader_close(&reader);
    trace_arena_release(&arena);
    return curve;
}

static void check_curve(const char *name)
{
    size_t count, i, compared = 0;
    uint64_t peak, largest = 0;
    uint64_t *curve = curve_of(name, &count, &peak);
    json_t *record = replay("heapmill-probe-malloc", "memory", name, "1", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    const json_t *series = json_object_get(json_object_get(record, "memory"), "series");
    const json_t *live = worker_array(series, "live_bytes");
    json_t *at;
    json_array_foreach(worker_array(series, "operations"), i, at)
    {
        size_t event = (size_t)json_integer_value(at);
        if (event <= count) {
            compared++;
            if ((uint64_t)json_integer_value(json_array_get(live, i)) != curve[event]) {
                fail_msg("%s: after %zu events another number of bytes is live", name, event);
            }
        }
    }
    assert_true(compared > 50);
    for (size_t event = 1; event <= count; event++) {
        largest = curve[event] > largest ? curve[event] : largest;
    }
    assert_int_equal(largest, peak);
    assert_true(worker_number(json_object_get(record, "figures"), "trace_live_bytes_peak") ==
                (double)peak);
    json_decref(record);
    free(curve);
}

static void test_curves(void **state)
{
    static const char *const names[] = {"python-json", "python-web", "python-compile",
                                        "sqlite",      "redis",      "gcc",
                                        "git",         "perl",       "node"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        check_curve(names[i]);
    }
}

/* Iterations are alike, and both workers do the same. */
static void test_checksum(void **state)
{
    (void)state;
    json_t *once = replay("heapmill-run-malloc", "time", "sqlite", "1", 0);
    json_t *twice = replay("heapmill-run-malloc", "time", "sqlite", "2", 0);
    json_t *probe = replay("heapmill-probe-malloc", "memory", "sqlite", "1", 0);
    assert_true(json_equal(json_object_get(once, "checksum"), json_object_get(probe, "checksum")));
    assert_true(2 * worker_number(once, "checksum") == worker_number(twice, "checksum"));
    assert_true(2 * worker_number(once, "operations") == worker_number(twice, "operations"));
    json_decref(once);
    json_decref(twice);
    json_decref(probe);
}

/* More events than are unpacked at once, all of them or 10^8: all are played, in little memory. */
#ifdef __SANITIZE_ADDRESS__ /* slow, and its quarantine keeps what is freed */
enum { PAIRS = 200000, PAIRS_LONG = PAIRS, RSS_BYTES_MAX = 1 << 30 };
#else
enum { PAIRS = 5000000, PAIRS_LONG = 50000000, RSS_BYTES_MAX = 256 << 20 };
#endif
static void check_streamed(uint32_t pairs)
{
    enum { EVERY = 1000 };
    char *path = text_format("%s/long.hmtrace", directory);
    struct trace_writer *writer;
    json_t *description = json_object();
    uint32_t kept = UINT32_MAX;
    assert_int_equal(trace_writer_open(&writer, path, description, 1, NULL), STATUS_OK);
    json_decref(description);
    for (uint32_t i = 0; i < pairs; i++) {
        uint32_t slot = trace_writer_take(writer, TRACE_MALLOC, 1 + i % 100, 0);
        if (i % EVERY == 0) { /* one that lives across frames */
            if (kept != UINT32_MAX) {
                trace_writer_give(writer, TRACE_FREE, kept);
            }
            kept = slot;
        } else {
            trace_writer_give(writer, TRACE_FREE, slot);
        }
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    json_t *record = replay("heapmill-run-malloc", "time", path, "1", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    assert_true(worker_number(record, "allocations") == pairs);
    assert_true(worker_number(record, "operations") == 2 * (double)pairs);
    assert_true(worker_number(record, "process_rss_bytes_peak") < RSS_BYTES_MAX);
    json_decref(record);
    free(path);
}

static void test_streamed(void **state)
{
    (void)state;
    check_streamed(PAIRS);
}

static void test_streamed_long(void **state)
{
    (void)state;
    check_streamed(PAIRS_LONG);
}

/* Blocks that go from hand to hand: each is taken, resized and given back by another thread. A turn
 * is how many events a thread has in a row: beside other load a hand-over may take a
 * millisecond. */
static char *write_hands(uint32_t events, uint32_t turn)
{
    enum { THREADS = 5, LIVE = 300 };
    char *path = text_format("%s/hands.hmtrace", directory);
    struct trace_writer *writer;
    struct rng rng;
    uint32_t slots[LIVE];
    unsigned hands[LIVE] = {0}; /* 0: not there */
    uint32_t thread = 0;
    json_t *description = json_object();
    rng_seed(&rng, 7);
    assert_int_equal(trace_writer_open(&writer, path, description, 1, NULL), STATUS_OK);
    json_decref(description);
    for (uint32_t i = 0; i < events; i++) {
        size_t at = rng_below(&rng, LIVE);
        thread = rng_below(&rng, turn) == 0 ? (uint32_t)rng_below(&rng, THREADS) : thread;
        trace_writer_thread(writer, thread);
        if (hands[at] == 0) {
            slots[at] = trace_writer_take(writer, TRACE_MALLOC, 1 + rng_below(&rng, 500),
                                          i % 7 == 0 ? 64 : 0);
        } else if (hands[at] == 1) {
            trace_writer_resize(writer, TRACE_REALLOC, slots[at], 1 + rng_below(&rng, 900));
        } else {
            trace_writer_give(writer, TRACE_FREE, slots[at]);
        }
        hands[at] = (hands[at] + 1) % 3;
    }
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    return path;
}

/* Whoever plays what, it is the same that is played, and contents are kept. */
static void check_threads(const char *path, const char *iterations)
{
    static const char *const threads[] = {"1", "2", "3", "5", "8"};
    json_t *alone = replay("heapmill-run-malloc", "time", path, iterations, 0);
    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
        json_t *record = replay_on(threads[i], "heapmill-run-malloc", "time", path, iterations, 0);
        assert_string_equal(worker_text(record, "status"), "ok");
        assert_true(worker_number(record, "operations") == worker_number(alone, "operations"));
        assert_true(worker_number(record, "allocations") == worker_number(alone, "allocations"));
        assert_true(worker_number(record, "checksum") == worker_number(alone, "checksum"));
        json_decref(record);
    }
    json_decref(alone);
}

static void test_threads(void **state)
{
    (void)state;
    char *path = write_hands(5000, 8);
    check_threads(path, "3");
    json_t *record = replay_on("3", "heapmill-probe-malloc", "memory", path, "1", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    json_decref(record);
    check_threads("redis", "1");
    free(path);
}

/* In several parts. */
static void test_threads_streamed(void **state)
{
    (void)state;
    char *path = write_hands(5000000, 50000);
    json_t *alone = replay("heapmill-run-malloc", "time", path, "1", 0);
    json_t *record = replay_on("3", "heapmill-run-malloc", "time", path, "1", 0);
    assert_string_equal(worker_text(record, "status"), "ok");
    assert_true(worker_number(record, "checksum") == worker_number(alone, "checksum"));
    json_decref(record);
    json_decref(alone);
    free(path);
}

static void expect_refused(const char *path, const char *why)
{
    json_t *record = replay("heapmill-run-malloc", "time", path, "1", 1);
    assert_string_equal(worker_text(record, "status"), "failed");
    if (strstr(worker_text(record, "reason"), why) == NULL) {
        fail_msg("%s, not %s", worker_text(record, "reason"), why);
    }
    json_decref(record);
}

static void test_refused(void **state)
{
    (void)state;
    char *path = text_format("%s/bad.hmtrace", directory);
    expect_refused(path, "No such file");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("no trace\n", file);
    (void)fclose(file);
    expect_refused(path, "trace record");
    struct trace_writer *writer;
    json_t *description = json_object();
    assert_int_equal(trace_writer_open(&writer, path, description, 1, NULL), STATUS_OK);
    json_decref(description);
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
    expect_refused(path, "no events");
    free(path);
}

/* With an argument: what takes long. */
int main(int argc, char **argv)
{
    const struct CMUnitTest long_tests[] = {cmocka_unit_test(test_streamed_long)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),           cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_streamed),         cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threads_streamed), cmocka_unit_test(test_refused),
    };
    (void)argv;
    return argc > 1 ? cmocka_run_group_tests(long_tests, make_directory, remove_directory)
                    : cmocka_run_group_tests(tests, make_directory, remove_directory);
}
