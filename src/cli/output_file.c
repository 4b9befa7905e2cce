#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

static bool refuse(const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, "cannot write to a %s", what);
}

bool output_file_open(const char *path, struct output_file *out, struct error *err)
{
    if (!*path)
        return error_set(err, ERROR_INVALID, "file name is empty");
    _cleanup_free_ char *clean = path_clean(path);
    const char *base = path_base(clean);
    size_t length = (size_t)(base - clean);
    _cleanup_free_ char *folder = length ? xstrndup(clean, length > 1 ? length - 1 : 1) : xstrdup(".");
    struct stat status;
    if (stat(folder, &status) < 0)
        return error_errno(err, "invalid output path: stat %s", folder);
    if (!S_ISDIR(status.st_mode))
        return error_set(err, ERROR_INVALID, "invalid output path: stat %s: not a directory", folder);
    if (stat(clean, &status) == 0) {
        switch (status.st_mode & S_IFMT) {
        case S_IFREG:
            break;
        case S_IFDIR:
            return refuse("directory", err);
        case S_IFCHR:
            return refuse("character device file", err);
        case S_IFBLK:
            return refuse("block device file", err);
        case S_IFIFO:
            return refuse("named pipe (FIFO)", err);
        default:
            return refuse("socket", err);
        }
    }
    /* A link keeps pointing at the file that is replaced. */
    char *resolved = realpath(clean, NULL);
    out->path = resolved ? resolved : TAKE_PTR(clean);
    const char *slash = strrchr(out->path, '/');
    out->temporary = xasprintf("%.*s.tmp-%sXXXXXX", slash ? (int)(slash - out->path) + 1 : 0, out->path,
                               slash ? slash + 1 : out->path);
    out->fd = mkostemp(out->temporary, O_CLOEXEC);
    if (out->fd >= 0)
        return true;
    error_errno(err, "open %s", out->temporary);
    free(TAKE_PTR(out->temporary));
    output_file_release(out);
    return false;
}

bool output_file_commit(struct output_file *file, struct error *err)
{
    if (rename(file->temporary, file->path) < 0)
        return error_errno(err, "rename %s %s", file->temporary, file->path);
    free(TAKE_PTR(file->temporary));
    return true;
}

void output_file_release(struct output_file *file)
{
    file->fd = close_fd(file->fd);
    if (file->temporary)
        unlink(file->temporary);
    free(TAKE_PTR(file->temporary));
    free(TAKE_PTR(file->path));
}

bool stream_copy(struct client_stream *stream, int fd, struct error *err)
{
    static char buffer[128 * 1024];
    while (true) {
        ssize_t count = client_stream_read(stream, buffer, sizeof(buffer));
        if (count < 0)
            return error_errno(err, "reading the answer");
        if (count == 0)
            return true;
        if (write_full(fd, buffer, (size_t)count) < 0)
            return error_errno(err, "write");
    }
}
