#include "run/command/program.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"

enum { PROGRAM_SCRIPTS_MAX = 4 /* an interpreter may be a script too */ };

#if defined(__x86_64__)
enum { PROGRAM_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { PROGRAM_MACHINE = EM_AARCH64 };
#else
enum { PROGRAM_MACHINE = EM_NONE };
#endif

/* Messages of allocators. A program that contains one has that allocator linked into it. */
static const struct program_sign {
    const char *text;
    const char *allocator;
} program_signs[] = {
    {"<jemalloc>: ", "jemalloc"},
    {"mimalloc: ", "mimalloc"},
    {"tcmalloc: large alloc", "tcmalloc"},
    {"PartitionAlloc", "PartitionAlloc"},
    {"Scudo ERROR", "Scudo"},
    {"[rpmalloc", "rpmalloc"},
};

/* A program's file, mapped. */
struct program_file {
    const char *bytes;
    size_t size;
};

static bool program_open(const char *path, struct program_file *file, struct stat *status)
{
    *file = (struct program_file){.bytes = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, status) != 0 || status->st_size == 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    void *bytes = mmap(NULL, (size_t)status->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (bytes == MAP_FAILED) {
        return false;
    }
    *file = (struct program_file){bytes, (size_t)status->st_size};
    return true;
}

static void program_close(struct program_file *file)
{
    if (file->bytes != NULL) {
        (void)munmap((void *)file->bytes, file->size);
    }
}

/* The interpreter of a script: the word after "#!", or after `env` if that is the first word. NULL:
 * the file is no script. The caller frees. */
static char *program_interpreter(const struct program_file *file)
{
    if (file->size < 3 || memcmp(file->bytes, "#!", 2) != 0) {
        return NULL;
    }
    char line[1024];
    size_t length = 0;
    for (size_t i = 2; i < file->size && file->bytes[i] != '\n' && length < sizeof(line) - 1; i++) {
        line[length++] = file->bytes[i];
    }
    line[length] = '\0';
    char *rest = line;
    char *word = strtok_r(line, " \t", &rest);
    const char *base = word != NULL && strrchr(word, '/') != NULL ? strrchr(word, '/') + 1 : word;
    while (word != NULL && (strcmp(base, "env") == 0 || word[0] == '-')) {
        word = strtok_r(NULL, " \t", &rest);
        base = word != NULL ? word : "";
    }
    return word != NULL ? text_format("%s", word) : NULL;
}

static bool program_is_python(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (strncmp(name, "python", strlen("python")) != 0) {
        return false;
    }
    name += strlen("python");
    return name[strspn(name, "0123456789.")] == '\0';
}

static void program_read_elf(const struct program_file *file, struct program *program)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file->bytes;
    if (file->size < sizeof(*header) || memcmp(file->bytes, ELFMAG, SELFMAG) != 0) {
        return;
    }
    program->is_foreign =
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != PROGRAM_MACHINE;
    if (program->is_foreign || header->e_phentsize != sizeof(Elf64_Phdr) ||
        header->e_phoff > file->size ||
        (file->size - header->e_phoff) / sizeof(Elf64_Phdr) < header->e_phnum) {
        return;
    }
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(file->bytes + header->e_phoff);
    program->is_static = true;
    for (size_t i = 0; i < header->e_phnum; i++) {
        program->is_static = program->is_static && segments[i].p_type != PT_INTERP;
    }
    for (size_t i = 0; i < sizeof(program_signs) / sizeof(program_signs[0]); i++) {
        const char *text = program_signs[i].text;
        if (program->carries == NULL && memmem(file->bytes, file->size, text, strlen(text))) {
            program->carries = program_signs[i].allocator;
        }
    }
}

enum status program_inspect(const char *name, struct program *program, struct error *error)
{
    *program = (struct program){.path = text_format("%s", name)};
    for (int i = 0; i < PROGRAM_SCRIPTS_MAX; i++) {
        char *found = strchr(program->path, '/') != NULL ? text_format("%s", program->path)
                                                         : file_find_program(program->path);
        if (found == NULL || access(found, X_OK) != 0) {
            free(found);
            return error_set(error, STATUS_NOT_FOUND, "%s: there is no such program",
                             program->path);
        }
        struct program_file file;
        struct stat status = {.st_mode = 0};
        program->is_python = program->is_python || program_is_python(program->path);
        free(program->path);
        program->path = found;
        bool opened = program_open(found, &file, &status);
        program->is_set_id = (status.st_mode & (S_ISUID | S_ISGID)) != 0 ||
                             getxattr(found, "security.capability", NULL, 0) > 0;
        char *interpreter = opened ? program_interpreter(&file) : NULL;
        if (opened && interpreter == NULL) {
            program_read_elf(&file, program);
        }
        program_close(&file);
        if (interpreter == NULL) {
            break;
        }
        free(program->path);
        program->path = interpreter;
    }
    return STATUS_OK;
}

void program_free(struct program *program)
{
    free(program->path);
    *program = (struct program){.path = NULL};
}

char *program_refusal(const struct program *program)
{
    if (program->is_foreign) {
        return text_format("%s is for another kind of machine than heapmill's libraries, so none "
                           "can be preloaded into it",
                           program->path);
    }
    if (program->is_static) {
        return text_format("%s is linked statically: no allocator can be preloaded into it; link "
                           "it dynamically, or with each allocator in turn",
                           program->path);
    }
    if (program->is_set_id) {
        return text_format("%s is set-user-ID, or has capabilities: the dynamic linker ignores "
                           "LD_PRELOAD in it; try a copy without them (cp makes one)",
                           program->path);
    }
    return NULL;
}
