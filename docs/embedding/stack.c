/* A small interpreter that is not heapmill's, over `pools`: the worked example of
 * docs/embedding.md.
 *
 * A program is words on the command line. A number is pushed; + and * take two numbers; `dup`,
 * `drop`; `[` and `]` make a list of what is pushed between them; `sum` adds a list up; `N times
 * WORD` does a word N times. What is left is printed, and then what the heap says of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocators/pools/pools.h"

enum { STACK_MAX = 1000 };

enum kind { NUMBER, LIST };

/* Two types of two sizes: who frees a value knows which, and so does `pools`. */
struct value {
    int count; /* references */
    enum kind kind;
};
struct number {
    struct value base;
    long long number;
};
struct list {
    struct value base;
    size_t length;
    size_t capacity;
    struct value **items;
};

static struct pools_heap memory; /* one for the process; a second one would be independent */
static struct value *operands[STACK_MAX];
static size_t depth;

static void *take(void *block)
{
    if (block == NULL) {
        (void)fputs("stack: out of memory\n", stderr);
        exit(3);
    }
    return block;
}

static struct value *number_new(long long number)
{
    /* The size is a constant: the class is known when this is compiled. */
    struct number *made = take(pools_alloc(&memory, sizeof(*made), HEAP_INT));
    *made = (struct number){{1, NUMBER}, number};
    return &made->base;
}

static struct value *list_new(void)
{
    struct list *made = take(pools_alloc(&memory, sizeof(*made), HEAP_LIST));
    *made = (struct list){{1, LIST}, 0, 0, NULL};
    return &made->base;
}

static void list_append(struct list *list, struct value *item)
{
    size_t bytes = list->capacity * sizeof(item);
    if (list->length == list->capacity) {
        size_t more = bytes == 0 ? 4 * sizeof(item) : 2 * bytes;
        list->items =
            take(bytes == 0 ? pools_alloc(&memory, more, HEAP_BUFFER)
                            : pools_resize(&memory, list->items, bytes, more, HEAP_BUFFER));
        list->capacity = more / sizeof(item);
    }
    list->items[list->length++] = item;
}

static void release(struct value *value)
{
    if (--value->count > 0) {
        return;
    }
    if (value->kind == NUMBER) {
        pools_free(&memory, value, sizeof(struct number), HEAP_INT);
        return;
    }
    struct list *list = (struct list *)value;
    for (size_t i = 0; i < list->length; i++) {
        release(list->items[i]);
    }
    if (list->items != NULL) {
        pools_free(&memory, list->items, list->capacity * sizeof(list->items[0]), HEAP_BUFFER);
    }
    pools_free(&memory, list, sizeof(*list), HEAP_LIST);
}

static void push(struct value *value)
{
    if (depth == STACK_MAX) {
        (void)fputs("stack: too deep\n", stderr);
        exit(2);
    }
    operands[depth++] = value;
}

static struct value *pop(enum kind kind)
{
    if (depth == 0 || operands[depth - 1]->kind != kind) {
        (void)fputs("stack: a word finds nothing of its kind\n", stderr);
        exit(2);
    }
    return operands[--depth];
}

static long long pop_number(void)
{
    struct value *value = pop(NUMBER);
    long long number = ((struct number *)value)->number;
    release(value);
    return number;
}

static long long pop_sum(void)
{
    struct list *list = (struct list *)pop(LIST);
    long long sum = 0;
    for (size_t i = 0; i < list->length; i++) {
        sum += list->items[i]->kind == NUMBER ? ((struct number *)list->items[i])->number : 0;
    }
    release(&list->base);
    return sum;
}

static size_t marks[STACK_MAX]; /* where each `[` that is open was */
static size_t mark_count;

static void close_list(void)
{
    size_t from = mark_count == 0 ? depth : marks[--mark_count];
    struct value *made = list_new();
    for (size_t i = from; i < depth; i++) {
        list_append((struct list *)made, operands[i]);
    }
    depth = from;
    push(made);
}

static void execute(const char *word)
{
    if (strcmp(word, "+") == 0) {
        push(number_new(pop_number() + pop_number()));
    } else if (strcmp(word, "*") == 0) {
        push(number_new(pop_number() * pop_number()));
    } else if (strcmp(word, "dup") == 0 && depth > 0) {
        operands[depth - 1]->count++;
        push(operands[depth - 1]);
    } else if (strcmp(word, "drop") == 0 && depth > 0) {
        release(operands[--depth]);
    } else if (strcmp(word, "[") == 0 && mark_count < STACK_MAX) {
        marks[mark_count++] = depth;
    } else if (strcmp(word, "]") == 0) {
        close_list();
    } else if (strcmp(word, "sum") == 0) {
        push(number_new(pop_sum()));
    } else {
        push(number_new(strtoll(word, NULL, 10)));
    }
}

int main(int argc, char **argv)
{
    struct error error;
    if (pools_open(&memory, NULL, &error) != STATUS_OK) {
        (void)fprintf(stderr, "stack: %s\n", error.message);
        return 3;
    }
    for (int i = 1; i < argc; i++) {
        long long times = 1;
        if (strcmp(argv[i], "times") == 0 && i + 1 < argc) {
            times = pop_number();
            i++;
        }
        for (; times > 0; times--) {
            execute(argv[i]);
        }
    }
    while (depth > 0) {
        if (operands[depth - 1]->kind == LIST) {
            (void)printf("list of %zu\n", ((struct list *)operands[depth - 1])->length);
            release(operands[--depth]);
        } else {
            (void)printf("%lld\n", pop_number());
        }
    }
    struct heap_stats stats;
    pools_stats(&memory, &stats);
    (void)printf("%zu blocks live, %zu invariants broken\n", stats.blocks_live,
                 pools_check(&memory));
    pools_close(&memory);
    return stats.blocks_live == 0 ? 0 : 1;
}
