/* The part of `heapmill explain` about memory: what was asked of the back end, where it went, and
 * what the back end kept. */
#include <math.h>
#include <string.h>

#include "cli/explain.h"

enum { CALLS_BAR_MAX = 30, CALLS_ROWS_MAX = 24 };

enum calls_column { CALLS_SIZE, CALLS_ALLOCS, CALLS_SHARE, CALLS_FREES, CALLS_BAR };

static double memory_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double calls_allocs(const json_t *rows, size_t index)
{
    return json_number_value(json_array_get(json_array_get(rows, index), 1));
}

/* Is this size listed? Yes if its share is visible or the table is short; the other sizes are
 * summed up. */
static bool calls_is_shown(const json_t *rows, size_t index, double allocs)
{
    return json_array_size(rows) <= CALLS_ROWS_MAX || calls_allocs(rows, index) * 200 >= allocs;
}

static void calls_add_row(struct table *table, const json_t *row, double allocs, double most)
{
    char size[32];
    double own = json_number_value(json_array_get(row, 1));
    int bar = most > 0 ? (int)lround(own / most * CALLS_BAR_MAX) : 0;
    text_of_count(size, sizeof(size), json_number_value(json_array_get(row, 0)));
    table_row(table);
    table_cell(table, CALLS_SIZE, "up to %s", size);
    table_count(table, CALLS_ALLOCS, own);
    table_number(table, CALLS_SHARE, "%.1f%%", allocs > 0 ? own / allocs * 100 : 0);
    table_count(table, CALLS_FREES, json_number_value(json_array_get(row, 2)));
    table_cell(table, CALLS_BAR, "%.*s", bar, "##############################");
}

static void calls_add_sizes(const json_t *rows, double allocs, struct document *document)
{
    double most = 0;
    double rest = 0;
    size_t hidden = 0;
    struct table *table = document_table(document, "sizes");
    (void)table_column(table, "bytes", "bytes", TABLE_LEFT);
    (void)table_column(table, "allocs", "allocs", TABLE_RIGHT);
    (void)table_column(table, "share", "", TABLE_RIGHT);
    (void)table_column(table, "frees", "frees", TABLE_RIGHT);
    (void)table_column(table, "bar", "", TABLE_LEFT);
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
    if (hidden > 0) {
        document_line(document, "and %zu sizes with less than 0.5%% each, %.1f%% together", hidden,
                      allocs > 0 ? rest / allocs * 100 : 0);
    }
}

static void calls_add_fast(struct text_list *parts, const char *what, double calls, double slow)
{
    if (calls > 0) {
        text_list_add(parts, text_format("%.2f%% of the %s", (1 - slow / calls) * 100, what));
    }
}

static void calls_add_paths(const json_t *calls, struct document *document)
{
    double slow = memory_number(calls, "slow_allocs");
    struct text_list parts = {0};
    if (isnan(slow)) {
        document_line(document, "fast path: not known, the back end does not tell its paths apart");
        return;
    }
    calls_add_fast(&parts, "allocs", memory_number(calls, "allocs"), slow);
    calls_add_fast(&parts, "frees", memory_number(calls, "frees"),
                   memory_number(calls, "slow_frees"));
    calls_add_fast(&parts, "resizes", memory_number(calls, "resizes"),
                   memory_number(calls, "slow_resizes"));
    char *words = text_join(&parts, ", ");
    document_line(document, "on the inlined fast path: %s", words);
    free(words);
    text_list_free(&parts);
}

void explain_add_calls(const struct explain *explain, struct document *document)
{
    const json_t *calls = json_object_get(explain_first(explain, RECORD_MEMORY), "calls");
    char text[3][32];
    if (calls == NULL) {
        return;
    }
    document_heading(document, 2, "Calls in the timed part, as the memory pass counted them");
    document_line(document, "%s allocs, %s frees, %s resizes",
                  text_of_count(text[0], sizeof(text[0]), memory_number(calls, "allocs")),
                  text_of_count(text[1], sizeof(text[1]), memory_number(calls, "frees")),
                  text_of_count(text[2], sizeof(text[2]), memory_number(calls, "resizes")));
    calls_add_paths(calls, document);
    calls_add_sizes(json_object_get(calls, "by_size"), memory_number(calls, "allocs"), document);
}

static void memory_add_bytes(const json_t *memory, const char *name, const char *what,
                             struct document *document)
{
    char text[32];
    double bytes = memory_number(memory, name);
    if (!isnan(bytes)) {
        document_line(document, "%-10s %s", what, text_of_bytes(text, sizeof(text), bytes, 4));
    }
}

/* Splits the memory that was held at the peak of live memory into three: asked for, rounded up, not
 * in blocks. */
static void memory_add_split(const json_t *memory, struct document *document)
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
    document_line(document,
                  "when most was live: %s asked for (%.1f%% of what was held), %s internal "
                  "(%.1f%%: requests rounded up), %s external (%.1f%%: held, but in no block)",
                  text_of_bytes(text[0], sizeof(text[0]), live, 4), live / held * 100,
                  text_of_bytes(text[1], sizeof(text[1]), internal, 4), internal / held * 100,
                  text_of_bytes(text[2], sizeof(text[2]), external, 4), external / held * 100);
    document_line(document,
                  "held / live: %.3f on average, %.3f when most was live, %.3f when most was held, "
                  "%.3f peak over peak",
                  memory_number(fragmentation, "mean"),
                  memory_number(fragmentation, "at_live_peak"),
                  memory_number(fragmentation, "at_held_peak"),
                  memory_number(fragmentation, "peak_over_peak"));
}

/* Adds what is still held at the end. */
static void memory_add_end(const json_t *memory, struct document *document)
{
    const json_t *series = json_object_get(memory, "series");
    const json_t *live = json_object_get(series, "live_bytes");
    const json_t *held = json_object_get(series, "held_bytes");
    size_t last = json_array_size(held);
    char text[2][32];
    if (last > 0 && json_array_size(live) == last) {
        document_line(document, "at the end: %s live, %s held",
                      text_of_bytes(text[0], sizeof(text[0]),
                                    json_number_value(json_array_get(live, last - 1)), 4),
                      text_of_bytes(text[1], sizeof(text[1]),
                                    json_number_value(json_array_get(held, last - 1)), 4));
    }
}

void explain_add_memory(const struct explain *explain, struct document *document)
{
    const json_t *memory = json_object_get(explain_first(explain, RECORD_MEMORY), "memory");
    if (memory == NULL) {
        return;
    }
    const char *source = json_string_value(json_object_get(memory, "held_source"));
    bool stats = source != NULL && strcmp(source, "stats") == 0;
    document_heading(document, 2, "Memory, peaks of the timed part (held as %s)",
                     stats ? "the back end counts it" : "the kernel's smaps show it");
    memory_add_bytes(memory, "live_bytes_peak", "live", document);
    memory_add_bytes(memory, "usable_bytes_peak", "usable", document);
    memory_add_bytes(memory, "held_bytes_peak", "held", document);
    memory_add_bytes(memory, "rss_bytes_peak", "RSS", document);
    memory_add_split(memory, document);
    memory_add_end(memory, document);
}

void explain_add_collections(const struct explain *explain, struct document *document)
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
        text_of_count(text[i], sizeof(text[i]), json_number_value(json_array_get(collections, i)));
    }
    document_heading(document, 2, "Collections in the timed part");
    document_line(document, "%s of the youngest generation, %s of the middle one, %s full", text[0],
                  text[1], text[2]);
    document_line(document, "%s objects visited, %s found in garbage cycles and freed",
                  text_of_count(text[3], sizeof(text[3]), memory_number(gc, "objects_visited")),
                  text_of_count(text[4], sizeof(text[4]), memory_number(gc, "collected")));
}
