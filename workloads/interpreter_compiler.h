/* The compiler's state, its tokens and its tables, for its parser (interpreter_compile.c).
 *
 * Nothing is allocated: names are parts of the source, and tables are the module's. After the first
 * problem the source appears to end, so that every loop ends. */
#ifndef HEAPMILL_WORKLOADS_INTERPRETER_COMPILER_H
#define HEAPMILL_WORKLOADS_INTERPRETER_COMPILER_H

#include "workloads/interpreter.h"

enum compiler_token {
    COMPILER_END,
    COMPILER_NAME,
    COMPILER_INT,
    COMPILER_FLOAT,
    COMPILER_STR,
    COMPILER_SIGN
};
enum { COMPILER_LOCALS_MAX = 32 };

struct compiler {
    struct interpreter_module *module;
    const char *next; /* in the source */
    unsigned line;
    enum compiler_token kind; /* of the current token */
    struct interpreter_text token;
    const char *problem; /* the first one; NULL: none */
    struct interpreter_text locals[COMPILER_LOCALS_MAX];
    uint32_t local_count;
    int depth; /* operands of the function, now and at most */
    int depth_max;
};

/* Records the problem (a constant) if it is the first. */
void compiler_fail(struct compiler *compiler, const char *problem);
bool compiler_text_is(struct interpreter_text text, const char *word);

/* Reads the next token. */
void compiler_advance(struct compiler *compiler);
/* Is the current token this word or sign? */
bool compiler_at(const struct compiler *compiler, const char *word);
/* Takes the token if it is this word or sign. */
bool compiler_accept(struct compiler *compiler, const char *word);
/* Takes the token; if it is another, that is a problem. */
void compiler_expect(struct compiler *compiler, const char *word);
struct interpreter_text compiler_expect_name(struct compiler *compiler);

/* Emits an instruction that adds `effect` operands. Returns its index. */
uint32_t compiler_emit(struct compiler *compiler, enum interpreter_op op, unsigned count,
                       unsigned operand, int effect);
/* Makes the jump go to the next emitted instruction. */
void compiler_land(struct compiler *compiler, uint32_t jump);

/* Indices into the module's tables; missing entries are added. */
unsigned compiler_name(struct compiler *compiler, struct interpreter_text name);
/* A method of a class (class_name is an index into names) or, if class_name is −1, a plain
 * function. */
unsigned compiler_function(struct compiler *compiler, int class_name, struct interpreter_text name);
/* The current token's value. */
unsigned compiler_constant(struct compiler *compiler);
/* The int 1. */
unsigned compiler_one(struct compiler *compiler);
/* The slot of the function's variable, which is created if necessary; find returns −1 instead. */
unsigned compiler_local(struct compiler *compiler, struct interpreter_text name);
int compiler_find_local(const struct compiler *compiler, struct interpreter_text name);

#endif
