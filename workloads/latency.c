#include "workloads/latency.h"

#ifdef HEAPMILL_PROBE
#include "allocators/backend.h"

static struct timer latency_timer;

void latency_open(uint32_t every, uint64_t seed)
{
    timer_open(&latency_timer);
    heap_latency.tsc = latency_timer.tsc;
    heap_latency.every = every;
    heap_latency.seed = seed;
}

void latency_start(void)
{
    heap_latency.on = true;
}

void latency_stop(void)
{
    heap_latency.on = false;
}

/* Writes tenths of a nanosecond: a tick is a few of them, so more digits would mean nothing. */
static void latency_write_ns(struct json_writer *writer, const char *name, uint64_t ticks)
{
    json_add_tenths(writer, name, (uint64_t)((double)ticks * latency_timer.ns_per_tick * 10 + 0.5));
}

static void latency_write_quantiles(struct json_writer *writer, const struct histogram *calls)
{
    static const struct {
        const char *name;
        double part;
    } quantiles[] = {
        {"p50_ns", 0.5},     {"p90_ns", 0.9},       {"p99_ns", 0.99},
        {"p99_9_ns", 0.999}, {"p99_99_ns", 0.9999}, {"max_ns", 1},
    };
    json_add_u64(writer, "count", calls->count);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        /* With too few calls a quantile would only repeat the maximum. */
        double beyond = (double)calls->count * (1 - quantiles[i].part);
        if (calls->count > 0 && (quantiles[i].part == 1 || beyond >= 1 - 1e-9)) {
            latency_write_ns(writer, quantiles[i].name,
                             histogram_quantile(calls, quantiles[i].part));
        }
    }
}

static void latency_write_buckets(struct json_writer *writer, const struct histogram *calls)
{
    json_open_array(writer, "buckets");
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (calls->buckets[i] > 0) {
            json_open_array(writer, NULL);
            latency_write_ns(writer, NULL, histogram_highest(i));
            json_add_u64(writer, NULL, calls->buckets[i]);
            json_close_array(writer);
        }
    }
    json_close_array(writer);
}

void latency_write(struct json_writer *writer)
{
    static const char *const names[HEAP_CALL_COUNT] = {"alloc", "free", "resize"};
    json_open_object(writer, "latency");
    json_add_string(writer, "timer", timer_name(&latency_timer));
    json_add_double(writer, "timer_ns_per_tick", latency_timer.ns_per_tick);
    json_add_double(writer, "timer_cost_ns", latency_timer.cost_ns);
    json_add_double(writer, "timer_step_ns", latency_timer.step_ns);
    json_add_bool(writer, "timer_cost_subtracted", false);
    json_add_u64(writer, "every", heap_latency.every);
    for (int call = 0; call < HEAP_CALL_COUNT; call++) {
        json_open_object(writer, names[call]);
        latency_write_quantiles(writer, &heap_latency.calls[call]);
        latency_write_buckets(writer, &heap_latency.calls[call]);
        json_close_object(writer);
    }
    json_close_object(writer);
}
#endif
