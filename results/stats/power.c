#include "results/stats/power.h"

#include "results/compare/comparison.h"
#include "results/stats/disturbance.h"
#include "results/stats/statistics.h"

/* A slowdown is resolved if at least this share of its cases is found. */
#define POWER_RESOLVED 0.9

/* Round limits. The first is where verdicts begin; then come the looks of adaptive rounds
 * (run/rounds.h); the last is the end of the run. */
static const uint32_t power_limits[POWER_LIMITS_MAX] = {6,  8,  10, 14, 19,  26,
                                                        36, 50, 70, 98, 137, UINT32_MAX};

uint32_t power_limit_rounds(const struct power *power, size_t index)
{
    return index + 1 == POWER_LIMITS_MAX ? power->rounds_max : power_limits[index];
}

bool power_has_limit(const struct power *power, size_t index)
{
    return index + 1 == POWER_LIMITS_MAX || power_limits[index] < power->rounds_max;
}

/* The index of a slowdown, which is inserted if it is new; POWER_LEVELS_MAX: there is no room. */
static size_t power_level(struct power *power, double slowdown)
{
    size_t level = 0;
    power->slowdown_count += power->slowdown_count == 0; /* level 0 is that of the A/A pairs, 0% */
    while (level < power->slowdown_count && power->slowdowns[level] < slowdown) {
        level++;
    }
    if (level < power->slowdown_count && power->slowdowns[level] <= slowdown) {
        return level;
    }
    if (power->slowdown_count == POWER_LEVELS_MAX) {
        return POWER_LEVELS_MAX;
    }
    for (size_t i = power->slowdown_count++; i > level; i--) {
        power->slowdowns[i] = power->slowdowns[i - 1];
        for (size_t limit = 0; limit < POWER_LIMITS_MAX; limit++) {
            power->shares[i][limit] = power->shares[i - 1][limit];
            power->shares[i - 1][limit] = (struct power_share){0};
        }
    }
    power->slowdowns[level] = slowdown;
    return level;
}

static enum status power_add_row(struct power *power, const struct comparison_cell *row,
                                 size_t limit, struct error *error)
{
    double slowdown = json_number_value(json_object_get(row->cell->plan, "extra_work"));
    if (slowdown <= 0) {
        return STATUS_OK; /* of another back end, whose true ratio is unknown */
    }
    if (row->verdict == COMPARISON_FAILED || row->verdict == COMPARISON_NOT_APPLICABLE) {
        power->failed += limit + 1 == POWER_LIMITS_MAX;
        return STATUS_OK;
    }
    size_t level = power_level(power, slowdown);
    if (level == POWER_LEVELS_MAX) {
        return error_set(error, STATUS_INVALID, "there are more than %d different slowdowns",
                         POWER_LEVELS_MAX - 1);
    }
    power->shares[level][limit].comparisons++;
    power->shares[level][limit].told += row->verdict == COMPARISON_MORE;
    return STATUS_OK;
}

static enum status power_add_limit(struct power *power, struct record_set *set, size_t limit,
                                   struct error *error)
{
    struct comparison *comparison = NULL;
    const struct comparison_options options = {.metric = "time"};
    disturbance_mark(set, power_limits[limit]);
    enum status status = comparison_build(set, &options, &comparison, error);
    if (status != STATUS_OK) {
        return status;
    }
    size_t level = power_level(power, 0);
    power->shares[level][limit].comparisons += comparison->aa_judged;
    power->shares[level][limit].told += comparison->aa_false;
    for (size_t i = 0; i < comparison->cell_count && status == STATUS_OK; i++) {
        status = power_add_row(power, &comparison->cells[i], limit, error);
    }
    comparison_free(comparison);
    return status;
}

enum status power_add_run(struct power *power, struct record_set *set, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t limit = 0; limit < POWER_LIMITS_MAX && status == STATUS_OK; limit++) {
        status = power_add_limit(power, set, limit, error);
    }
    for (size_t i = 0; i < set->group_count; i++) {
        uint32_t rounds = set->groups[i].rounds;
        power->groups++;
        power->rounds_sum += rounds;
        power->rounds_max = rounds > power->rounds_max ? rounds : power->rounds_max;
    }
    return status;
}

static json_t *power_share_to_json(const struct power_share *share, const char *name)
{
    double low;
    double high;
    statistics_binomial_interval(share->told, share->comparisons, &low, &high);
    double rate = share->comparisons > 0 ? share->told / (double)share->comparisons : 0;
    return json_pack("{sf sf sf sI sI}", "rate", rate, "low", low, "high", high, "comparisons",
                     (json_int_t)share->comparisons, name, (json_int_t)share->told);
}

/* The smallest slowdown that is resolved at the end of the runs, if all larger ones are too; else
 * null. */
static json_t *power_resolved(const struct power *power)
{
    json_t *resolved = json_null();
    for (size_t level = power->slowdown_count; level-- > 1;) {
        const struct power_share *share = &power->shares[level][POWER_LIMITS_MAX - 1];
        if (share->told < POWER_RESOLVED * share->comparisons || share->comparisons == 0) {
            break;
        }
        json_decref(resolved);
        resolved = json_real(power->slowdowns[level]);
    }
    return resolved;
}

json_t *power_to_json(const struct power *power)
{
    json_t *false_positives = json_array();
    json_t *found = json_array();
    for (size_t level = 0; level < power->slowdown_count; level++) {
        for (size_t limit = 0; limit < POWER_LIMITS_MAX; limit++) {
            json_t *share =
                power_share_to_json(&power->shares[level][limit], level > 0 ? "found" : "false");
            (void)json_object_set_new(share, "rounds",
                                      json_integer(power_limit_rounds(power, limit)));
            if (level > 0) {
                (void)json_object_set_new(share, "slowdown", json_real(power->slowdowns[level]));
            }
            if (power_has_limit(power, limit)) {
                (void)json_array_append(level > 0 ? found : false_positives, share);
            }
            json_decref(share);
        }
    }
    double mean = power->groups > 0 ? power->rounds_sum / (double)power->groups : 0;
    return json_pack("{so so so s{sf sI} sI so}", "false_positives",
                     power_share_to_json(&power->shares[0][POWER_LIMITS_MAX - 1], "false"),
                     "false_positives_by_rounds", false_positives, "power", found, "rounds", "mean",
                     mean, "most", (json_int_t)power->rounds_max, "failed",
                     (json_int_t)power->failed, "resolves", power_resolved(power));
}
