#include "common/host/sha256.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SHA256_BLOCK_BYTES = 64, SHA256_WORDS = 8, SHA256_ROUNDS = 64, SHA256_READ_BYTES = 1 << 16 };

struct sha256 {
    uint32_t state[SHA256_WORDS];
    uint64_t bytes;
    unsigned char block[SHA256_BLOCK_BYTES]; /* what is not yet a whole one */
};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t sha256_constants[SHA256_ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t sha256_turn(uint32_t word, int by)
{
    return word >> by | word << (32 - by);
}

static uint32_t sha256_word(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void sha256_mix(uint32_t state[SHA256_WORDS], const unsigned char *block)
{
    uint32_t words[SHA256_ROUNDS];
    uint32_t s[SHA256_WORDS];
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < SHA256_ROUNDS; i++) {
        if (i < 16) {
            words[i] = sha256_word(block + 4 * i);
        } else {
            uint32_t a = words[i - 15];
            uint32_t b = words[i - 2];
            words[i] = words[i - 16] + (sha256_turn(a, 7) ^ sha256_turn(a, 18) ^ a >> 3) +
                       words[i - 7] + (sha256_turn(b, 17) ^ sha256_turn(b, 19) ^ b >> 10);
        }
        uint32_t t1 = s[7] +
                      (sha256_turn(s[4], 6) ^ sha256_turn(s[4], 11) ^ sha256_turn(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha256_constants[i] + words[i];
        uint32_t t2 = (sha256_turn(s[0], 2) ^ sha256_turn(s[0], 13) ^ sha256_turn(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(&s[1], &s[0], 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < SHA256_WORDS; i++) {
        state[i] += s[i];
    }
}

static void sha256_open(struct sha256 *sha)
{
    /* The first 32 bits of the fractional parts of the square roots of the first eight primes. */
    *sha = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static void sha256_add(struct sha256 *sha, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        size_t filled = (size_t)(sha->bytes % SHA256_BLOCK_BYTES);
        size_t room = SHA256_BLOCK_BYTES - filled;
        size_t taken = count < room ? count : room;
        memcpy(sha->block + filled, bytes, taken);
        sha->bytes += taken;
        bytes += taken;
        count -= taken;
        if (taken == room) {
            sha256_mix(sha->state, sha->block);
        }
    }
}

static void sha256_close(struct sha256 *sha, char text[SHA256_TEXT_BYTES])
{
    const unsigned char one = 0x80;
    const unsigned char zero = 0;
    unsigned char length[8];
    uint64_t bits = sha->bytes * 8;
    sha256_add(sha, &one, 1);
    while (sha->bytes % SHA256_BLOCK_BYTES != SHA256_BLOCK_BYTES - sizeof(length)) {
        sha256_add(sha, &zero, 1);
    }
    for (size_t i = 0; i < sizeof(length); i++) {
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    sha256_add(sha, length, sizeof(length));
    for (size_t i = 0; i < SHA256_WORDS; i++) {
        (void)snprintf(text + 8 * i, 9, "%08x", sha->state[i]);
    }
}

void sha256_of_bytes(const void *bytes, size_t count, char text[SHA256_TEXT_BYTES])
{
    struct sha256 sha;
    sha256_open(&sha);
    sha256_add(&sha, bytes, count);
    sha256_close(&sha, text);
}

enum status sha256_of_file(const char *path, char text[SHA256_TEXT_BYTES], struct error *error)
{
    unsigned char bytes[SHA256_READ_BYTES];
    struct sha256 sha;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", path,
                         strerror(errno));
    }
    sha256_open(&sha);
    for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
        sha256_add(&sha, bytes, got);
    }
    enum status status = ferror(file) == 0 ? STATUS_OK
                                           : error_set(error, STATUS_IO, "cannot read %s: %s", path,
                                                       strerror(errno));
    (void)fclose(file);
    sha256_close(&sha, text);
    return status;
}
