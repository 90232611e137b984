/* Layout twins: the same work at other addresses, and the plan's A/A pairs are made of them. */
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
static void read_functions(const char *suffix, struct program *program)
{
    char *path = text_format("%.*s/heapmill-run-malloc%s",
                             (int)(strrchr(HEAPMILL_PROGRAM, '/') - HEAPMILL_PROGRAM),
                             HEAPMILL_PROGRAM, suffix);
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

static void layouts_put_functions_elsewhere(void **state)
{
    (void)state;
    static struct program programs[3];
    static const char *const suffixes[] = {"", ".layout1", ".layout2"};
    for (size_t i = 0; i < 3; i++) {
        read_functions(suffixes[i], &programs[i]);
    }
    check_moved(&programs[0], &programs[1]);
    check_moved(&programs[0], &programs[2]);
    check_moved(&programs[1], &programs[2]);
}

static void twins_are_layouts_and_do_the_same_work(void **state)
{
    (void)state;
    struct fixture_outcome outcome = fixture_run(
        (const char *const[]){"bench", "-b", "malloc,null", "-w", "batch,int_churn", "--target-ms",
                              "1", "--rounds", "1", "--no-memory", "-o", "run", NULL});
    assert_int_equal(outcome.status, 0); /* a checksum of its own would fail the cell */
    assert_null(strstr(outcome.err, "layout"));
    fixture_outcome_free(&outcome);
    json_error_t where;
    json_t *plan = json_load_file("run/plan.json", 0, &where);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(plan, "cells"), index, cell)
    {
        static const char *const suffixes[] = {"", ".layout1", ".layout2"};
        json_int_t twin = json_integer_value(json_object_get(cell, "twin"));
        char *program =
            text_format("heapmill-run-%s%s", fixture_text(cell, "backend"), suffixes[twin]);
        assert_string_equal(fixture_text(cell, "program"), program);
        assert_int_equal(json_integer_value(json_object_get(cell, "layout")), twin);
        free(program);
    }
    json_array_foreach(records, index, cell)
    {
        assert_true(json_equal(json_object_get(cell, "layout"), json_object_get(cell, "twin")));
        assert_true(
            json_equal(json_object_get(cell, "allocations"),
                       json_object_get(json_array_get(records, index / 4 * 4), "allocations")));
    }
    json_decref(records);
    json_decref(plan);
}
#else
static void a_build_without_layouts_says_so(void **state)
{
    (void)state;
    struct fixture_outcome outcome =
        fixture_run((const char *const[]){"bench", "-b", "malloc", "-w", "batch", "--target-ms",
                                          "1", "--rounds", "1", "--no-memory", "-o", "run", NULL});
    assert_int_equal(outcome.status, 0);
    assert_non_null(strstr(outcome.err, "no heapmill-run-malloc.layout1"));
    fixture_outcome_free(&outcome);
    json_t *records = fixture_read_lines("run/records.jsonl");
    size_t index;
    json_t *record;
    assert_int_equal(json_array_size(records), 3);
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
        cmocka_unit_test(layouts_put_functions_elsewhere),
        cmocka_unit_test(twins_are_layouts_and_do_the_same_work),
#else
        cmocka_unit_test(a_build_without_layouts_says_so),
#endif
    };
    fixture_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
