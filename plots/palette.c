/* The colours were found by a search (threshold accepting over OKLab, Ottosson 2020) that maximised
 * the smallest distance between any two of them, reserved ones included, as seen with normal vision
 * and by protanopes and deuteranopes (simulated after Machado, Oliveira and Fernandes, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15, 2009,
 * severity 1). The families were kept: greys for the yardsticks, blues for pymalloc (darker is
 * newer), greens for the free lists, warm colours for the peers, and violets, which had been
 * reserved, for pools. plots/tests/palette_test.c measures the distances again. */
#include "plots/palette.h"

#include <stdlib.h>
#include <string.h>

static const struct palette_entry known_entries[] = {
    {"malloc", 0x14110f, 7},       {"null", 0x91958b, 1},          {"bump", 0x70747f, 2},
    {"pymalloc-256", 0x72b3fe, 4}, {"pymalloc-3.7", 0x215aca, 13}, {"pymalloc-3.10", 0x050398, 5},
    {"freelist-2.7", 0x8ed09e, 8}, {"freelist-3.x", 0x255f4d, 9},  {"cpython", 0xe8ca2b, 15},
    {"mimalloc", 0xeb8d2b, 11},    {"jemalloc", 0xa32904, 12},     {"tcmalloc", 0x7b4490, 6},
    {"tbbmalloc", 0xf777c8, 10},   {"pools", 0xa669fc, 3},         {"pools-secure", 0x51014d, 14},
};
enum { KNOWN_COUNT = sizeof known_entries / sizeof known_entries[0] };

/* Colours and markers for other names. Each pair of them is one look. */
static const uint32_t reserved_colors[] = {0x612100, 0x927a00, 0x54e4fc};
static const int reserved_markers[] = {3, 14, 5, 9, 7, 11};
enum {
    RESERVED_COLORS = sizeof reserved_colors / sizeof reserved_colors[0],
    RESERVED_MARKERS = sizeof reserved_markers / sizeof reserved_markers[0],
};
_Static_assert(RESERVED_COLORS *RESERVED_MARKERS == PALETTE_RESERVED_COUNT,
               "the header promises this many looks");

/* The arm preload is the one in which heapmill's back ends meet the peers, so it has the plainest
 * look. */
static const struct palette_arm arms[] = {
    {"inline", "(4,2)", "transparent solid 0.45"},
    {"preload", "solid", "solid 1.0"},
    {"call", "(10,4)", "pattern 4"},
    {"call-sized", "(10,4,2,4)", "pattern 5"},
    {"preload-sized", "(16,3)", "pattern 2"},
};

size_t palette_known_count(void)
{
    return KNOWN_COUNT;
}

const struct palette_entry *palette_known(size_t index)
{
    return &known_entries[index];
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo). It decides the look of a library, which must be equal
 * everywhere, so it must never change. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    }
    return hash;
}

static const struct palette_entry *find_known(const char *backend)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(known_entries[i].backend, backend) == 0) {
            return &known_entries[i];
        }
    }
    return NULL;
}

static struct palette_entry reserved_entry(size_t look)
{
    /* Neighbouring looks differ in colour, which the eye distinguishes first. */
    return (struct palette_entry){
        .color = reserved_colors[look % RESERVED_COLORS],
        .marker = reserved_markers[look / RESERVED_COLORS],
    };
}

/* As find_known, but also gives CPython's look to any version ("cpython-3.13") that is the only one
 * in a figure. */
static const struct palette_entry *find_look(const char *backend, const char *const *backends,
                                             size_t count)
{
    static const char versioned[] = "cpython-3.";
    const struct palette_entry *known = find_known(backend);
    if (known || strncmp(backend, versioned, sizeof versioned - 1) != 0) {
        return known;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(backends[i], backend) != 0 &&
            (strcmp(backends[i], "cpython") == 0 ||
             strncmp(backends[i], versioned, sizeof versioned - 1) == 0)) {
            return NULL;
        }
    }
    return find_known("cpython");
}

/* The smallest unknown name in byte order that is greater than after; NULL: the smallest of all. */
static const char *next_unknown(const char *const *backends, size_t count, const char *after)
{
    const char *next = NULL;
    for (size_t i = 0; i < count; i++) {
        if (find_look(backends[i], backends, count) || (after && strcmp(backends[i], after) <= 0)) {
            continue;
        }
        if (!next || strcmp(backends[i], next) < 0) {
            next = backends[i];
        }
    }
    return next;
}

void palette_assign(const char *const *backends, size_t count, struct palette_entry *entries)
{
    for (size_t i = 0; i < count; i++) {
        const struct palette_entry *entry = find_look(backends[i], backends, count);
        if (entry) {
            entries[i] = *entry;
        }
    }
    bool taken[PALETTE_RESERVED_COUNT] = {false};
    const char *name = NULL;
    while ((name = next_unknown(backends, count, name))) {
        size_t look = hash_name(name) % PALETTE_RESERVED_COUNT;
        for (int tries = 0; taken[look] && tries < PALETTE_RESERVED_COUNT; tries++) {
            look = (look + 1) % PALETTE_RESERVED_COUNT;
        }
        taken[look] = true;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(backends[i], name) == 0) {
                entries[i] = reserved_entry(look);
                entries[i].backend = NULL;
            }
        }
    }
}

/* CPython's collectors are blue, as its allocators are; darker is older. */
const char *palette_collector(const char *collector)
{
    static const char *const looks[][2] = {
        {"generational-700", "pymalloc-3.10"},
        {"generational-700-no25", "pymalloc-3.7"},
        {"generational-2000", "pymalloc-256"},
        {"growth", "freelist-3.x"},
        {"incremental", "mimalloc"},
        {"none", "null"},
        {"snapshot", "jemalloc"},
        {"trial-deletion-orc", "tbbmalloc"},
        {"trial-deletion-php", "freelist-2.7"},
    };
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (strcmp(looks[i][0], collector) == 0) {
            return looks[i][1];
        }
    }
    return NULL;
}

const struct palette_arm *palette_arm(const char *arm)
{
    for (size_t i = 0; i < sizeof arms / sizeof arms[0]; i++) {
        if (strcmp(arms[i].arm, arm) == 0) {
            return &arms[i];
        }
    }
    return &arms[0];
}

/* Colours of Okabe and Ito (2008), which people with any common colour blindness can tell apart. An
 * engine without its mutator is a lighter version of itself. */
static const struct engine_look {
    const char *engine;
    uint32_t color;
    int marker;
} engine_looks[] = {
    {"random", 0x777777, 1},
    {"libfuzzer", 0x0b5394, 7},
    {"libfuzzer-nomutator", 0x56b4e9, 6},
    {"afl", 0xd55e00, 5},
    {"afl-nomutator", 0xe69f00, 4},
    {NULL, 0x000000, 2}, /* for unknown engines */
};

void palette_engines(const char *const *labels, const char *const *engines, size_t count,
                     struct script_row *rows)
{
    static const char *const dashes[] = {"1", "2", "3", "4", "5"};
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < i; j++) {
            same += strcmp(engines[i], engines[j]) == 0;
        }
        const struct engine_look *look = engine_looks;
        while (look->engine != NULL && strcmp(look->engine, engines[i]) != 0) {
            look++;
        }
        rows[i] = (struct script_row){labels[i], dashes[same % (sizeof dashes / sizeof dashes[0])],
                                      look->color, look->marker};
    }
}
