/* Following a long chain in several places at once.
 *
 * Each step along a chain whose links are in a random order waits for the memory, and no step can
 * be fetched ahead. So the chain is followed from elsewhere too: from singles picked at random, of
 * which nothing is known but that nobody has found them alive. What such a start leads through is a
 * segment, and marked as surmised. When the walk that began at something alive comes to the start
 * of a segment, all of the segment is alive: the walk goes on at its end. What is surmised in the
 * end and was not come to is unmarked again.
 *
 * Surmised containers of segments that turned out alive stay marked as they are, since any count
 * but zero is alive. A later walk that comes to them goes along them once more, and no third time.
 *
 * This is how parallel algorithms rank the nodes of a list (Helman and JaJa, 1999), on one
 * processor whose parallelism is that of its cache misses. */
#include "gc/find.h"

enum {
    CHAINS_LANES = 16, /* segments followed at a time: about the misses that can be under way */
    CHAINS_SEGMENTS = 512,
    CHAINS_PROBES = 16, /* for a start */
    CHAINS_NONE = CHAINS_SEGMENTS,
};

struct chains_segment {
    uint32_t start;
    uint32_t last; /* of its containers; so far, while it is followed */
    uint32_t tail; /* what the last refers to, once it has been followed to its end */
    bool is_running;
    bool is_alive;
};

struct chains {
    uint8_t *marks;
    const uint32_t *numbers;
    struct gc_range range;
    uint32_t random;
    uint32_t segment_count;
    uint32_t lane_count;
    uint32_t lanes[CHAINS_LANES]; /* the segments that are being followed, */
    uint32_t nodes[CHAINS_LANES]; /* and the last container of each */
    uint64_t steps;
    struct chains_segment segments[CHAINS_SEGMENTS];
};

static inline void chains_set(struct chains *chains, uint32_t index, uint8_t mark, uint8_t count)
{
    chains->marks[index] = (uint8_t)((mark & ~FIND_COUNT) | count);
}

/* A single that nobody has come to. */
static inline bool chains_is_new(uint8_t mark)
{
    return (mark & (FIND_RUN | FIND_COUNT)) == FIND_SINGLE;
}

/* ---------------------------------------------------------------- segments */
/* Whether a segment was begun in that lane. */
static bool chains_begin(struct chains *chains, uint32_t lane)
{
    uint32_t span = chains->range.end - chains->range.begin;
    for (int i = 0; i < CHAINS_PROBES && chains->segment_count < CHAINS_SEGMENTS; i++) {
        chains->random = chains->random * 1664525u + 1013904223u; /* Knuth's quick and dirty one */
        uint32_t index = chains->range.begin + (uint32_t)((uint64_t)chains->random * span >> 32);
        uint8_t mark = chains->marks[index];
        if (chains_is_new(mark)) {
            chains_set(chains, index, mark, FIND_START);
            chains->lanes[lane] = chains->segment_count;
            chains->nodes[lane] = index;
            chains->segments[chains->segment_count++] =
                (struct chains_segment){.start = index, .last = index, .is_running = true};
            return true;
        }
    }
    return false;
}

static void chains_end(struct chains *chains, uint32_t lane, uint32_t tail)
{
    struct chains_segment *segment = &chains->segments[chains->lanes[lane]];
    segment->last = chains->nodes[lane];
    segment->tail = tail;
    segment->is_running = false;
    if (!chains_begin(chains, lane)) {
        chains->lane_count--;
        chains->lanes[lane] = chains->lanes[chains->lane_count];
        chains->nodes[lane] = chains->nodes[chains->lane_count];
    }
}

/* One step in each lane. */
static inline void chains_step(struct chains *chains)
{
    for (uint32_t lane = 0; lane < chains->lane_count; lane++) {
        uint32_t next = chains->numbers[chains->nodes[lane]];
        uint8_t mark = chains->marks[next];
        if (__builtin_expect(chains_is_new(mark), true)) {
            chains->marks[next] = mark | FIND_SURMISED;
            chains->nodes[lane] = next;
            __builtin_prefetch(&chains->numbers[next]);
        } else {
            chains_end(chains, lane, next);
        }
    }
    chains->steps += chains->lane_count;
}

static uint32_t chains_find(const struct chains *chains, uint32_t start)
{
    uint32_t k = 0;
    while (chains->segments[k].start != start) {
        k++;
    }
    return k;
}

/* ---------------------------------------------------------------- the walk from what is alive */
/* Whether it goes on, from *index. A segment that the walk has come to and that is still being
 * followed is *awaited. */
static bool chains_walk(struct chains *chains, uint32_t *index, uint32_t *awaited)
{
    uint8_t mark = chains->marks[*index];
    uint8_t count = mark & FIND_COUNT;
    if (count == FIND_START) {
        uint32_t k = chains_find(chains, *index);
        chains_set(chains, *index, mark, FIND_ALIVE);
        chains->segments[k].is_alive = true;
        *awaited = k;
        return true;
    }
    if (!chains_is_new(mark) && count != FIND_SURMISED) {
        return false;
    }
    chains_set(chains, *index, mark, FIND_ALIVE);
    *index = chains->numbers[*index];
    return true;
}

static uint32_t chains_walk_to_end(struct chains *chains, uint32_t index)
{
    uint32_t awaited = CHAINS_NONE;
    for (;;) {
        if (awaited == CHAINS_NONE) {
            if (!chains_walk(chains, &index, &awaited)) {
                return index;
            }
        }
        if (awaited != CHAINS_NONE && !chains->segments[awaited].is_running) {
            index = chains->segments[awaited].tail;
            awaited = CHAINS_NONE;
        } else {
            chains_step(chains);
        }
    }
}

/* ---------------------------------------------------------------- the end */
/* Unmarks the segments that the walk has not come to, from their starts to where it came upon them:
 * what is not surmised any more is alive. All side by side. Returns the steps. */
static uint64_t chains_unmark(struct chains *chains)
{
    uint64_t steps = 0;
    uint32_t count = 0;
    uint32_t nodes[CHAINS_SEGMENTS];
    uint32_t lasts[CHAINS_SEGMENTS];
    for (uint32_t k = 0; k < chains->segment_count; k++) {
        const struct chains_segment *segment = &chains->segments[k];
        if (!segment->is_alive) {
            chains_set(chains, segment->start, chains->marks[segment->start], FIND_SURMISED);
            nodes[count] = segment->start;
            lasts[count++] = segment->last;
        }
    }
    while (count > 0) {
        for (uint32_t k = 0; k < count; k++) {
            uint32_t node = nodes[k];
            uint8_t mark = chains->marks[node];
            bool is_surmised = (mark & FIND_COUNT) == FIND_SURMISED;
            steps++;
            if (is_surmised) {
                chains_set(chains, node, mark, 0);
            }
            nodes[k] = chains->numbers[node];
            if (!is_surmised || node == lasts[k]) {
                count--;
                nodes[k] = nodes[count];
                lasts[k] = lasts[count];
            }
        }
    }
    return steps;
}

uint32_t find_chains_follow(uint8_t *marks, const uint32_t *numbers, struct gc_range range,
                            uint32_t index, bool *was_useful)
{
    struct chains chains = {.marks = marks, .numbers = numbers, .range = range, .random = index};
    while (chains.lane_count < CHAINS_LANES && chains_begin(&chains, chains.lane_count)) {
        chains.lane_count++;
    }
    index = chains_walk_to_end(&chains, index);
    for (uint32_t lane = 0; lane < chains.lane_count; lane++) {
        chains.segments[chains.lanes[lane]].last = chains.nodes[lane];
    }
    *was_useful = chains_unmark(&chains) <= chains.steps / 2;
    return index;
}
