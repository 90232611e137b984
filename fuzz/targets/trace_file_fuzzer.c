/* trace_file: the reader of traces (traces/reader.h), over any file.
 *
 * The first byte of an input says what the rest is: 0, the file as it is; else the columns of one
 * event frame, behind ten bytes with the lengths of the first five. Of those a file with honest
 * checksums is made, or no input would come past them; 1 makes the header's counts what the codes
 * say, 2 takes them from six more bytes. Oracles: the reader ends, touches no memory that is not
 * its own, says what is wrong; what it tells of a block is what a table of ours says; a second
 * reading is as the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "fuzz/bytes.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/oracle.h"
#include "traces/reader.h"

enum {
    TRACE_FILE_INPUT_MAX = 1 << 16,
    TRACE_FILE_SLOTS_MAX = 1 << 17, /* of files with more only the end is checked */
    TRACE_FILE_PARTS = 16,
};

struct trace_file_memory {
    void *parts[TRACE_FILE_PARTS];
    size_t count;
};

static void *trace_file_take(void *context, size_t bytes)
{
    struct trace_file_memory *memory = context;
    FUZZ_EXPECT(bytes < (4 << 20) + 12ull * TRACE_SLOTS_MAX, "memory", "it asks for %zu bytes",
                bytes);
    FUZZ_EXPECT(memory->count < TRACE_FILE_PARTS, "memory", "it asks too often");
    return memory->parts[memory->count++] = calloc(1, bytes);
}

/* What the events told so far. */
struct trace_file_model {
    uint64_t sizes[TRACE_FILE_SLOTS_MAX]; /* + 1; 0: not alive */
    uint64_t live_bytes;
    uint64_t events;
    uint64_t sum; /* over all members, to compare two readings */
};

static struct trace_file_model trace_file_model;

static void trace_file_check_event(const struct trace_reader *reader,
                                   const struct trace_event *event)
{
    struct trace_file_model *model = &trace_file_model;
    FUZZ_EXPECT(event->slot < reader->totals.slots, "slot", "%u of %u", event->slot,
                reader->totals.slots);
    uint64_t *size = &model->sizes[event->slot];
    bool take = event->operation <= TRACE_TAKE_ALIGNED;
    FUZZ_EXPECT(event->operation <= TRACE_GIVE && event->size >> TRACE_SIZE_BITS == 0 &&
                    event->alignment_log2 <= TRACE_ALIGNMENT_LOG2_MAX,
                "bounds", "operation %u, %llu bytes", event->operation,
                (unsigned long long)event->size);
    FUZZ_EXPECT(take == (*size == 0), "alive", "slot %u, operation %u", event->slot,
                event->operation);
    if (event->operation == TRACE_RESIZE) {
        FUZZ_EXPECT(event->old_size + 1 == *size, "size", "a resize knows another size");
    } else if (event->operation == TRACE_GIVE) {
        FUZZ_EXPECT(event->size + 1 == *size, "size", "a give knows another size");
    }
    model->live_bytes -= *size == 0 ? 0 : trace_live_bytes(*size - 1);
    *size = event->operation == TRACE_GIVE ? 0 : event->size + 1;
    model->live_bytes += *size == 0 ? 0 : trace_live_bytes(*size - 1);
    model->events++;
    model->sum = (model->sum ^ event->size ^ (uint64_t)event->slot << 32 ^ event->thread ^
                  event->site ^ (uint64_t)event->operation << 60) *
                 UINT64_C(0x100000001b3);
}

static void trace_file_expect_told(enum status status, const struct error *error)
{
    FUZZ_EXPECT(status == STATUS_OK || (error->status == status && error->message[0] != '\0'),
                "message", "status %d without a sentence", (int)status);
}

/* Reads from where the reader is to the end or to an error. */
static enum status trace_file_read(struct trace_reader *reader)
{
    struct error error = {.message = ""};
    const struct trace_event *events;
    size_t count;
    enum status status;
    bool modelled = reader->totals.slots <= TRACE_FILE_SLOTS_MAX;
    memset(trace_file_model.sizes, 0, modelled ? reader->totals.slots * sizeof(uint64_t) : 0);
    trace_file_model.live_bytes = trace_file_model.events = trace_file_model.sum = 0;
    while ((status = trace_reader_next(reader, &events, &count, &error)) == STATUS_OK &&
           count > 0) {
        for (size_t i = 0; modelled && i < count; i++) {
            trace_file_check_event(reader, &events[i]);
        }
        FUZZ_EXPECT(!modelled || reader->live_bytes == trace_file_model.live_bytes, "live",
                    "it counts %llu bytes", (unsigned long long)reader->live_bytes);
    }
    trace_file_expect_told(status, &error);
    FUZZ_EXPECT(status != STATUS_OK || reader->events == reader->totals.events, "totals",
                "%llu events of %llu", (unsigned long long)reader->events,
                (unsigned long long)reader->totals.events);
    return status;
}

static void trace_file_play(const char *path)
{
    struct trace_file_memory memory = {.count = 0};
    struct trace_reader reader;
    struct error error = {.message = ""};
    fuzz_count_operation();
    enum status status = trace_reader_open(&reader, path, trace_file_take, &memory, &error);
    trace_file_expect_told(status, &error);
    if (status == STATUS_OK) {
        const char *text;
        size_t bytes;
        enum status first = trace_file_read(&reader);
        uint64_t sum = trace_file_model.sum;
        trace_file_expect_told(
            trace_reader_text(&reader, TRACE_FRAME_DESCRIPTION, &text, &bytes, &error), &error);
        trace_reader_rewind(&reader);
        FUZZ_EXPECT(trace_file_read(&reader) == first && trace_file_model.sum == sum, "again",
                    "the second reading differs");
        trace_reader_close(&reader);
    }
    for (size_t i = 0; i < memory.count; i++) {
        free(memory.parts[i]);
    }
}

/* ------------------------------------------------------------------------------ inputs */

static uint32_t trace_file_u16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static void trace_file_count(const uint8_t *codes, size_t size, uint32_t counts[3])
{
    counts[0] = counts[1] = 0;
    uint32_t live = 0, most = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned operation = codes[i] >> 5;
        counts[0] += operation <= TRACE_GIVE;
        counts[1] += operation <= TRACE_TAKE_ALIGNED;
        live += operation <= TRACE_TAKE_ALIGNED;
        live -= operation == TRACE_GIVE && live > 0;
        most = live > most ? live : most;
    }
    counts[2] = most;
}

/* Makes a trace of one frame of the input; its size. */
static size_t trace_file_make(const uint8_t *data, size_t size, uint8_t *file, size_t capacity)
{
    static uint8_t raw[TRACE_FILE_INPUT_MAX + 64];
    size_t head = data[0] == 1 ? 11 : 17;
    size_t at = 4 * TRACE_COLUMNS;
    if (size < head || size > TRACE_FILE_INPUT_MAX) {
        return 0;
    }
    size_t left = size - head, used = head;
    uint32_t counts[3] = {0};
    for (size_t i = 0; i < TRACE_COLUMNS; i++) {
        size_t wanted = i + 1 < TRACE_COLUMNS ? trace_file_u16(data + 1 + 2 * i) : left;
        size_t bytes = wanted < left ? wanted : left;
        trace_store_u32(raw + 4 * i, (uint32_t)bytes);
        memcpy(raw + at, data + used, bytes);
        if (i == TRACE_CODES) {
            trace_file_count(raw + at, bytes, counts);
        }
        at += bytes;
        used += bytes;
        left -= bytes;
    }
    for (int i = 0; data[0] != 1 && i < 3; i++) {
        counts[i] = trace_file_u16(data + 11 + 2 * i);
    }
    uint8_t *header = file + TRACE_MAGIC_BYTES;
    memcpy(file, TRACE_MAGIC, TRACE_MAGIC_BYTES);
    file[TRACE_MAGIC_BYTES - 1] = TRACE_VERSION;
    size_t room = capacity - TRACE_MAGIC_BYTES - TRACE_HEADER_BYTES;
    size_t stored = ZSTD_compress(header + TRACE_HEADER_BYTES, room, raw, at, 1);
    const uint32_t words[] = {
        TRACE_FRAME_EVENTS, (uint32_t)stored, (uint32_t)at, counts[0], counts[1], counts[2], 0};
    for (size_t i = 0; i < 7; i++) {
        trace_store_u32(header + 4 * i, words[i]);
    }
    trace_store_u32(header + 28, trace_header_sum(header));
    return TRACE_MAGIC_BYTES + TRACE_HEADER_BYTES + stored;
}

static void trace_file_run(const uint8_t *data, size_t size)
{
    static uint8_t made[2 * TRACE_FILE_INPUT_MAX];
    static int file = -1;
    char path[64];
    fuzz_begin();
    if (size == 0) {
        return;
    }
    if (file < 0) {
        file = memfd_create("trace", MFD_CLOEXEC);
    }
    const uint8_t *bytes = data + 1;
    size_t count = size - 1;
    if (data[0] != 0) {
        count = trace_file_make(data, size, made, sizeof(made));
        bytes = made;
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, count, 0) != (ssize_t)count) {
        (void)fputs("heapmill-fuzz: no file in memory\n", stderr);
        exit(3);
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    trace_file_play(path);
}

static void trace_file_print(const uint8_t *data, size_t size, FILE *out)
{
    if (size > 0 && data[0] != 0) {
        (void)fprintf(out, "one frame of columns, counts %s\n", data[0] == 1 ? "honest" : "given");
    }
    bytes_print(data, size, out);
}

/* Columns of a program: takes first, so that there is something to give back. */
static size_t trace_file_generate(uint8_t *data, size_t capacity, size_t operations,
                                  struct rng *rng)
{
    static const uint8_t codes[] = {0x00, 0x01, 0x22, 0x49, 0x6b, 0x6b, 0x6b, 0x80, 0xa0, 0xc0};
    size_t count = 1 + (size_t)rng_below(rng, operations < 200 ? operations + 1 : 200);
    size_t size = 11 + 6 * count;
    if (capacity < size) {
        return 0;
    }
    memset(data, 0, size);
    data[0] = (uint8_t)(1 + (rng_below(rng, 8) == 0));
    for (size_t i = 0; i < 5; i++) {
        data[1 + 2 * i] = (uint8_t)count;
    }
    for (size_t i = 0; i < count; i++) {
        data[11 + i] = i < count / 3 ? 0 : codes[rng_below(rng, sizeof(codes))];
    }
    for (size_t i = 11 + count; i < size; i++) {
        data[i] = (uint8_t)(rng_below(rng, 4) == 0 ? rng_next(rng) : rng_below(rng, 8));
    }
    return size;
}

const struct fuzz_target fuzz_target_trace_file = {
    .name = "trace_file",
    .summary = "the reader of traces",
    .format = "bytes",
    .run = trace_file_run,
    .print = trace_file_print,
    .generate = trace_file_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    trace_file_run(data, size);
    return 0;
}
