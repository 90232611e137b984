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
    PROCESS_CAPTURE, /* output is its stdout, stderr_tail the end of its stderr */
    PROCESS_RECORD,  /* output is what it writes to PROCESS_RECORD_FD; stdout joins stderr */
    PROCESS_LOG,     /* both are appended to the file `log`; NULL: both go to heapmill's stderr */
    PROCESS_FOREGROUND, /* all three streams are heapmill's own; only the child gets SIGINT */
};

/* If only the arguments are set, the child's output is captured, it has no time limit, and it is
 * stopped with SIGKILL. Everything is borrowed until process_start or process_run returns. */
struct process_request {
    const char *const *arguments; /* [0]: a path, or a name in PATH; ends with NULL */
    const char *const
        *environment;            /* all of it as "NAME=VALUE", ends with NULL; NULL: heapmill's */
    const char *const *settings; /* "NAME=VALUE" added to heapmill's, ends with NULL; NULL: none */
    const char *directory;       /* its working directory; NULL: heapmill's */
    const char *log;             /* for PROCESS_LOG */
    const char *input;           /* the file that is its standard input; NULL: /dev/null */
    int output_fd; /* for PROCESS_CAPTURE: stdout goes to this open file, at its offset, and is not
                      captured; 0: it is captured */
    const char *cgroup; /* a cgroup.procs that the child writes itself into first; NULL: none */
    enum process_stdio stdio;
    int stop_signal;      /* asks the child to end, and is sent when heapmill dies; 0: SIGKILL */
    double timeout_s;     /* after which process_run stops it; 0: never */
    double grace_s;       /* the time that process_run gives it after the stop signal */
    bool fixed_addresses; /* no address space layout randomisation */
    /* The child's descendants may leave its group. They are adopted when their parent dies, counted
     * in cpu_ns while they run (once a second), and ended with the child. */
    bool whole_tree;
};

struct process_result {
    int exit_code; /* 0 if a signal ended it */
    int signal;    /* 0 if it exited */
    bool timed_out;
    bool interrupted; /* it was stopped because heapmill was asked to stop */
    char *output;     /* zero-terminated; cut at PROCESS_OUTPUT_MAX_BYTES */
    size_t output_bytes;
    char stderr_tail[PROCESS_STDERR_TAIL_BYTES + 1];
    size_t stderr_bytes; /* of stderr_tail */
    uint64_t wall_ns;    /* from fork to the child's end */
    uint64_t cpu_ns; /* user and system time of the child and its reaped children; with whole_tree
                        of all descendants; while it runs, as of the last process_wait */
    uint64_t faults_minor;
    uint64_t faults_major;
    uint64_t rss_bytes_peak; /* of the child, or of its largest reaped child; at least heapmill's
                                own, as exec keeps that */
    uint64_t switches_voluntary;
    uint64_t switches_involuntary;
};

/* One child. A zeroed structure is no child. */
struct process {
    pid_t pid;
    bool running;
    uint64_t begin_ns; /* clock_wall_ns at its start */
    int stop_signal;
    bool foreground;
    bool whole_tree;
    uint64_t tree_ns; /* when its descendants were last looked at */
    int output_fd;    /* heapmill's ends of its pipes; -1: closed */
    int stderr_fd;
    struct process_result result; /* complete when the child has ended */
};

/* Blocks SIGINT, SIGTERM and SIGCHLD for the rest of the program, except while it waits in this
 * module. So no signal is lost, and none comes between two steps. Call it once, before the first
 * child. Without it SIGINT and SIGTERM end heapmill at once, and its children too. */
void process_prepare_signals(void);

/* Did SIGINT or SIGTERM come, now or during a wait? */
bool process_interrupted(void);

/* Runs a child to its end. STATUS_OK: it was started and has ended, well or badly: see result.
 * STATUS_NOT_FOUND: the program does not exist, or cannot be executed; STATUS_IO: it could not be
 * started. SIGINT, SIGTERM and the time limit stop the child and make process_run return. Call
 * process_result_free in every case. */
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

/* Starts a child. STATUS_NOT_FOUND, STATUS_IO as for process_run; there is no child then. On
 * success the caller calls process_free. timeout_s and grace_s are ignored. */
enum status process_start(const struct process_request *request, struct process *process,
                          struct error *error);

/* Waits until one of the children ends or writes something, a signal comes, or the time is over (0:
 * does not wait), and updates all children. Returns how many still run. Without children it waits
 * too, so that a caller can sleep until a signal. */
size_t process_wait(struct process *processes, size_t count, double seconds);

/* Sends all children their stop signals, gives them the grace time, kills and reaps the rest, and
 * ends what a child with whole_tree has left behind. */
void process_stop(struct process *processes, size_t count, double grace_s);

/* Registers a child that was not started here, so that process_stop does not kill it as left
 * behind. */
void process_keep(pid_t child);

/* Kills a child that still runs, and frees its resources. */
void process_free(struct process *process);

/* The items of a list as arguments, environment or settings, ending with NULL. */
const char *const *process_vector(const struct text_list *list);

#endif
