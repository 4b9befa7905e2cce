/* Answers. The one place where kinds of errors become HTTP statuses. All return true, for handlers to return; a client
   that has gone is nobody's error. */
#pragma once

#include "api/call.h"
#include "json/json_record.h"

int error_status(enum error_kind kind);

/* A JSON string of any text; bytes that are not UTF-8 become U+FFFD, as Go has it. NULL gives "". */
json_t *json_text(const char *text);

/* Takes the reference. */
bool respond_json(struct call *call, int status, json_t *json);
/* JSON text with its line feed. */
bool respond_text(struct call *call, int status, const struct strbuf *text);
/* No body: 204, or 200 and 201 with Content-Length: 0. */
bool respond_empty(struct call *call, int status);
/* {"message": …} */
void respond_error(struct http_exchange *exchange, const struct error *err);

/* One JSON value of a stream that was begun, and a line feed. Takes the reference. */
bool respond_line(struct call *call, json_t *json);
/* The same of a stream of progress, whose lines Docker ends with CR LF. */
bool respond_progress(struct call *call, json_t *json);
/* The error inside of a stream: {"errorDetail":{"message":…},"error":…}. Releases it. */
bool respond_line_error(struct call *call, struct error *err);
