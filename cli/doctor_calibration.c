/* Says which differences this machine can resolve, as `heapmill calibrate` found. */
#include <stdio.h>

#include "cli/calibrate.h"
#include "cli/doctor.h"
#include "common/host/json.h"
#include "run/calibration_file.h"

/* The bar for false positives: the intended level, which the interval must include. */
static const double DOCTOR_FALSE_MAX = 0.05;
static const double DOCTOR_FALSE_HIGH_MAX = 0.08;

static void doctor_add_resolution(json_t *rows, const json_t *calibration)
{
    const json_t *resolves = json_object_get(calibration, "resolves");
    double rounds = json_number_at(json_object_get(calibration, "rounds"), "mean", 0);
    if (json_is_number(resolves)) {
        doctor_add(rows, "resolution", "ok", "",
                   "a slowdown of %g%% is found in 90%% of the cases and more, with %.0f rounds on "
                   "average",
                   json_number_value(resolves), rounds);
    } else {
        doctor_add(rows, "resolution", "warning",
                   "measure when nothing else runs; larger --target-ms and more rounds help",
                   "none of the slowdowns that were tried is found in 90%% of the cases, with %.0f "
                   "rounds on average",
                   rounds);
    }
    const json_t *false_positives = json_object_get(calibration, "false_positives");
    double rate = json_number_at(false_positives, "rate", 0);
    double high = json_number_at(false_positives, "high", 0);
    bool good = rate <= DOCTOR_FALSE_MAX && high <= DOCTOR_FALSE_HIGH_MAX;
    doctor_add(rows, "false positives", good ? "ok" : "warning",
               good ? "" : "heapmill calibrate, with nothing else running and more --rounds",
               "%.1f%% [%.1f, %.1f] of %.0f identical pairs were told apart", 100 * rate,
               100 * json_number_at(false_positives, "low", 0), 100 * high,
               json_number_at(false_positives, "comparisons", 0));
}

void doctor_check_calibration(json_t *rows)
{
    json_t *calibration = NULL;
    struct error error;
    enum status status = calibration_read(CALIBRATE_DIRECTORY, &calibration, &error);
    if (status == STATUS_NOT_FOUND) {
        doctor_add(rows, "resolution", "info", "heapmill calibrate (10 minutes)", "not known: %s",
                   error.message);
    } else if (status != STATUS_OK) {
        doctor_add(rows, "resolution", "warning", "heapmill calibrate -o another directory", "%s",
                   error.message);
    } else if (!calibration_is_of_host(calibration)) {
        doctor_add(rows, "resolution", "info", "move it away, and: heapmill calibrate (10 minutes)",
                   "not known: %s/calibration.json is of another machine, kernel or heapmill",
                   CALIBRATE_DIRECTORY);
    } else {
        doctor_add_resolution(rows, calibration);
    }
    json_decref(calibration);
}
