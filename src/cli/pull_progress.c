#include "cli/pull_progress.h"

#include <string.h>

#include "json/json_record.h"

#define LINE_LIMIT ((size_t)1 << 20)

static bool show_message(const char *text, size_t length, FILE *out, struct error *err)
{
    if (strspn(text, " \r\n") == length)
        return true;
    _cleanup_json_ json_t *message = json_parse(text, length, err);
    if (!message)
        return false;
    const char *failure = json_string_value(json_object_get(message, "error"));
    if (failure)
        return error_set(err, ERROR_INTERNAL, "%s", failure);
    const char *status = json_string_value(json_object_get(message, "status"));
    const char *id = json_string_value(json_object_get(message, "id"));
    bool is_measure = json_object_size(json_object_get(message, "progressDetail")) > 0;
    if (out && status && !is_measure)
        fprintf(out, "%s%s%s\n", string_or_empty(id), id ? ": " : "", status);
    return true;
}

bool pull_progress_show(struct client_stream *stream, FILE *out, struct error *err)
{
    _cleanup_strbuf_ struct strbuf line = {.limit = LINE_LIMIT};
    char piece[4096];
    ssize_t count = 0;
    while ((count = client_stream_read(stream, piece, sizeof(piece))) > 0) {
        if (!strbuf_add(&line, piece, (size_t)count))
            return error_set(err, ERROR_TOO_LARGE, "the engine sent a message that is too large");
        const char *end = NULL;
        while ((end = memchr(strbuf_text(&line), '\n', line.length))) {
            size_t length = (size_t)(end - line.data);
            line.data[length] = '\0';
            if (!show_message(line.data, length, out, err))
                return false;
            strbuf_consume(&line, length + 1);
        }
    }
    if (count < 0)
        return error_errno(err, "reading the progress of the pull");
    return show_message(strbuf_text(&line), line.length, out, err);
}
