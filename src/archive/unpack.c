#include "archive/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"

#define COPY_BUFFER ((size_t)256 << 10)
/* Folders that a tar implies without naming them. */
#define IMPLIED_MODE 0755

/* Set when nothing is put into the folder any more. */
struct folder_time {
    char *name;
    struct timespec times[2];
};

struct unpacking {
    const struct unpack_options *options;
    struct tar_reader *tar;
    struct tar_member member;
    char *name;   /* of the member: cleaned, below options->folder; "." is that folder */
    char *shown;  /* the same in messages */
    char *parent; /* the folder that is open; NULL: none */
    int parent_fd;
    char *buffer;
    struct folder_time *times;
    size_t time_count;
};

/* filepath.Join(a, b) */
static char *join(const char *a, const char *b)
{
    _cleanup_free_ char *joined = xasprintf("%s/%s", a, b);
    return path_clean(joined);
}

static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strcmp(folder, "/") == 0 || (strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/'));
}

static char *rename_text(const struct unpack_options *options, const char *text)
{
    char *now = xstrdup(text);
    for (size_t i = 0; i < ARRAY_SIZE(options->renames) && options->renames[i].from; i++) {
        const char *from = options->renames[i].from, *at = strstr(now, from);
        if (!at)
            continue;
        char *next = xasprintf("%.*s%s%s", (int)(at - now), now, options->renames[i].to, at + strlen(from));
        free(now);
        now = next;
    }
    return now;
}

/* A path below options->folder, in the root. */
static char *path_in_root(const struct unpacking *unpacking, const char *name)
{
    return xasprintf("%s/%s", unpacking->options->folder, name);
}

static char *parent_of(const char *name)
{
    const char *base = path_base(name);
    return base > name ? xstrndup(name, (size_t)(base - name) - 1) : xstrdup(".");
}

static void forget_parent(struct unpacking *unpacking)
{
    free(TAKE_PTR(unpacking->parent));
    unpacking->parent_fd = close_fd(unpacking->parent_fd);
}

/* The folder that holds `name`, made where it is missing: borrowed until the next call. */
static int open_parent(struct unpacking *unpacking, const char *name, struct error *err)
{
    _cleanup_free_ char *parent = parent_of(name);
    if (unpacking->parent && strcmp(unpacking->parent, parent) == 0)
        return unpacking->parent_fd;
    forget_parent(unpacking);
    _cleanup_free_ char *path = path_in_root(unpacking, parent);
    int fd = open_in_root(unpacking->options->root, path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        fd = make_directories_in_root(unpacking->options->root, path, IMPLIED_MODE);
    if (fd < 0) {
        _cleanup_free_ char *shown = join(unpacking->options->shown, parent);
        error_errno(err, "mkdir %s", shown);
        return -1;
    }
    unpacking->parent = TAKE_PTR(parent);
    return unpacking->parent_fd = fd;
}

static void get_times(const struct tar_member *member, struct timespec times[2])
{
    times[0] = times[1] = (struct timespec){member->seconds, member->nanoseconds};
}

/* For calls that know no folder descriptor: only the last part may be a link, and that one is not followed. */
static bool set_xattrs(const struct unpacking *unpacking, int folder, const char *base, struct error *err)
{
    const struct tar_member *member = &unpacking->member;
    _cleanup_free_ char *path = xasprintf("/proc/self/fd/%d/%s", folder, base);
    for (size_t i = 0; i < member->attribute_count; i++) {
        const struct tar_attribute *attribute = &member->attributes[i];
        /* overlayfs speaks with itself through these. */
        if (string_starts_with(attribute->name, "trusted.overlay."))
            continue;
        if (lsetxattr(path, attribute->name, attribute->value, attribute->length, 0) < 0 && errno != EOPNOTSUPP &&
            errno != EPERM)
            return error_errno(err, "lsetxattr %s %s", attribute->name, unpacking->shown);
    }
    return true;
}

/* Owner, attributes, mode, times: in this order, because each may change what was set before. */
static bool set_attributes(struct unpacking *unpacking, int folder, const char *base, struct error *err)
{
    const struct unpack_options *options = unpacking->options;
    const struct tar_member *member = &unpacking->member;
    struct stat status;
    bool is_link = member->type == TAR_LINK;
    if (member->type == TAR_HARD_LINK)
        is_link = fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    if (options->keeps_owners || options->has_owner) {
        uid_t uid = options->has_owner ? options->uid : (uid_t)member->uid;
        gid_t gid = options->has_owner ? options->gid : (gid_t)member->gid;
        if (fchownat(folder, base, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, "lchown %s", unpacking->shown);
    }
    if (!set_xattrs(unpacking, folder, base, err))
        return false;
    /* Between the check and the call someone may put a link here, which fchmodat would follow. */
    if (!is_link && file_change_mode(folder, base, member->mode) < 0)
        return error_errno(err, "chmod %s", unpacking->shown);
    struct timespec times[2];
    get_times(member, times);
    if (member->type == TAR_DIRECTORY) {
        struct folder_time *later = APPEND(unpacking->times, unpacking->time_count);
        later->name = xstrdup(unpacking->name);
        memcpy(later->times, times, sizeof(times));
        return true;
    }
    if (utimensat(folder, base, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "chtimes %s", unpacking->shown);
    return true;
}

static bool write_content(struct unpacking *unpacking, int fd, struct error *err)
{
    for (;;) {
        ssize_t n = tar_reader_data(unpacking->tar, unpacking->buffer, COPY_BUFFER, err);
        if (n <= 0)
            return n == 0;
        if (write_full(fd, unpacking->buffer, (size_t)n) < 0)
            return error_errno(err, "write %s", unpacking->shown);
    }
}

static bool make_file(struct unpacking *unpacking, int folder, const char *base, struct error *err)
{
    _cleanup_close_ int fd = openat(folder, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "open %s", unpacking->shown);
    return write_content(unpacking, fd, err);
}

static bool make_hard_link(struct unpacking *unpacking, int folder, const char *base, struct error *err)
{
    const struct unpack_options *options = unpacking->options;
    _cleanup_free_ char *link = rename_text(options, unpacking->member.link);
    _cleanup_free_ char *shown = join(options->shown, link);
    if (!is_within(shown, options->shown))
        return error_set(err, ERROR_INVALID, "invalid hardlink \"%s\" -> \"%s\"", shown, link);
    _cleanup_free_ char *rooted = xasprintf("/%s", link), *clean = path_clean(rooted);
    _cleanup_free_ char *parent = parent_of(clean + 1), *path = path_in_root(unpacking, parent);
    _cleanup_close_ int from = open_in_root(options->root, path, O_PATH | O_DIRECTORY, 0);
    if (from < 0 || linkat(from, path_base(clean), folder, base, 0) < 0)
        return error_errno(err, "link %s %s", shown, unpacking->shown);
    return true;
}

static bool make_link(struct unpacking *unpacking, int folder, const char *base, struct error *err)
{
    const char *target = unpacking->member.link;
    _cleanup_free_ char *parent = parent_of(unpacking->shown), *led_to = join(*parent ? parent : "/", target);
    if (!is_within(led_to, unpacking->options->shown))
        return error_set(err, ERROR_INVALID, "invalid symlink \"%s\" -> \"%s\"", unpacking->shown, target);
    return symlinkat(target, folder, base) == 0 || error_errno(err, "symlink %s %s", target, unpacking->shown);
}

static bool make_node(struct unpacking *unpacking, int folder, const char *base, mode_t type, struct error *err)
{
    const struct tar_member *member = &unpacking->member;
    dev_t device = type == S_IFIFO ? 0 : makedev(member->device_major, member->device_minor);
    return mknodat(folder, base, type | 0600, device) == 0 || error_errno(err, "mknod %s", unpacking->shown);
}

static bool make_one(struct unpacking *unpacking, int folder, const char *base, bool is_there, struct error *err)
{
    switch (unpacking->member.type) {
    case TAR_FILE:
        return make_file(unpacking, folder, base, err);
    case TAR_DIRECTORY:
        return is_there || mkdirat(folder, base, 0700) == 0 || error_errno(err, "mkdir %s", unpacking->shown);
    case TAR_HARD_LINK:
        return make_hard_link(unpacking, folder, base, err);
    case TAR_LINK:
        return make_link(unpacking, folder, base, err);
    case TAR_CHARACTER_DEVICE:
        return make_node(unpacking, folder, base, S_IFCHR, err);
    case TAR_BLOCK_DEVICE:
        return make_node(unpacking, folder, base, S_IFBLK, err);
    case TAR_FIFO:
        return make_node(unpacking, folder, base, S_IFIFO, err);
    }
    return error_set(err, ERROR_INVALID, "unhandled tar header type %d", (int)unpacking->member.type);
}

/* Something is in the way: folders merge, everything else is replaced. */
static bool make_room(struct unpacking *unpacking, int *folder, const char *base, const struct stat *status,
                      struct error *err)
{
    const struct unpack_options *options = unpacking->options;
    bool is_folder = unpacking->member.type == TAR_DIRECTORY, was_folder = S_ISDIR(status->st_mode);
    if (options->keeps_kinds && was_folder && !is_folder)
        return error_set(err, ERROR_INVALID, "cannot overwrite directory \"%s\" with non-directory \"%s\"",
                         unpacking->shown, options->shown);
    if (options->keeps_kinds && !was_folder && is_folder)
        return error_set(err, ERROR_INVALID, "cannot overwrite non-directory \"%s\" with directory \"%s\"",
                         unpacking->shown, options->shown);
    if (is_folder && was_folder)
        return true;
    if (!tree_remove(*folder, base, err))
        return false;
    if (was_folder || S_ISLNK(status->st_mode)) {
        forget_parent(unpacking); /* names may lead elsewhere now */
        *folder = open_parent(unpacking, unpacking->name, err);
    }
    return *folder >= 0;
}

static bool unpack_member(struct unpacking *unpacking, struct error *err)
{
    const struct unpack_options *options = unpacking->options;
    _cleanup_free_ char *renamed = rename_text(options, unpacking->member.name);
    free(unpacking->name);
    free(unpacking->shown);
    unpacking->name = path_clean(renamed);
    unpacking->shown = join(options->shown, unpacking->name);
    if (strcmp(unpacking->name, "..") == 0 || string_starts_with(unpacking->name, "../"))
        return error_set(err, ERROR_INVALID, "\"%s\" is outside of \"%s\"", unpacking->name, options->shown);
    if (*unpacking->name == '/') {
        char *relative = xstrdup(unpacking->name[1] ? unpacking->name + 1 : ".");
        free(unpacking->name);
        unpacking->name = relative;
    }
    if (strcmp(unpacking->name, ".") == 0)
        return true; /* the folder is there, and stays as it is */
    int folder = open_parent(unpacking, unpacking->name, err);
    if (folder < 0)
        return false;
    const char *base = path_base(unpacking->name);
    struct stat status;
    bool is_there = fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && !make_room(unpacking, &folder, base, &status, err))
        return false;
    is_there = is_there && S_ISDIR(status.st_mode) && unpacking->member.type == TAR_DIRECTORY;
    return make_one(unpacking, folder, base, is_there, err) && set_attributes(unpacking, folder, base, err);
}

static bool set_folder_times(struct unpacking *unpacking, struct error *err)
{
    for (size_t i = 0; i < unpacking->time_count; i++) {
        const struct folder_time *later = &unpacking->times[i];
        int folder = open_parent(unpacking, later->name, err);
        if (folder < 0)
            return false;
        if (utimensat(folder, path_base(later->name), later->times, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, "chtimes %s", later->name);
    }
    return true;
}

static bool unpack_all(struct unpacking *unpacking, struct error *err)
{
    for (;;) {
        bool is_there;
        if (!tar_reader_next(unpacking->tar, &unpacking->member, &is_there, err))
            return false;
        if (!is_there)
            return set_folder_times(unpacking, err) && tar_reader_drain(unpacking->tar, err);
        if (!unpack_member(unpacking, err))
            return false;
    }
}

bool unpack(struct tar_reader *tar, const struct unpack_options *options, struct error *err)
{
    struct unpacking unpacking = {.options = options, .tar = tar, .parent_fd = -1, .buffer = xmalloc(COPY_BUFFER)};
    bool is_done = unpack_all(&unpacking, err);
    tar_member_release(&unpacking.member);
    forget_parent(&unpacking);
    free(unpacking.name);
    free(unpacking.shown);
    free(unpacking.buffer);
    for (size_t i = 0; i < unpacking.time_count; i++)
        free(unpacking.times[i].name);
    free(unpacking.times);
    return is_done;
}
