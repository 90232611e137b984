/* Leaks of references: a decref that is missing, an incref too many on an error path, a reference
 * to an interned string that is never given back, and an object that its finalizer resurrects. */
#include <stdio.h>

#include "gc/class.h"
#include "leaks/planted/leak.h"

static void references_missing_decref(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        struct object *request = LEAK_AT(run, list_new(runtime));
        if (request == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_object(run, request); /* the decref is missing */
        } else {
            object_decref(runtime, request);
        }
    }
}

/* Parses a record; on the error path it takes a reference for the message, which a careless
 * author forgets. */
static void references_error_path(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        struct object *record = LEAK_AT(run, tuple_new(runtime, 3));
        if (record == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        bool is_bad = due || i % 3 == 0;
        if (is_bad) {
            (void)object_incref(record); /* for the message */
            if (due) {
                leak_plant_object(run, record);
            } else {
                object_decref(runtime, record);
            }
        }
        object_decref(runtime, record);
    }
}

/* Names are numbered on from step to step by state[0], so that a lost one is never met again. */
static void references_interned(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        char text[48];
        uintptr_t serial = (uintptr_t)run->program.state[0];
        run->program.state[0] = (void *)(serial + 1);
        int length = snprintf(text, sizeof(text), "field_%llu", (unsigned long long)serial);
        struct object *name = LEAK_AT(run, str_intern(runtime, text, (size_t)length));
        if (name == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        if (due) {
            leak_plant_object(run, name);
        } else {
            object_decref(runtime, name);
        }
    }
}

/* The finalizer keeps self for a later flush. */
static void references_finalize(struct runtime *runtime, struct object *self, void *context)
{
    struct object **kept = context;
    (void)runtime;
    *kept = object_incref(self);
}

static struct object *references_kept; /* the finalizer's last: a name, until it is flushed */

static bool references_start_resurrection(struct leak_run *run)
{
    static const struct class_hooks hooks = {.finalize = references_finalize,
                                             .context = &references_kept};
    struct object *class = class_new(run->program.runtime, "Connection", &hooks);
    bool kept = class != NULL && list_append(run->program.runtime, run->program.globals, class);
    object_xdecref(run->program.runtime, class);
    return kept;
}

static void references_resurrection(struct leak_run *run)
{
    struct runtime *runtime = run->program.runtime;
    struct object *class = list_item(run->program.globals, 0);
    for (uint64_t i = 0; i < run->number; i++) {
        bool due = leak_is_due(run, i);
        struct object *connection = LEAK_AT(run, class_instance_new(runtime, class));
        if (connection == NULL) {
            run->failed = "heap exhausted";
            return;
        }
        object_decref(runtime, connection); /* resurrected */
        struct object *waiting = references_kept;
        references_kept = NULL;
        if (due) {
            leak_plant_object(run, waiting); /* the flush forgets it */
        } else {
            object_decref(runtime, waiting);
        }
    }
}

const struct leak_kind leak_kind_missing_decref = {
    .name = "missing_decref",
    .summary = "an object is made and its decref is missing",
    .step = references_missing_decref,
};
const struct leak_kind leak_kind_error_path_incref = {
    .name = "error_path_incref",
    .summary = "an extra incref on an error path",
    .step = references_error_path,
};
const struct leak_kind leak_kind_interned_string = {
    .name = "interned_string",
    .summary = "a reference to an interned string is never given back",
    .step = references_interned,
};
const struct leak_kind leak_kind_resurrection = {
    .name = "resurrection",
    .summary = "a finalizer resurrects its object, and nobody releases it again",
    .start = references_start_resurrection,
    .step = references_resurrection,
};
