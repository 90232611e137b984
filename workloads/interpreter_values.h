/* The interpreter's values, which are objects, and the bytecode's operators and built-in functions.
 * Functions that make values return a new reference, or NULL if the heap is exhausted or the
 * machine's fault is set. Only interpreter_boxed.c includes this. */
#ifndef HEAPMILL_WORKLOADS_INTERPRETER_VALUES_H
#define HEAPMILL_WORKLOADS_INTERPRETER_VALUES_H

#include <math.h>
#include <string.h>

#include "workloads/interpreter.h"

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

static bool boxed_list_append(struct boxed_machine *machine, struct object *list,
                              struct object *item)
{
    return list_append(machine->runtime, list, item);
}

static inline void boxed_list_set_item(struct boxed_machine *machine, struct object *list,
                                       size_t index, struct object *item)
{
    list_give_item(machine->runtime, list, index, item);
}

static struct object *boxed_list_pop(struct boxed_machine *machine, struct object *list)
{
    return list_pop(machine->runtime, list);
}

static bool boxed_dict_set(struct boxed_machine *machine, struct object *dict, struct object *key,
                           struct object *value)
{
    return dict_set(machine->runtime, dict, key, value);
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

/* Looks the method up in the class's dict; negative: there is none. */
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

/* ------------------------------------------------------------------ operators */
static struct object *boxed_fault(struct boxed_machine *machine, const char *text)
{
    machine->fault = text;
    return NULL;
}

/* ------------------------------------------------------------------ numbers and comparisons */
static inline bool boxed_is_number(struct object *value)
{
    return boxed_is_int(value) || boxed_is_float(value);
}

static inline double boxed_number(struct object *value)
{
    return boxed_is_int(value) ? (double)int_value(value) : float_value(value);
}

/* Rounds towards minus infinity; the remainder has the divisor's sign, as in Python. */
static struct object *boxed_int_divide(struct boxed_machine *machine, unsigned op, int64_t a,
                                       int64_t b)
{
    if (b == 0 || b == -1) {
        return boxed_fault(machine, "a program divides by 0 or -1");
    }
    if (op == INTERPRETER_DIVIDE) {
        return boxed_make_float(machine, (double)a / (double)b);
    }
    int64_t remainder = a % b;
    int64_t quotient = a / b;
    if (remainder != 0 && (remainder < 0) != (b < 0)) {
        remainder += b;
        quotient--;
    }
    return boxed_make_int(machine, op == INTERPRETER_MODULO ? remainder : quotient);
}

static inline struct object *boxed_int_arithmetic(struct boxed_machine *machine, unsigned op,
                                                  int64_t a, int64_t b)
{
    switch (op) {
    case INTERPRETER_ADD:
        return boxed_make_int(machine, (int64_t)((uint64_t)a + (uint64_t)b));
    case INTERPRETER_SUBTRACT:
        return boxed_make_int(machine, (int64_t)((uint64_t)a - (uint64_t)b));
    case INTERPRETER_MULTIPLY:
        return boxed_make_int(machine, (int64_t)((uint64_t)a * (uint64_t)b));
    default:
        return boxed_int_divide(machine, op, a, b);
    }
}

static struct object *boxed_float_arithmetic(struct boxed_machine *machine, unsigned op, double a,
                                             double b)
{
    switch (op) {
    case INTERPRETER_ADD:
        return boxed_make_float(machine, a + b);
    case INTERPRETER_SUBTRACT:
        return boxed_make_float(machine, a - b);
    case INTERPRETER_MULTIPLY:
        return boxed_make_float(machine, a * b);
    case INTERPRETER_DIVIDE:
        return boxed_make_float(machine, a / b);
    default:
        return boxed_fault(machine, "a program takes // or % of floats");
    }
}

/* Appends items [from, to) of list to result. false: the heap is exhausted. */
static bool boxed_extend(struct boxed_machine *machine, struct object *result, struct object *list,
                         size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (!boxed_list_append(machine, result, list_item(list, i))) {
            return false;
        }
    }
    return true;
}

static struct object *boxed_list_slice(struct boxed_machine *machine, struct object *list,
                                       size_t from, size_t to)
{
    struct object *result = list_new(machine->runtime);
    if (result != NULL && !boxed_extend(machine, result, list, from, to)) {
        boxed_release(machine, result);
        return NULL;
    }
    return result;
}

static struct object *boxed_list_concat(struct boxed_machine *machine, struct object *a,
                                        struct object *b)
{
    struct object *result = boxed_list_slice(machine, a, 0, list_length(a));
    if (result != NULL && !boxed_extend(machine, result, b, 0, list_length(b))) {
        boxed_release(machine, result);
        return NULL;
    }
    return result;
}

static struct object *boxed_arithmetic(struct boxed_machine *machine, unsigned op, struct object *a,
                                       struct object *b)
{
    if (boxed_is_int(a) && boxed_is_int(b)) {
        return boxed_int_arithmetic(machine, op, int_value(a), int_value(b));
    }
    if (boxed_is_number(a) && boxed_is_number(b)) {
        return boxed_float_arithmetic(machine, op, boxed_number(a), boxed_number(b));
    }
    if (op == INTERPRETER_ADD && boxed_is_str(a) && boxed_is_str(b)) {
        return boxed_str_concat(machine, a, b);
    }
    if (op == INTERPRETER_ADD && boxed_is_list(a) && boxed_is_list(b)) {
        return boxed_list_concat(machine, a, b);
    }
    return boxed_fault(machine, "a program's operands are of the wrong types");
}

/* order is that of a and b: negative, 0 or positive. */
static bool boxed_holds(unsigned op, int order)
{
    switch (op) {
    case INTERPRETER_EQUAL:
        return order == 0;
    case INTERPRETER_NOT_EQUAL:
        return order != 0;
    case INTERPRETER_LESS:
        return order < 0;
    case INTERPRETER_LESS_EQUAL:
        return order <= 0;
    case INTERPRETER_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* Compares numbers by value, strings by content, containers by identity. */
static struct object *boxed_compare(struct boxed_machine *machine, unsigned op, struct object *a,
                                    struct object *b)
{
    int order;
    if (boxed_is_int(a) && boxed_is_int(b)) {
        order = (int_value(a) > int_value(b)) - (int_value(a) < int_value(b));
    } else if (boxed_is_number(a) && boxed_is_number(b)) {
        order = (boxed_number(a) > boxed_number(b)) - (boxed_number(a) < boxed_number(b));
    } else if (op == INTERPRETER_EQUAL || op == INTERPRETER_NOT_EQUAL) {
        order = !boxed_is_equal(a, b);
    } else {
        return boxed_fault(machine, "a program orders what has no order");
    }
    return boxed_make_int(machine, boxed_holds(op, order));
}

/* ------------------------------------------------------------------ built-in functions */
static struct object *boxed_length(struct boxed_machine *machine, struct object *value)
{
    size_t length = boxed_is_str(value)    ? str_length(value)
                    : boxed_is_list(value) ? list_length(value)
                                           : dict_length(value);
    return boxed_make_int(machine, (int64_t)length);
}

static struct object *boxed_slice(struct boxed_machine *machine, struct object *value, int64_t from,
                                  int64_t to)
{
    size_t length = boxed_is_str(value) ? str_length(value) : list_length(value);
    if (from < 0 || from > to || (uint64_t)to > length) {
        return boxed_fault(machine, "a program's slice goes beyond its end");
    }
    if (boxed_is_list(value)) {
        return boxed_list_slice(machine, value, (size_t)from, (size_t)to);
    }
    return boxed_make_str(machine, str_bytes(value) + from, (size_t)(to - from));
}

static struct object *boxed_keys(struct boxed_machine *machine, struct object *dict)
{
    struct object *list = list_new(machine->runtime);
    size_t position = 0;
    struct object *key;
    while (list != NULL && boxed_dict_next(dict, &position, &key)) {
        if (!boxed_list_append(machine, list, key)) {
            boxed_release(machine, list);
            return NULL;
        }
    }
    return list;
}

/* Writes an int's digits without sprintf, which should not be measured. */
static struct object *boxed_to_str(struct boxed_machine *machine, int64_t value)
{
    char digits[24];
    char *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--first = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--first = '-';
    }
    return boxed_make_str(machine, first, (size_t)(digits + sizeof digits - first));
}

static struct object *boxed_call_builtin(struct boxed_machine *machine, unsigned builtin,
                                         struct object **arguments)
{
    switch (builtin) {
    case INTERPRETER_LEN:
        return boxed_length(machine, arguments[0]);
    case INTERPRETER_APPEND:
        return boxed_list_append(machine, arguments[0], arguments[1]) ? object_incref(machine->none)
                                                                      : NULL;
    case INTERPRETER_TAKE:
        return boxed_list_pop(machine, arguments[0]);
    case INTERPRETER_GET: {
        struct object *value = dict_get(arguments[0], arguments[1]);
        return object_incref(value != NULL ? value : arguments[2]);
    }
    case INTERPRETER_KEYS:
        return boxed_keys(machine, arguments[0]);
    case INTERPRETER_SLICE:
        return boxed_slice(machine, arguments[0], int_value(arguments[1]), int_value(arguments[2]));
    case INTERPRETER_BYTE:
        return boxed_make_int(machine, str_bytes(arguments[0])[int_value(arguments[1])]);
    case INTERPRETER_SQRT:
        return boxed_make_float(machine, sqrt(boxed_number(arguments[0])));
    case INTERPRETER_TO_INT:
        return boxed_make_int(machine, (int64_t)boxed_number(arguments[0]));
    case INTERPRETER_TO_STR:
        return boxed_to_str(machine, int_value(arguments[0]));
    default:
        return object_incref(machine->text);
    }
}

#endif
