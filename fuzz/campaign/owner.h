/* Finds the target of an input file. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_OWNER_H
#define HEAPMILL_FUZZ_CAMPAIGN_OWNER_H

/* The target of an input file: that of the campaign in which it lies (*backend, if NULL, is then
 * set to the campaign's back end, which lives until the program ends), or the name of its
 * directory, as below fuzz/corpus. NULL: neither tells. The caller frees. */
char *fuzz_owner_of(const char *input, const char **backend);

#endif
