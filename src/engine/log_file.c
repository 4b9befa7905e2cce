#include "engine/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/spawn.h"

#define BLOCK        65536
#define LONGEST_LINE ((size_t)1 << 20) /* the shim cuts at 16 KiB of output; escapes make it at most six times that */
#define MAX_UNPACKED ((size_t)1 << 30)
#define MAX_ROTATED  1000

struct log_file {
    char *path;
    int *fds; /* files to be read, the current one last */
    size_t count, at;
    struct strbuf buffer;
    bool skips_line; /* a line that is too long is being passed over */
};

void log_line_release(struct log_line *line)
{
    strbuf_release(&line->text);
    strbuf_release(&line->attributes);
}

bool log_line_parse(const char *text, size_t length, struct log_line *out)
{
    json_t *json = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    const json_t *log = json_object_get(json, "log");
    const char *time = json_string_value(json_object_get(json, "time"));
    bool is_good = json_is_string(log) && time && time_parse(time, &out->time);
    if (is_good) {
        strbuf_truncate(&out->text, 0);
        strbuf_add(&out->text, json_string_value(log), json_string_length(log));
        out->is_stderr = string_equal(json_string_value(json_object_get(json, "stream")), "stderr");
        strbuf_truncate(&out->attributes, 0);
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(json, "attrs"), key, value)
            strbuf_addf(&out->attributes, "%s%s=%s", out->attributes.length ? "," : "", key,
                        string_or_empty(json_string_value(value)));
    }
    json_decref(json);
    return is_good;
}

/* A compressed file becomes an anonymous one in memory. */
static int open_compressed(const char *path)
{
    const char *const argv[] = {"gzip", "-dc", path, NULL};
    _cleanup_strbuf_ struct strbuf text = {.limit = MAX_UNPACKED};
    if (!run(argv, NULL, MAX_UNPACKED, &text, NULL))
        return -1;
    _cleanup_close_ int fd = memfd_create("log", MFD_CLOEXEC);
    if (fd < 0 || write_full(fd, strbuf_text(&text), text.length) < 0)
        return -1;
    return TAKE_FD(fd);
}

static int open_rotated(const char *path, unsigned number)
{
    _cleanup_free_ char *plain = xasprintf("%s.%u", path, number);
    _cleanup_free_ char *compressed = xasprintf("%s.%u.gz", path, number);
    int fd = open(plain, O_RDONLY | O_CLOEXEC);
    return fd >= 0 || access(compressed, R_OK) < 0 ? fd : open_compressed(compressed);
}

/* Counts newlines backwards by blocks. Puts the offset where the last *left lines begin into *start and takes what it
   found off *left. */
static void seek_tail(int fd, int64_t *left, off_t *start)
{
    struct stat info = {0};
    char *block = xmalloc(BLOCK);
    *start = 0;
    off_t end = fstat(fd, &info) == 0 ? info.st_size : 0;
    bool is_last_byte = true;
    int64_t found = 0;
    while (end > 0 && *start == 0) {
        off_t begin = end > BLOCK ? end - BLOCK : 0;
        ssize_t length = pread(fd, block, (size_t)(end - begin), begin);
        if (length <= 0)
            break;
        for (ssize_t i = length - 1; i >= 0; i--) {
            /* The newline at the very end belongs to the last line. */
            bool is_end = is_last_byte;
            is_last_byte = false;
            if (block[i] != '\n' || is_end)
                continue;
            if (++found == *left) {
                *start = begin + i + 1;
                break;
            }
        }
        end = begin;
    }
    free(block);
    if (*start == 0 && info.st_size > 0)
        found++; /* the first line has no newline before it */
    *left -= MIN(found, *left);
}

static void add_fd(struct log_file *file, int fd)
{
    int *place = APPEND(file->fds, file->count);
    *place = fd;
}

struct log_file *log_file_open(const char *path, int64_t tail, struct error *err)
{
    _cleanup_close_ int current = open(path, O_RDONLY | O_CLOEXEC);
    if (current < 0 && errno != ENOENT) {
        error_errno(err, "cannot open the log %s", path);
        return NULL;
    }
    struct log_file *file = NEW(struct log_file);
    file->path = xstrdup(path);
    file->buffer.limit = LONGEST_LINE + BLOCK;
    /* Newest first until there are lines enough, then turned round. */
    int64_t left = tail;
    off_t start = 0;
    int *newest_first = NULL;
    size_t count = 0;
    int fd = TAKE_FD(current);
    for (unsigned number = 1; number <= MAX_ROTATED; number++) {
        if (fd >= 0) {
            if (tail == 0)
                lseek(fd, 0, SEEK_END);
            if (tail > 0) {
                seek_tail(fd, &left, &start);
                lseek(fd, start, SEEK_SET);
            }
            int *place = APPEND(newest_first, count);
            *place = fd;
        }
        if (tail == 0 || (tail > 0 && left == 0))
            break;
        fd = open_rotated(path, number);
        if (fd < 0)
            break;
    }
    for (size_t i = count; i > 0; i--)
        add_fd(file, newest_first[i - 1]);
    free(newest_first);
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

static bool fill(struct log_file *file)
{
    while (file->at < file->count) {
        if (!strbuf_reserve(&file->buffer, BLOCK)) {
            /* Not a line of ours. */
            strbuf_truncate(&file->buffer, 0);
            file->skips_line = true;
            continue;
        }
        ssize_t length = read(file->fds[file->at], file->buffer.data + file->buffer.length, BLOCK);
        if (length > 0) {
            file->buffer.length += (size_t)length;
            file->buffer.data[file->buffer.length] = '\0';
            return true;
        }
        file->buffer.data[file->buffer.length] = '\0';
        if (file->at + 1 == file->count && !follow_rotation(file))
            return false;
        /* What was written between our last read and the rotation. */
        ssize_t rest = read(file->fds[file->at], file->buffer.data + file->buffer.length, BLOCK);
        if (rest > 0) {
            file->buffer.length += (size_t)rest;
            file->buffer.data[file->buffer.length] = '\0';
            return true;
        }
        file->at++;
        strbuf_truncate(&file->buffer, 0); /* half a line at the end of a file has no other half */
    }
    return follow_rotation(file) && fill(file);
}

bool log_file_next(struct log_file *file, struct log_line *out)
{
    for (;;) {
        const char *text = strbuf_text(&file->buffer);
        const char *end = memchr(text, '\n', file->buffer.length);
        if (!end) {
            if (!fill(file))
                return false;
            continue;
        }
        size_t length = (size_t)(end - text);
        bool is_line = !file->skips_line && log_line_parse(text, length, out);
        file->skips_line = false;
        strbuf_consume(&file->buffer, length + 1);
        if (is_line)
            return true;
    }
}
