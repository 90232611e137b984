/* The malloc family of a preloaded library. It is compiled once for each library.
 *
 * PRELOAD_ADAPTER is the header of the code behind the family. An adapter includes one of two
 * headers:
 *   serve.h: the blocks are the adapter's own. It supplies a few verbs, and serve.h makes glibc's
 *    family of them: locked.h (a back end for small blocks, glibc for the rest) and whole.h (a back
 *    end that serves every size and every thread itself).
 *   forward.h: the blocks are the next library's. Each call is passed on to the function of the
 *    same name there, and the adapter watches: leaktrack_watch.h.
 * Either defines a function face_NAME for each member of the family, and FACE_ASKS, which says
 * whether the members that neither give nor take a block are exported too. */
#include <dlfcn.h>

#include "preload/family.h"

#define FACE_EXPORT __attribute__((visibility("default")))
/* face_NAME is inlined, so that it costs neither a stack frame nor a call. */
#define FACE_INLINE __attribute__((always_inline)) static inline

#include PRELOAD_ADAPTER

#define FACE_EXPORT_(name, type, parameters, arguments)                                            \
    FACE_EXPORT type name parameters;                                                              \
    FACE_EXPORT type name parameters                                                               \
    {                                                                                              \
        return face_##name arguments;                                                              \
    }
#define FAMILY_EACH_ FACE_EXPORT_
#if FACE_ASKS
FAMILY_ALL
#include "preload/mallocx.h"
#else
FAMILY(FAMILY_AS_TAKE_, FAMILY_AS_RESIZE_, FAMILY_AS_ALIGN_, FAMILY_AS_TAKE_, FAMILY_AS_GIVE_,
       FAMILY_SKIP)
#endif

/* Removes RTLD_DEEPBIND. With it a loaded library would find glibc's free before ours, and would
 * pass it blocks that strdup, which is glibc's own code, got from our malloc. The call must be the
 * last thing done, so that it becomes a jump: dlopen looks at its return address to find the
 * caller's RUNPATH and namespace. */
FACE_EXPORT void *dlopen(const char *file, int mode)
{
    static void *(*real_dlopen)(const char *file, int mode);
    if (real_dlopen == NULL) {
        *(void **)&real_dlopen = dlsym(RTLD_NEXT, "dlopen");
    }
    return real_dlopen(file, mode & ~RTLD_DEEPBIND);
}
