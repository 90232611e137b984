/* The functions of the C++ library that the process has loaded, if it has loaded one. */
#ifndef HEAPMILL_PRELOAD_CXX_H
#define HEAPMILL_PRELOAD_CXX_H

#include <dlfcn.h>
#include <stddef.h>

/* NULL when there is none. The library may have been loaded for one plug-in alone (RTLD_LOCAL),
 * where a search through the program's libraries would not come. */
static inline void *cxx_symbol(const char *name)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
    void *symbol = NULL;
    for (size_t i = 0; symbol == NULL && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        if (library != NULL) {
            symbol = dlsym(library, name);
            (void)dlclose(library); /* it stays: it was there before */
        }
    }
    return symbol;
}

#endif
