#include "shim/json_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/spawn.h"

#define PIECE_SIZE    ((size_t)16 * 1024)
#define PENDING_LIMIT ((size_t)64 * 1024)

/* Length of the UTF-8 sequence at `data`, with its code point; 0 where there is none (Unicode 15, table 3-7). */
static size_t utf8_length(const uint8_t *data, size_t left, uint32_t *point)
{
    size_t length = data[0] < 0xc2 ? 0 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : data[0] < 0xf5 ? 4 : 0;
    if (!length || length > left)
        return 0;
    uint32_t value = data[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (data[i] & 0x3fU);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

static void escape_ascii(struct strbuf *out, char character)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = {'\\', 'u', '0', '0', digits[(character >> 4) & 15], digits[character & 15]};
    switch (character) {
    case '"':
        strbuf_add(out, "\\\"", 2);
        break;
    case '\\':
        strbuf_add(out, "\\\\", 2);
        break;
    case '\n':
        strbuf_add(out, "\\n", 2);
        break;
    case '\r':
        strbuf_add(out, "\\r", 2);
        break;
    default:
        strbuf_add(out, text, sizeof(text));
        break;
    }
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != '&';
}

void json_log_escape(struct strbuf *out, const char *data, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)data;
    size_t start = 0, i = 0;
    while (i < length) {
        if (is_plain(bytes[i])) {
            i++;
            continue;
        }
        uint32_t point = 0;
        size_t sequence = bytes[i] < 0x80 ? 1 : utf8_length(bytes + i, length - i, &point);
        if (sequence > 1 && point != 0x2028 && point != 0x2029) {
            i += sequence;
            continue;
        }
        if (i > start)
            strbuf_add(out, data + start, i - start);
        if (sequence == 0)
            strbuf_add(out, "\\ufffd", 6);
        else if (sequence == 1)
            escape_ascii(out, data[i]);
        else
            strbuf_add_string(out, point == 0x2028 ? "\\u2028" : "\\u2029");
        i += sequence ? sequence : 1;
        start = i;
    }
    if (i > start)
        strbuf_add(out, data + start, i - start);
}

static bool open_file(struct json_log *log, int extra_flags, struct error *err)
{
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | extra_flags, 0640);
    if (log->fd < 0)
        return error_errno(err, "open %s", log->path);
    struct stat status;
    log->size = fstat(log->fd, &status) == 0 ? status.st_size : 0;
    return true;
}

bool json_log_open(const char *path, int64_t max_size, int64_t max_files, bool compresses, struct json_log **out,
                   struct error *err)
{
    struct json_log *log = NEW(struct json_log);
    log->path = xstrdup(path);
    log->max_size = max_size;
    log->max_files = max_files < 1 ? 1 : max_files;
    log->compresses = compresses;
    log->compressor = -1;
    log->time_second = -1;
    log->fd = -1;
    if (!open_file(log, 0, err)) {
        json_log_free(log);
        return false;
    }
    *out = log;
    return true;
}

static void flush(struct json_log *log)
{
    size_t done = 0;
    while (log->fd >= 0 && done < log->pending.length) {
        ssize_t n = write(log->fd, log->pending.data + done, log->pending.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
    }
    if (log->pending.capacity > PENDING_LIMIT)
        strbuf_release(&log->pending);
    else
        strbuf_truncate(&log->pending, 0);
}

static char *rotated_name(const struct json_log *log, int64_t number)
{
    return xasprintf("%s.%lld%s", log->path, (long long)number, log->compresses ? ".gz" : "");
}

static void rename_over(const char *from, const char *to)
{
    /* A file that is not there leaves a gap in the numbers, which does no harm. */
    (void)!rename(from, to);
}

/* Called with nothing pending. */
static void rotate(struct json_log *log)
{
    log->fd = close_fd(log->fd);
    if (log->max_files < 2) {
        open_file(log, O_TRUNC, NULL);
        return;
    }
    /* The gzip of the last rotation still reads <path>.1 and would remove the new file of that name. */
    if (log->compressor > 0)
        waitpid(log->compressor, NULL, 0);
    log->compressor = -1;
    for (int64_t number = log->max_files - 1; number > 1; number--) {
        _cleanup_free_ char *to = rotated_name(log, number), *from = rotated_name(log, number - 1);
        rename_over(from, to);
    }
    _cleanup_free_ char *first = xasprintf("%s.1", log->path);
    rename_over(log->path, first);
    open_file(log, 0, NULL);
    if (log->compresses) {
        const char *argv[] = {"gzip", "-f", first, NULL};
        log->compressor = spawn(&(struct spawn_options){.argv = argv, .fds = (int[]){-1, -1, -1}, .fd_count = 3}, NULL);
    }
}

/* "2024-01-02T03:04:05.678Z": the fraction without its trailing zeroes (Go's RFC3339Nano). The second's text is kept,
   because formatting it is what costs. */
static void add_time(struct json_log *log, unix_nano time)
{
    time_t second = (time_t)(time / NANOSECONDS_PER_SECOND);
    if (second != log->time_second) {
        struct tm parts;
        gmtime_r(&second, &parts);
        strftime(log->time_text, sizeof(log->time_text), "%Y-%m-%dT%H:%M:%S", &parts);
        log->time_second = second;
    }
    strbuf_add_string(&log->pending, log->time_text);
    int64_t fraction = time % NANOSECONDS_PER_SECOND;
    char digits[10] = {'.'};
    size_t length = fraction ? sizeof(digits) : 0;
    for (size_t i = sizeof(digits) - 1; i > 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (length > 1 && digits[length - 1] == '0')
        length--;
    strbuf_add(&log->pending, digits, length);
    strbuf_add_char(&log->pending, 'Z');
}

static void add_entry(struct json_log *log, enum output_stream stream, const char *data, size_t length, bool ends_line,
                      unix_nano time)
{
    if (log->max_size > 0 && log->size >= log->max_size) {
        flush(log);
        rotate(log);
    }
    size_t before = log->pending.length;
    strbuf_add(&log->pending, "{\"log\":\"", 8);
    json_log_escape(&log->pending, data, length);
    if (ends_line)
        strbuf_add(&log->pending, "\\n", 2);
    strbuf_add_string(&log->pending, stream == STREAM_STDERR ? "\",\"stream\":\"stderr\",\"time\":\""
                                                             : "\",\"stream\":\"stdout\",\"time\":\"");
    add_time(log, time);
    strbuf_add(&log->pending, "\"}\n", 3);
    log->size += (int64_t)(log->pending.length - before);
    if (log->pending.length >= PENDING_LIMIT)
        flush(log);
}

/* A line, or a piece of one; the time of its first piece is the time of all. */
static void add_piece(struct json_log *log, enum output_stream stream, const char *data, size_t length, bool ends_line)
{
    struct json_log_line *line = &log->lines[stream == STREAM_STDERR];
    unix_nano time = line->partial_time ? line->partial_time : clock_now();
    line->partial_time = ends_line ? 0 : time;
    add_entry(log, stream, data, length, ends_line, time);
}

void json_log_add(struct json_log *log, enum output_stream stream, const char *data, size_t length)
{
    struct strbuf *text = &log->lines[stream == STREAM_STDERR].text;
    while (length) {
        /* At most what completes a piece; a newline right behind it belongs to the next. */
        size_t room = PIECE_SIZE - text->length, considered = MIN(length, room);
        const char *newline = memchr(data, '\n', considered);
        size_t taken = newline ? (size_t)(newline - data) : considered;
        if (!newline && taken < room) {
            strbuf_add(text, data, taken);
            break;
        }
        if (text->length) {
            strbuf_add(text, data, taken);
            add_piece(log, stream, text->data, text->length, newline != NULL);
            strbuf_truncate(text, 0);
        } else {
            add_piece(log, stream, data, taken, newline != NULL);
        }
        taken += newline != NULL;
        data += taken;
        length -= taken;
    }
    if (!text->length)
        strbuf_release(text);
    flush(log);
}

void json_log_release_memory(struct json_log *log)
{
    if (!log->pending.length)
        strbuf_release(&log->pending);
}

void json_log_child_ended(struct json_log *log, pid_t pid)
{
    if (log && log->compressor == pid)
        log->compressor = -1;
}

void json_log_free(struct json_log *log)
{
    if (!log)
        return;
    for (int i = 0; i < 2; i++) {
        struct json_log_line *line = &log->lines[i];
        if (line->text.length)
            add_piece(log, i ? STREAM_STDERR : STREAM_STDOUT, line->text.data, line->text.length, false);
        strbuf_release(&line->text);
    }
    flush(log);
    close_fd(log->fd);
    strbuf_release(&log->pending);
    free(log->path);
    free(log);
}
