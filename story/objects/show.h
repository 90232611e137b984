/* What heapmill-story-objects shows of the object layer: each of these runs one experiment and
 * writes its figures into an object of JSON, by names that story/story.txt uses. A figure is
 * counted, never written down. */
#ifndef HEAPMILL_STORY_OBJECTS_SHOW_H
#define HEAPMILL_STORY_OBJECTS_SHOW_H

#include "common/json_writer.h"
#include "gc/object.h"

/* A heap with a runtime over it. Static, as a heap's address map may have 256 KiB. */
struct show {
    struct heap heap;
    struct runtime *runtime;
};

/* Opens both, under the collector of that name (NULL: the default), or ends the program with 3. */
void show_open(struct show *show, const char *collector);
void show_close(struct show *show);

/* Ends the program with exit status 3 where the heap is exhausted. */
void *show_need(void *object);

/* A row of a table of steps: {"step": …, "count": …}. */
void show_step(struct json_writer *json, const char *step, int64_t count);

typedef void show_experiment(struct json_writer *json);
show_experiment show_counts, show_shared, show_chain, show_cost, show_cycle, show_detector,
    show_ring, show_care;

#endif
