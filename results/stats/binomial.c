/* How sure a share of yes and no is. */
#include <math.h>

#include "results/stats/statistics.h"

#define BINOMIAL_TAIL 0.025
enum { BINOMIAL_BISECTIONS = 60 }; /* halves of 1: below a double's last bit */

double statistics_binomial_at_least(size_t successes, size_t trials, double p)
{
    double sum = 0;
    int sign;
    double n = (double)trials;
    for (size_t i = successes; i <= trials; i++) {
        double k = (double)i;
        sum += exp(lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign) +
                   k * log(p) + (n - k) * log1p(-p));
    }
    return sum;
}

/* The probability that gives at least so many with the chance `tail`: it grows with p. */
static double binomial_invert(size_t successes, size_t trials, double tail)
{
    double low = 0;
    double high = 1;
    for (int i = 0; i < BINOMIAL_BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (statistics_binomial_at_least(successes, trials, middle) < tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

void statistics_binomial_interval(size_t successes, size_t trials, double *low, double *high)
{
    *low = successes > 0 ? binomial_invert(successes, trials, BINOMIAL_TAIL) : 0;
    *high = successes < trials ? binomial_invert(successes + 1, trials, 1 - BINOMIAL_TAIL) : 1;
}
