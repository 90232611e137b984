#include "results/memory_pace.h"

#include <math.h>
#include <stdlib.h>

#include "common/host/json.h"
#include "results/stats/statistics.h"

/* Nanoseconds an operation took in the cell's first ok record of the pass; NAN: there is none. */
static enum status pace_read_cell(const struct record_set *set, size_t cell, enum record_pass pass,
                                  double *ns, struct error *error)
{
    *ns = NAN;
    for (size_t i = 0; i < set->record_count; i++) {
        const struct record *record = &set->records[i];
        if (record->cell != cell || record->pass != pass || record->status != RECORD_OK) {
            continue;
        }
        json_t *json = NULL;
        enum status status = record_set_read(set, i, &json, error);
        *ns = json_number_at(json, "wall_ns", NAN) / json_number_at(json, "operations", NAN);
        json_decref(json);
        return status;
    }
    return STATUS_OK;
}

enum status memory_pace_read(const struct record_set *set, struct memory_pace *pace,
                             struct error *error)
{
    double *ratios = calloc(set->cell_count + 1, sizeof(*ratios));
    enum status status = ratios != NULL ? STATUS_OK
                                        : error_set(error, STATUS_NO_MEMORY,
                                                    "no memory for %zu cells", set->cell_count);
    *pace = (struct memory_pace){.median = NAN, .most = NAN};
    for (size_t cell = 0; cell < set->cell_count && status == STATUS_OK; cell++) {
        double memory;
        double time = NAN;
        status = pace_read_cell(set, cell, RECORD_MEMORY, &memory, error);
        if (status == STATUS_OK && !isnan(memory)) {
            status = pace_read_cell(set, cell, RECORD_TIME, &time, error);
        }
        if (memory / time > 0) {
            ratios[pace->cells++] = memory / time;
            pace->most = fmax(pace->most, memory / time);
        }
    }
    if (status == STATUS_OK && pace->cells > 0) {
        pace->median = statistics_median(ratios, pace->cells);
    }
    free(ratios);
    return status;
}
