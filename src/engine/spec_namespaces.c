#include <string.h>

#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/spec.h"
#include "runtime/defaults.h"

#define CREATE_FAILED                                                                                                  \
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "

static struct oci_namespace *find(struct record_list *list, const char *type, size_t *index)
{
    for (size_t i = 0; i < list->count; i++) {
        struct oci_namespace *namespace = RECORD_AT(*list, struct oci_namespace, i);
        if (string_equal(namespace->type, type)) {
            *index = i;
            return namespace;
        }
    }
    return NULL;
}

static void share_with_host(struct record_list *list, const char *type)
{
    size_t index;
    if (find(list, type, &index))
        record_list_remove(list, &oci_namespace_type, index);
}

/* Joins the namespace of another container that runs. */
static bool share_with(const struct container *container, struct record_list *list, const char *type, const char *file,
                       const char *reference, struct error *err)
{
    _cleanup_container_ struct container *other = container_find(container->engine, reference, err);
    if (!other)
        return false;
    if (other == container && string_equal(type, "network"))
        return error_set(err, ERROR_INVALID, "cannot join own network");
    container_lock(other);
    int64_t pid = status_has_process(other->status) ? other->record.pid : 0;
    bool is_restarting = other->status == STATUS_RESTARTING;
    container_unlock(other);
    if (is_restarting)
        return error_set(err, ERROR_CONFLICT, "Container %s is restarting, wait until the container is running",
                         other->record.id);
    if (pid <= 0)
        return string_equal(type, "network")
                   ? error_set(err, ERROR_CONFLICT, "cannot join network of a non running container: %s",
                               other->record.id)
                   : error_set(err, ERROR_INVALID, "cannot join the %s namespace of a non running container: %s", type,
                               other->record.id);
    if (string_equal(type, "ipc") && !string_equal(other->record.host_config.ipc_mode, "shareable"))
        return error_set(err, ERROR_INVALID,
                         "can't join IPC of container %s: non-shareable IPC (hint: use IpcMode:shareable for the donor "
                         "container)",
                         other->record.id);
    size_t index;
    struct oci_namespace *namespace = find(list, type, &index);
    if (namespace) {
        free(namespace->path);
        namespace->path = xasprintf("/proc/%lld/ns/%s", (long long)pid, file);
    }
    return true;
}

static bool set_mode(const struct container *container, struct record_list *list, const char *mode, const char *type,
                     const char *file, struct error *err)
{
    if (string_equal(mode, "host"))
        share_with_host(list, type);
    else if (mode && string_starts_with(mode, "container:"))
        return share_with(container, list, type, file, mode + strlen("container:"), err);
    return true;
}

static bool is_ipc_sysctl(const char *key)
{
    static const char *const keys[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
                                       "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (string_equal(key, keys[i]))
            return true;
    return string_starts_with(key, "fs.mqueue.");
}

static bool add_sysctls(const struct host_config *host, struct oci_linux *linux_, struct error *err)
{
    size_t index;
    const struct oci_namespace *network = find(&linux_->namespaces, "network", &index);
    bool owns_network = network && !network->path;
    bool has_ipc = find(&linux_->namespaces, "ipc", &index) != NULL;
    bool has_uts = find(&linux_->namespaces, "uts", &index) != NULL;
    if (owns_network) { /* as Docker: unprivileged users may ping and use low ports */
        strmap_set(&linux_->sysctl, "net.ipv4.ip_unprivileged_port_start", "0");
        strmap_set(&linux_->sysctl, "net.ipv4.ping_group_range", "0 2147483647");
    }
    for (size_t i = 0; i < host->sysctls.count; i++) {
        const char *key = host->sysctls.items[i].key;
        bool is_network = string_starts_with(key, "net.");
        bool is_fine = (is_network && network) || (is_ipc_sysctl(key) && has_ipc) ||
                       (string_equal(key, "kernel.domainname") && has_uts);
        if (is_network && !network)
            return error_set(err, ERROR_INTERNAL,
                             CREATE_FAILED "sysctl \"%s\" not allowed in host network namespace: unknown", key);
        if (is_ipc_sysctl(key) && !has_ipc)
            return error_set(err, ERROR_INTERNAL,
                             CREATE_FAILED "sysctl \"%s\" is not allowed in the hosts ipc namespace: unknown", key);
        if (!is_fine)
            return error_set(err, ERROR_INTERNAL,
                             CREATE_FAILED "sysctl \"%s\" is not in a separate kernel namespace: unknown", key);
        strmap_set(&linux_->sysctl, key, host->sysctls.items[i].value);
    }
    return true;
}

bool spec_add_namespaces(struct container *container, struct launch *launch, struct error *err)
{
    const struct container_record *record = &container->record;
    const struct host_config *host = &record->host_config;
    struct record_list *list = &launch->config.linux_.namespaces;
    defaults_namespaces(list, string_equal(host->cgroupns_mode, "private"));
    if (!set_mode(container, list, host->pid_mode, "pid", "pid", err) ||
        !set_mode(container, list, host->ipc_mode, "ipc", "ipc", err) ||
        !set_mode(container, list, host->uts_mode, "uts", "uts", err) ||
        !set_mode(container, list, host->network_mode, "network", "net", err))
        return false;
    size_t index;
    if (find(list, "uts", &index)) {
        launch->config.hostname = xstrdup(record->config.hostname);
        launch->config.domainname =
            xstrdup(string_is_set(record->config.domainname) ? record->config.domainname : NULL);
    }
    return add_sysctls(host, &launch->config.linux_, err);
}
