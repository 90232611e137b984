/* Finds functions of the C++ library, if the process has loaded one. */
#ifndef HEAPMILL_PRELOAD_CXX_H
#define HEAPMILL_PRELOAD_CXX_H

#include <dlfcn.h>
#include <stddef.h>

/* The function's address; NULL: there is none. A plug-in may have loaded the library for itself
 * alone (RTLD_LOCAL), so a search through the program's libraries would not find it. */
static inline void *cxx_symbol(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    void *symbol = NULL;
    for (size_t i = 0; symbol == NULL && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library != NULL) {
            symbol = dlsym(library, name);
            (void)dlclose(library); /* the library stays loaded: it was there before */
        }
    }
    return symbol;
}

#endif
