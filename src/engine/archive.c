/* Copies to and from containers. Every path is resolved in the container's root by the kernel, so that a container that
   exchanges links meanwhile leads nobody out of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "archive/pack.h"
#include "archive/unpack.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/files.h"
#include "engine/view.h"
#include "runtime/user.h"
#include "store/decompress.h"

#define USER_FILE_LIMIT ((size_t)16 << 20)
#define LINKS_MAX       255 /* on one path: Docker's own number */

struct container_files {
    struct view view;
    char *reference; /* as the user wrote it: for messages */
};

void path_status_release(struct path_status *status)
{
    free(status->name);
    free(status->link_target);
    *status = (struct path_status){0};
}

struct container_files *container_files_open(struct engine *engine, const char *reference, struct error *err)
{
    struct view view = VIEW_INIT;
    if (!view_open(engine, reference, true, &view, err))
        return NULL;
    struct container_files *files = NEW(struct container_files);
    files->view = view;
    files->reference = xstrdup(reference);
    return files;
}

void container_files_close(struct container_files *files)
{
    view_close(&files->view);
    free(files->reference);
    free(files);
}

/* --- paths --- */

static bool ends_with_dot(const char *path)
{
    return strcmp(path_base(path), ".") == 0;
}

/* An absolute path that keeps its trailing slash or dot. */
static char *absolute_path(const char *path)
{
    if (*path == '/')
        return xstrdup(path);
    _cleanup_free_ char *rooted = xasprintf("/%s", path), *clean = path_clean(rooted);
    bool has_end = string_ends_with(clean, "/");
    if (ends_with_dot(path))
        return xasprintf("%s%s.", clean, has_end ? "" : "/");
    return xasprintf("%s%s", clean, !has_end && string_ends_with(path, "/") ? "/" : "");
}

/* filepath.Base */
static char *base_name(const char *path)
{
    _cleanup_free_ char *trimmed = xstrdup(path);
    size_t length = strlen(trimmed);
    while (length > 1 && trimmed[length - 1] == '/')
        trimmed[--length] = '\0';
    return xstrdup(strcmp(trimmed, "/") == 0 ? "/" : path_base(trimmed));
}

static bool fail_path(const struct container_files *files, const char *path, const char *call, struct error *err)
{
    if (errno == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "Could not find the file %s in container %s", path, files->reference);
    return error_errno(err, "%s %s", call, path);
}

/* The text of the link at `path`, or NULL where there is none. */
static char *read_link(int root, const char *path)
{
    _cleanup_close_ int fd = open_in_root(root, path, O_PATH | O_NOFOLLOW, 0);
    char target[4097];
    ssize_t length = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
    return length < 0 ? NULL : xstrndup(target, (size_t)length);
}

/* Where a path leads, also where that does not exist: moby's FollowSymlinkInScope. */
static char *follow_links(int root, const char *path, struct error *err)
{
    char *rest = path_clean(path);
    _cleanup_strbuf_ struct strbuf done = STRBUF_INIT;
    for (int n = 0; *rest; n++) {
        if (n > LINKS_MAX) {
            free(rest);
            error_set(err, ERROR_INTERNAL, "evalSymlinksInScope: too many links in %s", path);
            return NULL;
        }
        size_t length = strcspn(rest, "/");
        _cleanup_free_ char *part = xstrndup(rest, length);
        char *next = xstrdup(rest + length + (rest[length] == '/'));
        free(rest);
        rest = next;
        if (!*part)
            continue;
        _cleanup_free_ char *joined = xasprintf("/%s%s", strbuf_text(&done), part), *clean = path_clean(joined);
        if (strcmp(clean, "/") == 0) {
            strbuf_truncate(&done, 0);
            continue;
        }
        _cleanup_free_ char *target = read_link(root, clean);
        if (!target) {
            strbuf_addf(&done, "%s/", part);
            continue;
        }
        if (*target == '/')
            strbuf_truncate(&done, 0);
        next = xasprintf("%s/%s", target, rest);
        free(rest);
        rest = next;
    }
    free(rest);
    _cleanup_free_ char *joined = xasprintf("/%s", strbuf_text(&done));
    return path_clean(joined);
}

bool container_files_stat(struct container_files *files, const char *path, struct path_status *out, struct error *err)
{
    _cleanup_free_ char *absolute = absolute_path(path);
    int root = files->view.mounts.root;
    struct stat status;
    _cleanup_close_ int fd = open_in_root(root, absolute, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail_path(files, path, "lstat", err);
    char *target = S_ISLNK(status.st_mode) ? follow_links(root, absolute, err) : xstrdup("");
    if (!target)
        return false;
    *out = (struct path_status){.name = base_name(absolute), .status = status, .link_target = target};
    return true;
}

bool container_files_read(struct container_files *files, const char *path, struct tar_writer *tar, struct error *err)
{
    _cleanup_free_ char *absolute = absolute_path(path), *name = base_name(absolute);
    int root = files->view.mounts.root;
    _cleanup_(pack_freep) struct pack *pack = pack_new(tar);
    container_event(files->view.container, "archive-path", NULL);
    _cleanup_close_ int folder = open_in_root(root, absolute, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (folder >= 0)
        return pack_add(pack, folder, ".", name, err) && tar_writer_finish(tar, err);
    const char *base = path_base(absolute);
    _cleanup_free_ char *parent = xstrndup(absolute, (size_t)(base - absolute));
    folder = open_in_root(root, parent, O_RDONLY | O_DIRECTORY, 0);
    if (folder < 0)
        return fail_path(files, path, "open", err);
    return pack_add(pack, folder, base, base, err) && tar_writer_finish(tar, err);
}

/* --- the way in --- */

/* Is the path in a volume? A read-only one is an error. */
static bool find_volume(struct container *container, const char *path, bool *is_in_volume, struct error *err)
{
    _cleanup_free_ char *clean = path_clean(path);
    *is_in_volume = false;
    bool is_writable = true;
    container_lock(container);
    for (size_t i = 0; i < container->record.mounts.count && !*is_in_volume; i++) {
        const struct mount_point *point = &RECORD_AT(container->record.mounts, struct container_mount, i)->point;
        size_t length = strlen(point->destination);
        if (strncmp(clean, point->destination, length) != 0 || (clean[length] && clean[length] != '/'))
            continue;
        is_writable = point->is_writable;
        *is_in_volume = true;
    }
    container_unlock(container);
    return is_writable || error_set(err, ERROR_INTERNAL, "mounted volume is marked read-only");
}

static bool read_text(int root, const char *path, struct strbuf *out)
{
    _cleanup_close_ int fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK, 0);
    ssize_t n = 0;
    while (fd >= 0 && strbuf_reserve(out, 65536) && (n = read_full(fd, out->data + out->length, 65536)) > 0)
        out->data[out->length += (size_t)n] = '\0';
    return n == 0;
}

/* The container's user by its own passwd and group, without running anything in it. */
static bool find_user(const struct container_files *files, struct unpack_options *options, struct error *err)
{
    const struct launch_user wanted = {.user = files->view.container->record.config.user};
    if (!string_is_set(wanted.user))
        return true;
    _cleanup_strbuf_ struct strbuf passwd = {.limit = USER_FILE_LIMIT}, group = {.limit = USER_FILE_LIMIT};
    _cleanup_resolved_user_ struct resolved_user user = {0};
    if (!read_text(files->view.mounts.root, "/etc/passwd", &passwd) ||
        !read_text(files->view.mounts.root, "/etc/group", &group))
        return error_set(err, ERROR_INTERNAL, "cannot read the container's users");
    if (!user_resolve(&wanted, strbuf_text(&passwd), strbuf_text(&group), &user, err))
        return false;
    options->has_owner = true;
    options->uid = user.uid;
    options->gid = user.gid;
    return true;
}

struct source {
    struct decompressor *decompressor;
    struct error err;
};

static ssize_t read_source(void *context, void *data, size_t length)
{
    struct source *source = context;
    ssize_t n = decompressor_read(source->decompressor, data, length, &source->err);
    if (n < 0)
        errno = EPROTO;
    return n;
}

static bool unpack_stream(stream_read read, void *context, const struct unpack_options *options, struct error *err)
{
    struct source source = {.decompressor = decompressor_open(read, context, err)};
    if (!source.decompressor)
        return false;
    struct tar_reader tar = {.read = read_source, .context = &source};
    bool is_done = unpack(&tar, options, err);
    decompressor_close(source.decompressor);
    error_release(&source.err);
    return is_done;
}

bool container_files_write(struct container_files *files, const char *path, stream_read read, void *context,
                           const struct files_write_options *options, struct error *err)
{
    struct container *container = files->view.container;
    _cleanup_free_ char *absolute = absolute_path(path);
    int root = files->view.mounts.root;
    struct stat status;
    _cleanup_close_ int fd = open_in_root(root, absolute, O_PATH, 0);
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail_path(files, path, "lstat", err);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INTERNAL, "extraction point is not a directory");
    /* The rules are about where the path leads. */
    _cleanup_free_ char *folder = follow_links(root, absolute, err);
    bool is_in_volume;
    if (!folder || !find_volume(container, folder, &is_in_volume, err))
        return false;
    if (!is_in_volume && container->record.host_config.readonly_rootfs)
        return error_set(err, ERROR_INTERNAL, "container rootfs is marked read-only");
    struct unpack_options how = {
        .root = root, .folder = folder, .shown = folder, .keeps_kinds = options->keeps_kinds, .keeps_owners = true};
    if (options->gives_to_user && !find_user(files, &how, err))
        return false;
    bool is_done = unpack_stream(read, context, &how, err);
    if (!is_done && err && err->kind == ERROR_INVALID)
        err->kind = ERROR_INTERNAL; /* Docker's status for whatever an archive does wrong */
    if (is_done)
        container_event(container, "extract-to-dir", NULL);
    return is_done;
}

/* What Docker has in a layer between the image and the container, and each start makes. */
static bool add_made_by_start(struct tar_writer *tar, int root, struct error *err)
{
    static const struct tar_entry made[] = {
        {"dev/", TAR_DIRECTORY, .mode = 0755},     {"dev/pts/", TAR_DIRECTORY, .mode = 0755},
        {"dev/shm/", TAR_DIRECTORY, .mode = 0755}, {"proc/", TAR_DIRECTORY, .mode = 0755},
        {"sys/", TAR_DIRECTORY, .mode = 0755},     {".dockerenv", TAR_FILE, .mode = 0755},
        {"etc/", TAR_DIRECTORY, .mode = 0755},     {"etc/resolv.conf", TAR_FILE, .mode = 0755},
        {"etc/hosts", TAR_FILE, .mode = 0755},     {"etc/hostname", TAR_FILE, .mode = 0755},
        {"dev/console", TAR_FILE, .mode = 0755},   {"etc/mtab", TAR_LINK, .mode = 0777, .link = "/proc/mounts"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        _cleanup_close_ int there = open_in_root(root, made[i].name, O_PATH | O_NOFOLLOW, 0);
        struct tar_entry entry = made[i];
        entry.seconds = clock_now() / NANOSECONDS_PER_SECOND;
        /* Something else in the place of a folder: then nothing is missing below it, either. */
        if (there < 0 && errno == ENOENT && !tar_writer_entry(tar, &entry, err))
            return false;
    }
    return true;
}

bool container_export(struct engine *engine, const char *reference, bool is_bare, struct tar_writer *tar,
                      struct error *err)
{
    _cleanup_view_ struct view view = VIEW_INIT;
    if (!view_open(engine, reference, false, &view, err))
        return false;
    _cleanup_(pack_freep) struct pack *pack = pack_new(tar);
    container_event(view.container, "export", NULL);
    return pack_add(pack, view.mounts.root, ".", "", err) &&
           (is_bare || add_made_by_start(tar, view.mounts.root, err)) && tar_writer_finish(tar, err);
}
