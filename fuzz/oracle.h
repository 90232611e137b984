/* How a fuzz target says what it found, and what it counts meanwhile. One thread.
 *
 * A finding is one line on standard error, "heapmill-fuzz: ORACLE name: text (operation N)", and
 * abort(), which every engine understands as a crash. Names of oracles are kept: triage groups by
 * them. */
#ifndef HEAPMILL_FUZZ_ORACLE_H
#define HEAPMILL_FUZZ_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Functions that only judge: engines must not mistake their branches for the product's. They are
 * kept out of line, and fuzz/uncovered.txt leaves their names out of the coverage of all engines.
 */
#define FUZZ_ORACLE __attribute__((noinline))

/* Written without system calls in the hot path. Where the environment names a file
 * (HEAPMILL_FUZZ_COUNTERS), they are a shared mapping of it, so that a parent can read them even
 * from a process that was killed; it makes the file. The layout is kept. */
struct fuzz_counters {
    uint64_t executions;
    uint64_t operations; /* calls of the code under test: allocations, frees, resizes, … */
    uint64_t bug_reached;
    uint64_t bug_triggered;
};

extern struct fuzz_counters *fuzz_counters;

/* The operation that is under way, counted from 1 within the input; 0 before the first. */
extern uint64_t fuzz_operation;

/* Set by HEAPMILL_FUZZ_CAREFUL in the environment: a target then asks all its state oracles after
 * each operation, so that the first one that breaks something is known, and a finding says what of
 * the instrumented code that operation ran and others before it did not (fuzz/careful.c). */
extern bool fuzz_is_careful;
/* The next operation begins. */
void fuzz_careful_step(void);
/* Prints a line "heapmill-fuzz: EDGE TIMES OFFSET" for what the operation under way has run, by how
 * many operations before have run it too, the rarest first; nothing in builds without counters. */
void fuzz_careful_say(void);

/* To be called first by every run: begins an execution. */
void fuzz_begin(void);

static inline void fuzz_count_operation(void)
{
    fuzz_operation++;
    fuzz_counters->operations++;
    if (__builtin_expect(fuzz_is_careful, false)) {
        fuzz_careful_step();
    }
}

/* A step that plays many operations counts them so. */
static inline void fuzz_count_more_operations(uint64_t more)
{
    fuzz_counters->operations += more;
}

/* Reports a finding and aborts. */
__attribute__((format(printf, 2, 3), noreturn, cold)) void fuzz_fail(const char *oracle,
                                                                     const char *format, ...);

/* FUZZ_EXPECT(condition, "oracle", format, …): a finding unless the condition holds. Stays on in
 * every build. */
#define FUZZ_EXPECT(condition, ...)                                                                \
    (__builtin_expect((condition), true) ? (void)0 : fuzz_fail(__VA_ARGS__))

/* Says once, on standard error, whether the planted bug was reached or triggered; nothing where
 * none is planted. From signal handlers too. */
void fuzz_say_bug(void);

/* Called by fuzz_fail before it aborts; the engine saves the input. NULL: nobody. */
extern void (*fuzz_on_failure)(void);

#endif
