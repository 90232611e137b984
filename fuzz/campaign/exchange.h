/* Files that pass between the engines of a campaign: inputs and findings. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_EXCHANGE_H
#define HEAPMILL_FUZZ_CAMPAIGN_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

struct fuzz_exchange {
    bool active;
    struct text_list taken; /* inputs of AFL++ that are in corpus/ already */
    uint64_t disk_bytes;    /* of the whole directory, at the last exchange */
};

/* Copies what AFL++ added to its queues to corpus/, which libFuzzer rereads and AFL++'s main
 * instance watches (-F); not what it took from there. STATUS_IO. */
enum status fuzz_exchange_inputs(struct fuzz_exchange *exchange, const char *directory,
                                 struct error *error);
void fuzz_exchange_release(struct fuzz_exchange *exchange);

/* Findings that are not in `known`, which they join: fresh has their paths below the directory, all
 * of them in findings/. AFL++'s are copied there. STATUS_IO. */
enum status fuzz_exchange_collect(const char *directory, struct text_list *known,
                                  struct text_list *fresh, struct error *error);

#endif
