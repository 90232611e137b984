#include "gc/pauses.h"

#include <math.h>
#include <string.h>

const uint64_t pauses_window_ns[PAUSES_WINDOWS] = {1000000, 10000000, 100000000};

void pauses_reset(struct pauses *pauses)
{
    memset(&pauses->cpu_ns, 0, sizeof(pauses->cpu_ns));
    memset(&pauses->visited, 0, sizeof(pauses->visited));
    memset(pauses->windows, 0, sizeof(pauses->windows));
    pauses->cpu_ns_total = 0;
    pauses->visited_total = 0;
    pauses->count = 0;
    pauses->since_ns = clock_thread_cpu_ns();
}

static const struct pause *pauses_recent(const struct pauses *pauses, uint64_t ordinal)
{
    return &pauses->recent[ordinal % PAUSES_RECENT];
}

/* Lays the window so that it ends with the latest pause. No other position need be looked at: of a
 * window with the most pause time in it, moved to the left until less would be, the right edge is
 * at a pause's end. */
static void pauses_slide(const struct pauses *pauses, struct pauses_window *window,
                         uint64_t length_ns)
{
    const struct pause *latest = pauses_recent(pauses, pauses->count - 1);
    uint64_t left_ns = latest->end_ns > length_ns ? latest->end_ns - length_ns : 0;
    window->sum_ns += latest->end_ns - latest->begin_ns;
    while (pauses_recent(pauses, window->oldest)->end_ns <= left_ns) {
        const struct pause *passed = pauses_recent(pauses, window->oldest++);
        window->sum_ns -= passed->end_ns - passed->begin_ns;
    }
    uint64_t first_ns = pauses_recent(pauses, window->oldest)->begin_ns;
    uint64_t outside_ns = first_ns < left_ns ? left_ns - first_ns : 0;
    uint64_t inside_ns = window->sum_ns - outside_ns;
    window->worst_ns = inside_ns > window->worst_ns ? inside_ns : window->worst_ns;
}

/* The place of the pause that is about to be forgotten is needed: windows let go of it. */
static void pauses_forget(struct pauses *pauses, uint64_t ordinal)
{
    for (int i = 0; i < PAUSES_WINDOWS; i++) {
        struct pauses_window *window = &pauses->windows[i];
        if (window->oldest == ordinal) {
            const struct pause *forgotten = pauses_recent(pauses, ordinal);
            window->sum_ns -= forgotten->end_ns - forgotten->begin_ns;
            window->oldest++;
            /* One that the next pause would have pushed out anyway is no loss, but who knows. */
            window->cut = true;
        }
    }
}

void pauses_add(struct pauses *pauses, uint64_t begin_ns, uint64_t end_ns, uint64_t visited)
{
    /* An empty pause would leave a window without a pause to end with. */
    end_ns = end_ns > begin_ns ? end_ns : begin_ns + 1;
    histogram_add(&pauses->cpu_ns, end_ns - begin_ns);
    histogram_add(&pauses->visited, visited);
    pauses->cpu_ns_total += end_ns - begin_ns;
    pauses->visited_total += visited;
    if (pauses->count >= PAUSES_RECENT) {
        pauses_forget(pauses, pauses->count - PAUSES_RECENT);
    }
    pauses->recent[pauses->count % PAUSES_RECENT] = (struct pause){begin_ns, end_ns};
    pauses->count++;
    for (int i = 0; i < PAUSES_WINDOWS; i++) {
        pauses_slide(pauses, &pauses->windows[i], pauses_window_ns[i]);
    }
}

double pauses_utilisation(const struct pauses *pauses, int window, uint64_t now_ns)
{
    uint64_t length_ns = pauses_window_ns[window];
    if (now_ns - pauses->since_ns < length_ns || pauses->windows[window].cut) {
        return (double)NAN;
    }
    uint64_t worst_ns = pauses->windows[window].worst_ns;
    return 1 - (double)worst_ns / (double)length_ns;
}
