/* The compiler's tokens and tables. */
#include "workloads/interpreter_compiler.h"

#include <stdlib.h>
#include <string.h>

void compiler_fail(struct compiler *compiler, const char *problem)
{
    if (compiler->problem == NULL) {
        compiler->problem = problem;
        compiler->next = ""; /* so that every loop reaches the end */
    }
    compiler->kind = COMPILER_END;
}

bool compiler_text_is(struct interpreter_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

static bool compiler_text_equal(struct interpreter_text a, struct interpreter_text b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* ------------------------------------------------------------------ tokens */
static bool compiler_is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool compiler_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Skips spaces, and comments from # to the end of the line. */
static void compiler_skip_space(struct compiler *compiler)
{
    bool comment = false;
    for (; *compiler->next != '\0'; compiler->next++) {
        char byte = *compiler->next;
        comment = byte == '\n' ? false : comment || byte == '#';
        compiler->line += byte == '\n';
        if (!comment && byte != ' ' && byte != '\n') {
            return;
        }
    }
}

/* The length of a number. It has a fraction only if a digit follows the point: 0..n is a range. */
static size_t compiler_scan_number(struct compiler *compiler, const char *first)
{
    size_t length = 0;
    compiler->kind = COMPILER_INT;
    while (compiler_is_digit(first[length]) ||
           (first[length] == '.' && compiler_is_digit(first[length + 1]))) {
        compiler->kind = first[length] == '.' ? COMPILER_FLOAT : compiler->kind;
        length++;
    }
    return length;
}

static size_t compiler_scan_sign(struct compiler *compiler, const char *first)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "//", ".."};
    compiler->kind = COMPILER_SIGN;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (strncmp(first, pairs[i], 2) == 0) {
            return 2;
        }
    }
    return 1;
}

void compiler_advance(struct compiler *compiler)
{
    compiler_skip_space(compiler);
    const char *first = compiler->next;
    size_t length = 0;
    if (*first == '\0') {
        compiler->kind = COMPILER_END;
    } else if (compiler_is_letter(*first)) {
        compiler->kind = COMPILER_NAME;
        while (compiler_is_letter(first[length]) || compiler_is_digit(first[length])) {
            length++;
        }
    } else if (compiler_is_digit(*first)) {
        length = compiler_scan_number(compiler, first);
    } else if (*first == '"') {
        compiler->kind = COMPILER_STR;
        length = 2 + strcspn(first + 1, "\"");
    } else {
        length = compiler_scan_sign(compiler, first);
    }
    compiler->token = (struct interpreter_text){first, length};
    compiler->next += length;
}

bool compiler_at(const struct compiler *compiler, const char *word)
{
    return (compiler->kind == COMPILER_NAME || compiler->kind == COMPILER_SIGN) &&
           compiler_text_is(compiler->token, word);
}

bool compiler_accept(struct compiler *compiler, const char *word)
{
    bool there = compiler_at(compiler, word);
    if (there) {
        compiler_advance(compiler);
    }
    return there;
}

void compiler_expect(struct compiler *compiler, const char *word)
{
    if (!compiler_accept(compiler, word)) {
        compiler_fail(compiler, "a sign or word is missing");
    }
}

struct interpreter_text compiler_expect_name(struct compiler *compiler)
{
    struct interpreter_text name = compiler->token;
    if (compiler->kind != COMPILER_NAME) {
        compiler_fail(compiler, "a name is missing");
    }
    compiler_advance(compiler);
    return name;
}

/* ------------------------------------------------------------------ tables and code */
uint32_t compiler_emit(struct compiler *compiler, enum interpreter_op op, unsigned count,
                       unsigned operand, int effect)
{
    struct interpreter_module *module = compiler->module;
    if (module->instruction_count == INTERPRETER_INSTRUCTIONS_MAX) {
        compiler_fail(compiler, "too many instructions");
        return 0;
    }
    compiler->depth += effect;
    if (compiler->depth > compiler->depth_max) {
        compiler->depth_max = compiler->depth;
    }
    module->instructions[module->instruction_count] =
        (struct interpreter_instruction){(uint8_t)op, (uint8_t)count, (uint16_t)operand};
    return module->instruction_count++;
}

void compiler_land(struct compiler *compiler, uint32_t jump)
{
    compiler->module->instructions[jump].operand = (uint16_t)compiler->module->instruction_count;
}

unsigned compiler_name(struct compiler *compiler, struct interpreter_text name)
{
    struct interpreter_module *module = compiler->module;
    for (uint32_t i = 0; i < module->name_count; i++) {
        if (compiler_text_equal(module->names[i], name)) {
            return i;
        }
    }
    if (module->name_count == INTERPRETER_NAMES_MAX) {
        compiler_fail(compiler, "too many names");
        return 0;
    }
    module->names[module->name_count] = name;
    return module->name_count++;
}

unsigned compiler_function(struct compiler *compiler, int class_name, struct interpreter_text name)
{
    struct interpreter_module *module = compiler->module;
    for (uint32_t i = 0; i < module->function_count; i++) {
        if (module->functions[i].class_name == class_name &&
            compiler_text_equal(module->functions[i].name, name)) {
            return i;
        }
    }
    if (module->function_count == INTERPRETER_FUNCTIONS_MAX) {
        compiler_fail(compiler, "too many functions");
        return 0;
    }
    int name_index = class_name < 0 ? -1 : (int)compiler_name(compiler, name);
    module->functions[module->function_count] = (struct interpreter_function){
        .name = name, .class_name = class_name, .name_index = name_index};
    return module->function_count++;
}

static bool compiler_same_constant(const struct interpreter_constant *a,
                                   const struct interpreter_constant *b)
{
    return a->kind == b->kind && a->integer == b->integer &&
           memcmp(&a->real, &b->real, sizeof a->real) == 0 && compiler_text_equal(a->text, b->text);
}

/* Equal constants share an entry. */
static unsigned compiler_add_constant(struct compiler *compiler,
                                      struct interpreter_constant constant)
{
    struct interpreter_module *module = compiler->module;
    for (uint32_t i = 0; i < module->constant_count; i++) {
        if (compiler_same_constant(&module->constants[i], &constant)) {
            return i;
        }
    }
    if (module->constant_count == INTERPRETER_CONSTANTS_MAX) {
        compiler_fail(compiler, "too many constants");
        return 0;
    }
    module->constants[module->constant_count] = constant;
    return module->constant_count++;
}

unsigned compiler_constant(struct compiler *compiler)
{
    struct interpreter_constant constant = {.kind = INTERPRETER_STR_CONSTANT, .text = {"", 0}};
    if (compiler->kind == COMPILER_INT) {
        constant.kind = INTERPRETER_INT_CONSTANT;
        constant.integer = strtoll(compiler->token.bytes, NULL, 10);
    } else if (compiler->kind == COMPILER_FLOAT) {
        constant.kind = INTERPRETER_FLOAT_CONSTANT;
        constant.real = strtod(compiler->token.bytes, NULL);
    } else {
        constant.text =
            (struct interpreter_text){compiler->token.bytes + 1, compiler->token.length - 2};
    }
    return compiler_add_constant(compiler, constant);
}

unsigned compiler_one(struct compiler *compiler)
{
    return compiler_add_constant(
        compiler, (struct interpreter_constant){
                      .kind = INTERPRETER_INT_CONSTANT, .integer = 1, .text = {"", 0}});
}

int compiler_find_local(const struct compiler *compiler, struct interpreter_text name)
{
    for (uint32_t i = 0; i < compiler->local_count; i++) {
        if (compiler_text_equal(compiler->locals[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

unsigned compiler_local(struct compiler *compiler, struct interpreter_text name)
{
    int found = name.length == 0 ? -1 : compiler_find_local(compiler, name);
    if (found >= 0) {
        return (unsigned)found;
    }
    if (compiler->local_count == COMPILER_LOCALS_MAX) {
        compiler_fail(compiler, "too many variables");
        return 0;
    }
    compiler->locals[compiler->local_count] = name;
    return compiler->local_count++;
}
