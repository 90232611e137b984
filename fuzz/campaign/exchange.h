/* Passes inputs between the engines of a campaign, and collects their findings. */
#ifndef HEAPMILL_FUZZ_CAMPAIGN_EXCHANGE_H
#define HEAPMILL_FUZZ_CAMPAIGN_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/host/text.h"
#include "common/status.h"

struct fuzz_exchange {
    bool active;
    struct text_list taken; /* inputs of AFL++ that are already in corpus/ */
    uint64_t disk_bytes;    /* bytes of the whole directory at the last exchange */
};

/* Copies new inputs of AFL++'s queues to corpus/, which libFuzzer rereads and AFL++'s main instance
 * watches (-F). Inputs that AFL++ took from there are not copied back. STATUS_IO. */
enum status fuzz_exchange_inputs(struct fuzz_exchange *exchange, const char *directory,
                                 struct error *error);
void fuzz_exchange_release(struct fuzz_exchange *exchange);

/* Adds findings that are not in `known` to `known` and to fresh, as paths below the directory, all
 * in findings/. AFL++'s findings are copied there. STATUS_IO. */
enum status fuzz_exchange_collect(const char *directory, struct text_list *known,
                                  struct text_list *fresh, struct error *error);

#endif
