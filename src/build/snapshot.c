#include "build/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define LINKS_MAX 40

bool snapshot_open(struct snapshot *snapshot, const struct strlist *folders, struct error *err)
{
    struct snapshot made = {0};
    made.folders = xcalloc(folders->count + 1, sizeof(*made.folders));
    made.fds = xcalloc(folders->count + 1, sizeof(*made.fds));
    for (size_t i = 0; i < folders->count; i++) {
        made.folders[i] = xstrdup(folders->items[i]);
        made.fds[i] = open(folders->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        made.count++;
        if (made.fds[i] < 0) {
            error_errno(err, "open %s", folders->items[i]);
            snapshot_close(&made);
            return false;
        }
    }
    *snapshot = made;
    return true;
}

void snapshot_close(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        close_fd(snapshot->fds[i]);
        free(snapshot->folders[i]);
    }
    free(snapshot->folders);
    free(snapshot->fds);
    *snapshot = (struct snapshot){0};
}

void node_release(struct node *node)
{
    free(node->path);
    free(node->layers);
    *node = (struct node){0};
}

static bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == 0;
}

static bool is_opaque(int layer, const char *path)
{
    char value;
    _cleanup_close_ int fd = open_beneath(layer, *path ? path : ".", O_RDONLY | O_DIRECTORY);
    return fd >= 0 && fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static void add_layer(struct node *node, size_t layer)
{
    *APPEND(node->layers, node->layer_count) = layer;
}

/* All parts of `path` but the last are folders in each of the layers given. */
static bool look(const struct snapshot *snapshot, const size_t *layers, size_t count, const char *path,
                 struct node *out)
{
    struct node node = {0};
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        int layer = snapshot->fds[layers[i]];
        if (fstatat(layer, *path ? path : ".", &status, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue;
            int code = errno;
            node_release(&node);
            errno = code;
            return false;
        }
        if (is_whiteout(&status) || (node.layer_count && !S_ISDIR(status.st_mode)))
            break;
        if (!node.layer_count)
            node.status = status;
        add_layer(&node, layers[i]);
        if (!S_ISDIR(status.st_mode) || (i + 1 < count && is_opaque(layer, path)))
            break;
    }
    if (!node.layer_count) {
        errno = ENOENT;
        return false;
    }
    node.path = xstrdup(path);
    *out = node;
    return true;
}

static bool root_of(const struct snapshot *snapshot, struct node *out)
{
    _cleanup_free_ size_t *all = xcalloc(snapshot->count + 1, sizeof(size_t));
    for (size_t i = 0; i < snapshot->count; i++)
        all[i] = i;
    if (snapshot->count)
        return look(snapshot, all, snapshot->count, "", out);
    *out = (struct node){.path = xstrdup(""), .status = {.st_mode = S_IFDIR | 0755}};
    return true;
}

bool snapshot_child(const struct snapshot *snapshot, const struct node *folder, const char *name, struct node *out)
{
    _cleanup_free_ char *path = xasprintf("%s%s%s", folder->path, *folder->path ? "/" : "", name);
    if (!S_ISDIR(folder->status.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return look(snapshot, folder->layers, folder->layer_count, path, out);
}

char *snapshot_link_target(const struct snapshot *snapshot, const struct node *node)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(snapshot->fds[node->layers[0]], node->path, target, sizeof(target) - 1);
    return length < 0 ? NULL : xstrndup(target, (size_t)length);
}

/* The folders on the way, so that `..` leads back. */
struct trail {
    struct node *nodes;
    size_t count;
};

static void trail_cut(struct trail *trail, size_t count)
{
    while (trail->count > count)
        node_release(&trail->nodes[--trail->count]);
}

/* Goes one part further. `rest` is what comes after it; a link puts its target before that. False with errno. */
static bool step(const struct snapshot *snapshot, struct trail *trail, const char *name, bool is_followed, char **rest,
                 unsigned *links)
{
    struct node next = {0};
    if (!*name || strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0) {
        if (trail->count > 1)
            trail_cut(trail, trail->count - 1);
        return true;
    }
    if (!snapshot_child(snapshot, &trail->nodes[trail->count - 1], name, &next))
        return false;
    if (!S_ISLNK(next.status.st_mode) || !is_followed) {
        *APPEND(trail->nodes, trail->count) = next;
        return true;
    }
    _cleanup_free_ char *target = snapshot_link_target(snapshot, &next);
    node_release(&next);
    if (!target || ++*links > LINKS_MAX) {
        errno = target ? ELOOP : errno;
        return false;
    }
    if (*target == '/')
        trail_cut(trail, 1);
    char *joined = xasprintf("%s/%s", target, *rest);
    free(*rest);
    *rest = joined;
    return true;
}

static bool is_empty_path(const char *path)
{
    return path[strspn(path, "/")] == '\0';
}

bool snapshot_find(const struct snapshot *snapshot, const char *path, bool follows, struct node *out, char **missing)
{
    struct trail trail = {0};
    unsigned links = 0;
    struct node root = {0};
    if (!root_of(snapshot, &root))
        return false;
    *APPEND(trail.nodes, trail.count) = root;
    _cleanup_free_ char *rest = xstrdup(path);
    bool is_good = true;
    while (is_good && !is_empty_path(rest)) {
        const char *start = rest + strspn(rest, "/");
        size_t length = strcspn(start, "/");
        _cleanup_free_ char *name = xstrndup(start, length);
        char *after = xstrdup(start + length);
        bool is_last = is_empty_path(after);
        char *before = rest;
        rest = after;
        is_good = step(snapshot, &trail, name, follows || !is_last, &rest, &links);
        if (!is_good && missing && errno == ENOENT) {
            *missing = xasprintf("%s%s", name, rest);
            free(before);
            break;
        }
        free(before);
    }
    bool is_found = is_good || (missing && *missing);
    int code = errno;
    if (is_found) {
        *out = trail.nodes[trail.count - 1];
        trail.count--;
    }
    trail_cut(&trail, 0);
    free(trail.nodes);
    errno = code;
    return is_found;
}

static bool add_names(int folder, struct strlist *names, struct error *err)
{
    DIR *stream = fdopendir(folder);
    if (!stream) {
        error_errno(err, "read a folder");
        close_fd(folder);
        return false;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strlist_add(names, entry->d_name);
    closedir(stream);
    return true;
}

bool snapshot_list(const struct snapshot *snapshot, const struct node *folder, struct strlist *names, struct error *err)
{
    struct strlist all = {0};
    for (size_t i = 0; i < folder->layer_count; i++) {
        int fd =
            open_beneath(snapshot->fds[folder->layers[i]], *folder->path ? folder->path : ".", O_RDONLY | O_DIRECTORY);
        if (fd < 0)
            error_errno(err, "open /%s", folder->path);
        if (fd < 0 || !add_names(fd, &all, err)) {
            strlist_release(&all);
            return false;
        }
    }
    strlist_sort(&all);
    for (size_t i = 0; i < all.count; i++)
        if (i == 0 || strcmp(all.items[i], all.items[i - 1]) != 0)
            strlist_add(names, all.items[i]);
    strlist_release(&all);
    return true;
}

int snapshot_open_node(const struct snapshot *snapshot, const struct node *node, int flags)
{
    return open_beneath(snapshot->fds[node->layers[0]], *node->path ? node->path : ".", flags);
}

bool snapshot_read_file(const struct snapshot *snapshot, const char *path, size_t limit, struct strbuf *out)
{
    _cleanup_node_ struct node node = {0};
    if (!snapshot_find(snapshot, path, true, &node, NULL) || !S_ISREG(node.status.st_mode))
        return false;
    return file_read(snapshot->fds[node.layers[0]], node.path, limit, out, NULL);
}
