#include "build/key.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"

struct key {
    EVP_MD_CTX *context;
};

/* OpenSSL fails here only when it is out of memory or has no sha256 at all. */
static void check(int is_done)
{
    if (is_done)
        return;
    fputs("sha256 is not available\n", stderr);
    abort();
}

void key_reset(struct key *key)
{
    check(EVP_DigestInit_ex(key->context, EVP_sha256(), NULL));
}

struct key *key_new(void)
{
    struct key *key = NEW(struct key);
    key->context = EVP_MD_CTX_new();
    check(key->context != NULL);
    key_reset(key);
    return key;
}

void key_free(struct key *key)
{
    EVP_MD_CTX_free(key->context);
    free(key);
}

void key_add_raw(struct key *key, const void *data, size_t length)
{
    check(EVP_DigestUpdate(key->context, data, length));
}

void key_add_number(struct key *key, int64_t number)
{
    key_add_raw(key, &number, sizeof(number));
}

void key_add_bytes(struct key *key, const void *data, size_t length)
{
    key_add_number(key, (int64_t)length);
    key_add_raw(key, data, length);
}

void key_add(struct key *key, const char *text)
{
    if (text)
        key_add_bytes(key, text, strlen(text));
    else
        key_add_number(key, -1);
}

void key_add_list(struct key *key, const struct strlist *list)
{
    key_add_number(key, (int64_t)list->count);
    for (size_t i = 0; i < list->count; i++)
        key_add(key, list->items[i]);
}

void key_finish_bytes(struct key *key, unsigned char out[KEY_BYTES])
{
    check(EVP_DigestFinal_ex(key->context, out, NULL));
}

char *key_finish(struct key *key)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[KEY_BYTES];
    key_finish_bytes(key, bytes);
    char *text = xmalloc(sizeof("sha256:") + 2 * sizeof(bytes));
    memcpy(text, "sha256:", 7);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text[7 + 2 * i] = digits[bytes[i] >> 4];
        text[8 + 2 * i] = digits[bytes[i] & 15];
    }
    text[7 + 2 * sizeof(bytes)] = '\0';
    return text;
}
