#include "distribution/token.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "json/json_record.h"

#define MAX_KEYS_FILE ((size_t)1 << 20)
#define MAX_TOKEN     ((size_t)64 << 10)
#define LEEWAY        60 /* seconds that clocks may differ */
#define P256_BYTES    32

struct token_key {
    char *id; /* of a key set; NULL: none */
    EVP_PKEY *key;
};
struct token_keys {
    struct token_key *items;
    size_t count;
};

void token_keys_free(struct token_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        EVP_PKEY_free(keys->items[i].key);
        free(keys->items[i].id);
    }
    free(keys->items);
    free(keys);
}

/* base64url without padding; *length bytes, caller frees. NULL where it is none. */
static unsigned char *decode(const char *text, size_t text_length, size_t *length)
{
    _cleanup_strbuf_ struct strbuf padded = STRBUF_INIT;
    for (size_t i = 0; i < text_length; i++) {
        if (text[i] == '+' || text[i] == '/' || text[i] == '=')
            return NULL;
        strbuf_add_char(&padded, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    }
    while (padded.length % 4)
        strbuf_add_char(&padded, '=');
    _cleanup_free_ unsigned char *data = xmalloc(padded.length + 1);
    long count = base64_decode(strbuf_text(&padded), data);
    if (count < 0)
        return NULL;
    data[count] = '\0';
    *length = (size_t)count;
    return TAKE_PTR(data);
}

/* --- keys --- */

static void keys_add(struct token_keys *keys, EVP_PKEY *key, const char *id)
{
    *APPEND(keys->items, keys->count) = (struct token_key){xstrdup(id), key};
}

static void read_pem(struct token_keys *keys, const struct strbuf *text)
{
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->length);
    char *name, *header;
    unsigned char *data;
    long length;
    while (PEM_read_bio(bio, &name, &header, &data, &length) == 1) {
        const unsigned char *at = data;
        EVP_PKEY *key = NULL;
        if (strcmp(name, PEM_STRING_X509) == 0) {
            X509 *certificate = d2i_X509(NULL, &at, length);
            key = certificate ? X509_get_pubkey(certificate) : NULL;
            X509_free(certificate);
        } else if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
            key = d2i_PUBKEY(NULL, &at, length);
        }
        if (key)
            keys_add(keys, key, NULL);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(bio);
    ERR_clear_error();
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters && context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

static EVP_PKEY *read_rsa(const json_t *json)
{
    const char *n = string_or_empty(json_string_value(json_object_get(json, "n")));
    const char *e = string_or_empty(json_string_value(json_object_get(json, "e")));
    size_t n_length, e_length;
    _cleanup_free_ unsigned char *n_bytes = decode(n, strlen(n), &n_length), *e_bytes = decode(e, strlen(e), &e_length);
    if (!n_bytes || !e_bytes)
        return NULL;
    BIGNUM *modulus = BN_bin2bn(n_bytes, (int)n_length, NULL), *exponent = BN_bin2bn(e_bytes, (int)e_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    EVP_PKEY *key = key_from("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *read_ec(const json_t *json)
{
    const char *x = string_or_empty(json_string_value(json_object_get(json, "x")));
    const char *y = string_or_empty(json_string_value(json_object_get(json, "y")));
    size_t x_length, y_length;
    _cleanup_free_ unsigned char *x_bytes = decode(x, strlen(x), &x_length), *y_bytes = decode(y, strlen(y), &y_length);
    if (!string_equal(json_string_value(json_object_get(json, "crv")), "P-256") || !x_bytes || !y_bytes ||
        x_length != P256_BYTES || y_length != P256_BYTES)
        return NULL;
    unsigned char point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x_bytes, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y_bytes, P256_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
    EVP_PKEY *key = key_from("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static void read_key_set(struct token_keys *keys, const json_t *set)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(set, "keys"), i, item)
    {
        const char *type = json_string_value(json_object_get(item, "kty"));
        EVP_PKEY *key = string_equal(type, "RSA") ? read_rsa(item) : string_equal(type, "EC") ? read_ec(item) : NULL;
        if (key)
            keys_add(keys, key, json_string_value(json_object_get(item, "kid")));
    }
    ERR_clear_error();
}

struct token_keys *token_keys_open(const char *path, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(AT_FDCWD, path, MAX_KEYS_FILE, &text, err))
        return NULL;
    struct token_keys *keys = NEW(struct token_keys);
    _cleanup_json_ json_t *set = json_parse(strbuf_text(&text), text.length, NULL);
    if (set)
        read_key_set(keys, set);
    else if (text.length > 0)
        read_pem(keys, &text);
    if (keys->count > 0)
        return keys;
    error_set(err, ERROR_INVALID, "%s: neither certificates and public keys in PEM nor a JSON web key set", path);
    token_keys_free(keys);
    return NULL;
}

/* --- signatures --- */

/* ES256 puts the two numbers one after the other (RFC 7518, 3.4); libcrypto wants them in DER. */
static unsigned char *ecdsa_to_der(const unsigned char *raw, size_t *length)
{
    unsigned char *der = NULL;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, P256_BYTES, NULL), *s = BN_bin2bn(raw + P256_BYTES, P256_BYTES, NULL);
    ECDSA_SIG_set0(signature, r, s);
    int count = i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    *length = count > 0 ? (size_t)count : 0;
    return der;
}

static bool verify(EVP_PKEY *key, const char *algorithm, const char *data, size_t length,
                   const unsigned char *signature, size_t signature_length)
{
    bool is_ec = strcmp(algorithm, "ES256") == 0;
    if (EVP_PKEY_get_base_id(key) != (is_ec ? EVP_PKEY_EC : EVP_PKEY_RSA))
        return false;
    /* ES256 is P-256 and no other curve. */
    if (is_ec && (signature_length != 2 * P256_BYTES || EVP_PKEY_get_bits(key) != 256))
        return false;
    size_t der_length = 0;
    unsigned char *der = is_ec ? ecdsa_to_der(signature, &der_length) : NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_right = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(context, is_ec ? der : signature, is_ec ? der_length : signature_length,
                                     (const unsigned char *)data, length) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    ERR_clear_error();
    return is_right;
}

static bool is_signed(const struct token_keys *keys, const json_t *header, const char *data, size_t length,
                      const char *signature)
{
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    const char *id = json_string_value(json_object_get(header, "kid"));
    size_t signature_length;
    _cleanup_free_ unsigned char *bytes = decode(signature, strlen(signature), &signature_length);
    if (!bytes || (!string_equal(algorithm, "RS256") && !string_equal(algorithm, "ES256")))
        return false;
    for (size_t i = 0; i < keys->count; i++) {
        const struct token_key *key = &keys->items[i];
        if (key->id && id && strcmp(key->id, id) != 0)
            continue;
        if (verify(key->key, algorithm, data, length, bytes, signature_length))
            return true;
    }
    return false;
}

/* --- claims --- */

static bool is_for(const json_t *audience, const char *service)
{
    if (json_is_string(audience))
        return string_equal(json_string_value(audience), service);
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)audience, i, item)
    {
        if (string_equal(json_string_value(item), service))
            return true;
    }
    return false;
}

static bool is_current(const json_t *claims, int64_t now)
{
    const json_t *end = json_object_get(claims, "exp"), *start = json_object_get(claims, "nbf");
    return json_is_number(end) && json_number_value(end) + LEEWAY > (double)now &&
           (!start || (json_is_number(start) && json_number_value(start) - LEEWAY <= (double)now));
}

static bool gives_action(const json_t *access, const char *type, const char *name, const char *action)
{
    size_t i, j;
    json_t *item, *given;
    json_array_foreach((json_t *)access, i, item)
    {
        if (!string_equal(json_string_value(json_object_get(item, "type")), type) ||
            !string_equal(json_string_value(json_object_get(item, "name")), name))
            continue;
        json_array_foreach(json_object_get(item, "actions"), j, given)
        {
            if (string_equal(json_string_value(given), action) || string_equal(json_string_value(given), "*"))
                return true;
        }
    }
    return false;
}

static json_t *part(const char *text, size_t length)
{
    size_t decoded_length;
    _cleanup_free_ unsigned char *decoded = decode(text, length, &decoded_length);
    return decoded ? json_parse((const char *)decoded, decoded_length, NULL) : NULL;
}

bool token_allows(const struct token_keys *keys, const struct token_rules *rules, const char *token, const char *type,
                  const char *name, const char *actions, struct error *err)
{
    const char *dot = strchr(token, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.') || strlen(token) > MAX_TOKEN)
        return error_set(err, ERROR_UNAUTHORIZED, "malformed token");
    _cleanup_json_ json_t *header = part(token, (size_t)(dot - token));
    _cleanup_json_ json_t *claims = part(dot + 1, (size_t)(second - dot) - 1);
    if (!json_is_object(header) || !json_is_object(claims))
        return error_set(err, ERROR_UNAUTHORIZED, "malformed token");
    if (!is_signed(keys, header, token, (size_t)(second - token), second + 1))
        return error_set(err, ERROR_UNAUTHORIZED, "the token's signature is wrong");
    if (!string_equal(json_string_value(json_object_get(claims, "iss")), rules->issuer))
        return error_set(err, ERROR_UNAUTHORIZED, "the token is of another issuer");
    if (!is_for(json_object_get(claims, "aud"), rules->service))
        return error_set(err, ERROR_UNAUTHORIZED, "the token is for another service");
    if (!is_current(claims, rules->now))
        return error_set(err, ERROR_UNAUTHORIZED, "the token has expired, or is not valid yet");
    if (!type)
        return true;
    _cleanup_strlist_ struct strlist list = strlist_split(actions, ',');
    for (size_t i = 0; i < list.count; i++)
        if (!gives_action(json_object_get(claims, "access"), type, name, list.items[i]))
            return error_set(err, ERROR_DENIED, "the token does not give %s on %s", list.items[i], name);
    return true;
}
