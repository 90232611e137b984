#include "cli/compare_header.h"

#include <math.h>
#include <string.h>

#include "results/instruction_counts.h"
#include "results/stats/statistics.h"

/* Counts should repeat to the last digit; whether those of a run did is said, not assumed. */
static void header_print_counts(const struct record_set *set, FILE *file)
{
    struct instruction_counts counts;
    struct error error;
    if (instruction_counts_read(set, &counts, &error) != STATUS_OK || counts.cells == 0) {
        return;
    }
    (void)fprintf(file, "%s: %zu of %zu cells have one and the same count in all their rounds",
                  set->directory, counts.identical, counts.cells);
    if (counts.differing != NULL) {
        (void)fprintf(file, "; not %s", counts.differing);
    }
    (void)fputc('\n', file);
}

static void header_print_noise(const struct comparison *comparison, FILE *file)
{
    if (comparison->metric->deterministic) {
        (void)fputs("counted, so without noise: intervals are from the least to the greatest "
                    "record\n",
                    file);
        if (comparison->base_set != NULL) {
            header_print_counts(comparison->base_set, file);
        }
        header_print_counts(comparison->set, file);
        return;
    }
    if (isnan(comparison->noise_floor)) {
        (void)fputs("noise floor: unknown, no A/A pair has six rounds of this metric: figures "
                    "only, no verdicts\n",
                    file);
        return;
    }
    (void)fprintf(file, "noise floor: ±%.2f%%", comparison->noise_floor * 100);
    if (comparison->noise_floor_most > comparison->noise_floor) {
        (void)fprintf(file, " in half of the groups, up to ±%.2f%% in the others",
                      comparison->noise_floor_most * 100);
    }
    (void)fprintf(file, ", set by %u A/A pair%s of the run", comparison->noise_floor_pairs,
                  comparison->noise_floor_pairs == 1 ? "" : "s");
    if (comparison->aa_judged > 0) {
        (void)fprintf(file, "; A/A check: %u of %u other identical pairs told apart",
                      comparison->aa_false, comparison->aa_judged);
    }
    (void)fputc('\n', file);
}

static void header_print_control(const struct comparison *comparison, FILE *file)
{
    if (comparison->hypotheses > 0) {
        (void)fprintf(
            file,
            "control over %u cells of the run (Benjamini-Hochberg): at most %.0f%% of the "
            "differences told are wrong; %u verdict%s withdrawn\n",
            comparison->hypotheses, STATISTICS_DISCOVERY_LEVEL * 100, comparison->withdrawn,
            comparison->withdrawn == 1 ? "" : "s");
    }
}

static void header_print_left_out(const struct comparison *comparison, FILE *file)
{
    if (comparison->groups_left_out == 0) {
        return;
    }
    (void)fprintf(file, "left out of all geometric means, as the base's figure is 0:");
    for (size_t i = 0; i < comparison->set->group_count; i++) {
        if (comparison->group_left_out[i]) {
            (void)fprintf(file, " %s", comparison->set->groups[i].id);
        }
    }
    (void)fputc('\n', file);
}

/* "arms: inline, call; …": what is mixed is said. */
static void header_print_arms(const struct comparison *comparison, FILE *file)
{
    if (!comparison->several_arms) {
        (void)fprintf(file, "arm: %s, on both sides\n", comparison->base_arm);
        return;
    }
    (void)fputs("arms: ", file);
    for (size_t i = 0, printed = 0; i < comparison->geomean_count; i++) {
        const char *arm = comparison->geomeans[i].arm;
        bool known = false;
        for (size_t j = 0; j < i && !known; j++) {
            known = strcmp(comparison->geomeans[j].arm, arm) == 0;
        }
        if (!known) {
            (void)fprintf(file, "%s%s", printed++ > 0 ? ", " : "", arm);
        }
    }
    (void)fprintf(file, " against %s: a ratio across arms holds the price of binding too\n",
                  comparison->base_arm);
}

static void header_print_run(const struct comparison *comparison, FILE *file)
{
    const struct metric *metric = comparison->metric;
    (void)fprintf(file, "%s\n", comparison->set->directory);
    if (comparison->vary != NULL) {
        (void)fprintf(file, "base: the same back end with %s; metric: %s, %s; below 1 is %s\n",
                      comparison->vary, metric->name, metric->summary, metric->less);
    } else {
        (void)fprintf(file, "base: %s:%s; metric: %s, %s; below 1 is %s than the base\n",
                      comparison->base_backend, comparison->base_arm, metric->name, metric->summary,
                      metric->less);
        header_print_arms(comparison, file);
    }
    if (comparison->rounds_max == 0) {
        (void)fprintf(file, "rounds: none; the run has no figures of its %s pass for these rows\n",
                      record_pass_word(metric->pass));
    } else if (comparison->rounds_min < comparison->rounds_max) {
        (void)fprintf(file, "rounds: %u to %u", comparison->rounds_min, comparison->rounds_max);
    } else {
        (void)fprintf(file, "rounds: %u", comparison->rounds_max);
    }
    if (comparison->rounds_max > 0) {
        (void)fprintf(file, "; medians of paired rounds with 95%% intervals; seed %llu\n",
                      (unsigned long long)comparison->seed);
    }
}

static void header_print_rest(const struct comparison *comparison, FILE *file)
{
    header_print_noise(comparison, file);
    header_print_control(comparison, file);
    header_print_left_out(comparison, file);
    if (comparison->workloads[0] != '\0') {
        (void)fprintf(file, "filter: workloads %s\n", comparison->workloads);
    }
    if (comparison->backends[0] != '\0') {
        (void)fprintf(file, "filter: back ends %s\n", comparison->backends);
    }
    if (comparison->several_sources) {
        (void)fputs("held is counted by the back end (stats) or seen from outside (smaps): compare "
                    "rows of one source only\n",
                    file);
    }
    (void)fputc('\n', file);
}

/* By how much the runs' own base has moved: nobody changed it, so the machine did. Counts do not
 * depend on the machine's mood. */
static void header_print_drift(const struct comparison *comparison, FILE *file)
{
    const struct record_set *set = comparison->set;
    for (size_t i = 0; i < comparison->geomean_count && !comparison->relative &&
                       !comparison->metric->deterministic;
         i++) {
        const struct comparison_geomean *geomean = &comparison->geomeans[i];
        if (!isnan(geomean->ratio) && strcmp(geomean->backend_text, set->base_backend) == 0 &&
            strcmp(geomean->arm, set->base_arm) == 0) {
            (void)fprintf(file,
                          "%s:%s, the runs' own base, is at %.3f of before: where it has not been "
                          "changed, that is the machine's doing, and --relative takes it out\n",
                          geomean->backend_text, geomean->arm, geomean->ratio);
        }
    }
}

static void header_print_runs(const struct comparison *comparison, FILE *file)
{
    const struct metric *metric = comparison->metric;
    (void)fprintf(file, "%s, before: %s\n", comparison->set->directory,
                  comparison->base_set->directory);
    (void)fprintf(file, "metric: %s, %s; below 1 is %s than before\n", metric->name,
                  metric->summary, metric->less);
    if (comparison->relative) {
        (void)fprintf(file, "relative: each figure is a ratio to %s:%s of its own run\n",
                      comparison->base_backend, comparison->base_arm);
    }
    if (!metric->deterministic) {
        (void)fputs("ratio: Hodges-Lehmann shift of the logarithms, with the 95% interval of the "
                    "rank-sum test; the runs' rounds are not paired\n",
                    file);
    }
    header_print_drift(comparison, file);
}

void compare_header_print(const struct comparison *comparison, FILE *file)
{
    if (comparison->base_set != NULL) {
        header_print_runs(comparison, file);
    } else {
        header_print_run(comparison, file);
    }
    header_print_rest(comparison, file);
}
