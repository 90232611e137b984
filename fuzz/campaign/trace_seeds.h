/* A campaign that begins with what a real program does: a trace, cut into programs of the palette
 * format that block_ops and differential play. One thread.
 *
 * A program is a stretch of the trace. Its four palette entries are the stretch's most frequent
 * sizes; another size becomes that of an entry within 32 bytes where there is one, and else the
 * nearest entry. Which block is given back is kept as long as no more than 256 of the stretch are
 * alive, and which is resized as long as no more than 64 are; beyond, a near one is taken. Blocks
 * from before the stretch are passed over. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_TRACE_SEEDS_H
#define HEAPMILL_FUZZ_CAMPAIGN_TRACE_SEEDS_H

#include <stddef.h>

#include "common/status.h"

/* Can a campaign of that target begin with that trace? STATUS_INVALID: the target plays other
 * programs, or the file is no trace; else as the reader's (traces/reader.h). */
enum status fuzz_trace_check(const char *trace, const char *target, struct error *error);

/* Writes at most FUZZ_TRACE_SEEDS programs of so many operations, from stretches all over the
 * trace, to the directory, which is made, as trace-NUMBER; *count is how many. Errors as the
 * reader's (traces/reader.h); STATUS_IO; STATUS_INVALID: the trace has no events. */
enum { FUZZ_TRACE_SEEDS = 200 };
enum status fuzz_trace_seeds(const char *trace, const char *directory, size_t operations,
                             size_t *count, struct error *error);

#endif
