#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/container_events.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/links.h"
#include "engine/volumes.h"
#include "network/network.h"
#include "runtime/cgroup.h"
#include "store/layer.h"

#define KILL_TIMEOUT (10 * NANOSECONDS_PER_SECOND)

static bool image_is_gone(struct store *store, const char *id)
{
    _cleanup_strlist_ struct strlist layers = {0};
    _cleanup_error_ struct error why = ERROR_INIT;
    return !image_layers(store, id, &layers, &why) && why.kind == ERROR_NOT_FOUND;
}

/* The layers of images that were removed meanwhile went on for this container alone. */
static void collect_layers_of_gone_image(struct container *container)
{
    struct store *store = container->engine->store;
    const struct record_list *mounts = &container->record.mounts;
    bool is_gone = image_is_gone(store, container->record.image_id);
    for (size_t i = 0; i < mounts->count && !is_gone; i++) {
        const char *id = RECORD_AT(*mounts, struct container_mount, i)->image_id;
        is_gone = id && image_is_gone(store, id);
    }
    if (!is_gone)
        return;
    struct error err = ERROR_INIT;
    if (!layer_collect(store, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "layers of image %s are left", container->record.image_id);
}

/* In the operation and in STATUS_REMOVING. The database forgets the container last: a crash in between leaves a
   container that can be removed again. The files of one that removes itself go last: it is gone by then, and whoever
   waits for that need not wait for the disk. */
bool container_destroy(struct container *container, bool removes_volumes, struct error *err)
{
    struct engine *engine = container->engine;
    _cleanup_free_ char *folder = container_path(container, NULL);
    _cleanup_free_ char *run_folder = container_run_path(container);
    _cleanup_free_ char *remains = NULL;
    bool is_temporary = container->record.host_config.auto_remove;
    bool is_removed = container_layer_discard(engine->store, container->record.id, &remains, err) &&
                      (is_temporary || container_layer_remove_remains(engine->store, remains, err)) &&
                      tree_remove(AT_FDCWD, folder, err) && tree_remove(AT_FDCWD, run_folder, err);
    if (is_removed) {
        if (removes_volumes)
            volumes_remove_anonymous(container);
        is_removed = database_delete(store_database(engine->store), "container", container->record.id,
                                     is_temporary ? NOT_DURABLE : DURABLE, err);
    }
    if (is_removed) {
        exec_forget_container(engine, container);
        container_table_remove(engine, container);
    }
    if (is_removed)
        container_event(container, "destroy", NULL);
    container_lock(container);
    container->status = is_removed ? STATUS_REMOVING : STATUS_DEAD;
    container->is_removed = is_removed;
    if (is_removed) {
        container_wake(container, true);
        for (size_t i = 0; i < container->attachment_count; i++) {
            close_fd(container->attachments[i].fd);
            free(container->attachments[i].detach_keys);
        }
        free(TAKE_PTR(container->attachments));
        container->attachment_count = 0;
    }
    container_unlock(container);
    container_end(container);
    struct error left = ERROR_INIT;
    if (is_temporary && !container_layer_remove_remains(engine->store, remains, &left))
        log_and_release(LOG_LEVEL_WARNING, &left, "container %s left files behind", container->record.id);
    if (is_removed)
        collect_layers_of_gone_image(container);
    return is_removed || error_prefix(err, "container %s: driver \"overlay2\" failed to remove root filesystem",
                                      container->record.id);
}

static bool kill_first(struct container *container, struct error *err)
{
    container_lock(container);
    container->is_restart_wanted_off = true;
    bool has_process = status_has_process(container->status);
    container_unlock(container);
    if (!has_process)
        return true;
    _cleanup_free_ char *directory = container_run_path(container);
    _cleanup_error_ struct error why = ERROR_INIT;
    if (!shim_kill(directory, SIGKILL, false, &why) && why.kind != ERROR_NOT_FOUND)
        return error_set(err, ERROR_INTERNAL, "cannot remove container \"/%s\": could not kill container: %s",
                         container->record.name, error_message(&why));
    container_event_kill(container, SIGKILL);
    container_lock(container);
    bool is_paused = container->status == STATUS_PAUSED;
    _cleanup_free_ char *cgroup = xstrdup(container->record.cgroups_path);
    container_unlock(container);
    if (is_paused && !cgroup_freeze(cgroup, false, err))
        return false;
    if (container_await_exit(container, KILL_TIMEOUT))
        return true;
    return error_set(err, ERROR_INTERNAL,
                     "cannot remove container \"/%s\": could not kill container: tried to kill container, but did not "
                     "receive an exit event",
                     container->record.name);
}

bool container_remove(struct engine *engine, const char *reference, const struct container_remove_options *options,
                      struct error *err)
{
    if (options->removes_link)
        return links_remove(engine, reference, err);
    _cleanup_container_ struct container *container = container_find(engine, reference, err);
    if (!container)
        return false;
    int64_t begin = clock_monotonic();
    for (;;) {
        if (options->is_forced && !kill_first(container, err))
            return false;
        if (!container_begin(container, reference, err))
            return false;
        container_lock(container);
        bool is_possible = lifecycle_check(container->status, options->is_forced ? VERB_REMOVE_FORCED : VERB_REMOVE,
                                           container->record.id, container->record.name, reference, err);
        /* It may have been started again since it was killed. */
        bool is_running = status_has_process(container->status);
        if (is_possible && !is_running)
            container->status = STATUS_REMOVING;
        container_unlock(container);
        if (is_possible && !is_running) {
            bool is_removed = container_destroy(container, options->removes_volumes, err);
            if (is_removed)
                metrics_observe(&engine->metrics, ACTION_DELETE, begin);
            return is_removed;
        }
        container_end(container);
        if (!is_possible)
            return false;
    }
}
