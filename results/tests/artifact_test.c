/* The manifest of a run, and the archive of it that another machine unpacks. */
#include "results/tests/synthetic.h"

#include <archive.h>
#include <archive_entry.h>

#include "common/host/sha256.h"
#include "results/export/export.h"
#include "results/manifest.h"

/* A run of one group with so many whole rounds, which has ended. */
static void make_run(char directory[SYNTHETIC_PATH_MAX], int rounds)
{
    static const char *const ids[] = {"churn/size=64/t1/malloc:preload",
                                      "churn/size=64/t1/malloc:preload~1",
                                      "churn/size=64/t1/malloc:preload~2"};
    struct error error;
    json_t *plan = synthetic_plan();
    for (int twin = 0; twin <= 2; twin++) {
        synthetic_add_cell(plan, "churn", "steady", "malloc", "preload", twin);
    }
    synthetic_directory(directory);
    struct store *store = synthetic_create(directory, plan);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 3; i++) {
            synthetic_append(store, synthetic_record(ids[i], round, "ok", 10 + i));
        }
    }
    assert_int_equal(STATUS_OK, store_finish(store, &error));
    store_close(store);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[SYNTHETIC_PATH_MAX];
    synthetic_file(path, directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(0, fclose(file));
}

/* FIPS 180-4's examples, and lengths around a block's, whose digests are of sha256sum. */
static void digests_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char digest[SHA256_TEXT_BYTES];
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        sha256_of_bytes(known[i].text, strlen(known[i].text), digest);
        assert_string_equal(digest, known[i].digest);
    }
    static char many[1000000];
    memset(many, 'a', sizeof(many));
    sha256_of_bytes(many, sizeof(many), digest);
    assert_string_equal(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void a_manifest_tells_what_is_changed_missing_or_added(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char path[SYNTHETIC_PATH_MAX];
    struct error error = {.message = ""};
    make_run(directory, 2);
    assert_int_equal(STATUS_OK, manifest_verify(directory, &error));
    write_file(directory, "more.jsonl", "{}\n");
    assert_int_equal(STATUS_CORRUPT, manifest_verify(directory, &error));
    assert_non_null(strstr(error.message, "more.jsonl"));
    synthetic_file(path, directory, "more.jsonl");
    assert_int_equal(0, unlink(path));
    assert_int_equal(STATUS_OK, manifest_verify(directory, &error));
    char *plan = synthetic_read(directory, "plan.json", NULL);
    plan[strlen(plan) - 2] ^= 1;
    write_file(directory, "plan.json", plan);
    assert_int_equal(STATUS_CORRUPT, manifest_verify(directory, &error));
    assert_non_null(strstr(error.message, "plan.json"));
    plan[strlen(plan) - 2] ^= 1;
    write_file(directory, "plan.json", plan);
    free(plan);
    assert_int_equal(STATUS_OK, manifest_verify(directory, &error));
    synthetic_file(path, directory, "records.jsonl");
    assert_int_equal(0, unlink(path));
    assert_int_equal(STATUS_CORRUPT, manifest_verify(directory, &error));
    assert_non_null(strstr(error.message, "records.jsonl"));
    synthetic_remove(directory);
}

/* The same command finds it whole with the system's tools. */
static void sha256sum_reads_it(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char command[SYNTHETIC_PATH_MAX + 64];
    make_run(directory, 1);
    (void)snprintf(command, sizeof(command), "cd %s && sha256sum --quiet -c SHA256SUMS", directory);
    assert_int_equal(0, system(command));
    synthetic_remove(directory);
}

static void a_run_that_goes_on_has_none(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    struct error error;
    struct store *store = NULL;
    make_run(directory, 1);
    assert_int_equal(STATUS_OK, store_resume(directory, &store, &error));
    assert_true(manifest_is_there(directory));
    synthetic_append(store, synthetic_record("churn/size=64/t1/malloc:preload", 1, "ok", 10));
    assert_false(manifest_is_there(directory));
    assert_int_equal(STATUS_NOT_FOUND, manifest_verify(directory, &error));
    store_close(store);
    synthetic_remove(directory);
}

/* Takes the zstd frame off, and unpacks the tar file that is in it with tar. */
static void unpack(const char *path, const char *parent)
{
    char bytes[4096];
    char tar[SYNTHETIC_PATH_MAX];
    char command[4 * SYNTHETIC_PATH_MAX];
    struct archive_entry *entry;
    struct archive *frame = archive_read_new();
    assert_int_equal(ARCHIVE_OK, archive_read_support_filter_zstd(frame));
    assert_int_equal(ARCHIVE_OK, archive_read_support_format_raw(frame));
    assert_int_equal(ARCHIVE_OK, archive_read_open_filename(frame, path, sizeof(bytes)));
    assert_int_equal(ARCHIVE_OK, archive_read_next_header(frame, &entry));
    assert_string_equal("zstd", archive_filter_name(frame, 0));
    synthetic_file(tar, parent, "unpacked.tar");
    FILE *file = fopen(tar, "w");
    assert_non_null(file);
    for (la_ssize_t got; (got = archive_read_data(frame, bytes, sizeof(bytes))) > 0;) {
        assert_int_equal(got, fwrite(bytes, 1, (size_t)got, file));
    }
    assert_int_equal(0, fclose(file));
    assert_int_equal(ARCHIVE_OK, archive_read_free(frame));
    (void)snprintf(command, sizeof(command), "mkdir %s/there && tar xf %s -C %s/there", parent, tar,
                   parent);
    assert_int_equal(0, system(command));
}

/* Unpacked elsewhere it is verified and read as the run that it is; what was changed is refused. */
static void an_archive_is_the_run(void **state)
{
    (void)state;
    char directory[SYNTHETIC_PATH_MAX];
    char parent[SYNTHETIC_PATH_MAX];
    char path[SYNTHETIC_PATH_MAX];
    struct error error = {.message = ""};
    struct record_set *set = NULL;
    make_run(directory, 40);
    (void)snprintf(parent, sizeof(parent), "%s", directory);
    *strrchr(parent, '/') = '\0';
    synthetic_file(path, parent, "run.tar.zst");
    assert_int_equal(STATUS_OK, export_artifact(directory, path, &error));
    unpack(path, parent);
    synthetic_file(path, parent, "there/run");
    assert_int_equal(STATUS_OK, manifest_verify(path, &error));
    assert_int_equal(STATUS_OK, store_load(path, &set, &error));
    assert_int_equal(120, set->record_count);
    record_set_free(set);
    write_file(path, "records.jsonl", "");
    assert_int_equal(STATUS_CORRUPT, export_artifact(path, "never", &error));
    assert_int_not_equal(0, access("never", F_OK));
    synthetic_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_known),
        cmocka_unit_test(a_manifest_tells_what_is_changed_missing_or_added),
        cmocka_unit_test(sha256sum_reads_it),
        cmocka_unit_test(a_run_that_goes_on_has_none),
        cmocka_unit_test(an_archive_is_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
