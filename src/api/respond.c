#include "api/respond.h"

#include <string.h>

#include "api/access.h"
#include "base/memory.h"

int error_status(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NONE:
        return 200;
    case ERROR_INVALID:
        return 400;
    case ERROR_UNAUTHORIZED:
        return 401;
    case ERROR_DENIED:
        return 403;
    case ERROR_NOT_FOUND:
        return 404;
    case ERROR_CONFLICT:
        return 409;
    case ERROR_TOO_LARGE:
        return 413;
    case ERROR_NOT_MODIFIED:
        return 304;
    case ERROR_UNSUPPORTED:
        return 501;
    case ERROR_UNAVAILABLE:
        return 503;
    case ERROR_INTERNAL:
    case ERROR_CANCELLED:
        break;
    }
    return 500;
}

json_t *json_text(const char *text)
{
    json_t *json = json_string(string_or_empty(text));
    if (json)
        return json;
    _cleanup_free_ char *valid = text_to_utf8(text);
    return json_string(valid);
}

/* As Go's json.Encoder: a line feed at the end. An answer as a whole has < > & as they are, as Docker's has. */
static char *format_line(json_t *json, bool is_plain, size_t *length)
{
    char *text = is_plain ? json_format_plain(json) : json_format(json);
    json_decref(json);
    *length = strlen(text);
    text[(*length)++] = '\n'; /* in the place of the NUL */
    return text;
}

bool respond_json(struct call *call, int status, json_t *json)
{
    size_t length;
    access_conceal(call, json);
    _cleanup_free_ char *text = format_line(json, true, &length);
    http_exchange_answer(call->exchange, status, "application/json", text, length);
    return true;
}

bool respond_text(struct call *call, int status, const struct strbuf *text)
{
    http_exchange_answer(call->exchange, status, "application/json", strbuf_text(text), text->length);
    return true;
}

bool respond_empty(struct call *call, int status)
{
    http_exchange_answer(call->exchange, status, NULL, "", 0);
    return true;
}

void respond_error(struct http_exchange *exchange, const struct error *err)
{
    int status = error_status(err->kind);
    if (status == 304) {
        http_exchange_answer(exchange, status, NULL, "", 0);
        return;
    }
    size_t length;
    _cleanup_free_ char *text =
        format_line(json_pack("{s:o}", "message", json_text(error_message(err))), true, &length);
    http_exchange_answer(exchange, status, "application/json", text, length);
}

bool respond_line(struct call *call, json_t *json)
{
    size_t length;
    _cleanup_free_ char *text = format_line(json, false, &length);
    return http_exchange_write(call->exchange, text, length);
}

bool respond_progress(struct call *call, json_t *json)
{
    _cleanup_free_ char *text = json_format(json), *line = xasprintf("%s\r\n", text);
    json_decref(json);
    return http_exchange_write(call->exchange, line, strlen(line));
}

bool respond_line_error(struct call *call, struct error *err)
{
    const char *message = error_message(err);
    respond_progress(
        call, json_pack("{s:{s:o}, s:o}", "errorDetail", "message", json_text(message), "error", json_text(message)));
    error_release(err);
    return true;
}
