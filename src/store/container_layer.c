#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/internal.h"

static bool is_name(const char *id)
{
    return string_is_set(id) && *id != '.' && !strchr(id, '/') && strlen(id) <= NAME_MAX;
}

/* No fsync: the engine's record of the container decides whether it exists, and whoever starts it finds empty folders.
 */
bool container_layer_create(struct store *store, const char *container_id, struct error *err)
{
    if (!is_name(container_id))
        return error_set(err, ERROR_INVALID, "invalid container id: %s", string_or_empty(container_id));
    if (mkdirat(store->containers, container_id, 0710) < 0 && errno != EEXIST)
        return error_errno(err, "mkdir %s/containers/%s", store->data_root, container_id);
    _cleanup_close_ int folder = openat(store->containers, container_id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return error_errno(err, "open %s/containers/%s", store->data_root, container_id);
    /* The merged root folder has upper's mode, whatever our umask. */
    if ((mkdirat(folder, "upper", 0755) < 0 || fchmodat(folder, "upper", 0755, 0) < 0) ||
        mkdirat(folder, "work", 0700) < 0) {
        error_errno(err, "mkdir %s/containers/%s/{upper,work}", store->data_root, container_id);
        if (!err || err->errno_value != EEXIST)
            tree_remove(store->containers, container_id, NULL);
        return false;
    }
    return true;
}

static bool forget_layers(struct store *store, const char *container_id, struct error *err)
{
    static const char sql[] = "DELETE FROM container_layers WHERE container_id = ?";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    bool is_done = statement;
    if (is_done) {
        sqlite3_bind_text(statement, 1, container_id, -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, err) && is_done;
}

bool container_layer_use_image(struct store *store, const char *container_id, const char *image_id, struct error *err)
{
    static const char sql[] = "INSERT OR IGNORE INTO container_layers (container_id, diff_id) "
                              "SELECT ?, diff_id FROM image_layers WHERE image_id = ?";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    bool is_done = statement;
    if (is_done) {
        sqlite3_bind_text(statement, 1, container_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, image_id, -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, err) && is_done;
}

bool container_layer_use(struct store *store, const char *container_id, const struct strlist *diff_ids,
                         struct error *err)
{
    static const char sql[] = "INSERT OR IGNORE INTO container_layers (container_id, diff_id) VALUES (?, ?)";
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_done = true;
    for (size_t i = 0; i < diff_ids->count && is_done; i++) {
        sqlite3_stmt *statement = database_statement(store->database, sql, err);
        is_done = statement;
        if (!is_done)
            break;
        sqlite3_bind_text(statement, 1, container_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, diff_ids->items[i], -1, SQLITE_STATIC);
        is_done = database_step(store->database, statement, err) == 0;
    }
    return database_end(store->database, is_done, is_done ? err : NULL) && is_done;
}

bool container_layer_discard(struct store *store, const char *container_id, char **remains, struct error *err)
{
    *remains = NULL;
    if (!is_name(container_id))
        return error_set(err, ERROR_INVALID, "invalid container id: %s", string_or_empty(container_id));
    /* Out of sight in one step, so that a crash leaves either a whole container or none. */
    _cleanup_free_ char *temporary = store_temporary_name(store, "container");
    if (renameat(store->containers, container_id, store->temporary, temporary) == 0)
        *remains = TAKE_PTR(temporary);
    else if (errno != ENOENT)
        return error_errno(err, "rename %s/containers/%s", store->data_root, container_id);
    return forget_layers(store, container_id, err);
}

bool container_layer_remove_remains(struct store *store, const char *remains, struct error *err)
{
    return !remains || tree_remove(store->temporary, remains, err);
}

bool container_layer_remove(struct store *store, const char *container_id, struct error *err)
{
    _cleanup_free_ char *remains = NULL;
    return container_layer_discard(store, container_id, &remains, err) &&
           container_layer_remove_remains(store, remains, err);
}
