#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/memory.h"

ssize_t read_full(int fd, void *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = read(fd, (char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int write_full(int fd, const void *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(fd, (const char *)data + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

bool file_read(int directory, const char *path, size_t limit, struct strbuf *out, struct error *err)
{
    _cleanup_close_ int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", path);
    _cleanup_strbuf_ struct strbuf content = STRBUF_INIT;
    for (;;) {
        size_t chunk = content.length < 4096 ? 4096 : 65536;
        strbuf_reserve(&content, chunk);
        ssize_t n = read(fd, content.data + content.length, chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "read %s", path);
        if (n == 0)
            break;
        content.length += (size_t)n;
        if (content.length > limit)
            return error_set(err, ERROR_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
    }
    strbuf_add(out, strbuf_text(&content), content.length);
    return true;
}

bool file_write(int directory, const char *path, const void *data, size_t length, mode_t mode, struct error *err)
{
    _cleanup_close_ int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return error_errno(err, "open %s", path);
    if (write_full(fd, data, length) < 0)
        return error_errno(err, "write %s", path);
    return true;
}

bool file_write_text(int directory, const char *path, const char *text, mode_t mode, struct error *err)
{
    return file_write(directory, path, text, strlen(text), mode, err);
}

bool file_replace(const char *path, const void *data, size_t length, mode_t mode, bool is_durable, struct error *err)
{
    _cleanup_free_ char *temporary = xasprintf("%s.XXXXXX", path);
    _cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "create %s", temporary);
    if (write_full(fd, data, length) < 0 || fchmod(fd, mode) < 0 || (is_durable && fsync(fd) < 0) ||
        rename(temporary, path) < 0) {
        error_errno(err, "write %s", path);
        unlink(temporary);
        return false;
    }
    if (!is_durable)
        return true;
    _cleanup_free_ char *directory = xstrndup(path, (size_t)(path_base(path) - path));
    return directory_sync(*directory ? directory : ".", err);
}

bool directory_make(const char *path, mode_t mode, struct error *err)
{
    _cleanup_free_ char *partial = xstrdup(path);
    for (char *slash = partial + 1;; slash++) {
        slash = strchrnul(slash, '/');
        bool is_last = !*slash;
        *slash = '\0';
        if (mkdir(partial, mode) < 0 && errno != EEXIST)
            return error_errno(err, "mkdir %s", partial);
        if (is_last)
            return true;
        *slash = '/';
    }
}

/* Empties the folder and closes it. Folders that hide their content from their owner are opened up first. */
static bool remove_content(int fd, const char *shown, struct error *err)
{
    DIR *folder = fdopendir(fd);
    if (!folder) {
        error_errno(err, "open %s", shown);
        close(fd);
        return false;
    }
    bool is_done = true;
    struct dirent *entry;
    while (is_done && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type != DT_DIR && unlinkat(fd, entry->d_name, 0) == 0)
            continue;
        is_done = tree_remove(fd, entry->d_name, err);
    }
    closedir(folder);
    return is_done;
}

bool tree_remove(int directory, const char *path, struct error *err)
{
    if (unlinkat(directory, path, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return error_errno(err, "unlink %s", path);
    if (unlinkat(directory, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return error_errno(err, "rmdir %s", path);
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open %s", path);
    if (!remove_content(fd, path, err))
        return false;
    if (unlinkat(directory, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_errno(err, "rmdir %s", path);
    return true;
}

bool directory_sync(const char *path, struct error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, "fsync %s", path);
    return true;
}

static int open_resolved(int root, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
        .resolve = resolve | RESOLVE_NO_MAGICLINKS,
    };
    if (flags & O_PATH)
        how.flags &= O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
    for (;;) {
        int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
        /* EAGAIN: a rename elsewhere raced with the resolution of `..`. */
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return fd;
    }
}

int open_in_root(int root, const char *path, int flags, mode_t mode)
{
    return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT);
}

int open_beneath(int folder, const char *path, int flags)
{
    return open_resolved(folder, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int file_change_mode(int folder, const char *name, mode_t mode)
{
    _cleanup_close_ int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char path[64];
    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return chmod(path, mode);
}

int make_directories_in_root(int root, const char *path, mode_t mode)
{
    _cleanup_free_ char *partial = xstrdup(path);
    for (char *slash = partial;;) {
        slash += strspn(slash, "/");
        slash = strchrnul(slash, '/');
        bool is_last = !*slash;
        *slash = '\0';
        _cleanup_close_ int fd = open_in_root(root, partial, O_PATH | O_DIRECTORY, 0);
        if (fd < 0 && errno == ENOENT) {
            /* The parent is opened safely, and the last name alone is made in it. */
            _cleanup_free_ char *parent = xstrndup(partial, (size_t)(path_base(partial) - partial));
            _cleanup_close_ int parent_fd = open_in_root(root, *parent ? parent : ".", O_PATH | O_DIRECTORY, 0);
            if (parent_fd < 0)
                return -1;
            if (mkdirat(parent_fd, path_base(partial), mode) < 0 && errno != EEXIST)
                return -1;
            fd = open_in_root(root, partial, O_PATH | O_DIRECTORY, 0);
        }
        if (fd < 0)
            return -1;
        if (is_last)
            return TAKE_FD(fd);
        *slash = '/';
    }
}

char *path_join(const char *directory, const char *name)
{
    bool has_slash = string_ends_with(directory, "/");
    return xasprintf("%s%s%s", directory, has_slash ? "" : "/", name + (*name == '/'));
}

char *path_clean(const char *path)
{
    bool is_absolute = *path == '/';
    _cleanup_strlist_ struct strlist parts = strlist_split(path, '/'), kept = {0};
    for (size_t i = 0; i < parts.count; i++) {
        const char *part = parts.items[i];
        if (!*part || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0 && kept.count && strcmp(kept.items[kept.count - 1], "..") != 0)
            strlist_remove(&kept, kept.count - 1);
        else if (strcmp(part, "..") != 0 || !is_absolute)
            strlist_add(&kept, part);
    }
    _cleanup_free_ char *joined = strlist_join(&kept, "/");
    if (is_absolute)
        return xasprintf("/%s", joined);
    return xstrdup(*joined ? joined : ".");
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

#define MAX_FDS 16

ssize_t send_with_fds(int socket, const void *data, size_t length, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)data, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > MAX_FDS) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        control.header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * fd_count)};
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * fd_count);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

ssize_t receive_with_fds(int socket, void *data, size_t length, int *fds, size_t fd_capacity, size_t *fd_count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } control = {0};
    struct iovec part = {data, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
    *fd_count = 0;
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    for (struct cmsghdr *part_header = CMSG_FIRSTHDR(&message); part_header;
         part_header = CMSG_NXTHDR(&message, part_header)) {
        if (part_header->cmsg_level != SOL_SOCKET || part_header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part_header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part_header) + i * sizeof(int), sizeof(int));
            if (*fd_count < fd_capacity)
                fds[(*fd_count)++] = fd;
            else
                close(fd);
        }
    }
    return n;
}
