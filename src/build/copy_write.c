#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "build/copy.h"
#include "build/mode_change.h"

#define COPY_SIZE      ((size_t)128 << 10)
#define SMALL_COPY     16384
#define CANCEL_ENTRIES 256

struct writer {
    const struct copy_write *write;
    const struct snapshot *base;
    char *root;   /* where the destination is, without links; "" is the root */
    char *folder; /* the last folder that something was put into, and its descriptor; NULL */
    int fd;
    bool has_base_folder; /* the base has that folder, too */
    struct node base_folder;
};

static bool find_in_base(const struct snapshot *base, const char *path, bool follows, struct node *out)
{
    return base && snapshot_find(base, path, follows, out, NULL);
}

static bool copy_attributes(int from, int to, struct error *err)
{
    char names[4096], value[65536];
    ssize_t length = flistxattr(from, names, sizeof(names));
    for (const char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
        if (!string_starts_with(name, "user.") && !string_equal(name, "security.capability"))
            continue;
        ssize_t size = fgetxattr(from, name, value, sizeof(value));
        if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP)
            return error_errno(err, "set the attribute %s", name);
    }
    return true;
}

/* --- folders that lead to the destination --- */

static bool set_folder(int parent, const char *name, const struct stat *status, const struct copy_owner *owner,
                       struct error *err)
{
    uid_t uid = status ? status->st_uid : owner->is_set ? owner->uid : 0;
    gid_t gid = status ? status->st_gid : owner->is_set ? owner->gid : 0;
    if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        file_change_mode(parent, name, status ? status->st_mode & 07777 : 0755) < 0)
        return error_errno(err, "set the mode of %s", name);
    return true;
}

static void set_time(int parent, const char *name, const struct timespec *time)
{
    struct timespec times[2] = {*time, *time};
    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

/* mkdir -p in upper; what the base has keeps its look. `path` has no links in it. */
static bool make_folders(int upper, const struct snapshot *base, const char *path, const struct copy_owner *owner,
                         struct error *err)
{
    int parent = open_beneath(upper, ".", O_PATH | O_DIRECTORY);
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        _cleanup_free_ char *name = xstrndup(at, length);
        _cleanup_free_ char *whole = xstrndup(path, (size_t)(at - path) + length);
        _cleanup_node_ struct node node = {0};
        bool is_made = mkdirat(parent, name, 0755) == 0;
        if (!is_made && errno != EEXIST) {
            error_errno(err, "mkdir /%s", whole);
            close_fd(parent);
            return false;
        }
        bool is_in_base = is_made && find_in_base(base, whole, false, &node);
        if (is_in_base && !S_ISDIR(node.status.st_mode)) {
            close_fd(parent);
            return error_set(err, ERROR_INVALID, "mkdir /%s: not a directory", whole);
        }
        if (is_made && !set_folder(parent, name, is_in_base ? &node.status : NULL, owner, err)) {
            close_fd(parent);
            return false;
        }
        if (is_in_base)
            set_time(parent, name, &node.status.st_mtim);
        int next = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close_fd(parent);
        if (next < 0)
            return error_errno(err, "open /%s", whole);
        parent = next;
        at += length + (at[length] == '/');
    }
    close_fd(parent);
    return true;
}

/* Where `path` leads, links of the base followed as far as it goes; without '/' at its ends. Caller frees. */
static char *resolve(const struct snapshot *base, const char *path)
{
    _cleanup_node_ struct node node = {0};
    _cleanup_free_ char *missing = NULL;
    if (!base || !snapshot_find(base, path, true, &node, &missing)) {
        _cleanup_free_ char *cleaned = path_clean(path);
        return xstrdup(cleaned + (*cleaned == '/'));
    }
    _cleanup_free_ char *whole = xasprintf("/%s/%s", node.path, missing ? missing : "");
    _cleanup_free_ char *cleaned = path_clean(whole);
    return xstrdup(cleaned + 1);
}

bool copy_make_folder(const struct snapshot *base, int upper, const char *path, const struct copy_owner *owner,
                      bool *is_made, struct error *err)
{
    _cleanup_node_ struct node node = {0};
    _cleanup_free_ char *place = resolve(base, path);
    bool is_there = find_in_base(base, place, false, &node);
    if (is_there && !S_ISDIR(node.status.st_mode))
        return error_set(err, ERROR_INVALID, "mkdir /%s: not a directory", place);
    *is_made = !is_there && *place;
    return !*is_made || make_folders(upper, base, place, owner, err);
}

/* --- entries --- */

/* Opens the folder that holds `path` (below the root of the layer). */
static bool enter(struct writer *writer, const char *path, struct error *err)
{
    const char *base = path_base(path);
    size_t length = base > path ? (size_t)(base - path - 1) : 0;
    if (writer->folder && strlen(writer->folder) == length && strncmp(writer->folder, path, length) == 0)
        return true;
    free(TAKE_PTR(writer->folder));
    node_release(&writer->base_folder);
    writer->fd = close_fd(writer->fd);
    _cleanup_free_ char *folder = xstrndup(path, length);
    writer->fd = open_beneath(writer->write->upper, *folder ? folder : ".", O_PATH | O_DIRECTORY);
    if (writer->fd < 0) {
        if (!make_folders(writer->write->upper, writer->base, folder, &writer->write->owner, err))
            return false;
        writer->fd = open_beneath(writer->write->upper, *folder ? folder : ".", O_PATH | O_DIRECTORY);
        if (writer->fd < 0)
            return error_errno(err, "open /%s", folder);
    }
    writer->has_base_folder = find_in_base(writer->base, folder, false, &writer->base_folder);
    writer->folder = TAKE_PTR(folder);
    return true;
}

static bool find_old(struct writer *writer, const char *base, struct stat *old)
{
    _cleanup_node_ struct node node = {0};
    if (fstatat(writer->fd, base, old, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (!writer->has_base_folder || !snapshot_child(writer->base, &writer->base_folder, base, &node))
        return false;
    *old = node.status;
    return true;
}

static bool copy_bytes(int from, int to, int64_t size, struct error *err)
{
    char small[SMALL_COPY];
    ssize_t count;
    if (size < SMALL_COPY) {
        count = read_full(from, small, sizeof(small));
        if (count < 0 || write_full(to, small, (size_t)count) < 0)
            return error_errno(err, "copy");
        if (count < SMALL_COPY)
            return true;
    }
    if (ioctl(to, FICLONE, from) == 0)
        return true;
    ssize_t n;
    while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0)
        ;
    if (n == 0)
        return true;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
        return error_errno(err, "copy");
    _cleanup_free_ char *buffer = xmalloc(COPY_SIZE);
    while ((n = read_full(from, buffer, COPY_SIZE)) > 0)
        if (write_full(to, buffer, (size_t)n) < 0)
            return error_errno(err, "write");
    return n == 0 || error_errno(err, "read");
}

struct look {
    uid_t uid;
    gid_t gid;
    mode_t mode;
};

static struct look look_of(const struct writer *writer, const struct copy_entry *entry)
{
    const struct copy_owner *owner = &writer->write->owner;
    return (struct look){
        .uid = owner->is_set ? owner->uid : entry->status.st_uid,
        .gid = owner->is_set ? owner->gid : entry->status.st_gid,
        .mode = mode_change_apply(writer->write->mode, entry->status.st_mode),
    };
}

static bool write_file(struct writer *writer, const struct copy_entry *entry, const char *base, struct error *err)
{
    struct look look = look_of(writer, entry);
    const struct stat *status = &entry->status;
    int layer = entry->from->snapshot->fds[entry->layer];
    bool is_same = look.uid == status->st_uid && look.gid == status->st_gid && look.mode == (status->st_mode & 07777);
    /* A file with one name is nobody else's: it may get a second one here. Its first goes with the context. */
    if (entry->from->is_linkable && is_same && status->st_nlink == 1 &&
        linkat(layer, entry->source, writer->fd, base, 0) == 0)
        return true;
    _cleanup_close_ int from = open_beneath(layer, entry->source, O_RDONLY | O_NOFOLLOW);
    if (from < 0)
        return error_errno(err, "open %s", entry->source);
    _cleanup_close_ int to = openat(writer->fd, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return error_errno(err, "create %s", base);
    struct timespec times[2] = {status->st_mtim, status->st_mtim};
    if (!copy_bytes(from, to, status->st_size, err))
        return error_prefix(err, "%s", entry->source);
    if (((look.uid || look.gid) && fchown(to, look.uid, look.gid) < 0) || fchmod(to, look.mode) < 0)
        return error_errno(err, "set the mode of %s", base);
    if (!copy_attributes(from, to, err))
        return false;
    return futimens(to, times) == 0 || error_errno(err, "set the time of %s", base);
}

static bool write_other(struct writer *writer, const struct copy_entry *entry, const char *base, struct error *err)
{
    struct look look = look_of(writer, entry);
    const struct stat *status = &entry->status;
    int code = entry->link ? symlinkat(entry->link, writer->fd, base)
                           : mknodat(writer->fd, base, status->st_mode, status->st_rdev);
    if (code < 0 || fchownat(writer->fd, base, look.uid, look.gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        (!entry->link && file_change_mode(writer->fd, base, look.mode) < 0))
        return error_errno(err, "create %s", base);
    set_time(writer->fd, base, &status->st_mtim);
    return true;
}

static bool write_folder(struct writer *writer, const struct copy_entry *entry, const char *base, const char *path,
                         struct error *err)
{
    struct stat old;
    bool is_there = find_old(writer, base, &old);
    if (is_there && !S_ISDIR(old.st_mode))
        return error_set(err, ERROR_INVALID, "cannot copy to non-directory: /%s", path);
    if (is_there && entry->is_top)
        return make_folders(writer->write->upper, writer->base, path, &writer->write->owner, err);
    struct look look = look_of(writer, entry);
    if (mkdirat(writer->fd, base, 0755) < 0 && errno != EEXIST)
        return error_errno(err, "mkdir /%s", path);
    if (fchownat(writer->fd, base, look.uid, look.gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        file_change_mode(writer->fd, base, look.mode) < 0)
        return error_errno(err, "set the mode of /%s", path);
    return true;
}

/* `path` is below the root of the layer. */
static bool write_entry(struct writer *writer, const struct copy_entry *entry, const char *path, struct error *err)
{
    const char *base = path_base(path);
    struct stat old;
    if (!*path)
        return true;
    if (!enter(writer, path, err))
        return false;
    if (S_ISDIR(entry->status.st_mode))
        return write_folder(writer, entry, base, path, err);
    if (find_old(writer, base, &old) && S_ISDIR(old.st_mode))
        return error_set(err, ERROR_INVALID, "cannot replace to directory /%s with file", path);
    if (unlinkat(writer->fd, base, 0) < 0 && errno != ENOENT)
        return error_errno(err, "unlink /%s", path);
    return S_ISREG(entry->status.st_mode) ? write_file(writer, entry, base, err)
                                          : write_other(writer, entry, base, err);
}

/* The destination of a lone file: it, or a name in it. */
static char *place_of(const struct writer *writer, const struct copy_entry *entry, bool is_folder)
{
    const char *below = *entry->target                                 ? entry->target
                        : S_ISDIR(entry->status.st_mode) || !is_folder ? ""
                                                                       : entry->name;
    if (!*below)
        return xstrdup(writer->root);
    return xasprintf("%s%s%s", writer->root, *writer->root ? "/" : "", below);
}

static bool is_destination_folder(const struct writer *writer)
{
    _cleanup_node_ struct node node = {0};
    const char *destination = writer->write->destination;
    struct stat status;
    if (string_ends_with(destination, "/") || string_ends_with(destination, "/.") || !*writer->root)
        return true;
    if (fstatat(writer->write->upper, writer->root, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(status.st_mode);
    return find_in_base(writer->base, writer->root, false, &node) && S_ISDIR(node.status.st_mode);
}

/* The times of folders, when all is in them. */
static void set_folder_times(const struct copy_plan *plan, const struct writer *writer, bool is_folder)
{
    for (size_t i = plan->count; i > 0; i--) {
        const struct copy_entry *entry = &plan->entries[i - 1];
        _cleanup_node_ struct node old = {0};
        if (!S_ISDIR(entry->status.st_mode))
            continue;
        _cleanup_free_ char *path = place_of(writer, entry, is_folder);
        if (!*path || (entry->is_top && find_in_base(writer->base, path, false, &old)))
            continue;
        _cleanup_close_ int fd = open_beneath(writer->write->upper, path, O_RDONLY | O_DIRECTORY);
        struct timespec times[2] = {entry->status.st_mtim, entry->status.st_mtim};
        if (fd >= 0)
            futimens(fd, times);
    }
}

/* The folders above that the base has, too: their times, which went on while things were put into them. */
static void restore_base_times(const struct writer *writer)
{
    for (size_t length = strlen(writer->root); length; length--) {
        if (writer->root[length] && writer->root[length] != '/')
            continue;
        _cleanup_node_ struct node node = {0};
        _cleanup_free_ char *path = xstrndup(writer->root, length);
        _cleanup_close_ int fd = open_beneath(writer->write->upper, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0 || !find_in_base(writer->base, path, false, &node))
            continue;
        struct timespec times[2] = {node.status.st_mtim, node.status.st_mtim};
        futimens(fd, times);
    }
}

static bool write_all(const struct copy_plan *plan, struct writer *writer, struct error *err)
{
    const struct copy_write *write = writer->write;
    bool is_folder = is_destination_folder(writer);
    for (size_t i = 0; i < plan->count; i++) {
        _cleanup_free_ char *path = place_of(writer, &plan->entries[i], is_folder);
        if (i % CANCEL_ENTRIES == 0 && write->is_cancelled && write->is_cancelled(write->context))
            return error_set(err, ERROR_CANCELLED, "context canceled");
        if (!write_entry(writer, &plan->entries[i], path, err))
            return false;
    }
    set_folder_times(plan, writer, is_folder);
    restore_base_times(writer);
    return true;
}

bool copy_plan_write(const struct copy_plan *plan, const struct copy_write *write, struct error *err)
{
    struct writer writer = {.write = write, .base = write->base, .fd = -1};
    writer.root = resolve(write->base, write->destination);
    bool is_done = write_all(plan, &writer, err);
    close_fd(writer.fd);
    free(writer.folder);
    free(writer.root);
    node_release(&writer.base_folder);
    return is_done;
}
