/* A trace is read as it was written, and a damaged one up to the damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "common/rng.h"
#include "common/tests/test_directory.h"
#include "traces/host/intake.h"
#include "traces/reader.h"

enum { EVENTS = 100000, BLOCKS = 700, SITE_EVERY = 16 };

static char *path_of(const char *name)
{
    return text_format("%s/%s", directory, name);
}

/* What the writer was told, as the reader is to tell it. */
struct told {
    struct trace_event *events;
    size_t count;
    uint64_t live_bytes_peak;
};

static void told_add(struct told *told, struct trace_event event)
{
    told->events[told->count++] = event;
}

/* A program of random events over BLOCKS places. */
static void write_random(const char *path, struct told *told)
{
    struct {
        uint32_t slot;
        uint64_t size;
        bool alive;
    } blocks[BLOCKS] = {{0}};
    struct trace_writer *writer;
    struct rng rng;
    json_t *description = json_pack("{ss}", "program", "test");
    told->events = calloc(EVENTS, sizeof(*told->events));
    rng_seed(&rng, 17);
    assert_int_equal(trace_writer_open(&writer, path, description, 3, NULL), STATUS_OK);
    json_decref(description);
    for (size_t i = 0; i < EVENTS; i++) {
        size_t b = (size_t)rng_below(&rng, BLOCKS);
        uint64_t size = rng_next(&rng) >> (16 + rng_below(&rng, 48));
        uint16_t thread = (uint16_t)(i / 1000 % 3);
        struct trace_event event = {.thread = thread, .size = size};
        trace_writer_thread(writer, thread);
        trace_writer_time(writer, i / 100);
        if (!blocks[b].alive) {
            event.alignment_log2 = rng_below(&rng, 10) == 0 ? 12 : 0;
            event.operation = event.alignment_log2 != 0 ? TRACE_TAKE_ALIGNED : TRACE_TAKE;
            event.member = TRACE_CALLOC;
            blocks[b].slot =
                trace_writer_take(writer, TRACE_CALLOC, size, event.alignment_log2 != 0 ? 4096 : 0);
            blocks[b].alive = true;
        } else if (rng_below(&rng, 4) == 0) {
            event.operation = TRACE_RESIZE;
            event.member = TRACE_REALLOC;
            event.old_size = blocks[b].size;
            trace_writer_resize(writer, TRACE_REALLOC, blocks[b].slot, size);
        } else {
            event.operation = TRACE_GIVE;
            event.member = TRACE_DELETE;
            event.size = blocks[b].size;
            blocks[b].alive = false;
            trace_writer_give(writer, TRACE_DELETE, blocks[b].slot);
        }
        event.slot = blocks[b].slot;
        blocks[b].size = size;
        if (event.operation != TRACE_GIVE && i % SITE_EVERY == 0) {
            event.site = (uint32_t)i + 1;
            trace_writer_site(writer, event.site);
        }
        told_add(told, event);
    }
    told->live_bytes_peak = trace_writer_written(writer)->live_bytes_peak;
    assert_int_equal(trace_writer_close(writer, NULL, NULL), STATUS_OK);
}

static enum status open_reader(struct trace_reader *reader, struct trace_arena *arena,
                               const char *path, struct error *error)
{
    *arena = (struct trace_arena){.count = 0};
    return trace_reader_open(reader, path, trace_arena_take, arena, error);
}

static void close_reader(struct trace_reader *reader, struct trace_arena *arena)
{
    trace_reader_close(reader);
    trace_arena_release(arena);
}

/* Reads to the end or to an error; checks what comes against what was told. */
static enum status read_all(struct trace_reader *reader, const struct told *told, size_t *total)
{
    const struct trace_event *events;
    size_t count;
    enum status status;
    struct error error = {.message = ""};
    *total = 0;
    while ((status = trace_reader_next(reader, &events, &count, &error)) == STATUS_OK &&
           count > 0) {
        if (told != NULL) {
            assert_true(*total + count <= told->count);
            assert_memory_equal(events, told->events + *total, count * sizeof(*events));
        }
        *total += count;
    }
    assert_true(status == STATUS_OK || error.message[0] != '\0');
    return status;
}

static void test_round_trip(void **state)
{
    (void)state;
    char *path = path_of("round.hmtrace");
    struct told told = {0};
    struct trace_reader reader;
    struct trace_arena arena;
    size_t total;
    write_random(path, &told);
    assert_int_equal(open_reader(&reader, &arena, path, NULL), STATUS_OK);
    assert_true(reader.totals.whole);
    assert_int_equal(reader.totals.events, EVENTS);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(read_all(&reader, &told, &total), STATUS_OK);
        assert_int_equal(total, EVENTS);
        assert_int_equal(reader.live_bytes_peak, told.live_bytes_peak);
        assert_int_equal(reader.threads, 3);
        assert_int_equal(reader.time_us, (EVENTS - 1) / 100);
        trace_reader_rewind(&reader);
    }
    const char *text;
    size_t bytes;
    assert_int_equal(trace_reader_text(&reader, TRACE_FRAME_DESCRIPTION, &text, &bytes, NULL),
                     STATUS_OK);
    assert_int_equal(bytes, strlen("{\"program\":\"test\"}"));
    assert_memory_equal(text, "{\"program\":\"test\"}", bytes);
    close_reader(&reader, &arena);
    free(told.events);
    free(path);
}

/* Cut anywhere, a trace is read up to the last whole frame. */
static void test_cut(void **state)
{
    (void)state;
    char *path = path_of("whole.hmtrace");
    char *cut = path_of("cut.hmtrace");
    struct told told = {0};
    char *bytes;
    size_t size;
    write_random(path, &told);
    assert_int_equal(file_read(path, &bytes, &size, NULL), STATUS_OK);
    for (size_t length = 0; length < size; length += 1 + length / 7) {
        struct trace_reader reader;
        struct trace_arena arena;
        struct error error = {.message = ""};
        size_t total;
        assert_int_equal(file_write(cut, bytes, length, NULL), STATUS_OK);
        if (open_reader(&reader, &arena, cut, &error) != STATUS_OK) {
            assert_true(length < 200 && error.message[0] != '\0');
            continue;
        }
        assert_false(reader.totals.whole);
        assert_int_equal(read_all(&reader, &told, &total), STATUS_OK);
        assert_int_equal(total, reader.totals.events);
        close_reader(&reader, &arena);
    }
    free(bytes);
    free(told.events);
    free(path);
    free(cut);
}

/* A changed byte is found, or changes nothing. */
static void test_flipped(void **state)
{
    (void)state;
    char *path = path_of("flip.hmtrace");
    struct told told = {0};
    struct rng rng;
    char *bytes;
    size_t size;
    write_random(path, &told);
    assert_int_equal(file_read(path, &bytes, &size, NULL), STATUS_OK);
    rng_seed(&rng, 3);
    for (int i = 0; i < 300; i++) {
        size_t at = i < 100 ? (size_t)i : (size_t)rng_below(&rng, size);
        struct trace_reader reader;
        struct trace_arena arena;
        size_t total;
        bytes[at] ^= (char)(1 << (i % 8));
        assert_int_equal(file_write(path, bytes, size, NULL), STATUS_OK);
        struct error error = {.message = ""};
        if (open_reader(&reader, &arena, path, &error) == STATUS_OK) {
            (void)read_all(&reader, &told, &total); /* fails if a wrong event comes */
            close_reader(&reader, &arena);
        } else {
            assert_true(error.message[0] != '\0');
        }
        bytes[at] ^= (char)(1 << (i % 8));
    }
    free(bytes);
    free(told.events);
    free(path);
}

/* A file of one frame with that content and an honest header, checksums too. */
static void write_frame(const char *path, const unsigned char *raw, size_t raw_bytes,
                        uint32_t events, uint32_t takes, uint32_t slots)
{
    unsigned char file[8192] = TRACE_MAGIC;
    unsigned char *header = file + TRACE_MAGIC_BYTES;
    file[sizeof(TRACE_MAGIC) - 1] = TRACE_VERSION;
    size_t stored = ZSTD_compress(header + TRACE_HEADER_BYTES, 4096, raw, raw_bytes, 1);
    const uint32_t words[] = {
        TRACE_FRAME_EVENTS, (uint32_t)stored, (uint32_t)raw_bytes, events, takes, slots, 0};
    for (size_t i = 0; i < 7; i++) {
        trace_store_u32(header + 4 * i, words[i]);
    }
    trace_store_u32(header + 28, trace_header_sum(header));
    assert_int_equal(file_write(path, file, TRACE_MAGIC_BYTES + TRACE_HEADER_BYTES + stored, NULL),
                     STATUS_OK);
}

enum { TAKE = TRACE_TAKE << 5, RESIZE = TRACE_RESIZE << 5, GIVE = TRACE_GIVE << 5 };
static const struct {
    const char *what;
    uint32_t events, takes, slots;
    unsigned char lengths[TRACE_COLUMNS];
    unsigned char columns[24];
    enum status status;
} hostile[] = {
    {"one block", 2, 1, 1, {2, 1, 1}, {TAKE, GIVE, 8, 0}, STATUS_OK},
    {"given twice", 3, 1, 1, {3, 1, 2}, {TAKE, GIVE, GIVE, 8, 0, 0}, STATUS_CORRUPT},
    {"given before", 1, 0, 0, {1, 0, 1}, {GIVE, 0}, STATUS_CORRUPT},
    {"far slot", 2, 1, 1, {2, 1, 3}, {TAKE, GIVE, 8, 0xff, 0xff, 0x7f}, STATUS_CORRUPT},
    {"slot before 0", 2, 1, 1, {2, 1, 1}, {TAKE, GIVE, 8, 1}, STATUS_CORRUPT},
    {"more slots than said", 2, 2, 1, {2, 2}, {TAKE, TAKE, 8, 8}, STATUS_CORRUPT},
    {"more events than said", 1, 1, 1, {2, 2}, {TAKE, TAKE, 8, 8}, STATUS_CORRUPT},
    {"fewer events than said", 2, 1, 1, {1, 1}, {TAKE, 8}, STATUS_CORRUPT},
    {"no size", 1, 1, 1, {1}, {TAKE}, STATUS_CORRUPT},
    {"endless size", 1, 1, 1, {1, 2}, {TAKE, 0xff, 0xff}, STATUS_CORRUPT},
    {"huge size", 1, 1, 1, {1, 8}, {TAKE, 255, 255, 255, 255, 255, 255, 255, 127}, STATUS_CORRUPT},
    {"no alignment", 1, 1, 1, {1, 1}, {TRACE_TAKE_ALIGNED << 5, 8}, STATUS_CORRUPT},
    {"site of nothing", 0, 0, 0, {1, 0, 0, 0, 0, 4}, {TRACE_SITE << 5, 1, 2, 3, 4}, STATUS_CORRUPT},
    {"half a site", 1, 1, 1, {2, 1, 0, 0, 0, 2}, {TAKE, TRACE_SITE << 5, 8, 1, 2}, STATUS_CORRUPT},
    {"thread 2^16", 0, 0, 0, {1, 0, 0, 0, 3}, {TRACE_THREAD << 5, 0x80, 0x80, 4}, STATUS_CORRUPT},
    {"unknown code", 0, 0, 0, {1}, {7 << 5}, STATUS_CORRUPT},
    {"resize of nothing", 1, 0, 0, {1, 1, 1}, {RESIZE, 8, 0}, STATUS_CORRUPT},
};

/* What the checksums do not find, since whoever wrote the file meant it. */
static void test_hostile(void **state)
{
    (void)state;
    char *path = path_of("hostile.hmtrace");
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        unsigned char raw[128] = {0};
        size_t bytes = 4 * TRACE_COLUMNS;
        for (int c = 0; c < TRACE_COLUMNS; c++) {
            trace_store_u32(raw + 4 * (size_t)c, hostile[i].lengths[c]);
            bytes += hostile[i].lengths[c];
        }
        memcpy(raw + 4 * TRACE_COLUMNS, hostile[i].columns, sizeof(hostile[i].columns));
        write_frame(path, raw, bytes, hostile[i].events, hostile[i].takes, hostile[i].slots);
        struct trace_reader reader;
        struct trace_arena arena;
        size_t total;
        struct error error = {.message = ""};
        assert_int_equal(open_reader(&reader, &arena, path, &error), STATUS_OK);
        enum status status = read_all(&reader, NULL, &total);
        if (status != hostile[i].status) {
            fail_msg("%s: status %d", hostile[i].what, (int)status);
        }
        close_reader(&reader, &arena);
    }
    free(path);
}

/* A file that is none says so and names the remedy. */
static void test_no_trace(void **state)
{
    (void)state;
    struct trace_reader reader;
    struct trace_arena arena;
    struct error error;
    char *path = path_of("none");
    assert_int_equal(open_reader(&reader, &arena, path, &error), STATUS_NOT_FOUND);
    assert_int_equal(file_write(path, "hello, world", 12, NULL), STATUS_OK);
    assert_int_equal(open_reader(&reader, &arena, path, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "trace record"));
    assert_int_equal(file_write(path, "hmtrace\x09", 8, NULL), STATUS_OK);
    assert_int_equal(open_reader(&reader, &arena, path, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "format 9"));
    assert_int_equal(open_reader(&reader, &arena, directory, &error), STATUS_INVALID);
    free(path);
}

/* Addresses become slots; moves, strangers and blocks whose give was missed. */
static void test_intake(void **state)
{
    (void)state;
    char *path = path_of("intake.hmtrace");
    struct trace_intake intake;
    json_t *description = json_object();
    assert_int_equal(trace_intake_open(&intake, path, description, 3, 1, NULL), STATUS_OK);
    json_decref(description);
    trace_intake_took(&intake, 0, TRACE_MALLOC, 0x1000, 10, 0, 0);
    trace_intake_took(&intake, 1, TRACE_MALLOC, 0x2000, 20, 0, 7);
    trace_intake_gives(&intake, 0, TRACE_FREE, 0x9000); /* a stranger */
    trace_intake_gives(&intake, 0, TRACE_REALLOC, 0x1000);
    trace_intake_took(&intake, 1, TRACE_MALLOC, 0x1000, 30, 0, 0); /* its old place, meanwhile */
    trace_intake_took(&intake, 0, TRACE_REALLOC, 0x3000, 100, 0, 0);
    trace_intake_gives(&intake, 0, TRACE_REALLOC, 0x3000);
    trace_intake_keeps(&intake, 0, 0x3000);                       /* it could not be moved */
    trace_intake_gives(&intake, 1, TRACE_REALLOC, 0x2000);        /* realloc(block, 0) */
    trace_intake_took(&intake, 1, TRACE_MALLOC, 0x3000, 5, 0, 0); /* a missed give */
    assert_int_equal(trace_intake_close(&intake, NULL, NULL), STATUS_OK);
    static const struct {
        unsigned operation, slot, size, thread;
    } expected[] = {
        {TRACE_TAKE, 0, 10, 0},    {TRACE_TAKE, 1, 20, 1}, {TRACE_TAKE, 2, 30, 1},
        {TRACE_RESIZE, 0, 100, 0}, {TRACE_GIVE, 1, 20, 1}, {TRACE_TAKE, 1, 5, 1},
        {TRACE_GIVE, 0, 100, 1},
    };
    struct trace_reader reader;
    struct trace_arena arena;
    const struct trace_event *events;
    size_t count;
    assert_int_equal(open_reader(&reader, &arena, path, NULL), STATUS_OK);
    assert_int_equal(trace_reader_next(&reader, &events, &count, NULL), STATUS_OK);
    assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(events[i].operation, expected[i].operation);
        assert_int_equal(events[i].slot, expected[i].slot);
        assert_int_equal(events[i].size, expected[i].size);
        assert_int_equal(events[i].thread, expected[i].thread);
    }
    assert_int_equal(reader.live_bytes, 35);
    close_reader(&reader, &arena);
    free(path);
}

/* The map of addresses against a table: many blocks come and go at addresses that collide. */
static void test_addresses(void **state)
{
    (void)state;
    enum { PLACES = 60000, STEPS = 400000 };
    char *path = path_of("addresses.hmtrace");
    unsigned char *alive = calloc(PLACES, 1);
    uint64_t count = 0;
    struct trace_intake intake;
    struct rng rng;
    json_t *description = json_object();
    rng_seed(&rng, 5);
    assert_int_equal(trace_intake_open(&intake, path, description, 1, 1, NULL), STATUS_OK);
    json_decref(description);
    for (int i = 0; i < STEPS; i++) {
        size_t p = (size_t)rng_below(&rng, PLACES);
        uint64_t address = ((uint64_t)p + 1) << 20;
        if (alive[p]) {
            trace_intake_gives(&intake, 0, TRACE_FREE, address);
        } else {
            trace_intake_took(&intake, 0, TRACE_MALLOC, address, p + 1, 0, 0);
        }
        alive[p] = !alive[p];
        count += alive[p] ? 1 : UINT64_MAX;
        assert_int_equal(trace_writer_written(intake.writer)->live_blocks, count);
    }
    assert_int_equal(intake.strangers, 0);
    assert_int_equal(intake.doubles, 0);
    assert_int_equal(trace_intake_close(&intake, NULL, NULL), STATUS_OK);
    free(alive);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_flipped),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_no_trace),   cmocka_unit_test(test_intake),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
