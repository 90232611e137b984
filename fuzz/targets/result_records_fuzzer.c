/* result_records: the readers of a result directory, over any plan.json and records.jsonl.
 *
 * The input is plan.json up to the first empty line, and records.jsonl after it. Oracles: the
 * readers end, touch no memory that is not theirs, and say what is wrong; what a reader takes, a
 * resume takes, and nothing is left for a second resume to mend; after a resume the reader finds as
 * many records as the store says, and no notes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/bytes.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/oracle.h"
#include "results/record.h"
#include "results/store.h"

static char records_directory[64];

static void records_remove(void)
{
    static const char *const names[] = {"plan.json", "records.jsonl", "interrupted.jsonl", "lock"};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", records_directory, names[i]);
        (void)unlink(path);
    }
}

static void records_remove_directory(void)
{
    records_remove();
    (void)rmdir(records_directory);
}

/* In memory where the system has such a place. */
static void records_make_directory(void)
{
    static const char *const places[] = {"/dev/shm", "/tmp", "."};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)snprintf(records_directory, sizeof(records_directory), "%s/heapmill-fuzz-XXXXXX",
                       places[i]);
        if (mkdtemp(records_directory) != NULL) {
            (void)atexit(records_remove_directory);
            return;
        }
    }
    (void)fputs("heapmill-fuzz: no place for a directory: make /tmp writable\n", stderr);
    exit(3);
}

static void records_write(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", records_directory, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, data, size) != (ssize_t)size) {
        (void)fprintf(stderr, "heapmill-fuzz: %s: %s\n", path, strerror(errno));
        exit(3);
    }
    (void)close(file);
}

static void records_expect_told(enum status status, const struct error *error)
{
    FUZZ_EXPECT(status == STATUS_OK || (error->status == status && error->message[0] != '\0'),
                "message", "status %d without a sentence", (int)status);
    FUZZ_EXPECT(memchr(error->message, '\0', sizeof(error->message)) != NULL, "message",
                "the sentence has no end");
}

static void records_resume(enum status loaded)
{
    struct error error = {0};
    struct store *store = NULL;
    enum status status = store_resume(records_directory, &store, &error);
    records_expect_told(status, &error);
    FUZZ_EXPECT(loaded != STATUS_OK || status == STATUS_OK, "resume",
                "what can be read cannot be resumed: %s", error.message);
    if (status != STATUS_OK) {
        return;
    }
    uint64_t count = store_record_count(store);
    store_close(store);
    FUZZ_EXPECT(store_resume(records_directory, &store, &error) == STATUS_OK, "resume",
                "it cannot be resumed again: %s", error.message);
    FUZZ_EXPECT(store_interrupted_count(store) == 0 && store_record_count(store) == count, "resume",
                "the second resume moves %llu records",
                (unsigned long long)store_interrupted_count(store));
    store_close(store);
    struct record_set *set = NULL;
    status = store_load(records_directory, &set, &error);
    FUZZ_EXPECT(status == STATUS_OK && set->record_count == count && set->note_count == 0, "resume",
                "after a resume the reader finds another number of records: %s", error.message);
    record_set_free(set);
}

static void result_records_run(const uint8_t *data, size_t size)
{
    fuzz_begin();
    if (records_directory[0] == '\0') {
        records_make_directory();
    }
    const uint8_t *gap = memmem(data, size, "\n\n", 2);
    size_t plan_bytes = gap == NULL ? size : (size_t)(gap - data) + 1;
    size_t skipped = gap == NULL ? size : plan_bytes + 1;
    records_remove();
    records_write("plan.json", data, plan_bytes);
    records_write("records.jsonl", data + skipped, size - skipped);
    struct error error = {0};
    struct record_set *set = NULL;
    fuzz_count_operation();
    enum status status = store_load(records_directory, &set, &error);
    records_expect_told(status, &error);
    if (status == STATUS_OK) {
        FUZZ_EXPECT(set->cell_count > 0 && set->note_count <= 4, "plan", "a plan without cells");
        record_set_free(set);
    }
    records_resume(status);
}

static size_t result_records_generate(uint8_t *data, size_t capacity, size_t operations,
                                      struct rng *rng)
{
    static const char sample[] =
        "{\"format\":\"heapmill-plan-1\",\"rounds\":2,\"base\":{\"backend\":\"a\",\"arm\":"
        "\"preload\"},\"cells\":[{\"id\":\"w/a\",\"group\":\"w\",\"workload\":\"w\",\"backend\":"
        "\"a\",\"arm\":\"preload\",\"params\":{\"n\":1},\"env\":{}},{\"id\":\"w/"
        "b\",\"group\":\"w\","
        "\"workload\":\"w\",\"backend\":\"b\",\"arm\":\"preload\",\"params\":{},\"twin\":0}]}\n\n"
        "{\"format\":\"heapmill-record-1\",\"cell\":\"w/a\",\"pass\":\"time\",\"round\":1,"
        "\"status\":\"ok\",\"cpu_ns_per_op\":2.5,\"wall_ns\":5,\"operations\":2,\"sequence\":1}\n"
        "{\"format\":\"heapmill-record-1\",\"cell\":\"w/b\",\"pass\":\"time\",\"round\":1,"
        "\"status\":\"crashed\",\"sequence\":2}\n";
    static const char *const words[] = {"\n",          "\"round\":", "\"time\"", "\"memory\"",
                                        "\"latency\"", "-1",         "1e999",    "null",
                                        "[]",          "{}",         "\"ok\"",   "\"sequence\":3",
                                        "\\u0000",     "4294967296", NULL};
    (void)operations;
    return bytes_generate(data, capacity, sample, words, rng);
}

const struct fuzz_target fuzz_target_result_records = {
    .name = "result_records",
    .summary = "the readers of plan.json and records.jsonl, and what a resume mends",
    .format = "bytes",
    .run = result_records_run,
    .print = bytes_print,
    .generate = result_records_generate,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    result_records_run(data, size);
    return 0;
}
