#include "shim/output_log.h"

#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "shim/json_log.h"
#include "shim/local_log.h"
#include "shim/logger_link.h"

#define PIECE_SIZE ((size_t)16 * 1024)

struct output_line {
    struct strbuf text;     /* what came since the last newline */
    unix_nano partial_time; /* of the line that is being logged in pieces */
    uint32_t ordinal;       /* of its last piece; 0: none is */
    char partial_id[ID_LENGTH + 1];
};

struct output_log {
    enum shim_log_format format;
    struct json_log json;
    struct rotating_file local;
    struct logger_link *link; /* NULL: none */
    struct output_line lines[2];
};

static struct rotating_file *file_of(struct output_log *log)
{
    return log->format == SHIM_LOG_JSON ? &log->json.file : log->format == SHIM_LOG_LOCAL ? &log->local : NULL;
}

static bool open_file(struct output_log *log, const struct shim_log *options, struct error *err)
{
    switch (options->format) {
    case SHIM_LOG_JSON:
        log->format = SHIM_LOG_JSON;
        return json_log_open(&log->json, options->path, options->max_size, options->max_files, options->compresses,
                             options->attributes, err);
    case SHIM_LOG_LOCAL:
        log->format = SHIM_LOG_LOCAL;
        return rotating_file_open(&log->local, options->path, options->max_size, options->max_files,
                                  options->compresses, err);
    default:
        return true;
    }
}

bool output_log_open(const struct shim_log *options, struct loop *loop, void (*ready)(void *context), void *context,
                     struct output_log **out, struct error *err)
{
    if (options->format == SHIM_LOG_NONE && !string_is_set(options->logger_program))
        return true;
    struct output_log *log = NEW(struct output_log);
    bool is_open = open_file(log, options, err);
    if (is_open && string_is_set(options->logger_program)) {
        log->link = logger_link_open(options, loop, ready, context, err);
        is_open = log->link != NULL;
    }
    if (!is_open) {
        output_log_free(log);
        return false;
    }
    *out = log;
    return true;
}

static void log_piece(struct output_log *log, const struct log_piece *piece)
{
    if (log->format == SHIM_LOG_JSON)
        json_log_add(&log->json, piece);
    else if (log->format == SHIM_LOG_LOCAL)
        local_log_add(&log->local, piece);
    if (log->link)
        logger_link_add(log->link, piece);
}

static void add_piece(struct output_log *log, enum output_stream stream, const char *data, size_t length,
                      bool ends_line, unix_nano now)
{
    struct output_line *line = &log->lines[stream == STREAM_STDERR];
    struct log_piece piece = {.stream = stream, .time = now, .data = data, .length = length, .ends_line = ends_line};
    if (!ends_line && !line->ordinal) {
        line->partial_time = now;
        id_generate(line->partial_id);
    }
    if (!ends_line || line->ordinal) {
        piece.time = line->partial_time;
        piece.partial_id = line->partial_id;
        piece.ordinal = ++line->ordinal;
    }
    if (ends_line)
        line->ordinal = 0;
    log_piece(log, &piece);
}

void output_log_add(struct output_log *log, enum output_stream stream, const char *data, size_t length)
{
    struct strbuf *text = &log->lines[stream == STREAM_STDERR].text;
    unix_nano now = clock_now();
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
            add_piece(log, stream, text->data, text->length, newline != NULL, now);
            strbuf_truncate(text, 0);
        } else {
            add_piece(log, stream, data, taken, newline != NULL, now);
        }
        taken += newline != NULL;
        data += taken;
        length -= taken;
    }
    struct rotating_file *file = file_of(log);
    if (file)
        rotating_file_flush(file);
    if (log->link)
        logger_link_flush(log->link);
}

bool output_log_is_congested(const struct output_log *log)
{
    return log && log->link && logger_link_is_congested(log->link);
}

void output_log_finish(struct output_log *log)
{
    unix_nano now = clock_now();
    for (int i = 0; i < 2; i++) {
        struct output_line *line = &log->lines[i];
        if (line->text.length)
            add_piece(log, i ? STREAM_STDERR : STREAM_STDOUT, line->text.data, line->text.length, false, now);
        strbuf_release(&line->text);
    }
    if (log->format == SHIM_LOG_JSON)
        json_log_close(&log->json);
    else if (log->format == SHIM_LOG_LOCAL)
        rotating_file_close(&log->local);
    log->format = SHIM_LOG_NONE;
    if (log->link)
        logger_link_finish(log->link);
}

bool output_log_is_flushing(const struct output_log *log)
{
    return log && log->link && logger_link_is_flushing(log->link);
}

void output_log_free(struct output_log *log)
{
    if (!log)
        return;
    output_log_finish(log);
    logger_link_free(log->link);
    free(log);
}

void output_log_release_memory(struct output_log *log)
{
    struct rotating_file *file = log ? file_of(log) : NULL;
    if (file && !file->pending.length)
        strbuf_release(&file->pending);
    for (int i = 0; log && i < 2; i++)
        if (!log->lines[i].text.length)
            strbuf_release(&log->lines[i].text);
}

void output_log_child_ended(struct output_log *log, pid_t pid)
{
    struct rotating_file *file = log ? file_of(log) : NULL;
    if (file && file->compressor == pid)
        file->compressor = -1;
}
