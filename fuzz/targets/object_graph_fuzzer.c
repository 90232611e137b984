/* object_graph: compares the object layer (gc/object.h, class.h, weakref.h) with a shadow graph.
 *
 * A program has sixteen names over containers of all types, atoms, instances with finalizers, and
 * weak references. It rebinds names, makes cycles and chains, collects at any moment and with any
 * policy, and lets allocations fail at any moment. Oracles: exact counts; contents of every
 * reachable object; the number of live objects; finalizers run once, and only for dead objects;
 * weak references; the state after a refused allocation; gc_check and heap_check; everything is
 * given back at the end. */
#include <inttypes.h>
#include <string.h>

#include "fuzz/targets/object_graph_collector.h"
#include "fuzz/targets/object_graph_introspection.h"
#include "fuzz/targets/object_graph_steps.h"

#include "fuzz/fuzz_target.h"
#include "fuzz/mutator.h"

#include "gc/object.h"

/* Flags of the input's first byte; the lowest three are the collector's. */
enum graph_flag {
    GRAPH_FLAG_CHECK_OFTEN = 1u << 3,
    GRAPH_FLAG_UNALIGNED = 1u << 4,
    GRAPH_FLAGS_CLASSLESS = 7u << 5, /* all three: a runtime that has never had a class */
    GRAPH_FLAGS_WEAKLESS = 6u << 5,  /* these two alone: no instance can be weakly referenced */
    GRAPH_FLAGS_PROMPTNESS = 3u << 5,
    GRAPH_FLAG_PROMPT = 1u << 5, /* of these two: what is left at the end is waited for */
};

enum { GRAPH_LEGACY_ROUNDS = 4 /* a cycle that another one holds dies with it */ };

static const char *const graph_kind_names[PALETTE_KINDS] = {
    "new_container", "new_instance", "new_atom", "assign", "delete_name", "put",
    "set",           "remove",       "clear",    "load",   "cycle",       "chain",
    "collect",       "check",        "refuse",   "weak"};

/* ---------------------------------------------------------------- begin and end */
static bool graph_make_classes(struct shadow *shadow, const struct palette *palette)
{
    for (int i = 0; i < SHADOW_NAMES; i++) {
        char text[8];
        int length = snprintf(text, sizeof(text), "key%d", i);
        shadow->keys[i] = str_intern(shadow->runtime, text, (size_t)length);
        if (shadow->keys[i] == NULL) {
            return false;
        }
    }
    if ((palette->flags & GRAPH_FLAGS_CLASSLESS) == GRAPH_FLAGS_CLASSLESS) {
        return true;
    }
    const bool is_weakless = (palette->flags & GRAPH_FLAGS_CLASSLESS) == GRAPH_FLAGS_WEAKLESS;
    for (int i = 0; i < (graph_has_deeds(palette) ? 4 : 3); i++) {
        shadow->contexts[i] =
            (struct shadow_class){shadow, (enum shadow_kind)(SHADOW_OF_CLASS + i)};
        struct class_hooks hooks = {.finalize = i == 0 || i == 3 ? NULL : shadow_finalizer,
                                    .finalize_legacy = i == 3 ? shadow_finalizer : NULL,
                                    .context = &shadow->contexts[i],
                                    .without_weakrefs = is_weakless};
        shadow->classes[i] =
            class_new(shadow->runtime, "class", i == 0 && !is_weakless ? NULL : &hooks);
    }
    return shadow->classes[0] != NULL && shadow->classes[1] != NULL && shadow->classes[2] != NULL;
}

static void graph_release_classes(struct shadow *shadow)
{
    for (int i = 0; i < 4; i++) {
        object_xdecref(shadow->runtime, shadow->classes[i]);
    }
    for (int i = 0; i < SHADOW_NAMES; i++) {
        object_xdecref(shadow->runtime, shadow->keys[i]);
    }
    for (unsigned i = 0; i < shadow->wide_key_count; i++) {
        object_decref(shadow->runtime, shadow->wide_keys[i]);
    }
}

static void graph_close(struct shadow *shadow)
{
    uint64_t left = runtime_close(shadow->runtime);
    FUZZ_EXPECT(left == 0, "leak", "%" PRIu64 " objects are left at the end", left);
    FUZZ_EXPECT(heap_check(&shadow->heap) == 0, "check", "invariants of the heap are broken");
    heap_close(&shadow->heap);
    fuzz_os_expect_balanced(&shadow->os);
}

static bool graph_open(struct shadow *shadow, const struct palette *palette)
{
    memset(shadow->names, -1, sizeof(shadow->names));
    memset(shadow->weakrefs, 0, sizeof(shadow->weakrefs));
    memset(shadow->keys, 0, sizeof(shadow->keys));
    memset(shadow->classes, 0, sizeof(shadow->classes));
    shadow->rescued_count = 0;
    shadow->wide_key_count = 0;
    shadow->fresh = 0;
    shadow->first_free = 0;
    shadow->next_serial = 100000; /* not cached small ints */
    shadow->may_have_dicts = false;
    heap_faults = (struct heap_faults){0};
    fuzz_memory_faults = (struct fuzz_memory_faults){0};
    fuzz_os_begin(&shadow->os, FUZZ_OS_LOWEST, (palette->flags & GRAPH_FLAG_UNALIGNED) != 0);
    struct heap_options options = {.os = shadow->os.hooks, .window_bytes = 64 << 20};
    if (heap_open(&shadow->heap, &options, NULL) != STATUS_OK) {
        return false;
    }
    shadow->runtime = runtime_open_with(&shadow->heap, graph_policy(palette), NULL);
    FUZZ_EXPECT(shadow->runtime != NULL, "open", "a runtime cannot be opened");
    bool made = graph_make_classes(shadow, palette);
    FUZZ_EXPECT(made, "open", "classes cannot be made");
    shadow->is_frozen = false;
    shadow->is_ending = false;
    shadow->garbage_noted = 0;
    graph_configure(shadow, palette);
    shadow->objects_base = runtime_objects_live(shadow->runtime);
    shadow->is_exact = true;
    graph_watch_open(shadow, graph_has_deeds(palette));
    graph_deeds_open(shadow, palette);
    return true;
}

/* Breaks legacy cycles until there is nothing uncollectable. */
static void graph_end_legacy(struct shadow *shadow)
{
    for (int i = 0; i < GRAPH_LEGACY_ROUNDS && shadow->classes[3] != NULL; i++) {
        graph_drop_rescued(shadow);
        graph_collect(shadow, GC_GENERATIONS - 1);
        graph_break_legacy(shadow);
        graph_clear_garbage(shadow);
    }
}

static void graph_end(struct shadow *shadow, const struct palette *palette)
{
    heap_faults = (struct heap_faults){0};
    fuzz_memory_faults = (struct fuzz_memory_faults){0};
    graph_deeds_close(shadow);
    shadow_verify_all(shadow);
    if ((palette->flags & GRAPH_FLAGS_PROMPTNESS) == GRAPH_FLAG_PROMPT) {
        graph_watch_promptness(shadow);
    }
    graph_unfreeze(shadow);
    graph_save_all(shadow, false);
    graph_clear_garbage(shadow);
    graph_collect(shadow, GC_GENERATIONS - 1);
    shadow_verify_all(shadow);
    for (unsigned i = 0; i < SHADOW_NAMES; i++) {
        graph_bind(shadow, i, SHADOW_NONE);
    }
    /* An object that a finalizer rescues now has been finalized, and dies in the next round. An
     * immortal object dies at the close. */
    graph_end_legacy(shadow);
    graph_drop_rescued(shadow);
    graph_collect(shadow, GC_GENERATIONS - 1);
    graph_drop_rescued(shadow);
    graph_collect(shadow, GC_GENERATIONS - 1);
    shadow_verify_all(shadow);
    for (int i = 0; i < SHADOW_WEAKREFS; i++) {
        graph_drop_weakref(shadow, &shadow->weakrefs[i]);
    }
    graph_watch_close(shadow);
    shadow->is_ending = true;
    graph_release_classes(shadow);
    graph_close(shadow);
}

static void graph_run(const uint8_t *data, size_t size)
{
    /* A ring that overwrites long-lived blocks cannot hold objects. */
    if ((HEAP_CAPABILITIES & HEAP_KEEPS_CONTENTS) == 0) {
        return;
    }
    struct shadow *shadow = &object_graph_shadow;
    struct palette palette;
    fuzz_begin();
    palette_read(&palette, data, size);
    if (!graph_open(shadow, &palette)) {
        return;
    }
    size_t period = palette.flags & GRAPH_FLAG_CHECK_OFTEN ? 32 : 512;
    for (size_t at = 0; at < palette.count; at++) {
        fuzz_count_operation();
        graph_step(shadow, &palette, at);
        if (at % period == period - 1 || fuzz_is_careful) {
            shadow_verify_all(shadow);
        }
    }
    graph_end(shadow, &palette);
}

static void graph_print(const uint8_t *data, size_t size, FILE *out)
{
    struct palette palette;
    palette_read(&palette, data, size);
    (void)fprintf(out, "# palette-1, %zu operations; policy %s; collection %s; deeds %#x\n",
                  palette.count, gc_policy_name(graph_policy(&palette)),
                  graph_is_automatic(&palette) ? "automatic" : "by hand", palette.faults);
    for (size_t at = 0; at < palette.count; at++) {
        unsigned argument = palette_argument(&palette, at);
        (void)fprintf(out, "%-13s name %u, other %u\n",
                      graph_kind_names[palette_kind(&palette, at)], argument & 15, argument >> 4);
    }
}

const struct fuzz_target fuzz_target_object_graph = {
    .name = "object_graph",
    .summary = "names, containers, cycles, collections, failures against a shadow graph",
    .format = "palette-1",
    .run = graph_run,
    .print = graph_print,
    .mutate = mutator_mutate,
    .cross = mutator_cross,
    .generate = palette_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    graph_run(data, size);
    return 0;
}
