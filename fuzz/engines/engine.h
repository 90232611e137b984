/* What the engines' adapters know of the binary that they are linked into:
 * fuzz/engines/engine_binding.c defines it, compiled once for each. */
#ifndef HEAPMILL_FUZZ_ENGINE_H
#define HEAPMILL_FUZZ_ENGINE_H

#include "fuzz/fuzz_target.h"

extern const struct fuzz_target *const fuzz_engine_target;
extern const char fuzz_engine_backend[]; /* "": the target has none */
extern const char fuzz_built_engine[];   /* "random", "libfuzzer", "afl" */
extern const char fuzz_bug_id[];         /* "": nothing is planted */

/* Does what `--reduce` asks for and exits, or returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
