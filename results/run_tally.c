#include "results/run_tally.h"

#include <jansson.h>

enum status run_tally_read(const struct record_set *set, struct run_tally *tally,
                           struct error *error)
{
    enum status status = STATUS_OK;
    *tally = (struct run_tally){.records = set->record_count};
    for (size_t i = 0; i < set->record_count && status == STATUS_OK; i++) {
        const struct record *record = &set->records[i];
        tally->ok += record->status == RECORD_OK;
        tally->not_applicable += record->status == RECORD_NOT_APPLICABLE;
        tally->failed += record_status_is_failure(record->status);
        if (record->pass == RECORD_TIME && record->round >= tally->rounds) {
            tally->rounds = record->round + 1;
        }
        json_t *json = NULL;
        status = record_set_read(set, i, &json, error);
        if (status == STATUS_OK) {
            double elapsed_s = json_number_value(json_object_get(json, "elapsed_s"));
            tally->elapsed_s = elapsed_s > tally->elapsed_s ? elapsed_s : tally->elapsed_s;
            json_decref(json);
        }
    }
    if (status == STATUS_OK) {
        status = instruction_counts_read(set, &tally->counts, error);
        tally->counts.differing = NULL; /* the set's, which may go before the tally */
    }
    return status;
}
