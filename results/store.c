#include "results/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "results/manifest.h"
#include "results/record_private.h"
#include "results/stats/disturbance.h"

struct store {
    struct record_set *set;
    struct journal journal;
    uint64_t interrupted;
    bool grows; /* something was appended in this session */
    /* The group that has begun and is not complete; group_count if there is none. */
    size_t open_group;
    uint32_t open_round;
    enum record_pass open_pass;
};

static struct store *store_new(struct error *error)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        (void)error_set(error, STATUS_NO_MEMORY, "no memory for a result store");
    }
    return store;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        record_set_free(store->set);
        journal_close(&store->journal);
        free(store);
    }
}

/* Gives the store to the caller if all went well; otherwise closes it. */
static enum status store_give(enum status status, struct store *new, struct store **store)
{
    if (status != STATUS_OK) {
        store_close(new);
        return status;
    }
    new->open_group = new->set->group_count;
    *store = new;
    return STATUS_OK;
}

enum status store_create(const char *directory, const json_t *plan, struct store **store,
                         struct error *error)
{
    struct store *new = store_new(error);
    json_t *copy = json_deep_copy(plan); /* the caller may change its own plan later */
    if (new == NULL || copy == NULL) {
        json_decref(copy);
        store_close(new);
        return error_set(error, STATUS_NO_MEMORY, "no memory for a result store");
    }
    enum status status = record_set_from_plan(directory, copy, &new->set, error);
    if (status == STATUS_OK) {
        status = journal_begin(&new->journal, &record_journal, directory, copy, error);
    }
    json_decref(copy);
    return store_give(status, new, store);
}

/* Moves the records of an incomplete group, and a torn line, to interrupted.jsonl. */
static enum status store_repair(struct store *store, struct error *error)
{
    struct record_set *set = store->set;
    size_t start = record_set_interrupted_start(set);
    uint64_t cut = start < set->record_count ? set->records[start].offset : store->journal.size;
    store->interrupted = set->record_count - start + (store->journal.torn > 0);
    enum status status = journal_repair(&store->journal, cut, error);
    if (status == STATUS_OK && start < set->record_count) {
        record_set_truncate(set, start);
    }
    return status;
}

enum status store_resume(const char *directory, struct store **store, struct error *error)
{
    struct store *new = store_new(error);
    if (new == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum status status = record_set_open(directory, &new->set, error);
    if (status == STATUS_OK) {
        status = journal_resume(&new->journal, &record_journal, directory, NULL, record_set_take,
                                new->set, error);
    }
    if (status == STATUS_OK) {
        status = store_repair(new, error);
    }
    return store_give(status, new, store);
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

enum status store_read_elapsed(const struct store *store, double *elapsed_s, uint32_t *rounds,
                               struct error *error)
{
    const struct record_set *set = store->set;
    json_t *last = NULL;
    bool timed = false;
    for (size_t i = 0; i < set->record_count && !timed; i++) {
        timed = set->records[i].pass == RECORD_TIME;
    }
    *elapsed_s = 0;
    *rounds = timed ? store_round_last(store) + 1 : 0;
    if (set->record_count == 0) {
        return STATUS_OK;
    }
    enum status status = record_set_read(set, set->record_count - 1, &last, error);
    *elapsed_s = json_number_value(json_object_get(last, "elapsed_s"));
    json_decref(last);
    return status;
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

/* May this record come next? */
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

enum status store_append(struct store *store, json_t *json, struct error *error)
{
    struct record_set *set = store->set;
    struct record record;
    struct record_details details;
    struct journal_line line;
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
    if (!store->grows) {
        store->grows = true;
        manifest_remove(set->directory);
    }
    status = journal_append(&store->journal, json, &line, error);
    if (status != STATUS_OK) {
        return status;
    }
    record.offset = line.offset;
    record.bytes = line.bytes;
    store->open_pass = record.pass;
    store->open_round = record.round;
    store->open_group = set->cells[record.cell].group;
    status = record_set_add(set, &record, &details, NULL, error);
    if (record_set_group_is_complete(set, record.pass, record.round, store->open_group)) {
        store->open_group = set->group_count;
    }
    return status;
}

enum status store_finish(const struct store *store, struct error *error)
{
    return manifest_write(store->set->directory, error);
}

/* Leaves out what a killed writer, or one that is still running, has not finished. */
static void store_leave_out(struct record_set *set, uint64_t torn)
{
    if (torn > 0) {
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
    uint64_t torn = 0;
    enum status status = record_set_open(directory, &loaded, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = record_set_scan(loaded, &torn, error);
    if (status != STATUS_OK) {
        record_set_free(loaded);
        return status;
    }
    store_leave_out(loaded, torn);
    disturbance_mark(loaded, UINT32_MAX);
    *set = loaded;
    return STATUS_OK;
}
