#include "fuzz/targets/malloc_abi_family.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/asan.h"

static void *family_open(void)
{
    const char *path = getenv("HEAPMILL_FUZZ_LIBRARY");
    if (path == NULL || *path == '\0') {
        return RTLD_DEFAULT;
    }
#ifdef FUZZ_ASAN
    (void)fputs("heapmill-fuzz: a sanitizer replaces malloc in the library too; skipped: use an "
                "ordinary build of this target\n",
                stderr);
    exit(77);
#endif
    /* Bound to itself: its realloc must call its own malloc, not the program's. */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == NULL) {
        (void)fprintf(stderr, "heapmill-fuzz: HEAPMILL_FUZZ_LIBRARY: %s\n", dlerror());
        exit(3);
    }
    return library;
}

/* dlsym looks in a library's dependencies too: in libc, where the library has no malloc. */
static bool family_is_of(void *library, const Dl_info *home)
{
    struct link_map *map;
    return library == RTLD_DEFAULT || (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 &&
                                       (ElfW(Addr))home->dli_fbase == map->l_addr);
}

/* A library without one of them leads to libc's by its own dependencies: a block of one allocator
 * given to another would be our mistake, not the library's. */
static void *family_member_of(void *library, const void *home, const char *name)
{
    void *function = dlsym(library, name);
    Dl_info owner;
    return function != NULL && dladdr(function, &owner) != 0 && owner.dli_fbase == home ? function
                                                                                        : NULL;
}

static _Noreturn void family_refuse(void)
{
    (void)fputs("heapmill-fuzz: the library exports no malloc and free: nothing to fuzz\n", stderr);
    exit(3);
}

const struct malloc_abi_family *malloc_abi_family_get(void)
{
    static struct malloc_abi_family family;
    if (family.malloc != NULL) {
        return &family;
    }
    void *library = family_open();
    *(void **)&family.malloc = dlsym(library, "malloc");
    Dl_info home;
    if (family.malloc == NULL || dladdr(*(void **)&family.malloc, &home) == 0 ||
        !family_is_of(library, &home)) {
        family_refuse();
    }
#define FAMILY_EACH_(name, type, parameters, arguments)                                            \
    *(void **)&family.name = family_member_of(library, home.dli_fbase, #name);
    FAMILY_ALL
#undef FAMILY_EACH_
    if (family.malloc == NULL || family.free == NULL) {
        family_refuse();
    }
    return &family;
}
