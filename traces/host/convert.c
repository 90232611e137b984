#include "traces/host/convert.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "common/host/text.h"
#include "common/rng.h"
#include "traces/host/intake.h"
#include "traces/reader.h"

const char *const trace_foreign_names[] = {"guess", "trace",     "text",    "jsonl", "mtrace",
                                           "calls", "heaptrack", "profile", NULL};

enum { CONVERT_GUESS_BYTES = 4096, CONVERT_HEAPTRACK_INFOS_MAX = 1 << 24 };

struct convert {
    const struct trace_conversion *asked;
    struct trace_converted *done;
    struct trace_intake intake;
    uint32_t thread;
    /* For heaptrack: sizes by allocation info, and the last live block of each info. */
    uint64_t *sizes;
    uint64_t *live; /* addresses are invented; this counts the live blocks */
    size_t infos;
};

/* ------------------------------------------------------------------------------ lines */

/* Parses a number in C's notation after blanks, and moves *text after it. */
static bool convert_number(const char **text, int base, uint64_t *value)
{
    char *end;
    while (**text == ' ' || **text == '\t' || **text == ',') {
        ++*text;
    }
    if (!isxdigit((unsigned char)**text)) {
        return false;
    }
    errno = 0;
    *value = strtoull(*text, &end, base);
    bool whole = end != *text && errno == 0;
    *text = end;
    return whole;
}

/* Makes an address of another program's id: 0 means none, and addresses have 48 bits. */
static uint64_t convert_id(uint64_t id)
{
    return (id + 1) & ((UINT64_C(1) << 63) - 1);
}

static void convert_take(struct convert *convert, enum trace_member member, uint64_t id,
                         uint64_t size, uint64_t alignment)
{
    bool sound = alignment != 0 && (alignment & (alignment - 1)) == 0;
    trace_intake_took(&convert->intake, convert->thread, member, convert_id(id), size,
                      sound ? alignment : 0, 0);
}

static void convert_give(struct convert *convert, enum trace_member member, uint64_t id)
{
    trace_intake_gives(&convert->intake, convert->thread, member, convert_id(id));
}

static void convert_move(struct convert *convert, uint64_t from, uint64_t to, uint64_t size)
{
    trace_intake_gives(&convert->intake, convert->thread, TRACE_REALLOC, convert_id(from));
    trace_intake_took(&convert->intake, convert->thread, TRACE_REALLOC, convert_id(to), size, 0, 0);
}

static bool convert_text_line(struct convert *convert, const char *line)
{
    uint64_t id, size = 0, alignment = 0;
    char letter = line[0];
    const char *rest = line + (letter != '\0');
    if (letter == '\0' || strchr("mfrat", letter) == NULL || !convert_number(&rest, 0, &id)) {
        return false;
    }
    if (letter == 't') {
        convert->thread = (uint32_t)(id % TRACE_THREADS_MAX);
        return true;
    }
    if (letter != 'f' && !convert_number(&rest, 0, &size)) {
        return false;
    }
    if (letter == 'a' && !convert_number(&rest, 0, &alignment)) {
        return false;
    }
    if (letter == 'f') {
        convert_give(convert, TRACE_FREE, id);
    } else if (letter == 'r') {
        convert_move(convert, id, id, size);
    } else {
        convert_take(convert, letter == 'a' ? TRACE_ALIGNED_ALLOC : TRACE_MALLOC, id, size,
                     alignment);
    }
    return true;
}

static uint64_t convert_member(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value < 0 ? 0 : (uint64_t)value;
}

static bool convert_jsonl_line(struct convert *convert, const char *line)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const char *op = json_string_value(json_object_get(object, "op"));
    bool known = op != NULL && json_is_integer(json_object_get(object, "id"));
    if (known) {
        uint64_t id = convert_member(object, "id"), size = convert_member(object, "size");
        convert->thread = (uint32_t)(convert_member(object, "thread") % TRACE_THREADS_MAX);
        if (strcmp(op, "take") == 0) {
            convert_take(convert, TRACE_MALLOC, id, size, convert_member(object, "alignment"));
        } else if (strcmp(op, "give") == 0) {
            convert_give(convert, TRACE_FREE, id);
        } else if (strcmp(op, "resize") == 0) {
            convert_move(convert, id, id, size);
        } else {
            known = false;
        }
    }
    json_decref(object);
    return known;
}

/* Parses "@ PLACE + 0xADDRESS 0xSIZE", "- 0xADDRESS", and for realloc "< 0xOLD" followed by ">
 * 0xNEW 0xSIZE". */
static bool convert_mtrace_line(struct convert *convert, const char *line)
{
    static const char signs[] = "+-<>";
    uint64_t address, size = 0;
    const char *sign = line;
    if (line[0] == '@') {
        sign = strchr(line + 2, ' ');
        sign = sign == NULL ? "" : sign + 1;
    }
    const char *rest = sign + (sign[0] != '\0');
    if (sign[0] == '\0' || strchr(signs, sign[0]) == NULL || rest[0] != ' ' ||
        !convert_number(&rest, 16, &address)) {
        return false;
    }
    if (sign[0] == '-') {
        convert_give(convert, TRACE_FREE, address);
    } else if (sign[0] == '<') {
        convert_give(convert, TRACE_REALLOC, address);
    } else if (!convert_number(&rest, 16, &size)) {
        return false;
    } else {
        convert_take(convert, sign[0] == '>' ? TRACE_REALLOC : TRACE_MALLOC, address, size, 0);
    }
    return true;
}

/* The arguments of "NAME(A, B) = RESULT". Text before the name is skipped. */
struct convert_call {
    uint64_t arguments[3];
    int count;
    uint64_t result;
};

static bool convert_parse_call(const char *open, struct convert_call *call)
{
    const char *rest = open + 1;
    *call = (struct convert_call){.count = 0};
    while (call->count < 3) {
        while (*rest == ' ' || *rest == ',' || isalpha((unsigned char)*rest)) {
            rest++; /* valgrind writes "memalign(al 64, size 8)" */
        }
        if (!convert_number(&rest, 0, &call->arguments[call->count])) {
            break;
        }
        call->count++;
    }
    const char *equals = strchr(rest, '=');
    if (equals != NULL) {
        rest = equals + 1;
        (void)convert_number(&rest, 0, &call->result);
    }
    return call->count > 0;
}

static bool convert_call_line(struct convert *convert, const char *line)
{
    static const struct {
        const char *name;
        enum trace_member member;
        int size; /* index of the argument; -1: the product of both */
        int alignment;
        bool gives;
    } calls[] = {
        {"malloc", TRACE_MALLOC, 0, -1, false},
        {"calloc", TRACE_CALLOC, -1, -1, false},
        {"realloc", TRACE_REALLOC, 1, -1, true},
        {"memalign", TRACE_MEMALIGN, 1, 0, false},
        {"aligned_alloc", TRACE_ALIGNED_ALLOC, 1, 0, false},
        {"valloc", TRACE_VALLOC, 0, -1, false},
        {"_Znwm", TRACE_NEW, 0, -1, false},
        {"_Znam", TRACE_NEW_ARRAY, 0, -1, false},
        {"free", TRACE_FREE, -1, -1, true},
        {"_ZdlPv", TRACE_DELETE, -1, -1, true},
        {"_ZdlPvm", TRACE_DELETE, -1, -1, true},
        {"_ZdaPv", TRACE_DELETE_ARRAY, -1, -1, true},
        {"_ZdaPvm", TRACE_DELETE_ARRAY, -1, -1, true},
    };
    const char *open = strchr(line, '(');
    const char *name = open;
    struct convert_call call;
    while (name != NULL && name > line && (isalnum((unsigned char)name[-1]) || name[-1] == '_')) {
        name--;
    }
    if (open == NULL || !convert_parse_call(open, &call)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strlen(calls[i].name) != (size_t)(open - name) ||
            strncmp(calls[i].name, name, (size_t)(open - name)) != 0) {
            continue;
        }
        if (calls[i].gives && call.arguments[0] != 0) {
            convert_give(convert, calls[i].member, call.arguments[0]);
        }
        if (call.result != 0 && calls[i].member < TRACE_FREE) {
            uint64_t size = calls[i].size >= 0 ? call.arguments[calls[i].size]
                                               : call.arguments[0] * call.arguments[1];
            convert_take(convert, calls[i].member, call.result, size,
                         calls[i].alignment >= 0 ? call.arguments[calls[i].alignment] : 0);
        }
        return true;
    }
    return false;
}

/* heaptrack's file, as its interpreter writes it, has only the allocation info of a block: its size
 * and place. "a SIZE PLACE" is the next info; "+ INFO" and "- INFO" are events, in hexadecimal. The
 * block that is freed is assumed to be the last live one of its info. */
static bool convert_heaptrack_line(struct convert *convert, const char *line)
{
    const char *rest = line + 1;
    uint64_t number;
    if (line[0] == '\0' || strchr("a+-", line[0]) == NULL || line[1] != ' ' ||
        !convert_number(&rest, 16, &number)) {
        return false;
    }
    if (line[0] == 'a') {
        if (convert->infos == CONVERT_HEAPTRACK_INFOS_MAX) {
            return false;
        }
        convert->sizes = text_grow(convert->sizes, convert->infos + 1, sizeof(*convert->sizes));
        convert->live = text_grow(convert->live, convert->infos + 1, sizeof(*convert->live));
        convert->sizes[convert->infos] = number;
        convert->live[convert->infos++] = 0;
        return true;
    }
    if (number >= convert->infos) {
        return false;
    }
    uint64_t *live = &convert->live[number];
    if (line[0] == '+') {
        convert_take(convert, TRACE_UNKNOWN, number << 36 | (*live)++, convert->sizes[number], 0);
    } else if (*live > 0) {
        convert_give(convert, TRACE_UNKNOWN, number << 36 | --*live);
    }
    return true;
}

/* ------------------------------------------------------------------------------ profiles */

/* A block of each size is born with the profile's rate, and a random block of that size dies for
 * it. So the live blocks of each size stay at the profile's (scaled) number, and lifetimes are
 * exponential. A size that would have less than half a live block gets one if that is no more than
 * a hundredth of all bytes; otherwise it is left out. */
static const double PROFILE_LIVE_BYTES = 64 << 20;

struct profile_row {
    uint64_t size;
    double rate;
    double live;
    uint64_t blocks; /* live blocks after scaling */
    uint64_t first;  /* the first of their ids */
};

struct profile {
    struct profile_row *rows;
    size_t count;
    double rate; /* the sum over all rows that are kept */
};

static void profile_scale(struct profile *profile)
{
    double live_bytes = 0;
    uint64_t next = 0;
    for (size_t i = 0; i < profile->count; i++) {
        live_bytes += (double)profile->rows[i].size * profile->rows[i].live;
    }
    for (size_t i = 0; i < profile->count; i++) {
        struct profile_row *row = &profile->rows[i];
        double blocks = live_bytes > 0 ? row->live * PROFILE_LIVE_BYTES / live_bytes : 0;
        row->blocks = (uint64_t)(blocks + 0.5);
        if (row->blocks == 0 && (double)row->size <= PROFILE_LIVE_BYTES / 100) {
            row->blocks = 1;
        }
        row->first = next;
        next += row->blocks;
        profile->rate += row->blocks > 0 ? row->rate : 0;
    }
}

static bool profile_line(struct profile *profile, const char *line)
{
    struct profile_row row = {.size = 0};
    char *end;
    double numbers[3];
    const char *rest = line;
    for (int i = 0; i < 3; i++) {
        numbers[i] = strtod(rest, &end);
        if (end == rest || !isfinite(numbers[i]) || numbers[i] < 0) {
            return false;
        }
        rest = end + strspn(end, ", \t");
    }
    if (numbers[0] >= 0x1p48) {
        return false;
    }
    row.size = (uint64_t)numbers[0];
    row.rate = numbers[1];
    row.live = numbers[2];
    profile->rows = text_grow(profile->rows, profile->count + 1, sizeof(*profile->rows));
    profile->rows[profile->count++] = row;
    return true;
}

static void profile_play(struct convert *convert, struct profile *profile)
{
    struct rng rng;
    double *until = text_zeroed(profile->count, sizeof(*until)); /* cumulative rates */
    double sum = 0;
    rng_seed(&rng, convert->asked->seed);
    profile_scale(profile);
    for (size_t i = 0; i < profile->count; i++) {
        const struct profile_row *row = &profile->rows[i];
        sum += row->blocks > 0 ? row->rate : 0;
        until[i] = sum;
        for (uint64_t block = 0; block < row->blocks; block++) {
            convert_take(convert, TRACE_UNKNOWN, row->first + block, row->size, 0);
        }
    }
    for (uint64_t i = 0; profile->rate > 0 && i < convert->asked->events / 2; i++) {
        double drawn = rng_uniform(&rng) * profile->rate;
        size_t low = 0, high = profile->count - 1;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (until[middle] > drawn) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        const struct profile_row *row = &profile->rows[low];
        if (row->blocks > 0) {
            uint64_t id = row->first + rng_below(&rng, row->blocks);
            convert_give(convert, TRACE_UNKNOWN, id);
            convert_take(convert, TRACE_UNKNOWN, id, row->size, 0);
        }
    }
    free(until);
}

/* ------------------------------------------------------------------------------ files */

/* A zstd file as a stdio stream, because heaptrack's files are compressed. */
struct unpacked {
    FILE *file;
    ZSTD_DStream *stream;
    unsigned char bytes[1 << 16];
    ZSTD_inBuffer input;
};

static ssize_t unpacked_read(void *cookie, char *buffer, size_t size)
{
    struct unpacked *unpacked = cookie;
    ZSTD_outBuffer output = {buffer, size, 0};
    while (output.pos == 0) {
        if (unpacked->input.pos == unpacked->input.size) {
            unpacked->input.size =
                fread(unpacked->bytes, 1, sizeof(unpacked->bytes), unpacked->file);
            unpacked->input.pos = 0;
            if (unpacked->input.size == 0) {
                return 0;
            }
        }
        if (ZSTD_isError(ZSTD_decompressStream(unpacked->stream, &output, &unpacked->input))) {
            errno = EIO;
            return -1;
        }
    }
    return (ssize_t)output.pos;
}

static int unpacked_close(void *cookie)
{
    struct unpacked *unpacked = cookie;
    (void)fclose(unpacked->file);
    (void)ZSTD_freeDStream(unpacked->stream);
    free(unpacked);
    return 0;
}

/* Opens the file; a zstd file is decompressed. */
static FILE *convert_open(const char *path)
{
    static const unsigned char zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    unsigned char magic[4];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    bool packed = fread(magic, 1, 4, file) == 4 && memcmp(magic, zstd_magic, 4) == 0;
    rewind(file);
    if (!packed) {
        return file;
    }
    struct unpacked *unpacked = text_zeroed(1, sizeof(*unpacked));
    unpacked->file = file;
    unpacked->stream = ZSTD_createDStream();
    unpacked->input.src = unpacked->bytes;
    return fopencookie(unpacked, "r",
                       (cookie_io_functions_t){.read = unpacked_read, .close = unpacked_close});
}

static enum trace_foreign convert_guess(FILE *file)
{
    char begin[CONVERT_GUESS_BYTES + 1];
    size_t size = fread(begin, 1, CONVERT_GUESS_BYTES, file);
    begin[size] = '\0';
    if (strncmp(begin, TRACE_MAGIC, strlen(TRACE_MAGIC)) == 0) {
        return TRACE_FOREIGN_TRACE;
    }
    if (begin[0] == '{') {
        return TRACE_FOREIGN_JSONL;
    }
    if (strncmp(begin, "= Start", 7) == 0 || strncmp(begin, "@ ", 2) == 0) {
        return TRACE_FOREIGN_MTRACE;
    }
    if (strncmp(begin, "v ", 2) == 0) {
        return TRACE_FOREIGN_HEAPTRACK;
    }
    if (strchr(begin, '(') != NULL) {
        return TRACE_FOREIGN_CALLS;
    }
    return isdigit((unsigned char)begin[0]) && strchr(begin, ',') != NULL ? TRACE_FOREIGN_PROFILE
                                                                          : TRACE_FOREIGN_TEXT;
}

typedef bool convert_line(struct convert *convert, const char *line);

static convert_line *const convert_lines[] = {
    [TRACE_FOREIGN_TEXT] = convert_text_line,           [TRACE_FOREIGN_JSONL] = convert_jsonl_line,
    [TRACE_FOREIGN_MTRACE] = convert_mtrace_line,       [TRACE_FOREIGN_CALLS] = convert_call_line,
    [TRACE_FOREIGN_HEAPTRACK] = convert_heaptrack_line,
};

static enum status convert_read_lines(struct convert *convert, FILE *file, enum trace_foreign from,
                                      struct error *error)
{
    struct profile profile = {.count = 0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, file)) > 0) {
        line[length - (line[length - 1] == '\n')] = '\0';
        bool taken = from == TRACE_FOREIGN_PROFILE ? profile_line(&profile, line)
                                                   : convert_lines[from](convert, line);
        convert->done->lines++;
        convert->done->skipped += !taken;
    }
    free(line);
    if (profile.count > 0) {
        profile_play(convert, &profile);
    }
    free(profile.rows);
    if (ferror(file) != 0) {
        return error_set(error, STATUS_IO, "%s: it cannot be read whole, or unpacked",
                         convert->asked->input);
    }
    return convert->done->lines > convert->done->skipped
               ? STATUS_OK
               : error_set(error, STATUS_INVALID,
                           "%s: not one of its %" PRIu64 " lines is what `%s` has: say --from",
                           convert->asked->input, convert->done->lines, trace_foreign_names[from]);
}

static enum status convert_from_lines(const struct trace_conversion *asked, enum trace_foreign from,
                                      struct trace_converted *done, struct error *error)
{
    struct convert convert = {.asked = asked, .done = done};
    FILE *file = convert_open(asked->input);
    if (file == NULL) {
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s",
                         asked->input, strerror(errno));
    }
    json_t *description =
        json_pack("{ss ss}", "converted_from", trace_foreign_names[from], "file", asked->input);
    enum status status =
        trace_intake_open(&convert.intake, asked->output, description, TRACE_LEVEL_SMALL, 1, error);
    json_decref(description);
    if (status == STATUS_OK) {
        status = convert_read_lines(&convert, file, from, error);
        struct error closing;
        done->events = trace_writer_written(convert.intake.writer)->events;
        done->strangers = convert.intake.strangers;
        enum status closed = trace_intake_close(&convert.intake, NULL, &closing);
        if (status == STATUS_OK && closed != STATUS_OK) {
            status = error_set(error, closed, "%s", closing.message);
        }
    }
    (void)fclose(file);
    free(convert.sizes);
    free(convert.live);
    return status;
}

/* ------------------------------------------------------------------------------ from traces */

static void convert_write_event(FILE *file, enum trace_foreign to, const struct trace_event *event,
                                uint16_t *thread)
{
    static const char *const ops[] = {"take", "take", "resize", "give"};
    static const char letters[] = {'m', 'a', 'r', 'f'};
    unsigned long long alignment =
        event->operation == TRACE_TAKE_ALIGNED ? 1ull << event->alignment_log2 : 0;
    bool give = event->operation == TRACE_GIVE;
    if (to == TRACE_FOREIGN_JSONL) {
        (void)fprintf(file, "{\"op\":\"%s\",\"id\":%" PRIu32, ops[event->operation], event->slot);
        if (!give) {
            (void)fprintf(file, ",\"size\":%" PRIu64, event->size);
        }
        if (alignment != 0) {
            (void)fprintf(file, ",\"alignment\":%llu", alignment);
        }
        (void)fprintf(file, ",\"thread\":%u}\n", event->thread);
        return;
    }
    if (event->thread != *thread) {
        (void)fprintf(file, "t %u\n", event->thread);
        *thread = event->thread;
    }
    (void)fprintf(file, "%c %" PRIu32, letters[event->operation], event->slot);
    if (!give) {
        (void)fprintf(file, " %" PRIu64, event->size);
    }
    if (alignment != 0) {
        (void)fprintf(file, " %llu", alignment);
    }
    (void)fputc('\n', file);
}

static void convert_copy_event(struct trace_writer *writer, const struct trace_event *event,
                               uint64_t time_us)
{
    enum trace_member member = (enum trace_member)event->member;
    trace_writer_thread(writer, event->thread);
    trace_writer_time(writer, time_us);
    if (event->operation == TRACE_GIVE) {
        trace_writer_give(writer, member, event->slot);
    } else if (event->operation == TRACE_RESIZE) {
        trace_writer_resize(writer, member, event->slot, event->size);
    } else {
        (void)trace_writer_take(
            writer, member, event->size,
            event->operation == TRACE_TAKE_ALIGNED ? UINT64_C(1) << event->alignment_log2 : 0);
    }
    if (event->site != 0) {
        trace_writer_site(writer, event->site);
    }
}

/* Copies every event to the file or, if that is NULL, to the writer. Times are kept at the
 * resolution of frames: a reader reports them after each. */
static enum status convert_copy(struct trace_reader *reader, FILE *file, enum trace_foreign to,
                                struct trace_writer *writer, struct trace_converted *done,
                                struct error *error)
{
    const struct trace_event *events;
    size_t count;
    uint16_t thread = 0;
    uint64_t time_us = 0;
    enum status status;
    while ((status = trace_reader_next(reader, &events, &count, error)) == STATUS_OK && count > 0) {
        for (size_t i = 0; i < count; i++) {
            if (file != NULL) {
                convert_write_event(file, to, &events[i], &thread);
            } else {
                convert_copy_event(writer, &events[i], time_us);
            }
        }
        time_us = reader->time_us;
        done->events += count;
        done->lines += count;
    }
    if (writer != NULL) {
        trace_writer_time(writer, time_us);
    }
    return status;
}

static json_t *convert_json(struct trace_reader *reader, enum trace_frame_kind kind)
{
    const char *text;
    size_t bytes;
    json_t *json = NULL;
    if (trace_reader_text(reader, kind, &text, &bytes, NULL) == STATUS_OK && bytes > 0) {
        json = json_loadb(text, bytes, 0, NULL);
    }
    return json_is_object(json) ? json : json_object();
}

static enum status convert_to_trace(struct trace_reader *reader,
                                    const struct trace_conversion *asked,
                                    struct trace_converted *done, struct error *error)
{
    struct trace_writer *writer;
    json_t *description = convert_json(reader, TRACE_FRAME_DESCRIPTION);
    enum status status =
        trace_writer_open(&writer, asked->output, description, TRACE_LEVEL_SMALL, error);
    json_decref(description);
    if (status == STATUS_OK) {
        struct error closing;
        status = convert_copy(reader, NULL, TRACE_FOREIGN_TRACE, writer, done, error);
        enum status closed = trace_writer_close(writer, NULL, &closing);
        if (status == STATUS_OK && closed != STATUS_OK) {
            status = error_set(error, closed, "%s", closing.message);
        }
    }
    return status;
}

static enum status convert_to_lines(struct trace_reader *reader,
                                    const struct trace_conversion *asked, enum trace_foreign to,
                                    struct trace_converted *done, struct error *error)
{
    FILE *file = fopen(asked->output, "we");
    if (file == NULL) {
        return error_set(error, STATUS_IO, "%s: %s", asked->output, strerror(errno));
    }
    enum status status = convert_copy(reader, file, to, NULL, done, error);
    bool failed = ferror(file) != 0;
    if ((fclose(file) != 0 || failed) && status == STATUS_OK) {
        status = error_set(error, STATUS_IO, "%s: %s", asked->output, strerror(errno));
    }
    return status;
}

static enum status convert_from_trace(const struct trace_conversion *asked, enum trace_foreign to,
                                      struct trace_converted *done, struct error *error)
{
    struct trace_reader reader;
    struct trace_arena arena = {.count = 0};
    enum status status = trace_reader_open(&reader, asked->input, trace_arena_take, &arena, error);
    if (status == STATUS_OK) {
        status = to == TRACE_FOREIGN_TRACE ? convert_to_trace(&reader, asked, done, error)
                                           : convert_to_lines(&reader, asked, to, done, error);
        trace_reader_close(&reader);
    }
    trace_arena_release(&arena);
    return status;
}

static bool convert_ends(const char *path, const char *end)
{
    size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

enum status trace_convert(const struct trace_conversion *asked, struct trace_converted *done,
                          struct error *error)
{
    enum trace_foreign from = asked->from, to = asked->to;
    *done = (struct trace_converted){.lines = 0};
    if (strcmp(asked->input, asked->output) == 0) {
        return error_set(error, STATUS_INVALID, "%s would be read and written: say another output",
                         asked->input);
    }
    if (from == TRACE_FOREIGN_GUESS) {
        FILE *file = convert_open(asked->input);
        if (file == NULL) {
            return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s",
                             asked->input, strerror(errno));
        }
        from = convert_guess(file);
        (void)fclose(file);
    }
    if (to == TRACE_FOREIGN_GUESS) {
        to = convert_ends(asked->output, TRACE_SUFFIX) ? TRACE_FOREIGN_TRACE
             : convert_ends(asked->output, ".jsonl")   ? TRACE_FOREIGN_JSONL
                                                       : TRACE_FOREIGN_TEXT;
    }
    if (from == TRACE_FOREIGN_TRACE && to <= TRACE_FOREIGN_JSONL) {
        return convert_from_trace(asked, to, done, error);
    }
    if (from != TRACE_FOREIGN_TRACE && to == TRACE_FOREIGN_TRACE) {
        return convert_from_lines(asked, from, done, error);
    }
    return error_set(error, STATUS_INVALID,
                     "from %s to %s: one of both must be `trace`, and only text and jsonl are "
                     "written besides",
                     trace_foreign_names[from], trace_foreign_names[to]);
}
