/* HTTP/1.1 messages: heads, and bodies of both kinds, over any stream descriptor. Used by the server and the client.
   The parser is a library (http-parser, or llhttp where that is what is packaged); parser.c is the only file that
   knows. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

#define HTTP_MAX_HEAD (64 * 1024)

struct http_head {
    char *method;           /* of a request */
    char *target;           /* of a request: "/v1.50/containers/json?all=1" */
    int status;             /* of an answer */
    struct strmap headers;  /* names in lower case; repeated ones joined with ", " */
    int64_t content_length; /* -1: none */
    bool is_chunked;
    bool keeps_alive;
    bool wants_upgrade; /* Connection: Upgrade */
    bool is_http_1_0;
};
void http_head_release(struct http_head *head);

/* A connection being read. On a socket nothing beyond the current message is ever taken out of it (the reader peeks),
   so that the descriptor itself can be handed to another process after a head or a body. */
struct http_reader;
struct http_reader *http_reader_new(int fd); /* does not own fd */
void http_reader_free(struct http_reader *reader);
/* Next head. false with ERROR_CANCELLED at a clean end of stream. ERROR_TOO_LARGE, ERROR_INVALID. `is_request` says
   which. The body of the message before must have been read to its end (an answer to HEAD, a 1xx, 204 or 304 has none).
 */
bool http_read_head(struct http_reader *reader, bool is_request, struct http_head *out, struct error *err);
/* Body bytes of the head read last, whatever its framing: count, 0 at the end, -1 with errno (EPROTO: malformed or cut
   short). */
ssize_t http_read_body(struct http_reader *reader, void *data, size_t length);
/* The body was read to its end (or there is none). */
bool http_body_is_over(const struct http_reader *reader);
/* What was read beyond the head and belongs to a hijacked stream: moved to *out. Always empty on a socket. */
void http_take_rest(struct http_reader *reader, struct strbuf *out);
/* Reads fail with ETIMEDOUT (http_read_head: ERROR_UNAVAILABLE) after this point of CLOCK_MONOTONIC, in nanoseconds; 0:
   never. */
void http_reader_set_deadline(struct http_reader *reader, int64_t deadline);

/* Percent-decodes in place. */
bool http_unescape(char *text);
/* Query string → map; "a=1&b" gives b="". Later ones win; for repeated keys use http_query_all. */
void http_query_parse(const char *query, struct strmap *out);
/* The first bad escape in a query, "%zz" (caller frees), or NULL. %00 is one: our texts end at a NUL. */
char *http_query_bad_escape(const char *query);
void http_query_all(const char *query, const char *key, struct strlist *out);
char *http_escape(const char *text); /* for a query value; caller frees */
