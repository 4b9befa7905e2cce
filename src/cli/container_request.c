/* From the flags of run and create to the body of POST /containers/create. */
#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/container_options.h"
#include "cli/env_file.h"
#include "cli/flag_checks.h"
#include "cli/mount_option.h"
#include "cli/network_option.h"
#include "cli/port_option.h"
#include "cli/volume_option.h"
#include "model/container.h"
#include "json/json_record.h"

#define SECCOMP_LIMIT ((size_t)16 << 20)

bool pull_policy_check(const char *pull, struct error *err)
{
    if (!string_is_set(pull) || string_equal(pull, "always") || string_equal(pull, "missing") ||
        string_equal(pull, "never"))
        return true;
    return error_set(err, ERROR_INVALID,
                     "invalid pull option: '%s': must be one of \"always\", \"missing\" or \"never\"", pull);
}

/* Replaces the variable where it is there, and never removes one: "KEY" alone is the engine's business. */
static void put_variable(struct strlist *env, const char *assignment)
{
    size_t length = strcspn(assignment, "=");
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], assignment, length) == 0 && strcspn(env->items[i], "=") == length) {
            string_replace(&env->items[i], assignment);
            return;
        }
    }
    strlist_add(env, assignment);
}

static bool read_environment(const struct container_options *options, struct container_config *config,
                             struct error *err)
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < options->env_file.count; i++) {
        if (!env_file_read(options->env_file.items[i], true, &lines, err))
            return false;
    }
    for (size_t i = 0; i < options->env.count; i++)
        strlist_add(&lines, options->env.items[i]);
    for (size_t i = 0; i < lines.count; i++)
        put_variable(&config->env, lines.items[i]);
    return true;
}

/* "key=value" or "key" into a map. */
static void put_pair(struct strmap *map, const char *pair)
{
    size_t length = strcspn(pair, "=");
    _cleanup_free_ char *key = xstrndup(pair, length);
    strmap_set(map, key, pair[length] ? pair + length + 1 : "");
}

static void put_pairs(struct strmap *map, const struct strlist *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        put_pair(map, pairs->items[i]);
}

static bool read_labels(const struct container_options *options, struct container_config *config, struct error *err)
{
    _cleanup_strlist_ struct strlist lines = {0};
    strmap_give(&config->labels);
    for (size_t i = 0; i < options->label_file.count; i++) {
        if (!env_file_read(options->label_file.items[i], false, &lines, err))
            return false;
    }
    put_pairs(&config->labels, &lines);
    put_pairs(&config->labels, &options->label);
    return true;
}

static bool make_healthcheck(const struct container_options *options, struct container_config *config,
                             struct error *err)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"interval", options->health_interval},
                   {"timeout", options->health_timeout},
                   {"retries", options->health_retries},
                   {"start-period", options->health_start_period},
                   {"start-interval", options->health_start_interval}};
    bool has_settings = string_is_set(options->health_cmd);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        has_settings |= numbers[i].value != 0;
    if (options->no_healthcheck && has_settings)
        return error_set(err, ERROR_INVALID, "--no-healthcheck conflicts with --health-* options");
    if (!options->no_healthcheck && !has_settings)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (numbers[i].value < 0)
            return error_set(err, ERROR_INVALID, "--health-%s cannot be negative", numbers[i].name);
    }
    struct health_config *health = config->healthcheck = NEW(struct health_config);
    if (options->no_healthcheck) {
        strlist_add(&health->test, "NONE");
        return true;
    }
    if (string_is_set(options->health_cmd)) {
        strlist_add(&health->test, "CMD-SHELL");
        strlist_add(&health->test, options->health_cmd);
    }
    health->interval = options->health_interval;
    health->timeout = options->health_timeout;
    health->retries = options->health_retries;
    health->start_period = options->health_start_period;
    health->start_interval = options->health_start_interval;
    return true;
}

static void choose_streams(const struct container_options *options, struct container_config *config)
{
    bool is_default = options->attach.count == 0 && !options->detach;
    config->attach_stdout = is_default || strlist_contains(&options->attach, "stdout");
    config->attach_stderr = is_default || strlist_contains(&options->attach, "stderr");
    config->attach_stdin = strlist_contains(&options->attach, "stdin") || (options->interactive && !options->detach);
    config->tty = options->tty;
    config->open_stdin = options->interactive;
    config->stdin_once = config->open_stdin && config->attach_stdin;
}

static bool make_config(const struct container_options *options, const struct option_parse *parse,
                        char *const *arguments, struct container_config *config, struct error *err)
{
    choose_streams(options, config);
    config->image = xstrdup(arguments[0]);
    for (size_t i = 1; arguments[i]; i++)
        strlist_add(&config->cmd, arguments[i]);
    if (option_is_given(parse, "entrypoint"))
        strlist_add(&config->entrypoint, options->entrypoint);
    config->hostname = xstrdup(options->hostname);
    config->domainname = xstrdup(options->domainname);
    config->user = xstrdup(options->user);
    config->working_dir = xstrdup(options->workdir);
    config->stop_signal = xstrdup(options->stop_signal);
    if (option_is_given(parse, "stop-timeout"))
        config->stop_timeout = (struct opt_int64){true, options->stop_timeout};
    return read_environment(options, config, err) && read_labels(options, config, err) &&
           make_healthcheck(options, config, err);
}

static bool check_modes(const struct container_options *options, struct error *err)
{
    const struct {
        const char *flag, *value, *name;
        bool allows_container, allows_private;
    } modes[] = {{"pid", options->pid, "PID", true, false},
                 {"uts", options->uts, "UTS", false, false},
                 {"userns", options->userns, "USER", false, false},
                 {"cgroupns", options->cgroupns, "CGROUP", false, true}};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        const char *value = string_or_empty(modes[i].value);
        bool is_good = !*value || string_equal(value, "host") ||
                       (modes[i].allows_private && string_equal(value, "private")) ||
                       (modes[i].allows_container && string_starts_with(value, "container:") && value[10]);
        if (!is_good)
            return error_set(err, ERROR_INVALID, "--%s: invalid %s mode", modes[i].flag, modes[i].name);
    }
    return true;
}

bool restart_option_parse(const char *text, struct restart_policy *policy, struct error *err)
{
    text = string_or_empty(text);
    size_t length = strcspn(text, ":");
    if (text[length] && length == 0)
        return error_set(err, ERROR_INVALID, "invalid restart policy format: no policy provided before colon");
    if (text[length] && !parse_int64(text + length + 1, &policy->maximum_retry_count))
        return error_set(err, ERROR_INVALID, "invalid restart policy format: maximum retry count must be an integer");
    policy->name = xstrndup(text, length);
    return true;
}

/* "path", "path:path", "path:rwm", "path:path:rwm" */
static bool parse_device(const char *value, struct host_config *host, struct error *err)
{
    _cleanup_strlist_ struct strlist parts = strlist_split(value, ':');
    if (parts.count > 3 || !*value)
        return error_set(err, ERROR_INVALID, "bad format for path: %s", value);
    const char *inside = parts.items[0], *access = "rwm";
    const char *last = parts.items[parts.count - 1];
    bool is_access = *last && last[strspn(last, "rwm")] == '\0' && strlen(last) <= 3;
    if (parts.count == 3) {
        inside = parts.items[1];
        access = last;
        if (!is_access)
            return error_set(err, ERROR_INVALID, "bad mode specified: %s", last);
    } else if (parts.count == 2) {
        if (is_access)
            access = last;
        else
            inside = last;
    }
    if (parts.items[0][0] != '/' || inside[0] != '/')
        return error_set(err, ERROR_INVALID, "%s is not an absolute path",
                         parts.items[0][0] != '/' ? parts.items[0] : inside);
    struct device_mapping *device = record_list_add(&host->devices, &device_mapping_type);
    *device = (struct device_mapping){xstrdup(parts.items[0]), xstrdup(inside), xstrdup(access)};
    return true;
}

static bool parse_security(const char *value, struct host_config *host, struct error *err)
{
    if (string_equal(value, "systempaths=unconfined")) {
        strlist_give(&host->masked_paths);
        strlist_give(&host->readonly_paths);
        return true;
    }
    if (!strpbrk(value, "=:") && !string_equal(value, "no-new-privileges"))
        return error_set(err, ERROR_INVALID, "Invalid --security-opt: \"%s\"", value);
    const char *profile = value + strlen("seccomp=");
    bool is_profile = (string_starts_with(value, "seccomp=") || string_starts_with(value, "seccomp:")) &&
                      !string_equal(profile, "unconfined") && !string_equal(profile, "builtin");
    if (!is_profile) {
        strlist_add(&host->security_opt, value);
        return true;
    }
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_error_ struct error cause = ERROR_INIT;
    if (!file_read(AT_FDCWD, profile, SECCOMP_LIMIT, &text, &cause))
        return error_set(err, ERROR_INVALID, "opening seccomp profile (%s) failed: open %s: %s", profile, profile,
                         cause.errno_value ? errno_text(cause.errno_value) : error_message(&cause));
    _cleanup_json_ json_t *json = json_parse(strbuf_text(&text), text.length, &cause);
    if (!json)
        return error_set(err, ERROR_INVALID, "compacting json for seccomp profile (%s) failed: %s", profile,
                         error_message(&cause));
    _cleanup_free_ char *compact = json_dumps(json, JSON_COMPACT);
    strlist_addf(&host->security_opt, "seccomp=%s", compact);
    return true;
}

static void add_capabilities(struct strlist *to, const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++) {
        _cleanup_free_ char *upper = xstrdup(names->items[i]);
        for (char *at = upper; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        bool is_whole = string_equal(upper, "ALL") || string_starts_with(upper, "CAP_");
        _cleanup_free_ char *name = xasprintf("%s%s", is_whole ? "" : "CAP_", upper);
        if (!strlist_contains(to, name))
            strlist_add(to, name);
    }
}

static bool add_ulimits(const struct strlist *values, struct host_config *host, struct error *err)
{
    for (size_t i = 0; i < values->count; i++) {
        struct parsed_ulimit parsed = {0};
        if (!parse_ulimit(values->items[i], &parsed, err))
            return false;
        struct ulimit *limit = NULL;
        for (size_t j = 0; j < host->ulimits.count && !limit; j++) {
            struct ulimit *other = RECORD_AT(host->ulimits, struct ulimit, j);
            limit = string_equal(other->name, parsed.name) ? other : NULL;
        }
        if (!limit)
            limit = record_list_add(&host->ulimits, &ulimit_type);
        free(limit->name);
        *limit = (struct ulimit){.name = parsed.name, .hard = parsed.hard, .soft = parsed.soft};
    }
    return true;
}

static char *devices_text(const struct strlist *values, bool is_weight, bool is_bytes)
{
    _cleanup_json_ json_t *array = json_array();
    for (size_t i = 0; i < values->count; i++)
        json_array_append_new(array, is_weight ? weight_device_json(values->items[i])
                                               : throttle_device_json(values->items[i], is_bytes));
    return json_format(array);
}

static void set_resources(const struct container_options *options, const struct option_parse *parse,
                          struct host_config *host)
{
    host->cpu_shares = options->cpu_shares;
    host->memory = options->memory;
    host->nano_cpus = options->nano_cpus;
    host->cgroup_parent = xstrdup(options->cgroup_parent);
    host->blkio_weight = options->blkio_weight;
    host->blkio_weight_device = devices_text(&options->blkio_weight_device, true, false);
    host->blkio_device_read_bps = devices_text(&options->device_read_bps, false, true);
    host->blkio_device_write_bps = devices_text(&options->device_write_bps, false, true);
    host->blkio_device_read_iops = devices_text(&options->device_read_iops, false, false);
    host->blkio_device_write_iops = devices_text(&options->device_write_iops, false, false);
    host->cpu_period = options->cpu_period;
    host->cpu_quota = options->cpu_quota;
    host->cpu_realtime_period = options->cpu_rt_period;
    host->cpu_realtime_runtime = options->cpu_rt_runtime;
    host->cpuset_cpus = xstrdup(options->cpuset_cpus);
    host->cpuset_mems = xstrdup(options->cpuset_mems);
    host->memory_reservation = options->memory_reservation;
    host->memory_swap = options->memory_swap;
    host->memory_swappiness = (struct opt_int64){true, options->memory_swappiness};
    host->oom_kill_disable = (struct opt_bool){true, options->oom_kill_disable};
    host->pids_limit = (struct opt_int64){true, options->pids_limit};
    if (option_is_given(parse, "init"))
        host->init = (struct opt_bool){true, options->init};
}

static void set_plain(const struct container_options *options, struct host_config *host)
{
    host->container_id_file = xstrdup(options->cidfile);
    host->auto_remove = options->remove;
    host->volume_driver = xstrdup(options->volume_driver);
    strlist_copy(&host->volumes_from, &options->volumes_from);
    host->cgroupns_mode = xstrdup(options->cgroupns);
    strlist_copy(&host->dns, &options->dns);
    strlist_copy(&host->dns_options, &options->dns_option);
    strlist_copy(&host->dns_search, &options->dns_search);
    strlist_copy(&host->extra_hosts, &options->add_host);
    strlist_copy(&host->group_add, &options->group_add);
    strlist_copy(&host->links, &options->link);
    strlist_copy(&host->device_cgroup_rules, &options->device_cgroup_rule);
    host->ipc_mode = xstrdup(options->ipc);
    host->oom_score_adj = options->oom_score_adj;
    host->pid_mode = xstrdup(options->pid);
    host->privileged = options->privileged;
    host->publish_all_ports = options->publish_all;
    host->readonly_rootfs = options->read_only;
    host->uts_mode = xstrdup(options->uts);
    host->userns_mode = xstrdup(options->userns);
    host->shm_size = options->shm_size;
    host->runtime = xstrdup(options->runtime);
    host->isolation = xstrdup(options->isolation);
    add_capabilities(&host->cap_add, &options->cap_add);
    add_capabilities(&host->cap_drop, &options->cap_drop);
    put_pairs(&host->annotations, &options->annotation);
    put_pairs(&host->sysctls, &options->sysctl);
    for (size_t i = 0; i < options->tmpfs.count; i++) {
        const char *value = options->tmpfs.items[i];
        size_t length = strcspn(value, ":");
        _cleanup_free_ char *path = xstrndup(value, length);
        strmap_set(&host->tmpfs, path, value[length] ? value + length + 1 : "");
    }
}

static bool set_logging(const struct container_options *options, struct host_config *host, struct error *err)
{
    if (string_equal(options->log_driver, "none") && options->log_opt.count > 0)
        return error_set(err, ERROR_INVALID, "invalid logging opts for driver none");
    host->log_config.type = xstrdup(options->log_driver);
    put_pairs(&host->log_config.config, &options->log_opt);
    return true;
}

static bool make_host_config(const struct container_options *options, const struct option_parse *parse,
                             struct create_request *request, struct error *err)
{
    struct host_config *host = &request->host_config;
    if (options->memory_swappiness != -1 && (options->memory_swappiness < 0 || options->memory_swappiness > 100))
        return error_set(err, ERROR_INVALID, "invalid value: %lld. Valid memory swappiness range is 0-100",
                         (long long)options->memory_swappiness);
    for (size_t i = 0; i < options->volume.count; i++) {
        if (!volume_option_parse(options->volume.items[i], &host->binds, &request->config.volumes, err))
            return false;
    }
    for (size_t i = 0; i < options->publish.count; i++) {
        if (!port_publish_parse(options->publish.items[i], &request->config.exposed_ports, &host->port_bindings, err))
            return false;
    }
    for (size_t i = 0; i < options->expose.count; i++) {
        if (!port_expose_parse(options->expose.items[i], &request->config.exposed_ports, err))
            return false;
    }
    for (size_t i = 0; i < options->device.count; i++) {
        if (!parse_device(options->device.items[i], host, err))
            return false;
    }
    if (!check_modes(options, err) || !restart_option_parse(options->restart, &host->restart_policy, err) ||
        !set_logging(options, host, err) || !add_ulimits(&options->ulimit, host, err))
        return false;
    for (size_t i = 0; i < options->security_opt.count; i++) {
        if (!parse_security(options->security_opt.items[i], host, err))
            return false;
    }
    for (size_t i = 0; i < options->storage_opt.count; i++) {
        if (!strchr(options->storage_opt.items[i], '='))
            return error_set(err, ERROR_INVALID, "invalid storage option");
    }
    put_pairs(&host->storage_opt, &options->storage_opt);
    const char *policy = string_or_empty(host->restart_policy.name);
    if (options->remove && *policy && !string_equal(policy, "no"))
        return error_set(err, ERROR_INVALID, "conflicting options: cannot specify both --restart and --rm");
    set_plain(options, host);
    set_resources(options, parse, host);
    return true;
}

static bool add_mounts(const struct container_options *options, const char *address, json_t *host, struct error *err)
{
    _cleanup_json_ json_t *mounts = json_array();
    for (size_t i = 0; i < options->mount.count; i++) {
        json_t *mount = mount_parse(options->mount.items[i], err);
        if (!mount)
            return false;
        json_array_append_new(mounts, mount);
    }
    if (options->use_api_socket) {
        if (!string_starts_with(address, "unix://"))
            return error_set(err, ERROR_INVALID,
                             "flag --use-api-socket can only be used with unix sockets: docker endpoint "
                             "%s incompatible",
                             address);
        json_array_append_new(mounts,
                              json_pack("{s:s, s:s, s:s, s:{}}", "Type", "bind", "Source", address + strlen("unix://"),
                                        "Target", "/var/run/docker.sock", "BindOptions"));
    }
    if (json_array_size(mounts) > 0)
        json_object_set(host, "Mounts", mounts);
    return true;
}

static bool add_device_requests(const struct container_options *options, json_t *host, struct error *err)
{
    _cleanup_json_ json_t *requests = json_array();
    for (size_t i = 0; i < options->gpus.count; i++) {
        json_t *request = gpus_json(options->gpus.items[i], err);
        if (!request)
            return false;
        json_array_append_new(requests, request);
    }
    if (json_array_size(requests) > 0)
        json_object_set(host, "DeviceRequests", requests);
    return true;
}

static json_t *request_json(const struct container_options *options, const struct create_request *request,
                            const char *address, json_t *endpoints, struct error *err)
{
    _cleanup_json_ json_t *body = record_to_json(&container_config_type, &request->config);
    _cleanup_json_ json_t *host = record_to_json(&host_config_type, &request->host_config);
    if (!add_mounts(options, address, host, err) || !add_device_requests(options, host, err))
        return NULL;
    json_object_set(body, "HostConfig", host);
    json_object_set_new(body, "NetworkingConfig", json_pack("{s:O}", "EndpointsConfig", endpoints));
    return json_incref(body);
}

static void release_request(struct create_request *request)
{
    record_release(&container_config_type, &request->config);
    record_release(&host_config_type, &request->host_config);
}

json_t *container_request_make(const struct container_options *options, const struct option_parse *parse,
                               char *const *arguments, const char *host, struct error *err)
{
    _cleanup_(release_request) struct create_request request = {0};
    _cleanup_json_ json_t *endpoints = NULL;
    if (!make_host_config(options, parse, &request, err) ||
        !make_config(options, parse, arguments, &request.config, err) ||
        !network_options_apply(options, &request.host_config.network_mode, &endpoints, err))
        return NULL;
    return request_json(options, &request, host, endpoints, err);
}
