#include "fuzz/campaign/signature.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "fuzz/campaign/execute.h"
#include "fuzz/campaign/library.h"
#include "fuzz/said.h"

static const double SIGNATURE_TIME_S = 60;

/* Reads function and place from "    #3 0x55… in FUNCTION /path/allocators/pymalloc.c:123:4". */
static bool signature_read_frame(const char *line, size_t length, char *function, char *place,
                                 size_t size)
{
    char copy[1024];
    length = length < sizeof(copy) - 1 ? length : sizeof(copy) - 1;
    memcpy(copy, line, length);
    copy[length] = '\0';
    const char *hash = copy + strspn(copy, " \t");
    const char *in = strstr(copy, " in ");
    if (hash[0] != '#' || isdigit((unsigned char)hash[1]) == 0 || in == NULL) {
        return false;
    }
    in += strlen(" in ");
    size_t name = strcspn(in, " ");
    const char *path = in + name + strspn(in + name, " ");
    (void)snprintf(function, size, "%.*s", (int)name, in);
    (void)snprintf(place, size, "%s", path);
    return true;
}

const char *fuzz_own_path(const char *path, bool fuzz)
{
    static const char *const folders[] = {"/allocators/", "/gc/",  "/common/",  "/workloads/",
                                          "/results/",    "/cli/", "/preload/", "/fuzz/"};
    enum { FOLDERS = sizeof(folders) / sizeof(folders[0]) };
    const char *found = NULL;
    for (size_t i = fuzz ? FOLDERS - 1 : 0; i < (fuzz ? FOLDERS : FOLDERS - 1); i++) {
        for (const char *at = path; (at = strstr(at, folders[i])) != NULL; at++) {
            found = at + 1 > found ? at + 1 : found;
        }
    }
    /* fuzz/bugs has copies of the folders; allocators/ there is still the code under test. */
    return found;
}

/* Does the function only report what others found? */
static bool signature_is_reporter(const char *function)
{
    return strcmp(function, "fuzz_fail") == 0 || strcmp(function, "fatal") == 0 ||
           strncmp(function, "LLVMFuzzer", 10) == 0 || strcmp(function, "main") == 0;
}

static size_t signature_read_frames(const char *output, bool fuzz, struct fuzz_signature *signature)
{
    char function[512];
    char place[512];
    size_t count = 0;
    bool begun = false;
    for (const char *line = output; *line != '\0' && count < FUZZ_FRAMES;) {
        size_t length = strcspn(line, "\n");
        bool frame = signature_read_frame(line, length, function, place, sizeof(function));
        const char *own = frame ? fuzz_own_path(place, fuzz) : NULL;
        if (begun && length == 0) {
            break; /* the first stack ends here; later ones show the block's origin */
        }
        begun = begun || frame;
        if (own != NULL && !signature_is_reporter(function)) {
            signature->frames[count] = text_format("%s", function);
            signature->places[count++] = text_format("%s", own);
        }
        line += length + (line[length] == '\n');
    }
    return count;
}

static char *signature_make_key(const struct fuzz_signature *signature)
{
    char said[FUZZ_SAID_KEY_BYTES];
    fuzz_said_key(signature->kind, signature->text, said);
    char *key = text_format("%s", said);
    for (size_t i = 0; i < FUZZ_FRAMES && signature->frames[i] != NULL; i++) {
        char *longer = text_format("%s|%s", key, signature->frames[i]);
        free(key);
        key = longer;
    }
    return key;
}

void fuzz_signature_read(const char *output, int exit_code, int signal, bool timed_out,
                         struct fuzz_signature *signature)
{
    struct fuzz_said said;
    *signature = (struct fuzz_signature){.kind = NULL};
    if (timed_out) {
        signature->kind = text_format("timeout");
        signature->text = text_format("it did not end within %.0f s", SIGNATURE_TIME_S);
    } else if (fuzz_said_read(output, &said)) {
        signature->kind = text_format("%s", said.kind);
        signature->text = text_format("%s", said.text);
    } else {
        signature->kind = signal != 0 ? text_format("signal %d", signal)
                                      : text_format("exit status %d", exit_code);
        signature->text = text_format("%s", "");
    }
    /* An oracle's message is the defect; the place where the harness noticed it is not. */
    if (signature_read_frames(output, false, signature) == 0 &&
        strncmp(signature->kind, "oracle", 6) != 0) {
        (void)signature_read_frames(output, true, signature);
    }
    signature->key = signature_make_key(signature);
}

void fuzz_signature_release(struct fuzz_signature *signature)
{
    free(signature->kind);
    free(signature->text);
    free(signature->key);
    for (size_t i = 0; i < FUZZ_FRAMES; i++) {
        free(signature->frames[i]);
        free(signature->places[i]);
    }
    *signature = (struct fuzz_signature){.kind = NULL};
}

/* The function at the offset, if the library has symbols that its dynamic table does not have. The
 * caller frees; NULL: unknown. */
static char *signature_symbolize(const char *library, const char *offset)
{
    char *addr2line = file_find_program("addr2line");
    const char *const arguments[] = {addr2line, "-f", "-e", library, offset, NULL};
    struct fuzz_execution execution = {.text = NULL};
    char *name = NULL;
    if (addr2line != NULL &&
        fuzz_execute(arguments, NULL, false, 10, &execution, NULL) == STATUS_OK &&
        fuzz_execution_clean(&execution)) {
        size_t length = strcspn(execution.text, "\n");
        name = execution.text[0] != '?' ? text_format("%.*s", (int)length, execution.text) : NULL;
    }
    fuzz_execution_free(&execution);
    free(addr2line);
    return name;
}

/* Reads frames of the library itself, "in FUNCTION (/path/lib.so+0x123)", which distinguish its
 * crashes. */
static void signature_read_library_frames(const char *output, const char *library,
                                          struct fuzz_signature *signature)
{
    char function[512];
    char place[512];
    char *mark = text_format("(%s+", library);
    size_t count = 0;
    for (const char *line = output; *line != '\0' && count < FUZZ_FRAMES;) {
        size_t length = strcspn(line, "\n");
        if (signature_read_frame(line, length, function, place, sizeof(function)) &&
            strncmp(place, mark, strlen(mark)) == 0) {
            place[strcspn(place, ")")] = '\0';
            const char *offset = place + strlen(mark);
            char *name = signature_symbolize(library, offset);
            free(signature->frames[count]);
            free(signature->places[count]);
            bool exported = strcmp(function, "??") != 0;
            signature->places[count] = text_format("%s", place + 1);
            signature->frames[count++] =
                name != NULL ? name : text_format("%s", exported ? function : offset);
        }
        line += length + (line[length] == '\n');
    }
    free(mark);
    if (count > 0) {
        free(signature->key);
        signature->key = signature_make_key(signature);
    }
}

enum status fuzz_signature_of(const char *program, const char *input,
                              const struct fuzz_subject *subject, bool symbolize,
                              struct fuzz_signature *signature, bool *failed, struct error *error)
{
    struct fuzz_execution execution;
    const char *const arguments[] = {program, input, NULL};
    enum status status =
        fuzz_execute(arguments, subject, symbolize, SIGNATURE_TIME_S, &execution, error);
    if (status == STATUS_OK && subject != NULL && subject->library[0] != '\0' &&
        execution.signal == 0 && execution.exit_code == FUZZ_LIBRARY_EXIT_UNLOADABLE) {
        status = fuzz_library_refuse(subject->library, execution.text, error);
    }
    *failed = status == STATUS_OK && !fuzz_execution_clean(&execution);
    *signature = (struct fuzz_signature){.kind = NULL};
    if (*failed) {
        fuzz_signature_read(execution.text != NULL ? execution.text : "", execution.exit_code,
                            execution.signal, execution.timed_out, signature);
        if (subject != NULL && subject->library != NULL && subject->library[0] != '\0') {
            signature_read_library_frames(execution.text, subject->library, signature);
        }
    }
    fuzz_execution_free(&execution);
    return status;
}
