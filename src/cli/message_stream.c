#include "cli/message_stream.h"

#include <string.h>

#include "json/json_record.h"

#define MESSAGE_LIMIT ((size_t)16 << 20)
#define READ_SIZE     ((size_t)32 * 1024)

void message_stream_release(struct message_stream *messages)
{
    strbuf_release(&messages->buffer);
}

/* The length of the first JSON object in the buffer, or 0 where it is not complete. */
static size_t object_length(const struct strbuf *buffer)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < buffer->length; i++) {
        char character = buffer->data[i];
        if (in_string) {
            if (character == '\\')
                i++;
            else if (character == '"')
                in_string = false;
        } else if (character == '"') {
            in_string = true;
        } else if (character == '{') {
            depth++;
        } else if (character == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

bool message_stream_is_ready(const struct message_stream *messages)
{
    return object_length(&messages->buffer) > 0;
}

static bool take(struct message_stream *messages, json_t **message, struct error *err)
{
    size_t length = object_length(&messages->buffer);
    *message = length ? json_parse(messages->buffer.data, length, err) : NULL;
    if (length)
        strbuf_consume(&messages->buffer, length);
    return !length || *message;
}

bool message_stream_poll(struct message_stream *messages, json_t **message, bool *is_over, struct error *err)
{
    struct strbuf *buffer = &messages->buffer;
    *is_over = false;
    if (!take(messages, message, err) || *message)
        return *message != NULL;
    buffer->limit = MESSAGE_LIMIT;
    if (!strbuf_reserve(buffer, READ_SIZE))
        return error_set(err, ERROR_TOO_LARGE, "the answer holds a message of more than %zu bytes",
                         MESSAGE_LIMIT - READ_SIZE);
    ssize_t count = client_stream_read(messages->stream, buffer->data + buffer->length, READ_SIZE);
    if (count < 0)
        return error_errno(err, "reading the answer");
    buffer->length += (size_t)count;
    buffer->data[buffer->length] = '\0';
    if (!take(messages, message, err))
        return false;
    *is_over = count == 0 && !*message;
    if (*is_over && buffer->length && buffer->data[strspn(buffer->data, " \r\n\t")])
        return error_set(err, ERROR_INTERNAL, "unexpected EOF");
    return true;
}

bool message_stream_next(struct message_stream *messages, json_t **message, struct error *err)
{
    bool is_over = false;
    *message = NULL;
    while (!is_over && !*message)
        if (!message_stream_poll(messages, message, &is_over, err))
            return false;
    return true;
}
