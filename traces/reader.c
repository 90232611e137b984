#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_initStaticDCtx, which does not use malloc */
#include "traces/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/os_memory.h"

#define TRACE_SLOT_FREE UINT64_MAX

enum { TRACE_HEAD_BYTES = 4 * TRACE_COLUMNS };

struct trace_header {
    uint32_t kind;
    uint32_t stored_bytes;
    uint32_t raw_bytes;
    uint32_t events;
    uint32_t takes;
    uint32_t slots;
};

/* ------------------------------------------------------------------------------ frames */

/* Reads the header of the frame at the offset. false: there is none, it is damaged, or its payload
 * is incomplete. */
static bool reader_header(const struct trace_reader *reader, uint64_t offset, uint64_t end,
                          struct trace_header *header)
{
    unsigned char bytes[TRACE_HEADER_BYTES];
    if (end - offset < sizeof(bytes) ||
        pread(reader->fd, bytes, sizeof(bytes), (off_t)offset) != (ssize_t)sizeof(bytes) ||
        trace_load_u32(bytes + 28) != trace_header_sum(bytes)) {
        return false;
    }
    *header = (struct trace_header){
        .kind = trace_load_u32(bytes),
        .stored_bytes = trace_load_u32(bytes + 4),
        .raw_bytes = trace_load_u32(bytes + 8),
        .events = trace_load_u32(bytes + 12),
        .takes = trace_load_u32(bytes + 16),
        .slots = trace_load_u32(bytes + 20),
    };
    return header->stored_bytes <= TRACE_STORED_BYTES_MAX &&
           header->raw_bytes <= TRACE_RAW_BYTES_MAX && header->events <= TRACE_FRAME_EVENTS_MAX &&
           header->takes <= header->events && header->slots <= TRACE_SLOTS_MAX &&
           header->stored_bytes <= end - offset - sizeof(bytes);
}

/* Sums up the headers, up to the first incomplete frame. */
static void reader_survey(struct trace_reader *reader)
{
    struct trace_totals *totals = &reader->totals;
    struct trace_header header;
    uint64_t offset = TRACE_MAGIC_BYTES;
    while (!totals->whole && reader_header(reader, offset, totals->file_bytes, &header) &&
           header.slots <= totals->takes + header.takes && header.slots >= totals->slots) {
        offset += TRACE_HEADER_BYTES + header.stored_bytes;
        totals->frames++;
        totals->events += header.events;
        totals->takes += header.takes;
        totals->slots = header.slots;
        totals->whole = header.kind == TRACE_FRAME_END;
    }
    reader->readable_bytes = offset;
}

static enum status reader_check_magic(const struct trace_reader *reader, struct error *error)
{
    unsigned char magic[TRACE_MAGIC_BYTES];
    if (pread(reader->fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
        memcmp(magic, TRACE_MAGIC, sizeof(TRACE_MAGIC) - 1) != 0) {
        return error_set(error, STATUS_INVALID,
                         "%s is no trace: `heapmill trace record` makes one, and `heapmill trace "
                         "convert` makes one of other programs' output",
                         reader->path);
    }
    unsigned version = magic[sizeof(TRACE_MAGIC) - 1];
    if (version != TRACE_VERSION) {
        return error_set(error, STATUS_INVALID,
                         "%s is a trace of format %u, and this heapmill reads format %d: use the "
                         "heapmill that recorded it, or record it again",
                         reader->path, version, TRACE_VERSION);
    }
    return STATUS_OK;
}

static enum status reader_take_memory(struct trace_reader *reader, trace_take_memory *take,
                                      void *context, struct error *error)
{
    size_t slots = reader->totals.slots;
    size_t inflater_bytes = ZSTD_estimateDCtxSize();
    size_t batch_bytes = TRACE_FRAME_EVENTS_MAX * sizeof(struct trace_event);
    size_t total = slots * (sizeof(uint64_t) + sizeof(uint32_t)) + inflater_bytes + batch_bytes +
                   TRACE_STORED_BYTES_MAX + TRACE_RAW_BYTES_MAX + 64;
    unsigned char *memory = take(context, total);
    if (memory == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "%s: the system refused %zu bytes for reading it",
                         reader->path, total);
    }
    reader->inflater = ZSTD_initStaticDCtx(memory, inflater_bytes);
    memory += (inflater_bytes + 15) & ~(size_t)15;
    reader->sizes = (uint64_t *)(void *)memory;
    memory += slots * sizeof(uint64_t);
    reader->batch = (struct trace_event *)(void *)memory;
    memory += batch_bytes;
    reader->free_slots = (uint32_t *)(void *)memory;
    memory += slots * sizeof(uint32_t);
    reader->stored = memory;
    reader->raw = memory + TRACE_STORED_BYTES_MAX;
    return reader->inflater != NULL ? STATUS_OK
                                    : error_set(error, STATUS_UNSUPPORTED,
                                                "libzstd cannot work in %zu bytes", inflater_bytes);
}

enum status trace_reader_open(struct trace_reader *reader, const char *path,
                              trace_take_memory *take, void *context, struct error *error)
{
    struct stat about;
    *reader = (struct trace_reader){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (reader->fd < 0 || fstat(reader->fd, &about) != 0) {
        int cause = errno;
        if (reader->fd >= 0) {
            (void)close(reader->fd);
        }
        return error_set(error, cause == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", path,
                         strerror(cause));
    }
    enum status status = S_ISREG(about.st_mode)
                             ? reader_check_magic(reader, error)
                             : error_set(error, STATUS_INVALID, "%s is no ordinary file", path);
    if (status == STATUS_OK) {
        reader->totals.file_bytes = (uint64_t)about.st_size;
        reader_survey(reader);
        if (reader->totals.frames == 0) {
            status = error_set(error, STATUS_CORRUPT,
                               "%s is damaged at its beginning: nothing of it can be read", path);
        }
    }
    if (status == STATUS_OK) {
        status = reader_take_memory(reader, take, context, error);
    }
    if (status != STATUS_OK) {
        (void)close(reader->fd);
        reader->fd = -1;
        return status;
    }
    trace_reader_rewind(reader);
    return STATUS_OK;
}

void trace_reader_close(struct trace_reader *reader)
{
    if (reader->fd >= 0) {
        (void)close(reader->fd);
    }
    reader->fd = -1;
}

bool trace_reader_is_alive(const struct trace_reader *reader, uint32_t slot, uint64_t *size)
{
    *size = reader->sizes[slot];
    return *size != TRACE_SLOT_FREE;
}

void trace_reader_rewind(struct trace_reader *reader)
{
    reader->offset = TRACE_MAGIC_BYTES;
    reader->events = 0;
    reader->live_blocks = 0;
    reader->live_bytes = 0;
    reader->live_bytes_peak = 0;
    reader->time_us = 0;
    reader->slots = 0;
    reader->threads = 1;
    reader->thread = 0;
    reader->last_slot = 0;
    reader->free_count = 0;
}

static enum status reader_corrupt(const struct trace_reader *reader, const char *what,
                                  struct error *error)
{
    return error_set(error, STATUS_CORRUPT,
                     "%s: the frame at byte %" PRIu64 " %s: the file is damaged, record it again",
                     reader->path, reader->offset, what);
}

/* Decompresses the frame at reader->offset into raw. */
static enum status reader_unpack(struct trace_reader *reader, const struct trace_header *header,
                                 struct error *error)
{
    if (pread(reader->fd, reader->stored, header->stored_bytes,
              (off_t)(reader->offset + TRACE_HEADER_BYTES)) != (ssize_t)header->stored_bytes) {
        return error_set(error, STATUS_IO, "%s: it became shorter while it was read", reader->path);
    }
    size_t got = ZSTD_decompressDCtx(reader->inflater, reader->raw, TRACE_RAW_BYTES_MAX,
                                     reader->stored, header->stored_bytes);
    if (ZSTD_isError(got) || got != header->raw_bytes) {
        return reader_corrupt(reader, "cannot be unpacked", error);
    }
    reader->raw_bytes = got;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------ columns */

struct trace_cursor {
    const unsigned char *next;
    const unsigned char *end;
};

/* false: the column has ended, or the number has more than 63 bits. */
static inline bool cursor_number(struct trace_cursor *cursor, uint64_t *value)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (cursor->next == cursor->end) {
            return false;
        }
        unsigned char byte = *cursor->next++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = number;
            return true;
        }
    }
    return false;
}

static bool reader_columns(const struct trace_reader *reader, struct trace_cursor *columns)
{
    if (reader->raw_bytes < TRACE_HEAD_BYTES) {
        return false;
    }
    size_t offset = TRACE_HEAD_BYTES;
    for (int i = 0; i < TRACE_COLUMNS; i++) {
        size_t bytes = trace_load_u32(reader->raw + (size_t)i * 4);
        if (bytes > reader->raw_bytes - offset) {
            return false;
        }
        columns[i] = (struct trace_cursor){reader->raw + offset, reader->raw + offset + bytes};
        offset += bytes;
    }
    return offset == reader->raw_bytes;
}

/* Reads the slot of a resize or a give. false: it is not live. */
static inline bool reader_slot(struct trace_reader *reader, struct trace_cursor *slots,
                               uint32_t *slot)
{
    uint64_t zigzag;
    if (!cursor_number(slots, &zigzag)) {
        return false;
    }
    uint64_t distance = (zigzag >> 1) ^ -(zigzag & 1);
    uint64_t found = reader->last_slot + distance; /* modulo 2^64 */
    if (found >= reader->slots || reader->sizes[found] == TRACE_SLOT_FREE) {
        return false;
    }
    *slot = (uint32_t)found;
    reader->last_slot = (uint32_t)found;
    return true;
}

static inline void reader_add_live(struct trace_reader *reader, uint64_t size)
{
    reader->live_bytes += trace_live_bytes(size);
    if (reader->live_bytes > reader->live_bytes_peak) {
        reader->live_bytes_peak = reader->live_bytes;
    }
}

static bool reader_size(struct trace_cursor *sizes, uint64_t *size)
{
    return cursor_number(sizes, size) && *size >> TRACE_SIZE_BITS == 0;
}

static bool reader_take(struct trace_reader *reader, struct trace_cursor *columns,
                        struct trace_event *event)
{
    if (!reader_size(&columns[TRACE_SIZES], &event->size)) {
        return false;
    }
    if (event->operation == TRACE_TAKE_ALIGNED) {
        struct trace_cursor *alignments = &columns[TRACE_ALIGNMENTS];
        if (alignments->next == alignments->end || *alignments->next > TRACE_ALIGNMENT_LOG2_MAX) {
            return false;
        }
        event->alignment_log2 = *alignments->next++;
    }
    if (reader->free_count > 0) {
        event->slot = reader->free_slots[--reader->free_count];
    } else if (reader->slots < reader->totals.slots) {
        event->slot = reader->slots++;
    } else {
        return false; /* the headers have fewer */
    }
    reader->last_slot = event->slot;
    reader->sizes[event->slot] = event->size;
    reader->live_blocks++;
    reader_add_live(reader, event->size);
    return true;
}

static bool reader_resize(struct trace_reader *reader, struct trace_cursor *columns,
                          struct trace_event *event)
{
    if (!reader_slot(reader, &columns[TRACE_SLOTS], &event->slot) ||
        !reader_size(&columns[TRACE_SIZES], &event->size)) {
        return false;
    }
    event->old_size = reader->sizes[event->slot];
    reader->sizes[event->slot] = event->size;
    reader->live_bytes -= trace_live_bytes(event->old_size);
    reader_add_live(reader, event->size);
    return true;
}

static bool reader_give(struct trace_reader *reader, struct trace_cursor *columns,
                        struct trace_event *event)
{
    if (!reader_slot(reader, &columns[TRACE_SLOTS], &event->slot)) {
        return false;
    }
    event->size = reader->sizes[event->slot];
    reader->sizes[event->slot] = TRACE_SLOT_FREE;
    reader->free_slots[reader->free_count++] = event->slot;
    reader->live_blocks--;
    reader->live_bytes -= trace_live_bytes(event->size);
    return true;
}

/* Reads a control code. last is the event before it in this frame, or NULL. */
static bool reader_control(struct trace_reader *reader, struct trace_cursor *columns,
                           unsigned operation, struct trace_event *last)
{
    uint64_t number = 0;
    if (operation == TRACE_SITE) {
        struct trace_cursor *sites = &columns[TRACE_SITES];
        if (last == NULL || sites->end - sites->next < 4) {
            return false;
        }
        last->site = trace_load_u32(sites->next);
        sites->next += 4;
        return true;
    }
    if (operation > TRACE_SITE || !cursor_number(&columns[TRACE_CONTROLS], &number)) {
        return false;
    }
    if (operation == TRACE_TIME) {
        reader->time_us += number;
        return true;
    }
    reader->thread = (uint32_t)number;
    if (number + 1 > reader->threads) {
        reader->threads = (uint32_t)number + 1;
    }
    return number < TRACE_THREADS_MAX;
}

static bool reader_event(struct trace_reader *reader, struct trace_cursor *columns,
                         struct trace_event *event)
{
    switch (event->operation) {
    case TRACE_TAKE:
    case TRACE_TAKE_ALIGNED:
        return reader_take(reader, columns, event);
    case TRACE_RESIZE:
        return reader_resize(reader, columns, event);
    default:
        return reader_give(reader, columns, event);
    }
}

/* Decodes raw into batch. false: it violates the format. */
static bool reader_decode(struct trace_reader *reader, const struct trace_header *header,
                          size_t *count)
{
    struct trace_cursor columns[TRACE_COLUMNS];
    struct trace_event *batch = reader->batch;
    size_t events = 0, takes = 0;
    if (!reader_columns(reader, columns)) {
        return false;
    }
    struct trace_cursor codes = columns[TRACE_CODES];
    while (codes.next < codes.end) {
        unsigned code = *codes.next++;
        unsigned operation = code >> 5;
        if (operation > TRACE_GIVE) {
            if (!reader_control(reader, columns, operation,
                                events > 0 ? &batch[events - 1] : NULL)) {
                return false;
            }
            continue;
        }
        if (events == header->events) {
            return false;
        }
        batch[events] = (struct trace_event){.operation = (uint8_t)operation,
                                             .member = code & 31,
                                             .thread = (uint16_t)reader->thread};
        if (!reader_event(reader, columns, &batch[events])) {
            return false;
        }
        takes += operation <= TRACE_TAKE_ALIGNED;
        events++;
    }
    *count = events;
    return events == header->events && takes == header->takes && reader->slots == header->slots;
}

enum status trace_reader_next(struct trace_reader *reader, const struct trace_event **events,
                              size_t *count, struct error *error)
{
    struct trace_header header;
    *events = reader->batch;
    *count = 0;
    while (*count == 0 && reader->offset < reader->readable_bytes) {
        if (!reader_header(reader, reader->offset, reader->readable_bytes, &header)) {
            return reader_corrupt(reader, "has changed while it was read", error);
        }
        if (header.kind == TRACE_FRAME_EVENTS) {
            enum status status = reader_unpack(reader, &header, error);
            if (status != STATUS_OK) {
                return status;
            }
            if (!reader_decode(reader, &header, count)) {
                *count = 0;
                return reader_corrupt(reader, "is not what its header says", error);
            }
        }
        reader->offset += TRACE_HEADER_BYTES + header.stored_bytes;
    }
    reader->events += *count;
    return STATUS_OK;
}

enum status trace_reader_text(struct trace_reader *reader, enum trace_frame_kind kind,
                              const char **text, size_t *bytes, struct error *error)
{
    struct trace_header header;
    uint64_t kept = reader->offset;
    enum status status = STATUS_OK;
    *bytes = 0;
    *text = (const char *)reader->raw;
    reader->offset = TRACE_MAGIC_BYTES;
    while (reader->offset < reader->readable_bytes &&
           reader_header(reader, reader->offset, reader->readable_bytes, &header)) {
        if (header.kind == kind) {
            status = reader_unpack(reader, &header, error);
            *bytes = status == STATUS_OK ? reader->raw_bytes : 0;
            break;
        }
        reader->offset += TRACE_HEADER_BYTES + header.stored_bytes;
    }
    reader->offset = kept;
    return status;
}

/* ------------------------------------------------------------------------------ small things */

void *trace_arena_take(void *context, size_t bytes)
{
    struct trace_arena *arena = context;
    if (arena->count == sizeof(arena->parts) / sizeof(arena->parts[0])) {
        return NULL;
    }
    void *memory = os_map(bytes);
    if (memory != NULL) {
        arena->parts[arena->count].address = memory;
        arena->parts[arena->count++].bytes = bytes;
    }
    return memory;
}

void trace_arena_release(struct trace_arena *arena)
{
    for (size_t i = 0; i < arena->count; i++) {
        os_unmap(arena->parts[i].address, arena->parts[i].bytes);
    }
    *arena = (struct trace_arena){.count = 0};
}

const char *trace_member_name(unsigned member)
{
    static const char *const names[TRACE_MEMBERS] = {
        [TRACE_MALLOC] = "malloc",
        [TRACE_CALLOC] = "calloc",
        [TRACE_ALIGNED_ALLOC] = "aligned_alloc",
        [TRACE_MEMALIGN] = "memalign",
        [TRACE_VALLOC] = "valloc",
        [TRACE_PVALLOC] = "pvalloc",
        [TRACE_POSIX_MEMALIGN] = "posix_memalign",
        [TRACE_NEW] = "new",
        [TRACE_NEW_ARRAY] = "new[]",
        [TRACE_REALLOC] = "realloc",
        [TRACE_REALLOCARRAY] = "reallocarray",
        [TRACE_FREE] = "free",
        [TRACE_FREE_SIZED] = "free_sized",
        [TRACE_DELETE] = "delete",
        [TRACE_DELETE_ARRAY] = "delete[]",
        [TRACE_UNKNOWN] = "?",
    };
    return member < TRACE_MEMBERS ? names[member] : "?";
}

bool trace_find_reference(const char *name, char *path, size_t size)
{
    char own[4096];
    if (strchr(name, '/') != NULL) {
        return false;
    }
    (void)snprintf(path, size, "%s/%s%s", HEAPMILL_REFERENCE_TRACES, name, TRACE_SUFFIX);
    if (access(path, R_OK) == 0) {
        return true;
    }
    ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
    if (length <= 0) {
        return false;
    }
    own[length] = '\0';
    /* An installed program is PREFIX/bin/heapmill or PREFIX/lib/heapmill/bin/heapmill-run-NAME. */
    static const char *const ways[] = {"/../lib/heapmill/traces", "/../traces"};
    char *slash = strrchr(own, '/');
    *slash = '\0';
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if ((size_t)snprintf(path, size, "%s%s/%s%s", own, ways[i], name, TRACE_SUFFIX) < size &&
            access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}
