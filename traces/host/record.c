#include "traces/host/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/process.h"
#include "common/host/scratch.h"
#include "common/host/text.h"
#include "traces/host/intake.h"
#include "traces/raw.h"

/* The pause between two looks for finished chunks: while there are some, and the longest. A chunk
 * is filled in 1 ms at the fastest. */
static const double RECORD_PAUSE_S = 0.0005, RECORD_PAUSE_S_MAX = 0.01;

/* After this many looks a thread that has not written its reserved slot is assumed dead: at least a
 * second, and no thread is off the processor for so long. */
enum { RECORD_LOOKS_MAX = 2000 };

/* One program in one process. */
struct record_series {
    uint32_t pid;
    uint32_t series;
    struct raw_head *head;     /* mapped; NULL: that was not possible yet */
    struct raw_chunk **chunks; /* [RAW_CHUNKS]; those that were read are mapped */
    uint32_t done;             /* chunks of the series that were read completely */
    uint32_t slot;             /* the first slot of the next chunk that was not read */
    uint32_t looks;            /* looks at that slot without success */
    bool opened;
    struct trace_intake intake;
    json_t *about; /* for the description, and for recorded->processes */
};

struct record_job {
    const struct trace_recording *recording;
    struct scratch scratch; /* has the chunks */
    struct record_series *series;
    size_t count;
};

/* ------------------------------------------------------------------------------ chunks */

static json_t *record_words(const char *command, size_t size)
{
    json_t *words = json_array();
    for (size_t i = 0; i < size && command[i] != '\0'; i += strnlen(command + i, size - i) + 1) {
        json_t *word = json_stringn(command + i, strnlen(command + i, size - i));
        (void)json_array_append_new(words, word != NULL ? word : json_string("?"));
    }
    return words;
}

static size_t record_number_of(const struct record_job *job, uint32_t pid)
{
    for (size_t i = job->count; i-- > 0;) {
        if (job->series[i].opened && job->series[i].pid == pid) {
            return i + 1;
        }
    }
    return 0;
}

static json_t *record_describe(const struct record_job *job, const struct raw_head *head,
                               size_t number)
{
    char when[32];
    time_t seconds = (time_t)(head->time_ns / 1000000000u);
    struct tm utc;
    uint32_t parent =
        head->series > 0 ? head->pid : head->parent; /* series 0 is that before exec */
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    json_t *program = json_stringn(head->program, strnlen(head->program, sizeof(head->program)));
    return json_pack("{sI so so si sI ss sb sI}", "number", (json_int_t)number, "program",
                     program != NULL ? program : json_string("?"), "command",
                     record_words(head->command, sizeof(head->command)), "pid", (int)head->pid,
                     "parent", (json_int_t)record_number_of(job, parent), "time", when, "sites",
                     job->recording->sites, "sample", (json_int_t)job->recording->sample);
}

/* The file's name during the recording. */
static char *record_file(const struct record_job *job, size_t index)
{
    return text_format("%s.%zu", job->recording->output, index + 1);
}

static enum status record_open(struct record_job *job, struct record_series *series,
                               const struct raw_head *head, struct error *error)
{
    size_t index = (size_t)(series - job->series);
    char *path = record_file(job, index);
    series->about = record_describe(job, head, index + 1);
    enum status status = trace_intake_open(&series->intake, path, series->about, TRACE_LEVEL_FAST,
                                           job->recording->sample, error);
    series->opened = status == STATUS_OK;
    free(path);
    return status;
}

static inline void record_slot(struct record_series *series, uint64_t word0, uint64_t word1,
                               uint32_t site)
{
    struct trace_intake *intake = &series->intake;
    uint64_t address = word0 & RAW_LOW48;
    enum trace_member member = (enum trace_member)((word0 >> 48) & 63);
    uint32_t thread = (uint32_t)(word1 >> 48);
    unsigned log2 = (unsigned)(word0 >> 56) & 63;
    switch ((enum raw_kind)((word0 >> 54) & 3)) {
    case RAW_TOOK:
        trace_intake_took(intake, thread, member, address, word1 & RAW_LOW48,
                          log2 == 0 ? 0 : UINT64_C(1) << log2, site);
        break;
    case RAW_GIVES:
        trace_intake_gives(intake, thread, member, address);
        break;
    case RAW_KEEPS:
        trace_intake_keeps(intake, thread, address);
        break;
    default:
        if ((int)member == RAW_TIME) {
            trace_writer_time(intake->writer, address);
        }
    }
}

/* Maps a part of the series' file; NULL: that failed. */
static void *record_map(const struct record_job *job, const struct record_series *series,
                        size_t offset, size_t bytes)
{
    struct stat about;
    char *path = text_format("%s/%u.%u", job->scratch.path, series->pid, series->series);
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *memory = MAP_FAILED;
    if (file >= 0) {
        if (fstat(file, &about) == 0 && (size_t)about.st_size >= offset + bytes) {
            memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, (off_t)offset);
        }
        (void)close(file);
    }
    free(path);
    return memory == MAP_FAILED ? NULL : memory;
}

static void record_unmap(struct record_series *series)
{
    for (size_t i = 0; series->chunks != NULL && i < RAW_CHUNKS; i++) {
        if (series->chunks[i] != NULL) {
            (void)munmap(series->chunks[i], RAW_CHUNK_BYTES);
        }
    }
    if (series->head != NULL) {
        (void)munmap(series->head, RAW_HEAD_BYTES);
    }
    free(series->chunks);
    series->chunks = NULL;
    series->head = NULL;
}

/* The first word of a chunk's slot; 0: its thread has not written it yet. */
static inline uint64_t record_word0(const struct raw_chunk *chunk, uint32_t slot)
{
    uint64_t word0 = __atomic_load_n(&chunk->slots[slot].word[0], __ATOMIC_ACQUIRE);
    return (word0 ^ chunk->tag) >> RAW_TAG_SHIFT == 0 ? word0 : 0;
}

/* The call site that follows a RAW_TOOK. */
static uint32_t record_site(const struct raw_chunk *chunk, uint32_t slot)
{
    uint64_t word0 = slot + 1 < RAW_SLOTS ? record_word0(chunk, slot + 1) : 0;
    bool is = ((word0 >> 54) & 3) == RAW_NOTE && ((word0 >> 48) & 63) == RAW_SITE;
    return is ? (uint32_t)word0 : 0;
}

/* Reads the chunk from series->slot on. It stops at a slot that its thread has not written yet, and
 * returns false; with `late` it skips such a slot, since its thread was ended in the middle. */
static bool record_take_in(const struct record_job *job, struct record_series *series,
                           const struct raw_chunk *chunk, bool late)
{
    bool sites = job->recording->sites;
    uint32_t used = __atomic_load_n(&chunk->used, __ATOMIC_ACQUIRE);
    used = used < RAW_SLOTS ? used : RAW_SLOTS;
    for (uint32_t i = series->slot; i < used; i++) {
        uint64_t word0 = record_word0(chunk, i);
        uint32_t site = 0;
        if (sites && word0 != 0 && ((word0 >> 54) & 3) == RAW_TOOK) {
            site = record_site(chunk, i);
            word0 = site != 0 || late ? word0 : 0;
        }
        if (word0 != 0) {
            record_slot(series, word0, chunk->slots[i].word[1], site);
        } else if (!late) {
            series->slot = i;
            return false;
        }
    }
    series->slot = 0;
    return true;
}

/* The chunk that continues the series; RAW_CHUNKS: none does. */
static uint32_t record_next_chunk(const struct record_series *series)
{
    uint32_t i = 0;
    while (i < RAW_CHUNKS &&
           __atomic_load_n(&series->head->holds[i], __ATOMIC_ACQUIRE) != series->done + 1) {
        i++;
    }
    return i;
}

/* Reads the finished chunks of a series; with `all`, the last chunk too. *found is set if there was
 * anything. */
static enum status record_follow(struct record_job *job, struct record_series *series, bool all,
                                 bool *found, struct error *error)
{
    if (series->head == NULL) {
        series->head = record_map(job, series, 0, RAW_HEAD_BYTES);
        series->chunks = text_zeroed(RAW_CHUNKS, sizeof(struct raw_chunk *));
    }
    while (series->head != NULL) {
        uint32_t ahead = __atomic_load_n(&series->head->begun, __ATOMIC_ACQUIRE) - series->done;
        uint32_t i = ahead > (all ? 0 : 1) ? record_next_chunk(series) : RAW_CHUNKS;
        if (i < RAW_CHUNKS && series->chunks[i] == NULL) {
            series->chunks[i] = record_map(
                job, series, RAW_HEAD_BYTES + (size_t)i * RAW_CHUNK_BYTES, RAW_CHUNK_BYTES);
        }
        if (i == RAW_CHUNKS || series->chunks[i] == NULL) {
            break;
        }
        if (!series->opened && record_open(job, series, series->head, error) != STATUS_OK) {
            return error->status;
        }
        if (!record_take_in(job, series, series->chunks[i],
                            all || series->looks == RECORD_LOOKS_MAX)) {
            series->looks++;
            break;
        }
        series->looks = 0;
        *found = true;
        series->done++;
        __atomic_store_n(&series->head->holds[i], 0, __ATOMIC_RELEASE);
    }
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------ the directory */

/* A new file. */
struct record_found {
    uint64_t time_ns;
    uint32_t pid;
    uint32_t series;
};

static int record_by_time(const void *a, const void *b)
{
    const struct record_found *one = a, *other = b;
    return one->time_ns != other->time_ns
               ? (one->time_ns < other->time_ns ? -1 : 1)
               : (one->series > other->series) - (one->series < other->series);
}

static bool record_knows(const struct record_job *job, uint32_t pid, uint32_t series)
{
    for (size_t i = 0; i < job->count; i++) {
        if (job->series[i].pid == pid && job->series[i].series == series) {
            return true;
        }
    }
    return false;
}

/* 0: there is no head yet. */
static uint64_t record_begin_of(const struct record_job *job, const char *name)
{
    struct raw_head head = {.magic = 0};
    char *path = text_format("%s/%s", job->scratch.path, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t got = pread(file, &head, sizeof(head), 0);
        (void)close(file);
        head.magic = got == (ssize_t)sizeof(head) ? head.magic : 0;
    }
    free(path);
    return head.magic == RAW_MAGIC ? head.time_ns : 0;
}

/* "PID.SERIES" */
static bool record_is_file(const char *name, uint32_t *pid, uint32_t *series)
{
    char *end;
    *pid = (uint32_t)strtoul(name, &end, 10);
    if (*end != '.') {
        return false;
    }
    *series = (uint32_t)strtoul(end + 1, &end, 10);
    return *end == '\0';
}

/* Makes a series for each new file, in the order in which they began. */
static void record_find_series(struct record_job *job)
{
    struct text_list names = {0};
    size_t count = 0;
    file_list_names(job->scratch.path, &names);
    struct record_found *found = text_zeroed(names.count, sizeof(*found));
    for (size_t i = 0; i < names.count; i++) {
        uint32_t pid, series;
        if (record_is_file(names.items[i], &pid, &series) && !record_knows(job, pid, series)) {
            uint64_t time_ns = record_begin_of(job, names.items[i]);
            if (time_ns != 0) {
                found[count++] = (struct record_found){time_ns, pid, series};
            }
        }
    }
    qsort(found, count, sizeof(*found), record_by_time);
    for (size_t i = 0; i < count; i++) {
        job->series = text_grow(job->series, job->count + 1, sizeof(*job->series));
        job->series[job->count++] =
            (struct record_series){.pid = found[i].pid, .series = found[i].series};
    }
    free(found);
    text_list_free(&names);
}

/* Reads finished chunks; with `all`, the last chunks too. *found is false if there was nothing for
 * now. */
static enum status record_gather(struct record_job *job, bool all, bool *found, struct error *error)
{
    enum status status = STATUS_OK;
    *found = false;
    record_find_series(job);
    for (size_t i = 0; i < job->count && status == STATUS_OK; i++) {
        status = record_follow(job, &job->series[i], all, found, error);
        if (all) {
            record_unmap(&job->series[i]);
        }
    }
    return status;
}

/* The directory in which chunks cost least: in memory if there is enough room (a program is at most
 * RAW_CHUNKS ahead); otherwise TMPDIR or /tmp. Half of a page's cost is the file system's
 * (measured: 0.4 s and 0.75 s of system time for 320 MB). */
static const char *record_parent(void)
{
    enum { CHUNKS_ROOM = 4 * RAW_CHUNKS };
    const char *asked = getenv("TMPDIR");
    struct statvfs room;
    if (asked != NULL) {
        return asked;
    }
    bool fits = access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &room) == 0 &&
                (uint64_t)room.f_bavail * room.f_frsize >= (uint64_t)CHUNKS_ROOM * RAW_CHUNK_BYTES;
    return fits ? "/dev/shm" : "/tmp";
}

static enum status record_run(struct record_job *job, struct trace_recorded *recorded,
                              struct error *error)
{
    const char *below = getenv("LD_PRELOAD");
    bool chosen = getenv("PYTHONMALLOC") != NULL;
    char *preload = text_format("LD_PRELOAD=%s%s%s", job->recording->library,
                                below == NULL ? "" : ":", below == NULL ? "" : below);
    char *directory = text_format(RAW_DIRECTORY_VARIABLE "=%s", job->scratch.path);
    const char *settings[5] = {preload, directory};
    size_t count = 2;
    if (!chosen) {
        settings[count++] = "PYTHONMALLOC=malloc"; /* then each object is a block of malloc */
    }
    if (job->recording->sites) {
        settings[count++] = RAW_SITES_VARIABLE "=1";
    }
    const struct process_request request = {.arguments =
                                                (const char *const *)job->recording->command,
                                            .settings = settings,
                                            .stdio = PROCESS_FOREGROUND,
                                            .stop_signal = SIGTERM};
    struct process process;
    enum status status = process_start(&request, &process, error);
    if (status == STATUS_OK) {
        enum status gathered = STATUS_OK;
        double pause = RECORD_PAUSE_S;
        while (process_wait(&process, 1, pause) > 0) {
            bool found = false;
            if (gathered == STATUS_OK) {
                gathered = record_gather(job, false, &found, error);
            } else {
                /* Recorders that still run notice that, and stop. */
                file_remove_tree(job->scratch.path);
            }
            pause = found ? RECORD_PAUSE_S : fmin(2 * pause, RECORD_PAUSE_S_MAX);
        }
        status = gathered;
        recorded->exit_code = process.result.exit_code;
        recorded->signal = process.result.signal;
        process_free(&process);
    }
    free(directory);
    free(preload);
    return status;
}

/* Closes a trace, and adds the result to its `about`. Returns its number of events. */
static uint64_t record_close(struct record_job *job, size_t index, enum status *status,
                             struct error *error)
{
    struct record_series *series = &job->series[index];
    struct error closing;
    struct stat file;
    const struct trace_written written = *trace_writer_written(series->intake.writer);
    enum status closed = trace_intake_close(&series->intake, NULL, &closing);
    if (closed != STATUS_OK && *status == STATUS_OK) {
        *status = error_set(error, closed, "%s", closing.message);
    }
    char *path = record_file(job, index);
    json_t *totals =
        json_pack("{sI sI sI sI}", "events", (json_int_t)written.events, "live_bytes_peak",
                  (json_int_t)written.live_bytes_peak, "live_bytes", (json_int_t)written.live_bytes,
                  "bytes", stat(path, &file) == 0 ? (json_int_t)file.st_size : 0);
    (void)json_object_set_new(series->about, "file", json_string(path));
    (void)json_object_update(series->about, totals);
    json_decref(totals);
    free(path);
    return written.events;
}

/* Closes the traces. The one with the most events gets the requested name: if the command is a
 * wrapper script, the program that it starts is meant. */
static enum status record_finish(struct record_job *job, struct trace_recorded *recorded,
                                 enum status status, struct error *error)
{
    uint64_t most = 0;
    size_t largest = job->count;
    for (size_t i = 0; i < job->count; i++) {
        if (job->series[i].opened) {
            uint64_t events = record_close(job, i, &status, error);
            if (largest == job->count || events > most) {
                most = events;
                largest = i;
            }
            (void)json_array_append_new(recorded->processes, job->series[i].about);
        } else {
            json_decref(job->series[i].about);
        }
    }
    scratch_close(&job->scratch);
    if (largest == job->count) {
        return status;
    }
    char *path = record_file(job, largest);
    const char *output = job->recording->output;
    if (rename(path, output) != 0 && status == STATUS_OK) {
        status =
            error_set(error, STATUS_IO, "%s: %s; its trace is %s", output, strerror(errno), path);
    } else {
        (void)json_object_set_new(job->series[largest].about, "file", json_string(output));
    }
    free(path);
    return status;
}

enum status trace_record(const struct trace_recording *recording, struct trace_recorded *recorded,
                         struct error *error)
{
    struct record_job job = {.recording = recording};
    *recorded = (struct trace_recorded){.processes = json_array()};
    enum status status = scratch_open(&job.scratch, record_parent(), "trace", error);
    if (status == STATUS_OK) {
        status = record_run(&job, recorded, error);
        if (status == STATUS_OK) {
            bool found;
            status = record_gather(&job, true, &found, error);
        }
        status = record_finish(&job, recorded, status, error);
    }
    if (status == STATUS_OK && json_array_size(recorded->processes) == 0) {
        status = error_set(error, STATUS_UNSUPPORTED,
                           "nothing of %s was recorded: it allocates nothing, has a limit on files "
                           "(ulimit -f), is linked "
                           "statically, or is set-user-ID",
                           recording->command[0]);
    }
    for (size_t i = 0; i < job.count; i++) {
        record_unmap(&job.series[i]);
    }
    free(job.series);
    scratch_close(&job.scratch);
    return status;
}
