#include "common/host/svg.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/document.h"

enum { SVG_DEPTH_MAX = 64, SVG_WINDOW = 64 };

/* The largest distance of a curve from its points, in pixels: less than the line's width. */
static const double svg_tolerance = 0.4;

/* An element that has begun. Its tag is written before its first content, so that an empty element
 * is dropped. */
struct svg_element {
    char *tag; /* NULL: it has been written */
    const char *name;
    size_t length; /* of the name */
    bool left_out;
};

struct svg {
    const struct svg_place *place;
    struct text_list *classes;
    FILE *file;
    struct svg_element stack[SVG_DEPTH_MAX];
    size_t depth;
    size_t in_definitions; /* the depth of the enclosing defs; 0: none */
};

static const char *const svg_elements[] = {
    "svg",  "g",     "path", "rect", "circle",   "ellipse",        "line",    "polyline", "polygon",
    "text", "tspan", "defs", "use",  "clipPath", "linearGradient", "pattern", "stop",     "image"};
static const char *const svg_styles[] = {
    "fill",           "fill-opacity", "fill-rule",        "stroke",         "stroke-width",
    "stroke-opacity", "opacity",      "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "font-family",    "font-size",    "font-weight",      "text-anchor",    "color",
    "stop-color",     "font-style"};
static const char *const svg_geometry[] = {"x",
                                           "y",
                                           "x1",
                                           "y1",
                                           "x2",
                                           "y2",
                                           "cx",
                                           "cy",
                                           "r",
                                           "rx",
                                           "ry",
                                           "width",
                                           "height",
                                           "points",
                                           "transform",
                                           "viewBox",
                                           "patternUnits",
                                           "offset",
                                           "patternTransform"};

#define SVG_IN(list, name, length) svg_is_in(list, sizeof(list) / sizeof((list)[0]), name, length)

static bool svg_is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(name, word, length) == 0;
}

static bool svg_is_in(const char *const *list, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (svg_is(name, length, list[i])) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------ numbers */

/* Prints a number with at most that many decimals, without zeros at the end. */
static void svg_number(FILE *file, double number, int decimals)
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%.*f", decimals, number);
    char *end = text + strlen(text);
    while (strchr(text, '.') != NULL && (end[-1] == '0' || end[-1] == '.')) {
        bool was_point = end[-1] == '.';
        *--end = '\0';
        if (was_point) {
            break;
        }
    }
    (void)fputs(strcmp(text, "-0") == 0 ? "0" : text, file);
}

/* Prints geometry unchanged, but with shorter numbers. Characters that geometry does not use are
 * dropped. */
static void svg_rounded(FILE *file, const char *value, size_t length, int decimals)
{
    for (const char *at = value; at < value + length;) {
        char *end = NULL;
        bool starts = isdigit((unsigned char)*at) ||
                      ((*at == '-' || *at == '.') && isdigit((unsigned char)at[1]));
        if (starts && (svg_number(file, strtod(at, &end), decimals), end > at)) {
            at = end;
        } else {
            (void)fputc(isalnum((unsigned char)*at) || strchr("(),.%+-", *at) != NULL ? *at : ' ',
                        file);
            at++;
        }
    }
}

/* ------------------------------------------------------------------------------------- curves */

struct svg_point {
    double x;
    double y;
};

/* The distance of a point from the segment between two others. */
static double svg_distance(struct svg_point point, struct svg_point from, struct svg_point to)
{
    double dx = to.x - from.x;
    double dy = to.y - from.y;
    double square = dx * dx + dy * dy;
    double part = square > 0 ? ((point.x - from.x) * dx + (point.y - from.y) * dy) / square : 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return hypot(point.x - from.x - part * dx, point.y - from.y - part * dy);
}

/* The farthest point that a straight line from `first` can reach without leaving a point between
 * them too far off, within a window. */
static size_t svg_reach(const struct svg_point *points, size_t count, size_t first)
{
    size_t reach = first + 1;
    for (size_t end = first + 2; end < count && end - first <= SVG_WINDOW; end++) {
        bool near = true;
        for (size_t i = first + 1; i < end && near; i++) {
            near = svg_distance(points[i], points[first], points[end]) <= svg_tolerance;
        }
        if (!near) {
            break;
        }
        reach = end;
    }
    return reach;
}

static void svg_curve(FILE *file, const struct svg_point *points, size_t count)
{
    for (size_t i = 0; i < count; i = i + 1 < count ? svg_reach(points, count, i) : count) {
        (void)fputs(i == 0 ? "M" : "L", file);
        svg_number(file, points[i].x, 1);
        (void)fputc(',', file);
        svg_number(file, points[i].y, 1);
    }
}

/* Prints a path of M and L with absolute coordinates. false: it is another path, and nothing was
 * written. */
static bool svg_polyline(FILE *file, const char *value, size_t length)
{
    if (strspn(value, "ML0123456789.,+- \t\r\n") < length) {
        return false;
    }
    struct svg_point *points = text_zeroed(length / 2 + 1, sizeof(*points));
    size_t count = 0;
    const char *at = value;
    while (at < value + length) {
        char *end = NULL;
        if (*at == 'M') {
            svg_curve(file, points, count);
            count = 0;
        }
        if (strchr("ML, \t\r\n", *at) != NULL) {
            at++;
            continue;
        }
        points[count].x = strtod(at, &end);
        const char *second = end + strspn(end, ", \t\r\n");
        points[count++].y = strtod(second, &end);
        at = end > at ? end : at + 1;
    }
    svg_curve(file, points, count);
    free(points);
    return true;
}

/* --------------------------------------------------------------------------------- attributes */

/* Prints a declaration of CSS if its value is harmless. */
static void svg_declare(FILE *style, const char *name, size_t length, const char *value,
                        size_t value_length)
{
    for (size_t i = 0; i < value_length; i++) {
        if (!isalnum((unsigned char)value[i]) && strchr(" #(),.%:-", value[i]) == NULL) {
            return;
        }
    }
    bool family = svg_is(name, length, "font-family");
    const char *colon = family ? memchr(value, ':', value_length) : NULL; /* "sans-serif:Bold" */
    size_t kept = colon != NULL ? (size_t)(colon - value) : value_length;
    (void)fprintf(style, "%.*s:%.*s%s;%s", (int)length, name, (int)kept, value,
                  svg_is(name, length, "font-size") ? "px" : "",
                  colon != NULL ? "font-weight:bold;" : "");
}

/* The number of the class with these declarations, as in "g12". The page's style sheet lists each
 * class once. */
static size_t svg_class(struct text_list *classes, const char *style)
{
    size_t index = 0;
    while (index < classes->count && strcmp(classes->items[index], style) != 0) {
        index++;
    }
    if (index == classes->count) {
        text_list_add(classes, text_format("%s", style));
    }
    return index;
}

/* Prints an id for this picture: letters, digits, '_' and '-'. */
static void svg_id(const struct svg *svg, FILE *tag, const char *id, size_t length)
{
    (void)fprintf(tag, "p%zu-", svg->place->number);
    for (size_t i = 0; i < length; i++) {
        (void)fputc(isalnum((unsigned char)id[i]) || id[i] == '-' ? id[i] : '_', tag);
    }
}

/* Prints href and url(#…), if they refer to the picture itself or to a picture that is contained as
 * data. */
static void svg_reference(const struct svg *svg, FILE *tag, const char *name, size_t name_length,
                          const char *value, size_t length)
{
    static const char data[] = "data:image/png;base64,";
    bool url = length > 6 && strncmp(value, "url(#", 5) == 0 && value[length - 1] == ')';
    if (url) {
        (void)fprintf(tag, " %.*s=\"url(#", (int)name_length, name);
        svg_id(svg, tag, value + 5, length - 6);
        (void)fputs(")\"", tag);
    } else if (length > 1 && value[0] == '#') {
        (void)fputs(" href=\"#", tag);
        svg_id(svg, tag, value + 1, length - 1);
        (void)fputc('"', tag);
    } else if (length > sizeof(data) && strncmp(value, data, sizeof(data) - 1) == 0) {
        (void)fprintf(tag, " href=\"%s", data);
        for (size_t i = sizeof(data) - 1; i < length; i++) {
            bool base64 = isalnum((unsigned char)value[i]) || strchr("+/=", value[i]) != NULL;
            (void)fputs(base64 ? (char[]){value[i], '\0'} : "", tag);
        }
        (void)fputc('"', tag);
    }
}

static void svg_attribute(const struct svg *svg, FILE *tag, FILE *style, const char *name,
                          size_t length, const char *value, size_t value_length)
{
    bool is_root = svg->depth == 0;
    bool reference = svg_is(name, length, "href") || svg_is(name, length, "xlink:href") ||
                     svg_is(name, length, "clip-path") ||
                     (value_length > 4 && strncmp(value, "url(", 4) == 0);
    if (svg_is(name, length, "id")) {
        (void)fputs(" id=\"", tag);
        svg_id(svg, tag, value, value_length);
        (void)fputc('"', tag);
    } else if (reference) {
        svg_reference(svg, tag, name, length, value, value_length);
    } else if (SVG_IN(svg_styles, name, length)) {
        svg_declare(style, name, length, value, value_length);
    } else if (svg_is(name, length, "d")) {
        (void)fputs(" d=\"", tag);
        if (svg->in_definitions > 0 || !svg_polyline(tag, value, value_length)) {
            svg_rounded(tag, value, value_length, svg->in_definitions > 0 ? 3 : 1);
        }
        (void)fputc('"', tag);
    } else if (SVG_IN(svg_geometry, name, length) &&
               !(is_root && (svg_is(name, length, "width") || svg_is(name, length, "height")))) {
        bool fine = svg->in_definitions > 0 || strstr(name, "ransform") == name + 1;
        (void)fprintf(tag, " %.*s=\"", (int)length, name);
        svg_rounded(tag, value, value_length, fine ? 3 : 1);
        (void)fputc('"', tag);
    }
}

/* Reads attributes from after an element's name to its '>', and moves *at there. false: the tag is
 * not well-formed. */
static bool svg_attributes(const struct svg *svg, FILE *tag, FILE *style, const char **at)
{
    static const char blank[] = " \t\r\n";
    const char *name = *at + strspn(*at, blank);
    while (*name != '>' && *name != '/' && *name != '\0') {
        size_t length = strcspn(name, "= \t\r\n/>");
        const char *value = name + length + strspn(name + length, blank);
        if (length == 0 || *value != '=') {
            return false;
        }
        value += 1 + strspn(value + 1, blank);
        const char *end = *value == '"' || *value == '\'' ? strchr(value + 1, *value) : NULL;
        if (end == NULL) {
            return false;
        }
        svg_attribute(svg, tag, style, name, length, value + 1, (size_t)(end - value - 1));
        name = end + 1 + strspn(end + 1, blank);
    }
    *at = name;
    return *name != '\0';
}

/* ------------------------------------------------------------------------------------ elements */

static void svg_flush(struct svg *svg)
{
    for (size_t i = 0; i < svg->depth; i++) {
        if (svg->stack[i].tag != NULL) {
            (void)fputs(svg->stack[i].tag, svg->file);
            free(svg->stack[i].tag);
            svg->stack[i].tag = NULL;
        }
    }
}

static bool svg_is_left_out(const struct svg *svg)
{
    return svg->depth > 0 && svg->stack[svg->depth - 1].left_out;
}

/* Reads a tag up to its end, and moves *at there. NULL: it is not well-formed. The caller frees. */
static char *svg_tag(struct svg *svg, const char *name, size_t length, const char **at)
{
    char *tag = NULL;
    char *style = NULL;
    size_t tag_size;
    size_t style_size;
    FILE *tag_file = open_memstream(&tag, &tag_size);
    FILE *style_file = open_memstream(&style, &style_size);
    bool fine = tag_file != NULL && style_file != NULL;
    if (fine) {
        (void)fprintf(tag_file, "<%.*s", (int)length, name);
        fine = svg_attributes(svg, tag_file, style_file, at);
        (void)fflush(style_file);
        if (fine && style_size > 0) {
            (void)fprintf(tag_file, " class=\"g%zu\"", svg_class(svg->classes, style));
        }
        if (fine && svg->depth == 0) {
            (void)fputs(" role=\"img\" aria-label=\"", tag_file);
            html_text(tag_file, svg->place->alternative);
            (void)fputc('"', tag_file);
        }
    }
    if (tag_file != NULL) {
        (void)fclose(tag_file);
    }
    if (style_file != NULL) {
        (void)fclose(style_file);
    }
    free(style);
    if (!fine) {
        free(tag);
        return NULL;
    }
    return tag;
}

/* Opens an element; `at` is after its '<'. Returns the place after its '>'; NULL: it is not
 * well-formed. */
static const char *svg_open(struct svg *svg, const char *at)
{
    const char *name = at;
    size_t length = strcspn(at, " \t\r\n/>");
    bool left_out = svg_is_left_out(svg) || !SVG_IN(svg_elements, name, length);
    at += length;
    char *tag = length > 0 ? svg_tag(svg, name, length, &at) : NULL;
    if (tag == NULL || svg->depth == SVG_DEPTH_MAX) {
        free(tag);
        return NULL;
    }
    bool closed = *at == '/';
    if (closed && !left_out) {
        svg_flush(svg);
        (void)fprintf(svg->file, "%s/>", tag);
    }
    if (!closed) {
        svg->stack[svg->depth++] =
            (struct svg_element){.tag = left_out ? NULL : text_format("%s>", tag),
                                 .name = name,
                                 .length = length,
                                 .left_out = left_out};
        if (svg->in_definitions == 0 && svg_is(name, length, "defs")) {
            svg->in_definitions = svg->depth;
        }
        if (!left_out && (svg_is(name, length, "path") || svg_is(name, length, "rect") ||
                          svg_is(name, length, "polygon"))) {
            svg_flush(svg); /* an empty element that draws */
        }
    }
    free(tag);
    return closed ? (at[1] == '>' ? at + 2 : NULL) : at + 1;
}

static const char *svg_close(struct svg *svg, const char *at)
{
    size_t length = strcspn(at, " \t\r\n>");
    const char *end = strchr(at, '>');
    if (svg->depth == 0 || end == NULL) {
        return NULL;
    }
    struct svg_element *element = &svg->stack[--svg->depth];
    if (element->length != length || strncmp(element->name, at, length) != 0) {
        svg->depth++;
        return NULL;
    }
    if (svg->in_definitions > svg->depth) {
        svg->in_definitions = 0;
    }
    if (!element->left_out && element->tag == NULL) {
        (void)fprintf(svg->file, "</%.*s>", (int)length, at);
    }
    free(element->tag);
    element->tag = NULL;
    return end + 1;
}

/* Copies the text from `at` to the next '<', if it is in a text element. Entities stay as they
 * are. */
static const char *svg_text(struct svg *svg, const char *at)
{
    size_t length = strcspn(at, "<");
    const struct svg_element *element = svg->depth > 0 ? &svg->stack[svg->depth - 1] : NULL;
    bool wanted = element != NULL && !element->left_out &&
                  (svg_is(element->name, element->length, "text") ||
                   svg_is(element->name, element->length, "tspan"));
    if (wanted && strspn(at, " \t\r\n") < length) {
        svg_flush(svg);
        for (size_t i = 0; i < length; i++) {
            (void)fputc(at[i] == '>' ? ' ' : at[i], svg->file);
        }
    }
    return at + length;
}

/* Handles what begins at `at`, and returns the place after it; NULL: it is not well-formed. */
static const char *svg_step(struct svg *svg, const char *at)
{
    if (*at != '<') {
        return svg_text(svg, at);
    }
    if (at[1] == '/') {
        return svg_close(svg, at + 2);
    }
    if (at[1] != '?' && at[1] != '!') {
        return svg_open(svg, at + 1);
    }
    bool comment = strncmp(at, "<!--", 4) == 0;
    const char *end = strstr(at, comment ? "-->" : ">");
    return end != NULL ? end + (comment ? 3 : 1) : NULL;
}

enum status svg_inline(const char *text, const struct svg_place *place, struct text_list *classes,
                       FILE *file, struct error *error)
{
    struct svg svg = {.place = place, .classes = classes, .file = file};
    const char *at = strstr(text, "<svg");
    bool found = at != NULL;
    while (at != NULL && *at != '\0') {
        at = svg_step(&svg, at);
    }
    bool whole = found && at != NULL && svg.depth == 0;
    while (svg.depth > 0) {
        struct svg_element *element = &svg.stack[--svg.depth];
        if (!element->left_out && element->tag == NULL) {
            (void)fprintf(file, "</%.*s>", (int)element->length, element->name);
        }
        free(element->tag);
    }
    return whole ? STATUS_OK
                 : error_set(error, STATUS_CORRUPT, "the picture is no well-formed SVG");
}

void svg_print_classes(const struct text_list *classes, FILE *file)
{
    for (size_t i = 0; i < classes->count; i++) {
        (void)fprintf(file, ".g%zu{%s}\n", i, classes->items[i]);
    }
}
