/* Deviations: what somebody else's code does otherwise than was promised.
 *
 * One that is found at once must not hide the others. In a campaign, each is told, and its input
 * kept, the first time; from then on it is counted, and the run goes on. Deviations are told apart
 * by a key, "ORACLE:CALL:CLASS": what was wrong, in which function, for what kind of request.
 *
 * The environment says how:
 *   HEAPMILL_FUZZ_DEVIATIONS  a file, made by whoever comes first, mapped by all members of a
 *                             campaign: the deviations that are known. Without it the first one
 *                             ends the process as a finding of fuzz/oracle.h.
 *   HEAPMILL_FUZZ_FINDINGS    the directory that inputs are kept in, named by their keys
 *   HEAPMILL_FUZZ_SKIP        "ORACLE[:CALL[:CLASS]],…": passed over
 *   HEAPMILL_FUZZ_ONLY        the same: all others are passed over
 *   HEAPMILL_FUZZ_PROFILE     c, posix or glibc (the default): whose promises are held
 *
 * Any thread, and children after a fork. No allocation: the subject may be the allocator in use. */
#ifndef HEAPMILL_FUZZ_DEVIATION_H
#define HEAPMILL_FUZZ_DEVIATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fuzz_severity {
    FUZZ_MANNERS, /* errno, and what else a program can live with */
    FUZZ_RESULTS, /* wrong results: alignment, overflow, usable size, no end */
    FUZZ_MEMORY,  /* contents, overlap, crashes */
    FUZZ_SEVERITIES,
};

/* Who promises. Each has the promises of those before it. */
enum fuzz_profile { FUZZ_PROFILE_C, FUZZ_PROFILE_POSIX, FUZZ_PROFILE_GLIBC };

struct fuzz_promise {
    const char *oracle;
    enum fuzz_severity severity;
    enum fuzz_profile profile;
    bool fatal;         /* nothing that comes after a breach can be relied on */
    const char *source; /* where it stands */
};

enum {
    FUZZ_DEVIATIONS_MAX = 512,
    FUZZ_DEVIATION_KEY_BYTES = 80,
    FUZZ_DEVIATION_EXIT = 99, /* of a process that ends at a deviation that is recorded */
};

/* One in the file; the layout is kept. */
struct fuzz_deviation {
    _Atomic uint32_t state; /* 0: free; 1: being written; 2: whole */
    uint32_t severity;
    _Atomic uint64_t count;
    char key[FUZZ_DEVIATION_KEY_BYTES];
    char text[256];
    char source[128];
};

/* fuzz_deviate(promise, call, class, format, …). Returns when the deviation is passed over, or is
 * recorded and not fatal. */
__attribute__((format(printf, 4, 5))) void fuzz_deviate(const struct fuzz_promise *promise,
                                                        const char *call, const char *class,
                                                        const char *format, ...);

/* Is a promise of that profile held? */
bool fuzz_profile_holds(enum fuzz_profile profile);

/* How often that key was seen in this campaign; 0 without one. */
uint64_t fuzz_deviation_count(const char *oracle, const char *call, const char *class);

/* ---------------------------------------------------------------- a process that dies or hangs */
/* What is under way, for whoever must say so from a signal handler: of this thread, and the latest
 * of all. Strings last. */
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

/* From now on a crash is the deviation "crash" of what is under way, and FUZZ_HANG_TICKS seconds in
 * which this process had the CPU to look, and fuzz_progress() was not called, are the deviation
 * "hang". Both save the input without the engine's help, which might allocate. crash and hang must
 * last. To be called again in a child that goes on playing. */
void fuzz_watch_begin(const struct fuzz_promise *crash, const struct fuzz_promise *hang);
/* A signal stack for the calling thread, so that endless recursion is told: in bytes that last as
 * long as the thread. */
void fuzz_watch_thread(void *stack, size_t bytes);
void fuzz_progress(void);

/* For a parent whose children play. Before them: what is under way in them is seen here too. After
 * one that has ended by exit, as a library may do in the middle of a call: records the deviation
 * "exit". False: there is no campaign. */
void fuzz_watch_children(void);
bool fuzz_watch_exited(int status);

/* What a breach after which nothing can be relied on is taken for, crashes and hangs too, where a
 * program may expect less; NULL: for what it is. Of this process. */
extern const struct fuzz_promise *fuzz_promise_instead;

#endif
