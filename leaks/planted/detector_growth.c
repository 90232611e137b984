/* The detector `growth`: the same step again and again; what grows in every counted step leaks. A
 * cache that fills and a free list that is built up stop growing, and a count that swings goes down
 * as often as up. */
#include "leaks/planted/leak_detector.h"

enum { GROWTH_OBJECTS, GROWTH_BLOCKS, GROWTH_BYTES, GROWTH_MEASURES };

static uint64_t growth_seen[LEAK_STEPS][GROWTH_MEASURES];

static void growth_after_step(struct leak_program *program, size_t step)
{
    leak_collect_as_program(program);
    growth_seen[step][GROWTH_OBJECTS] = runtime_objects_live(program->runtime);
    growth_seen[step][GROWTH_BLOCKS] = program->raw_blocks;
    growth_seen[step][GROWTH_BYTES] = program->raw_bytes;
}

/* What the measure has grown by over the counted steps; 0 unless every step has added to it. */
static uint64_t growth_of(int measure)
{
    for (size_t step = LEAK_STEPS_WARM; step < LEAK_STEPS; step++) {
        if (growth_seen[step][measure] <= growth_seen[step - 1][measure]) {
            return 0;
        }
    }
    return growth_seen[LEAK_STEPS - 1][measure] - growth_seen[LEAK_STEPS_WARM - 1][measure];
}

static void growth_answer(struct leak_program *program, struct leak_answer *answer)
{
    (void)program;
    uint64_t objects = growth_of(GROWTH_OBJECTS);
    uint64_t blocks = growth_of(GROWTH_BLOCKS);
    uint64_t bytes = growth_of(GROWTH_BYTES);
    if (objects > 0) {
        leak_answer_find(answer, "", "object")->count = objects;
    }
    if (blocks > 0 || bytes > 0) {
        struct leak_report *report = leak_answer_find(answer, "", "block");
        report->count = blocks;
        report->bytes = bytes;
    }
}

const struct leak_detector leak_detector_growth = {
    .name = "growth",
    .after_step = growth_after_step,
    .answer = growth_answer,
};
