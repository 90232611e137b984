/* The promises, and the documents that state them. C17 is ISO/IEC 9899:2018, C23 its successor of
 * 2024, POSIX IEEE Std 1003.1-2024. Promises of the Linux manual pages alone are in glibc's
 * profile.
 *
 * "fatal" means that the heap cannot be used any more. */
#include "fuzz/targets/malloc_abi_block.h"

const struct fuzz_promise abi_overlap = {"overlap", FUZZ_MEMORY, FUZZ_PROFILE_C, true,
                                         "C17 7.22.3: disjoint from any other object"};
const struct fuzz_promise abi_contents = {
    "contents", FUZZ_MEMORY, FUZZ_PROFILE_C, true,
    "C17 6.2.4: an object retains its last-stored value throughout its lifetime"};
const struct fuzz_promise abi_moved = {
    "resize-contents", FUZZ_MEMORY, FUZZ_PROFILE_C, false,
    "C17 7.22.3.5: the same contents, up to the lesser of the new and old sizes"};
const struct fuzz_promise abi_refused_resize = {
    "refused-resize", FUZZ_MEMORY, FUZZ_PROFILE_C, true,
    "C17 7.22.3.5: the old object is not deallocated and its value is unchanged"};
const struct fuzz_promise abi_zero = {"zero", FUZZ_MEMORY, FUZZ_PROFILE_C, false,
                                      "C17 7.22.3.2: initialized to all bits zero"};
const struct fuzz_promise abi_crash = {"crash", FUZZ_MEMORY, FUZZ_PROFILE_C, true,
                                       "C17 7.22.3: every call was a correct one"};
const struct fuzz_promise abi_hang = {"hang", FUZZ_RESULTS, FUZZ_PROFILE_C, true,
                                      "C17 7.22.3: every call was a correct one"};
const struct fuzz_promise abi_alignment = {
    "alignment", FUZZ_RESULTS, FUZZ_PROFILE_C, false,
    "C23 7.24.3 (an object that fits), 7.24.3.1 aligned_alloc; POSIX posix_memalign; memalign(3)"};
const struct fuzz_promise abi_overflow = {
    "overflow", FUZZ_RESULTS, FUZZ_PROFILE_C, false,
    "C17 7.22.3.2: space for an array of nmemb objects; POSIX reallocarray: ENOMEM"};
const struct fuzz_promise abi_impossible = {
    "impossible", FUZZ_RESULTS, FUZZ_PROFILE_C, false,
    "C17 7.22.3: a null pointer if the space cannot be allocated"};
const struct fuzz_promise abi_usable = {
    "usable-size", FUZZ_RESULTS, FUZZ_PROFILE_GLIBC, false,
    "malloc_usable_size(3): usable bytes, no fewer than requested; 0 for NULL"};
const struct fuzz_promise abi_lost = {
    "lost-memory", FUZZ_RESULTS, FUZZ_PROFILE_C, false,
    "C17 7.22.3.3: the space is made available for further allocation"};
const struct fuzz_promise abi_child = {"fork", FUZZ_MEMORY, FUZZ_PROFILE_POSIX, false,
                                       "POSIX fork: a copy of the address space"};
/* In a child of a process with several threads POSIX allows only async-signal-safe functions. */
const struct fuzz_promise abi_threads_child = {
    "fork-beside-threads", FUZZ_MANNERS, FUZZ_PROFILE_GLIBC, false,
    "no standard asks for it; glibc's malloc works in such a child"};
const struct fuzz_promise abi_enomem = {
    "enomem", FUZZ_MANNERS, FUZZ_PROFILE_POSIX, false,
    "POSIX malloc, calloc, realloc, reallocarray, aligned_alloc; memalign(3): [ENOMEM]"};
const struct fuzz_promise abi_free_errno = {"free-errno", FUZZ_MANNERS, FUZZ_PROFILE_POSIX, false,
                                            "POSIX.1-2024 free: shall not modify errno"};
const struct fuzz_promise abi_memalign_errno = {"memalign-errno", FUZZ_MANNERS, FUZZ_PROFILE_GLIBC,
                                                false,
                                                "posix_memalign(3): the value of errno is not set"};
const struct fuzz_promise abi_memalign_refusal = {
    "memalign-refusal", FUZZ_MANNERS, FUZZ_PROFILE_POSIX, false,
    "POSIX posix_memalign: [EINVAL], [ENOMEM]; the pointer is left or a null pointer"};
const struct fuzz_promise abi_nothing = {"resize-to-nothing", FUZZ_MANNERS, FUZZ_PROFILE_GLIBC,
                                         false, "malloc(3): realloc to 0 bytes is free"};
