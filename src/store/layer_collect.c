/* What nothing refers to any more goes away: rows first, then the names of the files, then the files. A crash in
   between leaves files without rows, which the next start removes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/build_cache.h"
#include "store/internal.h"

static bool delete_rows(struct database *database, struct strlist *diff_ids, struct error *err)
{
    static const char find[] = SQL_UNUSED_LAYERS;
    static const char delete[] = "DELETE FROM layers WHERE diff_id = ?";
    sqlite3_stmt *statement = database_statement(database, find, err);
    if (!statement)
        return false;
    int state;
    while ((state = database_step(database, statement, err)) == 1)
        strlist_add(diff_ids, (const char *)sqlite3_column_text(statement, 0));
    for (size_t i = 0; state == 0 && i < diff_ids->count; i++) {
        statement = database_statement(database, delete, err);
        if (!statement)
            return false;
        sqlite3_bind_text(statement, 1, diff_ids->items[i], -1, SQLITE_STATIC);
        state = database_step(database, statement, err);
    }
    return state == 0;
}

typedef bool (*name_function)(struct store *store, const char *name, struct error *err);

/* Calls `function` for every name in the folder; names are gathered first, as it may remove them. */
static bool for_each_name(struct store *store, int folder, name_function function, struct error *err)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_errno(err, "read a folder of %s", store->data_root);
        close_fd(fd);
        return false;
    }
    _cleanup_strlist_ struct strlist names = {0};
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_add(&names, entry->d_name);
    }
    closedir(stream);
    for (size_t i = 0; i < names.count; i++) {
        if (!function(store, names.items[i], err))
            return false;
    }
    return true;
}

/* Inside a transaction. 1: a row, 0: none, -1: error. */
static int is_referenced(struct store *store, const char *sql, const char *name, struct error *err)
{
    sqlite3_stmt *statement = database_statement(store->database, sql, err);
    if (!statement)
        return -1;
    char digest[128];
    snprintf(digest, sizeof(digest), "sha256:%s", name);
    sqlite3_bind_text(statement, 1, digest, -1, SQLITE_STATIC);
    int state = database_step(store->database, statement, err);
    sqlite3_reset(statement);
    return state;
}

static bool keep_or_remove_blob(struct store *store, const char *name, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM (" SQL_USED_BLOBS ") WHERE digest = ?1 LIMIT 1";
    int state = is_referenced(store, sql, name, err);
    if (state == 0 && unlinkat(store->content, name, 0) < 0 && errno != ENOENT)
        return error_errno(err, "unlink %s/content/sha256/%s", store->data_root, name);
    return state >= 0;
}

static bool retire_folder(struct store *store, const char *name, struct strlist *retired, struct error *err)
{
    _cleanup_free_ char *temporary = store_temporary_name(store, "removed");
    if (renameat(store->layers, name, store->temporary, temporary) == 0)
        strlist_take(retired, TAKE_PTR(temporary));
    else if (errno != ENOENT)
        return error_errno(err, "rename %s/layers/%s", store->data_root, name);
    return true;
}

static bool keep_or_retire_folder(struct store *store, const char *name, struct error *err)
{
    static const char sql[] = "SELECT 1 FROM layers WHERE diff_id = ?";
    int state = is_referenced(store, sql, name, err);
    _cleanup_strlist_ struct strlist retired = {0};
    return state == 0 ? retire_folder(store, name, &retired, err) : state == 1;
}

static bool remove_temporary(struct store *store, const char *name, struct error *err)
{
    return tree_remove(store->temporary, name, err);
}

/* *retired are the folders within tmp that are left to remove. */
static bool collect(struct store *store, struct strlist *retired, struct error *err)
{
    _cleanup_strlist_ struct strlist diff_ids = {0};
    if (!database_begin(store->database, DURABLE, err))
        return false;
    bool is_done = delete_rows(store->database, &diff_ids, err);
    if (!database_end(store->database, is_done, err) || !is_done)
        return false;
    for (size_t i = 0; i < diff_ids.count; i++) {
        if (!retire_folder(store, digest_hex(diff_ids.items[i]), retired, err))
            return false;
    }
    if (!database_begin(store->database, NOT_DURABLE, err))
        return false;
    is_done = for_each_name(store, store->content, keep_or_remove_blob, err);
    return database_end(store->database, is_done, err) && is_done;
}

bool layer_collect(struct store *store, struct error *err)
{
    _cleanup_strlist_ struct strlist retired = {0};
    pthread_mutex_lock(&store->hold_lock);
    /* What comes in just now is not referred to yet: the last one to release the store collects. */
    store->wants_collection = store->holds > 0;
    bool is_done = store->wants_collection || collect(store, &retired, err);
    pthread_mutex_unlock(&store->hold_lock);
    /* The trees themselves take time, and nobody sees them any more. */
    for (size_t i = 0; i < retired.count; i++)
        is_done = tree_remove(store->temporary, retired.items[i], err) && is_done;
    return is_done;
}

bool store_recover(struct store *store, struct error *err)
{
    _cleanup_strlist_ struct strlist retired = {0};
    if (!build_cache_recover(store, err) || !database_begin(store->database, NOT_DURABLE, err))
        return false;
    bool is_done = for_each_name(store, store->layers, keep_or_retire_folder, err);
    if (!database_end(store->database, is_done, err) || !is_done)
        return false;
    return collect(store, &retired, err) && for_each_name(store, store->temporary, remove_temporary, err);
}
