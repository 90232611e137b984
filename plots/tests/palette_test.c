/* Looks are distinct: with normal vision, for protanopes and for deuteranopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plots/palette.h"

/* Distances are Euclidean in OKLab, times 100, where 2 is about what is just noticed side by side.
 * Colours that are a hand's breadth apart, on thin lines, need more. */
static const double distance_min = 9.0;

struct vector {
    double at[3];
};

/* Severity 1 of Machado, Oliveira and Fernandes 2009, in linear RGB. */
static const double protanopia[3][3] = {{0.152286, 1.052583, -0.204868},
                                        {0.114503, 0.786281, 0.099216},
                                        {-0.003882, -0.048116, 1.051998}};
static const double deuteranopia[3][3] = {{0.367322, 0.860646, -0.227968},
                                          {0.280085, 0.672501, 0.047413},
                                          {-0.011820, 0.042940, 0.968881}};
static const double normal[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

static struct vector multiply(const double matrix[3][3], struct vector v)
{
    struct vector result;
    for (int i = 0; i < 3; i++) {
        result.at[i] = matrix[i][0] * v.at[0] + matrix[i][1] * v.at[1] + matrix[i][2] * v.at[2];
    }
    return result;
}

static struct vector linear_rgb(uint32_t color)
{
    struct vector result;
    for (int i = 0; i < 3; i++) {
        double c = ((color >> (16 - 8 * i)) & 255) / 255.0;
        result.at[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
    }
    return result;
}

/* OKLab, Ottosson 2020, from linear sRGB. */
static struct vector oklab(struct vector rgb)
{
    static const double to_cones[3][3] = {{0.4122214708, 0.5363325363, 0.0514459929},
                                          {0.2119034982, 0.6806995451, 0.1073969566},
                                          {0.0883024619, 0.2817188376, 0.6299787005}};
    static const double to_lab[3][3] = {{0.2104542553, 0.7936177850, -0.0040720468},
                                        {1.9779984951, -2.4285922050, 0.4505937099},
                                        {0.0259040371, 0.7827717662, -0.8086757660}};
    struct vector cones = multiply(to_cones, rgb);
    for (int i = 0; i < 3; i++) {
        cones.at[i] = cbrt(fmax(cones.at[i], 0));
    }
    return multiply(to_lab, cones);
}

static double seen_distance(const double vision[3][3], uint32_t a, uint32_t b)
{
    struct vector left = multiply(vision, linear_rgb(a));
    struct vector right = multiply(vision, linear_rgb(b));
    for (int i = 0; i < 3; i++) {
        left.at[i] = fmin(fmax(left.at[i], 0), 1);
        right.at[i] = fmin(fmax(right.at[i], 0), 1);
    }
    left = oklab(left);
    right = oklab(right);
    return 100 * sqrt(pow(left.at[0] - right.at[0], 2) + pow(left.at[1] - right.at[1], 2) +
                      pow(left.at[2] - right.at[2], 2));
}

static void test_known_colors_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < palette_known_count(); i++) {
        for (size_t j = 0; j < i; j++) {
            uint32_t a = palette_known(i)->color;
            uint32_t b = palette_known(j)->color;
            double least =
                fmin(seen_distance(normal, a, b),
                     fmin(seen_distance(protanopia, a, b), seen_distance(deuteranopia, a, b)));
            if (least < distance_min) {
                fail_msg("%s and %s are %.1f apart, and should be %.1f", palette_known(i)->backend,
                         palette_known(j)->backend, least, distance_min);
            }
        }
    }
}

/* The measure itself: black and white are 100 apart, and red and green of one lightness close to
 * each other for a deuteranope, but not for others. */
static void test_measure(void **state)
{
    (void)state;
    assert_true(fabs(seen_distance(normal, 0x000000, 0xffffff) - 100) < 0.1);
    assert_true(seen_distance(normal, 0xb35900, 0x598000) > 12);
    assert_true(seen_distance(deuteranopia, 0xb35900, 0x598000) <
                0.5 * seen_distance(normal, 0xb35900, 0x598000));
}

static void test_known_markers_are_unique_and_drawable(void **state)
{
    (void)state;
    for (size_t i = 0; i < palette_known_count(); i++) {
        assert_in_range(palette_known(i)->marker, 1, 15);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(palette_known(i)->marker, palette_known(j)->marker);
            assert_string_not_equal(palette_known(i)->backend, palette_known(j)->backend);
        }
    }
}

static bool same_look(const struct palette_entry *a, const struct palette_entry *b)
{
    return a->color == b->color && a->marker == b->marker;
}

static void test_known_name_looks_the_same_in_any_company(void **state)
{
    (void)state;
    const char *const few[] = {"mimalloc"};
    const char *const many[] = {"libmine", "malloc", "mimalloc", "zeta"};
    struct palette_entry alone[1];
    struct palette_entry among[4];
    palette_assign(few, 1, alone);
    palette_assign(many, 4, among);
    assert_true(same_look(&alone[0], &among[2]));
    assert_int_equal(alone[0].color, 0xeb8d2b); /* in published figures: must not change */
}

/* Collectors borrow looks that differ, which are known back ends'. */
static void test_collectors_are_told_apart(void **state)
{
    (void)state;
    static const char *const collectors[] = {"generational-700",
                                             "generational-700-no25",
                                             "generational-2000",
                                             "growth",
                                             "incremental",
                                             "none",
                                             "trial-deletion-php",
                                             "trial-deletion-orc",
                                             "snapshot"};
    enum { COUNT = sizeof collectors / sizeof collectors[0] };
    const char *borrowed[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        borrowed[i] = palette_collector(collectors[i]);
        assert_non_null(borrowed[i]);
        bool known = false;
        for (size_t k = 0; k < palette_known_count(); k++) {
            known = known || strcmp(palette_known(k)->backend, borrowed[i]) == 0;
        }
        assert_true(known);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(borrowed[i], borrowed[j]);
        }
    }
    assert_null(palette_collector("one of tomorrow"));
}

/* As many unknown names as there are looks: all differ, from each other and from the known ones. */
static void test_unknown_names_never_look_alike(void **state)
{
    (void)state;
    char texts[PALETTE_RESERVED_COUNT][16];
    const char *names[PALETTE_RESERVED_COUNT];
    struct palette_entry entries[PALETTE_RESERVED_COUNT];
    for (int i = 0; i < PALETTE_RESERVED_COUNT; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "libmine%d", i * 7 % PALETTE_RESERVED_COUNT);
        names[i] = texts[i];
    }
    palette_assign(names, PALETTE_RESERVED_COUNT, entries);
    for (int i = 0; i < PALETTE_RESERVED_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_false(same_look(&entries[i], &entries[j]));
        }
        for (size_t k = 0; k < palette_known_count(); k++) {
            assert_int_not_equal(entries[i].color, palette_known(k)->color);
        }
    }
}

static void test_look_does_not_depend_on_order(void **state)
{
    (void)state;
    const char *const forwards[] = {"a", "b", "c", "d", "e", "f", "g", "a"};
    const char *const backwards[] = {"a", "g", "f", "e", "d", "c", "b", "a"};
    struct palette_entry left[8];
    struct palette_entry right[8];
    palette_assign(forwards, 8, left);
    palette_assign(backwards, 8, right);
    for (int i = 0; i < 8; i++) {
        assert_true(same_look(&left[i], &right[7 - i]));
    }
    assert_true(same_look(&left[0], &left[7])); /* equal names look equal */
}

static void test_arms_differ(void **state)
{
    (void)state;
    static const char *const arms[] = {"inline", "call", "call-sized", "preload", "preload-sized"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(palette_arm(arms[i])->arm, arms[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(palette_arm(arms[i])->dash, palette_arm(arms[j])->dash);
            assert_string_not_equal(palette_arm(arms[i])->fill, palette_arm(arms[j])->fill);
        }
    }
    assert_string_equal(palette_arm("nonsense")->arm, "inline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_known_colors_are_told_apart),
        cmocka_unit_test(test_known_markers_are_unique_and_drawable),
        cmocka_unit_test(test_known_name_looks_the_same_in_any_company),
        cmocka_unit_test(test_collectors_are_told_apart),
        cmocka_unit_test(test_unknown_names_never_look_alike),
        cmocka_unit_test(test_look_does_not_depend_on_order),
        cmocka_unit_test(test_arms_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
