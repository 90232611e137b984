#include "cli/compare_gate.h"

#include <math.h>

#include "cli/command.h"

/* What the gate has found so far. */
struct gate {
    const struct compare_bars *bars;
    FILE *file;
    size_t rows;
    size_t unjudged;
    size_t regressions;
    size_t above_bars;
};

/* Is there a bar, and the interval not at it or below? NAN, where there is none, is neither. */
static bool gate_is_above(double bar, double high)
{
    return bar > 0 && high > bar;
}

static void gate_row(struct gate *gate, const char *metric, const struct comparison_cell *row)
{
    double above = 1 + gate->bars->above;
    bool is_judged = row->verdict != COMPARISON_FAILED && row->verdict != COMPARISON_TOO_FEW;
    bool is_worse = gate->bars->gated && row->verdict == COMPARISON_MORE && row->low > above;
    bool is_above = is_judged && gate_is_above(gate->bars->cell, row->high);
    gate->rows++;
    gate->unjudged += !is_judged;
    gate->regressions += is_worse;
    gate->above_bars += is_above;
    if (is_worse || is_above) {
        (void)fprintf(gate->file, "heapmill compare: %s: %s: %.4f [%.4f, %.4f], above %.4f\n",
                      metric, row->cell->id, row->ratio, row->low, row->high,
                      is_worse ? above : gate->bars->cell);
    }
}

static void gate_comparison(struct gate *gate, const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->cell_count; i++) {
        gate_row(gate, comparison->metric->name, &comparison->cells[i]);
    }
    for (size_t i = 0; i < comparison->geomean_count; i++) {
        const struct comparison_geomean *mean = &comparison->geomeans[i];
        if (gate_is_above(gate->bars->mean, mean->high)) {
            (void)fprintf(gate->file,
                          "heapmill compare: %s: geometric mean of %s:%s: %.4f [%.4f, %.4f], above "
                          "%.4f\n",
                          comparison->metric->name, mean->backend_text, mean->arm, mean->ratio,
                          mean->low, mean->high, gate->bars->mean);
            gate->above_bars++;
        }
        gate->unjudged += gate->bars->mean > 0 && isnan(mean->high);
    }
}

int compare_gate(struct comparison *const *comparisons, size_t count,
                 const struct compare_bars *bars, FILE *file)
{
    struct gate gate = {.bars = bars, .file = file};
    if (!bars->gated && bars->mean == 0 && bars->cell == 0) {
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < count; i++) {
        gate_comparison(&gate, comparisons[i]);
    }
    if (gate.unjudged > 0) {
        (void)fprintf(file,
                      "heapmill compare: %zu of %zu cells could not be judged (failed, or too few "
                      "rounds): the gate says nothing of them\n",
                      gate.unjudged, gate.rows);
    }
    if (gate.regressions > 0) {
        (void)fprintf(file, "heapmill compare: worse by more than %g%%: %zu of %zu cells\n",
                      bars->above * 100, gate.regressions, gate.rows);
    }
    if (gate.above_bars > 0) {
        (void)fprintf(file, "heapmill compare: %zu bar%s not met\n", gate.above_bars,
                      gate.above_bars == 1 ? " is" : "s are");
    }
    return gate.regressions + gate.above_bars > 0 ? EXIT_FINDING
           : gate.unjudged > 0                    ? EXIT_PARTIAL
                                                  : EXIT_CLEAN;
}
