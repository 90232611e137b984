#include <string.h>

#include "run/selection.h"

/* As many as a worker starts: THREADS_MAX of workloads/threads.h, a header for what is bound to a
 * back end. */
enum { SELECTION_THREADS_LARGEST = 256 };

static bool selection_has_threads(const struct selection *selection, unsigned threads)
{
    for (size_t i = 0; i < selection->thread_count_count; i++) {
        if (selection->thread_counts[i] == threads) {
            return true;
        }
    }
    return false;
}

enum status selection_set_threads(struct selection *selection, const char *list,
                                  struct error *error)
{
    struct text_list items = {0};
    enum status status = STATUS_OK;
    text_split(&items, list, ',');
    selection->thread_count_count = 0;
    for (size_t i = 0; i < items.count && status == STATUS_OK; i++) {
        uint64_t threads = 0;
        if (!text_to_u64(items.items[i], &threads) || threads == 0 ||
            threads > SELECTION_THREADS_LARGEST) {
            status = error_set(error, STATUS_INVALID,
                               "--threads '%s': it wants numbers from 1 to %d, as 1,2,4",
                               items.items[i], SELECTION_THREADS_LARGEST);
        } else if (selection->thread_count_count == SELECTION_THREADS_MAX) {
            status = error_set(error, STATUS_INVALID, "--threads: more than %d numbers",
                               SELECTION_THREADS_MAX);
        } else if (!selection_has_threads(selection, (unsigned)threads)) {
            selection->thread_counts[selection->thread_count_count++] = (unsigned)threads;
        }
    }
    text_list_free(&items);
    return status;
}
