#include "fuzz/history.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char history_magic[] = "HMBATCH1";

static uint8_t history_bytes[FUZZ_HISTORY_BYTES] = "HMBATCH1";
static size_t history_size = FUZZ_BATCH_HEADER_BYTES;

bool fuzz_is_batch(const uint8_t *data, size_t size)
{
    return size >= FUZZ_BATCH_HEADER_BYTES &&
           memcmp(data, history_magic, FUZZ_BATCH_HEADER_BYTES) == 0;
}

bool fuzz_batch_next(const uint8_t *data, size_t size, size_t *at, const uint8_t **input,
                     size_t *input_size)
{
    if (!fuzz_is_batch(data, size)) {
        *input = data;
        *input_size = size;
        return (*at)++ == 0;
    }
    *at = *at == 0 ? FUZZ_BATCH_HEADER_BYTES : *at;
    if (size - *at < FUZZ_BATCH_SIZE_BYTES) {
        return false;
    }
    uint32_t length;
    memcpy(&length, data + *at, sizeof(length));
    size_t left = size - *at - FUZZ_BATCH_SIZE_BYTES;
    *input = data + *at + FUZZ_BATCH_SIZE_BYTES;
    *input_size = length < left ? length : left;
    *at += FUZZ_BATCH_SIZE_BYTES + *input_size;
    return true;
}

void fuzz_history_add(const uint8_t *data, size_t size)
{
    size_t whole = FUZZ_BATCH_SIZE_BYTES + size;
    if (whole > FUZZ_HISTORY_BYTES - FUZZ_BATCH_HEADER_BYTES) {
        return;
    }
    while (history_size + whole > FUZZ_HISTORY_BYTES) {
        size_t at = 0;
        const uint8_t *first;
        size_t first_size;
        (void)fuzz_batch_next(history_bytes, history_size, &at, &first, &first_size);
        memmove(history_bytes + FUZZ_BATCH_HEADER_BYTES, history_bytes + at, history_size - at);
        history_size -= at - FUZZ_BATCH_HEADER_BYTES;
    }
    uint32_t length = (uint32_t)size;
    memcpy(history_bytes + history_size, &length, sizeof(length));
    if (size > 0) {
        memcpy(history_bytes + history_size + sizeof(length), data, size);
    }
    history_size += whole;
}

void fuzz_history_get(const uint8_t **data, size_t *size)
{
    size_t at = 0;
    *size = history_size;
    *data = history_bytes;
    if (fuzz_batch_next(history_bytes, history_size, &at, data, size) && at == history_size) {
        return; /* one input */
    }
    *size = history_size;
    *data = history_bytes;
}

bool fuzz_history_write(const char *path)
{
    const uint8_t *data;
    size_t size;
    fuzz_history_get(&data, &size);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool good = file >= 0 && write(file, data, size) == (ssize_t)size;
    return file >= 0 && close(file) == 0 && good;
}
