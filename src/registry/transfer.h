/* One HTTP exchange with a registry, over libcurl, read as a stream: transfer_read pulls, so that a layer is unpacked
   while it arrives and the sender is held back by whoever is slower.

   A transport keeps connections and belongs to one thread at a time; its transfers run one after the other. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "registry/endpoint.h"

struct transport;
/* `is_cancelled` may be NULL. */
struct transport *transport_new(bool (*is_cancelled)(void *context), void *context);
void transport_free(struct transport *transport);
DEFINE_CLEANUP(struct transport *, transport_free)

struct transfer_request {
    const char *method; /* GET, HEAD, POST, PUT, PATCH, DELETE */
    const char *url;
    const struct endpoint *endpoint; /* whose certificates count; NULL: the system's */
    struct strlist headers;          /* "Accept: …" */
    const void *data;                /* a body in memory */
    size_t length;
    int fd; /* or of a file, where `has_file`: `length` bytes from `offset` */
    bool has_file;
    int64_t offset;
    void (*sent)(void *context, int64_t bytes); /* how much of the body is gone; may be NULL */
    void *sent_context;
};

struct transfer;
/* Sends the request and waits for the answer's head (and the body's first bytes). Errors in Go's words:
   Get "http://…": dial tcp …: connect: connection refused. */
struct transfer *transfer_open(struct transport *transport, const struct transfer_request *request, struct error *err);
void transfer_close(struct transfer *transfer);
DEFINE_CLEANUP(struct transfer *, transfer_close)
int transfer_status(const struct transfer *transfer);
/* "404 Not Found", as the server said it. */
const char *transfer_status_text(const struct transfer *transfer);
/* A header of the answer by its lower-case name, or NULL. */
const char *transfer_header(const struct transfer *transfer, const char *name);
/* Where the request went in the end. */
const char *transfer_url(const struct transfer *transfer);
/* Count, 0 at the end, -1 with err. */
ssize_t transfer_read(struct transfer *transfer, void *data, size_t length, struct error *err);
bool transfer_read_all(struct transfer *transfer, size_t limit, struct strbuf *out, struct error *err);
