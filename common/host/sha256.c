#include "common/host/sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_BYTES = 32, SHA256_READ_BYTES = 1 << 16 };

static void sha256_write(const unsigned char *digest, char text[SHA256_TEXT_BYTES])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

void sha256_of_bytes(const void *bytes, size_t count, char text[SHA256_TEXT_BYTES])
{
    unsigned char digest[SHA256_BYTES];
    if (EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) != 1) {
        abort(); /* no memory */
    }
    sha256_write(digest, text);
}

enum status sha256_of_file(const char *path, char text[SHA256_TEXT_BYTES], struct error *error)
{
    unsigned char bytes[SHA256_READ_BYTES];
    unsigned char digest[SHA256_BYTES];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", path,
                         strerror(errno));
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t got; good && (got = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
        good = EVP_DigestUpdate(context, bytes, got) == 1;
    }
    good = good && ferror(file) == 0 && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    enum status status =
        good ? STATUS_OK : error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    EVP_MD_CTX_free(context);
    (void)fclose(file);
    if (good) {
        sha256_write(digest, text);
    }
    return status;
}
