/* stop, restart, kill, pause, rename, resize. */
#include <errno.h>
#include <signal.h>

#include "base/memory.h"
#include "engine/container_events.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/names.h"
#include "engine/networks.h"
#include "engine/signal_name.h"
#include "engine/stop.h"
#include "runtime/cgroup.h"

#define KILL_TIMEOUT (10 * NANOSECONDS_PER_SECOND)

static bool check(struct container *container, enum container_verb verb, const char *reference, struct error *err)
{
    return lifecycle_check(container->status, verb, container->record.id, container->record.name, reference, err);
}

/* Sends the signal and, to a paused container, thaws it so that the signal arrives. */
static bool send_signal(struct container *container, int number, struct error *err)
{
    _cleanup_free_ char *directory = container_run_path(container);
    if (!shim_kill(directory, number, false, err))
        return false;
    container_event_kill(container, number);
    container_lock(container);
    bool is_paused = container->status == STATUS_PAUSED;
    _cleanup_free_ char *cgroup = xstrdup(container->record.cgroups_path);
    if (is_paused)
        container->status = STATUS_RUNNING;
    container_unlock(container);
    if (!is_paused)
        return true;
    if (!cgroup_freeze(cgroup, false, err))
        return false;
    container_event(container, "unpause", NULL);
    health_resume(container);
    return true;
}

/* In STATUS_RESTARTING: there will be no next start. True where that was the state. A start that is under way is
   waited for: then there is a process to be stopped. */
static bool cancel_restart(struct container *container)
{
    if (!container_begin(container, container->record.id, NULL))
        return true;
    container_lock(container);
    bool is_waiting = container->status == STATUS_RESTARTING;
    if (is_waiting) {
        container->status = STATUS_EXITED;
        deadline_clear(container->engine, &container->restart_deadline);
        container_wake(container, false);
    }
    container_unlock(container);
    if (is_waiting)
        container_save(container, NOT_DURABLE, NULL);
    container_end(container);
    return is_waiting;
}

static void mark_stopped_by_user(struct container *container, bool ends_it)
{
    container_lock(container);
    if (ends_it)
        container->is_restart_wanted_off = true;
    container->record.is_stopped_by_user = true;
    container_unlock(container);
}

static bool kill_and_wait(struct container *container, struct error *err)
{
    _cleanup_error_ struct error why = ERROR_INIT;
    if (!send_signal(container, SIGKILL, &why) && why.kind != ERROR_NOT_FOUND)
        return error_move(err, &why);
    if (container_await_exit(container, KILL_TIMEOUT))
        return true;
    return error_set(err, ERROR_INTERNAL,
                     "cannot stop container: %s: tried to kill container, but did not receive an "
                     "exit event",
                     container->record.id);
}

static int stop_signal_of(const struct container *container, const char *asked, struct error *err)
{
    if (string_is_set(asked))
        return signal_parse(asked, err);
    const char *own = container->record.config.stop_signal;
    return string_is_set(own) ? signal_parse(own, err) : SIGTERM;
}

static bool stop_process(struct container *container, int number, int64_t timeout, struct error *err)
{
    if (cancel_restart(container))
        return true;
    _cleanup_error_ struct error why = ERROR_INIT;
    if (!send_signal(container, number, &why) && why.kind != ERROR_NOT_FOUND)
        return error_move(err, &why);
    int64_t nanoseconds = timeout < 0                                        ? -1
                          : timeout > INT64_MAX / NANOSECONDS_PER_SECOND - 1 ? -1
                                                                             : timeout * NANOSECONDS_PER_SECOND;
    if (container_await_exit(container, nanoseconds))
        return true;
    return kill_and_wait(container, err);
}

int64_t container_stop_timeout(const struct container *container)
{
    const struct container_config *config = &container->record.config;
    return config->stop_timeout.is_set ? config->stop_timeout.value : 10;
}

static bool stop(struct container *container, const char *signal_text, int64_t timeout, const char *stopper,
                 struct error *err)
{
    int number = stop_signal_of(container, signal_text, err);
    if (number < 0) {
        if (err)
            err->kind = ERROR_INTERNAL; /* as Docker has it, here though not for kill */
        return false;
    }
    if (timeout == INT64_MIN)
        timeout = container_stop_timeout(container);
    if (string_equal(stopper, "user"))
        mark_stopped_by_user(container, true);
    container_lock(container);
    container->is_restart_wanted_off = true;
    container->is_being_stopped = true;
    container->stopper = stopper;
    container_unlock(container);
    bool is_stopped = stop_process(container, number, timeout, err);
    /* The exit tells of the stop, unless there was none to be recorded any more. */
    container_lock(container);
    bool is_untold = container->is_being_stopped;
    container->is_being_stopped = false;
    container->stopper = NULL;
    container_unlock(container);
    if (is_stopped && is_untold)
        container_event(container, "stop", NULL);
    return is_stopped;
}

bool container_end_unhealthy(struct container *container, struct error *err)
{
    int number = stop_signal_of(container, NULL, err);
    container_lock(container);
    bool is_running = container->status == STATUS_RUNNING && !container->is_being_stopped;
    container->is_ended_unhealthy = is_running;
    int64_t timeout = container_stop_timeout(container);
    container_unlock(container);
    return number >= 0 && (!is_running || stop_process(container, number, timeout, err));
}

bool container_end_at_shutdown(struct container *container, struct error *err)
{
    return stop(container, NULL, INT64_MIN, "engine", err);
}

bool container_stop(struct engine *engine, const char *reference, const char *signal, int64_t timeout,
                    struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    container_lock(container);
    bool is_possible = check(container, VERB_STOP, reference, err);
    container_unlock(container);
    return is_possible &&
           (stop(container, signal, timeout, "user", err) || error_prefix(err, "cannot stop container: %s", reference));
}

bool container_restart(struct engine *engine, const char *reference, const char *signal, int64_t timeout,
                       struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    container_lock(container);
    bool is_running = status_is_running(container->status);
    /* --rm removes a container when it ends, not when it is restarted. */
    bool removes_itself = container->record.host_config.auto_remove;
    if (is_running)
        container->record.host_config.auto_remove = false;
    container_unlock(container);
    bool is_stopped = !is_running || stop(container, signal, timeout, "user", err);
    if (!is_stopped || !container_begin(container, reference, err)) {
        container_lock(container);
        container->record.host_config.auto_remove = removes_itself;
        container_unlock(container);
        return error_prefix(err, "Cannot restart container %s", reference);
    }
    container_lock(container);
    container->record.host_config.auto_remove = removes_itself;
    container->record.restart_count = 0;
    container->is_restart_wanted_off = false;
    container->record.is_stopped_by_user = false;
    bool is_possible = check(container, VERB_START, reference, err);
    container_unlock(container);
    bool is_started = is_possible && container_run(container, err);
    if (is_started)
        container_event(container, "restart", NULL);
    container_end(container);
    return is_started || error_prefix(err, "Cannot restart container %s", reference);
}

bool container_kill(struct engine *engine, const char *reference, const char *signal, struct error *err)
{
    int number = SIGKILL;
    if (string_is_set(signal) && (number = signal_parse(signal, err)) < 0)
        return error_prefix(err, "cannot kill container: %s", reference);
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return error_prefix(err, "cannot kill container: %s", reference);
    container_lock(container);
    bool is_possible = check(container, VERB_KILL, reference, err);
    container_unlock(container);
    if (!is_possible)
        return false;
    /* As Docker: a signal other than the container's own stop signal leaves its restart policy in force, but for
       unless-stopped. */
    const char *own = container->record.config.stop_signal;
    bool ends_it = number == SIGKILL || !string_is_set(own) || signal_parse(own, NULL) == number;
    mark_stopped_by_user(container, ends_it);
    container_lock(container);
    container->user_signal = number;
    container_unlock(container);
    _cleanup_error_ struct error why = ERROR_INIT;
    if (number == SIGKILL)
        return kill_and_wait(container, &why) ||
               (error_move(err, &why), error_prefix(err, "cannot kill container: %s", reference));
    if (send_signal(container, number, &why))
        return true;
    if (why.kind == ERROR_NOT_FOUND)
        return error_set(err, ERROR_CONFLICT, "cannot kill container: %s: container %s is not running", reference,
                         container->record.id);
    error_move(err, &why);
    return error_prefix(err, "cannot kill container: %s", reference);
}

bool container_pause(struct engine *engine, const char *reference, bool is_paused, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container || !container_begin(container, reference, err))
        return false;
    container_lock(container);
    bool is_possible = check(container, is_paused ? VERB_PAUSE : VERB_UNPAUSE, reference, err);
    container_unlock(container);
    bool is_done = is_possible && cgroup_freeze(container->record.cgroups_path, is_paused, err);
    if (is_done) {
        container_lock(container);
        container->status = is_paused ? STATUS_PAUSED : STATUS_RUNNING;
        container_unlock(container);
        if (is_paused)
            health_stop(container);
        else
            health_resume(container);
        is_done = container_save(container, NOT_DURABLE, err);
        container_event(container, is_paused ? "pause" : "unpause", NULL);
    }
    container_end(container);
    if (!is_done && is_possible)
        error_prefix(err, "Cannot %s container %s", is_paused ? "pause" : "unpause", container->record.id);
    return is_done;
}

bool container_rename(struct engine *engine, const char *reference, const char *name, struct error *err)
{
    if (!string_is_set(name))
        return error_set(err, ERROR_INVALID, "Neither old nor new names may be empty");
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container || !container_begin(container, reference, err))
        return false;
    const char *plain = name[0] == '/' ? name + 1 : name;
    bool is_done = false;
    container_lock(container);
    _cleanup_free_ char *old_name = xasprintf("/%s", container->record.name);
    bool is_same = string_equal(container->record.name, plain);
    bool is_possible = check(container, VERB_RENAME, reference, err);
    container_unlock(container);
    if (!is_possible)
        is_done = false;
    else if (is_same)
        error_set(err, ERROR_INVALID, "Renaming a container with the same name as its current name");
    else if (!name_is_valid(plain))
        error_set(err, ERROR_INVALID,
                  "Error when allocating new name: Invalid container name (/%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are "
                  "allowed",
                  plain);
    else if (!container_table_rename(container->engine, container, plain, err))
        error_prefix(err, "Error when allocating new name");
    else {
        networks_rename(container);
        is_done = container_save(container, DURABLE, err);
    }
    if (is_done)
        container_event(container, "rename", "oldName", old_name, NULL);
    container_end(container);
    if (is_done)
        links_renamed(container);
    return is_done;
}

bool container_resize(struct engine *engine, const char *reference, int64_t rows, int64_t columns, struct error *err)
{
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    container_lock(container);
    bool is_possible = check(container, VERB_RESIZE, reference, err);
    container_unlock(container);
    _cleanup_free_ char *directory = container_run_path(container);
    if (!is_possible || !shim_resize(directory, NULL, rows, columns, err))
        return false;
    char height[32], width[32];
    snprintf(height, sizeof(height), "%lld", (long long)rows);
    snprintf(width, sizeof(width), "%lld", (long long)columns);
    container_event(container, "resize", "height", height, "width", width, NULL);
    return true;
}
