/* Cells: one reference that may be changed, as a closure's variable. */
#ifndef HEAPMILL_GC_CELL_H
#define HEAPMILL_GC_CELL_H

#include "gc/object.h"

/* A new reference to a cell that holds value. NULL: the heap is exhausted. */
struct object *cell_new(struct runtime *runtime, struct object *value);
struct object *cell_value(const struct object *cell); /* borrowed; NULL: it was cleared */
void cell_set(struct runtime *runtime, struct object *cell, struct object *value);

#define cell_new(...) LEDGER_CALL(cell_new, __VA_ARGS__)

#endif
