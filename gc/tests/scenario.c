#include "gc/tests/scenario.h"

struct scenario scenario;

bool scenario_open(struct runtime *runtime)
{
    scenario = (struct scenario){.runtime = runtime};
    scenario.next = str_intern(runtime, "next", 4);
    scenario.tag = str_intern(runtime, "tag", 3);
    scenario.other = str_intern(runtime, "other", 5);
    scenario.saved = list_new(runtime);
    return scenario.next != NULL && scenario.tag != NULL && scenario.other != NULL &&
           scenario.saved != NULL;
}

struct runtime *scenario_begin(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    gc_enable(runtime, false);
    assert_true(scenario_open(runtime));
    return runtime;
}

/* Finds an instance with a legacy finalizer that refers to another object still. */
static int scenario_find_legacy(struct object *object, void *context)
{
    if (object->type->flags & TYPE_HAS_LEGACY_FINALIZER &&
        instance_attribute(object, scenario.next) != NULL) {
        *(struct object **)context = object;
        return 1;
    }
    return 0;
}

/* Nobody but the user can break their cycles. */
static void scenario_break_legacy_cycles(struct runtime *runtime)
{
    struct object *found;
    while (scenario.next != NULL &&
           gc_visit_objects(runtime, -1, scenario_find_legacy, &found) != 0) {
        object_incref(found);
        (void)instance_delete_attribute(runtime, found, scenario.next);
        object_decref(runtime, found);
    }
}

void scenario_end(void)
{
    struct runtime *runtime = scenario.runtime;
    struct object *saved = scenario.saved;
    gc_set_save_all(runtime, false);
    scenario.saved = NULL; /* nothing is resurrected from here on */
    object_xdecref(runtime, saved);
    scenario_break_legacy_cycles(runtime);
    struct object *garbage = gc_garbage(runtime);
    if (garbage != NULL) {
        list_clear(runtime, garbage);
    }
    gc_collect(runtime, 2);
    object_xdecref(runtime, scenario.next);
    object_xdecref(runtime, scenario.tag);
    object_xdecref(runtime, scenario.other);
}

size_t scenario_count(enum scenario_event event)
{
    size_t count = 0;
    for (size_t i = 0; i < scenario.events_length; i++) {
        count += scenario.events[i] == event;
    }
    return count;
}

static void scenario_note(enum scenario_event event, int64_t tag)
{
    if (scenario.events_length < SCENARIO_EVENTS_MAX) {
        scenario.events[scenario.events_length] = event;
        scenario.tags[scenario.events_length++] = tag;
    }
}

int64_t scenario_tag(const struct object *instance)
{
    const struct object *tag = instance_attribute(instance, scenario.tag);
    return tag == NULL ? -1 : int_value(tag);
}

void scenario_finalize(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)context;
    scenario_note(SCENARIO_FINALIZED, scenario_tag(self));
}

void scenario_finalize_legacy(struct runtime *runtime, struct object *self, void *context)
{
    (void)runtime;
    (void)context;
    scenario_note(SCENARIO_LEGACY, scenario_tag(self));
}

void scenario_called(struct runtime *runtime, struct object *weakref, struct object *owned,
                     void *context)
{
    (void)context;
    (void)runtime;
    assert_null(weakref_get(runtime, weakref)); /* never half dead */
    scenario_note(SCENARIO_CALLED, owned == NULL ? -1 : int_value(owned));
}

const struct weakref_hooks scenario_calls = {.callback = scenario_called};

void scenario_resurrect(struct runtime *runtime, struct object *self, void *context)
{
    scenario_finalize(runtime, self, context);
    if (scenario.saved != NULL) {
        (void)list_append(runtime, scenario.saved, self);
    }
}

/* ---------------------------------------------------------------- instances */
struct object *scenario_instance(const struct class_hooks *hooks, int64_t tag)
{
    struct runtime *runtime = scenario.runtime;
    struct object *class = class_new(runtime, "Scenario", hooks);
    if (class == NULL) {
        return NULL;
    }
    struct object *instance = class_instance_new(runtime, class);
    object_decref(runtime, class);
    if (instance == NULL) {
        return NULL;
    }
    struct object *number = int_new(runtime, tag);
    bool done = number != NULL && instance_set_attribute(runtime, instance, scenario.tag, number);
    object_xdecref(runtime, number);
    if (!done) {
        object_decref(runtime, instance);
        return NULL;
    }
    return instance;
}

bool scenario_link(struct object *first, struct object *second)
{
    return instance_set_attribute(scenario.runtime, first, scenario.next, second);
}

bool scenario_drop_ring(struct object **instances, size_t count)
{
    bool done = true;
    for (size_t i = 0; i < count; i++) {
        done = done && instances[i] != NULL;
    }
    for (size_t i = 0; done && i < count; i++) {
        done = scenario_link(instances[i], instances[(i + 1) % count]);
    }
    for (size_t i = 0; i < count; i++) {
        object_xdecref(scenario.runtime, instances[i]);
    }
    return done;
}
