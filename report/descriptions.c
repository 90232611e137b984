/* Extracts paragraphs from the opening comments of sources. */
#include <stdlib.h>
#include <string.h>

#include "report/part.h"

bool report_describe(const struct report_description *descriptions, const char *name,
                     struct document *document)
{
    while (descriptions->name != NULL && strcmp(descriptions->name, name) != 0) {
        descriptions++;
    }
    if (descriptions->name == NULL) {
        return false;
    }
    struct text_list lines = {0};
    struct text_list paragraph = {0};
    text_split(&lines, descriptions->text, '\n');
    text_list_add(&lines, text_format("%s", "")); /* ends the last paragraph */
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        bool empty = line[strspn(line, " ")] == '\0';
        if (empty && paragraph.count > 0) {
            char *joined = text_join(&paragraph, " ");
            document_add(document, BLOCK_PARAGRAPH, "%s", joined);
            free(joined);
            text_list_free(&paragraph);
            paragraph = (struct text_list){0};
        } else if (!empty) {
            text_list_add(&paragraph, text_format("%s", line + strspn(line, " ")));
        }
    }
    text_list_free(&paragraph);
    text_list_free(&lines);
    return true;
}
