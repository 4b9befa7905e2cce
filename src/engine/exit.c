/* The supervisor: one thread whose epoll set has the watch of every running container and exec session. It records
   exits, gives addresses back, plans restarts and removes --rm containers (the work that can take long is done by
   threads of its own).

   An exit is written to the database without waiting for the disk, so that a crash of the engine loses nothing and the
   waiting client goes on at once; when it has been quiet for a moment, one durable write takes all of them to disk. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/container_events.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/networks.h"
#include "engine/volumes.h"
#include "network/network.h"
#include "runtime/cgroup.h"

#define QUIET_MILLISECONDS 500

static struct restart_state restart_state_of(const struct container *container)
{
    const struct restart_policy *policy = &container->record.host_config.restart_policy;
    struct restart_state state = {
        .maximum_retries = policy->maximum_retry_count,
        .count = container->record.restart_count,
        .delay = container->restart_delay,
        .is_stopped_by_user = container->is_restart_wanted_off || atomic_load(&container->engine->is_stopping),
    };
    restart_kind_parse(policy->name, &state.kind);
    return state;
}

static void job_restart(struct container *container)
{
    struct error err = ERROR_INIT;
    container_lock(container);
    bool waits = container->waits_for_links;
    container->waits_for_links = false;
    container_unlock(container);
    if (waits)
        links_await(container);
    if (!container_begin(container, container->record.id, NULL))
        return;
    container_lock(container);
    /* Meanwhile someone may have stopped, started or removed it. */
    bool is_wanted = container->status == STATUS_RESTARTING;
    container_unlock(container);
    if (is_wanted && !container_run(container, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "container %s could not be restarted", container->record.id);
    container_end(container);
}

void restart_due(struct container *container)
{
    engine_run_job(container, job_restart);
}

static void job_remove(struct container *container)
{
    struct error err = ERROR_INIT;
    if (!container_begin(container, container->record.id, NULL))
        return;
    container_lock(container);
    bool is_idle = !status_is_running(container->status);
    if (is_idle)
        container->status = STATUS_REMOVING;
    container_unlock(container);
    if (!is_idle)
        container_end(container);
    else if (!container_destroy(container, true, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "container %s could not be removed", container->record.id);
}

/* Whom the end is owed to, and what it was. With the lock held. */
static void record_cause(struct container *container, const struct shim_exit *exit)
{
    struct container_record *record = &container->record;
    const char *by = container->is_ended_unhealthy ? "health" : container->stopper;
    if (!by && exit->signal_number > 0 && exit->signal_number == container->user_signal)
        by = "user";
    string_replace(&record->exit_by, by);
    string_replace(&record->exit_reason, exit->is_oom_killed        ? "oom"
                                         : exit->signal_number > 0  ? "signal"
                                         : exit->signal_number == 0 ? "exit"
                                                                    : "unknown");
    record->exit_signal = MAX(exit->signal_number, 0);
    container->stopper = NULL;
    container->user_signal = 0;
}

/* Called in the operation or before any thread runs. */
void container_record_exit(struct container *container, const struct shim_exit *exit)
{
    struct engine *engine = container->engine;
    struct error err = ERROR_INIT;
    _cleanup_free_ char *directory = container_run_path(container);

    health_stop(container);
    network_leave(engine->network, container->record.id, NULL);
    volumes_unmount(container);
    container_lock(container);
    struct container_record *record = &container->record;
    record->exit_code = exit->exit_code;
    record->is_oom_killed = exit->is_oom_killed;
    record->finished_at = exit->finished_at ? exit->finished_at : clock_now();
    record->pid = 0;
    record_cause(container, exit);
    networks_forget_run(record);
    bool is_stopped = container->is_being_stopped;
    container->is_being_stopped = false;
    struct restart_state restart = restart_state_of(container);
    int64_t run_time = record->finished_at - record->started_at;
    bool is_again = restart_after_exit(&restart, exit->exit_code, run_time);
    if (container->is_ended_unhealthy && !is_again && !restart.is_stopped_by_user) {
        restart_anyway(&restart, run_time);
        is_again = true;
    }
    container->is_ended_unhealthy = false;
    container->status = is_again ? STATUS_RESTARTING : STATUS_EXITED;
    container->restart_delay = restart.delay;
    if (is_again) {
        record->restart_count = restart.count;
        deadline_set(engine, &container->restart_deadline, clock_monotonic() + restart.delay);
    }
    container_unlock(container);

    if (!container_save(container, NOT_DURABLE, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "cannot record the exit of container %s", record->id);
    shim_forget(directory);
    container_event_exit(container, exit, is_stopped);
}

static void handle_container(struct container *container)
{
    if (!container_begin(container, container->record.id, NULL))
        return;
    container_lock(container);
    _cleanup_close_ int watch = TAKE_FD(container->watch.fd);
    container_unlock(container);
    if (watch < 0) {
        container_end(container);
        return;
    }
    epoll_ctl(container->engine->epoll, EPOLL_CTL_DEL, watch, NULL);
    struct shim_exit exit = {0};
    _cleanup_free_ char *directory = container_run_path(container);
    shim_read_exit(watch, directory, &exit);
    container_record_exit(container, &exit);

    container_lock(container);
    bool is_removed = container->status == STATUS_EXITED && container->record.host_config.auto_remove &&
                      !atomic_load(&container->engine->is_stopping);
    container_wake(container, false);
    container_unlock(container);
    container_end(container);
    if (is_removed)
        engine_run_job(container, job_remove);
    container_unref(container);
}

/* One durable write of any record takes every earlier write of the database to disk with it. */
static void sync_exits(struct container **last)
{
    struct error err = ERROR_INIT;
    if (!*last)
        return;
    if (!(*last)->is_removed && !container_save(*last, DURABLE, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "cannot save container %s", (*last)->record.id);
    container_unref(TAKE_PTR(*last));
}

static void *supervise(void *context)
{
    struct engine *engine = context;
    struct container *unsynced = NULL;
    while (!atomic_load(&engine->is_stopping)) {
        int timeout = deadline_run(engine);
        if (unsynced)
            timeout = timeout < 0 ? QUIET_MILLISECONDS : MIN(timeout, QUIET_MILLISECONDS);
        struct epoll_event events[32];
        int count = epoll_wait(engine->epoll, events, ARRAY_SIZE(events), timeout);
        if (count == 0)
            sync_exits(&unsynced);
        for (int i = 0; i < count; i++) {
            struct watch *watch = events[i].data.ptr;
            if (!watch) {
                eventfd_t value;
                eventfd_read(engine->wake, &value);
                continue;
            }
            if (watch->kind == WATCH_LOGS) {
                log_watches_handle(&engine->log_watches);
                continue;
            }
            if (watch->kind == WATCH_HEALTH) {
                health_probe_read(watch->owner);
                continue;
            }
            if (watch->kind == WATCH_EXEC) {
                exec_record_exit(watch->owner);
                continue;
            }
            struct container *container = watch->owner;
            container_lock(container);
            bool is_detach = watch->fd >= 0 && shim_take_detached(watch->fd);
            container_unlock(container);
            if (is_detach) {
                container_event(container, "detach", NULL);
                continue;
            }
            if (!container->record.host_config.auto_remove) {
                container_unref(unsynced);
                unsynced = container_ref(container);
            }
            handle_container(container);
        }
        health_probes_release(engine);
    }
    sync_exits(&unsynced);
    return NULL;
}

bool supervisor_start(struct engine *engine, struct error *err)
{
    int error = pthread_create(&engine->supervisor, NULL, supervise, engine);
    if (error)
        return error_errno_value(err, error, "cannot start the supervisor thread");
    engine->has_supervisor = true;
    return true;
}

void supervisor_stop(struct engine *engine)
{
    atomic_store(&engine->is_stopping, true);
    if (!engine->has_supervisor)
        return;
    supervisor_wake(engine);
    pthread_join(engine->supervisor, NULL);
    engine->has_supervisor = false;
}

void supervisor_watch(struct engine *engine, struct watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    if (watch->kind == WATCH_CONTAINER)
        container_ref(watch->owner);
    epoll_ctl(engine->epoll, EPOLL_CTL_ADD, watch->fd, &event);
}

void supervisor_wake(struct engine *engine)
{
    eventfd_write(engine->wake, 1);
}
