/* Whose input a file is. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_OWNER_H
#define HEAPMILL_FUZZ_CAMPAIGN_OWNER_H

/* The target whose input a file is: by the campaign that it lies in (then *backend is set to that
 * one's, if it was NULL; it lives until the program ends), or by its directory's name, as below
 * fuzz/corpus. NULL if neither says. The caller frees. */
char *fuzz_owner_of(const char *input, const char **backend);

#endif
