/* Which difference a table would have told: before anybody asks why it told none. */
#include <math.h>
#include <stdlib.h>

#include "results/stats/statistics.h"

enum { RESOLUTION_BISECTIONS = 60 };

static double resolution_normal(double z)
{
    return erfc(-z / sqrt(2)) / 2;
}

/* The z with so much beyond it on one side. */
static double resolution_quantile(double tail)
{
    double low = 0;
    double high = 40;
    for (int i = 0; i < RESOLUTION_BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (1 - resolution_normal(middle) > tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

double statistics_resolved(const struct statistics_sight *rows, size_t count, double level,
                           double share)
{
    double critical = resolution_quantile(level / 2);
    double low = 0;
    double high = log(16);
    for (int i = 0; i < RESOLUTION_BISECTIONS && count > 0; i++) {
        double difference = (low + high) / 2;
        double found = 0;
        for (size_t row = 0; row < count; row++) {
            double beyond = difference - rows[row].floor;
            found += rows[row].error > 0 ? resolution_normal(beyond / rows[row].error - critical)
                                         : beyond > 0;
        }
        if (found < share * (double)count) {
            low = difference;
        } else {
            high = difference;
        }
    }
    return count > 0 && high < log(16) ? expm1(high) : (double)NAN;
}
