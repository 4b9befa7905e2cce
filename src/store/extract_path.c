#include "store/extract_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/extract.h"

bool extract_clean_name(const char *name, char clean[PATH_MAX])
{
    size_t length = 0;
    while (*name) {
        name += strspn(name, "/");
        size_t part = strcspn(name, "/");
        if (part == 2 && name[0] == '.' && name[1] == '.') {
            while (length && clean[length - 1] != '/')
                length--;
            if (length)
                length--;
        } else if (part && !(part == 1 && name[0] == '.')) {
            if (length + part + 2 > PATH_MAX)
                return false;
            if (length)
                clean[length++] = '/';
            memcpy(clean + length, name, part);
            length += part;
        }
        name += part;
    }
    clean[length] = '\0';
    return true;
}

void folders_init(struct folders *folders, int root)
{
    *folders = (struct folders){.root = root};
}

void folders_forget(struct folders *folders)
{
    for (size_t i = 0; i < FOLDERS_KEPT; i++) {
        if (!folders->kept[i].path)
            continue;
        close(folders->kept[i].fd);
        free(TAKE_PTR(folders->kept[i].path));
    }
}

void folders_release(struct folders *folders)
{
    folders_forget(folders);
}

/* Links let a tar build a tree that is deeper than any one name can be, and whoever walks it later (to remove it) needs
   a descriptor a level. */
static bool is_too_deep(const struct folders *folders, int fd)
{
    char link[64], root[PATH_MAX], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", folders->root);
    ssize_t root_length = readlink(link, root, sizeof(root));
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path));
    if (root_length < 0 || length < 0)
        return errno == ENAMETOOLONG;
    size_t depth = 0;
    for (ssize_t i = root_length; i < length; i++)
        depth += path[i] == '/';
    return depth >= EXTRACT_DEPTH_MAX;
}

/* The missing parts of `path`, one after the other. */
static int make_folders(struct folders *folders, const char *path, struct error *err)
{
    _cleanup_free_ char *partial = xstrdup(path);
    for (char *slash = partial;; slash++) {
        slash = strchrnul(slash, '/');
        bool is_last = !*slash;
        *slash = '\0';
        _cleanup_close_ int fd = open_in_root(folders->root, partial, O_PATH | O_DIRECTORY, 0);
        if (fd < 0 && errno == ENOENT) {
            const char *base = path_base(partial);
            _cleanup_free_ char *parent = xstrndup(partial, (size_t)(base - partial));
            _cleanup_close_ int parent_fd = open_in_root(folders->root, parent, O_PATH | O_DIRECTORY, 0);
            /* The second call undoes the umask. */
            if (parent_fd >= 0 && mkdirat(parent_fd, base, 0755) == 0 && fchmodat(parent_fd, base, 0755, 0) == 0)
                fd = openat(parent_fd, base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            folders->made++;
            if (fd >= 0 && is_too_deep(folders, fd)) {
                error_set(err, ERROR_INVALID, "mkdir /%s: more than %d folders deep", partial, EXTRACT_DEPTH_MAX);
                return -1;
            }
        }
        if (fd < 0) {
            error_errno(err, "mkdir /%s", partial);
            return -1;
        }
        if (is_last)
            return TAKE_FD(fd);
        *slash = '/';
    }
}

int folders_open(struct folders *folders, const char *path, struct error *err)
{
    if (!*path)
        return folders->root;
    size_t oldest = 0;
    for (size_t i = 0; i < FOLDERS_KEPT; i++) {
        if (folders->kept[i].path && strcmp(folders->kept[i].path, path) == 0) {
            folders->kept[i].used = ++folders->clock;
            return folders->kept[i].fd;
        }
        if (!folders->kept[i].path ||
            (folders->kept[oldest].path && folders->kept[i].used < folders->kept[oldest].used))
            oldest = i;
    }
    _cleanup_close_ int fd = open_in_root(folders->root, path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0 && errno != ENOENT) {
        error_errno(err, "open /%s", path);
        return -1;
    }
    if (fd < 0)
        fd = make_folders(folders, path, err);
    if (fd < 0)
        return -1;
    if (is_too_deep(folders, fd)) {
        error_set(err, ERROR_INVALID, "open /%s: more than %d folders deep", path, EXTRACT_DEPTH_MAX);
        return -1;
    }
    if (folders->kept[oldest].path) {
        close(folders->kept[oldest].fd);
        free(folders->kept[oldest].path);
    }
    folders->kept[oldest].path = xstrdup(path);
    folders->kept[oldest].used = ++folders->clock;
    return folders->kept[oldest].fd = TAKE_FD(fd);
}

static int remove_content(int folder, const char *name, int64_t *size)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        close_fd(fd);
        return -1;
    }
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = extract_remove(dirfd(stream), entry->d_name, size);
    }
    int saved = errno;
    closedir(stream);
    errno = saved;
    return result;
}

int extract_remove(int folder, const char *name, int64_t *size)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISDIR(status.st_mode))
        return remove_content(folder, name, size) < 0 ? -1 : unlinkat(folder, name, AT_REMOVEDIR);
    if (unlinkat(folder, name, 0) < 0)
        return -1;
    if (status.st_nlink == 1)
        *size -= status.st_size;
    return 0;
}
