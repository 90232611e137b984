#include "fuzz/campaign/exchange.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/files.h"
#include "fuzz/engines/launch.h"

static bool exchange_has(const struct text_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

static enum status exchange_copy(const char *from, const char *to, struct error *error)
{
    char *bytes;
    size_t size;
    enum status status = file_read(from, &bytes, &size, error);
    if (status == STATUS_OK) {
        status = file_write(to, bytes, size, error);
    }
    if (status != STATUS_OK && access(to, F_OK) == 0) {
        status = STATUS_OK; /* another machine's session of the campaign was quicker */
    }
    free(bytes);
    return status;
}

/* Makes "afl-0-000012" of a member's "id:000012,src:…", because names in queues are long and have
 * commas. */
static char *exchange_short_name(const char *member, const char *name)
{
    const char *number = name + strlen("id:");
    return text_format("%s-%.*s", member, (int)strcspn(number, ","), number);
}

static enum status exchange_take_queue(struct fuzz_exchange *exchange, const char *directory,
                                       const char *member, struct error *error)
{
    struct text_list names = {0};
    char *queue = text_format("%s/afl/%s/queue", directory, member);
    enum status status = STATUS_OK;
    file_list_names(queue, &names);
    for (size_t i = 0; i < names.count && status == STATUS_OK; i++) {
        const char *name = names.items[i];
        if (strncmp(name, "id:", 3) != 0 || strstr(name, ",sync:") != NULL ||
            strstr(name, ",orig:") != NULL) {
            continue;
        }
        char *taken = exchange_short_name(member, name);
        char *from = text_format("%s/%s", queue, name);
        char *to = text_format("%s/corpus/%s", directory, taken);
        if (!exchange_has(&exchange->taken, taken)) {
            status = access(to, F_OK) == 0 ? STATUS_OK : exchange_copy(from, to, error);
            text_list_add(&exchange->taken, taken);
            taken = NULL;
        }
        free(taken);
        free(from);
        free(to);
    }
    text_list_free(&names);
    free(queue);
    return status;
}

/* The bytes of all files below path; an engine's tree has a few levels. */
static uint64_t exchange_measure(const char *path)
{
    uint64_t bytes = 0;
    DIR *stream = opendir(path);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            char *below = text_format("%s/%s", path, entry->d_name);
            bytes += exchange_measure(below); /* as deep as the tree */
            free(below);
        } else {
            bytes += (uint64_t)status.st_blocks * 512;
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return bytes;
}

enum status fuzz_exchange_inputs(struct fuzz_exchange *exchange, const char *directory,
                                 struct error *error)
{
    enum status status = STATUS_OK;
    char *afl = text_format("%s/afl", directory);
    DIR *stream = exchange->active ? opendir(afl) : NULL;
    const struct dirent *entry;
    while (stream != NULL && status == STATUS_OK && (entry = readdir(stream)) != NULL) {
        if (strncmp(entry->d_name, "afl-", 4) == 0) {
            status = exchange_take_queue(exchange, directory, entry->d_name, error);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    free(afl);
    exchange->disk_bytes = exchange_measure(directory);
    return status;
}

void fuzz_exchange_release(struct fuzz_exchange *exchange)
{
    text_list_free(&exchange->taken);
}

/* Makes the finding name "findings/afl-0-000000" of "afl/afl-0/crashes/id:000000,sig:06,…". */
static char *exchange_finding_name(const char *path)
{
    if (strncmp(path, "afl/", 4) != 0) {
        return text_format("%s", path);
    }
    const char *member = path + 4;
    const char *name = strrchr(path, '/') + 1;
    char *owner = text_format("%.*s", (int)strcspn(member, "/"), member);
    char *brief = exchange_short_name(owner, name);
    char *whole = text_format("findings/%s", brief);
    free(brief);
    free(owner);
    return whole;
}

enum status fuzz_exchange_collect(const char *directory, struct text_list *known,
                                  struct text_list *fresh, struct error *error)
{
    struct text_list paths = {0};
    enum status status = STATUS_OK;
    fuzz_engine_list_findings(directory, &paths);
    for (size_t i = 0; i < paths.count && status == STATUS_OK; i++) {
        char *name = exchange_finding_name(paths.items[i]);
        if (exchange_has(known, name) || strstr(name, ".tmp") != NULL) {
            free(name);
            continue;
        }
        if (strcmp(name, paths.items[i]) != 0) {
            char *from = text_format("%s/%s", directory, paths.items[i]);
            char *to = text_format("%s/%s", directory, name);
            status = exchange_copy(from, to, error);
            free(from);
            free(to);
        }
        text_list_add(known, text_format("%s", name));
        text_list_add(fresh, name);
    }
    text_list_free(&paths);
    return status;
}
