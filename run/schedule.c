#include "run/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "common/rng.h"

static const char *schedule_group(const json_t *cells, size_t index)
{
    return json_string_value(json_object_get(json_array_get(cells, index), "group"));
}

/* Puts where each group begins into begins; returns their number. A group's cells are next to each
 * other in the plan. */
static size_t schedule_find_groups(const json_t *cells, uint32_t *begins)
{
    size_t groups = 0;
    for (size_t i = 0; i < json_array_size(cells); i++) {
        if (i == 0 || strcmp(schedule_group(cells, i), schedule_group(cells, i - 1)) != 0) {
            begins[groups++] = (uint32_t)i;
        }
    }
    begins[groups] = (uint32_t)json_array_size(cells);
    return groups;
}

void schedule_round(const json_t *cells, uint64_t seed, uint32_t round, uint32_t *order)
{
    size_t count = json_array_size(cells);
    uint32_t *begins = text_grow(NULL, count + 1, sizeof(*begins));
    uint32_t *groups = text_grow(NULL, count + 1, sizeof(*groups));
    size_t group_count = schedule_find_groups(cells, begins);
    for (size_t i = 0; i < group_count; i++) {
        groups[i] = (uint32_t)i;
    }
    struct rng rng;
    rng_seed(&rng, schedule_seed(seed, round, "order"));
    rng_shuffle_u32(&rng, groups, group_count);
    size_t filled = 0;
    for (size_t i = 0; i < group_count; i++) {
        uint32_t begin = begins[groups[i]];
        uint32_t end = begins[groups[i] + 1];
        uint32_t *first = order + filled;
        for (uint32_t cell = begin; cell < end; cell++) {
            order[filled++] = cell;
        }
        rng_shuffle_u32(&rng, first, end - begin);
    }
    free(begins);
    free(groups);
}

uint64_t schedule_seed(uint64_t seed, uint32_t round, const char *group)
{
    uint64_t state = seed;
    uint64_t mixed = rng_splitmix(&state) ^ round;
    for (const char *next = group; *next != '\0'; next++) {
        mixed = rng_splitmix(&mixed) ^ (unsigned char)*next;
    }
    return rng_splitmix(&mixed) >> 11;
}
