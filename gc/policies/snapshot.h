/* `snapshot`: an incremental, exact collector of cycles over a snapshot at the beginning (Yuasa,
 * "Real-time garbage collection on general-purpose machines", 1990). It frees, in slices, what was
 * garbage at the cycle's time T0. The sign of the count is its deletion barrier. Pauses and
 * floating garbage are bounded, and there is no barrier on increments. Internal to the policy's
 * files; the proofs are in docs/decisions/0010-incremental-collector.md.
 *
 * The bias. If a container's count is biased (object_bias), the container is known not to be in
 * garbage that nobody will look for. While it stays biased, (D) no reference to it has been
 * dropped, and (M) none has changed hands without being counted. Whatever breaks one of these goes
 * through a slow path that un-biases the container and makes it a candidate. The fast paths pay
 * nothing for that, since a decrement tests the sign of the count anyway. (W) Writes to a biased
 * container are reported too. It stays biased, but is no longer a leaf; and if a cycle is running,
 * it is alive.
 *
 * Invariants
 *  1. Every set of garbage that keeps itself alive has a container that is not biased: a new
 *     one, a candidate, or a suspect. Without those there is nothing to do.
 *  2. New containers are looked at. A leaf is dismissed, which biases it; so is one that refers
 *     to others, unless it is known. Candidates (those that lost their bias, and new ones that
 *     are known) are examined. If all of a candidate's surroundings are small and alive, it is
 *     dismissed; small garbage is freed at once. The others are suspects, which a cycle
 *     examines.
 *  3. Whatever a biased container refers to is biased or known (SNAPSHOT_FLAG_KNOWN), except
 *     during SNAPSHOT_BIAS; if that is cut short, until the next T0. It need not hold for
 *     frozen containers and references to them: when they are unfrozen, a cycle over all
 *     containers begins.
 *  4. A cycle's members are the entries of [begin, members): all that exist at its time T0, the
 *     end of SNAPSHOT_BIAS. Each is then biased, or marked SNAPSHOT_MARK_REACHED.
 *  5. From T0 to the end of SNAPSHOT_MARK a member that loses its bias or is written is
 *     reached, and all members that the program could reach at T0 will be. The others were
 *     garbage at T0, and garbage does not change, since nobody can touch it.
 *  6. registry.marks belongs to the policy for every entry below starts[0], also between
 *     collections; registry.numbers of the members belongs to it during a cycle.
 *  7. Frozen containers are alive: they are neither members nor candidates, and are not
 *     examined. A slice that has called the program's code then asks snapshot_is_disturbed. If
 *     boundaries have moved, only the freeing of trash continues, and the next slice begins
 *     anew. */
#ifndef HEAPMILL_GC_POLICIES_SNAPSHOT_H
#define HEAPMILL_GC_POLICIES_SNAPSHOT_H

#include "gc/runtime.h"
#include "gc/trash.h"

enum snapshot_mark {
    SNAPSHOT_MARK_REACHED = 1u << 0, /* in this cycle: alive at T0, or treated as alive */
    SNAPSHOT_MARK_BIASED =
        1u << 1, /* the same as object_is_biased; a pass can skip eight of these at once */
    SNAPSHOT_MARK_LEAF =
        1u << 2, /* in addition, it has referred to no container since it was biased */
    SNAPSHOT_MARK_QUEUED = 1u << 3, /* it is in the queue of `seen`, */
    SNAPSHOT_MARK_AGAIN = 1u << 5,  /* for the second time */
    SNAPSHOT_MARK_YOUNG = 1u << 4, /* during snapshot_examine_youth: examined and not reached yet */
};

/* Flags in the header of a container that is not biased, and that must not be dismissed without an
 * examination of its surroundings. */
enum snapshot_flag {
    SNAPSHOT_FLAG_HELD = GC_FLAG_POLICY,      /* a biased container may refer to it */
    SNAPSHOT_FLAG_LOST = GC_FLAG_POLICY << 1, /* it was biased once, or could not be biased at T0 */
    SNAPSHOT_FLAG_KNOWN = SNAPSHOT_FLAG_HELD | SNAPSHOT_FLAG_LOST,
};

/* The results of one look at a container. */
enum snapshot_look_found {
    SNAPSHOT_LOOK_LEAVES = 1u << 0,    /* references to leaves: it is no leaf, but is on no cycle */
    SNAPSHOT_LOOK_INNER = 1u << 1,     /* a reference to another container */
    SNAPSHOT_LOOK_OPEN = 1u << 2,      /* a reference to a container that is not biased */
    SNAPSHOT_LOOK_UNFILLED = 1u << 3,  /* a tuple that lacks items; the look ended there */
    SNAPSHOT_LOOK_UNGUARDED = 1u << 4, /* a frame */
    SNAPSHOT_LOOK_LARGE = 1u << 5,     /* too many references: the look ended early */
    SNAPSHOT_LOOK_ON_CYCLE = SNAPSHOT_LOOK_INNER | SNAPSHOT_LOOK_UNFILLED |
                             SNAPSHOT_LOOK_LARGE, /* it may be on a cycle */
    SNAPSHOT_LOOK_DISMISSIBLE =
        SNAPSHOT_LOOK_LEAVES |
        SNAPSHOT_LOOK_INNER, /* it may be dismissed if it has no more than these and is not known */
    SNAPSHOT_LOOK_NO_YOUTH = SNAPSHOT_LOOK_UNFILLED | SNAPSHOT_LOOK_UNGUARDED | SNAPSHOT_LOOK_LARGE,
};

enum snapshot_phase {
    SNAPSHOT_IDLE,
    SNAPSHOT_BIAS,  /* biases the other members; its end is T0 */
    SNAPSHOT_ROOTS, /* reaches what candidates since T0 refer to, which is certainly alive */
    SNAPSHOT_COUNT, /* counts the references from unreached members to unreached members */
    SNAPSHOT_MARK, /* reaches members with more references than were counted, and what they refer to
                    */
    SNAPSHOT_SWEEP,   /* puts unreached members into the trash */
    SNAPSHOT_KEEP,    /* takes a reference to each container of the trash, so that none dies in the
                         next phase */
    SNAPSHOT_CLEAR,   /* drops the trash's references */
    SNAPSHOT_DROP,    /* drops the references of SNAPSHOT_KEEP, so that they die */
    SNAPSHOT_COMPACT, /* closes the holes in the registry */
};

enum {
    /* Limits for the exact examination of a candidate's surroundings: containers, and as many
     * references. */
    SNAPSHOT_TRIAL_MAX = 512,
    SNAPSHOT_TRIAL_MIN = 8,
    SNAPSHOT_TRIAL_FAILURES = 4, /* failures in a row after which */
    SNAPSHOT_TRIAL_ONE_IN = 16,  /* only one in this many candidates is tried */
    SNAPSHOT_TRIAL_REFERENCES = 1024,
    SNAPSHOT_LOOK_REFERENCES = 1024,  /* references of one container in one look */
    SNAPSHOT_YOUTH_MAX = 512,         /* new containers that are examined together, */
    SNAPSHOT_YOUTH_REFERENCES = 2048, /* if they have no more references than this and one's more */
    SNAPSHOT_UNFILLED_MAX = 16,       /* tuples that are looked at again in each slice */
};

/* Parameters, which tests make small. */
struct snapshot_parameters {
    /* The work of a slice, in units; one unit touches a container or a reference. */
    int64_t slice_units;
    /* Allocated containers between slices: while a cycle runs or candidates wait; while there are
     * suspects; and, with nothing to do, new containers that live. */
    uint32_t interval_busy;
    uint32_t interval_idle;
    uint32_t newest;    /* this many youngest containers are not looked at yet */
    uint32_t trial_max; /* at most SNAPSHOT_TRIAL_MAX; 0: there are no trials, all are suspects */
    uint32_t youth_max; /* at most SNAPSHOT_YOUTH_MAX; 0: new ones are not examined together */
    /* A cycle begins when this many 64ths of the tracked containers may have become garbage since
     * the last one (snapshot_is_due), and at least `floor`. */
    uint32_t patience;
    uint32_t floor;
};

/* How much a trial may examine: each failure halves the limit on the surroundings, and each success
 * doubles it. */
struct snapshot_effort {
    uint32_t limit;
    uint32_t failures; /* since the last success */
};

/* A vector of indices, with address space for as many as the registry can have. */
struct snapshot_indices {
    uint32_t *items;
    uint32_t length;
    uint32_t committed;
};

struct snapshot {
    const struct snapshot_parameters *parameters;
    enum snapshot_phase phase;
    uint32_t members;        /* see invariant 4; 0: no cycle is running */
    uint32_t begin;          /* of the members; entries below are frozen */
    uint32_t boundary_moves; /* the collector's, when begin was set */
    uint32_t sealed;         /* where the youngest range began at the last look */
    bool is_pending;         /* there is something to do: allocations are counted one by one */
    uint32_t interval;       /* allocations between slices */
    uint32_t calls;          /* allocations since the last slice */
    uint32_t put_off;        /* new containers that wait in the queue for the next slice */
    uint32_t unfilled;       /* tuples that were queued again in this slice */
    uint32_t cursor;         /* the next entry of the pass */
    uint32_t scanning;       /* the container whose references are being passed; 0: none */
    size_t position;         /* of its next reference */
    bool is_open;            /* a cycle was abandoned: invariant 3 holds only after the next T0 */
    bool collecting_all;     /* a whole collection uses the marks */
    bool has_containers;     /* among the passed ones */
    uint32_t examined;       /* entries from this one on are new containers, not candidates yet */
    uint32_t fresh;          /* holes from here to the youngest range can be closed immediately */
    uint32_t waited;         /* slices that SNAPSHOT_ROOTS has waited for the first roots */
    struct snapshot_indices
        queue; /* reached; their references are not passed yet from `taken` on */
    uint32_t taken;
    struct snapshot_indices
        seen; /* candidates, from seen_taken on, in the order of their examination */
    uint32_t seen_taken;
    struct gc_trash trash;
    struct snapshot_effort efforts[2]; /* of new containers, and of those that were biased */
    uint32_t suspects;                 /* examined without a result since the last cycle began */
    bool is_rich;                      /* the last cycle found much */
    uint64_t allocated;                /* containers, since the end of the last cycle */
    uint64_t survivors;                /* those of them that lived to be looked at */
    uint64_t tracked;                  /* containers at that time */
    uint32_t since;                    /* entries from this one on are newer, */
    uint64_t moved;                    /* and so are this many others */
    uint32_t recount;                  /* the next entry of the running recount; 0: none */
    uint32_t recount_end;
    uint64_t recounted;
    uint64_t kept;          /* containers to which SNAPSHOT_KEEP has taken a reference */
    int64_t units;          /* of work in this slice */
    uint64_t found;         /* members that this cycle found to be garbage, */
    uint64_t collected;     /* freed, or kept for save_all, */
    uint64_t uncollectable; /* and set aside */
};

static inline struct snapshot *snapshot_of(const struct runtime *runtime)
{
    return runtime->collector.state;
}

/* Were containers frozen or unfrozen since `begin` was set? */
static inline bool snapshot_is_disturbed(const struct runtime *runtime)
{
    return snapshot_of(runtime)->boundary_moves != runtime->collector.boundary_moves;
}

/* Known: a biased container may refer to it, or it was biased, so it must not be dismissed on its
 * own. Atoms have no such flags. */
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

/* Are there candidates in the queue that are not merely waiting for the next slice? */
static inline bool snapshot_has_candidates(const struct snapshot *snapshot)
{
    return snapshot->seen.length - snapshot->seen_taken > snapshot->put_off;
}

/* Leaves a container to the next cycle, or to the running one if that has still to bias it. */
static inline void snapshot_suspect(struct snapshot *snapshot, uint32_t index)
{
    snapshot->suspects += snapshot->phase != SNAPSHOT_BIAS || index < snapshot->cursor;
}

/* ---------------------------------------------------------------- snapshot.c: the bias, slices */
/* Makes new containers old ones, which are to be examined. */
void snapshot_seal(struct runtime *runtime);
/* Is every write to the object's fields reported to `written`? Not a frame's, because interpreters
 * keep pointers to its fields. A tuple's are, once it is complete, since then there are none. */
bool snapshot_is_guarded(const struct object *object);
/* Dismisses a container, which is alive or on no cycle. mark: 0 or SNAPSHOT_MARK_LEAF. */
void snapshot_dismiss(struct runtime *runtime, struct object *object, unsigned mark);
/* Removes a tracked container's bias, and its marks for it. */
void snapshot_take_bias(struct runtime *runtime, struct object *object);
/* Handles a touched container that loses its bias, without making it a candidate: the caller does
 * what is needed. */
void snapshot_lose(struct runtime *runtime, struct object *object);
/* Makes the entry a candidate for examination. */
void snapshot_enqueue_seen(struct runtime *runtime, uint32_t index);
/* Called when new entries have moved into places of old ones. */
void snapshot_moved_entries(struct runtime *runtime);

/* ---------------------------------------------------------------- snapshot_examine.c */
/* Looks once at a container's references. Returns bits of enum snapshot_look_found; 0: it is a
 * leaf. */
unsigned snapshot_look(const struct registry *registry, struct object *object, int64_t *budget);
/* Examines new containers and candidates until the budget is spent. */
void snapshot_examine(struct runtime *runtime, int64_t *budget);

/* ---------------------------------------------------------------- snapshot_cycle.c */
void snapshot_begin_cycle(struct runtime *runtime);
/* Called for a member that lost its bias, or that must be treated as alive for another reason. */
void snapshot_reach(struct runtime *runtime, uint32_t index);
/* Works on the running cycle until it ends or the budget is spent. */
void snapshot_advance(struct runtime *runtime, int64_t *budget);
/* Called when somebody got an unreached member through a weak reference in SNAPSHOT_SWEEP: goes
 * back to SNAPSHOT_MARK. */
void snapshot_rescue(struct runtime *runtime, uint32_t index);
/* Fills the holes from begin to the registry's end, which is where the youngest range begins, with
 * entries from the end. Returns how far it got, which is the end unless the budget was spent. */
uint32_t snapshot_close_holes(struct runtime *runtime, uint32_t begin, int64_t *budget);

#endif
