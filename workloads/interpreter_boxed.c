/* The boxed machine: the interpreter over the object layer. Every value is an object, every call a
 * frame, every name a lookup in a dict, as in CPython before its specialising interpreter. */
#include <math.h>
#include <string.h>

#include "gc/frame.h"
#include "workloads/interpreter.h"

#define LOOP(name) boxed_##name
#define LOOP_MACHINE struct boxed_machine
#define LOOP_VALUE struct object *
#define LOOP_FRAME struct frame_object

/* ------------------------------------------------------------------ references */
static inline struct object *boxed_absent(void)
{
    return NULL;
}

static inline bool boxed_is_present(const struct object *value)
{
    return value != NULL;
}

static inline struct object *boxed_own(struct object *value)
{
    return object_incref(value);
}

static inline struct object *boxed_own_any(struct object *value)
{
    return value == NULL ? NULL : object_incref(value);
}

static inline void boxed_release(struct boxed_machine *machine, struct object *value)
{
    object_decref(machine->runtime, value);
}

static inline void boxed_release_any(struct boxed_machine *machine, struct object *value)
{
    object_xdecref(machine->runtime, value);
}

static inline void boxed_count(struct boxed_machine *machine)
{
    (void)machine;
}

/* ------------------------------------------------------------------ types */
static inline bool boxed_is(const struct object *value, enum heap_type type)
{
    return value->type->heap_type == type;
}

static inline bool boxed_is_int(const struct object *value)
{
    return boxed_is(value, HEAP_INT);
}

static inline bool boxed_is_float(const struct object *value)
{
    return boxed_is(value, HEAP_FLOAT);
}

static inline bool boxed_is_str(const struct object *value)
{
    return boxed_is(value, HEAP_STR);
}

static inline bool boxed_is_list(const struct object *value)
{
    return boxed_is(value, HEAP_LIST);
}

static inline bool boxed_is_dict(const struct object *value)
{
    return boxed_is(value, HEAP_DICT);
}

static inline bool boxed_is_equal(struct object *a, struct object *b)
{
    return a == b || (boxed_is_str(a) && boxed_is_str(b) && str_equal(a, b));
}

/* ------------------------------------------------------------------ values */
static inline int64_t boxed_int_of(const struct object *value)
{
    return int_value(value);
}

static inline double boxed_float_of(const struct object *value)
{
    return float_value(value);
}

static inline struct object *boxed_make_int(struct boxed_machine *machine, int64_t value)
{
    return int_new(machine->runtime, value);
}

static inline struct object *boxed_make_float(struct boxed_machine *machine, double value)
{
    return float_new(machine->runtime, value);
}

static struct object *boxed_make_str(struct boxed_machine *machine, const char *bytes,
                                     size_t length)
{
    return str_new(machine->runtime, bytes, length);
}

static const char *boxed_str_bytes(struct object *value)
{
    return str_bytes(value);
}

static size_t boxed_str_length(const struct object *value)
{
    return str_length(value);
}

static struct object *boxed_str_concat(struct boxed_machine *machine, struct object *a,
                                       struct object *b)
{
    size_t length = str_length(a);
    struct object *sum = str_new(machine->runtime, NULL, length + str_length(b));
    if (sum != NULL) {
        memcpy(str_bytes(sum), str_bytes(a), length);
        memcpy(str_bytes(sum) + length, str_bytes(b), str_length(b));
    }
    return sum;
}

/* ------------------------------------------------------------------ containers */
static struct object *boxed_make_list(struct boxed_machine *machine)
{
    return list_new(machine->runtime);
}

static bool boxed_list_append(struct boxed_machine *machine, struct object *list,
                              struct object *item)
{
    return list_append(machine->runtime, list, item);
}

static inline struct object *boxed_list_item(const struct object *list, size_t index)
{
    return list_item(list, index);
}

static inline void boxed_list_set_item(struct boxed_machine *machine, struct object *list,
                                       size_t index, struct object *item)
{
    list_set_item(machine->runtime, list, index, item);
}

static struct object *boxed_list_pop(struct boxed_machine *machine, struct object *list)
{
    return list_pop(machine->runtime, list);
}

static inline size_t boxed_list_length(const struct object *list)
{
    return list_length(list);
}

static struct object *boxed_make_dict(struct boxed_machine *machine)
{
    return dict_new(machine->runtime);
}

static struct object *boxed_dict_get(const struct object *dict, struct object *key)
{
    return dict_get(dict, key);
}

static bool boxed_dict_set(struct boxed_machine *machine, struct object *dict, struct object *key,
                           struct object *value)
{
    return dict_set(machine->runtime, dict, key, value);
}

static size_t boxed_dict_length(const struct object *dict)
{
    return dict_length(dict);
}

static bool boxed_dict_next(const struct object *dict, size_t *position, struct object **key)
{
    struct object *value;
    return dict_next(dict, position, key, &value);
}

static struct object *boxed_make_instance(struct boxed_machine *machine, unsigned class_name)
{
    return instance_new(machine->runtime, machine->names[class_name]);
}

static struct object *boxed_attribute(const struct boxed_machine *machine,
                                      const struct object *instance, unsigned name)
{
    return boxed_is(instance, HEAP_INSTANCE) ? instance_attribute(instance, machine->names[name])
                                             : NULL;
}

static bool boxed_attribute_set(struct boxed_machine *machine, struct object *instance,
                                unsigned name, struct object *value)
{
    if (!boxed_is(instance, HEAP_INSTANCE)) {
        machine->fault = "a program sets an attribute of what is no instance";
        return false;
    }
    return instance_set_attribute(machine->runtime, instance, machine->names[name], value);
}

/* Through the class's dict; negative: no such method. */
static int64_t boxed_method(const struct boxed_machine *machine, const struct object *receiver,
                            unsigned name)
{
    if (!boxed_is(receiver, HEAP_INSTANCE)) {
        return -1;
    }
    const struct object *methods = dict_get(machine->classes, instance_class_name(receiver));
    struct object *function = methods == NULL ? NULL : dict_get(methods, machine->names[name]);
    return function == NULL ? -1 : int_value(function);
}

/* ------------------------------------------------------------------ frames */
/* The caller's reference to its frame is the new frame's now. NULL: heap exhausted, nothing has
 * changed. */
static inline struct frame_object *boxed_enter(struct boxed_machine *machine,
                                               struct frame_object *caller,
                                               const struct interpreter_function *function)
{
    struct frame_object *frame = frame_new(machine->runtime, function->slots);
    if (frame != NULL) {
        frame->back = caller;
    }
    run_mark(machine->run, NULL);
    return frame;
}

static inline struct frame_object *boxed_leave(struct boxed_machine *machine,
                                               struct frame_object *frame)
{
    struct frame_object *caller = frame->back;
    frame->back = NULL;
    object_decref(machine->runtime, &frame->base);
    return caller;
}

#include "workloads/interpreter_loop.h"

#undef LOOP
#undef LOOP_MACHINE
#undef LOOP_VALUE
#undef LOOP_FRAME

/* ------------------------------------------------------------------ the machine */
static struct object *boxed_make_constant(struct boxed_machine *machine,
                                          const struct interpreter_constant *constant)
{
    switch (constant->kind) {
    case INTERPRETER_INT_CONSTANT:
        return int_new(machine->runtime, constant->integer);
    case INTERPRETER_FLOAT_CONSTANT:
        return float_new(machine->runtime, constant->real);
    default:
        return str_intern(machine->runtime, constant->text.bytes, constant->text.length);
    }
}

/* Files a method under its class; false: heap exhausted. */
static bool boxed_add_method(struct boxed_machine *machine, uint32_t index)
{
    const struct interpreter_function *function = &machine->module->functions[index];
    struct object *class_name = machine->names[function->class_name];
    struct object *methods = boxed_own_any(dict_get(machine->classes, class_name));
    bool done = true;
    if (methods == NULL) {
        methods = dict_new(machine->runtime);
        done = methods != NULL && dict_set(machine->runtime, machine->classes, class_name, methods);
    }
    struct object *number = int_new(machine->runtime, index);
    done = done && number != NULL &&
           dict_set(machine->runtime, methods, machine->names[function->name_index], number);
    object_xdecref(machine->runtime, number);
    object_xdecref(machine->runtime, methods);
    return done;
}

bool boxed_open(struct boxed_machine *machine, struct run *run,
                const struct interpreter_module *module, const char *text)
{
    struct runtime *runtime = run->runtime;
    *machine = (struct boxed_machine){.module = module, .run = run, .runtime = runtime};
    machine->none = str_intern(runtime, "None", 4);
    machine->text = str_new(runtime, text, INTERPRETER_TEXT_BYTES);
    machine->classes = dict_new(runtime);
    bool done = machine->none != NULL && machine->text != NULL && machine->classes != NULL;
    for (uint32_t i = 0; done && i < module->constant_count; i++) {
        machine->constants[i] = boxed_make_constant(machine, &module->constants[i]);
        done = machine->constants[i] != NULL;
    }
    for (uint32_t i = 0; done && i < module->name_count; i++) {
        machine->names[i] = str_intern(runtime, module->names[i].bytes, module->names[i].length);
        done = machine->names[i] != NULL;
    }
    for (uint32_t i = 0; done && i < module->function_count; i++) {
        done = module->functions[i].class_name < 0 || boxed_add_method(machine, i);
    }
    return done;
}

void boxed_close(struct boxed_machine *machine)
{
    boxed_release_any(machine, machine->none);
    boxed_release_any(machine, machine->text);
    boxed_release_any(machine, machine->classes);
    for (uint32_t i = 0; i < INTERPRETER_CONSTANTS_MAX; i++) {
        boxed_release_any(machine, machine->constants[i]);
        machine->constants[i] = NULL;
    }
    for (uint32_t i = 0; i < INTERPRETER_NAMES_MAX; i++) {
        boxed_release_any(machine, machine->names[i]);
        machine->names[i] = NULL;
    }
    machine->none = NULL;
    machine->text = NULL;
    machine->classes = NULL;
}

struct object *boxed_call(struct boxed_machine *machine, uint32_t function, struct object *argument)
{
    return boxed_run(machine, function, argument);
}
