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

const struct malloc_abi_family *malloc_abi_family_get(void)
{
    static struct malloc_abi_family family;
    if (family.malloc != NULL) {
        return &family;
    }
    void *library = family_open();
    *(void **)&family.malloc = dlsym(library, "malloc");
    *(void **)&family.free = dlsym(library, "free");
    *(void **)&family.calloc = dlsym(library, "calloc");
    *(void **)&family.realloc = dlsym(library, "realloc");
    *(void **)&family.reallocarray = dlsym(library, "reallocarray");
    *(void **)&family.posix_memalign = dlsym(library, "posix_memalign");
    *(void **)&family.aligned_alloc = dlsym(library, "aligned_alloc");
    *(void **)&family.memalign = dlsym(library, "memalign");
    *(void **)&family.valloc = dlsym(library, "valloc");
    *(void **)&family.pvalloc = dlsym(library, "pvalloc");
    *(void **)&family.usable_size = dlsym(library, "malloc_usable_size");
    /* A library without one of them leads to libc's by its own dependencies: a block of one
     * allocator given to another would be our mistake, not the library's. */
    Dl_info home;
    Dl_info other;
    void **members[] = {(void **)&family.calloc,        (void **)&family.realloc,
                        (void **)&family.reallocarray,  (void **)&family.posix_memalign,
                        (void **)&family.aligned_alloc, (void **)&family.memalign,
                        (void **)&family.valloc,        (void **)&family.pvalloc,
                        (void **)&family.usable_size};
    if (family.malloc == NULL || family.free == NULL ||
        dladdr(*(void **)&family.malloc, &home) == 0 || !family_is_of(library, &home)) {
        (void)fputs("heapmill-fuzz: the library exports no malloc and free: nothing to fuzz\n",
                    stderr);
        exit(3);
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (*members[i] != NULL &&
            (dladdr(*members[i], &other) == 0 || other.dli_fbase != home.dli_fbase)) {
            *members[i] = NULL;
        }
    }
    return &family;
}
