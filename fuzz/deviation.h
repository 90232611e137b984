/* Deviations: behaviour of somebody else's code that breaks a promise.
 *
 * A deviation that is found immediately must not hide the others. In a campaign each one is
 * reported, and its input kept, when it occurs for the first time. Later it is only counted, and
 * the run goes on. Deviations are distinguished by a key, "ORACLE:CALL:CLASS": what was wrong, in
 * which function, for which kind of request.
 *
 * The environment has the settings:
 *   HEAPMILL_FUZZ_DEVIATIONS: a file with the known deviations. The first member of a campaign
 *    makes it, and all map it. Without it the first deviation ends the process as a finding of
 *    fuzz/oracle.h.
 *   HEAPMILL_FUZZ_FINDINGS: the directory for inputs, which are named by their keys.
 *   HEAPMILL_FUZZ_SKIP: "ORACLE[:CALL[:CLASS]],…": these are ignored.
 *   HEAPMILL_FUZZ_ONLY: the same; all others are ignored.
 *   HEAPMILL_FUZZ_PROFILE: c, posix or glibc (the default): whose promises are checked.
 *
 * These functions may be called from any thread, and from children after a fork. They do not
 * allocate, since the subject may be the allocator in use. */
#ifndef HEAPMILL_FUZZ_DEVIATION_H
#define HEAPMILL_FUZZ_DEVIATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fuzz_severity {
    FUZZ_MANNERS, /* errno, and other errors that a program can live with */
    FUZZ_RESULTS, /* wrong results: alignment, overflow, usable size, a call that does not return */
    FUZZ_MEMORY,  /* contents, overlap, crashes */
    FUZZ_SEVERITIES,
};

/* The source of a promise. Each profile includes those before it. */
enum fuzz_profile { FUZZ_PROFILE_C, FUZZ_PROFILE_POSIX, FUZZ_PROFILE_GLIBC };

struct fuzz_promise {
    const char *oracle;
    enum fuzz_severity severity;
    enum fuzz_profile profile;
    bool fatal;         /* after a breach nothing can be relied on */
    const char *source; /* the document that states it */
};

enum {
    FUZZ_DEVIATIONS_MAX = 512,
    FUZZ_DEVIATION_KEY_BYTES = 80,
    FUZZ_DEVIATION_EXIT = 99, /* exit status of a process that ends at a recorded deviation */
};

/* An entry of the file. The layout must not change. */
struct fuzz_deviation {
    _Atomic uint32_t state; /* 0: free; 1: being written; 2: complete */
    uint32_t severity;
    _Atomic uint64_t count;
    char key[FUZZ_DEVIATION_KEY_BYTES];
    char text[256];
    char source[128];
};

/* fuzz_deviate(promise, call, class, format, …) reports a deviation. It returns if the deviation is
 * ignored, or is recorded and not fatal. */
__attribute__((format(printf, 4, 5))) void fuzz_deviate(const struct fuzz_promise *promise,
                                                        const char *call, const char *class,
                                                        const char *format, ...);

/* Are promises of that profile checked? */
bool fuzz_profile_holds(enum fuzz_profile profile);

/* The number of times that this key occurred in the campaign; 0 without a campaign. */
uint64_t fuzz_deviation_count(const char *oracle, const char *call, const char *class);

/* ---------------------------------------------------------------- a process that dies or hangs */
/* The current operation, for signal handlers that must report it: this thread's, and the latest of
 * all threads. Strings must stay valid. */
struct fuzz_under_way {
    const char *volatile call;
    const char *volatile class;
};
extern _Thread_local struct fuzz_under_way fuzz_under_way;
extern struct fuzz_under_way *fuzz_under_way_latest;

static inline void fuzz_enter_call(const char *call, const char *class)
{
    fuzz_under_way = (struct fuzz_under_way){call, class};
    *fuzz_under_way_latest = (struct fuzz_under_way){call, class};
}

static inline void fuzz_leave_call(void)
{
    fuzz_under_way.call = NULL;
}

enum { FUZZ_HANG_TICKS = 10 };

/* Turns a crash from now on into the deviation "crash" of the current operation. Without a call of
 * fuzz_progress() for FUZZ_HANG_TICKS seconds in which this process had the CPU, it becomes the
 * deviation "hang". Both save the input without the engine's help, which might allocate. crash and
 * hang must stay valid. Call it again in a child that goes on playing. */
void fuzz_watch_begin(const struct fuzz_promise *crash, const struct fuzz_promise *hang);
/* Gives the calling thread a signal stack, so that endless recursion can be reported. Its bytes
 * must last as long as the thread. */
void fuzz_watch_thread(void *stack, size_t bytes);
void fuzz_progress(void);

/* For a parent whose children play. Before them: what is under way in them is seen here too. After
 * one that has ended by exit, as a library may do in the middle of a call: records the deviation
 * "exit". False: there is no campaign. */
void fuzz_watch_children(void);
bool fuzz_watch_exited(int status);

/* The promise that replaces fatal ones, and those for crashes and hangs, in programs that may
 * expect less; NULL: none. Of this process. */
extern const struct fuzz_promise *fuzz_promise_instead;

#endif
