/* `heapmill explain` and `heapmill export` as a user runs them, over a run whose content is known.
 */
#include "results/tests/synthetic.h"

#include <sys/wait.h>

enum { OUTPUT_MAX = 32768, ROUNDS = 7 };

static const char *const ids[] = {
    "churn/size=64/t1/malloc:preload", "churn/size=64/t1/malloc:preload~1",
    "churn/size=64/t1/malloc:preload~2", "churn/size=64/t1/pools:inline",
    "churn/size=64/t1/broken:inline"};

/* A memory record with calls: 3000 allocs of up to 16 bytes and 1000 of up to 1024, 10% of the
 * allocs and 5% of the frees slow. Live 600, of 1000 that are held. */
static json_t *memory_record(const char *id)
{
    json_t *record = synthetic_memory_record(id, 0, "stats", 1000, 1000);
    json_t *memory = json_object_get(record, "memory");
    (void)json_object_set_new(memory, "live_bytes_peak", json_integer(600));
    (void)json_object_set_new(memory, "usable_bytes_peak", json_integer(700));
    (void)json_object_set_new(memory, "fragmentation",
                              json_pack("{s:f, s:f, s:f, s:f, s:i, s:i}", "mean", 1.7,
                                        "at_live_peak", 1.667, "at_held_peak", 1.8,
                                        "peak_over_peak", 1.667, "internal_bytes", 100,
                                        "external_bytes", 300));
    (void)json_object_set_new(record, "calls",
                              json_pack("{s:i, s:i, s:i, s:[[i,i,i],[i,i,i]], s:i, s:i, s:i}",
                                        "allocs", 4000, "frees", 2000, "resizes", 0, "by_size", 16,
                                        3000, 1500, 1024, 1000, 500, "slow_allocs", 400,
                                        "slow_frees", 100, "slow_resizes", 0));
    return record;
}

/* A latency pass: allocations of 10 to 60 times unit ns, frees too few for p99.9. */
static json_t *latency_record(int round, double unit)
{
    json_t *record = json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:{s:s, s:f, s:i, s:{s:f, s:f, s:f, s:f, s:f, s:f}, s:{s:f, "
        "s:f, s:f, s:f}}}",
        "format", "heapmill-record-1", "cell", ids[3], "pass", "latency", "round", round, "status",
        "ok", "latency", "timer", "rdtscp", "timer_cost_ns", 17.5, "every", 16, "alloc", "p50_ns",
        10 * unit, "p90_ns", 20 * unit, "p99_ns", 30 * unit, "p99_9_ns", 40 * unit, "p99_99_ns",
        50 * unit, "max_ns", 60 * unit, "free", "p50_ns", 5 * unit, "p90_ns", 6 * unit, "p99_ns",
        7 * unit, "max_ns", 700 * unit);
    assert_non_null(record);
    return record;
}

static json_t *counted_record(int round)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:f, s:i}", "format", "heapmill-record-1", "cell",
                     ids[3], "pass", "instructions", "round", round, "status", "ok",
                     "instructions_per_op", 12.5, "instructions", 1250000);
}

static void write_run(char directory[SYNTHETIC_PATH_MAX])
{
    json_t *plan = synthetic_plan();
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_add_cell(plan, "churn", "steady", "pools", "inline", 0);
    synthetic_add_cell(plan, "churn", "steady", "broken", "inline", 0);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 5; i++) {
            bool failed = i == 4 && round == 2;
            bool slow = i == 3 && round == 5;
            double time_ns = (i == 3 ? 5 : 10) * (slow ? 1.5 : 1 + 0.001 * round);
            json_t *record = synthetic_record(ids[i], round, failed ? "crashed" : "ok", time_ns);
            (void)json_object_set_new(record, "switches_involuntary", json_integer(slow ? 40 : 2));
            (void)json_object_set_new(record, "faults_minor", json_integer(12));
            (void)json_object_set_new(record, "gc",
                                      json_pack("{s:[i,i,i], s:i, s:i}", "collections", 70, 6, 1,
                                                "collected", 1234, "objects_visited", 56789));
            if (failed) {
                (void)json_object_set_new(record, "reason", json_string("killed by SIGSEGV"));
                (void)json_object_set_new(record, "stderr", json_string("first\nlast words\n"));
            }
            synthetic_append(store, record);
        }
    }
    synthetic_append(store, memory_record(ids[0]));
    synthetic_append(store, memory_record(ids[3]));
    json_t *opaque = memory_record(ids[4]);
    (void)json_object_del(json_object_get(opaque, "calls"), "slow_allocs");
    synthetic_append(store, opaque);
    store_close(store);
}

/* Runs `heapmill COMMAND 'directory' ARGUMENTS` with both outputs in `output`; its exit status. */
static int run(const char *command, const char *directory, const char *arguments,
               char output[OUTPUT_MAX])
{
    char line[3 * SYNTHETIC_PATH_MAX];
    (void)snprintf(line, sizeof(line), "'%s' %s '%s' %s 2>&1", HEAPMILL_PROGRAM, command, directory,
                   arguments);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, OUTPUT_MAX - 1, pipe);
    output[length] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void assert_says(const char *output, const char *text)
{
    if (strstr(output, text) == NULL) {
        fail_msg("this does not say \"%s\":\n%s", text, output);
    }
}

static void test_a_cell_is_explained(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory);
    assert_int_equal(0, run("explain", directory, "'*pools*'", output));
    assert_says(output, "churn/size=64/t1/pools:inline");
    assert_says(output, "ns for one operation: median of 7 rounds");
    assert_says(output, "against malloc:preload: 0.500 of its time");
    assert_says(output, "faster");
    assert_says(output, "taken off the CPU: median 2, from 2 to 40 a round");
    assert_says(output, "in the timed part: 12 in every round");
    assert_says(output, "slowest round 5 (7.5 ns): switches_involuntary 40 (median 2)");
    assert_says(output, "4 000 allocs, 2 000 frees, 0 resizes");
    assert_says(output, "on the inlined fast path: 90.00% of the allocs, 95.00% of the frees");
    assert_says(output, "up to 16      3 000  75.0%  1 500  ##############################");
    assert_says(output, "up to 1 024   1 000  25.0%    500  ##########\n");
    assert_says(output, "600 B asked for (60.0% of what was held), 100 B internal (10.0%");
    assert_says(output, "300 B external (30.0%");
    assert_says(output, "70 of the youngest generation, 6 of the middle one, 1 full");
    assert_says(output, "56 789 objects visited, 1 234 found in garbage cycles");
    assert_null(strstr(output, "Not ok"));
    synthetic_remove(directory);
}

static void test_the_other_passes_are_explained(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    json_t *plan = synthetic_plan();
    synthetic_add_cell(plan, "churn", "steady", "pools", "inline", 0);
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < 3; round++) {
        synthetic_append(store, latency_record(round, 1 + round));
        synthetic_append(store, counted_record(round));
    }
    store_close(store);
    assert_int_equal(0, run("explain", directory, "'*pools*'", output));
    assert_says(output, "Latency of single calls\n"
                        "  ns     p50  p90  p99  p99.9  p99.99  slowest\n"
                        "  alloc   20   40   60     80     100      180\n"
                        "  free    10   12   14                   2 100\n");
    assert_says(output, "one call in 16, at random gaps; medians of 3 rounds");
    assert_says(output, "the timer (rdtscp) costs 17.5 ns itself");
    assert_says(output, "12.5 for one operation, 1 250 000 in all; the same in 3 rounds");
    synthetic_remove(directory);
    write_run(directory); /* has neither pass */
    assert_int_equal(0, run("explain", directory, "'*pools*'", output));
    assert_null(strstr(output, "Latency"));
    assert_null(strstr(output, "Instructions"));
    synthetic_remove(directory);
}

static void test_failures_and_what_is_not_known(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory);
    assert_int_equal(0, run("explain", directory, "broken", output)); /* a part will do */
    assert_says(output, "Not ok: 1 of 8 records");
    assert_says(output, "crashed in round 2 of the time pass: killed by SIGSEGV");
    assert_says(output, "    | last words\n");
    assert_says(output, "fast path: not known");
    assert_int_equal(0, run("explain", directory, ids[0], output));
    assert_says(output, "malloc:preload is what the others of this run are compared with");
    synthetic_remove(directory);
}

static void test_which_cell(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    write_run(directory);
    assert_int_equal(2, run("explain", directory, "churn", output));
    assert_says(output, "'churn' matches 3 cells");
    assert_says(output, ids[3]);
    assert_int_equal(2, run("explain", directory, "nothing", output));
    assert_says(output, "has no cell");
    assert_int_equal(2, run("explain", directory, "", output));
    assert_says(output, "name a cell of the run");
    assert_int_equal(2, run("explain", directory, "'*~1'", output)); /* twins by id only */
    assert_int_equal(0, run("explain", directory, "'churn/size=64/t1/malloc:preload~1'", output));
    synthetic_remove(directory);
}

static void test_exports(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char output[OUTPUT_MAX];
    char arguments[2 * SYNTHETIC_PATH_MAX];
    char path[SYNTHETIC_PATH_MAX];
    write_run(directory);
    assert_int_equal(0, run("export", directory, "--csv", output));
    assert_says(output, "\ntime,ns,churn/size=64/t1/pools:inline,churn,size=64,1,pools,inline,");
    assert_int_equal(0, run("export", directory, "--csv --table records", output));
    assert_says(output, ",memory,0,ok,");
    assert_int_equal(0, run("export", directory, "--csv --base pools:inline", output));
    assert_says(output, "churn/size=64/t1/malloc:preload,churn,");
    assert_int_equal(0, run("export", directory, "--md -b pools", output));
    assert_says(output, "| churn | size=64 | pools | inline |");
    assert_null(strstr(output, "broken"));
    synthetic_file(path, directory, "out.json");
    (void)snprintf(arguments, sizeof(arguments), "--benchmark-json -o '%s'", path);
    assert_int_equal(0, run("export", directory, arguments, output));
    assert_string_equal("", output);
    json_t *json = json_load_file(path, 0, NULL);
    assert_int_equal(10 + 10 + 9, json_array_size(json_object_get(json, "benchmarks")));
    json_decref(json);
    static const char *const wrong[][2] = {
        {"", "say what to write"},
        {"--csv --md", "one format"},
        {"--csv --table rows", "--table"},
        {"--sqlite", "wants a value"},
        {"--csv --base :inline", "it wants BACKEND or BACKEND:ARM"},
        {"--csv --metric speed", "metric"},
        {"--csv another", "one argument too many"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(2, run("export", directory, wrong[i][0], output));
        assert_says(output, wrong[i][1]);
    }
    assert_int_equal(3, run("export", directory, "--md -o /nowhere/x.md", output));
    assert_says(output, "/nowhere/x.md");
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cell_is_explained),
        cmocka_unit_test(test_the_other_passes_are_explained),
        cmocka_unit_test(test_failures_and_what_is_not_known),
        cmocka_unit_test(test_which_cell),
        cmocka_unit_test(test_exports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
