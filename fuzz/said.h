/* What a failing run says of itself, in words by which the failure can be known again.
 *
 * Triage tells failures apart by them, and the reducer inside each target holds a trial against the
 * input that it began with. Linked into every target: no allocation. */
#ifndef HEAPMILL_FUZZ_SAID_H
#define HEAPMILL_FUZZ_SAID_H

#include <stdbool.h>
#include <stddef.h>

enum { FUZZ_SAID_KIND_BYTES = 128, FUZZ_SAID_TEXT_BYTES = 512, FUZZ_SAID_KEY_BYTES = 640 };

struct fuzz_said {
    char kind[FUZZ_SAID_KIND_BYTES]; /* "oracle overlap", "asan heap-use-after-free", "fatal …" */
    char text[FUZZ_SAID_TEXT_BYTES]; /* the rest of the line */
    bool whole;                      /* the line has ended: more output would change nothing */
};

/* Reads a run's output up to its first message, of whoever: our oracles, AddressSanitizer (its
 * CHECK failures included, as which a corrupted free list surfaces), UndefinedBehaviorSanitizer,
 * libFuzzer, heapmill's own "fatal", a failed assertion. The first one tells what went wrong, later
 * ones what came of it: a "fatal" is followed by libFuzzer's "deadly signal". False: none says
 * anything. */
bool fuzz_said_read(const char *output, struct fuzz_said *said);

/* "KIND|TEXT" without numbers and addresses, which differ from input to input. The text is left out
 * but for oracles: a sanitizer's has registers and addresses of the run. */
void fuzz_said_key(const char *kind, const char *text, char key[FUZZ_SAID_KEY_BYTES]);

#endif
