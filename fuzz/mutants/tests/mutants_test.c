/* Tests all mutants of a known text; and for any text, that a mutant differs from it in one token
 * and that all mutants differ from each other. Arguments name further texts for the second test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/mutants/mutants.h"

enum { TEXT_BYTES_MAX = 1 << 20, SAID_BYTES_MAX = 8192 };

static int path_count;
static char **paths;

static const char known_text[] = "#define F(x) ((x) + 1)\n"
                                 "int top[3 + 4];\n"
                                 "struct s { int a[5]; };\n"
                                 "static int f(int *p, int n) /* a < b */\n"
                                 "{\n"
                                 "    int i = 0;\n"
                                 "    assert(n > 0 && p != NULL);\n"
                                 "    *p = -1; // p == q\n"
                                 "    if (ready(p)) {\n"
                                 "        g(\"a + b\", '\\'', &n);\n"
                                 "    }\n"
                                 "    (void)h(1.5e+3, 0x0fu);\n"
                                 "    p[i] |= n & (int)-n;\n"
                                 "    return !n || i <= 7;\n"
                                 "}\n";

/* LINE:COLUMN:KIND, and the new text. */
static const char known_mutants[] = "6:13:plus-one 1\n"
                                    "8:8:assignment-dropped ==\n"
                                    "8:11:plus-one 2\n"
                                    "8:11:minus-one 0\n"
                                    "9:9:negation-inserted !\n"
                                    "10:9:call-dropped sizeof \n"
                                    "12:11:call-dropped sizeof \n"
                                    "12:21:plus-one 0x10u\n"
                                    "12:21:minus-one 0xeu\n"
                                    "13:10:compound &=\n"
                                    "13:15:bitwise |\n"
                                    "14:12:negation-dropped \n"
                                    "14:15:logical &&\n"
                                    "14:20:boundary <\n"
                                    "14:20:negated >\n"
                                    "14:23:plus-one 8\n"
                                    "14:23:minus-one 6\n";

static void known_text_has_known_mutants(void **state)
{
    (void)state;
    struct token_list tokens;
    struct mutant_list list;
    char said[SAID_BYTES_MAX];
    size_t length = 0;
    assert_true(token_list_read(&tokens, known_text));
    assert_true(mutant_list_make(&list, &tokens));
    for (size_t i = 0; i < list.count; i++) {
        const struct mutant *mutant = &list.mutants[i];
        length += (size_t)snprintf(said + length, sizeof(said) - length, "%zu:%zu:%s %s\n",
                                   mutant->line, mutant->column, mutant->kind, mutant->text);
        assert_true(length < sizeof(said));
    }
    assert_string_equal(said, known_mutants);
    mutant_list_free(&list);
    token_list_free(&tokens);
}

/* Parsing `(a) - b` correctly needs types, so what looks like a cast is taken for a cast. */
static void ambiguous_signs_are_left_alone(void **state)
{
    (void)state;
    static const char text[] = "int f(int a, int *p) { return (a) - *p + g(a) - a; }";
    struct token_list tokens;
    struct mutant_list list;
    assert_true(token_list_read(&tokens, text));
    assert_true(mutant_list_make(&list, &tokens));
    assert_int_equal(list.count, 2);
    assert_int_equal(text[list.mutants[0].offset], '+');
    assert_int_equal(text[list.mutants[1].offset], '-');
    assert_true(list.mutants[1].offset > list.mutants[0].offset);
    mutant_list_free(&list);
    token_list_free(&tokens);
}

static bool same_token(const struct token_list *a, size_t i, const struct token_list *b, size_t j)
{
    const struct token *left = &a->tokens[i];
    const struct token *right = &b->tokens[j];
    return left->kind == right->kind && left->length == right->length &&
           memcmp(a->text + left->offset, b->text + right->offset, left->length) == 0;
}

/* The texts are equal except for one token that was replaced, removed or inserted. */
static void expect_one_token(const struct token_list *a, const struct token_list *b)
{
    size_t shorter = a->count < b->count ? a->count : b->count;
    size_t longer = a->count < b->count ? b->count : a->count;
    size_t front = 0;
    size_t back = 0;
    while (front < shorter && same_token(a, front, b, front)) {
        front++;
    }
    while (back < shorter - front && same_token(a, a->count - 1 - back, b, b->count - 1 - back)) {
        back++;
    }
    assert_int_equal(front + back + 1, longer);
    assert_true(longer - shorter <= 1);
}

static void expect_good_mutants(const char *text)
{
    struct token_list tokens;
    struct mutant_list list;
    assert_true(token_list_read(&tokens, text));
    assert_true(mutant_list_make(&list, &tokens));
    for (size_t i = 0; i < list.count; i++) {
        const struct mutant *mutant = &list.mutants[i];
        struct token_list mutated;
        char *changed = mutant_apply(mutant, text);
        assert_non_null(changed);
        assert_true(token_list_read(&mutated, changed));
        expect_one_token(&tokens, &mutated);
        token_list_free(&mutated);
        free(changed);
        for (size_t j = i; j > 0 && list.mutants[j - 1].line == mutant->line; j--) {
            const struct mutant *other = &list.mutants[j - 1];
            assert_true(other->column != mutant->column || strcmp(other->kind, mutant->kind) != 0);
        }
    }
    mutant_list_free(&list);
    token_list_free(&tokens);
}

static void mutants_differ_in_one_token(void **state)
{
    (void)state;
    static char text[TEXT_BYTES_MAX];
    expect_good_mutants(known_text);
    for (int i = 0; i < path_count; i++) {
        FILE *file = fopen(paths[i], "rb");
        assert_non_null(file);
        size_t size = fread(text, 1, sizeof(text) - 1, file);
        assert_true(size > 0 && size < sizeof(text) - 1);
        text[size] = '\0';
        (void)fclose(file);
        expect_good_mutants(text);
    }
}

/* In text that is no C, nothing is read beyond the end, and unpaired brackets do no harm. */
static void damaged_text_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "/*",     "\"\\",    "'",          "#\\",
                                        "{ f(",     "{ ) = ", "{ ] = 1", "}}} { x = ", "{ if (",
                                        "{ a[ = 1", "{ 0x",   "{ !",     "{ if (a[ b)"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct token_list tokens;
        struct mutant_list list;
        char *copy = strdup(texts[i]); /* of its exact size, for the sanitizers */
        assert_non_null(copy);
        assert_true(token_list_read(&tokens, copy));
        assert_true(mutant_list_make(&list, &tokens));
        mutant_list_free(&list);
        token_list_free(&tokens);
        free(copy);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_text_has_known_mutants),
        cmocka_unit_test(ambiguous_signs_are_left_alone),
        cmocka_unit_test(mutants_differ_in_one_token),
        cmocka_unit_test(damaged_text_is_read),
    };
    path_count = argc - 1;
    paths = argv + 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
