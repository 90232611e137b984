#include "traces/host/info.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "traces/reader.h"

enum {
    INFO_LOGS = 65,
    INFO_CURVE_POINTS = 100,
    INFO_TOP = 10,
    INFO_SIZES_EXACT = 1 << 16, /* larger sizes are counted together */
    INFO_REUSE_CLASS = 16,
};

struct info_site {
    uint32_t site;
    uint64_t takes;
    uint64_t bytes;
};

struct info_block {
    uint64_t born; /* the number of its take */
    uint16_t thread;
};

struct info {
    struct trace_reader reader;
    uint64_t operations[4];
    uint64_t members[TRACE_MEMBERS];
    uint64_t remote_gives;
    uint64_t live_blocks_peak;
    uint64_t takes;
    /* By log2. */
    uint64_t size_takes[INFO_LOGS];
    uint64_t size_bytes[INFO_LOGS];
    uint64_t size_deaths[INFO_LOGS];
    double size_lifetimes[INFO_LOGS];
    uint64_t lifetimes[INFO_LOGS];
    uint64_t reuse[INFO_LOGS]; /* the last entry: there was none before */
    uint64_t alignments[INFO_LOGS];
    uint64_t *exact;     /* takes by size */
    uint64_t *last_give; /* by size class: the number of takes at the last give, + 1 */
    struct info_block *blocks;
    uint64_t curve_events[INFO_CURVE_POINTS];
    uint64_t curve_bytes[INFO_CURVE_POINTS];
    struct info_site *sites;
    size_t site_count;
    size_t site_capacity;
};

/* 0 for 0 and 1; otherwise the smallest b with value <= 2^b. */
static unsigned info_log(uint64_t value)
{
    return value <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(value - 1);
}

/* ------------------------------------------------------------------------------ counting */

static struct info_site *info_find_site(struct info *info, uint32_t site)
{
    if (2 * (info->site_count + 1) > info->site_capacity) {
        struct info_site *old = info->sites;
        size_t old_capacity = info->site_capacity;
        info->site_capacity = old_capacity == 0 ? 1024 : 2 * old_capacity;
        info->sites = text_zeroed(info->site_capacity, sizeof(*info->sites));
        info->site_count = 0;
        for (size_t i = 0; i < old_capacity; i++) {
            if (old[i].site != 0) {
                size_t at = old[i].site & (info->site_capacity - 1);
                while (info->sites[at].site != 0) {
                    at = (at + 1) & (info->site_capacity - 1);
                }
                info->sites[at] = old[i];
                info->site_count++;
            }
        }
        free(old);
    }
    size_t at = site & (info->site_capacity - 1);
    while (info->sites[at].site != 0 && info->sites[at].site != site) {
        at = (at + 1) & (info->site_capacity - 1);
    }
    info->site_count += info->sites[at].site == 0;
    info->sites[at].site = site;
    return &info->sites[at];
}

static uint64_t *info_class_of(struct info *info, uint64_t size)
{
    uint64_t class = (trace_live_bytes(size) + INFO_REUSE_CLASS - 1) / INFO_REUSE_CLASS;
    return class < INFO_SIZES_EXACT ? &info->last_give[class] : NULL;
}

static void info_born(struct info *info, const struct trace_event *event)
{
    unsigned log = info_log(event->size);
    uint64_t *given = info_class_of(info, event->size);
    info->takes++;
    info->size_takes[log]++;
    info->size_bytes[log] += event->size;
    info->exact[event->size < INFO_SIZES_EXACT ? event->size : INFO_SIZES_EXACT]++;
    info->alignments[event->alignment_log2]++;
    info->blocks[event->slot] = (struct info_block){.born = info->takes, .thread = event->thread};
    if (given != NULL && *given != 0) {
        info->reuse[info_log(info->takes - *given + 1)]++;
    } else {
        info->reuse[INFO_LOGS - 1]++;
    }
}

static void info_died(struct info *info, const struct trace_event *event)
{
    const struct info_block *block = &info->blocks[event->slot];
    uint64_t lived = info->takes - block->born;
    unsigned log = info_log(event->size);
    uint64_t *given = info_class_of(info, event->size);
    info->lifetimes[info_log(lived)]++;
    info->size_deaths[log]++;
    info->size_lifetimes[log] += (double)lived;
    info->remote_gives += block->thread != event->thread;
    if (given != NULL) {
        *given = info->takes + 1;
    }
}

static void info_count(struct info *info, const struct trace_event *event)
{
    info->operations[event->operation]++;
    info->members[event->member < TRACE_MEMBERS ? event->member : TRACE_UNKNOWN]++;
    if (event->operation <= TRACE_TAKE_ALIGNED) {
        info_born(info, event);
    } else if (event->operation == TRACE_GIVE) {
        info_died(info, event);
    }
    if (event->site != 0) {
        struct info_site *site = info_find_site(info, event->site);
        site->takes++;
        site->bytes += event->size;
    }
}

/* Reads the trace. The curve is counted here, event by event, because the reader is a batch
 * ahead. */
static enum status info_read(struct info *info, struct error *error)
{
    const struct trace_event *events;
    size_t count;
    uint64_t done = 0, live_blocks = 0, live_bytes = 0;
    enum status status;
    while ((status = trace_reader_next(&info->reader, &events, &count, error)) == STATUS_OK &&
           count > 0) {
        for (size_t i = 0; i < count; i++) {
            const struct trace_event *event = &events[i];
            uint64_t bytes = trace_live_bytes(event->size);
            info_count(info, event);
            if (event->operation == TRACE_RESIZE) {
                live_bytes += bytes - trace_live_bytes(event->old_size);
            } else if (event->operation == TRACE_GIVE) {
                live_bytes -= bytes;
                live_blocks--;
            } else {
                live_bytes += bytes;
                live_blocks++;
            }
            info->live_blocks_peak =
                live_blocks > info->live_blocks_peak ? live_blocks : info->live_blocks_peak;
            size_t point = (size_t)(done * INFO_CURVE_POINTS / info->reader.totals.events);
            if (live_bytes >= info->curve_bytes[point]) {
                info->curve_bytes[point] = live_bytes;
                info->curve_events[point] = done + 1;
            }
            done++;
        }
    }
    return status;
}

/* ------------------------------------------------------------------------------ the result */

static json_t *info_integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static double info_share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

static json_t *info_totals(const struct info *info)
{
    const struct trace_reader *reader = &info->reader;
    double bytes = (double)reader->totals.file_bytes;
    return json_pack(
        "{sI sI sI sI sI sI sI sI sI sI sf sf}", "events", (json_int_t)reader->events, "takes",
        (json_int_t)info->takes, "resizes", (json_int_t)info->operations[TRACE_RESIZE], "gives",
        (json_int_t)info->operations[TRACE_GIVE], "live_blocks", (json_int_t)reader->live_blocks,
        "live_bytes", (json_int_t)reader->live_bytes, "live_blocks_peak",
        (json_int_t)info->live_blocks_peak, "live_bytes_peak", (json_int_t)reader->live_bytes_peak,
        "threads", (json_int_t)reader->threads, "remote_gives", (json_int_t)info->remote_gives,
        "seconds", (double)reader->time_us / 1e6, "bytes_per_event",
        reader->events == 0 ? 0 : bytes / (double)reader->events);
}

/* Sorted by number of events, the most first. */
static json_t *info_members(const struct info *info)
{
    uint64_t left[TRACE_MEMBERS];
    json_t *members = json_array();
    memcpy(left, info->members, sizeof(left));
    for (;;) {
        unsigned most = 0;
        for (unsigned i = 1; i < TRACE_MEMBERS; i++) {
            most = left[i] > left[most] ? i : most;
        }
        if (left[most] == 0) {
            return members;
        }
        (void)json_array_append_new(members, json_pack("{ss sI}", "member", trace_member_name(most),
                                                       "events", (json_int_t)left[most]));
        left[most] = 0;
    }
}

/* The range [from, to] of the logarithm b: 0 to 1, 2, 3 to 4, 5 to 8… */
static json_t *info_range(unsigned log)
{
    uint64_t to = UINT64_C(1) << log;
    return json_pack("{sI sI}", "from", (json_int_t)(log == 0 ? 0 : to / 2 + 1), "to",
                     (json_int_t)to);
}

static json_t *info_sizes(const struct info *info)
{
    json_t *sizes = json_array();
    for (unsigned i = 0; i < INFO_LOGS; i++) {
        if (info->size_takes[i] == 0) {
            continue;
        }
        json_t *row = info_range(i);
        double deaths = (double)info->size_deaths[i];
        (void)json_object_set_new(row, "takes", info_integer(info->size_takes[i]));
        (void)json_object_set_new(row, "share",
                                  json_real(info_share(info->size_takes[i], info->takes)));
        (void)json_object_set_new(row, "bytes", info_integer(info->size_bytes[i]));
        (void)json_object_set_new(row, "mean_lifetime",
                                  deaths > 0 ? json_real(info->size_lifetimes[i] / deaths)
                                             : json_null());
        (void)json_array_append_new(sizes, row);
    }
    return sizes;
}

static json_t *info_histogram(const uint64_t *counts, const char *what)
{
    uint64_t total = 0;
    json_t *rows = json_array();
    for (unsigned i = 0; i < INFO_LOGS; i++) {
        total += counts[i];
    }
    for (unsigned i = 0; i < INFO_LOGS; i++) {
        if (counts[i] == 0) {
            continue;
        }
        json_t *row = i < INFO_LOGS - 1 ? info_range(i) : json_pack("{sn sn}", "from", "to");
        (void)json_object_set_new(row, what, info_integer(counts[i]));
        (void)json_object_set_new(row, "share", json_real(info_share(counts[i], total)));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *info_takes_by_size(const struct info *info)
{
    json_t *takes = json_array();
    for (size_t size = 0; size <= INFO_SMALL_MAX; size++) {
        (void)json_array_append_new(takes, info_integer(info->exact[size]));
    }
    return takes;
}

static json_t *info_common(const struct info *info)
{
    json_t *rows = json_array();
    uint64_t bound = UINT64_MAX;
    size_t bound_size = 0;
    for (int n = 0; n < INFO_TOP; n++) {
        uint64_t most = 0;
        size_t size = 0;
        for (size_t i = 0; i < INFO_SIZES_EXACT; i++) {
            bool below = info->exact[i] < bound || (info->exact[i] == bound && i > bound_size);
            if (below && info->exact[i] > most) {
                most = info->exact[i];
                size = i;
            }
        }
        if (most == 0) {
            break;
        }
        (void)json_array_append_new(rows, json_pack("{sI sI sf}", "size", (json_int_t)size, "takes",
                                                    (json_int_t)most, "share",
                                                    info_share(most, info->takes)));
        bound = most;
        bound_size = size;
    }
    return rows;
}

static json_t *info_alignments(const struct info *info)
{
    json_t *rows = json_array();
    for (unsigned i = 1; i <= TRACE_ALIGNMENT_LOG2_MAX; i++) {
        if (info->alignments[i] > 0) {
            (void)json_array_append_new(rows, json_pack("{sI sI}", "alignment",
                                                        (json_int_t)(UINT64_C(1) << i), "takes",
                                                        (json_int_t)info->alignments[i]));
        }
    }
    return rows;
}

/* The share that pools for small blocks would serve. CPython's threshold was 256, and is 512. */
static json_t *info_served(const struct info *info)
{
    static const uint64_t thresholds[] = {64, 128, 256, 512, 1024, 4096, 32768};
    json_t *rows = json_array();
    uint64_t all_bytes = 0;
    for (unsigned i = 0; i < INFO_LOGS; i++) {
        all_bytes += info->size_bytes[i];
    }
    for (size_t t = 0; t < sizeof(thresholds) / sizeof(thresholds[0]); t++) {
        uint64_t takes = 0, bytes = 0;
        for (size_t size = 0; size <= thresholds[t]; size++) {
            takes += info->exact[size];
            bytes += info->exact[size] * size;
        }
        (void)json_array_append_new(rows,
                                    json_pack("{sI sf sf}", "threshold", (json_int_t)thresholds[t],
                                              "takes_share", info_share(takes, info->takes),
                                              "bytes_share", info_share(bytes, all_bytes)));
    }
    return rows;
}

static json_t *info_curve(const struct info *info)
{
    json_t *points = json_array();
    for (int i = 0; i < INFO_CURVE_POINTS; i++) {
        if (info->curve_events[i] > 0) {
            (void)json_array_append_new(points, json_pack("[II]", (json_int_t)info->curve_events[i],
                                                          (json_int_t)info->curve_bytes[i]));
        }
    }
    return points;
}

static int info_by_bytes(const void *a, const void *b)
{
    uint64_t one = ((const struct info_site *)a)->bytes;
    uint64_t other = ((const struct info_site *)b)->bytes;
    return (one < other) - (one > other);
}

static json_t *info_sites(struct info *info)
{
    json_t *rows = json_array();
    if (info->site_count > 0) {
        qsort(info->sites, info->site_capacity, sizeof(*info->sites), info_by_bytes);
    }
    for (size_t i = 0; i < INFO_TOP && i < info->site_count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%08" PRIx32, info->sites[i].site);
        (void)json_array_append_new(rows, json_pack("{ss sI sI}", "site", name, "takes",
                                                    (json_int_t)info->sites[i].takes, "bytes",
                                                    (json_int_t)info->sites[i].bytes));
    }
    return rows;
}

static json_t *info_text(struct info *info, enum trace_frame_kind kind)
{
    const char *text;
    size_t bytes;
    if (trace_reader_text(&info->reader, kind, &text, &bytes, NULL) != STATUS_OK || bytes == 0) {
        return json_null();
    }
    json_t *json = json_loadb(text, bytes, 0, NULL);
    return json != NULL ? json : json_null();
}

/* Each block is kept with probability 1/N, independently. So the number n of kept blocks is
 * binomial, and nN estimates the number of all blocks with standard deviation sqrt(nN(N - 1)). */
static json_t *info_sampling(const json_t *description, uint64_t takes)
{
    double one_in = (double)json_integer_value(json_object_get(description, "sample"));
    if (one_in <= 1) {
        return json_null();
    }
    return json_pack("{sf sf sf}", "one_in", one_in, "takes_estimate", (double)takes * one_in,
                     "takes_error", 1.96 * sqrt((double)takes * one_in * (one_in - 1)));
}

static json_t *info_answer(struct info *info, const char *path)
{
    json_t *description = info_text(info, TRACE_FRAME_DESCRIPTION);
    json_t *sampling = info_sampling(description, info->takes);
    return json_pack("{ss sI sb so so so so so so so so so so so so so so}", "file", path, "bytes",
                     (json_int_t)info->reader.totals.file_bytes, "whole", info->reader.totals.whole,
                     "description", description, "end", info_text(info, TRACE_FRAME_END), "totals",
                     info_totals(info), "members", info_members(info), "sizes", info_sizes(info),
                     "takes_by_size", info_takes_by_size(info), "common", info_common(info),
                     "lifetimes", info_histogram(info->lifetimes, "blocks"), "reuse",
                     info_histogram(info->reuse, "takes"), "alignments", info_alignments(info),
                     "served", info_served(info), "curve", info_curve(info), "sites",
                     info_sites(info), "sampling", sampling);
}

json_t *trace_info(const char *path, struct error *error)
{
    struct info *info = text_zeroed(1, sizeof(*info));
    struct trace_arena arena = {.count = 0};
    json_t *answer = NULL;
    enum status status = trace_reader_open(&info->reader, path, trace_arena_take, &arena, error);
    if (status == STATUS_OK) {
        info->exact = text_zeroed(INFO_SIZES_EXACT + 1, sizeof(*info->exact));
        info->last_give = text_zeroed(INFO_SIZES_EXACT, sizeof(*info->last_give));
        info->blocks = text_zeroed(info->reader.totals.slots, sizeof(*info->blocks));
        status = info_read(info, error);
        answer = status == STATUS_OK ? info_answer(info, path) : NULL;
        trace_reader_close(&info->reader);
    }
    trace_arena_release(&arena);
    free(info->exact);
    free(info->last_give);
    free(info->blocks);
    free(info->sites);
    free(info);
    return answer;
}

void trace_info_add_waste(json_t *info, const char *backend, const double *usable, size_t count)
{
    const json_t *takes = json_object_get(info, "takes_by_size");
    json_t *rows = json_object_get(info, "waste");
    double wasted = 0, asked = 0;
    for (size_t size = 1; size <= count && size < json_array_size(takes); size++) {
        double times = json_number_value(json_array_get(takes, size));
        wasted += times * (usable[size - 1] - (double)size);
        asked += times * (double)size;
    }
    if (rows == NULL) {
        rows = json_array();
        (void)json_object_set_new(info, "waste", rows);
    }
    (void)json_array_append_new(rows, json_pack("{ss sf sf}", "backend", backend, "waste",
                                                asked > 0 ? wasted / asked : 0, "asked", asked));
}

/* ------------------------------------------------------------------------------ for people */

static double info_number(const json_t *object, const char *member)
{
    return json_number_value(json_object_get(object, member));
}

struct info_column {
    const char *member;
    const char *title;
    char kind; /* 'c' count, 'b' bytes, '%' share, 'n' number, 't' text */
};

static void info_cell(struct table *table, size_t column, char kind, const json_t *value)
{
    if (kind == 't') {
        table_cell(table, column, "%s", json_string_value(value));
    } else if (!json_is_number(value)) {
        table_cell(table, column, "%s", "-");
    } else if (kind == 'b') {
        table_quantity(table, column, json_number_value(value), "bytes");
    } else if (kind == '%') {
        table_number(table, column, "%.1f%%", 100 * json_number_value(value));
    } else if (kind == 'n') {
        table_number(table, column, "%.1f", json_number_value(value));
    } else {
        table_count(table, column, json_number_value(value));
    }
}

static void info_table(struct document *document, const json_t *info, const char *member,
                       const char *heading, const struct info_column *columns, size_t count)
{
    const json_t *rows = json_object_get(info, member);
    size_t index;
    json_t *row;
    if (json_array_size(rows) == 0) {
        return;
    }
    document_heading(document, 2, "%s", heading);
    struct table *table = document_table(document, member);
    for (size_t i = 0; i < count; i++) {
        (void)table_column(table, columns[i].member, columns[i].title,
                           columns[i].kind == 't' ? TABLE_LEFT : TABLE_RIGHT);
    }
    json_array_foreach(rows, index, row)
    {
        table_row(table);
        for (size_t i = 0; i < count; i++) {
            info_cell(table, i, columns[i].kind, json_object_get(row, columns[i].member));
        }
    }
}

/* Adds the curve as one line of block characters, U+2581 to U+2588. */
static void info_add_curve(struct document *document, const json_t *info)
{
    const json_t *curve = json_object_get(info, "curve");
    double peak = info_number(json_object_get(info, "totals"), "live_bytes_peak");
    char line[3 * INFO_CURVE_POINTS + 1];
    size_t used = 0, index;
    json_t *point;
    json_array_foreach(curve, index, point)
    {
        double part = json_number_value(json_array_get(point, 1)) / (peak > 0 ? peak : 1);
        unsigned level = (unsigned)(part * 7.999);
        line[used++] = (char)0xe2;
        line[used++] = (char)0x96;
        line[used++] = (char)(0x81 + level);
    }
    line[used] = '\0';
    document_heading(document, 2, "live bytes, from the first event to the last");
    document_line(document, "%s", line);
}

static void info_add_head(struct document *document, const json_t *info)
{
    const json_t *description = json_object_get(info, "description");
    const json_t *totals = json_object_get(info, "totals");
    struct text_list words = {0};
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(description, "command"), index, word)
    {
        text_list_add(&words, text_format("%s", json_string_value(word)));
    }
    char *command = text_join(&words, " ");
    char peak[32], left[32];
    document_heading(document, 1, "%s", json_string_value(json_object_get(info, "file")));
    if (command[0] != '\0') {
        document_line(document, "%.*s", 300, command);
    }
    document_line(document,
                  "%.0f events in %.2f s: %.0f takes, %.0f resizes, %.0f gives; %.2f "
                  "bytes of the file each",
                  info_number(totals, "events"), info_number(totals, "seconds"),
                  info_number(totals, "takes"), info_number(totals, "resizes"),
                  info_number(totals, "gives"), info_number(totals, "bytes_per_event"));
    document_line(document, "peak: %s in at most %.0f blocks; at the end %s in %.0f",
                  text_of_bytes(peak, sizeof(peak), info_number(totals, "live_bytes_peak"), 4),
                  info_number(totals, "live_blocks_peak"),
                  text_of_bytes(left, sizeof(left), info_number(totals, "live_bytes"), 4),
                  info_number(totals, "live_blocks"));
    double gives = info_number(totals, "gives");
    document_line(document, "%.0f threads; %.1f%% of the gives are by another thread than the take",
                  info_number(totals, "threads"),
                  gives > 0 ? 100 * info_number(totals, "remote_gives") / gives : 0);
    const json_t *sampling = json_object_get(info, "sampling");
    if (json_is_object(sampling)) {
        document_line(document, "one block in %.0f was kept: about %.0f ± %.0f takes in all (95%%)",
                      info_number(sampling, "one_in"), info_number(sampling, "takes_estimate"),
                      info_number(sampling, "takes_error"));
    }
    if (!json_is_true(json_object_get(info, "whole"))) {
        document_add(document, BLOCK_WARNING,
                     "the recording was cut off: this is what was written until then");
    }
    free(command);
    text_list_free(&words);
}

struct document *trace_info_document(const json_t *info)
{
    static const struct info_column sizes[] = {
        {"from", "bytes from", 'c'}, {"to", "to", 'c'},
        {"takes", "takes", 'c'},     {"share", "share", '%'},
        {"bytes", "bytes", 'b'},     {"mean_lifetime", "mean lifetime", 'n'}};
    static const struct info_column common[] = {
        {"size", "size", 'c'}, {"takes", "takes", 'c'}, {"share", "share", '%'}};
    static const struct info_column lifetimes[] = {{"from", "takes from", 'c'},
                                                   {"to", "to", 'c'},
                                                   {"blocks", "blocks", 'c'},
                                                   {"share", "share", '%'}};
    static const struct info_column reuse[] = {{"from", "takes from", 'c'},
                                               {"to", "to", 'c'},
                                               {"takes", "takes", 'c'},
                                               {"share", "share", '%'}};
    static const struct info_column served[] = {{"threshold", "up to bytes", 'c'},
                                                {"takes_share", "of takes", '%'},
                                                {"bytes_share", "of bytes", '%'}};
    static const struct info_column waste[] = {
        {"backend", "back end", 't'}, {"waste", "of asked", '%'}, {"asked", "asked", 'b'}};
    static const struct info_column members[] = {{"member", "function", 't'},
                                                 {"events", "calls", 'c'}};
    static const struct info_column alignments[] = {{"alignment", "alignment", 'c'},
                                                    {"takes", "takes", 'c'}};
    static const struct info_column sites[] = {
        {"site", "call site", 't'}, {"takes", "takes", 'c'}, {"bytes", "bytes", 'b'}};
    struct document *document = document_new();
#define INFO_TABLE(name, heading)                                                                  \
    info_table(document, info, #name, heading, name, sizeof(name) / sizeof((name)[0]))
    info_add_head(document, info);
    info_add_curve(document, info);
    INFO_TABLE(sizes, "sizes; lifetimes in takes");
    INFO_TABLE(common, "most frequent sizes");
    INFO_TABLE(lifetimes, "lifetimes: takes between birth and death");
    INFO_TABLE(reuse, "reuse: takes since a block of that size, in steps of 16, was given back");
    INFO_TABLE(served, "what pools for small blocks would serve");
    INFO_TABLE(waste, "what size classes waste of takes up to 1024 bytes");
    INFO_TABLE(members, "functions");
    INFO_TABLE(alignments, "alignments beyond malloc's");
    INFO_TABLE(sites, "call sites with most bytes");
#undef INFO_TABLE
    return document;
}
