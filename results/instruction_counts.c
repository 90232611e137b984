#include "results/instruction_counts.h"

#include <math.h>
#include <stdlib.h>

#include "results/metrics.h"

/* The counts of one cell so far. */
struct counted_cell {
    double first; /* instructions_per_op of its first record */
    size_t records;
    bool differs;
};

static void counts_sum_up(const struct record_set *set, const struct counted_cell *cells,
                          struct instruction_counts *counts)
{
    for (size_t i = 0; i < set->cell_count; i++) {
        const struct counted_cell *cell = &cells[i];
        if (cell->records < 2) {
            continue;
        }
        counts->least =
            counts->cells == 0 || cell->records < counts->least ? cell->records : counts->least;
        counts->cells++;
        counts->identical += !cell->differs;
        if (cell->differs && counts->differing == NULL) {
            counts->differing = set->cells[i].id;
        }
    }
}

enum status instruction_counts_read(const struct record_set *set, struct instruction_counts *counts,
                                    struct error *error)
{
    struct counted_cell *cells = calloc(set->cell_count + 1, sizeof(*cells));
    const struct metric *metric = metric_find("instructions");
    *counts = (struct instruction_counts){0};
    if (cells == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %zu cells", set->cell_count);
    }
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        double count = metric_of_record(metric, set, record, false);
        if (isnan(count)) {
            continue;
        }
        struct counted_cell *cell = &cells[record->cell];
        if (cell->records++ == 0) {
            cell->first = count;
        }
        /* A plan gives a cell the same number of operations in all rounds, so equal counts give
         * exactly equal quotients. */
        cell->differs = cell->differs || count != cell->first;
    }
    counts_sum_up(set, cells, counts);
    free(cells);
    return STATUS_OK;
}
