/* The boxed machine: the interpreter over the object layer. Every value is an object, every call a
 * frame, every name a lookup in a dict, as in CPython before its specialising interpreter. */
#include "gc/frame.h"
#include "workloads/interpreter.h"
#include "workloads/interpreter_values.h"

/* ------------------------------------------------------------------ frames */
/* Enters a function. The new frame takes over the reference to its caller's frame. NULL: the heap
 * is exhausted, and nothing has changed. */
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

struct boxed_activation {
    struct frame_object *frame;
    struct object **top; /* above the topmost operand */
    const struct interpreter_instruction *next;
};

/* Slots above the top hold no reference, because the collector may look at any time. */
static inline struct object *boxed_pop(struct boxed_activation *at)
{
    struct object *value = *--at->top;
    *at->top = NULL;
    return value;
}

static inline bool boxed_push(struct boxed_activation *at, struct object *value)
{
    bool present = value != NULL;
    *at->top = value;
    at->top += present;
    return present;
}

static inline bool boxed_binary(struct boxed_machine *machine, struct boxed_activation *at,
                                unsigned op)
{
    struct object *b = boxed_pop(at);
    struct object *a = boxed_pop(at);
    struct object *result = op < INTERPRETER_EQUAL ? boxed_arithmetic(machine, op, a, b)
                                                   : boxed_compare(machine, op, a, b);
    boxed_release(machine, a);
    boxed_release(machine, b);
    return boxed_push(at, result);
}

/* ------------------------------------------------------------------ containers */
static bool boxed_make_list_of(struct boxed_machine *machine, struct boxed_activation *at,
                               unsigned count)
{
    struct object *list = list_new(machine->runtime);
    bool done = list != NULL;
    for (unsigned i = 0; done && i < count; i++) {
        done = boxed_list_append(machine, list, at->top[(int)i - (int)count]);
    }
    for (unsigned i = 0; i < count; i++) {
        boxed_release(machine, boxed_pop(at));
    }
    if (!done) {
        boxed_release_any(machine, list);
        return false;
    }
    return boxed_push(at, list);
}

static bool boxed_is_index(struct object *list, struct object *index)
{
    return boxed_is_list(list) && boxed_is_int(index) &&
           (uint64_t)int_value(index) < list_length(list);
}

static bool boxed_get_item(struct boxed_machine *machine, struct boxed_activation *at)
{
    struct object *index = boxed_pop(at);
    struct object *container = boxed_pop(at);
    struct object *item = NULL;
    if (boxed_is_index(container, index)) {
        item = object_incref(list_item(container, (size_t)int_value(index)));
    } else if (boxed_is_dict(container)) {
        item = boxed_own_any(dict_get(container, index));
    }
    if (item == NULL) {
        machine->fault = "a program asks for an item that is not there";
    }
    boxed_release(machine, container);
    boxed_release(machine, index);
    return boxed_push(at, item);
}

static bool boxed_set_item(struct boxed_machine *machine, struct boxed_activation *at)
{
    struct object *value = boxed_pop(at);
    struct object *index = boxed_pop(at);
    struct object *container = boxed_pop(at);
    bool done = false;
    if (boxed_is_index(container, index)) {
        size_t place = (size_t)int_value(index);
        boxed_list_set_item(machine, container, place, object_incref(value));
        done = true;
    } else if (boxed_is_dict(container)) {
        done = boxed_dict_set(machine, container, index, value);
    } else {
        machine->fault = "a program stores into what is no container";
    }
    boxed_release(machine, container);
    boxed_release(machine, index);
    boxed_release(machine, value);
    return done;
}

static bool boxed_get_attribute(struct boxed_machine *machine, struct boxed_activation *at,
                                unsigned name)
{
    struct object *instance = boxed_pop(at);
    struct object *value = boxed_own_any(boxed_attribute(machine, instance, name));
    if (value == NULL) {
        machine->fault = "a program asks for an attribute that is not there";
    }
    boxed_release(machine, instance);
    return boxed_push(at, value);
}

static bool boxed_set_attribute(struct boxed_machine *machine, struct boxed_activation *at,
                                unsigned name)
{
    struct object *value = boxed_pop(at);
    struct object *instance = boxed_pop(at);
    bool done = boxed_attribute_set(machine, instance, name, value);
    boxed_release(machine, instance);
    boxed_release(machine, value);
    return done;
}

static bool boxed_builtin(struct boxed_machine *machine, struct boxed_activation *at,
                          unsigned builtin, unsigned count)
{
    struct object *result = boxed_call_builtin(machine, builtin, at->top - count);
    for (unsigned i = 0; i < count; i++) {
        boxed_release(machine, boxed_pop(at));
    }
    return boxed_push(at, result);
}

/* ------------------------------------------------------------------ calls */
/* Calls the function with the count topmost operands as arguments. */
static bool boxed_call_function(struct boxed_machine *machine, struct boxed_activation *at,
                                uint32_t index, unsigned count)
{
    const struct interpreter_function *function = &machine->module->functions[index];
    if (count != function->parameters) {
        machine->fault = "a program calls with the wrong number of arguments";
        return false;
    }
    struct frame_object *frame = boxed_enter(machine, at->frame, function);
    if (frame == NULL) {
        return false;
    }
    for (unsigned i = count; i > 0; i--) {
        frame->slots[i - 1] = boxed_pop(at);
    }
    if (at->frame != NULL) {
        at->frame->position = (size_t)(at->next - machine->module->instructions);
        at->frame->depth = (size_t)(at->top - at->frame->slots);
    }
    at->frame = frame;
    at->top = frame->slots + function->locals;
    at->next = machine->module->instructions + function->first;
    return true;
}

static bool boxed_call_method(struct boxed_machine *machine, struct boxed_activation *at,
                              unsigned name, unsigned count)
{
    int64_t function = boxed_method(machine, at->top[-1 - (int)count], name);
    if (function < 0) {
        machine->fault = "a program calls a method that is not there";
        return false;
    }
    return boxed_call_function(machine, at, (uint32_t)function, count + 1);
}

static bool boxed_return_value(struct boxed_machine *machine, struct boxed_activation *at,
                               struct object **result)
{
    struct object *value = boxed_pop(at);
    at->frame = boxed_leave(machine, at->frame);
    if (at->frame == NULL) {
        *result = value;
        return true;
    }
    at->top = at->frame->slots + at->frame->depth;
    at->next = machine->module->instructions + at->frame->position;
    return boxed_push(at, value);
}

/* ------------------------------------------------------------------ the loop */
static inline bool boxed_is_true(struct object *value)
{
    return boxed_is_int(value) && int_value(value) != 0;
}

/* Jumps to the target if the top is `wanted`. Then keep decides whether the top stays; otherwise it
 * is popped. */
static inline void boxed_jump_if(struct boxed_machine *machine, struct boxed_activation *at,
                                 bool wanted, bool keep, unsigned target)
{
    bool jumps = boxed_is_true(at->top[-1]) == wanted;
    if (!jumps || !keep) {
        boxed_release(machine, boxed_pop(at));
    }
    if (jumps) {
        at->next = machine->module->instructions + target;
    }
}

/* Executes instructions that do not allocate: variables, constants and jumps. false: it is another
 * instruction. */
static inline bool boxed_step_plainly(struct boxed_machine *machine, struct boxed_activation *at,
                                      struct interpreter_instruction instruction)
{
    struct object **slot;
    struct object *old;
    switch (instruction.op) {
    case INTERPRETER_CONSTANT:
        return boxed_push(at, object_incref(machine->constants[instruction.operand]));
    case INTERPRETER_NONE:
        return boxed_push(at, object_incref(machine->none));
    case INTERPRETER_LOAD:
        return boxed_push(at, object_incref(at->frame->slots[instruction.operand]));
    case INTERPRETER_STORE:
        slot = &at->frame->slots[instruction.operand];
        old = *slot;
        *slot = boxed_pop(at);
        boxed_release_any(machine, old);
        return true;
    case INTERPRETER_POP:
        boxed_release(machine, boxed_pop(at));
        return true;
    case INTERPRETER_JUMP:
        at->next = machine->module->instructions + instruction.operand;
        return true;
    case INTERPRETER_JUMP_IF_FALSE:
        boxed_jump_if(machine, at, false, false, instruction.operand);
        return true;
    case INTERPRETER_AND:
        boxed_jump_if(machine, at, false, true, instruction.operand);
        return true;
    case INTERPRETER_OR:
        boxed_jump_if(machine, at, true, true, instruction.operand);
        return true;
    default:
        return false;
    }
}

/* Executes instructions that make objects or run code. false: a fault, or the heap is exhausted. */
static inline bool boxed_step_making(struct boxed_machine *machine, struct boxed_activation *at,
                                     struct interpreter_instruction instruction)
{
    struct object *value;
    bool truth;
    switch (instruction.op) {
    case INTERPRETER_NOT:
        value = boxed_pop(at);
        truth = boxed_is_true(value);
        boxed_release(machine, value);
        return boxed_push(at, boxed_make_int(machine, !truth));
    case INTERPRETER_CALL:
        return boxed_call_function(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_CALL_METHOD:
        return boxed_call_method(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_CALL_BUILTIN:
        return boxed_builtin(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_MAKE_LIST:
        return boxed_make_list_of(machine, at, instruction.count);
    case INTERPRETER_MAKE_DICT:
        return boxed_push(at, dict_new(machine->runtime));
    case INTERPRETER_MAKE_INSTANCE:
        return boxed_push(at, boxed_make_instance(machine, instruction.operand));
    case INTERPRETER_GET_ITEM:
        return boxed_get_item(machine, at);
    case INTERPRETER_SET_ITEM:
        return boxed_set_item(machine, at);
    case INTERPRETER_GET_ATTRIBUTE:
        return boxed_get_attribute(machine, at, instruction.operand);
    case INTERPRETER_SET_ATTRIBUTE:
        return boxed_set_attribute(machine, at, instruction.operand);
    default:
        return boxed_binary(machine, at, instruction.op);
    }
}

/* Runs a function. After a fault, or if the heap is exhausted, it leaves every frame. */
static struct object *boxed_run(struct boxed_machine *machine, uint32_t function,
                                struct object *argument)
{
    struct object *operands[1] = {object_incref(argument)};
    struct object *result = NULL;
    struct boxed_activation at = {.top = operands + 1};
    bool done = boxed_call_function(machine, &at, function, 1);
    if (!done) {
        boxed_release(machine, operands[0]);
    }
    while (done && at.frame != NULL) {
        struct interpreter_instruction instruction = *at.next++;
#ifdef HEAPMILL_INTERPRETER_COUNTS
        machine->instructions++;
#endif
        if (boxed_step_plainly(machine, &at, instruction)) {
            continue;
        }
        done = instruction.op == INTERPRETER_RETURN ? boxed_return_value(machine, &at, &result)
                                                    : boxed_step_making(machine, &at, instruction);
    }
    while (at.frame != NULL) {
        at.frame = boxed_leave(machine, at.frame);
    }
    return result;
}

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

/* Adds a method to its class. false: the heap is exhausted. */
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
