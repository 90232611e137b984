/* Runs a user's command once, with its tree watched. One thread. */
#ifndef HEAPMILL_RUN_COMMAND_COMMAND_RUN_H
#define HEAPMILL_RUN_COMMAND_COMMAND_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/process.h"
#include "common/host/process_guard.h"
#include "common/status.h"
#include "run/command/tree.h"

/* Where the peak of memory comes from. */
enum command_memory {
    COMMAND_MEMORY_TREE,   /* proportional shares of the whole tree, sampled */
    COMMAND_MEMORY_SINGLE, /* one process: the peak of its resident set, kept by the kernel */
    COMMAND_MEMORY_CGROUP, /* a control group's peak */
};

/* All members are borrowed. */
struct command_launch {
    const json_t *spec;  /* the plan's `try` (results/FORMAT.md) */
    const char *preload; /* a library; "": none */
    const json_t *env;   /* object of strings, added to the user's environment; NULL: none */
    const char *more;    /* one more variable, "NAME=VALUE"; NULL: none */
    const char *library; /* see tree_watch.library; NULL: nobody checks which programs it reaches */
    const struct process_guard *guard; /* NULL: none */
    enum command_memory memory;
    int output_fd; /* truncated, then written by the command */
    double timeout_s;
};

struct command_result {
    struct process_result process;
    struct tree_watch watch;
    uint64_t memory_bytes_peak; /* 0: unknown */
    uint64_t memory_bytes_idle; /* of a server, some time after its load; 0: no server */
    char *problem;    /* why the run is no good although the command ended well; NULL: it is good */
    json_t *load;     /* of a server: the figures of its load, an object; NULL */
    uint64_t load_ns; /* of a server: the load's wall time */
};

/* Where this machine can take the command's memory from: a control group, or the tree. */
enum command_memory command_memory_here(void);

/* Converts to and from "cgroup", "rss" and "pss". */
const char *command_memory_word(enum command_memory memory);
enum command_memory command_memory_of_word(const char *word);

/* Joins the words into one line, quoted for a shell. The caller frees. */
char *command_words(const json_t *argv);

/* Runs the command after its preparation. If the plan has a load, the command is a server and is
 * run for its whole life. STATUS_OK: it ran, and ended well or badly. STATUS_INTERRUPTED;
 * STATUS_NOT_FOUND and STATUS_IO as process_run; STATUS_UNSUPPORTED: the preparation failed. Call
 * command_result_free in every case. */
enum status command_run(const struct command_launch *launch, struct command_result *result,
                        struct error *error);
void command_result_free(struct command_result *result);

/* Runs a line with sh and captures what it prints. STATUS_OK: it exited with 0. STATUS_UNSUPPORTED:
 * it did not; the message has `what` and the last line of its output. STATUS_INTERRUPTED. */
enum status command_shell(const char *what, const char *line, const char *input, double timeout_s,
                          struct error *error);

#endif
