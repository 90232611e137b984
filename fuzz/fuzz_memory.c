/* What the object layer has of the system beside its heap, without the system: linked in with
 * -Wl,--wrap.
 *
 * The thread's CPU time, by which the collectors measure their pauses: a system call each time, and
 * another one in every run. Here it is a count.
 *
 * Mappings for the object layer's own books, so that opening a runtime, which maps, faults in and
 * unmaps a few tables, costs microseconds instead of a millisecond. What is given back is kept and
 * zeroed when it is handed out again, and poisoned meanwhile under AddressSanitizer. Sizes beyond
 * FUZZ_MEMORY_KEPT_MAX are the system's. It is refused when fuzz_memory_faults says so. */
#include "fuzz/fuzz_memory.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "common/os_memory.h"
#include "fuzz/asan.h"

enum {
    FUZZ_MEMORY_KEPT_MAX = 2 << 20,
    FUZZ_MEMORY_SLOTS = 64,
};

/* The functions' real names under --wrap, which reserves these names. */
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
void *__real_os_map(size_t size);
void *__real_os_map_scratch(size_t size);
void __real_os_unmap(void *address, size_t size);
void *__wrap_os_map(size_t size);
void *__wrap_os_map_scratch(size_t size);
void *__wrap_os_reserve_scratch(size_t size);
bool __wrap_os_commit_scratch(void *address, size_t size);
void __wrap_os_unmap(void *address, size_t size);

static struct fuzz_memory_slot {
    void *address;
    size_t size;
    bool used;
} fuzz_memory_slots[FUZZ_MEMORY_SLOTS];

struct fuzz_memory_faults fuzz_memory_faults;

static bool fuzz_memory_refuses(void)
{
    uint64_t call = ++fuzz_memory_faults.calls;
    bool refused = call >= fuzz_memory_faults.first && call <= fuzz_memory_faults.last;
    fuzz_memory_faults.refused += refused;
    return refused;
}

/* Kept or new memory of that size; NULL: the caller must get it elsewhere. */
static void *fuzz_memory_take(size_t size)
{
    if (size > FUZZ_MEMORY_KEPT_MAX) {
        return NULL;
    }
    for (int i = 0; i < FUZZ_MEMORY_SLOTS; i++) {
        struct fuzz_memory_slot *slot = &fuzz_memory_slots[i];
        if (slot->address == NULL) {
            *slot = (struct fuzz_memory_slot){.address = __real_os_map(size), .size = size};
        }
        if (slot->address != NULL && !slot->used && slot->size == size) {
            slot->used = true;
            FUZZ_UNPOISON(slot->address, size);
            return slot->address;
        }
    }
    return NULL;
}

void *__wrap_os_map(size_t size)
{
    void *address = fuzz_memory_take(size);
    return address == NULL ? __real_os_map(size) : memset(address, 0, size);
}

void *__wrap_os_map_scratch(size_t size)
{
    if (fuzz_memory_refuses()) {
        return NULL;
    }
    void *address = fuzz_memory_take(size);
    return address == NULL ? __real_os_map_scratch(size) : memset(address, 0, size);
}

/* Callers ask for less until they get memory. commit zeroes it. */
void *__wrap_os_reserve_scratch(size_t size)
{
    return fuzz_memory_take(size);
}

bool __wrap_os_commit_scratch(void *address, size_t size)
{
    if (fuzz_memory_refuses()) {
        return false;
    }
    memset(address, 0, size);
    return true;
}

void __wrap_os_unmap(void *address, size_t size)
{
    for (int i = 0; i < FUZZ_MEMORY_SLOTS; i++) {
        if (fuzz_memory_slots[i].address == address && address != NULL) {
            fuzz_memory_slots[i].used = false;
            FUZZ_POISON(address, size);
            return;
        }
    }
    __real_os_unmap(address, size);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    enum { TICK_NS = 1000, TICKS_A_SECOND = 1000000 };
    static long ticks;
    if (clock != CLOCK_THREAD_CPUTIME_ID) {
        return __real_clock_gettime(clock, time);
    }
    ticks++;
    *time = (struct timespec){.tv_sec = ticks / TICKS_A_SECOND,
                              .tv_nsec = ticks % TICKS_A_SECOND * TICK_NS};
    return 0;
}
