#include "fuzz/engine.h"

#define BINDING_JOIN_(a, b) a##b
#define BINDING_JOIN(a, b) BINDING_JOIN_(a, b)
#define BINDING_TARGET BINDING_JOIN(fuzz_target_, HEAPMILL_FUZZ_TARGET)

extern const struct fuzz_target BINDING_TARGET;

const struct fuzz_target *const fuzz_engine_target = &BINDING_TARGET;
const char fuzz_engine_backend[] = HEAPMILL_FUZZ_BACKEND;
const char fuzz_engine_name[] = HEAPMILL_FUZZ_ENGINE;
const char fuzz_bug_id[] = HEAPMILL_FUZZ_BUG;
