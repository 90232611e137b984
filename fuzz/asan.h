/* Poisoning of memory if AddressSanitizer is compiled in; otherwise nothing. */
#ifndef HEAPMILL_FUZZ_ASAN_H
#define HEAPMILL_FUZZ_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define FUZZ_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_ASAN 1
#endif
#endif

#ifdef FUZZ_ASAN
#include <sanitizer/asan_interface.h>
#define FUZZ_POISON(address, bytes) __asan_poison_memory_region(address, bytes)
#define FUZZ_UNPOISON(address, bytes) __asan_unpoison_memory_region(address, bytes)
#else
#define FUZZ_POISON(address, bytes) ((void)0)
#define FUZZ_UNPOISON(address, bytes) ((void)0)
#endif

/* For functions that touch much memory: they check only its ends with AddressSanitizer. */
#define FUZZ_UNCHECKED __attribute__((no_sanitize("address", "undefined")))

#endif
