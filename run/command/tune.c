#include "run/command/tune.h"

#include <string.h>

#define GLIBC_MANUAL                                                                               \
    "https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html"
#define MIMALLOC_MANUAL "https://microsoft.github.io/mimalloc/environment.html"
#define JEMALLOC_MANUAL "https://github.com/jemalloc/jemalloc/blob/dev/TUNING.md"
#define TCMALLOC_MANUAL "https://gperftools.github.io/gperftools/tcmalloc.html"
#define TBB_MANUAL                                                                                 \
    "https://uxlfoundation.github.io/oneTBB/main/tbb_userguide/"                                   \
    "Automatically_Replacing_malloc_and_Other_C_C++_Functions_for_Dynamic_Memory_Allocation.html"

/* The values are those that the allocators' own documentation recommends to try. */
const struct tune_setting tune_settings[] = {
    {"malloc", "GLIBC_TUNABLES", "glibc.malloc.arena_max=1", "one arena for all threads",
     GLIBC_MANUAL},
    {"malloc", "GLIBC_TUNABLES", "glibc.malloc.tcache_count=127", "longer caches of each thread",
     GLIBC_MANUAL},
    {"malloc", "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", "huge pages by madvise", GLIBC_MANUAL},
    {"malloc", "GLIBC_TUNABLES",
     "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=1073741824",
     "large blocks from the heap, which is not trimmed", GLIBC_MANUAL},
    {"mimalloc", "MIMALLOC_PURGE_DELAY", "0", "gives unused pages back at once", MIMALLOC_MANUAL},
    {"mimalloc", "MIMALLOC_PURGE_DELAY", "1000", "keeps unused pages for a second",
     MIMALLOC_MANUAL},
    {"mimalloc", "MIMALLOC_ALLOW_LARGE_OS_PAGES", "1", "huge pages", MIMALLOC_MANUAL},
    {"jemalloc", "MALLOC_CONF", "background_thread:true", "gives pages back in a thread of its own",
     JEMALLOC_MANUAL},
    {"jemalloc", "MALLOC_CONF", "narenas:1", "one arena for all threads", JEMALLOC_MANUAL},
    {"jemalloc", "MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0",
     "gives unused pages back at once", JEMALLOC_MANUAL},
    {"jemalloc", "MALLOC_CONF", "dirty_decay_ms:60000,muzzy_decay_ms:60000",
     "keeps unused pages for a minute", JEMALLOC_MANUAL},
    {"jemalloc", "MALLOC_CONF", "thp:always", "huge pages", JEMALLOC_MANUAL},
    {"tcmalloc", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES", "268435456",
     "256 MiB for the threads' caches", TCMALLOC_MANUAL},
    {"tcmalloc", "TCMALLOC_RELEASE_RATE", "10", "gives unused pages back sooner", TCMALLOC_MANUAL},
    {"tcmalloc", "TCMALLOC_RELEASE_RATE", "0", "never gives unused pages back", TCMALLOC_MANUAL},
    {"tbbmalloc", "TBB_MALLOC_USE_HUGE_PAGES", "1", "huge pages", TBB_MANUAL},
    {.backend = NULL},
};

static void tune_add(struct selection *selection, size_t base, const struct tune_setting *setting)
{
    selection->choices =
        text_grow(selection->choices, selection->choice_count + 1, sizeof(*selection->choices));
    const struct selection_choice *from = &selection->choices[base];
    struct selection_choice choice = {.backend = from->backend,
                                      .arm = from->arm,
                                      .env = json_copy(from->env),
                                      .exact = from->exact};
    (void)json_object_set_new(choice.env, setting->name, json_string(setting->value));
    selection->choices[selection->choice_count++] = choice;
}

enum status tune_add_settings(struct selection *selection, struct error *error)
{
    size_t before = selection->choice_count;
    for (size_t i = 0; i < before; i++) {
        for (const struct tune_setting *setting = tune_settings; setting->backend != NULL;
             setting++) {
            if (strcmp(selection->choices[i].backend->name, setting->backend) == 0 &&
                json_object_get(selection->choices[i].env, setting->name) == NULL) {
                tune_add(selection, i, setting);
            }
        }
    }
    return selection->choice_count > before
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND,
                           "--tune: none of the back ends has settings in heapmill's table; leave "
                           "it out, or write them as in -b 'NAME{VARIABLE=VALUE}'");
}
