#include "workloads/waste.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "allocators/backend.h"
#include "common/json_writer.h"

/* Enough for a thousand numbers of at most seven digits and their frame. */
enum { WASTE_TEXT_BYTES = 16 << 10 };

static enum status waste_send(int fd, const char *text, size_t length, struct error *error)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno != EINTR) {
            return error_set(error, STATUS_IO, "cannot write: %s", strerror(errno));
        }
        text += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return STATUS_OK;
}

static enum status waste_measure(struct heap *heap, struct json_writer *writer, struct error *error)
{
    json_open_array(writer, "usable_bytes");
    for (size_t size = 1; size <= WASTE_SIZE_MAX; size++) {
        void *block = heap_alloc(heap, size, HEAP_RAW);
        if (block == NULL) {
            return error_set(error, STATUS_NO_MEMORY, "heap exhausted");
        }
        json_add_u64(writer, NULL, heap_usable_size(heap, block, size));
        heap_free(heap, block, size, HEAP_RAW);
    }
    json_close_array(writer);
    return STATUS_OK;
}

enum status waste_write(int fd, struct error *error)
{
    static struct heap heap;
    static char text[WASTE_TEXT_BYTES];
    const struct heap_options options = {.window_bytes = 0};
    struct json_writer writer;
    if ((HEAP_CAPABILITIES & HEAP_CAN_USABLE_SIZE) == 0) {
        return error_set(error, STATUS_UNSUPPORTED, "%s does not say what a block can hold",
                         HEAPMILL_BACKEND_NAME);
    }
    enum status status = heap_open(&heap, &options, error);
    if (status != STATUS_OK) {
        return status;
    }
    heap_begin_run(&heap);
    json_writer_begin(&writer, text, sizeof(text));
    json_open_object(&writer, NULL);
    json_add_string(&writer, "backend", HEAPMILL_BACKEND_NAME);
    json_add_string(&writer, "arm", HEAPMILL_ARM_NAME);
    status = waste_measure(&heap, &writer, error);
    json_close_object(&writer);
    size_t length = json_writer_end(&writer);
    heap_close(&heap);
    if (status == STATUS_OK && length == 0) {
        status = error_set(error, STATUS_INVALID, "the answer is too long");
    }
    return status == STATUS_OK ? waste_send(fd, text, length, error) : status;
}
