/* Rounds of several machines. Each pair is of one machine, but a machine's pairs have more in
 * common with each other than with another machine's: its caches, its memory, its kernel. So hosts
 * are blocks. Where the intervals of two hosts leave room between them, beyond the noise floor,
 * rounds of one host say nothing of the other: the row's interval is then widened to hold each
 * host's own, so that a verdict stands only where it stands on every host, and a sentence says so.
 */
#include <math.h>
#include <stdlib.h>

#include "results/compare/parts.h"
#include "results/stats/statistics.h"

enum { HOSTS_SENTENCES_MAX = 5, HOSTS_ROW_MAX = 256 };

/* A host's own ratio in a row. */
struct host_block {
    uint16_t host;
    uint32_t rounds;
    struct interval interval; /* of the log-ratios; NAN below six rounds */
};

/* The blocks of a row, in order of first appearance; their number. Hosts beyond HOSTS_ROW_MAX are
 * left to the pooled interval. */
static size_t hosts_list(const struct comparison_cell *row, struct host_block *blocks)
{
    size_t count = 0;
    for (uint32_t i = 0; i < row->rounds; i++) {
        size_t known = 0;
        while (known < count && blocks[known].host != row->samples[i].host) {
            known++;
        }
        if (known == count && count < HOSTS_ROW_MAX) {
            blocks[count++] = (struct host_block){.host = row->samples[i].host};
        }
        if (known < count) {
            blocks[known].rounds++;
        }
    }
    return count;
}

static enum status hosts_measure(const struct comparison_cell *row, struct host_block *block,
                                 struct error *error)
{
    double *logarithms = calloc(block->rounds + 1u, sizeof(*logarithms));
    size_t count = 0;
    block->interval = (struct interval){(double)NAN, (double)NAN, (double)NAN};
    if (logarithms == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for %u pairs", block->rounds);
    }
    for (uint32_t i = 0; i < row->rounds; i++) {
        if (row->samples[i].host == block->host) {
            logarithms[count++] = log(row->samples[i].value / row->samples[i].base_value);
        }
    }
    enum status status = count >= STATISTICS_ROUNDS_MIN
                             ? statistics_middle(logarithms, count, &block->interval, error)
                             : STATUS_OK;
    free(logarithms);
    return status;
}

static void hosts_tell(struct comparison *comparison, const struct comparison_cell *row,
                       const struct host_block *low, const struct host_block *high)
{
    if (comparison->differences == NULL) {
        comparison->differences = json_array();
    }
    if (++comparison->hosts_disagree <= HOSTS_SENTENCES_MAX) {
        (void)json_array_append_new(
            comparison->differences,
            json_sprintf(
                "hosts disagree on %s: %s has %.3f [%.3f, %.3f], %s has %.3f [%.3f, %.3f]; "
                "its interval holds both",
                row->cell->id, comparison->set->hosts[low->host], exp(low->interval.point),
                exp(low->interval.low), exp(low->interval.high), comparison->set->hosts[high->host],
                exp(high->interval.point), exp(high->interval.low), exp(high->interval.high)));
    }
}

/* Widens the row's interval where hosts disagree. */
static void hosts_judge(struct comparison *comparison, struct comparison_cell *row,
                        const struct host_block *blocks, size_t count)
{
    const struct host_block *lowest = NULL;  /* whose interval ends first */
    const struct host_block *highest = NULL; /* whose interval begins last */
    double low = row->low;
    double high = row->high;
    for (size_t i = 0; i < count; i++) {
        const struct interval *interval = &blocks[i].interval;
        if (isnan(interval->low)) {
            continue;
        }
        lowest = lowest == NULL || interval->high < lowest->interval.high ? &blocks[i] : lowest;
        highest = highest == NULL || interval->low > highest->interval.low ? &blocks[i] : highest;
        low = fmin(low, exp(interval->low));
        high = fmax(high, exp(interval->high));
    }
    double floor = comparison_row_floor(comparison, row);
    double reach = isnan(floor) ? 0 : log1p(floor);
    if (lowest != NULL && highest->interval.low > lowest->interval.high + reach) {
        row->low = low;
        row->high = high;
        hosts_tell(comparison, row, lowest, highest);
    }
}

enum status comparison_block_hosts(struct comparison *comparison, struct error *error)
{
    enum status status = STATUS_OK;
    if (comparison->set->host_count < 2 || comparison->metric->deterministic) {
        return STATUS_OK;
    }
    struct host_block *blocks = calloc(HOSTS_ROW_MAX, sizeof(*blocks));
    if (blocks == NULL) {
        return error_set(error, STATUS_NO_MEMORY, "no memory for the hosts");
    }
    for (size_t i = 0; i < comparison->cell_count && status == STATUS_OK; i++) {
        struct comparison_cell *row = &comparison->cells[i];
        size_t count = row->verdict == COMPARISON_NO_DIFFERENCE ? hosts_list(row, blocks) : 0;
        for (size_t b = 0; b < count && count > 1 && status == STATUS_OK; b++) {
            status = hosts_measure(row, &blocks[b], error);
        }
        if (count > 1 && status == STATUS_OK) {
            hosts_judge(comparison, row, blocks, count);
        }
    }
    free(blocks);
    if (comparison->hosts_disagree > HOSTS_SENTENCES_MAX) {
        (void)json_array_append_new(comparison->differences,
                                    json_sprintf("hosts disagree on %u rows more",
                                                 comparison->hosts_disagree - HOSTS_SENTENCES_MAX));
    }
    return status;
}
