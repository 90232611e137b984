/* The functions of harness.py, over gc/: each does the same to the counts, at the same moments. */
#include "gc/tests/python/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/introspect.h"
#include "gc/runtime.h"
#include "gc/tests/python/nodes.h"
#include "gc/tests/python/order.h"
#include "gc/weakref.h"

enum { RUN_LINE_BYTES = 600, RUN_LINES_MAX = 4000, RUN_SAVED_MAX = 200 };

struct run_watch {
    int number;
    int name;
};

static struct {
    struct runtime *runtime;
    const struct program *program;
    struct object *names[PROGRAM_NAMES];
    struct object *watches[PROGRAM_WATCHES];
    struct object *saved[RUN_SAVED_MAX];
    int saved_length;
    struct object *keys[PROGRAM_FIELDS];
    struct run_watch hooks[PROGRAM_STEPS_MAX];
    int hooks_length;
    int serial;
    bool ending; /* nothing is saved any more */
    char lines[RUN_LINES_MAX][RUN_LINE_BYTES];
    int lines_length;
} run;

/* ---------------------------------------------------------------- the log */
static char *run_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *run_log(const char *format, ...)
{
    va_list arguments;
    if (run.lines_length == RUN_LINES_MAX) {
        abort();
    }
    char *line = run.lines[run.lines_length++];
    va_start(arguments, format);
    vsnprintf(line, RUN_LINE_BYTES, format, arguments);
    va_end(arguments);
    return line;
}

/* Adds " LABEL" to a line: a number, T for a tuple, W for a weak reference, nothing for others. */
static int run_add_label(struct object *object, void *context)
{
    char *line = context;
    size_t length = strlen(line);
    const char *space = length > 0 && line[length - 1] == ' ' ? "" : " ";
    if (node_is_one(object) && node_number(object) >= 0) {
        snprintf(line + length, RUN_LINE_BYTES - length, "%s%d", space, node_number(object));
    } else if (object_is(object, &tuple_type) || object_is(object, &weakref_type)) {
        const char *label = object_is(object, &tuple_type) ? "T" : "W";
        snprintf(line + length, RUN_LINE_BYTES - length, "%s%s", space, label);
    }
    return 0;
}

static int run_add_node(struct object *object, void *context)
{
    return node_is_one(object) ? run_add_label(object, context) : 0;
}

/* ---------------------------------------------------------------- finalizers and callbacks */
static void run_finalized(struct runtime *runtime, struct object *self, enum program_kind kind)
{
    order_track_anew(runtime, self);
    run_log("del %d", node_number(self));
    if ((kind == KIND_SAVES || kind == KIND_LEGACY_SAVES) && !run.ending) {
        run.saved[run.saved_length++] = object_incref(self);
    } else if (kind == KIND_CLEARS) {
        node_set_field(runtime, self, 0, NULL);
    } else if (kind == KIND_MAKES) {
        struct object *made = node_new(runtime, KIND_PLAIN, &run.serial);
        node_set_field(runtime, self, 2, made);
        object_decref(runtime, made);
    }
}

static void run_store(struct object **place, struct object *object)
{
    struct object *old = *place;
    *place = object;
    object_xdecref(run.runtime, old);
}

static void run_called(struct runtime *runtime, struct object *weakref, struct object *owned,
                       void *context)
{
    (void)runtime;
    (void)weakref;
    (void)owned;
    run_log("call %d", ((struct run_watch *)context)->number);
}

static void run_called_and_drops(struct runtime *runtime, struct object *weakref,
                                 struct object *owned, void *context)
{
    const struct run_watch *watch = context;
    run_called(runtime, weakref, owned, context);
    if (run.watches[watch->name] == weakref) {
        run_store(&run.watches[watch->name], NULL);
    }
}

static void run_phase(struct runtime *runtime, const struct gc_event *event, void *context)
{
    (void)runtime;
    (void)context;
    if (event->phase == GC_PHASE_START) {
        run_log("start %d", event->generation);
    } else {
        run_log("stop %d %llu %llu", event->generation, (unsigned long long)event->collected,
                (unsigned long long)event->uncollectable);
    }
}

/* ---------------------------------------------------------------- steps */
/* What Python's local variables keep alive until the function returns. */
static struct object *run_local(struct object *object)
{
    return object == NULL ? NULL : object_incref(object);
}

static void run_new(const int *at)
{
    struct object *made = node_new(run.runtime, (enum program_kind)at[0], &run.serial);
    run_store(&run.names[at[1]], made);
}

static void run_put(const int *at)
{
    struct object *object = run.names[at[0]];
    struct object *value = run.names[at[2]];
    int field = at[1] % PROGRAM_FIELDS;
    if (node_is_slotted(object)) {
        node_set_field(run.runtime, object, field, value);
    } else if (object != NULL && value != NULL && object_is(object, &list_type)) {
        (void)list_append(run.runtime, object, value);
    } else if (object != NULL && value != NULL && object_is(object, &dict_type)) {
        (void)dict_set(run.runtime, object, run.keys[field], value);
    }
}

static void run_take(const int *at)
{
    struct object *object = run_local(run.names[at[1]]);
    struct object *value = NULL;
    int field = at[2] % PROGRAM_FIELDS;
    if (node_is_slotted(object)) {
        value = node_field(object, field);
    } else if (object != NULL && object_is(object, &list_type)) {
        size_t length = list_length(object);
        value = length == 0 ? NULL : list_item(object, (size_t)at[2] % length);
    } else if (object != NULL && object_is(object, &dict_type)) {
        value = dict_get(object, run.keys[field]);
    }
    run_store(&run.names[at[0]], run_local(value));
    object_xdecref(run.runtime, object);
}

static void run_cut(const int *at)
{
    struct object *object = run.names[at[0]];
    int field = at[1] % PROGRAM_FIELDS;
    if (node_is_slotted(object)) {
        node_set_field(run.runtime, object, field, NULL);
    } else if (object != NULL && object_is(object, &list_type)) {
        if (list_length(object) > 0) {
            list_delete(run.runtime, object, (size_t)at[1] % list_length(object));
        }
    } else if (object != NULL && object_is(object, &dict_type)) {
        (void)dict_delete(run.runtime, object, run.keys[field]);
    }
}

static void run_empty_object(struct object *object)
{
    if (node_is_slotted(object)) {
        for (int i = 0; i < PROGRAM_FIELDS; i++) {
            node_set_field(run.runtime, object, i, NULL);
        }
    } else if (object != NULL && object_is(object, &list_type)) {
        list_clear(run.runtime, object);
    } else if (object != NULL && object_is(object, &dict_type)) {
        dict_clear(run.runtime, object);
    }
}

static void run_empty(const int *at)
{
    run_empty_object(run.names[at[0]]);
}

static void run_insert(const int *at)
{
    struct object *object = run.names[at[0]];
    struct object *value = run.names[at[2]];
    if (object != NULL && value != NULL && object_is(object, &list_type)) {
        size_t length = list_length(object);
        (void)list_insert(run.runtime, object, (size_t)at[1] % (length + 1), value);
    }
}

static void run_copy(const int *at)
{
    run_store(&run.names[at[0]], run_local(run.names[at[1]]));
}

static void run_drop(const int *at)
{
    run_store(&run.names[at[0]], NULL);
}

/* Nothing is an atom in a tuple, as None is. */
static void run_pair(const int *at)
{
    struct object *tuple = tuple_new(run.runtime, 2);
    for (int i = 0; i < 2; i++) {
        struct object *item = run.names[at[i + 1]];
        tuple_give_item(tuple, (size_t)i,
                        item == NULL ? int_new(run.runtime, 0) : object_incref(item));
    }
    run_store(&run.names[at[0]], tuple);
}

static void run_unsave(const int *at)
{
    (void)at;
    if (run.saved_length > 0) {
        object_decref(run.runtime, run.saved[--run.saved_length]);
    }
}

static void run_watch(const int *at)
{
    struct object *object = run.names[at[1]];
    if (!node_is_slotted(object) || (run.program->counted && weakref_count(object) > 0)) {
        return;
    }
    struct run_watch *watch = &run.hooks[run.hooks_length++];
    struct weakref_hooks hooks = {.callback = at[2] == 1 ? run_called : run_called_and_drops,
                                  .context = watch};
    struct object *weakref = weakref_new(run.runtime, object, at[2] == 0 ? NULL : &hooks);
    if (at[2] != 0) {
        *watch = (struct run_watch){run.serial++, at[0]};
    }
    run_store(&run.watches[at[0]], weakref);
}

static void run_unwatch(const int *at)
{
    run_store(&run.watches[at[0]], NULL);
}

static void run_look(const int *at)
{
    if (run.watches[at[0]] == NULL) {
        run_log("look -");
        return;
    }
    struct object *got = weakref_get(run.runtime, run.watches[at[0]]);
    if (got == NULL) {
        run_log("look dead");
    } else {
        run_log("look %d", node_number(got));
        object_decref(run.runtime, got);
    }
}

static void run_same(const int *at)
{
    run_log("same %d", run.watches[at[0]] == run.watches[at[1]]);
}

static void run_watched(const int *at)
{
    struct object *object = run.names[at[0]];
    run_log("watched %d", node_is_slotted(object) ? (int)weakref_count(object) : 0);
}

static void run_tracked(const int *at)
{
    struct object *object = run.names[at[0]];
    run_log("tracked %d %d", object != NULL && gc_is_tracked(object),
            object != NULL && gc_is_finalized(object));
}

static void run_count(const int *at)
{
    if (run.names[at[0]] != NULL) {
        run_log("count %d", (int)object_getrefcount(run.names[at[0]]));
    }
}

static void run_referents(const int *at)
{
    char *line = run_log("referents ");
    if (run.names[at[0]] != NULL) {
        (void)gc_visit_referents(run.names[at[0]], run_add_label, line);
    }
}

/* Python's come by generations, gc/'s by the registry: sorted, as texts, they are the same. */
static int run_compare_labels(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* CPython does not look among the frozen. */
static int run_add_referrer(struct object *object, void *context)
{
    return object->index < run.runtime->collector.registry.starts[GC_GENERATIONS - 1]
               ? 0
               : run_add_label(object, context);
}

static void run_referrers(const int *at)
{
    char found[RUN_LINE_BYTES] = "";
    char *labels[RUN_LINE_BYTES / 2];
    size_t count = 0;
    if (run.names[at[0]] == NULL) {
        return;
    }
    (void)gc_visit_referrers(run.runtime, run.names[at[0]], run_add_referrer, found);
    for (char *label = strtok(found, " "); label != NULL; label = strtok(NULL, " ")) {
        labels[count++] = label;
    }
    qsort(labels, count, sizeof(*labels), run_compare_labels);
    char *line = run_log("referrers ");
    for (size_t i = 0; i < count; i++) {
        strcat(line, i == 0 ? "" : " ");
        strcat(line, labels[i]);
    }
}

static void run_generations(const int *at)
{
    (void)at;
    for (int i = 0; i < GC_GENERATIONS; i++) {
        char *line = run_log("generation %d: ", i);
        (void)gc_visit_objects(run.runtime, i, run_add_node, line);
    }
}

/* As gc.collect, which counts the uncollectable too. */
static void run_collect(const int *at)
{
    struct gc_stats before;
    struct gc_stats after;
    runtime_stats(run.runtime, &before);
    (void)gc_collect(run.runtime, at[0]);
    runtime_stats(run.runtime, &after);
    run_log("collect %llu", (unsigned long long)(after.collected - before.collected +
                                                 after.uncollectable - before.uncollectable));
}

static void run_freeze(const int *at)
{
    (void)at;
    gc_freeze(run.runtime);
}

static void run_garbage(const int *at)
{
    (void)at;
    char *line = run_log("garbage ");
    const struct object *garbage = gc_garbage(run.runtime);
    for (size_t i = 0; i < list_length(garbage); i++) {
        (void)run_add_label(list_item(garbage, i), line);
    }
}

static void run_save_all(const int *at)
{
    gc_set_save_all(run.runtime, at[0] != 0);
}

static void run_counts(const int *at)
{
    int counts[GC_GENERATIONS];
    (void)at;
    gc_get_count(run.runtime, counts);
    run_log("counts %d %d %d", counts[0], counts[1], counts[2]);
}

static void run_threshold(const int *at)
{
    gc_set_threshold(run.runtime, at);
}

static void run_enable(const int *at)
{
    gc_enable(run.runtime, at[0] != 0);
}

static void (*const run_steps[OP_COUNT])(const int *arguments) = {
#define STEP(name, arity, weight, counted) run_##name,
#include "gc/tests/python/steps.h"
#undef STEP
};

/* ---------------------------------------------------------------- a whole program */
static void run_step(enum program_op op, int argument)
{
    order_forget_holes(run.runtime);
    run_steps[op]((const int[]){argument, 0, 0});
}

/* Breaks what is in the list of garbage, and lets go of it. */
static void run_bury(void)
{
    struct object *garbage = gc_garbage(run.runtime);
    for (size_t i = 0; i < list_length(garbage); i++) {
        run_empty_object(list_item(garbage, i));
    }
    list_clear(run.runtime, garbage);
}

static void run_log_end(unsigned features)
{
    run_log("end");
    gc_set_save_all(run.runtime, false);
    char *line = run_log("names ");
    for (int i = 0; i < PROGRAM_NAMES; i++) {
        if (run.names[i] == NULL) {
            strcat(line, i == 0 ? "-" : " -");
        } else {
            (void)run_add_label(run.names[i], line);
        }
    }
    line = run_log("saved ");
    for (int i = 0; i < run.saved_length; i++) {
        (void)run_add_label(run.saved[i], line);
    }
    if (features & PROGRAM_GENERATIONS) {
        run_generations(NULL);
    }
    for (int i = 0; i < PROGRAM_WATCHES; i++) {
        run_step(OP_look, i);
    }
}

static int run_compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What was frozen: in the order of the texts, and finalizers alone. */
static void run_thaw(void)
{
    int first = run.lines_length;
    gc_unfreeze(run.runtime);
    gc_collect(run.runtime, 2);
    while (run.saved_length > 0) {
        run_step(OP_unsave, 0);
    }
    gc_collect(run.runtime, 2);
    run_bury();
    gc_collect(run.runtime, 2);
    int kept = first;
    for (int i = first; i < run.lines_length; i++) {
        if (strncmp(run.lines[i], "del", 3) == 0) {
            memmove(run.lines[kept++], run.lines[i], RUN_LINE_BYTES);
        }
    }
    run.lines_length = kept;
    qsort(run.lines[first], (size_t)(kept - first), RUN_LINE_BYTES, run_compare_lines);
    while (run.saved_length > 0) {
        run_step(OP_unsave, 0);
    }
}

static void run_finish(unsigned features)
{
    gc_enable(run.runtime, false);
    run.ending = true;
    run_log_end(features);
    while (run.saved_length > 0) {
        run_step(OP_unsave, 0);
    }
    for (int i = 0; i < PROGRAM_NAMES; i++) {
        run_step(OP_drop, i);
    }
    for (int i = 0; i < PROGRAM_WATCHES; i++) {
        run_step(OP_unwatch, i);
    }
    run_step(OP_collect, 2);
    run_step(OP_garbage, 0);
    order_forget_holes(run.runtime);
    run_bury();
    run_step(OP_collect, 2);
    run_thaw();
}

uint64_t run_program(const struct program *program, unsigned features, struct heap *heap,
                     const struct gc_policy *policy, FILE *out)
{
    static const char *const keys[PROGRAM_FIELDS] = {"a", "b", "c"};
    struct gc_callback callback = {.call = run_phase};
    memset(&run, 0, sizeof(run));
    node_hooks.finalized = run_finalized;
    node_forget_numbers();
    run.program = program;
    run.runtime = runtime_open_with(heap, policy, NULL);
    gc_enable(run.runtime, false);
    gc_set_threshold(run.runtime, (const int[]){700, 10, 10});
    for (int i = 0; i < PROGRAM_FIELDS; i++) {
        run.keys[i] = str_intern(run.runtime, keys[i], 1);
    }
    (void)gc_garbage(run.runtime);
    gc_freeze(run.runtime); /* the list of garbage */
    gc_collect(run.runtime, 2);
    gc_add_callback(run.runtime, &callback);
    for (int i = 0; i < program->length; i++) {
        order_forget_holes(run.runtime);
        run_steps[program->steps[i].op](program->steps[i].arguments);
    }
    run_finish(features);
    for (int i = 0; i < run.lines_length; i++) {
        fprintf(out, "  %s\n", run.lines[i]);
    }
    gc_remove_callback(run.runtime, &callback);
    for (int i = 0; i < PROGRAM_FIELDS; i++) {
        object_decref(run.runtime, run.keys[i]);
    }
    size_t broken = gc_check(run.runtime);
    return runtime_close(run.runtime) + broken;
}
