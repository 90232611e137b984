#include "plots/heap_film.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/text.h"

bool film_next_run(const char **runs, size_t *length, int *state)
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

/* One element more; arrays double at powers of two. */
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

/* Reads numbers with a tab or the end of the text behind each; *fields is then behind the last tab.
 */
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

/* fields: a line's text behind its first word. False: not a tile, or one in no arena. */
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
            return true; /* one large block: the frame has their sum */
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

enum status film_read(struct film *film, const char *path, struct error *error)
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

void film_release(struct film *film)
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
