/* What a record says of the object runtime's collector: a few figures of its member "gc". */
#include <math.h>

#include "results/record_parse.h"

/* The most of a window of 10 ms that pauses took, in parts; 1 less what the program had. */
static double collector_share(const json_t *pauses)
{
    const json_t *utilisation = json_object_get(pauses, "utilisation_10ms");
    return json_is_number(utilisation) ? 1 - json_number_value(utilisation) : (double)NAN;
}

static double collector_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

void record_parse_collector(const json_t *json, struct record *record)
{
    const json_t *gc = json_object_get(json, "gc");
    const json_t *pauses = json_object_get(gc, "pauses");
    const json_t *floating = json_object_get(gc, "floating");
    const double figures[RECORD_COLLECTOR_COUNT] = {
        [RECORD_COLLECTOR_COST] = collector_number(pauses, "cpu_ns_per_op"),
        [RECORD_PAUSE_P99] = collector_number(pauses, "p99_ns"),
        [RECORD_PAUSE_MAX] = collector_number(pauses, "max_ns"),
        [RECORD_PAUSE_VISITED] = collector_number(pauses, "visited_max"),
        [RECORD_PAUSE_SHARE] = collector_share(pauses),
        [RECORD_FLOATING_PEAK] = collector_number(floating, "objects_peak"),
        [RECORD_FLOATING_AGE] = collector_number(floating, "age_max"),
    };
    for (int i = 0; i < RECORD_COLLECTOR_COUNT; i++) {
        record->collector[i] = (float)figures[i];
    }
}
