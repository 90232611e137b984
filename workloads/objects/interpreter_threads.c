/* interpreter_threads: the small interpreter of `interpreter`, one in each thread.
 *
 * Imitates a service whose threads each handle a request of their own: an iteration runs each
 * program once in every thread, over the thread's own store of records. What the threads share is
 * what any runtime shares: small ints, interned names, the heap, the collector. So it asks how much
 * of a runtime's own sharing is in the way of programs that share nothing: counts of small ints are
 * common to all, unless they are immortal.
 *
 * Leaves out programs that share data (see shared_objects), and modules that all threads use: each
 * has compiled its constants for itself. The first thread collects when its programs have run. */
#include "gc/threads.h"
#include "workloads/interpreter.h"
#include "workloads/objects/model.h"

enum { INTERPRETERS_LIVE };
enum { INTERPRETERS_RECORD_OBJECTS = 5, INTERPRETERS_LINE_BYTES = 64 };

struct interpreters_lane {
    _Alignas(INTERPRETERS_LINE_BYTES) struct boxed_machine machine;
    struct object *store;
    uint64_t checksum;
};

struct interpreters_state {
    struct interpreter_module module;
    struct interpreter_counts counts; /* of an iteration of one thread */
    int64_t results[INTERPRETER_PROGRAMS];
    uint32_t functions[INTERPRETER_PROGRAMS];
    char text[INTERPRETER_TEXT_BYTES];
    struct interpreters_lane *lanes;
};

static uint64_t interpreters_records(const struct run *run)
{
    return run_count(run, INTERPRETERS_LIVE) / INTERPRETERS_RECORD_OBJECTS;
}

/* The thread's machine, and its store of records. */
static void interpreters_prepare(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct interpreters_state *state = run->state;
    struct interpreters_lane *lane = &state->lanes[thread->index];
    (void)iterations;
    struct object *count = int_new(run->runtime, (int64_t)interpreters_records(run));
    if (count != NULL && boxed_open(&lane->machine, run, &state->module, state->text)) {
        uint32_t load = interpreter_find_function(&state->module, "load");
        lane->store = boxed_call(&lane->machine, load, count);
    }
    object_xdecref(run->runtime, count);
    if (lane->store == NULL) {
        run_fail(run, MODEL_HEAP_EXHAUSTED);
    }
}

static void interpreters_run_program(struct run *run, struct interpreters_lane *lane, int program)
{
    const struct interpreters_state *state = run->state;
    struct object *result = boxed_call(&lane->machine, state->functions[program], lane->store);
    if (result == NULL) {
        const char *fault = lane->machine.fault;
        run_fail(run, fault != NULL ? fault : MODEL_HEAP_EXHAUSTED);
        return;
    }
    int64_t value = int_value(result);
    object_decref(run->runtime, result);
    run_verify(run, value == state->results[program]);
    lane->checksum = (lane->checksum ^ (uint64_t)value) * UINT64_C(0x100000001b3);
    gc_safe_point(run->runtime);
}

static void interpreters_work(struct run_thread *thread, uint64_t iterations)
{
    struct run *run = thread->run;
    struct interpreters_lane *lane =
        &((struct interpreters_state *)run->state)->lanes[thread->index];
    for (uint64_t i = 0; i < iterations; i++) {
        for (int program = 1; program < INTERPRETER_PROGRAMS && !run_failed(run); program++) {
            interpreters_run_program(run, lane, program);
        }
        if (thread->index == 0) {
            (void)gc_collect(run->runtime, GC_GENERATIONS - 1);
        }
    }
}

static void interpreters_run(struct run *run, uint64_t iterations)
{
    struct interpreters_state *state = run->state;
    run_on_threads(run, interpreters_work, iterations);
    for (unsigned i = 0; i < run->threads; i++) {
        run->checksum += state->lanes[i].checksum;
        state->lanes[i].checksum = 0;
    }
}

static void interpreters_teardown(struct run *run)
{
    struct interpreters_state *state = run->state;
    for (unsigned i = 0; i < run->threads; i++) {
        object_xdecref(run->runtime, state->lanes[i].store);
        state->lanes[i].store = NULL;
        if (state->lanes[i].machine.runtime != NULL) {
            boxed_close(&state->lanes[i].machine);
        }
    }
    (void)gc_collect(run->runtime, GC_GENERATIONS - 1);
}

static enum status interpreters_setup(struct run *run, struct error *error)
{
    struct interpreters_state *state = run_scratch(run, sizeof *state);
    run->state = state;
    state->lanes = run_scratch(run, run->threads * sizeof *state->lanes);
    enum status status = interpreter_compile(&state->module, interpreter_source, error);
    if (status != STATUS_OK) {
        return status;
    }
    state->counts = interpreter_count(INTERPRETER_ALL, interpreters_records(run));
    for (int i = 1; i < INTERPRETER_PROGRAMS; i++) {
        state->functions[i] =
            interpreter_find_function(&state->module, interpreter_program_names[i]);
        state->results[i] =
            interpreter_count((enum interpreter_program)i, interpreters_records(run)).result;
    }
    interpreter_write_text(state->text);
    run_on_threads(run, interpreters_prepare, 1);
    if (run_failed(run)) {
        interpreters_teardown(run);
        return model_exhausted(error);
    }
    return STATUS_OK;
}

/* An instruction of the bytecode is an operation. */
static uint64_t interpreters_operations(const struct run *run)
{
    const struct interpreters_state *state = run->state;
    return run->threads * state->counts.instructions;
}

static uint64_t interpreters_expected_allocations(const struct run *run, uint64_t iterations)
{
    const struct interpreters_state *state = run->state;
    return run->threads * iterations * state->counts.blocks;
}

static size_t interpreters_window_bytes(const struct run *run)
{
    struct interpreter_counts counts =
        interpreter_count(INTERPRETER_ALL, interpreters_records(run));
    return (size_t)(run->threads * (3 * counts.bytes + 65536));
}

const struct workload workload_interpreter_threads = {
    .name = "interpreter_threads",
    .kind = "objects",
    .family = "threads",
    .summary = "a bytecode interpreter in each thread, which share nothing but the runtime",
    .parameters =
        {
            {"live", "objects", "of each thread's store of records", NULL, 1e4, 5, 1e7},
        },
    .operations = interpreters_operations,
    .expected_allocations = interpreters_expected_allocations,
    .window_bytes = interpreters_window_bytes,
    .setup = interpreters_setup,
    .run = interpreters_run,
    .teardown = interpreters_teardown,
    .threaded = true,
};
