/* Exports a run for other programs: flat tables (CSV, SQLite), a Markdown table, google-benchmark's
 * JSON. One exporter per file.
 *
 * Exporters only read their source; one thread. */
#ifndef HEAPMILL_RESULTS_EXPORT_H
#define HEAPMILL_RESULTS_EXPORT_H

#include <stdint.h>
#include <stdio.h>

#include "common/status.h"
#include "results/compare/comparison.h"

/* The data to export; borrowed. */
struct export_source {
    const struct record_set *set;
    struct comparison *const *comparisons; /* of one run, one per metric */
    size_t comparison_count;
};

/* --- tables: tables.c */

enum export_kind { EXPORT_NONE, EXPORT_TEXT, EXPORT_INTEGER, EXPORT_REAL };

struct export_value {
    enum export_kind kind; /* EXPORT_NONE: no such figure */
    const char *text;      /* borrowed during the visit */
    int64_t integer;
    double real; /* finite */
};

struct export_column {
    const char *name; /* must not change: programs read it */
    enum export_kind kind;
};

/* Called for each row, with one value per column of the table. */
typedef enum status export_visit(void *context, const struct export_value *values,
                                 struct error *error);

struct export_table {
    const char *name;
    const struct export_column *columns;
    size_t column_count;
    enum status (*visit)(const struct export_source *source, export_visit *visit, void *context,
                         struct error *error);
};

/* One row per record: its cell, the members of its JSON, and each metric by its name. One thread at
 * a time. */
const struct export_table *export_records(void);
extern const struct export_table export_comparison; /* one row per cell and metric */

/* --- exporters. STATUS_IO: writing to file failed. */

/* RFC 4180 with a header line, but with Unix line ends. No value is an empty field. */
enum status export_csv(const struct export_source *source, const struct export_table *table,
                       FILE *file, struct error *error);

/* Writes the comparisons as tables of GitHub's Markdown, each under its header. */
enum status export_markdown(const struct export_source *source, FILE *file, struct error *error);

/* Writes google-benchmark's JSON for its tools/compare.py. Each ok record of the time pass is an
 * entry, named after its cell; each round is a repetition. Then come median, mean and standard
 * deviation. Times are of one operation, in ns. Twins and left-out records are not exported. */
enum status export_benchmark(const struct export_source *source, FILE *file, struct error *error);

/* Writes a new database with the tables `records`, `comparison` and `run` (key, value).
 * STATUS_UNSUPPORTED: this heapmill was built without SQLite. */
enum status export_sqlite(const struct export_source *source, const char *path,
                          struct error *error);

/* The run's directory as one archive, a tar file compressed with zstd, with its manifest
 * (results/manifest.h), which is made where there is none. STATUS_CORRUPT: a file is not as the
 * manifest says; STATUS_INVALID: tar cannot hold it; STATUS_NOT_FOUND, STATUS_IO,
 * STATUS_NO_MEMORY. */
enum status export_artifact(const char *directory, const char *path, struct error *error);

/* --- files that are written whole or not at all: file.c */

enum { EXPORT_PATH_MAX = 4096 };

struct export_file {
    FILE *file;
    char path[EXPORT_PATH_MAX];
    char temporary[EXPORT_PATH_MAX]; /* in the same directory */
};

/* Opens a new temporary file beside path. STATUS_IO with the path and the reason. */
enum status export_file_open(struct export_file *file, const char *path, struct error *error);
/* Makes the file durable, and renames it to path. After a failure the temporary file is gone. */
enum status export_file_commit(struct export_file *file, struct error *error);
void export_file_discard(struct export_file *file);

#endif
