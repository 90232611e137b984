/* Alone in its translation unit, as Python.h defines macros of its own, some of them feature-test
 * macros. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "allocators/cpython_interpreter.h"

enum status cpython_interpreter_start(struct error *error)
{
    if (Py_IsInitialized()) {
        return STATUS_OK;
    }
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        return error_set(error, STATUS_UNSUPPORTED,
                         "libpython cannot be started: %s; install libpython3.%d-stdlib",
                         status.err_msg == NULL ? "no reason given" : status.err_msg,
                         PY_MINOR_VERSION);
    }
    return STATUS_OK;
}

#if PY_MINOR_VERSION < 12
Py_ssize_t _Py_GetAllocatedBlocks(void);

size_t cpython_interpreter_blocks(void)
{
    return (size_t)_Py_GetAllocatedBlocks();
}
#else
/* The function behind sys.getallocatedblocks is no longer exported. Its answer is an int, which is
 * made after the count and freed here. */
size_t cpython_interpreter_blocks(void)
{
    PyObject *function = PySys_GetObject("getallocatedblocks"); /* borrowed */
    PyObject *answer = function == NULL ? NULL : PyObject_CallNoArgs(function);
    size_t blocks = answer == NULL ? 0 : PyLong_AsSize_t(answer);
    Py_XDECREF(answer);
    PyErr_Clear();
    return blocks;
}
#endif
