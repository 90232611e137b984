/* What the kernel says of this process's memory. Nothing here allocates: buffers are on the stack,
 * files are read with read(2). Safe from any thread. */
#ifndef HEAPMILL_COMMON_OS_MEMORY_H
#define HEAPMILL_COMMON_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

struct os_memory {
    uint64_t rss_bytes;       /* all that is resident, files and shared memory too */
    uint64_t anonymous_bytes; /* private anonymous, resident */
    uint64_t swap_bytes;
    uint64_t lazyfree_bytes; /* given back by MADV_FREE, not yet taken */
    uint64_t huge_bytes;     /* of the anonymous, in transparent huge pages */
};

struct os_faults {
    uint64_t minor;
    uint64_t major;
    uint64_t switches_voluntary;
    uint64_t switches_involuntary;
};

/* Reads /proc/self/smaps_rollup. Costs 20 us and more: never inside a timed part. */
enum status os_memory_read(struct os_memory *memory, struct error *error);

/* Anonymous resident + swapped − LazyFree: what an allocator holds, seen from outside. */
uint64_t os_memory_held_bytes(const struct os_memory *memory);

/* The most that this program has had resident since its exec (VmHWM), in bytes; 0 where /proc does
 * not say. Not ru_maxrss, which Linux carries over fork and exec: a small program started by a
 * large one would report the large one's peak. */
uint64_t os_memory_rss_peak_bytes(void);

/* getrusage(RUSAGE_SELF). */
void os_faults_read(struct os_faults *faults);

/* Maps size bytes of zeroed private memory; NULL when the system refuses. */
void *os_map(size_t size);
void os_unmap(void *address, size_t size);

/* Maps zeroed memory for the harness's own books: shared anonymous memory, so that it is never
 * counted among a heap's anonymous pages; populated, so that using it faults nothing in. NULL when
 * the system refuses. Release with os_unmap. */
void *os_map_scratch(size_t size);

/* Reserves address space for scratch that grows where it is; no memory yet. NULL when the system
 * refuses. Release with os_unmap. */
void *os_reserve_scratch(size_t size);
/* Makes a part of it usable and faults it in: zeroed, as os_map_scratch. Pages at its edges that
 * were usable stay as they are. false when the system refuses; some pages may be usable then. */
bool os_commit_scratch(void *address, size_t size);

#endif
