/* The calls that programs are made of: STEP(name, arguments, weight, in counted programs too).
 * Included where STEP is defined. V[i] are the names, W[i] the weak references. */
STEP(new, 2, 30, true)    /* kind, i: V[i] = a new object */
STEP(put, 3, 40, true)    /* i, f, j: V[i].f = V[j]; append to a list, set a key of a dict */
STEP(take, 3, 12, true)   /* i, j, f: V[i] = V[j].f */
STEP(cut, 2, 8, true)     /* i, f: V[i].f = None; delete an item, pop a key */
STEP(empty, 1, 3, true)   /* i: all of V[i]'s references go */
STEP(insert, 3, 4, true)  /* i, f, j: V[i].insert(f, V[j]) of a list */
STEP(copy, 2, 6, true)    /* i, j: V[i] = V[j] */
STEP(drop, 1, 30, true)   /* i: V[i] = None */
STEP(pair, 3, 6, false)   /* i, j, k: V[i] = (V[j], V[k]) */
STEP(unsave, 0, 4, true)  /* what a finalizer has kept is given up */
STEP(watch, 3, 14, true)  /* i, j, how: W[i] = weakref.ref(V[j]); how: 0 no callback, 1, 2 drops */
STEP(unwatch, 1, 3, true) /* i: W[i] = None */
STEP(look, 1, 5, true)    /* i: logs W[i]() */
STEP(same, 2, 2, true)    /* i, j: logs W[i] is W[j] */
STEP(watched, 1, 3, true) /* i: logs weakref.getweakrefcount(V[i]) */
STEP(tracked, 1, 3, true) /* i: logs gc.is_tracked(V[i]), gc.is_finalized(V[i]) */
STEP(count, 1, 3, true)   /* i: logs sys.getrefcount(V[i]) */
STEP(referents, 1, 3, false)   /* i: logs gc.get_referents(V[i]) */
STEP(referrers, 1, 3, false)   /* i: logs gc.get_referrers(V[i]) */
STEP(generations, 0, 3, false) /* logs gc.get_objects(generation=0), 1, 2 */
STEP(collect, 1, 16, true)     /* generation */
STEP(freeze, 0, 1, false)
STEP(garbage, 0, 2, false)  /* logs gc.garbage */
STEP(save_all, 1, 1, false) /* gc.set_debug(gc.DEBUG_SAVEALL), or 0 */
STEP(counts, 0, 8, true)    /* logs gc.get_count() */
STEP(threshold, 3, 2, true) /* gc.set_threshold */
STEP(enable, 1, 1, true)    /* gc.enable, gc.disable */
