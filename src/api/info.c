/* GET /info: true values only. */
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#include "api/host.h"
#include "api/respond.h"
#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "engine/events.h"
#include "engine/host_limits.h"
#include "engine/log_config.h"

/* An identity of this installation that outlives restarts: <data-root>/engine-id, a UUID as Docker's. */
static char *engine_identity(const char *data_root)
{
    _cleanup_free_ char *path = path_join(data_root, "engine-id");
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (file_read(AT_FDCWD, path, 100, &text, NULL) && text.length >= 36)
        return xstrndup(text.data, 36);
    char id[ID_LENGTH + 1];
    id_generate(id);
    char *identity = xasprintf("%.8s-%.4s-4%.3s-a%.3s-%.12s", id, id + 8, id + 12, id + 15, id + 18);
    file_replace(path, identity, strlen(identity), 0600, true, NULL);
    return identity;
}

static void set(json_t *json, const char *key, json_t *value)
{
    json_object_set_new(json, key, value);
}

static void add_limits(json_t *info, const struct host_limits *limits)
{
    const struct {
        const char *key;
        bool value;
    } rows[] = {
        {"MemoryLimit", limits->has_memory},
        {"SwapLimit", limits->has_swap},
        {"KernelMemoryTCP", limits->has_kernel_memory_tcp},
        {"CpuCfsPeriod", limits->has_cpu_period},
        {"CpuCfsQuota", limits->has_cpu_quota},
        {"CPUShares", limits->has_cpu_shares},
        {"CPUSet", limits->has_cpuset},
        {"PidsLimit", limits->has_pids},
        {"IPv4Forwarding", host_sysctl_is_on("/proc/sys/net/ipv4/ip_forward")},
        {"BridgeNfIptables", host_sysctl_is_on("/proc/sys/net/bridge/bridge-nf-call-iptables")},
        {"BridgeNfIp6tables", host_sysctl_is_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables")},
        {"OomKillDisable", limits->has_oom_kill_disable},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        set(info, rows[i].key, json_boolean(rows[i].value));
}

/* Docker's wording and order: the docker command line shows them as they are. The weight of block I/O is missed on v2
   alone: no kernel since 5.0 has it on v1. */
static json_t *warnings(const struct host_limits *limits)
{
    bool is_v1 = limits->cgroup_version == 1;
    const struct {
        bool is_missing;
        const char *text;
    } rows[] = {
        {!limits->has_memory, "No memory limit support"},
        {!limits->has_swap, "No swap limit support"},
        {!limits->has_kernel_memory_tcp && is_v1, "No kernel memory TCP limit support"},
        {!limits->has_oom_kill_disable && is_v1, "No oom kill disable support"},
        {!limits->has_cpu_quota, "No cpu cfs quota support"},
        {!limits->has_cpu_period, "No cpu cfs period support"},
        {!limits->has_cpu_shares, "No cpu shares support"},
        {!limits->has_cpuset, "No cpuset support"},
        {!limits->has_io_weight && !is_v1, "No io.weight support"},
        {!limits->has_io_weight_device && !is_v1, "No io.weight (per device) support"},
        {!limits->has_io_read_bps, is_v1 ? "No blkio throttle.read_bps_device support" : "No io.max (rbps) support"},
        {!limits->has_io_write_bps, is_v1 ? "No blkio throttle.write_bps_device support" : "No io.max (wbps) support"},
        {!limits->has_io_read_iops, is_v1 ? "No blkio throttle.read_iops_device support" : "No io.max (riops) support"},
        {!limits->has_io_write_iops,
         is_v1 ? "No blkio throttle.write_iops_device support" : "No io.max (wiops) support"},
        {!host_sysctl_is_on("/proc/sys/net/ipv4/ip_forward"), "IPv4 forwarding is disabled"},
    };
    json_t *list = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].is_missing) {
            list = list ? list : json_array();
            json_array_append_new(list, json_sprintf("WARNING: %s", rows[i].text));
        }
    return list ? list : json_null();
}

/* Docker's shape: CIDRs apart, every other insecure registry an index of its own. */
static json_t *registry_config(const struct registry_options *options)
{
    json_t *cidrs = json_pack("[s, s]", "::1/128", "127.0.0.0/8");
    json_t *mirrors = options->mirrors.count ? json_array() : json_null(), *of_hub = json_array();
    json_t *indexes = json_object();
    for (size_t i = 0; i < options->mirrors.count; i++) {
        _cleanup_free_ char *url =
            xasprintf("%s%s", options->mirrors.items[i], string_ends_with(options->mirrors.items[i], "/") ? "" : "/");
        json_array_append_new(mirrors, json_text(url));
        json_array_append_new(of_hub, json_text(url));
    }
    for (size_t i = 0; i < options->insecure.count; i++) {
        const char *name = options->insecure.items[i];
        if (strchr(name, '/'))
            json_array_append_new(cidrs, json_text(name));
        else
            set(indexes, name, json_pack("{s:s, s:[], s:b, s:b}", "Name", name, "Mirrors", "Secure", 0, "Official", 0));
    }
    set(indexes, "docker.io",
        json_pack("{s:s, s:o, s:b, s:b}", "Name", "docker.io", "Mirrors", of_hub, "Secure", 1, "Official", 1));
    return json_pack("{s:n, s:n, s:o, s:o, s:o}", "AllowNondistributableArtifactsCIDRs",
                     "AllowNondistributableArtifactsHostnames", "InsecureRegistryCIDRs", cidrs, "IndexConfigs", indexes,
                     "Mirrors", mirrors);
}

static json_t *security_options(const struct engine_options *engine, const struct host_limits *limits)
{
    const char *profile = engine->seccomp_profile;
    json_t *list = json_pack("[s]", !profile                              ? "name=seccomp,profile=builtin"
                                    : string_equal(profile, "unconfined") ? "name=seccomp,profile=unconfined"
                                                                          : "name=seccomp,profile=custom");
    if (limits->cgroup_version == 2)
        json_array_append_new(list, json_string("name=cgroupns"));
    if (engine->has_no_new_privileges)
        json_array_append_new(list, json_string("name=no-new-privileges"));
    return list;
}

static void add_counts(json_t *info, struct engine *engine)
{
    struct engine_counts counts;
    engine_count(engine, &counts);
    set(info, "Containers", json_integer((json_int_t)counts.containers));
    set(info, "ContainersRunning", json_integer((json_int_t)counts.running));
    set(info, "ContainersPaused", json_integer((json_int_t)counts.paused));
    set(info, "ContainersStopped", json_integer((json_int_t)counts.stopped));
    set(info, "Images", json_integer((json_int_t)counts.images));
}

static void add_host(json_t *info, const struct registry_options *registry)
{
    struct utsname host;
    uname(&host);
    _cleanup_free_ char *name = host_os_release("PRETTY_NAME"), *version = host_os_release("VERSION_ID");
    set(info, "KernelVersion", json_text(host.release));
    set(info, "OperatingSystem", json_text(name ? name : "Linux"));
    set(info, "OSVersion", json_text(version));
    set(info, "OSType", json_string("linux"));
    set(info, "Architecture", json_text(host.machine));
    set(info, "IndexServerAddress", json_string("https://index.docker.io/v1/"));
    set(info, "RegistryConfig", registry_config(registry));
    set(info, "NCPU", json_integer(host_cpu_count()));
    set(info, "MemTotal", json_integer(host_memory()));
    set(info, "GenericResources", json_null());
}

/* As Docker shows a proxy: neither name nor password of its user. */
static json_t *masked_url(const char *url)
{
    const char *start = url ? strstr(url, "://") : NULL;
    const char *at = start ? strchr(start + 3, '@') : NULL;
    if (!at || memchr(start + 3, '/', (size_t)(at - start - 3)))
        return json_text(url);
    _cleanup_free_ char *text = xasprintf("%.*sxxxxx:xxxxx%s", (int)(start + 3 - url), url, at);
    return json_text(text);
}

static void add_environment(json_t *info)
{
    static const char *const names[][3] = {
        {"HttpProxy", "HTTP_PROXY", "http_proxy"},
        {"HttpsProxy", "HTTPS_PROXY", "https_proxy"},
        {"NoProxy", "NO_PROXY", "no_proxy"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i][1]);
        set(info, names[i][0], masked_url(value ? value : getenv(names[i][2])));
    }
}

bool system_info(struct call *call, struct error *err)
{
    const struct api_options *options = &call->api->options;
    const struct engine_options *engine = engine_options(call->engine);
    const struct host_limits *limits = host_limits();
    json_t *info = json_object();
    _cleanup_free_ char *identity = engine_identity(engine->data_root);
    char now[TIME_TEXT_SIZE], name[256] = "";
    gethostname(name, sizeof(name) - 1);

    set(info, "ID", json_string(identity));
    add_counts(info, call->engine);
    set(info, "Driver", json_string("overlay2"));
    set(info, "DriverStatus",
        json_pack("[[s, s], [s, s], [s, s], [s, s], [s, s]]", "Backing Filesystem", host_file_system(engine->data_root),
                  "Supports d_type", "true", "Using metacopy", "false", "Native Overlay Diff", "true", "userxattr",
                  "false"));
    json_t *logs = json_array();
    for (const char *const *driver = log_drivers(); *driver; driver++)
        json_array_append_new(logs, json_string(*driver));
    set(info, "Plugins",
        json_pack("{s:[s], s:[s, s, s], s:n, s:o}", "Volume", "local", "Network", "bridge", "host", "null",
                  "Authorization", "Log", logs));
    add_limits(info, limits);
    set(info, "Debug", json_false());
    set(info, "NFd", json_integer((json_int_t)host_open_fds()));
    set(info, "NGoroutines", json_integer((json_int_t)host_threads()));
    set(info, "SystemTime", json_string(time_format(clock_now(), now)));
    set(info, "LoggingDriver", json_string(options->default_log_driver ? options->default_log_driver : "json-file"));
    set(info, "CgroupDriver", json_string("cgroupfs"));
    set(info, "CgroupVersion", json_string(limits->cgroup_version == 2 ? "2" : "1"));
    set(info, "NEventsListener", json_integer((json_int_t)events_subscriber_count(call->engine)));
    add_host(info, &engine->registry);
    set(info, "DockerRootDir", json_text(engine->data_root));
    add_environment(info);
    set(info, "Name", json_text(name));
    set(info, "Labels", json_array());
    set(info, "ExperimentalBuild", json_boolean(options->is_experimental));
    set(info, "ServerVersion", json_string(WHERRY_VERSION));
    set(info, "Runtimes",
        json_pack("{s:{s:s}, s:{s:s}, s:{s:s}}", "io.containerd.runc.v2", "path", "wherry-runtime", "runc", "path",
                  "wherry-runtime", "wherry", "path", "wherry-runtime"));
    set(info, "DefaultRuntime", json_string(engine->default_runtime ? engine->default_runtime : "runc"));
    set(info, "Swarm",
        json_pack("{s:s, s:s, s:s, s:b, s:s, s:n}", "NodeID", "", "NodeAddr", "", "LocalNodeState", "inactive",
                  "ControlAvailable", 0, "Error", "", "RemoteManagers"));
    set(info, "LiveRestoreEnabled", json_false());
    set(info, "Isolation", json_string(""));
    set(info, "InitBinary", json_text(path_base(string_or_empty(engine->init_program))));
    /* Docker's commit ids of programs that Wherry does not have; clients expect the keys. */
    static const char *const commits[] = {"ContainerdCommit", "RuncCommit", "InitCommit"};
    for (size_t i = 0; i < ARRAY_SIZE(commits); i++)
        set(info, commits[i], json_pack("{s:s, s:s}", "ID", "", "Expected", ""));
    set(info, "SecurityOptions", security_options(engine, limits));
    set(info, "CDISpecDirs", json_array());
    set(info, "Warnings", warnings(limits));
    if (call->version < 142)
        set(info, "KernelMemory", json_boolean(limits->cgroup_version == 1));
    if (call->version < 125)
        set(info, "ExecutionDriver", json_string("<not supported>"));
    if (options->add_info)
        options->add_info(info);
    return respond_json(call, 200, info);
}
