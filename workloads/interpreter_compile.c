/* The interpreter's compiler: source to bytecode in one pass, by recursive descent.
 *
 *   module     = { "fn" name [ "." name ] "(" [ name { "," name } ] ")" block }
 *   block      = "{" { statement } "}"
 *   statement  = "if" expression block [ "else" ( block | statement ) ]
 *              | "while" expression block | "for" name "in" expression ".." expression block
 *              | "return" expression ";" | expression [ "=" expression ] ";"
 *   expression = and-chain { "or" and-chain };  and-chain = negation { "and" negation }
 *   negation   = [ "not" ] comparison;          comparison = sum [ operator sum ]
 *   sum        = product { ( "+" | "-" ) product };  product = postfix { ( "*" | "/" | "//" | "%" )
 * postfix } postfix    = atom { "[" expression "]" | "." name [ "(" arguments ")" ] }
 *
 * A function may be called before it is defined. Errors end in one message with the line. */
#include <string.h>

#include "workloads/interpreter_compiler.h"

static const char *const compiler_builtins[INTERPRETER_BUILTINS] = {
    [INTERPRETER_LEN] = "len",    [INTERPRETER_APPEND] = "append", [INTERPRETER_TAKE] = "take",
    [INTERPRETER_GET] = "get",    [INTERPRETER_KEYS] = "keys",     [INTERPRETER_SLICE] = "slice",
    [INTERPRETER_BYTE] = "byte",  [INTERPRETER_SQRT] = "sqrt",     [INTERPRETER_TO_INT] = "int",
    [INTERPRETER_TO_STR] = "str", [INTERPRETER_TEXT] = "text",
};

static void compile_expression(struct compiler *compiler);
static void compile_block(struct compiler *compiler);

/* ------------------------------------------------------------------ expressions */
/* Compiles values separated by commas, up to and including the closing sign. Returns their
 * number. */
static unsigned compile_values(struct compiler *compiler, const char *closing)
{
    unsigned count = 0;
    while (compiler->problem == NULL && !compiler_at(compiler, closing)) {
        compile_expression(compiler);
        count++;
        if (!compiler_accept(compiler, ",")) {
            break;
        }
    }
    compiler_expect(compiler, closing);
    return count;
}

/* Compiles a call after its name and "(". */
static void compile_call(struct compiler *compiler, struct interpreter_text name)
{
    int count = (int)compile_values(compiler, ")");
    for (unsigned i = 0; i < INTERPRETER_BUILTINS; i++) {
        if (compiler_text_is(name, compiler_builtins[i])) {
            compiler_emit(compiler, INTERPRETER_CALL_BUILTIN, (unsigned)count, i, 1 - count);
            return;
        }
    }
    unsigned function = compiler_function(compiler, -1, name);
    compiler_emit(compiler, INTERPRETER_CALL, (unsigned)count, function, 1 - count);
}

/* Compiles a variable, which is created if an assignment follows, or a call. */
static void compile_name(struct compiler *compiler)
{
    struct interpreter_text name = compiler_expect_name(compiler);
    if (compiler_accept(compiler, "(")) {
        compile_call(compiler, name);
        return;
    }
    if (compiler_find_local(compiler, name) < 0 && !compiler_at(compiler, "=")) {
        compiler_fail(compiler, "a variable is used before it is assigned");
    }
    compiler_emit(compiler, INTERPRETER_LOAD, 0, compiler_local(compiler, name), 1);
}

static void compile_atom(struct compiler *compiler)
{
    if (compiler_accept(compiler, "(")) {
        compile_expression(compiler);
        compiler_expect(compiler, ")");
    } else if (compiler_accept(compiler, "[")) {
        int count = (int)compile_values(compiler, "]");
        compiler_emit(compiler, INTERPRETER_MAKE_LIST, (unsigned)count, 0, 1 - count);
    } else if (compiler_accept(compiler, "{")) {
        compiler_expect(compiler, "}");
        compiler_emit(compiler, INTERPRETER_MAKE_DICT, 0, 0, 1);
    } else if (compiler_accept(compiler, "none")) {
        compiler_emit(compiler, INTERPRETER_NONE, 0, 0, 1);
    } else if (compiler_accept(compiler, "new")) {
        unsigned class_name = compiler_name(compiler, compiler_expect_name(compiler));
        compiler_emit(compiler, INTERPRETER_MAKE_INSTANCE, 0, class_name, 1);
    } else if (compiler->kind == COMPILER_NAME) {
        compile_name(compiler);
    } else if (compiler->kind == COMPILER_SIGN || compiler->kind == COMPILER_END) {
        compiler_fail(compiler, "a value is missing");
    } else {
        compiler_emit(compiler, INTERPRETER_CONSTANT, 0, compiler_constant(compiler), 1);
        compiler_advance(compiler);
    }
}

static void compile_postfix(struct compiler *compiler)
{
    compile_atom(compiler);
    while (compiler->problem == NULL) {
        if (compiler_accept(compiler, "[")) {
            compile_expression(compiler);
            compiler_expect(compiler, "]");
            compiler_emit(compiler, INTERPRETER_GET_ITEM, 0, 0, -1);
        } else if (compiler_accept(compiler, ".")) {
            unsigned name = compiler_name(compiler, compiler_expect_name(compiler));
            if (compiler_accept(compiler, "(")) {
                int count = (int)compile_values(compiler, ")");
                compiler_emit(compiler, INTERPRETER_CALL_METHOD, (unsigned)count, name, -count);
            } else {
                compiler_emit(compiler, INTERPRETER_GET_ATTRIBUTE, 0, name, 0);
            }
        } else {
            return;
        }
    }
}

struct compile_operator {
    const char *sign;
    enum interpreter_op op;
};

/* Takes the operator of this level; NULL: there is none. */
static const struct compile_operator *
compile_accept_operator(struct compiler *compiler, const struct compile_operator *operators,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (compiler_accept(compiler, operators[i].sign)) {
            return &operators[i];
        }
    }
    return NULL;
}

static void compile_product(struct compiler *compiler)
{
    static const struct compile_operator operators[] = {
        {"*", INTERPRETER_MULTIPLY},
        {"/", INTERPRETER_DIVIDE},
        {"//", INTERPRETER_FLOOR_DIVIDE},
        {"%", INTERPRETER_MODULO},
    };
    const struct compile_operator *found;
    compile_postfix(compiler);
    while ((found = compile_accept_operator(compiler, operators, 4)) != NULL) {
        compile_postfix(compiler);
        compiler_emit(compiler, found->op, 0, 0, -1);
    }
}

static void compile_sum(struct compiler *compiler)
{
    static const struct compile_operator operators[] = {
        {"+", INTERPRETER_ADD},
        {"-", INTERPRETER_SUBTRACT},
    };
    const struct compile_operator *found;
    compile_product(compiler);
    while ((found = compile_accept_operator(compiler, operators, 2)) != NULL) {
        compile_product(compiler);
        compiler_emit(compiler, found->op, 0, 0, -1);
    }
}

static void compile_comparison(struct compiler *compiler)
{
    static const struct compile_operator operators[] = {
        {"==", INTERPRETER_EQUAL},  {"!=", INTERPRETER_NOT_EQUAL},
        {"<", INTERPRETER_LESS},    {"<=", INTERPRETER_LESS_EQUAL},
        {">", INTERPRETER_GREATER}, {">=", INTERPRETER_GREATER_EQUAL},
    };
    compile_sum(compiler);
    const struct compile_operator *found = compile_accept_operator(compiler, operators, 6);
    if (found != NULL) {
        compile_sum(compiler);
        compiler_emit(compiler, found->op, 0, 0, -1);
    }
}

static void compile_negation(struct compiler *compiler)
{
    if (compiler_accept(compiler, "not")) {
        compile_comparison(compiler);
        compiler_emit(compiler, INTERPRETER_NOT, 0, 0, 0);
    } else {
        compile_comparison(compiler);
    }
}

/* If the left value decides, the jump leaves it; otherwise it is popped. */
static void compile_and(struct compiler *compiler)
{
    compile_negation(compiler);
    while (compiler_accept(compiler, "and")) {
        uint32_t jump = compiler_emit(compiler, INTERPRETER_AND, 0, 0, -1);
        compile_negation(compiler);
        compiler_land(compiler, jump);
    }
}

static void compile_expression(struct compiler *compiler)
{
    compile_and(compiler);
    while (compiler_accept(compiler, "or")) {
        uint32_t jump = compiler_emit(compiler, INTERPRETER_OR, 0, 0, -1);
        compile_and(compiler);
        compiler_land(compiler, jump);
    }
}

/* ------------------------------------------------------------------ statements */
static void compile_if(struct compiler *compiler)
{
    compile_expression(compiler);
    uint32_t otherwise = compiler_emit(compiler, INTERPRETER_JUMP_IF_FALSE, 0, 0, -1);
    compile_block(compiler);
    if (!compiler_accept(compiler, "else")) {
        compiler_land(compiler, otherwise);
        return;
    }
    uint32_t end = compiler_emit(compiler, INTERPRETER_JUMP, 0, 0, 0);
    compiler_land(compiler, otherwise);
    if (compiler_accept(compiler, "if")) {
        compile_if(compiler);
    } else {
        compile_block(compiler);
    }
    compiler_land(compiler, end);
}

static void compile_while(struct compiler *compiler)
{
    uint32_t start = compiler->module->instruction_count;
    compile_expression(compiler);
    uint32_t end = compiler_emit(compiler, INTERPRETER_JUMP_IF_FALSE, 0, 0, -1);
    compile_block(compiler);
    compiler_emit(compiler, INTERPRETER_JUMP, 0, start, 0);
    compiler_land(compiler, end);
}

/* The bound is computed once and kept in a variable without a name. */
static void compile_for(struct compiler *compiler)
{
    unsigned counter = compiler_local(compiler, compiler_expect_name(compiler));
    unsigned bound = compiler_local(compiler, (struct interpreter_text){"", 0});
    compiler_expect(compiler, "in");
    compile_expression(compiler);
    compiler_emit(compiler, INTERPRETER_STORE, 0, counter, -1);
    compiler_expect(compiler, "..");
    compile_expression(compiler);
    compiler_emit(compiler, INTERPRETER_STORE, 0, bound, -1);
    uint32_t start = compiler_emit(compiler, INTERPRETER_LOAD, 0, counter, 1);
    compiler_emit(compiler, INTERPRETER_LOAD, 0, bound, 1);
    compiler_emit(compiler, INTERPRETER_LESS, 0, 0, -1);
    uint32_t end = compiler_emit(compiler, INTERPRETER_JUMP_IF_FALSE, 0, 0, -1);
    compile_block(compiler);
    compiler_emit(compiler, INTERPRETER_LOAD, 0, counter, 1);
    compiler_emit(compiler, INTERPRETER_CONSTANT, 0, compiler_one(compiler), 1);
    compiler_emit(compiler, INTERPRETER_ADD, 0, 0, -1);
    compiler_emit(compiler, INTERPRETER_STORE, 0, counter, -1);
    compiler_emit(compiler, INTERPRETER_JUMP, 0, start, 0);
    compiler_land(compiler, end);
}

/* If "=" follows an expression that loads, the expression is the target of an assignment: its last
 * instruction is removed, and the storing one comes after the value. */
static void compile_simple(struct compiler *compiler)
{
    struct interpreter_module *module = compiler->module;
    compile_expression(compiler);
    if (!compiler_accept(compiler, "=")) {
        compiler_emit(compiler, INTERPRETER_POP, 0, 0, -1);
        return;
    }
    if (compiler->problem != NULL) {
        return;
    }
    struct interpreter_instruction load = module->instructions[--module->instruction_count];
    compiler->depth += load.op == INTERPRETER_LOAD ? -1 : load.op == INTERPRETER_GET_ITEM;
    compile_expression(compiler);
    switch (load.op) {
    case INTERPRETER_LOAD:
        compiler_emit(compiler, INTERPRETER_STORE, 0, load.operand, -1);
        break;
    case INTERPRETER_GET_ITEM:
        compiler_emit(compiler, INTERPRETER_SET_ITEM, 0, 0, -3);
        break;
    case INTERPRETER_GET_ATTRIBUTE:
        compiler_emit(compiler, INTERPRETER_SET_ATTRIBUTE, 0, load.operand, -2);
        break;
    default:
        compiler_fail(compiler, "this cannot be assigned to");
    }
}

static void compile_statement(struct compiler *compiler)
{
    if (compiler_accept(compiler, "if")) {
        compile_if(compiler);
    } else if (compiler_accept(compiler, "while")) {
        compile_while(compiler);
    } else if (compiler_accept(compiler, "for")) {
        compile_for(compiler);
    } else if (compiler_accept(compiler, "return")) {
        compile_expression(compiler);
        compiler_emit(compiler, INTERPRETER_RETURN, 0, 0, -1);
        compiler_expect(compiler, ";");
    } else {
        compile_simple(compiler);
        compiler_expect(compiler, ";");
    }
}

static void compile_block(struct compiler *compiler)
{
    compiler_expect(compiler, "{");
    while (compiler->problem == NULL && !compiler_at(compiler, "}")) {
        compile_statement(compiler);
    }
    compiler_expect(compiler, "}");
}

/* ------------------------------------------------------------------ functions */
static void compile_function(struct compiler *compiler)
{
    compiler_expect(compiler, "fn");
    struct interpreter_text name = compiler_expect_name(compiler);
    int class_name = -1;
    if (compiler_accept(compiler, ".")) {
        class_name = (int)compiler_name(compiler, name);
        name = compiler_expect_name(compiler);
    }
    unsigned index = compiler_function(compiler, class_name, name);
    struct interpreter_function *function = &compiler->module->functions[index];
    compiler->local_count = 0;
    compiler->depth = 0;
    compiler->depth_max = 0;
    compiler_expect(compiler, "(");
    while (compiler->kind == COMPILER_NAME) {
        (void)compiler_local(compiler, compiler_expect_name(compiler));
        (void)compiler_accept(compiler, ",");
    }
    compiler_expect(compiler, ")");
    function->parameters = compiler->local_count;
    function->first = compiler->module->instruction_count;
    compile_block(compiler);
    compiler_emit(compiler, INTERPRETER_NONE, 0, 0, 1);
    compiler_emit(compiler, INTERPRETER_RETURN, 0, 0, -1);
    if (compiler->depth != 0) {
        compiler_fail(compiler, "the compiler has lost count of the operands");
    }
    function->locals = compiler->local_count;
    function->slots = compiler->local_count + (uint32_t)compiler->depth_max;
    function->defined = true;
}

enum status interpreter_compile(struct interpreter_module *module, const char *source,
                                struct error *error)
{
    struct compiler compiler = {.module = module, .next = source, .line = 1};
    memset(module, 0, sizeof *module);
    compiler_advance(&compiler);
    while (compiler.kind != COMPILER_END) {
        compile_function(&compiler);
    }
    for (uint32_t i = 0; i < module->function_count; i++) {
        if (!module->functions[i].defined) {
            compiler_fail(&compiler, "a function is called that is not defined");
        }
    }
    if (compiler.problem != NULL) {
        return error_set(error, STATUS_INVALID, "the interpreter's source, line %u: %s",
                         compiler.line, compiler.problem);
    }
    return STATUS_OK;
}

uint32_t interpreter_find_function(const struct interpreter_module *module, const char *name)
{
    uint32_t index = 0;
    while (module->functions[index].class_name >= 0 ||
           !compiler_text_is(module->functions[index].name, name)) {
        index++;
    }
    return index;
}
