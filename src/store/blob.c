#include "store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/digest.h"
#include "store/internal.h"

struct blob_writer {
    struct store *store;
    char *name; /* within tmp; NULL once it has its final one */
    int fd;
    struct digester *digester;
    int64_t size;
};

struct blob_writer *blob_begin(struct store *store, struct error *err)
{
    _cleanup_free_ char *name = store_temporary_name(store, "blob");
    int fd = openat(store->temporary, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_errno(err, "create %s/tmp/%s", store->data_root, name);
        return NULL;
    }
    struct blob_writer *writer = NEW(struct blob_writer);
    *writer = (struct blob_writer){.store = store, .name = TAKE_PTR(name), .fd = fd, .digester = digester_new()};
    return writer;
}

bool blob_write(struct blob_writer *writer, const void *data, size_t length, struct error *err)
{
    if (write_full(writer->fd, data, length) < 0)
        return error_errno(err, "write %s/tmp/%s", writer->store->data_root, writer->name);
    digester_add(writer->digester, data, length);
    writer->size += (int64_t)length;
    return true;
}

bool blob_restart(struct blob_writer *writer, struct error *err)
{
    if (ftruncate(writer->fd, 0) < 0 || lseek(writer->fd, 0, SEEK_SET) < 0)
        return error_errno(err, "truncate %s/tmp/%s", writer->store->data_root, writer->name);
    digester_free(writer->digester);
    writer->digester = digester_new();
    writer->size = 0;
    return true;
}

void blob_abandon(struct blob_writer *writer)
{
    if (!writer)
        return;
    if (writer->name)
        unlinkat(writer->store->temporary, writer->name, 0);
    close_fd(writer->fd);
    digester_free(writer->digester);
    free(writer->name);
    free(writer);
}

static bool finish(struct blob_writer *writer, bool is_synced, char **digest, int64_t *size, struct error *err)
{
    struct store *store = writer->store;
    _cleanup_free_ char *computed = digester_finish(writer->digester);
    if (is_synced && fsync(writer->fd) < 0)
        return error_errno(err, "fsync %s/tmp/%s", store->data_root, writer->name);
    /* The same content may be there already: replacing it is harmless, and mends a copy that was not synced. */
    if (renameat(store->temporary, writer->name, store->content, digest_hex(computed)) < 0)
        return error_errno(err, "rename blob %s", computed);
    free(TAKE_PTR(writer->name));
    _cleanup_close_ int folder = is_synced ? openat(store->content, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (is_synced && (folder < 0 || fsync(folder) < 0))
        return error_errno(err, "fsync %s/content/sha256", store->data_root);
    *digest = TAKE_PTR(computed);
    if (size)
        *size = writer->size;
    return true;
}

bool blob_finish(struct blob_writer *writer, char **digest, int64_t *size, struct error *err)
{
    bool is_done = finish(writer, true, digest, size, err);
    blob_abandon(writer);
    return is_done;
}

bool blob_finish_unsynced(struct blob_writer *writer, char **digest, int64_t *size, struct error *err)
{
    bool is_done = finish(writer, false, digest, size, err);
    blob_abandon(writer);
    return is_done;
}

bool blob_put(struct store *store, const void *data, size_t length, char **digest, struct error *err)
{
    struct blob_writer *writer = blob_begin(store, err);
    if (!writer)
        return false;
    if (!blob_write(writer, data, length, err)) {
        blob_abandon(writer);
        return false;
    }
    return blob_finish(writer, digest, NULL, err);
}

int blob_open(struct store *store, const char *digest, int64_t *size, struct error *err)
{
    const char *hex = digest_hex(digest);
    if (!hex) {
        error_set(err, ERROR_INVALID, "invalid digest: %s", string_or_empty(digest));
        return -1;
    }
    _cleanup_close_ int fd = openat(store->content, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        error_set(err, ERROR_NOT_FOUND, "blob %s: not found", digest);
    else if (fd < 0)
        error_errno(err, "open blob %s", digest);
    if (fd < 0)
        return -1;
    struct stat status;
    if (fstat(fd, &status) < 0) {
        error_errno(err, "stat blob %s", digest);
        return -1;
    }
    if (size)
        *size = status.st_size;
    return TAKE_FD(fd);
}

bool blob_read(struct store *store, const char *digest, size_t limit, struct strbuf *out, struct error *err)
{
    int64_t size;
    _cleanup_close_ int fd = blob_open(store, digest, &size, err);
    if (fd < 0)
        return false;
    if ((uint64_t)size > limit)
        return error_set(err, ERROR_TOO_LARGE, "blob %s is larger than %zu bytes", digest, limit);
    size_t length = out->length;
    if (!strbuf_reserve(out, (size_t)size))
        return error_set(err, ERROR_TOO_LARGE, "blob %s is too large", digest);
    ssize_t n = read_full(fd, out->data + length, (size_t)size);
    if (n != size) {
        out->data[length] = '\0';
        return n < 0 ? error_errno(err, "read blob %s", digest)
                     : error_set(err, ERROR_INTERNAL, "blob %s became shorter while it was read", digest);
    }
    out->length = length + (size_t)size;
    out->data[out->length] = '\0';
    return true;
}

void blob_remove(struct store *store, const char *digest)
{
    const char *hex = digest_hex(digest);
    if (hex)
        unlinkat(store->content, hex, 0);
}
