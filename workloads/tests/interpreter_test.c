/* The interpreter's language and programs, on the plain machine. That the boxed machine agrees with
 * it, in results and in blocks, is checked by each run of the workload (worker_cells_test). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "workloads/interpreter.h"

static struct interpreter_module interpreter_test_module;

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
    struct error error;
    struct interpreter_forecast forecast;
    assert_int_equal(interpreter_compile(&interpreter_test_module, interpreter_source, &error),
                     STATUS_OK);
    assert_int_equal(
        interpreter_predict(&interpreter_test_module, 2000, INTERPRETER_ALL, &forecast, &error),
        STATUS_OK);
    for (int program = 1; program < INTERPRETER_PROGRAMS; program++) {
        assert_int_equal(forecast.results[program], expected[program]);
    }
}

/* All together take what each takes alone. */
static void test_forecasts_add_up(void **state)
{
    (void)state;
    struct interpreter_forecast all;
    struct interpreter_forecast one;
    uint64_t blocks = 0;
    uint64_t instructions = 0;
    assert_int_equal(interpreter_compile(&interpreter_test_module, interpreter_source, NULL),
                     STATUS_OK);
    for (int program = 1; program < INTERPRETER_PROGRAMS; program++) {
        assert_int_equal(interpreter_predict(&interpreter_test_module, 100,
                                             (enum interpreter_program)program, &one, NULL),
                         STATUS_OK);
        blocks += one.blocks;
        instructions += one.instructions;
    }
    assert_int_equal(
        interpreter_predict(&interpreter_test_module, 100, INTERPRETER_ALL, &all, NULL), STATUS_OK);
    assert_int_equal(all.blocks, blocks);
    assert_int_equal(all.instructions, instructions);
}

/* A source in which `load` makes the store from 7, and fib gives the expression's value of it. The
 * other programs are there because every module has them. */
static int64_t evaluate(const char *statements, uint64_t *blocks)
{
    char source[2048];
    static const char *const others =
        "fn load(n) { return n; }\nfn nbody(n) { return 0; }\nfn fannkuch(n) { return 0; }\n"
        "fn words(n) { return 0; }\nfn queens(n) { return 0; }\nfn tasks(n) { return 0; }\n"
        "fn records(n) { return 0; }\n";
    (void)snprintf(source, sizeof source, "%sfn fib(n) {\n%s\n}\n", others, statements);
    struct error error = {0};
    struct interpreter_forecast forecast = {0};
    if (interpreter_compile(&interpreter_test_module, source, &error) != STATUS_OK ||
        interpreter_predict(&interpreter_test_module, 7, INTERPRETER_FIB, &forecast, &error) !=
            STATUS_OK) {
        fail_msg("%s: %s", statements, error.message);
    }
    *blocks = forecast.blocks - 1; /* but for fib's frame */
    return forecast.results[INTERPRETER_FIB];
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
        uint64_t blocks = 0;
        assert_int_equal(evaluate(cases[i].statements, &blocks), cases[i].value);
        if (blocks != cases[i].blocks) {
            fail_msg("%s: %lu blocks", cases[i].statements, (unsigned long)blocks);
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
        struct error error = {0};
        assert_int_equal(interpreter_compile(&interpreter_test_module, cases[i].source, &error),
                         STATUS_INVALID);
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
        struct error error = {0};
        struct interpreter_forecast forecast;
        (void)snprintf(source, sizeof source, "fn load(n) { return n; } %s", sources[i]);
        assert_int_equal(interpreter_compile(&interpreter_test_module, source, &error), STATUS_OK);
        assert_int_equal(
            interpreter_predict(&interpreter_test_module, 7, INTERPRETER_FIB, &forecast, &error),
            STATUS_INVALID);
        assert_non_null(strstr(error.message, "a program"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_have_the_results_of_python),
        cmocka_unit_test(test_forecasts_add_up),
        cmocka_unit_test(test_expressions_mean_what_they_do_in_python),
        cmocka_unit_test(test_wrong_sources_are_refused_with_their_line),
        cmocka_unit_test(test_faults_of_programs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
