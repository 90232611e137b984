/* `ours`: an incremental, exact collector of cycles, with bounded pauses, bounded floating garbage
 * and no barrier on increments. Internal to the policy's files; the proofs are in
 * docs/decisions/0010-incremental-collector.md.
 *
 * The bias. A container whose count is biased (object_bias) is known not to be in garbage that
 * nobody will look for: while it stays biased, (D) no reference to it has been dropped, (M) none
 * has been moved out of a container, and (W) its own fields have not been written. Whatever breaks
 * one of these goes through a slow path that un-biases it and makes it a candidate; the fast paths
 * pay nothing for that, since the sign of the count is what a decrement looks at anyway.
 *
 * Invariants
 *  1. Every set of garbage that keeps itself alive has a container that is not biased: a new one,
 *     a candidate, or a suspect. So without those there is nothing to do.
 *  2. Candidates (new containers, and those that lost their bias) are examined: a leaf, or one
 *     whose whole surroundings are small and alive, is dismissed, which biases it again; small
 *     garbage is freed at once. The rest are suspects: a cycle will look at them.
 *  3. A cycle's members are the entries of [begin, members) when it begins. At its time T0, the end
 * of OURS_BIAS, each member is biased or marked OURS_MARK_REACHED.
 *  4. From T0 to the end of OURS_MARK a member that loses its bias is reached, and all members
 *     that were reachable from the program at T0 will be. The others were garbage at T0, and
 *     garbage stays as it is: nobody can touch it.
 *  5. registry.marks is the policy's for every entry below `examined`, between collections too;
 *     registry.numbers from the begin of a cycle to its end. */
#ifndef HEAPMILL_GC_POLICIES_OURS_H
#define HEAPMILL_GC_POLICIES_OURS_H

#include "gc/runtime.h"
#include "gc/trash.h"

enum ours_mark {
    OURS_MARK_REACHED = 1u << 0, /* in this cycle: alive at T0, or to be treated so */
    OURS_MARK_BIASED = 1u << 1,  /* as object_is_biased, where a pass can skip eight at a time */
    OURS_MARK_LEAF = 1u << 2,    /* and since it was biased it has referred to no container */
    OURS_MARK_QUEUED = 1u << 3,  /* among the candidates of `seen` */
};

enum ours_phase {
    OURS_IDLE,
    OURS_BIAS,    /* biases the members that are not; its end is T0 */
    OURS_ROOTS,   /* reaches what candidates since T0 lead to: certainly alive */
    OURS_COUNT,   /* counts the references from unreached members to unreached members */
    OURS_MARK,    /* reaches those with more references than that, and what they lead to */
    OURS_SWEEP,   /* enters the unreached into the trash */
    OURS_KEEP,    /* a reference to each of the trash, so that none dies in the next phase */
    OURS_CLEAR,   /* drops the trash's references */
    OURS_DROP,    /* drops the reference of OURS_KEEP: they die */
    OURS_COMPACT, /* takes the holes out of the registry */
};

enum {
    /* Surroundings of a candidate that are examined exactly: at most so many containers, and so
     * many references. The limit in force is halved by each failure, and doubled by success. */
    OURS_TRIAL_MAX = 64,
    OURS_TRIAL_MIN = 8,
    OURS_TRIAL_REFERENCES = 256,
};

/* What the tests make small. */
struct ours_parameters {
    /* A slice's work in units, each the touch of a container or of a reference. */
    int64_t slice_units;
    /* Containers allocated, less those freed, between slices: while a cycle is under way, and
     * while none is. */
    int interval_busy;
    int interval_idle;
    /* A cycle begins when there are suspects and, since the last one ended, containers have been
     * allocated in proportion to those tracked. In sixteenths; twice as many after a cycle that
     * found next to nothing, the least again after one that found much. And at least `floor`. */
    uint32_t trial_max; /* not more than OURS_TRIAL_MAX; 0: nothing is tried, all are suspects */
    uint32_t patience_min;
    uint32_t patience_max;
    uint32_t floor;
};

/* A vector of indices, in address space for as many as the registry may have. */
struct ours_indices {
    uint32_t *items;
    uint32_t length;
    uint32_t committed;
};

struct ours {
    const struct ours_parameters *parameters;
    enum ours_phase phase;
    uint32_t members;          /* see invariant 3; 0 while no cycle is under way */
    uint32_t begin;            /* of the members: what is below is frozen */
    uint32_t sealed;           /* where the youngest range began when last seen */
    uint32_t cursor;           /* the next entry of the pass */
    uint32_t scanning;         /* the container whose references are being passed over; 0: none */
    size_t position;           /* of the next one of them */
    bool collecting_all;       /* somebody else has the marks */
    bool has_containers;       /* among those passed over */
    uint32_t examined;         /* entries from here on are new containers, not yet candidates */
    uint32_t fresh;            /* holes from here to the youngest range can be closed at once */
    uint32_t waited;           /* slices that OURS_ROOTS has waited for the first roots */
    struct ours_indices queue; /* reached, their references not yet passed over from `taken` on */
    uint32_t taken;
    struct ours_indices seen; /* candidates that have lost their bias */
    struct gc_trash trash;
    uint32_t trial_limit;
    uint32_t suspects; /* containers examined without a result since the last cycle began */
    uint32_t patience;
    uint64_t allocated;     /* containers, less those freed, since the last cycle's end */
    uint64_t kept;          /* containers that OURS_KEEP has given a reference */
    int64_t units;          /* of work in the slice under way */
    uint64_t found;         /* members that the cycle under way has found to be garbage, */
    uint64_t collected;     /* has freed, or has kept for save_all, */
    uint64_t uncollectable; /* and has set aside */
};

static inline struct ours *ours_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

/* ---------------------------------------------------------------- ours.c */
/* Whether every write to the object's fields is told to `written`. A frame's are not, as
 * interpreters hold them in their hands; a tuple's are once it is complete, when there are none. */
bool ours_is_guarded(const struct object *object);
/* Dismisses a container: it is alive, or in no cycle. mark: 0 or OURS_MARK_LEAF. */
void ours_dismiss(struct runtime *runtime, struct object *object, unsigned mark);
/* A biased container has lost what the bias stands for: it is a candidate, and alive now. */
void ours_unbias(struct runtime *runtime, struct object *object);

/* Makes the entry a candidate to be examined. */
void ours_enqueue_seen(struct runtime *runtime, uint32_t index);

/* ---------------------------------------------------------------- ours_check.c */
size_t ours_check(const struct runtime *runtime);

/* ---------------------------------------------------------------- ours_trial.c */
/* Examines candidates until the budget is used up. */
void ours_examine(struct runtime *runtime, int64_t *budget);

/* ---------------------------------------------------------------- ours_cycle.c */
void ours_begin_cycle(struct runtime *runtime);
/* A member lost its bias, or is to be treated as alive for another reason. */
void ours_reach(struct runtime *runtime, uint32_t index);
/* Works on the cycle under way until it is at its end or the budget is used up. */
void ours_advance(struct runtime *runtime, int64_t *budget);

/* ---------------------------------------------------------------- ours_sweep.c */
/* The phases from OURS_SWEEP on, each until it is done (true) or the budget is used up. */
bool ours_sweep(struct runtime *runtime, int64_t *budget);
bool ours_keep(struct runtime *runtime, int64_t *budget);
bool ours_clear(struct runtime *runtime, int64_t *budget);
bool ours_drop(struct runtime *runtime, int64_t *budget);
bool ours_compact(struct runtime *runtime, int64_t *budget);
/* Closes the holes from begin to the registry's end, which is where the youngest range begins, with
 * entries from there. Returns how far it has come: the end, unless the budget was used up. */
uint32_t ours_close_holes(struct runtime *runtime, uint32_t begin, int64_t *budget);
/* Somebody got hold of an unreached member in OURS_SWEEP, through a weak reference: back to
 * OURS_MARK. */
void ours_rescue(struct runtime *runtime, uint32_t index);

#endif
