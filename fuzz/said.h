/* Finds the message of a failing run, so that equal failures can be recognised.
 *
 * Triage distinguishes failures by it, and the reducer inside each target compares a trial with the
 * original input. It is linked into every target, so it does not allocate. */
#ifndef HEAPMILL_FUZZ_SAID_H
#define HEAPMILL_FUZZ_SAID_H

#include <stdbool.h>
#include <stddef.h>

enum { FUZZ_SAID_KIND_BYTES = 128, FUZZ_SAID_TEXT_BYTES = 512, FUZZ_SAID_KEY_BYTES = 640 };

struct fuzz_said {
    char kind[FUZZ_SAID_KIND_BYTES]; /* "oracle overlap", "asan heap-use-after-free", "fatal …" */
    char text[FUZZ_SAID_TEXT_BYTES]; /* the rest of the line */
    bool whole;                      /* the line is complete: more output would change nothing */
};

/* Reads a run's output up to its first message: of heapmill's oracles, AddressSanitizer (with its
 * CHECK failures, which a corrupted free list can cause), UndefinedBehaviorSanitizer, libFuzzer,
 * heapmill's own "fatal", or a failed assertion. The first message is the cause, later ones are
 * consequences: libFuzzer's "deadly signal" follows a "fatal". false: there is no message. */
bool fuzz_said_read(const char *output, struct fuzz_said *said);

/* Makes "KIND|TEXT" without numbers and addresses, which differ between inputs. Only oracles keep
 * their text: a sanitizer's contains registers and addresses of the run. */
void fuzz_said_key(const char *kind, const char *text, char key[FUZZ_SAID_KEY_BYTES]);

#endif
