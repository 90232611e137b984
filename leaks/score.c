/* Scores each detector from the records of `heapmill leaks`: did it find each planted case, and did
 * it suspect each clean twin? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"
#include "leaks/leaks.h"
#include "results/stats/statistics.h"

/* The row of all detectors inside the program together. */
#define LEAKS_TOGETHER "own together"

struct leaks_numbers {
    double *items;
    size_t count;
};

/* What a detector makes of one kind: seeds of a kind are alike, so kinds are the trials. */
struct leaks_kind {
    const char *name; /* borrowed from the records */
    struct statistics_cluster recall;
    struct statistics_cluster precision; /* of what was flagged, clean twins too */
};

struct leaks_cell {
    struct leaks_kind *kinds;
    size_t kind_count;
    uint64_t planted; /* number of cases that were run */
    uint64_t found;
    uint64_t clean;
    uint64_t suspected;  /* clean twins */
    uint64_t misleading; /* planted cases in which it names only wrong sites */
    struct leaks_numbers slowdowns;
    struct leaks_numbers rss_ratios; /* ratios of the peaks of resident memory */
    struct leaks_numbers report_s;   /* wall time to the first report */
};

/* Does the answer name one of the true sites? Detectors without sites name "", which counts. */
static bool leaks_site_is_true(const json_t *truth, const char *site)
{
    size_t index;
    json_t *each;
    bool is_true = site[0] == '\0';
    json_array_foreach(json_object_get(truth, "sites"), index, each)
    {
        is_true |= strcmp(json_string_value(each), site) == 0;
    }
    return is_true;
}

/* 0: the detector says that nothing leaks; 1: it finds a leak at a true site; −1: only at wrong
 * sites. If an answer has fewer blocks than `needed` (which records of detectors from outside
 * have), it is 0. */
static int leaks_verdict(const json_t *record)
{
    const json_t *leaks = json_object_get(json_object_get(record, "answer"), "leaks");
    int verdict = 0;
    double blocks = 0;
    size_t index;
    json_t *each;
    json_array_foreach(leaks, index, each)
    {
        bool right =
            leaks_site_is_true(json_object_get(record, "truth"), json_text_at(each, "site", ""));
        verdict = right || verdict == 1 ? 1 : -1;
        blocks += json_number_value(json_object_get(each, "count"));
    }
    bool enough = blocks >= json_number_value(json_object_get(record, "needed"));
    return verdict == 1 && !enough ? 0 : verdict;
}

static char *leaks_case_key(const json_t *record, const char *detector)
{
    return text_format("%s|%s|%s|%d|%lld", detector, json_text_at(record, "kind", ""),
                       json_text_at(record, "backend", ""),
                       json_is_true(json_object_get(record, "clean")),
                       (long long)json_integer_value(json_object_get(record, "seed")));
}

static struct leaks_kind *leaks_kind_of(struct leaks_cell *cell, const char *name)
{
    for (size_t i = 0; i < cell->kind_count; i++) {
        if (strcmp(cell->kinds[i].name, name) == 0) {
            return &cell->kinds[i];
        }
    }
    cell->kinds = text_grow(cell->kinds, cell->kind_count + 1, sizeof(*cell->kinds));
    cell->kinds[cell->kind_count] = (struct leaks_kind){.name = name};
    return &cell->kinds[cell->kind_count++];
}

static void leaks_count(struct leaks_cell *cell, const json_t *record, int verdict)
{
    bool clean = json_is_true(json_object_get(record, "clean"));
    struct leaks_kind *kind = leaks_kind_of(cell, json_text_at(record, "kind", ""));
    kind->recall.trials += !clean;
    kind->recall.successes += !clean && verdict > 0;
    kind->precision.trials += verdict != 0;
    kind->precision.successes += !clean && verdict > 0;
    if (json_is_true(json_object_get(record, "clean"))) {
        cell->clean++;
        cell->suspected += verdict != 0;
    } else {
        cell->planted++;
        cell->found += verdict > 0;
        cell->misleading += verdict < 0;
    }
}

static void leaks_add_number(struct leaks_numbers *numbers, double number)
{
    if (isfinite(number) && number > 0) {
        numbers->items = text_grow(numbers->items, numbers->count + 1, sizeof(*numbers->items));
        numbers->items[numbers->count++] = number;
    }
}

static json_t *leaks_median(struct leaks_numbers *numbers)
{
    json_t *median = numbers->count == 0
                         ? json_null()
                         : json_real(statistics_median(numbers->items, numbers->count));
    free(numbers->items);
    *numbers = (struct leaks_numbers){.count = 0};
    return median;
}

static double leaks_ratio(const json_t *record, const json_t *base, const char *name)
{
    double whole = json_number_value(json_object_get(base, name));
    return whole > 0 ? json_number_value(json_object_get(record, name)) / whole : 0;
}

/* Adds the case's times: of whole processes if the detector has them, otherwise of the program's
 * work. */
static void leaks_time(struct leaks_cell *cell, const json_t *record, const json_t *bare)
{
    char *key = leaks_case_key(record, "none");
    const json_t *base = json_object_get(bare, key);
    const char *time = json_object_get(record, "needed") != NULL ? "process_s" : "seconds";
    leaks_add_number(&cell->slowdowns, leaks_ratio(record, base, time));
    leaks_add_number(&cell->rss_ratios, leaks_ratio(record, base, "peak_rss_bytes"));
    leaks_add_number(&cell->report_s, json_number_value(json_object_get(record, "first_report_s")));
    free(key);
}

static json_t *leaks_share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? json_null() : json_real((double)part / (double)whole);
}

/* 95% of the recall or the precision, with kinds as clusters. */
static void leaks_interval(const struct leaks_cell *cell, bool precision, double *low, double *high)
{
    struct statistics_cluster *clusters = text_grow(NULL, cell->kind_count + 1, sizeof(*clusters));
    for (size_t i = 0; i < cell->kind_count; i++) {
        clusters[i] = precision ? cell->kinds[i].precision : cell->kinds[i].recall;
    }
    statistics_cluster_interval(clusters, cell->kind_count, low, high);
    free(clusters);
}

/* Makes the row of a cell, and frees what the cell owns. low and high are the interval of the
 * recall. */
static json_t *leaks_row(const char *detector, const char *kind, const char *backend,
                         bool annotated, bool applicable, const char *reason,
                         struct leaks_cell *cell)
{
    double low;
    double high;
    uint64_t flagged = cell->found + cell->suspected + cell->misleading;
    json_t *row = json_object();
    (void)json_object_set_new(row, "detector", json_string(detector));
    (void)json_object_set_new(row, "kind", json_string(kind));
    (void)json_object_set_new(row, "backend", json_string(backend));
    (void)json_object_set_new(row, "annotated", json_boolean(annotated));
    (void)json_object_set_new(row, "applicable", json_boolean(applicable));
    (void)json_object_set_new(row, "reason", json_string(reason));
    (void)json_object_set_new(row, "planted", json_integer((json_int_t)cell->planted));
    (void)json_object_set_new(row, "found", json_integer((json_int_t)cell->found));
    (void)json_object_set_new(row, "clean", json_integer((json_int_t)cell->clean));
    (void)json_object_set_new(row, "suspected", json_integer((json_int_t)cell->suspected));
    (void)json_object_set_new(row, "recall", leaks_share(cell->found, cell->planted));
    leaks_interval(cell, false, &low, &high);
    (void)json_object_set_new(row, "low", json_real(low));
    (void)json_object_set_new(row, "high", json_real(high));
    (void)json_object_set_new(row, "precision", leaks_share(cell->found, flagged));
    leaks_interval(cell, true, &low, &high);
    (void)json_object_set_new(row, "precision_low", json_real(low));
    (void)json_object_set_new(row, "precision_high", json_real(high));
    (void)json_object_set_new(row, "slowdown", leaks_median(&cell->slowdowns));
    (void)json_object_set_new(row, "rss_ratio", leaks_median(&cell->rss_ratios));
    (void)json_object_set_new(row, "first_report_s", leaks_median(&cell->report_s));
    free(cell->kinds);
    return row;
}

/* ---------------------------------------------------------------- grouping */
/* Does the record belong to the group of `like`: same detector, annotated or not, back end, and
 * kind? The kind "all" has the applicable kinds and every clean twin. */
static bool leaks_is_in(const json_t *record, const json_t *like, bool all_kinds)
{
    return strcmp(json_text_at(record, "detector", ""), json_text_at(like, "detector", "")) == 0 &&
           strcmp(json_text_at(record, "backend", ""), json_text_at(like, "backend", "")) == 0 &&
           json_is_true(json_object_get(record, "annotated")) ==
               json_is_true(json_object_get(like, "annotated")) &&
           (all_kinds
                ? json_is_true(json_object_get(record, "applicable")) ||
                      json_is_true(json_object_get(record, "clean"))
                : strcmp(json_text_at(record, "kind", ""), json_text_at(like, "kind", "")) == 0);
}

static void leaks_add_row(json_t *rows, json_t *seen, const json_t *records, const json_t *like,
                          const json_t *bare, bool all_kinds)
{
    const char *kind = all_kinds ? "all" : json_text_at(like, "kind", "");
    bool annotated = json_is_true(json_object_get(like, "annotated"));
    char *key = text_format("%s|%d|%s|%s", json_text_at(like, "detector", ""), annotated, kind,
                            json_text_at(like, "backend", ""));
    if (json_object_get(seen, key) == NULL) {
        struct leaks_cell cell = {.planted = 0};
        size_t index;
        json_t *each;
        (void)json_object_set_new(seen, key, json_true());
        json_array_foreach(records, index, each)
        {
            if (leaks_is_in(each, like, all_kinds)) {
                leaks_count(&cell, each, leaks_verdict(each));
                leaks_time(&cell, each, bare);
            }
        }
        bool applicable = all_kinds || json_is_true(json_object_get(like, "applicable"));
        (void)json_array_append_new(
            rows, leaks_row(json_text_at(like, "detector", ""), kind,
                            json_text_at(like, "backend", ""), annotated, applicable,
                            all_kinds ? "" : json_text_at(like, "reason", ""), &cell));
    }
    free(key);
}

static bool leaks_is_own(const char *detector)
{
    return strcmp(detector, "ledger") == 0 || strcmp(detector, "collector") == 0 ||
           strcmp(detector, "growth") == 0;
}

struct leaks_union {
    json_t *verdicts; /* by case */
    json_t *extra_s;  /* the CPU time that the detectors add to the program's */
    json_t *cases;    /* the last record of each case */
};

static void leaks_unite(struct leaks_union *all, const json_t *bare, json_t *record)
{
    char *key = leaks_case_key(record, "none");
    int verdict = leaks_verdict(record);
    json_int_t known = json_integer_value(json_object_get(all->verdicts, key));
    /* One wrong place makes the answer wrong. In a clean program any answer is wrong. */
    json_int_t joined = verdict < 0 || known < 0 ? -1 : verdict > known ? verdict : known;
    double extra = json_number_value(json_object_get(record, "seconds")) -
                   json_number_value(json_object_get(json_object_get(bare, key), "seconds"));
    extra += json_number_value(json_object_get(all->extra_s, key));
    (void)json_object_set_new(all->verdicts, key, json_integer(joined));
    (void)json_object_set_new(all->extra_s, key, json_real(extra));
    (void)json_object_set(all->cases, key, record);
    free(key);
}

/* Adds the rows of the own detectors together: they find a case if one of them finds it, and
 * suspect it if one of them does. Their slowdown is that of a program with all of their costs. */
static void leaks_add_together(json_t *rows, const json_t *records, const json_t *bare,
                               const char *backend)
{
    struct leaks_union all = {json_object(), json_object(), json_object()};
    struct leaks_cell cell = {.planted = 0};
    size_t index;
    json_t *each;
    json_array_foreach(records, index, each)
    {
        if (leaks_is_own(json_text_at(each, "detector", "")) &&
            strcmp(json_text_at(each, "backend", ""), backend) == 0) {
            leaks_unite(&all, bare, each);
        }
    }
    const char *key;
    json_object_foreach(all.cases, key, each)
    {
        double base = json_number_value(json_object_get(json_object_get(bare, key), "seconds"));
        leaks_count(&cell, each, (int)json_integer_value(json_object_get(all.verdicts, key)));
        double extra = json_number_value(json_object_get(all.extra_s, key));
        leaks_add_number(&cell.slowdowns, base > 0 ? (base + extra) / base : 0);
    }
    if (cell.planted + cell.clean > 0) {
        (void)json_array_append_new(
            rows, leaks_row(LEAKS_TOGETHER, "all", backend, false, true, "", &cell));
    }
    json_decref(all.verdicts);
    json_decref(all.extra_s);
    json_decref(all.cases);
}

static json_t *leaks_bare_records(const json_t *records)
{
    json_t *bare = json_object();
    size_t index;
    json_t *each;
    json_array_foreach(records, index, each)
    {
        if (strcmp(json_text_at(each, "detector", ""), "none") == 0) {
            char *key = leaks_case_key(each, "none");
            (void)json_object_set(bare, key, each);
            free(key);
        }
    }
    return bare;
}

json_t *leaks_score(const json_t *records)
{
    json_t *rows = json_array();
    json_t *seen = json_object();
    json_t *bare = leaks_bare_records(records);
    size_t index;
    json_t *each;
    for (int all_kinds = 0; all_kinds < 2; all_kinds++) {
        json_array_foreach(records, index, each)
        {
            if (strcmp(json_text_at(each, "detector", ""), "none") != 0) {
                leaks_add_row(rows, seen, records, each, bare, all_kinds != 0);
            }
        }
    }
    json_array_foreach(records, index, each)
    {
        const char *backend = json_text_at(each, "backend", "");
        if (json_object_get(seen, backend) == NULL) {
            (void)json_object_set_new(seen, backend, json_true());
            leaks_add_together(rows, records, bare, backend);
        }
    }
    json_decref(seen);
    json_decref(bare);
    json_t *score = json_object();
    (void)json_object_set_new(score, "rows", rows);
    return score;
}

size_t leaks_faults(const json_t *score)
{
    size_t faults = 0;
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(score, "rows"), index, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "detector")), LEAKS_TOGETHER) == 0) {
            faults += json_number_value(json_object_get(row, "found")) <
                          json_number_value(json_object_get(row, "planted")) ||
                      json_number_value(json_object_get(row, "suspected")) > 0;
        }
    }
    return faults;
}
