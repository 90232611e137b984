/* The interpreter's language and programs, on the machine that is measured, over malloc. The counts
 * and results that stand beside the programs are held against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "workloads/interpreter.h"

/* run_mark's, which nothing here asks for. */
void run_sample(struct run *run, const char *label)
{
    (void)run;
    (void)label;
}

struct interpreter_machine {
    struct interpreter_module module;
    struct heap heap;
    struct run run;
    struct boxed_machine boxed;
    struct object *store;
    char text[INTERPRETER_TEXT_BYTES];
};

/* A machine of the source, whose `load` has made the store of argument. */
static struct interpreter_machine *machine_open(const char *source, int64_t argument)
{
    static struct interpreter_machine machine;
    static const struct heap_options options;
    memset(&machine, 0, sizeof machine);
    struct error error = {0};
    if (interpreter_compile(&machine.module, source, &error) != STATUS_OK) {
        fail_msg("%s: %s", source, error.message);
    }
    assert_int_equal(heap_open(&machine.heap, &options, &error), STATUS_OK);
    machine.run.heap = &machine.heap;
    machine.run.runtime = runtime_open(&machine.heap, &error);
    assert_non_null(machine.run.runtime);
    interpreter_write_text(machine.text);
    assert_true(boxed_open(&machine.boxed, &machine.run, &machine.module, machine.text));
    struct object *count = int_new(machine.run.runtime, argument);
    uint32_t load = interpreter_find_function(&machine.module, "load");
    machine.store = boxed_call(&machine.boxed, load, count);
    object_decref(machine.run.runtime, count);
    assert_non_null(machine.store);
    return &machine;
}

static void machine_close(struct interpreter_machine *machine)
{
    object_decref(machine->run.runtime, machine->store);
    boxed_close(&machine->boxed);
    assert_int_equal(runtime_close(machine->run.runtime), 0);
    heap_close(&machine->heap);
}

/* What a call of the function does; fails the test when the program has a fault. */
static struct interpreter_counts machine_call(struct interpreter_machine *machine, const char *name)
{
    struct interpreter_counts counts = {0};
    uint64_t blocks = heap_allocations;
    machine->boxed.instructions = 0;
    uint32_t function = interpreter_find_function(&machine->module, name);
    struct object *result = boxed_call(&machine->boxed, function, machine->store);
    counts.instructions = machine->boxed.instructions;
    counts.blocks = heap_allocations - blocks;
    if (result == NULL) {
        fail_msg("%s: %s", name, machine->boxed.fault);
        return counts;
    }
    counts.result = int_value(result);
    object_decref(machine->run.runtime, result);
    (void)gc_collect(machine->run.runtime, GC_GENERATIONS - 1);
    return counts;
}

/* Stores of one record and more, with fewer groups than ten, and with indices beyond the small
 * ints. */
static void test_counts_are_the_machine_s(void **state)
{
    (void)state;
    static const uint64_t stores[] = {1, 2, 9, 100, 256, 257, 258, 2000};
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        struct interpreter_machine *machine = machine_open(interpreter_source, (int64_t)stores[i]);
        struct interpreter_counts sum = {0};
        for (int program = 1; program < INTERPRETER_PROGRAMS; program++) {
            struct interpreter_counts counted =
                machine_call(machine, interpreter_program_names[program]);
            struct interpreter_counts known =
                interpreter_count((enum interpreter_program)program, stores[i]);
            assert_int_equal(counted.instructions, known.instructions);
            assert_int_equal(counted.blocks, known.blocks);
            assert_int_equal(counted.result, known.result);
            sum.instructions += counted.instructions;
            sum.blocks += counted.blocks;
        }
        struct interpreter_counts all = interpreter_count(INTERPRETER_ALL, stores[i]);
        assert_int_equal(sum.instructions, all.instructions);
        assert_int_equal(sum.blocks, all.blocks);
        machine_close(machine);
    }
}

/* What the same programs give in Python, fib(17), six queens and fannkuch of 5 also by the book. */
static void test_programs_have_the_results_of_python(void **state)
{
    (void)state;
    static const int64_t expected[INTERPRETER_PROGRAMS] = {
        [INTERPRETER_FIB] = 1597,        [INTERPRETER_NBODY] = -34722919,
        [INTERPRETER_FANNKUCH] = 70265,  [INTERPRETER_WORDS] = 855304059,
        [INTERPRETER_QUEENS] = 4,        [INTERPRETER_TASKS] = 1018800,
        [INTERPRETER_RECORDS] = 6386812,
    };
    for (int program = 1; program < INTERPRETER_PROGRAMS; program++) {
        assert_int_equal(interpreter_count((enum interpreter_program)program, 2000).result,
                         expected[program]);
    }
}

/* A source in which `load` makes the store from 7, and fib gives the expression's value of it. */
static struct interpreter_counts evaluate(const char *statements)
{
    char source[2048];
    (void)snprintf(source, sizeof source, "fn load(n) { return n; }\nfn fib(n) {\n%s\n}\n",
                   statements);
    struct interpreter_machine *machine = machine_open(source, 7);
    struct interpreter_counts counts = machine_call(machine, "fib");
    machine_close(machine);
    counts.blocks--; /* fib's frame */
    return counts;
}

static void test_expressions_mean_what_they_do_in_python(void **state)
{
    (void)state;
    static const struct {
        const char *statements;
        int64_t value;
        uint64_t blocks;
    } cases[] = {
        {"return 2 + 3 * 4 - n;", 7, 0},
        {"return 200 + 100;", 300, 1},
        /* -7 twice, -40 and -39 are beyond the shared -5..256. */
        {"return (0 - 7) // 2 * 10 + (0 - 7) % 2;", -39, 4},
        {"return int(n / 2 * 2.0);", 7, 2},
        {"return 1 < 2 and 3 > 4 or 5 == 5;", 1, 0},
        {"return not (n == 7) or 0;", 0, 0},
        {"l = [1, 2, 3]; l[1] = 9; append(l, n); return l[1] * 10 + len(l) + take(l);", 101, 2},
        {"d = {}; d[\"a\"] = 5; d[\"b\"] = 6; d[\"a\"] = 7; return d[\"a\"] * 10 + len(d);", 72, 2},
        {"d = {}; for i in 0..6 { d[i] = i; } return len(keys(d)) + get(d, 9, 3);", 9, 5},
        {"o = new Thing; o.x = 3; o.y = o.x + 1; return o.x * o.y;", 12, 3},
        {"s = slice(\"hello\", 1, 4) + str(25); return len(s) * 1000 + byte(s, 0);", 5101, 5},
        {"i = 0; while i < 5 { i = i + 1; } return i;", 5, 0},
        {"if n == 1 { return 1; } else if n == 7 { return 2; } else { return 3; }", 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct interpreter_counts counts = evaluate(cases[i].statements);
        assert_int_equal(counts.result, cases[i].value);
        if (counts.blocks != cases[i].blocks) {
            fail_msg("%s: %lu blocks", cases[i].statements, (unsigned long)counts.blocks);
        }
    }
}

static void test_wrong_sources_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *message;
    } cases[] = {
        {"fn f() {\n return 1\n}", "line 3: a sign or word is missing"},
        {"fn f() {\n return x;\n}", "line 2: a variable is used before it is assigned"},
        {"fn f() { return 1 + ; }", "line 1: a value is missing"},
        {"fn f() { 1 = 2; }", "line 1: this cannot be assigned to"},
        {"fn f() { return g(1); }", "a function is called that is not defined"},
        {"fn f() { return [1, 2; }", "a sign or word is missing"},
        {"f() { }", "a sign or word is missing"},
        {"fn 1() { }", "a name is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct interpreter_module module;
        struct error error = {0};
        assert_int_equal(interpreter_compile(&module, cases[i].source, &error), STATUS_INVALID);
        if (strstr(error.message, cases[i].message) == NULL) {
            fail_msg("%s: %s", cases[i].source, error.message);
        }
    }
}

static void test_faults_of_programs_are_told(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "fn fib(n) { return n // 0; }",  "fn fib(n) { return [1][n]; }",
        "fn fib(n) { return n.x; }",     "fn fib(n) { return n.f(); }",
        "fn fib(n) { return n + [1]; }", "fn fib(n) { return fib(); }",
        "fn fib(n) { n.x = 1; }",        "fn fib(n) { return slice(\"ab\", 1, 3); }",
    };
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        char source[256];
        (void)snprintf(source, sizeof source, "fn load(n) { return n; } %s", sources[i]);
        struct interpreter_machine *machine = machine_open(source, 7);
        uint32_t fib = interpreter_find_function(&machine->module, "fib");
        assert_null(boxed_call(&machine->boxed, fib, machine->store));
        assert_non_null(machine->boxed.fault);
        assert_non_null(strstr(machine->boxed.fault, "a program"));
        machine_close(machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_have_the_results_of_python),
        cmocka_unit_test(test_counts_are_the_machine_s),
        cmocka_unit_test(test_expressions_mean_what_they_do_in_python),
        cmocka_unit_test(test_wrong_sources_are_refused_with_their_line),
        cmocka_unit_test(test_faults_of_programs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
