/* Networks and volumes of a project. */
#include <string.h>

#include "base/memory.h"
#include "compose/container_request.h"
#include "compose/reconcile.h"
#include "json/json_record.h"

static bool is_external(const json_t *resource)
{
    return json_is_true(json_object_get(resource, "external"));
}

static json_t *resource_labels(const struct project *project, const json_t *resource, const char *label,
                               const char *key)
{
    json_t *labels = json_object(), *own = json_object_get(resource, "labels");
    if (own)
        json_object_update(labels, own);
    add_project_labels(labels, project);
    json_object_set_new(labels, label, json_string(key));
    return labels;
}

static json_t *network_request(const struct project *project, const char *key, const json_t *network)
{
    json_t *request = json_object();
    const json_t *ipam = json_object_get(network, "ipam");
    static const char *const plain[][2] = {{"Name", "name"},
                                           {"Driver", "driver"},
                                           {"Options", "driver_opts"},
                                           {"Internal", "internal"},
                                           {"Attachable", "attachable"},
                                           {"EnableIPv6", "enable_ipv6"},
                                           {"EnableIPv4", "enable_ipv4"}};
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        json_t *value = json_object_get(network, plain[i][1]);
        if (value)
            json_object_set(request, plain[i][0], value);
    }
    json_object_set_new(request, "Labels", resource_labels(project, network, LABEL("network"), key));
    if (json_object_size(ipam) == 0)
        return request;
    json_t *out = json_object(), *pools = json_array(), *pool;
    size_t i;
    if (json_object_get(ipam, "driver"))
        json_object_set(out, "Driver", json_object_get(ipam, "driver"));
    json_array_foreach(json_object_get(ipam, "config"), i, pool)
    {
        static const char *const names[][2] = {{"Subnet", "subnet"},
                                               {"Gateway", "gateway"},
                                               {"IPRange", "ip_range"},
                                               {"AuxiliaryAddresses", "aux_addresses"}};
        json_t *one = json_object();
        for (size_t j = 0; j < ARRAY_SIZE(names); j++)
            if (json_object_get(pool, names[j][1]))
                json_object_set(one, names[j][0], json_object_get(pool, names[j][1]));
        json_array_append_new(pools, one);
    }
    json_object_set_new(out, "Config", pools);
    json_object_set_new(request, "IPAM", out);
    return request;
}

static bool create(struct reconciler *reconciler, struct client *client, const char *kind, const char *name,
                   const char *path, json_t *request, struct error *err)
{
    reconciler_report(reconciler, kind, name, "Creating", false);
    bool is_good = client_post(client, path, request, err);
    json_decref(request);
    reconciler_report(reconciler, kind, name, is_good ? "Created" : "Error", true);
    return is_good;
}

static bool ensure_network(struct reconciler *reconciler, struct client *client, const char *key, const json_t *network,
                           const json_t *existing, struct error *err)
{
    const char *name = json_string_value(json_object_get(network, "name"));
    size_t i;
    json_t *other;
    if (is_external(network)) {
        _cleanup_free_ char *path = client_path("networks", name, "");
        struct error cause = ERROR_INIT;
        _cleanup_json_ json_t *found = client_get_json(client, path, &cause);
        if (!found && cause.kind == ERROR_NOT_FOUND) {
            error_release(&cause);
            return error_set(err, ERROR_NOT_FOUND, "network %s declared as external, but could not be found", name);
        }
        return found || error_move(err, &cause);
    }
    json_array_foreach(existing, i, other)
    {
        if (string_equal(json_string_value(json_object_get(other, "Name")), name))
            return true;
    }
    /* One of that name that is not ours must not be used by mistake, and a second one would make the name useless. */
    _cleanup_free_ char *path = client_path("networks", name, "");
    _cleanup_json_ json_t *found = client_get_json(client, path, NULL);
    if (found && !*label_of(found, LABEL("project")))
        return error_set(err, ERROR_CONFLICT,
                         "network %s was found but has incorrect label com.docker.compose.network set to \"\" "
                         "(expected: \"%s\"): declare it as external to use it",
                         name, key);
    if (found)
        return true;
    return create(reconciler, client, "Network", name, "/networks/create",
                  network_request(reconciler->project, key, network), err);
}

bool ensure_networks(struct reconciler *reconciler, struct client *client, struct error *err)
{
    json_t *networks = json_object_get(reconciler->project->model, "networks"), *network;
    const char *key;
    if (json_object_size(networks) == 0)
        return true;
    _cleanup_json_ json_t *existing = compose_get_labelled(client, "/networks", reconciler->project->name, NULL, err);
    if (!existing)
        return false;
    json_object_foreach(networks, key, network)
    {
        if (!ensure_network(reconciler, client, key, network, existing, err))
            return false;
    }
    return true;
}

static bool ensure_volume(struct reconciler *reconciler, struct client *client, const char *key, const json_t *volume,
                          struct error *err)
{
    const char *name = json_string_value(json_object_get(volume, "name"));
    _cleanup_free_ char *path = client_path("volumes", name, ""), *shown = xasprintf("\"%s\"", name);
    struct error cause = ERROR_INIT;
    _cleanup_json_ json_t *found = client_get_json(client, path, &cause);
    if (!found && cause.kind != ERROR_NOT_FOUND)
        return error_move(err, &cause);
    error_release(&cause);
    if (!found && is_external(volume))
        return error_set(err, ERROR_NOT_FOUND, "external volume \"%s\" not found", name);
    if (found && !is_external(volume) && !string_equal(label_of(found, LABEL("project")), reconciler->project->name)) {
        const char *owner = label_of(found, LABEL("project"));
        _cleanup_free_ char *text =
            *owner ? xasprintf("volume \"%s\" already exists but was created for project \"%s\" (expected \"%s\"). Use "
                               "`external: true` to use an existing volume",
                               name, owner, reconciler->project->name)
                   : xasprintf("volume \"%s\" already exists but was not created by Docker Compose. Use `external: "
                               "true` to use an existing volume",
                               name);
        reconciler->reporter->say(reconciler->reporter->report_context, text);
    }
    if (found)
        return true;
    json_t *request = json_object();
    json_object_set(request, "Name", json_object_get(volume, "name"));
    if (json_object_get(volume, "driver"))
        json_object_set(request, "Driver", json_object_get(volume, "driver"));
    if (json_object_get(volume, "driver_opts"))
        json_object_set(request, "DriverOpts", json_object_get(volume, "driver_opts"));
    json_object_set_new(request, "Labels", resource_labels(reconciler->project, volume, LABEL("volume"), key));
    return create(reconciler, client, "Volume", shown, "/volumes/create", request, err);
}

bool ensure_volumes(struct reconciler *reconciler, struct client *client, struct error *err)
{
    json_t *volumes = json_object_get(reconciler->project->model, "volumes"), *volume;
    const char *key;
    json_object_foreach(volumes, key, volume)
    {
        if (!ensure_volume(reconciler, client, key, volume, err))
            return false;
    }
    return true;
}
