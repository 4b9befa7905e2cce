#include "base/strbuf.h"

#include <string.h>

#include "base/memory.h"

void strbuf_release(struct strbuf *buffer)
{
    free(buffer->data);
    *buffer = (struct strbuf){.limit = buffer->limit};
}

bool strbuf_reserve(struct strbuf *buffer, size_t extra)
{
    size_t limit = buffer->limit ? buffer->limit : STRBUF_DEFAULT_LIMIT;
    if (buffer->is_overrun || extra > limit || buffer->length > limit - extra) {
        buffer->is_overrun = true;
        return false;
    }
    size_t needed = buffer->length + extra + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 64;
        while (capacity < needed)
            capacity *= 2;
        buffer->data = xrealloc(buffer->data, capacity, 1);
        buffer->capacity = capacity;
    }
    return true;
}

bool strbuf_add(struct strbuf *buffer, const void *data, size_t length)
{
    if (!strbuf_reserve(buffer, length))
        return false;
    if (length)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return true;
}

bool strbuf_add_string(struct strbuf *buffer, const char *text)
{
    return strbuf_add(buffer, text, strlen(text));
}

bool strbuf_add_char(struct strbuf *buffer, char character)
{
    return strbuf_add(buffer, &character, 1);
}

bool strbuf_vaddf(struct strbuf *buffer, const char *format, va_list arguments)
{
    va_list measure;
    va_copy(measure, arguments);
    int length = vsnprintf(NULL, 0, format, measure);
    va_end(measure);
    if (length < 0 || !strbuf_reserve(buffer, (size_t)length))
        return false;
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    buffer->length += (size_t)length;
    return true;
}

bool strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool added = strbuf_vaddf(buffer, format, arguments);
    va_end(arguments);
    return added;
}

void strbuf_consume(struct strbuf *buffer, size_t count)
{
    if (count >= buffer->length) {
        strbuf_truncate(buffer, 0);
        return;
    }
    buffer->length -= count;
    memmove(buffer->data, buffer->data + count, buffer->length + 1);
}

void strbuf_truncate(struct strbuf *buffer, size_t length)
{
    if (!buffer->data)
        return;
    buffer->length = length;
    buffer->data[length] = '\0';
}

const char *strbuf_text(const struct strbuf *buffer)
{
    return buffer->data ? buffer->data : "";
}

char *strbuf_take(struct strbuf *buffer)
{
    if (!buffer->data)
        return xstrdup("");
    char *text = buffer->data;
    *buffer = (struct strbuf){.limit = buffer->limit};
    return text;
}
