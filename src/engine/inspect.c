#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/tree_size.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/links.h"
#include "engine/networks.h"
#include "engine/show.h"
#include "engine/signal_name.h"
#include "json/json_record.h"

static json_t *text(const char *value)
{
    return json_string(string_or_empty(value));
}

static json_t *time_value(unix_nano time)
{
    char buffer[TIME_TEXT_SIZE];
    return json_string(time_format(time, buffer));
}

static json_t *state_json(const struct container *container)
{
    const struct container_record *record = &container->record;
    enum container_status status = container->status;
    json_t *json = json_object();
    json_object_set_new(json, "Status", text(status_text(status)));
    json_object_set_new(json, "Running", json_boolean(status_is_running(status)));
    json_object_set_new(json, "Paused", json_boolean(status == STATUS_PAUSED));
    json_object_set_new(json, "Restarting", json_boolean(status == STATUS_RESTARTING));
    json_object_set_new(json, "OOMKilled", json_boolean(record->is_oom_killed));
    json_object_set_new(json, "Dead", json_boolean(status == STATUS_DEAD));
    json_object_set_new(json, "Pid", json_integer(record->pid));
    json_object_set_new(json, "ExitCode", json_integer(record->exit_code));
    if (string_is_set(record->exit_reason) && !status_has_process(status)) {
        _cleanup_free_ char *name = signal_name_of((int)record->exit_signal);
        json_object_set_new(json, "ExitReason", text(record->exit_reason));
        json_object_set_new(json, "ExitSignal", text(name));
        json_object_set_new(json, "ExitedBy", text(record->exit_by));
    }
    json_object_set_new(json, "Error", text(record->error));
    json_object_set_new(json, "StartedAt", time_value(record->started_at));
    json_object_set_new(json, "FinishedAt", time_value(record->finished_at));
    if (record->health)
        json_object_set_new(json, "Health", record_to_json(&health_type, record->health));
    return json;
}

/* As Go prints a map: by name. */
json_t *show_networks(const struct container *container, int version)
{
    json_t *json = json_object();
    const struct record_map *endpoints = &container->record.endpoints;
    _cleanup_strlist_ struct strlist names = {0};
    strlist_copy(&names, &endpoints->keys);
    strlist_sort(&names);
    for (size_t i = 0; i < names.count; i++) {
        json_t *endpoint =
            record_to_json(&endpoint_settings_type, record_map_get(endpoints, &endpoint_settings_type, names.items[i]));
        if (version < 148)
            json_object_del(endpoint, "GwPriority");
        json_object_set_new(json, names.items[i], endpoint);
    }
    return json;
}

json_t *show_mounts(const struct container *container)
{
    json_t *json = json_array();
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++)
        json_array_append_new(json,
                              record_to_json(&mount_point_type, &RECORD_AT(*mounts, struct container_mount, i)->point));
    return json;
}

static json_t *network_settings(const struct container *container, int version)
{
    const struct container_record *record = &container->record;
    struct endpoint_settings none = {0};
    const struct endpoint_settings *bridge = record_map_get(&record->endpoints, &endpoint_settings_type, "bridge");
    if (!bridge)
        bridge = &none;
    _cleanup_free_ char *key = record->pid > 0 ? xasprintf("/proc/%lld/ns/net", (long long)record->pid) : NULL;
    json_t *json = json_object();
    json_object_set_new(json, "Bridge", text(NULL));
    json_object_set_new(json, "SandboxID", text(record->pid > 0 ? record->id : NULL));
    json_object_set_new(json, "SandboxKey", text(key));
    json_object_set_new(json, "Ports", networks_show_ports(record));
    json_object_set_new(json, "HairpinMode", json_false());
    json_object_set_new(json, "LinkLocalIPv6Address", text(NULL));
    json_object_set_new(json, "LinkLocalIPv6PrefixLen", json_integer(0));
    json_object_set_new(json, "SecondaryIPAddresses", json_null());
    json_object_set_new(json, "SecondaryIPv6Addresses", json_null());
    json_object_set_new(json, "EndpointID", text(bridge->endpoint_id));
    json_object_set_new(json, "Gateway", text(bridge->gateway));
    json_object_set_new(json, "GlobalIPv6Address", text(bridge->global_ipv6_address));
    json_object_set_new(json, "GlobalIPv6PrefixLen", json_integer(bridge->global_ipv6_prefix_length));
    json_object_set_new(json, "IPAddress", text(bridge->ip_address));
    json_object_set_new(json, "IPPrefixLen", json_integer(bridge->ip_prefix_length));
    json_object_set_new(json, "IPv6Gateway", text(bridge->ipv6_gateway));
    json_object_set_new(json, "MacAddress", text(bridge->mac_address));
    json_object_set_new(json, "Networks", show_networks(container, version));
    return json;
}

static json_t *graph_driver(const struct container *container)
{
    _cleanup_strlist_ struct strlist layers = {0};
    container_lower_folders(&container->record, container->engine->store, &layers);
    _cleanup_free_ char *lower = strlist_join(&layers, ":");
    _cleanup_free_ char *upper = container_path(container, "upper");
    _cleanup_free_ char *work = container_path(container, "work");
    _cleanup_free_ char *merged = container->record.pid > 0
                                      ? xasprintf("/proc/%lld/root", (long long)container->record.pid)
                                      : container_path(container, "merged");
    json_t *data = json_object();
    json_object_set_new(data, "LowerDir", text(lower));
    json_object_set_new(data, "MergedDir", text(merged));
    json_object_set_new(data, "UpperDir", text(upper));
    json_object_set_new(data, "WorkDir", text(work));
    return json_pack("{s:o, s:s}", "Data", data, "Name", "overlay2");
}

static json_t *host_config_json(const struct container *container)
{
    json_t *json = record_to_json(&host_config_type, &container->record.host_config);
    /* As Docker shows them: lists that were not given are empty, not null. */
    static const char *const lists[] = {"BlkioWeightDevice",
                                        "BlkioDeviceReadBps",
                                        "BlkioDeviceWriteBps",
                                        "BlkioDeviceReadIOps",
                                        "BlkioDeviceWriteIOps",
                                        "Devices",
                                        "Ulimits"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (!json_is_array(json_object_get(json, lists[i])))
            json_object_set_new(json, lists[i], json_array());
    json_object_set_new(json, "Links", links_json(&container->record));
    return json;
}

/* "" until the first start has made the file. */
static void add_path(json_t *json, const char *key, char *owned_path)
{
    _cleanup_free_ char *path = owned_path;
    json_object_set_new(json, key, text(path && access(path, F_OK) == 0 ? path : NULL));
}

/* What the container wrote. /etc/mtab is the runtime's (runtime/root.h), and the only one of its files that has a size.
 */
int64_t container_size(const struct container *container)
{
    _cleanup_free_ char *upper = container_path(container, "upper");
    _cleanup_free_ char *table = container_path(container, "upper/etc/mtab");
    char target[sizeof("/proc/mounts")];
    bool is_ours = readlink(table, target, sizeof(target)) == (ssize_t)strlen("/proc/mounts");
    return tree_size(AT_FDCWD, upper) - (is_ours ? (int64_t)strlen("/proc/mounts") : 0);
}

void show_sizes(const struct container *container, json_t *json)
{
    int64_t own = container_size(container);
    _cleanup_image_ struct image image = {0};
    (void)image_get(container->engine->store, container->record.image_id, &image, NULL);
    json_object_set_new(json, "SizeRw", json_integer(own));
    json_object_set_new(json, "SizeRootFs", json_integer(own + image.size));
}

/* Docker tells of a json-file alone. */
static char *log_path(const struct container *container)
{
    char *path = NULL;
    if (container_log_file(container, &path) != SHIM_LOG_JSON)
        free(TAKE_PTR(path));
    return path;
}

json_t *container_inspect(struct engine *engine, const char *reference, bool wants_size, int version, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return NULL;
    json_t *execs = exec_ids(engine, container);
    container_lock(container);
    const struct container_record *record = &container->record;
    _cleanup_free_ char *name = xasprintf("/%s", record->name);
    json_t *arguments = json_array();
    for (size_t i = 0; i < record->args.count; i++)
        json_array_append_new(arguments, json_string(record->args.items[i]));
    json_t *json = json_object();
    json_object_set_new(json, "Id", text(record->id));
    json_object_set_new(json, "Created", time_value(record->created));
    json_object_set_new(json, "Path", text(record->path));
    json_object_set_new(json, "Args", arguments);
    json_object_set_new(json, "State", state_json(container));
    json_object_set_new(json, "Image", text(record->image_id));
    add_path(json, "ResolvConfPath", container_path(container, "resolv.conf"));
    add_path(json, "HostnamePath", container_path(container, "hostname"));
    add_path(json, "HostsPath", container_path(container, "hosts"));
    add_path(json, "LogPath", log_path(container));
    json_object_set_new(json, "Name", text(name));
    json_object_set_new(json, "RestartCount", json_integer(record->restart_count));
    json_object_set_new(json, "Driver", text("overlay2"));
    json_object_set_new(json, "Platform", text("linux"));
    json_object_set_new(json, "MountLabel", text(NULL));
    json_object_set_new(json, "ProcessLabel", text(NULL));
    json_object_set_new(json, "AppArmorProfile", text(NULL));
    json_object_set_new(json, "ExecIDs", execs ? execs : json_null());
    json_object_set_new(json, "HostConfig", host_config_json(container));
    json_object_set_new(json, "GraphDriver", graph_driver(container));
    json_object_set_new(json, "Mounts", show_mounts(container));
    json_object_set_new(json, "Config", record_to_json(&container_config_type, &record->config));
    json_object_set_new(json, "NetworkSettings", network_settings(container, version));
    container_unlock(container);
    if (wants_size)
        show_sizes(container, json);
    return json;
}
