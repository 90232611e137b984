#include "common/os_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* smaps_rollup and status have some 60 lines of at most 60 bytes. */
enum { PROC_BYTES_MAX = 8192 };

/* The value in bytes of a line "Name:   123 kB", 0 when there is no such line. */
static uint64_t read_field_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    if (line == NULL) {
        return 0;
    }
    return strtoull(line + strlen(name), NULL, 10) * 1024u;
}

/* Reads a small file of /proc whole, zero-terminated; false with errno set when it cannot be
 * opened. */
static bool read_proc_file(const char *path, char text[PROC_BYTES_MAX])
{
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    for (;;) {
        ssize_t got = read(fd, text + length, PROC_BYTES_MAX - 1 - length);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    close(fd);
    text[length] = '\0';
    return true;
}

enum status os_memory_read(struct os_memory *memory, struct error *error)
{
    char text[PROC_BYTES_MAX];
    if (!read_proc_file("/proc/self/smaps_rollup", text)) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "cannot read /proc/self/smaps_rollup (%s): memory figures need Linux 4.14 "
                         "or later with /proc mounted",
                         strerror(errno));
    }
    memory->rss_bytes = read_field_bytes(text, "\nRss:");
    memory->anonymous_bytes = read_field_bytes(text, "\nAnonymous:");
    memory->swap_bytes = read_field_bytes(text, "\nSwap:");
    memory->lazyfree_bytes = read_field_bytes(text, "\nLazyFree:");
    memory->huge_bytes = read_field_bytes(text, "\nAnonHugePages:");
    return STATUS_OK;
}

uint64_t os_memory_rss_peak_bytes(void)
{
    char text[PROC_BYTES_MAX];
    return read_proc_file("/proc/self/status", text) ? read_field_bytes(text, "\nVmHWM:") : 0;
}

uint64_t os_memory_held_bytes(const struct os_memory *memory)
{
    uint64_t held = memory->anonymous_bytes + memory->swap_bytes;
    return held > memory->lazyfree_bytes ? held - memory->lazyfree_bytes : 0;
}

void os_faults_read(struct os_faults *faults)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    faults->minor = (uint64_t)usage.ru_minflt;
    faults->major = (uint64_t)usage.ru_majflt;
    faults->switches_voluntary = (uint64_t)usage.ru_nvcsw;
    faults->switches_involuntary = (uint64_t)usage.ru_nivcsw;
}

void *os_map(size_t size)
{
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

void os_unmap(void *address, size_t size)
{
    if (address != NULL) {
        (void)munmap(address, size);
    }
}

void *os_map_scratch(size_t size)
{
    void *address =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

void *os_reserve_scratch(size_t size)
{
    void *address = mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

/* Linux 5.14. Its fault is reported; that of a store would be a signal. */
static bool os_populate(unsigned char *begin, size_t size)
{
    enum { OS_MADV_POPULATE_WRITE = 23, OS_PAGE_BYTES = 4096 };
    if (madvise(begin, size, OS_MADV_POPULATE_WRITE) == 0) {
        return true;
    }
    if (errno != EINVAL) {
        return false;
    }
    for (size_t i = 0; i < size; i += OS_PAGE_BYTES) {
        /* Reading and writing back leaves the edges' contents alone. */
        volatile unsigned char *byte = begin + i;
        // cppcheck-suppress selfAssignment
        *byte = *byte;
    }
    return true;
}

bool os_commit_scratch(void *address, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)address & ~(page - 1);
    uintptr_t end = ((uintptr_t)address + size + page - 1) & ~(page - 1);
    return mprotect((void *)begin, end - begin, PROT_READ | PROT_WRITE) == 0 &&
           os_populate((unsigned char *)begin, end - begin);
}
