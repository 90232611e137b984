/* Landmarks: what a run has got to that the code under test does not branch on, as coverage.
 *
 * An engine keeps an input that covers something new. How many arenas there are at once, or how
 * long a list has become, is no branch of anybody's, so that it would lose what took it hundreds of
 * lucky steps to build; and AFL++ prefers, for each edge, the smallest input that has it, whatever
 * the count. Here each value is a block of its own (IJON: Aschermann, Schumilo, Abbasi and Holz,
 * 2020, do so by annotations). Landmarks are of states that any program gets to, never of a planted
 * bug.
 *
 *   FUZZ_LANDMARKS(arenas)     defines landmark_arenas(unsigned value)
 *
 * The values 0 to 31 are told apart, larger ones are one. The name begins without `fuzz_`, whose
 * functions are left out of the coverage. */
#ifndef HEAPMILL_FUZZ_LANDMARK_H
#define HEAPMILL_FUZZ_LANDMARK_H

/* What is in it differs, so that no two blocks are merged. */
#define FUZZ_LANDMARK_1(value)                                                                     \
    case value:                                                                                    \
        __asm__ volatile("" ::"r"(value));                                                         \
        break;
#define FUZZ_LANDMARK_4(value)                                                                     \
    FUZZ_LANDMARK_1(value)                                                                         \
    FUZZ_LANDMARK_1((value) + 1)                                                                   \
    FUZZ_LANDMARK_1((value) + 2)                                                                   \
    FUZZ_LANDMARK_1((value) + 3)
#define FUZZ_LANDMARK_16(value)                                                                    \
    FUZZ_LANDMARK_4(value)                                                                         \
    FUZZ_LANDMARK_4((value) + 4)                                                                   \
    FUZZ_LANDMARK_4((value) + 8)                                                                   \
    FUZZ_LANDMARK_4((value) + 12)

#define FUZZ_LANDMARKS(name)                                                                       \
    __attribute__((noinline)) static void landmark_##name(unsigned value)                          \
    {                                                                                              \
        switch (value) {                                                                           \
            FUZZ_LANDMARK_16(0)                                                                    \
            FUZZ_LANDMARK_16(16)                                                                   \
        default:                                                                                   \
            __asm__ volatile("");                                                                  \
        }                                                                                          \
    }

#endif
