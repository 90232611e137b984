/* The model of lru_cache: decides with plain arrays which requests miss.
 *
 * It is loaded with the keys of the real cache, oldest first, and then gets each request. All
 * memory is scratch memory. */
#ifndef HEAPMILL_WORKLOADS_OBJECTS_LRU_MODEL_H
#define HEAPMILL_WORKLOADS_OBJECTS_LRU_MODEL_H

#include <string.h>

#include "workloads/objects/model.h"

/* Place 0 is the ring's root; places 1 to live are entries. */
struct lru_model {
    uint32_t *place_of; /* [keys]; 0: not in the cache */
    uint32_t *key_of;   /* [live + 1] */
    uint32_t *previous; /* [live + 1] */
    uint32_t *next;     /* [live + 1] */
    uint64_t live;
    uint64_t keys;
    uint64_t filled; /* places in use */
};

static inline void lru_model_open(struct lru_model *model, struct run *run, uint64_t live,
                                  uint64_t keys)
{
    model->live = live;
    model->keys = keys;
    model->place_of = run_scratch(run, keys * sizeof(uint32_t));
    model->key_of = run_scratch(run, (live + 1) * sizeof(uint32_t));
    model->previous = run_scratch(run, (live + 1) * sizeof(uint32_t));
    model->next = run_scratch(run, (live + 1) * sizeof(uint32_t));
}

static inline void lru_model_clear(struct lru_model *model)
{
    memset(model->place_of, 0, model->keys * sizeof(uint32_t));
    model->previous[0] = 0;
    model->next[0] = 0;
    model->filled = 0;
}

static inline void lru_model_unlink(struct lru_model *model, uint32_t place)
{
    model->next[model->previous[place]] = model->next[place];
    model->previous[model->next[place]] = model->previous[place];
}

static inline void lru_model_link_newest(struct lru_model *model, uint32_t place)
{
    uint32_t newest = model->previous[0];
    model->previous[place] = newest;
    model->next[place] = 0;
    model->next[newest] = place;
    model->previous[0] = place;
}

/* Returns whether the request was a miss. Afterwards the key is the newest. */
static inline bool lru_model_request(struct lru_model *model, uint64_t key)
{
    uint32_t place = model->place_of[key];
    bool miss = place == 0;
    if (!miss) {
        lru_model_unlink(model, place);
    } else if (model->filled < model->live) {
        place = (uint32_t)++model->filled;
    } else {
        place = model->next[0]; /* that of the oldest entry */
        lru_model_unlink(model, place);
        model->place_of[model->key_of[place]] = 0;
    }
    model->place_of[key] = place;
    model->key_of[place] = (uint32_t)key;
    lru_model_link_newest(model, place);
    return miss;
}

#endif
