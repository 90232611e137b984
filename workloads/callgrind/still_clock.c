/* A clock that stands still, for the instructions pass: a library that is preloaded under
 * callgrind.
 *
 * Some allocators give memory back after some time (jemalloc's decay, mimalloc's purge delay), so
 * their work depends on the speed of the machine, and under callgrind everything takes 50 times as
 * long. Here each clock reading is a microsecond after the one before, so that time depends only on
 * what the program does, and is the same in every run. Memory that would be given back in idle time
 * is therefore not in a count of instructions. */
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* Any moment but 0, which programs may take for "never". */
#define STILL_CLOCK_BEGIN_NS (UINT64_C(1000000000) * 1000000000)

enum { STILL_CLOCK_STEP_NS = 1000 };

static uint64_t still_clock_readings;

static uint64_t still_clock_read_ns(void)
{
    return STILL_CLOCK_BEGIN_NS +
           STILL_CLOCK_STEP_NS * __atomic_fetch_add(&still_clock_readings, 1, __ATOMIC_RELAXED);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    (void)id;
    uint64_t ns = still_clock_read_ns();
    *now = (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    uint64_t ns = still_clock_read_ns();
    *now = (struct timeval){.tv_sec = (time_t)(ns / 1000000000u),
                            .tv_usec = (suseconds_t)(ns % 1000000000u / 1000)};
    return 0;
}

time_t time(time_t *now)
{
    time_t seconds = (time_t)(still_clock_read_ns() / 1000000000u);
    if (now != NULL) {
        *now = seconds;
    }
    return seconds;
}
