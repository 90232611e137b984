#include "fuzz/targets/malloc_abi_family.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/asan.h"

enum { FAMILY_EXIT_UNLOADABLE = 3, FAMILY_WORDS_BYTES = 512 };

/* "": dlopen loads the library beside the process's own malloc. "1": it is preloaded, and is the
 * process's own. */
static const char family_preloaded[] = "HEAPMILL_FUZZ_PRELOADED";
static const char family_tunables[] = "glibc.rtld.optional_static_tls=1048576";

static const char *family_path(void)
{
    const char *path = getenv("HEAPMILL_FUZZ_LIBRARY");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

static bool family_is_preloaded(void)
{
    return getenv(family_preloaded) != NULL;
}

static _Noreturn void family_refuse(const char *words)
{
    (void)fprintf(stderr, "heapmill-fuzz: %s\n", words);
    exit(FAMILY_EXIT_UNLOADABLE);
}

/* Does the library itself have the function? dlsym also searches its dependencies, and finds libc's
 * if the library has no malloc. */
static bool family_is_of(void *library, const void *function)
{
    struct link_map *map;
    Dl_info home;
    if (function == NULL || dladdr(function, &home) == 0) {
        return false;
    }
    if (library == RTLD_DEFAULT) {
        char *wanted = family_path() != NULL ? realpath(family_path(), NULL) : NULL;
        char *found = wanted != NULL ? realpath(home.dli_fname, NULL) : NULL;
        bool same = wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
        free(wanted);
        free(found);
        return same;
    }
    return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && (ElfW(Addr))home.dli_fbase == map->l_addr;
}

/* Opens the library; NULL: it failed, and words has the reason. It is bound to itself: its realloc
 * must call its own malloc, not the program's. */
static void *family_open(char words[FAMILY_WORDS_BYTES])
{
    const char *path = family_path();
    bool beside = path != NULL && !family_is_preloaded();
    void *library = beside ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : RTLD_DEFAULT;
    if (beside && library == NULL) {
        (void)snprintf(words, FAMILY_WORDS_BYTES, "HEAPMILL_FUZZ_LIBRARY: %s", dlerror());
        return NULL;
    }
    if (!family_is_of(library, dlsym(library, "malloc")) ||
        !family_is_of(library, dlsym(library, "free"))) {
        (void)snprintf(words, FAMILY_WORDS_BYTES,
                       "the library exports no malloc and free: nothing to fuzz");
        return beside ? NULL : (void *)-1;
    }
    return library;
}

/* ---------------------------------------------------------------- loading */
/* Tries to load the library in a child, so that this process is not changed. */
static bool family_try(char *words)
{
    char *shared =
        mmap(NULL, FAMILY_WORDS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    if (shared == MAP_FAILED) {
        return true; /* then the real attempt decides */
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(family_open(shared) != NULL ? 0 : FAMILY_EXIT_UNLOADABLE);
    }
    (void)waitpid(child, &status, 0);
    (void)snprintf(words, FAMILY_WORDS_BYTES, "%s",
                   WIFSIGNALED(status) ? "HEAPMILL_FUZZ_LIBRARY: it crashes when it is loaded"
                                       : shared);
    (void)munmap(shared, FAMILY_WORDS_BYTES);
    return status == 0;
}

/* Restarts this program in a changed environment. Returns if that fails. */
static void family_begin_anew(char **argv)
{
    (void)execv("/proc/self/exe", argv);
}

static void family_add_setting(const char *name, const char *value, const char *separator)
{
    char text[4096];
    const char *before = getenv(name);
    bool some = before != NULL && before[0] != '\0';
    (void)snprintf(text, sizeof(text), "%s%s%s", value, some ? separator : "", some ? before : "");
    (void)setenv(name, text, 1);
}

/* Runs before main. If a library cannot be loaded late (its thread-local variables need the static
 * block, or it was linked with -z nodlopen), the program is restarted with more room, and then with
 * the library preloaded. */
__attribute__((constructor)) static void family_choose(int argc, char **argv)
{
    char words[FAMILY_WORDS_BYTES] = "";
    (void)argc;
    if (family_path() == NULL) {
        return;
    }
#ifdef FUZZ_ASAN
    (void)fputs("heapmill-fuzz: a sanitizer replaces malloc in the library too; skipped: use an "
                "ordinary build of this target\n",
                stderr);
    exit(77);
#endif
    if (family_is_preloaded() || family_try(words)) {
        return;
    }
    bool room = strstr(words, "static TLS") != NULL;
    const char *tunables = getenv("GLIBC_TUNABLES");
    if (room && (tunables == NULL || strstr(tunables, family_tunables) == NULL)) {
        family_add_setting("GLIBC_TUNABLES", family_tunables, ":");
        family_begin_anew(argv);
    }
    if (room || strstr(words, "dlopen") != NULL || strstr(words, "crashes") != NULL) {
        family_add_setting("LD_PRELOAD", family_path(), ":");
        (void)setenv(family_preloaded, "1", 1);
        family_begin_anew(argv);
    }
    family_refuse(words);
}

/* ---------------------------------------------------------------- its functions */
/* Finds a member. If a library lacks one, its dependencies lead to libc's; a block of one allocator
 * would then be given to another, which would be heapmill's error. */
static void *family_member_of(void *library, const void *home, const char *name)
{
    void *function = dlsym(library, name);
    Dl_info owner;
    return function != NULL && dladdr(function, &owner) != 0 && owner.dli_fbase == home ? function
                                                                                        : NULL;
}

const struct malloc_abi_family *malloc_abi_family_get(void)
{
    static struct malloc_abi_family family;
    char words[FAMILY_WORDS_BYTES] = "";
    if (family.malloc != NULL) {
        return &family;
    }
    void *library = family_open(words);
    Dl_info home;
    if (words[0] != '\0') {
        family_refuse(words);
    }
    if (dladdr(dlsym(library, "malloc"), &home) == 0) {
        family_refuse("malloc is in no library");
    }
#define FAMILY_EACH_(name, type, parameters, arguments)                                            \
    *(void **)&family.name = family_member_of(library, home.dli_fbase, #name);
    FAMILY_ALL
#undef FAMILY_EACH_
    return &family;
}
