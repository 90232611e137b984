#include "traces/host/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/host/text.h"

enum { WRITER_SITE_BYTES = 4, WRITER_CODE_BYTES_MAX = 32 };

struct writer_column {
    unsigned char *bytes;
    size_t used;
};

struct trace_writer {
    int fd;
    char *path;
    ZSTD_CCtx *deflater;
    struct writer_column columns[TRACE_COLUMNS];
    unsigned char *raw;
    unsigned char *stored;
    uint32_t events; /* of the frame that is being filled */
    uint32_t takes;
    uint32_t room; /* codes that certainly fit; then the room is computed again */
    struct trace_written written;
    uint64_t *sizes; /* by slot */
    uint32_t *free_slots;
    size_t slot_capacity;
    uint32_t free_count;
    uint32_t last_slot;
    uint32_t thread;
    uint64_t time_us;
    struct error failed;
};

static void writer_write(struct trace_writer *writer, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0 && writer->failed.status == STATUS_OK) {
        ssize_t done = write(writer->fd, next, size);
        if (done < 0 && errno != EINTR) {
            error_fill(&writer->failed, STATUS_IO,
                       "%s: %s: what was written until then can be read", writer->path,
                       strerror(errno));
        } else if (done > 0) {
            next += done;
            size -= (size_t)done;
            writer->written.bytes += (uint64_t)done;
        }
    }
}

/* Compresses and writes a frame. */
static void writer_frame(struct trace_writer *writer, enum trace_frame_kind kind, const void *raw,
                         size_t bytes)
{
    size_t stored = ZSTD_compress2(writer->deflater, writer->stored + TRACE_HEADER_BYTES,
                                   TRACE_STORED_BYTES_MAX, raw, bytes);
    if (ZSTD_isError(stored)) {
        error_fill(&writer->failed, STATUS_IO, "%s: zstd: %s", writer->path,
                   ZSTD_getErrorName(stored));
        return;
    }
    const uint32_t words[] = {(uint32_t)kind, (uint32_t)stored, (uint32_t)bytes,
                              writer->events, writer->takes,    writer->written.slots};
    memset(writer->stored, 0, TRACE_HEADER_BYTES);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        trace_store_u32(writer->stored + i * 4, words[i]);
    }
    trace_store_u32(writer->stored + TRACE_HEADER_BYTES - 4, trace_header_sum(writer->stored));
    writer_write(writer, writer->stored, TRACE_HEADER_BYTES + stored);
}

static void writer_flush(struct trace_writer *writer)
{
    size_t used = 4 * TRACE_COLUMNS;
    if (writer->columns[TRACE_CODES].used == 0) {
        return;
    }
    for (int i = 0; i < TRACE_COLUMNS; i++) {
        struct writer_column *column = &writer->columns[i];
        trace_store_u32(writer->raw + (size_t)i * 4, (uint32_t)column->used);
        memcpy(writer->raw + used, column->bytes, column->used);
        used += column->used;
        column->used = 0;
    }
    writer_frame(writer, TRACE_FRAME_EVENTS, writer->raw, used);
    writer->events = 0;
    writer->takes = 0;
}

/* Ends the frame if it could exceed its bounds. A code takes at most WRITER_CODE_BYTES_MAX with its
 * operands and with the site that may follow it, which is a code too. */
static __attribute__((noinline)) void writer_look_for_room(struct trace_writer *writer)
{
    for (;;) {
        size_t used = 4 * TRACE_COLUMNS;
        for (int i = 0; i < TRACE_COLUMNS; i++) {
            used += writer->columns[i].used;
        }
        size_t room = (TRACE_RAW_BYTES_MAX - used) / WRITER_CODE_BYTES_MAX;
        size_t codes = (TRACE_FRAME_CODES_MAX - writer->columns[TRACE_CODES].used) / 2;
        size_t events = TRACE_FRAME_EVENTS_MAX - writer->events;
        room = room < codes ? room : codes;
        writer->room = (uint32_t)(room < events ? room : events);
        if (writer->room > 0) {
            return;
        }
        writer_flush(writer);
    }
}

static inline void writer_make_room(struct trace_writer *writer)
{
    if (__builtin_expect(writer->room == 0, 0)) {
        writer_look_for_room(writer);
    }
    writer->room--;
}

static void writer_byte(struct trace_writer *writer, enum trace_column column, unsigned value)
{
    writer->columns[column].bytes[writer->columns[column].used++] = (unsigned char)value;
}

static void writer_number(struct trace_writer *writer, enum trace_column column, uint64_t value)
{
    while (value >= 0x80) {
        writer_byte(writer, column, (unsigned)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    writer_byte(writer, column, (unsigned)value);
}

static void writer_code(struct trace_writer *writer, enum trace_operation operation,
                        unsigned member)
{
    writer_byte(writer, TRACE_CODES, (unsigned)operation << 5 | member);
}

static void writer_slot(struct trace_writer *writer, uint32_t slot)
{
    int64_t distance = (int64_t)slot - (int64_t)writer->last_slot;
    writer_number(writer, TRACE_SLOTS, ((uint64_t)distance << 1) ^ (distance < 0 ? UINT64_MAX : 0));
    writer->last_slot = slot;
}

static void writer_add_live(struct trace_writer *writer, uint64_t size)
{
    struct trace_written *written = &writer->written;
    written->live_bytes += trace_live_bytes(size);
    written->live_bytes_peak = written->live_bytes > written->live_bytes_peak
                                   ? written->live_bytes
                                   : written->live_bytes_peak;
}

static uint32_t writer_new_slot(struct trace_writer *writer)
{
    if (writer->free_count > 0) {
        return writer->free_slots[--writer->free_count];
    }
    if (writer->written.slots == writer->slot_capacity) {
        writer->slot_capacity = writer->slot_capacity == 0 ? 4096 : 2 * writer->slot_capacity;
        writer->sizes = text_grow(writer->sizes, writer->slot_capacity, sizeof(*writer->sizes));
        writer->free_slots =
            text_grow(writer->free_slots, writer->slot_capacity, sizeof(*writer->free_slots));
    }
    return writer->written.slots++;
}

uint32_t trace_writer_take(struct trace_writer *writer, enum trace_member member, uint64_t size,
                           uint64_t alignment)
{
    if (size >> TRACE_SIZE_BITS != 0 ||
        (writer->free_count == 0 && writer->written.slots == TRACE_SLOTS_MAX)) {
        return UINT32_MAX;
    }
    writer_make_room(writer);
    writer_code(writer, alignment == 0 ? TRACE_TAKE : TRACE_TAKE_ALIGNED, member);
    writer_number(writer, TRACE_SIZES, size);
    if (alignment != 0) {
        unsigned log2 = (unsigned)__builtin_ctzll(alignment);
        writer_byte(writer, TRACE_ALIGNMENTS,
                    log2 < TRACE_ALIGNMENT_LOG2_MAX ? log2 : TRACE_ALIGNMENT_LOG2_MAX);
    }
    uint32_t slot = writer_new_slot(writer);
    writer->sizes[slot] = size;
    writer->last_slot = slot;
    writer->events++;
    writer->takes++;
    writer->written.events++;
    writer->written.takes++;
    writer->written.live_blocks++;
    writer_add_live(writer, size);
    return slot;
}

void trace_writer_resize(struct trace_writer *writer, enum trace_member member, uint32_t slot,
                         uint64_t size)
{
    writer_make_room(writer);
    writer_code(writer, TRACE_RESIZE, member);
    writer_slot(writer, slot);
    size = size >> TRACE_SIZE_BITS == 0 ? size : (UINT64_C(1) << TRACE_SIZE_BITS) - 1;
    writer_number(writer, TRACE_SIZES, size);
    writer->written.live_bytes -= trace_live_bytes(writer->sizes[slot]);
    writer->sizes[slot] = size;
    writer_add_live(writer, size);
    writer->events++;
    writer->written.events++;
}

void trace_writer_give(struct trace_writer *writer, enum trace_member member, uint32_t slot)
{
    writer_make_room(writer);
    writer_code(writer, TRACE_GIVE, member);
    writer_slot(writer, slot);
    writer->free_slots[writer->free_count++] = slot;
    writer->written.live_bytes -= trace_live_bytes(writer->sizes[slot]);
    writer->written.live_blocks--;
    writer->events++;
    writer->written.events++;
}

void trace_writer_thread(struct trace_writer *writer, uint32_t thread)
{
    if (thread != writer->thread) {
        writer_make_room(writer);
        writer_code(writer, TRACE_THREAD, 0);
        writer_number(writer, TRACE_CONTROLS, thread % TRACE_THREADS_MAX);
        writer->thread = thread;
    }
}

void trace_writer_time(struct trace_writer *writer, uint64_t time_us)
{
    if (time_us > writer->time_us) {
        writer_make_room(writer);
        writer_code(writer, TRACE_TIME, 0);
        writer_number(writer, TRACE_CONTROLS, time_us - writer->time_us);
        writer->time_us = time_us;
    }
}

void trace_writer_site(struct trace_writer *writer, uint32_t site)
{
    if (writer->events > 0) {
        writer_code(writer, TRACE_SITE, 0);
        unsigned char bytes[WRITER_SITE_BYTES];
        trace_store_u32(bytes, site);
        for (int i = 0; i < WRITER_SITE_BYTES; i++) {
            writer_byte(writer, TRACE_SITES, bytes[i]);
        }
    }
}

const struct trace_written *trace_writer_written(const struct trace_writer *writer)
{
    return &writer->written;
}

static void writer_json(struct trace_writer *writer, enum trace_frame_kind kind, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    size_t bytes = text == NULL ? 0 : strlen(text);
    if (bytes > 0 && bytes <= TRACE_RAW_BYTES_MAX) {
        writer_frame(writer, kind, text, bytes);
    } else {
        error_fill(&writer->failed, STATUS_INVALID,
                   "%s: its description is no JSON of at most %d "
                   "bytes",
                   writer->path, TRACE_RAW_BYTES_MAX);
    }
    free(text);
}

static void writer_free(struct trace_writer *writer)
{
    for (int i = 0; i < TRACE_COLUMNS; i++) {
        free(writer->columns[i].bytes);
    }
    (void)ZSTD_freeCCtx(writer->deflater);
    free(writer->raw);
    free(writer->stored);
    free(writer->sizes);
    free(writer->free_slots);
    free(writer->path);
    free(writer);
}

enum status trace_writer_open(struct trace_writer **made, const char *path,
                              const json_t *description, int level, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    *made = NULL;
    if (fd < 0) {
        return error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
    }
    struct trace_writer *writer = text_zeroed(1, sizeof(*writer));
    writer->fd = fd;
    writer->path = text_format("%s", path);
    writer->deflater = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(writer->deflater, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(writer->deflater, ZSTD_c_checksumFlag, 1);
    for (int i = 0; i < TRACE_COLUMNS; i++) {
        writer->columns[i].bytes = text_zeroed(TRACE_RAW_BYTES_MAX, 1);
    }
    writer->raw = text_zeroed(TRACE_RAW_BYTES_MAX, 1);
    writer->stored = text_zeroed(TRACE_HEADER_BYTES + TRACE_STORED_BYTES_MAX, 1);
    unsigned char magic[TRACE_MAGIC_BYTES] = TRACE_MAGIC;
    magic[sizeof(TRACE_MAGIC) - 1] = TRACE_VERSION;
    writer_write(writer, magic, sizeof(magic));
    writer_json(writer, TRACE_FRAME_DESCRIPTION, description);
    *made = writer;
    return STATUS_OK;
}

enum status trace_writer_close(struct trace_writer *writer, const json_t *more, struct error *error)
{
    const struct trace_written *written = &writer->written;
    writer_flush(writer);
    json_t *totals =
        json_pack("{sI sI sI sI sI sI}", "events", (json_int_t)written->events, "takes",
                  (json_int_t)written->takes, "live_bytes", (json_int_t)written->live_bytes,
                  "live_bytes_peak", (json_int_t)written->live_bytes_peak, "live_blocks",
                  (json_int_t)written->live_blocks, "slots", (json_int_t)written->slots);
    if (more != NULL) {
        (void)json_object_update(totals, (json_t *)more);
    }
    writer_json(writer, TRACE_FRAME_END, totals);
    json_decref(totals);
    if (close(writer->fd) != 0 && writer->failed.status == STATUS_OK) {
        error_fill(&writer->failed, STATUS_IO, "%s: %s", writer->path, strerror(errno));
    }
    enum status status = writer->failed.status;
    if (status != STATUS_OK) {
        error_fill(error, status, "%s", writer->failed.message);
    }
    writer_free(writer);
    return status;
}
