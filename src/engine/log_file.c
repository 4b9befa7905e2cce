#include "engine/log_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"

#define BLOCK        ((size_t)65536)
#define LONGEST      ((size_t)1 << 20) /* the shim cuts at 16 KiB of output; escapes make it at most six times that */
#define MAX_ROTATED  1000
#define LENGTH_BYTES 4 /* before and behind a message of the local log */

struct log_file {
    enum shim_log_format format;
    char *path;
    int *fds; /* files to be read, the current one last */
    size_t count, at;
    struct strbuf buffer;
    size_t taken;    /* of the buffer */
    bool skips_line; /* a line that is too long is being passed over */
};

/* --- opening --- */

/* A compressed file becomes an anonymous one in memory. */
static int open_compressed(const char *path)
{
    _cleanup_close_ int packed = open(path, O_RDONLY | O_CLOEXEC), fd = memfd_create("log", MFD_CLOEXEC);
    const char *const argv[] = {"gzip", "-dc", NULL};
    int status;
    if (packed < 0 || fd < 0)
        return -1;
    pid_t pid = spawn(&(struct spawn_options){.argv = argv, .fds = (int[]){packed, fd, -1}, .fd_count = 3}, NULL);
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    /* What could be unpacked of a file that is cut short is shown. */
    lseek(fd, 0, SEEK_SET);
    return TAKE_FD(fd);
}

static bool is_older(const char *path, unix_nano since)
{
    struct stat status;
    return since > 0 && stat(path, &status) == 0 &&
           status.st_mtim.tv_sec * NANOSECONDS_PER_SECOND + status.st_mtim.tv_nsec < since;
}

static int open_rotated(const char *path, unsigned number, unix_nano since)
{
    _cleanup_free_ char *plain = xasprintf("%s.%u", path, number);
    _cleanup_free_ char *compressed = xasprintf("%s.%u.gz", path, number);
    if (is_older(plain, since) || is_older(compressed, since))
        return -1;
    int fd = open(plain, O_RDONLY | O_CLOEXEC);
    return fd >= 0 || access(compressed, R_OK) < 0 ? fd : open_compressed(compressed);
}

static off_t size_of(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? info.st_size : 0;
}

/* Counts newlines backwards by blocks. Returns the offset where the last *left lines begin, and takes what it found off
 *left. */
static off_t seek_lines(int fd, int64_t *left)
{
    char *block = xmalloc(BLOCK);
    off_t size = size_of(fd), end = size, start = 0;
    int64_t found = 0;
    while (end > 0 && !start) {
        off_t begin = end > (off_t)BLOCK ? end - (off_t)BLOCK : 0;
        ssize_t length = pread(fd, block, (size_t)(end - begin), begin);
        if (length <= 0)
            break;
        /* The newline at the very end belongs to the last line. */
        size_t considered = (size_t)length - (end == size);
        const char *newline;
        while (!start && (newline = memrchr(block, '\n', considered))) {
            considered = (size_t)(newline - block);
            if (++found == *left)
                start = begin + (off_t)considered + 1;
        }
        end = begin;
    }
    free(block);
    if (!start && size > 0)
        found++; /* the first line has no newline before it */
    *left -= MIN(found, *left);
    return start;
}

static bool read_length(int fd, off_t at, size_t *out)
{
    uint32_t length;
    if (at < 0 || pread(fd, &length, sizeof(length), at) != sizeof(length))
        return false;
    *out = be32toh(length);
    return *out <= LONGEST;
}

/* The same for messages with their length on both sides. */
static off_t seek_messages(int fd, int64_t *left)
{
    off_t at = size_of(fd);
    size_t length, again;
    while (*left > 0 && read_length(fd, at - LENGTH_BYTES, &length)) {
        off_t start = at - 2 * LENGTH_BYTES - (off_t)length;
        if (!read_length(fd, start, &again) || again != length)
            break;
        at = start;
        --*left;
    }
    return at;
}

static bool is_same_file(int a, int b)
{
    struct stat one, other;
    return a >= 0 && b >= 0 && fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

static void add_fd(struct log_file *file, int fd)
{
    int *place = APPEND(file->fds, file->count);
    *place = fd;
}

static void reverse(int *fds, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        int fd = fds[i];
        fds[i] = fds[count - 1 - i];
        fds[count - 1 - i] = fd;
    }
}

struct log_file *log_file_open(enum shim_log_format format, const char *path, int64_t tail, unix_nano since,
                               struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) {
        error_errno(err, "cannot open the log %s", path);
        return NULL;
    }
    struct log_file *file = NEW(struct log_file);
    file->format = format;
    file->path = xstrdup(path);
    file->buffer.limit = LONGEST + 2 * BLOCK;
    int64_t left = tail;
    /* Newest first until there are entries enough, then turned round. */
    for (unsigned number = 1; number <= MAX_ROTATED; number++) {
        if (fd >= 0) {
            if (tail == 0)
                lseek(fd, 0, SEEK_END);
            if (tail > 0)
                lseek(fd, format == SHIM_LOG_LOCAL ? seek_messages(fd, &left) : seek_lines(fd, &left), SEEK_SET);
            add_fd(file, fd);
        }
        if (tail == 0 || (tail > 0 && left == 0))
            break;
        fd = open_rotated(path, number, since);
        /* It was renamed between two of our openings. */
        if (fd >= 0 && file->count && is_same_file(fd, file->fds[file->count - 1])) {
            close(fd);
            fd = open_rotated(path, ++number, since);
        }
        if (fd < 0)
            break;
    }
    reverse(file->fds, file->count);
    return file;
}

void log_file_free(struct log_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        close_fd(file->fds[i]);
    free(file->fds);
    free(file->path);
    strbuf_release(&file->buffer);
    free(file);
}

/* --- reading --- */

/* At the end of the current file: was it renamed, and is there a new one? */
static bool follow_rotation(struct log_file *file)
{
    struct stat ours, there;
    int last = file->count ? file->fds[file->count - 1] : -1;
    if (stat(file->path, &there) < 0)
        return false;
    if (last >= 0 && fstat(last, &ours) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
        return false;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    add_fd(file, fd);
    return true;
}

/* A lone file is emptied where others are renamed. */
static bool follow_truncation(int fd)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at > 0 && size_of(fd) < at && lseek(fd, 0, SEEK_SET) == 0;
}

static bool read_more(struct log_file *file)
{
    struct strbuf *buffer = &file->buffer;
    ssize_t length = read(file->fds[file->at], buffer->data + buffer->length, BLOCK);
    if (length > 0)
        buffer->length += (size_t)length;
    buffer->data[buffer->length] = '\0';
    return length > 0;
}

static bool fill(struct log_file *file)
{
    strbuf_consume(&file->buffer, file->taken);
    file->taken = 0;
    while (file->at < file->count || follow_rotation(file)) {
        if (!strbuf_reserve(&file->buffer, BLOCK)) {
            /* Not an entry of ours. */
            file->buffer.is_overrun = false;
            strbuf_truncate(&file->buffer, 0);
            file->skips_line = true;
            continue;
        }
        if (read_more(file))
            return true;
        bool is_last = file->at + 1 == file->count;
        if (is_last && follow_truncation(file->fds[file->at])) {
            strbuf_truncate(&file->buffer, 0);
            continue;
        }
        if (is_last && !follow_rotation(file))
            return false;
        /* What was written between our last read and the rotation. */
        if (read_more(file))
            return true;
        file->at++;
        strbuf_truncate(&file->buffer, 0); /* half an entry at the end of a file has no other half */
    }
    return false;
}

/* The next entry of the buffer; false where there is no whole one. */
static bool take_line(struct log_file *file, const char **data, size_t *length)
{
    const char *start = file->buffer.data + file->taken;
    size_t left = file->buffer.length - file->taken;
    const char *end = left ? memchr(start, '\n', left) : NULL;
    if (!end)
        return false;
    *data = start;
    *length = (size_t)(end - start);
    file->taken += *length + 1;
    return true;
}

static bool take_message(struct log_file *file, const char **data, size_t *length)
{
    const char *start = file->buffer.data + file->taken;
    size_t left = file->buffer.length - file->taken;
    uint32_t bytes;
    if (left < LENGTH_BYTES)
        return false;
    memcpy(&bytes, start, LENGTH_BYTES);
    *length = be32toh(bytes);
    if (*length > LONGEST) {
        /* Not a length: the rest of this file cannot be read. */
        file->taken = file->buffer.length;
        return false;
    }
    if (left < *length + 2 * LENGTH_BYTES)
        return false;
    *data = start + LENGTH_BYTES;
    file->taken += *length + 2 * LENGTH_BYTES;
    return true;
}

bool log_file_next(struct log_file *file, struct log_line *out)
{
    bool is_local = file->format == SHIM_LOG_LOCAL;
    for (;;) {
        const char *data;
        size_t length;
        bool is_there = is_local ? take_message(file, &data, &length) : take_line(file, &data, &length);
        if (!is_there) {
            if (!fill(file))
                return false;
            continue;
        }
        bool is_entry = !file->skips_line &&
                        (is_local ? log_line_parse_local(data, length, out) : log_line_parse_json(data, length, out));
        file->skips_line = false;
        if (is_entry)
            return true;
    }
}

void log_file_release_memory(struct log_file *file)
{
    strbuf_consume(&file->buffer, file->taken);
    file->taken = 0;
    if (!file->buffer.length)
        strbuf_release(&file->buffer);
}
