/* Uploads: their bytes, and their digest as far as it is known. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "distribution/content_internal.h"
#include "oci/reference.h"
#include "store/digest.h"

#define RECORD_SUFFIX ".name"
#define WRITE_BEHIND  ((int64_t)8 << 20) /* bytes after which the disk is given something to do */
#define READ_SIZE     ((size_t)256 << 10)
#define MAX_RECORD    ((size_t)4096)
#define MAX_UPLOADS   10000

static void upload_free(struct upload *upload)
{
    close_fd(upload->fd);
    digester_free(upload->digester);
    free(upload->repository);
    free(upload);
}

static void unlink_files(struct content *content, const char *id)
{
    char record[UPLOAD_ID_LENGTH + sizeof(RECORD_SUFFIX)];
    snprintf(record, sizeof(record), "%s" RECORD_SUFFIX, id);
    unlinkat(content->uploads, record, 0);
    unlinkat(content->uploads, id, 0);
}

static void list_add(struct content *content, struct upload *upload)
{
    pthread_mutex_lock(&content->lock);
    upload->next = content->list;
    content->list = upload;
    content->count++;
    pthread_mutex_unlock(&content->lock);
}

/* Under the lock. */
static void list_remove(struct content *content, const struct upload *upload)
{
    struct upload **place = &content->list;
    while (*place && *place != upload)
        place = &(*place)->next;
    if (*place) {
        *place = upload->next;
        content->count--;
    }
}

struct upload *upload_begin(struct content *content, const char *repository, struct error *err)
{
    char id[ID_LENGTH + 1];
    if (uploads_count(content) >= MAX_UPLOADS) {
        error_set(err, ERROR_UNAVAILABLE, "too many uploads are under way");
        return NULL;
    }
    struct upload *upload = NEW(struct upload);
    id_generate(id);
    memcpy(upload->id, id, UPLOAD_ID_LENGTH);
    upload->repository = xstrdup(repository);
    upload->is_busy = true;
    upload->used = clock_now();
    upload->digester = digester_new();
    upload->fd = openat(content->uploads, upload->id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (upload->fd < 0) {
        error_errno(err, "create %s/uploads/%s", content->root, upload->id);
        upload_free(upload);
        return NULL;
    }
    list_add(content, upload);
    return upload;
}

struct upload *upload_enter(struct content *content, const char *repository, const char *id, struct error *err)
{
    pthread_mutex_lock(&content->lock);
    struct upload *upload = content->list;
    while (upload && (strcmp(upload->id, id) != 0 || strcmp(upload->repository, repository) != 0))
        upload = upload->next;
    bool is_free = upload && !upload->is_busy;
    if (is_free) {
        upload->is_busy = true;
        upload->used = clock_now();
    }
    pthread_mutex_unlock(&content->lock);
    if (is_free && (upload->fd = openat(content->uploads, upload->id, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) >= 0)
        return upload;
    if (is_free) {
        error_errno(err, "open %s/uploads/%s", content->root, upload->id);
        upload_leave(content, upload, NULL);
        return NULL;
    }
    if (upload)
        error_set(err, ERROR_CONFLICT, "blob upload in use by another request");
    else
        error_set(err, ERROR_NOT_FOUND, "blob upload unknown to registry");
    return NULL;
}

/* The digest of what an earlier server has received. */
static bool catch_up(struct content *content, struct upload *upload, struct error *err)
{
    if (!upload->digester)
        upload->digester = digester_new();
    if (upload->hashed == upload->size)
        return true;
    _cleanup_free_ char *data = xmalloc(READ_SIZE);
    while (upload->hashed < upload->size) {
        size_t wanted = (size_t)MIN(upload->size - upload->hashed, (int64_t)READ_SIZE);
        ssize_t count = pread(upload->fd, data, wanted, upload->hashed);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return error_errno_value(err, count ? errno : EIO, "read %s/uploads/%s", content->root, upload->id);
        digester_add(upload->digester, data, (size_t)count);
        upload->hashed += count;
    }
    return true;
}

bool upload_write(struct content *content, struct upload *upload, const void *data, size_t length, struct error *err)
{
    if (!catch_up(content, upload, err))
        return false;
    const char *at = data;
    for (size_t left = length; left > 0;) {
        ssize_t count = pwrite(upload->fd, at, left, upload->size + (at - (const char *)data));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            int cause = errno;
            if (ftruncate(upload->fd, upload->size) < 0)
                cause = errno;
            return error_errno_value(err, cause, "write %s/uploads/%s", content->root, upload->id);
        }
        at += count;
        left -= (size_t)count;
    }
    digester_add(upload->digester, data, length);
    upload->size += (int64_t)length;
    upload->hashed = upload->size;
    if (upload->size - upload->started >= WRITE_BEHIND) {
        /* So that the fsync at the end has little left to wait for. */
        sync_file_range(upload->fd, upload->started, upload->size - upload->started, SYNC_FILE_RANGE_WRITE);
        upload->started = upload->size;
    }
    return true;
}

char *upload_seal(struct content *content, struct upload *upload, struct error *err)
{
    if (!catch_up(content, upload, err))
        return NULL;
    if (fsync(upload->fd) < 0) {
        error_errno(err, "fsync %s/uploads/%s", content->root, upload->id);
        return NULL;
    }
    char *digest = digester_finish(upload->digester);
    digester_free(TAKE_PTR(upload->digester));
    upload->hashed = 0;
    return digest;
}

bool upload_place(struct content *content, struct upload *upload, const char *digest, struct error *err)
{
    if (renameat(content->uploads, upload->id, content->blobs, digest + strlen("sha256:")) < 0)
        return error_errno(err, "rename %s/uploads/%s", content->root, upload->id);
    return true;
}

static bool record(struct content *content, struct upload *upload, struct error *err)
{
    char name[UPLOAD_ID_LENGTH + sizeof(RECORD_SUFFIX)];
    snprintf(name, sizeof(name), "%s" RECORD_SUFFIX, upload->id);
    upload->is_recorded = file_write_text(content->uploads, name, upload->repository, 0640, err);
    return upload->is_recorded;
}

bool upload_leave(struct content *content, struct upload *upload, struct error *err)
{
    bool is_done = upload->is_recorded || upload->size == 0 || record(content, upload, err);
    upload->fd = close_fd(upload->fd); /* one that nobody goes on with costs no descriptor */
    pthread_mutex_lock(&content->lock);
    upload->used = clock_now();
    upload->is_busy = false;
    pthread_mutex_unlock(&content->lock);
    return is_done;
}

void upload_remove(struct content *content, struct upload *upload)
{
    pthread_mutex_lock(&content->lock);
    list_remove(content, upload);
    pthread_mutex_unlock(&content->lock);
    unlink_files(content, upload->id);
    upload_free(upload);
}

size_t uploads_expire(struct content *content, unix_nano before)
{
    size_t count = 0;
    for (;;) {
        pthread_mutex_lock(&content->lock);
        struct upload *upload = content->list;
        while (upload && (upload->is_busy || upload->used >= before))
            upload = upload->next;
        if (upload)
            upload->is_busy = true;
        pthread_mutex_unlock(&content->lock);
        if (!upload)
            return count;
        upload_remove(content, upload);
        count++;
    }
}

size_t uploads_count(struct content *content)
{
    pthread_mutex_lock(&content->lock);
    size_t count = content->count;
    pthread_mutex_unlock(&content->lock);
    return count;
}

void uploads_release(struct content *content)
{
    while (content->list) {
        struct upload *upload = content->list;
        content->list = upload->next;
        if (!upload->is_recorded && upload->size == 0)
            unlink_files(content, upload->id);
        upload_free(upload);
    }
}

/* --- after a restart --- */

static bool is_upload_id(const char *name)
{
    return strlen(name) == UPLOAD_ID_LENGTH && strspn(name, "0123456789abcdef") == UPLOAD_ID_LENGTH;
}

static struct upload *find_one(struct content *content, const char *id)
{
    char name[UPLOAD_ID_LENGTH + sizeof(RECORD_SUFFIX)];
    snprintf(name, sizeof(name), "%.32s" RECORD_SUFFIX, id);
    _cleanup_strbuf_ struct strbuf repository = STRBUF_INIT;
    struct stat status;
    _cleanup_close_ int fd = openat(content->uploads, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) < 0 || !file_read(content->uploads, name, MAX_RECORD, &repository, NULL) ||
        !repository_name_is_valid(strbuf_text(&repository)))
        return NULL;
    struct upload *upload = NEW(struct upload);
    *upload = (struct upload){.repository = strbuf_take(&repository),
                              .size = status.st_size,
                              .fd = -1,
                              .is_recorded = true,
                              .used = status.st_mtim.tv_sec * NANOSECONDS_PER_SECOND + status.st_mtim.tv_nsec};
    memcpy(upload->id, id, UPLOAD_ID_LENGTH);
    return upload;
}

bool uploads_find(struct content *content, struct error *err)
{
    _cleanup_close_ int fd = openat(content->uploads, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder)
        return error_errno(err, "open %s/uploads", content->root);
    (void)TAKE_FD(fd); /* closedir's */
    _cleanup_strlist_ struct strlist lost = {0};
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (!is_upload_id(entry->d_name)) {
            /* A record whose upload became a blob. */
            if (string_ends_with(entry->d_name, RECORD_SUFFIX)) {
                _cleanup_free_ char *id = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(RECORD_SUFFIX));
                if (is_upload_id(id) && faccessat(content->uploads, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                    strlist_add(&lost, id);
            }
            continue;
        }
        struct upload *upload = find_one(content, entry->d_name);
        if (upload)
            list_add(content, upload);
        else
            strlist_add(&lost, entry->d_name);
    }
    closedir(folder);
    for (size_t i = 0; i < lost.count; i++)
        unlink_files(content, lost.items[i]);
    return true;
}
