/* The bytecode's meaning, once for both machines: a template, included by interpreter_boxed.c and
 * interpreter_plain.c, and so without an include guard.
 *
 * Before the inclusion: LOOP(name) gives the machine's own names; LOOP_MACHINE, LOOP_VALUE and
 * LOOP_FRAME are its types. A value is absent, or a reference: own() takes one more, release()
 * gives one back. Functions that make values return a new reference, or an absent value when the
 * heap is exhausted or the machine's fault is set. The operations that it needs of its machine are
 * those that the two files define before they include it. */

#include "workloads/interpreter_values.h"

struct LOOP(activation) {
    LOOP_FRAME *frame;
    LOOP_VALUE *top; /* above the topmost operand */
    const struct interpreter_instruction *next;
};

/* Slots above the top hold no reference, as the collector may look at any time. */
static inline LOOP_VALUE LOOP(pop)(struct LOOP(activation) * at)
{
    LOOP_VALUE value = *--at->top;
    *at->top = LOOP(absent)();
    return value;
}

static inline bool LOOP(push)(struct LOOP(activation) * at, LOOP_VALUE value)
{
    *at->top = value;
    at->top += LOOP(is_present)(value);
    return LOOP(is_present)(value);
}

static inline bool LOOP(binary)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned op)
{
    LOOP_VALUE b = LOOP(pop)(at);
    LOOP_VALUE a = LOOP(pop)(at);
    LOOP_VALUE result = op < INTERPRETER_EQUAL ? LOOP(arithmetic)(machine, op, a, b)
                                               : LOOP(compare)(machine, op, a, b);
    LOOP(release)(machine, a);
    LOOP(release)(machine, b);
    return LOOP(push)(at, result);
}

/* ------------------------------------------------------------------ containers */
static bool LOOP(make_list_of)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned count)
{
    LOOP_VALUE list = LOOP(make_list)(machine);
    bool done = LOOP(is_present)(list);
    for (unsigned i = 0; done && i < count; i++) {
        done = LOOP(list_append)(machine, list, at->top[(int)i - (int)count]);
    }
    for (unsigned i = 0; i < count; i++) {
        LOOP(release)(machine, LOOP(pop)(at));
    }
    if (!done) {
        LOOP(release_any)(machine, list);
        return false;
    }
    return LOOP(push)(at, list);
}

static bool LOOP(is_index)(LOOP_VALUE list, LOOP_VALUE index)
{
    return LOOP(is_list)(list) && LOOP(is_int)(index) &&
           (uint64_t)LOOP(int_of)(index) < LOOP(list_length)(list);
}

static bool LOOP(get_item)(LOOP_MACHINE *machine, struct LOOP(activation) * at)
{
    LOOP_VALUE index = LOOP(pop)(at);
    LOOP_VALUE container = LOOP(pop)(at);
    LOOP_VALUE item = LOOP(absent)();
    if (LOOP(is_index)(container, index)) {
        item = LOOP(own)(LOOP(list_item)(container, (size_t)LOOP(int_of)(index)));
    } else if (LOOP(is_dict)(container)) {
        item = LOOP(own_any)(LOOP(dict_get)(container, index));
    }
    if (!LOOP(is_present)(item)) {
        machine->fault = "a program asks for an item that is not there";
    }
    LOOP(release)(machine, container);
    LOOP(release)(machine, index);
    return LOOP(push)(at, item);
}

static bool LOOP(set_item)(LOOP_MACHINE *machine, struct LOOP(activation) * at)
{
    LOOP_VALUE value = LOOP(pop)(at);
    LOOP_VALUE index = LOOP(pop)(at);
    LOOP_VALUE container = LOOP(pop)(at);
    bool done = false;
    if (LOOP(is_index)(container, index)) {
        size_t place = (size_t)LOOP(int_of)(index);
        LOOP(list_set_item)(machine, container, place, LOOP(own)(value));
        done = true;
    } else if (LOOP(is_dict)(container)) {
        done = LOOP(dict_set)(machine, container, index, value);
    } else {
        machine->fault = "a program stores into what is no container";
    }
    LOOP(release)(machine, container);
    LOOP(release)(machine, index);
    LOOP(release)(machine, value);
    return done;
}

static bool LOOP(get_attribute)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned name)
{
    LOOP_VALUE instance = LOOP(pop)(at);
    LOOP_VALUE value = LOOP(own_any)(LOOP(attribute)(machine, instance, name));
    if (!LOOP(is_present)(value)) {
        machine->fault = "a program asks for an attribute that is not there";
    }
    LOOP(release)(machine, instance);
    return LOOP(push)(at, value);
}

static bool LOOP(set_attribute)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned name)
{
    LOOP_VALUE value = LOOP(pop)(at);
    LOOP_VALUE instance = LOOP(pop)(at);
    bool done = LOOP(attribute_set)(machine, instance, name, value);
    LOOP(release)(machine, instance);
    LOOP(release)(machine, value);
    return done;
}

static bool LOOP(builtin)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned builtin,
                          unsigned count)
{
    LOOP_VALUE result = LOOP(call_builtin)(machine, builtin, at->top - count);
    for (unsigned i = 0; i < count; i++) {
        LOOP(release)(machine, LOOP(pop)(at));
    }
    return LOOP(push)(at, result);
}

/* ------------------------------------------------------------------ calls */
/* Enters the function with the count topmost operands for arguments. */
static bool LOOP(call_function)(LOOP_MACHINE *machine, struct LOOP(activation) * at, uint32_t index,
                                unsigned count)
{
    const struct interpreter_function *function = &machine->module->functions[index];
    if (count != function->parameters) {
        machine->fault = "a program calls with the wrong number of arguments";
        return false;
    }
    LOOP_FRAME *frame = LOOP(enter)(machine, at->frame, function);
    if (frame == NULL) {
        return false;
    }
    for (unsigned i = count; i > 0; i--) {
        frame->slots[i - 1] = LOOP(pop)(at);
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

static bool LOOP(call_method)(LOOP_MACHINE *machine, struct LOOP(activation) * at, unsigned name,
                              unsigned count)
{
    int64_t function = LOOP(method)(machine, at->top[-1 - (int)count], name);
    if (function < 0) {
        machine->fault = "a program calls a method that is not there";
        return false;
    }
    return LOOP(call_function)(machine, at, (uint32_t)function, count + 1);
}

static bool LOOP(return_value)(LOOP_MACHINE *machine, struct LOOP(activation) * at,
                               LOOP_VALUE *result)
{
    LOOP_VALUE value = LOOP(pop)(at);
    at->frame = LOOP(leave)(machine, at->frame);
    if (at->frame == NULL) {
        *result = value;
        return true;
    }
    at->top = at->frame->slots + at->frame->depth;
    at->next = machine->module->instructions + at->frame->position;
    return LOOP(push)(at, value);
}

/* ------------------------------------------------------------------ the loop */
static inline bool LOOP(is_true)(LOOP_VALUE value)
{
    return LOOP(is_int)(value) && LOOP(int_of)(value) != 0;
}

/* Goes to the target if the top is as wanted. The top stays then when keep says so, and is popped
 * otherwise. */
static inline void LOOP(jump_if)(LOOP_MACHINE *machine, struct LOOP(activation) * at, bool wanted,
                                 bool keep, unsigned target)
{
    bool jumps = LOOP(is_true)(at->top[-1]) == wanted;
    if (!jumps || !keep) {
        LOOP(release)(machine, LOOP(pop)(at));
    }
    if (jumps) {
        at->next = machine->module->instructions + target;
    }
}

/* Variables, constants and jumps: what allocates nothing. false: not one of these. */
static inline bool LOOP(step_plainly)(LOOP_MACHINE *machine, struct LOOP(activation) * at,
                                      struct interpreter_instruction instruction)
{
    LOOP_VALUE *slot;
    LOOP_VALUE old;
    switch (instruction.op) {
    case INTERPRETER_CONSTANT:
        return LOOP(push)(at, LOOP(own)(machine->constants[instruction.operand]));
    case INTERPRETER_NONE:
        return LOOP(push)(at, LOOP(own)(machine->none));
    case INTERPRETER_LOAD:
        return LOOP(push)(at, LOOP(own)(at->frame->slots[instruction.operand]));
    case INTERPRETER_STORE:
        slot = &at->frame->slots[instruction.operand];
        old = *slot;
        *slot = LOOP(pop)(at);
        LOOP(release_any)(machine, old);
        return true;
    case INTERPRETER_POP:
        LOOP(release)(machine, LOOP(pop)(at));
        return true;
    case INTERPRETER_JUMP:
        at->next = machine->module->instructions + instruction.operand;
        return true;
    case INTERPRETER_JUMP_IF_FALSE:
        LOOP(jump_if)(machine, at, false, false, instruction.operand);
        return true;
    case INTERPRETER_AND:
        LOOP(jump_if)(machine, at, false, true, instruction.operand);
        return true;
    case INTERPRETER_OR:
        LOOP(jump_if)(machine, at, true, true, instruction.operand);
        return true;
    default:
        return false;
    }
}

/* The instructions that make objects or run code; false: fault, or heap exhausted. */
static inline bool LOOP(step_making)(LOOP_MACHINE *machine, struct LOOP(activation) * at,
                                     struct interpreter_instruction instruction)
{
    LOOP_VALUE value;
    bool truth;
    switch (instruction.op) {
    case INTERPRETER_NOT:
        value = LOOP(pop)(at);
        truth = LOOP(is_true)(value);
        LOOP(release)(machine, value);
        return LOOP(push)(at, LOOP(make_int)(machine, !truth));
    case INTERPRETER_CALL:
        return LOOP(call_function)(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_CALL_METHOD:
        return LOOP(call_method)(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_CALL_BUILTIN:
        return LOOP(builtin)(machine, at, instruction.operand, instruction.count);
    case INTERPRETER_MAKE_LIST:
        return LOOP(make_list_of)(machine, at, instruction.count);
    case INTERPRETER_MAKE_DICT:
        return LOOP(push)(at, LOOP(make_dict)(machine));
    case INTERPRETER_MAKE_INSTANCE:
        return LOOP(push)(at, LOOP(make_instance)(machine, instruction.operand));
    case INTERPRETER_GET_ITEM:
        return LOOP(get_item)(machine, at);
    case INTERPRETER_SET_ITEM:
        return LOOP(set_item)(machine, at);
    case INTERPRETER_GET_ATTRIBUTE:
        return LOOP(get_attribute)(machine, at, instruction.operand);
    case INTERPRETER_SET_ATTRIBUTE:
        return LOOP(set_attribute)(machine, at, instruction.operand);
    default:
        return LOOP(binary)(machine, at, instruction.op);
    }
}

/* Calls the function with one argument, which is left alone; what it returns. After a fault, or
 * when the heap is exhausted, every frame is left, and the value is absent. */
static LOOP_VALUE LOOP(run)(LOOP_MACHINE *machine, uint32_t function, LOOP_VALUE argument)
{
    LOOP_VALUE operands[1] = {LOOP(own)(argument)};
    LOOP_VALUE result = LOOP(absent)();
    struct LOOP(activation) at = {.top = operands + 1};
    bool done = LOOP(call_function)(machine, &at, function, 1);
    if (!done) {
        LOOP(release)(machine, operands[0]);
    }
    while (done && at.frame != NULL) {
        struct interpreter_instruction instruction = *at.next++;
        LOOP(count)(machine);
        if (LOOP(step_plainly)(machine, &at, instruction)) {
            continue;
        }
        done = instruction.op == INTERPRETER_RETURN ? LOOP(return_value)(machine, &at, &result)
                                                    : LOOP(step_making)(machine, &at, instruction);
    }
    while (at.frame != NULL) {
        at.frame = LOOP(leave)(machine, at.frame);
    }
    return result;
}
