/* What the engine does before it serves anyone: the containers of the database are found again, those that run are
   watched, exits that happened meanwhile are recorded, what nobody knows is removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/exec.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/networks.h"
#include "engine/volume.h"
#include "engine/volumes.h"
#include "runtime/cgroup.h"
#include "json/json_record.h"

static bool load(struct engine *engine, const char *id, const char *body)
{
    struct error err = ERROR_INIT;
    _cleanup_container_ struct container *container = container_new(engine);
    if (!record_parse(&container_record_type, body, strlen(body), &container->record, &err)) {
        log_and_release(LOG_LEVEL_ERROR, &err, "cannot read container %s from the database", id);
        return false;
    }
    enum container_status status = status_from_text(container->record.status);
    container->status = status == STATUS_COUNT ? STATUS_DEAD : status;
    container->is_restart_wanted_off = container->record.is_stopped_by_user;
    if (!container_table_add(engine, container, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "cannot load container %s", id);
    return true;
}

static void readopt(struct container *container, const struct shim_status *found, int watch)
{
    struct engine *engine = container->engine;
    container->watch.fd = watch;
    container->record.pid = found->pid;
    if (found->started_at)
        container->record.started_at = found->started_at;
    networks_readopt(container);
    volumes_readopt(container);
    supervisor_watch(engine, &container->watch);
    exec_adopt(container);
    health_resume(container);
}

/* A start that the crash cut short: nobody was told of it, so it has not happened. */
static void undo_start(struct container *container, const char *directory, int watch)
{
    struct shim_exit exit;
    shim_kill(directory, SIGKILL, false, NULL);
    if (watch >= 0)
        shim_read_exit(watch, directory, &exit);
    close_fd(watch);
    shim_forget(directory);
    network_leave(container->engine->network, container->record.id, NULL);
}

static void find_again(struct container *container)
{
    struct shim_status found = {0};
    int watch = -1;
    _cleanup_free_ char *directory = container_run_path(container);
    bool was_running = status_has_process(container->status);
    bool is_there = shim_reconnect(directory, &found, &watch, NULL);
    if (is_there && !was_running) {
        if (!found.has_exited)
            undo_start(container, directory, watch);
        else
            shim_forget(directory);
        return;
    }
    if (is_there && !found.has_exited) {
        readopt(container, &found, watch);
        return;
    }
    if (!was_running)
        return;
    /* Neither shim nor record: the machine was restarted, or both were killed. */
    struct shim_exit exit = found.exit;
    if (!is_there) {
        exit = (struct shim_exit){.exit_code = 255, .finished_at = clock_now(), .signal_number = -1};
        if (string_is_set(container->record.cgroups_path))
            cgroup_destroy(container->record.cgroups_path);
    }
    container_record_exit(container, &exit);
}

static void apply_policy(struct container *container, enum container_status status_before)
{
    struct restart_state state = {
        .is_stopped_by_user = container->record.is_stopped_by_user,
        .count = container->record.restart_count,
        .maximum_retries = container->record.host_config.restart_policy.maximum_retry_count,
    };
    restart_kind_parse(container->record.host_config.restart_policy.name, &state.kind);
    container->waits_for_links = true;
    if (container->status == STATUS_RESTARTING) {
        deadline_set(container->engine, &container->restart_deadline, clock_monotonic());
    } else if (container->status == STATUS_EXITED &&
               restart_at_boot(&state, status_before, (int)container->record.exit_code)) {
        container->status = STATUS_RESTARTING;
        container->is_restart_wanted_off = false;
        deadline_set(container->engine, &container->restart_deadline, clock_monotonic());
    }
}

/* Half-removed ones, and --rm containers whose exit nobody saw. */
static void finish_removal(struct container *container)
{
    bool is_half_removed = container->status == STATUS_REMOVING || container->status == STATUS_DEAD;
    bool is_over = container->record.host_config.auto_remove && container->status == STATUS_EXITED;
    if (!is_half_removed && !is_over)
        return;
    struct error err = ERROR_INIT;
    if (container_begin(container, container->record.id, NULL) && !container_destroy(container, is_over, &err))
        log_and_release(LOG_LEVEL_ERROR, &err, "container %s could not be removed", container->record.id);
}

/* Folders that belong to no container: only names that are ids are touched. */
static void remove_orphans(struct engine *engine, const char *root)
{
    DIR *folder = opendir(root);
    if (!folder)
        return;
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (strlen(entry->d_name) != ID_LENGTH || strspn(entry->d_name, "0123456789abcdef") != ID_LENGTH)
            continue;
        _cleanup_container_ struct container *owner = container_find(engine, entry->d_name, NULL);
        if (owner)
            continue;
        struct error err = ERROR_INIT;
        int watch = -1;
        struct shim_status found = {0};
        _cleanup_free_ char *path = xasprintf("%s/%s", root, entry->d_name);
        if (string_equal(root, engine->options.exec_root) && shim_reconnect(path, &found, &watch, NULL)) {
            struct shim_exit exit;
            if (!found.has_exited)
                shim_kill(path, SIGKILL, false, NULL);
            if (watch >= 0)
                shim_read_exit(watch, path, &exit);
            close_fd(watch);
            shim_forget(path);
        }
        if (!tree_remove(AT_FDCWD, path, &err))
            log_and_release(LOG_LEVEL_WARNING, &err, "cannot remove %s", path);
    }
    closedir(folder);
}

bool engine_recover(struct engine *engine, struct error *err)
{
    _cleanup_strmap_ struct strmap records = {0};
    if (!database_all(store_database(engine->store), "container", &records, err))
        return false;
    for (size_t i = 0; i < records.count; i++)
        load(engine, records.items[i].key, records.items[i].value);
    links_recover(engine);
    _cleanup_free_ char *layers = path_join(engine->options.data_root, "containers");
    /* Steps of builds first end, then go their folders. */
    remove_orphans(engine, engine->options.exec_root);
    remove_orphans(engine, layers);

    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        enum container_status before = all[i]->status;
        find_again(all[i]);
        apply_policy(all[i], before);
        finish_removal(all[i]);
    }
    volume_unmount_stale(engine);
    container_snapshot_release(all, count);
    return true;
}
