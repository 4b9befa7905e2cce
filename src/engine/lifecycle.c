#include "engine/lifecycle.h"

#include "base/text.h"

static const char *const status_names[STATUS_COUNT] = {"created",  "running", "paused", "restarting",
                                                       "removing", "exited",  "dead"};

const char *status_text(enum container_status status)
{
    return status < STATUS_COUNT ? status_names[status] : "";
}

enum container_status status_from_text(const char *text)
{
    for (enum container_status i = 0; i < STATUS_COUNT; i++)
        if (string_equal(text, status_names[i]))
            return i;
    return STATUS_COUNT;
}

bool status_is_running(enum container_status status)
{
    return status == STATUS_RUNNING || status == STATUS_PAUSED || status == STATUS_RESTARTING;
}

bool status_has_process(enum container_status status)
{
    return status == STATUS_RUNNING || status == STATUS_PAUSED;
}

static bool check_start(enum container_status status, struct error *err)
{
    switch (status) {
    case STATUS_PAUSED:
        return error_set(err, ERROR_CONFLICT, "cannot start a paused container, try unpause instead");
    case STATUS_RUNNING:
    case STATUS_RESTARTING:
        return error_set(err, ERROR_NOT_MODIFIED, "container is already running");
    case STATUS_REMOVING:
    case STATUS_DEAD:
        return error_set(err, ERROR_CONFLICT, "container is marked for removal and cannot be started");
    default:
        return true;
    }
}

static bool check_pause(enum container_status status, const char *id, struct error *err)
{
    if (!status_is_running(status))
        return error_set(err, ERROR_CONFLICT, "container %s is not running", id);
    if (status == STATUS_PAUSED)
        return error_set(err, ERROR_CONFLICT, "Container %s is already paused", id);
    if (status == STATUS_RESTARTING)
        return error_set(err, ERROR_CONFLICT, "Container %s is restarting, wait until the container is running", id);
    return true;
}

static bool check_remove(enum container_status status, const char *name, bool is_forced, struct error *err)
{
    if (status == STATUS_REMOVING)
        return error_set(err, ERROR_CONFLICT, "removal of container %s is already in progress", name);
    if (!status_is_running(status) || is_forced)
        return true;
    if (status == STATUS_PAUSED)
        return error_set(err, ERROR_CONFLICT,
                         "cannot remove container \"/%s\": container is paused and must be unpaused first", name);
    return error_set(err, ERROR_CONFLICT,
                     "cannot remove container \"/%s\": container is %s: stop the container before removing or force "
                     "remove",
                     name, status_text(status));
}

static bool check_streams(enum container_status status, const char *id, const char *reference, bool is_exec,
                          struct error *err)
{
    if (is_exec && !status_is_running(status))
        return error_set(err, ERROR_CONFLICT, "container %s is not running", id);
    if (status == STATUS_PAUSED)
        return is_exec ? error_set(err, ERROR_CONFLICT, "Container %s is paused, unpause the container before exec",
                                   reference)
                       : error_set(err, ERROR_CONFLICT, "container %s is paused, unpause the container before attach",
                                   reference);
    if (status == STATUS_RESTARTING)
        return is_exec ? error_set(err, ERROR_CONFLICT,
                                   "Container %s is restarting, wait until the container is running", id)
                       : error_set(err, ERROR_CONFLICT,
                                   "container %s is restarting, wait until the container is running", reference);
    return true;
}

bool lifecycle_check(enum container_status status, enum container_verb verb, const char *id, const char *name,
                     const char *reference, struct error *err)
{
    switch (verb) {
    case VERB_START:
        return check_start(status, err);
    case VERB_STOP:
        if (!status_is_running(status))
            return error_set(err, ERROR_NOT_MODIFIED, "container is already stopped");
        return true;
    case VERB_KILL:
        if (!status_is_running(status))
            return error_set(err, ERROR_CONFLICT, "cannot kill container: %s: container %s is not running", reference,
                             id);
        if (status == STATUS_RESTARTING)
            return error_set(err, ERROR_CONFLICT,
                             "cannot kill container: %s: container %s is restarting, wait until "
                             "the container is running",
                             reference, id);
        return true;
    case VERB_PAUSE:
        return check_pause(status, id, err);
    case VERB_UNPAUSE:
        if (status != STATUS_PAUSED)
            return error_set(err, ERROR_INTERNAL, "Container %s is not paused", id);
        return true;
    case VERB_REMOVE:
    case VERB_REMOVE_FORCED:
        return check_remove(status, name, verb == VERB_REMOVE_FORCED, err);
    case VERB_RENAME:
        if (status == STATUS_REMOVING || status == STATUS_DEAD)
            return error_set(err, ERROR_CONFLICT, "container %s is marked for removal and cannot be renamed", id);
        return true;
    case VERB_RESIZE:
        if (!status_has_process(status))
            return error_set(err, ERROR_CONFLICT, "container %s is not running", id);
        return true;
    case VERB_ATTACH:
    case VERB_EXEC:
        return check_streams(status, id, reference, verb == VERB_EXEC, err);
    }
    return true;
}

/* --- restart policies --- */

#define DELAY_FIRST   (NANOSECONDS_PER_SECOND / 10)
#define DELAY_LONGEST (60 * NANOSECONDS_PER_SECOND)
#define RUN_IS_GOOD   (10 * NANOSECONDS_PER_SECOND)

bool restart_kind_parse(const char *name, enum restart_kind *out)
{
    static const char *const names[] = {"no", "always", "unless-stopped", "on-failure"};
    if (!string_is_set(name)) {
        *out = RESTART_NO;
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (string_equal(name, names[i])) {
            *out = (enum restart_kind)i;
            return true;
        }
    return false;
}

void restart_anyway(struct restart_state *state, int64_t run_time)
{
    if (state->delay == 0 || run_time >= RUN_IS_GOOD)
        state->delay = DELAY_FIRST;
    else
        state->delay = MIN(state->delay * 2, DELAY_LONGEST);
    state->count++;
}

bool restart_after_exit(struct restart_state *state, int exit_code, int64_t run_time)
{
    if (state->is_stopped_by_user || state->kind == RESTART_NO)
        return false;
    if (state->kind == RESTART_ON_FAILURE &&
        (exit_code == 0 || (state->maximum_retries > 0 && state->count >= state->maximum_retries)))
        return false;
    restart_anyway(state, run_time);
    return true;
}

bool restart_at_boot(const struct restart_state *state, enum container_status status, int exit_code)
{
    switch (state->kind) {
    case RESTART_NO:
        return false;
    case RESTART_ALWAYS:
        return status != STATUS_CREATED;
    case RESTART_UNLESS_STOPPED:
        return status != STATUS_CREATED && !state->is_stopped_by_user;
    case RESTART_ON_FAILURE:
        return status != STATUS_CREATED && exit_code != 0 &&
               (state->maximum_retries == 0 || state->count < state->maximum_retries);
    }
    return false;
}
