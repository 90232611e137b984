#include "run/command/cgroup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/host/files.h"
#include "common/host/text.h"

enum {
    CGROUP_REMOVALS_MAX = 50
}; /* the kernel may still be removing the last process from the group */

static char *cgroup_text(const char *path)
{
    char *bytes = NULL;
    size_t size = 0;
    struct error error;
    return file_read(path, &bytes, &size, &error) == STATUS_OK ? bytes : text_format("%s", "");
}

/* Finds heapmill's own group: the text after "0::". The caller frees. */
static char *cgroup_own(const char *text)
{
    char *read = text == NULL ? cgroup_text("/proc/self/cgroup") : text_format("%s", text);
    const char *line = strncmp(read, "0::", 3) == 0 ? read : strstr(read, "\n0::");
    line = line != NULL ? strstr(line, "::") + 2 : "";
    char *own = text_format("%.*s", (int)strcspn(line, "\n"), line);
    free(read);
    return own;
}

/* Makes a group in that directory. Fails if the new group has no memory.peak. */
static bool cgroup_make(struct cgroup *cgroup, const char *parent)
{
    static unsigned number;
    char *directory = text_format("%s/heapmill-%d.%u", parent, (int)getpid(), number++);
    char *peak = text_format("%s/memory.peak", directory);
    bool made = mkdir(directory, 0755) == 0;
    bool usable = made && access(peak, R_OK) == 0;
    if (made && !usable) {
        (void)rmdir(directory);
    }
    if (usable) {
        cgroup->directory = directory;
        cgroup->members = text_format("%s/cgroup.procs", directory);
        usable = access(cgroup->members, W_OK) == 0;
    } else {
        free(directory);
    }
    free(peak);
    if (cgroup->directory != NULL && !usable) {
        cgroup_close(cgroup);
    }
    return usable;
}

bool cgroup_open(struct cgroup *cgroup, const char *root, const char *own_text)
{
    *cgroup = (struct cgroup){.directory = NULL};
    if (root == NULL) {
        root = access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 ? "/sys/fs/cgroup"
                                                                      : "/sys/fs/cgroup/unified";
    }
    char *own = cgroup_own(own_text);
    char *directory = text_format("%s%s", root, strcmp(own, "/") == 0 ? "" : own);
    /* A group that has processes cannot have members with memory, so a sibling is tried first. */
    char *above = text_format("%s", directory);
    char *slash = strrchr(above, '/');
    bool made = false;
    if (own[0] != '\0' && strcmp(own, "/") != 0 && slash != NULL) {
        *slash = '\0';
        made = cgroup_make(cgroup, above);
    }
    if (!made && own[0] != '\0') {
        made = cgroup_make(cgroup, directory);
    }
    free(above);
    free(directory);
    free(own);
    return made;
}

uint64_t cgroup_memory_peak(const struct cgroup *cgroup)
{
    char *path = text_format("%s/memory.peak", cgroup->directory);
    char *text = cgroup_text(path);
    uint64_t bytes = strtoull(text, NULL, 10);
    free(text);
    free(path);
    return bytes;
}

void cgroup_close(struct cgroup *cgroup)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    for (int i = 0; cgroup->directory != NULL && rmdir(cgroup->directory) != 0 &&
                    access(cgroup->directory, F_OK) == 0 && i < CGROUP_REMOVALS_MAX;
         i++) {
        (void)nanosleep(&pause, NULL);
    }
    free(cgroup->directory);
    free(cgroup->members);
    *cgroup = (struct cgroup){.directory = NULL};
}
