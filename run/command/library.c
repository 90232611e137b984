#include "run/command/library.h"

#include <elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/files.h"
#include "common/host/text.h"
#include "preload/family.h"
#include "run/worker_executor.h"

/* ---------------------------------------------------------------- its file */
/* The parts of a shared library that are inspected. All point into the file's bytes. */
struct library_file {
    char *bytes;
    size_t size;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    const char *names;
    size_t names_size;
    size_t tls_bytes; /* per thread */
    bool static_tls;  /* the library needs them in the static TLS block */
};

/* A part of the file; NULL if it exceeds the file. */
static const void *library_part(const struct library_file *file, uint64_t offset, uint64_t size)
{
    return offset <= file->size && size <= file->size - offset ? file->bytes + offset : NULL;
}

static void library_read_symbols(struct library_file *file, const Elf64_Ehdr *header)
{
    const Elf64_Shdr *sections =
        library_part(file, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr));
    for (size_t i = 0; sections != NULL && i < header->e_shnum; i++) {
        const Elf64_Shdr *section = &sections[i];
        if (section->sh_type == SHT_DYNSYM && section->sh_link < header->e_shnum) {
            const Elf64_Shdr *names = &sections[section->sh_link];
            file->symbols = library_part(file, section->sh_offset, section->sh_size);
            file->symbol_count = section->sh_size / sizeof(Elf64_Sym);
            file->names = library_part(file, names->sh_offset, names->sh_size);
            file->names_size = names->sh_size;
        }
    }
}

static void library_read_segments(struct library_file *file, const Elf64_Ehdr *header)
{
    const Elf64_Phdr *segments =
        library_part(file, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr));
    for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type == PT_TLS) {
            file->tls_bytes = segment->p_memsz;
        }
        const Elf64_Dyn *entries = segment->p_type == PT_DYNAMIC
                                       ? library_part(file, segment->p_offset, segment->p_filesz)
                                       : NULL;
        for (size_t e = 0; entries != NULL && e < segment->p_filesz / sizeof(*entries); e++) {
            file->static_tls |=
                entries[e].d_tag == DT_FLAGS && (entries[e].d_un.d_val & DF_STATIC_TLS) != 0;
        }
    }
}

static enum status library_open(const char *path, struct library_file *file, struct error *error)
{
    *file = (struct library_file){.bytes = NULL};
    enum status status = file_read(path, &file->bytes, &file->size, error);
    if (status != STATUS_OK) {
        return status;
    }
    const Elf64_Ehdr *header = library_part(file, 0, sizeof(*header));
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN ||
        header->e_shentsize != sizeof(Elf64_Shdr) || header->e_phentsize != sizeof(Elf64_Phdr)) {
        return error_set(error, STATUS_INVALID,
                         "%s is no shared library of 64 bits: link it with -shared", path);
    }
    library_read_symbols(file, header);
    library_read_segments(file, header);
    if (file->symbols == NULL || file->names == NULL) {
        return error_set(error, STATUS_INVALID,
                         "%s has no table of dynamic symbols: do not strip its section headers",
                         path);
    }
    return STATUS_OK;
}

static bool library_has(const struct library_file *file, const char *name)
{
    size_t length = strlen(name) + 1;
    for (size_t i = 0; i < file->symbol_count; i++) {
        const Elf64_Sym *symbol = &file->symbols[i];
        if (symbol->st_shndx != SHN_UNDEF && symbol->st_name < file->names_size &&
            file->names_size - symbol->st_name >= length &&
            memcmp(file->names + symbol->st_name, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- the family */
enum library_need { LIBRARY_MUST, LIBRARY_SHOULD, LIBRARY_MAY };

/* If a library lacks a member, glibc's function of that name is called instead, and its blocks
 * later reach the library's free, which does not know them. The first two kinds are those of
 * "Replacing malloc" in the glibc manual. The third kind is safe: glibc builds reallocarray and the
 * like on realloc. */
static const struct library_member {
    const char *name;
    enum library_need need;
    const char *users;
} library_members[] = {
    {"malloc", LIBRARY_MUST, "every program"},
    {"free", LIBRARY_MUST, "every program"},
    {"calloc", LIBRARY_MUST, "every program; the dynamic linker calls it first"},
    {"realloc", LIBRARY_MUST, "every program"},
    {"posix_memalign", LIBRARY_SHOULD,
     "C++ with aligned new, databases (PostgreSQL, RocksDB), Rust, Qt: they crash in free"},
    {"aligned_alloc", LIBRARY_SHOULD,
     "C11 and C++17 programs, libstdc++'s aligned new, Node: they crash in free"},
    {"memalign", LIBRARY_SHOULD, "older programs, the dynamic linker's thread-local storage"},
    {"valloc", LIBRARY_SHOULD, "old BSD programs, drivers of tapes and disks"},
    {"pvalloc", LIBRARY_SHOULD, "very few old programs"},
    {"malloc_usable_size", LIBRARY_SHOULD,
     "redis, Firefox, systemd, GLib-based programs: glibc's reads a header that is not there"},
    {"reallocarray", LIBRARY_MAY, "OpenBSD's programs (OpenSSH, tmux): glibc's calls your realloc"},
    {"mallinfo2", LIBRARY_MAY, "programs that show statistics: they see glibc's, which is idle"},
    {"malloc_trim", LIBRARY_MAY,
     "programs that give memory back: they trim glibc's, which is idle"},
    {"free_sized", LIBRARY_MAY, "C23 programs: glibc 2.43's calls your free"},
};

static void library_add(json_t *rows, const char *name, const char *level, const char *remedy,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

static void library_add(json_t *rows, const char *name, const char *level, const char *remedy,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_t *value = json_vsprintf(format, arguments);
    va_end(arguments);
    (void)json_array_append_new(rows, json_pack("{ss ss so ss}", "name", name, "level", level,
                                                "value", value != NULL ? value : json_string("?"),
                                                "remedy", remedy));
}

static void library_check_members(const struct library_file *file, json_t *rows)
{
    for (size_t i = 0; i < sizeof(library_members) / sizeof(library_members[0]); i++) {
        const struct library_member *member = &library_members[i];
        bool has = library_has(file, member->name);
        bool needed = member->need != LIBRARY_MAY;
        library_add(rows, member->name,
                    has      ? "ok"
                    : needed ? "missing"
                             : "info",
                    has || !needed ? "" : "define it with your own malloc",
                    has ? "has it" : "without it: %s", member->users);
    }
}

/* Adds a row with how many members of the family the library has, without C++ operators. */
static void library_count_members(const struct library_file *file, json_t *rows)
{
    static const char *const names[] = {
#define FAMILY_EACH_(name, type, parameters, arguments) #name,
        FAMILY_ALL
#undef FAMILY_EACH_
    };
    size_t count[2] = {0, 0};
    size_t has[2] = {0, 0};
    struct text_list lacking = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool operator_ = strncmp(names[i], "_Z", 2) == 0;
        bool present = library_has(file, names[i]);
        count[operator_]++;
        has[operator_] += present;
        if (!present && !operator_) {
            text_list_add(&lacking, text_format("%s", names[i]));
        }
    }
    char *names_lacking = text_join(&lacking, ", ");
    library_add(rows, "family", "info", "", "%zu of %zu members%s%s", has[0], count[0],
                lacking.count > 0 ? "; not " : "", names_lacking);
    library_add(
        rows, "C++ operators", "info", "", "%zu of %zu%s", has[1], count[1],
        has[1] < count[1] ? "; libstdc++'s own, which call malloc and free, serve the others" : "");
    free(names_lacking);
    text_list_free(&lacking);
}

static void library_check_loading(struct registry *registry, const struct backend *backend,
                                  json_t *rows)
{
    struct error error = {.message = ""};
    char *owner = NULL;
    enum status status = preflight_backend(registry, backend, "preload", false, &owner, &error);
    library_add(rows, "loads", status == STATUS_OK ? "ok" : "missing",
                status == STATUS_OK ? "" : "run a program with LD_PRELOAD and LD_DEBUG=all",
                status == STATUS_OK ? "malloc then lives in %s" : "%s",
                status == STATUS_OK && owner != NULL ? owner : error.message);
    free(owner);
}

enum status library_examine(const char *path, struct registry *registry, json_t *rows,
                            struct error *error)
{
    struct library_file file = {.bytes = NULL};
    struct backend *backend = NULL;
    char *slashed = text_format("%s%s", strchr(path, '/') != NULL ? "" : "./", path);
    enum status status = library_open(slashed, &file, error);
    if (status == STATUS_OK) {
        status = registry_add_library(registry, slashed, &backend, error);
    }
    if (status == STATUS_OK) {
        library_check_loading(registry, backend, rows);
        library_check_members(&file, rows);
        library_count_members(&file, rows);
        library_add(rows, "thread-local", "info", "",
                    file.tls_bytes == 0 ? "%zu bytes a thread"
                    : file.static_tls
                        ? "%zu bytes a thread, in the static block: it can be preloaded, but a "
                          "dlopen of it fails when the block's spare room (1.6 KiB) is used up"
                        : "%zu bytes a thread, found by a call: slower than in the static block "
                          "(-ftls-model=initial-exec)",
                    file.tls_bytes);
    }
    free(file.bytes);
    free(slashed);
    return status;
}
