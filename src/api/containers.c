/* The verbs on containers that answer at once. */
#include "engine/containers.h"

#include "api/platform.h"
#include "api/request.h"
#include "api/respond.h"
#include "base/memory.h"

/* `omit=NetworkSettings,Mounts`: what the caller does without (docs/api.md). */
static bool parse_omitted(const char *text, unsigned *out, struct error *err)
{
    static const struct {
        const char *name;
        unsigned bit;
    } members[] = {{"HostConfig", LIST_OMITS_HOST_CONFIG},
                   {"NetworkSettings", LIST_OMITS_NETWORKS},
                   {"Mounts", LIST_OMITS_MOUNTS}};
    _cleanup_strlist_ struct strlist names = strlist_split(string_or_empty(text), ',');
    for (size_t i = 0; string_is_set(text) && i < names.count; i++) {
        unsigned bit = 0;
        for (size_t j = 0; j < ARRAY_SIZE(members); j++)
            if (string_equal(members[j].name, names.items[i]))
                bit = members[j].bit;
        if (!bit)
            return error_set(err, ERROR_INVALID, "invalid omit: %s: HostConfig, NetworkSettings or Mounts",
                             names.items[i]);
        *out |= bit;
    }
    return true;
}

bool containers_list(struct call *call, struct error *err)
{
    struct list_options options = {.is_all = query_bool(call, "all"), .wants_size = query_bool(call, "size")};
    const char *limit = query_text(call, "limit");
    _cleanup_json_ json_t *filters = NULL;
    if (!query_filters(call, &filters, err) ||
        (string_is_set(limit) && !parse_atoi(limit, ERROR_INTERNAL, &options.limit, err)) ||
        !parse_omitted(query_text(call, "omit"), &options.omitted, err))
        return false;
    options.filters = filters;
    _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
    if (!container_list_write(call->engine, &options, call->version, &list, err))
        return false;
    strbuf_add_char(&list, '\n');
    return respond_text(call, 200, &list);
}

bool containers_inspect(struct call *call, struct error *err)
{
    json_t *json = container_inspect(call->engine, call->target, query_bool(call, "size"), call->version, err);
    return json && respond_json(call, 200, json);
}

static void adapt_mounts(struct host_config *host, int version)
{
    for (size_t i = 0; i < host->mounts.count; i++) {
        struct bind_options *bind = RECORD_AT(host->mounts, struct mount_request, i)->bind;
        if (bind && version < 140)
            bind->non_recursive = false;
        if (bind && version < 142)
            bind->create_mountpoint = false;
    }
}

/* What an old client could not have meant (moby's postContainersCreate). */
static void adapt_to_version(struct create_request *request, int version)
{
    struct host_config *host = &request->host_config;
    if (version < 125)
        host->auto_remove = false; /* such a client removes the container itself */
    if (version < 140 && !string_is_set(host->ipc_mode))
        string_replace(&host->ipc_mode, "shareable");
    if (version < 141 && !string_is_set(host->cgroupns_mode))
        string_replace(&host->cgroupns_mode, "host");
    if (version < 142)
        string_replace(&host->console_size, NULL);
    if (version < 143)
        strmap_release(&host->annotations);
    if (version < 144 && request->config.healthcheck)
        request->config.healthcheck->start_interval = 0;
    adapt_mounts(host, version);
    if (host->pids_limit.is_set && host->pids_limit.value <= 0)
        host->pids_limit = (struct opt_int64){0};
}

static void create_request_release(struct create_request *request)
{
    record_release(&container_config_type, &request->config);
    record_release(&create_request_type, request);
}

static bool read_create_request(struct call *call, struct create_request *request, struct error *err)
{
    _cleanup_json_ json_t *body = NULL;
    if (!request_json(call, false, &body, err))
        return false;
    if (!json_is_object(body) && !json_is_null(body))
        return record_from_body(&create_request_type, body, request, err);
    /* In this order: a record that fails is zeroed as a whole, and `config` lies in the other one. */
    if (!record_from_body(&create_request_type, body, request, err))
        return false;
    if (!record_from_body(&container_config_type, body, &request->config, err)) {
        create_request_release(request);
        return false;
    }
    if (!body_has_config(body)) {
        create_request_release(request);
        return error_set(err, ERROR_INVALID, "config cannot be empty in order to create a container");
    }
    adapt_to_version(request, call->version);
    return true;
}

bool containers_create(struct call *call, struct error *err)
{
    _cleanup_(create_request_release) struct create_request request = {0};
    if (!read_create_request(call, &request, err))
        return false;
    const char *platform = query_text(call, "platform");
    if (string_is_set(platform) && call->version >= 141 &&
        !platform_check(engine_store(call->engine), platform, request.config.image, err))
        return false;
    bool has_old_mac_address = call->version >= 144 && string_is_set(request.config.mac_address);
    _cleanup_free_ char *id = NULL;
    _cleanup_strlist_ struct strlist warnings = {0};
    if (!container_create(call->engine, query_text(call, "name"), &request, &id, &warnings, err))
        return false;
    if (has_old_mac_address)
        strlist_add(&warnings, "The container-wide MacAddress field is now deprecated. It should be specified in "
                               "EndpointsConfig instead.");
    json_t *list = json_array();
    for (size_t i = 0; i < warnings.count; i++)
        json_array_append_new(list, json_text(warnings.items[i]));
    return respond_json(call, 201, json_pack("{s:s, s:o}", "Id", id, "Warnings", list));
}

bool containers_start(struct call *call, struct error *err)
{
    const struct http_head *head = &call->exchange->head;
    /* The smallest object that says something has seven characters. */
    if (head->content_length > 7 || head->is_chunked)
        return error_set(err, ERROR_INVALID,
                         "starting container with non-empty request body was deprecated since API v1.22 and removed in "
                         "v1.24");
    if (string_is_set(query_text(call, "checkpoint")))
        return error_set(err, ERROR_INVALID, "checkpoint is only supported in experimental mode");
    return container_start(call->engine, call->target, err) && respond_empty(call, 204);
}

/* The seconds of stop and restart; INT64_MIN where none are given. */
static bool read_timeout(struct call *call, int64_t *out, struct error *err)
{
    const char *text = query_text(call, "t");
    *out = INT64_MIN;
    return !string_is_set(text) || parse_atoi(text, ERROR_INTERNAL, out, err);
}

bool containers_stop(struct call *call, struct error *err)
{
    int64_t timeout;
    const char *signal = call->version >= 142 ? query_text(call, "signal") : NULL;
    return read_timeout(call, &timeout, err) &&
           container_stop(call->engine, call->target, string_is_set(signal) ? signal : NULL, timeout, err) &&
           respond_empty(call, 204);
}

bool containers_restart(struct call *call, struct error *err)
{
    int64_t timeout;
    const char *signal = call->version >= 142 ? query_text(call, "signal") : NULL;
    return read_timeout(call, &timeout, err) &&
           container_restart(call->engine, call->target, string_is_set(signal) ? signal : NULL, timeout, err) &&
           respond_empty(call, 204);
}

bool containers_kill(struct call *call, struct error *err)
{
    const char *signal = query_text(call, "signal");
    return container_kill(call->engine, call->target, string_is_set(signal) ? signal : NULL, err) &&
           respond_empty(call, 204);
}

bool containers_pause(struct call *call, struct error *err)
{
    return container_pause(call->engine, call->target, true, err) && respond_empty(call, 204);
}

bool containers_unpause(struct call *call, struct error *err)
{
    return container_pause(call->engine, call->target, false, err) && respond_empty(call, 204);
}

bool containers_rename(struct call *call, struct error *err)
{
    const char *name = query_text(call, "name");
    if (!string_is_set(name))
        return error_set(err, ERROR_INVALID, "Neither old nor new names may be empty");
    return container_rename(call->engine, call->target, name, err) && respond_empty(call, 204);
}

bool containers_resize(struct call *call, struct error *err)
{
    int64_t rows, columns;
    return parse_atoi(query_text(call, "h"), ERROR_INVALID, &rows, err) &&
           parse_atoi(query_text(call, "w"), ERROR_INVALID, &columns, err) &&
           container_resize(call->engine, call->target, rows, columns, err) && respond_empty(call, 200);
}

bool containers_remove(struct call *call, struct error *err)
{
    struct container_remove_options options = {
        .is_forced = query_bool(call, "force"),
        .removes_volumes = query_bool(call, "v"),
        .removes_link = query_bool(call, "link"),
    };
    return container_remove(call->engine, call->target, &options, err) && respond_empty(call, 204);
}
