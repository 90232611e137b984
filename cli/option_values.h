/* What the commands with many options have in common: numbers and times that options take, and what
 * getopt_long refused, in words. */
#ifndef HEAPMILL_CLI_OPTION_VALUES_H
#define HEAPMILL_CLI_OPTION_VALUES_H

#include <getopt.h>
#include <stdint.h>

#include "common/status.h"

/* Each reads `text`, the value of `option` (with its dashes). STATUS_INVALID: it is not such a
 * value; the message names option, text and what it wants. */

/* A whole number. */
enum status option_take_number(const char *option, const char *text, uint64_t least, uint64_t most,
                               uint64_t *value, struct error *error);

/* "90s", "5m", "2h"; most_s: the longest, 0 for any. */
enum status option_take_seconds(const char *option, const char *text, double most_s,
                                double *seconds, struct error *error);

/* Milliseconds, from 1 to a minute. */
enum status option_take_milliseconds(const char *option, const char *text, double *milliseconds,
                                     struct error *error);

/* After getopt_long with ":" first gave `code` (':' or '?'): STATUS_INVALID with the nearest of the
 * command's options, which end with a NULL name. */
enum status option_refuse(const char *command, int code, char **argv, const struct option *options,
                          struct error *error);

#endif
