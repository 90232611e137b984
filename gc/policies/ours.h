/* `ours`: an incremental, exact collector of cycles, with bounded pauses, bounded floating garbage
 * and no barrier on increments. Internal to the policy's files; the proofs are in
 * docs/decisions/0010-incremental-collector.md.
 *
 * The bias. A container whose count is biased (object_bias) is known not to be in garbage that
 * nobody will look for: while it stays biased, (D) no reference to it has been dropped, and (M)
 * none has changed hands without being counted. Whatever breaks one of these goes through a slow
 * path that un-biases it and makes it a candidate; the fast paths pay nothing for that, since the
 * sign of the count is what a decrement looks at anyway. (W) Writes to a biased container are told
 * too. It stays biased, but is no leaf any more; and if a cycle is under way, it is alive.
 *
 * Invariants
 *  1. Every set of garbage that keeps itself alive has a container that is not biased: a new one,
 *     a candidate, or a suspect. So without those there is nothing to do.
 *  2. New containers are looked at: a leaf is dismissed, which biases it, and so is one that refers
 *     to others, unless it is known. Candidates (those that lost their bias, and new ones that are
 *     known) are examined: one whose whole surroundings are small and alive is dismissed; small
 *     garbage is freed at once. The rest are suspects: a cycle will look at them.
 *  3. What a biased container refers to is biased or known (OURS_FLAG_KNOWN), but for the time of
 *     OURS_BIAS; if that is cut short, until the next T0. Of frozen ones, and of references to
 *     them, it need not hold, as a cycle over all begins when they are unfrozen.
 *  4. A cycle's members are the entries of [begin, members): all that there are at its time T0, the
 *     end of OURS_BIAS. Each is biased then or marked OURS_MARK_REACHED.
 *  5. From T0 to the end of OURS_MARK a member that loses its bias or is written is reached, and
 * all members that were reachable from the program at T0 will be. The others were garbage at T0,
 *     and garbage stays as it is: nobody can touch it.
 *  6. registry.marks is the policy's for every entry below starts[0], between collections too;
 *     registry.numbers of the members from the begin of a cycle to its end.
 *  7. What is frozen is alive: it is no member, no candidate, and not looked through. Whoever has
 *     called the program's code in a slice asks ours_is_disturbed afterwards: when boundaries have
 *     moved, nothing but the freeing of trash goes on, and the next slice begins anew. */
#ifndef HEAPMILL_GC_POLICIES_OURS_H
#define HEAPMILL_GC_POLICIES_OURS_H

#include "gc/runtime.h"
#include "gc/trash.h"

enum ours_mark {
    OURS_MARK_REACHED = 1u << 0, /* in this cycle: alive at T0, or to be treated so */
    OURS_MARK_BIASED = 1u << 1,  /* as object_is_biased, where a pass can skip eight at a time */
    OURS_MARK_LEAF = 1u << 2,    /* and since it was biased it has referred to no container */
    OURS_MARK_QUEUED = 1u << 3,  /* in the queue of `seen` */
    OURS_MARK_AGAIN = 1u << 5,   /* and is there for the second time */
    OURS_MARK_YOUNG = 1u << 4,   /* while ours_examine_youth runs: examined, not yet reached */
};

/* In the header of a container that is not biased, and is not dismissed without an examination of
 * its surroundings. */
enum ours_flag {
    OURS_FLAG_HELD = GC_FLAG_POLICY,      /* a biased container may refer to it */
    OURS_FLAG_LOST = GC_FLAG_POLICY << 1, /* it has been biased, or could not be at T0 */
    OURS_FLAG_KNOWN = OURS_FLAG_HELD | OURS_FLAG_LOST,
};

/* What one look at a container has found. */
enum ours_look_found {
    OURS_LOOK_LEAVES = 1u << 0,    /* references to leaves: no leaf, but on no cycle */
    OURS_LOOK_INNER = 1u << 1,     /* a reference to another container */
    OURS_LOOK_OPEN = 1u << 2,      /* to one that is not biased */
    OURS_LOOK_UNFILLED = 1u << 3,  /* a tuple that lacks items; what follows was not looked at */
    OURS_LOOK_UNGUARDED = 1u << 4, /* a frame */
    OURS_LOOK_LARGE = 1u << 5,     /* too many references: the rest was not looked at */
    OURS_LOOK_ON_CYCLE = OURS_LOOK_INNER | OURS_LOOK_UNFILLED | OURS_LOOK_LARGE, /* perhaps */
    OURS_LOOK_DISMISSIBLE = OURS_LOOK_LEAVES | OURS_LOOK_INNER, /* at most, and not known */
    OURS_LOOK_NO_YOUTH = OURS_LOOK_UNFILLED | OURS_LOOK_UNGUARDED | OURS_LOOK_LARGE,
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
     * many references. */
    OURS_TRIAL_MAX = 512,
    OURS_TRIAL_MIN = 8,
    OURS_TRIAL_FAILURES = 4, /* in a row; after that, */
    OURS_TRIAL_ONE_IN = 16,  /* only one in so many candidates is tried */
    OURS_TRIAL_REFERENCES = 1024,
    OURS_LOOK_REFERENCES = 1024,  /* of one container, for one look */
    OURS_YOUTH_MAX = 512,         /* new containers that are examined together, */
    OURS_YOUTH_REFERENCES = 2048, /* when they have so many references, and one's more */
    OURS_UNFILLED_MAX = 16,       /* tuples that are looked at again in each slice */
};

/* What the tests make small. */
struct ours_parameters {
    /* A slice's work in units, each the touch of a container or of a reference. */
    int64_t slice_units;
    /* Between slices: containers allocated while a cycle is under way or candidates wait, and while
     * there are suspects; new ones that live while there is nothing to do. */
    uint32_t interval_busy;
    uint32_t interval_idle;
    uint32_t newest;    /* containers that are not looked at yet, as they have just been made */
    uint32_t trial_max; /* not more than OURS_TRIAL_MAX; 0: nothing is tried, all are suspects */
    uint32_t youth_max; /* not more than OURS_YOUTH_MAX; 0: no new ones are examined together */
    /* A cycle begins when so much may have become garbage since the last one, in 64ths of what
     * is tracked (ours_due.c). And at least `floor`. */
    uint32_t patience;
    uint32_t floor;
};

/* How much is tried: the limit on the surroundings is halved by each failure and doubled by
 * success.
 */
struct ours_effort {
    uint32_t limit;
    uint32_t failures; /* since the last success */
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
    uint32_t members;          /* see invariant 4; 0 while no cycle is under way */
    uint32_t begin;            /* of the members: what is below is frozen */
    uint32_t boundary_moves;   /* the collector's, when begin was set */
    uint32_t sealed;           /* where the youngest range began when last seen */
    bool is_pending;           /* something is to be done: allocations are counted one by one */
    uint32_t interval;         /* allocations from slice to slice, then */
    uint32_t calls;            /* allocations counted since the last slice */
    uint32_t put_off;          /* new containers that are queued for the next slice */
    uint32_t unfilled;         /* tuples queued again in the slice under way */
    uint32_t cursor;           /* the next entry of the pass */
    uint32_t scanning;         /* the container whose references are being passed over; 0: none */
    size_t position;           /* of the next one of them */
    bool is_open;              /* a cycle was given up: invariant 3 holds after the next T0 */
    bool collecting_all;       /* somebody else has the marks */
    bool has_containers;       /* among those passed over */
    uint32_t examined;         /* entries from here on are new containers, not yet candidates */
    uint32_t fresh;            /* holes from here to the youngest range can be closed at once */
    uint32_t waited;           /* slices that OURS_ROOTS has waited for the first roots */
    struct ours_indices queue; /* reached, their references not yet passed over from `taken` on */
    uint32_t taken;
    struct ours_indices seen; /* candidates, from seen_taken on: first come, first examined */
    uint32_t seen_taken;
    struct gc_trash trash;
    struct ours_effort efforts[2]; /* for new containers, and for those that have been biased */
    uint32_t suspects;  /* containers examined without a result since the last cycle began */
    bool is_rich;       /* the last cycle has found much */
    uint64_t allocated; /* containers, since the last cycle's end */
    uint64_t survivors; /* of them: those that were there to be looked at */
    uint64_t tracked;   /* containers, then */
    uint32_t since;     /* entries from here on are newer, */
    uint64_t moved;     /* and so many others */
    uint32_t recount;   /* the next entry of the recount under way; 0: none */
    uint32_t recount_end;
    uint64_t recounted;
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

/* Whether containers have been frozen or unfrozen since `begin` was set. */
static inline bool ours_is_disturbed(const struct runtime *runtime)
{
    return ours_of(runtime)->boundary_moves != runtime->collector.boundary_moves;
}

/* Whether it could be dismissed by itself, and that it may not. Atoms have no such flag. */
static inline bool ours_is_known(const struct object *object)
{
    return (gc_head_of(object)->flags & OURS_FLAG_KNOWN) != 0;
}

static inline bool ours_has_lost(const struct object *object)
{
    return (gc_head_of(object)->flags & OURS_FLAG_LOST) != 0;
}

static inline void ours_set_known(struct object *object, enum ours_flag flag)
{
    if (object->index != 0) {
        gc_head_of(object)->flags |= (uint32_t)flag;
    }
}

/* The candidates in the queue that are not merely put off. */
static inline bool ours_has_candidates(const struct ours *ours)
{
    return ours->seen.length - ours->seen_taken > ours->put_off;
}

/* A container is left to the next cycle: to that under way, if it is still to be biased by it. */
static inline void ours_suspect(struct ours *ours, uint32_t index)
{
    ours->suspects += ours->phase != OURS_BIAS || index < ours->cursor;
}

/* ---------------------------------------------------------------- ours.c */
/* There is something to do from now on: slices come by allocations, whatever becomes of them. */
void ours_hurry(struct runtime *runtime);
/* New containers become old ones, which are to be examined. */
void ours_seal(struct runtime *runtime);

/* ---------------------------------------------------------------- ours_bias.c */
/* Whether every write to the object's fields is told to `written`. A frame's are not, as
 * interpreters hold them in their hands; a tuple's are once it is complete, when there are none. */
bool ours_is_guarded(const struct object *object);
/* Dismisses a container: it is alive, or in no cycle. mark: 0 or OURS_MARK_LEAF. */
void ours_dismiss(struct runtime *runtime, struct object *object, unsigned mark);
/* Takes the bias off a tracked container, and what the marks say of it. */
void ours_take_bias(struct runtime *runtime, struct object *object);
/* The same for what has been touched, without making a candidate of it: the caller looks after it.
 */
void ours_lose(struct runtime *runtime, struct object *object);
/* A biased container has lost what the bias stands for: it is a candidate, and alive now. */
void ours_unbias(struct runtime *runtime, struct object *object);

/* Makes the entry a candidate to be examined. */
void ours_enqueue_seen(struct runtime *runtime, uint32_t index);
/* As in struct gc_policy. */
void ours_written(struct runtime *runtime, struct object *container, struct object *item);
void ours_gained(struct runtime *runtime, struct object *container, struct object *item);

/* ---------------------------------------------------------------- ours_due.c */
/* Whether a cycle is to begin. */
bool ours_is_due(struct runtime *runtime, int64_t *budget);
/* A cycle has ended: the next one's time is counted from here. */
void ours_rest(struct runtime *runtime);
/* New entries have moved to where old ones were. */
void ours_moved_entries(struct runtime *runtime);

/* ---------------------------------------------------------------- ours_look.c */
/* One look at a container's references: enum ours_look_found, 0 for a leaf. */
unsigned ours_look(const struct registry *registry, struct object *object, int64_t *budget);
/* Looks at new containers, dismisses what can be, and queues the rest. */
void ours_look_at_new(struct runtime *runtime, int64_t *budget);
/* Queues those that were left. */
void ours_look_at_newest_later(struct runtime *runtime);
/* Examines the new ones in the queue together. */
void ours_examine_youth(struct runtime *runtime, int64_t *budget);

/* ---------------------------------------------------------------- ours_check.c */
size_t ours_check(const struct runtime *runtime);

/* ---------------------------------------------------------------- ours_trial.c */
/* Examines new containers and candidates until the budget is used up. */
void ours_examine(struct runtime *runtime, int64_t *budget);
/* Frees garbage, of ascending indices, in one go with whatever its finalizers do. */
void ours_free_few(struct runtime *runtime, uint32_t *indices, uint32_t length);

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
