/* The free lists of a libpython against the caps of freelist-3.x: how many dead objects of a type
 * keep their blocks. More objects are made than any list holds, which empties it first; then all
 * die, and sys.getallocatedblocks tells how many blocks have stayed. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "allocators/cpython_interpreter.h"

enum { OBJECTS = 3000, TUPLE_LENGTH = 3 };

static PyObject *make_float(int i)
{
    return PyFloat_FromDouble(i);
}

static PyObject *make_list(int i)
{
    (void)i;
    return PyList_New(0);
}

static PyObject *make_dict(int i)
{
    (void)i;
    return PyDict_New();
}

static PyObject *make_tuple(int i)
{
    (void)i;
    return PyTuple_New(TUPLE_LENGTH);
}

static PyObject *make_int(int i)
{
    return PyLong_FromLong(100000 + i);
}

/* The blocks of dead objects that the type's free list has kept; each object is one block. */
static size_t kept_blocks(PyObject *(*make)(int))
{
    static PyObject *objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = make(i);
        assert_non_null(objects[i]);
    }
    size_t before = cpython_interpreter_blocks();
    for (int i = 0; i < OBJECTS; i++) {
        Py_DECREF(objects[i]);
    }
    return OBJECTS - (before - cpython_interpreter_blocks());
}

static void test_free_lists_keep_as_many_as_ours(void **state)
{
    (void)state;
    assert_int_equal(cpython_interpreter_start(NULL), STATUS_OK);
    PyObject *gc = PyImport_ImportModule("gc");
    assert_non_null(gc);
    Py_XDECREF(PyObject_CallMethod(gc, "disable", NULL));
    assert_int_equal(kept_blocks(make_float), FREELIST_FLOAT_CAP);
    assert_int_equal(kept_blocks(make_list), FREELIST_LIST_CAP);
    assert_int_equal(kept_blocks(make_dict), FREELIST_DICT_CAP);
    assert_int_equal(kept_blocks(make_tuple), FREELIST_TUPLE_CAP);
    /* Ints have a list again since 3.14 (Py_ints_MAXFREELIST). */
    assert_int_equal(kept_blocks(make_int), PY_MINOR_VERSION >= 14 ? 100 : FREELIST_INT_CAP);
    Py_DECREF(gc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_lists_keep_as_many_as_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
