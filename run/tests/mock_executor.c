#include "run/tests/mock_executor.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/json.h"
#include "common/host/text.h"

enum { MOCK_ITERATIONS = 10, MOCK_OPERATIONS = 100 };

static enum status mock_calibrate(void *context, const json_t *plan, const json_t *cell,
                                  json_t **calibration, struct error *error)
{
    struct mock_executor *mock = context;
    (void)plan;
    (void)error;
    bool heavy =
        mock->heavy != NULL && strstr(json_text_at(cell, "group", ""), mock->heavy) != NULL;
    mock->calibrations++;
    mock->now_ns += (uint64_t)((heavy ? mock->heavy_s : mock->calibration_s) * 1e9);
    *calibration = json_pack("{si si si sf}", "iterations", MOCK_ITERATIONS, "warmup_iterations", 1,
                             "operations", MOCK_OPERATIONS, "cpu_ns_per_op", 1.0);
    return STATUS_OK;
}

static enum status mock_begin(void *context, const json_t *plan, struct error *error)
{
    struct mock_executor *mock = context;
    (void)plan;
    (void)error;
    mock->begins++;
    mock->now_ns += (uint64_t)(mock->begin_s * 1e9);
    return STATUS_OK;
}

static void mock_note(struct mock_executor *mock, const struct executor_cell *asked)
{
    char *longer = text_format("%s%s %u %s\n", mock->log, record_pass_word(asked->pass),
                               asked->round, json_text_at(asked->cell, "id", ""));
    free(mock->log);
    mock->log = longer;
}

/* What a record of each pass must have. */
static void mock_add_figures(const struct mock_executor *mock, const struct executor_cell *asked,
                             json_t *outcome)
{
    double cost_ns = mock->cost_ns != NULL ? mock->cost_ns(asked) : 1.0;
    double wall_ns = MOCK_ITERATIONS * MOCK_OPERATIONS * cost_ns;
    json_t *figures = json_pack(
        "{sI sf sf sI sf s{ss} s{}}", "operations", (json_int_t)MOCK_ITERATIONS * MOCK_OPERATIONS,
        "cpu_ns_per_op", cost_ns, "wall_ns", wall_ns, "instructions", (json_int_t)5000,
        "instructions_per_op", 5.0, "memory", "held_source", "stats", "latency");
    (void)json_object_update(outcome, figures);
    if (asked->pass != RECORD_INSTRUCTIONS) {
        (void)json_object_del(outcome, "instructions");
        (void)json_object_del(outcome, "instructions_per_op");
    }
    json_decref(figures);
}

static enum status mock_run(void *context, const struct executor_cell *asked, json_t **outcome,
                            struct error *error)
{
    struct mock_executor *mock = context;
    const char *id = json_text_at(asked->cell, "id", "");
    if (mock->interrupt_after > 0 && mock->cells >= mock->interrupt_after) {
        return error_set(error, STATUS_INTERRUPTED, "interrupted");
    }
    mock->cells++;
    mock->now_ns += (uint64_t)(mock->cell_s * 1e9);
    mock_note(mock, asked);
    bool fails = mock->failing != NULL && strstr(id, mock->failing) != NULL;
    bool differs = mock->differing != NULL &&
                   strcmp(json_text_at(asked->cell, "backend", ""), mock->differing) == 0;
    *outcome = json_pack("{ss ss si si si ss sI}", "status", fails ? "crashed" : "ok", "reason",
                         fails ? "the mock says so" : "", "iterations", MOCK_ITERATIONS,
                         "exit_code", 0, "signal", fails ? 11 : 0, "stderr", "", "checksum",
                         (json_int_t)(asked->seed % 1000 + differs));
    mock_add_figures(mock, asked, *outcome);
    return STATUS_OK;
}

enum status mock_run_beside(void *context, const struct executor_cell *asked, size_t count,
                            json_t **outcomes, struct error *error)
{
    struct mock_executor *mock = context;
    uint64_t before_ns = mock->now_ns;
    enum status status = STATUS_OK;
    mock->beside_most = count > mock->beside_most ? count : mock->beside_most;
    size_t made = 0;
    for (; made < count && status == STATUS_OK; made += status == STATUS_OK) {
        mock->now_ns = before_ns;
        status = mock_run(context, &asked[made], &outcomes[made], error);
    }
    for (size_t i = 0; i < count && status != STATUS_OK; i++) {
        json_decref(i < made ? outcomes[i] : NULL);
        outcomes[i] = NULL;
    }
    return status;
}

static uint64_t mock_now_ns(void *context)
{
    const struct mock_executor *mock = context;
    return mock->now_ns;
}

void mock_executor_open(struct mock_executor *mock)
{
    *mock = (struct mock_executor){.executor = {.context = mock,
                                                .begin = mock_begin,
                                                .calibrate = mock_calibrate,
                                                .run = mock_run,
                                                .now_ns = mock_now_ns},
                                   .cell_s = 1,
                                   .log = text_format("%s", "")};
}

void mock_executor_close(struct mock_executor *mock)
{
    free(mock->log);
    mock->log = NULL;
}
