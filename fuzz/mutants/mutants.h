/* Automatic mutants: versions of a C file that differ from it in one token, each a small mistake
 * that somebody could have made. How many of them the tests and the fuzzing notice says how good
 * these are (DeMillo, Lipton and Sayward: "Hints on Test Data Selection", Computer 11(4), 1978; the
 * kinds are the sufficient ones of Offutt et al., ACM TOSEM 5(2), 1996, and statement deletion).
 *
 * Comments, strings, preprocessor lines, struct bodies and the arguments of assertions are left
 * alone. A file is read without a preprocessor, so some mutants do not compile. */
#ifndef HEAPMILL_FUZZ_MUTANTS_MUTANTS_H
#define HEAPMILL_FUZZ_MUTANTS_MUTANTS_H

#include <stdbool.h>
#include <stddef.h>

/* ---------------------------------------------------------------- tokens */
enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_LITERAL, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    size_t offset; /* in the text, bytes */
    size_t length;
    size_t line; /* from 1 */
    size_t column;
    size_t partner;     /* of a bracket: the index of the other one; SIZE_MAX if there is none */
    bool is_left_alone; /* within an assertion, a struct's body or outside of all braces */
};

struct token_list {
    const char *text; /* the caller's, ends in a zero; the list is good for as long as it is */
    struct token *tokens;
    size_t count;
};

/* Reads a C text; false when memory is exhausted. Release with token_list_free. */
bool token_list_read(struct token_list *list, const char *text);
void token_list_free(struct token_list *list);
bool token_is(const struct token_list *list, size_t index, const char *spelling);

/* ---------------------------------------------------------------- mutants */
enum { MUTANT_TEXT_BYTES = 32 };

/* Instead of the removed bytes at the offset, the text: one token is replaced, left out or put in.
 */
struct mutant {
    const char *kind;
    size_t offset;
    size_t removed;
    size_t line; /* of the token, or of the one that it is put before */
    size_t column;
    char text[MUTANT_TEXT_BYTES];
};

struct mutant_list {
    struct mutant *mutants;
    size_t count;
};

/* All mutants in the order of the text; no two of a token have the same kind. false when memory is
 * exhausted. Release with mutant_list_free. */
bool mutant_list_make(struct mutant_list *list, const struct token_list *tokens);
void mutant_list_free(struct mutant_list *list);

/* The mutated text, the caller's to free; NULL when memory is exhausted. */
char *mutant_apply(const struct mutant *mutant, const char *text);

#endif
