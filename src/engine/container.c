#include "engine/container.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/health.h"
#include "engine/links.h"
#include "engine/log_config.h"
#include "engine/wait.h"
#include "store/layer.h"
#include "json/json_record.h"

#define FIELD(macro, name, member, flags) macro(struct container_mount, name, member, flags)
static const struct field container_mount_fields[] = {
    FIELD_RECORD(struct container_mount, "point", point, 0, struct mount_point, &mount_point_type),
    FIELD(FIELD_BOOL, "anonymous", is_anonymous, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "source_made", is_source_made, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "copy", wants_copy, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "not_recursive", is_not_recursive, OMIT_EMPTY),
    FIELD(FIELD_STRING, "tmpfs", tmpfs_options, OMIT_EMPTY),
    FIELD(FIELD_STRING, "subpath", subpath, OMIT_EMPTY),
    FIELD(FIELD_MAP, "options", volume_options, OMIT_EMPTY),
    FIELD(FIELD_MAP, "labels", volume_labels, OMIT_EMPTY),
    FIELD(FIELD_STRING, "image", image_id, OMIT_EMPTY),
    FIELD(FIELD_STRINGS, "layers", image_layers, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "only_top_ro", is_only_top_read_only, OMIT_EMPTY),
};
#undef FIELD
const struct record_type container_mount_type =
    RECORD_TYPE("container mount", struct container_mount, container_mount_fields);

#define FIELD(macro, name, member, flags) macro(struct container_record, name, member, flags)
static const struct field container_record_fields[] = {
    FIELD(FIELD_STRING, "id", id, 0),
    FIELD(FIELD_STRING, "name", name, 0),
    FIELD(FIELD_STRING, "image", image_id, 0),
    FIELD(FIELD_STRINGS, "diffIds", diff_ids, 0),
    FIELD(FIELD_INT64, "created", created, 0),
    FIELD(FIELD_STRING, "path", path, 0),
    FIELD(FIELD_STRINGS, "args", args, 0),
    FIELD_RECORD(struct container_record, "config", config, 0, struct container_config, &container_config_type),
    FIELD_RECORD(struct container_record, "host_config", host_config, 0, struct host_config, &host_config_type),
    FIELD_RECORD_MAP(struct container_record, "endpoints", endpoints, 0, &endpoint_settings_type),
    FIELD_LISTS_MAP(struct container_record, "ports", ports, OMIT_EMPTY, &port_binding_type),
    FIELD_RECORDS(struct container_record, "mounts", mounts, 0, &container_mount_type),
    FIELD(FIELD_STRING, "status", status, 0),
    FIELD(FIELD_INT64, "pid", pid, OMIT_EMPTY),
    FIELD(FIELD_INT64, "exit_code", exit_code, OMIT_EMPTY),
    FIELD(FIELD_STRING, "error", error, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "oom_killed", is_oom_killed, OMIT_EMPTY),
    FIELD(FIELD_INT64, "started", started_at, OMIT_EMPTY),
    FIELD(FIELD_INT64, "finished", finished_at, OMIT_EMPTY),
    FIELD(FIELD_INT64, "restarts", restart_count, OMIT_EMPTY),
    FIELD(FIELD_BOOL, "stopped_by_user", is_stopped_by_user, OMIT_EMPTY),
    FIELD(FIELD_STRING, "cgroup", cgroups_path, OMIT_EMPTY),
    FIELD(FIELD_STRING, "exit_reason", exit_reason, OMIT_EMPTY),
    FIELD(FIELD_STRING, "exit_by", exit_by, OMIT_EMPTY),
    FIELD(FIELD_INT64, "exit_signal", exit_signal, OMIT_EMPTY),
    FIELD_OPT_RECORD(struct container_record, "health", health, OMIT_EMPTY, struct health, &health_type),
};
#undef FIELD
const struct record_type container_record_type =
    RECORD_TYPE("container", struct container_record, container_record_fields);

struct container *container_new(struct engine *engine)
{
    struct container *container = NEW(struct container);
    container->engine = engine;
    container->references = 1;
    container->watch = (struct watch){.kind = WATCH_CONTAINER, .fd = -1, .owner = container};
    container->restart_deadline = (struct deadline){.container = container, .due = restart_due};
    container->health_deadline = (struct deadline){.container = container, .due = health_due};
    pthread_mutex_init(&container->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&container->operation_ended, &attributes);
    pthread_condattr_destroy(&attributes);
    return container;
}

struct container *container_ref(struct container *container)
{
    atomic_fetch_add(&container->references, 1);
    return container;
}

void container_unref(struct container *container)
{
    if (!container || atomic_fetch_sub(&container->references, 1) > 1)
        return;
    record_release(&container_record_type, &container->record);
    for (size_t i = 0; i < container->attachment_count; i++) {
        close_fd(container->attachments[i].fd);
        free(container->attachments[i].detach_keys);
    }
    free(container->attachments);
    close_fd(container->watch.fd);
    pthread_cond_destroy(&container->operation_ended);
    pthread_mutex_destroy(&container->lock);
    free(container);
}

/* --- the table --- */

/* Of a name of that length. With the table's lock. */
static struct container *holder_of(struct engine *engine, const char *name, size_t length)
{
    for (size_t i = 0; i < engine->container_count; i++) {
        const char *other = engine->containers[i]->record.name;
        if (strncmp(other, name, length) == 0 && !other[length])
            return engine->containers[i];
    }
    return NULL;
}

struct container *container_find(struct engine *engine, const char *reference, struct error *err)
{
    const char *text = string_or_empty(reference);
    const char *name = text[0] == '/' ? text + 1 : text;
    struct container *found = NULL;
    bool is_ambiguous = false;
    size_t length = strlen(text);
    const char *slash = strchr(name, '/');
    _cleanup_free_ char *linked = NULL;

    pthread_mutex_lock(&engine->table_lock);
    for (size_t i = 0; i < engine->container_count && length; i++)
        if (string_equal(engine->containers[i]->record.id, text))
            found = engine->containers[i];
    for (size_t i = 0; i < engine->container_count && !found && length; i++)
        if (string_equal(engine->containers[i]->record.name, name))
            found = engine->containers[i];
    struct container *holder = slash ? holder_of(engine, name, (size_t)(slash - name)) : NULL;
    if (!found && holder && (linked = links_target(holder, slash + 1)))
        for (size_t i = 0; i < engine->container_count; i++)
            if (string_equal(engine->containers[i]->record.id, linked))
                found = engine->containers[i];
    if (!found && length)
        for (size_t i = 0; i < engine->container_count; i++)
            if (strncmp(engine->containers[i]->record.id, text, length) == 0) {
                is_ambiguous = found != NULL;
                found = engine->containers[i];
                if (is_ambiguous)
                    break;
            }
    if (found && !is_ambiguous)
        container_ref(found);
    pthread_mutex_unlock(&engine->table_lock);

    if (is_ambiguous) {
        error_set(err, ERROR_INVALID, "multiple IDs found with provided prefix: %s", text);
        return NULL;
    }
    if (!found)
        error_set(err, ERROR_NOT_FOUND, "No such container: %s", text);
    return found;
}

struct container **container_snapshot(struct engine *engine, size_t *count)
{
    pthread_mutex_lock(&engine->table_lock);
    *count = engine->container_count;
    struct container **copy = xcalloc(*count + 1, sizeof(struct container *));
    for (size_t i = 0; i < *count; i++)
        copy[i] = container_ref(engine->containers[i]);
    pthread_mutex_unlock(&engine->table_lock);
    return copy;
}

void container_snapshot_release(struct container **containers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        container_unref(containers[i]);
    free(containers);
}

static bool name_conflict(const char *name, const struct container *holder, struct error *err)
{
    return error_set(err, ERROR_CONFLICT,
                     "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove "
                     "(or rename) that container to be able to reuse that name.",
                     name, holder->record.id);
}

bool container_table_add(struct engine *engine, struct container *container, struct error *err)
{
    pthread_mutex_lock(&engine->table_lock);
    const struct container *holder = holder_of(engine, container->record.name, strlen(container->record.name));
    bool is_added = holder ? name_conflict(container->record.name, holder, err) : true;
    if (is_added) {
        struct container **place = APPEND(engine->containers, engine->container_count);
        *place = container_ref(container);
    }
    pthread_mutex_unlock(&engine->table_lock);
    return is_added;
}

void container_table_remove(struct engine *engine, struct container *container)
{
    bool is_found = false;
    pthread_mutex_lock(&engine->table_lock);
    for (size_t i = 0; i < engine->container_count; i++)
        if (engine->containers[i] == container) {
            memmove(&engine->containers[i], &engine->containers[i + 1],
                    (engine->container_count - i - 1) * sizeof(struct container *));
            engine->container_count--;
            is_found = true;
            break;
        }
    /* APPEND grows when the count is a power of two: after a removal the array may be larger than it thinks, and is
       then only reallocated to the same size again. */
    pthread_mutex_unlock(&engine->table_lock);
    if (is_found)
        container_unref(container);
}

bool container_table_rename(struct engine *engine, struct container *container, const char *name, struct error *err)
{
    pthread_mutex_lock(&engine->table_lock);
    const struct container *holder = holder_of(engine, name, strlen(name));
    bool is_free = holder ? name_conflict(name, holder, err) : true;
    if (is_free) {
        container_lock(container);
        string_replace(&container->record.name, name);
        container_unlock(container);
    }
    pthread_mutex_unlock(&engine->table_lock);
    return is_free;
}

bool container_name_is_taken(struct engine *engine, const char *name)
{
    pthread_mutex_lock(&engine->table_lock);
    bool is_taken = holder_of(engine, name, strlen(name)) != NULL;
    pthread_mutex_unlock(&engine->table_lock);
    return is_taken;
}

/* --- locks --- */

void container_lock(struct container *container)
{
    pthread_mutex_lock(&container->lock);
}

void container_unlock(struct container *container)
{
    pthread_mutex_unlock(&container->lock);
}

bool container_begin(struct container *container, const char *reference, struct error *err)
{
    container_lock(container);
    while (container->is_in_operation)
        pthread_cond_wait(&container->operation_ended, &container->lock);
    bool is_there = !container->is_removed;
    if (is_there)
        container->is_in_operation = true;
    container_unlock(container);
    return is_there || error_set(err, ERROR_NOT_FOUND, "No such container: %s", reference);
}

void container_end(struct container *container)
{
    container_lock(container);
    container->is_in_operation = false;
    pthread_cond_broadcast(&container->operation_ended);
    container_unlock(container);
}

/* --- persistence and paths --- */

bool container_save(struct container *container, enum durability durability, struct error *err)
{
    container_lock(container);
    string_replace(&container->record.status, status_text(container->status));
    _cleanup_free_ char *body = record_format(&container_record_type, &container->record);
    bool is_temporary = container->record.host_config.auto_remove;
    container_unlock(container);
    return database_put(store_database(container->engine->store), "container", container->record.id, body,
                        is_temporary ? NOT_DURABLE : durability, err);
}

void container_lower_folders(const struct container_record *record, const struct store *store, struct strlist *out)
{
    for (size_t i = record->diff_ids.count; i-- > 0;) {
        _cleanup_free_ char *path = layer_path(store, record->diff_ids.items[i]);
        if (!strlist_contains(out, path)) /* the kernel takes none twice, and the upper one has all of the lower */
            strlist_add(out, path);
    }
}

char *container_path(const struct container *container, const char *file)
{
    return xasprintf("%s/containers/%s%s%s", container->engine->options.data_root, container->record.id,
                     file ? "/" : "", string_or_empty(file));
}

char *container_run_path(const struct container *container)
{
    return xasprintf("%s/%s", container->engine->options.exec_root, container->record.id);
}

enum shim_log_format container_log_file(const struct container *container, char **path)
{
    _cleanup_free_ char *folder = container_path(container, NULL);
    return log_config_file(&container->record.host_config.log_config, folder, container->record.id, path);
}
