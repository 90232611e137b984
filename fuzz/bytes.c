#include "fuzz/bytes.h"

#include <ctype.h>
#include <string.h>

/* Replaces `removed` bytes at `at` by length bytes of text; returns the new size. */
static size_t bytes_splice(uint8_t *data, size_t size, size_t capacity, size_t at, size_t removed,
                           const void *text, size_t length)
{
    removed = removed < size - at ? removed : size - at;
    if (size - removed + length > capacity) {
        return size;
    }
    memmove(data + at + length, data + at + removed, size - at - removed);
    memcpy(data + at, text, length);
    return size - removed + length;
}

size_t bytes_generate(uint8_t *data, size_t capacity, const char *sample, const char *const *words,
                      struct rng *rng)
{
    size_t size = strlen(sample);
    size_t word_count = 0;
    while (words[word_count] != NULL) {
        word_count++;
    }
    size = size < capacity ? size : capacity;
    memcpy(data, sample, size);
    for (uint64_t edits = rng_below(rng, 12); edits > 0 && size > 0; edits--) {
        size_t at = (size_t)rng_below(rng, size);
        size_t removed = (size_t)rng_below(rng, (uint64_t)1 << rng_below(rng, 7));
        uint64_t draw = rng_next(rng);
        const char *word = words[rng_below(rng, word_count)];
        switch (rng_below(rng, 4)) {
        case 0:
            data[at] = (uint8_t)draw;
            break;
        case 1:
            size = bytes_splice(data, size, capacity, at, removed, "", 0);
            break;
        case 2:
            size = bytes_splice(data, size, capacity, at, 0, &draw, 1 + (draw >> 61));
            break;
        default:
            size = bytes_splice(data, size, capacity, at, removed, word, strlen(word));
        }
    }
    return size;
}

void bytes_print(const uint8_t *data, size_t size, FILE *out)
{
    for (size_t i = 0; i < size; i++) {
        if (isprint(data[i]) || data[i] == '\n') {
            (void)fputc(data[i], out);
        } else {
            (void)fprintf(out, "\\x%02x", data[i]);
        }
    }
    (void)fputc('\n', out);
}
