/* The deviations that a campaign has recorded (fuzz/deviation.h), as a list by severity. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_DEVIATIONS_H
#define HEAPMILL_FUZZ_CAMPAIGN_DEVIATIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/status.h"
#include "fuzz/campaign/catalog.h"
#include "fuzz/deviation.h"

/* Does the target record them? */
bool fuzz_program_records(const struct fuzz_program *program);

struct fuzz_deviations {
    struct fuzz_deviation *records; /* the worst first; equal ones by key */
    size_t count;
};

/* Those of the campaign in the directory; none where there is no table. STATUS_IO. */
enum status fuzz_deviations_read(const char *directory, struct fuzz_deviations *deviations,
                                 struct error *error);
void fuzz_deviations_free(struct fuzz_deviations *deviations);

/* Is there one that is a finding? Manners are none unless strict. */
bool fuzz_deviations_matter(const struct fuzz_deviations *deviations, bool strict);

/* "ORACLE:CALL:CLASS" of the name of its input in findings/, "" if it is none's. The caller
 * frees. */
char *fuzz_deviation_key(const char *finding);

/* One line for each oracle and call, its classes together, under a heading for each severity. */
void fuzz_deviations_print(const struct fuzz_deviations *deviations, FILE *file);
/* An array of {severity, key, count, text, source, input}. */
json_t *fuzz_deviations_json(const struct fuzz_deviations *deviations);

#endif
