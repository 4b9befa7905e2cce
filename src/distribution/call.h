/* A request on its way through serve_*.c, and how it is answered: errors as the specification has them
   ({"errors": [{"code", "message", "detail"}]}). */
#pragma once

#include "distribution/distribution.h"
#include "distribution/route.h"

#define MAX_MANIFEST ((size_t)4 << 20)
#define BUFFER_SIZE  ((size_t)256 << 10)

struct call {
    struct distribution *distribution;
    struct http_exchange *exchange;
    struct route route;
    struct strmap query;
    int status; /* that was answered; 0: none yet */
};

bool call_is(const struct call *call, const char *method);
/* GET or HEAD. */
bool call_reads(const struct call *call);
void call_header(struct call *call, const char *name, const char *value);
void call_headerf(struct call *call, const char *name, const char *format, ...) _printf_(3, 4);
/* The body's next bytes: as http_exchange_read, and -1 with ETIMEDOUT where the client is silent for too long. */
ssize_t call_read(struct call *call, void *data, size_t length);

void answer(struct call *call, int status, const char *content_type, const void *body, size_t length);
void answer_json(struct call *call, int status, const struct strbuf *body);
/* A failure in the specification's words. `code`: "BLOB_UNKNOWN". `detail` is JSON or NULL. */
void answer_refusal(struct call *call, int status, const char *code, const char *message, const char *detail);
/* By the error's kind, for what is the same everywhere (quotas, a full disk, our own failures); releases it. */
void answer_error(struct call *call, struct error *err);
/* 405. */
void answer_unsupported(struct call *call, const char *why);

/* n and last of a list. False after an answer, where n is none. `most`: what n is where it is missing, and its
   limit. */
bool call_page(struct call *call, int64_t most, int64_t *n, const char **last);
/* Link: <path?last=…&n=…>; rel="next", with the other parameters of the query. */
void call_link_next(struct call *call, const char *last, int64_t n);

/* serve_*.c. The route's name and digest are good. */
void serve_blob(struct call *call);
void serve_uploads(struct call *call);
void serve_upload(struct call *call);
void serve_manifest(struct call *call);
void serve_tags(struct call *call);
void serve_catalog(struct call *call);
void serve_referrers(struct call *call);
void serve_page(struct call *call);

/* Is this an If-None-Match for the digest? Then answers 304. */
bool answer_if_known(struct call *call, const char *digest);
/* Sends a blob, or the range of it that is asked for. */
void answer_blob(struct call *call, const char *digest, int fd, int64_t size);
