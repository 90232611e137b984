#include "workloads/worker_environment.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "allocators/backend.h"

void worker_die_with_parent(pid_t parent)
{
    pid_t before = getppid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A parent that died before the request leaves no signal, but another parent. */
    pid_t after = getppid();
    if (after != before || (parent != 0 && after != parent)) {
        _exit(128 + SIGKILL);
    }
}

/* As the dynamic linker names it, before links are resolved. */
static const char *worker_malloc_file(void)
{
    Dl_info info = {0};
    void *address = dlsym(RTLD_DEFAULT, "malloc");
    if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL) {
        return "";
    }
    return info.dli_fname;
}

/* buffer holds PATH_MAX bytes; a path that cannot be resolved stays as it is. */
static const char *worker_resolve(const char *path, char *buffer)
{
    return realpath(path, buffer) == NULL ? path : buffer;
}

const char *worker_malloc_owner(void)
{
    static char resolved[PATH_MAX];
    static const char *owner;
    if (owner == NULL) {
        owner = worker_resolve(worker_malloc_file(), resolved);
    }
    return owner;
}

static const char *worker_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool worker_malloc_owner_is(const char *part)
{
    const char *owner = worker_malloc_owner();
    if (strchr(part, '/') != NULL) {
        char resolved[PATH_MAX];
        return strcmp(worker_resolve(part, resolved), owner) == 0;
    }
    return strstr(worker_file_name(owner), part) != NULL ||
           strstr(worker_file_name(worker_malloc_file()), part) != NULL;
}

const char *worker_thread_support(void)
{
    if ((HEAP_CAPABILITIES & HEAP_CAN_THREADS) == 0) {
        return "single-threaded";
    }
    const char *support = dlsym(RTLD_DEFAULT, "heapmill_preload_threads");
    return support != NULL ? support : "yes";
}

static int worker_add_library(struct dl_phdr_info *info, size_t size, void *context)
{
    char resolved[PATH_MAX];
    (void)size;
    const char *name = worker_file_name(info->dlpi_name);
    if (strcmp(name, "libc.so.6") == 0) {
        json_add_string(context, name, gnu_get_libc_version()); /* its file's name does not say */
    } else if (strchr(info->dlpi_name, '/') != NULL) {
        /* The program itself has no name, and the kernel's vdso no path. */
        json_add_string(context, name, worker_resolve(info->dlpi_name, resolved));
    }
    return 0;
}

void worker_add_libraries(struct json_writer *writer)
{
    json_open_object(writer, "libraries");
    (void)dl_iterate_phdr(worker_add_library, writer);
    json_close_object(writer);
}
