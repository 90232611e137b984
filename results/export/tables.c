/* Records and comparisons as flat rows. Programs read the column names, so they must not change. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results/export/export.h"

enum { TABLE_PATH_MAX = 128 };

static struct export_value value_text(const char *text)
{
    return (struct export_value){.kind = text != NULL ? EXPORT_TEXT : EXPORT_NONE, .text = text};
}

static struct export_value value_integer(int64_t integer)
{
    return (struct export_value){.kind = EXPORT_INTEGER, .integer = integer};
}

static struct export_value value_real(double real)
{
    return (struct export_value){.kind = isfinite(real) ? EXPORT_REAL : EXPORT_NONE, .real = real};
}

/* ---------------------------------------------------------------- records */
/* Columns that the set knows of a record; the other columns are members of its JSON. */
enum record_own_column {
    RECORD_COLUMN_CELL,
    RECORD_COLUMN_GROUP,
    RECORD_COLUMN_WORKLOAD,
    RECORD_COLUMN_PARAMS,
    RECORD_COLUMN_THREADS,
    RECORD_COLUMN_BACKEND,
    RECORD_COLUMN_ARM,
    RECORD_COLUMN_TWIN,
    RECORD_COLUMN_PASS,
    RECORD_COLUMN_ROUND,
    RECORD_COLUMN_STATUS,
    RECORD_COLUMN_TIME,
    RECORD_COLUMN_LEFT_OUT,
    RECORD_COLUMN_FIRST_MEMBER
};

/* A column after RECORD_COLUMN_LEFT_OUT is the member of that name, with "__" between an object and
 * its member. A column for each metric follows: see export_records. */
static const struct export_column record_columns[] = {
    {"cell", EXPORT_TEXT},
    {"group_id", EXPORT_TEXT}, /* GROUP is a keyword of SQL */
    {"workload", EXPORT_TEXT},
    {"params", EXPORT_TEXT},
    {"threads", EXPORT_INTEGER},
    {"backend", EXPORT_TEXT},
    {"arm", EXPORT_TEXT},
    {"twin", EXPORT_INTEGER},
    {"pass", EXPORT_TEXT},
    {"round", EXPORT_INTEGER},
    {"status", EXPORT_TEXT},
    {"time_ns", EXPORT_REAL},
    {"left_out", EXPORT_INTEGER},
    {"reason", EXPORT_TEXT},
    {"exit_code", EXPORT_INTEGER},
    {"signal", EXPORT_INTEGER},
    {"started", EXPORT_TEXT},
    {"sequence", EXPORT_INTEGER},
    {"seed", EXPORT_INTEGER},
    {"iterations", EXPORT_INTEGER},
    {"operations", EXPORT_INTEGER},
    {"cpu_ns", EXPORT_REAL},
    {"wall_ns", EXPORT_REAL},
    {"instructions_per_op", EXPORT_REAL},
    {"allocations", EXPORT_INTEGER},
    {"faults_minor", EXPORT_INTEGER},
    {"faults_major", EXPORT_INTEGER},
    {"switches_voluntary", EXPORT_INTEGER},
    {"switches_involuntary", EXPORT_INTEGER},
    {"steal_ticks", EXPORT_INTEGER},
    {"throttled_us", EXPORT_INTEGER},
    {"load1", EXPORT_REAL},
    {"process__cpu_ns", EXPORT_INTEGER},
    {"process__wall_ns", EXPORT_INTEGER},
    {"process__rss_bytes_peak", EXPORT_INTEGER},
    {"memory__held_source", EXPORT_TEXT},
    {"memory__live_bytes_peak", EXPORT_INTEGER},
    {"memory__usable_bytes_peak", EXPORT_INTEGER},
    {"memory__held_bytes_peak", EXPORT_INTEGER},
    {"memory__held_smaps_bytes_peak", EXPORT_INTEGER},
    {"memory__rss_bytes_peak", EXPORT_INTEGER},
    {"memory__fragmentation__mean", EXPORT_REAL},
    {"memory__fragmentation__internal_bytes", EXPORT_INTEGER},
    {"memory__fragmentation__external_bytes", EXPORT_INTEGER},
    {"calls__allocs", EXPORT_INTEGER},
    {"calls__frees", EXPORT_INTEGER},
    {"calls__resizes", EXPORT_INTEGER},
    {"calls__slow_allocs", EXPORT_INTEGER},
    {"calls__slow_frees", EXPORT_INTEGER},
    {"calls__slow_resizes", EXPORT_INTEGER},
    {"gc__collected", EXPORT_INTEGER},
    {"gc__objects_visited", EXPORT_INTEGER},
    {"malloc_owner", EXPORT_TEXT},
    {"compiler", EXPORT_TEXT},
    {"kernel", EXPORT_TEXT},
    {"cpu", EXPORT_TEXT},
};

enum {
    RECORD_COLUMNS = sizeof(record_columns) / sizeof(record_columns[0]),
    RECORD_COLUMNS_MAX = RECORD_COLUMNS + METRICS_MAX
};

/* The member "a__b" is b of a. */
static const json_t *record_member(const json_t *json, const char *name)
{
    char part[TABLE_PATH_MAX];
    const char *end;
    while ((end = strstr(name, "__")) != NULL) {
        (void)snprintf(part, sizeof(part), "%.*s", (int)(end - name), name);
        json = json_object_get(json, part);
        name = end + 2;
    }
    return json_object_get(json, name);
}

static struct export_value record_value(const struct export_column *column, const json_t *json)
{
    const json_t *member = record_member(json, column->name);
    if (column->kind == EXPORT_TEXT) {
        return value_text(json_string_value(member));
    }
    if (!json_is_number(member)) {
        return (struct export_value){0};
    }
    return column->kind == EXPORT_INTEGER && json_is_integer(member)
               ? value_integer(json_integer_value(member))
               : value_real(json_number_value(member));
}

static void record_row(const struct record_set *set, const struct record *record,
                       const json_t *json, struct export_value values[RECORD_COLUMNS_MAX])
{
    const struct record_cell *cell = &set->cells[record->cell];
    values[RECORD_COLUMN_CELL] = value_text(cell->id);
    values[RECORD_COLUMN_GROUP] = value_text(set->groups[cell->group].id);
    values[RECORD_COLUMN_WORKLOAD] = value_text(cell->workload);
    values[RECORD_COLUMN_PARAMS] = value_text(cell->params_text);
    values[RECORD_COLUMN_THREADS] = value_integer(cell->threads);
    values[RECORD_COLUMN_BACKEND] = value_text(cell->backend_text);
    values[RECORD_COLUMN_ARM] = value_text(cell->arm);
    values[RECORD_COLUMN_TWIN] = value_integer(cell->twin);
    values[RECORD_COLUMN_PASS] = value_text(record_pass_word(record->pass));
    values[RECORD_COLUMN_ROUND] = value_integer(record->round);
    values[RECORD_COLUMN_STATUS] = value_text(record_status_word(record->status));
    values[RECORD_COLUMN_TIME] =
        value_real(metric_of_record(metric_find("time"), set, record, false));
    values[RECORD_COLUMN_LEFT_OUT] = value_integer(record->left_out);
    for (size_t i = RECORD_COLUMN_FIRST_MEMBER; i < RECORD_COLUMNS; i++) {
        values[i] = record_value(&record_columns[i], json);
    }
    for (size_t i = 0; metric_table[i].name != NULL; i++) {
        values[RECORD_COLUMNS + i] =
            value_real(metric_of_record(&metric_table[i], set, record, false));
    }
}

static enum status records_visit(const struct export_source *source, export_visit *visit,
                                 void *context, struct error *error)
{
    const struct record_set *set = source->set;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        struct export_value values[RECORD_COLUMNS_MAX];
        json_t *json = NULL;
        status = record_set_read(set, i, &json, error);
        if (status == STATUS_OK) {
            record_row(set, &set->records[i], json, values);
            status = visit(context, values, error);
        }
        json_decref(json);
    }
    return status;
}

/* The column name of a metric; "NAME_metric" if a record has a member of that name. */
static const char *records_metric_column(const struct metric *metric)
{
    static char names[METRICS_MAX][48];
    size_t index = (size_t)(metric - metric_table);
    bool taken = false;
    for (size_t i = 0; i < RECORD_COLUMNS && !taken; i++) {
        taken = strcmp(record_columns[i].name, metric->name) == 0;
    }
    (void)snprintf(names[index], sizeof(names[index]), "%s%s", metric->name,
                   taken ? "_metric" : "");
    return names[index];
}

const struct export_table *export_records(void)
{
    static struct export_column columns[RECORD_COLUMNS_MAX];
    static struct export_table table = {"records", columns, 0, records_visit};
    memcpy(columns, record_columns, sizeof(record_columns));
    table.column_count = RECORD_COLUMNS;
    for (const struct metric *metric = metric_table; metric->name != NULL; metric++) {
        columns[table.column_count++] =
            (struct export_column){records_metric_column(metric), EXPORT_REAL};
    }
    return &table;
}

/* ---------------------------------------------------------------- comparison */
static const struct export_column comparison_columns[] = {
    {"metric", EXPORT_TEXT},      {"unit", EXPORT_TEXT},      {"cell", EXPORT_TEXT},
    {"workload", EXPORT_TEXT},    {"params", EXPORT_TEXT},    {"threads", EXPORT_INTEGER},
    {"backend", EXPORT_TEXT},     {"arm", EXPORT_TEXT},       {"base_backend", EXPORT_TEXT},
    {"base_arm", EXPORT_TEXT},    {"value", EXPORT_REAL},     {"base_value", EXPORT_REAL},
    {"ratio", EXPORT_REAL},       {"low", EXPORT_REAL},       {"high", EXPORT_REAL},
    {"p", EXPORT_REAL},           {"verdict", EXPORT_TEXT},   {"withdrawn", EXPORT_INTEGER},
    {"rounds", EXPORT_INTEGER},   {"failed", EXPORT_INTEGER}, {"source", EXPORT_TEXT},
    {"noise_floor", EXPORT_REAL},
};

enum { COMPARISON_COLUMNS = sizeof(comparison_columns) / sizeof(comparison_columns[0]) };

static enum status comparison_row(const struct comparison *comparison,
                                  const struct comparison_cell *row, export_visit *visit,
                                  void *context, struct error *error)
{
    const struct record_cell *cell = row->cell;
    const struct export_value values[COMPARISON_COLUMNS] = {
        value_text(comparison->metric->name),
        value_text(comparison->metric->unit),
        value_text(cell->id),
        value_text(cell->workload),
        value_text(cell->params_text),
        value_integer(cell->threads),
        value_text(cell->backend_text),
        value_text(cell->arm),
        value_text(comparison->base_backend),
        value_text(comparison->base_arm),
        value_real(row->value),
        value_real(row->base_value),
        value_real(row->ratio),
        value_real(row->low),
        value_real(row->high),
        value_real(row->p),
        value_text(comparison_verdict_word(comparison, row->verdict)),
        value_integer(row->withdrawn),
        value_integer(row->rounds),
        value_integer(row->failed),
        value_text(row->source),
        value_real(comparison->noise_floor),
    };
    return visit(context, values, error);
}

static enum status comparison_visit(const struct export_source *source, export_visit *visit,
                                    void *context, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < source->comparison_count; i++) {
        const struct comparison *comparison = source->comparisons[i];
        for (size_t j = 0; j < comparison->cell_count && status == STATUS_OK; j++) {
            status = comparison_row(comparison, &comparison->cells[j], visit, context, error);
        }
    }
    return status;
}

const struct export_table export_comparison = {"comparison", comparison_columns, COMPARISON_COLUMNS,
                                               comparison_visit};
