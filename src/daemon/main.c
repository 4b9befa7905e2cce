/* wherryd: starts the engine, then the API, and waits for signals. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "daemon/config.h"
#include "daemon/host.h"
#include "daemon/metrics.h"
#include "daemon/pidfile.h"
#include "daemon/ulimit.h"
#include "engine/events.h"
#include "engine/log_config.h"
#include "http/tls.h"
#include "runtime/seccomp.h"
#include "json/json_record.h"

#define EXIT_USAGE      125
#define MAX_CONNECTIONS 4096
#define REQUEST_GRACE   (10 * NANOSECONDS_PER_SECOND)
#define DEFAULT_HOST    "unix:///run/wherry.sock"
#define DOCKER_SOCKET   "/var/run/docker.sock"

struct daemon {
    struct daemon_config config;
    struct listener *listeners;
    size_t listener_count;
    struct engine_options options; /* the engine keeps pointers into it */
    char *shim_program;
    char *init_program;
    char *logger_program;
    char *seccomp_profile;      /* JSON or "unconfined"; NULL: built in */
    struct record_list ulimits; /* of struct ulimit */
    struct engine *engine;
    struct api *api;
    struct http_server *server;
    struct http_server *metrics; /* NULL: none */
    struct tls *tls;             /* NULL: none */
    sigset_t signals;
    int data_root_lock;
};

/* What SIGHUP changes and requests read. */
static pthread_mutex_t shown_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct daemon_config *shown;

static void add_info(json_t *info)
{
    json_t *labels = json_array();
    pthread_mutex_lock(&shown_lock);
    for (size_t i = 0; i < shown->labels.count; i++)
        json_array_append_new(labels, json_string(shown->labels.items[i]));
    json_object_set_new(info, "Labels", labels);
    json_object_set_new(info, "Debug", json_boolean(shown->is_debug));
    json_object_set_new(info, "LiveRestoreEnabled", json_boolean(shown->is_live_restore));
    pthread_mutex_unlock(&shown_lock);
}

static void apply_log_level(const struct daemon_config *config)
{
    const char *level = config->log_level;
    if (config->is_debug || string_equal(level, "debug") || string_equal(level, "trace"))
        log_set_level(LOG_LEVEL_DEBUG);
    else if (string_starts_with(level, "warn"))
        log_set_level(LOG_LEVEL_WARNING);
    else if (string_equal(level, "info"))
        log_set_level(LOG_LEVEL_INFO);
    else
        log_set_level(LOG_LEVEL_ERROR);
}

/* Where the programs beside wherryd are: in the folder it was called from, beside the file itself, or in libexec. */
static char *find_program(const char *configured, const char *name, const char *argv0)
{
    if (string_is_set(configured))
        return xstrdup(configured);
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[MAX(length, 0)] = '\0';
    const char *const beside[] = {argv0, self};
    for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
        const char *slash = strrchr(beside[i], '/');
        _cleanup_free_ char *path =
            slash ? xasprintf("%.*s/%s", (int)(slash - beside[i]), beside[i], name) : xstrdup("");
        char *absolute = access(path, X_OK) == 0 ? realpath(path, NULL) : NULL;
        if (absolute)
            return absolute;
    }
    const char *slash = strrchr(self, '/');
    _cleanup_free_ char *libexec = xasprintf("%.*s/../libexec/wherry/%s", (int)(slash ? slash - self : 0), self, name);
    char *absolute = realpath(libexec, NULL);
    return absolute ? absolute : xasprintf("/usr/libexec/wherry/%s", name);
}

/* Two engines on one data root would destroy each other's state. */
static bool lock_data_root(struct daemon *daemon, struct error *err)
{
    const char *path = daemon->config.data_root;
    if (!directory_make(path, 0711, err))
        return false;
    daemon->data_root_lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (daemon->data_root_lock < 0)
        return error_errno(err, "failed to open %s", path);
    if (flock(daemon->data_root_lock, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "another wherryd uses the data root %s", path);
    return true;
}

static void default_log(const struct daemon_config *config, struct log_config *out)
{
    out->type = xstrdup(config->log_driver);
    for (size_t i = 0; i < config->log_opts.count; i++) {
        const char *text = config->log_opts.items[i], *equals = strchr(text, '=');
        _cleanup_free_ char *key = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);
        strmap_set(&out->config, key, equals ? equals + 1 : "");
    }
}

/* The default seccomp profile and limits of containers, and the proxies that pulls go through. */
static bool read_defaults(struct daemon *daemon, struct error *err)
{
    const struct daemon_config *config = &daemon->config;
    const struct {
        const char *value, *upper, *lower;
    } proxies[] = {{config->http_proxy, "HTTP_PROXY", "http_proxy"},
                   {config->https_proxy, "HTTPS_PROXY", "https_proxy"},
                   {config->no_proxy, "NO_PROXY", "no_proxy"}};
    for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
        if (string_is_set(proxies[i].value)) {
            setenv(proxies[i].upper, proxies[i].value, 1);
            setenv(proxies[i].lower, proxies[i].value, 1);
        }
    for (size_t i = 0; i < config->ulimits.count; i++)
        if (!ulimit_parse(config->ulimits.items[i], record_list_add(&daemon->ulimits, &ulimit_type), err))
            return false;
    const char *profile = config->seccomp_profile;
    if (!string_is_set(profile) || string_equal(profile, "builtin"))
        return true;
    if (!string_equal(profile, "unconfined")) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct bytes filter = {0};
        const struct strlist none = {0};
        if (!file_read(AT_FDCWD, profile, (size_t)1 << 20, &text, err))
            return error_prefix(err, "opening seccomp profile (%s) failed", profile);
        if (!seccomp_compile(strbuf_text(&text), &none, &filter, err))
            return error_prefix(err, "seccomp profile %s", profile);
        free(filter.data);
        daemon->seccomp_profile = strbuf_take(&text);
    } else {
        daemon->seccomp_profile = xstrdup(profile);
    }
    daemon->options.seccomp_profile = daemon->seccomp_profile;
    return true;
}

static bool open_engine(struct daemon *daemon, const char *argv0, struct error *err)
{
    const struct daemon_config *config = &daemon->config;
    daemon->shim_program = find_program(config->shim_path, "wherry-shim", argv0);
    daemon->logger_program = find_program(NULL, "wherry-logger", argv0);
    daemon->init_program = find_program(config->init_path, "wherry-init", argv0);
    struct engine_options *options = &daemon->options;
    *options = (struct engine_options){
        .data_root = config->data_root,
        .exec_root = config->exec_root,
        .shim_program = daemon->shim_program,
        .init_program = daemon->init_program,
        .logger_program = daemon->logger_program,
        .default_log_size = config->log_max_size,
        .network = {.bridge_name = config->bridge,
                    .bridge_address = string_is_set(config->bip) ? config->bip : NULL,
                    .is_bridge_disabled = string_equal(config->bridge, "none"),
                    .has_nat = config->has_ip_masq,
                    .has_no_icc = !config->has_icc,
                    .has_ipv6 = config->has_ipv6,
                    .ipv6_subnet = config->ipv6_subnet,
                    .has_no_firewall = !config->has_firewall,
                    .has_closed_ports = config->has_closed_ports,
                    .address_pools = &config->address_pools,
                    .mtu = config->mtu},
        .default_shm_size = config->default_shm_size,
        .cgroup_parent = config->cgroup_parent,
        .stops_containers_at_shutdown = !config->is_live_restore,
        .shutdown_timeout = config->shutdown_timeout,
        .default_ipc_mode = config->ipc_mode,
        .default_cgroupns_mode = config->cgroupns_mode,
        .default_runtime = config->default_runtime,
        .default_ulimits = &daemon->ulimits,
        .has_init = config->has_init,
        .has_no_new_privileges = config->has_no_new_privileges,
        .storage_max = config->storage_max,
        .restart_unhealthy = config->restart_unhealthy,
    };
    options->registry = (struct registry_options){.insecure = config->insecure_registries,
                                                  .mirrors = config->registry_mirrors,
                                                  .max_downloads = config->max_concurrent_downloads,
                                                  .max_uploads = config->max_concurrent_uploads,
                                                  .max_attempts = config->max_download_attempts};
    default_log(config, &options->default_log);
    if (!read_defaults(daemon, err))
        return false;
    if (!log_config_check(&options->default_log, err))
        return error_prefix(err, "failed to set log opts");
    if (access(options->shim_program, X_OK) < 0)
        return error_errno(err, "cannot run %s (see --shim-path)", options->shim_program);
    daemon->engine = engine_open(options, err);
    return daemon->engine != NULL;
}

/* Memory that a burst of requests has used goes back to the kernel. */
static void trim_memory(void *context)
{
    malloc_trim(0);
}

static size_t connection_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return MAX_CONNECTIONS;
    return MIN((size_t)limit.rlim_cur / 2 + 1, (size_t)MAX_CONNECTIONS); /* the other half is the engine's */
}

static bool has_tls(const struct daemon_config *config)
{
    return config->tls.is_on || config->tls.verifies;
}

static bool open_listeners(struct daemon *daemon, struct error *err)
{
    const struct daemon_config *config = &daemon->config;
    const char *port = has_tls(config) ? TCP_PORT_TLS : TCP_PORT, *group = config->group;
    struct listener **listeners = &daemon->listeners;
    size_t *count = &daemon->listener_count;
    for (size_t i = 0; i < config->hosts.count; i++)
        if (!host_listen(config->hosts.items[i], group, port, listeners, count, err))
            return false;
    if (config->hosts.count > 0)
        return true;
    if (!host_listen(DEFAULT_HOST, group, port, listeners, count, err))
        return false;
    if (host_is_answering(DOCKER_SOCKET)) {
        log_info("Another engine answers on %s: it is left alone", DOCKER_SOCKET);
        return true;
    }
    return host_listen("unix://" DOCKER_SOCKET, group, port, listeners, count, err);
}

/* TLS is for tcp; what is local is guarded by the mode of its socket. */
static void add_listener(struct daemon *daemon, const struct listener *listener)
{
    bool has_tls = listener->is_tcp && daemon->tls;
    http_server_add_listener(daemon->server, listener->fd);
    http_server_set_listener(daemon->server, has_tls ? tls_wrap : NULL, daemon->tls, listener->role);
    if (listener->is_tcp && !has_tls)
        log_warning("[DEPRECATION NOTICE]: API is accessible on http://%s without encryption. Access to the remote API "
                    "is equivalent to root access on the host. Refer to the 'Docker daemon attack surface' section in "
                    "the documentation for more information: https://docs.docker.com/go/attack-surface/",
                    listener->name);
}

static bool open_api(struct daemon *daemon, struct error *err)
{
    shown = &daemon->config;
    struct api_options options = {
        .engine = daemon->engine,
        .add_info = add_info,
        .is_experimental = daemon->config.is_experimental,
        .default_log_driver = daemon->config.log_driver,
    };
    daemon->api = api_new(&options);
    struct http_server_options server = {
        .handle = api_handle,
        .context = daemon->api,
        .server_name = API_SERVER_NAME,
        .max_connections = connection_limit(),
        .when_idle = trim_memory,
    };
    daemon->server = http_server_new(&server);
    if (!open_listeners(daemon, err))
        return false;
    for (size_t i = 0; i < daemon->listener_count; i++)
        add_listener(daemon, &daemon->listeners[i]);
    if (!http_server_start(daemon->server, err))
        return false;
    engine_serve(daemon->engine);
    return true;
}

/* As dockerd's event has it: what can be reloaded, as it is now. */
static void tell_reload(const struct daemon *daemon)
{
    const struct daemon_config *config = &daemon->config;
    char name[256] = "";
    gethostname(name, sizeof(name) - 1);
    json_t *labels = json_array();
    for (size_t i = 0; i < config->labels.count; i++)
        json_array_append_new(labels, json_string(config->labels.items[i]));
    _cleanup_free_ char *label_text = json_format(labels),
                        *timeout = xasprintf("%lld", (long long)config->shutdown_timeout);
    json_decref(labels);
    event_emit_pairs(daemon->engine, "daemon", "reload", name, "debug", config->is_debug ? "true" : "false", "labels",
                     label_text, "live-restore", config->is_live_restore ? "true" : "false", "name", name,
                     "shutdown-timeout", timeout, NULL);
    log_info("Reloaded configuration: {\"debug\":%s,\"log-level\":\"%s\",\"labels\":%s,\"live-restore\":%s,"
             "\"shutdown-timeout\":%s}",
             config->is_debug ? "true" : "false", config->log_level, label_text,
             config->is_live_restore ? "true" : "false", timeout);
}

static void reload(struct daemon *daemon, int argc, char **argv)
{
    struct error err = ERROR_INIT;
    pthread_mutex_lock(&shown_lock);
    bool is_good = daemon_config_reload(&daemon->config, argc - 1, argv + 1, &err);
    pthread_mutex_unlock(&shown_lock);
    if (!is_good) {
        log_and_release(LOG_LEVEL_ERROR, &err, "Error reconfiguring the daemon");
        return;
    }
    apply_log_level(&daemon->config);
    engine_set_shutdown(daemon->engine, !daemon->config.is_live_restore, daemon->config.shutdown_timeout);
    tell_reload(daemon);
}

static void wait_for_end(struct daemon *daemon, int argc, char **argv)
{
    for (;;) {
        int number = sigwaitinfo(&daemon->signals, NULL);
        if (number == SIGHUP) {
            reload(daemon, argc, argv);
        } else if (number > 0) {
            log_info("Processing signal '%s'", number == SIGINT ? "interrupt" : "terminated");
            return;
        }
    }
}

static void block_signals(struct daemon *daemon)
{
    sigemptyset(&daemon->signals);
    sigaddset(&daemon->signals, SIGTERM);
    sigaddset(&daemon->signals, SIGINT);
    sigaddset(&daemon->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &daemon->signals, NULL); /* before the first thread: all inherit it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* dockerd's users ask for a stack dump with it; it must not end the engine */
}

static void daemon_release(struct daemon *daemon)
{
    free(daemon->options.default_log.type);
    strmap_release(&daemon->options.default_log.config);
    tls_free(daemon->tls);
    free(daemon->seccomp_profile);
    record_list_release(&daemon->ulimits, &ulimit_type);
    free(daemon->shim_program);
    free(daemon->init_program);
    free(daemon->logger_program);
    close_fd(daemon->data_root_lock);
    daemon_config_release(&daemon->config);
}

/* Something under way cannot be ended and still uses the engine: what is on disk is whole at every moment. */
static _Noreturn void end_at_once(const struct daemon *daemon, const char *why)
{
    log_error("%s: the daemon ends without closing the engine", why);
    unlink(daemon->config.pidfile);
    _exit(EXIT_FAILURE);
}

static bool serve(struct daemon *daemon, int argc, char **argv, struct error *err)
{
    const struct daemon_config *config = &daemon->config;
    if (has_tls(config)) {
        daemon->tls =
            tls_new(config->tls.certificate, config->tls.key, config->tls.verifies ? config->tls.ca : NULL, err);
        if (!daemon->tls)
            return false;
    }
    if (!lock_data_root(daemon, err) || !open_engine(daemon, argv[0], err))
        return false;
    log_info("Daemon has completed initialization");
    bool is_open = open_api(daemon, err);
    if (is_open && string_is_set(config->metrics_address)) {
        daemon->metrics = metrics_start(daemon->engine, config->metrics_address, err);
        is_open = daemon->metrics != NULL;
    }
    if (is_open) {
        for (size_t i = 0; i < daemon->listener_count; i++) {
            _cleanup_free_ char *role = role_describe(daemon->listeners[i].role);
            log_info("API listen on %s%s", daemon->listeners[i].name, role);
        }
        service_notify("READY=1");
        trim_memory(NULL);
        wait_for_end(daemon, argc, argv);
        service_notify("STOPPING=1");
    }
    metrics_stop(daemon->metrics);
    listeners_unlink(daemon->listeners, daemon->listener_count);
    if (!http_server_stop(daemon->server, REQUEST_GRACE))
        end_at_once(daemon, "Requests are still running");
    http_server_free(daemon->server);
    listeners_free(daemon->listeners, daemon->listener_count);
    api_free(daemon->api);
    if (!engine_close(daemon->engine))
        end_at_once(daemon, "Containers did not stop within the shutdown timeout");
    log_info("Daemon shutdown complete");
    return is_open;
}

static int usage_error(struct error *err)
{
    fprintf(stderr, "%s\nSee 'wherryd --help'.\n", error_message(err));
    error_release(err);
    return EXIT_USAGE;
}

static int print_help(void)
{
    _cleanup_strbuf_ struct strbuf help = STRBUF_INIT;
    daemon_config_help(&help);
    fputs(strbuf_text(&help), stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct daemon daemon = {.data_root_lock = -1};
    struct error err = ERROR_INIT;
    /* Each arena keeps what its threads have freed; two are enough for threads that mostly wait. */
    mallopt(M_ARENA_MAX, 2);
    umask(022);
    if (!daemon_config_read(argc - 1, argv + 1, &daemon.config, &err))
        return usage_error(&err);
    if (daemon.config.wants_help)
        return print_help();
    if (daemon.config.wants_version) {
        puts("Wherry version " WHERRY_VERSION);
        return EXIT_SUCCESS;
    }
    if (daemon.config.wants_validation) {
        fputs("configuration OK\n", stderr);
        return EXIT_SUCCESS;
    }
    if (geteuid() != 0) {
        fputs("wherryd needs to be started with root privileges\n", stderr);
        return EXIT_FAILURE;
    }
    apply_log_level(&daemon.config);
    log_set_json(string_equal(daemon.config.log_format, "json"));
    block_signals(&daemon);
    log_info("Starting up");
    bool is_fine = pidfile_write(daemon.config.pidfile, &err);
    if (is_fine) {
        is_fine = serve(&daemon, argc, argv, &err);
        unlink(daemon.config.pidfile);
    }
    if (!is_fine) {
        fprintf(stderr, "failed to start daemon: %s\n", error_message(&err));
        error_release(&err);
    }
    daemon_release(&daemon);
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
