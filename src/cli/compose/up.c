#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/compose/build_service.h"
#include "cli/compose/log_mux.h"
#include "cli/signals.h"
#include "json/json_record.h"

struct up_values {
    bool aborts, recreates_dependencies, attaches_dependencies, builds, is_detached, forces_recreate, never_builds,
        has_no_colour, no_dependencies, has_no_prefix, never_recreates, no_start, is_quiet_pull, removes_orphans,
        renews_volumes, has_timestamps, waits, watches;
    struct strlist attach, no_attach, scale;
    char *exit_code_from, *pull;
    struct opt_int64 timeout, wait_timeout;
};

static bool check(const struct command_call *call, struct error *err)
{
    const struct up_values *values = call->values;
    bool is_detached = values->is_detached || values->waits;
    if (values->forces_recreate && values->never_recreates)
        return error_set(err, ERROR_INVALID, "--force-recreate and --no-recreate are incompatible");
    if (values->recreates_dependencies && values->never_recreates)
        return error_set(err, ERROR_INVALID, "--always-recreate-deps and --no-recreate are incompatible");
    if (values->builds && values->never_builds)
        return error_set(err, ERROR_INVALID, "--build and --no-build are incompatible");
    if (is_detached &&
        (values->aborts || values->attach.count || values->exit_code_from || values->attaches_dependencies))
        return error_set(err, ERROR_INVALID,
                         "%s cannot be combined with --abort-on-container-exit, --exit-code-from, --attach or "
                         "--attach-dependencies",
                         values->waits ? "--wait" : "--detach");
    if (values->pull && !string_equal(values->pull, "always") && !string_equal(values->pull, "missing") &&
        !string_equal(values->pull, "never") && !string_equal(values->pull, "policy"))
        return error_set(err, ERROR_INVALID, "invalid --pull option \"%s\"", values->pull);
    return true;
}

/* Whether the lines of a service are shown. */
static bool is_attached(const struct command_call *call, const struct project *project, const char *service)
{
    const struct up_values *values = call->values;
    const json_t *own = json_object_get(json_object_get(project->model, "services"), service);
    if (!own || json_is_false(json_object_get(own, "attach")) || strlist_contains(&values->no_attach, service))
        return false;
    if (values->attach.count > 0)
        return strlist_contains(&values->attach, service);
    if (call->argument_count == 0 || values->attaches_dependencies)
        return true;
    for (size_t i = 0; i < call->argument_count; i++)
        if (string_equal(call->arguments[i], service))
            return true;
    return false;
}

/* Stops or kills all, beside the output that goes on. */
struct ending {
    struct reconciler *reconciler;
    enum container_verb verb;
    pthread_t thread;
    bool is_begun;
};

static void *end_all(void *argument)
{
    const struct ending *ending = argument;
    struct error err = ERROR_INIT;
    if (!containers_each(ending->reconciler, ending->verb, ending->reconciler->options->timeout, NULL, false, &err) &&
        ending->verb == VERB_STOP)
        fprintf(stderr, "%s\n", error_message(&err));
    error_release(&err);
    return NULL;
}

static void begin_ending(struct ending *ending)
{
    if (!ending->is_begun)
        ending->is_begun = pthread_create(&ending->thread, NULL, end_all, ending) == 0;
}

struct attached {
    struct command_call *call;
    struct reconciler *reconciler;
    struct log_mux mux;
    struct ending stop, kill;
    bool has_aborted;
    int exit_code;
};

static bool read_end(struct attached *attached, const struct log_source *source, bool *runs, int *code)
{
    _cleanup_free_ char *path = client_path("containers", source->id, "/json");
    _cleanup_json_ json_t *container = client_get_json(attached->call->client, path, NULL);
    const json_t *state = json_object_get(container, "State");
    *runs = json_is_true(json_object_get(state, "Running")) || json_is_true(json_object_get(state, "Restarting"));
    *code = (int)json_integer_value(json_object_get(state, "ExitCode"));
    return container;
}

/* A container's output has ended. */
static bool handle_end(struct attached *attached, struct log_source *source, struct error *err)
{
    const struct up_values *values = attached->call->values;
    bool runs = false;
    int code = 0;
    bool is_there = read_end(attached, source, &runs, &code);
    if (is_there && runs)
        return log_mux_reopen(&attached->mux, source, err);
    if (is_there)
        printf("%s exited with code %d\n", source->name, code);
    fflush(stdout);
    bool is_chosen = string_equal(values->exit_code_from, source->service);
    if (is_chosen && !attached->stop.is_begun)
        attached->exit_code = code;
    if ((values->aborts || values->exit_code_from) && !attached->stop.is_begun) {
        printf("Aborting on container exit...\n");
        fflush(stdout);
        if (!values->exit_code_from)
            attached->exit_code = code;
        attached->has_aborted = true;
        begin_ending(&attached->stop);
    } else if (is_chosen) {
        attached->exit_code = code;
    }
    return true;
}

static bool pump(struct attached *attached, int signals, struct error *err)
{
    while (log_mux_open_count(&attached->mux) > 0) {
        struct log_source *ended = NULL;
        if (!log_mux_wait(&attached->mux, signals, &ended, err))
            return false;
        if (ended && !handle_end(attached, ended, err))
            return false;
        struct signalfd_siginfo info;
        if (ended || read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info) || info.ssi_signo == SIGWINCH)
            continue;
        if (attached->stop.is_begun) {
            begin_ending(&attached->kill);
        } else {
            fprintf(stderr, "Gracefully stopping... (press Ctrl+C again to force)\n");
            attached->exit_code = 130;
            begin_ending(&attached->stop);
        }
    }
    return true;
}

static bool attach(struct command_call *call, struct reconciler *reconciler, const char *since, struct error *err)
{
    const struct up_values *values = call->values;
    struct log_options options = {.follows = true,
                                  .has_timestamps = values->has_timestamps,
                                  .has_no_colour = values->has_no_colour,
                                  .has_no_prefix = values->has_no_prefix,
                                  .since = since};
    /* What ends with us is what was brought up: other services of the project stay as they are. */
    struct reconciler own = *reconciler;
    own.state = (struct compose_state){0};
    for (size_t i = 0; i < reconciler->state.count; i++)
        if (reconciler->state.containers[i].id[0] &&
            json_object_get(json_object_get(reconciler->project->model, "services"),
                            reconciler->state.containers[i].service))
            *APPEND(own.state.containers, own.state.count) = reconciler->state.containers[i];
    _cleanup_free_ struct compose_container *borrowed = own.state.containers;
    struct attached attached = {.call = call,
                                .reconciler = reconciler,
                                .stop = {&own, VERB_STOP, 0, false},
                                .kill = {&own, VERB_KILL, 0, false}};
    /* Before the threads, so that they block them too. */
    int signals = signals_open(false);
    if (!log_mux_begin(&attached.mux, call, &options, err))
        return false;
    _cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
    for (size_t i = 0; i < reconciler->state.count; i++) {
        const struct compose_container *one = &reconciler->state.containers[i];
        if (!one->id[0] || !is_attached(call, reconciler->project, one->service))
            continue;
        log_mux_add(&attached.mux, one, reconciler->project->name);
        strbuf_addf(&names, "%s%s", names.length ? ", " : "", attached.mux.sources[attached.mux.count - 1].name);
    }
    fprintf(stderr, "Attaching to %s\n", strbuf_text(&names));
    bool is_good =
        start_containers(reconciler, err) && log_mux_start(&attached.mux, err) && pump(&attached, signals, err);
    if (attached.stop.is_begun)
        pthread_join(attached.stop.thread, NULL);
    if (attached.kill.is_begun)
        pthread_join(attached.kill.thread, NULL);
    log_mux_release(&attached.mux);
    close_fd(signals);
    call->exit_code = attached.exit_code;
    return is_good;
}

static bool up_run(struct command_call *call, struct error *err)
{
    const struct up_values *values = call->values;
    if (!check(call, err))
        return false;
    _cleanup_project_ struct project project = {0};
    if (!compose_load(call, &project, err))
        return false;
    if (values->exit_code_from && !json_object_get(json_object_get(project.model, "services"), values->exit_code_from))
        return error_set(err, ERROR_NOT_FOUND, "no such service: %s", values->exit_code_from);
    if (!project_select(&project, call->arguments, call->argument_count, !values->no_dependencies, err))
        return false;
    _cleanup_strmap_ struct strmap scale = {0};
    if (!compose_scale_parse(&values->scale, &scale, err))
        return false;
    for (size_t i = 0; i < scale.count; i++)
        if (!json_object_get(json_object_get(project.model, "services"), scale.items[i].key))
            return error_set(err, ERROR_NOT_FOUND, "no such service: %s", scale.items[i].key);
    _cleanup_strlist_ struct strlist direct = {0};
    for (size_t i = 0; i < call->argument_count; i++)
        strlist_add(&direct, call->arguments[i]);
    struct build_request build = {.call = call, .project = &project};
    struct up_options options = {.forces_recreate = values->forces_recreate,
                                 .never_recreates = values->never_recreates,
                                 .recreates_dependencies = values->recreates_dependencies,
                                 .renews_volumes = values->renews_volumes,
                                 .removes_orphans = values->removes_orphans,
                                 .is_quiet_pull = values->is_quiet_pull,
                                 .never_builds = values->never_builds,
                                 .builds_always = values->builds,
                                 .ignores_orphans = getenv("COMPOSE_IGNORE_ORPHANS") != NULL,
                                 .pull = string_equal(values->pull, "policy") ? NULL : values->pull,
                                 .timeout = values->timeout.is_set ? values->timeout.value : -1,
                                 .scale = &scale,
                                 .direct = &direct,
                                 .build = build_service,
                                 .build_context = &build,
                                 .authenticate = compose_authenticate,
                                 .authenticate_context = call};
    bool is_background = values->is_detached || values->waits || values->no_start;
    _cleanup_report_ struct report report;
    report_begin(&report, call, "Running");
    struct workers workers = compose_workers(call);
    _cleanup_reconciler_ struct reconciler reconciler = RECONCILER_INIT(&project, &options, &workers, &report.reporter);
    _cleanup_free_ char *since = NULL;
    int64_t now = clock_now();
    since = xasprintf("%lld.%09lld", (long long)(now / 1000000000), (long long)(now % 1000000000));
    if (!project_up(&reconciler, is_background && !values->no_start, err))
        return false;
    if (values->waits)
        return wait_healthy(&reconciler, values->wait_timeout.is_set ? values->wait_timeout.value : 0, err);
    return is_background || attach(call, &reconciler, since, err);
}

#define AT(member) offsetof(struct up_values, member)
static const struct option rows[] = {
    {"abort-on-container-exit", 0, OPTION_BOOL, AT(aborts),
     .help = "Stops all containers if any container was stopped. Incompatible with -d"},
    {"always-recreate-deps", 0, OPTION_BOOL, AT(recreates_dependencies),
     .help = "Recreate dependent containers. Incompatible with --no-recreate."},
    {"attach", 0, OPTION_LIST, AT(attach), "stringArray",
     "Restrict attaching to the specified services. Incompatible with --attach-dependencies."},
    {"attach-dependencies", 0, OPTION_BOOL, AT(attaches_dependencies),
     .help = "Automatically attach to log output of dependent services"},
    {"build", 0, OPTION_BOOL, AT(builds), .help = "Build images before starting containers"},
    {"detach", 'd', OPTION_BOOL, AT(is_detached), .help = "Detached mode: Run containers in the background"},
    {"exit-code-from", 0, OPTION_STRING, AT(exit_code_from), "string",
     "Return the exit code of the selected service container. Implies --abort-on-container-exit"},
    {"force-recreate", 0, OPTION_BOOL, AT(forces_recreate),
     .help = "Recreate containers even if their configuration and image haven't changed"},
    {"no-attach", 0, OPTION_LIST, AT(no_attach), "stringArray",
     "Do not attach (stream logs) to the specified services"},
    {"no-build", 0, OPTION_BOOL, AT(never_builds), .help = "Don't build an image, even if it's policy"},
    {"no-color", 0, OPTION_BOOL, AT(has_no_colour), .help = "Produce monochrome output"},
    {"no-deps", 0, OPTION_BOOL, AT(no_dependencies), .help = "Don't start linked services"},
    {"no-log-prefix", 0, OPTION_BOOL, AT(has_no_prefix), .help = "Don't print prefix in logs"},
    {"no-recreate", 0, OPTION_BOOL, AT(never_recreates),
     .help = "If containers already exist, don't recreate them. Incompatible with --force-recreate."},
    {"no-start", 0, OPTION_BOOL, AT(no_start), .help = "Don't start the services after creating them"},
    {"pull", 0, OPTION_STRING, AT(pull), "string", "Pull image before running (\"always\"|\"missing\"|\"never\")",
     "policy"},
    {"quiet-pull", 0, OPTION_BOOL, AT(is_quiet_pull), .help = "Pull without printing progress information"},
    {"remove-orphans", 0, OPTION_BOOL, AT(removes_orphans),
     .help = "Remove containers for services not defined in the Compose file"},
    {"renew-anon-volumes", 'V', OPTION_BOOL, AT(renews_volumes),
     .help = "Recreate anonymous volumes instead of retrieving data from the previous containers"},
    {"scale", 0, OPTION_LIST, AT(scale), "scale",
     "Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present."},
    {"timeout", 't', OPTION_OPT_INT64, AT(timeout), "int",
     "Use this timeout in seconds for container shutdown when attached or when containers are already running"},
    {"timestamps", 0, OPTION_BOOL, AT(has_timestamps), .help = "Show timestamps"},
    {"wait", 0, OPTION_BOOL, AT(waits), .help = "Wait for services to be running|healthy. Implies detached mode."},
    {"wait-timeout", 0, OPTION_OPT_INT64, AT(wait_timeout), "int",
     "Maximum duration to wait for the project to be running|healthy"},
    {"watch", 'w', OPTION_BOOL, AT(watches),
     .help = "Watch source code and rebuild/refresh containers when files are updated.",
     .unsupported = "--watch is not supported"},
};

extern const struct command compose_up_command;
const struct command compose_up_command = {
    .paths = {"compose up"},
    .usage = "[OPTIONS] [SERVICE...]",
    .help = "Create and start containers",
    .options = OPTION_TABLE(rows),
    .values_size = sizeof(struct up_values),
    .max_arguments = ARGUMENTS_UNLIMITED,
    .run = up_run,
};
