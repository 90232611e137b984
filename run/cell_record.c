#include "run/cell_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"

/* What a record takes over from the plan's cell. */
static const char *const cell_members[] = {"group",   "workload",  "params", "threads",
                                           "backend", "collector", "arm",    "env",
                                           "twin",    "preload",   "package"};

/* What it keeps of the outcome when the cell is not ok: what explains, nothing that was measured.
 */
static const char *const kept_members[] = {
    "iterations", "malloc_owner", "thread_support", "compiler", "flags",   "libraries", "status",
    "reason",     "exit_code",    "signal",         "stderr",   "process", "layout"};

static void cell_record_set(json_t *record, const char *name, json_t *value)
{
    (void)json_object_set_new(record, name, value != NULL ? value : json_null());
}

/* The reason why a cell that ended well is failed, or carries a warning; NULL: none. Looks at the
 * other cells of its group and at its own rounds, which no executor sees. The caller frees it. */
static char *cell_record_doubt(const struct cell_run *run, const json_t *outcome, bool *failed)
{
    const json_t *checksum = json_object_get(outcome, "checksum");
    uint64_t count = json_count_at(outcome, "instructions", 0);
    *failed = run->checksum != NULL && json_equal(run->checksum, checksum) == 0;
    if (*failed) {
        char *is = json_dumps(checksum, JSON_ENCODE_ANY);
        char *was = json_dumps(run->checksum, JSON_ENCODE_ANY);
        char *text = text_format("the checksum is %s, and that of %s %s",
                                 is != NULL ? is : "missing", run->checksum_cell, was);
        free(is);
        free(was);
        return text;
    }
    if (run->instructions_before > 0 && count != run->instructions_before) {
        return text_format("warning: %" PRIu64 " instructions, and %" PRIu64
                           " in the round before: something in the cell differs from run to run",
                           count, run->instructions_before);
    }
    return NULL;
}

static void cell_record_add_machine(json_t *record, const struct cell_run *run)
{
    static const char *const members[] = {"kernel", "cpu", "thp", "aslr"};
    uint64_t steal = run->after.steal_ticks - run->before.steal_ticks;
    uint64_t throttled = run->after.throttled_us - run->before.throttled_us;
    cell_record_set(record, "steal_ticks", json_integer((json_int_t)steal));
    cell_record_set(record, "throttled_us", json_integer((json_int_t)throttled));
    cell_record_set(record, "load1", json_real(run->before.load1));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        (void)json_object_set(record, members[i], json_object_get(run->host, members[i]));
    }
    if (json_object_get(record, "host") == NULL) { /* else the executor has said where it ran */
        (void)json_object_set(record, "host", json_object_get(run->host, "hostname"));
    }
}

static void cell_record_add_cell(json_t *record, const struct cell_run *run)
{
    char started[32];
    struct tm utc;
    (void)json_object_set(record, "cell", json_object_get(run->cell, "id"));
    for (size_t i = 0; i < sizeof(cell_members) / sizeof(cell_members[0]); i++) {
        (void)json_object_set(record, cell_members[i], json_object_get(run->cell, cell_members[i]));
    }
    (void)strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&run->started, &utc));
    cell_record_set(record, "pass", json_string(record_pass_word(run->pass)));
    cell_record_set(record, "round", json_integer(run->round));
    cell_record_set(record, "seed", json_integer((json_int_t)run->seed));
    cell_record_set(record, "started", json_string(started));
    cell_record_set(record, "elapsed_s", json_real(run->elapsed_s));
}

json_t *cell_record_make(const struct cell_run *run, json_t *outcome)
{
    json_t *record = json_pack("{ss}", "format", "heapmill-record-1");
    bool ok = strcmp(json_text_at(outcome, "status", ""), "ok") == 0;
    bool failed = false;
    char *doubt = ok ? cell_record_doubt(run, outcome, &failed) : NULL;
    if (doubt != NULL) {
        cell_record_set(outcome, "reason", json_string(doubt));
    }
    if (failed) {
        cell_record_set(outcome, "status", json_string("failed"));
        ok = false;
    }
    free(doubt);
    if (ok) {
        (void)json_object_update(record, outcome);
        (void)json_object_del(record, "stderr");
    }
    for (size_t i = 0; !ok && i < sizeof(kept_members) / sizeof(kept_members[0]); i++) {
        (void)json_object_set(record, kept_members[i], json_object_get(outcome, kept_members[i]));
    }
    cell_record_add_cell(record, run);
    cell_record_add_machine(record, run);
    json_decref(outcome);
    return record;
}
