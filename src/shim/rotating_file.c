#include "shim/rotating_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/spawn.h"

/* More than one read of output becomes in the file, so that there is one write for each. */
#define PENDING_LIMIT ((size_t)160 * 1024)

static bool open_file(struct rotating_file *file, int extra_flags, struct error *err)
{
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | extra_flags, 0640);
    if (file->fd < 0)
        return error_errno(err, "open %s", file->path);
    struct stat status;
    file->size = fstat(file->fd, &status) == 0 ? status.st_size : 0;
    return true;
}

bool rotating_file_open(struct rotating_file *file, const char *path, int64_t max_size, int64_t max_files,
                        bool compresses, struct error *err)
{
    *file = (struct rotating_file){.path = xstrdup(path),
                                   .max_size = max_size,
                                   .max_files = max_files < 1 ? 1 : max_files,
                                   .compresses = compresses,
                                   .fd = -1,
                                   .compressor = -1};
    return open_file(file, 0, err);
}

void rotating_file_flush(struct rotating_file *file)
{
    size_t done = 0;
    while (file->fd >= 0 && done < file->pending.length) {
        ssize_t n = write(file->fd, file->pending.data + done, file->pending.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
    }
    strbuf_truncate(&file->pending, 0);
}

static char *rotated_name(const struct rotating_file *file, int64_t number)
{
    return xasprintf("%s.%lld%s", file->path, (long long)number, file->compresses ? ".gz" : "");
}

static void rename_over(const char *from, const char *to)
{
    /* A file that is not there leaves a gap in the numbers, which does no harm. */
    (void)!rename(from, to);
}

/* Called with nothing pending. */
static void rotate(struct rotating_file *file)
{
    file->fd = close_fd(file->fd);
    if (file->max_files < 2) {
        open_file(file, O_TRUNC, NULL);
        return;
    }
    /* The gzip of the last rotation still reads <path>.1 and would remove the new file of that name. */
    if (file->compressor > 0)
        waitpid(file->compressor, NULL, 0);
    file->compressor = -1;
    for (int64_t number = file->max_files - 1; number > 1; number--) {
        _cleanup_free_ char *to = rotated_name(file, number), *from = rotated_name(file, number - 1);
        rename_over(from, to);
    }
    _cleanup_free_ char *first = xasprintf("%s.1", file->path);
    rename_over(file->path, first);
    open_file(file, 0, NULL);
    if (file->compresses) {
        const char *argv[] = {"gzip", "-1", "-f", first, NULL};
        file->compressor =
            spawn(&(struct spawn_options){.argv = argv, .fds = (int[]){-1, -1, -1}, .fd_count = 3}, NULL);
    }
}

void rotating_file_begin(struct rotating_file *file)
{
    if (file->max_size <= 0 || file->size < file->max_size)
        return;
    rotating_file_flush(file);
    rotate(file);
}

void rotating_file_end(struct rotating_file *file, size_t length)
{
    file->size += (int64_t)length;
    if (file->pending.length >= PENDING_LIMIT)
        rotating_file_flush(file);
}

void rotating_file_close(struct rotating_file *file)
{
    rotating_file_flush(file);
    strbuf_release(&file->pending);
    file->fd = close_fd(file->fd);
    free(TAKE_PTR(file->path));
}
