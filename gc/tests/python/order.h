/* A collector that examines containers in CPython's order, and leaves them in it: for comparing
 * logs.
 *
 * CPython's generations are linked lists. A container that survives only because others behind it
 * refer to it moves behind them; what finalizers bring back, and what legacy finalizers set aside,
 * comes last; younger generations are appended 0 first, then 1. Finalizers and callbacks run in the
 * order of those lists. gc/'s own policies examine the registry in the order of its entries
 * instead, which is faster and as good for everything but letters in a log. This policy keeps the
 * lists' order, by CPython's algorithm (deduce_unreachable, Modules/gcmodule.c, 3.11), and does
 * with the trash what every policy does: that is what is compared. */
#ifndef HEAPMILL_GC_TESTS_PYTHON_ORDER_H
#define HEAPMILL_GC_TESTS_PYTHON_ORDER_H

#include "gc/object.h"

extern const struct gc_policy gc_policy_cpython_order;

/* What is tracked from now on comes last, whatever has died: to be called between operations. Does
 * nothing under other policies. */
void order_forget_holes(struct runtime *runtime);
/* A finalizer of object has been called. One that dies by its count becomes the youngest container
 * then, in CPython. */
void order_track_anew(struct runtime *runtime, struct object *object);

#endif
