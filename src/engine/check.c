#include "engine/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tree_size.h"
#include "engine/engine_state.h"
#include "runtime/cgroup.h"
#include "store/check.h"
#include "json/json_record.h"

struct check {
    struct engine *engine;
    bool repairs;
    struct record_list *findings;
};

static bool is_id(const char *name)
{
    return strlen(name) == ID_LENGTH && strspn(name, "0123456789abcdef") == ID_LENGTH;
}

/* By its whole id; a new reference or NULL. */
static struct container *find_whole(struct engine *engine, const char *id)
{
    struct container *container = container_find(engine, id, NULL);
    if (container && !string_equal(container->record.id, id)) {
        container_unref(container);
        return NULL;
    }
    return container;
}

static bool is_container(void *context, const char *id)
{
    _cleanup_container_ struct container *container = find_whole(context, id);
    return container != NULL;
}

static void names_in(const char *path, struct strlist *out)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (is_id(entry->d_name))
            strlist_add(out, entry->d_name);
    if (folder)
        closedir(folder);
    strlist_sort(out);
}

/* --- folders of containers --- */

static void check_folders(struct check *check)
{
    struct engine *engine = check->engine;
    _cleanup_free_ char *root = path_join(engine->options.data_root, "containers");
    _cleanup_strlist_ struct strlist names = {0};
    names_in(root, &names);
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_free_ char *path = path_join(root, names.items[i]);
        /* In this order: one that has just been removed had its files until then. */
        if (is_container(engine, names.items[i]) || access(path, F_OK) < 0)
            continue;
        struct finding *finding = finding_add(check->findings, "container", names.items[i], tree_size(AT_FDCWD, path),
                                              "remove its files", true, "its files are there, and no container");
        struct error why = ERROR_INIT;
        if (check->repairs)
            finding_settle(finding, container_layer_remove(engine->store, names.items[i], &why), &why);
    }
}

/* The other way round. A container that is being made or removed is in its operation. */
static void check_layers(struct check *check)
{
    size_t count;
    struct container **all = container_snapshot(check->engine, &count);
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        _cleanup_free_ char *upper = container_path(all[i], "upper");
        container_lock(all[i]);
        bool is_gone = !all[i]->is_in_operation && !all[i]->is_removed && stat(upper, &status) < 0;
        container_unlock(all[i]);
        if (is_gone)
            finding_add(check->findings, "container", all[i]->record.id, 0, "remove it (wherry rm)", false,
                        "its files are gone");
    }
    container_snapshot_release(all, count);
}

/* --- what a run has left in exec-root and among the cgroups --- */

typedef bool (*remains_function)(struct check *check, const char *id, struct error *err);

/* Does no process belong to it? One that is in its operation may be about to start, or not have ended yet. */
static bool is_idle(struct engine *engine, const char *id)
{
    _cleanup_container_ struct container *container = find_whole(engine, id);
    if (!container)
        return true;
    container_lock(container);
    bool is_idle = !container->is_in_operation && !status_has_process(container->status);
    container_unlock(container);
    return is_idle;
}

/* In the operation of the container, where there is one, so that none starts meanwhile. */
static bool remove_idle(struct check *check, const char *id, remains_function function, struct error *err)
{
    _cleanup_container_ struct container *container = find_whole(check->engine, id);
    if (!container)
        return function(check, id, err);
    if (!container_begin(container, id, err))
        return false;
    container_lock(container);
    bool has_process = status_has_process(container->status);
    container_unlock(container);
    bool is_done = has_process ? error_set(err, ERROR_CONFLICT, "it runs again") : function(check, id, err);
    container_end(container);
    return is_done;
}

/* Processes of no container end here, as they would at the start of the engine. */
static bool remove_run(struct check *check, const char *id, struct error *err)
{
    _cleanup_free_ char *path = path_join(check->engine->options.exec_root, id);
    struct shim_status found = {0};
    int watch = -1;
    if (shim_reconnect(path, &found, &watch, NULL) && !found.has_exited) {
        struct shim_exit exit;
        shim_kill(path, SIGKILL, false, NULL);
        shim_read_exit(watch, path, &exit);
    }
    close_fd(watch);
    shim_forget(path);
    return tree_remove(AT_FDCWD, path, err);
}

static void check_runs(struct check *check)
{
    _cleanup_strlist_ struct strlist names = {0};
    names_in(check->engine->options.exec_root, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (!is_idle(check->engine, names.items[i]))
            continue;
        _cleanup_free_ char *path = path_join(check->engine->options.exec_root, names.items[i]);
        struct stat status;
        if (stat(path, &status) < 0)
            continue; /* its end has come meanwhile */
        struct finding *finding = finding_add(check->findings, "run", names.items[i], tree_size(AT_FDCWD, path),
                                              "end it and remove its files", true, "a run of no container was left");
        struct error why = ERROR_INIT;
        if (check->repairs)
            finding_settle(finding, remove_idle(check, names.items[i], remove_run, &why), &why);
    }
}

static char *cgroup_of(const struct check *check, const char *id)
{
    const char *parent = check->engine->options.cgroup_parent;
    _cleanup_free_ char *joined = xasprintf("/%s/%s", string_is_set(parent) ? parent : "wherry", id);
    return path_clean(joined);
}

static bool remove_cgroup(struct check *check, const char *id, struct error *err)
{
    _cleanup_free_ char *path = cgroup_of(check, id);
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    if (cgroup_processes(path, &pids, &count, NULL) && count > 0)
        return error_set(err, ERROR_CONFLICT, "%zu processes are in it", count);
    cgroup_destroy(path);
    return true;
}

static bool is_child(const char *parent, const char *name)
{
    _cleanup_strlist_ struct strlist names = {0};
    cgroup_children(parent, &names);
    return strlist_contains(&names, name);
}

/* Another engine may have the same parent: what has processes is left to who looks at it. */
static void check_cgroups(struct check *check)
{
    _cleanup_strlist_ struct strlist names = {0};
    _cleanup_free_ char *parent = cgroup_of(check, "");
    cgroup_children(parent, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (!is_id(names.items[i]) || !is_idle(check->engine, names.items[i]))
            continue;
        _cleanup_free_ char *path = cgroup_of(check, names.items[i]);
        _cleanup_free_ pid_t *pids = NULL;
        size_t count = 0;
        bool is_there = cgroup_processes(path, &pids, &count, NULL);
        if (!is_there && !is_child(parent, names.items[i]))
            continue; /* its end has come meanwhile */
        if (count > 0) {
            finding_add(check->findings, "cgroup", path, 0, "end its processes", false,
                        "no container of this engine runs in it, but %zu processes, of which one is %d", count,
                        (int)pids[0]);
            continue;
        }
        struct finding *finding =
            finding_add(check->findings, "cgroup", path, 0, "remove it", true, "no container runs in it");
        struct error why = ERROR_INIT;
        if (check->repairs)
            finding_settle(finding, remove_idle(check, names.items[i], remove_cgroup, &why), &why);
    }
}

/* --- the network's --- */

/* The links of all containers; false where one may be about to get or lose some. */
static bool links_in_use(struct engine *engine, struct strlist *out)
{
    size_t count;
    bool is_known = true;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count; i++) {
        container_lock(all[i]);
        is_known &= !all[i]->is_in_operation;
        const struct record_map *endpoints = &all[i]->record.endpoints;
        for (size_t j = 0; j < endpoints->keys.count; j++) {
            char name[16];
            const char *id = RECORD_AT(*endpoints, struct endpoint_settings, j)->endpoint_id;
            if (string_is_set(id))
                strlist_add(out, network_link_name(id, name));
        }
        container_unlock(all[i]);
    }
    container_snapshot_release(all, count);
    strlist_sort(out);
    return is_known;
}

/* In this order: a link that was made after the list of ports is not in it. */
static void check_links(struct check *check)
{
    _cleanup_strlist_ struct strlist used = {0}, ports = {0}, left = {0};
    network_ports(check->engine->network, &ports);
    if (!links_in_use(check->engine, &used))
        return;
    /* Once more, for those whose containers have ended meanwhile. */
    network_ports(check->engine->network, &left);
    for (size_t i = 0; i < ports.count; i++) {
        /* A port with another name is the user's own. */
        if (!string_starts_with(ports.items[i], "veth") || strlist_contains(&used, ports.items[i]) ||
            !strlist_contains(&left, ports.items[i]))
            continue;
        struct finding *finding = finding_add(check->findings, "link", ports.items[i], 0, "remove it", true,
                                              "it is a port of a bridge of ours, and of no container");
        struct error why = ERROR_INIT;
        if (check->repairs)
            finding_settle(finding, network_remove_port(ports.items[i], &why), &why);
    }
}

static void check_rules(struct check *check)
{
    struct error why = ERROR_INIT;
    _cleanup_free_ char *table = NULL;
    if (network_rules_are_there(check->engine->network, &table))
        return;
    struct finding *finding = finding_add(check->findings, "rules", table, 0, "load it again", true,
                                          "the nftables table is gone: ports and networks do not work");
    if (check->repairs)
        finding_settle(finding, network_load_rules(check->engine->network, &why), &why);
}

/* --- the whole --- */

static json_t *report(const struct record_list *findings, bool is_partial)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++)
        json_array_append_new(list, record_to_json(&finding_type, RECORD_AT(*findings, struct finding, i)));
    return json_pack("{s:o, s:b}", "Findings", list, "Partial", is_partial);
}

json_t *engine_check(struct engine *engine, bool repairs, struct error *err)
{
    if (atomic_exchange(&engine->is_checking, true)) {
        error_set(err, ERROR_CONFLICT, "a system check is already running");
        return NULL;
    }
    struct store_check store = {.repairs = repairs, .is_container = is_container, .context = engine};
    struct check check = {engine, repairs, &store.findings};
    check_runs(&check);
    check_cgroups(&check);
    check_links(&check);
    check_rules(&check);
    check_folders(&check);
    check_layers(&check);
    volumes_check(engine, repairs, &store.findings);
    /* Last: containers that are gone by now keep no layers any more. */
    bool is_done = store_check(engine->store, &store, err);
    json_t *answer = is_done ? report(&store.findings, store.is_partial) : NULL;
    record_list_release(&store.findings, &finding_type);
    atomic_store(&engine->is_checking, false);
    return answer;
}
