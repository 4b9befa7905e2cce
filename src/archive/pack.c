#include "archive/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

/* A file with several names, by the one that was written first. */
struct link {
    dev_t device;
    ino_t inode;
    char *name;
};

struct pack {
    struct tar_writer *tar;
    struct link *links; /* open addressing; a power of two */
    size_t link_room, link_count;
    const struct pack_filter *filter;
    bool is_strict;
    bool is_layer;
    int64_t size; /* of what was written */
};

/* A folder whose names are being gone through. Its descriptor is not kept: a tree can be deeper than a process may have
   files open. */
struct level {
    struct strlist names;
    size_t next;
    size_t path_length, name_length;
    bool is_left_out; /* by the filter, until something below it is written */
};

struct pack *pack_new(struct tar_writer *tar)
{
    struct pack *pack = NEW(struct pack);
    pack->tar = tar;
    return pack;
}

void pack_restrict(struct pack *pack, const struct pack_filter *filter, bool is_strict)
{
    pack->filter = filter;
    pack->is_strict = is_strict;
}

void pack_free(struct pack *pack)
{
    for (size_t i = 0; i < pack->link_room; i++)
        free(pack->links[i].name);
    free(pack->links);
    free(pack);
}

static struct link *find_link(struct link *links, size_t room, dev_t device, ino_t inode)
{
    size_t at = ((size_t)inode * 0x9e3779b97f4a7c15u ^ (size_t)device) >> 7;
    for (;; at++) {
        struct link *link = &links[at & (room - 1)];
        if (!link->name || (link->device == device && link->inode == inode))
            return link;
    }
}

/* The name under which this file was written already, or NULL: then it is `name` from now on. */
static const char *earlier_name(struct pack *pack, const struct stat *status, const char *name)
{
    if (2 * pack->link_count >= pack->link_room) {
        size_t room = pack->link_room ? 2 * pack->link_room : 64;
        struct link *links = xcalloc(room, sizeof(*links));
        for (size_t i = 0; i < pack->link_room; i++)
            if (pack->links[i].name)
                *find_link(links, room, pack->links[i].device, pack->links[i].inode) = pack->links[i];
        free(pack->links);
        pack->links = links;
        pack->link_room = room;
    }
    struct link *link = find_link(pack->links, pack->link_room, status->st_dev, status->st_ino);
    if (link->name)
        return link->name;
    *link = (struct link){status->st_dev, status->st_ino, xstrdup(name)};
    pack->link_count++;
    return NULL;
}

static enum tar_type type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return TAR_FILE;
    case S_IFDIR:
        return TAR_DIRECTORY;
    case S_IFLNK:
        return TAR_LINK;
    case S_IFCHR:
        return TAR_CHARACTER_DEVICE;
    case S_IFBLK:
        return TAR_BLOCK_DEVICE;
    case S_IFIFO:
        return TAR_FIFO;
    default:
        return 0; /* a socket */
    }
}

static bool unreadable(const struct pack *pack, const char *name, struct error *err)
{
    if (!pack->is_strict || errno == ENOENT)
        return true;
    if (errno == EACCES || errno == EPERM)
        return error_set(err, ERROR_DENIED, "no permission to read from '%s'", name);
    return error_errno(err, "can't stat '%s'", name);
}

static bool is_same(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec;
}

/* A file is opened before its header is written, so that one that cannot be read leaves nothing behind. */
static bool add_file(struct pack *pack, int folder, const char *base, struct tar_entry *entry, struct error *err)
{
    _cleanup_close_ int fd = openat(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status, after;
    char capability[256];
    if (fd < 0)
        return unreadable(pack, entry->name, err);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return true;
    entry->size = status.st_size;
    ssize_t length = status.st_mode & 0111 ? fgetxattr(fd, "security.capability", capability, sizeof(capability)) : -1;
    if (length > 0) {
        entry->capability = capability;
        entry->capability_length = (size_t)length;
    }
    pack->size += entry->size;
    if (!tar_writer_entry(pack->tar, entry, err) || !tar_writer_content(pack->tar, fd, err))
        return false;
    if (pack->is_strict && (fstat(fd, &after) < 0 || !is_same(&status, &after)))
        return error_set(err, ERROR_CONFLICT, "the file '%s' changed while it was read", entry->name);
    return true;
}

#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_MARK     ".wh..wh..opq"

static bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == 0;
}

static bool add_whiteout(struct pack *pack, const char *name, struct error *err)
{
    const char *base = path_base(name);
    _cleanup_free_ char *mark = xasprintf("%.*s" WHITEOUT_PREFIX "%s", (int)(base - name), name, base);
    return tar_writer_file(pack->tar, mark, 0, 0, err);
}

static bool add_opaque_mark(struct pack *pack, int folder, const char *name, struct error *err)
{
    char value;
    if (fgetxattr(folder, "trusted.overlay.opaque", &value, 1) != 1 || value != 'y')
        return true;
    _cleanup_free_ char *mark = xasprintf("%s/" OPAQUE_MARK, name);
    return tar_writer_file(pack->tar, mark, 0, 0, err);
}

/* `base` is one name in the folder. */
static bool add_one(struct pack *pack, int folder, const char *base, const struct stat *status, const char *name,
                    struct error *err)
{
    char target[4097];
    struct tar_entry entry = {
        .name = name,
        .type = type_of(status->st_mode),
        .mode = status->st_mode & 07777,
        .uid = status->st_uid,
        .gid = status->st_gid,
        .seconds = status->st_mtim.tv_sec,
    };
    if (!entry.type)
        return true;
    if (pack->is_layer && is_whiteout(status))
        return add_whiteout(pack, name, err);
    if (entry.type == TAR_CHARACTER_DEVICE || entry.type == TAR_BLOCK_DEVICE) {
        entry.device_major = major(status->st_rdev);
        entry.device_minor = minor(status->st_rdev);
    }
    if (entry.type == TAR_LINK) {
        ssize_t length = readlinkat(folder, base, target, sizeof(target) - 1);
        if (length < 0)
            return true;
        target[length] = '\0';
        entry.link = target;
    }
    if (entry.type != TAR_DIRECTORY && status->st_nlink > 1) {
        const char *earlier = earlier_name(pack, status, name);
        if (earlier) {
            entry.type = TAR_HARD_LINK;
            entry.link = earlier;
            return tar_writer_entry(pack->tar, &entry, err);
        }
    }
    if (entry.type == TAR_FILE)
        return add_file(pack, folder, base, &entry, err);
    if (entry.type == TAR_LINK)
        pack->size += status->st_size;
    bool wants_slash = entry.type == TAR_DIRECTORY && !string_ends_with(name, "/");
    _cleanup_free_ char *with_slash = wants_slash ? xasprintf("%s/", name) : NULL;
    if (with_slash)
        entry.name = with_slash;
    return tar_writer_entry(pack->tar, &entry, err);
}

/* The names in the folder, sorted; none where it cannot be read. */
static struct strlist list_names(int folder)
{
    struct strlist names = {0};
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        close_fd(copy);
        return names;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_add(&names, entry->d_name);
    closedir(stream);
    strlist_sort(&names);
    return names;
}

static int open_folder(int folder, const char *path)
{
    return open_beneath(folder, *path ? path : ".", O_RDONLY | O_DIRECTORY);
}

struct walk {
    struct pack *pack;
    int top;
    struct level *levels;
    size_t depth;
    struct strbuf path, name; /* of the current folder: below `top`, and in the tar */
    int fd;                   /* of the current folder; -1: to be opened */
};

static void push(struct walk *walk, int fd, bool is_left_out)
{
    struct level *level = APPEND(walk->levels, walk->depth);
    level->is_left_out = is_left_out;
    level->names = list_names(fd);
    level->path_length = walk->path.length;
    level->name_length = walk->name.length;
}

/* The folders that the filter left out and that something is written below after all. */
static bool write_left_out(struct walk *walk, struct error *err)
{
    for (size_t i = 0; i < walk->depth; i++) {
        struct level *level = &walk->levels[i];
        if (!level->is_left_out)
            continue;
        level->is_left_out = false;
        _cleanup_free_ char *path = xstrndup(walk->path.data, level->path_length);
        _cleanup_free_ char *name = xstrndup(walk->name.data, level->name_length);
        if (!pack_add_entry(walk->pack, walk->top, path, name, err))
            return false;
    }
    return true;
}

/* *enters: a folder that is left out, but not all below it. */
static bool is_skipped(const struct walk *walk, const struct stat *status, bool *enters)
{
    const struct pack_filter *filter = walk->pack->filter;
    const char *path = strbuf_text(&walk->path);
    *enters = false;
    if (!filter || !filter->skips(filter->context, path))
        return false;
    *enters = S_ISDIR(status->st_mode) && filter->enters(filter->context, path);
    return true;
}

static bool step(struct walk *walk, struct error *err)
{
    struct level *level = &walk->levels[walk->depth - 1];
    if (level->next == level->names.count) {
        strlist_release(&level->names);
        walk->depth--;
        walk->fd = close_fd(walk->fd);
        return true;
    }
    const char *base = level->names.items[level->next++];
    strbuf_truncate(&walk->path, level->path_length);
    strbuf_truncate(&walk->name, level->name_length);
    if (walk->fd < 0)
        walk->fd = open_folder(walk->top, strbuf_text(&walk->path));
    struct stat status;
    if (walk->fd < 0 || fstatat(walk->fd, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return true;
    strbuf_addf(&walk->path, "%s%s", walk->path.length ? "/" : "", base);
    bool has_slash = !walk->name.length || string_ends_with(strbuf_text(&walk->name), "/"); /* "/" itself */
    strbuf_addf(&walk->name, "%s%s", has_slash ? "" : "/", base);
    bool enters, skips = is_skipped(walk, &status, &enters);
    if (skips && !enters)
        return true;
    if (!skips &&
        (!write_left_out(walk, err) || !add_one(walk->pack, walk->fd, base, &status, strbuf_text(&walk->name), err)))
        return false;
    if (!S_ISDIR(status.st_mode))
        return true;
    close_fd(walk->fd);
    walk->fd = open_folder(walk->top, strbuf_text(&walk->path));
    if (walk->fd < 0)
        return unreadable(walk->pack, strbuf_text(&walk->name), err);
    push(walk, walk->fd, skips);
    return !walk->pack->is_layer || add_opaque_mark(walk->pack, walk->fd, strbuf_text(&walk->name), err);
}

static bool add_tree(struct pack *pack, int top, const char *name, struct error *err)
{
    struct walk walk = {.pack = pack, .top = top, .fd = -1};
    strbuf_add_string(&walk.name, name);
    push(&walk, top, false);
    bool is_good = true;
    while (is_good && walk.depth)
        is_good = step(&walk, err);
    for (size_t i = 0; i < walk.depth; i++)
        strlist_release(&walk.levels[i].names);
    free(walk.levels);
    close_fd(walk.fd);
    strbuf_release(&walk.path);
    strbuf_release(&walk.name);
    return is_good;
}

bool pack_add(struct pack *pack, int folder, const char *base, const char *name, struct error *err)
{
    struct stat status;
    if (fstatat(folder, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "lstat %s", base);
    if (*name && !add_one(pack, folder, base, &status, name, err))
        return false;
    if (!S_ISDIR(status.st_mode))
        return true;
    _cleanup_close_ int top = open_folder(folder, base);
    return top < 0 || add_tree(pack, top, name, err);
}

bool pack_add_entry(struct pack *pack, int folder, const char *base, const char *name, struct error *err)
{
    const char *last = path_base(base);
    _cleanup_free_ char *parent = xstrndup(base, (size_t)(last - base));
    _cleanup_close_ int fd = open_folder(folder, parent);
    struct stat status;
    return fd < 0 || fstatat(fd, last, &status, AT_SYMLINK_NOFOLLOW) < 0 || add_one(pack, fd, last, &status, name, err);
}

bool pack_add_layer(struct pack *pack, int folder, int64_t *size, struct error *err)
{
    pack->is_layer = true;
    if (!pack_add(pack, folder, ".", "", err))
        return false;
    *size += pack->size;
    return true;
}
