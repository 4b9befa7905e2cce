/* wherryd: starts the engine, then the API, and waits for signals. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/config.h"
#include "daemon/host.h"
#include "daemon/pidfile.h"
#include "engine/log_config.h"

#define EXIT_USAGE      125
#define MAX_CONNECTIONS 4096
#define REQUEST_GRACE   (10 * NANOSECONDS_PER_SECOND)
#define DEFAULT_HOST    "unix:///run/wherry.sock"
#define DOCKER_SOCKET   "/var/run/docker.sock"

static volatile bool is_debugging;

static bool tell_debugging(void)
{
    return is_debugging;
}

struct daemon {
    struct daemon_config config;
    struct listener *listeners;
    size_t listener_count;
    struct engine_options options; /* the engine keeps pointers into it */
    char *shim_program;
    char *init_program;
    char *logger_program;
    struct engine *engine;
    struct api *api;
    struct http_server *server;
    sigset_t signals;
    int data_root_lock;
};

static void apply_log_level(const struct daemon_config *config)
{
    const char *level = config->log_level;
    is_debugging = config->is_debug;
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
                    .mtu = config->mtu},
        .default_shm_size = config->default_shm_size,
        .cgroup_parent = config->cgroup_parent,
        .stops_containers_at_shutdown = !config->is_live_restore,
        .shutdown_timeout = config->shutdown_timeout,
        .restart_unhealthy = config->restart_unhealthy,
    };
    options->registry = (struct registry_options){.insecure = config->insecure_registries,
                                                  .mirrors = config->registry_mirrors,
                                                  .max_downloads = config->max_concurrent_downloads,
                                                  .max_uploads = config->max_concurrent_uploads,
                                                  .max_attempts = config->max_download_attempts};
    default_log(config, &options->default_log);
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

static bool open_listeners(struct daemon *daemon, struct error *err)
{
    const struct daemon_config *config = &daemon->config;
    for (size_t i = 0; i < config->hosts.count; i++)
        if (!host_listen(config->hosts.items[i], config->group, &daemon->listeners, &daemon->listener_count, err))
            return false;
    if (config->hosts.count > 0)
        return true;
    if (!host_listen(DEFAULT_HOST, config->group, &daemon->listeners, &daemon->listener_count, err))
        return false;
    if (host_is_answering(DOCKER_SOCKET)) {
        log_info("Another engine answers on %s: it is left alone", DOCKER_SOCKET);
        return true;
    }
    return host_listen("unix://" DOCKER_SOCKET, config->group, &daemon->listeners, &daemon->listener_count, err);
}

static bool open_api(struct daemon *daemon, struct error *err)
{
    struct api_options options = {
        .engine = daemon->engine,
        .is_debugging = tell_debugging,
        .is_live_restore = daemon->config.is_live_restore,
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
        http_server_add_listener(daemon->server, daemon->listeners[i].fd);
    if (!http_server_start(daemon->server, err))
        return false;
    engine_serve(daemon->engine);
    return true;
}

/* sd_notify(3), without the library. */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
}

static void wait_for_end(struct daemon *daemon, int argc, char **argv)
{
    for (;;) {
        int number = sigwaitinfo(&daemon->signals, NULL);
        if (number == SIGHUP) {
            struct error err = ERROR_INIT;
            if (daemon_config_reload(&daemon->config, argc - 1, argv + 1, &err)) {
                apply_log_level(&daemon->config);
                log_info("Reloaded configuration: debug=%s log-level=%s", daemon->config.is_debug ? "true" : "false",
                         daemon->config.log_level);
            } else {
                log_and_release(LOG_LEVEL_ERROR, &err, "Error reconfiguring the daemon");
            }
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
    free(daemon->shim_program);
    free(daemon->init_program);
    free(daemon->logger_program);
    close_fd(daemon->data_root_lock);
    daemon_config_release(&daemon->config);
}

static bool serve(struct daemon *daemon, int argc, char **argv, struct error *err)
{
    if (!lock_data_root(daemon, err) || !open_engine(daemon, argv[0], err))
        return false;
    log_info("Daemon has completed initialization");
    bool is_open = open_api(daemon, err);
    if (is_open) {
        for (size_t i = 0; i < daemon->listener_count; i++)
            log_info("API listen on %s", daemon->listeners[i].name);
        notify("READY=1");
        trim_memory(NULL);
        wait_for_end(daemon, argc, argv);
        notify("STOPPING=1");
    }
    listeners_forget(daemon->listeners, daemon->listener_count);
    if (!http_server_stop(daemon->server, REQUEST_GRACE)) {
        /* A request that cannot be stopped still uses the engine: what is on disk is whole at every moment. */
        log_error("Requests are still running: the daemon ends without closing the engine");
        unlink(daemon->config.pidfile);
        _exit(EXIT_FAILURE);
    }
    http_server_free(daemon->server);
    api_free(daemon->api);
    engine_close(daemon->engine);
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
