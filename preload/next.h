/* The functions of the next library that stands in for malloc: glibc's, or another preloaded
 * allocator's. */
#ifndef HEAPMILL_PRELOAD_NEXT_H
#define HEAPMILL_PRELOAD_NEXT_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

#include "preload/cxx.h"
#include "preload/family.h"

/* A function of each member's name and type, but for those that neither give nor take. NULL: the
 * next library has none, or it is C++'s and was not yet called. */
#define FAMILY_EACH_(name, type, parameters, arguments) type(*name) parameters;
static struct {
    FAMILY(FAMILY_AS_TAKE_, FAMILY_AS_RESIZE_, FAMILY_AS_ALIGN_, FAMILY_AS_TAKE_, FAMILY_AS_GIVE_,
           FAMILY_SKIP)
} next;
#undef FAMILY_EACH_

static void *next_look_up(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        abort(); /* no C library has malloc and not the others */
    }
    return function;
}

static bool next_done;

/* False when it is under way already. */
static __attribute__((noinline, cold)) bool next_look_up_all(void)
{
    static bool begun;
    if (!begun) {
        begun = true;
#define NEXT_LOOK_UP_(name, ...) *(void **)&next.name = next_look_up(#name);
        FAMILY(NEXT_LOOK_UP_, NEXT_LOOK_UP_, NEXT_LOOK_UP_, FAMILY_SKIP, FAMILY_SKIP, FAMILY_SKIP)
#undef NEXT_LOOK_UP_
        *(void **)&next.free = next_look_up("free");
        next_done = true;
    }
    return next_done;
}

/* False while the looking up is under way, whose own calls early.h serves. The first call
 * comes before there are threads: the loader makes it. */
static inline bool next_is_ready(void)
{
    return __builtin_expect(next_done, 1) || next_look_up_all();
}

/* What not every C library has (free_sized), and C++'s operators, whose library may come late by
 * dlopen. NULL if it has not come. */
static inline void *next_find(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    return function == NULL ? cxx_symbol(name) : function;
}

#endif
