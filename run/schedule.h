/* In which order the cells of a round run: a function of the seed, the round and the plan's cells,
 * and of nothing else. Groups come in a shuffled order; a group's cells run next to each other,
 * shuffled too, so that what the machine does at a moment falls on both sides of a pair. */
#ifndef HEAPMILL_RUN_SCHEDULE_H
#define HEAPMILL_RUN_SCHEDULE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Fills order[json_array_size(cells)] with the indices of the plan's cells. */
void schedule_round(const json_t *cells, uint64_t seed, uint32_t round, uint32_t *order);

/* The seed that all cells of a group get in a round: below 2^53, so that every reader of JSON keeps
 * it whole. */
uint64_t schedule_seed(uint64_t seed, uint32_t round, const char *group);

#endif
