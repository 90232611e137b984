/* numbers: text_to_u64, over any text. Oracle: what it takes, printf writes again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/host/text.h"
#include "fuzz/bytes.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/oracle.h"

static void numbers_run(const uint8_t *data, size_t size)
{
    char text[64];
    char again[64];
    uint64_t value = 0;
    fuzz_begin();
    fuzz_count_operation();
    size_t length = size < sizeof(text) ? size : sizeof(text) - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    bool plain = strspn(text, "0123456789") == strlen(text) && text[0] != '0' && text[0] != '\0';
    if (text_to_u64(text, &value) && plain) {
        (void)snprintf(again, sizeof(again), "%" PRIu64, value);
        FUZZ_EXPECT(strcmp(text, again) == 0, "number", "'%s' was read as %s", text, again);
    }
}

static size_t numbers_generate(uint8_t *data, size_t capacity, size_t operations, struct rng *rng)
{
    static const char *const words[] = {"0", "9", "18446744073709551615", "1e3", "k", NULL};
    (void)operations;
    return bytes_generate(data, capacity, "12345", words, rng);
}

const struct fuzz_target fuzz_target_numbers = {
    .name = "numbers",
    .summary = "the reader of whole numbers",
    .format = "bytes",
    .run = numbers_run,
    .print = bytes_print,
    .generate = numbers_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    numbers_run(data, size);
    return 0;
}
