/* Reads records.jsonl line by line: of each line only a struct record stays in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results/record_parse.h"
#include "results/record_set.h"

enum { SCAN_PATH_MAX = 4096, SCAN_BUFFER_BYTES = 1 << 18 };

struct scan {
    struct record_set *set;
    FILE *file;
    char *line;
    size_t capacity;
    size_t bytes; /* of the line, without its newline */
    uint64_t offset;
    uint64_t line_number; /* from 1 */
    char path[SCAN_PATH_MAX];
};

/* The sentence for a damaged line that is not the last: a kill cannot have torn it. */
static enum status scan_corrupt(const struct scan *scan, const char *what, struct error *error)
{
    return error_set(error, STATUS_CORRUPT,
                     "%s line %llu: %s; restore the file from a copy, or move that line to "
                     "interrupted.jsonl: `heapmill bench --resume` runs its cell again",
                     scan->path, (unsigned long long)scan->line_number, what);
}

/* Is there nothing after the line that was just read? */
static bool scan_at_end(struct scan *scan)
{
    int next = getc(scan->file);
    if (next != EOF) {
        ungetc(next, scan->file);
    }
    return next == EOF;
}

static enum status scan_add(struct scan *scan, const json_t *json, struct error *error)
{
    struct record record;
    struct record_details details;
    struct error cause;
    size_t twice = scan->set->record_count;
    enum status status = record_parse(scan->set, json, &record, &details, &cause);
    if (status != STATUS_OK) {
        return scan_corrupt(scan, cause.message, error);
    }
    record.offset = scan->offset;
    record.bytes = (uint32_t)scan->bytes;
    status = record_set_add(scan->set, &record, &details, &twice, &cause);
    if (status == STATUS_INVALID) {
        char what[512];
        (void)snprintf(what, sizeof(what), "%.400s already, in line %zu", cause.message, twice + 1);
        return scan_corrupt(scan, what, error);
    }
    return status == STATUS_OK ? status : error_set(error, status, "%s", cause.message);
}

/* One line with its newline. *torn: it is not JSON, but the last, and so may have been cut by a
 * kill. */
static enum status scan_line(struct scan *scan, bool *torn, struct error *error)
{
    json_error_t where;
    if (scan->bytes > UINT32_MAX) {
        return scan_corrupt(scan, "the line is longer than 4 GiB", error);
    }
    json_t *json = json_loadb(scan->line, scan->bytes, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL) {
        *torn = scan_at_end(scan);
        return *torn ? STATUS_OK : scan_corrupt(scan, where.text, error);
    }
    enum status status = scan_add(scan, json, error);
    json_decref(json);
    return status;
}

static enum status scan_lines(struct scan *scan, struct record_tail *tail, struct error *error)
{
    ssize_t got;
    errno = 0;
    while ((got = getline(&scan->line, &scan->capacity, scan->file)) > 0) {
        bool torn = scan->line[got - 1] != '\n';
        scan->bytes = (size_t)got - 1;
        scan->line_number++;
        if (!torn) {
            enum status status = scan_line(scan, &torn, error);
            if (status != STATUS_OK) {
                return status;
            }
        }
        if (torn) {
            tail->torn_bytes = (uint64_t)got;
            break;
        }
        scan->offset += (uint64_t)got;
    }
    tail->whole_bytes = scan->offset;
    if (got < 0 && !feof(scan->file)) {
        return error_set(error, STATUS_IO, "cannot read %s: %s", scan->path, strerror(errno));
    }
    return STATUS_OK;
}

enum status record_set_scan(struct record_set *set, struct record_tail *tail, struct error *error)
{
    struct record_set_private *private = set->private;
    struct scan scan = {.set = set};
    *tail = (struct record_tail){0};
    int length = snprintf(scan.path, sizeof(scan.path), "%s/records.jsonl", set->directory);
    if (length < 0 || (size_t)length >= sizeof(scan.path)) {
        return error_set(error, STATUS_INVALID, "the directory's name is too long");
    }
    private->records_fd = open(scan.path, O_RDONLY | O_CLOEXEC);
    if (private->records_fd < 0) {
        return errno == ENOENT
                   ? STATUS_OK
                   : error_set(error, STATUS_IO, "cannot open %s: %s", scan.path, strerror(errno));
    }
    int fd = fcntl(private->records_fd, F_DUPFD_CLOEXEC, 0); /* the stream closes its own */
    scan.file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (scan.file == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return error_set(error, STATUS_IO, "cannot read %s: %s", scan.path, strerror(errno));
    }
    (void)setvbuf(scan.file, NULL, _IOFBF, SCAN_BUFFER_BYTES);
    enum status status = scan_lines(&scan, tail, error);
    free(scan.line);
    (void)fclose(scan.file);
    return status;
}
