/* Frames: their slots and their callers are references like any other. */
#include "gc/frame.h"
#include "gc/tests/gc_test.h"

enum { FRAME_CHAIN = 100000 };

static void test_slots_are_released(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct frame_object *frame = frame_new(runtime, 3);
    assert_int_equal(frame->length, 3);
    assert_null(frame->slots[0]);
    assert_null(frame->slots[2]);
    frame->slots[1] = float_new(runtime, 1.5); /* the others stay empty */
    assert_true(gc_is_tracked(&frame->base));
    assert_int_equal(gc_check(runtime), 0);
    object_decref(runtime, &frame->base);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_frame_without_slots(void **state)
{
    struct gc_fixture *fixture = *state;
    object_decref(fixture->runtime, &frame_new(fixture->runtime, 0)->base);
    assert_int_equal(gc_test_live(fixture), 0);
}

/* A local variable that holds a list that holds the frame, as a traceback does. */
static void test_cycle_through_a_slot(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct frame_object *frame = frame_new(runtime, 2);
    struct object *list = list_new(runtime);
    assert_true(list_append(runtime, list, &frame->base));
    frame->slots[0] = list;
    assert_int_equal(gc_collect(runtime, 2), 0); /* it has a name still */
    object_decref(runtime, &frame->base);
    assert_int_equal(gc_test_live(fixture), 2);
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_cycle_through_the_caller(void **state)
{
    struct gc_fixture *fixture = *state;
    struct runtime *runtime = fixture->runtime;
    struct frame_object *caller = frame_new(runtime, 1);
    struct frame_object *callee = frame_new(runtime, 0);
    callee->back = caller;
    caller->slots[0] = &callee->base;
    object_incref(&caller->base);
    object_decref(runtime, &caller->base);
    assert_int_equal(gc_test_live(fixture), 2);
    assert_int_equal(gc_collect(runtime, 2), 2);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void *frame_drop_chain(void *context)
{
    struct gc_fixture *fixture = context;
    struct frame_object *top = NULL;
    for (int i = 0; i < FRAME_CHAIN; i++) {
        struct frame_object *frame = frame_new(fixture->runtime, 1);
        if (frame == NULL) {
            break;
        }
        frame->back = top;
        top = frame;
    }
    if (top != NULL) {
        object_decref(fixture->runtime, &top->base);
    }
    return NULL;
}

/* A deep recursion that is given up: each frame releases its caller. */
static void test_deep_chain_of_callers(void **state)
{
    struct gc_fixture *fixture = *state;
    gc_test_on_small_stack(frame_drop_chain, fixture);
    assert_int_equal(gc_test_live(fixture), 0);
}

static void test_frame_without_memory(void **state)
{
    struct runtime *runtime = ((struct gc_fixture *)*state)->runtime;
    heap_faults = (struct heap_faults){.first = 1, .last = 1};
    assert_null(frame_new(runtime, 3));
    heap_faults = (struct heap_faults){0};
    assert_int_equal(gc_check(runtime), 0);
}

int frame_test(void)
{
    const struct CMUnitTest frame_tests[] = {
        GC_TEST(test_frame_without_memory),     GC_TEST(test_slots_are_released),
        GC_TEST(test_frame_without_slots),      GC_TEST(test_cycle_through_a_slot),
        GC_TEST(test_cycle_through_the_caller), GC_TEST(test_deep_chain_of_callers),
    };
    return cmocka_run_group_tests(frame_tests, NULL, NULL);
}
