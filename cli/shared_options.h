/* Options that several commands have: a row each, stated once. */
#ifndef HEAPMILL_CLI_SHARED_OPTIONS_H
#define HEAPMILL_CLI_SHARED_OPTIONS_H

#include "common/host/options.h"
#include "common/host/slurm.h"

/* What `--base` names. */
struct base_option {
    const char *backend; /* NULL: the option was not given */
    const char *arm;     /* NULL: none was named */
    char text[1024];     /* what both are parts of */
};

/* The words of enum picture_format, by bits. */
extern const char *const shared_pictures[];

extern const char *const shared_engine_hosts[]; /* "local", "slurm" */

/* take of a struct base_option: "BACKEND[{NAME=VALUE,…}][:ARM]". */
enum status base_option_take(void *base, const char *text, struct error *error);

#define CANDIDATES_BACKENDS "list backends --names"
#define CANDIDATES_WORKLOADS "list workloads --names"
#define CANDIDATES_METRICS "list metrics --names"
#define CANDIDATES_PLOTS "list plots --names"

/* Each is a row of a command's table, without its braces; `member` is what it fills. */

#define SHARED_RUN_DIRECTORY(structure, member)                                                    \
    OPTION_TEXT, .placeholder = "DIR",                                                             \
                 .help = "the directory of the run: what `heapmill bench -o DIR` made",            \
                 .missing = "say which run: the directory that `heapmill bench -o DIR` made",      \
                 .candidates = OPTION_DIRECTORIES, OPTION_INTO(structure, member)

#define SHARED_BACKEND_GLOBS(structure, member)                                                    \
    OPTION_TEXT, 'b', "backends", "GLOBS",                                                         \
        "only these back ends, as in 'pymalloc*:call,mimalloc,!tbb*'",                             \
        .candidates = CANDIDATES_BACKENDS, OPTION_INTO(structure, member)

#define SHARED_WORKLOAD_GLOBS(structure, member)                                                   \
    OPTION_TEXT, 'w', "workloads", "GLOBS", "only these workloads, as in 'batch*,!pingpong'",      \
        .candidates = CANDIDATES_WORKLOADS, OPTION_INTO(structure, member)

#define SHARED_BASE(structure, member)                                                             \
    OPTION_CALL, 0, "base", "BACKEND[:ARM]", "compare with this one",                              \
        .shown = "the run's own", .candidates = CANDIDATES_BACKENDS, .take = base_option_take,     \
        OPTION_INTO(structure, member)

#define SHARED_PICTURES(structure, member)                                                         \
    OPTION_SET, 0, "format", "WORDS", "which pictures",                                            \
        .standard = "svg,png", .words = shared_pictures, OPTION_INTO(structure, member)

/* Of what can run on a cluster. `given` is a bool of the structure, set where --task is there. */
#define SHARED_ENGINE_HOST(structure, member)                                                      \
    OPTION_CHOICE, 0, "engine-host", "HOST",                                                       \
        "slurm: each engine or trial is a task of the cluster whose sbatch is here; DIR is on a "  \
        "file system that all of its nodes share. One of",                                         \
        .standard = "local", .words = shared_engine_hosts, OPTION_INTO(structure, member)
#define SHARED_SBATCH(structure, member)                                                           \
    OPTION_LIST, 0, "sbatch", "OPTION",                                                            \
        "on a cluster: a further option of sbatch, as --sbatch=--partition=fast; may be repeated", \
        OPTION_INTO(structure, member)
#define SHARED_TASK(structure, member, is_given)                                                   \
    OPTION_NUMBER, 0, "task", "N",                                                                 \
        "with --resume: only this task of what runs on a cluster, here",                           \
        .most = SLURM_TASKS_MAX, .given = offsetof(structure, is_given),                           \
        OPTION_INTO(structure, member)

#define SHARED_SEED(structure, member, text)                                                       \
    OPTION_NUMBER, 0, "seed", "S", text, .standard = "1", OPTION_INTO(structure, member)

#define SHARED_JSON(structure, member, text)                                                       \
    OPTION_FLAG, 0, "json", NULL, text, OPTION_INTO(structure, member)

#endif
