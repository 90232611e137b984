/* The inputs that this process has played, for targets whose subject keeps its state from one input
 * to the next: what the last one did may need all of them.
 *
 * A batch is several inputs in one file: the eight bytes "HMBATCH1", then for each input its size
 * in four bytes, little-endian, and its bytes. Whatever plays an input plays a batch too. One
 * thread; no allocation: what is written is written from signal handlers. */
#ifndef HEAPMILL_FUZZ_HISTORY_H
#define HEAPMILL_FUZZ_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_HISTORY_BYTES = 1 << 20, FUZZ_BATCH_HEADER_BYTES = 8, FUZZ_BATCH_SIZE_BYTES = 4 };

/* The next input of a batch, or all of data when that is none. *at is 0 at first. False: the
 * end. */
bool fuzz_batch_next(const uint8_t *data, size_t size, size_t *at, const uint8_t **input,
                     size_t *input_size);
bool fuzz_is_batch(const uint8_t *data, size_t size);

/* Takes note of an input that is about to be played. The oldest are forgotten when there is no room
 * for all. */
void fuzz_history_add(const uint8_t *data, size_t size);

/* Forgets all, and shares what is to come with the children that are forked from now on. */
void fuzz_history_begin(void);

/* What was played so far, as one input or as a batch. Both borrowed. */
void fuzz_history_get(const uint8_t **data, size_t *size);

/* Writes it to the file, which must not be there. False: it could not, or is there. */
bool fuzz_history_write(const char *path);

#endif
