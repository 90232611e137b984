/* Turns events of blocks with addresses, from recorders and other programs' files, into a trace, in
 * which addresses become slots. One thread.
 *
 * A block that does not belong to the trace (allocated before the recording, or in the parent of a
 * fork, or left out by sampling) is ignored. Unless sampling left it out, it is counted. */
#ifndef HEAPMILL_TRACES_HOST_INTAKE_H
#define HEAPMILL_TRACES_HOST_INTAKE_H

#include <jansson.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/status.h"
#include "traces/host/writer.h"

struct intake_place;

struct trace_intake {
    struct trace_writer *writer;
    struct intake_place *places; /* open addressing by address; their number is a power of two */
    size_t place_count;
    size_t used;
    uint64_t *moving; /* by thread: the slot + 1 of a block that is being moved; 0: none */
    size_t moving_count;
    size_t moves;    /* number of entries in moving that are not 0 */
    uint32_t thread; /* of the last event */
    uint64_t sample; /* one block in this many is kept */
    struct rng rng;
    uint64_t strangers; /* gives of blocks that do not belong to the trace */
    uint64_t doubles;   /* takes at an address that was not freed */
    uint64_t refused;   /* blocks beyond the format's bounds */
};

/* As trace_writer_open. A sample of 1 keeps every block. */
enum status trace_intake_open(struct trace_intake *intake, const char *path,
                              const json_t *description, int level, uint64_t sample,
                              struct error *error);

/* As in preload/forward.h. A move of a thread is `gives` with TRACE_REALLOC or TRACE_REALLOCARRAY,
 * followed by its `took` with the same member, or its `keeps`. site 0: none. */
void trace_intake_took(struct trace_intake *intake, uint32_t thread, enum trace_member member,
                       uint64_t address, uint64_t size, uint64_t alignment, uint32_t site);
void trace_intake_gives(struct trace_intake *intake, uint32_t thread, enum trace_member member,
                        uint64_t address);
void trace_intake_keeps(struct trace_intake *intake, uint32_t thread, uint64_t address);

/* As trace_writer_close. Writes the numbers of ignored events, and the members of `more`, into the
 * end frame. */
enum status trace_intake_close(struct trace_intake *intake, json_t *more, struct error *error);

#endif
