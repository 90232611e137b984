/* What mail about a page must bear that its owner releases meanwhile, step by step: the sender is
 * held where a test wants it (pools_pause), and the owner acts in between, as it might by chance.
 *
 * The sender is the main thread. The owner and, in the second case, one more sender are threads
 * that do one thing at a time, when they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

#include "allocators/backend.h"
#include "allocators/pools/pools_internal.h"

enum {
    SIZE = 80,     /* shares cache lines with its neighbours, so that a stranger sends it home */
    BLOCKS = 20000 /* many pages */
};

static struct heap mail_heap;
static void *mail_blocks[BLOCKS];
static uint32_t last_unit; /* of the page whose message is held */

/* ---------------------------------------------------------------- threads that do as told */
struct actor {
    pthread_t thread;
    sem_t go;
    sem_t done;
    void (*act)(void); /* NULL: end */
};
static struct actor mail_owner;
static struct actor mail_other;

static void *actor_run(void *argument)
{
    struct actor *actor = argument;
    for (;;) {
        (void)sem_wait(&actor->go);
        if (actor->act == NULL) {
            heap_thread_end(&mail_heap);
            return NULL;
        }
        actor->act();
        (void)sem_post(&actor->done);
    }
}

static void actor_begin(struct actor *actor)
{
    assert_int_equal(0, sem_init(&actor->go, 0, 0));
    assert_int_equal(0, sem_init(&actor->done, 0, 0));
    assert_int_equal(0, pthread_create(&actor->thread, NULL, actor_run, actor));
}

static void actor_do(struct actor *actor, void (*act)(void))
{
    actor->act = act;
    (void)sem_post(&actor->go);
    (void)sem_wait(&actor->done);
}

static void actor_end(struct actor *actor)
{
    actor->act = NULL;
    (void)sem_post(&actor->go);
    (void)pthread_join(actor->thread, NULL);
    (void)sem_destroy(&actor->go);
    (void)sem_destroy(&actor->done);
}

/* ---------------------------------------------------------------- pauses */
/* What happens at the next pause of a kind, once, and not in a pause within it. */
static void (*at_pause[2])(void);
static _Thread_local bool is_sender;

void pools_pause(enum pools_pause where)
{
    void (*act)(void) = is_sender ? at_pause[where] : NULL;
    if (act != NULL) {
        at_pause[where] = NULL;
        act();
    }
}

/* ---------------------------------------------------------------- what the threads do */
static void take_all(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        mail_blocks[i] = heap_alloc(&mail_heap, SIZE, HEAP_RAW);
    }
}

/* The owner reads its mail, and releases the pages of which all blocks have come back. */
static void trim(void)
{
    heap_trim(&mail_heap);
}

static void free_one_of_the_last_page(void)
{
    size_t i = 0;
    while (i < BLOCKS && pools_unit_of(&mail_heap.source, mail_blocks[i]) != last_unit) {
        i++;
    }
    assert_true(i < BLOCKS);
    heap_free(&mail_heap, mail_blocks[i], SIZE, HEAP_RAW);
    heap_trim(&mail_heap); /* delivers */
}

static void owner_trims(void)
{
    actor_do(&mail_owner, trim);
}

/* The page has gone; the unit becomes one again, and a block of that is freed, whose sender finds
 * the flag set by the one that is held. */
static void owner_takes_and_other_frees(void)
{
    actor_do(&mail_owner, take_all);
    actor_do(&mail_other, free_one_of_the_last_page);
}

static void assert_live(size_t expected)
{
    struct heap_stats stats;
    heap_stats(&mail_heap, &stats);
    assert_int_equal(expected, stats.blocks_live);
    assert_int_equal(0, heap_check(&mail_heap));
}

static void begin(void)
{
    at_pause[POOLS_PAUSE_SET] = at_pause[POOLS_PAUSE_GONE] = NULL;
    assert_int_equal(STATUS_OK, heap_open(&mail_heap, NULL, NULL));
    actor_begin(&mail_owner);
    actor_begin(&mail_other);
    actor_do(&mail_owner, take_all);
    is_sender = true;
}

static void end(void)
{
    actor_end(&mail_owner);
    actor_end(&mail_other);
    heap_thread_end(&mail_heap);
    heap_close(&mail_heap);
}

/* Sends all blocks home; the last delivery is held once all its bits but not its message are
 * out, and the owner, which has older mail about the same pages, finds the bits by itself. */
static void send_all(void)
{
    for (size_t i = 0; i + 1 < BLOCKS; i++) {
        heap_free(&mail_heap, mail_blocks[i], SIZE, HEAP_RAW);
    }
    struct pools_local *local = pools_local_get(&mail_heap.source);
    pools_outbox_deliver(&mail_heap.source,
                         local); /* what is left is one block: one bit, one message */
    last_unit = pools_unit_of(&mail_heap.source, mail_blocks[BLOCKS - 1]);
    at_pause[POOLS_PAUSE_SET] = owner_trims;
    heap_free(&mail_heap, mail_blocks[BLOCKS - 1], SIZE, HEAP_RAW);
    pools_outbox_deliver(&mail_heap.source, local);
}

static void test_a_message_about_a_page_that_is_gone(void **state)
{
    (void)state;
    begin();
    send_all();
    assert_null(at_pause[POOLS_PAUSE_SET]);
    assert_live(0);
    assert_int_equal(0, mail_heap.source.used_units); /* so it was gone when its message was sent */
    end();
}

static void test_a_page_that_comes_again_while_its_flag_is_stale(void **state)
{
    (void)state;
    begin();
    at_pause[POOLS_PAUSE_GONE] = owner_takes_and_other_frees;
    send_all();
    assert_null(at_pause[POOLS_PAUSE_GONE]);
    assert_live(BLOCKS - 1);
    owner_trims();
    assert_live(BLOCKS - 1);
    const struct pools_page *page = &mail_heap.source.pages[last_unit];
    for (uint32_t word = 0; word < page->words; word++) {
        assert_int_equal(0, page->remote[word]); /* the owner was told */
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_about_a_page_that_is_gone),
        cmocka_unit_test(test_a_page_that_comes_again_while_its_flag_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
