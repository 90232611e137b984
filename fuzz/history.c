#include "fuzz/history.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char history_magic[] = "HMBATCH1";

struct history {
    size_t size;
    uint8_t bytes[FUZZ_HISTORY_BYTES];
};

static struct history history_own = {FUZZ_BATCH_HEADER_BYTES, "HMBATCH1"};
static struct history *history = &history_own;

void fuzz_history_begin(void)
{
    if (history == &history_own) {
        void *shared =
            mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        history = shared != MAP_FAILED ? shared : history;
        memcpy(history->bytes, history_magic, FUZZ_BATCH_HEADER_BYTES);
    }
    history->size = FUZZ_BATCH_HEADER_BYTES;
}

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
    while (history->size + whole > FUZZ_HISTORY_BYTES) {
        size_t at = 0;
        const uint8_t *first;
        size_t first_size;
        (void)fuzz_batch_next(history->bytes, history->size, &at, &first, &first_size);
        memmove(history->bytes + FUZZ_BATCH_HEADER_BYTES, history->bytes + at, history->size - at);
        history->size -= at - FUZZ_BATCH_HEADER_BYTES;
    }
    uint32_t length = (uint32_t)size;
    memcpy(history->bytes + history->size, &length, sizeof(length));
    if (size > 0) {
        memcpy(history->bytes + history->size + sizeof(length), data, size);
    }
    history->size += whole;
}

void fuzz_history_get(const uint8_t **data, size_t *size)
{
    size_t at = 0;
    *size = history->size;
    *data = history->bytes;
    if (fuzz_batch_next(history->bytes, history->size, &at, data, size) && at == history->size) {
        return; /* one input */
    }
    *size = history->size;
    *data = history->bytes;
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
