/* interpreter: a bytecode interpreter over the object layer, running real programs.
 *
 * Imitates a Python process: ints and floats are boxed, a call makes a frame, attributes and
 * methods are found in dicts, containers come and go, and a store of records lives throughout. An
 * iteration runs each program once: fib (frames, ints), nbody (floats), fannkuch (small lists),
 * words (strings, a dict), queens (lists, recursion), tasks (a scheduler that leaves cycles),
 * records (reads and updates the store); at its end everything is collected, as when Python leaves
 * a program.
 *
 * Leaves out what CPython has for speed and we measure without: specialised instructions, inline
 * caches, free lists of its own, frames without a heap block (since 3.11); and modules, exceptions,
 * generators.
 *
 * Stresses the allocator as a runtime does: mostly tiny blocks that die at once, among work that
 * touches other memory. The nearest thing to "how much faster would Python be". */
#include "workloads/interpreter.h"
#include "workloads/objects/model.h"

enum { INTERPRETER_LIVE, INTERPRETER_PROGRAM };
enum { INTERPRETER_RECORD_OBJECTS = 5 /* instance, dict, number, name, weight */ };

struct interpreter_state {
    struct interpreter_module module;
    struct interpreter_counts counts; /* per iteration */
    int64_t results[INTERPRETER_PROGRAMS];
    struct boxed_machine machine;
    struct object *store; /* a list of records */
    uint32_t functions[INTERPRETER_PROGRAMS];
    char text[INTERPRETER_TEXT_BYTES];
};

static uint64_t interpreter_records(const struct run *run)
{
    return run_count(run, INTERPRETER_LIVE) / INTERPRETER_RECORD_OBJECTS;
}

static struct interpreter_counts interpreter_counts_of(const struct run *run)
{
    return interpreter_count((enum interpreter_program)run_count(run, INTERPRETER_PROGRAM),
                             interpreter_records(run));
}

static void interpreter_teardown(struct run *run)
{
    struct interpreter_state *state = run->state;
    object_xdecref(run->runtime, state->store);
    state->store = NULL;
    boxed_close(&state->machine);
    (void)gc_collect(run->runtime, GC_GENERATIONS - 1);
}

/* Makes the store with the programs' own function. NULL: the heap is exhausted. */
static struct object *interpreter_load(struct run *run)
{
    struct interpreter_state *state = run->state;
    struct object *count = int_new(run->runtime, (int64_t)interpreter_records(run));
    if (count == NULL) {
        return NULL;
    }
    uint32_t function = interpreter_find_function(&state->module, "load");
    struct object *store = boxed_call(&state->machine, function, count);
    object_decref(run->runtime, count);
    return store;
}

static enum status interpreter_setup(struct run *run, struct error *error)
{
    struct interpreter_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    enum status status = interpreter_compile(&state->module, interpreter_source, error);
    if (status != STATUS_OK) {
        return status;
    }
    state->counts = interpreter_counts_of(run);
    for (int i = 1; i < INTERPRETER_PROGRAMS; i++) {
        state->functions[i] =
            interpreter_find_function(&state->module, interpreter_program_names[i]);
        state->results[i] =
            interpreter_count((enum interpreter_program)i, interpreter_records(run)).result;
    }
    interpreter_write_text(state->text);
    if (boxed_open(&state->machine, run, &state->module, state->text)) {
        state->store = interpreter_load(run);
    }
    if (state->store == NULL) {
        interpreter_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* Runs the program, and compares its result with the known one. */
static void interpreter_run_program(struct run *run, int program)
{
    struct interpreter_state *state = run->state;
    struct object *result = boxed_call(&state->machine, state->functions[program], state->store);
    if (result == NULL) {
        const char *fault = state->machine.fault;
        run_fail(run, fault != NULL ? fault : MODEL_HEAP_EXHAUSTED);
        return;
    }
    int64_t value = int_value(result);
    object_decref(run->runtime, result);
    run_verify(run, value == state->results[program]);
    model_check(run, (uint64_t)value);
}

static void interpreter_run(struct run *run, uint64_t iterations)
{
    const int chosen = (int)run_count(run, INTERPRETER_PROGRAM);
    for (uint64_t iteration = 0; iteration < iterations; iteration++) {
        for (int program = 1; program < INTERPRETER_PROGRAMS; program++) {
            if (chosen == INTERPRETER_ALL || chosen == program) {
                run_mark(run, interpreter_program_names[program]);
                interpreter_run_program(run, program);
            }
            if (run->failed != NULL) {
                return;
            }
        }
        (void)gc_collect(run->runtime, GC_GENERATIONS - 1);
    }
}

/* An operation is an instruction of the bytecode. */
static uint64_t interpreter_operations(const struct run *run)
{
    const struct interpreter_state *state = run->state;
    return state->counts.instructions;
}

static uint64_t interpreter_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct interpreter_state *state = run->state;
    return iterations * state->counts.blocks;
}

/* Only each record's weight outlives its iteration; the next one replaces it. */
static size_t interpreter_window_bytes(const struct run *run)
{
    return (size_t)(3 * interpreter_counts_of(run).bytes + 65536);
}

const struct workload workload_interpreter = {
    .name = "interpreter",
    .kind = "objects",
    .family = "interpreter",
    .summary = "a bytecode interpreter that runs small programs",
    .parameters =
        {
            {"live", "objects", "of the store of records", NULL, 1e4, 5, 1e7},
            {"program", "", "which one runs", interpreter_program_names, INTERPRETER_ALL, 0,
             INTERPRETER_PROGRAMS - 1},
        },
    .operations = interpreter_operations,
    .expected_allocations = interpreter_expected_allocations,
    .window_bytes = interpreter_window_bytes,
    .setup = interpreter_setup,
    .run = interpreter_run,
    .teardown = interpreter_teardown,
};
