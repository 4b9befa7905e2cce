#include "distribution/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "distribution/content_internal.h"
#include "oci/reference.h"

static const char *hex_of(const char *digest)
{
    return digest_is_valid(digest) ? digest + strlen("sha256:") : NULL;
}

static int open_folder(const char *root, const char *name, struct error *err)
{
    _cleanup_free_ char *path = path_join(root, name);
    if (!directory_make(path, 0750, err))
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_errno(err, "open %s", path);
    return fd;
}

struct content *content_open(const char *root, struct error *err)
{
    struct content *content = NEW(struct content);
    *content = (struct content){.blobs = -1, .uploads = -1};
    pthread_mutex_init(&content->lock, NULL);
    content->root = xstrdup(root);
    content->blobs = open_folder(root, "blobs", err);
    content->uploads = content->blobs < 0 ? -1 : open_folder(root, "uploads", err);
    if (content->uploads >= 0 && directory_sync(root, err) && uploads_find(content, err))
        return content;
    content_close(content);
    return NULL;
}

void content_close(struct content *content)
{
    if (!content)
        return;
    uploads_release(content);
    close_fd(content->blobs);
    close_fd(content->uploads);
    pthread_mutex_destroy(&content->lock);
    free(content->root);
    free(content);
}

int content_open_blob(struct content *content, const char *digest, int64_t *size, struct error *err)
{
    const char *hex = hex_of(digest);
    _cleanup_close_ int fd = hex ? openat(content->blobs, hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    struct stat status;
    if (!hex || (fd < 0 && errno == ENOENT)) {
        error_set(err, ERROR_NOT_FOUND, "blob unknown to registry");
        return -1;
    }
    if (fd < 0 || fstat(fd, &status) < 0) {
        error_errno(err, "open blob %s", digest);
        return -1;
    }
    if (size)
        *size = status.st_size;
    return TAKE_FD(fd);
}

bool content_has_blob(struct content *content, const char *digest, int64_t size)
{
    struct stat status;
    const char *hex = hex_of(digest);
    return hex && fstatat(content->blobs, hex, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_size == size;
}

bool content_read_blob(struct content *content, const char *digest, size_t limit, struct strbuf *out, struct error *err)
{
    int64_t size;
    _cleanup_close_ int fd = content_open_blob(content, digest, &size, err);
    if (fd < 0)
        return false;
    if ((uint64_t)size > limit || !strbuf_reserve(out, (size_t)size))
        return error_set(err, ERROR_TOO_LARGE, "blob %s is larger than %zu bytes", digest, limit);
    ssize_t count = read_full(fd, out->data + out->length, (size_t)size);
    if (count >= 0)
        out->length += (size_t)count;
    out->data[out->length] = '\0';
    return count == size || error_errno(err, "read blob %s", digest);
}

void content_remove_blob(struct content *content, const char *digest)
{
    const char *hex = hex_of(digest);
    if (hex)
        unlinkat(content->blobs, hex, 0);
}

bool content_sync(struct content *content, struct error *err)
{
    return fsync(content->blobs) == 0 || error_errno(err, "fsync %s/blobs", content->root);
}

bool content_each_blob(struct content *content, unix_nano before, bool (*take)(void *context, const char *digest),
                       void *context, struct error *err)
{
    _cleanup_close_ int fd = openat(content->blobs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder)
        return error_errno(err, "open %s/blobs", content->root);
    (void)TAKE_FD(fd); /* closedir's */
    bool goes_on = true;
    for (const struct dirent *entry; goes_on && (entry = readdir(folder));) {
        struct stat status;
        if (!is_hex_id(entry->d_name) || fstatat(content->blobs, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        unix_nano written = status.st_ctim.tv_sec * NANOSECONDS_PER_SECOND + status.st_ctim.tv_nsec;
        char digest[sizeof("sha256:") + 64];
        snprintf(digest, sizeof(digest), "sha256:%.64s", entry->d_name);
        if (written < before)
            goes_on = take(context, digest);
    }
    closedir(folder);
    return goes_on;
}
