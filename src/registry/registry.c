#include "registry/registry.h"

#include <curl/curl.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "registry/registry_internal.h"
#include "json/json_record.h"

#define DEFAULT_DOWNLOADS 3
#define DEFAULT_UPLOADS   5
#define DEFAULT_ATTEMPTS  5

#define FIELD(name, member) FIELD_STRING(struct registry_auth, name, member, OMIT_EMPTY)
static const struct field registry_auth_fields[] = {
    FIELD("username", username),
    FIELD("password", password),
    FIELD("auth", auth),
    FIELD("email", email),
    FIELD("serveraddress", server_address),
    FIELD("identitytoken", identity_token),
    FIELD("registrytoken", registry_token),
};
#undef FIELD
const struct record_type registry_auth_type =
    RECORD_TYPE("registry.AuthConfig", struct registry_auth, registry_auth_fields);

void registry_auth_release(struct registry_auth *auth)
{
    record_release(&registry_auth_type, auth);
    *auth = (struct registry_auth){0};
}

/* Both alphabets, with padding or without. The caller frees; NULL where it is neither. */
static char *decode(const char *text, size_t *length)
{
    size_t count = strlen(text);
    _cleanup_free_ char *standard = xasprintf("%s===", text);
    while (count > 0 && standard[count - 1] == '=')
        count--;
    standard[(count + 3) / 4 * 4] = '\0';
    for (char *at = standard; at < standard + count; at++)
        *at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
    for (size_t i = count; standard[i]; i++)
        standard[i] = '=';
    uint8_t *data = xcalloc(strlen(standard) / 4 * 3 + 1, 1);
    long decoded = count % 4 == 1 ? -1 : base64_decode(standard, data);
    if (decoded < 0) {
        free(data);
        return NULL;
    }
    *length = (size_t)decoded;
    return (char *)data;
}

bool registry_auth_parse(const char *header, struct registry_auth *out, struct error *err)
{
    if (!string_is_set(header))
        return true;
    size_t length = 0;
    _cleanup_free_ char *text = decode(header, &length);
    if (!text)
        return error_set(err, ERROR_INVALID, "invalid X-Registry-Auth header: illegal base64 data");
    struct registry_auth auth = {0};
    if (!record_parse(&registry_auth_type, text, length, &auth, err))
        return error_prefix(err, "invalid X-Registry-Auth header");
    if (!string_is_set(auth.username) && string_is_set(auth.auth)) {
        _cleanup_free_ char *pair = decode(auth.auth, &length);
        const char *colon = pair ? strchr(pair, ':') : NULL;
        if (colon) {
            free(auth.username);
            auth.username = xstrndup(pair, (size_t)(colon - pair));
            string_replace(&auth.password, colon + 1);
        }
    }
    *out = auth;
    return true;
}

static void initialize(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct registry *registry_new(struct store *store, const struct registry_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
    struct registry *registry = NEW(struct registry);
    registry->store = store;
    strlist_copy(&registry->options.insecure, &options->insecure);
    strlist_copy(&registry->options.mirrors, &options->mirrors);
    registry->options.max_downloads = options->max_downloads > 0 ? options->max_downloads : DEFAULT_DOWNLOADS;
    registry->options.max_uploads = options->max_uploads > 0 ? options->max_uploads : DEFAULT_UPLOADS;
    registry->options.max_attempts = options->max_attempts > 0 ? options->max_attempts : DEFAULT_ATTEMPTS;
    pthread_mutex_init(&registry->lock, NULL);
    pthread_cond_init(&registry->changed, NULL);
    return registry;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    strlist_release(&registry->options.insecure);
    strlist_release(&registry->options.mirrors);
    pthread_cond_destroy(&registry->changed);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}
