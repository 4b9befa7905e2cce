#include "store/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"

/* OpenSSL fails here only when it is out of memory or has no sha256 at all. */
static void check(int is_done)
{
    if (is_done)
        return;
    fputs("sha256 is not available\n", stderr);
    abort();
}

struct digester {
    EVP_MD_CTX *context;
};

struct digester *digester_new(void)
{
    struct digester *digester = NEW(struct digester);
    digester->context = EVP_MD_CTX_new();
    check(digester->context && EVP_DigestInit_ex(digester->context, EVP_sha256(), NULL));
    return digester;
}

void digester_add(struct digester *digester, const void *data, size_t length)
{
    check(EVP_DigestUpdate(digester->context, data, length));
}

char *digester_finish(struct digester *digester)
{
    unsigned char bytes[32];
    check(EVP_DigestFinal_ex(digester->context, bytes, NULL));
    char *text = xmalloc(sizeof("sha256:") + 2 * sizeof(bytes));
    memcpy(text, "sha256:", sizeof("sha256:"));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 7 + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

void digester_free(struct digester *digester)
{
    if (!digester)
        return;
    EVP_MD_CTX_free(digester->context);
    free(digester);
}
