#include "cli/compare_gate.h"

#include "cli/command.h"

/* Counts and prints the regressions of one comparison; *unjudged grows by its rows without a
 * verdict. */
static size_t gate_comparison(const struct comparison *comparison, double above, size_t *unjudged,
                              FILE *file)
{
    size_t regressions = 0;
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct comparison_cell *row = &comparison->cells[i];
        *unjudged += row->verdict == COMPARISON_FAILED || row->verdict == COMPARISON_TOO_FEW;
        if (row->verdict == COMPARISON_MORE && row->low > 1 + above) {
            (void)fprintf(file, "heapmill compare: %s: %s: %.4f [%.4f, %.4f], above %.4f\n",
                          comparison->metric->name, row->cell->id, row->ratio, row->low, row->high,
                          1 + above);
            regressions++;
        }
    }
    return regressions;
}

int compare_gate(struct comparison *const *comparisons, size_t count, double above, FILE *file)
{
    size_t regressions = 0;
    size_t unjudged = 0;
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        regressions += gate_comparison(comparisons[i], above, &unjudged, file);
        rows += comparisons[i]->cell_count;
    }
    if (unjudged > 0) {
        (void)fprintf(file,
                      "heapmill compare: %zu of %zu cells could not be judged (failed, or too few "
                      "rounds): the gate says nothing of them\n",
                      unjudged, rows);
    }
    if (regressions > 0) {
        (void)fprintf(file, "heapmill compare: worse by more than %g%%: %zu of %zu cells\n",
                      above * 100, regressions, rows);
        return EXIT_FINDING;
    }
    return unjudged > 0 ? EXIT_PARTIAL : EXIT_CLEAN;
}
