#include "fuzz/said.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct said_message {
    const char *word;
    const char *prefix;
    size_t words; /* how many words of the rest belong to the kind */
};

static const struct said_message said_messages[] = {
    {"heapmill-fuzz: ORACLE ", "oracle", 1},
    {"ERROR: AddressSanitizer: ", "asan", 1},
    {"AddressSanitizer: CHECK failed: ", "asan CHECK", 1},
    {"runtime error: ", "undefined", 3},
    {"ERROR: libFuzzer: ", "libfuzzer", 2},
    {"heapmill: fatal: ", "fatal", 3},
    {"Assertion `", "assertion", 0},
};

/* Finds the first message in the output, and its place. NULL: there is none. */
static const struct said_message *said_find(const char *output, const char **at)
{
    const struct said_message *first = NULL;
    for (size_t i = 0; i < sizeof(said_messages) / sizeof(said_messages[0]); i++) {
        const char *found = strstr(output, said_messages[i].word);
        if (found != NULL && (first == NULL || found < *at)) {
            first = &said_messages[i];
            *at = found;
        }
    }
    return first;
}

bool fuzz_said_read(const char *output, struct fuzz_said *said)
{
    const char *at = NULL;
    const struct said_message *message = said_find(output, &at);
    *said = (struct fuzz_said){.whole = false};
    if (message == NULL) {
        return false;
    }
    at += strlen(message->word);
    size_t length = strcspn(at, "\n\r");
    said->whole = at[length] != '\0';
    (void)snprintf(said->text, sizeof(said->text), "%.*s", (int)length, at);
    char *operation = strstr(said->text, " (operation ");
    if (operation != NULL) {
        *operation = '\0';
    }
    size_t kind = 0;
    for (size_t i = 0; i < message->words && said->text[kind] != '\0'; i++) {
        kind += i > 0 ? strspn(said->text + kind, " ") : 0;
        kind += strcspn(said->text + kind, " :");
    }
    (void)snprintf(said->kind, sizeof(said->kind), "%s%s%.*s", message->prefix, kind > 0 ? " " : "",
                   (int)kind, said->text);
    if (strncmp(said->text + kind, ": ", 2) == 0) { /* the kind already has the text before it */
        memmove(said->text, said->text + kind + 2, strlen(said->text + kind + 2) + 1);
    }
    return true;
}

void fuzz_said_key(const char *kind, const char *text, char key[FUZZ_SAID_KEY_BYTES])
{
    size_t length = (size_t)snprintf(key, FUZZ_SAID_KEY_BYTES, "%.*s|", FUZZ_SAID_KIND_BYTES, kind);
    for (const char *from = strncmp(kind, "oracle", 6) == 0 ? text : "";
         *from != '\0' && length + 1 < FUZZ_SAID_KEY_BYTES; length++) {
        if (isdigit((unsigned char)*from) == 0) {
            key[length] = *from++;
            continue;
        }
        from += from[0] == '0' && from[1] == 'x' ? 2 : 0;
        while (isxdigit((unsigned char)*from) != 0) {
            from++;
        }
        key[length] = 'N';
    }
    key[length] = '\0';
}
