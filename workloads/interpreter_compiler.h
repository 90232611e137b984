/* The compiler's state, its tokens and its tables: what its parser (interpreter_compile.c) stands
 * on.
 *
 * Nothing is allocated: names are parts of the source, tables are the module's. After the first
 * problem the source reads as if it ended there, so that every loop comes to its end. */
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
    const char *next; /* of the source */
    unsigned line;
    enum compiler_token kind; /* of the token at hand */
    struct interpreter_text token;
    const char *problem; /* the first; NULL: none */
    struct interpreter_text locals[COMPILER_LOCALS_MAX];
    uint32_t local_count;
    int depth; /* operands of the function, at this point and at most */
    int depth_max;
};

/* Notes the problem (a constant) if it is the first. */
void compiler_fail(struct compiler *compiler, const char *problem);
bool compiler_text_is(struct interpreter_text text, const char *word);

/* Reads the next token. */
void compiler_advance(struct compiler *compiler);
/* Is the token at hand this word or sign? */
bool compiler_at(const struct compiler *compiler, const char *word);
/* Passes it if it is. */
bool compiler_accept(struct compiler *compiler, const char *word);
/* Passes it; a problem if it is not. */
void compiler_expect(struct compiler *compiler, const char *word);
struct interpreter_text compiler_expect_name(struct compiler *compiler);

/* Emits an instruction, after which there are effect operands more. Returns its index. */
uint32_t compiler_emit(struct compiler *compiler, enum interpreter_op op, unsigned count,
                       unsigned operand, int effect);
/* Makes the jump go to the next instruction that is emitted. */
void compiler_land(struct compiler *compiler, uint32_t jump);

/* Indices in the module's tables; an entry is made when there is none. */
unsigned compiler_name(struct compiler *compiler, struct interpreter_text name);
/* Of a class's methods (class_name is an index of names) or, when it is −1, of the plain functions.
 */
unsigned compiler_function(struct compiler *compiler, int class_name, struct interpreter_text name);
/* Of the token at hand. */
unsigned compiler_constant(struct compiler *compiler);
/* Of the int 1. */
unsigned compiler_one(struct compiler *compiler);
/* The slot of the function's variable, made when there is none; find gives −1 then. */
unsigned compiler_local(struct compiler *compiler, struct interpreter_text name);
int compiler_find_local(const struct compiler *compiler, struct interpreter_text name);

#endif
