/* Starts child processes, follows them to their end, and says how that went. There is no other way
 * to start one in heapmill.
 *
 * process_run starts one child and returns when it has ended, process_run_all several.
 * process_start, process_wait and process_stop are their parts.
 *
 * A child leads a process group of its own, so that a terminal's Ctrl-C reaches heapmill alone and
 * a kill reaches whatever the child has started; its standard input is /dev/null. When heapmill
 * dies, however it dies, the child gets its stop signal: no child outlives heapmill. A child in the
 * foreground (PROCESS_FOREGROUND) is a user's own program: it shares heapmill's group, terminal and
 * standard streams.
 *
 * One thread only: the parent-death signal is tied to the thread that forked. */
#ifndef HEAPMILL_COMMON_HOST_PROCESS_H
#define HEAPMILL_COMMON_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/host/text.h"
#include "common/status.h"

enum {
    PROCESS_STDERR_TAIL_BYTES = 4096, /* what a record keeps, results/FORMAT.md */
    PROCESS_RECORD_FD = 3,
};

/* Where the child's stdout and stderr go. */
enum process_stdio {
    PROCESS_CAPTURE,    /* output is its stdout, stderr_tail the end of its stderr */
    PROCESS_RECORD,     /* output is what it writes to PROCESS_RECORD_FD; stdout joins stderr */
    PROCESS_LOG,        /* both are appended to the file `log`; NULL: both go to our stderr */
    PROCESS_FOREGROUND, /* all three streams are heapmill's own; SIGINT is for the child alone */
};

/* All zero but the arguments is a child that is captured, without a time limit, and killed with
 * SIGKILL. Everything is borrowed until process_start or process_run returns. */
struct process_request {
    const char *const *arguments;   /* [0]: a path, or a name of PATH; ends with NULL */
    const char *const *environment; /* "NAME=VALUE", the whole of it, ends with NULL; NULL: ours */
    const char *const *settings;    /* "NAME=VALUE" over ours, ends with NULL; NULL: none */
    const char *directory;          /* where it runs; NULL: where heapmill does */
    const char *log;                /* of PROCESS_LOG */
    const char *input;              /* the file that is its standard input; NULL: /dev/null */
    int output_fd;      /* of PROCESS_CAPTURE: its stdout goes to this open file, from where that
                           stands, and is not captured; 0: it is captured */
    const char *cgroup; /* the cgroup.procs that it writes itself into before it begins; NULL */
    enum process_stdio stdio;
    int stop_signal;      /* how it is asked to end, and sent when heapmill dies; 0: SIGKILL */
    double timeout_s;     /* process_run stops it after so long; 0: never */
    double grace_s;       /* how long process_run lets it end by itself after its stop signal */
    bool fixed_addresses; /* no address space layout randomisation */
    /* The child starts descendants that may leave its group. They are adopted when their parent
     * dies, counted in cpu_ns while they run (once a second), and ended with the child. */
    bool whole_tree;
};

struct process_result {
    int exit_code; /* 0 when it ended by a signal */
    int signal;    /* 0 when it exited */
    bool timed_out;
    bool interrupted; /* stopped because heapmill was asked to stop */
    char *output;     /* zero-terminated; cut at PROCESS_OUTPUT_MAX_BYTES */
    size_t output_bytes;
    char stderr_tail[PROCESS_STDERR_TAIL_BYTES + 1];
    size_t stderr_bytes; /* of stderr_tail */
    uint64_t wall_ns;    /* from fork to its end */
    uint64_t cpu_ns; /* user and system, of the child and its reaped children; whole_tree: of all
                        descendants, and as of the last process_wait while it runs */
    uint64_t faults_minor;
    uint64_t faults_major;
    uint64_t rss_bytes_peak; /* of the child or the largest of its reaped children; as exec keeps
                                the caller's, never below heapmill's own */
    uint64_t switches_voluntary;
    uint64_t switches_involuntary;
};

/* One child. All zero is none. */
struct process {
    pid_t pid;
    bool running;
    uint64_t begin_ns; /* clock_wall_ns at its start */
    int stop_signal;
    bool foreground;
    bool whole_tree;
    uint64_t tree_ns; /* when its descendants were last looked at */
    int output_fd;    /* what is open towards it; -1 when closed */
    int stderr_fd;
    struct process_result result; /* complete when it runs no longer */
};

/* Blocks SIGINT, SIGTERM and SIGCHLD except while waiting in this module, from here to the end of
 * the program: a signal is then never lost and never between two steps. Call it once, before the
 * first child. Without it SIGINT and SIGTERM end heapmill at once, and its children with it. */
void process_prepare_signals(void);

/* Has SIGINT or SIGTERM come, now or during a wait? */
bool process_interrupted(void);

/* STATUS_OK: the child was started and has ended, however badly: see result, which is released by
 * process_result_free in every case. STATUS_NOT_FOUND: there is no such program, or none that may
 * be executed; STATUS_IO: it could not be started. SIGINT, SIGTERM and the time limit stop the
 * child and make process_run return. */
enum status process_run(const struct process_request *request, struct process_result *result,
                        struct error *error);
void process_result_free(struct process_result *result);

/* Runs `count` requests, at most `at_once` (above 0) of them at a time, and returns when all have
 * ended: results[i] is requests[i]'s, each with its own time limit, and each is released by
 * process_result_free in every case. A signal stops those that run; those that were not started
 * are `interrupted` too. STATUS_NOT_FOUND, STATUS_IO: one could not be started, and the others
 * were stopped. */
enum status process_run_all(const struct process_request *requests, struct process_result *results,
                            size_t count, size_t at_once, struct error *error);

/* How many processes that need a processor each are worth running at once here: 1 to 8. */
size_t process_at_once(void);

/* Starts a child. STATUS_NOT_FOUND, STATUS_IO as for process_run: there is none then. On success
 * the caller ends with process_free. timeout_s and grace_s are not looked at. */
enum status process_start(const struct process_request *request, struct process *process,
                          struct error *error);

/* Waits until one of the children ends or says something, a signal comes, or so long (0: not at
 * all), and brings all of them up to date. How many still run. With no child it waits all the same,
 * so that a caller with nothing to follow can sleep until a signal. */
size_t process_wait(struct process *processes, size_t count, double seconds);

/* Sends all their stop signals, gives them so long to end, kills the rest, reaps them, and ends
 * what a child with whole_tree has left behind. */
void process_stop(struct process *processes, size_t count, double grace_s);

/* A child that was not started here, which process_stop does not take for one that was left behind.
 */
void process_keep(pid_t child);

/* Kills a child that still runs, and releases what belongs to it. */
void process_free(struct process *process);

/* list.items as arguments, environment or settings; they are NULL-terminated. */
const char *const *process_vector(const struct text_list *list);

#endif
