/* The reader of messages.

   The library is told to stop after a head and after each chunk's size line; the bytes of a body are read by ourselves,
   straight into the caller's buffer. A socket is peeked first and then only what belongs to the message is taken out of
   it: what follows (the first bytes of a hijacked stream, a pipelined request) stays in the kernel. Descriptors that
   cannot be peeked (pipes) are read into `buffer` instead, and what is left over there is http_take_rest's. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#ifdef HTTP_WITH_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif

#include "base/clock.h"
#include "base/memory.h"
#include "http/message.h"

#define BUFFER_SIZE    8192
#define SIZE_LINE_PEEK 256 /* a chunk's size line is rarely longer, and peeking more would copy its data twice */
#define MAX_HEADERS    256 /* fields, repeated ones included: joining them costs more with each */
#define MAX_TRAILER    HTTP_MAX_HEAD

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_UNTIL_END };
enum stop { STOP_NONE, STOP_HEAD, STOP_CHUNK, STOP_MESSAGE };

#ifdef HTTP_WITH_LLHTTP
typedef llhttp_t parser_type;
typedef llhttp_settings_t parser_settings;
#else
typedef http_parser parser_type;
typedef http_parser_settings parser_settings;
#endif

struct http_reader {
    int fd;
    bool can_peek;
    int64_t deadline;
    parser_type parser;
    enum stop stop; /* why the parser paused */

    enum framing framing;
    int64_t remaining; /* bytes of the body, or of the current chunk */
    size_t overhead;   /* bytes of size lines and trailers since the last data */
    bool is_over;

    /* while a head is parsed */
    struct http_head *head;
    struct strbuf target, name, value;
    size_t field_count;
    bool was_in_value;

    char *data; /* what is buffered or peeked: buffer[start..end) */
    size_t start, end;
    char buffer[BUFFER_SIZE];
};

/* --- the library --- */

/* Token characters alone (RFC 9110, 5.6.2): the library lets spaces pass, and whoever is behind us may read such a name
   as another one. */
static bool is_header_name(const char *name)
{
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    return true;
}

/* White space after a value is not part of it (RFC 9110, 5.5). */
static const char *trimmed(struct strbuf *value)
{
    while (value->length > 0 && strchr(" \t", value->data[value->length - 1]))
        strbuf_truncate(value, value->length - 1);
    return strbuf_text(value);
}

static void add_header(struct http_reader *reader)
{
    struct http_head *head = reader->head;
    if (head && reader->name.length > 0 && reader->field_count++ < MAX_HEADERS) {
        for (char *at = reader->name.data; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        const char *value = trimmed(&reader->value);
        const char *before = strmap_get(&head->headers, reader->name.data);
        _cleanup_free_ char *joined = before ? xasprintf("%s, %s", before, value) : NULL;
        strmap_set(&head->headers, reader->name.data, joined ? joined : value);
    }
    strbuf_truncate(&reader->name, 0);
    strbuf_truncate(&reader->value, 0);
    reader->was_in_value = false;
}

static int on_target(parser_type *parser, const char *text, size_t length)
{
    struct http_reader *reader = parser->data;
    return reader->head && !strbuf_add(&reader->target, text, length) ? -1 : 0;
}

static int on_name(parser_type *parser, const char *text, size_t length)
{
    struct http_reader *reader = parser->data;
    if (!reader->head)
        return 0; /* a trailer */
    if (reader->was_in_value)
        add_header(reader);
    return reader->field_count >= MAX_HEADERS || !strbuf_add(&reader->name, text, length) ? -1 : 0;
}

static int on_value(parser_type *parser, const char *text, size_t length)
{
    struct http_reader *reader = parser->data;
    if (!reader->head)
        return 0;
    reader->was_in_value = true;
    return strbuf_add(&reader->value, text, length) ? 0 : -1;
}

static int pause_parser(parser_type *parser, enum stop stop)
{
    struct http_reader *reader = parser->data;
    reader->stop = stop;
#ifdef HTTP_WITH_LLHTTP
    return HPE_PAUSED;
#else
    http_parser_pause(parser, 1);
    return 0;
#endif
}

static int on_head(parser_type *parser)
{
    return pause_parser(parser, STOP_HEAD);
}

static int on_chunk(parser_type *parser)
{
    struct http_reader *reader = parser->data;
    reader->remaining = (int64_t)parser->content_length;
    /* The last chunk is not a stop: its trailers are parsed to the end of the message. */
    return reader->remaining > 0 ? pause_parser(parser, STOP_CHUNK) : 0;
}

static int on_message(parser_type *parser)
{
    return pause_parser(parser, STOP_MESSAGE);
}

/* What the two libraries do differently is here, between the callbacks above and read_head below. */
#ifdef HTTP_WITH_LLHTTP

static void parser_start(struct http_reader *reader, bool is_request)
{
    static llhttp_settings_t settings;
    llhttp_settings_t wanted;
    llhttp_settings_init(&wanted);
    wanted.on_url = on_target;
    wanted.on_header_field = on_name;
    wanted.on_header_value = on_value;
    wanted.on_headers_complete = on_head;
    wanted.on_chunk_header = on_chunk;
    wanted.on_message_complete = on_message;
    settings = wanted; /* the same bytes every time */
    llhttp_init(&reader->parser, is_request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    reader->parser.data = reader;
}

/* Parses until a stop or the end of the data; the number of bytes that were taken, or -1. */
static ssize_t parse(struct http_reader *reader, const char *data, size_t length)
{
    reader->stop = STOP_NONE;
    if (llhttp_get_errno(&reader->parser) == HPE_PAUSED)
        llhttp_resume(&reader->parser);
    llhttp_errno_t status = llhttp_execute(&reader->parser, data, length);
    if (status == HPE_OK)
        return (ssize_t)length;
    if (status == HPE_PAUSED || status == HPE_PAUSED_UPGRADE)
        return llhttp_get_error_pos(&reader->parser) - data;
    return -1;
}

static bool parse_after_head(struct http_reader *reader)
{
    return true;
}

static const char *parser_problem(struct http_reader *reader)
{
    return llhttp_errno_name(llhttp_get_errno(&reader->parser));
}

static void parser_describe(struct http_reader *reader, struct http_head *head, bool *needs_end)
{
    parser_type *parser = &reader->parser;
    head->keeps_alive = llhttp_should_keep_alive(parser) != 0;
    head->wants_upgrade = (parser->flags & F_CONNECTION_UPGRADE) != 0;
    head->is_chunked = (parser->flags & F_CHUNKED) != 0;
    head->content_length = parser->flags & F_CONTENT_LENGTH ? (int64_t)parser->content_length : -1;
    *needs_end = llhttp_message_needs_eof(parser) != 0;
}

static const char *parser_method(struct http_reader *reader)
{
    return llhttp_method_name((llhttp_method_t)reader->parser.method);
}

#else

static void parser_start(struct http_reader *reader, bool is_request)
{
    http_parser_init(&reader->parser, is_request ? HTTP_REQUEST : HTTP_RESPONSE);
    reader->parser.data = reader;
}

static ssize_t parse(struct http_reader *reader, const char *data, size_t length)
{
    static const parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
        .on_chunk_header = on_chunk,
        .on_message_complete = on_message,
    };
    reader->stop = STOP_NONE;
    if (HTTP_PARSER_ERRNO(&reader->parser) == HPE_PAUSED)
        http_parser_pause(&reader->parser, 0);
    size_t taken = http_parser_execute(&reader->parser, &settings, data, length);
    if (HTTP_PARSER_ERRNO(&reader->parser) == HPE_PAUSED) /* at a head it stops before its last line feed */
        return (ssize_t)taken + (reader->stop == STOP_HEAD ? 1 : 0);
    return HTTP_PARSER_ERRNO(&reader->parser) == HPE_OK ? (ssize_t)taken : -1;
}

/* That line feed, before the first size line. */
static bool parse_after_head(struct http_reader *reader)
{
    return parse(reader, "\n", 1) == 1;
}

static const char *parser_problem(struct http_reader *reader)
{
    return http_errno_description(HTTP_PARSER_ERRNO(&reader->parser));
}

static void parser_describe(struct http_reader *reader, struct http_head *head, bool *needs_end)
{
    parser_type *parser = &reader->parser;
    head->keeps_alive = http_should_keep_alive(parser) != 0;
    head->wants_upgrade = (parser->flags & F_CONNECTION_UPGRADE) != 0;
    head->is_chunked = (parser->flags & F_CHUNKED) != 0;
    head->content_length = parser->flags & F_CONTENTLENGTH ? (int64_t)parser->content_length : -1;
    bool has_no_body = parser->status_code / 100 == 1 || parser->status_code == 204 || parser->status_code == 304;
    *needs_end = parser->type == HTTP_RESPONSE && !has_no_body && !head->is_chunked && head->content_length < 0;
}

static const char *parser_method(struct http_reader *reader)
{
    return http_method_str((enum http_method)reader->parser.method);
}

#endif

/* --- bytes --- */

struct http_reader *http_reader_new(int fd)
{
    struct http_reader *reader = NEW(struct http_reader);
    reader->fd = fd;
    int type;
    socklen_t length = sizeof(type);
    reader->can_peek = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
    reader->is_over = true;
    reader->target.limit = reader->name.limit = reader->value.limit = HTTP_MAX_HEAD;
    return reader;
}

void http_reader_free(struct http_reader *reader)
{
    if (!reader)
        return;
    strbuf_release(&reader->target);
    strbuf_release(&reader->name);
    strbuf_release(&reader->value);
    free(reader);
}

void http_reader_set_deadline(struct http_reader *reader, int64_t deadline)
{
    reader->deadline = deadline;
}

static bool wait_readable(struct http_reader *reader)
{
    while (reader->deadline) {
        int64_t left = reader->deadline - clock_monotonic();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
        struct pollfd poll_fd = {.fd = reader->fd, .events = POLLIN};
        int count = poll(&poll_fd, 1, (int)(left / 1000000) + 1);
        if (count > 0)
            break;
        if (count < 0 && errno != EINTR)
            return false;
    }
    return true;
}

static ssize_t receive(struct http_reader *reader, void *data, size_t length, int flags)
{
    for (;;) {
        if (!wait_readable(reader))
            return -1;
        ssize_t count = reader->can_peek ? recv(reader->fd, data, length, flags) : read(reader->fd, data, length);
        if (count >= 0 || errno != EINTR)
            return count;
    }
}

/* Shows bytes that come next, at most `wanted`, in buffer[start..end), without taking them. */
static ssize_t peek(struct http_reader *reader, size_t wanted)
{
    if (!reader->can_peek && reader->start < reader->end)
        return (ssize_t)(reader->end - reader->start);
    ssize_t count = receive(reader, reader->buffer, reader->can_peek ? wanted : BUFFER_SIZE, MSG_PEEK);
    reader->start = 0;
    reader->end = count > 0 ? (size_t)count : 0;
    return count;
}

/* Takes bytes that were peeked. */
static bool take(struct http_reader *reader, size_t length)
{
    reader->start += length;
    while (reader->can_peek && length > 0) {
        char dropped[1024];
        ssize_t count = receive(reader, dropped, MIN(length, sizeof(dropped)), 0);
        if (count <= 0)
            return false;
        length -= (size_t)count;
    }
    return true;
}

static ssize_t read_some(struct http_reader *reader, void *data, size_t length)
{
    if (reader->can_peek || reader->start == reader->end)
        return receive(reader, data, length, 0);
    size_t count = MIN(length, reader->end - reader->start);
    memcpy(data, reader->buffer + reader->start, count);
    reader->start += count;
    return (ssize_t)count;
}

void http_take_rest(struct http_reader *reader, struct strbuf *out)
{
    if (!reader->can_peek)
        strbuf_add(out, reader->buffer + reader->start, reader->end - reader->start);
    reader->start = reader->end = 0;
}

/* --- heads --- */

static bool parse_head(struct http_reader *reader, struct error *err)
{
    size_t total = 0;
    for (;;) {
        ssize_t count = peek(reader, BUFFER_SIZE);
        if (count < 0) {
            if (errno == ETIMEDOUT)
                return error_set(err, ERROR_UNAVAILABLE, "timed out while waiting for an HTTP head");
            if (errno == ECONNRESET)
                return error_set(err, ERROR_CANCELLED, "connection reset");
            return error_errno(err, "failed to read an HTTP head");
        }
        if (count == 0 && total == 0)
            return error_set(err, ERROR_CANCELLED, "end of stream");
        if (count == 0)
            return error_set(err, ERROR_INVALID, "the connection ended inside an HTTP head");
        ssize_t taken = parse(reader, reader->buffer + reader->start, (size_t)count);
        if (taken < 0) {
            if (reader->field_count >= MAX_HEADERS || reader->target.is_overrun || reader->value.is_overrun ||
                reader->name.is_overrun)
                return error_set(err, ERROR_TOO_LARGE, "HTTP head too large");
            return error_set(err, ERROR_INVALID, "malformed HTTP message: %s", parser_problem(reader));
        }
        if (!take(reader, (size_t)taken))
            return error_errno(err, "failed to read an HTTP head");
        total += (size_t)taken;
        if (total > HTTP_MAX_HEAD)
            return error_set(err, ERROR_TOO_LARGE, "HTTP head too large");
        if (reader->stop == STOP_HEAD)
            return true;
    }
}

/* What the library accepts, and what would leave open where the message ends. */
static bool check_headers(const struct http_head *head, struct error *err)
{
    for (size_t i = 0; i < head->headers.count; i++)
        if (!is_header_name(head->headers.items[i].key))
            return error_set(err, ERROR_INVALID, "malformed HTTP message: invalid header name");
    const char *coding = strmap_get(&head->headers, "transfer-encoding");
    if (coding && strcasecmp(coding, "chunked") != 0)
        return error_set(err, ERROR_UNSUPPORTED, "malformed HTTP message: unsupported transfer encoding");
    return true;
}

bool http_read_head(struct http_reader *reader, bool is_request, struct http_head *out, struct error *err)
{
    struct http_head head = {.content_length = -1};
    reader->target.is_overrun = reader->name.is_overrun = reader->value.is_overrun = false;
    strbuf_truncate(&reader->target, 0);
    strbuf_truncate(&reader->name, 0);
    strbuf_truncate(&reader->value, 0);
    reader->was_in_value = false;
    reader->field_count = 0;
    reader->framing = FRAMING_NONE;
    reader->is_over = true;
    reader->head = &head;
    parser_start(reader, is_request);
    bool is_parsed = parse_head(reader, err);
    if (is_parsed)
        add_header(reader);
    is_parsed = is_parsed && check_headers(&head, err);
    reader->head = NULL;
    if (!is_parsed) {
        http_head_release(&head);
        return false;
    }

    bool needs_end;
    parser_describe(reader, &head, &needs_end);
    if (head.content_length < -1 || (is_request && needs_end)) {
        http_head_release(&head);
        return error_set(err, ERROR_INVALID, "malformed HTTP message: invalid body length");
    }
    if (reader->parser.http_major != 1) { /* such as a request line without a version, which the library reads as 0.9 */
        http_head_release(&head);
        return error_set(err, ERROR_INVALID, "malformed HTTP message: unsupported version");
    }
    head.is_http_1_0 = reader->parser.http_minor == 0;
    if (is_request) {
        head.method = xstrdup(parser_method(reader));
        head.target = xstrdup(strbuf_text(&reader->target));
    } else {
        head.status = reader->parser.status_code;
    }

    bool has_no_body = !is_request && (head.status / 100 == 1 || head.status == 204 || head.status == 304);
    if (has_no_body)
        reader->framing = FRAMING_NONE;
    else if (head.is_chunked)
        reader->framing = FRAMING_CHUNKED;
    else if (needs_end)
        reader->framing = FRAMING_UNTIL_END;
    else if (head.content_length > 0)
        reader->framing = FRAMING_LENGTH;
    reader->remaining = reader->framing == FRAMING_LENGTH ? head.content_length : 0;
    reader->overhead = 0;
    reader->is_over = reader->framing == FRAMING_NONE;
    if (reader->framing == FRAMING_CHUNKED && !parse_after_head(reader)) {
        http_head_release(&head);
        return error_set(err, ERROR_INVALID, "malformed HTTP message: %s", parser_problem(reader));
    }
    *out = head;
    return true;
}

/* --- bodies --- */

bool http_body_is_over(const struct http_reader *reader)
{
    return reader->is_over;
}

/* Reads size lines until there is data or the message ends. */
static bool next_chunk(struct http_reader *reader)
{
    while (reader->remaining == 0) {
        ssize_t count = peek(reader, SIZE_LINE_PEEK);
        if (count < 0)
            return false;
        ssize_t taken = count > 0 ? parse(reader, reader->buffer + reader->start, (size_t)count) : -1;
        if (taken >= 0 && !take(reader, (size_t)taken))
            return false;
        reader->overhead += taken > 0 ? (size_t)taken : 0;
        if (taken < 0 || reader->overhead > MAX_TRAILER || reader->remaining < 0) {
            errno = EPROTO;
            return false;
        }
        if (reader->stop == STOP_MESSAGE) {
            reader->is_over = true;
            return true;
        }
    }
    reader->overhead = 0;
    return true;
}

ssize_t http_read_body(struct http_reader *reader, void *data, size_t length)
{
    if (reader->is_over || length == 0)
        return 0;
    if (reader->framing == FRAMING_CHUNKED) {
        if (!next_chunk(reader))
            return -1;
        if (reader->is_over)
            return 0;
    }
    if (reader->framing != FRAMING_UNTIL_END && (uint64_t)reader->remaining < length)
        length = (size_t)reader->remaining;
    ssize_t count = read_some(reader, data, length);
    if (count < 0)
        return -1;
    if (count == 0) {
        if (reader->framing == FRAMING_UNTIL_END) {
            reader->is_over = true;
            return 0;
        }
        errno = EPROTO;
        return -1;
    }
    if (reader->framing == FRAMING_CHUNKED && parse(reader, data, (size_t)count) != count) {
        errno = EPROTO; /* cannot happen: the parser only counts */
        return -1;
    }
    if (reader->framing != FRAMING_UNTIL_END)
        reader->remaining -= count;
    if (reader->framing == FRAMING_LENGTH && reader->remaining == 0)
        reader->is_over = true;
    return count;
}
