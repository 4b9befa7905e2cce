#include "runtime/mount_change.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/memory.h"
#include "runtime/mounts.h"

#define MOUNT_TABLE_LIMIT ((size_t)16 << 20)

static const struct field mount_change_fields[] = {
    FIELD_RECORDS(struct mount_change, "removed", removed, 0, &oci_mount_type),
    FIELD_RECORDS(struct mount_change, "added", added, 0, &oci_mount_type),
};
const struct record_type mount_change_type = RECORD_TYPE("MountChange", struct mount_change, mount_change_fields);

/* A mount that is to go, or has gone. */
struct removal {
    const struct oci_mount *mount;
    bool has_source;
    struct stat source;
    char *place; /* without links; NULL: not found yet */
    int copy;    /* of what was there, to put it back; -1 */
};

struct change {
    int self; /* /proc/self of the host, which the container's own cannot stand in for */
    int root; /* of the container */
    struct removal *removals;
    struct prepared_mount *additions;
    size_t removal_count, addition_count;
    size_t removed_count, added_count; /* done so far */
};

/* --- the mount table --- */

struct mounted {
    uint64_t id;
    char *point;
};
struct mount_table {
    struct mounted *items;
    size_t count;
};

static void mount_table_release(struct mount_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->items[i].point);
    free(table->items);
    *table = (struct mount_table){0};
}

/* The kernel writes what would break a line as "\040". In place. */
static void unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
            *out++ = (char)((text[1] & 7) << 6 | (text[2] & 7) << 3 | (text[3] & 7));
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

/* Lines are "id parent device root point …". */
static bool read_table(const struct change *change, struct mount_table *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    if (!file_read(change->self, "mountinfo", MOUNT_TABLE_LIMIT, &text, err))
        return false;
    _cleanup_strlist_ struct strlist lines = strlist_split(strbuf_text(&text), '\n');
    for (size_t i = 0; i < lines.count; i++) {
        _cleanup_strlist_ struct strlist fields = strlist_split(lines.items[i], ' ');
        if (fields.count < 5)
            continue;
        struct mounted *mounted = APPEND(out->items, out->count);
        mounted->id = strtoull(fields.items[0], NULL, 10);
        mounted->point = xstrdup(fields.items[4]);
        unescape(mounted->point);
    }
    return true;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* The mount that the descriptor is in, and whether it is its root. False with errno. */
static bool find_mount_of(int fd, uint64_t *id, bool *is_root)
{
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) < 0)
        return false;
    *id = status.stx_mnt_id;
    *is_root = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return true;
}

static const char *point_of(const struct mount_table *table, uint64_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i].id == id)
            return table->items[i].point;
    return NULL;
}

/* --- names --- */

/* Makes the folder of `path` the working folder, so that a system call that takes a name stays there; returns the name
   in it, or NULL with errno. A mount point can be neither renamed nor removed by those who see the mount. */
static const char *enter_folder(const struct change *change, const char *path)
{
    _cleanup_free_ char *parent = xstrndup(path, (size_t)(path_base(path) - path));
    _cleanup_close_ int folder = open_in_root(change->root, *parent ? parent : "/", O_PATH | O_DIRECTORY, 0);
    if (folder < 0 || fchdir(folder) < 0)
        return NULL;
    return path_base(path);
}

static bool unmount_at(const struct change *change, const char *path, int flags)
{
    const char *name = enter_folder(change, path);
    return name && umount2(name, flags | UMOUNT_NOFOLLOW) == 0;
}

/* The path of a descriptor as the container sees it. The caller frees; NULL with errno. */
static char *path_of(const struct change *change, int fd)
{
    char name[32], path[4096];
    snprintf(name, sizeof(name), "fd/%d", fd);
    ssize_t length = readlinkat(change->self, name, path, sizeof(path) - 1);
    if (length <= 0)
        return NULL;
    path[length] = '\0';
    return xstrdup(path);
}

/* --- what goes --- */

static bool is_kernels(const char *path)
{
    return is_below(path, "/proc") || is_below(path, "/sys");
}

/* A link may have been bent since the mount was made: to another one, which hides something perhaps. */
static bool is_the_one(const struct removal *removal, int found, const char *place)
{
    struct stat status;
    struct statfs system;
    _cleanup_free_ char *asked = path_clean(removal->mount->destination);
    if (string_equal(asked, place))
        return true;
    bool is_same = removal->has_source && fstat(found, &status) == 0 && status.st_dev == removal->source.st_dev &&
                   status.st_ino == removal->source.st_ino;
    if (is_same || string_equal(removal->mount->type, "bind"))
        return is_same;
    unsigned long magic = string_equal(removal->mount->type, "tmpfs") ? TMPFS_MAGIC : OVERLAYFS_SUPER_MAGIC;
    return !is_kernels(place) && fstatfs(found, &system) == 0 && (unsigned long)system.f_type == magic;
}

static bool not_mounted(const struct removal *removal, struct error *err)
{
    return error_set(err, ERROR_CONFLICT,
                     "nothing is mounted at %s any more, or it is not what was mounted there: stop the container first",
                     removal->mount->destination);
}

static bool find_removal(const struct change *change, struct removal *removal, struct error *err)
{
    uint64_t id;
    bool is_root;
    _cleanup_close_ int found = open_in_root(change->root, removal->mount->destination, O_PATH, 0);
    if (found < 0 || !find_mount_of(found, &id, &is_root) || !is_root)
        return not_mounted(removal, err);
    struct mount_table table = {0};
    bool is_read = read_table(change, &table, err);
    const char *point = point_of(&table, id);
    if (point)
        removal->place = xstrdup(point);
    mount_table_release(&table);
    if (!is_read)
        return false;
    if (!removal->place || !is_the_one(removal, found, removal->place))
        return not_mounted(removal, err);
    removal->copy = mount_clone(found, "", true);
    return removal->copy >= 0 || error_errno(err, "copy the mount at %s", removal->mount->destination);
}

/* A bind brings the mounts below its source along: with those in the way, it is asked of each that has none itself
   whether it is in use, before all of them are detached. */
static bool unmount_tree(const struct change *change, const char *place, struct error *err)
{
    struct mount_table table = {0};
    if (!read_table(change, &table, err))
        return false;
    size_t count = 0;
    bool is_busy = false;
    for (size_t i = 0; i < table.count && !is_busy; i++) {
        if (!is_below(table.items[i].point, place))
            continue;
        bool has_own = false;
        for (size_t j = 0; j < table.count && !has_own; j++)
            has_own = is_below(table.items[j].point, table.items[i].point);
        is_busy = !has_own && !unmount_at(change, table.items[i].point, MNT_EXPIRE) && errno == EBUSY;
        count++;
    }
    mount_table_release(&table);
    if (is_busy || !count)
        return error_set(err, ERROR_CONFLICT, "the mount at %s is in use by a process of the container", place);
    return unmount_at(change, place, MNT_DETACH) || error_errno(err, "unmount %s", place);
}

static bool remove_one(const struct change *change, struct removal *removal, struct error *err)
{
    if (!find_removal(change, removal, err))
        return false;
    if (unmount_at(change, removal->place, 0))
        return true;
    return errno == EBUSY ? unmount_tree(change, removal->place, err)
                          : error_errno(err, "unmount %s", removal->mount->destination);
}

/* --- what comes --- */

static bool check_free(const struct change *change, const struct oci_mount *mount, struct error *err)
{
    uint64_t id;
    bool is_root;
    _cleanup_close_ int target = open_in_root(change->root, mount->destination, O_PATH, 0);
    if (target < 0)
        return true; /* it is made, or what hinders that is told then */
    if (!find_mount_of(target, &id, &is_root))
        return error_errno(err, "stat %s", mount->destination);
    if (is_root)
        return error_set(err, ERROR_CONFLICT, "something is mounted at %s already", mount->destination);
    _cleanup_free_ char *path = path_of(change, target);
    struct mount_table table = {0};
    if (!path)
        return error_errno(err, "find the path of %s", mount->destination);
    bool is_free = read_table(change, &table, err);
    for (size_t i = 0; i < table.count && is_free; i++)
        if (is_below(table.items[i].point, path))
            is_free = error_set(err, ERROR_CONFLICT, "a mount at %s would hide the one at %s", mount->destination,
                                table.items[i].point);
    mount_table_release(&table);
    return is_free;
}

/* --- the whole --- */

static void undo(struct change *change)
{
    uint64_t id;
    bool is_root;
    while (change->added_count-- > 0) {
        struct mount_table table = {0};
        int tree = change->additions[change->added_count].tree;
        if (find_mount_of(tree, &id, &is_root) && read_table(change, &table, NULL) && point_of(&table, id))
            unmount_at(change, point_of(&table, id), MNT_DETACH);
        mount_table_release(&table);
    }
    while (change->removed_count-- > 0) {
        const struct removal *removal = &change->removals[change->removed_count];
        _cleanup_close_ int target = open_in_root(change->root, removal->place, O_PATH, 0);
        if (target >= 0)
            mount_attach(removal->copy, target);
    }
}

static bool carry_out(struct change *change, struct error *err)
{
    for (; change->removed_count < change->removal_count; change->removed_count++)
        if (!remove_one(change, &change->removals[change->removed_count], err))
            return false;
    for (size_t i = 0; i < change->addition_count; i++)
        if (!check_free(change, change->additions[i].mount, err))
            return false;
    for (; change->added_count < change->addition_count; change->added_count++)
        if (!mount_put(change->root, &change->additions[change->added_count], NULL, err))
            return false;
    return true;
}

/* In the engine's namespace: what the sources are. */
static bool prepare(struct change *change, const struct mount_change *wanted, struct error *err)
{
    for (size_t i = 0; i < wanted->removed.count; i++) {
        struct removal *removal = &change->removals[change->removal_count++];
        removal->mount = RECORD_AT(wanted->removed, struct oci_mount, i);
        removal->copy = -1;
        _cleanup_close_ int source = mount_open_source(removal->mount);
        removal->has_source = source >= 0 && fstat(source, &removal->source) == 0;
    }
    bool has_layers = false;
    for (size_t i = 0; i < wanted->added.count; i++)
        has_layers |= RECORD_AT(wanted->added, struct oci_mount, i)->lower.count > 0;
    /* They are mounted for a moment, which nobody else is to see. */
    if (has_layers && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0))
        return error_errno(err, "unshare");
    for (; change->addition_count < wanted->added.count; change->addition_count++)
        if (!mount_prepare(RECORD_AT(wanted->added, struct oci_mount, change->addition_count),
                           &change->additions[change->addition_count], err))
            return false;
    change->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return change->self >= 0 || error_errno(err, "open /proc/self");
}

static bool enter(struct change *change, int namespace, struct error *err)
{
    if (setns(namespace, CLONE_NEWNS) < 0)
        return error_errno(err, "enter the container's mounts");
    change->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return change->root >= 0 || error_errno(err, "open the container's root");
}

bool mount_change_apply(int namespace, const struct mount_change *wanted, struct error *err)
{
    struct change change = {.self = -1, .root = -1};
    change.removals = xcalloc(wanted->removed.count + 1, sizeof(struct removal));
    change.additions = xcalloc(wanted->added.count + 1, sizeof(struct prepared_mount));
    umask(0022);
    bool is_done = prepare(&change, wanted, err) && enter(&change, namespace, err);
    if (is_done && !carry_out(&change, err)) {
        undo(&change);
        is_done = false;
    }
    for (size_t i = 0; i < change.removal_count; i++) {
        free(change.removals[i].place);
        close_fd(change.removals[i].copy);
    }
    for (size_t i = 0; i < change.addition_count; i++)
        prepared_mount_release(&change.additions[i]);
    free(change.removals);
    free(change.additions);
    close_fd(change.self);
    close_fd(change.root);
    return is_done;
}
