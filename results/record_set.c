#include "results/record_set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "results/record_parse.h"

enum { RECORD_SLOTS_FIRST = 1024 };

/* A set with nothing in it but its private part. */
static enum status record_set_new(const char *directory, struct record_set **set,
                                  struct error *error)
{
    struct record_set *new = calloc(1, sizeof(*new));
    struct record_set_private *private = calloc(1, sizeof(*private));
    if (new == NULL || private == NULL) {
        free(new);
        free(private);
        return error_set(error, STATUS_NO_MEMORY, "no memory to read %s", directory);
    }
    new->private = private;
    private->records_fd = -1;
    private->directory = strdup(directory);
    private->cell_indexes = json_object();
    private->texts = json_array();
    private->slots = calloc(RECORD_SLOTS_FIRST, sizeof(*private->slots));
    private->slot_mask = RECORD_SLOTS_FIRST - 1;
    if (private->directory == NULL || private->cell_indexes == NULL || private->texts == NULL ||
        private->slots == NULL) {
        record_set_free(new);
        return error_set(error, STATUS_NO_MEMORY, "no memory to read %s", directory);
    }
    new->directory = private->directory;
    *set = new;
    return STATUS_OK;
}

void record_set_free(struct record_set *set)
{
    if (set == NULL) {
        return;
    }
    struct record_set_private *private = set->private;
    if (private->records_fd >= 0) {
        close(private->records_fd);
    }
    json_decref(private->cell_indexes);
    json_decref(private->texts);
    json_decref(set->plan);
    free(private->slots);
    free(private->directory);
    free(private);
    free(set->cells);
    free(set->groups);
    free(set->records);
    free(set->figures);
    free(set);
}

enum status record_set_from_plan(const char *directory, json_t *plan, struct record_set **set,
                                 struct error *error)
{
    struct record_set *new = NULL;
    enum status status = record_set_new(directory, &new, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = record_parse_plan(new, plan, error);
    if (status != STATUS_OK) {
        record_set_free(new);
        return status;
    }
    *set = new;
    return STATUS_OK;
}

const struct journal_kind record_journal = {
    .plan = "plan.json",
    .lines = "records.jsonl",
    .interrupted = "interrupted.jsonl",
    .if_absent = "it is not a result directory; `heapmill bench -o DIR` makes one",
    .if_plan_damaged = "restore it from a copy: the records mean nothing without it",
    .if_line_damaged = "restore the file from a copy, or move that line to interrupted.jsonl: "
                       "`heapmill bench --resume` runs its cell again",
};

enum status record_set_open(const char *directory, struct record_set **set, struct error *error)
{
    struct error cause;
    json_t *plan;
    enum status status = journal_read_plan(&record_journal, directory, &plan, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = record_set_from_plan(directory, plan, set, &cause);
    json_decref(plan);
    if (status == STATUS_INVALID) {
        return error_set(error, STATUS_CORRUPT, "%s/%s: %s; restore it from a copy", directory,
                         record_journal.plan, cause.message);
    }
    return status == STATUS_OK ? status : error_set(error, status, "%s", cause.message);
}

enum status record_set_take(void *context, const struct journal_line *line, struct error *error)
{
    struct record_set *set = context;
    struct record record;
    struct record_details details;
    struct error cause;
    size_t twice = set->record_count;
    enum status status = record_parse(set, line->json, &record, &details, error);
    if (status != STATUS_OK) {
        return STATUS_CORRUPT;
    }
    record.offset = line->offset;
    record.bytes = line->bytes;
    status = record_set_add(set, &record, &details, &twice, &cause);
    if (status == STATUS_INVALID) {
        return error_set(error, STATUS_CORRUPT, "%.400s already, in line %zu", cause.message,
                         twice + 1);
    }
    return status == STATUS_OK ? status : error_set(error, status, "%s", cause.message);
}

enum status record_set_scan(struct record_set *set, uint64_t *torn, struct error *error)
{
    return journal_read(&record_journal, set->directory, record_set_take, set, NULL, torn, error);
}

/* splitmix64's finisher over the three parts of the key. */
static size_t record_hash(uint64_t pass, uint64_t round, uint64_t cell)
{
    uint64_t z = (round << 32 | cell) ^ pass << 63;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (size_t)(z ^ (z >> 31));
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t record_set_slot(const struct record_set *set, uint32_t pass, uint32_t round,
                              size_t cell)
{
    const struct record_set_private *private = set->private;
    size_t slot = record_hash(pass, round, cell) & private->slot_mask;
    while (private->slots[slot] != 0) {
        const struct record *record = &set->records[private->slots[slot] - 1];
        if (record->cell == cell && record->round == round && record->pass == pass) {
            break;
        }
        slot = (slot + 1) & private->slot_mask;
    }
    return slot;
}

/* Enters all records into slots of the given number, a power of two above their count. */
static enum status record_set_index(struct record_set *set, size_t slots, struct error *error)
{
    struct record_set_private *private = set->private;
    uint32_t *table = calloc(slots, sizeof(*table));
    if (table == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu records", set->record_count);
    }
    free(private->slots);
    private->slots = table;
    private->slot_mask = slots - 1;
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        table[record_set_slot(set, record->pass, record->round, record->cell)] = (uint32_t)(i + 1);
    }
    return STATUS_OK;
}

size_t record_set_find(const struct record_set *set, enum record_pass pass, uint32_t round,
                       size_t cell)
{
    const struct record_set_private *private = set->private;
    uint32_t index = private->slots[record_set_slot(set, pass, round, cell)];
    return index != 0 ? index - 1 : set->record_count;
}

size_t record_set_find_cell(const struct record_set *set, const char *id)
{
    const struct record_set_private *private = set->private;
    const json_t *index = json_object_get(private->cell_indexes, id);
    return index != NULL ? (size_t)json_integer_value(index) : set->cell_count;
}

/* Makes room for one more item of an array that doubles; false: no memory. */
static bool record_grow(void **items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) {
        return true;
    }
    size_t larger = *capacity * 2 + 64;
    void *moved = realloc(*items, larger * item_bytes);
    if (moved != NULL) {
        *items = moved;
        *capacity = larger;
    }
    return moved != NULL;
}

static enum status record_set_reserve(struct record_set *set, struct error *error)
{
    struct record_set_private *private = set->private;
    void *records = set->records;
    void *figures = set->figures;
    bool room =
        record_grow(&records, set->record_count, &private->record_capacity, sizeof(struct record));
    set->records = records;
    room = room && record_grow(&figures, set->figure_count + METRIC_FIGURES_MAX,
                               &private->figure_capacity, sizeof(double));
    set->figures = figures;
    if (!room || set->record_count >= UINT32_MAX - 1 ||
        set->figure_count >= UINT32_MAX - METRIC_FIGURES_MAX) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for more than %zu records",
                         set->record_count);
    }
    if ((set->record_count + 1) * 2 > private->slot_mask) {
        return record_set_index(set, (private->slot_mask + 1) * 2, error);
    }
    return STATUS_OK;
}

enum status record_set_add(struct record_set *set, const struct record *record,
                           const struct record_details *details, size_t *twice, struct error *error)
{
    struct record_set_private *private = set->private;
    enum status status = record_set_reserve(set, error);
    if (status != STATUS_OK) {
        return status;
    }
    size_t slot = record_set_slot(set, record->pass, record->round, record->cell);
    if (private->slots[slot] != 0) {
        if (twice != NULL) {
            *twice = private->slots[slot] - 1;
        }
        return error_set(error, STATUS_INVALID, "cell %s has a record in round %u of the %s pass",
                         set->cells[record->cell].id, record->round,
                         record_pass_word(record->pass));
    }
    struct record *added = &set->records[set->record_count];
    *added = *record;
    added->figure = (uint32_t)set->figure_count;
    for (size_t i = 0; i < added->figure_count; i++) {
        set->figures[set->figure_count++] = details->figures[i];
    }
    private->slots[slot] = (uint32_t)++set->record_count;
    return STATUS_OK;
}

bool record_set_group_is_complete(const struct record_set *set, enum record_pass pass,
                                  uint32_t round, size_t group)
{
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct record_cell *cell = &set->cells[i];
        if (cell->group == group && record_cell_is_planned(cell, pass) &&
            record_set_find(set, pass, round, i) == set->record_count) {
            return false;
        }
    }
    return true;
}

size_t record_set_interrupted_start(const struct record_set *set)
{
    if (set->record_count == 0) {
        return 0;
    }
    const struct record *last = &set->records[set->record_count - 1];
    uint32_t group = set->cells[last->cell].group;
    if (record_set_group_is_complete(set, last->pass, last->round, group)) {
        return set->record_count;
    }
    size_t start = set->record_count - 1;
    for (; start > 0; start--) {
        const struct record *record = &set->records[start - 1];
        if (record->pass != last->pass || record->round != last->round ||
            set->cells[record->cell].group != group) {
            break;
        }
    }
    return start;
}

void record_set_truncate(struct record_set *set, size_t count)
{
    struct record_set_private *private = set->private;
    if (count < set->record_count) {
        set->figure_count = set->records[count].figure;
    }
    set->record_count = count;
    memset(private->slots, 0, (private->slot_mask + 1) * sizeof(*private->slots));
    for (size_t i = 0; i < count; i++) {
        const struct record *record = &set->records[i];
        size_t slot = record_set_slot(set, record->pass, record->round, record->cell);
        private->slots[slot] = (uint32_t)(i + 1);
    }
}

enum status record_set_read(const struct record_set *set, size_t index, json_t **json,
                            struct error *error)
{
    struct record_set_private *private = set->private;
    const struct record *record = &set->records[index];
    char *line = NULL;
    *json = NULL;
    if (private->records_fd < 0) {
        char *path = text_format("%s/%s", set->directory, record_journal.lines);
        private->records_fd = open(path, O_RDONLY | O_CLOEXEC);
        free(path);
    }
    if (file_read_part(private->records_fd, record->offset, record->bytes, &line, error) ==
        STATUS_OK) {
        *json = json_loadb(line, record->bytes, 0, NULL);
    }
    free(line);
    if (*json == NULL) {
        return error_set(error, STATUS_IO, "%s/records.jsonl has changed while it was read",
                         set->directory);
    }
    return STATUS_OK;
}
