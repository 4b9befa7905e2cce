#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/container_events.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/log_config.h"
#include "engine/spec.h"
#include "engine/start_error.h"
#include "engine/volumes.h"
#include "json/json_record.h"

static bool read_log_options(const struct container *container, struct shim_log *log, struct error *err)
{
    _cleanup_free_ char *folder = container_path(container, NULL);
    return log_config_resolve(&container->record, &container->engine->options, folder, log, err) ||
           error_prefix(err, "failed to create task for container: failed to initialize logging driver");
}

static void fill_shim_options(const struct container *container, const struct shim_log *log,
                              struct shim_options *options)
{
    const struct container_config *config = &container->record.config;
    options->id = xstrdup(container->record.id);
    options->directory = container_run_path(container);
    options->log = *log;
    options->has_stdin = config->open_stdin;
    options->stdin_once = config->stdin_once;
    options->is_terminal = config->tty;
    const char *size = container->record.host_config.console_size;
    _cleanup_json_ json_t *pair = size ? json_parse(size, strlen(size), NULL) : NULL;
    options->initial_rows = json_integer_value(json_array_get(pair, 0));
    options->initial_columns = json_integer_value(json_array_get(pair, 1));
}

static void release_shim_options(struct shim_options *options)
{
    free(options->id);
    free(options->directory);
}

/* Starts the shim with the clients that wait for the container. */
static bool launch_shim(struct container *container, const struct launch *launch, const struct shim_log *log,
                        pid_t *pid, int *watch, struct error *err)
{
    struct shim_options options = {0};
    fill_shim_options(container, log, &options);
    container_lock(container);
    struct shim_attachment *attachments = TAKE_PTR(container->attachments);
    size_t count = container->attachment_count;
    container->attachment_count = 0;
    container_unlock(container);

    _cleanup_strlist_ struct strlist warnings = {0};
    bool is_running = shim_launch(container->engine->options.shim_program, &options, launch, attachments, count, pid,
                                  watch, &warnings, err);
    if (!is_running)
        shim_forget(options.directory);
    for (size_t i = 0; i < warnings.count; i++)
        log_warning("container %s: %s", options.id, warnings.items[i]);
    for (size_t i = 0; i < count; i++)
        free(attachments[i].detach_keys);
    free(attachments);
    release_shim_options(&options);
    return is_running;
}

static void record_running(struct container *container, pid_t pid, int watch, struct attachment_set *networks,
                           struct launch *launch)
{
    container_lock(container);
    struct container_record *record = &container->record;
    container->status = STATUS_RUNNING;
    container->watch.fd = watch;
    record->pid = pid;
    record->exit_code = 0;
    record->is_oom_killed = false;
    record->started_at = clock_now();
    string_replace(&record->error, NULL);
    string_replace(&record->cgroups_path, launch->config.linux_.cgroups_path);
    struct attachment_set before = {record->endpoints, record->ports};
    attachment_set_release(&before);
    record->endpoints = networks->endpoints;
    record->ports = networks->ports;
    *networks = (struct attachment_set){0};
    container_unlock(container);
}

/* A start that failed leaves the container as it was, with the reason and Docker's exit code. */
static void record_failure(struct container *container, int exit_code, const struct error *why)
{
    container_lock(container);
    bool was_restarting = container->status == STATUS_RESTARTING;
    if (was_restarting)
        container->status = STATUS_EXITED;
    container->record.exit_code = exit_code;
    string_replace(&container->record.error, error_message(why));
    /* Who waits for the exit of a container that never ran is not told of one: the start is answered with the reason.
     */
    if (was_restarting)
        container_wake(container, false);
    container_unlock(container);
    struct error err = ERROR_INIT;
    if (!container_save(container, NOT_DURABLE, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot save container %s", container->record.id);
}

bool container_run(struct container *container, struct error *err)
{
    struct launch launch = {0};
    struct attachment_set networks = {0};
    _cleanup_error_ struct error why = ERROR_INIT;
    pid_t pid = -1;
    int watch = -1, exit_code = 128;
    struct shim_log log = {0};
    bool is_running = read_log_options(container, &log, &why) && volumes_mount(container, &why) &&
                      spec_build(container, &launch, &networks, &why);
    if (is_running) {
        container_event_networks(container, &networks.endpoints, "connect");
        container_event_volumes(container, true);
        is_running = launch_shim(container, &launch, &log, &pid, &watch, &why);
        if (!is_running) {
            network_leave(container->engine->network, container->record.id, NULL);
            container_event_networks(container, &networks.endpoints, "disconnect");
            container_event_volumes(container, false);
            exit_code = start_error_translate(&why);
        }
    }
    if (is_running) {
        record_running(container, pid, watch, &networks, &launch);
        networks_serve_dns(container);
        links_started(container);
        deadline_clear(container->engine, &container->restart_deadline);
        health_start(container);
        struct error unsaved = ERROR_INIT;
        if (!container_save(container, NOT_DURABLE, &unsaved))
            log_and_release(LOG_LEVEL_WARNING, &unsaved, "cannot save container %s", container->record.id);
        container_event(container, "start", NULL);
        supervisor_watch(container->engine, &container->watch);
    } else {
        volumes_unmount(container);
        record_failure(container, exit_code, &why);
    }
    attachment_set_release(&networks);
    spec_release(&launch);
    record_release(&shim_log_type, &log);
    return is_running || error_move(err, &why);
}

/* Clients that waited for a start that will never be are let go. */
static void drop_attachments(struct container *container)
{
    container_lock(container);
    for (size_t i = 0; i < container->attachment_count; i++) {
        close_fd(container->attachments[i].fd);
        free(container->attachments[i].detach_keys);
    }
    free(TAKE_PTR(container->attachments));
    container->attachment_count = 0;
    container_unlock(container);
}

bool container_start(struct engine *engine, const char *reference, struct error *err)
{
    int64_t begin = clock_monotonic();
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container || !container_begin(container, reference, err))
        return false;
    container_lock(container);
    bool is_possible =
        lifecycle_check(container->status, VERB_START, container->record.id, container->record.name, reference, err);
    if (is_possible) {
        container->is_restart_wanted_off = false;
        container->record.is_stopped_by_user = false;
        container->record.restart_count = 0;
        container->restart_delay = 0;
    }
    container_unlock(container);
    bool is_started = is_possible && container_run(container, err);
    if (is_possible && !is_started) {
        drop_attachments(container);
        if (container->record.host_config.auto_remove) {
            struct error unremoved = ERROR_INIT;
            container_lock(container);
            container->status = STATUS_REMOVING;
            container_unlock(container);
            if (!container_destroy(container, true, &unremoved))
                log_and_release(LOG_LEVEL_ERROR, &unremoved, "container %s could not be removed", container->record.id);
            return false;
        }
    }
    container_end(container);
    if (is_started)
        metrics_observe(&engine->metrics, ACTION_START, begin);
    return is_started;
}
