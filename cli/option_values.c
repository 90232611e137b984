#include "cli/option_values.h"

#include <inttypes.h>
#include <string.h>

#include "common/host/text.h"

static const double OPTION_MILLISECONDS_MAX = 60000;

enum { OPTION_NAMES_MAX = 64 };

enum status option_take_number(const char *option, const char *text, uint64_t least, uint64_t most,
                               uint64_t *value, struct error *error)
{
    if (!text_to_u64(text, value) || *value < least || *value > most) {
        return error_set(error, STATUS_INVALID,
                         "%s %s: it wants a whole number from %" PRIu64 " to %" PRIu64, option,
                         text, least, most);
    }
    return STATUS_OK;
}

enum status option_take_seconds(const char *option, const char *text, double most_s,
                                double *seconds, struct error *error)
{
    if (text_to_seconds(text, seconds) && (most_s <= 0 || *seconds <= most_s)) {
        return STATUS_OK;
    }
    char most[32] = "";
    if (most_s > 0) {
        text_of_seconds(most, sizeof(most), most_s);
    }
    return error_set(error, STATUS_INVALID, "%s %s: it wants a time%s%s, as 90s, 5m or 2h", option,
                     text, most_s > 0 ? " up to " : "", most);
}

enum status option_take_milliseconds(const char *option, const char *text, double *milliseconds,
                                     struct error *error)
{
    if (!text_to_double(text, milliseconds) || *milliseconds < 1 ||
        *milliseconds > OPTION_MILLISECONDS_MAX) {
        return error_set(error, STATUS_INVALID, "%s %s: it wants milliseconds, from 1 to %.0f",
                         option, text, OPTION_MILLISECONDS_MAX);
    }
    return STATUS_OK;
}

enum status option_refuse(const char *command, int code, char **argv, const struct option *options,
                          struct error *error)
{
    const char *argument = argv[optind - 1];
    if (code == ':') {
        return error_set(error, STATUS_INVALID, "%s wants a value; see `heapmill %s --help`",
                         argument, command);
    }
    const char *names[OPTION_NAMES_MAX];
    size_t count = 0;
    for (; count < OPTION_NAMES_MAX && options[count].name != NULL; count++) {
        names[count] = options[count].name;
    }
    bool word = strncmp(argument, "--", 2) == 0;
    const char *nearest = word ? text_nearest(argument + 2, names, count) : NULL;
    if (nearest != NULL) {
        return error_set(error, STATUS_INVALID,
                         "%s has no option %s (or it takes no value); did you mean --%s?", command,
                         argument, nearest);
    }
    return error_set(error, STATUS_INVALID, "%s has no option %s; see `heapmill %s --help`",
                     command, word || optopt == 0 ? argument : (char[]){'-', (char)optopt, '\0'},
                     command);
}
