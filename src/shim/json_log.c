#include "shim/json_log.h"

#include <string.h>

#include "base/json_escape.h"
#include "base/memory.h"

bool json_log_open(struct json_log *log, const char *path, int64_t max_size, int64_t max_files, bool compresses,
                   const char *attributes, struct error *err)
{
    *log = (struct json_log){.attributes = xstrdup(attributes), .second = -1, .time = -1};
    return rotating_file_open(&log->file, path, max_size, max_files, compresses, err);
}

/* "2024-01-02T03:04:05.678Z": the fraction without its trailing zeroes (Go's RFC3339Nano). The second's text is kept,
   because formatting it is what costs. */
static void add_time(struct json_log *log, struct strbuf *out, unix_nano time)
{
    time_t second = (time_t)(time / NANOSECONDS_PER_SECOND);
    if (second != log->second) {
        struct tm parts;
        gmtime_r(&second, &parts);
        strftime(log->second_text, sizeof(log->second_text), "%Y-%m-%dT%H:%M:%S", &parts);
        log->second = second;
    }
    strbuf_add_string(out, log->second_text);
    int64_t fraction = time % NANOSECONDS_PER_SECOND;
    char digits[10] = {'.'};
    size_t length = fraction ? sizeof(digits) : 0;
    for (size_t i = sizeof(digits) - 1; i > 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (length > 1 && digits[length - 1] == '0')
        length--;
    strbuf_add(out, digits, length);
    strbuf_add_char(out, 'Z');
}

/* Output that was read at once has one time, and so one tail. */
static void make_tails(struct json_log *log, unix_nano time)
{
    for (int i = 0; i < 2; i++) {
        struct strbuf *tail = &log->tails[i];
        strbuf_truncate(tail, 0);
        strbuf_addf(tail, "\",\"stream\":\"%s\",", i ? "stderr" : "stdout");
        if (log->attributes)
            strbuf_addf(tail, "\"attrs\":%s,", log->attributes);
        strbuf_add(tail, "\"time\":\"", 8);
        add_time(log, tail, time);
        strbuf_add(tail, "\"}\n", 3);
    }
    log->time = time;
}

void json_log_add(struct json_log *log, const struct log_piece *piece)
{
    if (piece->time != log->time)
        make_tails(log, piece->time);
    const struct strbuf *tail = &log->tails[piece->stream == STREAM_STDERR];
    struct strbuf *out = &log->file.pending;
    rotating_file_begin(&log->file);
    size_t before = out->length;
    strbuf_add(out, "{\"log\":\"", 8);
    json_escape(out, piece->data, piece->length, JSON_LETTERS_LOG);
    if (piece->ends_line)
        strbuf_add(out, "\\n", 2);
    strbuf_add(out, tail->data, tail->length);
    rotating_file_end(&log->file, out->length - before);
}

void json_log_close(struct json_log *log)
{
    rotating_file_close(&log->file);
    strbuf_release(&log->tails[0]);
    strbuf_release(&log->tails[1]);
    free(TAKE_PTR(log->attributes));
}
