/* The seeded random number generator that every random choice of heapmill comes from.
 *
 * xoshiro256** 1.0 by Blackman and Vigna ("Scrambled Linear Pseudorandom Number Generators", ACM
 * TOMS 47, 2021), seeded through splitmix64 as its authors advise. Equal seeds give equal streams
 * on every machine. Not for cryptography. One generator belongs to one thread. */
#ifndef HEAPMILL_COMMON_RNG_H
#define HEAPMILL_COMMON_RNG_H

#include <math.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

static inline uint64_t rng_splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline void rng_seed(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        rng->state[i] = rng_splitmix(&seed);
    }
}

/* 64 random bits. */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t scrambled = s[1] * 5;
    uint64_t result = ((scrambled << 7) | (scrambled >> 57)) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* Uniform in [0, bound), bound > 0. Lemire's multiply-shift without the rejection step: the bias is
 * below bound / 2^64. */
static inline uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)rng_next(rng) * bound) >> 64);
}

/* Uniform in [0, 1), 53 bits. */
static inline double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

/* Exponential with the given mean. */
static inline double rng_exponential(struct rng *rng, double mean)
{
    return -mean * log1p(-rng_uniform(rng));
}

/* Standard normal (Box and Muller 1958; one of the pair is thrown away, which keeps the generator
 * without state of its own). */
static inline double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2.0 * log1p(-rng_uniform(rng)));
    return radius * cos(6.283185307179586 * rng_uniform(rng));
}

/* Fisher and Yates: every order equally likely. */
static inline void rng_shuffle_u32(struct rng *rng, uint32_t *values, uint64_t count)
{
    for (uint64_t i = count; i > 1; i--) {
        uint64_t j = rng_below(rng, i);
        uint32_t value = values[i - 1];
        values[i - 1] = values[j];
        values[j] = value;
    }
}

#endif
