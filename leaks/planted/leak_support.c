/* What all kinds share: the draw, the truth's books, and raw blocks. */
#include <stdio.h>
#include <string.h>

#include "leaks/planted/leak.h"
#include "leaks/planted/leak_blocks.h"

const struct leak_kind *leak_kind_find(const char *name)
{
    for (size_t i = 0; leak_kind_table[i] != NULL; i++) {
        if (strcmp(leak_kind_table[i]->name, name) == 0) {
            return leak_kind_table[i];
        }
    }
    return NULL;
}

bool leak_is_due(struct leak_run *run, uint64_t operation)
{
    bool drawn = rng_uniform(&run->rng) < run->rate;
    return !run->clean && (drawn || operation == run->chosen);
}

static void leak_note_site(struct leak_run *run)
{
    struct leak_truth *truth = &run->truth;
    char site[LEAK_SITE_BYTES];
    (void)snprintf(site, sizeof(site), "%s:%d", run->place_file, run->place_line);
    for (size_t i = 0; i < truth->site_count; i++) {
        if (strcmp(truth->sites[i], site) == 0) {
            return;
        }
    }
    if (truth->site_count < LEAK_SITES_MAX) {
        memcpy(truth->sites[truth->site_count++], site, sizeof(site));
    }
}

void leak_plant_object(struct leak_run *run, const struct object *object)
{
    run->truth.objects++;
    run->truth.bytes += object->type->size;
    leak_note_site(run);
}

void leak_plant_block(struct leak_run *run, size_t bytes)
{
    run->truth.blocks++;
    run->truth.bytes += bytes;
    leak_note_site(run);
}

void *leak_alloc_at(struct leak_program *program, size_t bytes, const char *file, int line)
{
    void *block = heap_alloc(program->heap, bytes, HEAP_RAW);
    if (block != NULL) {
        memset(block, 0, bytes); /* no stale pointers in the program's own blocks */
        program->raw_blocks++;
        program->raw_bytes += bytes;
        leak_blocks_birth(block, bytes, file, line);
    }
    return block;
}

void leak_free(struct leak_program *program, void *block, size_t bytes)
{
    program->raw_blocks--;
    program->raw_bytes -= bytes;
    leak_blocks_death(block);
    heap_free(program->heap, block, bytes, HEAP_RAW);
}
