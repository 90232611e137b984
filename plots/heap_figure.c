#include "plots/heap_figure.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"
#include "common/status.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

enum { FILM_LIVE, FILM_CACHED, FILM_FREE, FILM_FRESH, FILM_STATES };

/* Tiles of memory outside the arenas are put into groups of this many. The groups' ordinals begin
 * at FILM_OUTSIDE. */
enum { FILM_OUTSIDE_TILES = 64 };
#define FILM_OUTSIDE (SIZE_MAX / 2)

/* A pool, or a block that a free list carved into objects. */
struct film_tile {
    uint64_t offset; /* within its arena */
    size_t bytes;
    size_t block_bytes; /* 0: it serves no size class yet */
    const char *runs;   /* owned by the film */
    size_t blocks[FILM_STATES];
};

struct film_arena {
    size_t ordinal; /* in order of mapping; FILM_OUTSIDE and above: a group */
    size_t bytes;
    struct film_tile *tiles;
    size_t tile_count;
};

struct film_frame {
    uint64_t operations;
    const char *phase; /* owned by the film; "-" before the first phase */
    uint64_t blocks_live, usable_bytes, held_bytes, large_blocks, large_bytes, cached_blocks;
    struct film_arena *arenas;
    size_t arena_count;
};

struct film {
    char *text;
    struct film_frame *frames;
    size_t frame_count;
};

/* Steps through runs such as "262L1F": the length and the state of the next run; false at the
 * end. */
static bool film_next_run(const char **runs, size_t *length, int *state)
{
    static const char letters[] = "LCFN"; /* in the order of the states */
    char *end;
    if (**runs < '0' || **runs > '9') {
        return false;
    }
    *length = strtoull(*runs, &end, 10);
    const char *letter = *end ? strchr(letters, *end) : NULL;
    if (!letter) {
        return false;
    }
    *state = (int)(letter - letters);
    *runs = end + 1;
    return true;
}

static enum status film_load(struct film *film, const char *path, struct error *error)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    if (size >= 0) {
        film->text = text_zeroed((size_t)size + 1, 1);
        size = fread(film->text, 1, (size_t)size, file) == (size_t)size ? size : -1;
    }
    enum status status =
        size >= 0 ? STATUS_OK
                  : error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    if (file) {
        fclose(file);
    }
    return status;
}

/* Makes room for one more element; arrays double at powers of two. */
static void *film_grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return array;
    }
    size_t room = count == 0 ? 1 : 2 * count;
    void *larger = text_zeroed(room, size);
    if (array != NULL && count > 0) {
        memcpy(larger, array, count * size);
    }
    free(array);
    return larger;
}

static struct film_arena *film_add_arena(struct film_frame *frame, size_t ordinal, size_t bytes)
{
    frame->arenas = film_grow(frame->arenas, frame->arena_count, sizeof *frame->arenas);
    struct film_arena *arena = &frame->arenas[frame->arena_count++];
    *arena = (struct film_arena){.ordinal = ordinal, .bytes = bytes};
    return arena;
}

static struct film_arena *film_last_arena(struct film_frame *frame)
{
    return frame->arena_count ? &frame->arenas[frame->arena_count - 1] : NULL;
}

/* Reads numbers, each with a tab or the end of the text after it. *fields then points after the
 * last tab. */
static bool film_read_numbers(const char **fields, uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        numbers[i] = strtoull(*fields, &end, 10);
        if (end == *fields || (*end != '\t' && *end != '\0')) {
            return false;
        }
        *fields = *end == '\t' ? end + 1 : end;
    }
    return true;
}

/* Adds a tile. fields: the line's text after its first word. false: it is no tile, or is in no
 * arena. */
static bool film_add_tile(struct film_frame *frame, const char *fields, bool outside)
{
    uint64_t numbers[3]; /* offset, bytes, bytes of a block */
    size_t length;
    int state;
    if (!film_read_numbers(&fields, numbers, 3)) {
        return false;
    }
    struct film_tile tile = {
        .offset = numbers[0], .bytes = numbers[1], .block_bytes = numbers[2], .runs = fields};
    struct film_arena *arena = film_last_arena(frame);
    if (outside) {
        if (tile.block_bytes == 0) {
            return true; /* one large block: the frame has the sum of these */
        }
        bool group = arena && arena->ordinal >= FILM_OUTSIDE;
        if (!group || arena->tile_count == FILM_OUTSIDE_TILES) {
            arena = film_add_arena(frame, group ? arena->ordinal + 1 : FILM_OUTSIDE, 0);
        }
        arena->bytes += tile.bytes;
    }
    if (!arena) {
        return false;
    }
    for (const char *at = tile.runs; film_next_run(&at, &length, &state);) {
        tile.blocks[state] += length;
    }
    arena->tiles = film_grow(arena->tiles, arena->tile_count, sizeof *arena->tiles);
    arena->tiles[arena->tile_count++] = tile;
    return true;
}

static bool film_begin_frame(struct film *film, char *fields)
{
    struct film_frame frame = {0};
    char *end;
    frame.operations = strtoull(fields, &end, 10);
    if (*end != '\t') {
        return false;
    }
    frame.phase = end + 1;
    char *rest = strchr(end + 1, '\t');
    if (!rest) {
        return false;
    }
    *rest++ = '\0';
    film->frames = film_grow(film->frames, film->frame_count, sizeof *film->frames);
    film->frames[film->frame_count++] = frame;
    struct film_frame *added = &film->frames[film->frame_count - 1];
    const char *counts = rest;
    uint64_t numbers[6];
    if (!film_read_numbers(&counts, numbers, 6)) {
        return false;
    }
    added->blocks_live = numbers[0];
    added->usable_bytes = numbers[1];
    added->held_bytes = numbers[2];
    added->large_blocks = numbers[3];
    added->large_bytes = numbers[4];
    added->cached_blocks = numbers[5];
    return true;
}

static bool film_take_line(struct film *film, char *line)
{
    if (strncmp(line, "map\t", 4) == 0) {
        return film_begin_frame(film, line + 4);
    }
    if (film->frame_count == 0) {
        return false;
    }
    struct film_frame *frame = &film->frames[film->frame_count - 1];
    if (strncmp(line, "arena\t", 6) == 0) {
        const char *fields = line + 6;
        uint64_t numbers[2]; /* ordinal, bytes */
        return film_read_numbers(&fields, numbers, 2) &&
               film_add_arena(frame, numbers[0], numbers[1]) != NULL;
    }
    if (strncmp(line, "pool\t", 5) == 0) {
        return film_add_tile(frame, line + 5, false);
    }
    if (strncmp(line, "large\t", 6) == 0) {
        return film_add_tile(frame, line + 6, true);
    }
    return strcmp(line, "end") == 0;
}

static int film_compare_arenas(const void *left, const void *right)
{
    const struct film_arena *a = left;
    const struct film_arena *b = right;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static enum status film_read(struct film *film, const char *path, struct error *error)
{
    *film = (struct film){.text = NULL};
    enum status status = film_load(film, path, error);
    const char *last = "";
    char *rest = NULL;
    size_t number = 1;
    char *line = status == STATUS_OK ? strtok_r(film->text, "\n", &rest) : NULL;
    for (; line && status == STATUS_OK; line = strtok_r(NULL, "\n", &rest), number++) {
        last = line;
        if (!film_take_line(film, line)) {
            status = error_set(error, STATUS_CORRUPT, "%s, line %zu: not a line of a heap map",
                               path, number);
        }
    }
    if (status == STATUS_OK && film->frame_count > 0 && strcmp(last, "end") != 0) {
        status = error_set(error, STATUS_CORRUPT, "%s: the last map is cut short", path);
    }
    if (status == STATUS_OK && film->frame_count == 0) {
        status = error_set(error, STATUS_NOT_FOUND, "no map was taken");
    }
    for (size_t i = 0; i < film->frame_count; i++) {
        if (film->frames[i].arena_count > 0) {
            qsort(film->frames[i].arenas, film->frames[i].arena_count,
                  sizeof *film->frames[i].arenas, film_compare_arenas);
        }
    }
    return status;
}

/* Called for every film, also after an error. */
static void film_release(struct film *film)
{
    for (size_t i = 0; i < film->frame_count; i++) {
        for (size_t a = 0; a < film->frames[i].arena_count; a++) {
            free(film->frames[i].arenas[a].tiles);
        }
        free(film->frames[i].arenas);
    }
    free(film->frames);
    free(film->text);
    *film = (struct film){.text = NULL};
}

/* In pixels. */
enum {
    FILM_WIDTH = 1240,
    FILM_HEIGHT = 1500, /* the most that a film strip should have */
    FRAME_GAP = 28,
    FRAME_FOOT = 50, /* caption */
    FRAME_MARGIN = 6,
    ARENA_HEAD = 16,
    ARENA_GAP = 8,
    KEY_HEIGHT = 48,
    TILE_GAP = 3,
    TILE_HEAD = 10, /* the pool's header with its size class */
    TILE_HEAD_SMALL = 4,
    TILE_LABEL_WIDTH = 17,
    ARENAS_MAX = 48,
};
/* If a block's area is smaller than this, it cannot be seen, and the tile shows the share of each
 * state instead. */
static const double BLOCK_AREA_MIN = 2.2;
/* Neighbours overlap by this much, so that the background does not shine through between pixels. */
static const double BLOCK_OVERLAP = 0.3;
/* Blocks of at least this size are drawn one by one, with a line between them. */
static const double BLOCK_APART_MIN = 4;

/* Styles of rectangles. The table has these numbers, and map.gp has their colours. The first ones
 * are FILM_LIVE to FILM_FRESH. */
enum {
    RECT_HEAD = FILM_STATES,
    RECT_HEAD_EMPTY,
    RECT_UNUSED,
    RECT_ARENA,
    RECT_GONE,
};

enum { TEXT_HEAD, TEXT_HEAD_EMPTY, TEXT_ARENA, TEXT_CAPTION, TEXT_NOTE };

struct layout {
    const struct film *film;
    FILE *table;
    int across;  /* frames side by side */
    int columns; /* tiles side by side in an arena */
    int slots;   /* arenas in a frame */
    bool shared; /* slot i shows the same arena in every frame */
    double tile; /* width and height of a tile's blocks */
    int head;    /* height of a tile's head */
    size_t tiles_max;
    size_t ordinals[ARENAS_MAX]; /* of the slots, if shared */
    double frame_width;
    double arena_height;
    double frame_height;
};

/* ---------------------------------------------------------------- layout */
/* Adds the frame's arenas to the slots' ordinals. false: there are more than ARENAS_MAX. */
static bool layout_add_ordinals(struct layout *layout, const struct film_frame *frame, int *count)
{
    for (size_t a = 0; a < frame->arena_count; a++) {
        size_t ordinal = frame->arenas[a].ordinal;
        int at = 0;
        while (at < *count && layout->ordinals[at] < ordinal) {
            at++;
        }
        if (at < *count && layout->ordinals[at] == ordinal) {
            continue;
        }
        if (*count == ARENAS_MAX) {
            return false;
        }
        memmove(&layout->ordinals[at + 1], &layout->ordinals[at],
                (size_t)(*count - at) * sizeof layout->ordinals[0]);
        layout->ordinals[at] = ordinal;
        (*count)++;
    }
    return true;
}

static void layout_size(struct layout *layout, int columns, int slots)
{
    double inside = layout->frame_width - 2 * FRAME_MARGIN;
    int rows = ((int)layout->tiles_max + columns - 1) / columns;
    layout->columns = columns;
    layout->slots = slots;
    layout->tile = floor(inside / columns) - TILE_GAP;
    layout->head = layout->tile >= TILE_LABEL_WIDTH ? TILE_HEAD : TILE_HEAD_SMALL;
    layout->arena_height = ARENA_HEAD + rows * (layout->tile + layout->head + TILE_GAP);
    layout->frame_height =
        2 * FRAME_MARGIN + slots * (layout->arena_height + ARENA_GAP) + FRAME_FOOT;
}

/* Chooses the largest tiles with which all arenas fit; otherwise the smallest tiles, and as many
 * arenas as fit. */
static void layout_make(struct layout *layout)
{
    const struct film *film = layout->film;
    int count = 0;
    size_t most = 1;
    layout->shared = true;
    layout->tiles_max = 1;
    for (size_t i = 0; i < film->frame_count; i++) {
        const struct film_frame *frame = &film->frames[i];
        layout->shared = layout->shared && layout_add_ordinals(layout, frame, &count);
        most = frame->arena_count > most ? frame->arena_count : most;
        for (size_t a = 0; a < frame->arena_count; a++) {
            size_t tiles = frame->arenas[a].tile_count;
            layout->tiles_max = tiles > layout->tiles_max ? tiles : layout->tiles_max;
        }
    }
    layout->across = film->frame_count == 1 ? 1 : film->frame_count <= 6 ? 2 : 3;
    layout->frame_width = (FILM_WIDTH - (layout->across - 1) * FRAME_GAP) / (double)layout->across;
    int down = ((int)film->frame_count + layout->across - 1) / layout->across;
    double room = (double)FILM_HEIGHT / down - FRAME_FOOT - 2 * FRAME_MARGIN;
    static const int columns[] = {16, 32, 64};
    int slots = layout->shared && count > 0 ? count : (int)(most < 1000 ? most : 1000);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        layout_size(layout, columns[i], slots);
        if (slots * (layout->arena_height + ARENA_GAP) <= room) {
            return;
        }
    }
    int fit = (int)(room / (layout->arena_height + ARENA_GAP));
    layout->shared = layout->shared && count <= fit;
    layout_size(layout, layout->columns, fit < 1 ? 1 : fit);
}

/* ---------------------------------------------------------------- rectangles */
struct place {
    size_t frame;
    size_t ordinal;
    const struct film_tile *tile; /* NULL: the whole arena */
    size_t pool;                  /* its number */
};

static void write_rect(const struct layout *layout, int kind, double x, double y, double w,
                       double h, const struct place *place, size_t first, size_t blocks)
{
    fprintf(layout->table, "%d\t%.2f\t%.2f\t%.2f\t%.2f\t%zu\t%" PRIu64 "\t", kind, x, y, w, h,
            place->frame + 1, layout->film->frames[place->frame].operations);
    if (place->ordinal >= FILM_OUTSIDE) {
        fputs("outside\t", layout->table);
    } else {
        fprintf(layout->table, "%zu\t", place->ordinal);
    }
    fprintf(layout->table, "%zu\t%zu\t%zu\t%zu\n", place->pool,
            place->tile ? place->tile->block_bytes : 0, first, blocks);
}

/* Draws the share of each state in the tile, live blocks first. */
static void write_sums(const struct layout *layout, const struct place *place, double x, double y,
                       size_t total)
{
    size_t first = 0;
    for (int state = 0; state < FILM_STATES; state++) {
        size_t blocks = place->tile->blocks[state];
        double height = layout->tile * (double)blocks / (double)total;
        if (blocks > 0) {
            write_rect(layout, state, x, y, layout->tile, height, place, first, blocks);
        }
        y += height;
        first += blocks;
    }
}

/* Draws blocks in rows from the top left, in the order of their addresses. A run is one rectangle
 * per row; large blocks are drawn one by one. */
static void write_blocks(const struct layout *layout, const struct place *place, double x, double y,
                         size_t total)
{
    size_t across = (size_t)ceil(sqrt((double)total));
    size_t down = (total + across - 1) / across;
    double w = layout->tile / (double)across;
    double h = layout->tile / (double)down;
    bool apart = fmin(w, h) >= BLOCK_APART_MIN;
    double line = apart ? 0.8 : -BLOCK_OVERLAP;
    const char *runs = place->tile->runs;
    size_t at = 0, length;
    int state;
    while (film_next_run(&runs, &length, &state)) {
        for (size_t end = at + length; at < end;) {
            size_t column = at % across;
            size_t row_end = at - column + across;
            size_t stop = apart ? at + 1 : end < row_end ? end : row_end;
            /* Several whole rows are one rectangle. */
            size_t rows = !apart && column == 0 && end >= row_end ? (end - at) / across : 1;
            stop = rows > 1 ? at + rows * across : stop;
            double wide = rows > 1 ? layout->tile : w * (double)(stop - at);
            size_t row = at / across;
            write_rect(layout, state, x + w * (double)column, y + h * (double)row, wide - line,
                       h * (double)rows - line, place, at, stop - at);
            at = stop;
        }
    }
}

static size_t count_blocks(const struct film_tile *tile)
{
    size_t total = 0;
    for (int state = 0; state < FILM_STATES; state++) {
        total += tile->blocks[state];
    }
    return total;
}

/* Are there too many blocks to draw them one by one in a tile? */
static bool is_summed(const struct layout *layout, size_t total)
{
    return total > 0 && layout->tile * layout->tile / (double)total < BLOCK_AREA_MIN;
}

static void write_tile(const struct layout *layout, const struct place *place, double x, double y)
{
    const struct film_tile *tile = place->tile;
    double height = layout->tile + layout->head;
    size_t total = count_blocks(tile);
    if (tile->block_bytes == 0 || total == 0) {
        write_rect(layout, RECT_UNUSED, x, y, layout->tile, height, place, 0, 0);
        return;
    }
    bool empty = tile->blocks[FILM_LIVE] + tile->blocks[FILM_CACHED] == 0;
    write_rect(layout, empty ? RECT_HEAD_EMPTY : RECT_HEAD, x, y, layout->tile, layout->head, place,
               0, 0);
    if (is_summed(layout, total)) {
        write_sums(layout, place, x, y + layout->head, total);
    } else {
        write_blocks(layout, place, x, y + layout->head, total);
    }
}

/* ---------------------------------------------------------------- arenas and frames */
static const struct film_arena *slot_arena(const struct layout *layout,
                                           const struct film_frame *frame, int slot)
{
    for (size_t a = 0; a < frame->arena_count && layout->shared; a++) {
        if (frame->arenas[a].ordinal == layout->ordinals[slot]) {
            return &frame->arenas[a];
        }
    }
    bool own = !layout->shared && (size_t)slot < frame->arena_count;
    return own ? &frame->arenas[slot] : NULL;
}

/* Did an earlier frame have this arena? */
static bool slot_was_there(const struct layout *layout, size_t frame, int slot)
{
    for (size_t i = 0; i < frame && layout->shared; i++) {
        if (slot_arena(layout, &layout->film->frames[i], slot)) {
            return true;
        }
    }
    return false;
}

static void slot_origin(const struct layout *layout, size_t frame, int slot, double *x, double *y)
{
    size_t across = (size_t)layout->across;
    size_t row = frame / across;
    *x = (double)(frame % across) * (layout->frame_width + FRAME_GAP) + FRAME_MARGIN;
    *y = KEY_HEIGHT + (double)row * (layout->frame_height + FRAME_MARGIN) + FRAME_MARGIN +
         slot * (layout->arena_height + ARENA_GAP);
}

static void write_arena(const struct layout *layout, const struct film_arena *arena, size_t frame,
                        double x, double y)
{
    double step_x = layout->tile + TILE_GAP;
    double step_y = layout->tile + layout->head + TILE_GAP;
    for (size_t i = 0; i < arena->tile_count; i++) {
        struct place place = {frame, arena->ordinal, &arena->tiles[i], i};
        size_t columns = (size_t)layout->columns;
        size_t row = i / columns;
        write_tile(layout, &place, x + (double)(i % columns) * step_x,
                   y + ARENA_HEAD + (double)row * step_y);
    }
}

static void write_rects(const struct layout *layout)
{
    double x, y;
    for (size_t frame = 0; frame < layout->film->frame_count; frame++) {
        slot_origin(layout, frame, 0, &x, &y);
        struct place whole = {frame, 0, NULL, 0};
        write_rect(layout, RECT_ARENA, x - FRAME_MARGIN, y - FRAME_MARGIN, layout->frame_width,
                   layout->frame_height - FRAME_FOOT, &whole, 0, 0);
        for (int slot = 0; slot < layout->slots; slot++) {
            const struct film_arena *arena = slot_arena(layout, &layout->film->frames[frame], slot);
            slot_origin(layout, frame, slot, &x, &y);
            if (arena) {
                write_arena(layout, arena, frame, x, y);
            } else if (slot_was_there(layout, frame, slot)) {
                struct place place = {frame, layout->ordinals[slot], NULL, 0};
                write_rect(layout, RECT_GONE, x, y + ARENA_HEAD,
                           layout->frame_width - 2 * FRAME_MARGIN - TILE_GAP,
                           layout->arena_height - ARENA_HEAD - TILE_GAP, &place, 0, 0);
            }
        }
    }
    fputs("\n\n", layout->table);
}

/* ---------------------------------------------------------------- texts */
static void write_text(const struct layout *layout, int style, double x, double y, char *text)
{
    fprintf(layout->table, "%d\t%.2f\t%.2f\t", style, x, y);
    tsv_text(layout->table, text);
    fputc('\n', layout->table);
    free(text);
}

static char *arena_text(const struct film_arena *arena)
{
    size_t used = 0, live = 0, blocks = 0;
    char size[32];
    text_of_bytes(size, sizeof size, (double)arena->bytes, 3);
    for (size_t i = 0; i < arena->tile_count; i++) {
        const struct film_tile *tile = &arena->tiles[i];
        used += tile->blocks[FILM_LIVE] + tile->blocks[FILM_CACHED] > 0;
        live += tile->blocks[FILM_LIVE];
        blocks += count_blocks(tile);
    }
    double percent = blocks ? 100.0 * (double)live / (double)blocks : 0;
    if (arena->ordinal >= FILM_OUTSIDE) {
        return text_format("outside the arenas: %zu blocks of %zu bytes from malloc, cut into "
                           "objects of %zu; %.0f%% live",
                           arena->tile_count, arena->tiles[0].bytes, arena->tiles[0].block_bytes,
                           percent);
    }
    return text_format("arena %zu: %s, %zu of %zu pools in use", arena->ordinal, size, used,
                       arena->tile_count);
}

static void write_tile_labels(const struct layout *layout, const struct film_arena *arena, double x,
                              double y)
{
    for (size_t i = 0; i < arena->tile_count; i++) {
        const struct film_tile *tile = &arena->tiles[i];
        bool empty = tile->blocks[FILM_LIVE] + tile->blocks[FILM_CACHED] == 0;
        if (tile->block_bytes == 0) {
            continue;
        }
        size_t columns = (size_t)layout->columns;
        double left = x + (double)(i % columns) * (layout->tile + TILE_GAP);
        size_t row = i / columns;
        double top = y + (double)row * (layout->tile + layout->head + TILE_GAP);
        write_text(layout, empty ? TEXT_HEAD_EMPTY : TEXT_HEAD, left + layout->tile / 2,
                   top + layout->head / 2.0, text_format("%zu", tile->block_bytes));
    }
}

/* 1234567 as "1,234,567". */
static char *grouped(uint64_t number)
{
    char *text = text_format("%" PRIu64, number % 1000);
    for (number /= 1000; number > 0; number /= 1000) {
        int digits = (int)strspn(text, "0123456789");
        char *longer =
            text_format("%" PRIu64 ",%.*s%s%s", number % 1000, 3 - digits, "000", text, "");
        free(text);
        text = longer;
    }
    return text;
}

static void write_caption(const struct layout *layout, size_t index)
{
    const struct film_frame *frame = &layout->film->frames[index];
    double x, y;
    char live[32], held[32], large[32];
    slot_origin(layout, index, 0, &x, &y);
    y += layout->frame_height - FRAME_FOOT - FRAME_MARGIN;
    char *operations = grouped(frame->operations);
    char *blocks = grouped(frame->blocks_live);
    bool phase = strcmp(frame->phase, "-") != 0;
    write_text(layout, TEXT_CAPTION, x - FRAME_MARGIN, y + 12,
               text_format("after %s operations%s%s%s", operations, phase ? ", in the phase “" : "",
                           phase ? frame->phase : "", phase ? "”" : ""));
    text_of_bytes(live, sizeof live, (double)frame->usable_bytes, 3);
    text_of_bytes(held, sizeof held, (double)frame->held_bytes, 3);
    text_of_bytes(large, sizeof large, (double)frame->large_bytes, 3);
    size_t hidden = frame->arena_count > (size_t)layout->slots && !layout->shared
                        ? frame->arena_count - (size_t)layout->slots
                        : 0;
    char *more =
        hidden ? text_format("; %zu more arenas are not drawn", hidden) : text_format("%s", "");
    char *big = frame->large_blocks
                    ? text_format("; %" PRIu64 " from malloc: %s", frame->large_blocks, large)
                    : text_format("%s", "");
    write_text(layout, TEXT_NOTE, x - FRAME_MARGIN, y + 29,
               text_format("%s blocks live, %s; %s held%s%s", blocks, live, held, big, more));
    free(operations);
    free(blocks);
    free(more);
    free(big);
}

static void write_texts(const struct layout *layout)
{
    double x, y;
    for (size_t frame = 0; frame < layout->film->frame_count; frame++) {
        for (int slot = 0; slot < layout->slots; slot++) {
            const struct film_arena *arena = slot_arena(layout, &layout->film->frames[frame], slot);
            slot_origin(layout, frame, slot, &x, &y);
            if (arena) {
                write_text(layout, TEXT_ARENA, x, y + ARENA_HEAD / 2.0, arena_text(arena));
            } else if (slot_was_there(layout, frame, slot)) {
                write_text(
                    layout, TEXT_ARENA, x, y + ARENA_HEAD / 2.0,
                    text_format("arena %zu: given back to the system", layout->ordinals[slot]));
            }
            if (arena && layout->head == TILE_HEAD) {
                write_tile_labels(layout, arena, x, y + ARENA_HEAD);
            }
        }
        write_caption(layout, frame);
    }
}

static const char film_columns[] =
    "# block 0, rectangles: kind (0 live, 1 cached, 2 free, 3 never handed out, 4 and 5 head of a "
    "pool with and\n"
    "#   without live blocks, 6 unused pool, 7 frame, 8 arena given back), x, y, width, height "
    "(pixels), frame,\n"
    "#   operations, arena, pool, bytes of a block, first block, blocks\n"
    "# block 1, texts: style, x, y, text\n";

static const char film_foot[] =
    "A pool serves blocks of one size, which stands in its head; blocks are in the order of their "
    "addresses, row by row. Held is what the back end has from the system. ";

static bool any_summed(const struct layout *layout)
{
    for (size_t i = 0; i < layout->film->frame_count; i++) {
        const struct film_frame *frame = &layout->film->frames[i];
        for (size_t a = 0; a < frame->arena_count; a++) {
            for (size_t t = 0; t < frame->arenas[a].tile_count; t++) {
                if (is_summed(layout, count_blocks(&frame->arenas[a].tiles[t]))) {
                    return true;
                }
            }
        }
    }
    return false;
}

enum status heap_figure_draw(const struct image_options *options, const char *path,
                             const char *name, const char *title, size_t *frames,
                             struct error *error)
{
    struct film film;
    struct image image;
    enum status status = film_read(&film, path, error);
    if (status != STATUS_OK) {
        film_release(&film);
        return status;
    }
    struct layout layout = {.film = &film};
    layout_make(&layout);
    int down = ((int)film.frame_count + layout.across - 1) / layout.across;
    char *foot = text_format(
        "%s%s", film_foot,
        any_summed(&layout)
            ? "Where a tile is too small for its blocks it shows how many are in each state."
            : "");
    const struct image_frame frame = {
        .name = name,
        .title = title,
        .head = "Arenas from the system, cut into pools, cut into blocks of one size.",
        .foot = foot,
        .columns = film_columns,
        .inner_width = FILM_WIDTH,
        .inner_height = (int)(KEY_HEIGHT + down * (layout.frame_height + FRAME_MARGIN)),
    };
    status = image_begin(&image, figure_find("map"), options, &frame, error);
    if (status == STATUS_OK) {
        layout.table = image.table;
        write_rects(&layout);
        write_texts(&layout);
        *frames = film.frame_count;
        status = image_finish(&image, error);
    }
    free(foot);
    film_release(&film);
    return status;
}
