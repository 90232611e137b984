/* The small interpreter behind the workload `interpreter`: a language, its bytecode, its programs.
 *
 * The language is the part of Python that makes objects: ints, floats, strings, lists, dicts, plain
 * instances with methods found by class name, functions that recurse. Statements end with a
 * semicolon and blocks are in braces; `for i in a..b` counts; a variable is local to its function.
 *
 * The bytecode is for a stack machine, as CPython's; the boxed machine runs it over the object
 * layer. What an iteration of a program does is known beforehand: its instructions, blocks and
 * result stand beside its source, and interpreter_test holds them against the machine. */
#ifndef HEAPMILL_WORKLOADS_INTERPRETER_H
#define HEAPMILL_WORKLOADS_INTERPRETER_H

#include "workloads/workload.h"

enum interpreter_op {
    INTERPRETER_CONSTANT, /* push constants[operand] */
    INTERPRETER_NONE,
    INTERPRETER_LOAD,  /* push the local variable */
    INTERPRETER_STORE, /* pop into it */
    INTERPRETER_POP,
    INTERPRETER_ADD, /* pops a and b, and pushes the result; so do all up to GREATER_EQUAL */
    INTERPRETER_SUBTRACT,
    INTERPRETER_MULTIPLY,
    INTERPRETER_DIVIDE,
    INTERPRETER_FLOOR_DIVIDE,
    INTERPRETER_MODULO,
    INTERPRETER_EQUAL,
    INTERPRETER_NOT_EQUAL,
    INTERPRETER_LESS,
    INTERPRETER_LESS_EQUAL,
    INTERPRETER_GREATER,
    INTERPRETER_GREATER_EQUAL,
    INTERPRETER_NOT,
    INTERPRETER_JUMP,
    INTERPRETER_JUMP_IF_FALSE, /* pops */
    INTERPRETER_AND,           /* jumps if the top is false; otherwise pops it */
    INTERPRETER_OR,            /* jumps if the top is true; otherwise pops it */
    INTERPRETER_CALL,          /* functions[operand] with count arguments */
    INTERPRETER_CALL_METHOD,  /* the method names[operand]; the receiver is below count arguments */
    INTERPRETER_CALL_BUILTIN, /* operand is an enum interpreter_builtin */
    INTERPRETER_RETURN,
    INTERPRETER_MAKE_LIST, /* of the count topmost values */
    INTERPRETER_MAKE_DICT,
    INTERPRETER_MAKE_INSTANCE, /* of the class names[operand] */
    INTERPRETER_GET_ITEM,      /* container, index */
    INTERPRETER_SET_ITEM,      /* container, index, value: all popped */
    INTERPRETER_GET_ATTRIBUTE,
    INTERPRETER_SET_ATTRIBUTE, /* instance, value: both popped */
};

enum interpreter_builtin {
    INTERPRETER_LEN,    /* of a string, list or dict */
    INTERPRETER_APPEND, /* list, value */
    INTERPRETER_TAKE,   /* list: its last item, removed */
    INTERPRETER_GET,    /* dict, key, value if absent */
    INTERPRETER_KEYS,   /* dict: a list */
    INTERPRETER_SLICE,  /* string or list, from, to */
    INTERPRETER_BYTE,   /* string, index: an int */
    INTERPRETER_SQRT,
    INTERPRETER_TO_INT,
    INTERPRETER_TO_STR, /* of an int */
    INTERPRETER_TEXT,   /* the text that the words program counts */
    INTERPRETER_BUILTINS,
};

struct interpreter_instruction {
    uint8_t op;
    uint8_t count;
    uint16_t operand;
};

/* A part of the source, which outlives everything that is made from it. */
struct interpreter_text {
    const char *bytes;
    size_t length;
};

enum interpreter_constant_kind {
    INTERPRETER_INT_CONSTANT,
    INTERPRETER_FLOAT_CONSTANT,
    INTERPRETER_STR_CONSTANT
};

struct interpreter_constant {
    enum interpreter_constant_kind kind;
    int64_t integer;
    double real;
    struct interpreter_text text;
};

struct interpreter_function {
    struct interpreter_text name;
    int class_name; /* of a method: an index into names; otherwise −1 */
    int name_index; /* of a method: its name's index; otherwise −1 */
    uint32_t first; /* instruction */
    uint32_t parameters;
    uint32_t locals; /* variables with the parameters */
    uint32_t slots;  /* locals, and operands at the greatest depth */
    bool defined;    /* false: it was called, but not found yet */
};

enum {
    INTERPRETER_FUNCTIONS_MAX = 64,
    INTERPRETER_CONSTANTS_MAX = 128,
    INTERPRETER_NAMES_MAX = 64,
    INTERPRETER_INSTRUCTIONS_MAX = 4096,
};

/* A compiled source: about 30 KiB, outside every heap. */
struct interpreter_module {
    struct interpreter_function functions[INTERPRETER_FUNCTIONS_MAX];
    struct interpreter_constant constants[INTERPRETER_CONSTANTS_MAX];
    struct interpreter_text names[INTERPRETER_NAMES_MAX]; /* of classes, attributes and methods */
    struct interpreter_instruction instructions[INTERPRETER_INSTRUCTIONS_MAX];
    uint32_t function_count;
    uint32_t constant_count;
    uint32_t name_count;
    uint32_t instruction_count;
};

/* The programs that an iteration runs; ALL runs each of them once. */
enum interpreter_program {
    INTERPRETER_ALL,
    INTERPRETER_FIB,
    INTERPRETER_NBODY,
    INTERPRETER_FANNKUCH,
    INTERPRETER_WORDS,
    INTERPRETER_QUEENS,
    INTERPRETER_TASKS,
    INTERPRETER_RECORDS,
    INTERPRETER_PROGRAMS
};

extern const char *const interpreter_program_names[INTERPRETER_PROGRAMS + 1]; /* NULL at the end */
extern const char interpreter_source[];

enum { INTERPRETER_TEXT_BYTES = 6000 };
/* Fills INTERPRETER_TEXT_BYTES with words of a skewed distribution, which is always the same. */
void interpreter_write_text(char *text);

/* Compiles source into *module. STATUS_INVALID if it is wrong, with the line in *error. */
enum status interpreter_compile(struct interpreter_module *module, const char *source,
                                struct error *error);
/* The index of the function of that name; it must exist. */
uint32_t interpreter_find_function(const struct interpreter_module *module, const char *name);

/* The counts of one iteration of a program. */
struct interpreter_counts {
    uint64_t instructions;
    uint64_t blocks; /* allocated blocks */
    uint64_t bytes;  /* of these, with resized vectors: an upper estimate */
    int64_t result;  /* 0 for INTERPRETER_ALL */
};

/* The counts with a store of records; INTERPRETER_ALL is the sum of the programs. */
struct interpreter_counts interpreter_count(enum interpreter_program program, uint64_t records);

/* ------------------------------------------------------------------ the boxed machine */
struct boxed_machine {
    const struct interpreter_module *module;
    const char *fault; /* a constant: the program's error; NULL: none */
    struct run *run;
    struct runtime *runtime;
#ifdef HEAPMILL_INTERPRETER_COUNTS
    uint64_t instructions; /* instructions that were run; only for the test */
#endif
    struct object *none; /* an interned string: None has no type of its own */
    struct object *text;
    struct object *classes; /* a dict: class name → a dict: method name → index of the function */
    struct object *constants[INTERPRETER_CONSTANTS_MAX];
    struct object *names[INTERPRETER_NAMES_MAX]; /* interned */
};

/* Makes the constants, names and classes. false: the heap is exhausted. Call boxed_close in either
 * case. */
bool boxed_open(struct boxed_machine *machine, struct run *run,
                const struct interpreter_module *module, const char *text);
void boxed_close(struct boxed_machine *machine);
/* Calls the function with one argument, whose reference stays the caller's. Returns a new
 * reference; NULL: machine->fault is set, or the heap is exhausted. */
struct object *boxed_call(struct boxed_machine *machine, uint32_t function,
                          struct object *argument);

#endif
