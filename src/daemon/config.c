#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "daemon/config_file.h"
#include "daemon/host.h"
#include "daemon/ulimit.h"
#include "engine/engine.h"
#include "network/network.h"
#include "registry/endpoint.h"
#include "registry/registry.h"

#define CONFIG_LIMIT   ((size_t)1 << 20)
#define PLACE(member_) offsetof(struct daemon_config, member_)

/* What dockerd knows and this version refuses. */
#define REFUSED(name_, kind_, value_, help_)                                                                           \
    {                                                                                                                  \
        .name = (name_), .kind = (kind_), .offset = PLACE(refused), .value_name = (value_), .help = (help_),           \
        .unsupported = "--" name_ " is not supported by this version of Wherry", .is_hidden = true                     \
    }

static bool parse_host(void *place, const char *value, struct error *err)
{
    if (!host_check(value, err))
        return false;
    strlist_add(place, value);
    return true;
}

static bool parse_insecure(void *place, const char *value, struct error *err)
{
    if (!insecure_registry_check(value, err))
        return false;
    strlist_add(place, value);
    return true;
}

static bool parse_mirror(void *place, const char *value, struct error *err)
{
    if (!mirror_check(value, err))
        return false;
    strlist_add(place, value);
    return true;
}

/* "key=value", and no key twice with different values. */
static bool parse_daemon_label(void *place, const char *value, struct error *err)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return error_set(err, ERROR_INVALID, "bad attribute format: %s", value);
    strlist_add(place, value);
    return true;
}

static bool parse_address_pool(void *place, const char *value, struct error *err)
{
    if (!network_check_pool(value, err))
        return false;
    strlist_add(place, value);
    return true;
}

static bool parse_default_ulimit(void *place, const char *value, struct error *err)
{
    struct ulimit limit = {0};
    if (!ulimit_parse(value, &limit, err))
        return false;
    free(limit.name);
    strlist_add(place, value);
    return true;
}

static const struct option options[] = {
    REFUSED("add-runtime", OPTION_LIST, "runtime", "Register an additional OCI compatible runtime"),
    REFUSED("allow-nondistributable-artifacts", OPTION_LIST, "list",
            "Allow push of nondistributable artifacts to registry"),
    REFUSED("authorization-plugin", OPTION_LIST, "list", "Authorization plugins to load"),
    {"bip", 0, OPTION_STRING, PLACE(bip), "string", "Specify network bridge IP"},
    {"bridge", 'b', OPTION_STRING, PLACE(bridge), "string", "Attach containers to a network bridge", "wherry0"},
    REFUSED("cdi-spec-dir", OPTION_LIST, "list", "CDI specification directories to use"),
    {"cgroup-parent", 0, OPTION_STRING, PLACE(cgroup_parent), "string", "Set parent cgroup for all containers"},
    {"closed-ports", 0, OPTION_BOOL, PLACE(has_closed_ports), NULL,
     "Close published ports to other hosts until the firewall's sets allow them"},
    {"config-file", 0, OPTION_STRING, PLACE(config_file), "string", "Daemon configuration file", DEFAULT_CONFIG_FILE},
    REFUSED("containerd", OPTION_STRING, "string", "containerd grpc address"),
    REFUSED("containerd-namespace", OPTION_STRING, "string", "Containerd namespace to use"),
    REFUSED("containerd-plugins-namespace", OPTION_STRING, "string", "Containerd namespace to use for plugins"),
    REFUSED("cpu-rt-period", OPTION_INT64, "int", "Limit the CPU real-time period in microseconds"),
    REFUSED("cpu-rt-runtime", OPTION_INT64, "int", "Limit the CPU real-time runtime in microseconds"),
    REFUSED("cri-containerd", OPTION_BOOL, NULL, "start containerd with cri"),
    {"data-root", 0, OPTION_STRING, PLACE(data_root), "string", "Root directory of persistent Wherry state",
     "/var/lib/wherry"},
    {"debug", 'D', OPTION_BOOL, PLACE(is_debug), NULL, "Enable debug mode"},
    {"default-address-pool", 0, OPTION_LIST, PLACE(address_pools), "pool-options",
     "Default address pools for node specific local networks", NULL, parse_address_pool},
    {"default-cgroupns-mode", 0, OPTION_STRING, PLACE(cgroupns_mode), "string",
     "Default mode for containers cgroup namespace (\"host\" | \"private\")"},
    REFUSED("default-gateway", OPTION_STRING, "ip", "Container default gateway IPv4 address"),
    REFUSED("default-gateway-v6", OPTION_STRING, "ip", "Container default gateway IPv6 address"),
    {"default-ipc-mode", 0, OPTION_STRING, PLACE(ipc_mode), "string",
     "Default mode for containers ipc (\"shareable\" | \"private\")", "private"},
    REFUSED("default-network-opt", OPTION_LIST, "mapmap", "Default network options"),
    {"default-runtime", 0, OPTION_STRING, PLACE(default_runtime), "string", "Default OCI runtime for containers",
     "wherry"},
    {"default-shm-size", 0, OPTION_BYTES, PLACE(default_shm_size), "bytes", "Default shm size for containers", "64MiB"},
    {"default-ulimit", 0, OPTION_LIST, PLACE(ulimits), "ulimit", "Default ulimits for containers", "[]",
     parse_default_ulimit},
    REFUSED("dns", OPTION_LIST, "ipSlice", "DNS server to use"),
    REFUSED("dns-opt", OPTION_LIST, "list", "DNS options to use"),
    REFUSED("dns-search", OPTION_LIST, "list", "DNS search domains to use"),
    {"exec-opt", 0, OPTION_LIST, PLACE(exec_opts), "list", "Runtime execution options"},
    {"exec-root", 0, OPTION_STRING, PLACE(exec_root), "string", "Root directory for execution state files",
     "/run/wherry"},
    {"experimental", 0, OPTION_BOOL, PLACE(is_experimental), NULL, "Enable experimental features"},
    REFUSED("feature", OPTION_LIST, "map", "Enable feature in the daemon"),
    REFUSED("fixed-cidr", OPTION_STRING, "string", "IPv4 subnet for fixed IPs"),
    {"fixed-cidr-v6", 0, OPTION_STRING, PLACE(ipv6_subnet), "string", "IPv6 subnet for fixed IPs"},
    {"group", 'G', OPTION_STRING, PLACE(group), "string", "Group for the unix socket", "docker"},
    {"help", 0, OPTION_BOOL, PLACE(wants_help), NULL, "Print usage"},
    {"host", 'H', OPTION_LIST, PLACE(hosts), "list",
     "Daemon socket(s) to connect to; ADDRESS,role=read makes one that only looks, ADDRESS,label=KEY=VALUE one for "
     "some containers",
     NULL, parse_host},
    REFUSED("host-gateway-ip", OPTION_LIST, "list",
            "IP addresses that the special 'host-gateway' string in --add-host resolves to"),
    {"http-proxy", 0, OPTION_STRING, PLACE(http_proxy), "string", "HTTP proxy URL to use for outgoing traffic"},
    {"https-proxy", 0, OPTION_STRING, PLACE(https_proxy), "string", "HTTPS proxy URL to use for outgoing traffic"},
    {"icc", 0, OPTION_BOOL, PLACE(has_icc), NULL, "Enable inter-container communication", "true"},
    {"init", 0, OPTION_BOOL, PLACE(has_init), NULL,
     "Run an init in the container to forward signals and reap processes"},
    {"init-path", 0, OPTION_STRING, PLACE(init_path), "string", "Path to the wherry-init binary"},
    {"insecure-registry", 0, OPTION_LIST, PLACE(insecure_registries), "list", "Enable insecure registry communication",
     NULL, parse_insecure},
    REFUSED("ip", OPTION_STRING, "ip", "Default IP when binding container ports"),
    REFUSED("ip-forward", OPTION_BOOL, NULL, "Enable IP forwarding in the kernel"),
    REFUSED("ip-forward-no-drop", OPTION_BOOL, NULL,
            "Do not set the filter-FORWARD policy to DROP when enabling IP forwarding"),
    {"ip-masq", 0, OPTION_BOOL, PLACE(has_ip_masq), NULL, "Enable IP masquerading", "true"},
    REFUSED("ip6tables", OPTION_BOOL, NULL, "Enable addition of ip6tables rules"),
    {"iptables", 0, OPTION_BOOL, PLACE(has_firewall), NULL, "Enable addition of firewall rules", "true"},
    {"ipv6", 0, OPTION_BOOL, PLACE(has_ipv6), NULL, "Enable IPv6 networking"},
    {"label", 0, OPTION_LIST, PLACE(labels), "list", "Set key=value labels to the daemon", NULL, parse_daemon_label},
    {"live-restore", 0, OPTION_BOOL, PLACE(is_live_restore), NULL,
     "Containers go on while the daemon is stopped or restarted", "true"},
    {"log-driver", 0, OPTION_STRING, PLACE(log_driver), "string", "Default driver for container logs", "json-file"},
    {"log-format", 0, OPTION_STRING, PLACE(log_format), "string", "Set the logging format (\"text\"|\"json\")", "text"},
    {"log-level", 'l', OPTION_STRING, PLACE(log_level), "string",
     "Set the logging level (\"debug\"|\"info\"|\"warn\"|\"error\"|\"fatal\")", "info"},
    {"log-max-size", 0, OPTION_BYTES, PLACE(log_max_size), "bytes",
     "Size at which a json-file log without max-size is rotated (0: never)", "512MiB"},
    {"log-opt", 0, OPTION_LIST, PLACE(log_opts), "map", "Default log driver options for containers"},
    {"max-concurrent-downloads", 0, OPTION_INT64, PLACE(max_concurrent_downloads), "int",
     "Set the max concurrent downloads", "3"},
    {"max-concurrent-uploads", 0, OPTION_INT64, PLACE(max_concurrent_uploads), "int", "Set the max concurrent uploads",
     "5"},
    {"max-download-attempts", 0, OPTION_INT64, PLACE(max_download_attempts), "int",
     "Set the max download attempts for each pull", "5"},
    {"metrics-addr", 0, OPTION_STRING, PLACE(metrics_address), "string",
     "Set default address and port to serve the metrics api on"},
    {"mtu", 0, OPTION_INT64, PLACE(mtu), "int", "Set the MTU for the default \"bridge\" network", "1500"},
    REFUSED("network-control-plane-mtu", OPTION_INT64, "int", "Network Control plane MTU"),
    {"no-new-privileges", 0, OPTION_BOOL, PLACE(has_no_new_privileges), NULL,
     "Set no-new-privileges by default for new containers"},
    {"no-proxy", 0, OPTION_STRING, PLACE(no_proxy), "string",
     "Comma-separated list of hosts or IP addresses for which the proxy is skipped"},
    REFUSED("node-generic-resource", OPTION_LIST, "list", "Advertise user-defined resource"),
    {"pidfile", 'p', OPTION_STRING, PLACE(pidfile), "string", "Path to use for daemon PID file", "/run/wherry.pid"},
    {"raw-logs", 0, OPTION_BOOL, PLACE(has_raw_logs), NULL, "Full timestamps without ANSI coloring"},
    {"registry-mirror", 0, OPTION_LIST, PLACE(registry_mirrors), "list", "Preferred registry mirror", NULL,
     parse_mirror},
    {"restart-unhealthy", 0, OPTION_INT64, PLACE(restart_unhealthy), "int",
     "Restart containers after this many failed health checks in a row (0: never)"},
    REFUSED("rootless", OPTION_BOOL, NULL, "Enable rootless mode; typically used with RootlessKit"),
    {"seccomp-profile", 0, OPTION_STRING, PLACE(seccomp_profile), "string",
     "Path to seccomp profile. Set to \"unconfined\" to disable the default seccomp profile", "builtin"},
    REFUSED("selinux-enabled", OPTION_BOOL, NULL, "Enable selinux support"),
    {"shim-path", 0, OPTION_STRING, PLACE(shim_path), "string", "Path to the wherry-shim binary"},
    {"shutdown-timeout", 0, OPTION_INT64, PLACE(shutdown_timeout), "int", "Set the default shutdown timeout", "15"},
    {"storage-driver", 's', OPTION_STRING, PLACE(storage_driver), "string", "Storage driver to use"},
    {"storage-max", 0, OPTION_BYTES, PLACE(storage_max), "bytes",
     "Refuse images that would make images and containers take more of the disk than this (0: no limit)"},
    REFUSED("storage-opt", OPTION_LIST, "list", "Storage driver options"),
    REFUSED("swarm-default-advertise-addr", OPTION_STRING, "string",
            "Set default address or interface for swarm advertised address"),
    {"tls", 0, OPTION_BOOL, PLACE(tls.is_on), NULL, "Use TLS; implied by --tlsverify"},
    {"tlscacert", 0, OPTION_STRING, PLACE(tls.ca), "string", "Trust certs signed only by this CA",
     "/etc/wherry/ca.pem"},
    {"tlscert", 0, OPTION_STRING, PLACE(tls.certificate), "string", "Path to TLS certificate file",
     "/etc/wherry/cert.pem"},
    {"tlskey", 0, OPTION_STRING, PLACE(tls.key), "string", "Path to TLS key file", "/etc/wherry/key.pem"},
    {"tlsverify", 0, OPTION_BOOL, PLACE(tls.verifies), NULL, "Use TLS and verify the remote"},
    REFUSED("userland-proxy", OPTION_BOOL, NULL, "Use userland proxy for loopback traffic"),
    REFUSED("userland-proxy-path", OPTION_STRING, "string", "Path to the userland proxy binary"),
    REFUSED("userns-remap", OPTION_STRING, "string", "User/Group setting for user namespaces"),
    {"validate", 0, OPTION_BOOL, PLACE(wants_validation), NULL, "Validate daemon configuration and exit"},
    {"version", 'v', OPTION_BOOL, PLACE(wants_version), NULL, "Print version information and quit"},
};
static const struct option_table table = {options, ARRAY_SIZE(options)};

static const struct config_key renamed_keys[] = {{"authorization-plugins", "authorization-plugin"},
                                                 {"cdi-spec-dirs", "cdi-spec-dir"},
                                                 {"default-address-pools", "default-address-pool"},
                                                 {"default-network-opts", "default-network-opt"},
                                                 {"default-ulimits", "default-ulimit"},
                                                 {"dns-opts", "dns-opt"},
                                                 {"exec-opts", "exec-opt"},
                                                 {"features", "feature"},
                                                 {"host-gateway-ips", "host-gateway-ip"},
                                                 {"hosts", "host"},
                                                 {"insecure-registries", "insecure-registry"},
                                                 {"labels", "label"},
                                                 {"log-opts", "log-opt"},
                                                 {"node-generic-resources", "node-generic-resource"},
                                                 {"registry-mirrors", "registry-mirror"},
                                                 {"runtimes", "add-runtime"},
                                                 {"storage-opts", "storage-opt"}};

void daemon_config_release(struct daemon_config *config)
{
    options_release(&table, config);
    *config = (struct daemon_config){0};
}

static void set_defaults(struct daemon_config *config)
{
    config->data_root = xstrdup("/var/lib/wherry");
    config->exec_root = xstrdup("/run/wherry");
    config->pidfile = xstrdup("/run/wherry.pid");
    config->config_file = xstrdup(DEFAULT_CONFIG_FILE);
    config->log_level = xstrdup("info");
    config->bridge = xstrdup("wherry0");
    config->cgroup_parent = xstrdup("/wherry");
    config->log_driver = xstrdup("json-file");
    config->default_shm_size = INT64_C(64) << 20;
    config->log_max_size = DEFAULT_LOG_SIZE;
    config->shutdown_timeout = 15;
    config->max_concurrent_downloads = 3;
    config->max_concurrent_uploads = 5;
    config->max_download_attempts = 5;
    config->has_ip_masq = config->has_icc = config->has_firewall = true;
    config->is_live_restore = true;
    config->log_format = xstrdup("text");
    config->ipc_mode = xstrdup("private");
    config->default_runtime = xstrdup("wherry");
    config->seccomp_profile = xstrdup("builtin");
    config->tls.ca = xstrdup("/etc/wherry/ca.pem");
    config->tls.certificate = xstrdup("/etc/wherry/cert.pem");
    config->tls.key = xstrdup("/etc/wherry/key.pem");
}

static bool read_file(struct daemon_config *config, const struct option_parse *flags, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    struct error why = ERROR_INIT;
    if (!file_read(AT_FDCWD, config->config_file, CONFIG_LIMIT, &text, &why)) {
        bool may_be_missing = why.errno_value == ENOENT && !option_is_given(flags, "config-file");
        if (!may_be_missing)
            return error_move(err, &why);
        error_release(&why);
        return true;
    }
    return config_file_apply(&table, renamed_keys, ARRAY_SIZE(renamed_keys), strbuf_text(&text), text.length, flags,
                             config, err);
}

static bool is_one_of(const char *text, const char *first, const char *second)
{
    return !string_is_set(text) || string_equal(text, first) || string_equal(text, second);
}

static bool check_modes(const struct daemon_config *config, struct error *err)
{
    static const char *const runtimes[] = {"wherry", "runc", "io.containerd.runc.v2"};
    bool is_runtime = false;
    for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
        is_runtime |= string_equal(runtimes[i], config->default_runtime);
    if (!is_one_of(config->log_format, "text", "json"))
        return error_set(err, ERROR_INVALID, "invalid log format: %s", config->log_format);
    if (!is_one_of(config->cgroupns_mode, "host", "private"))
        return error_set(err, ERROR_INVALID,
                         "default cgroup namespace mode (%s) is invalid; use \"host\" or \"private\"",
                         config->cgroupns_mode);
    if (!is_one_of(config->ipc_mode, "shareable", "private"))
        return error_set(err, ERROR_INVALID,
                         "default IPC mode setting (%s) is invalid; use \"shareable\" or \"private\"",
                         config->ipc_mode);
    if (!is_runtime)
        return error_set(err, ERROR_INVALID, "specified default runtime '%s' does not exist", config->default_runtime);
    if (!is_one_of(config->storage_driver, "overlay2", "overlay"))
        return error_set(err, ERROR_INVALID, "driver not supported: %s (Wherry stores layers with overlay2)",
                         config->storage_driver);
    for (size_t i = 0; i < config->exec_opts.count; i++) {
        const char *option = config->exec_opts.items[i];
        if (!string_starts_with(option, "native.cgroupdriver="))
            return error_set(err, ERROR_INVALID, "Unknown option: %s", option);
        if (!string_equal(option, "native.cgroupdriver=cgroupfs"))
            return error_set(err, ERROR_INVALID,
                             "native.cgroupdriver option %s is not supported by this version of Wherry: use cgroupfs",
                             strchr(option, '=') + 1);
    }
    return true;
}

static bool check_numbers(const struct daemon_config *config, struct error *err)
{
    const struct {
        int64_t value, least;
        const char *what;
    } rows[] = {{config->mtu, 0, "default MTU"},
                {config->max_concurrent_downloads, 0, "max concurrent downloads"},
                {config->max_concurrent_uploads, 0, "max concurrent uploads"},
                {config->max_download_attempts, 1, "max download attempts"},
                {config->storage_max, 0, "storage-max"},
                {config->restart_unhealthy, 0, "restart-unhealthy"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].value < rows[i].least)
            return error_set(err, ERROR_INVALID, "invalid %s: %lld", rows[i].what, (long long)rows[i].value);
    if (config->data_root[0] != '/' || config->exec_root[0] != '/')
        return error_set(err, ERROR_INVALID, "data-root and exec-root must be absolute paths");
    return true;
}

static bool check_labels(const struct daemon_config *config, struct error *err)
{
    for (size_t i = 0; i < config->labels.count; i++) {
        const char *label = config->labels.items[i];
        size_t length = strcspn(label, "=");
        if (!label[length] || length == 0)
            return error_set(err, ERROR_INVALID, "bad attribute format: %s", label);
        for (size_t j = 0; j < i; j++)
            if (strncmp(config->labels.items[j], label, length + 1) == 0 &&
                !string_equal(config->labels.items[j], label))
                return error_set(err, ERROR_INVALID, "conflict labels for %s and %s", label, config->labels.items[j]);
    }
    for (size_t i = 0; i < config->address_pools.count; i++)
        if (!network_check_pool(config->address_pools.items[i], err))
            return false;
    for (size_t i = 0; i < config->ulimits.count; i++) {
        struct ulimit limit = {0};
        if (!ulimit_parse(config->ulimits.items[i], &limit, err))
            return false;
        free(limit.name);
    }
    return true;
}

static bool check(const struct daemon_config *config, struct error *err)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"};
    bool is_level = false;
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        is_level |= string_equal(levels[i], config->log_level);
    if (!is_level)
        return error_set(err, ERROR_INVALID, "invalid logging level: %s", config->log_level);
    for (size_t i = 0; i < config->hosts.count; i++)
        if (!host_check(config->hosts.items[i], err))
            return false;
    return check_modes(config, err) && check_numbers(config, err) && check_labels(config, err);
}

static bool read_both(int argc, char **argv, struct daemon_config *config, struct option_parse *parse,
                      struct error *err)
{
    set_defaults(config);
    if (!options_parse(&table, argc, argv, config, parse, err))
        return false;
    config->wants_help |= parse->wants_help;
    if (parse->arguments.count > 0)
        return error_set(err, ERROR_INVALID, "\"wherryd\" accepts no argument(s).");
    if (config->wants_help || config->wants_version)
        return true;
    if (!check(config, err))
        return false;
    if (!read_file(config, parse, err))
        return error_prefix(err, "unable to configure the Wherry daemon with file %s", config->config_file);
    return check(config, err) ||
           error_prefix(err,
                        "unable to configure the Wherry daemon with file %s: merged configuration validation from file "
                        "and command line flags failed",
                        config->config_file);
}

bool daemon_config_read(int argc, char **argv, struct daemon_config *config, struct error *err)
{
    _cleanup_option_parse_ struct option_parse parse = {0};
    if (read_both(argc, argv, config, &parse, err))
        return true;
    daemon_config_release(config);
    return false;
}

bool daemon_config_reload(struct daemon_config *config, int argc, char **argv, struct error *err)
{
    _cleanup_(daemon_config_release) struct daemon_config fresh = {0};
    if (!daemon_config_read(argc, argv, &fresh, err))
        return false;
    config->is_debug = fresh.is_debug;
    config->is_live_restore = fresh.is_live_restore;
    config->shutdown_timeout = fresh.shutdown_timeout;
    string_replace(&config->log_level, fresh.log_level);
    strlist_copy(&config->labels, &fresh.labels);
    return true;
}

void daemon_config_help(struct strbuf *out)
{
    strbuf_add_string(out, "\nUsage:  wherryd [OPTIONS]\n\nA self-sufficient runtime for containers.\n\nOptions:\n");
    options_help(&table, 79, out);
}
