#include "engine/validate.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "engine/health.h"
#include "engine/host_limits.h"
#include "engine/lifecycle.h"
#include "engine/log_config.h"
#include "engine/resources.h"
#include "engine/security.h"
#include "engine/signal_name.h"
#include "engine/unhealthy.h"
#include "runtime/cgroup.h"

static bool invalid(struct error *err, const char *format, const char *value)
{
    _cleanup_free_ char *text = NULL;
    /* `format` is one of our literals below, with one %s. */
    text = xasprintf("%s", format);
    char *place = strstr(text, "%s");
    if (!place)
        return error_set(err, ERROR_INVALID, "%s", text);
    *place = '\0';
    return error_set(err, ERROR_INVALID, "%s%s%s", text, value, place + 2);
}

static bool check_config(const struct container_config *config, struct error *err)
{
    if (string_is_set(config->working_dir) && config->working_dir[0] != '/')
        return error_set(err, ERROR_INVALID, "the working directory '%s' is invalid, it needs to be an absolute path",
                         config->working_dir);
    for (size_t i = 0; i < config->env.count; i++)
        if (!config->env.items[i][0] || config->env.items[i][0] == '=')
            return invalid(err, "invalid environment variable: %s", config->env.items[i]);
    if (string_is_set(config->stop_signal) && signal_parse(config->stop_signal, err) < 0)
        return false;
    return health_validate(config->healthcheck, err) && unhealthy_validate(config, err);
}

/* A JSON array that is there and has something in it? */
static bool has_elements(const char *json)
{
    if (!json)
        return false;
    const char *bracket = strchr(json, '[');
    return bracket && bracket[strspn(bracket + 1, " \t\n") + 1] != ']';
}

static bool check_unsupported(struct host_config *host, struct strlist *warnings, struct error *err)
{
    if (has_elements(host->blkio_weight_device) && !host_limits()->has_io_weight) {
        strlist_add(warnings, "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. "
                              "Weight-device discarded.");
        string_replace(&host->blkio_weight_device, NULL);
    }
    if (has_elements(host->blkio_weight_device) || has_elements(host->blkio_device_read_bps) ||
        has_elements(host->blkio_device_write_bps) || has_elements(host->blkio_device_read_iops) ||
        has_elements(host->blkio_device_write_iops))
        return error_set(err, ERROR_UNSUPPORTED, "block I/O limits of devices are not supported by this version");
    if (has_elements(host->device_requests))
        return error_set(err, ERROR_INTERNAL, "could not select device driver \"\" with capabilities: [[gpu]]");
    if (host->io_maximum_bandwidth || host->io_maximum_iops)
        return error_set(err, ERROR_INVALID, "invalid option: maximum I/O limits are for Windows only");
    for (size_t i = 0; i < host->storage_opt.count; i++)
        if (!string_equal(host->storage_opt.items[i].key, "size"))
            return error_set(err, ERROR_INTERNAL, "Unknown option %s", host->storage_opt.items[i].key);
    if (host->storage_opt.count > 0)
        return error_set(err, ERROR_INTERNAL,
                         "--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
    if (string_is_set(host->isolation) && strcasecmp(host->isolation, "default") != 0)
        return error_set(err, ERROR_INTERNAL, "Invalid isolation: \"%s\" - linux only supports 'default'",
                         host->isolation);
    const char *runtime = host->runtime;
    if (string_is_set(runtime) && !string_equal(runtime, "runc") && !string_equal(runtime, "wherry") &&
        !string_equal(runtime, "io.containerd.runc.v2"))
        return error_set(err, ERROR_INVALID, "unknown or invalid runtime name: %s", runtime);
    return true;
}

/* "80", "8000-8010", with or without "/protocol". */
static bool is_port_range(const char *text, bool may_be_range)
{
    size_t length = strcspn(text, "/"), first = strspn(text, "0123456789");
    _cleanup_free_ char *from = xstrndup(text, first);
    int64_t low, high;
    if (length == 0)
        return true;
    if (first == 0 || !parse_int64(from, &low) || low > 65535)
        return false;
    if (first == length)
        return true;
    _cleanup_free_ char *to = xstrndup(text + first + 1, length - first - 1);
    return may_be_range && text[first] == '-' && parse_int64(to, &high) && *to != '-' && *to != '+' && high <= 65535 &&
           high >= low;
}

bool port_bindings_check(const struct record_map *bindings, struct error *err)
{
    for (size_t i = 0; i < bindings->keys.count; i++) {
        const char *port = bindings->keys.items[i];
        const struct record_list *list = RECORD_AT(*bindings, struct record_list, i);
        if (!is_port_range(port, false)) {
            _cleanup_free_ char *number = xstrndup(port, strcspn(port, "/"));
            return error_set(err, ERROR_INVALID, "invalid port specification: \"%s\"", number);
        }
        for (size_t j = 0; j < list->count; j++) {
            const char *host_port = string_or_empty(RECORD_AT(*list, struct port_binding, j)->host_port);
            if (!is_port_range(host_port, true))
                return error_set(err, ERROR_INVALID, "invalid port specification: \"%s\"", host_port);
        }
    }
    return true;
}

static bool check_ports(struct create_request *request, struct strlist *warnings, struct error *err)
{
    struct host_config *host = &request->host_config;
    const struct record_map *bindings = &host->port_bindings;
    if (!port_bindings_check(bindings, err))
        return false;
    if (bindings->keys.count > 0 && string_equal(host->network_mode, "host"))
        strlist_add(warnings, "Published ports are discarded when using host network mode");
    return true;
}

static bool check_modes(const struct host_config *host, struct error *err)
{
    const char *ipc = string_or_empty(host->ipc_mode), *pid = string_or_empty(host->pid_mode);
    const char *uts = string_or_empty(host->uts_mode), *userns = string_or_empty(host->userns_mode);
    const char *cgroupns = string_or_empty(host->cgroupns_mode);
    if (*ipc && !string_equal(ipc, "private") && !string_equal(ipc, "host") && !string_equal(ipc, "shareable") &&
        !string_equal(ipc, "none") && !(string_starts_with(ipc, "container:") && ipc[10]))
        return invalid(err, "invalid IPC mode: %s", ipc);
    if (*pid && !string_equal(pid, "host") && !(string_starts_with(pid, "container:") && pid[10]))
        return invalid(err, "invalid PID mode: %s", pid);
    if (*uts && !string_equal(uts, "host"))
        return invalid(err, "invalid UTS mode: %s", uts);
    if (*userns && !string_equal(userns, "host"))
        return invalid(err, "invalid user namespace mode: %s", userns);
    if (*cgroupns && !string_equal(cgroupns, "host") && !string_equal(cgroupns, "private"))
        return invalid(err, "invalid cgroup namespace mode: %s", cgroupns);
    return true;
}

/* What the namespace that is shared decides cannot be asked for as well. In the order of Docker's checks. */
static bool check_mode_conflicts(const struct create_request *request, struct error *err)
{
    const struct host_config *host = &request->host_config;
    const char *network = string_or_empty(host->network_mode);
    bool has_hostname = string_is_set(request->config.hostname), is_shared = string_starts_with(network, "container:");
    const char *conflict = NULL;
    if (string_equal(network, "container:"))
        return error_set(err, ERROR_INVALID, "Invalid network mode: invalid container format container:<name|id>");
    if (is_shared && has_hostname)
        conflict = "hostname and the network mode";
    else if (string_equal(host->uts_mode, "host") && has_hostname)
        conflict = "hostname and the UTS mode";
    else if (host->links.count > 0 && string_equal(network, "host"))
        conflict = "host type networking can't be used with links. This would result in undefined behavior";
    else if (host->links.count > 0 && is_shared)
        conflict = "container type network can't be used with links. This would result in undefined behavior";
    else if (is_shared && host->dns.count > 0)
        conflict = "dns and the network mode";
    else if (is_shared && host->extra_hosts.count > 0)
        conflict = "custom host-to-IP mapping and the network mode";
    else if (is_shared && (host->port_bindings.keys.count > 0 || host->publish_all_ports))
        conflict = "port publishing and the container type network mode";
    else if (is_shared && request->config.exposed_ports.count > 0)
        conflict = "port exposing and the container type network mode";
    return conflict ? error_set(err, ERROR_INVALID, "conflicting options: %s", conflict) : true;
}

bool restart_policy_check(const struct host_config *host, struct error *err)
{
    const struct restart_policy *policy = &host->restart_policy;
    enum restart_kind kind;
    if (!restart_kind_parse(policy->name, &kind))
        return error_set(err, ERROR_INVALID,
                         "invalid restart policy: unknown policy '%s'; use one of 'no', 'always', 'on-failure', or "
                         "'unless-stopped'",
                         policy->name);
    if (kind != RESTART_ON_FAILURE && policy->maximum_retry_count != 0)
        return error_set(err, ERROR_INVALID,
                         "invalid restart policy: maximum retry count can only be used with 'on-failure'");
    if (policy->maximum_retry_count < 0)
        return error_set(err, ERROR_INVALID, "invalid restart policy: maximum retry count cannot be negative");
    if (host->auto_remove && kind != RESTART_NO)
        return error_set(err, ERROR_INVALID, "can't create 'AutoRemove' container with restart policy");
    return true;
}

/* "name:address", where host-gateway is an address, too. */
static bool check_extra_host(const char *text, struct error *err)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text)
        return error_set(err, ERROR_INVALID, "bad format for add-host: \"%s\"", text);
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *address = colon + 1;
    size_t length = strlen(address);
    bool is_bracketed = address[0] == '[' && address[length - 1] == ']';
    _cleanup_free_ char *bare = is_bracketed ? xstrndup(address + 1, length - 2) : xstrdup(address);
    return string_equal(address, "host-gateway") || inet_pton(AF_INET, bare, bytes) == 1 ||
           inet_pton(AF_INET6, bare, bytes) == 1 ||
           error_set(err, ERROR_INVALID, "invalid IP address in add-host: \"%s\"", address);
}

static bool check_host(struct host_config *host, struct strlist *warnings, struct error *err)
{
    if (host->oom_score_adj < -1000 || host->oom_score_adj > 1000)
        return error_set(err, ERROR_INVALID, "Invalid value %lld, range for oom score adj is [-1000, 1000]",
                         (long long)host->oom_score_adj);
    if (host->shm_size < 0)
        return error_set(err, ERROR_INVALID, "SHM size can not be less than 0");
    for (size_t i = 0; i < host->extra_hosts.count; i++)
        if (!check_extra_host(host->extra_hosts.items[i], err))
            return false;
    if (strmap_get(&host->annotations, ""))
        return error_set(err, ERROR_INVALID,
                         "invalid Annotations: the empty string is not permitted as an annotation key");
    return resources_check(host, false, warnings, err) && check_unsupported(host, warnings, err) &&
           check_modes(host, err) && restart_policy_check(host, err) && log_config_check(&host->log_config, err) &&
           security_check(host, err);
}

bool validate_request(struct create_request *request, struct strlist *warnings, struct error *err)
{
    return check_mode_conflicts(request, err) && check_config(&request->config, err) &&
           check_host(&request->host_config, warnings, err) && check_ports(request, warnings, err);
}

static bool has_security_option(const struct host_config *host, const char *name)
{
    for (size_t i = 0; i < host->security_opt.count; i++)
        if (string_starts_with(host->security_opt.items[i], name))
            return true;
    return false;
}

static void add_default_ulimits(const struct record_list *defaults, struct host_config *host)
{
    for (size_t i = 0; defaults && i < defaults->count; i++) {
        const struct ulimit *wanted = RECORD_AT(*defaults, struct ulimit, i);
        bool is_given = false;
        for (size_t j = 0; j < host->ulimits.count; j++)
            is_given |= string_equal(RECORD_AT(host->ulimits, struct ulimit, j)->name, wanted->name);
        if (!is_given)
            record_copy(&ulimit_type, record_list_add(&host->ulimits, &ulimit_type), wanted);
    }
}

void request_defaults(const struct engine_options *options, struct create_request *request)
{
    struct host_config *host = &request->host_config;
    if (!string_is_set(host->network_mode) || string_equal(host->network_mode, "default"))
        string_replace(&host->network_mode, "bridge");
    if (!string_is_set(host->ipc_mode))
        string_replace(&host->ipc_mode, options->default_ipc_mode ? options->default_ipc_mode : "private");
    if (!string_is_set(host->cgroupns_mode) && string_is_set(options->default_cgroupns_mode) && !host->privileged)
        string_replace(&host->cgroupns_mode, options->default_cgroupns_mode);
    if (!string_is_set(host->cgroupns_mode))
        string_replace(&host->cgroupns_mode, host->privileged || cgroup_version() == 1 ? "host" : "private");
    if (!string_is_set(host->runtime))
        string_replace(&host->runtime, options->default_runtime ? options->default_runtime : "runc");
    if (!host->init.is_set && options->has_init)
        host->init = (struct opt_bool){.is_set = true, .value = true};
    add_default_ulimits(options->default_ulimits, host);
    if (options->has_no_new_privileges && !has_security_option(host, "no-new-privileges"))
        strlist_add(&host->security_opt, "no-new-privileges");
    if (!string_is_set(host->restart_policy.name))
        string_replace(&host->restart_policy.name, "no");
    if (host->shm_size == 0)
        host->shm_size = options->default_shm_size > 0 ? options->default_shm_size : INT64_C(64) << 20;
    log_config_merge(&host->log_config, &options->default_log);
    if (!host->oom_kill_disable.is_set)
        host->oom_kill_disable = (struct opt_bool){.is_set = true, .value = false};
    if (!host->console_size)
        host->console_size = xstrdup("[0,0]");
    if (host->memory > 0 && host->memory_swap == 0)
        host->memory_swap = host->memory * 2; /* as Docker: as much swap as memory */
}
