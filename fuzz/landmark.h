/* Landmarks make states coverage that the code under test does not branch on.
 *
 * An engine keeps an input that covers something new. The number of arenas, or the length of a
 * list, is no branch, so an engine would lose states that took it hundreds of lucky steps to build;
 * and for each edge AFL++ prefers the smallest input that has it, whatever its count. Here each
 * value has its own basic block (IJON: Aschermann, Schumilo, Abbasi and Holz, 2020, do this with
 * annotations). Landmarks are states that any program can reach, never those of a planted bug.
 *   FUZZ_LANDMARKS(arenas)     defines landmark_arenas(unsigned value)
 *
 * The values 0 to 31 are distinguished; larger ones are one value. The name does not begin with
 * `fuzz_`, because such functions are excluded from the coverage. */
#ifndef HEAPMILL_FUZZ_LANDMARK_H
#define HEAPMILL_FUZZ_LANDMARK_H

/* The blocks differ in their content, so that they are not merged. */
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
