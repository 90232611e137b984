/* How a fuzz target reports findings and counts its work. One thread.
 *
 * A finding is one line on standard error, "heapmill-fuzz: ORACLE name: text (operation N)", and
 * abort(), which every engine takes for a crash. Names of oracles must not change, because triage
 * groups by them. */
#ifndef HEAPMILL_FUZZ_ORACLE_H
#define HEAPMILL_FUZZ_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For functions that only judge. Engines must not take their branches for those of the product, so
 * they are out of line, and fuzz/uncovered.txt excludes their names from the coverage of all
 * engines. */
#define FUZZ_ORACLE __attribute__((noinline))

/* Counters, which are written without system calls. If the environment names a file
 * (HEAPMILL_FUZZ_COUNTERS), which the parent has made, they are a shared mapping of it, so that the
 * parent can read them even after the process was killed. The layout must not change. */
struct fuzz_counters {
    uint64_t executions;
    uint64_t operations; /* calls of the code under test: allocations, frees, resizes, … */
    uint64_t bug_reached;
    uint64_t bug_triggered;
};

extern struct fuzz_counters *fuzz_counters;

/* The number of the current operation within the input, from 1; 0 before the first. */
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

/* Begins an execution. Every run calls it first. */
void fuzz_begin(void);

static inline void fuzz_count_operation(void)
{
    fuzz_operation++;
    fuzz_counters->operations++;
    if (__builtin_expect(fuzz_is_careful, false)) {
        fuzz_careful_step();
    }
}

/* Counts the further operations of a step that plays several. */
static inline void fuzz_count_more_operations(uint64_t more)
{
    fuzz_counters->operations += more;
}

/* Reports a finding and aborts. */
__attribute__((format(printf, 2, 3), noreturn, cold)) void fuzz_fail(const char *oracle,
                                                                     const char *format, ...);

/* FUZZ_EXPECT(condition, "oracle", format, …) reports a finding unless the condition holds. It is
 * active in every build. */
#define FUZZ_EXPECT(condition, ...)                                                                \
    (__builtin_expect((condition), true) ? (void)0 : fuzz_fail(__VA_ARGS__))

/* Prints once on standard error whether the planted bug was reached or triggered. Prints nothing
 * without a planted bug. May be called from signal handlers. */
void fuzz_say_bug(void);

/* fuzz_fail calls this before it aborts, so that the engine can save the input. NULL: there is
 * none. */
extern void (*fuzz_on_failure)(void);

#endif
