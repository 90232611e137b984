/* Which groups have a further round, as a function of made-up records. */
#include "results/tests/synthetic.h"

#include <math.h>

#include "common/rng.h"
#include "results/stats/disturbance.h"
#include "run/rounds.h"

/* Two groups, "even" and "uneven", of a base and one other. */
enum { GROUPS = 2, CELLS = 2 };

static const char *const workloads[GROUPS] = {"even", "uneven"};
static const char *const backends[CELLS] = {"malloc", "bump"};
static const double noises[GROUPS] = {0.001, 0.2};

/* A run of so many rounds of each group. */
struct adaptive_run {
    uint32_t rounds[GROUPS];
};

static struct record_set *make_run(const struct adaptive_run *run)
{
    char directory[SYNTHETIC_PATH_MAX];
    struct record_set *set = NULL;
    struct error error = {.message = ""};
    struct rng rng;
    rng_seed(&rng, 5);
    json_t *plan = synthetic_plan();
    for (int i = 0; i < GROUPS * CELLS; i++) {
        synthetic_add_cell(plan, workloads[i / CELLS], "steady", backends[i % CELLS], "preload", 0);
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (uint32_t round = 0; round < run->rounds[0] || round < run->rounds[1]; round++) {
        for (int i = 0; i < GROUPS * CELLS; i++) {
            char id[128];
            int group = i / CELLS;
            if (round >= run->rounds[group]) {
                continue;
            }
            (void)snprintf(id, sizeof(id), "%s/size=64/t1/%s:preload", workloads[group],
                           backends[i % CELLS]);
            json_t *record =
                synthetic_record(id, (int)round, "ok", 10 * exp(noises[group] * rng_normal(&rng)));
            synthetic_append(store, record);
        }
    }
    store_close(store);
    if (store_load(directory, &set, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    synthetic_remove(directory);
    return set;
}

/* Do the groups have round `round`? As bits, the first group's the lowest. */
static unsigned chosen(const struct adaptive *adaptive, const struct adaptive_run *run,
                       uint32_t round)
{
    struct error error = {.message = ""};
    struct record_set *set = make_run(run);
    bool runs[GROUPS];
    size_t count = 0;
    disturbance_mark(set, round);
    if (adaptive_choose(adaptive, set, round, runs, &count, &error) != STATUS_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(count, runs[0] + runs[1]);
    record_set_free(set);
    return runs[0] | (unsigned)runs[1] << 1;
}

static void looks_are_ever_further_apart(void **state)
{
    (void)state;
    static const uint64_t looks[] = {10, 14, 19, 26, 36, 50, 70};
    size_t next = 0;
    for (uint64_t round = 0; round <= 70; round++) {
        bool expected = next < sizeof(looks) / sizeof(looks[0]) && round == looks[next];
        assert_int_equal(expected, adaptive_is_look(round));
        next += expected;
    }
    assert_int_equal(ADAPTIVE_ROUNDS_MAX, looks[6]);
}

static void groups_stop_when_their_intervals_are_narrow(void **state)
{
    (void)state;
    const struct adaptive adaptive = {.precision = 0.01, .rounds_max = 36};
    for (uint32_t round = 0; round < 10; round++) { /* narrow since round 6, and yet */
        assert_int_equal(3, chosen(&adaptive, &(struct adaptive_run){{round, round}}, round));
    }
    assert_int_equal(2, chosen(&adaptive, &(struct adaptive_run){{10, 10}}, 10));
    assert_int_equal(2, chosen(&adaptive, &(struct adaptive_run){{10, 11}}, 11));
    assert_int_equal(2, chosen(&adaptive, &(struct adaptive_run){{10, 14}}, 14));
    assert_int_equal(2, chosen(&adaptive, &(struct adaptive_run){{10, 35}}, 35));
    assert_int_equal(0, chosen(&adaptive, &(struct adaptive_run){{10, 36}}, 36));
}

/* Between two looks a group goes on, however narrow its intervals are. */
static void nothing_stops_between_looks(void **state)
{
    (void)state;
    const struct adaptive adaptive = {.precision = 0.01};
    assert_int_equal(3, chosen(&adaptive, &(struct adaptive_run){{12, 12}}, 12));
    assert_int_equal(2, chosen(&adaptive, &(struct adaptive_run){{14, 14}}, 14));
}

static void wider_precision_stops_both(void **state)
{
    (void)state;
    const struct adaptive adaptive = {.precision = 0.5};
    assert_int_equal(0, chosen(&adaptive, &(struct adaptive_run){{10, 10}}, 10));
}

static void fixed_rounds_are_alike(void **state)
{
    (void)state;
    const struct adaptive adaptive = {.rounds = 7};
    assert_int_equal(3, chosen(&adaptive, &(struct adaptive_run){{6, 6}}, 6));
    assert_int_equal(0, chosen(&adaptive, &(struct adaptive_run){{7, 7}}, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_are_ever_further_apart),
        cmocka_unit_test(groups_stop_when_their_intervals_are_narrow),
        cmocka_unit_test(nothing_stops_between_looks),
        cmocka_unit_test(wider_precision_stops_both),
        cmocka_unit_test(fixed_rounds_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
