#include "results/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results/record_parse.h"
#include "results/record_set.h"
#include "results/stats/disturbance.h"
#include "results/store_file.h"
#include "results/store_recover.h"

struct store {
    struct record_set *set;
    char path[STORE_PATH_MAX]; /* of records.jsonl */
    uint64_t size;             /* of records.jsonl, in bytes */
    uint64_t interrupted;
    int lock_fd;
    int records_fd;
    /* The group that has begun and is not complete; open_group is group_count if there is none. */
    size_t open_group;
    uint32_t open_round;
    enum record_pass open_pass;
};

static struct store *store_new(struct error *error)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        (void)error_set(error, STATUS_NO_MEMORY, "no memory for a result store");
        return NULL;
    }
    store->lock_fd = -1;
    store->records_fd = -1;
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->records_fd >= 0) {
        close(store->records_fd);
    }
    record_set_free(store->set);
    if (store->lock_fd >= 0) {
        close(store->lock_fd); /* the last: it unlocks */
    }
    free(store);
}

static enum status store_open_records(struct store *store, struct error *error)
{
    const char *directory = store->set->directory;
    enum status status = store_file_path(store->path, directory, "records.jsonl", error);
    if (status != STATUS_OK) {
        return status;
    }
    store->open_group = store->set->group_count;
    store->records_fd = open(store->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (store->records_fd < 0) {
        return error_set(error, STATUS_IO, "cannot open %s: %s", store->path, strerror(errno));
    }
    return store_file_sync_directory(directory, error);
}

/* Refuses a directory in which a run has been: its records must not mix with another's. */
static enum status store_check_unused(const char *directory, struct error *error)
{
    static const char *const names[] = {"plan.json", "records.jsonl"};
    char path[STORE_PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        enum status status = store_file_path(path, directory, names[i], error);
        if (status != STATUS_OK) {
            return status;
        }
        if (access(path, F_OK) == 0) {
            return error_set(error, STATUS_INVALID,
                             "%s has a %s already: go on with that run by --resume, or choose "
                             "another directory with -o",
                             directory, names[i]);
        }
    }
    return STATUS_OK;
}

static enum status store_write_plan(const struct store *store, struct error *error)
{
    char *text = json_dumps(store->set->plan, JSON_INDENT(1));
    if (text == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to write the plan");
    }
    enum status status =
        store_file_replace(store->set->directory, "plan.json", text, strlen(text), error);
    free(text);
    return status;
}

static enum status store_fill_new(struct store *store, const char *directory, json_t *plan,
                                  struct error *error)
{
    enum status status = record_set_from_plan(directory, plan, &store->set, error);
    if (status == STATUS_OK) {
        status = store_file_make_directory(directory, error);
    }
    if (status == STATUS_OK) {
        status = store_file_lock(directory, &store->lock_fd, error);
    }
    if (status == STATUS_OK) {
        status = store_check_unused(directory, error);
    }
    if (status == STATUS_OK) {
        status = store_write_plan(store, error);
    }
    return status == STATUS_OK ? store_open_records(store, error) : status;
}

enum status store_create(const char *directory, const json_t *plan, struct store **store,
                         struct error *error)
{
    struct store *new = store_new(error);
    json_t *copy = json_deep_copy(plan); /* the caller may change its own later */
    if (new == NULL || copy == NULL) {
        json_decref(copy);
        store_close(new);
        return error_set(error, STATUS_NO_MEMORY, "no memory for a result store");
    }
    enum status status = store_fill_new(new, directory, copy, error);
    json_decref(copy);
    if (status != STATUS_OK) {
        store_close(new);
        return status;
    }
    *store = new;
    return STATUS_OK;
}

static enum status store_fill_resumed(struct store *store, const char *directory,
                                      struct error *error)
{
    struct record_tail tail;
    /* Before the lock, so that a mistyped name leaves no lock file behind. */
    enum status status = record_set_open(directory, &store->set, error);
    if (status == STATUS_OK) {
        status = store_file_lock(directory, &store->lock_fd, error);
    }
    if (status == STATUS_OK) {
        status = record_set_scan(store->set, &tail, error);
    }
    if (status == STATUS_OK) {
        status = store_open_records(store, error);
    }
    if (status == STATUS_OK) {
        status = store_recover(store->set, &tail, store->records_fd, &store->size,
                               &store->interrupted, error);
    }
    return status;
}

enum status store_resume(const char *directory, struct store **store, struct error *error)
{
    struct store *new = store_new(error);
    if (new == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum status status = store_fill_resumed(new, directory, error);
    if (status != STATUS_OK) {
        store_close(new);
        return status;
    }
    *store = new;
    return STATUS_OK;
}

const json_t *store_plan(const struct store *store)
{
    return store->set->plan;
}

const struct record_set *store_survey(struct store *store, uint32_t round_limit)
{
    disturbance_mark(store->set, round_limit);
    return store->set;
}

uint32_t store_round_last(const struct store *store)
{
    uint32_t last = 0;
    for (size_t i = 0; i < store->set->record_count; i++) {
        const struct record *record = &store->set->records[i];
        last = record->pass == RECORD_TIME && record->round > last ? record->round : last;
    }
    return last;
}

uint64_t store_record_count(const struct store *store)
{
    return store->set->record_count;
}

uint64_t store_interrupted_count(const struct store *store)
{
    return store->interrupted;
}

bool store_is_done(const struct store *store, enum record_pass pass, uint32_t round,
                   const char *cell)
{
    size_t index = record_set_find_cell(store->set, cell);
    return index < store->set->cell_count &&
           record_set_find(store->set, pass, round, index) < store->set->record_count;
}

/* Is the record one that may come next? */
static enum status store_check_order(const struct store *store, const struct record *record,
                                     struct error *error)
{
    const struct record_set *set = store->set;
    const struct record_cell *cell = &set->cells[record->cell];
    if (record_set_find(set, record->pass, record->round, record->cell) < set->record_count) {
        return error_set(error, STATUS_INVALID, "cell %s has a record in round %u already",
                         cell->id, record->round);
    }
    bool another = cell->group != store->open_group || record->round != store->open_round ||
                   record->pass != store->open_pass;
    if (store->open_group < set->group_count && another) {
        return error_set(error, STATUS_INVALID,
                         "cell %s cannot have its record yet: group %s is incomplete in round %u",
                         cell->id, set->groups[store->open_group].id, store->open_round);
    }
    return STATUS_OK;
}

/* Writes the line; if that fails, cuts off what was written of it. */
static enum status store_write_line(struct store *store, const json_t *json, size_t *bytes,
                                    struct error *error)
{
    char *text = json_dumps(json, JSON_COMPACT);
    size_t length = text != NULL ? strlen(text) : 0;
    if (length == 0 || length > UINT32_MAX) {
        free(text);
        return error_set(error, STATUS_NO_MEMORY, "no memory to write a record");
    }
    text[length] = '\n'; /* in place of the zero: one write for line and newline */
    enum status status = store_file_write(store->records_fd, store->path, text, length + 1, error);
    free(text);
    if (status != STATUS_OK && ftruncate(store->records_fd, (off_t)store->size) != 0) {
        return error_set(error, STATUS_IO,
                         "cannot write %s, nor cut it again: free some space and use --resume",
                         store->path);
    }
    *bytes = length;
    return status;
}

enum status store_append(struct store *store, json_t *json, struct error *error)
{
    struct record_set *set = store->set;
    struct record record;
    struct record_details details;
    size_t bytes = 0;
    enum status status = record_parse(set, json, &record, &details, error);
    if (status == STATUS_OK) {
        status = store_check_order(store, &record, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (json_object_set_new(json, "sequence", json_integer((json_int_t)set->record_count)) != 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory to write a record");
    }
    status = store_write_line(store, json, &bytes, error);
    if (status != STATUS_OK) {
        return status;
    }
    record.offset = store->size;
    record.bytes = (uint32_t)bytes;
    store->size += bytes + 1;
    store->open_pass = record.pass;
    store->open_round = record.round;
    store->open_group = set->cells[record.cell].group;
    status = record_set_add(set, &record, &details, NULL, error);
    if (record_set_group_is_complete(set, record.pass, record.round, store->open_group)) {
        store->open_group = set->group_count;
    }
    return status;
}

/* Leaves out what a kill, or a writer that is still at it, has left unfinished. */
static void store_leave_out(struct record_set *set, const struct record_tail *tail)
{
    if (tail->torn_bytes > 0) {
        (void)snprintf(set->notes[set->note_count++], sizeof(set->notes[0]),
                       "the last line of records.jsonl is torn and was left out; `heapmill bench "
                       "--resume` repairs the directory");
    }
    size_t start = record_set_interrupted_start(set);
    if (start < set->record_count) {
        const struct record *record = &set->records[start];
        (void)snprintf(set->notes[set->note_count++], sizeof(set->notes[0]),
                       "group %.100s is incomplete in round %u of the %s pass: its %zu records "
                       "were left out; `heapmill bench --resume` goes on there",
                       set->groups[set->cells[record->cell].group].id, record->round,
                       record_pass_word(record->pass), set->record_count - start);
        record_set_truncate(set, start);
    }
}

enum status store_load(const char *directory, struct record_set **set, struct error *error)
{
    struct record_set *loaded = NULL;
    struct record_tail tail;
    enum status status = record_set_open(directory, &loaded, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = record_set_scan(loaded, &tail, error);
    if (status != STATUS_OK) {
        record_set_free(loaded);
        return status;
    }
    store_leave_out(loaded, &tail);
    disturbance_mark(loaded, UINT32_MAX);
    *set = loaded;
    return STATUS_OK;
}
