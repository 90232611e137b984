#include "fuzz/campaign/library.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "fuzz/campaign/execute.h"

static const double LIBRARY_TIME_S = 60;

static bool subject_says(const char *text)
{
    return text != NULL && text[0] != '\0';
}

void fuzz_subject_add_settings(const struct fuzz_subject *subject, struct text_list *settings)
{
    if (subject == NULL) {
        return;
    }
    const char *const values[][2] = {{"LIBRARY", subject->library},
                                     {"PROFILE", subject->profile},
                                     {"SKIP", subject->skip},
                                     {"ONLY", subject->only},
                                     {"CAREFUL", subject->careful ? "1" : ""}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (subject_says(values[i][1])) {
            text_list_add(settings, text_format("HEAPMILL_FUZZ_%s=%s", values[i][0], values[i][1]));
        }
    }
}

char *fuzz_subject_prefix(const struct fuzz_subject *subject)
{
    struct text_list settings = {0};
    fuzz_subject_add_settings(subject, &settings);
    text_list_add(&settings, text_format("%s", ""));
    char *prefix = text_join(&settings, " ");
    text_list_free(&settings);
    return prefix;
}

bool fuzz_library_is_instrumented(const char *library)
{
    static const char *const words[] = {"__sanitizer_cov_8bit_counters_init",
                                        "__sanitizer_cov_trace_pc_guard_init"};
    char *bytes = NULL;
    size_t size = 0;
    bool found = false;
    (void)file_read(library, &bytes, &size, NULL);
    for (size_t i = 0; bytes != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        found = found || memmem(bytes, size, words[i], strlen(words[i])) != NULL;
    }
    free(bytes);
    return found;
}

enum status fuzz_library_refuse(const char *library, const char *output, struct error *error)
{
    static const char word[] = "heapmill-fuzz: ";
    const char *said = output != NULL ? strstr(output, word) : NULL;
    said = said != NULL ? said + sizeof(word) - 1 : "";
    const char *remedy =
        strstr(said, "undefined symbol") != NULL ? "link it with what it needs: cc -shared … -lNAME"
        : strstr(said, "crashes") != NULL
            ? "it must survive LD_PRELOAD=LIBRARY true"
            : "a library to be fuzzed is a shared object with malloc and free of its own";
    return error_set(error, STATUS_NOT_FOUND, "%s cannot be fuzzed: %.*s; %s", library,
                     (int)strcspn(said, "\n"), said, remedy);
}

enum status fuzz_library_check(const struct fuzz_program *program,
                               const struct fuzz_subject *subject, struct error *error)
{
    /* The sanitizers' build is not used, because sanitizers replace the library's malloc. */
    static const enum fuzz_tree trees[] = {FUZZ_TREE_ORDINARY, FUZZ_TREE_FAST, FUZZ_TREE_AFL};
    const char *path = NULL;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]) && path == NULL; i++) {
        path = program->paths[trees[i]];
    }
    if (path == NULL || !subject_says(subject->library)) {
        return STATUS_OK; /* if a missing build is needed later, its user reports it */
    }
    struct fuzz_execution execution;
    const char *const arguments[] = {path, "/dev/null", NULL};
    enum status status = fuzz_execute(arguments, subject, false, LIBRARY_TIME_S, &execution, error);
    if (status == STATUS_OK && execution.signal == 0 &&
        execution.exit_code == FUZZ_LIBRARY_EXIT_UNLOADABLE) {
        status = fuzz_library_refuse(subject->library, execution.text, error);
    }
    fuzz_execution_free(&execution);
    return status;
}
