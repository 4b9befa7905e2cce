/* wherry-registry: serve, gc. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "distribution/control.h"
#include "distribution/distribution.h"
#include "distribution/upstream.h"
#include "http/listen.h"
#include "http/tls.h"

#define EXIT_USAGE      125
#define MAX_CONNECTIONS 4096
#define REQUEST_GRACE   (10 * NANOSECONDS_PER_SECOND)
#define DEFAULT_PORT    "5000"
#define EXPIRY_CHECK    (60 * NANOSECONDS_PER_SECOND)
#define HELP_WIDTH      79

struct program {
    struct settings settings;
    struct distribution distribution;
    struct http_server *server, *metrics, *control;
    struct tls *tls;
    sigset_t signals;
    int lock; /* on the data folder */
};

static bool lock_data(struct program *program, struct error *err)
{
    const char *path = program->settings.data;
    if (!directory_make(path, 0750, err))
        return false;
    program->lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (program->lock < 0)
        return error_errno(err, "open %s", path);
    if (flock(program->lock, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERROR_CONFLICT, "another wherry-registry uses %s", path);
    return true;
}

static bool open_data(struct program *program, struct error *err)
{
    struct distribution *distribution = &program->distribution;
    distribution->settings = &program->settings;
    _cleanup_free_ char *path = path_join(program->settings.data, "registry.db");
    distribution->ledger = ledger_open(path, err);
    distribution->content = distribution->ledger ? content_open(program->settings.data, err) : NULL;
    return distribution->content != NULL;
}

static void program_release(struct program *program)
{
    access_free(program->distribution.access);
    upstream_free(program->distribution.upstream);
    content_close(program->distribution.content);
    ledger_close(program->distribution.ledger);
    tls_free(program->tls);
    close_fd(program->lock);
    settings_release(&program->settings);
}

/* --- serve --- */

static void trim_memory(void *context)
{
    malloc_trim(0);
}

static bool add_listener(struct program *program, const char *host, struct error *err)
{
    int first;
    size_t count;
    if (string_equal(host, "fd://")) {
        if (!listen_take_activated(&first, &count, err))
            return false;
        for (int fd = first; fd < first + (int)count; fd++) {
            http_server_add_listener(program->server, fd);
            http_server_set_listener(program->server, program->tls ? tls_wrap : NULL, program->tls, NULL);
            log_info("Listening on fd://%d", fd);
        }
        return true;
    }
    _cleanup_free_ char *name = NULL;
    int fd = listen_tcp(host, DEFAULT_PORT, &name, err);
    if (fd < 0)
        return false;
    http_server_add_listener(program->server, fd);
    http_server_set_listener(program->server, program->tls ? tls_wrap : NULL, program->tls, NULL);
    log_info("Listening on %s%s", name, program->tls ? " with TLS" : "");
    return true;
}

static size_t connection_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return MAX_CONNECTIONS / 8;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    /* A connection may have a blob open, an upload, and with TLS two descriptors more. */
    return limit.rlim_cur == RLIM_INFINITY ? MAX_CONNECTIONS
                                           : MIN((size_t)limit.rlim_cur / 6 + 1, (size_t)MAX_CONNECTIONS);
}

static bool open_server(struct program *program, struct error *err)
{
    const struct settings *settings = &program->settings;
    const struct http_server_options options = {
        .handle = distribution_handle,
        .context = &program->distribution,
        .server_name = "Wherry-Registry/" WHERRY_VERSION,
        .max_connections = connection_limit(),
        .when_idle = trim_memory,
    };
    if (settings->certificate) {
        program->tls = tls_new(settings->certificate, settings->key, settings->client_ca, err);
        if (!program->tls)
            return false;
    }
    program->server = http_server_new(&options);
    for (size_t i = 0; i < settings->hosts.count; i++)
        if (!add_listener(program, settings->hosts.items[i], err))
            return false;
    return http_server_start(program->server, err);
}

static void handle_metrics(struct http_exchange *exchange, void *context)
{
    static const char missing[] = "404 page not found\n";
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!string_equal(exchange->path, "/metrics")) {
        http_exchange_answer(exchange, 404, "text/plain; charset=utf-8", missing, sizeof(missing) - 1);
        return;
    }
    distribution_metrics(context, &text);
    http_exchange_answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", strbuf_text(&text), text.length);
}

static bool open_metrics(struct program *program, struct error *err)
{
    if (!program->settings.metrics)
        return true;
    _cleanup_free_ char *host = xasprintf("tcp://%s", program->settings.metrics), *name = NULL;
    int fd = listen_tcp(host, "9324", &name, err);
    if (fd < 0)
        return false;
    const struct http_server_options options = {
        .handle = handle_metrics, .context = &program->distribution, .max_connections = 64};
    program->metrics = http_server_new(&options);
    http_server_add_listener(program->metrics, fd);
    log_info("Metrics on %s", name);
    return http_server_start(program->metrics, err);
}

/* What is due between signals: uploads that nobody goes on with, and collections. */
static void look_after(struct program *program, int64_t *next_collection)
{
    const struct settings *settings = &program->settings;
    struct distribution *distribution = &program->distribution;
    struct error err = ERROR_INIT;
    struct collected collected;
    size_t expired = uploads_expire(distribution->content, clock_now() - settings->upload_expiry);
    if (expired > 0)
        log_info("Dropped %zu uploads that nobody went on with", expired);
    if (!settings->collect_interval || settings->is_read_only || clock_monotonic() < *next_collection)
        return;
    if (!distribution_collect(distribution, settings->collect_grace, settings->collects_untagged, &collected, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "collecting failed");
    *next_collection = clock_monotonic() + settings->collect_interval;
}

static void wait_for_end(struct program *program)
{
    int64_t next_collection = clock_monotonic() + program->settings.collect_interval;
    int64_t pause = MIN(EXPIRY_CHECK, program->settings.upload_expiry / 2 + NANOSECONDS_PER_SECOND / 10);
    if (program->settings.collect_interval)
        pause = MIN(pause, program->settings.collect_interval);
    const struct timespec timeout = {.tv_sec = pause / NANOSECONDS_PER_SECOND,
                                     .tv_nsec = pause % NANOSECONDS_PER_SECOND};
    for (;;) {
        int number = sigtimedwait(&program->signals, NULL, &timeout);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number < 0 && errno == EAGAIN)
            look_after(program, &next_collection);
    }
}

static void apply_log(const struct settings *settings)
{
    const char *level = settings->log_level;
    log_set_json(settings->wants_json);
    log_set_level(string_equal(level, "debug")  ? LOG_LEVEL_DEBUG
                  : string_equal(level, "warn") ? LOG_LEVEL_WARNING
                  : string_equal(level, "info") ? LOG_LEVEL_INFO
                                                : LOG_LEVEL_ERROR);
}

static bool open_all(struct program *program, struct error *err)
{
    struct distribution *distribution = &program->distribution;
    if (!access_open(&program->settings, &distribution->access, err))
        return false;
    if (program->settings.upstream && !(distribution->upstream = upstream_new(&program->settings, err)))
        return false;
    if (!lock_data(program, err) || !open_data(program, err))
        return false;
    program->control = control_start(distribution, err);
    return program->control && open_metrics(program, err) && open_server(program, err);
}

/* Something that still runs uses what would be freed: what is on disk is whole at every moment. */
static void stop_server(struct http_server *server, int64_t grace)
{
    if (!server)
        return;
    if (!http_server_stop(server, grace)) {
        log_error("Requests are still running: the registry ends without waiting for them");
        _exit(EXIT_FAILURE);
    }
    http_server_free(server);
}

static int serve(struct program *program, struct error *err)
{
    apply_log(&program->settings);
    sigemptyset(&program->signals);
    sigaddset(&program->signals, SIGTERM);
    sigaddset(&program->signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &program->signals, NULL); /* before the first thread: all inherit it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    bool is_open = open_all(program, err);
    if (is_open) {
        service_notify("READY=1");
        trim_memory(NULL);
        wait_for_end(program);
        service_notify("STOPPING=1");
        log_info("Shutting down");
    }
    upstream_end_at(program->distribution.upstream, clock_monotonic() + REQUEST_GRACE);
    stop_server(program->server, REQUEST_GRACE);
    stop_server(program->metrics, NANOSECONDS_PER_SECOND);
    control_stop(&program->distribution, program->control);
    return is_open ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- gc --- */

static bool collect(struct program *program, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    const struct settings *settings = &program->settings;
    struct collected collected;
    log_set_level(LOG_LEVEL_WARNING);
    if (access(settings->data, F_OK) < 0)
        return error_errno(err, "%s", settings->data);
    if (!lock_data(program, err)) {
        if (err->kind != ERROR_CONFLICT)
            return false;
        error_release(err);
        if (!control_ask_collect(settings->data, settings->collect_grace, settings->collects_untagged, &text, err))
            return false;
    } else if (!open_data(program, err) || !distribution_collect(&program->distribution, settings->collect_grace,
                                                                 settings->collects_untagged, &collected, err)) {
        return false;
    } else {
        collected_describe(&collected, &text);
    }
    fputs(strbuf_text(&text), stdout);
    return true;
}

static int gc(struct program *program, struct error *err)
{
    return collect(program, err) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the command line --- */

static const struct verb {
    const char *name, *help;
    struct option_table options;
    int (*run)(struct program *program, struct error *err);
} verbs[] = {
    {"serve", "Serve a registry", {serve_rows, ARRAY_SIZE(serve_rows)}, serve},
    {"gc", "Remove what nothing refers to, also while a server runs", {collect_rows, ARRAY_SIZE(collect_rows)}, gc},
};

static void print_help(const struct verb *verb)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (verb) {
        printf("Usage:  wherry-registry %s [OPTIONS]\n\n%s\n\nOptions:\n", verb->name, verb->help);
        options_help(&verb->options, HELP_WIDTH, &text);
        fputs(strbuf_text(&text), stdout);
        return;
    }
    fputs("Usage:  wherry-registry COMMAND [OPTIONS]\n\nA registry of container images\n\nCommands:\n", stdout);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        printf("  %-8s  %s\n", verbs[i].name, verbs[i].help);
    fputs("\nRun 'wherry-registry COMMAND --help' for more information on a command.\n", stdout);
}

static int usage_error(const char *message, const char *verb)
{
    fprintf(stderr, "%s\nSee 'wherry-registry%s%s --help'.\n", message, verb ? " " : "", string_or_empty(verb));
    return EXIT_USAGE;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    static struct program program = {.lock = -1};
    _cleanup_option_parse_ struct option_parse parse = {0};
    _cleanup_error_ struct error err = ERROR_INIT;
    settings_defaults(&program.settings);
    bool is_good = options_parse(&verb->options, argc, argv, &program.settings, &parse, &err);
    if (is_good && parse.wants_help) {
        print_help(verb);
        settings_release(&program.settings);
        return EXIT_SUCCESS;
    }
    if (is_good && parse.arguments.count > 0)
        is_good = error_set(&err, ERROR_INVALID, "\"wherry-registry %s\" accepts no arguments", verb->name);
    if (!is_good || !settings_check(&program.settings, &err)) {
        settings_release(&program.settings);
        return usage_error(error_message(&err), verb->name);
    }
    int status = verb->run(&program, &err);
    if (status)
        fprintf(stderr, "wherry-registry: %s\n", error_message(&err));
    program_release(&program);
    return status;
}

int main(int argc, char **argv)
{
    mallopt(M_ARENA_MAX, 2);
    umask(027);
    const char *word = argc > 1 ? argv[1] : "--help";
    if (string_equal(word, "--help") || string_equal(word, "-h")) {
        print_help(NULL);
        return argc > 1 ? EXIT_SUCCESS : EXIT_USAGE;
    }
    if (string_equal(word, "--version") || string_equal(word, "-v")) {
        puts("Wherry registry version " WHERRY_VERSION);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (string_equal(word, verbs[i].name))
            return run_verb(&verbs[i], argc - 2, argv + 2);
    _cleanup_free_ char *message = xasprintf("wherry-registry: '%s' is not a command", word);
    return usage_error(message, NULL);
}
