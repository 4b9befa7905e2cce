#include "compose/container_request.h"

#include <string.h>

#include "base/memory.h"
#include "base/options.h"
#include "compose/shape.h"
#include "compose/state.h"
#include "json/json_record.h"

/* The version of docker compose whose ways these are: it reads the label of others. */
#define COMPOSE_VERSION "2.26.1"

static const char *text_of(const json_t *map, const char *key)
{
    return json_string_value(json_object_get(map, key));
}

static void put_text(json_t *map, const char *key, const char *value)
{
    if (value)
        json_object_set_new(map, key, json_string(value));
}

/* Copies a value under another name, where there is one. */
static void carry(json_t *to, const char *name, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value && !json_is_null(value))
        json_object_set(to, name, value);
}

static void carry_bytes(json_t *to, const char *name, const json_t *from, const char *key)
{
    const char *text = text_of(from, key);
    if (text)
        json_object_set_new(to, name, json_integer(strtoll(text, NULL, 10)));
}

static int64_t duration_of(const json_t *map, const char *key)
{
    int64_t nanoseconds = 0;
    const char *text = text_of(map, key);
    if (text)
        parse_duration(text, &nanoseconds, NULL);
    return nanoseconds;
}

void add_project_labels(json_t *labels, const struct project *project)
{
    put_text(labels, LABEL("project"), project->name);
    put_text(labels, LABEL("version"), COMPOSE_VERSION);
}

char *service_image(const struct project *project, const char *name, const json_t *service)
{
    const char *image = text_of(service, "image");
    return image ? xstrdup(image) : xasprintf("%s-%s", project->name, name);
}

static json_t *labels(const struct container_plan *plan)
{
    json_t *all = json_object(), *own = json_object_get(plan->service, "labels");
    if (own)
        json_object_update(all, own);
    add_project_labels(all, plan->project);
    _cleanup_free_ char *hash = shape_hash(plan->service), *number = xasprintf("%d", plan->number),
                        *files = strlist_join(&plan->project->files, ","),
                        *env_files = strlist_join(&plan->project->env_files, ",");
    put_text(all, LABEL("service"), plan->service_name);
    put_text(all, LABEL("oneoff"), plan->is_oneoff ? "True" : "False");
    put_text(all, LABEL("config-hash"), hash);
    put_text(all, LABEL("container-number"), number);
    put_text(all, LABEL("image"), plan->image_id);
    put_text(all, LABEL("project.config_files"), files);
    put_text(all, LABEL("project.working_dir"), plan->project->directory);
    if (plan->project->env_files.count > 0)
        put_text(all, LABEL("project.environment_file"), env_files);
    if (plan->replaces)
        put_text(all, LABEL("replace"), plan->replaces);
    _cleanup_strbuf_ struct strbuf depends = STRBUF_INIT;
    const char *other;
    json_t *how;
    json_object_foreach(json_object_get(plan->service, "depends_on"), other, how)
    {
        strbuf_addf(&depends, "%s%s:%s:%s", depends.length ? "," : "", other, text_of(how, "condition"),
                    json_is_true(json_object_get(how, "restart")) ? "true" : "false");
    }
    put_text(all, LABEL("depends_on"), strbuf_text(&depends));
    return all;
}

static json_t *environment(const json_t *service)
{
    json_t *list = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(service, "environment"), key, value)
    {
        _cleanup_free_ char *text =
            json_is_null(value) ? xstrdup(key) : xasprintf("%s=%s", key, string_or_empty(json_string_value(value)));
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *health_check(const json_t *service)
{
    static const char *const durations[][2] = {{"interval", "Interval"},
                                               {"timeout", "Timeout"},
                                               {"start_period", "StartPeriod"},
                                               {"start_interval", "StartInterval"}};
    const json_t *given = json_object_get(service, "healthcheck");
    if (!given)
        return NULL;
    json_t *health = json_object();
    carry(health, "Test", given, "test");
    if (json_is_true(json_object_get(given, "disable")))
        json_object_set_new(health, "Test", json_pack("[s]", "NONE"));
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
        if (text_of(given, durations[i][0]))
            json_object_set_new(health, durations[i][1], json_integer(duration_of(given, durations[i][0])));
    carry(health, "Retries", given, "retries");
    return health;
}

static void add_ports(const struct container_plan *plan, json_t *config, json_t *host)
{
    _cleanup_json_ json_t *exposed = json_object(), *bindings = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(plan->service, "expose"), i, item)
    {
        const char *text = string_or_empty(json_string_value(item));
        _cleanup_free_ char *port = strchr(text, '/') ? xstrdup(text) : xasprintf("%s/tcp", text);
        json_object_set_new(exposed, port, json_object());
    }
    json_array_foreach(json_object_get(plan->service, "ports"), i, item)
    {
        if (plan->no_ports)
            break;
        _cleanup_free_ char *port = xasprintf("%lld/%s", (long long)json_integer_value(json_object_get(item, "target")),
                                              string_or_empty(text_of(item, "protocol")));
        json_object_set_new(exposed, port, json_object());
        json_t *binding = json_object(), *list = json_object_get(bindings, port);
        json_object_set_new(binding, "HostIp", json_string(string_or_empty(text_of(item, "host_ip"))));
        json_object_set_new(binding, "HostPort", json_string(string_or_empty(text_of(item, "published"))));
        if (!list) {
            list = json_array();
            json_object_set_new(bindings, port, list);
        }
        json_array_append_new(list, binding);
    }
    json_object_set(config, "ExposedPorts", exposed);
    json_object_set(host, "PortBindings", bindings);
}

/* "a volume:/at:rw,z" for what the engine takes in its short form, as docker compose does. */
static char *bind_text(const char *source, const json_t *mount)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const json_t *bind = json_object_get(mount, "bind");
    strbuf_addf(&text, "%s:%s:%s", source, text_of(mount, "target"),
                json_is_true(json_object_get(mount, "read_only")) ? "ro" : "rw");
    if (text_of(bind, "selinux"))
        strbuf_addf(&text, ",%s", text_of(bind, "selinux"));
    if (text_of(bind, "propagation"))
        strbuf_addf(&text, ",%s", text_of(bind, "propagation"));
    if (json_is_true(json_object_get(json_object_get(mount, "volume"), "nocopy")))
        strbuf_add_string(&text, ",nocopy");
    return strbuf_take(&text);
}

/* The anonymous volume that the former container had at a target; NULL: none. */
static const char *inherited_volume(const struct container_plan *plan, const char *target)
{
    size_t i;
    json_t *mount;
    json_array_foreach(plan->inherited, i, mount)
    {
        if (string_equal(text_of(mount, "Destination"), target) && string_equal(text_of(mount, "Type"), "volume"))
            return text_of(mount, "Name");
    }
    return NULL;
}

static json_t *volume_mount(const char *source, const char *target, bool is_read_only)
{
    json_t *mount = json_object();
    put_text(mount, "Type", "volume");
    put_text(mount, "Source", source);
    put_text(mount, "Target", target);
    if (is_read_only)
        json_object_set_new(mount, "ReadOnly", json_true());
    return mount;
}

static json_t *full_mount(const struct container_plan *plan, const json_t *mount)
{
    const char *source = text_of(mount, "source"), *target = text_of(mount, "target"), *type = text_of(mount, "type");
    json_t *out = json_object();
    const json_t *bind = json_object_get(mount, "bind"), *volume = json_object_get(mount, "volume"),
                 *tmpfs = json_object_get(mount, "tmpfs"),
                 *named = json_object_get(json_object_get(plan->project->model, "volumes"), string_or_empty(source));
    put_text(out, "Type", type);
    put_text(out, "Source", named && string_equal(type, "volume") ? text_of(named, "name") : source);
    put_text(out, "Target", target);
    carry(out, "ReadOnly", mount, "read_only");
    carry(out, "Consistency", mount, "consistency");
    json_t *options = json_object();
    if (bind) {
        carry(options, "Propagation", bind, "propagation");
        carry(options, "CreateMountpoint", bind, "create_host_path");
    } else if (volume) {
        carry(options, "NoCopy", volume, "nocopy");
        carry(options, "Subpath", volume, "subpath");
        carry(options, "Labels", volume, "labels");
    } else if (tmpfs) {
        carry_bytes(options, "SizeBytes", tmpfs, "size");
        carry(options, "Mode", tmpfs, "mode");
    }
    const char *name = bind ? "BindOptions" : volume ? "VolumeOptions" : "TmpfsOptions";
    if (json_object_size(options) > 0)
        json_object_set(out, name, options);
    json_decref(options);
    return out;
}

static void add_mount(const struct container_plan *plan, const json_t *mount, json_t *binds, json_t *mounts)
{
    const char *source = text_of(mount, "source"), *target = text_of(mount, "target"), *type = text_of(mount, "type");
    const json_t *details = json_object_get(mount, "volume"),
                 *named = json_object_get(json_object_get(plan->project->model, "volumes"), string_or_empty(source));
    bool is_read_only = json_is_true(json_object_get(mount, "read_only"));
    bool makes_path = json_is_true(json_object_get(json_object_get(mount, "bind"), "create_host_path"));
    bool is_detailed = json_object_get(details, "subpath") || json_object_get(details, "labels");
    if (string_equal(type, "volume") && !source) {
        json_array_append_new(mounts, volume_mount(inherited_volume(plan, target), target, is_read_only));
    } else if ((string_equal(type, "bind") && makes_path) || (string_equal(type, "volume") && named && !is_detailed)) {
        _cleanup_free_ char *text = bind_text(string_equal(type, "bind") ? source : text_of(named, "name"), mount);
        json_array_append_new(binds, json_string(text));
    } else {
        json_array_append_new(mounts, full_mount(plan, mount));
    }
}

static bool is_target(const json_t *service, const char *target)
{
    size_t i;
    json_t *mount;
    json_array_foreach(json_object_get(service, "volumes"), i, mount)
    {
        if (string_equal(text_of(mount, "target"), target))
            return true;
    }
    return false;
}

/* Secrets and configs of files are mounted. */
static bool add_grants(const struct container_plan *plan, const char *what, const char *folder, json_t *mounts,
                       struct error *err)
{
    size_t i;
    json_t *grant;
    json_array_foreach(json_object_get(plan->service, what), i, grant)
    {
        const char *source = text_of(grant, "source"), *target = text_of(grant, "target");
        const json_t *object = json_object_get(json_object_get(plan->project->model, what), string_or_empty(source));
        const char *file = text_of(object, "file");
        if (json_is_true(json_object_get(object, "external")))
            return error_set(err, ERROR_UNSUPPORTED, "unsupported external %.*s %s", (int)strlen(what) - 1, what,
                             source);
        if (!file)
            continue;
        _cleanup_free_ char *path = !target          ? xasprintf("%s%s", folder, source)
                                    : *target == '/' ? xstrdup(target)
                                                     : xasprintf("%s%s", folder, target);
        json_array_append_new(
            mounts, json_pack("{s:s, s:s, s:s, s:b}", "Type", "bind", "Source", file, "Target", path, "ReadOnly", 1));
    }
    return true;
}

static bool add_mounts(const struct container_plan *plan, json_t *host, struct error *err)
{
    _cleanup_json_ json_t *binds = json_array(), *mounts = json_array(), *tmpfs = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(plan->service, "volumes"), i, item)
    {
        add_mount(plan, item, binds, mounts);
    }
    /* Volumes that the image declares go on too. */
    const char *target;
    json_object_foreach(json_object_get(json_object_get(plan->image, "Config"), "Volumes"), target, item)
    {
        const char *name = inherited_volume(plan, target);
        if (name && !is_target(plan->service, target))
            json_array_append_new(mounts, volume_mount(name, target, false));
    }
    json_array_foreach(json_object_get(plan->service, "tmpfs"), i, item)
    {
        const char *text = json_string_value(item), *colon = strchr(text, ':');
        _cleanup_free_ char *path = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
        json_object_set_new(tmpfs, path, json_string(colon ? colon + 1 : ""));
    }
    if (!add_grants(plan, "secrets", "/run/secrets/", mounts, err) || !add_grants(plan, "configs", "/", mounts, err))
        return false;
    json_object_set(host, "Binds", binds);
    json_object_set(host, "Mounts", mounts);
    json_object_set(host, "Tmpfs", tmpfs);
    return true;
}

static bool add_limits(const json_t *service, json_t *host, struct error *err)
{
    static const char *const plain[][2] = {{"CpuPeriod", "cpu_period"},
                                           {"CpuQuota", "cpu_quota"},
                                           {"CpuShares", "cpu_shares"},
                                           {"CpusetCpus", "cpuset"},
                                           {"CgroupParent", "cgroup_parent"},
                                           {"PidsLimit", "pids_limit"},
                                           {"OomScoreAdj", "oom_score_adj"},
                                           {"OomKillDisable", "oom_kill_disable"},
                                           {"CpuCount", "cpu_count"},
                                           {"DeviceCgroupRules", "device_cgroup_rules"},
                                           {"CpuRealtimePeriod", "cpu_rt_period"},
                                           {"CpuRealtimeRuntime", "cpu_rt_runtime"}};
    const json_t *resources = json_object_get(json_object_get(service, "deploy"), "resources"),
                 *limits = json_object_get(resources, "limits"), *reserved = json_object_get(resources, "reservations");
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        carry(host, plain[i][0], service, plain[i][1]);
    carry_bytes(host, "Memory", service, "mem_limit");
    carry_bytes(host, "MemoryReservation", service, "mem_reservation");
    carry_bytes(host, "MemorySwap", service, "memswap_limit");
    carry_bytes(host, "MemorySwappiness", service, "mem_swappiness");
    carry_bytes(host, "Memory", limits, "memory");
    carry_bytes(host, "MemoryReservation", reserved, "memory");
    carry(host, "PidsLimit", limits, "pids");
    const json_t *cpus =
        json_object_get(limits, "cpus") ? json_object_get(limits, "cpus") : json_object_get(service, "cpus");
    if (cpus)
        json_object_set_new(host, "NanoCpus", json_integer((json_int_t)(json_number_value(cpus) * 1e9 + 0.5)));
    if (json_object_get(reserved, "devices") || json_object_get(service, "gpus"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "device requests (gpus, deploy.resources.reservations.devices) are not supported");
    json_t *list = json_array();
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(service, "ulimits"), name, value)
    {
        const json_t *soft = json_is_object(value) ? json_object_get(value, "soft") : value,
                     *hard = json_is_object(value) ? json_object_get(value, "hard") : value;
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", name, "Soft", json_integer_value(soft), "Hard",
                                              json_integer_value(hard)));
    }
    json_object_set_new(host, "Ulimits", list);
    const json_t *blkio = json_object_get(service, "blkio_config");
    static const char *const block[][2] = {{"BlkioWeight", "weight"},
                                           {"BlkioWeightDevice", "weight_device"},
                                           {"BlkioDeviceReadBps", "device_read_bps"},
                                           {"BlkioDeviceReadIOps", "device_read_iops"},
                                           {"BlkioDeviceWriteBps", "device_write_bps"},
                                           {"BlkioDeviceWriteIOps", "device_write_iops"}};
    for (size_t i = 0; i < ARRAY_SIZE(block); i++)
        carry(host, block[i][0], blkio, block[i][1]);
    return true;
}

static void add_devices(const json_t *service, json_t *host)
{
    json_t *list = json_array(), *device;
    size_t i;
    json_array_foreach(json_object_get(service, "devices"), i, device)
    {
        json_t *one = json_object();
        carry(one, "PathOnHost", device, "source");
        carry(one, "PathInContainer", device, "target");
        carry(one, "CgroupPermissions", device, "permissions");
        json_array_append_new(list, one);
    }
    json_object_set_new(host, "Devices", list);
}

static void add_restart_policy(const json_t *service, json_t *host)
{
    const char *text = text_of(service, "restart");
    const json_t *policy = json_object_get(json_object_get(service, "deploy"), "restart_policy");
    json_t *out = json_object();
    if (text) {
        size_t length = strcspn(text, ":");
        _cleanup_free_ char *name = xstrndup(text, length);
        put_text(out, "Name", name);
        if (text[length])
            json_object_set_new(out, "MaximumRetryCount", json_integer(strtoll(text + length + 1, NULL, 10)));
    } else if (policy) {
        const char *condition = text_of(policy, "condition");
        put_text(out, "Name",
                 string_equal(condition, "none")         ? "no"
                 : string_equal(condition, "on-failure") ? "on-failure"
                                                         : "always");
        if (string_equal(condition, "on-failure"))
            carry(out, "MaximumRetryCount", policy, "max_attempts");
    }
    json_object_set_new(host, "RestartPolicy", out);
}

static json_t *endpoint(const struct container_plan *plan, const json_t *attachment)
{
    json_t *settings = json_object(), *aliases = json_array(), *item;
    size_t i;
    json_array_append_new(aliases, json_string(plan->name));
    if (!plan->no_aliases) {
        json_array_append_new(aliases, json_string(plan->service_name));
        json_array_foreach(json_object_get(attachment, "aliases"), i, item)
        {
            json_array_append(aliases, item);
        }
    }
    json_object_set_new(settings, "Aliases", aliases);
    json_t *ipam = json_object();
    carry(ipam, "IPv4Address", attachment, "ipv4_address");
    carry(ipam, "IPv6Address", attachment, "ipv6_address");
    carry(ipam, "LinkLocalIPs", attachment, "link_local_ips");
    json_object_set_new(settings, "IPAMConfig", ipam);
    carry(settings, "MacAddress", attachment, "mac_address");
    carry(settings, "DriverOpts", attachment, "driver_opts");
    return settings;
}

static void add_links(const struct container_plan *plan, json_t *settings)
{
    json_t *list = json_array(), *item;
    size_t i;
    json_array_foreach(json_object_get(plan->service, "links"), i, item)
    {
        const char *text = json_string_value(item), *colon = strchr(text, ':');
        _cleanup_free_ char *name = xstrndup(text, strcspn(text, ":")), *id = plan->find(plan->find_context, name);
        if (!id)
            continue;
        _cleanup_free_ char *link = xasprintf("%s:%s", id, colon ? colon + 1 : name);
        json_array_append_new(list, json_string(link));
    }
    json_array_foreach(json_object_get(plan->service, "external_links"), i, item)
    {
        json_array_append(list, item);
    }
    if (json_array_size(list) > 0)
        json_object_set(settings, "Links", list);
    json_decref(list);
}

static void add_networks(const struct container_plan *plan, json_t *request, json_t *host)
{
    const char *mode = text_of(plan->service, "network_mode"), *key, *primary = NULL;
    const json_t *networks = json_object_get(plan->service, "networks");
    json_t *attachment;
    put_text(host, "NetworkMode", mode);
    if (mode)
        return;
    json_t *endpoints = json_object();
    int64_t best = 0;
    json_object_foreach((json_t *)(uintptr_t)networks, key, attachment)
    {
        const char *name = text_of(json_object_get(json_object_get(plan->project->model, "networks"), key), "name");
        int64_t priority = json_integer_value(json_object_get(attachment, "priority"));
        if (!primary || priority > best) {
            primary = name;
            best = priority;
        }
        json_t *settings = endpoint(plan, attachment);
        add_links(plan, settings);
        json_object_set_new(endpoints, name, settings);
    }
    put_text(host, "NetworkMode", primary ? primary : "none");
    json_object_set_new(request, "NetworkingConfig", json_pack("{s:o}", "EndpointsConfig", endpoints));
}

static void add_volumes_from(const json_t *service, json_t *host)
{
    json_t *list = json_array(), *item;
    size_t i;
    json_array_foreach(json_object_get(service, "volumes_from"), i, item)
    {
        const char *text = json_string_value(item);
        bool has_prefix = string_starts_with(text, "container:");
        json_array_append_new(list, json_string(has_prefix ? text + strlen("container:") : text));
    }
    json_object_set_new(host, "VolumesFrom", list);
}

static void add_logging(const json_t *service, json_t *host)
{
    const json_t *logging = json_object_get(service, "logging");
    json_t *out = json_object();
    carry(out, "Type", logging, "driver");
    carry(out, "Config", logging, "options");
    json_object_set_new(host, "LogConfig", out);
}

static bool add_host(const struct container_plan *plan, json_t *request, json_t *host, struct error *err)
{
    static const char *const plain[][2] = {{"Annotations", "annotations"},
                                           {"CapAdd", "cap_add"},
                                           {"CapDrop", "cap_drop"},
                                           {"Init", "init"},
                                           {"CgroupnsMode", "cgroup"},
                                           {"ReadonlyRootfs", "read_only"},
                                           {"Sysctls", "sysctls"},
                                           {"VolumeDriver", "volume_driver"},
                                           {"Dns", "dns"},
                                           {"DnsSearch", "dns_search"},
                                           {"DnsOptions", "dns_opt"},
                                           {"SecurityOpt", "security_opt"},
                                           {"StorageOpt", "storage_opt"},
                                           {"UsernsMode", "userns_mode"},
                                           {"Privileged", "privileged"},
                                           {"Isolation", "isolation"},
                                           {"Runtime", "runtime"},
                                           {"GroupAdd", "group_add"}};
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        carry(host, plain[i][0], plan->service, plain[i][1]);
    carry_bytes(host, "ShmSize", plan->service, "shm_size");
    json_t *hosts = json_array(), *item;
    size_t i;
    json_array_foreach(json_object_get(plan->service, "extra_hosts"), i, item)
    {
        _cleanup_free_ char *text = xstrdup(json_string_value(item));
        text[strcspn(text, "=")] = ':';
        json_array_append_new(hosts, json_string(text));
    }
    json_object_set_new(host, "ExtraHosts", hosts);
    add_restart_policy(plan->service, host);
    add_devices(plan->service, host);
    add_logging(plan->service, host);
    put_text(host, "IpcMode", text_of(plan->service, "ipc"));
    put_text(host, "PidMode", text_of(plan->service, "pid"));
    put_text(host, "UTSMode", text_of(plan->service, "uts"));
    add_volumes_from(plan->service, host);
    add_networks(plan, request, host);
    return add_limits(plan->service, host, err) && add_mounts(plan, host, err);
}

json_t *container_request(const struct container_plan *plan, struct error *err)
{
    static const char *const plain[][2] = {{"Hostname", "hostname"},
                                           {"Domainname", "domainname"},
                                           {"User", "user"},
                                           {"Tty", "tty"},
                                           {"OpenStdin", "stdin_open"},
                                           {"Cmd", "command"},
                                           {"Entrypoint", "entrypoint"},
                                           {"WorkingDir", "working_dir"},
                                           {"MacAddress", "mac_address"},
                                           {"StopSignal", "stop_signal"}};
    static const char *const refused[] = {"credential_spec", "models",   "provider",
                                          "post_start",      "pre_stop", "use_api_socket"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        if (json_object_get(plan->service, refused[i])) {
            error_set(err, ERROR_UNSUPPORTED, "services.%s.%s is not supported", plan->service_name, refused[i]);
            return NULL;
        }
    }
    _cleanup_json_ json_t *request = json_object();
    json_t *host = json_object();
    json_object_set_new(request, "HostConfig", host);
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        carry(request, plain[i][0], plan->service, plain[i][1]);
    _cleanup_free_ char *image = service_image(plan->project, plan->service_name, plan->service);
    put_text(request, "Image", image);
    json_object_set_new(request, "AttachStdout", json_true());
    json_object_set_new(request, "AttachStderr", json_true());
    json_object_set_new(request, "Env", environment(plan->service));
    json_object_set_new(request, "Labels", labels(plan));
    json_t *health = health_check(plan->service);
    if (health)
        json_object_set_new(request, "Healthcheck", health);
    if (text_of(plan->service, "stop_grace_period"))
        json_object_set_new(request, "StopTimeout",
                            json_integer(duration_of(plan->service, "stop_grace_period") / 1000000000));
    add_ports(plan, request, host);
    if (!add_host(plan, request, host, err))
        return NULL;
    return TAKE_PTR(request);
}
