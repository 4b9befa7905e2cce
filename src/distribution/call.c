#include "distribution/call.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "json/json_writer.h"

#define JSON "application/json; charset=utf-8"

bool call_is(const struct call *call, const char *method)
{
    return string_equal(call->exchange->head.method, method);
}

bool call_reads(const struct call *call)
{
    return call_is(call, "GET") || call_is(call, "HEAD");
}

void call_header(struct call *call, const char *name, const char *value)
{
    strmap_set(&call->exchange->headers, name, value);
}

void call_headerf(struct call *call, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *value = xvasprintf(format, arguments);
    va_end(arguments);
    call_header(call, name, value);
}

ssize_t call_read(struct call *call, void *data, size_t length)
{
    http_exchange_set_deadline(call->exchange, clock_monotonic() + call->distribution->settings->patience);
    ssize_t count = http_exchange_read(call->exchange, data, length);
    if (count > 0)
        count_add(&call->distribution->counters.received, count);
    return count;
}

void answer(struct call *call, int status, const char *content_type, const void *body, size_t length)
{
    call->status = status;
    http_exchange_answer(call->exchange, status, content_type, body, length);
}

void answer_json(struct call *call, int status, const struct strbuf *body)
{
    answer(call, status, JSON, strbuf_text(body), body->length);
}

void answer_refusal(struct call *call, int status, const char *code, const char *message, const char *detail)
{
    _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
    struct json_writer writer = {.out = &body};
    json_writer_begin(&writer, NULL, '{');
    json_writer_begin(&writer, "errors", '[');
    json_writer_begin(&writer, NULL, '{');
    json_writer_text(&writer, "code", code);
    json_writer_text(&writer, "message", message);
    if (detail)
        json_writer_raw(&writer, "detail", detail);
    json_writer_end(&writer, '}');
    json_writer_end(&writer, ']');
    json_writer_end(&writer, '}');
    answer_json(call, status, &body);
}

void answer_error(struct call *call, struct error *err)
{
    const char *message = error_message(err);
    if (err->errno_value == ENOSPC || err->errno_value == EDQUOT || strstr(message, "no space left"))
        answer_refusal(call, 507, "UNKNOWN", "the registry's disk is full", NULL);
    else if (err->kind == ERROR_DENIED)
        answer_refusal(call, 403, "DENIED", message, NULL);
    else if (err->kind == ERROR_UNAVAILABLE)
        answer_refusal(call, 429, "TOOMANYREQUESTS", message, NULL);
    else if (err->kind == ERROR_CANCELLED)
        answer_refusal(call, 400, "BLOB_UPLOAD_INVALID", message, NULL);
    else
        answer_refusal(call, 500, "UNKNOWN", message, NULL);
    error_release(err);
}

void answer_unsupported(struct call *call, const char *why)
{
    answer_refusal(call, 405, "UNSUPPORTED", why, NULL);
}

bool call_page(struct call *call, int64_t most, int64_t *n, const char **last)
{
    const char *text = strmap_get(&call->query, "n");
    *last = strmap_get(&call->query, "last");
    *n = most;
    if (!text)
        return true;
    int64_t wanted;
    if (!parse_int64(text, &wanted) || wanted < 0) {
        answer_refusal(call, 400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", NULL);
        return false;
    }
    *n = MIN(wanted, most);
    return true;
}

void call_link_next(struct call *call, const char *last, int64_t n)
{
    _cleanup_strbuf_ struct strbuf link = STRBUF_INIT;
    _cleanup_free_ char *escaped = http_escape(last);
    strbuf_addf(&link, "<%s?last=%s&n=%lld", call->exchange->path, escaped, (long long)n);
    for (size_t i = 0; i < call->query.count; i++) {
        const struct strpair *pair = &call->query.items[i];
        if (string_equal(pair->key, "n") || string_equal(pair->key, "last"))
            continue;
        _cleanup_free_ char *key = http_escape(pair->key), *value = http_escape(pair->value);
        strbuf_addf(&link, "&%s=%s", key, value);
    }
    strbuf_add_string(&link, ">; rel=\"next\"");
    call_header(call, "Link", strbuf_text(&link));
}

bool answer_if_known(struct call *call, const char *digest)
{
    const char *header = strmap_get(&call->exchange->head.headers, "if-none-match");
    if (!header || !strstr(header, digest))
        return false;
    answer(call, 304, NULL, "", 0);
    return true;
}
