#include "cli/endpoint.h"

#include <string.h>

#include "base/memory.h"
#include "cli/config_file.h"
#include "cli/context_store.h"
#include "json/json_record.h"

const char *endpoint_context(const struct global_values *values, const char *directory)
{
    if (string_is_set(values->context))
        return values->context;
    if (values->hosts.count > 0 || environment_setting("HOST"))
        return CONTEXT_DEFAULT;
    const char *context = environment_setting("CONTEXT");
    if (!context)
        context = json_string_value(json_object_get(config_file_of(directory), "currentContext"));
    return string_is_set(context) ? context : CONTEXT_DEFAULT;
}

/* The flag's path, or the file of that name in DOCKER_CERT_PATH or the folder of config.json. A certificate and a key
   that nobody asked for may be missing. */
static char *tls_file(const char *flag, const char *directory, const char *name, bool may_be_missing)
{
    if (flag)
        return xstrdup(flag);
    const char *folder = environment_setting("CERT_PATH");
    char *path = xasprintf("%s/%s", folder ? folder : directory, name);
    if (may_be_missing && access(path, F_OK) < 0) {
        free(path);
        return NULL;
    }
    return path;
}

bool endpoint_default(const struct global_values *values, const char *directory, char **host, struct client_tls *tls,
                      bool *has_tls, struct error *err)
{
    bool verifies = values->has_tls_verify ? values->tls_verify : environment_setting("TLS_VERIFY") != NULL;
    *has_tls =
        values->has_tls_verify || verifies || (values->has_tls ? values->tls : environment_setting("TLS") != NULL);
    *host = xstrdup(values->hosts.count > 0 ? values->hosts.items[0] : environment_setting("HOST"));
    if (!*has_tls)
        return true;
    *tls = (struct client_tls){.authority = tls_file(values->tls_ca, directory, "ca.pem", false),
                               .certificate = tls_file(values->tls_certificate, directory, "cert.pem", true),
                               .key = tls_file(values->tls_key, directory, "key.pem", true),
                               .skips_verification = !verifies};
    const char *const files[] = {tls->authority, tls->certificate, tls->key};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (string_is_set(files[i]) && access(files[i], R_OK) < 0)
            return error_errno(err, "unable to resolve docker endpoint: open %s", files[i]);
    }
    return true;
}

static bool of_context(const char *directory, const char *name, char **host, struct client_tls *tls, bool *has_tls,
                       struct error *err)
{
    _cleanup_json_ json_t *context = context_read(directory, name, err);
    if (!context)
        return error_prefix(err, "unable to resolve docker endpoint");
    const json_t *endpoint = json_object_get(json_object_get(context, "Endpoints"), "docker");
    bool skips = json_is_true(json_object_get(endpoint, "SkipTLSVerify"));
    *host = xstrdup(context_host(context));
    *has_tls = context_tls(directory, name, tls) || skips;
    tls->skips_verification = skips;
    return true;
}

struct client *endpoint_client(const struct global_values *values, const char *directory, struct error *err)
{
    const char *name = endpoint_context(values, directory);
    _cleanup_free_ char *host = NULL;
    _cleanup_(client_tls_release) struct client_tls tls = {0};
    bool has_tls = false;
    bool is_good = string_equal(name, CONTEXT_DEFAULT) ? endpoint_default(values, directory, &host, &tls, &has_tls, err)
                                                       : of_context(directory, name, &host, &tls, &has_tls, err);
    struct client *client = is_good ? client_new(host, has_tls ? &tls : NULL, err) : NULL;
    if (!client)
        return NULL;
    const json_t *headers = json_object_get(config_file_of(directory), "HttpHeaders");
    _cleanup_strmap_ struct strmap map = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)headers, key, value)
    {
        const char *text = string_or_empty(json_string_value(value));
        if (key[strcspn(key, "\r\n: ")] == '\0' && text[strcspn(text, "\r\n")] == '\0')
            strmap_set(&map, key, text);
    }
    client_set_headers(client, &map);
    return client;
}
