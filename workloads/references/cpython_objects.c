/* The references `cpython-objects-3.9` to `cpython-objects-3.14`: gc/object.h over libpython.
 *
 * The object workloads are compiled against gc/object.h as ever, and linked with this file instead
 * of gc/: a list is a PyList, a full collection is gc.collect(2). So the same program text builds
 * the same shapes and times the same calls, and what differs is the object layer. struct object is
 * the first 16 bytes of PyObject (a count, whose upper half stays 0 below 2^31 references, or has
 * flags in 3.14, and a type), so the inlined incref and decref are Py_INCREF and Py_DECREF up
 * to 3.11 to the instruction; from 3.12 on they leave immortal objects alone as those do
 * (gc/object.h).
 *
 * Up to 3.11 an allocation that exceeds the threshold collects. From 3.12 on it only asks for a
 * collection, which the evaluation loop begins at its next check. There is none here, so each
 * function that makes a container checks when it is done (PyErr_CheckSignals, some 3 ns, which an
 * interpreter's loop spends too).
 *
 * The interpreter is isolated: no site, no environment, no signal handlers. Its collector's pauses
 * are read by a callback in gc.callbacks, which costs some 1 us a collection and is not part of the
 * pause. What CPython does not say (containers visited) is 0 here.
 *
 * Limits: one runtime at a time, since libpython's state is the process's. Interpreter frames,
 * finalizers and weak references are not here, so workloads of them are not in this worker. The
 * contract counts none of the allocations; a leak is a tracked container too many at the end.
 *
 * Alone in its translation unit, as Python.h defines macros of its own. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "allocators/cpython_interpreter.h"
#include "gc/object.h"
#include "gc/pauses.h"

struct runtime {
    struct heap *heap;
    PyObject *gc;             /* the module */
    PyObject *classes;        /* dict: name to class */
    PyObject *collected_name; /* "collected" */
    uint64_t collected;
    uint64_t tracked_at_start;
    struct pauses pauses;
};

static struct runtime cpython_runtime;

static PyObject *py(const struct object *object)
{
    return (PyObject *)(uintptr_t)object;
}

/* NULL means an exhausted heap; the exception is cleared. */
static struct object *cpython_object(PyObject *object)
{
    if (object == NULL) {
        PyErr_Clear();
    }
    return (struct object *)(void *)object;
}

static bool cpython_ok(int result)
{
    if (result != 0) {
        PyErr_Clear();
    }
    return result == 0;
}

/* ---------------------------------------------------------------- the collector */
static PyObject *cpython_call_gc(const char *name, PyObject *argument)
{
    PyObject *function = PyObject_GetAttrString(cpython_runtime.gc, name);
    PyObject *result = NULL;
    if (function != NULL) {
        result = argument == NULL ? PyObject_CallNoArgs(function)
                                  : PyObject_CallOneArg(function, argument);
    }
    Py_XDECREF(function);
    return result;
}

/* A callback in gc.callbacks: ("start" or "stop", info). Measuring begins last at "start", and ends
 * first at "stop". */
static PyObject *cpython_collection_phase(PyObject *self, PyObject *const *arguments,
                                          Py_ssize_t count)
{
    (void)self;
    if (count > 0 && PyUnicode_READ_CHAR(arguments[0], 2) == 'a') { /* st_a_rt, st_o_p */
        pauses_begin(&cpython_runtime.pauses);
    } else if (count > 1) {
        PyObject *freed = PyDict_GetItemWithError(arguments[1], cpython_runtime.collected_name);
        cpython_runtime.collected += freed == NULL ? 0 : PyLong_AsUnsignedLongLong(freed);
        pauses_end(&cpython_runtime.pauses, 0);
    }
    Py_INCREF(Py_None); /* Py_NewRef exists only from 3.10 on */
    return Py_None;
}

static PyMethodDef cpython_callback = {
    "heapmill_phase", (PyCFunction)(void (*)(void))cpython_collection_phase, METH_FASTCALL, NULL};

static bool cpython_add_callback(void)
{
    PyObject *callbacks = PyObject_GetAttrString(cpython_runtime.gc, "callbacks");
    PyObject *callback = PyCFunction_New(&cpython_callback, NULL);
    bool added = callbacks != NULL && callback != NULL && PyList_Append(callbacks, callback) == 0;
    Py_XDECREF(callbacks);
    Py_XDECREF(callback);
    return added;
}

uint64_t gc_collect(struct runtime *runtime, int generation)
{
    (void)runtime;
    PyObject *number = PyLong_FromLong(generation);
    PyObject *freed = number == NULL ? NULL : cpython_call_gc("collect", number);
    uint64_t result = freed == NULL ? 0 : PyLong_AsUnsignedLongLong(freed);
    Py_XDECREF(number);
    Py_XDECREF(freed);
    PyErr_Clear();
    return result;
}

uint64_t gc_collected(const struct runtime *runtime)
{
    return runtime->collected;
}

void gc_enable(struct runtime *runtime, bool enabled)
{
    (void)runtime;
    Py_XDECREF(cpython_call_gc(enabled ? "enable" : "disable", NULL));
}

static uint64_t cpython_tracked(void)
{
    PyObject *objects = cpython_call_gc("get_objects", NULL);
    uint64_t count = objects == NULL ? 0 : (uint64_t)PyList_GET_SIZE(objects);
    Py_XDECREF(objects);
    PyErr_Clear();
    return count;
}

static uint64_t cpython_member(PyObject *dict, const char *name)
{
    PyObject *value = PyDict_GetItemString(dict, name); /* borrowed */
    return value == NULL ? 0 : PyLong_AsUnsignedLongLong(value);
}

void runtime_stats(const struct runtime *runtime, struct gc_stats *stats)
{
    uint64_t tracked = cpython_tracked();
    uint64_t own =
        runtime
            ->tracked_at_start; /* the interpreter's own containers, some of which may have died */
    *stats = (struct gc_stats){.tracked = tracked > own ? tracked - own : 0};
    PyObject *all = cpython_call_gc("get_stats", NULL);
    for (int i = 0; all != NULL && i < GC_GENERATIONS; i++) {
        PyObject *generation = PyList_GetItem(all, i); /* borrowed */
        stats->collections[i] = cpython_member(generation, "collections");
        stats->collected += cpython_member(generation, "collected");
    }
    Py_XDECREF(all);
    PyErr_Clear();
}

size_t gc_check(const struct runtime *runtime)
{
    (void)runtime;
    return 0;
}

bool gc_is_tracked(const struct object *object)
{
    return PyObject_GC_IsTracked(py(object)) != 0;
}

/* ---------------------------------------------------------------- the runtime */
struct runtime *runtime_open_with(struct heap *heap, const struct gc_policy *policy,
                                  struct error *error)
{
    (void)policy;
    struct runtime *runtime = &cpython_runtime;
    if (cpython_interpreter_start(error) != STATUS_OK) {
        return NULL;
    }
    runtime->heap = heap;
    runtime->gc = PyImport_ImportModule("gc");
    runtime->classes = PyDict_New();
    runtime->collected_name = PyUnicode_InternFromString("collected");
    if (runtime->gc == NULL || runtime->classes == NULL || runtime->collected_name == NULL ||
        !cpython_add_callback()) {
        PyErr_Clear();
        error_set(error, STATUS_UNSUPPORTED, "libpython has no module gc with callbacks");
        return NULL;
    }
    pauses_reset(&runtime->pauses);
    gc_enable(runtime, true);
    (void)gc_collect(runtime, GC_GENERATIONS - 1); /* for containers of the interpreter's start */
    runtime->tracked_at_start = cpython_tracked();
    return runtime;
}

uint64_t runtime_close(struct runtime *runtime)
{
    gc_enable(runtime, true);
    PyDict_Clear(runtime->classes);
    (void)gc_collect(runtime, GC_GENERATIONS - 1);
    uint64_t tracked = cpython_tracked();
    Py_CLEAR(runtime->classes);
    Py_CLEAR(runtime->gc);
    return tracked > runtime->tracked_at_start ? tracked - runtime->tracked_at_start : 0;
}

struct heap *runtime_heap(struct runtime *runtime)
{
    return runtime->heap;
}

uint64_t runtime_objects_live(const struct runtime *runtime)
{
    (void)runtime;
    return cpython_tracked();
}

struct pauses *runtime_pauses(struct runtime *runtime)
{
    return &runtime->pauses;
}

void object_release(struct runtime *runtime, struct object *object)
{
    (void)runtime;
    _Py_Dealloc(py(object));
}

/* Called for a new container: begins the collection that its allocation has requested. */
static struct object *cpython_container(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030C0000
    (void)PyErr_CheckSignals();
#endif
    return cpython_object(object);
}

/* ---------------------------------------------------------------- atoms */
struct object *int_new(struct runtime *runtime, int64_t value)
{
    (void)runtime;
    return cpython_object(PyLong_FromLongLong(value));
}

int64_t int_value(const struct object *object)
{
    return PyLong_AsLongLong(py(object));
}

struct object *float_new(struct runtime *runtime, double value)
{
    (void)runtime;
    return cpython_object(PyFloat_FromDouble(value));
}

double float_value(const struct object *object)
{
    return PyFloat_AS_DOUBLE(py(object));
}

struct object *str_new(struct runtime *runtime, const char *text, size_t length)
{
    (void)runtime;
    PyObject *str = PyUnicode_New((Py_ssize_t)length, 127);
    if (str != NULL && text != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(str), text, length);
    }
    return cpython_object(str);
}

struct object *str_intern(struct runtime *runtime, const char *text, size_t length)
{
    PyObject *str = py(str_new(runtime, text, length));
    if (str != NULL) {
        PyUnicode_InternInPlace(&str);
    }
    return cpython_object(str);
}

char *str_bytes(struct object *object)
{
    return (char *)PyUnicode_1BYTE_DATA(py(object));
}

size_t str_length(const struct object *object)
{
    return (size_t)PyUnicode_GET_LENGTH(py(object));
}

uint64_t str_hash(struct object *object)
{
    return (uint64_t)PyObject_Hash(py(object));
}

bool str_equal(struct object *a, struct object *b)
{
    return PyUnicode_Compare(py(a), py(b)) == 0;
}

/* ---------------------------------------------------------------- tuples and lists */
struct object *tuple_new(struct runtime *runtime, size_t length)
{
    (void)runtime;
    return cpython_container(PyTuple_New((Py_ssize_t)length));
}

void tuple_give_item(struct object *tuple, size_t index, struct object *item)
{
    PyTuple_SET_ITEM(py(tuple), (Py_ssize_t)index, py(item));
}

struct object *tuple_item(const struct object *tuple, size_t index)
{
    return cpython_object(PyTuple_GET_ITEM(py(tuple), (Py_ssize_t)index));
}

size_t tuple_length(const struct object *tuple)
{
    return (size_t)PyTuple_GET_SIZE(py(tuple));
}

struct object *list_new(struct runtime *runtime)
{
    (void)runtime;
    return cpython_container(PyList_New(0));
}

bool list_append(struct runtime *runtime, struct object *list, struct object *item)
{
    (void)runtime;
    return cpython_ok(PyList_Append(py(list), py(item)));
}

void list_give_item(struct runtime *runtime, struct object *list, size_t index, struct object *item)
{
    (void)runtime;
    (void)cpython_ok(PyList_SetItem(py(list), (Py_ssize_t)index, py(item)));
}

struct object *list_item(const struct object *list, size_t index)
{
    return cpython_object(PyList_GET_ITEM(py(list), (Py_ssize_t)index));
}

/* libpython exports no list.pop; a slice of one is the nearest function. */
struct object *list_pop(struct runtime *runtime, struct object *list)
{
    (void)runtime;
    Py_ssize_t length = PyList_GET_SIZE(py(list));
    PyObject *item = PyList_GET_ITEM(py(list), length - 1);
    Py_INCREF(item);
    (void)cpython_ok(PyList_SetSlice(py(list), length - 1, length, NULL));
    return cpython_object(item);
}

void list_clear(struct runtime *runtime, struct object *list)
{
    (void)runtime;
    (void)cpython_ok(PyList_SetSlice(py(list), 0, PY_SSIZE_T_MAX, NULL));
}

size_t list_length(const struct object *list)
{
    return (size_t)PyList_GET_SIZE(py(list));
}

/* ---------------------------------------------------------------- dicts */
struct object *dict_new(struct runtime *runtime)
{
    (void)runtime;
    return cpython_container(PyDict_New());
}

bool dict_set(struct runtime *runtime, struct object *dict, struct object *key,
              struct object *value)
{
    (void)runtime;
    return cpython_ok(PyDict_SetItem(py(dict), py(key), py(value)));
}

struct object *dict_get(const struct object *dict, struct object *key)
{
    return cpython_object(PyDict_GetItemWithError(py(dict), py(key)));
}

bool dict_delete(struct runtime *runtime, struct object *dict, struct object *key)
{
    (void)runtime;
    return cpython_ok(PyDict_DelItem(py(dict), py(key)));
}

size_t dict_length(const struct object *dict)
{
    return (size_t)PyDict_Size(py(dict));
}

bool dict_next(const struct object *dict, size_t *position, struct object **key,
               struct object **value)
{
    PyObject *found_key = NULL;
    PyObject *found_value = NULL;
    Py_ssize_t at = (Py_ssize_t)*position;
    bool found = PyDict_Next(py(dict), &at, &found_key, &found_value) != 0;
    *position = (size_t)at;
    if (found && key != NULL) {
        *key = cpython_object(found_key);
    }
    if (found && value != NULL) {
        *value = cpython_object(found_value);
    }
    return found;
}

/* ---------------------------------------------------------------- instances */
/* The class of that name, made as by `class NAME: pass`. Borrowed; NULL: the heap is exhausted. */
static PyObject *cpython_class(PyObject *name)
{
    PyObject *known = PyDict_GetItemWithError(cpython_runtime.classes, name);
    if (known == NULL && !PyErr_Occurred()) {
        known = PyObject_CallFunction((PyObject *)&PyType_Type, "O(O){}", name,
                                      (PyObject *)&PyBaseObject_Type);
        if (known != NULL) {
            bool kept = PyDict_SetItem(cpython_runtime.classes, name, known) == 0;
            Py_DECREF(known);
            known = kept ? known : NULL;
        }
    }
    return known;
}

/* Does what object.__new__ does, without arguments. */
struct object *instance_new(struct runtime *runtime, struct object *class_name)
{
    (void)runtime;
    PyTypeObject *class = (PyTypeObject *)cpython_class(py(class_name));
    return cpython_container(class == NULL ? NULL : class->tp_alloc(class, 0));
}

bool instance_set_attribute(struct runtime *runtime, struct object *instance, struct object *name,
                            struct object *value)
{
    (void)runtime;
    return cpython_ok(PyObject_GenericSetAttr(py(instance), py(name), py(value)));
}

bool instance_delete_attribute(struct runtime *runtime, struct object *instance,
                               struct object *name)
{
    return instance_set_attribute(runtime, instance, name, NULL);
}

struct object *instance_attribute(const struct object *instance, struct object *name)
{
    PyObject *value = PyObject_GenericGetAttr(py(instance), py(name));
    Py_XDECREF(value); /* it was borrowed: the instance's own reference stays */
    return cpython_object(value);
}

struct object *instance_class_name(const struct object *instance)
{
    return cpython_object(((PyHeapTypeObject *)Py_TYPE(py(instance)))->ht_name);
}
