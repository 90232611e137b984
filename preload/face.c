/* The malloc family of a library that is preloaded, compiled once for each library.
 *
 * PRELOAD_ADAPTER is the header that says what stands behind the family. Two manners of standing
 * there are written already, and an adapter takes one of them:
 *   serve.h     the blocks are the adapter's own; it brings a few verbs, and serve.h makes glibc's
 *               family of them: locked.h (a back end for small blocks, glibc for the rest) and
 *               whole.h (a back end that serves every size and every thread itself)
 *   forward.h   the blocks are the next library's; each call is passed on to the function of the
 *               same name there, and the adapter watches: leaktrack_watch.h
 * Either defines, for each member of the family, a function face_NAME, and FACE_ASKS: whether the
 * members that neither give nor take a block are to be exported too. */
#include <dlfcn.h>

#include "preload/family.h"

#define FACE_EXPORT __attribute__((visibility("default")))
/* What face_NAME is, so that it takes no frame of the stack and no call of its own. */
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

/* Without RTLD_DEEPBIND. With it a library that is loaded would free by glibc's free, which it
 * finds before ours, what strdup gave it by our malloc, since that call is glibc's own. The call is
 * the last thing done, and so becomes a jump: dlopen looks at the address that it returns to, for
 * the caller's RUNPATH and namespace. */
FACE_EXPORT void *dlopen(const char *file, int mode)
{
    static void *(*real_dlopen)(const char *file, int mode);
    if (real_dlopen == NULL) {
        *(void **)&real_dlopen = dlsym(RTLD_NEXT, "dlopen");
    }
    return real_dlopen(file, mode & ~RTLD_DEEPBIND);
}
