#include "workloads/scratch.h"

#include <stdio.h>
#include <unistd.h>

#include "common/os_memory.h"

/* The header at the beginning of each mapping. */
struct scratch_mapping {
    struct scratch_mapping *older;
    size_t bytes; /* of the mapping, with this header */
};

/* A cache line, so that memory that is handed out shares none with the header. */
enum { SCRATCH_HEADER_BYTES = 64, SCRATCH_PAGE_BYTES = 4096, SCRATCH_REFUSED_EXIT = 3 };

_Static_assert(sizeof(struct scratch_mapping) <= SCRATCH_HEADER_BYTES, "the header fits its line");

void *scratch_take(struct scratch *scratch, size_t bytes)
{
    struct scratch_mapping *mapping = NULL;
    size_t wanted = bytes + SCRATCH_HEADER_BYTES + SCRATCH_PAGE_BYTES - 1;
    wanted -= wanted % SCRATCH_PAGE_BYTES;
    if (wanted > bytes) { /* the size did not overflow */
        mapping = os_map_scratch(wanted);
    }
    if (mapping == NULL) {
        (void)fprintf(stderr,
                      "heapmill: the system refused %zu bytes for the workload's own tables; use "
                      "smaller parameters or fewer iterations\n",
                      bytes);
        _exit(SCRATCH_REFUSED_EXIT);
    }
    *mapping = (struct scratch_mapping){.older = scratch->newest, .bytes = wanted};
    scratch->newest = mapping;
    scratch->mapped_bytes += wanted;
    return (char *)mapping + SCRATCH_HEADER_BYTES;
}

void scratch_release(struct scratch *scratch)
{
    while (scratch->newest != NULL) {
        struct scratch_mapping *mapping = scratch->newest;
        scratch->newest = mapping->older;
        os_unmap(mapping, mapping->bytes);
    }
    *scratch = (struct scratch){0};
}
