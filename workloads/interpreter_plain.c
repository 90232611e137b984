/* The plain machine: the model of what the boxed machine allocates, on values without references.
 */
#include "workloads/interpreter_plain.h"

#include <math.h>

#define LOOP(name) plain_##name
#define LOOP_MACHINE struct plain_machine
#define LOOP_VALUE struct plain_value
#define LOOP_FRAME struct plain_frame

/* ------------------------------------------------------------------ containers */
/* Adds to the list's own items, without a word to the counts. */
static bool plain_list_add(struct plain_machine *machine, struct plain_list *list,
                           struct plain_value item)
{
    if (list->length == list->capacity) {
        size_t capacity = list->capacity < 4 ? 4 : 2 * list->capacity;
        struct plain_value *items = plain_take(machine, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        if (list->length > 0) {
            memcpy(items, list->items, list->length * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->length++] = item;
    return true;
}

static struct plain_value plain_make_list(struct plain_machine *machine)
{
    plain_block(machine, HEAP_LIST_BYTES);
    struct plain_list *list = plain_take(machine, sizeof *list);
    if (list == NULL) {
        return plain_absent();
    }
    return (struct plain_value){.kind = PLAIN_LIST, .list = list};
}

/* The vector is a block with the first item. Later it is resized, which counts as bytes alone:
 * about nine vectors' worth for one that grows by an eighth, and never less than the first one. */
static bool plain_list_append(struct plain_machine *machine, struct plain_value list,
                              struct plain_value item)
{
    if (!list.list->has_vector) {
        list.list->has_vector = true;
        plain_block(machine, 64);
    }
    machine->bytes += 10 * sizeof(void *);
    return plain_list_add(machine, list.list, item);
}

static inline struct plain_value plain_list_item(struct plain_value list, size_t index)
{
    return list.list->items[index];
}

static inline void plain_list_set_item(struct plain_machine *machine, struct plain_value list,
                                       size_t index, struct plain_value item)
{
    (void)machine;
    list.list->items[index] = item;
}

static struct plain_value plain_list_pop(struct plain_machine *machine, struct plain_value list)
{
    machine->bytes += 10 * sizeof(void *);
    return list.list->items[--list.list->length];
}

static inline size_t plain_list_length(struct plain_value list)
{
    return list.list->length;
}

static struct plain_value plain_make_dict(struct plain_machine *machine)
{
    plain_block(machine, HEAP_DICT_BYTES);
    struct plain_dict *dict = plain_take(machine, sizeof *dict);
    if (dict == NULL) {
        return plain_absent();
    }
    return (struct plain_value){.kind = PLAIN_DICT, .dict = dict};
}

/* The index of the key's entry, or the number of entries. */
static size_t plain_dict_find(const struct plain_dict *dict, struct plain_value key)
{
    size_t index = 0;
    while (index < dict->keys.length && !plain_is_equal(dict->keys.items[index], key)) {
        index++;
    }
    return index;
}

static struct plain_value plain_dict_get(struct plain_value dict, struct plain_value key)
{
    size_t index = plain_dict_find(dict.dict, key);
    return index < dict.dict->keys.length ? dict.dict->values.items[index] : plain_absent();
}

static bool plain_dict_set(struct plain_machine *machine, struct plain_value dict,
                           struct plain_value key, struct plain_value value)
{
    size_t index = plain_dict_find(dict.dict, key);
    if (index < dict.dict->keys.length) {
        dict.dict->values.items[index] = value;
        return true;
    }
    plain_count_insertion(machine, &dict.dict->boxed);
    return plain_list_add(machine, &dict.dict->keys, key) &&
           plain_list_add(machine, &dict.dict->values, value);
}

static size_t plain_dict_length(struct plain_value dict)
{
    return dict.dict->keys.length;
}

static bool plain_dict_next(struct plain_value dict, size_t *position, struct plain_value *key)
{
    if (*position == dict.dict->keys.length) {
        return false;
    }
    *key = dict.dict->keys.items[(*position)++];
    return true;
}

static struct plain_value plain_make_instance(struct plain_machine *machine, unsigned class_name)
{
    plain_block(machine, MODEL_INSTANCE_BYTES);
    struct plain_instance *instance = plain_take(machine, sizeof *instance);
    if (instance == NULL) {
        return plain_absent();
    }
    instance->class_name = class_name;
    return (struct plain_value){.kind = PLAIN_INSTANCE, .instance = instance};
}

static struct plain_value plain_attribute(const struct plain_machine *machine,
                                          struct plain_value value, unsigned name)
{
    (void)machine;
    for (unsigned i = 0; value.kind == PLAIN_INSTANCE && i < value.instance->count; i++) {
        if (value.instance->names[i] == name) {
            return value.instance->values[i];
        }
    }
    return plain_absent();
}

/* The boxed instance's dict is made with the first attribute. */
static bool plain_attribute_set(struct plain_machine *machine, struct plain_value object,
                                unsigned name, struct plain_value value)
{
    struct plain_instance *instance = object.instance;
    if (object.kind != PLAIN_INSTANCE) {
        machine->fault = "a program sets an attribute of what is no instance";
        return false;
    }
    unsigned index = 0;
    while (index < instance->count && instance->names[index] != name) {
        index++;
    }
    if (index == PLAIN_ATTRIBUTES_MAX) {
        machine->fault = "a program's instance has too many attributes for the model";
        return false;
    }
    if (index == instance->count) {
        if (index == 0) {
            plain_block(machine, HEAP_DICT_BYTES);
        }
        plain_count_insertion(machine, &instance->boxed);
        instance->names[instance->count++] = name;
    }
    instance->values[index] = value;
    return true;
}

static int64_t plain_method(const struct plain_machine *machine, struct plain_value receiver,
                            unsigned name)
{
    const struct interpreter_module *module = machine->module;
    for (uint32_t i = 0; receiver.kind == PLAIN_INSTANCE && i < module->function_count; i++) {
        if (module->functions[i].class_name == (int)receiver.instance->class_name &&
            module->functions[i].name_index == (int)name) {
            return i;
        }
    }
    return -1;
}

/* ------------------------------------------------------------------ frames */
static struct plain_frame *plain_enter(struct plain_machine *machine, struct plain_frame *caller,
                                       const struct interpreter_function *function)
{
    plain_block(machine, MODEL_FRAME_BYTES + function->slots * sizeof(void *));
    struct plain_frame *frame =
        plain_take(machine, sizeof *frame + function->slots * sizeof(struct plain_value));
    if (frame != NULL) {
        frame->back = caller;
    }
    return frame;
}

static struct plain_frame *plain_leave(struct plain_machine *machine, struct plain_frame *frame)
{
    (void)machine;
    return frame->back;
}

#include "workloads/interpreter_loop.h"

#undef LOOP
#undef LOOP_MACHINE
#undef LOOP_VALUE
#undef LOOP_FRAME

/* ------------------------------------------------------------------ the prediction */
static void plain_make_constants(struct plain_machine *machine)
{
    for (uint32_t i = 0; i < machine->module->constant_count; i++) {
        const struct interpreter_constant *constant = &machine->module->constants[i];
        struct plain_value *value = &machine->constants[i];
        switch (constant->kind) {
        case INTERPRETER_INT_CONSTANT:
            *value = (struct plain_value){.kind = PLAIN_INT, .integer = constant->integer};
            break;
        case INTERPRETER_FLOAT_CONSTANT:
            *value = (struct plain_value){.kind = PLAIN_FLOAT, .real = constant->real};
            break;
        default:
            *value = (struct plain_value){
                .kind = PLAIN_STR, .bytes = constant->text.bytes, .length = constant->text.length};
        }
    }
}

/* One program over the store; its result must be an int. */
static void plain_run_program(struct plain_machine *machine, struct plain_value store, int program,
                              struct interpreter_forecast *forecast)
{
    uint32_t function =
        interpreter_find_function(machine->module, interpreter_program_names[program]);
    struct plain_value result = plain_run(machine, function, store);
    forecast->results[program] = plain_is_int(result) ? plain_int_of(result) : 0;
}

enum status interpreter_predict(const struct interpreter_module *module, uint64_t records,
                                enum interpreter_program program,
                                struct interpreter_forecast *forecast, struct error *error)
{
    struct plain_machine machine = {.module = module, .none.kind = PLAIN_NONE};
    char text[INTERPRETER_TEXT_BYTES];
    interpreter_write_text(text);
    machine.text = (struct plain_value){.kind = PLAIN_STR, .bytes = text, .length = sizeof text};
    plain_make_constants(&machine);
    struct plain_value count = {.kind = PLAIN_INT, .integer = (int64_t)records};
    struct plain_value store =
        plain_run(&machine, interpreter_find_function(module, "load"), count);
    machine.instructions = 0;
    machine.blocks = 0;
    machine.bytes = 0;
    *forecast = (struct interpreter_forecast){0};
    for (int i = 1; i < INTERPRETER_PROGRAMS && machine.fault == NULL; i++) {
        if (program == INTERPRETER_ALL || (int)program == i) {
            plain_run_program(&machine, store, i, forecast);
        }
    }
    forecast->instructions = machine.instructions;
    forecast->blocks = machine.blocks;
    forecast->bytes = machine.bytes;
    plain_close(&machine);
    return machine.fault == NULL ? STATUS_OK
                                 : error_set(error, STATUS_INVALID, "%s", machine.fault);
}
