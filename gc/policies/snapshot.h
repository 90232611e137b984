/* `snapshot`: an incremental, exact collector of cycles over a snapshot at the beginning (Yuasa,
 * "Real-time garbage collection on general-purpose machines", 1990): what was garbage at a cycle's
 * T0 is freed, in slices. Its deletion barrier is the sign of the count. Pauses and floating
 * garbage are bounded, and there is no barrier on increments. Internal to the policy's files; the
 * proofs are in docs/decisions/0010-incremental-collector.md.
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
 *  3. What a biased container refers to is biased or known (SNAPSHOT_FLAG_KNOWN), but for the time
 * of SNAPSHOT_BIAS; if that is cut short, until the next T0. Of frozen ones, and of references to
 *     them, it need not hold, as a cycle over all begins when they are unfrozen.
 *  4. A cycle's members are the entries of [begin, members): all that there are at its time T0, the
 *     end of SNAPSHOT_BIAS. Each is biased then or marked SNAPSHOT_MARK_REACHED.
 *  5. From T0 to the end of SNAPSHOT_MARK a member that loses its bias or is written is reached,
 * and all members that were reachable from the program at T0 will be. The others were garbage at
 * T0, and garbage stays as it is: nobody can touch it.
 *  6. registry.marks is the policy's for every entry below starts[0], between collections too;
 *     registry.numbers of the members from the begin of a cycle to its end.
 *  7. What is frozen is alive: it is no member, no candidate, and not looked through. Whoever has
 *     called the program's code in a slice asks snapshot_is_disturbed afterwards: when boundaries
 * have moved, nothing but the freeing of trash goes on, and the next slice begins anew. */
#ifndef HEAPMILL_GC_POLICIES_SNAPSHOT_H
#define HEAPMILL_GC_POLICIES_SNAPSHOT_H

#include "gc/runtime.h"
#include "gc/trash.h"

enum snapshot_mark {
    SNAPSHOT_MARK_REACHED = 1u << 0, /* in this cycle: alive at T0, or to be treated so */
    SNAPSHOT_MARK_BIASED = 1u << 1, /* as object_is_biased, where a pass can skip eight at a time */
    SNAPSHOT_MARK_LEAF = 1u << 2,   /* and since it was biased it has referred to no container */
    SNAPSHOT_MARK_QUEUED = 1u << 3, /* in the queue of `seen` */
    SNAPSHOT_MARK_AGAIN = 1u << 5,  /* and is there for the second time */
    SNAPSHOT_MARK_YOUNG =
        1u << 4, /* while snapshot_examine_youth runs: examined, not yet reached */
};

/* In the header of a container that is not biased, and is not dismissed without an examination of
 * its surroundings. */
enum snapshot_flag {
    SNAPSHOT_FLAG_HELD = GC_FLAG_POLICY,      /* a biased container may refer to it */
    SNAPSHOT_FLAG_LOST = GC_FLAG_POLICY << 1, /* it has been biased, or could not be at T0 */
    SNAPSHOT_FLAG_KNOWN = SNAPSHOT_FLAG_HELD | SNAPSHOT_FLAG_LOST,
};

/* What one look at a container has found. */
enum snapshot_look_found {
    SNAPSHOT_LOOK_LEAVES = 1u << 0,   /* references to leaves: no leaf, but on no cycle */
    SNAPSHOT_LOOK_INNER = 1u << 1,    /* a reference to another container */
    SNAPSHOT_LOOK_OPEN = 1u << 2,     /* to one that is not biased */
    SNAPSHOT_LOOK_UNFILLED = 1u << 3, /* a tuple that lacks items; what follows was not looked at */
    SNAPSHOT_LOOK_UNGUARDED = 1u << 4, /* a frame */
    SNAPSHOT_LOOK_LARGE = 1u << 5,     /* too many references: the rest was not looked at */
    SNAPSHOT_LOOK_ON_CYCLE =
        SNAPSHOT_LOOK_INNER | SNAPSHOT_LOOK_UNFILLED | SNAPSHOT_LOOK_LARGE, /* perhaps */
    SNAPSHOT_LOOK_DISMISSIBLE =
        SNAPSHOT_LOOK_LEAVES | SNAPSHOT_LOOK_INNER, /* at most, and not known */
    SNAPSHOT_LOOK_NO_YOUTH = SNAPSHOT_LOOK_UNFILLED | SNAPSHOT_LOOK_UNGUARDED | SNAPSHOT_LOOK_LARGE,
};

enum snapshot_phase {
    SNAPSHOT_IDLE,
    SNAPSHOT_BIAS,    /* biases the members that are not; its end is T0 */
    SNAPSHOT_ROOTS,   /* reaches what candidates since T0 lead to: certainly alive */
    SNAPSHOT_COUNT,   /* counts the references from unreached members to unreached members */
    SNAPSHOT_MARK,    /* reaches those with more references than that, and what they lead to */
    SNAPSHOT_SWEEP,   /* enters the unreached into the trash */
    SNAPSHOT_KEEP,    /* a reference to each of the trash, so that none dies in the next phase */
    SNAPSHOT_CLEAR,   /* drops the trash's references */
    SNAPSHOT_DROP,    /* drops the reference of SNAPSHOT_KEEP: they die */
    SNAPSHOT_COMPACT, /* takes the holes out of the registry */
};

enum {
    /* Surroundings of a candidate that are examined exactly: at most so many containers, and so
     * many references. */
    SNAPSHOT_TRIAL_MAX = 512,
    SNAPSHOT_TRIAL_MIN = 8,
    SNAPSHOT_TRIAL_FAILURES = 4, /* in a row; after that, */
    SNAPSHOT_TRIAL_ONE_IN = 16,  /* only one in so many candidates is tried */
    SNAPSHOT_TRIAL_REFERENCES = 1024,
    SNAPSHOT_LOOK_REFERENCES = 1024,  /* of one container, for one look */
    SNAPSHOT_YOUTH_MAX = 512,         /* new containers that are examined together, */
    SNAPSHOT_YOUTH_REFERENCES = 2048, /* when they have so many references, and one's more */
    SNAPSHOT_UNFILLED_MAX = 16,       /* tuples that are looked at again in each slice */
};

/* What the tests make small. */
struct snapshot_parameters {
    /* A slice's work in units, each the touch of a container or of a reference. */
    int64_t slice_units;
    /* Between slices: containers allocated while a cycle is under way or candidates wait, and while
     * there are suspects; new ones that live while there is nothing to do. */
    uint32_t interval_busy;
    uint32_t interval_idle;
    uint32_t newest; /* containers that are not looked at yet, as they have just been made */
    uint32_t
        trial_max; /* not more than SNAPSHOT_TRIAL_MAX; 0: nothing is tried, all are suspects */
    uint32_t youth_max; /* not more than SNAPSHOT_YOUTH_MAX; 0: no new ones are examined together */
    /* A cycle begins when so much may have become garbage since the last one, in 64ths of what
     * is tracked (snapshot_is_due). And at least `floor`. */
    uint32_t patience;
    uint32_t floor;
};

/* How much is tried: the limit on the surroundings is halved by each failure and doubled by
 * success.
 */
struct snapshot_effort {
    uint32_t limit;
    uint32_t failures; /* since the last success */
};

/* A vector of indices, in address space for as many as the registry may have. */
struct snapshot_indices {
    uint32_t *items;
    uint32_t length;
    uint32_t committed;
};

struct snapshot {
    const struct snapshot_parameters *parameters;
    enum snapshot_phase phase;
    uint32_t members;        /* see invariant 4; 0 while no cycle is under way */
    uint32_t begin;          /* of the members: what is below is frozen */
    uint32_t boundary_moves; /* the collector's, when begin was set */
    uint32_t sealed;         /* where the youngest range began when last seen */
    bool is_pending;         /* something is to be done: allocations are counted one by one */
    uint32_t interval;       /* allocations from slice to slice, then */
    uint32_t calls;          /* allocations counted since the last slice */
    uint32_t put_off;        /* new containers that are queued for the next slice */
    uint32_t unfilled;       /* tuples queued again in the slice under way */
    uint32_t cursor;         /* the next entry of the pass */
    uint32_t scanning;       /* the container whose references are being passed over; 0: none */
    size_t position;         /* of the next one of them */
    bool is_open;            /* a cycle was given up: invariant 3 holds after the next T0 */
    bool collecting_all;     /* somebody else has the marks */
    bool has_containers;     /* among those passed over */
    uint32_t examined;       /* entries from here on are new containers, not yet candidates */
    uint32_t fresh;          /* holes from here to the youngest range can be closed at once */
    uint32_t waited;         /* slices that SNAPSHOT_ROOTS has waited for the first roots */
    struct snapshot_indices
        queue; /* reached, their references not yet passed over from `taken` on */
    uint32_t taken;
    struct snapshot_indices seen; /* candidates, from seen_taken on: first come, first examined */
    uint32_t seen_taken;
    struct gc_trash trash;
    struct snapshot_effort efforts[2]; /* for new containers, and for those that have been biased */
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
    uint64_t kept;          /* containers that SNAPSHOT_KEEP has given a reference */
    int64_t units;          /* of work in the slice under way */
    uint64_t found;         /* members that the cycle under way has found to be garbage, */
    uint64_t collected;     /* has freed, or has kept for save_all, */
    uint64_t uncollectable; /* and has set aside */
};

static inline struct snapshot *snapshot_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

/* Whether containers have been frozen or unfrozen since `begin` was set. */
static inline bool snapshot_is_disturbed(const struct runtime *runtime)
{
    return snapshot_of(runtime)->boundary_moves != runtime->collector.boundary_moves;
}

/* Whether it could be dismissed by itself, and that it may not. Atoms have no such flag. */
static inline bool snapshot_is_known(const struct object *object)
{
    return (gc_head_of(object)->flags & SNAPSHOT_FLAG_KNOWN) != 0;
}

static inline bool snapshot_has_lost(const struct object *object)
{
    return (gc_head_of(object)->flags & SNAPSHOT_FLAG_LOST) != 0;
}

static inline void snapshot_set_known(struct object *object, enum snapshot_flag flag)
{
    if (object->index != 0) {
        gc_head_of(object)->flags |= (uint32_t)flag;
    }
}

/* The candidates in the queue that are not merely put off. */
static inline bool snapshot_has_candidates(const struct snapshot *snapshot)
{
    return snapshot->seen.length - snapshot->seen_taken > snapshot->put_off;
}

/* A container is left to the next cycle: to that under way, if it is still to be biased by it. */
static inline void snapshot_suspect(struct snapshot *snapshot, uint32_t index)
{
    snapshot->suspects += snapshot->phase != SNAPSHOT_BIAS || index < snapshot->cursor;
}

/* ---------------------------------------------------------------- snapshot.c: the bias, slices */
/* New containers become old ones, which are to be examined. */
void snapshot_seal(struct runtime *runtime);
/* Whether every write to the object's fields is told to `written`. A frame's are not, as
 * interpreters hold them in their hands; a tuple's are once it is complete, when there are none. */
bool snapshot_is_guarded(const struct object *object);
/* Dismisses a container: it is alive, or in no cycle. mark: 0 or SNAPSHOT_MARK_LEAF. */
void snapshot_dismiss(struct runtime *runtime, struct object *object, unsigned mark);
/* Takes the bias off a tracked container, and what the marks say of it. */
void snapshot_take_bias(struct runtime *runtime, struct object *object);
/* The same for what has been touched, without making a candidate of it: the caller looks after it.
 */
void snapshot_lose(struct runtime *runtime, struct object *object);
/* Makes the entry a candidate to be examined. */
void snapshot_enqueue_seen(struct runtime *runtime, uint32_t index);
/* New entries have moved to where old ones were. */
void snapshot_moved_entries(struct runtime *runtime);

/* ---------------------------------------------------------------- snapshot_examine.c */
/* One look at a container's references: enum snapshot_look_found, 0 for a leaf. */
unsigned snapshot_look(const struct registry *registry, struct object *object, int64_t *budget);
/* Examines new containers and candidates until the budget is used up. */
void snapshot_examine(struct runtime *runtime, int64_t *budget);

/* ---------------------------------------------------------------- snapshot_cycle.c */
void snapshot_begin_cycle(struct runtime *runtime);
/* A member lost its bias, or is to be treated as alive for another reason. */
void snapshot_reach(struct runtime *runtime, uint32_t index);
/* Works on the cycle under way until it is at its end or the budget is used up. */
void snapshot_advance(struct runtime *runtime, int64_t *budget);
/* Somebody got hold of an unreached member in SNAPSHOT_SWEEP, through a weak reference: back to
 * SNAPSHOT_MARK. */
void snapshot_rescue(struct runtime *runtime, uint32_t index);
/* Closes the holes from begin to the registry's end, which is where the youngest range begins, with
 * entries from there. Returns how far it has come: the end, unless the budget was used up. */
uint32_t snapshot_close_holes(struct runtime *runtime, uint32_t begin, int64_t *budget);

#endif
