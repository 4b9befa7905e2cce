#include "engine/log_line.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define SECOND_LENGTH 19 /* of "2024-01-02T03:04:05" */

void log_line_release(struct log_line *line)
{
    strbuf_release(&line->text);
    strbuf_release(&line->attributes);
    strbuf_release(&line->raw_attributes);
}

/* --- attributes --- */

/* Go's url.QueryEscape. */
static void add_escaped(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("-_.~", *text))
            strbuf_add_char(out, *text);
        else if (*text == ' ')
            strbuf_add_char(out, '+');
        else
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_attributes(json_t *object, struct log_line *out)
{
    size_t count = json_object_size(object), i = 0;
    const char **names = xcalloc(count + 1, sizeof(*names));
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) names[i++] = name;
    qsort(names, count, sizeof(*names), compare_names);
    strbuf_truncate(&out->attributes, 0);
    for (i = 0; i < count; i++) {
        if (i)
            strbuf_add_char(&out->attributes, ',');
        add_escaped(&out->attributes, names[i]);
        strbuf_add_char(&out->attributes, '=');
        add_escaped(&out->attributes, string_or_empty(json_string_value(json_object_get(object, names[i]))));
    }
    free(names);
}

static bool read_attributes(const char *text, size_t length, struct log_line *out)
{
    if (length == out->raw_attributes.length && (!length || memcmp(text, out->raw_attributes.data, length) == 0))
        return true;
    json_t *object = length ? json_loadb(text, length, JSON_ALLOW_NUL, NULL) : NULL;
    if (length && !json_is_object(object)) {
        json_decref(object);
        return false;
    }
    set_attributes(object, out);
    json_decref(object);
    strbuf_truncate(&out->raw_attributes, 0);
    strbuf_add(&out->raw_attributes, text, length);
    return true;
}

/* --- the json-file log --- */

/* As the shim writes it, "2024-01-02T03:04:05.678Z". */
static bool read_time(const char *text, size_t length, struct log_line *out)
{
    if (length < SECOND_LENGTH + 1 || length >= TIME_TEXT_SIZE)
        return false;
    if (memcmp(text, out->second_text, SECOND_LENGTH) != 0) {
        char whole[TIME_TEXT_SIZE];
        unix_nano time;
        memcpy(whole, text, SECOND_LENGTH);
        memcpy(whole + SECOND_LENGTH, "Z", 2);
        if (!time_parse(whole, &time))
            return false;
        memcpy(out->second_text, text, SECOND_LENGTH);
        out->second = time;
    }
    int64_t fraction = 0, scale = NANOSECONDS_PER_SECOND;
    size_t at = SECOND_LENGTH;
    if (text[at] == '.')
        for (at++; at < length && isdigit((unsigned char)text[at]) && scale > 1; at++)
            fraction += (text[at] - '0') * (scale /= 10);
    if (at + 1 != length || text[at] != 'Z')
        return false;
    out->time = out->second + fraction;
    return true;
}

static int hex_value(char digit)
{
    return isdigit((unsigned char)digit)  ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* The escape behind a backslash, with `left` bytes there; returns its length, 0 for what is none, or one of a pair of
   surrogates. */
static size_t add_unescaped(const char *text, size_t left, struct strbuf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *simple = left && *text ? strchr(from, *text) : NULL;
    if (simple) {
        strbuf_add_char(out, to[simple - from]);
        return 1;
    }
    if (left < 5 || *text != 'u')
        return 0;
    unsigned point = 0;
    for (int i = 1; i <= 4; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0)
            return 0;
        point = point << 4 | (unsigned)digit;
    }
    if (point >= 0xd800 && point <= 0xdfff)
        return 0;
    char bytes[3] = {(char)point};
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : 3;
    if (length == 2) {
        bytes[0] = (char)(0xc0 | point >> 6);
        bytes[1] = (char)(0x80 | (point & 0x3f));
    } else if (length == 3) {
        bytes[0] = (char)(0xe0 | point >> 12);
        bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (point & 0x3f));
    }
    strbuf_add(out, bytes, length);
    return 5;
}

/* From behind the opening quote; returns the place behind the closing one, or NULL. */
static const char *read_string(const char *at, const char *end, struct strbuf *out)
{
    strbuf_truncate(out, 0);
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote)
            return NULL;
        const char *backslash = memchr(at, '\\', (size_t)(quote - at));
        const char *stop = backslash ? backslash : quote;
        strbuf_add(out, at, (size_t)(stop - at));
        if (!backslash)
            return quote + 1;
        size_t length = add_unescaped(stop + 1, (size_t)(end - stop - 1), out);
        if (!length)
            return NULL;
        at = stop + 1 + length;
    }
}

static bool take(const char **at, const char *end, const char *expected, size_t length)
{
    if ((size_t)(end - *at) < length || memcmp(*at, expected, length) != 0)
        return false;
    *at += length;
    return true;
}
#define TAKE(at, end, text) take(at, end, text, sizeof(text) - 1)

/* A line in exactly the form that Docker and the shim write. */
static bool parse_written(const char *text, size_t length, struct log_line *out)
{
    const char *at = text, *end = text + length;
    if (!TAKE(&at, end, "{\"log\":\"") || !(at = read_string(at, end, &out->text)) ||
        !TAKE(&at, end, ",\"stream\":\"std"))
        return false;
    out->is_stderr = TAKE(&at, end, "err\",");
    if (!out->is_stderr && !TAKE(&at, end, "out\","))
        return false;
    /* The time is the last: its text has no quote. */
    if (end - at < 12 || memcmp(end - 2, "\"}", 2) != 0)
        return false;
    const char *quote = memrchr(at, '"', (size_t)(end - 2 - at));
    if (!quote || quote - at < 7 || memcmp(quote - 7, "\"time\":", 7) != 0 ||
        !read_time(quote + 1, (size_t)(end - 2 - quote - 1), out))
        return false;
    const char *attributes = at, *stop = quote - 7;
    if (attributes == stop)
        return read_attributes("", 0, out);
    return TAKE(&attributes, stop, "\"attrs\":") && attributes < stop &&
           read_attributes(attributes, (size_t)(stop - attributes - 1), out);
}

/* A line that some other program has written. */
static bool parse_any(const char *text, size_t length, struct log_line *out)
{
    json_t *json = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
    const json_t *log = json_object_get(json, "log");
    const char *time = json_string_value(json_object_get(json, "time"));
    bool is_good = json_is_string(log) && time && time_parse(time, &out->time);
    if (is_good) {
        strbuf_truncate(&out->text, 0);
        strbuf_add(&out->text, json_string_value(log), json_string_length(log));
        out->is_stderr = string_equal(json_string_value(json_object_get(json, "stream")), "stderr");
        strbuf_truncate(&out->raw_attributes, 0);
        set_attributes(json_object_get(json, "attrs"), out);
        /* Whatever comes next is compared with this, which no line has. */
        if (out->attributes.length)
            strbuf_add_char(&out->raw_attributes, '?');
    }
    json_decref(json);
    return is_good;
}

bool log_line_parse_json(const char *text, size_t length, struct log_line *out)
{
    return parse_written(text, length, out) || parse_any(text, length, out);
}

/* --- the local log --- */

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

bool log_line_parse_local(const char *data, size_t length, struct log_line *out)
{
    const uint8_t *at = (const uint8_t *)data, *end = at + length;
    bool is_partial = false, is_last = false;
    strbuf_truncate(&out->text, 0);
    strbuf_truncate(&out->attributes, 0);
    out->is_stderr = false;
    out->time = 0;
    while (at < end) {
        uint64_t key, value;
        if (!read_varint(&at, end, &key) || !read_varint(&at, end, &value))
            return false;
        bool is_bytes = (key & 7) == 2;
        if ((!is_bytes && (key & 7) != 0) || (is_bytes && value > (uint64_t)(end - at)))
            return false;
        if (key >> 3 == 1 && is_bytes)
            out->is_stderr = value == 6 && memcmp(at, "stderr", 6) == 0;
        else if (key >> 3 == 2 && !is_bytes)
            out->time = (unix_nano)value;
        else if (key >> 3 == 3 && is_bytes)
            strbuf_add(&out->text, at, value);
        else if (key >> 3 == 4 && !is_bytes)
            is_partial = value != 0;
        else if (key >> 3 == 5 && is_bytes)
            is_last = value >= 2 && at[0] == 0x08 && at[1] == 1;
        if (is_bytes)
            at += value;
    }
    if (!is_partial || is_last)
        strbuf_add_char(&out->text, '\n');
    return true;
}
