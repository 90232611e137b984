/* A result directory made up for the figures' tests: many back ends, workloads of several families,
 * and every kind of cell that a figure must show differently. Every function asserts its success.
 */
#ifndef HEAPMILL_PLOTS_TESTS_SAMPLE_RUN_H
#define HEAPMILL_PLOTS_TESTS_SAMPLE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/rng.h"

struct sample_backend {
    const char *name;
    const char *arm;
    double time; /* about so many times malloc's */
    double held;
    bool stats; /* it counts what it holds itself */
};

struct sample_workload {
    const char *name;
    const char *family;
    const char *params; /* JSON */
    double time_ns;     /* of malloc */
    double live_bytes;
};

static const struct sample_backend sample_backends[] = {
    {"malloc", "preload", 1.00, 1.00, false},
    {"null", "inline", 0.12, 1.10, true},
    {"bump", "inline", 0.55, 9.00, true},
    {"pymalloc-256", "inline", 0.62, 1.12, true},
    {"pymalloc-3.7", "inline", 0.55, 1.05, true},
    {"pymalloc-3.10", "inline", 0.50, 1.02, true},
    {"pymalloc-3.10", "call", 0.61, 1.02, true},
    {"pymalloc-3.10", "call-sized", 0.57, 1.02, true},
    {"pymalloc-3.10", "preload", 0.83, 1.02, true},
    {"freelist-2.7", "inline", 0.40, 1.60, true},
    {"freelist-3.x", "inline", 0.45, 1.04, true},
    {"cpython", "call", 0.63, 1.02, true},
    {"mimalloc", "preload", 0.70, 1.22, false},
    {"jemalloc", "preload", 0.81, 1.15, false},
    {"tcmalloc", "preload", 0.74, 1.31, false},
    {"tbbmalloc", "preload", 0.98, 1.45, false},
    {"libmine", "preload", 1.70, 0.93, false},
};
enum { SAMPLE_BACKENDS = sizeof sample_backends / sizeof sample_backends[0] };

static const struct sample_workload sample_workloads[] = {
    {"int_churn", "numbers", "{\"live\":10000}", 31, 3.2e5},
    {"type_shift", "numbers", "{\"n\":100000}", 44, 3.2e6},
    {"binary_trees", "pointers", "{\"depth\":14}", 62, 2.1e6},
    {"json_documents", "documents", "{\"size\":2000}", 95, 5.4e6},
    {"cyclic_graph", "pointers", "{\"nodes\":20000}", 120, 4.0e6},
    {"pingpong", "steady", "{\"size\":64}", 16, 6.4e3},
    {"batch", "steady", "{\"order\":\"fifo\",\"heap\":\"trim\",\"live\":10000,\"size\":64}", 24,
     6.4e5},
    {"batch", "steady", "{\"order\":\"random\",\"heap\":\"aged\",\"live\":10000,\"size\":64}", 39,
     6.4e5},
    {"churn", "steady", "{\"live\":20000}", 71, 2.6e6},
    {"churn", "steady", "{\"live\":200000}", 96, 2.6e7},
};
enum { SAMPLE_WORKLOADS = sizeof sample_workloads / sizeof sample_workloads[0] };

enum { SAMPLE_ROUNDS = 9, SAMPLE_POINTS = 60, SAMPLE_PATH_MAX = 512 };

/* What to make. */
struct sample_options {
    size_t backends;      /* the first so many of the table */
    size_t workloads;     /* the same */
    const char *odd_name; /* takes the place of the last back end's name; NULL: as it is */
    bool failures;        /* some cells fail, crash or are not applicable */
    bool no_memory_pass;
    bool nothing_held; /* in the first workload: of so little, smaps shows nothing */
    int rounds;        /* 0: the plan alone */
};

static inline void sample_directory(char path[SAMPLE_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, SAMPLE_PATH_MAX, "%.400s/heapmill-plots-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline int sample_remove_one(const char *path, const struct stat *status, int type,
                                    struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void sample_remove(const char *path)
{
    assert_int_equal(0, nftw(path, sample_remove_one, 8, FTW_DEPTH | FTW_PHYS));
}

static inline const char *sample_name(const struct sample_options *options, size_t backend)
{
    bool last = backend + 1 == options->backends;
    return last && options->odd_name ? options->odd_name : sample_backends[backend].name;
}

/* A cell of the plan; its id is GROUP/BACKEND:ARM and ~TWIN. The caller's. */
static inline json_t *sample_cell(const struct sample_options *options, size_t workload,
                                  size_t backend, int twin)
{
    const struct sample_workload *of = &sample_workloads[workload];
    const struct sample_backend *with = &sample_backends[backend];
    json_t *params = json_loads(of->params, 0, NULL);
    static const char *const suffixes[] = {"", "~1", "~2"};
    json_t *cell =
        json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:i, s:s, s:s, s:{}, s:i}", "id",
                  json_sprintf("w%d/t1/%s:%s%s", (int)workload, sample_name(options, backend),
                               with->arm, suffixes[twin]),
                  "group", json_sprintf("w%d/t1", (int)workload), "workload", of->name, "kind",
                  "blocks", "family", of->family, "params", params, "threads", 1, "backend",
                  sample_name(options, backend), "arm", with->arm, "env", "twin", twin);
    assert_non_null(cell);
    return cell;
}

static inline void sample_write_plan(const char *directory, const struct sample_options *options)
{
    json_t *cells = json_array();
    for (size_t w = 0; w < options->workloads; w++) {
        for (size_t b = 0; b < options->backends; b++) {
            for (int twin = 0; twin < (b == 0 ? 3 : 1); twin++) {
                assert_int_equal(0, json_array_append_new(cells, sample_cell(options, w, b, twin)));
            }
        }
    }
    json_t *plan = json_pack(
        "{s:s, s:[s,s,s,s,s,s], s:s, s:i, s:i, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:i, s:s, s:s, "
        "s:s}, s:o}",
        "format", "heapmill-plan-1", "command", "heapmill", "bench", "-w", "batch*,json documents",
        "-o", "results/quick", "name", "sample", "seed", 7, "rounds", options->rounds, "created",
        "2026-11-22T18:00:00Z", "base", "backend", "malloc", "arm", "preload", "host", "hostname",
        "bench-host", "kernel", "6.1.0-18-amd64", "cpu", "Imagined CPU @ 2.60GHz", "cores", 2,
        "thp", "madvise", "libc", "2.36", "heapmill", "0.1.0", "cells", cells);
    assert_non_null(plan);
    char path[SAMPLE_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/plan.json", directory);
    assert_int_equal(0, json_dump_file(plan, path, 0));
    json_decref(plan);
}

/* What becomes of a cell: one of each kind among the later back ends of the later workloads. */
static inline const char *sample_status(const struct sample_options *options, size_t workload,
                                        size_t backend, int round)
{
    if (options->failures && workload == 1 && backend == 3 && round == 2) {
        return "crashed";
    }
    if (options->failures && workload == 2 && backend == 4) {
        return "timeout";
    }
    if (options->failures && workload == 0 && backend == 2) {
        return "not_applicable";
    }
    return "ok";
}

static inline json_t *sample_record(const char *cell, const char *pass, int round,
                                    const char *status)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "format", "heapmill-record-1",
                               "cell", cell, "pass", pass, "round", round, "status", status,
                               "reason", strcmp(status, "ok") == 0 ? "" : "signal 11, made up");
    assert_non_null(record);
    return record;
}

/* Live memory over a life of three phases, as a fraction of its peak. */
static inline double sample_live_share(int point)
{
    double at = (double)point / (SAMPLE_POINTS - 1);
    return at < 0.35  ? at / 0.35
           : at < 0.7 ? 1 - 0.1 * sin(at * 40) * sin(at * 40)
                      : (1 - at) / 0.3;
}

static inline json_t *sample_memory(const struct sample_options *options, size_t workload,
                                    size_t backend)
{
    const struct sample_backend *with = &sample_backends[backend];
    double peak = sample_workloads[workload].live_bytes;
    json_t *operations = json_array();
    json_t *live = json_array();
    json_t *usable = json_array();
    json_t *held = json_array();
    json_t *rss = json_array();
    double most = 0;
    for (int i = 0; i < SAMPLE_POINTS; i++) {
        double now = peak * sample_live_share(i);
        double holds = now * with->held * 1.08 + 65536;
        most = fmax(most, holds);
        /* The peers keep half of what they had; bump keeps all. */
        double kept = with->held > 5 ? most : fmax(holds, with->stats ? holds : most * 0.5);
        json_array_append_new(operations, json_integer(i * 20000));
        json_array_append_new(live, json_integer((json_int_t)now));
        json_array_append_new(held, json_integer((json_int_t)kept));
        json_array_append_new(rss, json_integer((json_int_t)(kept + 2.5e6)));
        if (with->stats) {
            json_array_append_new(usable, json_integer((json_int_t)(now * 1.06)));
        }
    }
    if (options->nothing_held && workload == 0) {
        most = 0;
    }
    json_t *memory =
        json_pack("{s:s, s:{s:o, s:o, s:o, s:O, s:o, s:o, s:[{s:i,s:s},{s:i,s:s},{s:i,s:s}]}, s:f, "
                  "s:f, s:f, s:f, "
                  "s:{s:f}}",
                  "held_source", with->stats ? "stats" : "smaps", "series", "operations",
                  operations, "live_bytes", live, "usable_bytes", usable, "held_smaps_bytes", held,
                  "held_bytes", held, "rss_bytes", rss, "labels", "at", 0, "text", "build", "at",
                  21, "text", "steady_state", "at", 42, "text", "drop", "live_bytes_peak", peak,
                  "held_bytes_peak", most, "held_smaps_bytes_peak", most, "rss_bytes_peak",
                  most + 2.5e6, "fragmentation", "mean", with->held);
    assert_non_null(memory);
    return memory;
}

static inline void sample_write_line(FILE *file, json_t *record)
{
    assert_int_equal(0, json_dumpf(record, file, JSON_COMPACT));
    assert_true(fputc('\n', file) != EOF);
    json_decref(record);
}

static inline void sample_write_group(FILE *file, const struct sample_options *options, size_t w,
                                      int round, struct rng *rng)
{
    for (size_t b = 0; b < options->backends; b++) {
        for (int twin = 0; twin < (b == 0 ? 3 : 1); twin++) {
            json_t *cell = sample_cell(options, w, b, twin);
            const char *status = sample_status(options, w, b, round);
            json_t *record = sample_record(json_string_value(json_object_get(cell, "id")), "time",
                                           round, status);
            double character = 1 + 0.25 * sin((double)(w * 7 + b * 3));
            double time = sample_workloads[w].time_ns * sample_backends[b].time *
                          (b == 0 ? 1 : character) * exp(0.01 * rng_normal(rng));
            if (strcmp(status, "ok") == 0) {
                json_object_set_new(record, "cpu_ns_per_op", json_real(time));
            }
            sample_write_line(file, record);
            json_decref(cell);
        }
    }
}

static inline void sample_write_memory_group(FILE *file, const struct sample_options *options,
                                             size_t w)
{
    for (size_t b = 0; b < options->backends; b++) {
        json_t *cell = sample_cell(options, w, b, 0);
        const char *status = sample_status(options, w, b, 2);
        json_t *record =
            sample_record(json_string_value(json_object_get(cell, "id")), "memory", 0, status);
        if (strcmp(status, "ok") == 0) {
            json_object_set_new(record, "memory", sample_memory(options, w, b));
        }
        sample_write_line(file, record);
        json_decref(cell);
    }
}

static inline void sample_write(const char *directory, const struct sample_options *options)
{
    sample_write_plan(directory, options);
    struct rng rng;
    rng_seed(&rng, 7);
    char path[SAMPLE_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/records.jsonl", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int round = 0; round < options->rounds; round++) {
        for (size_t w = 0; w < options->workloads; w++) {
            sample_write_group(file, options, w, round, &rng);
        }
    }
    for (size_t w = 0; w < options->workloads && options->rounds && !options->no_memory_pass; w++) {
        sample_write_memory_group(file, options, w);
    }
    assert_int_equal(0, fclose(file));
}

#endif
