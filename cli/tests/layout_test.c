/* Links of a worker with its functions elsewhere, and how rounds draw them. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/tests/cli_fixture.h"
#include "common/host/text.h"
#include "run/layouts.h"

#if HEAPMILL_LAYOUTS > 0
enum { FUNCTIONS_MAX = 4000 };

struct function {
    const char *name;
    uint64_t address;
};

struct program {
    struct function functions[FUNCTIONS_MAX]; /* of the workloads, by name */
    size_t count;
};

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct function *)left)->name, ((const struct function *)right)->name);
}

/* The static functions of a worker: those that its own objects bring, the shim's left out. */
static void read_functions(const char *name, struct program *program)
{
    char *path = text_format("%.*s/%s", (int)(strrchr(HEAPMILL_PROGRAM, '/') - HEAPMILL_PROGRAM),
                             HEAPMILL_PROGRAM, name);
    FILE *file = fopen(path, "re");
    struct stat status;
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    /* Never unmapped: the names point into it. */
    const unsigned char *bytes =
        mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    assert_true(bytes != MAP_FAILED);
    (void)fclose(file);
    free(path);
    const Elf64_Ehdr *head = (const void *)bytes;
    const Elf64_Shdr *sections = (const void *)(bytes + head->e_shoff);
    for (size_t i = 0; i < head->e_shnum; i++) {
        const Elf64_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);
        const char *names = (const char *)bytes + sections[sections[i].sh_link].sh_offset;
        size_t count =
            sections[i].sh_type == SHT_SYMTAB ? sections[i].sh_size / sizeof(*symbols) : 0;
        for (size_t s = 0; s < count && program->count < FUNCTIONS_MAX; s++) {
            if (ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC && symbols[s].st_size > 0 &&
                ELF64_ST_BIND(symbols[s].st_info) == STB_LOCAL) {
                program->functions[program->count++] =
                    (struct function){names + symbols[s].st_name, symbols[s].st_value};
            }
        }
    }
    qsort(program->functions, program->count, sizeof(program->functions[0]), compare_names);
}

/* Of neighbouring pairs by name, how many have changed their order? Half of them in a shuffle. */
static void check_moved(const struct program *a, const struct program *b)
{
    size_t shared = 0;
    size_t swapped = 0;
    size_t shifted = 0;
    const struct function *last = NULL;
    const struct function *last_other = NULL;
    for (size_t i = 0; i < a->count; i++) {
        const struct function *other =
            bsearch(&a->functions[i], b->functions, b->count, sizeof(*other), compare_names);
        if (other == NULL) {
            continue;
        }
        shared++;
        shifted += (a->functions[i].address - other->address) % 64 != 0;
        swapped += last != NULL && (last->address < a->functions[i].address) !=
                                       (last_other->address < other->address);
        last = &a->functions[i];
        last_other = other;
    }
    assert_true(shared > 200);
    assert_in_range(swapped, shared * 35 / 100, shared * 65 / 100);
    assert_in_range(shifted, shared * 55 / 100, shared * 95 / 100); /* three offsets of four */
}

/* Of the links of one run any two differ as two shuffles do, and the base's from the twins'. */
static void links_put_functions_elsewhere(void **state)
{
    (void)state;
    static struct program programs[3];
    static const char *const names[] = {"heapmill-run-malloc", "layouts/heapmill-run-malloc.1",
                                        "layouts/heapmill-run-malloc.2"};
    struct registry registry = {0};
    struct error error = {.message = ""};
    setenv("PATH", "/usr/bin:/bin", 1);
    registry.program_directory = text_format(
        "%.*s", (int)(strrchr(HEAPMILL_PROGRAM, '/') - HEAPMILL_PROGRAM), HEAPMILL_PROGRAM);
    for (unsigned i = 1; i < 3; i++) {
        char *name = NULL;
        unsigned made = 0;
        assert_int_equal(layouts_program(&registry, "heapmill-run-malloc", i, &name, &made, &error),
                         STATUS_OK);
        char *expected = text_format("%s/%s", registry.program_directory, names[i]);
        assert_string_equal(name, expected);
        free(expected);
        free(name);
        assert_int_equal(layouts_program(&registry, "heapmill-run-malloc", i, &name, &made, &error),
                         STATUS_OK);
        assert_true(made <= 1); /* it was kept */
        free(name);
    }
    for (size_t i = 0; i < 3; i++) {
        read_functions(names[i], &programs[i]);
    }
    check_moved(&programs[0], &programs[1]);
    check_moved(&programs[0], &programs[2]);
    check_moved(&programs[1], &programs[2]);
    free(registry.program_directory);
}

/* A worker that was built again has new links, and one without a record has none. */
static void links_follow_the_worker(void **state)
{
    (void)state;
    struct registry registry = {.program_directory = (char *)"bin"};
    struct error error = {.message = ""};
    char *name = NULL;
    unsigned made = 0;
    assert_int_equal(mkdir("bin", 0777), 0);
    assert_int_equal(system("printf 'int a(void){return 1;} int b(void){return 2;}' > f.c && "
                            "printf 'int a(void);int main(void){return a();}' > m.c && "
                            "cc -ffunction-sections -c f.c m.c"),
                     0);
    assert_false(layouts_known(&registry, "w"));
    assert_int_equal(layouts_program(&registry, "w", 1, &name, &made, &error), STATUS_NOT_FOUND);
    assert_null(name);
    assert_int_equal(system(HEAPMILL_RECORD_LINK " cc m.o f.o -o bin/w && bin/w; test $? = 1"), 0);
    assert_true(layouts_known(&registry, "w"));
    assert_int_equal(layouts_program(&registry, "w", 7, &name, &made, &error), STATUS_OK);
    free(name);
    assert_int_equal(made, 1);
    assert_int_equal(system("bin/layouts/w.7; test $? = 1"), 0);
    assert_int_equal(system("printf 'int a(void){return 5;} int b(void){return 2;}' > f.c && "
                            "cc -ffunction-sections -c f.c && " HEAPMILL_RECORD_LINK
                            " cc m.o f.o -o bin/w"),
                     0);
    assert_int_equal(layouts_program(&registry, "w", 7, &name, &made, &error), STATUS_OK);
    free(name);
    assert_int_equal(made, 2);
    assert_int_equal(system("bin/layouts/w.7; test $? = 5"), 0);
    assert_int_equal(unlink("f.o"), 0);
    assert_int_equal(layouts_program(&registry, "w", 7, &name, &made, &error), STATUS_OK);
    free(name);
    assert_int_equal(system("printf '.\\n/none/cc\\nm.o\\n-o\\nbin/w\\n' > bin/w.link"), 0);
    assert_int_equal(layouts_program(&registry, "w", 7, &name, &made, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "/none/cc"));
}

/* Each link once in so many rounds, and in another order for another cell. */
static void rounds_go_through_the_links(void **state)
{
    (void)state;
    unsigned drawn[16] = {0};
    unsigned alike = 0;
    for (uint32_t round = 0; round < 32; round++) {
        unsigned link = layouts_draw(3, "a", round, 16);
        assert_true(link < 16);
        drawn[link]++;
        alike += link == layouts_draw(3, "b", round, 16);
        assert_int_equal(link, layouts_draw(3, "a", round, 16));
    }
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(drawn[i], 2);
    }
    assert_true(alike < 10);
    assert_int_equal(layouts_for_rounds(0), 16);
    assert_int_equal(layouts_for_rounds(40), 16);
    assert_int_equal(layouts_for_rounds(160), 53);
    assert_int_equal(layouts_for_rounds(1000), 64);
}

static void cells_draw_their_links(void **state)
{
    (void)state;
    enum { LINKS = 16 };
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"bench", "-b", "malloc,null", "-w", "int_churn",
                                          "--target-ms", "1", "--rounds", "6", "-o", "run", NULL});
    assert_int_equal(outcome.status, 0); /* a checksum of its own would fail the cell */
    assert_null(strstr(outcome.err, "code layout"));
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("run/records.jsonl");
    bool drawn[LINKS * 3 + 1] = {false};
    size_t index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        size_t layout = (size_t)json_integer_value(json_object_get(record, "layout"));
        size_t twin = (size_t)json_integer_value(json_object_get(record, "twin"));
        if (strcmp(fixture_text(record, "pass"), "memory") == 0) {
            assert_int_equal(layout, 0);
            continue;
        }
        assert_in_range(layout, twin * LINKS + 1, (twin + 1) * LINKS);
        if (strcmp(fixture_text(record, "backend"), "malloc") == 0) {
            assert_false(drawn[layout]);
            drawn[layout] = true;
        }
    }
    json_decref(records);
}
#else
static void a_build_without_layouts_says_so(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"bench", "-b", "malloc", "-w", "batch", "--target-ms",
                                          "1", "--rounds", "6", "--no-memory", "-o", "run", NULL});
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(outcome.err, "do not contain code layout"));
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    assert_int_equal(json_array_size(records), 3 * 6);
    json_array_foreach(records, index, record)
    {
        assert_int_equal(json_integer_value(json_object_get(record, "layout")), 0);
    }
    json_decref(records);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if HEAPMILL_LAYOUTS > 0
        cmocka_unit_test(links_put_functions_elsewhere),
        cmocka_unit_test(links_follow_the_worker),
        cmocka_unit_test(rounds_go_through_the_links),
        cmocka_unit_test(cells_draw_their_links),
#else
        cmocka_unit_test(a_build_without_layouts_says_so),
#endif
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
