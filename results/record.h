/* The part of a result directory that is kept in memory: its plan's cells, and for each record the
 * few numbers that a comparison or a figure needs. Other members stay in the file and are read
 * again on demand (record_set_read), so that a million records fit in about 100 MiB.
 *
 * After store_load has made a record_set, it does not change. Any number of threads may read it,
 * also with record_set_read, which moves no shared file position. */
#ifndef HEAPMILL_RESULTS_RECORD_H
#define HEAPMILL_RESULTS_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum record_pass {
    RECORD_TIME = 0,
    RECORD_MEMORY,
    RECORD_INSTRUCTIONS,
    RECORD_LATENCY,
    RECORD_PASS_COUNT
};

enum record_status {
    RECORD_OK = 0,
    RECORD_FAILED,
    RECORD_CRASHED,
    RECORD_TIMEOUT,
    RECORD_NOT_APPLICABLE,
    RECORD_STATUS_COUNT
};

enum held_source { HELD_NONE = 0, HELD_STATS, HELD_SMAPS };

/* One of the plan's cells. Strings are owned by the set. */
struct record_cell {
    const char *id;
    const char *workload;
    const char *kind;
    const char *family;
    const char *params_text;  /* "size=64,live=1000", in the workload's order; "" for none */
    const char *backend;      /* without environment and collector */
    const char *collector;    /* the chosen one; "" for the back end's own */
    const char *backend_text; /* with environment and collector: "mimalloc{MIMALLOC_PURGE_DELAY=0}",
                                 "pymalloc-3.10{collector=growth}" */
    const char *arm;
    const char *label;  /* "BACKEND_TEXT:ARM" */
    const json_t *plan; /* the plan's object: params, env and so on (borrowed) */
    uint32_t group;     /* index into record_set.groups */
    uint32_t threads;
    bool is_heavy; /* set-up takes long: it has its own rounds and no memory pass */
    uint32_t twin; /* 0: no twin; 1: sets the noise floor; 2: is judged by it */
};

/* The cells of one workload, parameters and thread count, which run next to each other. */
struct record_group {
    const char *id;
    uint32_t cells_begin;  /* its cells are among those from here */
    uint32_t cells_end;    /* up to here, and mostly all of them */
    uint32_t cells_time;   /* cells in a round of the time pass: all of the group's */
    uint32_t cells_memory; /* cells in the memory pass: those with twin 0 */
    /* Set by disturbance_mark, for the time pass: rounds that have begun, processes, and disturbed
     * processes. */
    uint32_t rounds;
    uint32_t processes;
    uint32_t disturbed;
};

struct record {
    uint64_t offset; /* of its line in records.jsonl, in bytes */
    uint32_t bytes;  /* of the line, without the newline */
    uint32_t cell;   /* index into record_set.cells */
    uint32_t round;
    /* Its figures begin at set->figures[figure], in the order of metric_read_record. Those from
     * figure_count on are NAN. Read them with metric_of_record (metrics.h). */
    uint32_t figure;
    uint8_t figure_count;
    uint8_t held_source; /* enum held_source; HELD_NONE except in ok records of the memory pass */
    uint8_t pass;        /* enum record_pass */
    uint8_t status;      /* enum record_status */
    bool disturbed;      /* set by disturbance_mark */
    bool left_out;       /* set by disturbance_mark: its figures are not compared */
    uint16_t host;       /* index into set->hosts */
    /* What happened during the run; 0 if the record does not say. */
    uint32_t steal_ticks;
    uint32_t throttled_us;
    float process_s;     /* wall time of the process */
    float outside_cpu_s; /* CPU time of the process outside its timed part */
};

struct record_set {
    json_t *plan;
    const char *directory;
    const char *base_backend; /* the plan's base; "" if it names none */
    const char *base_arm;
    struct record_cell *cells;
    size_t cell_count;
    struct record_group *groups; /* in the order of their first cells in the plan */
    size_t group_count;
    struct record *records; /* in the file's order: the index is the line number minus 1 */
    size_t record_count;
    const char **hosts; /* that records name, "" for those that name none; at most UINT16_MAX, the
                           last stands for all others then */
    size_t host_count;
    double *figures; /* the figures of all records */
    size_t figure_count;
    /* What a reader of the figures should know, one sentence each: "the last line is torn and was
     * left out…". Empty for a run that ended well. */
    char notes[4][256];
    size_t note_count;
    void *private; /* for record.c */
};

/* A result directory: plan.json, records.jsonl, interrupted.jsonl. For common/host/journal.h. */
struct journal_kind;
extern const struct journal_kind record_journal;

void record_set_free(struct record_set *set); /* NULL is allowed */

/* Reads the whole JSON of records[index] from the file again. *json is a new reference. STATUS_IO
 * or STATUS_CORRUPT if the file has changed meanwhile. */
enum status record_set_read(const struct record_set *set, size_t index, json_t **json,
                            struct error *error);

/* Finds a cell by its id; returns cell_count if there is none. */
size_t record_set_find_cell(const struct record_set *set, const char *id);

/* "time", "memory", "instructions", "latency"; "ok", "failed"… */
const char *record_pass_word(enum record_pass pass);
const char *record_status_word(enum record_status status);

/* true for failed, crashed and timeout. */
bool record_status_is_failure(enum record_status status);

#endif
