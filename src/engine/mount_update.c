#include "engine/mount_update.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/container_events.h"
#include "engine/engine_state.h"
#include "engine/mounts.h"
#include "engine/spec.h"
#include "engine/view.h"
#include "engine/volume.h"
#include "engine/volumes.h"

static bool is_volume(const struct container_mount *mount)
{
    return string_equal(mount->point.type, "volume");
}

static size_t find_mount(const struct container_record *record, const char *target)
{
    size_t i = 0;
    while (i < record->mounts.count &&
           !string_equal(RECORD_AT(record->mounts, struct container_mount, i)->point.destination, target))
        i++;
    return i;
}

/* The key of --tmpfs at the clean path, or NULL. */
static const char *find_tmpfs(const struct container_record *record, const char *target)
{
    const struct strmap *tmpfs = &record->host_config.tmpfs;
    for (size_t i = 0; i < tmpfs->count; i++) {
        _cleanup_free_ char *clean = path_clean(tmpfs->items[i].key);
        if (string_equal(clean, target))
            return tmpfs->items[i].key;
    }
    return NULL;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* --- what is asked for --- */

static bool add_target(const struct container_record *record, const char *text, struct strlist *targets,
                       struct error *err)
{
    _cleanup_free_ char *target = mount_target_clean(text, err);
    if (!target)
        return false;
    if (find_mount(record, target) == record->mounts.count && !find_tmpfs(record, target))
        return error_set(err, ERROR_NOT_FOUND, "the container has no mount at %s", target);
    if (!strlist_contains(targets, target))
        strlist_add(targets, target);
    return true;
}

static bool check_alone(const char *target, const char *other, const struct strlist *targets, struct error *err)
{
    _cleanup_free_ char *clean = path_clean(other);
    return !is_below(clean, target) || strlist_contains(targets, clean) ||
           error_set(err, ERROR_CONFLICT, "%s is mounted below %s and has to go first", clean, target);
}

/* The clean paths. What stays must not be mounted on what goes. */
static bool read_removed(const struct container_record *record, const struct strlist *removed, struct strlist *targets,
                         struct error *err)
{
    for (size_t i = 0; i < removed->count; i++)
        if (!add_target(record, removed->items[i], targets, err))
            return false;
    bool is_good = true;
    for (size_t i = 0; i < targets->count; i++) {
        for (size_t j = 0; j < record->mounts.count && is_good; j++)
            is_good =
                check_alone(targets->items[i], RECORD_AT(record->mounts, struct container_mount, j)->point.destination,
                            targets, err);
        for (size_t j = 0; j < record->host_config.tmpfs.count && is_good; j++)
            is_good = check_alone(targets->items[i], record->host_config.tmpfs.items[j].key, targets, err);
    }
    return is_good;
}

/* --- in the namespace --- */

/* The deepest comes last among sorted paths, and has to go first. */
static void describe_removed(const struct container_record *record, struct strlist *targets, struct record_list *out)
{
    strlist_sort(targets);
    for (size_t i = targets->count; i-- > 0;) {
        const char *target = targets->items[i];
        size_t place = find_mount(record, target);
        struct oci_mount *mount = record_list_add(out, &oci_mount_type);
        mount->destination = xstrdup(target);
        mount->type = xstrdup("tmpfs");
        if (place == record->mounts.count)
            continue;
        const struct container_mount *present = RECORD_AT(record->mounts, struct container_mount, place);
        if (string_equal(present->point.type, "tmpfs"))
            continue;
        string_replace(&mount->type, present->image_id ? "overlay" : "bind");
        mount->source = xstrdup(present->subpath ? present->subpath : present->point.source);
        mount->source_root = present->subpath ? xstrdup(present->point.source) : NULL;
    }
}

static bool change_namespace(struct container *container, const struct record_list *added, struct strlist *targets,
                             struct error *err)
{
    struct mount_change change = {0};
    _cleanup_close_ int namespace = view_namespace(container);
    if (namespace < 0)
        return true; /* it does not run, or has ended meanwhile: the next start makes them */
    describe_removed(&container->record, targets, &change.removed);
    bool is_done = spec_live_mounts(container->engine->store, added, &change.added, err) &&
                   shim_change_mounts(container->engine->options.shim_program, &change, namespace, err);
    record_release(&mount_change_type, &change);
    return is_done;
}

/* --- volumes --- */

static void unmount_first(struct container *container, const struct record_list *mounts, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (is_volume(mount) && container->has_volumes)
            volume_unmount(container->engine, mount->point.name, container->record.id);
    }
}

static bool mount_volumes(struct container *container, const struct record_list *mounts, struct error *err)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        _cleanup_free_ char *folder = NULL;
        if (is_volume(mount) && container->has_volumes &&
            !volume_mount(container->engine, mount->point.name, container->record.id, &folder, err)) {
            unmount_first(container, mounts, i);
            return false;
        }
    }
    return true;
}

/* --- the record --- */

/* From here on nobody removes the volumes: a volume is in use by whose record has it. */
static void append(struct container *container, const struct record_list *mounts)
{
    container_lock(container);
    for (size_t i = 0; i < mounts->count; i++)
        record_copy(&container_mount_type, record_list_add(&container->record.mounts, &container_mount_type),
                    RECORD_AT(*mounts, struct container_mount, i));
    container_unlock(container);
}

static void drop_last(struct container *container, size_t count)
{
    container_lock(container);
    while (count-- > 0)
        record_list_remove(&container->record.mounts, &container_mount_type, container->record.mounts.count - 1);
    container_unlock(container);
}

static void forget_binds(struct strlist *binds, const char *target)
{
    for (size_t i = binds->count; i-- > 0;) {
        struct container_mount mount = {0};
        if (!bind_parse(binds->items[i], &mount, NULL))
            continue;
        if (string_equal(mount.point.destination, target))
            strlist_remove(binds, i);
        record_release(&container_mount_type, &mount);
    }
}

/* From what inspect shows as asked for. With the lock held. */
static void forget_request(struct host_config *host, const char *target)
{
    forget_binds(&host->binds, target);
    for (size_t i = host->mounts.count; i-- > 0;) {
        _cleanup_free_ char *theirs = path_clean(RECORD_AT(host->mounts, struct mount_request, i)->target);
        if (string_equal(theirs, target))
            record_list_remove(&host->mounts, &mount_request_type, i);
    }
}

static void forget(struct container *container, const struct strlist *targets)
{
    struct container_record *record = &container->record;
    for (size_t i = 0; i < targets->count; i++) {
        struct container_mount gone = {0};
        container_lock(container);
        /* The first: one that was added at the same place is behind it. */
        size_t place = find_mount(record, targets->items[i]);
        const char *key = find_tmpfs(record, targets->items[i]);
        if (key) {
            _cleanup_free_ char *copy = xstrdup(key);
            strmap_remove(&record->host_config.tmpfs, copy);
        } else if (place < record->mounts.count) {
            record_copy(&container_mount_type, &gone, RECORD_AT(record->mounts, struct container_mount, place));
            record_list_remove(&record->mounts, &container_mount_type, place);
        }
        forget_request(&record->host_config, targets->items[i]);
        container_unlock(container);
        if (container->has_volumes && gone.point.type && is_volume(&gone)) {
            volume_unmount(container->engine, gone.point.name, record->id);
            container_event_volume(container, &gone.point, false);
        }
        record_release(&container_mount_type, &gone);
    }
}

static void remember_requests(struct container *container, const struct record_list *requests)
{
    container_lock(container);
    struct record_list *own = &container->record.host_config.mounts;
    for (size_t i = 0; i < requests->count; i++)
        record_copy(&mount_request_type, record_list_add(own, &mount_request_type),
                    RECORD_AT(*requests, struct mount_request, i));
    container_unlock(container);
}

/* --- the whole --- */

static bool is_going(struct container *container)
{
    container_lock(container);
    bool is_going = container->status == STATUS_REMOVING || container->status == STATUS_DEAD;
    container_unlock(container);
    return is_going;
}

/* The mounts as the record has them, with the folders of their volumes. */
static bool prepare_volumes(struct container *container, size_t first, struct record_list *added, struct error *err)
{
    for (size_t i = 0; i < added->count; i++) {
        struct container_mount *mount = RECORD_AT(container->record.mounts, struct container_mount, first + i);
        if (!volume_prepare(container, mount, err))
            return false;
        string_replace(&RECORD_AT(*added, struct container_mount, i)->point.source, mount->point.source);
    }
    return true;
}

/* Nothing came of it: anonymous volumes that were made for it go again. */
static bool give_up(struct container *container, const struct record_list *added)
{
    drop_last(container, added->count);
    for (size_t i = 0; i < added->count; i++) {
        const struct container_mount *mount = RECORD_AT(*added, struct container_mount, i);
        if (mount->is_anonymous)
            volume_remove_last(container->engine, mount->point.name, container->record.id, NULL);
    }
    return false;
}

static bool carry_out(struct container *container, struct record_list *added, const struct record_list *requests,
                      struct strlist *targets, struct error *err)
{
    size_t first = container->record.mounts.count;
    append(container, added);
    if (!prepare_volumes(container, first, added, err) || !mount_volumes(container, added, err))
        return give_up(container, added);
    if (!change_namespace(container, added, targets, err)) {
        unmount_first(container, added, added->count);
        return give_up(container, added);
    }
    forget(container, targets);
    remember_requests(container, requests);
    for (size_t i = 0; i < added->count && container->has_volumes; i++)
        container_event_volume(container, &RECORD_AT(*added, struct container_mount, i)->point, true);
    return container_save(container, DURABLE, err);
}

bool mounts_update(struct container *container, const struct record_list *added, const struct strlist *removed,
                   struct error *err)
{
    if (!added->count && !removed->count)
        return true;
    if (is_going(container))
        return error_set(err, ERROR_INTERNAL, "container is marked for removal and cannot be \"update\"");
    struct record_list mounts = {0};
    _cleanup_strlist_ struct strlist targets = {0};
    bool is_done = read_removed(&container->record, removed, &targets, err) &&
                   mounts_collect_more(&container->record, added, &targets, &mounts, err);
    is_done = is_done && mounts_find_images(container->engine, &mounts, err) &&
              mounts_keep_images(container->engine, container->record.id, &mounts, err);
    for (size_t i = 0; i < mounts.count && is_done; i++)
        volume_name(RECORD_AT(mounts, struct container_mount, i));
    is_done = is_done && carry_out(container, &mounts, added, &targets, err);
    record_list_release(&mounts, &container_mount_type);
    return is_done;
}
