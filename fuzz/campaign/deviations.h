/* Lists the deviations that a campaign has recorded (fuzz/deviation.h), by severity. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_DEVIATIONS_H
#define HEAPMILL_FUZZ_CAMPAIGN_DEVIATIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/deviation.h"

/* Does the target record deviations? */
bool fuzz_program_records(const struct fuzz_program *program);

struct fuzz_deviations {
    struct fuzz_deviation *records; /* the worst first; of equal severity by key */
    size_t count;
};

/* Reads the deviations of the campaign in the directory; none if there is no table. STATUS_IO. */
enum status fuzz_deviations_read(const char *directory, struct fuzz_deviations *deviations,
                                 struct error *error);
void fuzz_deviations_free(struct fuzz_deviations *deviations);

/* Is one of them a finding? Deviations in manners are findings only if strict. */
bool fuzz_deviations_matter(const struct fuzz_deviations *deviations, bool strict);

/* The key "ORACLE:CALL:CLASS" in the name of a deviation's input in findings/; "": the input is no
 * deviation's. The caller frees. */
char *fuzz_deviation_key(const char *finding);

/* Prints a heading for each severity and a line for each oracle and call, with all its classes. */
void fuzz_deviations_print(const struct fuzz_deviations *deviations, FILE *file);
/* A new array of {severity, key, count, text, source, input}. */
json_t *fuzz_deviations_json(const struct fuzz_deviations *deviations);

#endif
