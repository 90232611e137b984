/* Automatic mutants: versions of a C file that differ from it in one token, each a small mistake
 * that somebody could have made. The share of them that the tests and the fuzzing notice shows how
 * good these are (DeMillo, Lipton and Sayward: "Hints on Test Data Selection", Computer 11(4),
 * 1978; the kinds are the sufficient ones of Offutt et al., ACM TOSEM 5(2), 1996, and statement
 * deletion).
 *
 * Comments, strings, preprocessor lines, struct bodies and the arguments of assertions are not
 * mutated. A file is read without a preprocessor, so some mutants do not compile. */
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
    size_t partner;     /* of a bracket: the index of its partner; SIZE_MAX: none */
    bool is_left_alone; /* it is in an assertion, in a struct's body, or outside all braces */
};

struct token_list {
    const char *text; /* the caller's, zero-terminated; must outlive the list */
    struct token *tokens;
    size_t count;
};

/* Reads a C text; false: out of memory. Release with token_list_free. */
bool token_list_read(struct token_list *list, const char *text);
void token_list_free(struct token_list *list);
bool token_is(const struct token_list *list, size_t index, const char *spelling);

/* ---------------------------------------------------------------- mutants */
enum { MUTANT_TEXT_BYTES = 32 };

/* Replaces the removed bytes at the offset by the text: one token is replaced, removed or
 * inserted. */
struct mutant {
    const char *kind;
    size_t offset;
    size_t removed;
    size_t line; /* of the token, or of the one that it is inserted before */
    size_t column;
    char text[MUTANT_TEXT_BYTES];
};

struct mutant_list {
    struct mutant *mutants;
    size_t count;
};

/* Makes all mutants in the order of the text; a token has at most one of each kind. false: out of
 * memory. Release with mutant_list_free. */
bool mutant_list_make(struct mutant_list *list, const struct token_list *tokens);
void mutant_list_free(struct mutant_list *list);

/* The mutated text, which the caller frees; NULL: out of memory. */
char *mutant_apply(const struct mutant *mutant, const char *text);

#endif
