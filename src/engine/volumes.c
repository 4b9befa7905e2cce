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

bool volumes_prepare(struct engine *engine, struct container_record *record, struct error *err)
{
    for (size_t i = 0; i < record->mounts.count; i++) {
        struct container_mount *mount = RECORD_AT(record->mounts, struct container_mount, i);
        if (!string_equal(mount->point.type, "volume"))
            continue;
        if (!mount->point.name) {
            char id[ID_LENGTH + 1];
            id_generate(id);
            mount->point.name = xstrdup(id);
        }
        free(mount->point.source);
        mount->point.source = xasprintf("%s/volumes/%s/_data", engine->options.data_root, mount->point.name);
        bool is_new = access(mount->point.source, F_OK) < 0;
        if (!directory_make(mount->point.source, 0755, err))
            return false;
        if (is_new)
            event_emit_pairs(engine, "volume", "create", mount->point.name, "driver", "local", NULL);
        if (mount->wants_copy && is_empty_folder(mount->point.source)) {
            _cleanup_strlist_ struct strlist layers = {0};
            container_lower_folders(record, engine->store, &layers);
            if (!copy_up(&layers, mount->point.destination, mount->point.source, err))
                return error_prefix(err, "failed to fill volume %s", mount->point.name);
        }
    }
    return true;
}

static bool is_used_elsewhere(struct engine *engine, const struct container *container, const char *name)
{
    bool is_used = false;
    size_t count;
    struct container **all = container_snapshot(engine, &count);
    for (size_t i = 0; i < count && !is_used; i++)
        for (size_t j = 0; all[i] != container && j < all[i]->record.mounts.count && !is_used; j++)
            is_used = string_equal(RECORD_AT(all[i]->record.mounts, struct container_mount, j)->point.name, name);
    container_snapshot_release(all, count);
    return is_used;
}

void volumes_remove_anonymous(struct engine *engine, const struct container *container)
{
    const struct record_list *mounts = &container->record.mounts;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct container_mount *mount = RECORD_AT(*mounts, struct container_mount, i);
        if (!mount->is_anonymous || !mount->point.name || is_used_elsewhere(engine, container, mount->point.name))
            continue;
        struct error err = ERROR_INIT;
        _cleanup_free_ char *path = xasprintf("%s/volumes/%s", engine->options.data_root, mount->point.name);
        if (!tree_remove(AT_FDCWD, path, &err))
            log_and_release(LOG_LEVEL_WARNING, &err, "cannot remove volume %s", mount->point.name);
        else
            event_emit_pairs(engine, "volume", "destroy", mount->point.name, "driver", "local", NULL);
    }
}
