/* The experiments of heapmill-story-objects with the object layer. Each function runs one and
 * writes its figures into a JSON object, under names that story/story.txt uses. Every figure is
 * counted; none is a constant. */
#ifndef HEAPMILL_STORY_OBJECTS_SHOW_H
#define HEAPMILL_STORY_OBJECTS_SHOW_H

#include "common/json_writer.h"
#include "gc/object.h"

/* A heap with a runtime over it. It is static, since a heap's address map may take 256 KiB. */
struct show {
    struct heap heap;
    struct runtime *runtime;
};

/* Opens both with the collector of that name (NULL: the default), or ends the program with 3. */
void show_open(struct show *show, const char *collector);
void show_close(struct show *show);

/* Returns object, or ends the program with 3 if it is NULL because the heap is exhausted. */
void *show_need(void *object);

/* Writes a row of a table of steps: {"step": …, "count": …}. */
void show_step(struct json_writer *json, const char *step, int64_t count);

typedef void show_experiment(struct json_writer *json);
show_experiment show_counts, show_shared, show_chain, show_cost, show_cycle, show_detector,
    show_ring, show_care;

#endif
