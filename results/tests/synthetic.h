/* Result directories made up for tests: their truth is known. Every function asserts its success.
 */
#ifndef HEAPMILL_RESULTS_TESTS_SYNTHETIC_H
#define HEAPMILL_RESULTS_TESTS_SYNTHETIC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "results/store.h"

enum { SYNTHETIC_PATH_MAX = 512 };

/* A temporary directory's name, which does not exist yet below one that does. */
static inline void synthetic_directory(char path[SYNTHETIC_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    if (base == NULL) {
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* thousands of fsyncs */
    }
    (void)snprintf(path, SYNTHETIC_PATH_MAX, "%.400s/heapmill-results-XXXXXX", base);
    assert_non_null(mkdtemp(path));
    (void)strncat(path, "/run", SYNTHETIC_PATH_MAX - strlen(path) - 1);
}

static inline int synthetic_remove_one(const char *path, const struct stat *status, int type,
                                       struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

/* Removes what synthetic_directory made. */
static inline void synthetic_remove(const char *path)
{
    char parent[SYNTHETIC_PATH_MAX];
    (void)snprintf(parent, sizeof(parent), "%s", path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(0, nftw(parent, synthetic_remove_one, 8, FTW_DEPTH | FTW_PHYS));
}

static inline void synthetic_file(char path[SYNTHETIC_PATH_MAX], const char *directory,
                                  const char *name)
{
    assert_true(snprintf(path, SYNTHETIC_PATH_MAX, "%s/%s", directory, name) < SYNTHETIC_PATH_MAX);
}

/* The whole file with a zero after it; *size may be NULL. An absent file is an empty one. */
static inline char *synthetic_read(const char *directory, const char *name, size_t *size)
{
    char path[SYNTHETIC_PATH_MAX];
    synthetic_file(path, directory, name);
    struct stat status = {0};
    (void)stat(path, &status);
    char *bytes = calloc((size_t)status.st_size + 1, 1);
    assert_non_null(bytes);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        assert_int_equal(status.st_size, fread(bytes, 1, (size_t)status.st_size, file));
        (void)fclose(file);
    }
    if (size != NULL) {
        *size = (size_t)status.st_size;
    }
    return bytes;
}

static inline void synthetic_write(const char *directory, const char *name, const char *bytes,
                                   size_t size)
{
    char path[SYNTHETIC_PATH_MAX];
    synthetic_file(path, directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(size, fwrite(bytes, 1, size, file));
    assert_int_equal(0, fclose(file));
}

static inline json_t *synthetic_plan(void)
{
    json_t *plan = json_pack("{s:s, s:[s], s:i, s:i, s:{s:s, s:s}, s:[]}", "format",
                             "heapmill-plan-1", "command", "heapmill", "seed", 7, "rounds", 7,
                             "base", "backend", "malloc", "arm", "preload", "cells");
    assert_non_null(plan);
    return plan;
}

/* Adds a cell; its id is WORKLOAD/size=64/t1/BACKEND:ARM and ~TWIN, its group the first three
 * parts. */
static inline void synthetic_add_cell(json_t *plan, const char *workload, const char *family,
                                      const char *backend, const char *arm, int twin)
{
    char id[256];
    char group[128];
    (void)snprintf(group, sizeof(group), "%s/size=64/t1", workload);
    (void)snprintf(id, sizeof(id), "%s/%s:%s%s", group, backend, arm,
                   twin == 0 ? "" : (twin == 1 ? "~1" : "~2"));
    json_t *cell =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:i}, s:i, s:s, s:s, s:{}, s:i}", "id", id, "group",
                  group, "workload", workload, "kind", "blocks", "family", family, "params", "size",
                  64, "threads", 1, "backend", backend, "arm", arm, "env", "twin", twin);
    assert_non_null(cell);
    assert_int_equal(0, json_array_append_new(json_object_get(plan, "cells"), cell));
}

/* A record of the time pass; time_ns is left out unless the status is "ok". */
static inline json_t *synthetic_record(const char *cell, int round, const char *status,
                                       double time_ns)
{
    json_t *record = json_pack("{s:s, s:s, s:s, s:i, s:s}", "format", "heapmill-record-1", "cell",
                               cell, "pass", "time", "round", round, "status", status);
    assert_non_null(record);
    if (strcmp(status, "ok") == 0) {
        assert_int_equal(0, json_object_set_new(record, "cpu_ns_per_op", json_real(time_ns)));
    }
    return record;
}

/* A record of the memory pass: held of `source` and from outside, live of one byte throughout. */
static inline json_t *synthetic_memory_record(const char *cell, int round, const char *source,
                                              double held, double held_smaps)
{
    json_t *record = json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:{s:s, s:f, s:f, s:f, s:f, s:{s:f}, s:{s:[i,i,i], s:[i,i,i], "
        "s:[f,f,f]}}}",
        "format", "heapmill-record-1", "cell", cell, "pass", "memory", "round", round, "status",
        "ok", "memory", "held_source", source, "live_bytes_peak", 1.0, "held_bytes_peak", held,
        "held_smaps_bytes_peak", held_smaps, "rss_bytes_peak", held_smaps * 2, "fragmentation",
        "mean", held, "series", "operations", 0, 1, 2, "live_bytes", 1, 1, 1, "held_smaps_bytes",
        held_smaps, held_smaps, held_smaps);
    assert_non_null(record);
    return record;
}

static inline void synthetic_append(struct store *store, json_t *record)
{
    struct error error = {0};
    enum status status = store_append(store, record, &error);
    if (status != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    json_decref(record);
}

static inline struct store *synthetic_create(const char *directory, json_t *plan)
{
    struct store *store = NULL;
    struct error error = {0};
    if (store_create(directory, plan, &store, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    json_decref(plan);
    return store;
}

#endif
