#include "fuzz/campaign/log.h"

const struct journal_kind fuzz_campaign_journal = {
    .plan = "campaign.json",
    .lines = "events.jsonl",
    .if_absent = "no such campaign; `heapmill fuzz run` begins one",
    .if_plan_damaged = "restore it, or begin anew",
    .if_line_damaged = "delete that line to go on without it",
};

const struct journal_kind fuzz_score_journal = {
    .plan = "score.json",
    .lines = "trials.jsonl",
    .if_absent = "no such score; `heapmill fuzz score` begins one",
    .if_plan_damaged = "restore it, or begin anew",
    .if_line_damaged = "delete that line to go on without it",
};

enum status fuzz_log_open(struct fuzz_log *log, const struct journal_kind *kind,
                          const char *directory, json_t **plan, struct error *error)
{
    log->lines = json_array();
    if (*plan != NULL) {
        return journal_begin(&log->journal, kind, directory, *plan, error);
    }
    enum status status =
        journal_resume(&log->journal, kind, directory, NULL, journal_keep_line, log->lines, error);
    if (status == STATUS_OK) {
        status = journal_repair(&log->journal, log->journal.size, error);
    }
    return status == STATUS_OK ? journal_read_plan(kind, directory, plan, error) : status;
}

enum status fuzz_log_append(struct fuzz_log *log, json_t *line, struct error *error)
{
    enum status status = journal_append(&log->journal, line, NULL, error);
    json_decref(line);
    return status;
}

void fuzz_log_close(struct fuzz_log *log)
{
    journal_close(&log->journal);
    json_decref(log->lines);
    log->lines = NULL;
}

enum status fuzz_log_read(const struct journal_kind *kind, const char *directory, json_t **plan,
                          json_t **lines, struct error *error)
{
    *lines = json_array();
    enum status status = journal_read_plan(kind, directory, plan, error);
    if (status == STATUS_OK) {
        status = journal_read(kind, directory, journal_keep_line, *lines, NULL, NULL, error);
    }
    if (status != STATUS_OK) {
        json_decref(*plan);
        json_decref(*lines);
        *plan = NULL;
        *lines = NULL;
    }
    return status;
}
