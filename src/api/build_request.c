#include "api/build_request.h"

#include <string.h>

#include "api/request.h"
#include "base/base64.h"
#include "base/memory.h"
#include "engine/resources.h"
#include "oci/manifest.h"

#define DEFAULT_SHM_SIZE (INT64_C(64) << 20)

/* A parameter that is JSON; *out is NULL where it is not given. */
static bool read_json(const struct call *call, const char *key, json_type type, json_t **out, struct error *err)
{
    const char *text = query_text(call, key);
    *out = NULL;
    if (!string_is_set(text) || strcmp(text, "null") == 0)
        return true;
    json_t *json = json_parse(text, strlen(text), err);
    if (!json)
        return error_prefix(err, "invalid parameter %s", key);
    if (json_typeof(json) != type) {
        json_decref(json);
        return error_set(err, ERROR_INVALID, "invalid parameter %s: %s", key, text);
    }
    *out = json;
    return true;
}

/* {"name": "value" or null}: what is null is not given. */
static bool read_map(const struct call *call, const char *key, struct strmap *out, struct error *err)
{
    _cleanup_json_ json_t *json = NULL;
    const char *name;
    json_t *value;
    if (!read_json(call, key, JSON_OBJECT, &json, err))
        return false;
    json_object_foreach(json, name, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return error_set(err, ERROR_INVALID, "invalid parameter %s: the value of %s is no text", key, name);
        if (json_is_string(value))
            strmap_set(out, name, json_string_value(value));
    }
    return true;
}

static bool read_list(const struct call *call, const char *key, struct strlist *out, struct error *err)
{
    _cleanup_json_ json_t *json = NULL;
    size_t i;
    json_t *value;
    if (!read_json(call, key, JSON_ARRAY, &json, err))
        return false;
    json_array_foreach(json, i, value)
    {
        if (!json_is_string(value))
            return error_set(err, ERROR_INVALID, "invalid parameter %s", key);
        strlist_add(out, json_string_value(value));
    }
    return true;
}

static bool read_ulimits(const struct call *call, struct host_config *host, struct error *err)
{
    _cleanup_json_ json_t *json = NULL;
    size_t i;
    json_t *value;
    if (!read_json(call, "ulimits", JSON_ARRAY, &json, err))
        return false;
    json_array_foreach(json, i,
                       value) if (!record_from_json(&ulimit_type, value, record_list_add(&host->ulimits, &ulimit_type),
                                                    err)) return error_prefix(err, "error reading ulimit settings");
    return true;
}

static bool read_number(const struct call *call, const char *key, int64_t *out, struct error *err)
{
    const char *text = query_text(call, key);
    return !string_is_set(text) || parse_int64(text, out) ||
           error_set(err, ERROR_INVALID, "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
}

static bool read_host(const struct call *call, struct host_config *host, struct error *err)
{
    const struct {
        const char *key;
        int64_t *place;
    } numbers[] = {{"memory", &host->memory},        {"memswap", &host->memory_swap}, {"cpushares", &host->cpu_shares},
                   {"cpuperiod", &host->cpu_period}, {"cpuquota", &host->cpu_quota},  {"shmsize", &host->shm_size}};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (!read_number(call, numbers[i].key, numbers[i].place, err))
            return false;
    string_replace(&host->cpuset_cpus, query_text(call, "cpusetcpus"));
    string_replace(&host->cpuset_mems, query_text(call, "cpusetmems"));
    string_replace(&host->cgroup_parent, query_text(call, "cgroupparent"));
    string_replace(&host->network_mode, query_text(call, "networkmode"));
    http_query_all(call->exchange->query, "extrahosts", &host->extra_hosts);
    for (size_t i = 0; i < host->extra_hosts.count; i++)
        if (!strchr(host->extra_hosts.items[i], ':'))
            return error_set(err, ERROR_INVALID, "bad format for add-host: \"%s\"", host->extra_hosts.items[i]);
    if (!host->shm_size)
        host->shm_size = engine_options(call->engine)->default_shm_size;
    if (host->shm_size <= 0)
        host->shm_size = DEFAULT_SHM_SIZE;
    _cleanup_strlist_ struct strlist warnings = {0};
    return read_ulimits(call, host, err) && resources_check(host, false, &warnings, err);
}

/* What no build can honour here is refused. */
static bool refuse_unknown(const struct call *call, struct error *err)
{
    _cleanup_json_ json_t *outputs = NULL, *security = NULL;
    const char *isolation = query_text(call, "isolation");
    if (string_equal(query_text(call, "version"), "2"))
        return error_set(err, ERROR_INVALID, "BuildKit is not supported by this daemon: set DOCKER_BUILDKIT=0");
    if (query_bool(call, "squash"))
        return error_set(err, ERROR_INVALID, "squash is only supported with experimental mode");
    if (!read_json(call, "outputs", JSON_ARRAY, &outputs, err) ||
        !read_json(call, "securityopt", JSON_ARRAY, &security, err))
        return false;
    if (json_array_size(outputs))
        return error_set(err, ERROR_UNSUPPORTED,
                         "the parameter outputs is not supported: an image is made, which can be exported afterwards");
    if (json_array_size(security))
        return error_set(err, ERROR_INVALID,
                         "The daemon on this platform does not support setting security options on build");
    if (string_is_set(isolation) && strcmp(isolation, "default") != 0)
        return error_set(err, ERROR_INVALID, "Unsupported isolation: \"%s\"", isolation);
    return true;
}

/* Either alphabet. Caller frees; *length without the NUL. */
static char *decode(const char *text, size_t *length)
{
    size_t size = strlen(text);
    _cleanup_free_ char *padded = xmalloc(size + 4);
    memcpy(padded, text, size);
    for (size_t i = 0; i < size; i++)
        padded[i] = (char)(padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i]);
    while (size % 4)
        padded[size++] = '=';
    padded[size] = '\0';
    char *data = xmalloc(size / 4 * 3 + 1);
    long count = base64_decode(padded, (uint8_t *)data);
    if (count < 0) {
        free(data);
        return NULL;
    }
    data[count] = '\0';
    *length = (size_t)count;
    return data;
}

static bool read_secrets(const struct call *call, struct strmap *out, struct error *err)
{
    const char *header = strmap_get(&call->exchange->head.headers, "x-build-secrets");
    size_t length;
    if (!string_is_set(header))
        return true;
    _cleanup_free_ char *text = decode(header, &length);
    _cleanup_json_ json_t *json = text ? json_parse(text, length, NULL) : NULL;
    const char *id;
    json_t *value;
    if (!json_is_object(json))
        return error_set(err, ERROR_INVALID, "invalid X-Build-Secrets header");
    json_object_foreach(json, id, value)
    {
        _cleanup_free_ char *secret = json_is_string(value) ? decode(json_string_value(value), &length) : NULL;
        if (!secret)
            return error_set(err, ERROR_INVALID, "invalid X-Build-Secrets header");
        if (strlen(secret) != length)
            return error_set(err, ERROR_UNSUPPORTED, "the secret %s has a NUL byte in it, which is not supported", id);
        strmap_set(out, id, secret);
    }
    return true;
}

/* A bad header is as good as none, as with a pull. */
static json_t *read_registries(const struct call *call)
{
    const char *header = strmap_get(&call->exchange->head.headers, "x-registry-config");
    size_t length;
    _cleanup_free_ char *text = string_is_set(header) ? decode(header, &length) : NULL;
    return text ? json_parse(text, length, NULL) : NULL;
}

static bool read_epoch(const struct call *call, struct build_request *request, struct error *err)
{
    const char *text = query_text(call, "source_date_epoch");
    if (!string_is_set(text))
        text = strmap_get(&request->arguments, "SOURCE_DATE_EPOCH");
    request->has_epoch = string_is_set(text);
    return !request->has_epoch || parse_int64(text, &request->epoch) ||
           error_set(err, ERROR_INVALID, "invalid SOURCE_DATE_EPOCH: %s", text);
}

static bool read_platform(const struct call *call, struct build_request *request, struct error *err)
{
    struct platform platform = {0};
    const char *text = call->version >= 132 ? query_text(call, "platform") : NULL;
    if (!string_is_set(text))
        return true;
    request->platform = text;
    bool is_good = platform_parse(text, &platform, err);
    record_release(&platform_type, &platform);
    return is_good;
}

bool build_request_read(struct call *call, struct build_request *request, json_t **registries, struct error *err)
{
    const char *remote = query_text(call, "remote"), *stages = query_text(call, "nocachefilter");
    if (!refuse_unknown(call, err))
        return false;
    http_query_all(call->exchange->query, "t", &request->tags);
    for (size_t i = request->tags.count; i > 0; i--)
        if (!*request->tags.items[i - 1])
            strlist_remove(&request->tags, i - 1);
    request->dockerfile = query_text(call, "dockerfile");
    request->remote = string_is_set(remote) && strcmp(remote, "client-session") != 0 ? remote : NULL;
    request->target = query_text(call, "target");
    request->uses_no_cache = query_bool(call, "nocache");
    request->pulls = query_bool(call, "pull");
    request->is_quiet = query_bool(call, "q");
    request->has_events = query_bool(call, "events");
    request->is_check = query_bool(call, "check");
    if (string_is_set(stages))
        request->no_cache_stages = strlist_split(stages, ',');
    *registries = request->is_check ? NULL : read_registries(call);
    request->registries = *registries;
    return read_map(call, "buildargs", &request->arguments, err) && read_map(call, "labels", &request->labels, err) &&
           read_list(call, "cachefrom", &request->cache_from, err) &&
           read_map(call, "contexts", &request->contexts, err) && read_host(call, &request->host, err) &&
           read_secrets(call, &request->secrets, err) && read_epoch(call, request, err) &&
           read_platform(call, request, err);
}
