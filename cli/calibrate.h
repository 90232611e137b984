/* `heapmill calibrate`: runs whose truth is known, each an ordinary result directory. */
#ifndef HEAPMILL_CLI_CALIBRATE_H
#define HEAPMILL_CLI_CALIBRATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"
#include "results/stats/power.h"
#include "run/registry.h"

/* Strings are borrowed from argv or are constants; options_free frees the parameters. */
struct calibrate_options {
    const char *backends; /* a comma-separated list; each is the base of its own runs */
    const char *workloads;
    struct text_list parameters;
    const char *directory;
    const char *slowdowns; /* a comma-separated list of per cents */
    double target_ms;
    uint64_t rounds;
    uint64_t runs;
    uint64_t seed;
    bool exact; /* -b was given: each of them must be present */
    bool json;
    bool no_plot;
    bool one_layout;
    int argc; /* the command line */
    char **argv;
};

/* Runs number `number` (from 0), whose base is `backend`, to its end in `directory`, or completes
 * the run that is there. STATUS_UNSUPPORTED: the back end is not here, and nothing was run.
 * STATUS_INTERRUPTED: the same call continues the run. Other errors as bench_run. */
enum status calibrate_run(const struct calibrate_options *options, struct registry *registry,
                          uint64_t number, const char *backend, const char *directory,
                          struct error *error);

/* Can runs with this base be made here? Reports what is missing before time is spent. Errors as
 * calibrate_run. */
enum status calibrate_check(const struct calibrate_options *options, struct registry *registry,
                            const char *backend, struct error *error);

/* Adds to each group of the plan a copy of its base that does more work. The groups take the per
 * cents of the list in turn, starting with entry `number`. STATUS_INVALID: an entry of the list is
 * no per cent that can be used. */
enum status calibrate_add_slowed(json_t *plan, const char *slowdowns, uint64_t number,
                                 struct error *error);

/* The object of calibration.json, without its format. runs is borrowed. A new reference. */
json_t *calibrate_to_json(const struct calibrate_options *options, const struct power *power,
                          json_t *runs);

/* Prints the same as a table on stdout. */
void calibrate_print(const json_t *json);

/* Draws plots/power.* in the directory; if that fails, stderr says why. */
void calibrate_draw(const struct calibrate_options *options, const struct power *power);

/* The default of -o, and where `heapmill doctor` looks. */
#define CALIBRATE_DIRECTORY "results/calibration"

#endif
