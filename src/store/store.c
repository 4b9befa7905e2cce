#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/internal.h"

/* Makes <data-root>/<path> where it is missing, and opens it. */
static bool open_directory(struct store *store, const char *path, mode_t mode, int *fd, struct error *err)
{
    _cleanup_free_ char *whole = path_join(store->data_root, path);
    if (!directory_make(whole, mode, err))
        return false;
    *fd = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 || error_errno(err, "open %s", whole);
}

struct store *store_open(const char *data_root, struct error *err)
{
    struct store *store = NEW(struct store);
    store->content = store->layers = store->containers = store->temporary = -1;
    pthread_mutex_init(&store->hold_lock, NULL);
    store->data_root = path_clean(data_root);
    _cleanup_free_ char *database = path_join(store->data_root, "wherry.db");
    /* The database comes first: it keeps a second engine from clearing what this one is making. */
    bool is_open = directory_make(store->data_root, 0710, err) && (store->database = database_open(database, err)) &&
                   open_directory(store, "content/sha256", 0700, &store->content, err) &&
                   open_directory(store, "layers", 0710, &store->layers, err) &&
                   open_directory(store, "containers", 0710, &store->containers, err) &&
                   open_directory(store, "tmp", 0700, &store->temporary, err) && store_recover(store, err);
    if (!is_open) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    database_close(store->database);
    close_fd(store->content);
    close_fd(store->layers);
    close_fd(store->containers);
    close_fd(store->temporary);
    pthread_mutex_destroy(&store->hold_lock);
    free(store->data_root);
    free(store);
}

struct database *store_database(struct store *store)
{
    return store->database;
}

void store_hold(struct store *store)
{
    pthread_mutex_lock(&store->hold_lock);
    store->holds++;
    pthread_mutex_unlock(&store->hold_lock);
}

void store_release(struct store *store)
{
    pthread_mutex_lock(&store->hold_lock);
    bool wants_collection = --store->holds == 0 && store->wants_collection;
    pthread_mutex_unlock(&store->hold_lock);
    struct error err = ERROR_INIT;
    if (wants_collection && !layer_collect(store, &err))
        log_and_release(LOG_LEVEL_WARNING, &err, "removing unused layers");
}

bool store_sync(struct store *store, struct error *err)
{
    /* syncfs needs a descriptor that is open for reading. */
    _cleanup_close_ int fd = openat(store->temporary, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0)
        return error_errno(err, "sync %s", store->data_root);
    return true;
}

char *store_temporary_name(struct store *store, const char *kind)
{
    return xasprintf("%s-%llu", kind, (unsigned long long)atomic_fetch_add(&store->temporary_count, 1));
}

const char *digest_hex(const char *digest)
{
    if (!digest || !string_starts_with(digest, "sha256:"))
        return NULL;
    const char *hex = digest + strlen("sha256:");
    return strspn(hex, "0123456789abcdef") == 64 && !hex[64] ? hex : NULL;
}
