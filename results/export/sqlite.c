#include "results/export/export.h"

#ifdef HEAPMILL_SQLITE
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 8192 };

struct database {
    sqlite3 *sqlite;
    sqlite3_stmt *insert; /* for the table that is being filled */
    const struct export_table *table;
};

static enum status database_fail(const struct database *database, struct error *error)
{
    return error_set(error, STATUS_IO, "SQLite: %s", sqlite3_errmsg(database->sqlite));
}

static enum status database_run(struct database *database, const char *sql, struct error *error)
{
    int result = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : database_fail(database, error);
}

/* Makes two statements for a table: one creates it, one adds a row. */
static void database_sql(const struct export_table *table, char create[SQL_MAX],
                         char insert[SQL_MAX])
{
    static const char *const types[] = {"", "TEXT", "INTEGER", "REAL"};
    int made = snprintf(create, SQL_MAX, "CREATE TABLE \"%s\" (", table->name);
    int added = snprintf(insert, SQL_MAX, "INSERT INTO \"%s\" VALUES (", table->name);
    for (size_t i = 0; i < table->column_count; i++) {
        const char *comma = i > 0 ? ", " : "";
        made += snprintf(create + made, SQL_MAX - (size_t)made, "%s\"%s\" %s", comma,
                         table->columns[i].name, types[table->columns[i].kind]);
        added += snprintf(insert + added, SQL_MAX - (size_t)added, "%s?", comma);
    }
    (void)snprintf(create + made, SQL_MAX - (size_t)made, ")");
    (void)snprintf(insert + added, SQL_MAX - (size_t)added, ")");
}

static enum status database_row(void *context, const struct export_value *values,
                                struct error *error)
{
    struct database *database = context;
    for (size_t i = 0; i < database->table->column_count; i++) {
        int column = (int)i + 1;
        switch (values[i].kind) {
        case EXPORT_TEXT:
            (void)sqlite3_bind_text(database->insert, column, values[i].text, -1, SQLITE_STATIC);
            break;
        case EXPORT_INTEGER:
            (void)sqlite3_bind_int64(database->insert, column, values[i].integer);
            break;
        case EXPORT_REAL:
            (void)sqlite3_bind_double(database->insert, column, values[i].real);
            break;
        case EXPORT_NONE:
            (void)sqlite3_bind_null(database->insert, column);
            break;
        }
    }
    bool done = sqlite3_step(database->insert) == SQLITE_DONE;
    return sqlite3_reset(database->insert) == SQLITE_OK && done ? STATUS_OK
                                                                : database_fail(database, error);
}

static enum status database_fill(struct database *database, const struct export_source *source,
                                 const struct export_table *table, struct error *error)
{
    char create[SQL_MAX];
    char insert[SQL_MAX];
    database->table = table;
    database_sql(table, create, insert);
    enum status status = database_run(database, create, error);
    if (status == STATUS_OK &&
        sqlite3_prepare_v2(database->sqlite, insert, -1, &database->insert, NULL) != SQLITE_OK) {
        status = database_fail(database, error);
    }
    if (status == STATUS_OK) {
        status = table->visit(source, database_row, database, error);
    }
    (void)sqlite3_finalize(database->insert);
    database->insert = NULL;
    return status;
}

/* Visits the plan's members, without lists of cells, each as JSON. */
static enum status run_visit(const struct export_source *source, export_visit *visit, void *context,
                             struct error *error)
{
    const char *key;
    json_t *member;
    enum status status = STATUS_OK;
    json_object_foreach(source->set->plan, key, member)
    {
        if (strcmp(key, "cells") == 0 || status != STATUS_OK) {
            continue;
        }
        char *text = json_is_string(member) ? strdup(json_string_value(member))
                                            : json_dumps(member, JSON_ENCODE_ANY);
        const struct export_value values[] = {
            {.kind = EXPORT_TEXT, .text = key},
            {.kind = text != NULL ? EXPORT_TEXT : EXPORT_NONE, .text = text}};
        status = visit(context, values, error);
        free(text);
    }
    return status;
}

static const struct export_column run_columns[] = {{"key", EXPORT_TEXT}, {"value", EXPORT_TEXT}};
static const struct export_table export_run = {"run", run_columns, 2, run_visit};

static enum status database_write(const struct export_source *source, const char *path,
                                  struct error *error)
{
    struct database database = {0};
    if (sqlite3_open(path, &database.sqlite) != SQLITE_OK) {
        enum status status = database_fail(&database, error);
        (void)sqlite3_close(database.sqlite);
        return status;
    }
    const struct export_table *const tables[] = {&export_run, export_records(), &export_comparison};
    /* Nobody else uses the file until it is renamed, so a journal would protect nothing. */
    enum status status = database_run(&database, "PRAGMA journal_mode = OFF; BEGIN", error);
    for (size_t i = 0; i < 3 && status == STATUS_OK; i++) {
        status = database_fill(&database, source, tables[i], error);
    }
    if (status == STATUS_OK) {
        status = database_run(&database, "COMMIT", error);
    }
    if (sqlite3_close(database.sqlite) != SQLITE_OK && status == STATUS_OK) {
        status = error_set(error, STATUS_IO, "SQLite could not close %s", path);
    }
    return status;
}

enum status export_sqlite(const struct export_source *source, const char *path, struct error *error)
{
    struct export_file file;
    enum status status = export_file_open(&file, path, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = database_write(source, file.temporary, error);
    if (status != STATUS_OK) {
        export_file_discard(&file);
        return status;
    }
    return export_file_commit(&file, error);
}
#else
enum status export_sqlite(const struct export_source *source, const char *path, struct error *error)
{
    (void)source;
    (void)path;
    return error_set(error, STATUS_UNSUPPORTED,
                     "this heapmill was built without SQLite: install libsqlite3-dev "
                     "(scripts/install does), configure and build again");
}
#endif
