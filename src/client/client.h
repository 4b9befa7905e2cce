/* The Engine API from the caller's side, over a unix or TCP socket, TLS or ssh. No threads: what waits gives a
   descriptor to poll.

   Paths are given without the version ("/containers/json?all=1"); the client puts "/v1.50" before them, straight away.
   Only where a server answers that this is too new, its version is asked for once (/_ping) and the request repeated
   with it. Finished connections are kept and used again.

   Errors: what the daemon answered is "Error response from daemon: <its message>" with the kind of its status
   (ERROR_NOT_FOUND for 404, …); where nobody answers, ERROR_UNAVAILABLE "Cannot connect to the Docker daemon at …". */
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "base/text.h"

#define CLIENT_API_VERSION "1.50"

struct client;

/* Files of PEM; NULL: none. TLS is spoken by wherry-tls, which is started for it: nothing else loads OpenSSL. */
struct client_tls {
    char *authority;   /* whom to trust; NULL: the system's */
    char *certificate; /* and its key: who we are */
    char *key;
    bool skips_verification;
};
void client_tls_release(struct client_tls *tls);

/* `host` is "unix:///path", "tcp://name:port" or "ssh://user@name"; NULL: WHERRY_HOST, then DOCKER_HOST, then the
   default sockets (/run/wherry.sock and, where nobody listens there, /var/run/docker.sock). `tls` (NULL: none) is for
   tcp and copied. Connects at the first request only. Fails where the address is malformed or of a kind that is not
   supported. */
struct client *client_new(const char *host, const struct client_tls *tls, struct error *err);
/* Headers that go with every request (config.json's HttpHeaders), User-Agent among them. */
void client_set_headers(struct client *client, const struct strmap *headers);
/* A bare connection to the engine, with no HTTP on it: for dial-stdio. -1 with err. */
int client_dial(struct client *client, struct error *err);
void client_free(struct client *client);
DEFINE_CLEANUP(struct client *, client_free)
/* The address in use, as messages quote it; owned by the client. */
const char *client_host(const struct client *client);
/* "1.50", or what was negotiated; DOCKER_API_VERSION overrides both. Owned by the client. */
const char *client_api_version(const struct client *client);

struct client_upload;
bool client_upload_write(struct client_upload *upload, const void *data, size_t length);
/* The next `length` bytes of a file; zeroes in place of those that it does not have any more. */
bool client_upload_file(struct client_upload *upload, int fd, int64_t length);

struct client_request {
    const char *method;       /* "GET" */
    const char *path;         /* "/containers/json" */
    const char *content_type; /* NULL: "application/json" where there is a body */
    const void *data;         /* a body in memory, `length` bytes; NULL: none */
    size_t length;
    bool has_upload; /* the body is what `upload` gives until its end, sent in chunks */
    int upload;
    /* Or what this writes with client_upload_write and client_upload_file, in chunks. It returns false with err where
       it fails by itself; where they return false nobody reads any more, and it returns true. */
    bool (*produce)(struct client_upload *upload, void *context, struct error *err);
    void *produce_context;
    const struct strmap *headers; /* further ones, or NULL */
};

/* Whole answers. The JSON is a new reference: json_null() for an empty body. Statuses from 400 are errors; 304 (already
   so) is success. `body` may be NULL. */
json_t *client_get_json(struct client *client, const char *path, struct error *err);
/* The elements of an answer that is an array, one at a time; `element` is borrowed. */
bool client_get_elements(struct client *client, const char *path, void (*take)(void *context, const json_t *element),
                         void *context, struct error *err);
json_t *client_post_json(struct client *client, const char *path, const json_t *body, struct error *err);
json_t *client_delete_json(struct client *client, const char *path, struct error *err);
/* The same for answers that nobody looks at. */
bool client_post(struct client *client, const char *path, const json_t *body, struct error *err);
bool client_delete(struct client *client, const char *path, struct error *err);
/* The bytes of the answer as they came. */
bool client_request(struct client *client, const struct client_request *request, struct strbuf *answer,
                    struct error *err);
bool client_get_text(struct client *client, const char *path, struct strbuf *answer, struct error *err);

/* An answer read as it comes: logs, events, save, load, wait. Opens when the head has arrived. */
struct client_stream;
struct client_stream *client_stream_open(struct client *client, const struct client_request *request,
                                         struct error *err);
/* Of a HEAD: a header of the answer (caller frees), NULL with err. */
char *client_head(struct client *client, const char *path, const char *header, struct error *err);
/* client_stream_open of a GET. */
struct client_stream *client_stream_get(struct client *client, const char *path, struct error *err);
/* Count, 0 at the end, -1 with errno. Blocks unless the descriptor is readable or client_stream_has_more. */
ssize_t client_stream_read(struct client_stream *stream, void *data, size_t length);
/* The connection, to poll; owned by the stream. */
int client_stream_fd(const struct client_stream *stream);
/* A header of the answer by its lower-case name, or NULL. */
const char *client_stream_header(const struct client_stream *stream, const char *name);
/* Reads to the end into one JSON value (wait's answer). */
json_t *client_stream_json(struct client_stream *stream, struct error *err);
void client_stream_free(struct client_stream *stream);
DEFINE_CLEANUP(struct client_stream *, client_stream_free)

/* A connection that is no HTTP any more (attach, exec start): bytes go both ways; shutdown(SHUT_WR) ends the input. */
struct client_hijack {
    int fd;             /* owned */
    struct strbuf rest; /* what has come already and belongs before what is read from fd */
};
void client_hijack_release(struct client_hijack *hijack);
#define _cleanup_hijack_   _cleanup_(client_hijack_release)
#define CLIENT_HIJACK_INIT ((struct client_hijack){.fd = -1})
bool client_hijack(struct client *client, const char *path, const json_t *body, struct client_hijack *out,
                   struct error *err);

/* Adds one query parameter, escaped, to a path being built: "?" or "&" first as needed. A NULL value adds nothing. */
void client_query_add(struct strbuf *path, const char *key, const char *value);
/* "/<collection>/<name, escaped as one segment><rest>"; caller frees. */
char *client_path(const char *collection, const char *name, const char *rest);
