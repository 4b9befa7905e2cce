#include "cli/context_option.h"

#include <string.h>

#include "base/memory.h"
#include "cli/context_store.h"
#include "cli/endpoint.h"
#include "json/json_record.h"

bool context_option_parse(void *place, const char *value, struct error *err)
{
    struct strmap *map = place;
    _cleanup_strlist_ struct strlist parts = strlist_split(value, ',');
    for (size_t i = 0; i < parts.count; i++) {
        char *equals = strchr(parts.items[i], '=');
        if (!equals)
            return error_set(err, ERROR_INVALID, "%s must be formatted as key=value", parts.items[i]);
        *equals = '\0';
        strmap_set(map, parts.items[i], equals + 1);
    }
    return true;
}

static json_t *docker_endpoint(const char *host, bool skips)
{
    json_t *endpoint = json_object();
    if (string_is_set(host))
        json_object_set_new(endpoint, "Host", json_string(host));
    json_object_set_new(endpoint, "SkipTLSVerify", json_boolean(skips));
    return json_pack("{s:o}", "docker", endpoint);
}

/* "default" is no folder of the store: it is what the flags and the environment say. */
static bool default_endpoint(const struct command_call *call, char **host, struct client_tls *tls, bool *has_tls,
                             struct error *err)
{
    _cleanup_free_ char *named = NULL;
    if (!endpoint_default(call->globals, call->config_directory, &named, tls, has_tls, err))
        return false;
    _cleanup_(client_freep) struct client *client = client_new(named, NULL, err);
    if (!client)
        return false;
    *host = xstrdup(client_host(client));
    return true;
}

json_t *context_get(const struct command_call *call, const char *name, struct error *err)
{
    if (!string_equal(name, CONTEXT_DEFAULT))
        return context_read(call->config_directory, name, err);
    _cleanup_free_ char *host = NULL;
    _cleanup_(client_tls_release) struct client_tls tls = {0};
    bool has_tls = false;
    if (!default_endpoint(call, &host, &tls, &has_tls, err))
        return NULL;
    return json_pack("{s:s, s:{s:s}, s:o}", "Name", CONTEXT_DEFAULT, "Metadata", "Description",
                     CONTEXT_DEFAULT_DESCRIPTION, "Endpoints",
                     docker_endpoint(host, has_tls && tls.skips_verification));
}

bool context_copy_tls(const struct command_call *call, const char *from, const char *to, struct error *err)
{
    _cleanup_free_ char *host = NULL;
    _cleanup_(client_tls_release) struct client_tls tls = {0};
    bool has_tls = false;
    if (!string_equal(from, CONTEXT_DEFAULT))
        has_tls = context_tls(call->config_directory, from, &tls);
    else if (!default_endpoint(call, &host, &tls, &has_tls, err))
        return false;
    return !has_tls || context_write_tls(call->config_directory, to, &tls, err);
}

static bool apply(const struct command_call *call, const struct strmap *endpoint, json_t *context, struct error *err)
{
    static const char *const known[] = {"from", "host", "ca", "cert", "key", "skip-tls-verify"};
    for (size_t i = 0; i < endpoint->count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < ARRAY_SIZE(known); j++)
            is_known = is_known || string_equal(endpoint->items[i].key, known[j]);
        if (!is_known)
            return error_set(err, ERROR_INVALID, "unrecognized config key: %s", endpoint->items[i].key);
    }
    const char *name = json_string_value(json_object_get(context, "Name")), *from = strmap_get(endpoint, "from");
    if (from) {
        _cleanup_json_ json_t *other = context_get(call, from, err);
        if (!other)
            return false;
        json_object_set(context, "Endpoints", json_object_get(other, "Endpoints"));
        return context_write_tls(call->config_directory, name, NULL, err);
    }
    bool skips = false;
    const char *text = strmap_get(endpoint, "skip-tls-verify");
    if (string_is_set(text) && !parse_bool(text, &skips, NULL))
        return error_set(err, ERROR_INVALID, "skip-tls-verify: parsing \"%s\": invalid syntax", text);
    /* Borrowed: nothing here frees them. */
    struct client_tls files = {.authority = (char *)(uintptr_t)strmap_get(endpoint, "ca"),
                               .certificate = (char *)(uintptr_t)strmap_get(endpoint, "cert"),
                               .key = (char *)(uintptr_t)strmap_get(endpoint, "key")};
    json_object_set_new(context, "Endpoints", docker_endpoint(strmap_get(endpoint, "host"), skips));
    return context_write_tls(call->config_directory, name, &files, err);
}

bool context_option_apply(const struct command_call *call, const struct strmap *endpoint, json_t *context,
                          struct error *err)
{
    return apply(call, endpoint, context, err) || error_prefix(err, "unable to create docker endpoint config");
}
