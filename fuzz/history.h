/* The inputs that this process has played. If a target's subject keeps state between inputs, the
 * failure of the last input may depend on all of them.
 *
 * A batch is several inputs in one file: the eight bytes "HMBATCH1", then for each input its size
 * in four bytes, little-endian, and its bytes. Every player of an input also plays a batch. One
 * thread. It does not allocate, because it writes from signal handlers. */
#ifndef HEAPMILL_FUZZ_HISTORY_H
#define HEAPMILL_FUZZ_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUZZ_HISTORY_BYTES = 1 << 20, FUZZ_BATCH_HEADER_BYTES = 8, FUZZ_BATCH_SIZE_BYTES = 4 };

/* Gets the next input of a batch; of data that is no batch, all of it. *at begins at 0. false:
 * there are no more. */
bool fuzz_batch_next(const uint8_t *data, size_t size, size_t *at, const uint8_t **input,
                     size_t *input_size);
bool fuzz_is_batch(const uint8_t *data, size_t size);

/* Adds an input that is about to be played. If there is no room for all, the oldest are dropped. */
void fuzz_history_add(const uint8_t *data, size_t size);

/* Drops all inputs. Children that are forked later share the new ones. */
void fuzz_history_begin(void);

/* The inputs so far, as one input or as a batch. Both pointers are borrowed. */
void fuzz_history_get(const uint8_t **data, size_t *size);

/* Writes them to a new file. false: that failed, or the file exists. */
bool fuzz_history_write(const char *path);

#endif
