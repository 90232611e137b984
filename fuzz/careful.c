/* Which code an operation ran that the operations before it did not: where the state broke first,
 * what is new or rare in the operation that broke it is suspect (spectrum-based fault localization;
 * Abreu, Zoeteweij and van Gemund, 2007: with one failing run, Ochiai ranks by how few of the
 * others have run it). The counters are clang's, -fsanitize-coverage=inline-8bit-counters,pc-table;
 * their sections' bounds are the linker's, and NULL where nothing is instrumented. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/oracle.h"

enum {
    CAREFUL_EDGES = 1 << 16, /* more than any target has */
    CAREFUL_SAID_MAX = 96,
};

struct careful_place {
    uintptr_t address;
    uintptr_t flags;
};

/* The names are the linker's and the toolchain's. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern const struct careful_place __start___sancov_pcs[]
    __attribute__((weak, visibility("hidden")));
extern const char __executable_start[] __attribute__((weak, visibility("hidden")));

/* How many operations of this input have run the edge, the one under way left out. */
static uint16_t careful_times[CAREFUL_EDGES];

static size_t careful_count(void)
{
    size_t count = (size_t)((uintptr_t)__stop___sancov_cntrs - (uintptr_t)__start___sancov_cntrs);
    return count < CAREFUL_EDGES ? count : CAREFUL_EDGES;
}

void fuzz_careful_step(void)
{
    const size_t count = careful_count();
    if (fuzz_operation == 1) {
        memset(careful_times, 0, sizeof(careful_times));
    }
    for (size_t i = 0; i < count; i++) {
        if (__start___sancov_cntrs[i] != 0 && careful_times[i] < UINT16_MAX) {
            careful_times[i]++;
        }
        __start___sancov_cntrs[i] = 0;
    }
}

void fuzz_careful_say(void)
{
    const size_t count = careful_count();
    size_t said = 0;
    for (uint32_t times = 0; times < UINT16_MAX && said < CAREFUL_SAID_MAX; times++) {
        bool is_last = true;
        for (size_t i = 0; i < count && said < CAREFUL_SAID_MAX; i++) {
            bool has_run = __start___sancov_cntrs[i] != 0;
            is_last &= !has_run || careful_times[i] <= times;
            if (has_run && careful_times[i] == times) {
                said++;
                (void)fprintf(stderr, "heapmill-fuzz: EDGE %" PRIu32 " 0x%" PRIxPTR "\n", times,
                              __start___sancov_pcs[i].address - (uintptr_t)__executable_start);
            }
        }
        if (is_last) {
            break;
        }
    }
}
