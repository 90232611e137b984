#include "plots/buckets.h"

#include <stdlib.h>

#include "common/host/text.h"

void buckets_add(struct buckets *buckets, const json_t *object)
{
    const json_t *added = json_object_get(object, "buckets");
    size_t count = json_array_size(added);
    buckets->items = text_grow(buckets->items, buckets->count + count + 1, sizeof *buckets->items);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(added, i);
        double ns = json_number_value(json_array_get(pair, 0));
        double events = json_number_value(json_array_get(pair, 1));
        if (ns > 0 && events > 0) {
            buckets->items[buckets->count++] = (struct bucket){ns, events};
        }
    }
}

static int bucket_compare(const void *left, const void *right)
{
    const struct bucket *a = left;
    const struct bucket *b = right;
    return (a->ns > b->ns) - (a->ns < b->ns);
}

double buckets_sort(struct buckets *buckets)
{
    double total = 0;
    if (buckets->count > 0) {
        qsort(buckets->items, buckets->count, sizeof *buckets->items, bucket_compare);
    }
    for (size_t i = 0; i < buckets->count; i++) {
        total += buckets->items[i].count;
    }
    return total;
}
