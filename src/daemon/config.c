#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "daemon/config_file.h"
#include "daemon/host.h"
#include "engine/engine.h"
#include "registry/endpoint.h"
#include "registry/registry.h"

#define CONFIG_LIMIT   ((size_t)1 << 20)
#define PLACE(member_) offsetof(struct daemon_config, member_)
#define NO_TLS         "TLS is not supported by this version of Wherry"

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

static const struct option options[] = {
    {"bip", 0, OPTION_STRING, PLACE(bip), "string", "Specify network bridge IP"},
    {"bridge", 'b', OPTION_STRING, PLACE(bridge), "string", "Attach containers to a network bridge", "wherry0"},
    {"cgroup-parent", 0, OPTION_STRING, PLACE(cgroup_parent), "string", "Set parent cgroup for all containers"},
    {"config-file", 0, OPTION_STRING, PLACE(config_file), "string", "Daemon configuration file", DEFAULT_CONFIG_FILE},
    {"data-root", 0, OPTION_STRING, PLACE(data_root), "string", "Root directory of persistent Wherry state",
     "/var/lib/wherry"},
    {"debug", 'D', OPTION_BOOL, PLACE(is_debug), NULL, "Enable debug mode"},
    {"default-shm-size", 0, OPTION_BYTES, PLACE(default_shm_size), "bytes", "Default shm size for containers", "64MiB"},
    {"exec-root", 0, OPTION_STRING, PLACE(exec_root), "string", "Root directory for execution state files",
     "/run/wherry"},
    {"group", 'G', OPTION_STRING, PLACE(group), "string", "Group for the unix socket", "docker"},
    {"help", 0, OPTION_BOOL, PLACE(wants_help), NULL, "Print usage"},
    {"host", 'H', OPTION_LIST, PLACE(hosts), "list", "Daemon socket(s) to connect to", NULL, parse_host},
    {"init-path", 0, OPTION_STRING, PLACE(init_path), "string", "Path to the wherry-init binary"},
    {"insecure-registry", 0, OPTION_LIST, PLACE(insecure_registries), "list", "Enable insecure registry communication",
     NULL, parse_insecure},
    {"ip-masq", 0, OPTION_BOOL, PLACE(has_ip_masq), NULL, "Enable IP masquerading", "true"},
    {"live-restore", 0, OPTION_BOOL, PLACE(is_live_restore), NULL,
     "Containers go on while the daemon is stopped or restarted", "true"},
    {"log-driver", 0, OPTION_STRING, PLACE(log_driver), "string", "Default driver for container logs", "json-file"},
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
    {"mtu", 0, OPTION_INT64, PLACE(mtu), "int", "Set the MTU for the default \"bridge\" network", "1500"},
    {"pidfile", 'p', OPTION_STRING, PLACE(pidfile), "string", "Path to use for daemon PID file", "/run/wherry.pid"},
    {"registry-mirror", 0, OPTION_LIST, PLACE(registry_mirrors), "list", "Preferred registry mirror", NULL,
     parse_mirror},
    {"restart-unhealthy", 0, OPTION_INT64, PLACE(restart_unhealthy), "int",
     "Restart containers after this many failed health checks in a row (0: never)"},
    {"shim-path", 0, OPTION_STRING, PLACE(shim_path), "string", "Path to the wherry-shim binary"},
    {"shutdown-timeout", 0, OPTION_INT64, PLACE(shutdown_timeout), "int", "Set the default shutdown timeout", "15"},
    {"tls", 0, OPTION_BOOL, PLACE(is_refused), NULL, "Use TLS; implied by --tlsverify", .unsupported = NO_TLS,
     .is_hidden = true},
    {"tlscacert", 0, OPTION_STRING, PLACE(refused_text), "string", "Trust certs signed only by this CA",
     .unsupported = NO_TLS, .is_hidden = true},
    {"tlscert", 0, OPTION_STRING, PLACE(refused_text), "string", "Path to TLS certificate file", .unsupported = NO_TLS,
     .is_hidden = true},
    {"tlskey", 0, OPTION_STRING, PLACE(refused_text), "string", "Path to TLS key file", .unsupported = NO_TLS,
     .is_hidden = true},
    {"tlsverify", 0, OPTION_BOOL, PLACE(is_refused), NULL, "Use TLS and verify the remote", .unsupported = NO_TLS,
     .is_hidden = true},
    {"validate", 0, OPTION_BOOL, PLACE(wants_validation), NULL, "Validate daemon configuration and exit"},
    {"version", 'v', OPTION_BOOL, PLACE(wants_version), NULL, "Print version information and quit"},
};
static const struct option_table table = {options, ARRAY_SIZE(options)};

static const struct config_key renamed_keys[] = {{"hosts", "host"},
                                                 {"insecure-registries", "insecure-registry"},
                                                 {"log-opts", "log-opt"},
                                                 {"registry-mirrors", "registry-mirror"}};

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
    config->has_ip_masq = true;
    config->is_live_restore = true;
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
    if (config->restart_unhealthy < 0)
        return error_set(err, ERROR_INVALID, "invalid restart-unhealthy: %lld", (long long)config->restart_unhealthy);
    if (config->mtu < 0)
        return error_set(err, ERROR_INVALID, "invalid default MTU: %lld", (long long)config->mtu);
    struct registry_options registry = {.insecure = config->insecure_registries,
                                        .mirrors = config->registry_mirrors,
                                        .max_downloads = config->max_concurrent_downloads,
                                        .max_uploads = config->max_concurrent_uploads,
                                        .max_attempts = config->max_download_attempts};
    if (!registry_options_check(&registry, err))
        return false;
    if (config->data_root[0] != '/' || config->exec_root[0] != '/')
        return error_set(err, ERROR_INVALID, "data-root and exec-root must be absolute paths");
    return true;
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
    string_replace(&config->log_level, fresh.log_level);
    return true;
}

void daemon_config_help(struct strbuf *out)
{
    strbuf_add_string(out, "\nUsage:  wherryd [OPTIONS]\n\nA self-sufficient runtime for containers.\n\nOptions:\n");
    options_help(&table, 79, out);
}
