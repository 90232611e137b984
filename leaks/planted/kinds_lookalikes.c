/* What looks like a leak and is none: free lists that keep blocks, arenas that are retained,
 * objects that are immortal. */
#include <stdio.h>

#include "gc/introspect.h"
#include "leaks/planted/leak.h"

/* Many floats, ints and lists at once, all released: type-specific free lists keep their blocks. */
static void lookalikes_free_lists(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    struct object *values = list_new(runtime);
    bool made = values != NULL;
    for (uint64_t i = 0; i < run->number && made; i++) {
        struct object *value = i % 3 == 0   ? float_new(runtime, (double)i)
                               : i % 3 == 1 ? int_new(runtime, (int64_t)i + 1000)
                                            : list_new(runtime);
        made = value != NULL && list_append(runtime, values, value);
        object_xdecref(runtime, value);
    }
    object_xdecref(runtime, values);
    if (!made) {
        run->failed = "heap exhausted";
    }
}

/* One block in 64 of a burst is kept until the next step: arenas stay, nearly empty. */
static void lookalikes_arenas(struct leak_run *run)
{
    enum { BURST_BYTES = 256, KEPT = LEAK_STATE_WORDS / 2, EACH = 64 };
    struct leak_program *program = &run->program;
    void **burst = &program->state[KEPT]; /* in flight, at most KEPT */
    for (uint64_t i = 0; i < run->number; i++) {
        void **slot = i % EACH == 0 ? &program->state[i / EACH % KEPT] : &burst[i % KEPT];
        if (*slot != NULL) {
            leak_free(program, *slot, BURST_BYTES);
        }
        *slot = leak_alloc(program, BURST_BYTES);
        if (*slot == NULL) {
            run->failed = "heap exhausted";
            return;
        }
    }
    for (size_t i = 0; i < KEPT; i++) {
        if (burst[i] != NULL) {
            leak_free(program, burst[i], BURST_BYTES);
            burst[i] = NULL;
        }
    }
}

/* Sixteen names that live for ever, made when they are first wanted. */
static void lookalikes_immortals(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        char text[16];
        int length = snprintf(text, sizeof(text), "eternal_%u", (unsigned)(i % 16));
        struct object *name = str_intern(runtime, text, (size_t)length);
        if (name == NULL || (!object_is_immortal(name) && !object_immortalize(runtime, name))) {
            run->failed = "heap exhausted";
            return;
        }
        object_decref(runtime, name);
    }
}

const struct leak_kind leak_kind_free_lists = {
    .name = "free_lists",
    .summary = "blocks that free lists keep: no leak",
    .only_clean = true,
    .step = lookalikes_free_lists,
};
const struct leak_kind leak_kind_retained_arenas = {
    .name = "retained_arenas",
    .summary = "arenas that a few live blocks keep: no leak",
    .only_clean = true,
    .step = lookalikes_arenas,
};
const struct leak_kind leak_kind_immortals = {
    .name = "immortals",
    .summary = "objects that are immortal: no leak",
    .only_clean = true,
    .step = lookalikes_immortals,
};
