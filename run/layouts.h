/* Links of a worker that differ in where its functions lie.
 *
 * Where code falls on cache lines, pages and branch predictors moves times by as much as many a
 * real difference does (Mytkowicz, Diwan, Hauswirth and Sweeney 2009, "Producing Wrong Data Without
 * Doing Anything Obviously Wrong!"), and by the same amount in every round of one program. So a
 * cell of a round runs in one of several links of its worker: the same machine code, every function
 * in another place. Layout is then noise that an interval accounts for, as Stabilizer has it
 * (Curtsinger and Berger 2013), without anything inside the worker. docs/decisions/0005-layouts.md
 *
 * CMake leaves beside each worker how it was linked (PROGRAM.link, workloads/record_link.sh). A
 * link is made from that when it is first needed, with the linker that made the worker, and kept in
 * layouts/ until the worker is built again. */
#ifndef HEAPMILL_RUN_LAYOUTS_H
#define HEAPMILL_RUN_LAYOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "run/registry.h"

/* Tells whether links of the program can be made here. An installed heapmill has no object files
 * for them. */
bool layouts_known(const struct registry *registry, const char *program);

/* Returns how many links a cell uses in so many rounds (0: not known beforehand). The cell's own
 * choice of links leaves 1/sqrt(links) of the noise of layout, which should stay below the noise
 * that the rounds leave. */
unsigned layouts_for_rounds(uint64_t rounds);

/* Returns in which of `count` links a round's cell runs, from 0. Each link has its turn once in
 * every `count` rounds, in an order that `seed` and `cell` decide. */
unsigned layouts_draw(uint64_t seed, const char *cell, uint32_t round, unsigned count);

struct layouts_wanted {
    const char *program; /* borrowed */
    unsigned number;     /* of the link */
};

/* Makes those links that are not there or are of an older build, on all processors that heapmill
 * may use. *made, unless NULL, counts them. STATUS_NOT_FOUND: no record of how a program was
 * linked; STATUS_UNSUPPORTED: the linker is gone or fails, with its words; STATUS_IO;
 * STATUS_INTERRUPTED. 0.1 s of CPU time and 0.6 MB each. */
enum status layouts_make(const struct registry *registry, const struct layouts_wanted *wanted,
                         size_t count, unsigned *made, struct error *error);

/* The same of one link, whose name is given as registry_program_path takes it; the caller frees. */
enum status layouts_program(const struct registry *registry, const char *program, unsigned number,
                            char **name, unsigned *made, struct error *error);

#endif
