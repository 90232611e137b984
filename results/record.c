#include "results/record.h"

#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/collector_names.h"
#include "common/host/files.h"
#include "common/host/json.h"
#include "common/passes.h"
#include "results/record_private.h"

enum { RECORD_TEXT_MAX = 2048, RECORD_THREADS_MAX = 65536, RECORD_ROUND_MAX = INT32_MAX };

static_assert((int)PASS_COUNT == (int)RECORD_PASS_COUNT, "each pass has a name");
static const char *const status_words[RECORD_STATUS_COUNT] = {"ok", "failed", "crashed", "timeout",
                                                              "not_applicable"};

const char *record_pass_word(enum record_pass pass)
{
    return pass_names[pass];
}

const char *record_status_word(enum record_status status)
{
    return status_words[status];
}

bool record_status_is_failure(enum record_status status)
{
    return status == RECORD_FAILED || status == RECORD_CRASHED || status == RECORD_TIMEOUT;
}

/* The index of word in words, or count. */
static size_t record_find_word(const char *const *words, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && (word == NULL || strcmp(words[i], word) != 0)) {
        i++;
    }
    return i;
}

static const char *record_string(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

/* Appends "K=V" to text, after a comma unless it is the first. false: it does not fit. */
static bool record_append_pair(char *text, size_t *length, const char *key, const json_t *value)
{
    size_t room = RECORD_TEXT_MAX - *length;
    const char *comma = *length > 0 ? "," : "";
    int written;
    if (json_is_string(value)) {
        written = snprintf(text + *length, room, "%s%s=%s", comma, key, json_string_value(value));
    } else {
        /* This format prints integers up to 2^53 in full, and fractions briefly. */
        written =
            snprintf(text + *length, room, "%s%s=%.15g", comma, key, json_number_value(value));
    }
    *length += written > 0 ? (size_t)written : 0;
    return written > 0 && (size_t)written < room;
}

/* "K1=V1,K2=V2" of an object, owned by the set; NULL: too long, or no memory. */
static const char *record_pairs_text(struct record_set *set, json_t *pairs, const char *before,
                                     const char *after)
{
    struct record_set_private *private = set->private;
    char text[RECORD_TEXT_MAX] = "";
    size_t length = 0;
    const char *key;
    json_t *value;
    json_object_foreach(pairs, key, value)
    {
        if (!record_append_pair(text, &length, key, value)) {
            return NULL;
        }
    }
    json_t *string = json_sprintf("%s%s%s", before, text, after);
    if (string == NULL || json_array_append_new(private->texts, string) != 0) {
        return NULL;
    }
    return json_string_value(string);
}

static enum status record_group_of(struct record_set *set, const char *id, uint32_t *group,
                                   struct error *error)
{
    struct record_set_private *private = set->private;
    size_t last = set->group_count - 1; /* mostly the same one */
    if (set->group_count > 0 && strcmp(set->groups[last].id, id) == 0) {
        *group = (uint32_t)last;
        return STATUS_OK;
    }
    const json_t *known = json_object_get(private->group_indexes, id);
    if (known != NULL) {
        *group = (uint32_t)json_integer_value(known);
        return STATUS_OK;
    }
    if (set->group_count >= UINT32_MAX) {
        return error_set(error, STATUS_INVALID, "the plan has too many groups");
    }
    *group = (uint32_t)set->group_count;
    json_t *number = json_integer((json_int_t)*group);
    if (json_object_set_new(private->group_indexes, id, number) != 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the plan's groups");
    }
    set->groups[set->group_count++] =
        (struct record_group){.id = id, .cells_begin = (uint32_t)set->cell_count};
    return STATUS_OK;
}

/* Reads an optional whole number within bounds. */
static bool record_integer(const json_t *json, const char *name, json_int_t absent,
                           json_int_t minimum, json_int_t maximum, uint32_t *result)
{
    const json_t *value = json_object_get(json, name);
    json_int_t number = value == NULL ? absent : json_integer_value(value);
    *result = (uint32_t)number;
    return (value == NULL || json_is_integer(value)) && number >= minimum && number <= maximum;
}

static enum status record_parse_cell_texts(struct record_set *set, struct record_cell *cell,
                                           struct error *error)
{
    json_t *params = json_object_get(cell->plan, "params");
    json_t *env = json_object_get(cell->plan, "env");
    /* Older versions had the collector among the variables. */
    const char *collector =
        json_text_at(cell->plan, "collector", json_text_at(env, "collector", ""));
    cell->collector = collector_present_name(collector);
    cell->params_text = record_pairs_text(set, params, "", "");
    cell->backend_text = cell->backend;
    json_t *named = json_is_object(env) ? json_copy(env) : json_object();
    if (cell->collector[0] != '\0') {
        (void)json_object_set_new(named, "collector", json_string(cell->collector));
    }
    if (json_object_size(named) > 0) {
        char before[RECORD_TEXT_MAX];
        int length = snprintf(before, sizeof(before), "%s{", cell->backend);
        bool fits = length > 0 && (size_t)length < sizeof(before);
        cell->backend_text = fits ? record_pairs_text(set, named, before, "}") : NULL;
    }
    json_decref(named);
    double extra_work = json_number_value(json_object_get(cell->plan, "extra_work"));
    if (extra_work > 0 && cell->backend_text != NULL) {
        json_t *slowed = json_sprintf("%s+%g%%", cell->backend_text, extra_work);
        (void)json_array_append_new(((struct record_set_private *)set->private)->texts, slowed);
        cell->backend_text = json_string_value(slowed);
    }
    if (cell->backend_text != NULL) {
        json_t *label = json_sprintf("%s:%s", cell->backend_text, cell->arm);
        cell->label = json_string_value(label);
        (void)json_array_append_new(((struct record_set_private *)set->private)->texts, label);
    }
    if (cell->params_text == NULL || cell->label == NULL) {
        return error_set(error, STATUS_INVALID, "cell %s of the plan: params or env are too long",
                         cell->id);
    }
    return STATUS_OK;
}

static enum status record_parse_cell(struct record_set *set, const json_t *json, size_t index,
                                     struct error *error)
{
    struct record_cell *cell = &set->cells[index];
    struct record_set_private *private = set->private;
    *cell = (struct record_cell){.plan = json};
    cell->id = record_string(json, "id");
    cell->workload = record_string(json, "workload");
    cell->backend = record_string(json, "backend");
    cell->arm = record_string(json, "arm");
    const char *group = record_string(json, "group");
    const char *kind = record_string(json, "kind");
    const char *family = record_string(json, "family");
    if (cell->id == NULL || cell->workload == NULL || cell->backend == NULL || cell->arm == NULL ||
        group == NULL) {
        return error_set(error, STATUS_INVALID,
                         "cell %zu of the plan lacks one of id, group, workload, backend, arm",
                         index);
    }
    cell->kind = kind != NULL ? kind : "";
    cell->family = family != NULL ? family : cell->workload;
    cell->is_heavy = json_object_get(json, "rounds") != NULL;
    if (!record_integer(json, "threads", 1, 1, RECORD_THREADS_MAX, &cell->threads) ||
        !record_integer(json, "twin", 0, 0, 2, &cell->twin)) {
        return error_set(error, STATUS_INVALID, "cell %s of the plan: bad threads or twin",
                         cell->id);
    }
    if (json_object_get(private->cell_indexes, cell->id) != NULL) {
        return error_set(error, STATUS_INVALID, "cell %s is twice in the plan", cell->id);
    }
    json_t *number = json_integer((json_int_t)index);
    if (json_object_set_new(private->cell_indexes, cell->id, number) != 0) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the plan's cells");
    }
    enum status status = record_group_of(set, group, &cell->group, error);
    if (status != STATUS_OK) {
        return status;
    }
    set->groups[cell->group].cells_time++;
    set->groups[cell->group].cells_end = (uint32_t)index + 1;
    set->groups[cell->group].cells_memory += record_cell_is_planned(cell, RECORD_MEMORY);
    return record_parse_cell_texts(set, cell, error);
}

/* Makes set->plan (with its own reference), cells, groups and the map of ids. After a failure
 * record_set_free may still be called. STATUS_INVALID: it is not a plan; the message names the cell
 * and the member. */
static enum status record_parse_plan(struct record_set *set, json_t *plan, struct error *error)
{
    const char *format = record_string(plan, "format");
    if (format == NULL || strcmp(format, RECORD_PLAN_FORMAT) != 0) {
        return error_set(error, STATUS_INVALID,
                         "the plan's format is \"%s\", and this heapmill reads \"%s\"",
                         format != NULL ? format : "", RECORD_PLAN_FORMAT);
    }
    const json_t *cells = json_object_get(plan, "cells");
    size_t count = json_array_size(cells);
    if (count == 0 || count >= UINT32_MAX) {
        return error_set(error, STATUS_INVALID, "the plan has no cells");
    }
    set->plan = json_incref(plan);
    const json_t *base = json_object_get(plan, "base");
    const char *backend = record_string(base, "backend");
    const char *arm = record_string(base, "arm");
    set->base_backend = backend != NULL ? backend : "";
    set->base_arm = arm != NULL ? arm : "";
    set->cells = calloc(count, sizeof(*set->cells));
    set->groups = calloc(count, sizeof(*set->groups));
    if (set->cells == NULL || set->groups == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the plan's %zu cells", count);
    }
    for (size_t i = 0; i < count; i++) {
        enum status status = record_parse_cell(set, json_array_get(cells, i), i, error);
        if (status != STATUS_OK) {
            return status;
        }
        set->cell_count++;
    }
    return STATUS_OK;
}

/* Reads the members that an ok record of the pass must have beside its metrics. */
static enum status record_parse_object(const json_t *json, struct record *record,
                                       struct error *error)
{
    if (record->pass == RECORD_LATENCY && !json_is_object(json_object_get(json, "latency"))) {
        return error_set(error, STATUS_INVALID,
                         "status is ok in the latency pass, but there is no latency");
    }
    if (record->pass != RECORD_MEMORY) {
        return STATUS_OK;
    }
    const char *source = record_string(json_object_get(json, "memory"), "held_source");
    bool from_stats = source != NULL && strcmp(source, "stats") == 0;
    if (!from_stats && (source == NULL || strcmp(source, "smaps") != 0)) {
        return error_set(error, STATUS_INVALID,
                         "status is ok in the memory pass, but there is no memory with a "
                         "held_source of \"stats\" or \"smaps\"");
    }
    record->held_source = from_stats ? HELD_STATS : HELD_SMAPS;
    return STATUS_OK;
}

static enum status record_parse_figures(const struct record_set *set, const json_t *json,
                                        struct record *record, double *figures, struct error *error)
{
    const struct record_cell *cell = &set->cells[record->cell];
    size_t count = metric_read_record(record->pass, json, cell, figures);
    while (count > 0 && isnan(figures[count - 1])) {
        count--; /* most records have no collector figures, and then store none */
    }
    record->figure_count = (uint8_t)count;
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        bool needed = metric->pass == record->pass && metric->presence == METRIC_NEEDED;
        double figure = needed ? figures[metric_slot(metric)] : 1;
        if (needed && (metric_slot(metric) >= count || !isfinite(figure) || figure <= 0)) {
            return error_set(error, STATUS_INVALID,
                             "status is ok in the %s pass, but there is no finite %s above 0 (%s)",
                             record_pass_word(record->pass), metric->name, metric->where);
        }
    }
    return STATUS_OK;
}

/* A count up to 2^32 - 1; 0 if there is none. */
static uint32_t record_count(const json_t *json, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(json, name));
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void record_parse_surroundings(const json_t *json, struct record *record)
{
    record->steal_ticks = record_count(json, "steal_ticks");
    record->throttled_us = record_count(json, "throttled_us");
    const json_t *process = json_object_get(json, "process");
    record->process_s = (float)(json_number_value(json_object_get(process, "wall_ns")) / 1e9);
    record->outside_cpu_s = (float)((json_number_value(json_object_get(process, "cpu_ns")) -
                                     json_number_value(json_object_get(json, "cpu_ns"))) /
                                    1e9);
}

enum status record_parse(const struct record_set *set, const json_t *json, struct record *record,
                         struct record_details *details, struct error *error)
{
    *record = (struct record){0};
    const char *format = record_string(json, "format");
    if (format == NULL || strcmp(format, RECORD_FORMAT) != 0) {
        return error_set(error, STATUS_INVALID, "format is not \"%s\"", RECORD_FORMAT);
    }
    details->host = record_string(json, "host");
    const char *id = record_string(json, "cell");
    size_t cell = id != NULL ? record_set_find_cell(set, id) : set->cell_count;
    if (cell == set->cell_count) {
        return error_set(error, STATUS_INVALID, "cell \"%s\" is not in the plan",
                         id != NULL ? id : "");
    }
    size_t pass = record_find_word(pass_names, RECORD_PASS_COUNT, record_string(json, "pass"));
    if (pass == RECORD_PASS_COUNT ||
        !record_cell_is_planned(&set->cells[cell], (enum record_pass)pass)) {
        return error_set(
            error, STATUS_INVALID,
            "pass is not \"time\" or \"latency\", or \"memory\" or \"instructions\" of a "
            "cell that has it");
    }
    if (!record_integer(json, "round", -1, 0, RECORD_ROUND_MAX, &record->round)) {
        return error_set(error, STATUS_INVALID, "round is not a whole number from 0 on");
    }
    size_t status =
        record_find_word(status_words, RECORD_STATUS_COUNT, record_string(json, "status"));
    if (status == RECORD_STATUS_COUNT) {
        return error_set(error, STATUS_INVALID, "status is not one of those of FORMAT.md");
    }
    record->cell = (uint32_t)cell;
    record->pass = (uint8_t)pass;
    record->status = (uint8_t)status;
    record_parse_surroundings(json, record);
    if (status != RECORD_OK) {
        return STATUS_OK;
    }
    enum status result = record_parse_object(json, record, error);
    return result == STATUS_OK ? record_parse_figures(set, json, record, details->figures, error)
                               : result;
}

enum { RECORD_SLOTS_FIRST = 1024 };

/* Makes an empty set with its private part. */
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
    private->group_indexes = json_object();
    private->texts = json_array();
    private->slots = calloc(RECORD_SLOTS_FIRST, sizeof(*private->slots));
    private->slot_mask = RECORD_SLOTS_FIRST - 1;
    if (private->directory == NULL || private->cell_indexes == NULL ||
        private->group_indexes == NULL || private->texts == NULL || private->slots == NULL) {
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
    json_decref(private->group_indexes);
    json_decref(private->texts);
    json_decref(set->plan);
    free(private->slots);
    free(private->directory);
    free(private);
    free(set->cells);
    free(set->groups);
    free(set->records);
    free(set->hosts);
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

/* The slot that has the key, or else the empty slot where the key belongs. */
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

/* Enters all records into new slots; their number is a power of two above the number of records. */
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

/* Makes room for one more item of an array that doubles. false: no memory. */
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

/* The number of a host's name. */
static enum status record_set_host(struct record_set *set, const char *name, uint16_t *number,
                                   struct error *error)
{
    struct record_set_private *private = set->private;
    name = name != NULL ? name : "";
    *number = private->last_host;
    if (set->host_count > 0 && strcmp(set->hosts[*number], name) == 0) {
        return STATUS_OK;
    }
    size_t i = 0;
    while (i < set->host_count && strcmp(set->hosts[i], name) != 0) {
        i++;
    }
    if (i == set->host_count && i < UINT16_MAX) {
        json_t *text = json_string(name);
        const char **larger = realloc(set->hosts, (i + 1) * sizeof(*larger));
        set->hosts = larger != NULL ? larger : set->hosts;
        if (larger == NULL || json_array_append_new(private->texts, text) != 0) {
            return error_set(error, STATUS_NO_MEMORY, "no memory for the hosts' names");
        }
        set->hosts[set->host_count++] = json_string_value(text);
    }
    *number = (uint16_t)(i < set->host_count ? i : set->host_count - 1);
    private->last_host = *number;
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
    status = record_set_host(set, details->host, &added->host, error);
    if (status != STATUS_OK) {
        return status;
    }
    added->figure = (uint32_t)set->figure_count;
    memcpy(set->figures + set->figure_count, details->figures,
           added->figure_count * sizeof(double));
    set->figure_count += added->figure_count;
    private->slots[slot] = (uint32_t)++set->record_count;
    return STATUS_OK;
}

bool record_set_group_is_complete(const struct record_set *set, enum record_pass pass,
                                  uint32_t round, size_t group)
{
    for (size_t i = set->groups[group].cells_begin; i < set->groups[group].cells_end; i++) {
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
