#include "engine/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/copy_up.h"
#include "engine/engine_state.h"
#include "engine/volume.h"
#include "json/json_record.h"

static bool is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    size_t names = 0;
    while (readdir(folder))
        names++;
    closedir(folder);
    return names <= 2;
}

static bool is_volume(const struct container_mount *mount)
{
    return string_equal(mount->point.type, "volume");
}

void volume_name(struct container_mount *mount)
{
    char id[ID_LENGTH + 1];
    if (!is_volume(mount) || mount->point.name)
        return;
    id_generate(id);
    mount->point.name = xstrdup(id);
}

void volumes_name(struct container_record *record)
{
    for (size_t i = 0; i < record->mounts.count; i++)
        volume_name(RECORD_AT(record->mounts, struct container_mount, i));
}

/* From the image, while it is empty; at its place in the image's layers. */
static bool fill(const struct container *container, const struct container_mount *mount, struct error *err)
{
    struct engine *engine = container->engine;
    const char *name = mount->point.name, *id = container->record.id;
    _cleanup_free_ char *folder = NULL;
    if (!volume_mount(engine, name, id, &folder, err))
        return false;
    bool is_good = true;
    if (is_empty_folder(folder)) {
        _cleanup_strlist_ struct strlist layers = {0};
        container_lower_folders(&container->record, engine->store, &layers);
        is_good = copy_up(&layers, mount->point.destination, folder, err) ||
                  error_prefix(err, "failed to fill volume %s", name);
    }
    volume_unmount(engine, name, id);
    return is_good;
}

bool volume_prepare(struct container *container, struct container_mount *mount, struct error *err)
{
    if (!is_volume(mount))
        return true;
    struct volume_request request = {.name = mount->point.name,
                                     .driver = mount->point.driver,
                                     .options = mount->volume_options,
                                     .labels = mount->volume_labels};
    _cleanup_json_ json_t *volume = volume_create(container->engine, &request, err);
    if (!volume)
        return false;
    container_lock(container);
    string_replace(&mount->point.source, json_string_value(json_object_get(volume, "Mountpoint")));
    container_unlock(container);
    return !mount->wants_copy || fill(container, mount, err);
}

bool volumes_prepare(struct container *container, struct error *err)
{
    struct container_record *record = &container->record;
    for (size_t i = 0; i < record->mounts.count; i++)
        if (!volume_prepare(container, RECORD_AT(record->mounts, struct container_mount, i), err))
            return false;
    return true;
}

void volumes_remove_anonymous(struct container *container)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        struct error err = ERROR_INIT;
        if (mount->is_anonymous && mount->point.name &&
            !volume_remove_last(container->engine, mount->point.name, container->record.id, &err))
            log_and_release(LOG_LEVEL_WARNING, &err, "cannot remove volume %s", mount->point.name);
    }
}

static void unmount_first(struct container *container, size_t count)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = count; i-- > 0;) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (is_volume(mount))
            volume_unmount(container->engine, mount->point.name, container->record.id);
    }
}

bool volumes_mount(struct container *container, struct error *err)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count && !container->has_volumes; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        _cleanup_free_ char *folder = NULL;
        if (is_volume(mount) &&
            !volume_mount(container->engine, mount->point.name, container->record.id, &folder, err)) {
            unmount_first(container, i);
            return false;
        }
    }
    container->has_volumes = true;
    return true;
}

void volumes_unmount(struct container *container)
{
    if (container->has_volumes)
        unmount_first(container, container->record.mounts.count);
    container->has_volumes = false;
}

void volumes_readopt(struct container *container)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (is_volume(mount))
            volume_readopt(container->engine, mount->point.name, container->record.id);
    }
    container->has_volumes = true;
}
