/* The options of `heapmill bench` that say how many rounds there are. */
#include <stdlib.h>
#include <string.h>

#include "cli/adaptive.h"
#include "cli/bench_options.h"

/* What --rounds auto is after unless --precision says otherwise: in the tables of this field,
 * differences below it are seldom worth an engineer's hour. */
static const double BENCH_PRECISION = 0.01;

enum status bench_options_take_rounds(struct bench_options *options, const char *text,
                                      struct error *error)
{
    options->rounds_auto = strcmp(text, "auto") == 0;
    options->rounds = 0;
    if (!options->rounds_auto && (!text_to_u64(text, &options->rounds) || options->rounds == 0 ||
                                  options->rounds > 100000)) {
        return error_set(error, STATUS_INVALID,
                         "--rounds %s: it wants a number from 1 to 100000, or auto", text);
    }
    return STATUS_OK;
}

enum status bench_options_take_precision(struct bench_options *options, const char *text,
                                         struct error *error)
{
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    char *number = text_format("%.*s", (int)(percent ? length - 1 : length), text);
    bool valid = text_to_double(number, &options->precision);
    free(number);
    options->precision = percent ? options->precision / 100 : options->precision;
    if (!valid || options->precision < 1e-4 || options->precision > 1) {
        return error_set(error, STATUS_INVALID,
                         "--precision %s: it wants a share from 0.01%% to 100%%, as 1%%", text);
    }
    return STATUS_OK;
}

enum status bench_options_check_rounds(struct bench_options *options, struct error *error)
{
    if (options->rounds > 0 && options->budget_s > 0) {
        return error_set(error, STATUS_INVALID,
                         "--rounds and --budget do not go together, but for --rounds auto: leave "
                         "one out");
    }
    if (options->precision > 0 && !options->rounds_auto) {
        return error_set(error, STATUS_INVALID, "--precision goes with --rounds auto");
    }
    if (options->rounds_auto && options->precision <= 0) {
        options->precision = BENCH_PRECISION;
    }
    return STATUS_OK;
}

void adaptive_write_plan(const struct bench_options *options, json_t *plan)
{
    bool capped = options->rounds_auto && options->budget_s <= 0;
    (void)json_object_set_new(plan, "precision", json_real(options->precision));
    (void)json_object_set_new(plan, "rounds_max", json_integer(capped ? ADAPTIVE_ROUNDS_MAX : 0));
    (void)json_object_set_new(plan, "redo", json_boolean(!options->no_redo));
}
