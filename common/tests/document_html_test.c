/* The HTML printer and the pictures in it: nothing in a document is markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/host/document.h"
#include "common/host/svg.h"

/* The caller frees; frees the document. */
static char *html_of(struct document *document, struct html_page *page)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    document_print_html(document, page, file);
    assert_int_equal(0, fclose(file));
    document_free(document);
    return text;
}

static void assert_html(struct document *document, const char *expected)
{
    struct html_page page = {.heading_count = 0};
    char *html = html_of(document, &page);
    assert_string_equal(html, expected);
    free(html);
    html_page_release(&page);
}

static void test_text_is_text(void **state)
{
    (void)state;
    struct document *document = document_new();
    document_add(document, BLOCK_PARAGRAPH, "%s", "<script>a & \"b\" 'c'</script>");
    document_add(document, BLOCK_PARAGRAPH, "%s", "\x01 \xff \xed\xa0\x80 ±");
    assert_html(document,
                "<p>&#60;script&#62;a &#38; &#34;b&#34; &#39;c&#39;&#60;/script&#62;</p>\n"
                "<p>? ? ??? ±</p>\n");
}

static void test_headings_have_anchors_that_differ(void **state)
{
    (void)state;
    struct html_page page = {.heading_count = 0};
    struct document *document = document_new();
    document_heading(document, 1, "A \"heading\"");
    document_heading(document, 2, "A \"heading\"");
    document_anchor(document, "given");
    document_heading(document, 2, "given");
    char *html = html_of(document, &page);
    assert_string_equal(html, "<h2 id=\"a--heading-\">A &#34;heading&#34;</h2>\n"
                              "<h3 id=\"given\">A &#34;heading&#34;</h3>\n"
                              "<h3 id=\"given-2\">given</h3>\n");
    assert_int_equal(page.heading_count, 3);
    assert_string_equal(page.headings[2].anchor, "given-2");
    free(html);
    html_page_release(&page);
}

static void test_tables_have_heads_numbers_and_links(void **state)
{
    (void)state;
    struct document *document = document_new();
    struct table *table = document_table(document, "rows");
    (void)table_column(table, "name", "name", TABLE_LEFT);
    (void)table_column(table, "ratio", "ratio", TABLE_RIGHT);
    (void)table_column(table, "empty", "", TABLE_LEFT);
    table_row(table);
    table_cell(table, 0, "<b>");
    table_link(table, 0, "#a=\"X");
    table_ratio(table, 1, 0.5, 0.4, 0.6);
    table_style(table, 1, CELL_GOOD);
    table_caption(table, true, "numbers");
    assert_html(document,
                "<details><summary>numbers</summary>\n"
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"numbers\">"
                "<table data-name=\"rows\"><thead><tr><th scope=\"col\">name</th>"
                "<th scope=\"col\" class=\"n\">ratio</th></tr></thead>\n<tbody><tr>"
                "<th scope=\"row\"><a href=\"#a--x\">&#60;b&#62;</a></th>"
                "<td class=\"n good\" data-v=\"0.5\">0.50 <small>[0.40, 0.60]</small></td></tr>\n"
                "</tbody></table></div></details>\n");
}

static void test_lines_are_a_list(void **state)
{
    (void)state;
    struct document *document = document_new();
    document_line(document, "one");
    document_link(document, "two.html", "two");
    document_add(document, BLOCK_WARNING, "three");
    assert_html(document, "<ul>\n<li>one</li>\n<li><a href=\"two.html\">two</a></li>\n</ul>\n"
                          "<p class=\"warning\"><strong>Warning:</strong> three</p>\n");
}

/* ------------------------------------------------------------------------------------ pictures */

static void assert_svg(const char *svg, const char *expected, const char *classes)
{
    const struct svg_place place = {.number = 3, .alternative = "what \"it\" shows"};
    struct text_list list = {0};
    struct error error = {.message = ""};
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    enum status status = svg_inline(svg, &place, &list, file, &error);
    svg_print_classes(&list, file);
    assert_int_equal(0, fclose(file));
    if (expected == NULL) {
        assert_int_equal(status, STATUS_CORRUPT);
    } else {
        char *whole = text_format("%s%s", expected, classes);
        assert_int_equal(status, STATUS_OK);
        assert_string_equal(text, whole);
        free(whole);
    }
    free(text);
    text_list_free(&list);
}

#define SVG_HEAD "<svg viewBox=\"0 0 9 9\" role=\"img\" aria-label=\"what &#34;it&#34; shows\">"

static void test_a_picture_is_drawing_and_nothing_else(void **state)
{
    (void)state;
    assert_svg("<?xml version='1.0'?><!-- > --><svg width='9' height='9' viewBox='0 0 9 9' "
               "onload='alert(1)'><script>alert(2)</script><style>*{}</style><title>t</title>"
               "<foreignObject><g><text>x</text></g></foreignObject>"
               "<a href='javascript:alert(3)'><rect x='1'/></a>"
               "<image xlink:href='http://example.org/x.png'/>"
               "<use xlink:href='#dot' onclick=\"alert(4)\" fill='url(http://example.org)'/>"
               "<rect x='1.26' fill='expression(1);x'/></svg>",
               SVG_HEAD "<image/><use href=\"#p3-dot\"/><rect x=\"1.3\"/></svg>", "");
}

static void test_what_is_alike_is_said_once(void **state)
{
    (void)state;
    assert_svg("<svg viewBox='0 0 9 9'><g fill='none'></g><text> </text>"
               "<g fill='red' font-size=\"10.00\"><text>a &lt; b</text></g>"
               "<g fill='red' font-size=\"10.00\" transform=\"translate(1.25,2.00)\">"
               "<text font-family='sans-serif:Bold'>c</text></g></svg>",
               SVG_HEAD "<g class=\"g1\"><text>a &lt; b</text></g>"
                        "<g transform=\"translate(1.25,2)\" class=\"g1\">"
                        "<text class=\"g2\">c</text></g></svg>",
               ".g0{fill:none;}\n.g1{fill:red;font-size:10.00px;}\n"
               ".g2{font-family:sans-serif;font-weight:bold;}\n");
}

/* A straight stretch is its two ends, a turn stays, and a gap stays a gap. */
static void test_curves_keep_their_turns(void **state)
{
    (void)state;
    assert_svg("<svg viewBox='0 0 9 9'><path d='M0.00,0.00 L1.00,0.10 L2.00,0.00 \n L3.00,5.00 "
               "L4.00,0.00 M6.00,1.00 L7.00,1.00 L8.00,1.00 '/><path d='M0,0 h2.55 z'/></svg>",
               SVG_HEAD "<path d=\"M0,0L2,0L3,5L4,0M6,1L8,1\"/><path d=\"M0,0 h2.5 z\"/></svg>",
               "");
}

static void test_damaged_pictures_are_refused(void **state)
{
    (void)state;
    assert_svg("", NULL, NULL);
    assert_svg("<svg><g>", NULL, NULL);
    assert_svg("<svg><g></svg>", NULL, NULL);
    assert_svg("<svg><g x=1></g></svg>", NULL, NULL);
    assert_svg("<svg><g x='1", NULL, NULL);
    assert_svg("<svg", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_text),
        cmocka_unit_test(test_headings_have_anchors_that_differ),
        cmocka_unit_test(test_tables_have_heads_numbers_and_links),
        cmocka_unit_test(test_lines_are_a_list),
        cmocka_unit_test(test_a_picture_is_drawing_and_nothing_else),
        cmocka_unit_test(test_what_is_alike_is_said_once),
        cmocka_unit_test(test_curves_keep_their_turns),
        cmocka_unit_test(test_damaged_pictures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
