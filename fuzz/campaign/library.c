#include "fuzz/campaign/library.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/campaign/execute.h"

static const double LIBRARY_TIME_S = 60;

void fuzz_library_add_settings(const char *library, struct text_list *settings)
{
    if (library == NULL || library[0] == '\0') {
        return;
    }
    text_list_add(settings, text_format("HEAPMILL_FUZZ_LIBRARY=%s", library));
    /* glibc keeps 512 bytes for libraries that come late. The user's own tunables stay. */
    const char *tunables = getenv("GLIBC_TUNABLES");
    bool some = tunables != NULL && tunables[0] != '\0';
    text_list_add(settings, text_format("GLIBC_TUNABLES=glibc.rtld.optional_static_tls=65536%s%s",
                                        some ? ":" : "", some ? tunables : ""));
}

enum status fuzz_library_refuse(const char *library, const char *output, struct error *error)
{
    static const char word[] = "heapmill-fuzz: ";
    const char *said = output != NULL ? strstr(output, word) : NULL;
    said = said != NULL ? said + sizeof(word) - 1 : "";
    const char *remedy =
        strstr(said, "undefined symbol") != NULL ? "link it with what it needs: cc -shared … -lNAME"
        : strstr(said, "cannot be dlopen") != NULL || strstr(said, "dlopen()ed") != NULL
            ? "link it without -z nodlopen"
        : strstr(said, "static TLS") != NULL
            ? "compile it with -ftls-model=global-dynamic, or set "
              "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=N for a larger N"
            : "a library to be fuzzed is a shared object with malloc and free of its own";
    return error_set(error, STATUS_NOT_FOUND, "%s cannot be fuzzed: %.*s; %s", library,
                     (int)strcspn(said, "\n"), said, remedy);
}

enum status fuzz_library_check(const struct fuzz_program *program, const char *library,
                               struct error *error)
{
    /* Not the sanitizers' build: they replace the malloc of the library. */
    static const enum fuzz_tree trees[] = {FUZZ_TREE_ORDINARY, FUZZ_TREE_FAST, FUZZ_TREE_AFL};
    const char *path = NULL;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]) && path == NULL; i++) {
        path = program->paths[trees[i]];
    }
    if (path == NULL || library[0] == '\0') {
        return STATUS_OK; /* whoever needs a build that is missing says so */
    }
    struct fuzz_execution execution;
    const char *const arguments[] = {path, "/dev/null", NULL};
    enum status status = fuzz_execute(arguments, library, false, LIBRARY_TIME_S, &execution, error);
    if (status == STATUS_OK && execution.signal == 0 &&
        execution.exit_code == FUZZ_LIBRARY_EXIT_UNLOADABLE) {
        status = fuzz_library_refuse(library, execution.text, error);
    }
    fuzz_execution_free(&execution);
    return status;
}
