/* What was asked of the back end, where it went, and what it kept. */
#include <math.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/table.h"

enum { CALLS_BAR_MAX = 30, CALLS_ROWS_MAX = 24 };

enum calls_column { CALLS_SIZE, CALLS_ALLOCS, CALLS_SHARE, CALLS_FREES, CALLS_BAR, CALLS_COLUMNS };

static double memory_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double calls_allocs(const json_t *rows, size_t index)
{
    return json_number_value(json_array_get(json_array_get(rows, index), 1));
}

/* A size's row, if it has a visible share or the table is short; false: left to the rest. */
static bool calls_is_shown(const json_t *rows, size_t index, double allocs)
{
    return json_array_size(rows) <= CALLS_ROWS_MAX || calls_allocs(rows, index) * 200 >= allocs;
}

static void calls_add_row(struct table *table, const json_t *row, double allocs, double most)
{
    char text[32];
    double own = json_number_value(json_array_get(row, 1));
    int bar = most > 0 ? (int)lround(own / most * CALLS_BAR_MAX) : 0;
    table_row(table);
    explain_count(text, json_number_value(json_array_get(row, 0)));
    table_cell(table, CALLS_SIZE, "  up to %s", text);
    explain_count(text, own);
    table_cell(table, CALLS_ALLOCS, "%s", text);
    table_cell(table, CALLS_SHARE, "%.1f%%", allocs > 0 ? own / allocs * 100 : 0);
    explain_count(text, json_number_value(json_array_get(row, 2)));
    table_cell(table, CALLS_FREES, "%s", text);
    table_cell(table, CALLS_BAR, "%.*s", bar, "##############################");
}

static void calls_print_sizes(const json_t *rows, double allocs, FILE *file)
{
    double most = 0;
    double rest = 0;
    size_t hidden = 0;
    struct table *table = table_new(CALLS_COLUMNS);
    table_column(table, CALLS_SIZE, "  bytes", TABLE_LEFT);
    table_column(table, CALLS_ALLOCS, "allocs", TABLE_RIGHT);
    table_column(table, CALLS_SHARE, "", TABLE_RIGHT);
    table_column(table, CALLS_FREES, "frees", TABLE_RIGHT);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        most = fmax(most, calls_allocs(rows, i));
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (calls_is_shown(rows, i, allocs)) {
            calls_add_row(table, json_array_get(rows, i), allocs, most);
        } else {
            rest += calls_allocs(rows, i);
            hidden++;
        }
    }
    table_print(table, file);
    table_free(table);
    if (hidden > 0) {
        (void)fprintf(file, "  and %zu sizes with less than 0.5%% each, %.1f%% together\n", hidden,
                      allocs > 0 ? rest / allocs * 100 : 0);
    }
}

static void calls_print_fast(const char *what, double calls, double slow, const char *comma,
                             FILE *file)
{
    if (calls > 0) {
        (void)fprintf(file, "%s%.2f%% of the %s", comma, (1 - slow / calls) * 100, what);
    }
}

static void calls_print_paths(const json_t *calls, FILE *file)
{
    double slow = memory_number(calls, "slow_allocs");
    if (isnan(slow)) {
        (void)fputs("  fast path: not known, the back end does not tell its paths apart\n", file);
        return;
    }
    double allocs = memory_number(calls, "allocs");
    double resizes = memory_number(calls, "resizes");
    (void)fputs("  on the inlined fast path: ", file);
    calls_print_fast("allocs", allocs, slow, "", file);
    calls_print_fast("frees", memory_number(calls, "frees"), memory_number(calls, "slow_frees"),
                     allocs > 0 ? ", " : "", file);
    calls_print_fast("resizes", resizes, memory_number(calls, "slow_resizes"), ", ", file);
    (void)fputc('\n', file);
}

void explain_print_calls(const struct explain *explain, FILE *file)
{
    const json_t *calls = json_object_get(explain_first(explain, RECORD_MEMORY), "calls");
    if (calls == NULL) {
        return;
    }
    char allocs[32];
    char frees[32];
    char resizes[32];
    explain_count(allocs, memory_number(calls, "allocs"));
    explain_count(frees, memory_number(calls, "frees"));
    explain_count(resizes, memory_number(calls, "resizes"));
    (void)fprintf(file,
                  "\nCalls in the timed part, as the memory pass counted them\n"
                  "  %s allocs, %s frees, %s resizes\n",
                  allocs, frees, resizes);
    calls_print_paths(calls, file);
    calls_print_sizes(json_object_get(calls, "by_size"), memory_number(calls, "allocs"), file);
}

static void memory_print_bytes(const json_t *memory, const char *name, const char *what, FILE *file)
{
    char text[32];
    double bytes = memory_number(memory, name);
    if (!isnan(bytes)) {
        explain_bytes(text, bytes);
        (void)fprintf(file, "  %-10s %s\n", what, text);
    }
}

/* Held at live's peak, cut in three: asked for, rounded up, not in blocks. */
static void memory_print_split(const json_t *memory, FILE *file)
{
    const json_t *fragmentation = json_object_get(memory, "fragmentation");
    double live = memory_number(memory, "live_bytes_peak");
    double internal = memory_number(fragmentation, "internal_bytes");
    double external = memory_number(fragmentation, "external_bytes");
    double held = live + internal + external;
    char text[3][32];
    if (isnan(held) || held <= 0) {
        return;
    }
    explain_bytes(text[0], live);
    explain_bytes(text[1], internal);
    explain_bytes(text[2], external);
    (void)fprintf(file,
                  "  when most was live: %s asked for (%.1f%% of what was held), %s internal "
                  "(%.1f%%: requests rounded up), %s external (%.1f%%: held, but in no block)\n",
                  text[0], live / held * 100, text[1], internal / held * 100, text[2],
                  external / held * 100);
    (void)fprintf(
        file,
        "  held / live: %.3f on average, %.3f when most was live, %.3f when most was held, "
        "%.3f peak over peak\n",
        memory_number(fragmentation, "mean"), memory_number(fragmentation, "at_live_peak"),
        memory_number(fragmentation, "at_held_peak"),
        memory_number(fragmentation, "peak_over_peak"));
}

/* What is left of it at the end. */
static void memory_print_end(const json_t *memory, FILE *file)
{
    const json_t *series = json_object_get(memory, "series");
    const json_t *live = json_object_get(series, "live_bytes");
    const json_t *held = json_object_get(series, "held_bytes");
    size_t last = json_array_size(held);
    char text[2][32];
    if (last > 0 && json_array_size(live) == last) {
        explain_bytes(text[0], json_number_value(json_array_get(live, last - 1)));
        explain_bytes(text[1], json_number_value(json_array_get(held, last - 1)));
        (void)fprintf(file, "  at the end: %s live, %s held\n", text[0], text[1]);
    }
}

void explain_print_memory(const struct explain *explain, FILE *file)
{
    const json_t *memory = json_object_get(explain_first(explain, RECORD_MEMORY), "memory");
    if (memory == NULL) {
        return;
    }
    const char *source = json_string_value(json_object_get(memory, "held_source"));
    bool stats = source != NULL && strcmp(source, "stats") == 0;
    (void)fprintf(file, "\nMemory, peaks of the timed part (held as %s)\n",
                  stats ? "the back end counts it" : "the kernel's smaps show it");
    memory_print_bytes(memory, "live_bytes_peak", "live", file);
    memory_print_bytes(memory, "usable_bytes_peak", "usable", file);
    memory_print_bytes(memory, "held_bytes_peak", "held", file);
    memory_print_bytes(memory, "rss_bytes_peak", "RSS", file);
    memory_print_split(memory, file);
    memory_print_end(memory, file);
}

void explain_print_collections(const struct explain *explain, FILE *file)
{
    const json_t *record = explain_first(explain, RECORD_TIME);
    if (record == NULL) {
        record = explain_first(explain, RECORD_MEMORY);
    }
    const json_t *gc = json_object_get(record, "gc");
    const json_t *collections = json_object_get(gc, "collections");
    if (json_array_size(collections) != 3) {
        return;
    }
    char text[5][32];
    for (size_t i = 0; i < 3; i++) {
        explain_count(text[i], json_number_value(json_array_get(collections, i)));
    }
    explain_count(text[3], memory_number(gc, "objects_visited"));
    explain_count(text[4], memory_number(gc, "collected"));
    (void)fprintf(file,
                  "\nCollections in the timed part\n"
                  "  %s of the youngest generation, %s of the middle one, %s full\n"
                  "  %s objects visited, %s found in garbage cycles and freed\n",
                  text[0], text[1], text[2], text[3], text[4]);
}
