/* What an engine's adapter knows about the binary that it is linked into.
 * fuzz/engines/engine_binding.c defines it, and is compiled once for each binary. */
#ifndef HEAPMILL_FUZZ_ENGINE_H
#define HEAPMILL_FUZZ_ENGINE_H

#include "fuzz/fuzz_target.h"

extern const struct fuzz_target *const fuzz_engine_target;
extern const char fuzz_engine_backend[]; /* "": the target has none */
extern const char fuzz_built_engine[];   /* "random", "libfuzzer", "afl" */
extern const char fuzz_bug_id[];         /* "": no planted bug */

/* Runs `--reduce` or `--print` and exits; otherwise returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
